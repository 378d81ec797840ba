"""OpenBLAS from the scipy-openblas64 wheel: the matrix products that kernels call on one thread each."""

import ctypes
import importlib
import os
from functools import cache, partial
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

GEMM = {
    types.float32: "scipy_sgemm_64_",
    types.float64: "scipy_dgemm_64_",
    types.complex64: "scipy_cgemm_64_",
    types.complex128: "scipy_zgemm_64_",
}
_I64 = ir.IntType(64)


@cache
def library() -> ctypes.CDLL:
    """The shared library, on one thread: nbflow's own team shares out the work.

    The wheel's package loads the library as soon as it is imported, and the library starts its threads as soon as it is
    loaded, so both happen here, with the environment saying that there shall be one. Two pools of threads on the same
    cores make each other wait for whole time slices.
    """
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        package = importlib.import_module("scipy_openblas64")
        folder = Path(package.get_lib_dir())
        loaded = ctypes.CDLL(str(folder / package.get_library(fullname=True)))
    finally:
        if before is None:
            del os.environ["OPENBLAS_NUM_THREADS"]
        else:
            os.environ["OPENBLAS_NUM_THREADS"] = before
    loaded.scipy_openblas_set_num_threads64_(1)
    for symbol in GEMM.values():
        llvm.add_symbol(symbol, ctypes.cast(getattr(loaded, symbol), ctypes.c_void_p).value)
    return loaded


def _product(beta: float):
    def definition(typingctx, dtype, transpose_a, transpose_b, m, n, k, a, lda, b, ldb, c, ldc):
        """Row-major C[m, n] = op(A) op(B) + beta C, op the transpose where its flag is 1; leading sizes in elements."""
        element = dtype.dtype

        def codegen(context, builder, signature, args):
            _, ta, tb, m, n, k, a, lda, b, ldb, c, ldc = args

            def reference(value):
                slot = cgutils.alloca_once(builder, value.type)
                builder.store(value, slot)
                return builder.ptrtoint(slot, _I64)

            def flag(value):  # 0 -> 'N' (78), 1 -> 'T' (84)
                char = builder.add(builder.mul(value, ir.Constant(_I64, 6)), ir.Constant(_I64, 78))
                return reference(builder.trunc(char, ir.IntType(8)))

            function = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(ir.VoidType(), [_I64] * 13), GEMM[element]
            )
            # Fortran sees row-major matrices transposed: C' = op(B)' op(A)'
            one, old = (reference(context.get_constant_generic(builder, element, v)) for v in (1.0, beta))
            arguments = [flag(tb), flag(ta), reference(n), reference(m), reference(k), one]
            arguments += [b, reference(ldb), a, reference(lda), old, c, reference(ldc)]
            builder.call(function, arguments)
            return context.get_dummy_value()

        return types.void(dtype, *[types.int64] * 11), codegen

    return definition


def _python_gemm(dtype, transpose_a, transpose_b, m, n, k, a, lda, b, ldb, c, ldc, beta=0):
    def matrix(address, rows, columns, leading):
        kind = np.dtype(str(dtype))
        flat = (ctypes.c_uint8 * (((rows - 1) * leading + columns) * kind.itemsize)).from_address(address)
        whole = np.frombuffer(flat, kind)
        return np.lib.stride_tricks.as_strided(whole, (rows, columns), (leading * kind.itemsize, kind.itemsize))

    left = matrix(a, k, m, lda).T if transpose_a else matrix(a, m, k, lda)
    right = matrix(b, n, k, ldb).T if transpose_b else matrix(b, k, n, ldb)
    result = matrix(c, m, n, ldc)
    result[...] = left @ right + (beta * result if beta else 0)


if config.DISABLE_JIT:
    gemm, gemm_add = _python_gemm, partial(_python_gemm, beta=1)
else:
    gemm, gemm_add = intrinsic(_product(0.0)), intrinsic(_product(1.0))
