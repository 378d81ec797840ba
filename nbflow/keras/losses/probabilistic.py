"""Losses of probabilities: cross-entropies and their kin.

y_pred holds probabilities, or with from_logits unscaled logarithms of them, [batch, d0, …, dn]; y_true has its shape
and holds probabilities too, or for the sparse ones numbers of classes. Results are [batch, d0, …, dn-1].

Where Keras' softmax or sigmoid made y_pred, or while a function is traced nf.nn.softmax or nf.sigmoid did, the
cross-entropies take what these were made of: that is exact where probabilities round to 0.

Args that they share:
    from_logits: whether y_pred holds logits.
    label_smoothing: how much of the targets' probability, in [0, 1], is shared out among all classes.
    axis: of the classes.
    alpha, gamma: of focal losses: a weight, and by which power of their distance from 1 examples that are predicted
        well count less.
"""

import warnings

from nbflow.arrays.clipping import clip_by_value
from nbflow.arrays.joining import one_hot, where
from nbflow.arrays.shaping import broadcast_to, expand_dims, shape, squeeze
from nbflow.dtypes import float32, int32, int64
from nbflow.function.trace import SymbolicTensor
from nbflow.keras.losses.loss import LossFunctionWrapper, alike, as_loss, floating, tensor
from nbflow.keras.losses.regression import published
from nbflow.keras.settings import epsilon
from nbflow.math.elementwise import log, not_equal, sigmoid
from nbflow.math.reductions import reduce_mean, reduce_sum
from nbflow.nn import losses as nn
from nbflow.nn.activations import softmax
from nbflow.nn.ctc import ctc_loss
from nbflow.public import cast, export
from nbflow.shapes import Dim, could_be_equal
from nbflow.tape.gradient_tape import GradientTape
from nbflow.tensor.state import state
from nbflow.tensor.tensor import to_tensor


def _clip(y):
    """Probabilities whose logarithms are finite."""
    return clip_by_value(y, epsilon(), 1.0 - epsilon())


def _logits(output, from_logits: bool, op: str, name: str) -> tuple:
    """(output, from_logits), with the logits that output was made of where they are known."""
    logits = getattr(output, "_keras_logits", None)
    if logits is None and type(output) is SymbolicTensor:
        logits = _operand(output, op)
    if logits is None:
        return output, from_logits
    if from_logits:
        warnings.warn(
            f'"`{name}` received `from_logits=True`, but the `output` argument was produced by a {op.capitalize()} '
            f'activation and thus does not represent logits. Was this intended?"',
            stacklevel=4,
        )
    return logits, True


def _operand(output: SymbolicTensor, op: str):
    """In a trace, what a softmax over the last axis or a sigmoid was applied to, if that gave output; None if not."""
    node = output.value.node
    if node is None or node.op.name != op or node.attrs.get("axis", output.ndim - 1) != output.ndim - 1:
        return None
    for tape in state.tapes:  # gradients flow to the very tensor that a tape knows
        if not isinstance(tape, GradientTape):
            return None
        for entry in reversed(tape._entries):
            if entry[2][0] is output:
                return entry[1][0]
    return SymbolicTensor(output.trace, node.inputs[0])


def _check_alike(target, output) -> None:
    if len(target.nbflow_shape) != len(output.nbflow_shape):
        raise ValueError(
            f"Arguments `target` and `output` must have the same rank (ndim). Received: target.shape={target.shape}, "
            f"output.shape={output.shape}"
        )
    if not could_be_equal(target.nbflow_shape, output.nbflow_shape):
        raise ValueError(
            f"Arguments `target` and `output` must have the same shape. Received: target.shape={target.shape}, "
            f"output.shape={output.shape}"
        )


# --- two classes ------------------------------------------------------------------------------------------------------


def _binary(target, output, from_logits: bool):
    """-z log(p) - (1 - z) log(1 - p) for each element."""
    _check_alike(target, output)
    output, from_logits = _logits(output, from_logits, "sigmoid", "binary_crossentropy")
    if from_logits:
        return nn.sigmoid_cross_entropy_with_logits(target, output)
    output = _clip(output)
    return -(target * log(output) + (1.0 - target) * log(1.0 - output))


def _smoothed_binary(y_true, label_smoothing):
    return y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else y_true


@published("binary_crossentropy")
@as_loss("BinaryCrossentropy", "from_logits label_smoothing axis")
def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """mean(-z log(p) - (1 - z) log(1 - p)) for targets z and predictions p (tf.keras.losses.binary_crossentropy).

    Args:
        axis: of the mean.

    Raises:
        ValueError: shapes differ.
    """
    y_true, y_pred = alike(y_true, y_pred)
    return reduce_mean(_binary(_smoothed_binary(y_true, label_smoothing), y_pred, from_logits), axis=axis)


