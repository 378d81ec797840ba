"""The few operations that Numba cannot say: bit casts, fma, select, rounding, polynomials.

Each one is written twice: as plain Python on NumPy scalars, used when NUMBA_DISABLE_JIT is set, and as the
LLVM instruction that it becomes otherwise. Both give the same bits. None of them branches, so a loop that
uses them vectorises. A CPU without fused multiply-add (x86 before 2013) gets the same results from libm's
fma, slowly.
"""

import functools
import hashlib
import inspect
import math
from fractions import Fraction

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

from nbflow.runtime.intrinsics import _set_scope

f32, f64 = np.float32, np.float64
u32, u64 = np.uint32, np.uint64

BITS_OF = {types.float32: types.uint32, types.float64: types.uint64}
FLOAT_OF = {bits: number for number, bits in BITS_OF.items()}
LLVM_TYPE = {
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
    types.uint32: ir.IntType(32),
    types.uint64: ir.IntType(64),
}


def _quiet(function):
    """A function without NumPy's warnings: the infinities and NaNs which raise them are results here, not accidents."""

    @functools.wraps(function)
    def quiet(*args):
        with np.errstate(all="ignore"):
            return function(*args)

    return quiet


def vector_function(function):
    """Compile a scalar function so that it is always inlined into the loop that calls it."""
    return _quiet(function) if config.DISABLE_JIT else njit(error_model="numpy", forceinline=True)(function)


def scalar_function(function):
    """Compile a scalar function that may branch and loop; it is called, and its callers do not vectorise."""
    return _quiet(function) if config.DISABLE_JIT else njit(error_model="numpy")(function)


def rounded(function):
    """The float32 version of a scalar function of float64 arguments, which is name_f64 or name_short."""
    count = len(inspect.signature(getattr(function, "py_func", function)).parameters)
    narrow = (
        lambda x: f32(function(f64(x))),
        lambda x, y: f32(function(f64(x), f64(y))),
        lambda x, y, z: f32(function(f64(x), f64(y), f64(z))),
    )[count - 1]
    name = f"{function.__name__.rpartition('_')[0]}_f32"
    narrow.__name__ = narrow.__qualname__ = name
    narrow.__doc__ = f"{function.__name__} rounded to float32.\n\nError below 0.6 ulp."
    return scalar_function(narrow)


