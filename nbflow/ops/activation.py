"""Activations: one row each, the scalar expression and the gradient rule beside it."""

import math

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.dtypes import COMPLEX, FLOATING, REAL
from nbflow.ops.elementwise import where, zeros_like
from nbflow.ops.table import TABLE, check_dtypes, composite, elementwise

T = TABLE
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.7580993408473766  # the latter times the scale
GELU_ROOT, GELU_CUBE = (float(np.float32(x)) for x in (math.sqrt(0.5), 0.044715))  # TensorFlow has these in float32
GELU_SLOPE = math.sqrt(2 / math.pi)

_erf = np.vectorize(math.erf, [float])

# what a piecewise linear function lets through: gradients flow back through g, and zeros, as in TensorFlow, to x
gate = elementwise(
    "gate", "g x", "g if x > 0 else 0",
    lambda gg, z, g, x: T["gate"](gg, x), lambda gg, z, g, x: zeros_like(x),
    dtypes=REAL, reference=lambda g, x: np.where(x > 0, g, np.zeros_like(g)),
)  # fmt: skip


def _floating(name: str, expr: str, vjp, reference, **options):
    return elementwise(name, "features", expr, vjp, dtypes=FLOATING, reference=reference, **options)


def _gelu_slope(x):
    """The derivative of gelu: Φ(x) + x φ(x)."""
    u = x * GELU_ROOT
    density = T["exp"](-u * u) * (GELU_ROOT / math.sqrt(math.pi))
    return T["erfc"](-u) * 0.5 + x * density


def _gelu_tanh_slope(x):
    t = T["tanh"]((x + x * x * x * GELU_CUBE) * GELU_SLOPE)
    inner = (x * x * (3 * GELU_CUBE) + 1) * GELU_SLOPE
    return (t + 1) * 0.5 + x * 0.5 * (1 - t * t) * inner


relu6 = elementwise(
    "relu6", "features", "0 if features < 0 else (6 if features > 6 else features)",
    lambda g, z, x: T["gate"](T["gate"](g, x), 6 - x),
    dtypes=REAL, reference=lambda x: np.minimum(np.maximum(x, 0), 6).astype(x.dtype),
)  # fmt: skip
elu = _floating(
    "elu", "expm1(features) if features < 0 else features",
    lambda g, z, x: where(z < 0, g * (z + 1), g),
    lambda x: np.where(x < 0, np.expm1(x), x),
)  # fmt: skip
selu = _floating(
    "selu", f"{SELU_ALPHA} * expm1(features) if features < 0 else {SELU_SCALE} * features",
    lambda g, z, x: g * where(z < 0, z + SELU_ALPHA, T["ones_like"](z) * SELU_SCALE),
    lambda x: np.where(x < 0, SELU_ALPHA * np.expm1(x), SELU_SCALE * x),
)  # fmt: skip
softsign = _floating(
    "softsign", "features / (1 + abs(features))",
    lambda g, z, x: g / T["square"](T["abs"](x) + 1),
    lambda x: x / (1 + np.abs(x)),
)  # fmt: skip
gelu = _floating(
    "gelu", f"0.5 * features * erfc(-features * {GELU_ROOT})",
    lambda g, z, x: g * _gelu_slope(x),
    lambda x: 0.5 * x * (1 + _erf(x * GELU_ROOT)), tolerance=16,
)  # fmt: skip
gelu_tanh = _floating(
    "gelu_tanh",
    f"0.5 * features * (1 + tanh({GELU_SLOPE} * (features + {GELU_CUBE} * (features * features * features))))",
    lambda g, z, x: g * _gelu_tanh_slope(x),
    lambda x: 0.5 * x * (1 + np.tanh(GELU_SLOPE * (x + GELU_CUBE * x * x * x))), tolerance=16,
)  # fmt: skip


def _silu_slope(x, beta):
    s = T["sigmoid"](beta * x)
    return s * (1 + beta * x * (1 - s))


def _silu_slope_of_beta(x, beta):
    s = T["sigmoid"](beta * x)
    return x * x * s * (1 - s)


silu = elementwise(
    "silu", "features beta", "features * sigmoid(beta * features)",
    lambda g, z, x, beta: g * _silu_slope(x, beta),
    lambda g, z, x, beta: g * _silu_slope_of_beta(x, beta),  # not conjugate, as TensorFlow's
    dtypes=FLOATING + COMPLEX, reference=lambda x, beta: x / (1 + np.exp(-beta * x)), tolerance=8,
)  # fmt: skip


def _infer_leaky_relu(avals, attrs):
    check_dtypes("leaky_relu", ("features",), avals, FLOATING)
    return aval(avals[0].dtype, avals[0].shape)


def _leaky_slope(x, alpha):
    return where(x > 0, T["ones_like"](x), T["fill_like"](x, shape=x.shape, value=alpha))


leaky_relu_slope = composite(
    "leaky_relu_slope", "features", _leaky_slope, _infer_leaky_relu,
    vjp=lambda k, g, inputs, output, attrs: zeros_like(g),
    dtypes=FLOATING, reference=lambda x, alpha: np.where(x > 0, 1, alpha).astype(x.dtype),
)  # fmt: skip
leaky_relu = composite(
    "leaky_relu", "features",
    lambda x, alpha: where(x > 0, x, x * alpha),
    _infer_leaky_relu,
    vjp=lambda k, g, inputs, output, attrs: g * T["leaky_relu_slope"](inputs[0], **attrs),
    dtypes=FLOATING, reference=lambda x, alpha: np.where(x > 0, x, x * alpha),
)  # fmt: skip
