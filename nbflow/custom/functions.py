"""The scalar functions that custom ops may call: what they are called in Python, and their partial derivatives.

A rule is an expression in the arguments a and b and the result y, one for each argument; "0" where it is flat, "" where
there is none.
What is not a function of vecmath is written in nbflow.custom.prelude, in the language of custom ops itself.
"""

import builtins
import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from nbflow.public import NAMES

REAL, INTEGER, TRUTH = "real", "integer", "truth"


class Function(NamedTuple):
    """A scalar function.

    Attributes:
        rules: its partial derivatives, one for each argument.
        result: the kind of its result, None for that of its arguments.
        aliases: its other names, with the module: "np.arccos".
    """

    rules: tuple[str, ...]
    result: str | None = REAL
    aliases: tuple[str, ...] = ()


def _row(*rules: str, result: str | None = REAL, aliases: str = "") -> Function:
    return Function(rules, result, tuple(aliases.split()))


FUNCTIONS: dict[str, Function] = {
    "exp": _row("y"),
    "exp2": _row("0.6931471805599453 * y"),
    "expm1": _row("exp(a)"),
    "log": _row("1 / a"),
    "log1p": _row("1 / (1 + a)"),
    "log2": _row("1.4426950408889634 / a"),
    "log10": _row("0.4342944819032518 / a"),
    "sqrt": _row("0.5 / y"),
    "rsqrt": _row("-0.5 * y / a"),
    "cbrt": _row("1 / (3 * y * y)"),
    "sin": _row("cos(a)"),
    "cos": _row("-sin(a)"),
    "tan": _row("1 + y * y"),
    "asin": _row("1 / sqrt((1 - a) * (1 + a))", aliases="np.arcsin"),
    "acos": _row("-1 / sqrt((1 - a) * (1 + a))", aliases="np.arccos"),
    "atan": _row("1 / (1 + a * a)", aliases="np.arctan"),
    "atan2": _row("b / (a * a + b * b)", "-a / (a * a + b * b)", aliases="np.arctan2"),
    "sinh": _row("cosh(a)"),
    "cosh": _row("sinh(a)"),
    "tanh": _row("1 - y * y"),
    "asinh": _row("1 / sqrt(a * a + 1)", aliases="np.arcsinh"),
    "acosh": _row("1 / sqrt((a - 1) * (a + 1))", aliases="np.arccosh"),
    "atanh": _row("1 / ((1 - a) * (1 + a))", aliases="np.arctanh"),
    "sigmoid": _row("y * (1 - y)"),
    "softplus": _row("sigmoid(a)"),
    "log_sigmoid": _row("sigmoid(-a)"),
    "erf": _row("1.1283791670955126 * exp(-a * a)"),
    "erfc": _row("-1.1283791670955126 * exp(-a * a)"),
    "lgamma": _row("psi(a)"),
    "pow": _row("b * a ** (b - 1)", "y * log(a) if a > 0 else 0", aliases="np.power"),
    "mod": _row("1", "-floor(a / b)", aliases="nf.math.floormod"),
    "fmod": _row("1", "-trunc(a / b)"),
    "copysign": _row("copysign(1, a) * copysign(1, b)", "0"),
    "abs": _row("1 if a > 0 else -1 if a < 0 else 0", result=None, aliases="math.fabs"),
    "maximum": _row("1 if a >= b else 0", "0 if a >= b else 1", result=None, aliases="builtins.max"),
    "minimum": _row("1 if a <= b else 0", "0 if a <= b else 1", result=None, aliases="builtins.min"),
    "erfinv": _row("0.886226925452758 * exp(y * y)"),
    "ndtri": _row("2.5066282746310002 * exp(0.5 * y * y)"),
    "dawsn": _row("1 - 2 * a * y"),
    "expint": _row("exp(a) / a"),
    "fresnel_cos": _row("cos(1.5707963267948966 * a * a)"),
    "fresnel_sin": _row("sin(1.5707963267948966 * a * a)"),
    "spence": _row("log(a) / (1 - a) if a != 1 else -1"),
    "bessel_i0": _row("bessel_i1(a)"),
    "bessel_i1": _row("bessel_i0(a) - (y / a if a != 0 else 0.5)"),
    "bessel_i0e": _row("bessel_i1e(a) - copysign(y, a)"),
    "bessel_i1e": _row("bessel_i0e(a) - abs(y) - (y / a if a != 0 else 0.5)"),
    "bessel_j0": _row("-bessel_j1(a)"),
    "bessel_j1": _row("bessel_j0(a) - (y / a if a != 0 else 0.5)"),
    "bessel_k0": _row("-bessel_k1(a)"),
    "bessel_k1": _row("-bessel_k0(a) - y / a"),
    "bessel_k0e": _row("y - bessel_k1e(a)"),
    "bessel_k1e": _row("y - bessel_k0e(a) - y / a"),
    "bessel_y0": _row("-bessel_y1(a)"),
    "bessel_y1": _row("bessel_y0(a) - y / a"),
    "igamma": _row("igamma_grad_a(a, b)", "exp((a - 1) * log(b) - b - lgamma(a))"),
    "igammac": _row("-igamma_grad_a(a, b)", "-exp((a - 1) * log(b) - b - lgamma(a))"),
    "igamma_grad_a": _row("", "exp((a - 1) * log(b) - b - lgamma(a)) * (log(b) - psi(a))"),
    "zeta": _row("", "-a * zeta(a + 1, b)"),
    "polygamma": _row("", "polygamma(a + 1, b)"),
    "floor": _row("0"),
    "ceil": _row("0"),
    "trunc": _row("0"),
    "rint": _row("0", aliases="nf.math.round"),
    "float": _row("1", aliases="builtins.float"),
    "int": _row("0", result=INTEGER, aliases="builtins.int"),
    "round": _row("0", result=INTEGER, aliases="builtins.round"),
    "isnan": _row("0", result=TRUTH, aliases="nf.math.is_nan"),
    "isinf": _row("0", result=TRUTH, aliases="nf.math.is_inf"),
    "isfinite": _row("0", result=TRUTH, aliases="nf.math.is_finite"),
}
PRELUDE = {  # functions of nbflow.custom.prelude -> their names
    "cube": "",
    "hypot": "math.hypot np.hypot",
    "logaddexp": "np.logaddexp",
    "psi": "nf.math.digamma",
    "reciprocal": "nf.math.reciprocal np.reciprocal",
    "relu": "nf.nn.relu",
    "sign": "nf.math.sign np.sign",
    "square": "nf.math.square np.square",
}
PLACES = ("math", "np", "nf", "nf.math", "nf.math.special", "nf.nn", "builtins")  # where functions have their own names
WHERE = "where"  # where(c, x, y) is x if c else y


