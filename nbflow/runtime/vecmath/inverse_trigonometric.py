"""asin, acos, atan and atan2.

asin is a polynomial up to 1/2; beyond, asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)). atan takes one division
whose numerator and denominator are chosen so that its quotient is at most tan(pi/8) (Cephes). The
polynomials are minimax fits made for this file: the Remez exchange in 70-digit arithmetic on the function
and interval named beside each.
"""

from nbflow.runtime.vecmath.bits import (
    bits,
    copysign,
    f32,
    f64,
    fabs,
    fma,
    polynomial,
    select,
    sqrt,
    u32,
    u64,
    vector_function,
)

# (asin(x) - x) / x**3 in z = x**2 on 0 <= z <= 1/4
ASIN_F32 = polynomial(f32, (0.16666754, 0.07495241, 0.04547725, 0.024146855, 0.04221981))
ASIN_F64 = polynomial(
    f64,
    (
        0.16666666666666763,
        0.07499999999970244,
        0.044642857175137274,
        0.030381942682876206,
        0.02237221567974071,
        0.017351599766329905,
        0.013980965106935334,
        0.011397747793813074,
        0.010786678988591418,
        0.0036825012318528402,
        0.021764762734523962,
        -0.02107901866182302,
        0.0326779370805076,
    ),
)
# (atan(x) - x) / x**3 in z = x**2 on 0 <= z <= tan(pi/8)**2
ATAN_F32 = polynomial(f32, (-0.33333316, 0.1999849, -0.14243846, 0.1059597, -0.06083365))
ATAN_F64 = polynomial(
    f64,
    (
        -0.333333333333332,
        0.19999999999954074,
        -0.14285714280247494,
        0.11111110786081362,
        -0.09090897834733185,
        0.07692061605345826,
        -0.06663120009130269,
        0.058480060846691384,
        -0.05039832244567705,
        0.0380779700853724,
        -0.017921879129605398,
    ),
)

PI_F32, PI_F64 = f32(3.141592653589793), f64(3.141592653589793)
PI_LOW_F32, PI_LOW_F64 = f32(-8.742277657347586e-08), f64(1.2246467991473532e-16)
HALF_PI_F32, HALF_PI_F64 = f32(1.5707963267948966), f64(1.5707963267948966)
HALF_PI_LOW_F32, HALF_PI_LOW_F64 = f32(-4.371138828673793e-08), f64(6.123233995736766e-17)
QUARTER_PI_F32, QUARTER_PI_F64 = f32(0.7853981633974483), f64(0.7853981633974483)
QUARTER_PI_LOW_F32, QUARTER_PI_LOW_F64 = f32(-2.1855694143368964e-08), f64(3.061616997868383e-17)
TAN_PI_8_F32, TAN_PI_8_F64 = f32(0.41421356237309503), f64(0.41421356237309503)
INF_F32, INF_F64 = f32("inf"), f64("inf")
HUGE_F32, HUGE_F64 = f32(2.0**126), f64(2.0**1022)


@vector_function
def arcsine_f32(a):
    """(s, low): asin(a) = s + low for 0 <= a <= 1/2, else asin(sqrt((1 - a) / 2)) = s + low."""
    small = a <= f32(0.5)
    z = select(small, a * a, f32(0.5) - f32(0.5) * a)
    s = select(small, a, sqrt(z))
    return s, s * z * ASIN_F32(z)


@vector_function
def asin_f32(x):
    """The inverse sine for float32, in [-pi/2, pi/2].

    Error below 1.8 ulp. Odd, asin(-0) = -0, nan beyond 1.
    """
    a = fabs(x)
    s, low = arcsine_f32(a)
    y = select(a <= f32(0.5), s + low, HALF_PI_F32 - (f32(2.0) * s - (HALF_PI_LOW_F32 - f32(2.0) * low)))
    return copysign(y, x)


@vector_function
def acos_f32(x):
    """The inverse cosine for float32, in [0, pi].

    Error below 1.5 ulp. acos(1) = 0, nan beyond 1.
    """
    a = fabs(x)
    s, low = arcsine_f32(a)
    signed, signed_low = copysign(s, x), copysign(low, x)
    middle = HALF_PI_F32 - (signed - (HALF_PI_LOW_F32 - signed_low))
    near_one = f32(2.0) * (s + low)
    near_minus_one = PI_F32 - (f32(2.0) * s - (PI_LOW_F32 - f32(2.0) * low))
    return select(a <= f32(0.5), middle, select(x < f32(0.0), near_minus_one, near_one))


@vector_function
def arctangent_f32(y, x):
    """atan(y / x) for y, x >= 0, not both 0 or both inf."""
    low = y <= x * TAN_PI_8_F32
    high = y * TAN_PI_8_F32 > x
    t = select(low, y, select(high, -x, y - x)) / select(low, x, select(high, y, y + x))
    z = t * t
    offset = select(low, f32(0.0), select(high, HALF_PI_F32, QUARTER_PI_F32))
    offset_low = select(low, f32(0.0), select(high, HALF_PI_LOW_F32, QUARTER_PI_LOW_F32))
    return offset + (t + fma(t * z, ATAN_F32(z), offset_low))


