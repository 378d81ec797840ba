"""Losses from logits."""

import math

import numpy as np

from nbflow.dtypes import FLOATING, float32, int64, require
from nbflow.errors import InvalidArgumentError
from nbflow.math.guarded import divide_no_nan
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, number
from nbflow.shapes import Dim, broadcast, could_be_equal, normalize_axis
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import Tensor, argument


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
    if labels.nbflow_shape != logits.nbflow_shape and labels.ndim and logits.ndim:
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
        labels: class indices, int32 or int64, of the shape of logits without its last axis.
        logits: [..., classes].

    Returns:
        A tensor of the shape of labels.

    Raises:
        InvalidArgumentError: a label is outside [0, classes). In a traced function the loss of such a label is NaN:
            a run that may fail would have to keep the old values of all Variables.
    """
    op = "sparse_softmax_cross_entropy_with_logits"
    logits, labels = argument(op, "logits", logits), argument(op, "labels", labels)
    if labels.dtype.is_integer and labels.dtype.size < 4:
        labels = TABLE["cast"](labels, dtype=TABLE["shape_int32"].infer([labels._aval], {}).dtype)
    if type(labels) is Tensor and logits.ndim:
        _check_labels(op, labels, logits.nbflow_shape[-1])
    return TABLE["sparse_softmax_cross_entropy_with_logits"](labels, logits)


def _check_labels(op: str, labels: Tensor, classes) -> None:
    values = labels._view()
    if values.size and not isinstance(classes, Dim) and not 0 <= values.min() <= values.max() < classes:
        bad = values.min() if values.min() < 0 else values.max()
        raise InvalidArgumentError(f"{op}: labels has {bad}, which is outside the valid range of [0, {classes})")


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
    if pos_weight is None:
        raise TypeError("weighted_cross_entropy_with_logits: pos_weight must be given")
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


@export("nn.log_poisson_loss")
def log_poisson_loss(targets, log_input, compute_full_loss=False, name=None):
    """exp(c) - z c for the logarithm c of a predicted rate and targets z (tf.nn.log_poisson_loss).

    Args:
        targets, log_input: tensors of one shape and floating point dtype.
        compute_full_loss: whether to add Stirling's approximation z log z - z + log(2π z) / 2 where z is above 1.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        ValueError: shapes differ.
    """
    op = "log_poisson_loss"
    c, z = argument(op, "log_input", log_input), argument(op, "targets", targets)
    if not could_be_equal(c.nbflow_shape, z.nbflow_shape):
        raise ValueError(f"{op}: log_input has shape {c.shape} and targets {z.shape}; they must be equal")
    loss = TABLE["exp"](c) - c * z
    if compute_full_loss:
        log = TABLE["log"]
        stirling = z * log(z) - z + 0.5 * log(2 * math.pi * z)
        small = TABLE["logical_and"](z >= 0, z <= 1)
        loss = loss + TABLE["select"](small, TABLE["zeros_like"](z), stirling)
    return loss


@export("nn.compute_average_loss")
def compute_average_loss(per_example_loss, sample_weight=None, global_batch_size=None):
    """The sum of the losses of examples divided by their number (tf.nn.compute_average_loss).

    Args:
        per_example_loss: [batch, ...].
        sample_weight: weights of examples that broadcast with it; an axis of size 1 at the end may be missing or too
            many.
        global_batch_size: what to divide by, an integer; by default the size of the batch.

    Returns:
        A scalar.

    Raises:
        ValueError: per_example_loss is a scalar.
        TypeError: global_batch_size is no integer.
        InvalidArgumentError: it is negative.
    """
    op = "compute_average_loss"
    losses = argument(op, "per_example_loss", per_example_loss)
    if not losses.ndim:
        raise ValueError(f"{op}: per_example_loss is a scalar; it needs at least rank 1")
    dtype = losses.dtype
    if sample_weight is not None:
        weights = cast(argument(op, "sample_weight", sample_weight), float32)
        shape = tuple(weights.nbflow_shape)
        if weights.ndim == losses.ndim + 1 and shape[-1] == 1:
            weights = TABLE["reshape"](weights, shape=shape[:-1])
        elif weights.ndim + 1 == losses.ndim and weights.ndim:
            weights = TABLE["reshape"](weights, shape=(*shape, 1))
        losses = cast(cast(losses, float32) * weights, dtype)
    if isinstance(global_batch_size, TensorProtocol) and global_batch_size.ndim:
        raise ValueError(f"{op}: global_batch_size must be a scalar, got {global_batch_size!r}")
    size = losses.nbflow_shape[0] if global_batch_size is None else number(global_batch_size)
    if isinstance(size, bool) or not isinstance(size, (int, np.integer, Dim)):
        raise TypeError(f"{op}: global_batch_size must be an integer, got {global_batch_size!r}")
    if not isinstance(size, Dim) and size < 0:
        raise InvalidArgumentError(f"{op}: global_batch_size must be non-negative, got {size}")
    total = TABLE["reduce_sum"](losses, axis=tuple(range(losses.ndim)), keepdims=False)
    if isinstance(size, Dim):
        count = TABLE["shape_int64"](losses)[0]
    else:
        count = argument(op, "global_batch_size", int(size), int64)
    return divide_no_nan(total, cast(count, dtype))


@export("nn.scale_regularization_loss")
def scale_regularization_loss(regularization_loss):
    """The sum of a regularisation loss, for one replica (tf.nn.scale_regularization_loss)."""
    loss = argument("scale_regularization_loss", "regularization_loss", regularization_loss)
    total = TABLE["reduce_sum"](loss, axis=tuple(range(loss.ndim)), keepdims=False)
    return total / 1
