"""Arithmetic with pairs: a number as the unevaluated sum of two float64 (double-double), good to about 100 bits.

For functions whose float64 result hangs on a difference or a long sum of larger numbers. A pair is a tuple (high, low)
with |low| at most half an ulp of high. The rules are Dekker's and Knuth's, with fma for products (Y. Hida, X. S. Li,
D. H. Bailey, "Library for double-double and quad-double arithmetic", 2000).
"""

import numpy as np

from nbflow.runtime.vecmath import bits as _bits
from nbflow.runtime.vecmath.bits import f64, fabs, fma, from_bits, rint, scalar_function, two_sum, u64, vector_function
from nbflow.runtime.vecmath.logarithm import log_f64

ONE = (f64(1.0), f64(0.0))
PI = (f64(3.141592653589793), f64(1.2246467991473532e-16))
TWO_PI = (f64(6.283185307179586), f64(2.4492935982947064e-16))
HALF_LOG_TWO_PI = (f64(0.9189385332046728), f64(-3.878294158067242e-17))
LN2_HIGH, LN2_MIDDLE, LN2_LOW = f64(0.6931471805599453), f64(2.3190468138462996e-17), f64(5.707708438416212e-34)
SQRT_HALF = f64(0.7071067811865476)
# 1 / n! for n = 3 ... 28, as pairs
_FACTORIALS = np.array(
    (
        (0.16666666666666666, 9.25185853854297e-18),
        (0.041666666666666664, 2.3129646346357427e-18),
        (0.008333333333333333, 1.1564823173178714e-19),
        (0.001388888888888889, -5.300543954373577e-20),
        (0.0001984126984126984, 1.7209558293420705e-22),
        (2.48015873015873e-05, 2.1511947866775882e-23),
        (2.7557319223985893e-06, -1.858393274046472e-22),
        (2.755731922398589e-07, 2.3767714622250297e-23),
        (2.505210838544172e-08, -1.448814070935912e-24),
        (2.08767569878681e-09, -1.20734505911326e-25),
        (1.6059043836821613e-10, 1.2585294588752098e-26),
        (1.1470745597729725e-11, 2.0655512752830745e-28),
        (7.647163731819816e-13, 7.03872877733453e-30),
        (4.779477332387385e-14, 4.399205485834081e-31),
        (2.8114572543455206e-15, 1.6508842730861433e-31),
        (1.5619206968586225e-16, 1.1910679660273754e-32),
        (8.22063524662433e-18, 2.2141894119604265e-34),
        (4.110317623312165e-19, 1.4412973378659527e-36),
        (1.9572941063391263e-20, -1.3643503830087908e-36),
        (8.896791392450574e-22, -7.911402614872376e-38),
        (3.868170170630684e-23, -8.843177655482344e-40),
        (1.6117375710961184e-24, -3.6846573564509766e-41),
        (6.446950284384474e-26, -1.9330404233703465e-42),
        (2.4795962632247976e-27, -1.2953730964765229e-43),
        (9.183689863795546e-29, 1.4303150396787322e-45),
        (3.279889237069838e-30, 1.5117542744029879e-46),
    )
)


@vector_function
def quick(a, b):
    """The sum of a and a smaller b as a pair."""
    total = a + b
    return total, b - (total - a)


@vector_function
def pair(x):
    """A float64 as a pair."""
    return x, f64(0.0)


@vector_function
def add(x, y):
    """x + y."""
    high, error = two_sum(x[0], y[0])
    low, rest = two_sum(x[1], y[1])
    high, error = quick(high, error + low)
    return quick(high, error + rest)


@vector_function
def add_number(x, y):
    """x + y for a float64 y."""
    high, error = two_sum(x[0], y)
    return quick(high, error + x[1])


@vector_function
def negative(x):
    """-x."""
    return -x[0], -x[1]


@vector_function
def subtract(x, y):
    """x - y."""
    return add(x, negative(y))


@vector_function
def multiply(x, y):
    """x y."""
    high = x[0] * y[0]
    return quick(high, fma(x[0], y[0], -high) + (x[0] * y[1] + x[1] * y[0]))


@vector_function
def multiply_number(x, y):
    """x y for a float64 y."""
    high = x[0] * y
    return quick(high, fma(x[0], y, -high) + x[1] * y)


