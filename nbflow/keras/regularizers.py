"""nf.keras.regularizers: penalties on weights and activities, which add to the loss."""

import math

from nbflow.arrays.creation import eye
from nbflow.objects.lookup import Family, by_names
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.tensor.tensor import to_tensor


@export("keras.regularizers.Regularizer", "keras.Regularizer")
class Regularizer:
    """Base class: `__call__(x)` gives a scalar tensor of the dtype of x (tf.keras.regularizers.Regularizer).

    Example:
        >>> import nbflow as nf
        >>> nf.keras.regularizers.L2(0.1)(nf.constant([1.0, 2.0])).numpy().item()
        0.5
    """

    def __call__(self, x):
        """The penalty of a tensor."""
        return 0.0

    def get_config(self) -> dict:
        """The constructor's arguments."""
        raise NotImplementedError(f"{self} does not implement get_config()")

    @classmethod
    def from_config(cls, config: dict):
        """A regularizer of these arguments."""
        return cls(**config)


def _factor(name: str, value, default: float = 0.0) -> float:
    """A factor argument.

    Raises:
        ValueError: it is no number, negative or not finite.
    """
    if value is None:
        return default
    if not isinstance(value, (float, int)) or not 0 <= value < math.inf:
        raise ValueError(f"Invalid value for argument {name}: expected a non-negative float. Received: {name}={value}")
    return float(value)


def _l1(factor: float, x):
    return TABLE["reduce_sum"](TABLE["abs"](x), axis=tuple(range(x.ndim)), keepdims=False) * factor


def _l2(factor: float, x):
    return TABLE["reduce_sum"](TABLE["square"](x), axis=tuple(range(x.ndim)), keepdims=False) * factor


@export("keras.regularizers.L1L2", "keras.regularizers.l1_l2")
class L1L2(Regularizer):
    """l1 · Σ |x| + l2 · Σ x² (tf.keras.regularizers.L1L2)."""

    def __init__(self, l1=0.0, l2=0.0):
        self.l1, self.l2 = _factor("l1", l1), _factor("l2", l2)

    def __call__(self, x):
        x = to_tensor(x)
        penalty = _l1(self.l1, x) if self.l1 else to_tensor(0, x.dtype)
        return penalty + _l2(self.l2, x) if self.l2 else penalty

    def get_config(self) -> dict:
        return {"l1": self.l1, "l2": self.l2}


@export("keras.regularizers.L1", "keras.regularizers.l1")
class L1(Regularizer):
    """l1 · Σ |x| (tf.keras.regularizers.L1)."""

    def __init__(self, l1=0.01):
        self.l1 = _factor("l1", l1, 0.01)

    def __call__(self, x):
        return _l1(self.l1, to_tensor(x))

    def get_config(self) -> dict:
        return {"l1": self.l1}


@export("keras.regularizers.L2", "keras.regularizers.l2")
class L2(Regularizer):
    """l2 · Σ x² (tf.keras.regularizers.L2)."""

    def __init__(self, l2=0.01):
        self.l2 = _factor("l2", l2, 0.01)

    def __call__(self, x):
        return _l2(self.l2, to_tensor(x))

    def get_config(self) -> dict:
        return {"l2": self.l2}


@export("keras.regularizers.OrthogonalRegularizer", "keras.regularizers.orthogonal_regularizer")
class OrthogonalRegularizer(Regularizer):
    """factor · the mean of |cos| of the angles between rows or columns (tf.keras.regularizers.OrthogonalRegularizer).

    Args:
        factor: a number.
        mode: "rows" or "columns".

    Raises:
        ValueError: an argument is neither, or the tensor is no matrix.
    """

    def __init__(self, factor=0.01, mode="rows"):
        self.factor = _factor("factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(
                f'Invalid value for argument `mode`. Expected one of "rows", "columns". Received: mode={mode}'
            )
        self.mode = mode

    def __call__(self, inputs):
        x = to_tensor(inputs)
        if x.ndim != 2:
            raise ValueError(
                f"Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape={tuple(x.shape)}"
            )
        x = x if self.mode == "rows" else TABLE["transpose"](x, perm=(1, 0))
        norm = TABLE["sqrt"](TABLE["reduce_sum"](TABLE["square"](x), axis=(1,), keepdims=True))
        x = x / TABLE["maximum"](norm, 1e-7)
        n = x.nbflow_shape[0]
        cosines = TABLE["matmul"](x, x, transpose_a=False, transpose_b=True) * (1 - eye(n, dtype=x.dtype))
        pairs = n * (n - 1) / 2
        return _l1(self.factor * 0.5, cosines) / pairs

    def get_config(self) -> dict:
        return {"factor": self.factor, "mode": self.mode}


_FAMILY = Family(
    "regularizer",
    "keras.regularizers",
    by_names((Regularizer, L1, L2, L1L2, OrthogonalRegularizer), {"l1_l2": L1L2}),
)
get = export("keras.regularizers.get")(_FAMILY.get)
serialize = export("keras.regularizers.serialize")(_FAMILY.serialize)
deserialize = export("keras.regularizers.deserialize")(_FAMILY.deserialize)
