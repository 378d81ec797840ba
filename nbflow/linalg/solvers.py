"""Systems of linear equations, inverses and determinants."""

import math
from typing import Any, NamedTuple

import numpy as np

from nbflow.dtypes import complex128, float32, int32
from nbflow.errors import InvalidArgumentError
from nbflow.linalg.factorizations import svd
from nbflow.ops import matrices
from nbflow.ops.elementwise import where
from nbflow.ops.factorization import known_sizes
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, pair
from nbflow.shapes import Dim, broadcast, could_be_equal, dim_max
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument


class LogMatrixDeterminant(NamedTuple):
    """What linalg.slogdet returns."""

    sign: Any
    log_abs_determinant: Any


def _system(op: str, matrix, rhs):
    return pair(op, matrix, rhs, ("matrix", "rhs"))


# --- inverses and determinants ----------------------------------------------------------------------------------------


@export("linalg.inv")
def inv(input, adjoint=False, name=None):
    """The inverses of square matrices, or of their adjoints (tf.linalg.inv).

    Args:
        input: a tensor [..., n, n].

    Raises:
        InvalidArgumentError: matrices are not square, or one is singular.
    """
    return TABLE["matrix_inverse"](argument("inv", "input", input), adjoint=bool(adjoint))


@export("linalg.det")
def det(input, name=None):
    """The determinants [...] of square matrices [..., n, n] (tf.linalg.det).

    Raises:
        InvalidArgumentError: matrices are not square.
    """
    return TABLE["matrix_determinant"](argument("det", "input", input))


@export("linalg.slogdet")
def slogdet(input, name=None):
    """The sign and the logarithm of the magnitude of determinants (tf.linalg.slogdet).

    Args:
        input: a tensor [..., n, n].

    Returns:
        A named tuple (sign, log_abs_determinant) of tensors [...]; a singular matrix has 0 and -inf. The sign of a
        complex determinant is a number of magnitude 1; it has no gradient.

    Raises:
        InvalidArgumentError: matrices are not square.
    """
    return LogMatrixDeterminant(*TABLE["log_matrix_determinant"](argument("slogdet", "input", input)))


@export("linalg.logdet")
def logdet(matrix, name=None):
    """The logarithms of determinants of positive definite matrices, from their Cholesky factors (tf.linalg.logdet)."""
    factor = TABLE["cholesky"](argument("logdet", "matrix", matrix))
    d = matrices.diagonal(factor)
    d = TABLE["real"](d) if d.dtype.is_complex else d
    return TABLE["reduce_sum"](TABLE["log"](d), axis=(len(d.nbflow_shape) - 1,), keepdims=False) * 2.0


def _longest(a):
    """The greater of rows and columns: a number where it is known, a tensor elsewhere."""
    m, n = a.nbflow_shape[-2:]
    if not isinstance(dim_max(m, n), Dim):
        return max(m, n)
    rank = len(a.nbflow_shape)
    return TABLE["maximum"](*(cast(TABLE["count"](a, axis=(k,)), a.dtype.real_dtype) for k in (rank - 2, rank - 1)))


@export("linalg.pinv")
def pinv(a, rcond=None, validate_args=False, name=None):
    """Moore-Penrose pseudo-inverses [..., n, m] of matrices [..., m, n], by singular values (tf.linalg.pinv).

    Args:
        a: a tensor of float32, float64 or a complex dtype.
        rcond: singular values below rcond times the greatest count as 0; 10 max(m, n) eps by default. A tensor [...].

    Raises:
        ValueError: the rank is below 2.
        TypeError: the dtype is an integer.
    """
    a = argument("pinv", "a", a)
    if not a.dtype.is_differentiable:
        raise TypeError(f"pinv: a has dtype {a.dtype.name}; it takes float32, float64 and complex dtypes")
    matrices.check_matrices("pinv", "a", a)
    if rcond is None:
        rcond = _longest(a) * (10.0 * float(np.finfo(a.dtype.np).eps))
    s, u, v = svd(a)
    rcond = argument("pinv", "rcond", rcond, s.dtype)
    cutoff = rcond * TABLE["reduce_max"](s, axis=(len(s.nbflow_shape) - 1,), keepdims=False)
    kept = TABLE["greater"](s, matrices.column(cutoff))
    s = where(kept, s, TABLE["fill_like"](s, shape=tuple(s.nbflow_shape), value=math.inf))
    return matrices.product(v / matrices.row(TABLE["cast"](s, dtype=a.dtype)), u, adjoint_y=True)


