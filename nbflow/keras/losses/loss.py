"""Loss: what training makes small, and how the losses of examples become one number."""

from typing import Any

from nbflow import nest
from nbflow.arrays.joining import where
from nbflow.arrays.shaping import expand_dims, squeeze
from nbflow.dtypes import DType, as_dtype
from nbflow.keras.dtype_policies import policy_of
from nbflow.keras.settings import floatx, name_for
from nbflow.math.elementwise import not_equal
from nbflow.math.guarded import divide_no_nan
from nbflow.math.reductions import reduce_sum
from nbflow.objects.functional import as_class
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import to_tensor

_REDUCTIONS = ("sum_over_batch_size", "sum", None, "none", "mean", "mean_with_sample_weight")


@export("keras.losses.Reduction")
class Reduction:
    """Names of reductions, as programs for TensorFlow 1 and Keras 2 write them (tf.keras.losses.Reduction)."""

    AUTO, NONE, SUM, SUM_OVER_BATCH_SIZE = "auto", "none", "sum", "sum_over_batch_size"


@export("keras.losses.Loss", "keras.Loss")
class Loss:
    """Base class of losses (tf.keras.losses.Loss): a subclass has `call(y_true, y_pred)`, which gives the losses.

    loss(y_true, y_pred, sample_weight=None) converts both to the loss' dtype, multiplies what `call` gives by the
    weights and reduces it. Examples that the mask of y_pred leaves out do not count.

    Args:
        name: its name; by default that of the class.
        reduction: "sum_over_batch_size" or "mean" divide the sum of the losses by their number,
            "mean_with_sample_weight" by the sum of the weights, "sum" does not; "none" or None leave them as they are.
        dtype: what it computes in, a dtype or a policy; floatx() by default.

    Raises:
        ValueError: there is no such reduction.

    Example:
        >>> import nbflow as nf
        >>> class Quartic(nf.keras.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return nf.reduce_mean((y_true - y_pred) ** 4, axis=-1)
        >>> Quartic()([[0, 1]], [[1, 1]]).numpy()
        np.float32(0.5)
    """

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        if reduction not in _REDUCTIONS:
            raise ValueError(
                f"Invalid value for argument `reduction`. Expected one of {_REDUCTIONS}. Received: "
                f"reduction={reduction!r}"
            )
        self.name, self.reduction = name or name_for(type(self)), reduction
        self._dtype = policy_of(dtype or floatx()).compute_dtype

    @property
    def dtype(self) -> str:
        """The dtype that it computes in."""
        return self._dtype

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The reduced loss.

        Args:
            y_true, y_pred: targets and predictions, tensors [batch, ...] or structures of them.
            sample_weight: weights that broadcast with what `call` gives.
        """
        dtype, mask = as_dtype(self._dtype), mask_of(y_pred)
        losses = self.call(_converted(y_true, dtype), _converted(y_pred, dtype))
        own = mask_of(losses)
        if own is not None:
            mask = own if mask is None else TABLE["logical_and"](mask, own)
        return _reduced(tensor(losses, dtype), sample_weight, mask, self.reduction)

    def call(self, y_true, y_pred):
        """The losses, one for each example at least."""
        raise NotImplementedError

    def get_config(self) -> dict:
        """The arguments that make a loss like this one."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict):
        """A loss of these arguments."""
        return cls(**config)


@export("keras.losses.LossFunctionWrapper")
class LossFunctionWrapper(Loss):
    """A loss that a function computes.

    Where the ranks of y_true and y_pred differ by an axis of size 1 at the end, it is dropped or added.

    Args:
        fn: a function of (y_true, y_pred, **kwargs).
        reduction, name, dtype: as of Loss.
        **kwargs: further arguments of fn.
    """

    keys: tuple[str, ...] | None = None  # arguments that configurations of a subclass hold; None: fn and all kwargs

    def __init__(self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **kwargs):
        super().__init__(name, reduction, dtype)
        self.fn, self._fn_kwargs = fn, kwargs
        vars(self).update({key: kwargs[key] for key in self.keys or ()})

    def call(self, y_true, y_pred):
        if isinstance(y_true, TensorProtocol) and isinstance(y_pred, TensorProtocol):
            y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict:
        config = super().get_config()
        if self.keys is not None:
            return {**config, **{key: getattr(self, key) for key in self.keys}}
        return {**config, "fn": serialize_keras_object(self.fn), **serialize_keras_object(self._fn_kwargs)}

    @classmethod
    def from_config(cls, config: dict):
        return cls(**(deserialize_keras_object(config) if "fn" in config else config))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.fn}, kwargs={self._fn_kwargs})>"


