"""Activations (tf.keras.activations). Each takes a tensor-like x and gives a tensor of its shape."""

import math
import warnings

from nbflow.arrays.joining import where
from nbflow.arrays.ordering import sort
from nbflow.arrays.slicing import split
from nbflow.keras.settings import floatx
from nbflow.math.scans import cumsum
from nbflow.nn import activations as nn
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, unary
from nbflow.shapes import Dim, normalize_axis
from nbflow.tensor.tensor import to_tensor

relu6 = unary("relu6", "min(max(x, 0), 6)", "keras.activations.relu6")
selu = unary(
    "selu",
    "1.0507 x above 0, 1.7581 (eˣ - 1) below, which keeps mean 0 and variance 1",
    "keras.activations.selu",
)
softplus = unary("softplus", "log(1 + eˣ)", "keras.activations.softplus")
softsign = unary("softsign", "x / (1 + |x|)", "keras.activations.softsign")
log_sigmoid = unary("log_sigmoid", "-log(1 + e⁻ˣ)", "keras.activations.log_sigmoid")


@export("keras.activations.linear")
def linear(x):
    """x itself (tf.keras.activations.linear)."""
    return x


def _floating(x):
    """x as a tensor; of integers, in the dtype that layers have by default."""
    x = to_tensor(x)
    return x if x.dtype.is_differentiable else cast(x, floatx())


@export("keras.activations.tanh")
def tanh(x):
    """The hyperbolic tangent (tf.keras.activations.tanh)."""
    return TABLE["tanh"](_floating(x))


@export("keras.activations.exponential")
def exponential(x):
    """eˣ (tf.keras.activations.exponential)."""
    return TABLE["exp"](_floating(x))


@export("keras.activations.relu")
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """x above the threshold, negative_slope · (x - threshold) below, at most max_value (tf.keras.activations.relu).

    Example:
        >>> import nbflow as nf
        >>> nf.keras.activations.relu([-10.0, 0.5, 9.0], negative_slope=0.1, max_value=6.0).numpy().tolist()
        [-1.0, 0.5, 6.0]
    """
    x = to_tensor(x)
    if negative_slope and max_value is None and not threshold:
        return nn.leaky_relu(x, negative_slope)
    if threshold:
        above = where(x > threshold, x, 0)
    else:
        above = TABLE["relu6" if max_value == 6 else "relu"](x)
    if max_value is not None and (threshold or max_value != 6):
        above = TABLE["clip_by_value"](above, *(cast(to_tensor(v), x.dtype) for v in (0, max_value)))
    return above - negative_slope * TABLE["relu"](threshold - x) if negative_slope else above


@export("keras.activations.leaky_relu")
def leaky_relu(x, negative_slope=0.2):
    """x above 0, negative_slope · x below (tf.keras.activations.leaky_relu)."""
    return nn.leaky_relu(x, negative_slope)


@export("keras.activations.elu")
def elu(x, alpha=1.0):
    """x above 0, alpha (eˣ - 1) below (tf.keras.activations.elu)."""
    x = to_tensor(x)
    curve = TABLE["elu"](x)
    return curve if alpha == 1 else where(x > 0, curve, alpha * curve)


@export("keras.activations.celu")
def celu(x, alpha=1.0):
    """max(x, 0) + alpha (exp(min(x, 0) / alpha) - 1) (tf.keras.activations.celu)."""
    x = to_tensor(x)
    return TABLE["maximum"](x, 0.0) + alpha * TABLE["expm1"](TABLE["minimum"](x, 0.0) / alpha)


@export("keras.activations.gelu")
def gelu(x, approximate=False):
    """x Φ(x), Φ being the normal distribution function; approximate: by tanh (tf.keras.activations.gelu)."""
    return nn.gelu(x, approximate)


@export("keras.activations.silu", "keras.activations.swish")
def silu(x):
    """x · sigmoid(x) (tf.keras.activations.silu)."""
    return nn.silu(x)


@export("keras.activations.mish")
def mish(x):
    """x · tanh(softplus(x)) (tf.keras.activations.mish)."""
    x = to_tensor(x)
    return x * TABLE["tanh"](TABLE["softplus"](x))


@export("keras.activations.sigmoid")
def sigmoid(x):
    """1 / (1 + e⁻ˣ) (tf.keras.activations.sigmoid). The result remembers x, from which losses are exact."""
    x = to_tensor(x)
    output = TABLE["sigmoid"](x)
    output._keras_logits = x
    return output


@export("keras.activations.hard_sigmoid")
def hard_sigmoid(x):
    """relu6(x + 3) / 6 (tf.keras.activations.hard_sigmoid)."""
    return TABLE["relu6"](to_tensor(x) + 3) / 6


@export("keras.activations.hard_silu", "keras.activations.hard_swish")
def hard_silu(x):
    """x · hard_sigmoid(x) (tf.keras.activations.hard_silu)."""
    x = to_tensor(x)
    return x * hard_sigmoid(x)


@export("keras.activations.hard_tanh")
def hard_tanh(x):
    """x, at least -1 and at most 1 (tf.keras.activations.hard_tanh)."""
    return TABLE["clip_by_value"](to_tensor(x), -1, 1)


@export("keras.activations.tanh_shrink")
def tanh_shrink(x):
    """x - tanh(x) (tf.keras.activations.tanh_shrink)."""
    x = to_tensor(x)
    return x - TABLE["tanh"](x)


