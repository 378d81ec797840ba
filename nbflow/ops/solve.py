"""Inverses, determinants and systems of linear equations, by LAPACK and BLAS."""

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.dtypes import float16
from nbflow.errors import InvalidArgumentError
from nbflow.ops.matrices import (
    LAPACK,
    band,
    check_matrices,
    column,
    over_stacks,
    product,
    same,
    square_infer,
)
from nbflow.ops.table import TABLE, check_dtypes, register, shape_text
from nbflow.runtime import lapack
from nbflow.runtime.lapack import gufuncs
from nbflow.runtime.pool import shared
from nbflow.shapes import Dim, broadcast, could_be_equal

T = TABLE


def _flipped(a: np.ndarray) -> np.ndarray:
    return a.conj().swapaxes(-1, -2)


def _cube(a: np.ndarray) -> float:
    return float(a.shape[-1]) ** 3


# --- inverse ----------------------------------------------------------------------------------------------------------


def _inverse(a, adjoint):
    result = shared(gufuncs.inv, a, work=_cube(a))
    if np.isnan(result).any() and not _regular(a):
        raise InvalidArgumentError("inv: Input is not invertible.")
    return _flipped(result) if adjoint else result


def _vjp_inverse(k, g, inputs, output, attrs):
    flipped = attrs["adjoint"]
    right = product(g, output, adjoint_x=flipped, adjoint_y=not flipped)
    return -product(output, right, adjoint_x=not flipped)


matrix_inverse = register(
    Op(
        "matrix_inverse",
        ("input",),
        square_infer("inv", same, (*LAPACK, float16)),
        dtypes=(*LAPACK, float16),
        wide=True,
        host=_inverse,
        vjp=_vjp_inverse,
        batch=over_stacks,
        reference=_inverse,
        tolerance=1024,
    )
)


# --- determinants -----------------------------------------------------------------------------------------------------


def _unknown(a: np.ndarray, result: np.ndarray) -> np.ndarray:
    """NaN for matrices that hold one: LAPACK may see a pivot of 0 there."""
    return np.where(np.isnan(a).any((-1, -2)), result.dtype.type(np.nan), result)


def _adjoint_inverse(a):
    return T["matrix_inverse"](a, adjoint=True)


matrix_determinant = register(
    Op(
        "matrix_determinant",
        ("input",),
        square_infer("det", lambda a, attrs: aval(a.dtype, a.shape[:-2])),
        dtypes=LAPACK,
        host=lambda a: _unknown(a, shared(gufuncs.det, a, work=_cube(a) / 3)),
        vjp=lambda k, g, inputs, output, attrs: column(column(g * output)) * _adjoint_inverse(inputs[0]),
        batch=over_stacks,
        reference=np.linalg.det,
        tolerance=1024,
    )
)


def _slogdet(a):
    sign, log = shared(lambda part: tuple(gufuncs.slogdet(part)), a, work=_cube(a) / 3)
    log = _unknown(a, log)
    return np.where(np.isnan(log), log, sign), log


def _vjp_slogdet(k, g, inputs, output, attrs):
    """The sign has no gradient."""
    return None if g[1] is None else column(column(g[1])) * _adjoint_inverse(inputs[0])


log_matrix_determinant = register(
    Op(
        "log_matrix_determinant",
        ("input",),
        square_infer("slogdet", lambda a, attrs: (aval(a.dtype, a.shape[:-2]),) * 2),
        dtypes=LAPACK,
        host=_slogdet,
        vjp=_vjp_slogdet,
        batch=over_stacks,
        reference=lambda a: tuple(x.astype(a.dtype) for x in np.linalg.slogdet(a)),
        tolerance=1024,
    )
)


# --- systems ----------------------------------------------------------------------------------------------------------


def _infer_solve(avals, attrs):
    a, b = avals
    check_dtypes("solve", ("matrix", "rhs"), avals, LAPACK)
    n, _ = check_matrices("solve", "matrix", a, square=True)
    check_matrices("solve", "rhs", b)
    if not could_be_equal(a.shape[:-2], b.shape[:-2]):
        raise InvalidArgumentError(
            f"solve: matrix has shape {shape_text(a)} and rhs has shape {shape_text(b)}; all sizes but the last two "
            f"must be equal"
        )
    check_rows("solve", n, a, b)
    return aval(b.dtype, b.shape)


