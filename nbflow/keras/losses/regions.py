"""Losses of regions and of embeddings: Dice, Tversky, Circle."""

from nbflow.arrays.creation import eye
from nbflow.arrays.joining import where
from nbflow.arrays.shaping import reshape, transpose
from nbflow.dtypes import bool_, int32
from nbflow.keras.losses.loss import LossFunctionWrapper, alike, as_loss, floating, tensor
from nbflow.keras.settings import epsilon
from nbflow.linalg.products import matmul
from nbflow.math.elementwise import equal, greater, logical_and, logical_not, maximum, softplus
from nbflow.math.reductions import reduce_sum
from nbflow.math.statistics import reduce_logsumexp
from nbflow.public import export


@export("keras.losses.dice")
@as_loss("Dice", arguments="reduction name axis dtype")
def dice(y_true, y_pred, axis=None):
    """1 - 2 Σ y_true y_pred / (Σ y_true + Σ y_pred + ε) (tf.keras.losses.dice).

    Args:
        y_true, y_pred: which elements belong to a region, numbers in [0, 1], of one shape.
        axis: of the sums, all by default.
    """
    y_true, y_pred = alike(y_true, y_pred)
    both = reduce_sum(y_true * y_pred, axis=axis)
    return 1.0 - 2.0 * both / (reduce_sum(y_true, axis=axis) + reduce_sum(y_pred, axis=axis) + epsilon())


@export("keras.losses.tversky")
@as_loss("Tversky", "alpha beta", "reduction name axis dtype")
def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """1 - t / (t + α Σ y_true (1 - y_pred) + β Σ (1 - y_true) y_pred + ε), with t = Σ y_true y_pred.

    See tf.keras.losses.tversky.

    Args:
        y_true, y_pred: which elements belong to a region, numbers in [0, 1], of one shape.
        alpha, beta: how much what is missed and what is too much count.
        axis: of the sums, all by default.
    """
    y_true, y_pred = alike(y_true, y_pred)
    both = reduce_sum(y_true * y_pred, axis=axis)
    missed = reduce_sum((1.0 - y_pred) * y_true, axis=axis)
    excess = reduce_sum(y_pred * (1.0 - y_true), axis=axis)
    return 1.0 - both / (both + missed * alpha + excess * beta + epsilon())


@export("keras.losses.circle")
def circle(y_true, y_pred, ref_labels=None, ref_embeddings=None, remove_diagonal=True, gamma=80, margin=0.4):
    """Embeddings of one class draw together, others apart: Circle loss (Sun et al., 2020; tf.keras.losses.circle).

    softplus(log Σ₊ exp(-γ [m + d]₊ (m - d)) + log Σ₋ exp(γ [1 + m - d]₊ (1 - m - d))) for distances
    d = [1 - cos]₊ to the references of the same class (+) and of others (-).

    Args:
        y_true: numbers of classes, [batch].
        y_pred: embeddings of length 1, [batch, size].
        ref_labels, ref_embeddings: what to compare with; y_true and y_pred by default.
        remove_diagonal: whether an example is not compared with the reference of its own number.
        gamma, margin: γ and m.

    Returns:
        [batch], with a mask: examples without loss do not count in means.
    """
    y_pred, labels = floating(y_pred), _column(y_true)
    references = y_pred if ref_embeddings is None else tensor(ref_embeddings, y_pred.dtype)
    known = labels if ref_labels is None else _column(ref_labels)
    distance = maximum(1.0 - matmul(y_pred, references, transpose_b=True), 0.0)
    same = equal(labels, transpose(known))
    other = logical_not(same)
    if remove_diagonal:
        own = eye(labels.nbflow_shape[0], known.nbflow_shape[0], dtype=bool_)
        same = logical_and(same, logical_not(own))
    near = -gamma * maximum(margin + distance, 0.0) * (margin - distance)
    far = gamma * maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    spread = reduce_logsumexp(where(same, near, float("-inf")), axis=1)
    losses = softplus(spread + reduce_logsumexp(where(other, far, float("-inf")), axis=1))
    losses._keras_mask = greater(losses, 0.0)
    return losses


def _column(labels):
    labels = tensor(labels, int32)
    return reshape(labels, (-1, 1)) if labels.ndim == 1 else labels


@export("keras.losses.Circle")
class Circle(LossFunctionWrapper):
    """circle as an object (tf.keras.losses.Circle)."""

    keys = ("gamma", "margin", "remove_diagonal")

    def __init__(
        self, gamma=80.0, margin=0.4, remove_diagonal=True, reduction="sum_over_batch_size", name="circle", dtype=None
    ):
        super().__init__(circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal)