@export("linalg.matrix_rank")
def matrix_rank(a, tol=None, validate_args=False, name=None):
    """How many singular values of matrices [..., m, n] are above tol, int32 [...] (tf.linalg.matrix_rank).

    Args:
        tol: a tensor that broadcasts with [..., 1]; eps max(m, n) times the greatest singular value by default.
    """
    a = argument("matrix_rank", "a", a, float32)
    s = svd(a, compute_uv=False)
    last = (len(s.nbflow_shape) - 1,)
    if tol is None:
        greatest = TABLE["reduce_max"](s, axis=last, keepdims=True)
        tol = greatest * (_longest(a) * float(np.finfo(s.dtype.np).eps))
    above = TABLE["greater"](s, argument("matrix_rank", "tol", tol, s.dtype))
    return TABLE["reduce_sum"](TABLE["cast"](above, dtype=int32), axis=last, keepdims=False)


# --- systems ----------------------------------------------------------------------------------------------------------


@export("linalg.solve")
def solve(matrix, rhs, adjoint=False, name=None):
    """The x with matrix x = rhs, or matrixᴴ x = rhs (tf.linalg.solve).

    Args:
        matrix: a tensor [..., n, n].
        rhs: a tensor [..., n, k] with the same leading sizes.

    Returns:
        A tensor [..., n, k].

    Raises:
        InvalidArgumentError: shapes or dtypes do not fit, or a matrix is singular.
    """
    return TABLE["matrix_solve"](*_system("solve", matrix, rhs), adjoint=bool(adjoint))


@export("linalg.triangular_solve")
def triangular_solve(matrix, rhs, lower=True, adjoint=False, name=None):
    """The x with matrix x = rhs, or matrixᴴ x = rhs, for triangular matrices (tf.linalg.triangular_solve).

    Args:
        matrix: a tensor [..., n, n], of which the lower or the upper triangle is read.
        rhs: a tensor [..., n, k]; leading axes broadcast.

    Returns:
        A tensor [..., n, k]; zeros on the diagonal give infinities and NaN.

    Raises:
        InvalidArgumentError: shapes or dtypes do not fit.
    """
    matrix, rhs = _system("triangular_solve", matrix, rhs)
    return TABLE["triangular_solve"](matrix, rhs, lower=bool(lower), adjoint=bool(adjoint))


@export("linalg.cholesky_solve")
def cholesky_solve(chol, rhs, name=None):
    """The x with chol cholᴴ x = rhs (tf.linalg.cholesky_solve).

    Args:
        chol: what linalg.cholesky returned, [..., n, n].
        rhs: a tensor [..., n, k].
    """
    chol, rhs = pair("cholesky_solve", chol, rhs, ("chol", "rhs"))
    return triangular_solve(chol, triangular_solve(chol, rhs), adjoint=True)


@export("linalg.lstsq")
def lstsq(matrix, rhs, l2_regularizer=0.0, fast=True, name=None):
    """The x with the least |matrix x - rhs|² + l2_regularizer |x|² (tf.linalg.lstsq).

    Where columns are more than rows and the regularizer is 0, the shortest x with matrix x = rhs.

    Args:
        matrix: a tensor [..., m, n].
        rhs: a tensor [..., m, k].
        l2_regularizer: a number.
        fast: True solves the normal equations by a Cholesky factorization, which is exact enough where matrix is well
            conditioned; False uses singular values, ignores the regularizer, and has no gradient.

    Returns:
        A tensor [..., n, k].

    Raises:
        NotImplementedError: the dtype is complex128 and there is a regularizer.
    """
    matrix, rhs = _system("lstsq", matrix, rhs)
    regular = isinstance(l2_regularizer, TensorProtocol) or l2_regularizer != 0
    if matrix.dtype is complex128 and regular:
        raise NotImplementedError("lstsq: complex128 with l2_regularizer other than 0 is not supported")
    matrices.check_matrices("lstsq", "matrix", matrix)
    if not fast:
        return TABLE["least_squares"](matrix, rhs)
    m, n = known_sizes("lstsq", matrix)
    tall = m >= n
    gramian = matrices.product(matrix, matrix, adjoint_x=tall, adjoint_y=not tall)
    if regular:
        eye = matrices.identity(gramian, min(m, n))
        amount = argument("lstsq", "l2_regularizer", l2_regularizer, matrix.dtype.real_dtype)
        gramian = gramian + TABLE["cast"](amount, dtype=matrix.dtype) * eye
    factor = TABLE["cholesky"](gramian)
    if tall:
        return cholesky_solve(factor, matrices.product(matrix, rhs, adjoint_x=True))
    return matrices.product(matrix, cholesky_solve(factor, rhs), adjoint_x=True)