@export("keras.activations.soft_shrink")
def soft_shrink(x, threshold=0.5):
    """x moved towards 0 by the threshold, 0 within it (tf.keras.activations.soft_shrink)."""
    x = to_tensor(x)
    return where(x > threshold, x - threshold, where(x < -threshold, x + threshold, 0))


@export("keras.activations.hard_shrink")
def hard_shrink(x, threshold=0.5):
    """x, 0 within ± the threshold (tf.keras.activations.hard_shrink)."""
    x = to_tensor(x)
    return where(TABLE["abs"](x) > threshold, x, 0)


@export("keras.activations.threshold")
def threshold(x, threshold, default_value):
    """x above the threshold, default_value elsewhere (tf.keras.activations.threshold)."""
    x = to_tensor(x)
    return where(x > threshold, x, default_value)


@export("keras.activations.squareplus")
def squareplus(x, b=4):
    """(x + √(x² + b)) / 2 (tf.keras.activations.squareplus)."""
    x = to_tensor(x)
    return (x + TABLE["sqrt"](TABLE["square"](x) + b)) / 2


@export("keras.activations.sparse_plus")
def sparse_plus(x):
    """0 below -1, x above 1, (x + 1)² / 4 between (tf.keras.activations.sparse_plus)."""
    x = to_tensor(x)
    return where(x <= -1, 0, where(x < 1, TABLE["square"](x + 1) / 4, x))


@export("keras.activations.sparse_sigmoid")
def sparse_sigmoid(x):
    """0 below -1, 1 above 1, (x + 1) / 2 between (tf.keras.activations.sparse_sigmoid)."""
    x = to_tensor(x)
    return where(x <= -1, 0, where(x >= 1, 1, 0.5 * (x + 1)))


@export("keras.activations.glu")
def glu(x, axis=-1):
    """The first half along an axis, times the sigmoid of the second (tf.keras.activations.glu).

    Raises:
        ValueError: the size is odd.
    """
    x = to_tensor(x)
    if x.nbflow_shape[axis] % 2:
        raise ValueError(f"axis size must be divisible by 2. Received: x.shape={x.shape} with axis={axis}")
    first, second = split(x, 2, axis=axis)
    return first * TABLE["sigmoid"](second)


@export("keras.activations.softmax")
def softmax(x, axis=-1):
    """exp(x) / Σ exp(x) along an axis or a tuple of axes; None: all (tf.keras.activations.softmax).

    The result remembers x, from which losses are exact.
    """
    x = to_tensor(x)
    if isinstance(axis, int) and -x.ndim <= axis < x.ndim and _is_one(x.nbflow_shape[axis]):
        warnings.warn(
            f"You are using a softmax over axis {axis} of a tensor of shape {x.shape}. This axis has size 1. The "
            f"softmax operation will always return the value 1, which is likely not what you intended. Did you mean to "
            f"use a sigmoid instead?",
            stacklevel=2,
        )
    output = _along("softmax", x, axis)
    output._keras_logits = x
    return output


@export("keras.activations.log_softmax")
def log_softmax(x, axis=-1):
    """x - log Σ exp(x) along an axis or a tuple of axes; None: all (tf.keras.activations.log_softmax)."""
    return _along("log_softmax", to_tensor(x), axis)


def _is_one(size) -> bool:
    return not isinstance(size, Dim) and size == 1


def _along(op: str, x, axis):
    """An op of the last axis, along others, which it sees as one."""
    axes = tuple(range(x.ndim)) if axis is None else axis
    if not isinstance(axes, (tuple, list)):
        return TABLE[op](x, axis=normalize_axis(op, axes, x.ndim))
    axes = tuple(normalize_axis(op, a, x.ndim) for a in axes)
    order = (*(a for a in range(x.ndim) if a not in axes), *axes)
    moved = TABLE["transpose"](x, perm=order)
    shape, kept = tuple(moved.nbflow_shape), x.ndim - len(axes)
    rows = TABLE["reshape"](moved, shape=(*shape[:kept], math.prod(shape[kept:])))
    back = tuple(order.index(a) for a in range(x.ndim))
    return TABLE["transpose"](TABLE["reshape"](TABLE[op](rows, axis=kept), shape=shape), perm=back)


@export("keras.activations.sparsemax")
def sparsemax(x, axis=-1):
    """max(x - τ, 0) along an axis, τ being Keras' (tf.keras.activations.sparsemax).

    With the k elements that are above (sum of the greater ones and themselves - 1) / rank, Keras takes τ = (Σ of these
    sums - 1) / k. The point of the simplex that is nearest to x, the sparsemax of Martins and Astudillo (2016), has
    the last of these sums instead, so results add up to 1 only where k = 1.
    """
    x = to_tensor(x)
    axis = normalize_axis("sparsemax", axis, x.ndim)
    descending = sort(x, axis=axis, direction="DESCENDING")
    sums = cumsum(descending, axis=axis)
    ones = TABLE["fill_like"](x, shape=tuple(x.nbflow_shape), value=1)
    support = descending > (sums - 1) / cumsum(ones, axis=axis)
    size = TABLE["reduce_sum"](cast(support, x.dtype), axis=(axis,), keepdims=True)
    tau = (TABLE["reduce_sum"](where(support, sums, 0), axis=(axis,), keepdims=True) - 1) / size
    return TABLE["maximum"](x - tau, 0.0)
