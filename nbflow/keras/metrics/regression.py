"""Metrics of numbers: root mean square, cosine, R² and correlations."""

import warnings

from nbflow.arrays.joining import where
from nbflow.arrays.shaping import broadcast_to, expand_dims, shape, size
from nbflow.dtypes import as_dtype
from nbflow.keras.losses.loss import matched, same_rank, tensor
from nbflow.keras.losses.regression import cosine
from nbflow.keras.metrics.means import Mean, as_metric
from nbflow.keras.metrics.metric import Metric
from nbflow.keras.settings import epsilon
from nbflow.math.elementwise import is_inf, sqrt, square, squared_difference
from nbflow.math.reductions import reduce_mean, reduce_sum
from nbflow.math.statistics import reduce_std, reduce_variance
from nbflow.public import cast, export
from nbflow.tensor.state import state


@export("keras.metrics.RootMeanSquaredError")
class RootMeanSquaredError(Mean):
    """√mean((y_true - y_pred)²) (tf.keras.metrics.RootMeanSquaredError)."""

    _direction = "down"

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        dtype = as_dtype(self.dtype)
        y_true, y_pred = same_rank(tensor(y_true, dtype), tensor(y_pred, dtype))
        super().update_state(squared_difference(y_pred, y_true), sample_weight)

    def result(self):
        return sqrt(super().result())


as_metric("CosineSimilarity", "name dtype axis", name="cosine_similarity", keys="")(cosine)


@export("keras.metrics.pearson_correlation")
@as_metric("PearsonCorrelation", "name dtype axis")
def pearson_correlation(y_true, y_pred, axis=-1):
    """cov(y_true, y_pred) / (σ(y_true) σ(y_pred)) along an axis (tf.keras.metrics.pearson_correlation)."""
    y_true, y_pred = (y - reduce_mean(y, axis=axis, keepdims=True) for y in matched(y_true, y_pred))
    y_true, y_pred = (y / reduce_std(y, axis=axis, keepdims=True) for y in (y_true, y_pred))
    return reduce_mean(y_true * y_pred, axis=axis)


@export("keras.metrics.concordance_correlation")
@as_metric("ConcordanceCorrelation", "name dtype axis")
def concordance_correlation(y_true, y_pred, axis=-1):
    """mean(2 (y_true - μ) (y_pred - μ)) / (σ²(y_true) + σ²(y_pred) + (μ - μ')² + ε) along an axis.

    μ is the mean of y_pred and μ' that of y_true (tf.keras.metrics.concordance_correlation).
    """
    y_true, y_pred = matched(y_true, y_pred)
    true_mean, mean = (reduce_mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred))
    spread = sum(
        reduce_variance(y - m, axis=axis, keepdims=True) for y, m in ((y_true, true_mean), (y_pred, mean))
    ) + square(true_mean - mean)
    return reduce_mean(2.0 * ((y_true - mean) * (y_pred - mean)) / (spread + epsilon()), axis=axis)


@export("keras.metrics.R2Score")
class R2Score(Metric):
    """1 - Σ (y_true - y_pred)² / Σ (y_true - mean(y_true))²: 1 for perfect predictions (tf.keras.metrics.R2Score).

    y_true and y_pred are [batch, outputs].

    Args:
        class_aggregation: "uniform_average" gives the mean over outputs, "variance_weighted_average" one weighted by
            the variance of the targets, None a value for each output.
        num_regressors: of how many variables predictions are a function, p: 1 - (1 - R²) (n - 1) / (n - p - 1) is
            given, n being the number of targets; 0 leaves R² as it is.
        name, dtype: as of Metric.

    Raises:
        ValueError: class_aggregation is none of these, num_regressors is negative, or the ranks are not 2.

    Example:
        >>> import nbflow as nf
        >>> metric = nf.keras.metrics.R2Score()
        >>> round(float(metric([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 5)
        0.57143
    """

    _direction = "up"

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        super().__init__(dtype, name)
        allowed = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in allowed:
            raise ValueError(
                f"Invalid value for argument `class_aggregation`. Expected one of {allowed}. "
                f"Received: class_aggregation={class_aggregation}"
            )
        if num_regressors < 0:
            raise ValueError(
                f"Invalid value for argument `num_regressors`. Expected a value >= 0. Received: "
                f"num_regressors={num_regressors}"
            )
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def _build(self, y_true, y_pred) -> None:
        classes = y_pred.nbflow_shape[-1:]
        if y_true.ndim != 2 or y_pred.ndim != 2 or not isinstance(classes[0], int):
            raise ValueError(
                f"R2Score expects 2D inputs with shape (batch_size, output_dim), output_dim being known. Received "
                f"input shapes: y_pred.shape={y_pred.shape} and y_true.shape={y_true.shape}."
            )
        self.squared_sum, self.sum, self.total_mse, self.count = (
            self.add_variable(classes, "zeros", name=name) for name in ("squared_sum", "sum", "residual", "count")
        )
        self._built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        dtype = as_dtype(self.dtype)
        y_true, y_pred = same_rank(tensor(y_true, dtype), tensor(y_pred, dtype))
        if not self._built:
            self._build(y_true, y_pred)
        weight = tensor(1 if sample_weight is None else sample_weight, dtype)
        weight = broadcast_to(expand_dims(weight, 1) if weight.ndim == 1 else weight, shape(y_true))
        weighted = y_true * weight
        for variable, values in (
            (self.sum, weighted),
            (self.squared_sum, y_true * weighted),
            (self.total_mse, squared_difference(y_true, y_pred) * weight),
            (self.count, weight),
        ):
            variable.assign_add(cast(reduce_sum(values, axis=0), variable.dtype))
        self.num_samples.assign_add(cast(size(y_true), self.num_samples.dtype))

    def result(self):
        total = self.squared_sum - self.sum * (self.sum / self.count)
        scores = 1.0 - self.total_mse / total
        scores = where(is_inf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = reduce_mean(scores)
        elif self.class_aggregation is not None:
            scores = reduce_sum(total * scores) / reduce_sum(total)
        return self._adjusted(scores) if self.num_regressors else scores

    def _adjusted(self, scores):
        """The score that does not grow with the number of variables alone."""
        free = self.num_samples - 1.0 - float(self.num_regressors)
        if state.trace is None and free <= 0:
            problem = (
                "More independent predictors than datapoints in adjusted R2 score"
                if free < 0
                else "Division by zero in Adjusted R2 score"
            )
            warnings.warn(f"{problem}. Falling back to standard R2 score.", stacklevel=3)
        adjusted = 1.0 - (1.0 - scores) * (self.num_samples - 1.0) / free
        return where(free > 0, adjusted, scores)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
