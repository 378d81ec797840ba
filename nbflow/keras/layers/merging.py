"""Layers that make one tensor of several, and functions that call them.

What all of them share:

Args:
    inputs: a list of tensors; where they have different numbers of axes, axes of size 1 are put after the batch's.
    kwargs: those of Layer.

Raises:
    ValueError: the inputs are no list, or their shapes do not fit.
"""

import functools
import string

import numpy as np

from nbflow.keras.layers.activation_layers import zero
from nbflow.keras.layers.calls import is_shape, mask_of
from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.normalization import unit_vectors
from nbflow.linalg.products import einsum
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.shapes import normalize_axis


class Merge(Configured):
    """Base of layers of several inputs that broadcast."""

    _inputs: int | None = None  # how many it takes, None for any number

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._keep({})

    def build(self, input_shape) -> None:
        """Checks the shapes."""
        self._check(input_shape)
        _broadcast(input_shape)

    def _check(self, shapes) -> None:
        """Raises ValueError where there is no list of shapes, or one of the wrong length."""
        wanted = "a list of inputs" if self._inputs is None else f"a list of {self._inputs} inputs"
        if is_shape(shapes) or self._inputs not in (None, len(shapes)):
            raise ValueError(f"A `{type(self).__name__}` layer should be called on {wanted}. Received: shapes {shapes}")

    def call(self, inputs):
        """The inputs as one."""
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"A merge layer should be called on a list of inputs. Received: inputs={inputs!r:.200}")
        ndim = max(x.ndim for x in inputs)
        return self._merged([_padded(x, ndim) for x in _alike(inputs)])

    def _merged(self, inputs: list):
        raise NotImplementedError

    def compute_mask(self, inputs, mask=None):
        """True where one of the masks is; none where an input has none."""
        if mask is None:
            return None
        if not isinstance(mask, (list, tuple)) or len(mask) != len(inputs):
            raise ValueError(
                f"{type(self).__name__}: `mask` should be a list as long as inputs, {len(inputs)}. "
                f"Received: {mask!r:.200}"
            )
        return None if any(m is None for m in mask) else functools.reduce(TABLE["logical_or"], mask)


def _broadcast(shapes) -> None:
    """Raises ValueError where shapes do not broadcast."""
    if len({shape[0] for shape in shapes if shape} - {None}) > 1:
        raise ValueError(f"Cannot merge tensors with different batch sizes. Received tensors with shapes {shapes}")
    tails = [tuple(reversed(shape[1:])) for shape in shapes]
    for k in range(max(map(len, tails))):
        if len({tail[k] for tail in tails if k < len(tail)} - {1, None}) > 1:
            raise ValueError(f"Inputs have incompatible shapes. Received shapes {shapes}")


def _alike(inputs) -> list:
    """Inputs in one dtype: the widest floating one that there is, else one that holds all of their numbers."""
    kinds = {x.dtype for x in inputs}
    if len(kinds) == 1:
        return list(inputs)
    floating = [kind for kind in kinds if kind.is_floating]
    wanted = max(floating, key=lambda kind: kind.size) if floating else np.result_type(*(kind.np for kind in kinds))
    return [cast(x, wanted) for x in inputs]


def _padded(x, ndim: int):
    """x with axes of size 1 after the first, up to a number of axes."""
    if x.ndim == ndim:
        return x
    batch, *sizes = x.nbflow_shape
    padded = TABLE["reshape"](x, shape=(batch, *(1,) * (ndim - x.ndim), *sizes))
    if (mask := mask_of(x)) is not None:
        padded._keras_mask = mask
    return padded


def _wide(mask, x):
    """A mask with an axis for the last of x."""
    return TABLE["reshape"](mask, shape=(*mask.nbflow_shape, 1))


