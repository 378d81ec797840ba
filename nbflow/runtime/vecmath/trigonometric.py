"""sin, cos and tan, right for every finite argument.

Reduction: x 2/pi = q + t with |t| <= about 1/2, of which only q mod 4 matters. Write x = y 2**s with s = 0
while x is moderate and y an integer beyond; then 2**s 2/pi may be replaced by its remainder mod 4, which a
table holds for every s in parts (Payne and Hanek's observation that the leading bits of 2/pi only add whole
turns). So every argument takes the same branch-free path. float32 needs five rows of two parts in float64,
chosen by comparisons; float64 gathers one of 973 rows of three parts, whose products are added with their
rounding errors.

sin and cos of the rest are minimax polynomials made for this file: the Remez exchange in 70-digit
arithmetic on the function and interval named beside each.
"""

from nbflow.runtime.vecmath.bits import (
    bits,
    f32,
    f64,
    fabs,
    fma,
    from_bits,
    polynomial,
    rint,
    select,
    table,
    two_sum,
    u32,
    u64,
    vector_function,
)

# (sin(r) - r) / r**3 and (cos(r) - 1 + r**2 / 2) / r**4 in z = r**2, a little beyond |r| <= pi/4
SIN_F32 = polynomial(f32, (-0.16666667, 0.008333324, -0.00019838024, 2.7072956e-06))
COS_F32 = polynomial(f32, (0.041666623, -0.0013886339, 2.4331695e-05))
SIN_F64 = polynomial(
    f64,
    (
        -0.16666666666666666,
        0.008333333333333321,
        -0.0001984126984125217,
        2.755731921268089e-06,
        -2.5052104517467494e-08,
        1.605831635992452e-10,
        -7.576205753463479e-13,
    ),
)
COS_F64 = polynomial(
    f64,
    (
        0.04166666666666658,
        -0.0013888888888871163,
        2.48015872875768e-05,
        -2.7557313788120805e-07,
        2.08756449874149e-09,
        -1.1355524184104483e-11,
    ),
)
# (tan(r) - r) / r**3 in z = r**2, likewise
TAN_F32 = polynomial(
    f32,
    (
        0.33333313,
        0.13334152,
        0.053859856,
        0.022557933,
        0.0064778747,
        0.008287544,
        -0.0036347394,
        0.0031784368,
    ),
)

# 2/pi to 1216 bits, the reach of float64; computed with mpmath
TWO_OVER_PI = int(
    "a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424d"
    "d2e006492eea09d1921cfe1deb1cb129a73ee88235f52ebb4484e99c7026b45f7e413991d639"
    "835339f49c845f8bbdf9283b1ff897ffde05980fef2f118b5a0a6d1f6d367ecf27cb09b74f46"
    "3f669e5fea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6bab",
    16,
)
ONE = 1 << 1216  # 1, in units of its last bit


