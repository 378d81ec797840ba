"""Activations."""

import numpy as np

from nbflow.dtypes import FLOATING, float32, require
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, number, unary
from nbflow.shapes import normalize_axis
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument

relu = unary("relu", "max(x, 0)", "nn.relu", argument_name="features")
relu6 = unary("relu6", "min(max(x, 0), 6)", "nn.relu6", argument_name="features")
elu = unary("elu", "x above 0, eˣ - 1 below", "nn.elu", argument_name="features")
selu = unary(
    "selu",
    "1.0507 x above 0, 1.7581 (eˣ - 1) below, which keeps mean 0 and variance 1",
    "nn.selu",
    argument_name="features",
)
softsign = unary("softsign", "x / (1 + |x|)", "nn.softsign", "math.softsign", argument_name="features")


@export("nn.leaky_relu")
def leaky_relu(features, alpha=0.2, name=None):
    """x above 0, alpha · x below, for each element (tf.nn.leaky_relu).

    Args:
        features: a floating point tensor; integers become float32.
        alpha: the slope below 0, a number; rounded to float32.

    Returns:
        A tensor of the shape of features.
    """
    x = argument("leaky_relu", "features", features)
    return TABLE["leaky_relu"](cast(x, float32) if x.dtype.is_integer else x, alpha=float(np.float32(number(alpha))))


@export("nn.gelu")
def gelu(features, approximate=False, name=None):
    """x Φ(x), Φ being the normal distribution function (tf.nn.gelu).

    Args:
        features: a floating point tensor.
        approximate: whether to compute x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2 instead.

    Returns:
        A tensor of the shape of features.
    """
    x = argument("gelu", "features", features)
    require("gelu", "features", x.dtype, FLOATING)
    return TABLE["gelu_tanh" if approximate else "gelu"](x)


@export("nn.silu", "nn.swish")
def silu(features, beta=1.0):
    """x / (1 + exp(-beta · x)), for each element (tf.nn.silu, tf.nn.swish).

    Args:
        features: a floating point or complex tensor.
        beta: a number, or a tensor that broadcasts with features; gradients flow to it.

    Returns:
        A tensor of the shape of features.
    """
    x = argument("silu", "features", features)
    beta = cast(argument("silu", "beta", beta), x.dtype)
    return TABLE["silu"](x, beta)


@export("nn.crelu")
def crelu(features, axis=-1, name=None):
    """relu of features and of -features, joined along an axis (tf.nn.crelu).

    Args:
        features: a numeric tensor of rank 1 or more.
        axis: along which the result is twice as long.
    """
    x = argument("crelu", "features", features)
    return TABLE["relu"](TABLE["concat"](x, -x, axis=normalize_axis("crelu", axis, x.ndim)))


@export("nn.softmax", "math.softmax")
def softmax(logits, axis=None, name=None):
    """exp(x) / Σ exp(x) along an axis (tf.nn.softmax), without overflow.

    Args:
        logits: a floating point tensor of rank 1 or more.
        axis: along which the result sums to 1, by default the last one.

    Returns:
        A tensor of the shape of logits. A row with NaN or +∞, or of nothing but -∞, is NaN.
    """
    return _along_axis("softmax", logits, axis)


@export("nn.log_softmax", "math.log_softmax")
def log_softmax(logits, axis=None, name=None):
    """x - log Σ exp(x) along an axis (tf.nn.log_softmax), without overflow.

    Args:
        logits: a floating point tensor of rank 1 or more.
        axis: along which the exponentials of the result sum to 1, by default the last one.
    """
    return _along_axis("log_softmax", logits, axis)


def _along_axis(op: str, logits, axis):
    x = argument(op, "logits", logits)
    axis = axis.numpy() if isinstance(axis, TensorProtocol) else axis
    return TABLE[op](x, axis=normalize_axis(op, -1 if axis is None else axis, x.ndim))


@export("nn.zero_fraction", "math.zero_fraction")
def zero_fraction(value, name=None):
    """The share of elements that are 0 (tf.math.zero_fraction).

    Args:
        value: a numeric tensor.

    Returns:
        A float32 scalar; NaN for an empty tensor.
    """
    x = argument("zero_fraction", "value", value)
    zeros = TABLE["cast"](TABLE["equal"](x, np.zeros((), x.dtype.np)), dtype=float32)
    return TABLE["reduce_mean"](zeros, axis=tuple(range(x.ndim)), keepdims=False)
