"""Rounding, sign and classification, the neighbouring number, and the C library's fmod."""

import numpy as np

from nbflow.runtime.vecmath import bits as _bits
from nbflow.runtime.vecmath.bits import (
    bits,
    copysign,
    f32,
    f64,
    fabs,
    from_bits,
    lowered,
    select,
    u32,
    u64,
    vector_function,
)

INF_F32, INF_F64 = f32("inf"), f64("inf")


@lowered(lambda x, y: x, lambda builder, llvm_type, values: builder.frem(*values))
def remainder(x, y):
    """The exact x - n y with n = trunc(x / y); LLVM calls libm's fmod, one element at a time."""
    with np.errstate(all="ignore"):
        return np.fmod(x, y)


@vector_function
def floor_f32(x):
    """The largest integer not above x, for float32.

    Exact. Keeps -0, inf and nan.
    """
    return _bits.floor(x)


@vector_function
def floor_f64(x):
    """The largest integer not above x, for float64.

    Exact. Keeps -0, inf and nan.
    """
    return _bits.floor(x)


@vector_function
def ceil_f32(x):
    """The smallest integer not below x, for float32.

    Exact. ceil(-0.5) = -0; keeps inf and nan.
    """
    return _bits.ceil(x)


@vector_function
def ceil_f64(x):
    """The smallest integer not below x, for float64.

    Exact. ceil(-0.5) = -0; keeps inf and nan.
    """
    return _bits.ceil(x)


@vector_function
def trunc_f32(x):
    """The integer part of x, for float32.

    Exact. Keeps the sign of zero, inf and nan.
    """
    return _bits.trunc(x)


@vector_function
def trunc_f64(x):
    """The integer part of x, for float64.

    Exact. Keeps the sign of zero, inf and nan.
    """
    return _bits.trunc(x)


@vector_function
def rint_f32(x):
    """The nearest integer, halves to even, for float32.

    Exact. Keeps the sign of zero, inf and nan.
    """
    return _bits.rint(x)


@vector_function
def rint_f64(x):
    """The nearest integer, halves to even, for float64.

    Exact. Keeps the sign of zero, inf and nan.
    """
    return _bits.rint(x)


@vector_function
def copysign_f32(x, sign):
    """|x| with the sign bit of the second argument, for float32; zeros and nan have signs too.

    Exact.
    """
    return _bits.copysign(x, sign)


@vector_function
def copysign_f64(x, sign):
    """|x| with the sign bit of the second argument, for float64; zeros and nan have signs too.

    Exact.
    """
    return _bits.copysign(x, sign)


@vector_function
def isnan_f32(x):
    """Whether x is nan, for float32.

    Exact.
    """
    return x != x


@vector_function
def isnan_f64(x):
    """Whether x is nan, for float64.

    Exact.
    """
    return x != x


@vector_function
def isinf_f32(x):
    """Whether x is inf or -inf, for float32.

    Exact.
    """
    return fabs(x) == INF_F32


@vector_function
def isinf_f64(x):
    """Whether x is inf or -inf, for float64.

    Exact.
    """
    return fabs(x) == INF_F64


@vector_function
def isfinite_f32(x):
    """Whether x is neither infinite nor nan, for float32.

    Exact.
    """
    return fabs(x) < INF_F32


@vector_function
def isfinite_f64(x):
    """Whether x is neither infinite nor nan, for float64.

    Exact.
    """
    return fabs(x) < INF_F64


@vector_function
def fmod_f32(x, y):
    """The remainder of x / y with the sign of x, exact, for float32.

    Exact. fmod(x, 0) = fmod(inf, y) = nan. Not vectorised.
    """
    return remainder(x, y)


@vector_function
def fmod_f64(x, y):
    """The remainder of x / y with the sign of x, exact, for float64.

    Exact. fmod(x, 0) = fmod(inf, y) = nan. Not vectorised.
    """
    return remainder(x, y)


@vector_function
def nextafter_f32(x, y):
    """The float32 next to x in the direction of y, x itself where they are equal.

    Exact. From 0 it is the least subnormal; nan if either is nan.
    """
    pattern = bits(x)
    away = (x < y) == (x > f32(0.0))
    step = from_bits(select(away, u32(pattern + u32(1)), u32(pattern - u32(1))))
    step = select(x == f32(0.0), copysign(from_bits(u32(1)), y), step)
    return select((x != x) | (y != y), x + y, select(x == y, y, step))


@vector_function
def nextafter_f64(x, y):
    """The float64 next to x in the direction of y, x itself where they are equal.

    Exact. From 0 it is the least subnormal; nan if either is nan.
    """
    pattern = bits(x)
    away = (x < y) == (x > f64(0.0))
    step = from_bits(select(away, u64(pattern + u64(1)), u64(pattern - u64(1))))
    step = select(x == f64(0.0), copysign(from_bits(u64(1)), y), step)
    return select((x != x) | (y != y), x + y, select(x == y, y, step))