@export("keras.layers.Add")
class Add(Merge):
    """The sum of the inputs (tf.keras.layers.Add).

    Example:
        >>> import nbflow as nf
        >>> nf.keras.layers.Add()([nf.constant([[1.0, 2.0]]), nf.constant([[3.0, 4.0]])]).numpy()
        array([[4., 6.]], dtype=float32)
    """

    def _merged(self, inputs):
        return functools.reduce(TABLE["add"], inputs)


@export("keras.layers.Subtract")
class Subtract(Merge):
    """The first input minus the second (tf.keras.layers.Subtract)."""

    _inputs = 2

    def _merged(self, inputs):
        return inputs[0] - inputs[1]


@export("keras.layers.Multiply")
class Multiply(Merge):
    """The product of the inputs, of which masked steps count as 1 (tf.keras.layers.Multiply)."""

    def _merged(self, inputs):
        masks = [mask_of(x) for x in inputs]
        wide = [None if m is None else _wide(m, x) for x, m in zip(inputs, masks, strict=True)]
        ones = [
            x if m is None else TABLE["select"](m, x, TABLE["fill_like"](x, shape=(), value=1))
            for x, m in zip(inputs, wide, strict=True)
        ]
        product = functools.reduce(TABLE["multiply"], ones)
        if any(m is None for m in wide):
            return product
        return TABLE["select"](functools.reduce(TABLE["logical_or"], wide), product, zero(product))


@export("keras.layers.Average")
class Average(Merge):
    """The mean of the inputs (tf.keras.layers.Average)."""

    def _merged(self, inputs):
        return functools.reduce(TABLE["add"], inputs) / len(inputs)


class _Extreme(Merge):
    """The greatest or least of the inputs; where one is masked, the other counts."""

    _op: str

    def _merged(self, inputs):
        output, seen = inputs[0], mask_of(inputs[0])
        for x in inputs[1:]:
            mask = mask_of(x)
            if mask is not None:
                x = TABLE["select"](_wide(mask, x), x, output)
            if seen is not None:
                output = TABLE["select"](_wide(seen, output), output, x)
            seen = None if mask is None or seen is None else TABLE["logical_or"](seen, mask)
            output = TABLE[self._op](output, x)
        return output


@export("keras.layers.Maximum")
class Maximum(_Extreme):
    """The greatest of the inputs, element by element; masked steps do not count (tf.keras.layers.Maximum)."""

    _op = "maximum"


@export("keras.layers.Minimum")
class Minimum(_Extreme):
    """The least of the inputs, element by element; masked steps do not count (tf.keras.layers.Minimum)."""

    _op = "minimum"


