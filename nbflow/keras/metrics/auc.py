"""AUC: the area under a curve that thresholds trace out."""

from nbflow.arrays.joining import where
from nbflow.dtypes import as_dtype
from nbflow.keras.losses.loss import tensor
from nbflow.keras.metrics.confusion import Confusion, are_even, even
from nbflow.keras.settings import epsilon
from nbflow.math.elementwise import equal, log, logical_and, maximum, minimum, sigmoid
from nbflow.math.guarded import divide_no_nan
from nbflow.math.reductions import reduce_mean, reduce_sum
from nbflow.public import export
from nbflow.tensor.tensor import to_tensor

_CURVES = ("PR", "ROC", "PRGAIN")
_METHODS = ("interpolation", "majoring", "minoring")


@export("keras.metrics.AUC")
class AUC(Confusion):
    """The area under a curve of what was found over what was wrongly found (tf.keras.metrics.AUC).

    "ROC" is recall tp / (tp + fn) over the share of false alarms fp / (fp + tn), "PR" precision tp / (tp + fp) over
    recall, "PRGAIN" the same of precision gain and recall gain (Flach, Kull, 2015). It is a sum over thresholds, of
    which 0 and 1 are two.

    Args:
        num_thresholds: how many, evenly from 0 to 1.
        curve: "ROC", "PR" or "PRGAIN".
        summation_method: "interpolation" takes the mean height between two thresholds, for "PR" the formula of Davis
            and Goadrich, "minoring" and "majoring" the lesser and the greater height.
        name, dtype: as of Metric.
        thresholds: a list of numbers in (0, 1), instead of num_thresholds.
        multi_label: whether y_true and y_pred are [batch, labels], whose areas are averaged.
        num_labels: how many labels, where that is to be known before the first batch.
        label_weights: a weight of each label, for the mean of areas or, without multi_label, of each prediction.
        from_logits: whether y_pred holds logits, whose sigmoid counts.

    Raises:
        ValueError: an argument is none of these, or num_labels is given without multi_label.

    Example:
        >>> import nbflow as nf
        >>> metric = nf.keras.metrics.AUC(num_thresholds=3)
        >>> float(metric([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
        0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds=200,
        curve="ROC",
        summation_method="interpolation",
        name=None,
        dtype=None,
        thresholds=None,
        multi_label=False,
        num_labels=None,
        label_weights=None,
        from_logits=False,
    ):
        if str(curve).upper() not in _CURVES:
            raise ValueError(f'Invalid AUC curve value: "{curve}". Expected values are {list(_CURVES)}')
        if str(summation_method).lower() not in _METHODS:
            raise ValueError(
                f'Invalid AUC summation method value: "{summation_method}". Expected values are {list(_METHODS)}'
            )
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(
                f"Argument `num_thresholds` must be an integer > 1. Received: num_thresholds={num_thresholds}"
            )
        self._given = None if thresholds is None else sorted(thresholds)
        inner = even(num_thresholds)[1:-1] if self._given is None else self._given
        limits = [-epsilon(), *inner, 1.0 + epsilon()]
        super().__init__(limits, self._given is None or are_even([0.0, *inner, 1.0]), name, dtype)
        self.num_thresholds = len(limits)
        self.curve, self.summation_method = str(curve).upper(), str(summation_method).lower()
        self.multi_label, self.num_labels, self._from_logits = multi_label, num_labels, from_logits
        self.label_weights = None if label_weights is None else tensor(label_weights, as_dtype(self.dtype))
        if not multi_label or num_labels:
            self._add_counts(*([num_labels] if multi_label else []))

    @property
    def thresholds(self) -> list[float]:
        """The thresholds, with one just below 0 and one just above 1."""
        return list(self._limits)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred = to_tensor(y_pred)
        if not self._kept:
            if y_pred.ndim != 2:
                raise ValueError(
                    f"`y_pred` must have rank 2 when `multi_label=True`. Found rank {y_pred.ndim}. Full shape received "
                    f"for `y_pred`: {y_pred.shape}"
                )
            self._add_counts(y_pred.nbflow_shape[1])
        if self._from_logits:
            y_pred = sigmoid(y_pred)
        weights = None if self.multi_label else self.label_weights
        self._count(y_true, y_pred, sample_weight, label_weights=weights, multi_label=self.multi_label)

    def result(self):
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._mean(self._interpolated())
        x, y = self._points()
        left, right = y[:-1], y[1:]
        if self.summation_method == "interpolation":
            heights = (left + right) / 2.0
        else:
            heights = (minimum if self.summation_method == "minoring" else maximum)(left, right)
        return self._mean((x[:-1] - x[1:]) * heights)

    def _counts(self) -> list:
        return [to_tensor(variable) for variable in self._kept]

    def _points(self) -> tuple:
        """x and y of the curve at each threshold."""
        tp, fp, tn, fn = self._counts()
        recall, precision = divide_no_nan(tp, tp + fn), divide_no_nan(tp, tp + fp)
        if self.curve == "ROC":
            return divide_no_nan(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, precision
        odds, nothing = divide_no_nan(tp + fn, tn + fp), equal(tp, 0.0)
        recall_gain = where(nothing, 0.0, 1.0 - odds * divide_no_nan(fn, tp))
        return maximum(recall_gain, 0.0), where(nothing, 1.0, 1.0 - odds * divide_no_nan(fp, tp))

    def _interpolated(self):
        """The area between thresholds where tp is linear in tp + fp (Davis, Goadrich, 2006)."""
        tp, fp, _, fn = self._counts()
        p = tp + fp
        found, left, right = tp[:-1] - tp[1:], p[:-1], p[1:]
        slope = divide_no_nan(found, maximum(left - right, 0.0))
        intercept = tp[1:] - slope * right
        ratio = where(logical_and(left > 0.0, right > 0.0), divide_no_nan(left, maximum(right, 0.0)), 1.0)
        return divide_no_nan(slope * (found + intercept * log(ratio)), maximum(tp[1:] + fn[1:], 0.0))

    def _mean(self, areas):
        """The sum of areas; of several labels, the mean of their sums."""
        if not self.multi_label:
            return reduce_sum(areas)
        areas = reduce_sum(areas, axis=0)
        if self.label_weights is None:
            return reduce_mean(areas)
        return divide_no_nan(reduce_sum(areas * self.label_weights), reduce_sum(self.label_weights))

    def get_config(self) -> dict:
        given = {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.numpy().tolist(),
            "from_logits": self._from_logits,
        }
        return {**super().get_config(), **given, **({} if self._given is None else {"thresholds": self._given})}
