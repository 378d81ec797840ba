"""Losses of numbers: how far predictions are from targets.

All take y_true and y_pred, [batch, d0, …, dn], and give [batch, d0, …, dn-1]. y_true becomes of the dtype of y_pred;
where the ranks differ by an axis of size 1 at the end, it is dropped or added. The classes take the functions' further
arguments and those of Loss.
"""

import math

from nbflow.arrays.joining import where
from nbflow.dtypes import float32
from nbflow.keras.losses.loss import as_loss, matched
from nbflow.keras.settings import epsilon
from nbflow.math.elementwise import abs, log, maximum, minimum, rsqrt, softplus, square, squared_difference
from nbflow.math.reductions import reduce_mean, reduce_sum
from nbflow.public import cast, export


def published(*names: str):
    """Publishes a function in both nf.keras.losses and nf.keras.metrics, where Keras has it under short names too."""
    return export(*(f"keras.{place}.{name}" for name in names for place in ("losses", "metrics")))


@published("mean_squared_error", "mse", "MSE")
@as_loss("MeanSquaredError")
def mean_squared_error(y_true, y_pred):
    """mean((y_true - y_pred)²) over the last axis (tf.keras.losses.mse).

    Example:
        >>> import nbflow as nf
        >>> nf.keras.losses.mse([[0.0, 2.0]], [[1.0, 2.0]]).numpy()
        array([0.5], dtype=float32)
    """
    return reduce_mean(squared_difference(*matched(y_true, y_pred)), axis=-1)


@published("mean_absolute_error", "mae", "MAE")
@as_loss("MeanAbsoluteError")
def mean_absolute_error(y_true, y_pred):
    """mean(|y_true - y_pred|) over the last axis (tf.keras.losses.mae)."""
    y_true, y_pred = matched(y_true, y_pred)
    return reduce_mean(abs(y_true - y_pred), axis=-1)


@published("mean_absolute_percentage_error", "mape", "MAPE")
@as_loss("MeanAbsolutePercentageError")
def mean_absolute_percentage_error(y_true, y_pred):
    """100 mean(|y_true - y_pred| / max(|y_true|, ε)) over the last axis (tf.keras.losses.mape)."""
    y_true, y_pred = matched(y_true, y_pred)
    return 100.0 * reduce_mean(abs((y_true - y_pred) / maximum(abs(y_true), epsilon())), axis=-1)


@published("mean_squared_logarithmic_error", "msle", "MSLE")
@as_loss("MeanSquaredLogarithmicError")
def mean_squared_logarithmic_error(y_true, y_pred):
    """mean((log(1 + max(y_true, ε)) - log(1 + max(y_pred, ε)))²) over the last axis (tf.keras.losses.msle)."""
    both = (cast(y, float32) if y.dtype.size < 4 else y for y in matched(y_true, y_pred))  # ε is float32
    logs = (log(maximum(y, epsilon()) + 1.0) for y in both)
    return reduce_mean(squared_difference(*logs), axis=-1)


@export("keras.losses.huber", "keras.metrics.huber")
@as_loss("Huber", "delta", name="huber_loss", keys="")  # Keras' configurations do not hold delta either
def huber(y_true, y_pred, delta=1.0):
    """The mean over the last axis of e² / 2 where |e| ≤ δ, δ |e| - δ² / 2 beyond, for e = y_pred - y_true.

    Args:
        delta: where the parabola becomes two straight lines (tf.keras.losses.huber).
    """
    y_true, y_pred = matched(y_true, y_pred)
    error = y_pred - y_true
    distance = abs(error)
    return reduce_mean(where(distance <= delta, 0.5 * square(error), delta * distance - 0.5 * delta**2), axis=-1)


@published("log_cosh", "logcosh")
@as_loss("LogCosh")
def log_cosh(y_true, y_pred):
    """mean(log(cosh(y_pred - y_true))) over the last axis (tf.keras.losses.logcosh)."""
    y_true, y_pred = matched(y_true, y_pred)
    error = y_pred - y_true
    return reduce_mean(error + softplus(error * -2.0) - math.log(2.0), axis=-1)


def cosine(y_true, y_pred, axis=-1):
    """The cosine of the angle between targets and predictions as vectors along an axis."""
    y_true, y_pred = (
        y * minimum(rsqrt(reduce_sum(square(y), axis=axis, keepdims=True)), 1.0 / epsilon())
        for y in matched(y_true, y_pred)
    )
    return reduce_sum(y_true * y_pred, axis=axis)


@export("keras.losses.cosine_similarity")
@as_loss("CosineSimilarity", "axis", keys="")
def cosine_similarity(y_true, y_pred, axis=-1):
    """-cos of the angle between targets and predictions as vectors along an axis.

    See tf.keras.losses.cosine_similarity. A vector of zeros has a similarity of 0 to all others.
    """
    return -cosine(y_true, y_pred, axis)