def _find(name: str) -> Any:
    """The object of a name such as "np.exp", None where there is none."""
    module, _, last = name.partition(".")
    if module == "nf":
        return NAMES.get(last)
    return getattr({"math": math, "np": np, "builtins": builtins}[module], last, None)


@cache
def known() -> dict[Any, str | Callable]:
    """Python's functions, NumPy's and nbflow's -> the name of a scalar function, or one of the prelude."""
    from nbflow.custom import prelude

    found: dict[Any, str | Callable] = {}
    for name, function in FUNCTIONS.items():
        plain = () if name in ("float", "int", "round") else (f"{place}.{name}" for place in PLACES)
        for full in (*plain, *function.aliases):
            thing = _find(full)
            if callable(thing):
                found[thing] = name
    for name, aliases in PRELUDE.items():
        written = getattr(prelude, name)
        found |= {_find(full): written for full in aliases.split() if _find(full) is not None}
        found[written] = written
    found[np.where] = WHERE
    if _find("nf.where") is not None:
        found[_find("nf.where")] = WHERE
    return found


def evaluator(name: str) -> Callable | None:
    """The function as Python computes it on numbers, None where it does not."""
    special: dict[str, Callable] = {"maximum": max, "minimum": min}
    return special.get(name) or getattr(math, name, None) or getattr(builtins, name, None)