def as_loss(title: str, first: str = "", arguments: str = "reduction name dtype", **kwargs):
    """Publishes, beside a function, the class of losses that it computes, see objects.functional.

    Args:
        title: the name of the class.
        first: names of further arguments, before those that losses have.
        arguments: those that losses have; others may stand among them.
        **kwargs: as of as_class.
    """
    return as_class(LossFunctionWrapper, f"keras.losses.{title}", f"{first} {arguments}", **kwargs)


# --- arguments --------------------------------------------------------------------------------------------------------


def tensor(value, dtype: DType | None = None):
    """A value as a tensor, cast to a dtype where one is given."""
    x = to_tensor(value, hint=dtype)
    return x if dtype is None else cast(x, dtype)


def floating(value):
    """A value as a tensor of floating point numbers; integers become floatx()."""
    x = to_tensor(value)
    return x if x.dtype.is_floating else cast(x, as_dtype(floatx()))


def alike(y_true, y_pred) -> tuple:
    """Both as tensors of the dtype of y_pred, which then become floating point numbers."""
    y_pred = to_tensor(y_pred)
    return floating(tensor(y_true, y_pred.dtype)), floating(y_pred)


def matched(y_true, y_pred) -> tuple:
    """Both as tensors of the dtype of y_pred and of one rank, see same_rank."""
    return same_rank(*alike(y_true, y_pred))


def same_rank(x, y, expand_vectors: bool = True) -> tuple:
    """Two tensors of one rank, where they differ by an axis of size 1 at the end: a vector gets it, others lose it."""
    long, short = (y, x) if x.ndim < y.ndim else (x, y)
    if long.ndim == short.ndim + 1 and long.nbflow_shape[-1] == 1:
        swapped = long is y
        if short.ndim == 1 and expand_vectors:
            short = expand_dims(short, -1)
        else:
            long = squeeze(long, -1)
        return (short, long) if swapped else (long, short)
    return x, y


def mask_of(value):
    """The mask that a tensor carries, None where it has none."""
    return getattr(value, "_keras_mask", None)


def _converted(value, dtype: DType):
    """A tensor-like as a tensor of a dtype, each of them in a dict or in a list of tensors."""
    if isinstance(value, dict) or (isinstance(value, (list, tuple)) and any(hasattr(v, "shape") for v in value)):
        return nest.map_structure(lambda v: tensor(v, dtype), value)
    return tensor(value, dtype)


# --- weights and reductions -------------------------------------------------------------------------------------------


def masked_weight(sample_weight, mask, dtype: DType, averaged: bool = False):
    """The weights with those of masked examples set to 0; None where there are neither weights nor a mask.

    Args:
        averaged: whether a mean over all examples follows: weights then grow so that it is one over those that count.
    """
    weight = None if sample_weight is None else tensor(sample_weight, dtype)
    if mask is None:
        return weight
    kept = tensor(mask, dtype)
    if averaged:
        scale = divide_no_nan(_count(kept), reduce_sum(kept))
        kept = where(not_equal(kept, 0), scale, 0)
    if weight is None:
        return kept
    kept, weight = same_rank(kept, weight)
    return weight * kept


def _count(x):
    return TABLE["count"](x, axis=tuple(range(x.ndim)))


def _reduced(values, sample_weight, mask, reduction: str | None):
    """Losses times weights, reduced."""
    averaged = reduction in ("mean", "sum_over_batch_size")
    weight: Any = masked_weight(sample_weight, mask, values.dtype, averaged)
    if weight is not None:
        values, weight = same_rank(values, weight)
        values = values * weight
    if reduction in (None, "none") or values.nbflow_shape in ((), (0,)):
        return values
    total = reduce_sum(values)
    if reduction == "sum":
        return total
    return divide_no_nan(total, _count(values) if averaged or weight is None else reduce_sum(weight))
