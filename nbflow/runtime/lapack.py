"""LAPACK on stacks of row-major matrices: NumPy's own functions, and from OpenBLAS what NumPy does not offer.

NumPy's functions fill a result with NaN where a factorization fails, rather than raise.
"""

import ctypes
from functools import cache

import numpy as np
from numpy.linalg import _umath_linalg as gufuncs  # noqa: F401  (what numpy.linalg itself calls)

from nbflow.runtime import blas

_LETTERS = {"f": "s", "d": "d", "F": "c", "D": "z"}


@cache
def _function(name: str, letter: str):
    function = getattr(blas.library(), f"scipy_{_LETTERS[letter]}{name}_64_")
    function.restype = None
    return function


def _integer(value: int):
    return ctypes.byref(ctypes.c_int64(value))


def triangular_solve(a: np.ndarray, b: np.ndarray, lower: bool, adjoint: bool) -> np.ndarray:
    """The x [count, n, k] with a x = b, or aᴴ x = b, reading one triangle of each a [count, n, n]."""
    a, x = np.ascontiguousarray(a), np.array(b, order="C")
    count, n, k = x.shape
    if not x.size:
        return x
    solve, letter = _function("trsm", x.dtype.char), x.dtype.char
    # Fortran sees every matrix transposed, and so solves xᵀ aᵀ = bᵀ from the right
    flag = b"N"
    if adjoint:
        flag = b"T"
        a = a.conj() if letter in "FD" else a
    one = np.ones((), x.dtype)
    fixed = [b"R", b"U" if lower else b"L", flag, b"N", _integer(k), _integer(n), ctypes.c_void_p(one.ctypes.data)]
    lda, ldb = _integer(n), _integer(k)
    at_a, at_x = a.ctypes.data, x.ctypes.data
    step_a, step_x = a.strides[0] if a.shape[0] > 1 else 0, x.strides[0]
    for i in range(count):
        solve(*fixed, ctypes.c_void_p(at_a + i * step_a), lda, ctypes.c_void_p(at_x + i * step_x), ldb)
    return x


def lu(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """L and U of each matrix [count, n, n] in one, the rows of a in the order of L U, and whether no pivot is 0."""
    columns = np.array(a.swapaxes(-1, -2), order="C")
    count, n = columns.shape[:2]
    swaps, info = np.empty((count, n), np.int64), np.zeros(count, np.int64)
    if columns.size:
        factor = _function("getrf", columns.dtype.char)
        size = _integer(n)
        starts = (columns.ctypes.data, swaps.ctypes.data, info.ctypes.data)
        steps = (columns.strides[0], swaps.strides[0], info.strides[0])
        for i in range(count):
            matrix, pivots, code = (ctypes.c_void_p(s + i * step) for s, step in zip(starts, steps, strict=True))
            factor(size, size, matrix, size, pivots, code)
    order = np.tile(np.arange(n), (count, 1))
    every = np.arange(count)
    for i in range(n):
        other = swaps[:, i] - 1
        order[every, i], order[every, other] = order[every, other].copy(), order[every, i].copy()
    return columns.swapaxes(-1, -2), order, info == 0


def tridiagonal_solve(diagonals: np.ndarray, b: np.ndarray, perturb: bool) -> np.ndarray:
    """The x [count, m, k] with a x = b for tridiagonal matrices, [count, 3, m]; NaN where one is singular.

    Args:
        perturb: whether pivots of the size of rounding errors are made as large as these.
    """
    x = np.array(b.swapaxes(-1, -2), order="C")
    count, k, m = x.shape
    factor, solve = (_function(name, x.dtype.char) for name in ("gttrf", "gttrs"))
    size, columns, info = _integer(m), _integer(k), ctypes.c_int64()
    second, swaps = np.empty(m, x.dtype), np.empty(m, np.int64)  # the second diagonal above
    for i in range(count if x.size else 0):
        above, main, below = (np.array(d) for d in diagonals[i])
        at = [ctypes.c_void_p(d.ctypes.data) for d in (below[1:], main, above, second, swaps)]
        factor(size, *at, ctypes.byref(info))
        if perturb:
            largest = max(np.abs(d).max(initial=0) for d in (main, above[: m - 1], second[: m - 2 if m > 2 else 0]))
            least = np.finfo(x.dtype).eps * largest
            tiny = np.abs(main) <= least
            main[tiny] = np.where(main[tiny] == 0, least, least * np.sign(main[tiny]))
        elif info.value:
            x[i] = np.nan
            continue
        solve(b"N", size, columns, *at, ctypes.c_void_p(x[i].ctypes.data), size, ctypes.byref(info))
    return x.swapaxes(-1, -2)


def schur(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The upper triangular t and unitary q of each matrix [count, n, n] of complex128, a = q t qᴴ; NaN if it fails."""
    t = np.array(a.swapaxes(-1, -2), order="C")
    count, n = t.shape[:2]
    q, values, info = np.empty_like(t), np.empty(n, t.dtype), ctypes.c_int64()
    work, real_work, found = np.empty(max(32 * n, 1), t.dtype), np.empty(n), ctypes.c_int64()
    decompose, size, length = _function("gees", t.dtype.char), _integer(n), _integer(work.size)
    scratch = [ctypes.c_void_p(x.ctypes.data) for x in (values, work, real_work)]
    for i in range(count if t.size else 0):
        at_t, at_q = ctypes.c_void_p(t[i].ctypes.data), ctypes.c_void_p(q[i].ctypes.data)
        rest = (size, at_t, size, ctypes.byref(found), scratch[0], at_q, size, scratch[1], length, scratch[2])
        decompose(b"V", b"N", None, *rest, None, ctypes.byref(info))
        if info.value:
            t[i] = np.nan
    return t.swapaxes(-1, -2), q.swapaxes(-1, -2)
