"""InputSpec: what a layer takes, checked on every call."""

import optree

from nbflow.dtypes import as_dtype
from nbflow.public import export


@export("keras.InputSpec", "keras.layers.InputSpec")
class InputSpec:
    """What an input of a layer must be (tf.keras.layers.InputSpec).

    Args:
        dtype: its dtype.
        shape: its shape, None for sizes that may be anything.
        ndim, min_ndim, max_ndim: its number of axes.
        axes: {axis: size}.
        allow_last_axis_squeeze: whether a last axis of size 1 may be there or not.
        name: the key of the input, where inputs come as a dict.
        optional: whether it may be None.
    """

    def __init__(
        self,
        dtype=None,
        shape=None,
        ndim=None,
        max_ndim=None,
        min_ndim=None,
        axes=None,
        allow_last_axis_squeeze=False,
        name=None,
        optional=False,
    ):
        self.dtype = None if dtype is None else as_dtype(dtype).name
        self.shape = None if shape is None else tuple(shape)
        self.ndim = ndim if shape is None else len(self.shape)
        self.max_ndim, self.min_ndim, self.name, self.optional = max_ndim, min_ndim, name, optional
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze

    def get_config(self) -> dict:
        """The arguments that make it again."""
        return {k: getattr(self, k) for k in ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")}

    @classmethod
    def from_config(cls, config: dict) -> "InputSpec":
        """The spec of a configuration."""
        return cls(**config)

    def __repr__(self) -> str:
        said = {k: v for k, v in self.get_config().items() if v}
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in said.items())})"


def check(specs, inputs, layer: str) -> None:
    """Raises ValueError where inputs are not what a layer takes.

    Args:
        specs: an InputSpec, a nested structure of them, or None.
        inputs: the first argument of the call.
        layer: the layer's name.
    """
    if not specs:
        return
    specs = optree.tree_leaves(specs, none_is_leaf=True)
    if isinstance(inputs, dict) and all(spec and spec.name for spec in specs):
        names = [spec.name for spec in specs]
        missing = next((name for name in names if name not in inputs), None)
        if missing is not None:
            raise ValueError(
                f'Missing data for input "{missing}". You passed a data dictionary with keys {list(inputs)}. Expected '
                f"the following keys: {names}"
            )
        given = [inputs[name] for name in names]
    else:
        given = optree.tree_leaves(inputs, none_is_leaf=True)
    if len(given) != len(specs):
        raise ValueError(
            f'Layer "{layer}" expects {len(specs)} input(s), but it received {len(given)} input tensors. Inputs '
            f"received: {inputs!r:.300}"
        )
    for number, (x, spec) in enumerate(zip(given, specs, strict=True)):
        if spec is None or (x is None and spec.optional):
            continue
        if not hasattr(x, "shape"):
            raise ValueError(
                f"Inputs to a layer should be tensors. Got '{x!r:.200}' (of type {type(x)}) as input for "
                f"layer '{layer}'."
            )
        problem = _problem(spec, tuple(x.shape), x)
        if problem:
            raise ValueError(
                f"Input {number} with name '{spec.name}' of layer '{layer}' is incompatible with the layer: {problem}"
            )


def _problem(spec: InputSpec, shape: tuple, x) -> str:
    """What is wrong with an input, "" where it is right."""
    ndim, said = len(shape), f"Full shape received: {shape}"
    if spec.ndim is not None and not spec.allow_last_axis_squeeze and ndim != spec.ndim:
        return f"expected ndim={spec.ndim}, found ndim={ndim}. {said}"
    if spec.max_ndim is not None and ndim > spec.max_ndim:
        return f"expected max_ndim={spec.max_ndim}, found ndim={ndim}. {said}"
    if spec.min_ndim is not None and ndim < spec.min_ndim:
        return f"expected min_ndim={spec.min_ndim}, found ndim={ndim}. {said}"
    if spec.dtype is not None and x.dtype.name != spec.dtype:
        return f"expected dtype={spec.dtype}, found dtype={x.dtype.name}"
    for axis, size in spec.axes.items():
        if size is not None and shape[axis] not in (size, None):
            return f"expected axis {axis} of input shape to have value {size}, but received input with shape {shape}"
    if spec.shape is not None:
        wanted, seen = spec.shape, shape
        if spec.allow_last_axis_squeeze:
            wanted, seen = (s[:-1] if s and s[-1] == 1 else s for s in (wanted, seen))
        if any(a is not None and b is not None and a != b for a, b in zip(wanted, seen, strict=False)):
            return f"expected shape={spec.shape}, found shape={shape}"
    return ""
