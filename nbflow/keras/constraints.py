"""nf.keras.constraints: what optimizers put weights through after each step."""

from nbflow.keras.settings import epsilon
from nbflow.objects.lookup import Family, by_names
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.shapes import normalize_axes
from nbflow.tensor.tensor import to_tensor


@export("keras.constraints.Constraint")
class Constraint:
    """Base class: `__call__(w)` gives a tensor of the shape of the weight w (tf.keras.constraints.Constraint).

    An argument `axis` is an axis or a list of them: each vector along these axes, such as the inputs of a unit of a
    Dense layer with axis 0, has a norm of its own, ‖w‖ = √(Σ w²).

    Example:
        >>> import nbflow as nf
        >>> nf.keras.constraints.NonNeg()(nf.constant([-1.0, 2.0])).numpy().tolist()
        [0.0, 2.0]
    """

    def __call__(self, w):
        """The weight as it should be."""
        return w

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict):
        """A constraint of these arguments."""
        return cls(**config)


def _norms(w, axis):
    axes = normalize_axes("constraint", axis, w.ndim)
    return TABLE["sqrt"](TABLE["reduce_sum"](TABLE["square"](w), axis=axes, keepdims=True))


@export("keras.constraints.NonNeg", "keras.constraints.non_neg")
class NonNeg(Constraint):
    """max(w, 0) (tf.keras.constraints.NonNeg)."""

    def __call__(self, w):
        return TABLE["maximum"](to_tensor(w), 0)


@export("keras.constraints.UnitNorm", "keras.constraints.unit_norm")
class UnitNorm(Constraint):
    """w / ‖w‖ (tf.keras.constraints.UnitNorm)."""

    def __init__(self, axis=0):
        self.axis = axis

    def __call__(self, w):
        w = to_tensor(w)
        return w / (epsilon() + _norms(w, self.axis))

    def get_config(self) -> dict:
        return {"axis": self.axis}


@export("keras.constraints.MinMaxNorm", "keras.constraints.min_max_norm")
class MinMaxNorm(Constraint):
    """w scaled to rate · clip(‖w‖, min_value, max_value) + (1 - rate) · ‖w‖ (tf.keras.constraints.MinMaxNorm)."""

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w):
        w = to_tensor(w)
        norms = _norms(w, self.axis)
        desired = self.rate * TABLE["clip_by_value"](norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (desired / (epsilon() + norms))

    def get_config(self) -> dict:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


@export("keras.constraints.MaxNorm", "keras.constraints.max_norm")
class MaxNorm(Constraint):
    """w scaled to the norm min(‖w‖, max_value) (tf.keras.constraints.MaxNorm).

    Srivastava, N. et al. (2014). Dropout: a simple way to prevent neural networks from overfitting.
    """

    def __init__(self, max_value=2, axis=0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w):
        w = to_tensor(w)
        norms = _norms(w, self.axis)
        return w * (TABLE["minimum"](norms, self.max_value) / (epsilon() + norms))

    def get_config(self) -> dict:
        return {"max_value": self.max_value, "axis": self.axis}


_FAMILY = Family("constraint", "keras.constraints", by_names((Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm)))
get = export("keras.constraints.get")(_FAMILY.get)
serialize = export("keras.constraints.serialize")(_FAMILY.serialize)
deserialize = export("keras.constraints.deserialize")(_FAMILY.deserialize)
