"""The few machine operations that Numba cannot say: raw loads and stores, atomics, calls through addresses.

Kernels see memory as 64-bit addresses. `load` and `store` carry alias scopes: scope 0 is memory that the kernel only
reads, scopes 1, 2 … are its outputs, and no two scopes overlap. That spares LLVM its run-time overlap tests, which it
gives up on beyond a few arrays. With NUMBA_DISABLE_JIT=1 every intrinsic is a plain Python function over ctypes, so
that a kernel can be stepped through in a debugger.
"""

import ctypes
import math
import operator
import platform
from typing import Any

import ml_dtypes
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

I64 = ir.IntType(64)
ALIAS_SCOPES = 32  # scope 0 for inputs, the rest for outputs


class Half(types.Number):
    """A 16-bit float in memory. `load` gives it as a float32 and `store` takes one."""

    bitwidth = 16

    def __init__(self, name: str, to_float32, from_float32):
        super().__init__(name)
        self.to_float32, self.from_float32 = to_float32, from_float32  # (builder, LLVM value) -> LLVM value


_I16, _I32, _F32 = ir.IntType(16), ir.IntType(32), ir.FloatType()


def _from_bfloat16(builder, bits):
    return builder.bitcast(builder.shl(builder.zext(bits, _I32), ir.Constant(_I32, 16)), _F32)


def _to_bfloat16(builder, value):
    """The upper half of a float32, rounded half to even; NaN stays NaN."""
    bits = builder.bitcast(value, _I32)
    odd = builder.and_(builder.lshr(bits, ir.Constant(_I32, 16)), ir.Constant(_I32, 1))
    rounded = builder.add(builder.add(bits, ir.Constant(_I32, 0x7FFF)), odd)
    quiet = builder.or_(bits, ir.Constant(_I32, 0x400000))
    chosen = builder.select(builder.fcmp_unordered("uno", value, value), quiet, rounded)
    return builder.trunc(builder.lshr(chosen, ir.Constant(_I32, 16)), _I16)


F16 = Half(
    "float16 in memory",
    lambda builder, bits: builder.fpext(builder.bitcast(bits, ir.HalfType()), _F32),
    lambda builder, value: builder.bitcast(builder.fptrunc(value, ir.HalfType()), _I16),
)
BF16 = Half("bfloat16 in memory", _from_bfloat16, _to_bfloat16)
DTYPES = {  # the names that kernel source uses
    "f16": F16,
    "bf16": BF16,
    "f32": types.float32,
    "f64": types.float64,
    "i8": types.int8,
    "i16": types.int16,
    "i32": types.int32,
    "i64": types.int64,
    "u8": types.uint8,
    "u16": types.uint16,
    "u32": types.uint32,
    "u64": types.uint64,
    "c64": types.complex64,
    "c128": types.complex128,
    "b1": types.boolean,
}


def _pointer(builder, address, llvm_type):
    return builder.inttoptr(address, llvm_type.as_pointer())


def _set_scope(module, instruction, scope):
    """Marks a memory access as touching only the memory of its scope."""
    sets = vars(module).setdefault("nbflow_scopes", {})  # the metadata of a scope, made once a module
    if scope not in sets:
        domain = module.add_metadata(["nbflow"])
        scopes = [module.add_metadata([f"memory {k}", domain]) for k in range(ALIAS_SCOPES)]
        others = module.add_metadata(scopes[:scope] + scopes[scope + 1 :])
        sets[scope] = module.add_metadata([scopes[scope]]), others
    for kind, metadata in zip(("alias.scope", "noalias"), sets[scope], strict=True):
        instruction.set_metadata(kind, metadata)


def _load(typingctx, dtype, address, index, scope):
    """The element at address[index], of type dtype; a half as a float32."""
    element = dtype.dtype
    half = isinstance(element, Half)

    def codegen(context, builder, signature, args):
        data_type = _I16 if half else context.get_data_type(element)
        value = builder.load(builder.gep(_pointer(builder, args[1], data_type), [args[2]]))
        _set_scope(builder.module, value, scope.literal_value)
        if half:
            return element.to_float32(builder, value)
        return context.data_model_manager[element].from_data(builder, value)

    return (types.float32 if half else element)(dtype, types.int64, types.int64, scope), codegen