@vector_function
def divide(x, y):
    """x / y."""
    first = x[0] / y[0]
    rest = fma(-first, y[0], x[0]) + (x[1] - first * y[1])
    return quick(first, rest / y[0])


@vector_function
def square_root(x):
    """The square root of x > 0."""
    root = _bits.sqrt(x[0])
    return quick(root, (fma(-root, root, x[0]) + x[1]) / (root + root))


@scalar_function
def scaled(x, exponent):
    """x[0] 2**exponent as a float64, rounded once where that is subnormal."""
    exponent = max(min(exponent, 3000), -3000)
    third = exponent // 3
    part = from_bits(u64(u64(third + 1023) << u64(52)))
    return x[0] * part * part * from_bits(u64(u64(exponent - 2 * third + 1023) << u64(52)))


@scalar_function
def exponential(x):
    """(y, k) with e**x = y 2**k and y between about 0.7 and 1.5; x is kept within 4000 of 0."""
    if not (fabs(x[0]) < 4000.0):
        x = (f64(4000.0), f64(0.0)) if x[0] > 0.0 else (f64(-4000.0), f64(0.0))
    n = rint(x[0] / LN2_HIGH)
    r = subtract(x, multiply_number((LN2_HIGH, LN2_MIDDLE), n))
    r = add_number(r, -n * LN2_LOW)
    return add_number(exponential_less_one(r), 1.0), int(n)


@scalar_function
def exponential_less_one(r):
    """e**r - 1 for |r| < 1/2: a Taylor polynomial for r / 64, doubled six times."""
    r = (r[0] * 0.015625, r[1] * 0.015625)
    total = (f64(0.0), f64(0.0))
    for n in range(11, 2, -1):
        total = multiply(add(total, (_FACTORIALS[n - 3, 0], _FACTORIALS[n - 3, 1])), r)
    total = multiply(add_number(total, 0.5), multiply(r, r))
    total = add(total, r)
    for _ in range(6):
        total = add((2.0 * total[0], 2.0 * total[1]), multiply(total, total))
    return total


@scalar_function
def logarithm(x):
    """log(x) for a positive pair, by one step of Newton's method from the float64 logarithm."""
    exponent = int((_bits.bits(x[0]) >> u64(52)) & u64(2047)) - 1023
    if exponent == -1023:  # subnormal
        value = logarithm((x[0] * f64(2.0**60), f64(0.0)))
        shift = multiply_number((LN2_HIGH, LN2_MIDDLE), f64(-60.0))
        return add(value, shift)
    half = exponent // 2
    scale = from_bits(u64(u64(1023 - half) << u64(52))), from_bits(u64(u64(1023 - (exponent - half)) << u64(52)))
    m = (x[0] * scale[0] * scale[1], x[1] * scale[0] * scale[1])
    if m[0] > 2.0 * SQRT_HALF:
        m = (0.5 * m[0], 0.5 * m[1])
        exponent += 1
    first = log_f64(m[0])
    inverse = add_number(exponential_less_one((-first, f64(0.0))), 1.0)
    change = add_number(multiply(m, inverse), -1.0)
    total = add_number(change, -0.5 * change[0] * change[0])
    total = add_number(total, first)
    n = f64(exponent)
    return add(total, add_number(multiply_number((LN2_HIGH, LN2_MIDDLE), n), n * LN2_LOW))


@scalar_function
def sine_cosine(x):
    """(sin(x), cos(x)) for |x| < 0.8."""
    square = negative(multiply(x, x))
    s, c = (f64(0.0), f64(0.0)), (f64(0.0), f64(0.0))
    for n in range(12, 1, -1):
        s = multiply(add(s, (_FACTORIALS[2 * n - 2, 0], _FACTORIALS[2 * n - 2, 1])), square)
        c = multiply(add(c, (_FACTORIALS[2 * n - 3, 0], _FACTORIALS[2 * n - 3, 1])), square)
    s = multiply(add(s, (_FACTORIALS[0, 0], _FACTORIALS[0, 1])), square)
    c = multiply(add_number(c, 0.5), square)
    return multiply(add_number(s, 1.0), x), add_number(c, 1.0)
