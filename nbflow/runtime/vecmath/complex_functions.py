"""Functions of complex numbers, made of vecmath's functions of their parts.

complex128 is computed in its own precision and complex64 in float64, rounded. The formulas for inverse functions are
Kahan's ("Branch cuts for complex elementary functions", 1987): they keep their accuracy next to branch points, and the
sign of a zero chooses the side of a cut. The functions branch, so they do not vectorise.

COMPLEX_BOUNDS states their largest errors in units in the last place of the modulus of the result, (complex64,
complex128).
"""

import inspect

import numpy as np

from nbflow.runtime.vecmath.activation import tanh_f64
from nbflow.runtime.vecmath.bits import copysign, f32, f64, fabs, scalar_function, select, sqrt
from nbflow.runtime.vecmath.complex_numbers import complex_divide
from nbflow.runtime.vecmath.exponential import cosh_f64, exp_f64, expm1_f64, sinh_f64
from nbflow.runtime.vecmath.inverse_trigonometric import atan2_f64
from nbflow.runtime.vecmath.logarithm import asinh_f64, log1p_f64, log_f64
from nbflow.runtime.vecmath.pairs import (
    PI,
    add,
    add_number,
    divide,
    exponential,
    logarithm,
    multiply_number,
    negative,
    pair,
    scaled,
    sine_cosine,
    subtract,
)
from nbflow.runtime.vecmath.trigonometric import cos_f64, sin_f64, tan_f64

INF, NAN = f64("inf"), f64("nan")
c64, c128 = np.complex64, np.complex128


@scalar_function
def number(x, y):
    """x + iy."""
    return c128(complex(x, y))


@scalar_function
def modulus_c128(z):
    """|z| without overflow."""
    x, y = fabs(z.real), fabs(z.imag)
    if (x == INF) | (y == INF):
        return INF
    large, small = (x, y) if x > y else (y, x)
    if large == 0.0:
        return large
    if (large < 1e150) & (small > 1e-140):
        return sqrt(x * x + y * y)
    ratio = small / large
    return large * sqrt(1.0 + ratio * ratio)


@scalar_function
def modulus_c64(z):
    """|z| in float32: squares do not overflow in float64, and nothing branches."""
    x, y = f64(z.real), f64(z.imag)
    return f32(select((fabs(x) == INF) | (fabs(y) == INF), INF, sqrt(x * x + y * y)))


@scalar_function
def angle_c128(z):
    """The angle of z in [-pi, pi]."""
    return atan2_f64(z.imag, z.real)


@scalar_function
def angle_c64(z):
    """The angle of z in float32."""
    return f32(angle_c128(c128(z)))


@scalar_function
def log_modulus(z):
    """log|z|, accurate where |z| is near 1."""
    x, y = fabs(z.real), fabs(z.imag)
    large, small = (x, y) if x > y else (y, x)
    if (large > 0.5) & (large < 2.0):
        return 0.5 * log1p_f64((large - 1.0) * (large + 1.0) + small * small)
    return log_f64(modulus_c128(z))


@scalar_function
def exp_c128(z):
    """e**z."""
    x, y = z.real, z.imag
    if y == 0.0:
        return number(exp_f64(x), y)
    if x == -INF:
        return number(f64(0.0), f64(0.0))
    if fabs(x) > 700.0:
        half = exp_f64(0.5 * x)
        return number(half * cos_f64(y) * half, half * sin_f64(y) * half)
    e = exp_f64(x)
    return number(e * cos_f64(y), e * sin_f64(y))


@scalar_function
def expm1_c128(z):
    """e**z - 1, accurate near 0."""
    x, y = z.real, z.imag
    s = sin_f64(0.5 * y)
    return number(expm1_f64(x) * cos_f64(y) - 2.0 * s * s, exp_f64(x) * sin_f64(y))


@scalar_function
def log_c128(z):
    """The logarithm, with an imaginary part in [-pi, pi]."""
    return number(log_modulus(z), angle_c128(z))


@scalar_function
def log1p_c128(z):
    """log(1 + z), accurate near 0."""
    x, y = z.real, z.imag
    if (fabs(x) < 0.5) & (fabs(y) < 0.5):
        return number(0.5 * log1p_f64(x * (2.0 + x) + y * y), atan2_f64(y, 1.0 + x))
    return log_c128(number(1.0 + x, y))