@published("binary_focal_crossentropy")
@as_loss("BinaryFocalCrossentropy", "apply_class_balancing alpha gamma from_logits label_smoothing axis")
def binary_focal_crossentropy(
    y_true, y_pred, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """mean(-(1 - q)^γ log(q)), q being the probability of what is the case (tf.keras.losses.binary_focal_crossentropy).

    Args:
        apply_class_balancing: whether to weigh positives by alpha and negatives by 1 - alpha.

    Raises:
        ValueError: shapes differ.
    """
    y_true, y_pred = alike(y_true, y_pred)
    y_true = _smoothed_binary(y_true, label_smoothing)
    if from_logits:
        _check_alike(y_true, y_pred)
        losses, y_pred = nn.sigmoid_cross_entropy_with_logits(y_true, y_pred), sigmoid(y_pred)
    else:
        losses = _binary(y_true, y_pred, False)
    right = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    losses = (1.0 - right) ** gamma * losses
    if apply_class_balancing:
        losses = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * losses
    return reduce_mean(losses, axis=axis)


# --- several classes --------------------------------------------------------------------------------------------------


def _categorical(name: str, y_true, y_pred, label_smoothing, axis) -> tuple:
    """Both as tensors, targets smoothed."""
    if isinstance(axis, bool):
        raise ValueError(f"`axis` must be of type `int`. Received: axis={axis} of type {type(axis)}")
    y_true, y_pred = alike(y_true, y_pred)
    if y_pred.ndim and y_pred.nbflow_shape[-1] == 1:
        warnings.warn(
            f"In loss {name}, expected y_pred.shape to be (batch_size, num_classes) with num_classes > 1. Received: "
            f"y_pred.shape={y_pred.shape}. Consider using 'binary_crossentropy' if you only have 2 classes.",
            SyntaxWarning,
            stacklevel=3,
        )
    if label_smoothing:
        classes = y_true.nbflow_shape[-1]
        classes = cast(shape(y_true)[-1], y_true.dtype) if isinstance(classes, Dim) else classes
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    return y_true, y_pred


@published("categorical_crossentropy")
@as_loss("CategoricalCrossentropy", "from_logits label_smoothing axis")
def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """-Σ y_true log(y_pred) over the classes (tf.keras.losses.categorical_crossentropy).

    Args:
        y_true: one-hot vectors, or probabilities.

    Raises:
        ValueError: shapes differ.
    """
    y_true, y_pred = _categorical("categorical_crossentropy", y_true, y_pred, label_smoothing, axis)
    if not y_true.ndim:
        raise ValueError(
            f"Arguments `target` and `output` must be at least rank 1. Received: target.shape={y_true.shape}, "
            f"output.shape={y_pred.shape}"
        )
    _check_alike(y_true, y_pred)
    y_pred, from_logits = _logits(y_pred, from_logits, "softmax", "categorical_crossentropy")
    if from_logits:
        return nn.softmax_cross_entropy_with_logits(y_true, y_pred, axis)
    y_pred = _clip(y_pred / reduce_sum(y_pred, axis=axis, keepdims=True))
    return -reduce_sum(y_true * log(y_pred), axis=axis)


@published("categorical_focal_crossentropy")
@as_loss("CategoricalFocalCrossentropy", "alpha gamma from_logits label_smoothing axis")
def categorical_focal_crossentropy(
    y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """-Σ α (1 - p)^γ y_true log(p) over the classes, p = y_pred / Σ y_pred.

    See tf.keras.losses.categorical_focal_crossentropy.

    Args:
        y_true: one-hot vectors, or probabilities.
        alpha: a number, or one for each class.
    """
    y_true, y_pred = _categorical("categorical_focal_crossentropy", y_true, y_pred, label_smoothing, axis)
    if from_logits:
        y_pred = softmax(y_pred, axis)
    p = _clip(y_pred / reduce_sum(y_pred, axis=axis, keepdims=True))
    return reduce_sum((1.0 - p) ** gamma * tensor(alpha, p.dtype) * (-y_true * log(p)), axis=axis)


@published("sparse_categorical_crossentropy")
@as_loss(
    "SparseCategoricalCrossentropy",
    "from_logits ignore_class",
    "reduction axis name dtype",
    keys="from_logits ignore_class",
)
def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """-log(y_pred[class]) for the class that y_true says (tf.keras.losses.sparse_categorical_crossentropy).

    Args:
        y_true: numbers of classes, of the shape of y_pred without its last axis, which may have size 1 instead.
        ignore_class: a number whose examples have a loss of 0 and, in a Loss, do not count in means.
        axis: of the classes, the last.

    Raises:
        ValueError: shapes do not fit, or the classes are not in the last axis.
        InvalidArgumentError: there is no such class. In a traced function the loss of such an example is NaN.

    Example:
        >>> import nbflow as nf
        >>> loss = nf.keras.losses.sparse_categorical_crossentropy([1, 2], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]])
        >>> loss.numpy().round(3)
        array([0.051, 2.303], dtype=float32)
    """
    y_true, y_pred = cast(to_tensor(y_true), int64), floating(y_pred)
    if y_true.ndim == y_pred.ndim and y_pred.ndim and y_true.nbflow_shape[axis] == 1:
        y_true = squeeze(y_true, axis)
    if axis not in (-1, y_pred.ndim - 1):
        raise ValueError(f"Only axis=-1 is currently supported. Received: axis={axis}")
    valid = None
    if ignore_class is not None:
        valid = not_equal(y_true, int(ignore_class))
        y_true = where(valid, y_true, 0)
        y_pred = where(expand_dims(valid, -1), y_pred, 0.0)
    losses = _sparse(y_true, y_pred, from_logits)
    if valid is not None:
        losses = where(valid, losses, 0.0)
        losses._keras_mask = valid
    return losses


def _sparse(target, output, from_logits: bool):
    """-log(p[class])."""
    output, from_logits = _logits(output, from_logits, "softmax", "sparse_categorical_crossentropy")
    if not output.ndim:
        raise ValueError(f"Argument `output` must be at least rank 1. Received: output.shape={output.shape}")
    if target.ndim != output.ndim - 1:
        raise ValueError(
            f"Argument `output` must have rank (ndim) `target.ndim - 1`. Received: target.shape={target.shape}, "
            f"output.shape={output.shape}"
        )
    if not could_be_equal(target.nbflow_shape, output.nbflow_shape[:-1]):
        raise ValueError(
            f"Arguments `target` and `output` must have the same shape up until the last dimension: "
            f"target.shape={target.shape}, output.shape={output.shape}"
        )
    if not from_logits:
        output = log(_clip(output))
    return nn.sparse_softmax_cross_entropy_with_logits(target, output)


@export("keras.losses.categorical_generalized_cross_entropy")
def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """(1 - p^q) / q for the probability p of the class that y_true says: noisy labels pull less (Zhang, Sabuncu, 2018).

    See tf.keras.losses.categorical_generalized_cross_entropy.

    Args:
        y_true: numbers of classes.
        q: in (0, 1); near 0 it is the cross-entropy, 1 would be the absolute error.
    """
    y_pred = floating(y_pred)
    chosen = one_hot(cast(to_tensor(y_true), int64), y_pred.nbflow_shape[-1], dtype=y_pred.dtype)
    return (1.0 - reduce_sum(y_pred * chosen, axis=-1) ** q) / q


@export("keras.losses.CategoricalGeneralizedCrossEntropy")
class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """categorical_generalized_cross_entropy as an object (tf.keras.losses.CategoricalGeneralizedCrossEntropy).

    Raises:
        ValueError: q is not in (0, 1).
    """

    keys = ("q",)

    def __init__(
        self, q=0.5, reduction="sum_over_batch_size", name="categorical_generalized_cross_entropy", dtype=None
    ):
        if not 0 < q < 1:
            raise ValueError(f"q must be in the interval (0, 1). Received: q={q}")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)


@published("kl_divergence", "kullback_leibler_divergence", "kld", "KLD")
@as_loss("KLDivergence")
def kl_divergence(y_true, y_pred):
    """Σ y_true log(y_true / y_pred) over the last axis, both clipped to [ε, 1] (tf.keras.losses.kld)."""
    y_true, y_pred = (clip_by_value(y, epsilon(), 1.0) for y in alike(y_true, y_pred))
    return reduce_sum(y_true * log(y_true / y_pred), axis=-1)


@published("poisson")
@as_loss("Poisson")
def poisson(y_true, y_pred):
    """mean(y_pred - y_true log(y_pred + ε)) over the last axis, for counts y_true (tf.keras.losses.poisson)."""
    y_true, y_pred = alike(y_true, y_pred)
    return reduce_mean(y_pred - y_true * log(y_pred + epsilon()), axis=-1)


@export("keras.losses.ctc")
@as_loss("CTC")
def ctc(y_true, y_pred):
    """-log of the probability of labels, over all ways to align them with frames (tf.keras.losses.ctc).

    Args:
        y_true: numbers of classes, [batch, most labels], padded with 0, which is the class of the blank.
        y_pred: logits, [batch, frames, classes].

    Returns:
        [batch].

    Raises:
        ValueError: shapes do not fit.
    """
    y_true, y_pred = to_tensor(y_true), floating(y_pred)
    if y_true.ndim != 2:
        raise ValueError(
            f"Targets `y_true` are expected to be a tensor of shape `(batch_size, max_length)` in integer format. "
            f"Received: y_true.shape={y_true.shape}"
        )
    if y_pred.ndim != 3:
        raise ValueError(
            f"Logits `y_pred` are expected to be a tensor of shape `(batch_size, max_length, num_classes)`. Received: "
            f"y_pred.shape={y_pred.shape}"
        )
    labels = cast(y_true, int32)
    count = reduce_sum(cast(not_equal(labels, 0), int32), axis=-1)
    frames = broadcast_to(shape(y_pred)[1], y_pred.nbflow_shape[:1])
    losses = ctc_loss(labels, cast(y_pred, float32), count, frames, logits_time_major=False, blank_index=0)
    return cast(losses, y_pred.dtype) if y_pred.dtype.size > 4 else losses