def check_rows(name: str, n, a, b) -> None:
    """Raises InvalidArgumentError unless b has n rows."""
    if n != b.shape[-2] and not isinstance(n, Dim) and not isinstance(b.shape[-2], Dim):
        raise InvalidArgumentError(
            f"{name}: matrix has shape {shape_text(a)} and rhs has shape {shape_text(b)}; Input matrix and rhs are "
            f"incompatible."
        )


def _solve(a, b, adjoint):
    result = shared(gufuncs.solve, _flipped(a) if adjoint else a, b, work=_cube(a))
    if np.isnan(result).any() and not _regular(a):
        raise InvalidArgumentError("solve: Input matrix is not invertible.")
    return result


def _regular(a: np.ndarray) -> bool:
    """Whether no matrix of a stack has a pivot that is 0 or NaN."""
    factors, _, regular = shared(lapack.lu, a)
    return bool(regular.all()) and not np.isnan(factors).any()


def _vjp_solve(k, g, inputs, output, attrs):
    a, flipped = inputs[0], attrs["adjoint"]
    g_rhs = T["matrix_solve"](a, g, adjoint=not flipped)
    if k == 1:
        return g_rhs
    return -product(output, g_rhs, adjoint_y=True) if flipped else -product(g_rhs, output, adjoint_y=True)


matrix_solve = register(
    Op(
        "matrix_solve",
        ("matrix", "rhs"),
        _infer_solve,
        dtypes=LAPACK,
        host=_solve,
        vjp=_vjp_solve,
        batch=over_stacks,
        reference=_solve,
        tolerance=1024,
    )
)


def _infer_triangular(avals, attrs):
    a, b = avals
    check_dtypes("triangular_solve", ("matrix", "rhs"), avals, LAPACK)
    n, _ = check_matrices("triangular_solve", "matrix", a, square=True)
    check_matrices("triangular_solve", "rhs", b)
    check_rows("triangular_solve", n, a, b)
    return aval(b.dtype, (*broadcast("triangular_solve", a.shape[:-2], b.shape[:-2]), *b.shape[-2:]))


def _triangular(a, b, lower, adjoint):
    outer = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (np.broadcast_to(x, (*outer, *x.shape[-2:])) for x in (a, b))
    return shared(
        lambda a, b: lapack.triangular_solve(a, b, lower, adjoint), a, b, work=a.shape[-1] ** 2 * b.shape[-1] / 2
    )


def _triangular_reference(a, b, lower, adjoint):
    a = np.tril(a) if lower else np.triu(a)
    return np.matmul(np.linalg.inv(_flipped(a) if adjoint else a), b)


def _vjp_triangular(k, g, inputs, output, attrs):
    a, lower, flipped = inputs[0], attrs["lower"], attrs["adjoint"]
    g_rhs = T["triangular_solve"](a, g, lower=lower, adjoint=not flipped)
    if k == 1:
        return g_rhs
    full = product(output, g_rhs, adjoint_y=True) if flipped else product(g_rhs, output, adjoint_y=True)
    return -(band(full, None, 0) if lower else band(full, 0, None))


triangular_solve = register(
    Op(
        "triangular_solve",
        ("matrix", "rhs"),
        _infer_triangular,
        dtypes=LAPACK,
        host=_triangular,
        vjp=_vjp_triangular,
        batch=over_stacks,
        reference=_triangular_reference,
        tolerance=1024,
    )
)


# --- least squares ----------------------------------------------------------------------------------------------------


def _infer_least_squares(avals, attrs):
    a, b = avals
    check_dtypes("lstsq", ("matrix", "rhs"), avals, LAPACK)
    m, n = check_matrices("lstsq", "matrix", a)
    check_matrices("lstsq", "rhs", b)
    check_rows("lstsq", m, a, b)
    if not could_be_equal(a.shape[:-2], b.shape[:-2]):
        raise InvalidArgumentError(f"lstsq: matrix has shape {shape_text(a)} and rhs has shape {shape_text(b)}")
    return aval(b.dtype, (*b.shape[:-2], n, b.shape[-1]))


def _least_squares(a, b):
    """The shortest of the best solutions; singular values below eps max(m, n) times the greatest count as 0."""
    inverse = shared(np.linalg.pinv, a, work=5 * _cube(a)) if a.size else a.swapaxes(-1, -2)
    return np.matmul(inverse, b).astype(b.dtype)


least_squares = register(
    Op(
        "least_squares",
        ("matrix", "rhs"),
        _infer_least_squares,
        dtypes=LAPACK,
        host=_least_squares,
        batch=over_stacks,
        reference=_least_squares,
        tolerance=1024,
    )
)