def lowered(result, emit):
    """Decorate a plain-Python function with its LLVM form.

    Args:
        result: maps the Numba types of the arguments to the type returned.
        emit: emit(builder, result type in LLVM, arguments) builds the instructions.
    """

    def decorate(python):
        if config.DISABLE_JIT:
            return python

        def typing(typingctx, *args):
            returned = result(*args)

            def codegen(context, builder, signature, values):
                return emit(builder, LLVM_TYPE[returned], values)

            return returned(*args), codegen

        typing.__name__, typing.__doc__ = python.__name__, python.__doc__
        parameters = inspect.signature(python).parameters.values()
        context = inspect.Parameter("typingctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        typing.__signature__ = inspect.Signature([context, *parameters])
        return intrinsic(typing)

    return decorate


def _same(first, *others):
    return first


def _intrinsic_call(name):
    def emit(builder, llvm_type, values):
        signature = ir.FunctionType(llvm_type, [value.type for value in values])
        return builder.call(builder.module.declare_intrinsic(name, [llvm_type], signature), values)

    return emit


def _bitcast(builder, llvm_type, values):
    return builder.bitcast(values[0], llvm_type)


@lowered(lambda x: BITS_OF[x], _bitcast)
def bits(x):
    """The bit pattern of a float as an unsigned integer of the same width."""
    return x.view(u32 if isinstance(x, f32) else u64)


@lowered(lambda pattern: FLOAT_OF[pattern], _bitcast)
def from_bits(pattern):
    """The float with this bit pattern."""
    return pattern.view(f32 if isinstance(pattern, u32) else f64)


@lowered(lambda condition, a, b: a, lambda builder, llvm_type, values: builder.select(*values))
def select(condition, a, b):
    """The value a where the condition holds, else b; both are computed."""
    return a if condition else b


def _fma_f64(a, b, c):
    plain = a * b + c
    if not (math.isfinite(a) and math.isfinite(b) and math.isfinite(c)):
        return plain
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    if exact == 0:
        return plain  # exact, and has the sign that IEEE 754 asks for
    try:
        return f64(exact.numerator / exact.denominator)  # true division of integers rounds correctly
    except OverflowError:
        return f64(math.inf if exact > 0 else -math.inf)


def _fma_f32(a, b, c):
    """The product is exact in float64; the sum is rounded to odd there, so rounding it again is harmless."""
    product, addend = f64(a) * f64(b), f64(c)
    total = product + addend
    if not math.isfinite(total):
        return f32(total)
    rest = total - product
    error = (product - (total - rest)) + (addend - rest)
    if error != 0 and bits(total) & u64(1) == 0:
        total = np.nextafter(total, math.copysign(math.inf, error))
    return f32(total)


@lowered(_same, _intrinsic_call("llvm.fma"))
def fma(a, b, c):
    """The sum a * b + c with one rounding."""
    with np.errstate(all="ignore"):
        return _fma_f32(a, b, c) if isinstance(a, f32) else _fma_f64(a, b, c)


@lowered(_same, _intrinsic_call("llvm.fabs"))
def fabs(x):
    """|x|."""
    return np.abs(x)


@lowered(_same, _intrinsic_call("llvm.copysign"))
def copysign(x, sign):
    """|x| with the sign bit of the second argument."""
    return np.copysign(x, sign)


@lowered(_same, _intrinsic_call("llvm.sqrt"))
def sqrt(x):
    """The square root, rounded correctly; nan below 0."""
    with np.errstate(all="ignore"):
        return np.sqrt(x)


@lowered(_same, _intrinsic_call("llvm.floor"))
def floor(x):
    """The largest integer not above x."""
    return np.floor(x)


@lowered(_same, _intrinsic_call("llvm.ceil"))
def ceil(x):
    """The smallest integer not below x."""
    return np.ceil(x)


@lowered(_same, _intrinsic_call("llvm.trunc"))
def trunc(x):
    """The integer part of x."""
    return np.trunc(x)


@lowered(_same, _intrinsic_call("llvm.rint"))
def rint(x):
    """The nearest integer, halves to even."""
    return np.rint(x)


@vector_function
def two_sum(a, b):
    """The sum a + b and its rounding error (Knuth)."""
    total = a + b
    virtual = total - a
    return total, (a - (total - virtual)) + (b - virtual)


def polynomial(dtype, coefficients):
    """A function x -> c[0] + c[1] x + c[2] x**2 + ... by Horner's rule with fma.

    One intrinsic, so that a polynomial is a table of numbers and not a chain of statements.

    Args:
        dtype: np.float32 or np.float64.
        coefficients: lowest power first.
    """
    coefficients = tuple(dtype(c) for c in coefficients)
    emit_fma = _intrinsic_call("llvm.fma")

    def emit(builder, llvm_type, values):
        total = ir.Constant(llvm_type, float(coefficients[-1]))
        for c in coefficients[-2::-1]:
            total = emit_fma(builder, llvm_type, [total, values[0], ir.Constant(llvm_type, float(c))])
        return total

    @lowered(_same, emit)
    def horner(x):
        total = coefficients[-1]
        for c in coefficients[-2::-1]:
            total = fma(total, x, c)
        return total

    return horner


def table(values):
    """A function i -> values[i], for an unsigned 64-bit index; the numbers lie in the code as a constant.

    A load from an array of NumPy's would keep loops from vectorising where LLVM cannot tell that no store changes it.

    Args:
        values: float64 numbers.
    """
    values = tuple(f64(v) for v in values)
    rows = ir.ArrayType(ir.DoubleType(), len(values))
    name = f"table_{hashlib.sha256(np.array(values).tobytes()).hexdigest()[:16]}"

    def emit(builder, llvm_type, arguments):
        module = builder.module
        place = module.globals.get(name)
        if place is None:
            place = ir.GlobalVariable(module, rows, name)
            place.linkage, place.global_constant = "internal", True
            place.initializer = ir.Constant(rows, [float(v) for v in values])
        value = builder.load(builder.gep(place, [ir.Constant(ir.IntType(64), 0), arguments[0]]))
        _set_scope(module, value, 0)  # what kernels only read
        return value

    @lowered(lambda index: types.float64, emit)
    def look_up(index):
        return values[int(index)]

    return look_up
