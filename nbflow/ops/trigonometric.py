"""Trigonometric and hyperbolic functions and their inverses, beside sin, cos and tanh of ops/elementwise.py."""

from collections.abc import Callable

import numpy as np

from nbflow.dtypes import FLOATING, INEXACT
from nbflow.ops.elementwise import conj
from nbflow.ops.table import TABLE, elementwise

T = TABLE


def _row(name: str, vjp: Callable, reference: Callable):
    return elementwise(name, "x", f"{name}(x)", vjp, dtypes=INEXACT, reference=reference)


def _one_minus_square(x):
    return 1 - T["square"](conj(x))


tan = _row("tan", lambda g, z, x: g * T["square"](T["reciprocal"](T["cos"](conj(x)))), np.tan)
asin = _row("asin", lambda g, z, x: g * T["rsqrt"](_one_minus_square(x)), np.arcsin)
acos = _row("acos", lambda g, z, x: -g * T["rsqrt"](_one_minus_square(x)), np.arccos)
atan = _row("atan", lambda g, z, x: g / (1 + T["square"](conj(x))), np.arctan)
sinh = _row("sinh", lambda g, z, x: g * T["cosh"](conj(x)), np.sinh)
cosh = _row("cosh", lambda g, z, x: g * T["sinh"](conj(x)), np.cosh)
asinh = _row("asinh", lambda g, z, x: g / T["cosh"](conj(z)), np.arcsinh)
acosh = _row("acosh", lambda g, z, x: g / T["sinh"](conj(z)), np.arccosh)
atanh = _row("atanh", lambda g, z, x: g / _one_minus_square(x), np.arctanh)
atan2 = elementwise(
    "atan2", "y x", "atan2(y, x)",
    lambda g, z, y, x: x * (g / (y * y + x * x)), lambda g, z, y, x: -y * (g / (y * y + x * x)),
    dtypes=FLOATING, reference=np.arctan2,
)  # fmt: skip
