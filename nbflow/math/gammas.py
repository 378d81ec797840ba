"""Functions of nf.math around the gamma function, the error function and the normal distribution."""

import math

from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import binary, export, unary
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument

erf = unary("erf", "The error function 2/√π ∫₀ˣ exp(-t²) dt")
erfc = unary("erfc", "1 - erf(x), accurate for large x")
erfinv = unary("erfinv", "The inverse of the error function: ±∞ at ±1, NaN beyond")
ndtri = unary("ndtri", "The quantile of the standard normal distribution: the inverse of its distribution function")
lgamma = unary("lgamma", "log |Γ(x)|")
digamma = unary("digamma", "The derivative of log Γ(x)")
zeta = binary("zeta", "Hurwitz' zeta function Σ (q + k)⁻ˣ over k = 0, 1, 2 …", arguments=("x", "q"))
polygamma = binary("polygamma", "The derivative of order a of the digamma function at x", arguments=("a", "x"))
igamma = binary("igamma", "The lower incomplete gamma function ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt / Γ(a)", arguments=("a", "x"))
igammac = binary("igammac", "The upper incomplete gamma function 1 - igamma(a, x)", arguments=("a", "x"))
_betainc = TABLE["betainc"]


@export("math.erfcinv")
def erfcinv(x, name=None):
    """The inverse of erfc, for each element (tf.math.erfcinv): ∞ at 0, -∞ at 2, NaN beyond.

    Args:
        x: a tensor of float32 or float64 in [0, 2].
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of x.
    """
    x = argument("erfcinv", "x", x)
    return -TABLE["ndtri"](0.5 * x) * math.sqrt(0.5)


@export("math.betainc")
def betainc(a, b, x, name=None):
    """The regularised incomplete beta function ∫₀ˣ tᵃ⁻¹ (1 - t)ᵇ⁻¹ dt / B(a, b), for each element (tf.math.betainc).

    The gradient is that by x alone, as in TensorFlow.

    Args:
        a, b: tensors of float32 or float64, above 0.
        x: a tensor of the same dtype, from 0 to 1. All shapes that are not scalars have to be equal.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of those.

    Raises:
        InvalidArgumentError: dtypes or shapes differ.
    """
    hint = next((v.dtype for v in (a, b, x) if isinstance(v, TensorProtocol)), None)
    a = argument("betainc", "a", a, hint)
    b, x = (argument("betainc", name, v, a.dtype) for name, v in (("b", b), ("x", x)))
    shapes = {tuple(v.nbflow_shape) for v in (a, b, x) if v.ndim}
    if len(shapes) > 1:
        raise InvalidArgumentError(
            f"betainc: a, b and x have shapes {a.shape}, {b.shape} and {x.shape}; those that are not scalars have to "
            f"be equal. Use nf.broadcast_to."
        )
    return _betainc(a, b, x)


@export("math.lbeta")
def lbeta(x, name=None):
    """log |B(x)| = Σ log |Γ(xᵢ)| - log |Γ(Σ xᵢ)| over the last axis (tf.math.lbeta).

    Args:
        x: a tensor of float16, float32 or float64 with one axis or more.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor without the last axis; -∞ where that is empty.

    Raises:
        InvalidArgumentError: x is a scalar, or of another dtype.
    """
    x = argument("lbeta", "x", x)
    if not x.ndim:
        raise InvalidArgumentError("lbeta: x is a scalar; it takes a tensor whose last axis lists the arguments.")
    total = TABLE["reduce_sum"]
    last = {"axis": (x.ndim - 1,), "keepdims": False}
    return total(TABLE["lgamma"](x), **last) - TABLE["lgamma"](total(x, **last))
