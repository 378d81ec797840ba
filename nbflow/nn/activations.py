"""Activations."""

from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.shapes import normalize_axis
from nbflow.tensor.tensor import argument


@export("nn.relu")
def relu(features, name=None):
    """max(x, 0), for each element (tf.nn.relu).

    Args:
        features: a numeric tensor.
    """
    return TABLE["relu"](argument("relu", "features", features))


@export("nn.softmax")
def softmax(logits, axis=-1, name=None):
    """exp(x) / Σ exp(x) along an axis (tf.nn.softmax), without overflow.

    Args:
        logits: a floating point tensor of rank 1 or more.
        axis: along which the result sums to 1.
    """
    return _along_axis("softmax", logits, axis)


@export("nn.log_softmax")
def log_softmax(logits, axis=-1, name=None):
    """x - log Σ exp(x) along an axis (tf.nn.log_softmax), without overflow."""
    return _along_axis("log_softmax", logits, axis)


def _along_axis(op: str, logits, axis):
    x = argument(op, "logits", logits)
    return TABLE[op](x, axis=normalize_axis(op, -1 if axis is None else axis, x.ndim))
