"""Calls of the elementwise functions of tf.math, tf.math.special and tf.bitwise beside those of `basic`."""

import numpy as np

from .common import *

C64, C128 = np.complex64, np.complex128
UNIT = np.array([-0.95, -0.6, -0.1, 0.2, 0.5, 0.99])
POSITIVE = np.array([0.05, 0.37, 0.8, 1.7, 3.3, 6.1, 11.0])
EDGES = np.array([0.0, 1, -1, 2.5, np.inf, -np.inf, np.nan])
PLANE = np.array([0.3 + 0.4j, -1.2 + 0.5j, 0.7 - 2.1j, -0.4 - 0.3j, 2.0, 1.5j, -1.1 + 0.2j])

# name -> where it is smooth, and where else it is asked
UNARY = {
    "tan": (SAFE, POINTS[:-3]),
    "asin": (UNIT, POINTS),
    "acos": (UNIT, POINTS),
    "atan": (SAFE, POINTS),
    "sinh": (SAFE, POINTS),
    "cosh": (SAFE, POINTS),
    "asinh": (SAFE, POINTS),
    "acosh": (POSITIVE + 1, POINTS),
    "atanh": (UNIT, POINTS),
    "rint": (None, POINTS),
    "log_sigmoid": (SAFE, POINTS),
    "reciprocal_no_nan": (SAFE, np.array([0.0, -0.0, 2, np.inf, np.nan])),
    "erfc": (SAFE, POINTS[:-3]),
    "erfinv": (UNIT, np.array([0, 1, -1, 1.5, np.nan])),
    "ndtri": ((UNIT + 1) / 2, np.array([0, 1, 0.5, -0.5, np.nan])),
    "erfcinv": (UNIT + 1, np.array([0, 1, 2, -0.5, np.nan])),
    "lgamma": (POSITIVE, np.array([0, -1, -0.5, -2.7, 30.0, np.inf, np.nan])),
    "digamma": (POSITIVE, np.array([0, -1, -0.5, -2.7, 30.0, np.inf, np.nan])),
    "bessel_i0": (SAFE, np.array([0, 20, -20.0])),
    "bessel_i0e": (SAFE, np.array([0, 20, -20.0, np.inf])),
    "bessel_i1": (SAFE, np.array([0, 20, -20.0])),
    "bessel_i1e": (SAFE, np.array([0, 20, -20.0, np.inf])),
    "special.bessel_j0": (POSITIVE, np.array([0, -2, 5.0])),
    "special.bessel_j1": (POSITIVE, np.array([0, -2, 5.0])),
    "special.bessel_k0": (POSITIVE, np.array([0, -2, 50.0])),
    "special.bessel_k0e": (POSITIVE, np.array([0, -2, 50.0])),
    "special.bessel_k1": (POSITIVE, np.array([0, -2, 50.0])),
    "special.bessel_k1e": (POSITIVE, np.array([0, -2, 50.0])),
    "special.bessel_y0": (POSITIVE, np.array([0, -2, 5.0])),
    "special.bessel_y1": (POSITIVE, np.array([0.001, -2, 5.0])),
    "special.dawsn": (SAFE, np.array([0, 10, np.inf])),
    "special.expint": (POSITIVE, np.array([0, -1, 30.0, np.inf])),
    "special.fresnel_cos": (SAFE, np.array([0, 5, np.inf, -np.inf])),
    "special.fresnel_sin": (SAFE, np.array([0, 5, np.inf, -np.inf])),
    "special.spence": (POSITIVE, np.array([0, 1, -1, np.inf])),
}
INEXACT_TWICE = "tan asin acos atan sinh cosh asinh acosh atanh bessel_i1 bessel_i1e special.bessel_j1 special.spence"
BINARY = {
    "atan2": (SAFE, SAFE[::-1]),
    "divide_no_nan": (SAFE, SAFE[::-1]),
    "multiply_no_nan": (SAFE, SAFE[::-1]),
    "xlogy": (SAFE, np.abs(SAFE[::-1])),
    "xlog1py": (SAFE, np.abs(SAFE[::-1])),
    "xdivy": (SAFE, SAFE[::-1]),
    "nextafter": (SAFE, SAFE[::-1]),
    "igamma": (POSITIVE, POSITIVE[::-1] / 2),
    "igammac": (POSITIVE, POSITIVE[::-1] / 2),
    "zeta": (POSITIVE + 1.1, POSITIVE[::-1]),
    "polygamma": (np.array([0, 1, 2, 3, 5, 1, 2]), POSITIVE),
}
COMPLEX = (
    "abs angle conj real imag sign square negative sqrt rsqrt reciprocal reciprocal_no_nan exp expm1 log log1p sigmoid "
    "sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
)
INTEGERS = (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)


