"""F-scores: precision and recall in one number."""

from nbflow.dtypes import as_dtype
from nbflow.keras.losses.loss import tensor
from nbflow.keras.metrics.metric import Metric
from nbflow.keras.settings import epsilon
from nbflow.math.elementwise import abs, greater, logical_and
from nbflow.math.reductions import reduce_max, reduce_mean, reduce_sum
from nbflow.public import cast, export
from nbflow.tensor.tensor import to_tensor

_COUNTS = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


@export("keras.metrics.FBetaScore")
class FBetaScore(Metric):
    """(1 + β²) precision · recall / (β² precision + recall), of [batch, classes] (tf.keras.metrics.FBetaScore).

    Args:
        average: None gives a score for each class, "macro" their mean, "weighted" one weighted by how often classes
            are true, "micro" the score of all classes together.
        beta: β, a float above 0.
        threshold: a float in (0, 1] above which a prediction is positive; None: the greatest prediction of a row is.
        name, dtype: as of Metric.

    Raises:
        ValueError: an argument is none of these, or ranks are not 2.
    """

    _direction = "up"

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(dtype, name)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(
                f"Invalid `average` argument value. Expected one of: {{None, 'micro', 'macro', 'weighted'}}. Received: "
                f"average={average}"
            )
        if not isinstance(beta, float) or beta <= 0.0:
            raise ValueError(f"Invalid `beta` argument value. It should be a Python float > 0. Received: beta={beta!r}")
        if threshold is not None and not (isinstance(threshold, float) and 0.0 < threshold <= 1.0):
            raise ValueError(
                f"Invalid `threshold` argument value. It should be a Python float with 0 < threshold <= 1. Received: "
                f"threshold={threshold!r}"
            )
        self.average, self.beta, self.threshold = average, beta, threshold
        self._built = False

    def _build(self, y_true, y_pred) -> None:
        classes = y_pred.nbflow_shape[-1:]
        if y_true.ndim != 2 or y_pred.ndim != 2 or not isinstance(classes[0], int):
            raise ValueError(
                f"{type(self).__name__} expects 2D inputs with shape (batch_size, output_dim), output_dim being known. "
                f"Received input shapes: y_pred.shape={y_pred.shape} and y_true.shape={y_true.shape}."
            )
        for name in _COUNTS:
            form = () if self.average == "micro" else classes
            setattr(self, name, self.add_variable(form, "zeros", self.dtype, name=name))
        self._built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        dtype = as_dtype(self.dtype)
        y_true, y_pred = tensor(y_true, dtype), tensor(y_pred, dtype)
        if not self._built:
            self._build(y_true, y_pred)
        if self.threshold is None:
            chosen = logical_and(y_pred >= reduce_max(y_pred, axis=-1, keepdims=True), greater(abs(y_pred), 1e-9))
        else:
            chosen = greater(y_pred, self.threshold)
        chosen = cast(chosen, dtype)
        weight = None if sample_weight is None else tensor(sample_weight, dtype)[:, None]
        amounts = (chosen * y_true, chosen * (1.0 - y_true), (1.0 - chosen) * y_true, y_true)
        for name, amount in zip(_COUNTS, amounts, strict=True):
            amount = amount if weight is None else amount * weight
            getattr(self, name).assign_add(reduce_sum(amount, axis=None if self.average == "micro" else 0))

    def result(self):
        tp, fp, fn, true = (to_tensor(getattr(self, name)) for name in _COUNTS)
        precision, recall = tp / (tp + fp + epsilon()), tp / (tp + fn + epsilon())
        square = self.beta**2
        score = precision * recall / (square * precision + recall + epsilon()) * (1.0 + square)
        if self.average == "weighted":
            return reduce_sum(score * (true / (reduce_sum(true) + epsilon())))
        return score if self.average is None else reduce_mean(score)

    def get_config(self) -> dict:
        return {**super().get_config(), "average": self.average, "beta": self.beta, "threshold": self.threshold}


@export("keras.metrics.F1Score")
class F1Score(FBetaScore):
    """2 precision · recall / (precision + recall), see FBetaScore (tf.keras.metrics.F1Score).

    Example:
        >>> import nbflow as nf
        >>> metric = nf.keras.metrics.F1Score(threshold=0.5)
        >>> metric([[1.0, 0.0], [1.0, 1.0]], [[0.2, 0.6], [0.6, 0.8]]).numpy().round(3)
        array([0.667, 0.667], dtype=float32)
    """

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict:
        return {key: value for key, value in super().get_config().items() if key != "beta"}