@scalar_function
def sqrt_c128(z):
    """The square root in the right half plane."""
    x, y = z.real, z.imag
    if (x == 0.0) & (y == 0.0):
        return number(f64(0.0), y)
    if fabs(y) == INF:
        return number(INF, y)
    scale, root = f64(1.0), f64(1.0)
    if (fabs(x) > 1e300) | (fabs(y) > 1e300):
        scale, root = f64(2.0**-4), f64(4.0)
    elif (fabs(x) < 1e-290) & (fabs(y) < 1e-290):
        scale, root = f64(2.0**108), f64(2.0**-54)
    x, y = x * scale, y * scale
    t = sqrt(0.5 * (fabs(x) + modulus_c128(number(x, y)))) * root
    other = 0.5 * y / t * (root * root)
    if x >= 0.0:
        return number(t, other)
    return number(fabs(other), copysign(t, y)) if x == x else number(NAN, NAN)


@scalar_function
def rsqrt_c128(z):
    """1 / sqrt(z)."""
    if (z.real == 0.0) & (z.imag == 0.0):
        return number(INF, f64(0.0))
    return complex_divide(number(f64(1.0), f64(0.0)), sqrt_c128(z))


@scalar_function
def sin_c128(z):
    """The sine."""
    x, y = z.real, z.imag
    return number(sin_f64(x) * cosh_f64(y), cos_f64(x) * sinh_f64(y))


@scalar_function
def cos_c128(z):
    """The cosine."""
    x, y = z.real, z.imag
    return number(cos_f64(x) * cosh_f64(y), -sin_f64(x) * sinh_f64(y))


@scalar_function
def sinh_c128(z):
    """The hyperbolic sine."""
    x, y = z.real, z.imag
    return number(sinh_f64(x) * cos_f64(y), cosh_f64(x) * sin_f64(y))


@scalar_function
def cosh_c128(z):
    """The hyperbolic cosine."""
    x, y = z.real, z.imag
    return number(cosh_f64(x) * cos_f64(y), sinh_f64(x) * sin_f64(y))


@scalar_function
def tanh_c128(z):
    """The hyperbolic tangent."""
    x, y = z.real, z.imag
    if fabs(x) > 22.0:
        e = exp_f64(-fabs(x))
        return number(copysign(1.0, x), 4.0 * sin_f64(y) * cos_f64(y) * e * e if fabs(y) < INF else copysign(0.0, y))
    if y == 0.0:
        return number(tanh_f64(x), y)
    t, s = tan_f64(y), sinh_f64(x)
    bend = 1.0 + t * t
    rho = sqrt(1.0 + s * s)
    if fabs(t) > 1e100:
        return number(rho / s, 1.0 / t / (s * s))
    below = 1.0 + bend * s * s
    return number(bend * rho * s / below, t / below)


@scalar_function
def tan_c128(z):
    """The tangent, tanh(iz) / i."""
    w = tanh_c128(number(-z.imag, z.real))
    return number(w.imag, -w.real)


@scalar_function
def sigmoid_c128(z):
    """1 / (1 + e**-z)."""
    e = exp_c128(number(-z.real, -z.imag))
    return complex_divide(number(f64(1.0), f64(0.0)), number(1.0 + e.real, e.imag))


@scalar_function
def asin_c128(z):
    """The angle whose sine is z, with a real part in [-pi/2, pi/2]."""
    x, y = z.real, z.imag
    a, b = sqrt_c128(number(1.0 - x, -y)), sqrt_c128(number(1.0 + x, y))
    return number(atan2_f64(x, a.real * b.real - a.imag * b.imag), asinh_f64(a.real * b.imag - a.imag * b.real))


@scalar_function
def acos_c128(z):
    """The angle whose cosine is z, with a real part in [0, pi]."""
    x, y = z.real, z.imag
    a, b = sqrt_c128(number(1.0 - x, -y)), sqrt_c128(number(1.0 + x, y))
    return number(2.0 * atan2_f64(a.real, b.real), asinh_f64(b.real * a.imag - b.imag * a.real))


@scalar_function
def asinh_c128(z):
    """The number whose hyperbolic sine is z, asin(iz) / i."""
    w = asin_c128(number(-z.imag, z.real))
    return number(w.imag, -w.real)


@scalar_function
def acosh_c128(z):
    """The number whose hyperbolic cosine is z, with a real part of 0 or more."""
    x, y = z.real, z.imag
    a, b = sqrt_c128(number(x - 1.0, y)), sqrt_c128(number(x + 1.0, y))
    return number(asinh_f64(a.real * b.real + a.imag * b.imag), 2.0 * atan2_f64(a.imag, b.real))


@scalar_function
def atanh_c128(z):
    """The number whose hyperbolic tangent is z."""
    x, y = z.real, z.imag
    m = modulus_c128(z)
    if m > 1e100:
        return number(x / m / m if m < INF else copysign(0.0, x), copysign(f64(1.5707963267948966), y))
    far = (1.0 - x) * (1.0 - x) + y * y if x > 0.0 else (1.0 + x) * (1.0 + x) + y * y
    return number(
        copysign(0.25 * log1p_f64(4.0 * fabs(x) / far), x),
        0.5 * atan2_f64(2.0 * y, (1.0 - x) * (1.0 + x) - y * y),
    )