def _store(typingctx, dtype, address, index, value, scope):
    """address[index] = value, an element of type dtype; a half is given as a float32."""
    element = dtype.dtype
    half = isinstance(element, Half)

    def codegen(context, builder, signature, args):
        pointer = _pointer(builder, args[1], _I16 if half else context.get_data_type(element))
        if half:
            data = element.from_float32(builder, args[3])
        else:
            data = context.data_model_manager[element].as_data(builder, args[3])
        _set_scope(builder.module, builder.store(data, builder.gep(pointer, [args[2]])), scope.literal_value)
        return context.get_dummy_value()

    return types.void(dtype, types.int64, types.int64, types.float32 if half else element, scope), codegen


def _rounding(half: Half):
    def definition(typingctx, x):
        """A float32 rounded to what a half can hold."""

        def codegen(context, builder, signature, args):
            return half.to_float32(builder, half.from_float32(builder, args[0]))

        return types.float32(types.float32), codegen

    return definition


_round_f16, _round_bf16 = _rounding(F16), _rounding(BF16)


def _typed_pointer(typingctx, dtype, address):
    """The address as a pointer to elements of dtype, from which numba.carray makes an array."""
    element = dtype.dtype

    def codegen(context, builder, signature, args):
        return _pointer(builder, args[1], context.get_data_type(element))

    return types.CPointer(element)(dtype, types.int64), codegen


def _word(typingctx, address, index):
    """The int64 at address[index]: how kernels and the interpreter read their tables."""

    def codegen(context, builder, signature, args):
        return builder.load(builder.gep(_pointer(builder, args[0], I64), [args[1]]))

    return types.int64(types.int64, types.int64), codegen