# --- with factors from linalg.lu --------------------------------------------------------------------------------------


def _factors(op: str, lower_upper, perm):
    lower_upper = argument(op, "lower_upper", lower_upper, float32)
    perm = argument(op, "perm", perm, int32)
    shape = lower_upper.nbflow_shape
    if len(shape) < 2:
        raise InvalidArgumentError(f"{op}: lower_upper has shape {lower_upper.shape}; it takes rank 2 or more")
    if len(shape) != len(perm.nbflow_shape) + 1:
        raise InvalidArgumentError(
            f"{op}: lower_upper has shape {lower_upper.shape} and perm {perm.shape}; perm has one axis less"
        )
    matrices.check_matrices(op, "lower_upper", lower_upper, square=True)
    return lower_upper, perm


def _lower(lower_upper):
    """L, with ones on its diagonal."""
    below = matrices.band(lower_upper, None, -1)
    return below + matrices.identity(lower_upper, lower_upper.nbflow_shape[-1])


def _rows(x, perm):
    """The rows perm of the matrices x, whose leading axes are perm's."""
    rank = len(perm.nbflow_shape)
    return TABLE["gather"](x, perm, axis=rank - 1, batch_dims=rank - 1)


@export("linalg.lu_solve")
def lu_solve(lower_upper, perm, rhs, validate_args=False, name=None):
    """The x with a x = rhs, where (lower_upper, perm) = linalg.lu(a) (tf.linalg.lu_solve).

    Args:
        rhs: a tensor [..., n, k]; leading axes broadcast.

    Raises:
        InvalidArgumentError: ranks or sizes do not fit.
    """
    lower_upper, perm = _factors("lu_solve", lower_upper, perm)
    rhs = argument("lu_solve", "rhs", rhs, lower_upper.dtype)
    if not could_be_equal(tuple(lower_upper.nbflow_shape[-1:]), tuple(rhs.nbflow_shape[-2:-1])):
        raise InvalidArgumentError(
            f"lu_solve: lower_upper has shape {lower_upper.shape} and rhs {rhs.shape}; lower_upper.shape[-1] must "
            f"equal rhs.shape[-2]"
        )
    outer = broadcast("lu_solve", tuple(perm.nbflow_shape[:-1]), tuple(rhs.nbflow_shape[:-2]))
    rhs = TABLE["broadcast_to"](rhs, shape=(*outer, *rhs.nbflow_shape[-2:]))
    perm = TABLE["broadcast_to"](perm, shape=(*outer, perm.nbflow_shape[-1]))
    return triangular_solve(lower_upper, triangular_solve(_lower(lower_upper), _rows(rhs, perm)), lower=False)


@export("linalg.lu_matrix_inverse")
def lu_matrix_inverse(lower_upper, perm, validate_args=False, name=None):
    """The inverse of a, where (lower_upper, perm) = linalg.lu(a) (tf.linalg.lu_matrix_inverse)."""
    lower_upper, perm = _factors("lu_matrix_inverse", lower_upper, perm)
    *outer, n, _ = lower_upper.nbflow_shape
    return lu_solve(lower_upper, perm, matrices.identity(lower_upper, n, tuple(outer)))


@export("linalg.lu_reconstruct")
def lu_reconstruct(lower_upper, perm, validate_args=False, name=None):
    """The matrix a with (lower_upper, perm) = linalg.lu(a) (tf.linalg.lu_reconstruct)."""
    lower_upper, perm = _factors("lu_reconstruct", lower_upper, perm)
    product = matrices.product(_lower(lower_upper), matrices.band(lower_upper, 0, None))
    rank = len(perm.nbflow_shape)
    size = lower_upper.nbflow_shape[-1]
    return TABLE["scatter_add"](product, perm, axis=rank - 1, batch_dims=rank - 1, size=size)
