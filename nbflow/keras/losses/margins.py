"""Losses of margins: predictions of the right sign that are far enough from 0 cost nothing.

y_true of -1 and 1, or of 0 and 1, which become these; y_pred, [batch, d0, …, dn], any numbers. All give
[batch, d0, …, dn-1].
"""

from nbflow.arrays.joining import where
from nbflow.keras.losses.loss import alike, as_loss
from nbflow.keras.losses.regression import published
from nbflow.math.elementwise import equal, logical_or, maximum, square
from nbflow.math.reductions import reduce_all, reduce_max, reduce_mean, reduce_sum


def _missing_margin(y_true, y_pred):
    """max(1 - y_true y_pred, 0), for targets of 0 and 1 as for -1 and 1."""
    y_true, y_pred = alike(y_true, y_pred)
    binary = reduce_all(logical_or(equal(y_true, 0), equal(y_true, 1)))
    return maximum(1.0 - where(binary, 2.0 * y_true - 1.0, y_true) * y_pred, 0.0)


@published("hinge")
@as_loss("Hinge")
def hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)) over the last axis (tf.keras.losses.hinge)."""
    return reduce_mean(_missing_margin(y_true, y_pred), axis=-1)


@published("squared_hinge")
@as_loss("SquaredHinge")
def squared_hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)²) over the last axis (tf.keras.losses.squared_hinge)."""
    return reduce_mean(square(_missing_margin(y_true, y_pred)), axis=-1)


@published("categorical_hinge")
@as_loss("CategoricalHinge")
def categorical_hinge(y_true, y_pred):
    """max(neg - pos + 1, 0), pos = Σ y_true y_pred, neg = max((1 - y_true) y_pred) (tf.keras.losses.categorical_hinge).

    Args:
        y_true: one-hot vectors.
    """
    y_true, y_pred = alike(y_true, y_pred)
    pos = reduce_sum(y_true * y_pred, axis=-1)
    neg = reduce_max((1.0 - y_true) * y_pred, axis=-1)
    return maximum(neg - pos + 1.0, 0.0)