def cases() -> list[Case]:
    """All cases, in order."""
    return [*_unary(), *_binary(), *_complex(), *_halves(), *_bits(), *_others()]


def _named(tf, name: str):
    for part in name.split("."):
        tf = getattr(tf, part)
    return tf


def _call(name: str):
    return lambda tf, *x: _named(tf.math, name)(*x)


def _twice(name: str):
    """The gradient, which a case then differentiates again."""

    def function(tf, x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = _named(tf.math, name)(x)
        return tape.gradient(y, x)

    return function


def _relaxed(found: list[Case], tolerance: float) -> list[Case]:
    for case in found:
        case.tolerance = tolerance
    return found


def _unary() -> list[Case]:
    found = []
    for name, (smooth, others) in UNARY.items():
        tolerance = 512 if "." in name or name.startswith(("bessel", "erf", "ndtri", "digamma", "lgamma")) else 64
        part = both(name, _call(name), others)
        if smooth is not None:
            part += both(f"{name}/gradient", _call(name), smooth, gradient=True)
        if name in INEXACT_TWICE.split():
            part += both(f"{name}/twice", _twice(name), smooth, gradient=True)
        found += _relaxed(part, tolerance)
    return found


def _binary() -> list[Case]:
    found = []
    x, y = (a.reshape(-1) for a in np.meshgrid(EDGES, EDGES))
    for name, (one, two) in BINARY.items():
        special = name in ("igamma", "igammac", "zeta", "polygamma")
        part = both(f"{name}/gradient", _call(name), one, two, gradient=True)
        part += both(f"{name}/broadcast", _call(name), one[:3, None], two[:2])
        if not special:
            part += both(name, _call(name), x, y)
        found += _relaxed(part, 4096 if special else 64)
    at = [(0.0, 2.0), (1.0, 0.0), (-1.0, 1.0), (1.0, -1.0), (2.0, np.inf), (np.nan, 1.0), (1.0, np.nan)]
    for name in ("igamma", "igammac", "polygamma"):
        found += both(f"{name}/edges", _call(name), *np.array(at).T)
    poles = [(1.0, 2.0), (0.5, 2.0), (2.0, 0.0), (3.0, -1.0), (2.0, -0.5), (2.5, -0.5), (2.0, np.inf), (np.nan, 1.0)]
    found += _relaxed(both("zeta/edges", _call("zeta"), *np.array(poles).T), 256)
    betas = np.array([(0.6, 1.4, 0.3), (2.5, 3.5, 0.6), (9, 12, 0.4), (40, 3, 0.95)]).T
    found += _relaxed(both("betainc", _call("betainc"), *betas, gradient=True), 4096)
    found += both("betainc/edges", _call("betainc"), [1, 1, 0, 1, 1, 1], [2, 2, 1, -1, 1, 1.0], [0, 1, 0.5, 0.5, 2, -1])
    found += _relaxed(both("betainc/scalars", lambda tf, x: tf.math.betainc(1.0, 2.0, x), [0.1, 0.7])[:1], 256)
    masked = lambda tf, x: [tf.math.xlogy(x, x), tf.math.xdivy(x, x), tf.math.divide_no_nan(x, x)]
    found += both("guarded/zero", masked, [0.0, 1.0, 2.0], gradient=True)
    return found


def _complex() -> list[Case]:
    found = []
    for dtype in (C64, C128):
        name_of = np.dtype(dtype).name
        for name in COMPLEX.split():
            found.append(Case(f"{name}/{name_of}", _call(name), [PLANE.astype(dtype)], gradient=True, tolerance=128))
        for name in ("pow", "xlogy", "xlog1py", "xdivy", "divide_no_nan", "multiply_no_nan", "divide", "multiply"):
            inputs = [PLANE.astype(dtype), PLANE[::-1].astype(dtype)]
            found.append(Case(f"{name}/{name_of}", _call(name), inputs, gradient=True, tolerance=256))
    real = lambda tf, x, y: [tf.complex(x, y), tf.abs(tf.complex(x, y)), tf.math.angle(tf.complex(x, y)) * x]
    found += both("complex", real, SAFE[:, None], SAFE[:2], gradient=True)
    found += both("complex/zero", lambda tf, x: tf.abs(tf.complex(x, x)), [0.0, 1.0], gradient=True)
    parts = lambda tf, x: [tf.math.real(x), tf.math.imag(x), tf.math.conj(x), tf.math.angle(x)]
    found += both("parts of real numbers", parts, [1.5, -2.0, 0.0])
    return found


def _halves() -> list[Case]:
    """Functions of halves: TensorFlow rounds some of them at every step, so that the last places may differ."""
    found = []
    for name in ("tan", "asin", "atan", "sinh", "asinh", "lgamma", "digamma", "bessel_i0e", "erfc", "log_sigmoid"):
        found.append(Case(f"{name}/float16", _call(name), [UNIT.astype(np.float16)], tolerance=8))
    for name in ("divide_no_nan", "xlogy", "atan2"):
        inputs = [np.abs(SAFE).astype(np.float16), np.abs(SAFE[::-1]).astype(np.float16)]
        found.append(Case(f"{name}/float16", _call(name), inputs, tolerance=8))
    return found


def _bits() -> list[Case]:
    found = []
    for dtype in INTEGERS:
        info = np.iinfo(dtype)
        x = np.array([5, 12, info.max, info.min, 1, 100, info.max // 3], dtype)
        y = np.array([3, 10, 1, info.max, 7, 2, 5], dtype)
        name_of = np.dtype(dtype).name
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
            found.append(Case(f"{name}/{name_of}", lambda tf, x, y, n=name: getattr(tf.bitwise, n)(x, y), [x, y]))
        shift = lambda tf, x, y: [tf.bitwise.left_shift(x, y % 7), tf.bitwise.right_shift(x, y % 7)]
        found.append(Case(f"shifts/{name_of}", shift, [x, y]))
        found.append(Case(f"invert/{name_of}", lambda tf, x: tf.bitwise.invert(x), [x]))
    beyond = lambda tf, x: [tf.bitwise.left_shift(x, [31, 32, -1, 100]), tf.bitwise.right_shift(x, [31, 32, -1, 100])]
    found.append(Case("shifts/beyond", beyond, [np.array([1, 3, 5, -7], I32)]))
    bits = {
        "int32": lambda tf, x: tf.bitcast(x, tf.int32),
        "uint8": lambda tf, x: tf.bitcast(x, tf.uint8),
        "float64": lambda tf, x: tf.bitcast(x, tf.float64),
        "complex64": lambda tf, x: tf.bitcast(x, type="complex64"),
    }
    for name, function in bits.items():
        found.append(Case(f"bitcast/{name}", function, [np.array([[1.5, -2.0], [0.0, 3.0]], F32)]))
    return found


def _others() -> list[Case]:
    rows = np.array([[1.0, 2.0, 3.0], [0.5, 0.7, 4.0]])
    found = _relaxed(both("lbeta", lambda tf, x: [tf.math.lbeta(x), tf.math.lbeta(x[0])], rows, gradient=True), 256)
    found += both("lbeta/empty", lambda tf, x: tf.math.lbeta(x), np.zeros((2, 0)))
    found += both("polyval", lambda tf, x: tf.math.polyval([x, x * 2, tf.ones_like(x)], x), SAFE, gradient=True)
    found.append(
        Case("polyval/numbers", lambda tf: [tf.math.polyval([1.0, 2.0, 3.0], 2.0), tf.math.polyval([], 2.0)], [])
    )
    found += both("scalar_mul", lambda tf, x: [tf.scalar_mul(2, x), tf.math.scalar_mul(x[0], x)], SAFE, gradient=True)
    monotone = lambda tf, x: [
        *(f(x) for f in (tf.math.is_non_decreasing, tf.math.is_strictly_increasing)),
        *(f(x[:1]) for f in (tf.math.is_non_decreasing, tf.math.is_strictly_increasing)),
    ]
    for k, values in enumerate(([1, 2, 2], [1, 2, 3], [3, 2], [[1, 2], [2, 3]])):
        found.append(Case(f"monotone/{k}", monotone, [np.array(values, I32)]))
    # In TensorFlow the place of a NaN in the array decides which small integer it becomes, and int64 that a target
    # holds is clipped to its least number
    points = np.append(POINTS[~np.isnan(POINTS)], [300.0, -300, 3e9, -3e9, 1e30])
    for name in ("uint8", "int8", "int32", "int64", "float16", "float32", "complex64"):
        found += both(f"saturate_cast/{name}", lambda tf, x, n=name: tf.saturate_cast(x, getattr(tf, n)), points)
        whole = lambda tf, x, n=name: tf.saturate_cast(x, getattr(tf, n))
        if name not in ("int64", "float32", "complex64"):
            found.append(Case(f"saturate_cast/int64 to {name}", whole, [np.array([2**40, -(2**40), 7, -1])]))
    found.append(Case("saturate_cast/complex", lambda tf, x: tf.saturate_cast(x, tf.int8), [PLANE.astype(C64) * 100]))
    for dtype in (I32, I64):
        inputs = [INTS.astype(dtype), DIVISORS.astype(dtype)]
        found.append(Case(f"truncatemod/{np.dtype(dtype).name}", lambda tf, x, y: tf.truncatemod(x, y), inputs))
        found.append(Case(f"divide_no_nan/{np.dtype(dtype).name}", _call("divide_no_nan"), inputs))
    found += both("truncatemod", lambda tf, x, y: [tf.truncatemod(x, y), tf.realdiv(x, y)], SAFE, SAFE[::-1])
    return found


def errors() -> list[Case]:
    """Calls that raise in TensorFlow."""
    ints, bools = [np.array([1, 2])], [np.array([True, False])]
    return [
        Case("sine of integers", lambda tf, x: tf.tan(x), ints),
        Case("lgamma of integers", lambda tf, x: tf.math.lgamma(x), ints),
        Case("bits of floats", lambda tf, x: tf.bitwise.bitwise_and(x, x), [SAFE]),
        Case("bits of bools", lambda tf, x: tf.bitwise.invert(x), bools),
        Case("xlogy of mixed dtypes", lambda tf, x, y: tf.math.xlogy(x, y), [SAFE.astype(F32), SAFE]),
        Case("divide_no_nan of mixed dtypes", lambda tf, x, y: tf.math.divide_no_nan(x, y), [SAFE.astype(F32), SAFE]),
        Case("divide_no_nan of bools", lambda tf, x: tf.math.divide_no_nan(x, x), bools),
        Case("multiply_no_nan of integers", lambda tf, x: tf.math.multiply_no_nan(x, x), ints),
        Case("reciprocal_no_nan of integers", lambda tf, x: tf.math.reciprocal_no_nan(x), ints),
        Case("betainc of unequal shapes", lambda tf, x: tf.math.betainc(x, x[:1], x), [POSITIVE / 20]),
        Case("complex of mixed dtypes", lambda tf, x, y: tf.complex(x, y), [SAFE.astype(F32), SAFE]),
        Case("complex of integers", lambda tf, x: tf.complex(x, x), ints),
        Case("real of bools", lambda tf, x: tf.math.real(x), bools),
        Case("conj of bools", lambda tf, x: tf.math.conj(x), bools),
        Case("angle of integers", lambda tf, x: tf.math.angle(x), ints),
        Case("polyval of a tuple", lambda tf: tf.math.polyval((1.0, 2.0), 2.0), []),
        Case("scalar_mul of a vector", lambda tf, x: tf.scalar_mul(x, x), [SAFE]),
        Case("is_non_decreasing of bools", lambda tf, x: tf.math.is_non_decreasing(x), bools),
        Case("saturate_cast to bool", lambda tf, x: tf.saturate_cast(x, tf.bool), [SAFE]),
        Case("bitcast to bool", lambda tf, x: tf.bitcast(x, tf.bool), [SAFE]),
        Case("bitcast of bools", lambda tf, x: tf.bitcast(x, tf.uint8), bools),
        Case("bitcast that does not fit", lambda tf, x: tf.bitcast(x, tf.int64), [np.array([1, 2, 3], I32)]),
        Case("lbeta of a scalar", lambda tf, x: tf.math.lbeta(x), [np.array(2.0)]),
        Case("nextafter of integers", lambda tf, x: tf.math.nextafter(x, x), ints),
    ]
