"""Special functions: one row each, the gradient as TensorFlow has it; see runtime/vecmath for how they are computed.

Some arguments have no gradient, as in TensorFlow: the order of polygamma and zeta, the exponents of betainc.
"""

import math
from collections.abc import Callable

import numpy as np

from nbflow.dtypes import FLOATING, FULL, DType, float16
from nbflow.ops.elementwise import where, zeros_like
from nbflow.ops.table import TABLE, elementwise
from nbflow.runtime import vecmath

T = TABLE
SOME = (*FULL, float16)  # what TensorFlow has kernels for


def _reference(name: str) -> Callable:
    """vecmath's float64 function, which is tested against mpmath, over arrays."""
    function = getattr(vecmath, f"{name}_f64")
    return lambda *arrays: np.vectorize(function, [float])(*arrays)


def _row(name: str, *vjps: Callable | None, arguments: str = "x", dtypes: tuple[DType, ...] = FULL, **options):
    expr = f"{name}({', '.join(arguments.split())})"
    return elementwise(name, arguments, expr, *vjps, dtypes=dtypes, reference=_reference(name), **options)


def _at_zero(x, value: float, otherwise):
    """value where x is 0, whose slope the formula divides by x."""
    return where(T["equal"](x, 0), zeros_like(x) + value, otherwise)


# the error function and its inverses
erfc = _row("erfc", lambda g, z, x: g * (-2 / math.sqrt(math.pi)) * T["exp"](-x * x), dtypes=FLOATING)
erfinv = _row("erfinv", lambda g, z, x: g * (math.sqrt(math.pi) / 2) * T["exp"](z * z))
ndtri = _row("ndtri", lambda g, z, x: g * math.sqrt(2 * math.pi) * T["exp"](z * z / 2))

# the gamma function's family
lgamma = _row("lgamma", lambda g, z, x: g * T["digamma"](x), dtypes=SOME)
digamma = _row("digamma", lambda g, z, x: g * T["polygamma"](1, x), dtypes=SOME)
polygamma = _row("polygamma", None, lambda g, z, a, x: g * T["polygamma"](a + 1, x), arguments="a x")
zeta = _row("zeta", None, lambda g, z, x, q: g * (-x * T["zeta"](x + 1, q)), arguments="x q")


def _density(a, x):
    """The slope of igamma by x."""
    return T["exp"](-x + (a - 1) * T["log"](x) - T["lgamma"](a))


igamma_grad_a = _row("igamma_grad_a", arguments="a x")
igamma = _row(
    "igamma", lambda g, z, a, x: g * T["igamma_grad_a"](a, x), lambda g, z, a, x: g * _density(a, x), arguments="a x"
)
igammac = _row(
    "igammac", lambda g, z, a, x: -g * T["igamma_grad_a"](a, x), lambda g, z, a, x: -g * _density(a, x), arguments="a x"
)


def _betainc_slope(g, z, a, b, x):
    log_beta = T["lgamma"](a) + T["lgamma"](b) - T["lgamma"](a + b)
    return g * T["exp"](T["xlog1py"](b - 1, -x) + T["xlogy"](a - 1, x) - log_beta)


betainc = _row("betainc", None, None, _betainc_slope, arguments="a b x")

# Bessel functions
bessel_i0 = _row("bessel_i0", lambda g, z, x: g * T["bessel_i1"](x), dtypes=SOME)
bessel_i0e = _row("bessel_i0e", lambda g, z, x: g * (T["bessel_i1e"](x) - T["sign"](x) * z), dtypes=SOME)
bessel_i1 = _row("bessel_i1", lambda g, z, x: g * _at_zero(x, 1.0, T["bessel_i0"](x) - z / x), dtypes=SOME)
bessel_i1e = _row(
    "bessel_i1e",
    lambda g, z, x: g * _at_zero(x, 0.5, T["bessel_i0e"](x) - z * (T["sign"](x) + T["reciprocal"](x))),
    dtypes=SOME,
)
bessel_k0 = _row("bessel_k0", lambda g, z, x: -g * T["bessel_k1"](x), dtypes=SOME)
bessel_k0e = _row("bessel_k0e", lambda g, z, x: g * (z - T["bessel_k1e"](x)), dtypes=SOME)
bessel_k1 = _row("bessel_k1", lambda g, z, x: g * (-T["bessel_k0"](x) - z / x), dtypes=SOME)
bessel_k1e = _row("bessel_k1e", lambda g, z, x: g * (z * (1 - T["reciprocal"](x)) - T["bessel_k0e"](x)), dtypes=SOME)
bessel_j0 = _row("bessel_j0", lambda g, z, x: -g * T["bessel_j1"](x), dtypes=SOME)
bessel_j1 = _row("bessel_j1", lambda g, z, x: g * _at_zero(x, 0.5, T["bessel_j0"](x) - z / x), dtypes=SOME)
bessel_y0 = _row("bessel_y0", lambda g, z, x: -g * T["bessel_y1"](x), dtypes=SOME)
bessel_y1 = _row("bessel_y1", lambda g, z, x: g * (T["bessel_y0"](x) - z / x), dtypes=SOME)

# integrals
dawsn = _row("dawsn", lambda g, z, x: g * (1 - 2 * (x * z)))
expint = _row("expint", lambda g, z, x: g * T["exp"](x) / x)
fresnel_cos = _row("fresnel_cos", lambda g, z, x: g * T["cos"](math.pi / 2 * (x * x)))
fresnel_sin = _row("fresnel_sin", lambda g, z, x: g * T["sin"](math.pi / 2 * (x * x)))
spence = _row("spence", lambda g, z, x: g * where(T["equal"](x, 1), zeros_like(x) - 1, T["log"](x) / (1 - x)))