@export("keras.layers.Concatenate")
class Concatenate(Merge):
    """The inputs one after the other along an axis (tf.keras.layers.Concatenate).

    Args:
        axis: the axis.
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self._keep(locals())

    def _axis(self, ndim: int) -> int:
        return normalize_axis("Concatenate", self.axis, ndim)

    def build(self, input_shape) -> None:
        """Checks the shapes."""
        self._check(input_shape)
        rests = [[n for k, n in enumerate(s) if k != self._axis(len(s))] for s in input_shape]
        if len(set(map(len, rests))) > 1 or any(len(set(sizes) - {None}) > 1 for sizes in zip(*rests, strict=True)):
            raise ValueError(
                f"A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. "
                f"Received: input_shape={input_shape}"
            )

    def _merged(self, inputs):
        return TABLE["concat"](*inputs, axis=self._axis(inputs[0].ndim))

    def compute_mask(self, inputs, mask=None):
        """The masks one after the other; inputs without one count as not masked."""
        if mask is None or all(m is None for m in mask):
            return None
        masks = []
        for x, m in zip(inputs, mask, strict=True):
            if m is None:
                masks.append(TABLE["ones_like"](x) == 1)
            elif m.ndim < x.ndim:
                masks.append(TABLE["broadcast_to"](_wide(m, x), shape=tuple(x.nbflow_shape)))
            else:
                masks.append(m)
        joined = TABLE["concat"](*masks, axis=self._axis(masks[0].ndim))
        return TABLE["reduce_any"](joined, axis=(joined.ndim - 1,), keepdims=False)


@export("keras.layers.Dot")
class Dot(Merge):
    """Sums of products of two inputs along an axis of each, example by example (tf.keras.layers.Dot).

    [b, i, k] and [b, j, k] give [b, i, j] with axes=2.

    Args:
        axes: the axis, or two of them.
        normalize: whether vectors along the axes are scaled to norm 1 first, which makes the cosine of them.

    Raises:
        TypeError: axes is neither an int nor a list.
    """

    _inputs = 2

    def __init__(self, axes, normalize=False, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(axes, int):
            if not isinstance(axes, (list, tuple)):
                raise TypeError(
                    f"Invalid type for argument `axes`: it should be a list or an int. Received: axes={axes!r}"
                )
            if len(axes) != 2 or not all(isinstance(axis, int) for axis in axes):
                raise ValueError(
                    f"Invalid format for argument `axes`: it should contain two integers. Received: axes={axes}"
                )
        self._keep(locals())

    def _axes(self, shapes) -> tuple[int, int]:
        axes = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        one, two = (normalize_axis("Dot", axis, len(shape)) for axis, shape in zip(axes, shapes, strict=True))
        return one, two

    def build(self, input_shape) -> None:
        """Checks the shapes."""
        self._check(input_shape)
        axes = self._axes(input_shape)
        first, second = (shape[axis] for shape, axis in zip(input_shape, axes, strict=True))
        if first != second or 0 in axes:
            raise ValueError(
                f"Incompatible input shapes: axis values {first} (at axis {axes[0]}) != {second} (at axis {axes[1]}); "
                f"axis 0 is that of the batch. Full input shapes: {input_shape[0]}, {input_shape[1]}"
            )

    def call(self, inputs):
        """The sums of products, [batch, other axes of the first, other axes of the second]."""
        if self.normalize:
            inputs = [
                unit_vectors(x, (axis,))
                for x, axis in zip(inputs, self._axes([x.nbflow_shape for x in inputs]), strict=True)
            ]
        x, y = inputs
        one, two = self._axes([x.nbflow_shape, y.nbflow_shape])
        first = list(string.ascii_lowercase[: x.ndim])
        second = ["a", *string.ascii_uppercase[1 : y.ndim]]
        second[two] = first[one]
        kept = [l for l in first if l != first[one]] + [l for l in second[1:] if l != first[one]]
        result = einsum(f"{''.join(first)},{''.join(second)}->{''.join(kept)}", x, y)
        return result if result.ndim > 1 else TABLE["reshape"](result, shape=(*result.nbflow_shape, 1))

    def compute_mask(self, inputs, mask=None) -> None:
        """None: the steps of the result are no inputs' steps."""


def _function(layer: type, name: str):
    """The function that calls a layer."""

    def function(inputs, **kwargs):
        return layer(**kwargs)(inputs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""keras.layers.{layer.__name__} of inputs (tf.keras.layers.{name}).

    Args:
        inputs: a list of tensors.
        kwargs: those of the layer.
    """
    return export(f"keras.layers.{name}")(function)


add = _function(Add, "add")
subtract = _function(Subtract, "subtract")
multiply = _function(Multiply, "multiply")
average = _function(Average, "average")
maximum = _function(Maximum, "maximum")
minimum = _function(Minimum, "minimum")


@export("keras.layers.concatenate")
def concatenate(inputs, axis=-1, **kwargs):
    """keras.layers.Concatenate of inputs (tf.keras.layers.concatenate)."""
    return Concatenate(axis=axis, **kwargs)(inputs)


@export("keras.layers.dot")
def dot(inputs, axes=-1, **kwargs):
    """keras.layers.Dot of inputs (tf.keras.layers.dot)."""
    return Dot(axes=axes, **kwargs)(inputs)