def _set_word(typingctx, address, index, value):
    """address[index] = value, an int64."""

    def codegen(context, builder, signature, args):
        builder.store(args[2], builder.gep(_pointer(builder, args[0], I64), [args[1]]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


def _atomic_add(typingctx, address, value):
    """Adds value to the int64 at address and returns what was there."""

    def codegen(context, builder, signature, args):
        return builder.atomic_rmw("add", _pointer(builder, args[0], I64), args[1], "seq_cst")

    return types.int64(types.int64, types.int64), codegen


def _atomic_swap(typingctx, address, value):
    """Stores value in the int64 at address and returns what was there."""

    def codegen(context, builder, signature, args):
        return builder.atomic_rmw("xchg", _pointer(builder, args[0], I64), args[1], "seq_cst")

    return types.int64(types.int64, types.int64), codegen


def _atomic_load(typingctx, address):
    """The int64 at address, sequentially consistent."""

    def codegen(context, builder, signature, args):
        return builder.load_atomic(_pointer(builder, args[0], I64), "seq_cst", 8)

    return types.int64(types.int64), codegen


def _call_kernel(typingctx, function, args_address, begin, end):
    """Calls the kernel at an address: void(args, begin, end)."""

    def codegen(context, builder, signature, args):
        kernel = ir.FunctionType(ir.VoidType(), [I64] * 3)
        builder.call(_pointer(builder, args[0], kernel), args[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), codegen


def _system_call(typingctx, number, a, b, c, d, e, f):
    """Linux's syscall(number, a … f)."""

    def codegen(context, builder, signature, args):
        syscall = cgutils.get_or_insert_function(builder.module, ir.FunctionType(I64, [I64] * 7), "syscall")
        return builder.call(syscall, args)

    return types.int64(*[types.int64] * 7), codegen


def _reallocate(typingctx, address, nbytes):
    """C's realloc: memory of another size with the same bytes in it, 0 if there is none; 0 bytes give it back."""

    def codegen(context, builder, signature, args):
        realloc = cgutils.get_or_insert_function(builder.module, ir.FunctionType(I64, [I64] * 2), "realloc")
        return builder.call(realloc, args)

    return types.int64(types.int64, types.int64), codegen


def _pause(typingctx):
    """Tells the core that this is a spin-wait loop (x86 PAUSE); nothing elsewhere."""

    def codegen(context, builder, signature, args):
        if platform.machine() in ("x86_64", "AMD64"):
            nothing = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, nothing, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), codegen


def _by_parts(context, builder, kind, args, combine):
    """A complex number whose parts are combinations of the parts of two others."""
    one, two = (context.make_complex(builder, kind, value=x) for x in args)
    result = context.make_complex(builder, kind)
    result.real, result.imag = combine(one.real, two.real), combine(one.imag, two.imag)
    return result._getvalue()


def _add_any_order(typingctx, a, b):
    """a + b, where the compiler may regroup a chain of such additions: a sum that vectorises."""

    def codegen(context, builder, signature, args):
        if isinstance(a, types.Complex):
            return _by_parts(context, builder, a, args, lambda x, y: builder.fadd(x, y, flags=("reassoc", "nsz")))
        if isinstance(a, types.Float):
            return builder.fadd(args[0], args[1], flags=("reassoc", "nsz"))
        return builder.add(args[0], args[1])

    return a(a, a), codegen


def _mul_any_order(typingctx, a, b):
    """a * b, where the compiler may regroup a chain of such products of real numbers."""

    def codegen(context, builder, signature, args):
        if isinstance(a, types.Complex):
            return context.get_function(operator.mul, a(a, a))(builder, args)
        if isinstance(a, types.Float):
            return builder.fmul(args[0], args[1], flags=("reassoc", "nsz"))
        return builder.mul(args[0], args[1])

    return a(a, a), codegen


def _extreme(float_intrinsic, predicate):
    def definition(typingctx, a, b):
        """The greater or lesser of two numbers; NaN if either is NaN."""

        def codegen(context, builder, signature, args):
            if isinstance(a, types.Float):
                function = ir.FunctionType(args[0].type, [args[0].type] * 2)
                name = f"llvm.{float_intrinsic}.f{a.bitwidth}"
                return builder.call(cgutils.get_or_insert_function(builder.module, function, name), args)
            signed = isinstance(a, types.Integer) and a.signed
            compare = builder.icmp_signed if signed else builder.icmp_unsigned
            return builder.select(compare(predicate, args[0], args[1]), args[0], args[1])

        return a(a, a), codegen

    return definition


_maximum, _minimum = _extreme("maximum", ">"), _extreme("minimum", "<")


def _to_int(typingctx, dtype, x):
    """x truncated to an integer type as the C cast on x86 does.

    It goes through int32 or, for wider types and uint32, int64, where numbers out of range and NaN give the least.
    """
    element = dtype.dtype
    bits = 64 if element.bitwidth > 32 or element == types.uint32 else 32

    def codegen(context, builder, signature, args):
        wide, float_type = ir.IntType(bits), args[1].type

        def signed(number):
            limit = ir.Constant(float_type, 2.0 ** (bits - 1))
            inside = builder.and_(
                builder.fcmp_ordered("<", number, limit),
                builder.fcmp_ordered(">=", number, ir.Constant(float_type, -(2.0 ** (bits - 1)))),
            )
            safe = builder.select(inside, number, ir.Constant(float_type, 0.0))
            return builder.select(inside, builder.fptosi(safe, wide), ir.Constant(wide, -(2 ** (bits - 1))))

        value = signed(args[1])
        if element == types.uint64:  # what int64 cannot hold: less 2⁶³, with the highest bit set again
            upper = signed(builder.fsub(args[1], ir.Constant(float_type, 2.0**63)))
            value = builder.or_(value, builder.and_(upper, builder.ashr(value, ir.Constant(wide, 63))))
        return value if bits == element.bitwidth else builder.trunc(value, ir.IntType(element.bitwidth))

    return element(dtype, x), codegen


# --- the plain Python twins ---------------------------------------------------------------------------------------

NUMPY: dict[Any, Any] = {F16: np.float16, BF16: ml_dtypes.bfloat16, types.boolean: np.bool_}
NUMPY |= {kind: np.dtype(str(kind)).type for kind in DTYPES.values() if kind not in NUMPY}
PYTHON_KERNELS: list = []  # where an "address" of a plain Python kernel points


def cells(dtype, address, count=1) -> np.ndarray:
    """The numbers at an address, to read and write in Python."""
    kind = np.dtype(NUMPY[dtype])
    return np.frombuffer((ctypes.c_char * (count * kind.itemsize)).from_address(int(address)), kind)


def _cell(address):
    return ctypes.c_int64.from_address(int(address))


def _python_load(dtype, address, index, scope):
    (value,) = cells(dtype, address + index * np.dtype(NUMPY[dtype]).itemsize)
    return np.float32(value) if isinstance(dtype, Half) else value


def _python_store(dtype, address, index, value, scope):
    with np.errstate(all="ignore"):
        cells(dtype, address + index * np.dtype(NUMPY[dtype]).itemsize)[0] = value


def _python_rounding(half):
    def rounded(x):
        with np.errstate(all="ignore"):
            return np.float32(NUMPY[half](x))

    return rounded


def _python_atomic_add(address, value):
    cell = _cell(address)
    before, cell.value = cell.value, cell.value + value
    return before


def _python_atomic_swap(address, value):
    cell = _cell(address)
    before, cell.value = cell.value, value
    return before


def _python_system_call(number, *args):
    return ctypes.CDLL(None).syscall(*map(ctypes.c_long, (number, *args)))


def _python_maximum(a, b):
    return a if a != a or a > b else b


def _python_minimum(a, b):
    return a if a != a or a < b else b


def _python_to_int(dtype, x):
    bits = 64 if dtype.bitwidth > 32 or dtype == types.uint32 else 32
    if dtype == types.uint64 and 2.0**63 <= x < 2.0**64:
        return np.uint64(int(x))
    inside = not math.isnan(x) and -(2.0 ** (bits - 1)) <= x < 2.0 ** (bits - 1)
    value = int(x) if inside else -(2 ** (bits - 1))
    return np.array(value, np.int64).astype(str(dtype))[()]


def _python_reallocate(address, nbytes):
    function = ctypes.CDLL(None).realloc
    function.argtypes, function.restype = [ctypes.c_size_t] * 2, ctypes.c_size_t
    return function(int(address), int(nbytes))


_PYTHON = {
    _reallocate: _python_reallocate,
    _load: _python_load,
    _store: _python_store,
    _typed_pointer: lambda dtype, address: ctypes.cast(
        int(address), ctypes.POINTER(np.ctypeslib.as_ctypes_type(NUMPY[dtype]))
    ),
    _word: lambda address, index: _cell(address + 8 * index).value,
    _set_word: lambda address, index, value: setattr(_cell(address + 8 * index), "value", value),
    _round_f16: _python_rounding(F16),
    _round_bf16: _python_rounding(BF16),
    _atomic_add: _python_atomic_add,
    _atomic_swap: _python_atomic_swap,
    _atomic_load: lambda address: _cell(address).value,
    _call_kernel: lambda function, args, begin, end: PYTHON_KERNELS[function](args, begin, end),
    _system_call: _python_system_call,
    _pause: lambda: None,
    _add_any_order: lambda a, b: a + b,
    _mul_any_order: lambda a, b: a * b,
    _maximum: _python_maximum,
    _minimum: _python_minimum,
    _to_int: _python_to_int,
}


def _make(definition):
    if config.DISABLE_JIT:
        return _PYTHON[definition]
    return intrinsic(prefer_literal=True)(definition)


load, store, pointer = _make(_load), _make(_store), _make(_typed_pointer)
word, set_word = _make(_word), _make(_set_word)
atomic_add, atomic_swap, atomic_load = _make(_atomic_add), _make(_atomic_swap), _make(_atomic_load)
call_kernel, system_call, pause = _make(_call_kernel), _make(_system_call), _make(_pause)
reallocate = _make(_reallocate)
round_f16, round_bf16 = _make(_round_f16), _make(_round_bf16)
add_any_order, mul_any_order, to_int = _make(_add_any_order), _make(_mul_any_order), _make(_to_int)
maximum, minimum = _make(_maximum), _make(_minimum)
