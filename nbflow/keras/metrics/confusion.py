"""Metrics that count true and false positives and negatives at thresholds.

y_true is 0 or 1 (or false or true), y_pred a number in [0, 1] of the same shape, [batch, …]; a prediction above a
threshold is positive. Counts are sums of weights.

Args that they share:
    thresholds: a number in [0, 1] or a list of them; 0.5 by default.
    num_thresholds: how many, evenly from 0 to 1.
    top_k: only the k greatest predictions of an example may be positive. The threshold is then -∞ by default.
    class_id: of predictions [batch, classes], the only class that counts.
    name, dtype: as of Metric.
"""

import math

import numpy as np

from nbflow.arrays.clipping import clip_by_value
from nbflow.arrays.joining import one_hot, where
from nbflow.arrays.shaping import broadcast_to, expand_dims, reshape, shape
from nbflow.dtypes import bool_, int32
from nbflow.keras.losses.loss import same_rank, tensor
from nbflow.keras.metrics.metric import Metric
from nbflow.keras.settings import epsilon
from nbflow.math.elementwise import ceil, greater, greater_equal, logical_not, maximum
from nbflow.math.guarded import divide_no_nan
from nbflow.math.ranking import top_k as greatest
from nbflow.math.reductions import reduce_max, reduce_sum
from nbflow.math.scans import cumsum
from nbflow.math.segments import unsorted_segment_sum
from nbflow.public import cast, export

FALSE_POSITIVES, FALSE_NEGATIVES = "false_positives", "false_negatives"
TRUE_POSITIVES, TRUE_NEGATIVES = "true_positives", "true_negatives"
ALL = (TRUE_POSITIVES, FALSE_POSITIVES, TRUE_NEGATIVES, FALSE_NEGATIVES)
_LEAST = -1e10  # below all predictions


def threshold_list(thresholds, default: float = 0.5) -> list:
    """A thresholds argument as a list.

    Raises:
        ValueError: one is not in [0, 1].
    """
    if thresholds is None:
        return [default]
    found = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    invalid = [t for t in found if t is None or t < 0 or t > 1]
    if invalid:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {invalid}")
    return found


def even(number: int) -> list[float]:
    """Thresholds evenly from 0 to 1."""
    return [k / (number - 1) for k in range(number)]


def are_even(thresholds) -> bool:
    """Whether thresholds lie evenly from 0 to 1, up to rounding."""
    number = len(thresholds)
    return number > 2 and bool(np.allclose(thresholds, even(number), atol=epsilon()))


# --- counting ---------------------------------------------------------------------------------------------------------


def counts(
    wanted,
    y_true,
    y_pred,
    thresholds,
    evenly: bool,
    sample_weight=None,
    label_weights=None,
    multi_label: bool = False,
    top_k: int | None = None,
    class_id: int | None = None,
) -> dict:
    """What of a batch is truly and falsely positive and negative, by name, [thresholds] or [thresholds, labels].

    Args:
        wanted: names among ALL.
        y_true, y_pred: tensors of one floating point dtype.
        thresholds: numbers.
        evenly: whether they lie evenly from 0 to 1, which makes it quicker: predictions are sorted into bins.
        label_weights: a weight for each label, the elements of the last axis.
        multi_label: whether to count for each label, of [batch, labels].
    """
    y_pred, y_true = same_rank(y_pred, y_true)
    weight = None
    if sample_weight is not None:
        weight = expand_dims(tensor(sample_weight, y_pred.dtype), -1)
        _, weight = same_rank(y_true, weight, expand_vectors=False)
    if top_k is not None:
        classes = y_pred.nbflow_shape[-1]
        kept = reduce_sum(one_hot(greatest(y_pred, top_k).indices, classes, dtype=y_pred.dtype), axis=-2)
        y_pred = where(kept > 0, y_pred, _LEAST)
    if class_id is not None:
        if y_pred.ndim == 1:
            raise ValueError(
                f"When class_id is provided, y_pred must be a 2D array with shape (num_samples, num_classes), found "
                f"shape: {y_pred.shape}"
            )
        y_true, y_pred = y_true[..., class_id, None], y_pred[..., class_id, None]
    if weight is not None:
        weight = broadcast_to(weight, shape(y_pred))
    if label_weights is not None:
        labels = broadcast_to(expand_dims(label_weights, 0), shape(y_pred))
        weight = labels if weight is None else weight * labels
    if not multi_label:
        y_true, y_pred = reshape(y_true, (-1,)), reshape(y_pred, (-1,))
        weight = None if weight is None else reshape(weight, (-1,))
    positive = cast(y_true, bool_)
    ones = cast(positive, y_pred.dtype) if weight is None else where(positive, weight, 0.0)
    zeros = cast(logical_not(positive), y_pred.dtype) if weight is None else where(positive, 0.0, weight)
    count = _in_bins if evenly else _compared
    return count(wanted, ones, zeros, y_pred, thresholds)