@vector_function
def atan_f32(x):
    """The inverse tangent for float32.

    Error below 2 ulp. Odd, atan(-0) = -0, atan(inf) = pi/2.
    """
    return copysign(arctangent_f32(fabs(x), f32(1.0)), x)


@vector_function
def atan2_f32(y, x):
    """The angle of the point (x, y) for float32, in [-pi, pi], with C99's values for zeros and infinities.

    Error below 2 ulp.
    """
    ay, ax = fabs(y), fabs(x)
    # y + x must not overflow, nor products with constants underflow
    large = (ay > HUGE_F32) | (ax > HUGE_F32)
    tiny = (ay < f32(2.0**-100)) & (ax < f32(2.0**-100))
    scale = select(large, f32(0.25), select(tiny, f32(2.0**30), f32(1.0)))
    both_infinite = (ay == INF_F32) & (ax == INF_F32)
    both_zero = (ay == f32(0.0)) & (ax == f32(0.0))
    a = arctangent_f32(
        select(both_infinite, f32(1.0), ay * scale), select(both_infinite | both_zero, f32(1.0), ax * scale)
    )
    negative = u32(bits(x) >> u32(31)) == u32(1)
    angle = select(negative, PI_F32 - (a - PI_LOW_F32), a)
    return select(x == x, copysign(angle, y), x)


@vector_function
def arcsine_f64(a):
    """(s, low): asin(a) = s + low for 0 <= a <= 1/2, else asin(sqrt((1 - a) / 2)) = s + low."""
    small = a <= f64(0.5)
    z = select(small, a * a, f64(0.5) - f64(0.5) * a)
    s = select(small, a, sqrt(z))
    return s, s * z * ASIN_F64(z)


@vector_function
def asin_f64(x):
    """The inverse sine for float64, in [-pi/2, pi/2].

    Error below 1.8 ulp. Odd, asin(-0) = -0, nan beyond 1.
    """
    a = fabs(x)
    s, low = arcsine_f64(a)
    y = select(a <= f64(0.5), s + low, HALF_PI_F64 - (f64(2.0) * s - (HALF_PI_LOW_F64 - f64(2.0) * low)))
    return copysign(y, x)


@vector_function
def acos_f64(x):
    """The inverse cosine for float64, in [0, pi].

    Error below 1.5 ulp. acos(1) = 0, nan beyond 1.
    """
    a = fabs(x)
    s, low = arcsine_f64(a)
    signed, signed_low = copysign(s, x), copysign(low, x)
    middle = HALF_PI_F64 - (signed - (HALF_PI_LOW_F64 - signed_low))
    near_one = f64(2.0) * (s + low)
    near_minus_one = PI_F64 - (f64(2.0) * s - (PI_LOW_F64 - f64(2.0) * low))
    return select(a <= f64(0.5), middle, select(x < f64(0.0), near_minus_one, near_one))


@vector_function
def arctangent_f64(y, x):
    """atan(y / x) for y, x >= 0, not both 0 or both inf."""
    low = y <= x * TAN_PI_8_F64
    high = y * TAN_PI_8_F64 > x
    t = select(low, y, select(high, -x, y - x)) / select(low, x, select(high, y, y + x))
    z = t * t
    offset = select(low, f64(0.0), select(high, HALF_PI_F64, QUARTER_PI_F64))
    offset_low = select(low, f64(0.0), select(high, HALF_PI_LOW_F64, QUARTER_PI_LOW_F64))
    return offset + (t + fma(t * z, ATAN_F64(z), offset_low))


@vector_function
def atan_f64(x):
    """The inverse tangent for float64.

    Error below 2 ulp. Odd, atan(-0) = -0, atan(inf) = pi/2.
    """
    return copysign(arctangent_f64(fabs(x), f64(1.0)), x)


@vector_function
def atan2_f64(y, x):
    """The angle of the point (x, y) for float64, in [-pi, pi], with C99's values for zeros and infinities.

    Error below 2 ulp.
    """
    ay, ax = fabs(y), fabs(x)
    # y + x must not overflow, nor products with constants underflow
    large = (ay > HUGE_F64) | (ax > HUGE_F64)
    tiny = (ay < f64(2.0**-900)) & (ax < f64(2.0**-900))
    scale = select(large, f64(0.25), select(tiny, f64(2.0**60), f64(1.0)))
    both_infinite = (ay == INF_F64) & (ax == INF_F64)
    both_zero = (ay == f64(0.0)) & (ax == f64(0.0))
    a = arctangent_f64(
        select(both_infinite, f64(1.0), ay * scale), select(both_infinite | both_zero, f64(1.0), ax * scale)
    )
    negative = u64(bits(x) >> u64(63)) == u64(1)
    angle = select(negative, PI_F64 - (a - PI_LOW_F64), a)
    return select(x == x, copysign(angle, y), x)
