"""The device twins of vecmath and of the intrinsics that scalar expressions use.

Kernel source calls the same names on both devices: `exp_f32(v3)` is vecmath's polynomial on a CPU and the device
library's expf on a GPU. Every twin is plain arithmetic and `math`: numba's intrinsics do not exist in the CUDA
simulator, and NumPy's functions mostly do not compile for a GPU. Accuracy on a GPU is that of the CUDA math library
(1 to 2 ulp for most, see the CUDA C++ Programming Guide, "Mathematical Functions"). The functions that branch and loop
come from device_special.py.
"""

import math
from collections.abc import Callable

import numpy as np

from nbflow.runtime import vecmath
from nbflow.runtime.device_special import NAMES, special_functions
from nbflow.runtime.intrinsics import DTYPES

ONE_ARGUMENT = (
    *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "floor", "ceil", "trunc"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
    *("erf", "erfc", "lgamma"),
)
TWO_ARGUMENTS = ("pow", "atan2", "fmod", "copysign")


class SimulatedMath:
    """What `math` is in the simulator: C's answers, inf and nan, where Python raises, in the precision of x."""

    exp, exp2, expm1 = np.exp, np.exp2, np.expm1
    log, log1p, log2, log10 = np.log, np.log1p, np.log2, np.log10
    sqrt, cbrt, floor, ceil, trunc = np.sqrt, np.cbrt, np.floor, np.ceil, np.trunc
    sin, cos, tan, asin, acos, atan = np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan
    sinh, cosh, tanh, asinh, acosh, atanh = np.sinh, np.cosh, np.tanh, np.arcsinh, np.arccosh, np.arctanh
    atan2, fmod, copysign = np.arctan2, np.fmod, np.copysign
    erf, erfc = math.erf, math.erfc

    @staticmethod
    def pow(x, y):
        """x**y; on arrays, since NumPy takes the square root for a single exponent of 0.5, wrong for -0 and -inf."""
        return np.power(np.array([x, x]), np.array([y, y]))[0]

    @staticmethod
    def lgamma(x):
        """log|gamma(x)|, infinite at the poles and where it overflows."""
        try:
            return math.lgamma(x)
        except (ValueError, OverflowError):
            return math.inf


def _of_precision(dtype, library, cuda, device: Callable) -> dict[str, Callable]:
    """The functions of one floating dtype, by their names without suffix."""

    def one(function):
        return device(lambda x: dtype(function(x)))

    def two(function):
        return device(lambda x, y: dtype(function(x, y)))

    table = {name: one(getattr(library, name)) for name in ONE_ARGUMENT}
    table |= {name: two(getattr(library, name)) for name in TWO_ARGUMENTS}
    table["cbrt"] = device(lambda x: dtype(cuda.cbrt(x)))  # numba knows it by this name only, not as a value
    exp, log1p, sqrt, copysign = table["exp"], table["log1p"], table["sqrt"], table["copysign"]
    whole = dtype(2.0 ** (23 if dtype is DTYPES["f32"] else 52))  # from here on every float is an integer

    @device
    def rsqrt(x):
        return dtype(1) / sqrt(x)

    @device
    def rint(x):
        big = copysign(whole, x)
        return copysign((x + big) - big, x) if abs(x) < whole else x

    @device
    def sigmoid(x):
        e = exp(-abs(x))
        return (e if x < dtype(0) else dtype(1)) / (dtype(1) + e)

    @device
    def softplus(x):
        return (dtype(0) if x < dtype(0) else x) + log1p(exp(-abs(x)))

    @device
    def log_sigmoid(x):
        return -softplus(-x)

    @device
    def isnan(x):
        return x != x

    @device
    def isinf(x):
        return (x == x) & (x - x != dtype(0))

    @device
    def isfinite(x):
        return x - x == dtype(0)

    written = (rsqrt, rint, sigmoid, softplus, log_sigmoid, isnan, isinf, isfinite)
    names = ("rsqrt", "rint", "sigmoid", "softplus", "log_sigmoid", "isnan", "isinf", "isfinite")
    return table | dict(zip(names, written, strict=True))


def _intrinsics(library, device: Callable) -> dict[str, Callable]:
    """The intrinsics of nbflow.runtime.intrinsics that expressions and reductions call, and `%` of floats."""
    i8, i16, i32, i64, u8, u16, u32, u64 = (DTYPES[f"{kind}{bits}"] for kind in "iu" for bits in (8, 16, 32, 64))
    fmod, copysign = library.fmod, library.copysign

    @device
    def maximum(a, b):
        return a if (a != a) | (a > b) else b

    @device
    def minimum(a, b):
        return a if (a != a) | (a < b) else b

    @device
    def add_any_order(a, b):
        return a + b

    @device
    def mul_any_order(a, b):
        return a * b

    @device
    def floor_mod(x, y):
        """x % y of floats: the exact remainder, with the sign of y."""
        r = fmod(x, y)
        if r == 0:
            return copysign(r, y)
        return r + y if (r < 0) != (y < 0) else r

    @device
    def to_int_i32(x):
        inside = (x >= -2147483648.0) & (x < 2147483648.0)
        return i32(x) if inside else i32(-2147483648)

    @device
    def to_int_i64(x):
        inside = (x >= -9223372036854775808.0) & (x < 9223372036854775808.0)
        return i64(x) if inside else i64(-9223372036854775808)

    @device
    def to_int_u64(x):
        if (x >= 9223372036854775808.0) & (x < 18446744073709551616.0):
            return u64(x)
        return u64(to_int_i64(x))

    def narrowed(kind, wide):
        @device
        def to_int(x):
            return kind(wide(x))

        return to_int

    return {
        "maximum": maximum,
        "minimum": minimum,
        "add_any_order": add_any_order,
        "mul_any_order": mul_any_order,
        "floor_mod": floor_mod,
        "to_int_i32": to_int_i32,
        "to_int_i64": to_int_i64,
        "to_int_u64": to_int_u64,
        "to_int_i8": narrowed(i8, to_int_i32),
        "to_int_i16": narrowed(i16, to_int_i32),
        "to_int_u8": narrowed(u8, to_int_i32),
        "to_int_u16": narrowed(u16, to_int_i32),
        "to_int_u32": narrowed(u32, to_int_i64),
    }


def device_functions(library, cuda, device: Callable) -> dict[str, Callable]:
    """Every function that kernel source may call, by name.

    Args:
        library: the `math` module, or SimulatedMath.
        cuda: what has the functions for which numba has no name in `math`: the `cuda` module, or SimulatedMath.
        device: makes a device function of a Python function.
    """
    table = _intrinsics(library, device)
    for code in ("f32", "f64"):
        functions = _of_precision(DTYPES[code], library, cuda, device)
        table |= {f"{name}_{code}": function for name, function in functions.items()}
    if library is SimulatedMath:
        names = (f"{name}_{code}" for name in (*NAMES, "nextafter") for code in ("f32", "f64"))
        return table | {name: getattr(vecmath, name) for name in names}
    after, after_f32 = cuda.libdevice.nextafter, cuda.libdevice.nextafterf
    table["nextafter_f64"] = device(lambda x, y: after(x, y))
    table["nextafter_f32"] = device(lambda x, y: after_f32(x, y))
    return table | special_functions(table, cuda, device)
