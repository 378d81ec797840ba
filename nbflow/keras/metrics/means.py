"""Sums and means over all examples, of values and of functions of targets and predictions.

sample_weight broadcasts with the values: one weight for each example or, where examples have several values, for each
of these.
"""

from nbflow.arrays.shaping import broadcast_to, shape
from nbflow.dtypes import as_dtype
from nbflow.keras.losses import loss as losses
from nbflow.keras.metrics.metric import Metric
from nbflow.math.guarded import divide_no_nan
from nbflow.math.reductions import reduce_mean, reduce_sum
from nbflow.objects.functional import as_class
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.public import cast, export
from nbflow.shapes import Dim


def _by_example(values, sample_weight, reduce, dtype) -> tuple:
    """One value for each example, and the weights of examples or None; axes but the first are reduced."""
    mask = losses.mask_of(values)
    values = losses.tensor(values, dtype)
    if sample_weight is not None:
        weight = losses.masked_weight(sample_weight, mask, dtype)
        values, weight = losses.same_rank(values, weight)
        if values.ndim > weight.ndim:
            values = reduce(values, axis=list(range(weight.ndim, values.ndim)))
        if values.nbflow_shape != weight.nbflow_shape:
            weight = broadcast_to(weight, shape(values))
        values = values * weight
        sample_weight = reduce(weight, axis=list(range(1, weight.ndim))) if weight.ndim > 1 else weight
    if values.ndim > 1:
        values = reduce(values, axis=list(range(1, values.ndim)))
    return values, sample_weight


@export("keras.metrics.Sum")
class Sum(Metric):
    """Σ values · weights (tf.keras.metrics.Sum).

    Example:
        >>> import nbflow as nf
        >>> float(nf.keras.metrics.Sum()([1, 3, 5], sample_weight=[1, 1, 0]))
        4.0
    """

    def __init__(self, name="sum", dtype=None):
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", self.dtype, name="total")

    def update_state(self, values, sample_weight=None):
        values, _ = _by_example(values, sample_weight, reduce_sum, as_dtype(self.dtype))
        self.total.assign_add(reduce_sum(values))

    def result(self):
        return self.total.nbflow_tensor()


@export("keras.metrics.Mean")
class Mean(Metric):
    """Σ values · weights / Σ weights; 0 before the first value (tf.keras.metrics.Mean).

    Example:
        >>> import nbflow as nf
        >>> float(nf.keras.metrics.Mean()([1, 3, 5], sample_weight=[1, 1, 0]))
        2.0
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", self.dtype, name="total")
        self.count = self.add_variable((), "zeros", self.dtype, name="count")

    def update_state(self, values, sample_weight=None):
        dtype = as_dtype(self.dtype)
        values, weight = _by_example(values, sample_weight, reduce_mean, dtype)
        self.total.assign_add(reduce_sum(values))
        if weight is not None:
            count = reduce_sum(weight)
        else:
            count = values.nbflow_shape[0] if values.ndim else 1
            count = cast(shape(values)[0], dtype) if isinstance(count, Dim) else losses.tensor(float(count), dtype)
        self.count.assign_add(count)

    def result(self):
        return divide_no_nan(self.total, self.count)


@export("keras.metrics.MeanMetricWrapper")
class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions (tf.keras.metrics.MeanMetricWrapper).

    Examples that the mask of y_pred leaves out do not count.

    Args:
        fn: a function of (y_true, y_pred, **kwargs) that gives [batch, …].
        name, dtype: as of Metric.
        **kwargs: further arguments of fn.

    Example:
        >>> import nbflow as nf
        >>> metric = nf.keras.metrics.MeanMetricWrapper(nf.keras.losses.huber, delta=2.0)
        >>> float(metric([[0.0]], [[4.0]]))
        6.0
    """

    keys: tuple[str, ...] | None = None  # arguments that configurations of a subclass hold; None: fn and all kwargs

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name, dtype)
        self._fn, self._fn_kwargs = fn, kwargs
        vars(self).update({key: kwargs[key] for key in self.keys or ()})

    def update_state(self, y_true, y_pred, sample_weight=None):
        mask = losses.mask_of(y_pred)
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        super().update_state(values, losses.masked_weight(sample_weight, mask, as_dtype(self.dtype)))

    def get_config(self) -> dict:
        config = super().get_config()
        if self.keys is not None:
            return {**config, **{key: getattr(self, key) for key in self.keys}}
        return {**config, "fn": serialize_keras_object(self._fn), **serialize_keras_object(self._fn_kwargs)}

    @classmethod
    def from_config(cls, config: dict):
        return cls(**(deserialize_keras_object(config) if "fn" in config else config))


def as_metric(title: str, arguments: str = "name dtype", direction: str = "up", **kwargs):
    """Publishes, beside a function, the class of metrics that are its mean, see objects.functional.

    Args:
        title: the name of the class.
        arguments: names of the constructor's arguments.
        direction: "up" or "down": where it gets better.
        **kwargs: as of as_class.
    """
    return as_class(MeanMetricWrapper, f"keras.metrics.{title}", arguments, _direction=direction, **kwargs)
