"""Losses from logits."""

from nbflow.dtypes import FLOATING, require
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.shapes import broadcast, could_be_equal, normalize_axis
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument


@export("nn.softmax_cross_entropy_with_logits")
def softmax_cross_entropy_with_logits(labels, logits, axis=-1, name=None):
    """-Σ labels · log softmax(logits) along an axis (tf.nn.softmax_cross_entropy_with_logits).

    Args:
        labels: probabilities, a tensor of the shape of logits whose rows sum to 1.
        logits: unscaled log probabilities, [..., classes].
        axis: the axis of the classes.

    Returns:
        A tensor of the shape of logits without that axis.

    Raises:
        InvalidArgumentError: shapes or dtypes differ.
    """
    labels, logits = _pair("softmax_cross_entropy_with_logits", labels, logits)
    at = normalize_axis("softmax_cross_entropy_with_logits", axis, logits.ndim)
    if at != logits.ndim - 1:
        perm = (*(k for k in range(logits.ndim) if k != at), at)
        labels, logits = TABLE["transpose"](labels, perm=perm), TABLE["transpose"](logits, perm=perm)
    if labels.nbflow_shape != logits.nbflow_shape and len(labels.nbflow_shape) == len(logits.nbflow_shape):
        labels, logits = _stretch(labels, logits)
    return TABLE["softmax_cross_entropy_with_logits"](labels, logits)


def _tensors(op: str, labels, logits) -> tuple:
    """Both as tensors; what is none takes the dtype of the other."""
    logits = argument(op, "logits", logits, labels.dtype if isinstance(labels, TensorProtocol) else None)
    return argument(op, "labels", labels, logits.dtype), logits


def _pair(op: str, labels, logits) -> tuple:
    """Both as tensors of the dtype of logits."""
    labels, logits = _tensors(op, labels, logits)
    if labels.dtype is not logits.dtype:
        labels = TABLE["cast"](labels, dtype=logits.dtype)
    return labels, logits


def _stretch(labels, logits):
    """Labels and logits broadcast to one shape, as TensorFlow does for sizes of 1."""
    shape = broadcast("softmax_cross_entropy_with_logits: labels and logits", labels.nbflow_shape, logits.nbflow_shape)
    return TABLE["broadcast_to"](labels, shape=shape), TABLE["broadcast_to"](logits, shape=shape)


@export("nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(labels, logits, name=None):
    """-log softmax(logits)[label] (tf.nn.sparse_softmax_cross_entropy_with_logits).

    Args:
        labels: class indices, int32 or int64, of the shape of logits without its last axis. The loss of a label outside
            [0, classes) is NaN.
        logits: [..., classes].

    Returns:
        A tensor of the shape of labels.
    """
    op = "sparse_softmax_cross_entropy_with_logits"
    logits, labels = argument(op, "logits", logits), argument(op, "labels", labels)
    if labels.dtype.is_integer and labels.dtype.size < 4:
        labels = TABLE["cast"](labels, dtype=TABLE["shape_int32"].infer([labels._aval], {}).dtype)
    return TABLE["sparse_softmax_cross_entropy_with_logits"](labels, logits)


@export("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(labels=None, logits=None, name=None):
    """max(x, 0) - x z + log(1 + exp(-|x|)) for logits x and labels z (tf.nn.sigmoid_cross_entropy_with_logits).

    Args:
        labels, logits: tensors of one shape and floating point dtype.

    Raises:
        ValueError: shapes differ.
    """
    labels, logits = _same_shape("sigmoid_cross_entropy_with_logits", labels, logits)
    return TABLE["sigmoid_cross_entropy_with_logits"](labels, logits)


@export("nn.weighted_cross_entropy_with_logits")
def weighted_cross_entropy_with_logits(labels=None, logits=None, pos_weight=None, name=None):
    """(1 - z) x + (1 + (q - 1) z) log(1 + exp(-x)): sigmoid cross-entropy with a weight q for positive labels.

    See tf.nn.weighted_cross_entropy_with_logits.

    Args:
        labels, logits: tensors of one shape and floating point dtype.
        pos_weight: the weight q, which broadcasts.
    """
    labels, logits = _same_shape("weighted_cross_entropy_with_logits", labels, logits)
    return TABLE["weighted_cross_entropy_with_logits"](
        labels, logits, argument("weighted_cross_entropy_with_logits", "pos_weight", pos_weight, logits.dtype)
    )


def _same_shape(op: str, labels, logits):
    if labels is None or logits is None:
        raise ValueError(f"{op}: both labels and logits must be given")
    labels, logits = _tensors(op, labels, logits)
    if not could_be_equal(labels.nbflow_shape, logits.nbflow_shape):
        raise InvalidArgumentError(
            f"{op}: labels has shape {labels.shape} and logits {logits.shape}; they must be equal"
        )
    return labels, logits


@export("nn.l2_loss")
def l2_loss(t, name=None):
    """Σ x² / 2 (tf.nn.l2_loss).

    Args:
        t: a floating point tensor.

    Returns:
        A scalar.
    """
    t = argument("l2_loss", "t", t)
    require("l2_loss", "t", t.dtype, FLOATING)
    return TABLE["l2_loss"](t)