def _remainder(s):
    """The remainder of 2**s 2/pi mod 4 in [-2, 2], as three doubles; for s = 0 the whole of 2/pi."""
    rest = TWO_OVER_PI << s
    rest -= (rest + 2 * ONE) // (4 * ONE) * 4 * ONE
    parts = []
    for _ in range(3):
        parts.append(f64(rest / ONE))  # the quotient of integers is correctly rounded
        numerator, denominator = float(parts[-1]).as_integer_ratio()
        rest -= numerator * (ONE // denominator)
    return parts


# float64: one row for every exponent from that of 2**52 on, and one for that of infinities and NaNs
HIGH_F64, MIDDLE_F64, LOW_F64 = map(table, zip(*map(_remainder, range(972)), (f64("nan"),) * 3))
# float32: 25 exponents share a row
(
    (HIGH_0, LOW_0, _),
    (HIGH_25, LOW_25, _),
    (HIGH_50, LOW_50, _),
    (HIGH_75, LOW_75, _),
    (HIGH_100, LOW_100, _),
) = (_remainder(s) for s in (0, 25, 50, 75, 100))

TWO_52 = f64(1.5 * 2**52)
HALF_PI = f64(1.5707963267948966)
HALF_PI_LOW = f64(6.123233995736766e-17)
TINY_F32, TINY_F64 = f32(1e-8), f64(1e-17)
EXPONENT_F64 = u64(0x7FF)


@vector_function
def reduce_f32(x):
    """(quadrant, r): x = quadrant pi/2 + r modulo whole turns, |r| < 0.89."""
    a = fabs(x)
    b, c, d, e = a >= f32(2.0**48), a >= f32(2.0**73), a >= f32(2.0**98), a >= f32(2.0**123)
    down = select(
        e,
        f32(2.0**-100),
        select(d, f32(2.0**-75), select(c, f32(2.0**-50), select(b, f32(2.0**-25), f32(1.0)))),
    )
    high = select(e, HIGH_100, select(d, HIGH_75, select(c, HIGH_50, select(b, HIGH_25, HIGH_0))))
    low = select(e, LOW_100, select(d, LOW_75, select(c, LOW_50, select(b, LOW_25, LOW_0))))
    y = f64(x * down)
    whole = y * high
    shifted = whole + TWO_52
    # y has 24 bits and stays below 2**48, so the product's error is below 2**-5 and this sum is exact
    t = (whole - (shifted - TWO_52)) + fma(y, high, -whole)
    return u32(bits(shifted)), f32(fma(y, low, t) * HALF_PI)


@vector_function
def reduce_f64(x):
    """(quadrant, r, low): x = quadrant pi/2 + r + low modulo whole turns, |r| < 0.8."""
    pattern = bits(x)
    field = u64(u64(pattern >> u64(52)) & EXPONENT_F64)
    # 53-bit integers begin at 2**52, whose exponent field is 1075
    s = u64(select(field > u64(1075), field, u64(1075)) - u64(1075))
    y = from_bits(u64(pattern - u64(s << u64(52))))
    high, middle, low = HIGH_F64(s), MIDDLE_F64(s), LOW_F64(s)
    a = y * high
    a_low = fma(y, high, -a)
    b = y * middle
    b_low = fma(y, middle, -b)
    whole = rint(a)
    t, e1 = two_sum(a - whole, a_low)
    t, e2 = two_sum(t, b)
    n = rint(t)
    t, e3 = two_sum(t - n, e1)
    t, e4 = two_sum(t, e2)
    t, e5 = two_sum(t, b_low)
    rest = fma(y, low, e3 + e4 + e5)
    turn = whole - f64(4.0) * rint(f64(0.25) * whole)
    quadrant = bits(turn + n + TWO_52)
    t, rest = two_sum(t, rest)
    r = t * HALF_PI
    return quadrant, r, fma(t, HALF_PI, -r) + fma(t, HALF_PI_LOW, rest * HALF_PI)


@vector_function
def sine_f32(r):
    """sin(r) for a reduced argument."""
    z = r * r
    return fma(r * z, SIN_F32(z), r)


@vector_function
def cosine_f32(r):
    """cos(r) for a reduced argument."""
    z = r * r
    return fma(z * z, COS_F32(z), fma(f32(-0.5), z, f32(1.0)))


@vector_function
def sine_f64(r, low):
    """sin(r + low); as fdlibm's __kernel_sin."""
    z = r * r
    v = z * r
    return r + fma(v, SIN_F64(z), fma(f64(-0.5) * z, low, low))


@vector_function
def cosine_f64(r, low):
    """cos(r + low); as fdlibm's __kernel_cos."""
    z = r * r
    half = f64(0.5) * z
    w = f64(1.0) - half
    return w + (((f64(1.0) - w) - half) + fma(z * z, COS_F64(z), -r * low))


@vector_function
def flip_f32(y, quadrant):
    """The value y, negated where bit 1 of the quadrant is set."""
    return from_bits(u32(bits(y) ^ u32(u32(quadrant & u32(2)) << u32(30))))


@vector_function
def flip_f64(y, quadrant):
    """The value y, negated where bit 1 of the quadrant is set."""
    return from_bits(u64(bits(y) ^ u64(u64(quadrant & u64(2)) << u64(62))))


@vector_function
def sin_f32(x):
    """The sine for float32.

    Error below 1.6 ulp. Odd, sin(-0) = -0, sin(inf) = nan.
    """
    quadrant, r = reduce_f32(x)
    y = select(u32(quadrant & u32(1)) == u32(0), sine_f32(r), cosine_f32(r))
    return select(fabs(x) < TINY_F32, x, flip_f32(y, quadrant))


@vector_function
def cos_f32(x):
    """The cosine for float32.

    Error below 1.6 ulp. Even, cos(0) = 1, cos(inf) = nan.
    """
    quadrant, r = reduce_f32(x)
    y = select(u32(quadrant & u32(1)) == u32(0), cosine_f32(r), sine_f32(r))
    return flip_f32(y, u32(quadrant + u32(quadrant & u32(1))))


@vector_function
def tan_f32(x):
    """The tangent for float32, tan(r) or -1 / tan(r).

    Error below 2.6 ulp. Odd, tan(-0) = -0, tan(inf) = nan.
    """
    quadrant, r = reduce_f32(x)
    z = r * r
    y = fma(r * z, TAN_F32(z), r)
    even, tiny = u32(quadrant & u32(1)) == u32(0), fabs(x) < TINY_F32
    # the choice stands before the division: LLVM would turn a choice of quotients into a branch
    over, under = select(even, y, f32(-1.0)), select(even, f32(1.0), y)
    return select(tiny, x, over) / select(tiny, f32(1.0), under)


@vector_function
def sin_f64(x):
    """The sine for float64.

    Error below 1.1 ulp. Odd, sin(-0) = -0, sin(inf) = nan.
    """
    quadrant, r, low = reduce_f64(x)
    y = select(u64(quadrant & u64(1)) == u64(0), sine_f64(r, low), cosine_f64(r, low))
    return select(fabs(x) < TINY_F64, x, flip_f64(y, quadrant))


@vector_function
def cos_f64(x):
    """The cosine for float64.

    Error below 1.1 ulp. Even, cos(0) = 1, cos(inf) = nan.
    """
    quadrant, r, low = reduce_f64(x)
    y = select(u64(quadrant & u64(1)) == u64(0), cosine_f64(r, low), sine_f64(r, low))
    return flip_f64(y, u64(quadrant + u64(quadrant & u64(1))))


@vector_function
def tan_f64(x):
    """The tangent for float64, sin(r) / cos(r) or -cos(r) / sin(r).

    Error below 2 ulp. Odd, tan(-0) = -0, tan(inf) = nan.
    """
    quadrant, r, low = reduce_f64(x)
    s, c = sine_f64(r, low), cosine_f64(r, low)
    even, tiny = u64(quadrant & u64(1)) == u64(0), fabs(x) < TINY_F64
    # the choice stands before the division: LLVM would turn a choice of quotients into a branch
    over, under = select(even, s, -c), select(even, c, s)
    return select(tiny, x, over) / select(tiny, f64(1.0), under)