@scalar_function
def atan_c128(z):
    """The angle whose tangent is z, atanh(iz) / i."""
    w = atanh_c128(number(-z.imag, z.real))
    return number(w.imag, -w.real)


@scalar_function
def pow_short(x, y):
    """e**(y log x), which loses as many digits as the exponent has before its point; enough for complex64."""
    if (x.real == 0.0) & (x.imag == 0.0):
        if y.real > 0.0:
            return number(f64(0.0), f64(0.0))
        return number(INF if y.real < 0.0 else NAN, NAN)
    if (y.real == 0.0) & (y.imag == 0.0):
        return number(f64(1.0), f64(0.0))
    size, angle = log_modulus(x), atan2_f64(x.imag, x.real)
    return exp_c128(number(y.real * size - y.imag * angle, y.real * angle + y.imag * size))


@scalar_function
def angle_pair(x, y):
    """The angle of x + iy as a pair: atan2 and one step of Newton's method, within an eighth of a turn."""
    a, b = fabs(x), fabs(y)
    steep = b > a
    if steep:
        a, b = b, a
    first = atan2_f64(b, a)
    s, c = sine_cosine(pair(first))
    across = subtract(multiply_number(c, b), multiply_number(s, a))
    along = add(multiply_number(c, a), multiply_number(s, b))
    angle = add_number(divide(across, along), first)
    if steep:
        angle = subtract((0.5 * PI[0], 0.5 * PI[1]), angle)
    if x < 0.0:
        angle = subtract(PI, angle)
    return angle if copysign(1.0, y) > 0.0 else negative(angle)


@scalar_function
def pow_c128(x, y):
    """e**(y log x); 0**y is 0 where the real part of y is positive, and 0**0 is nan, as in TensorFlow.

    The exponent is a pair of float64, or its error would grow with it.
    """
    large = max(fabs(x.real), fabs(x.imag))
    plain = (large < 1e140) & (large > 1e-140) & (fabs(y.real) < 1e100) & (fabs(y.imag) < 1e100)
    if not plain or ((y.real == 0.0) & (y.imag == 0.0)):
        return pow_short(x, y)
    square = add(multiply_number(pair(x.real), x.real), multiply_number(pair(x.imag), x.imag))
    size, angle = logarithm(square), angle_pair(x.real, x.imag)
    size = (0.5 * size[0], 0.5 * size[1])
    height, k = exponential(subtract(multiply_number(size, y.real), multiply_number(angle, y.imag)))
    turn = add(multiply_number(angle, y.real), multiply_number(size, y.imag))
    s, c, s_low, c_low = sin_f64(turn[0]), cos_f64(turn[0]), sin_f64(turn[1]), cos_f64(turn[1])
    real, imag = c * c_low - s * s_low, s * c_low + c * s_low
    return number(scaled((height[0] * real, f64(0.0)), k), scaled((height[0] * imag, f64(0.0)), k))


def _rounded(function):
    """The complex64 version."""
    two = len(inspect.signature(getattr(function, "py_func", function)).parameters) == 2
    narrow = (lambda x, y: c64(function(c128(x), c128(y)))) if two else (lambda z: c64(function(c128(z))))
    narrow.__name__ = narrow.__qualname__ = f"{function.__name__.rpartition('_')[0]}_c64"
    narrow.__doc__ = f"{function.__name__} rounded to complex64."
    return scalar_function(narrow)


exp_c64 = _rounded(exp_c128)
expm1_c64 = _rounded(expm1_c128)
log_c64 = _rounded(log_c128)
log1p_c64 = _rounded(log1p_c128)
sqrt_c64 = _rounded(sqrt_c128)
rsqrt_c64 = _rounded(rsqrt_c128)
sin_c64 = _rounded(sin_c128)
cos_c64 = _rounded(cos_c128)
tan_c64 = _rounded(tan_c128)
sinh_c64 = _rounded(sinh_c128)
cosh_c64 = _rounded(cosh_c128)
tanh_c64 = _rounded(tanh_c128)
sigmoid_c64 = _rounded(sigmoid_c128)
asin_c64 = _rounded(asin_c128)
acos_c64 = _rounded(acos_c128)
atan_c64 = _rounded(atan_c128)
asinh_c64 = _rounded(asinh_c128)
acosh_c64 = _rounded(acosh_c128)
atanh_c64 = _rounded(atanh_c128)
pow_c64 = _rounded(pow_short)

COMPLEX_BOUNDS = dict.fromkeys((
    "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sigmoid",
    "asin", "acos", "atan", "asinh", "acosh", "atanh", "pow",
), (0.8, 4))  # fmt: skip