def _compared(wanted, ones, zeros, y_pred, thresholds) -> dict:
    """Each prediction compared with each threshold."""
    limits = np.asarray(thresholds, y_pred.dtype.np).reshape(-1, *(1,) * y_pred.ndim)
    above = greater(expand_dims(y_pred, 0), limits)
    found = {
        TRUE_POSITIVES: lambda: where(above, ones, 0.0),
        FALSE_POSITIVES: lambda: where(above, zeros, 0.0),
        TRUE_NEGATIVES: lambda: where(above, 0.0, zeros),
        FALSE_NEGATIVES: lambda: where(above, 0.0, ones),
    }
    return {name: reduce_sum(found[name](), axis=1) for name in wanted}


def _in_bins(wanted, ones, zeros, y_pred, thresholds) -> dict:
    """What lies between each threshold and the next, added up from the last one down."""
    number, labels = len(thresholds), y_pred.nbflow_shape[1:]
    bins = ceil(clip_by_value(y_pred, 0.0, 1.0) * float(number - 1)) - 1.0
    bins = cast(maximum(bins, 0.0) if thresholds[0] < 0 else bins, int32)
    if labels:  # the bins of all labels side by side
        bins = bins * labels[0] + np.arange(labels[0], dtype=np.int32)
    found = {}
    for above, below, amounts in ((TRUE_POSITIVES, FALSE_NEGATIVES, ones), (FALSE_POSITIVES, TRUE_NEGATIVES, zeros)):
        if above in wanted or below in wanted:
            total = unsorted_segment_sum(amounts, bins, math.prod((number, *labels)))
            found[above] = cumsum(reshape(total, (number, *labels)), axis=0, reverse=True)
            found[below] = reduce_sum(amounts, axis=0) - found[above]
    return found


class Confusion(Metric):
    """Base of metrics that keep counts at thresholds: `counted` says which, each in a Variable of its name."""

    counted: tuple[str, ...] = ALL
    top_k: int | None = None
    class_id: int | None = None

    def __init__(self, thresholds, evenly: bool, name=None, dtype=None):
        super().__init__(dtype, name)
        self._limits, self._evenly = thresholds, evenly
        self._kept: list = []

    def _add_counts(self, *labels) -> None:
        for name in self.counted:
            self._kept.append(self.add_variable((len(self._limits), *labels), "zeros", name=name))
            setattr(self, name, self._kept[-1])

    def update_state(self, y_true, y_pred, sample_weight=None):
        self._count(y_true, y_pred, sample_weight, top_k=self.top_k, class_id=self.class_id)

    def _count(self, y_true, y_pred, sample_weight, **kwargs) -> None:
        dtype = self._kept[0].dtype
        y_true, y_pred = tensor(y_true, dtype), tensor(y_pred, dtype)
        found = counts(self.counted, y_true, y_pred, self._limits, self._evenly, sample_weight, **kwargs)
        for name, variable in zip(self.counted, self._kept, strict=True):
            variable.assign_add(found[name])

    def _share(self, part: str, rest: str):
        """part / (part + rest), 0 where both are."""
        return divide_no_nan(getattr(self, part), getattr(self, part) + getattr(self, rest))


# --- counts, precision and recall -------------------------------------------------------------------------------------


class _AtThresholds(Confusion):
    """Metrics with a value at each of the thresholds that users name; one threshold gives a scalar."""

    def __init__(self, thresholds, top_k, class_id, name, dtype):
        self.thresholds = threshold_list(thresholds, 0.5 if top_k is None else _LEAST)
        super().__init__(self.thresholds, are_even(self.thresholds), name, dtype)
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        self._add_counts()

    def result(self):
        found = self._share(*self.counted)
        return found[0] if len(self.thresholds) == 1 else found

    def get_config(self) -> dict:
        given = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **given}


