"""Factorizations: Cholesky, QR, LU, singular values, eigenvalues.

Signs and phases that a factorization leaves open are LAPACK's, those of QR are TensorFlow's too.
"""

from typing import Any, NamedTuple

from nbflow.dtypes import as_dtype, int32, int64, require
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.tensor.tensor import argument


class Qr(NamedTuple):
    """What linalg.qr returns."""

    q: Any
    r: Any


class Lu(NamedTuple):
    """What linalg.lu returns."""

    lu: Any
    p: Any


@export("linalg.cholesky")
def cholesky(input, name=None):
    """The lower triangular L with L Lᴴ = input, of positive definite matrices (tf.linalg.cholesky).

    Args:
        input: a tensor [..., n, n] of float32, float64 or a complex dtype; only the lower triangle is read.

    Returns:
        A tensor [..., n, n]; its lower triangle is NaN where a matrix is not positive definite.

    Raises:
        InvalidArgumentError: matrices are not square, or have another dtype.

    Example:
        >>> import nbflow as nf
        >>> nf.linalg.cholesky([[4.0, 2.0], [2.0, 5.0]])
        <nf.Tensor: shape=(2, 2), dtype=float32, numpy=
        array([[2., 0.],
               [1., 2.]], dtype=float32)>
    """
    return TABLE["cholesky"](argument("cholesky", "input", input))


@export("linalg.qr")
def qr(input, full_matrices=False, name=None):
    """input = q r with orthonormal columns of q and upper triangular r (tf.linalg.qr).

    Args:
        input: a tensor [..., m, n].
        full_matrices: whether q is [..., m, m] and r [..., m, n], rather than [..., m, p] and [..., p, n], p being
            the lesser of m and n.

    Returns:
        A named tuple (q, r).

    Raises:
        InvalidArgumentError: the rank is below 2, or the dtype is not float32, float64 or complex.
    """
    return Qr(*TABLE["qr"](argument("qr", "input", input), full_matrices=bool(full_matrices)))


@export("linalg.lu")
def lu(input, output_idx_type=int32, name=None):
    """Lower and upper triangular matrices whose product is a permutation of the rows (tf.linalg.lu).

    Args:
        input: a tensor [..., n, n].
        output_idx_type: int32 or int64, the dtype of p.

    Returns:
        A named tuple (lu, p): L below the diagonal of lu, with ones on its own, and U from there up; row i of L U is
        row p[i] of the input. lu has no gradient.

    Raises:
        InvalidArgumentError: matrices are not square, or one is singular.
    """
    wanted = as_dtype(output_idx_type)
    require("lu", "output_idx_type", wanted, (int32, int64))
    return Lu(*TABLE["lu"](argument("lu", "input", input), output_idx_type=wanted))


@export("linalg.svd")
def svd(tensor, full_matrices=False, compute_uv=True, name=None):
    """tensor = u diag(s) vᴴ with singular values s, the greatest first (tf.linalg.svd).

    Args:
        tensor: a tensor [..., m, n].
        full_matrices: whether u is [..., m, m] and v [..., n, n], rather than [..., m, p] and [..., n, p], p being
            the lesser of m and n.
        compute_uv: False gives s alone, sooner.

    Returns:
        (s, u, v), or s. Matrices with NaN or infinities give NaN.

    Raises:
        InvalidArgumentError: the rank is below 2, or the dtype is not float32, float64 or complex.
    """
    tensor = argument("svd", "tensor", tensor)
    if not compute_uv:
        return TABLE["singular_values"](tensor)
    return TABLE["svd"](tensor, full_matrices=bool(full_matrices))


def _eigen(op: str, tensor):
    return TABLE[op](argument(op, "tensor", tensor))


@export("linalg.eigh")
def eigh(tensor, name=None):
    """Eigenvalues e and eigenvectors v of self-adjoint matrices, tensor v = v diag(e) (tf.linalg.eigh).

    Args:
        tensor: a tensor [..., n, n]; only the lower triangle is read.

    Returns:
        (e, v): e [..., n] in ascending order, and the vectors in the columns of v [..., n, n]; both of tensor's dtype.

    Raises:
        InvalidArgumentError: matrices are not square, or hold NaN or infinities.
    """
    return _eigen("eigh", tensor)


@export("linalg.eigvalsh")
def eigvalsh(tensor, name=None):
    """Eigenvalues of self-adjoint matrices in ascending order (tf.linalg.eigvalsh), see eigh."""
    return _eigen("eigvalsh", tensor)


@export("linalg.eig", "eig")
def eig(tensor, name=None):
    """Eigenvalues e and eigenvectors v of square matrices, tensor v = v diag(e) (tf.linalg.eig).

    Args:
        tensor: a tensor [..., n, n].

    Returns:
        (e, v), complex: e [..., n] in no particular order, and vectors of length 1 in the columns of v [..., n, n].

    Raises:
        InvalidArgumentError: matrices are not square, or hold NaN or infinities.
    """
    return _eigen("eig", tensor)


@export("linalg.eigvals", "eigvals")
def eigvals(tensor, name=None):
    """Eigenvalues of square matrices, complex and in no particular order (tf.linalg.eigvals), see eig."""
    return _eigen("eigvals", tensor)


@export("linalg.eigh_tridiagonal")
def eigh_tridiagonal(alpha, beta, eigvals_only=True, select="a", select_range=None, tol=None, name=None):
    """Eigenvalues of a self-adjoint tridiagonal matrix (tf.linalg.eigh_tridiagonal).

    Args:
        alpha: the diagonal, [n]; imaginary parts are ignored.
        beta: the diagonal above it, [n - 1]; the one below is its conjugate.
        eigvals_only: False gives eigenvectors too.
        select: "a" for all eigenvalues, "v" for those in the interval (min, max] of select_range, "i" for those of the
            indices min to max of select_range, both included.
        tol: accepted as TensorFlow's; eigenvalues are as exact as the dtype allows.

    Returns:
        Eigenvalues in ascending order, or (eigenvalues, eigenvectors in the columns of [n, k]).

    Raises:
        ValueError: dtypes differ, or select is none of the above.
    """
    alpha, beta = argument("eigh_tridiagonal", "alpha", alpha), argument("eigh_tridiagonal", "beta", beta)
    n = alpha.nbflow_shape[0]
    if alpha.dtype is not beta.dtype:
        raise ValueError(
            f"eigh_tridiagonal: alpha is {alpha.dtype.name} and beta is {beta.dtype.name}; they must match"
        )
    if select not in ("a", "i", "v"):
        raise ValueError(f"eigh_tridiagonal: select is {select!r}; it takes 'a', 'i' or 'v'")
    if select != "a" and (select_range is None or not _in_order(select, *select_range)):
        raise InvalidArgumentError(f"eigh_tridiagonal: select_range is {select_range!r}, which selects nothing")
    chosen = select_range if select == "a" else tuple(_number(v) for v in select_range)
    values, vectors = TABLE["eigh_tridiagonal"](alpha, beta, select=select, select_range=chosen)
    if n <= 1 or eigvals_only:
        return values
    return values, vectors


def _in_order(select: str, low, high) -> bool:
    return _number(low) <= _number(high) if select == "i" else _number(low) < _number(high)


def _number(value) -> float:
    return float(value.numpy()) if hasattr(value, "numpy") else float(value)