class _Count(_AtThresholds):
    """The base of counts of one kind."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(thresholds, None, None, name, dtype)

    def _add_counts(self, *labels) -> None:
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")
        self._kept = [self.accumulator]

    def result(self):
        return self.accumulator.nbflow_tensor()[0] if len(self.thresholds) == 1 else self.accumulator.nbflow_tensor()

    def get_config(self) -> dict:
        return {**Metric.get_config(self), "thresholds": self.init_thresholds}


@export("keras.metrics.FalsePositives")
class FalsePositives(_Count):
    """How much was said to be positive and is not (tf.keras.metrics.FalsePositives)."""

    counted = (FALSE_POSITIVES,)


@export("keras.metrics.FalseNegatives")
class FalseNegatives(_Count):
    """How much was said to be negative and is not (tf.keras.metrics.FalseNegatives)."""

    counted = (FALSE_NEGATIVES,)


@export("keras.metrics.TrueNegatives")
class TrueNegatives(_Count):
    """How much was said to be negative and is (tf.keras.metrics.TrueNegatives)."""

    counted = (TRUE_NEGATIVES,)


@export("keras.metrics.TruePositives")
class TruePositives(_Count):
    """How much was said to be positive and is (tf.keras.metrics.TruePositives)."""

    counted = (TRUE_POSITIVES,)


@export("keras.metrics.Precision")
class Precision(_AtThresholds):
    """How much of what was said to be positive is: tp / (tp + fp) (tf.keras.metrics.Precision).

    Example:
        >>> import nbflow as nf
        >>> metric = nf.keras.metrics.Precision()
        >>> round(float(metric([0, 1, 1, 1], [1, 0, 1, 1])), 4)
        0.6667
    """

    _direction = "up"
    counted = (TRUE_POSITIVES, FALSE_POSITIVES)

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(thresholds, top_k, class_id, name, dtype)


@export("keras.metrics.Recall")
class Recall(_AtThresholds):
    """How much of what is positive was said to be: tp / (tp + fn) (tf.keras.metrics.Recall)."""

    _direction = "up"
    counted = (TRUE_POSITIVES, FALSE_NEGATIVES)

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(thresholds, top_k, class_id, name, dtype)


# --- the best of one at a bound on another ----------------------------------------------------------------------------

_RATES = {
    "sensitivity": (TRUE_POSITIVES, FALSE_NEGATIVES),
    "recall": (TRUE_POSITIVES, FALSE_NEGATIVES),
    "specificity": (TRUE_NEGATIVES, FALSE_POSITIVES),
    "precision": (TRUE_POSITIVES, FALSE_POSITIVES),
}


class _BestAt(Confusion):
    """The greatest `rate` among the thresholds at which `bound` is at least a value.

    Raises:
        ValueError: the value is not in [0, 1], or num_thresholds is not positive.
    """

    _direction = "up"
    rate = bound = ""

    def __init__(self, value, num_thresholds, class_id, name, dtype):
        if not 0 <= value <= 1:
            raise ValueError(f"Argument `{self.bound}` must be in the range [0, 1]. Received: {self.bound}={value}")
        if num_thresholds <= 0:
            raise ValueError(
                f"Argument `num_thresholds` must be an integer > 0. Received: num_thresholds={num_thresholds}"
            )
        self.thresholds = [0.5] if num_thresholds == 1 else even(num_thresholds)
        super().__init__(self.thresholds, num_thresholds > 1, name, dtype)
        self.value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        vars(self)[self.bound] = value
        self._add_counts()

    def result(self):
        allowed = greater_equal(self._share(*_RATES[self.bound]), self.value)
        return reduce_max(where(allowed, self._share(*_RATES[self.rate]), 0.0))

    def get_config(self) -> dict:
        given = {"num_thresholds": self.num_thresholds, self.bound: self.value, "class_id": self.class_id}
        return {**super().get_config(), **given}


@export("keras.metrics.SensitivityAtSpecificity")
class SensitivityAtSpecificity(_BestAt):
    """The best tp / (tp + fn) where tn / (tn + fp) ≥ specificity (tf.keras.metrics.SensitivityAtSpecificity)."""

    rate, bound = "sensitivity", "specificity"

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


@export("keras.metrics.SpecificityAtSensitivity")
class SpecificityAtSensitivity(_BestAt):
    """The best tn / (tn + fp) where tp / (tp + fn) ≥ sensitivity (tf.keras.metrics.SpecificityAtSensitivity)."""

    rate, bound = "specificity", "sensitivity"

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


@export("keras.metrics.PrecisionAtRecall")
class PrecisionAtRecall(_BestAt):
    """The best tp / (tp + fp) where tp / (tp + fn) ≥ recall (tf.keras.metrics.PrecisionAtRecall)."""

    rate, bound = "precision", "recall"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(recall, num_thresholds, class_id, name, dtype)


@export("keras.metrics.RecallAtPrecision")
class RecallAtPrecision(_BestAt):
    """The best tp / (tp + fn) where tp / (tp + fp) ≥ precision (tf.keras.metrics.RecallAtPrecision)."""

    rate, bound = "recall", "precision"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
