"""Matrices of which only some diagonals are there: tridiagonal ones, and triangular ones with bands."""

from nbflow.dtypes import require
from nbflow.errors import InvalidArgumentError
from nbflow.ops import matrices
from nbflow.ops.elementwise import conj
from nbflow.ops.matrices import column, padded, part
from nbflow.ops.table import TABLE
from nbflow.public import export, pair
from nbflow.shapes import could_be_equal
from nbflow.tensor.tensor import argument


def _three_diagonals(op: str, diagonals, form: str) -> list:
    """The diagonals above, on and below the main one, [..., m] each, of whichever format.

    Raises:
        ValueError: there is no such format, or the diagonals do not fit each other.
    """
    if form == "sequence":
        if not isinstance(diagonals, (list, tuple)) or len(diagonals) != 3:
            raise ValueError(f"{op}: diagonals is {diagonals!r:.100}; it takes a sequence of length 3")
        return [argument(op, f"diagonals[{k}]", d) for k, d in enumerate(diagonals)]
    diagonals = argument(op, "diagonals", diagonals)
    if len(diagonals.nbflow_shape) < 2:
        raise ValueError(f"{op}: diagonals has shape {diagonals.shape}; it takes rank 2 or more")
    *outer, m, n = diagonals.nbflow_shape
    if form == "compact":
        if m != 3:
            raise ValueError(f"{op}: Expected 3 diagonals got {m} (shape {diagonals.shape})")
        rows = (part(diagonals, k, k + 1, axis=-2) for k in range(3))
        return [TABLE["reshape"](row, shape=(*outer, n)) for row in rows]
    if form != "matrix":
        raise ValueError(f"{op}: Unrecognized diagonals_format: {form}; there are 'compact', 'sequence' and 'matrix'")
    if m != n:
        raise ValueError(f"{op}: Expected last two dimensions of diagonals to be same, got {m} and {n}")
    above = matrices.diagonal(part(part(diagonals, 0, n - 1, axis=-2), 1, n))
    below = matrices.diagonal(part(part(diagonals, 1, n, axis=-2), 0, n - 1))
    return [padded(above, 0, 1), matrices.diagonal(diagonals), padded(below, 1, 0)]


@export("linalg.tridiagonal_matmul")
def tridiagonal_matmul(diagonals, rhs, diagonals_format="compact", name=None):
    """The product of tridiagonal matrices and rhs [..., m, n] (tf.linalg.tridiagonal_matmul).

    Args:
        diagonals: for "compact" [..., 3, m]: the diagonal above the main one (its last number unused), the main one,
            the one below (its first unused); for "sequence" these three [..., m]; for "matrix" matrices [..., m, m].
        diagonals_format: one of these.

    Raises:
        ValueError: there is no such format.
        InvalidArgumentError: shapes do not fit.
    """
    above, main, below = _three_diagonals("tridiagonal_matmul", diagonals, diagonals_format)
    require("tridiagonal_matmul", "diagonals", main.dtype, matrices.LAPACK)
    rhs = argument("tridiagonal_matmul", "rhs", rhs, main.dtype)
    m = main.nbflow_shape[-1]
    if not could_be_equal(tuple(main.nbflow_shape), tuple(rhs.nbflow_shape[:-1])):
        raise InvalidArgumentError(
            f"tridiagonal_matmul: diagonals have shape {main.shape} and rhs {rhs.shape}; rhs takes [..., m, n]"
        )
    if m == 0:
        return rhs
    following = padded(part(rhs, 1, m, axis=-2), 0, 1, axis=-2)
    preceding = padded(part(rhs, 0, m - 1, axis=-2), 1, 0, axis=-2)
    return column(above) * following + column(main) * rhs + column(below) * preceding


@export("linalg.tridiagonal_solve")
def tridiagonal_solve(
    diagonals,
    rhs,
    diagonals_format="compact",
    transpose_rhs=False,
    conjugate_rhs=False,
    name=None,
    partial_pivoting=True,
    perturb_singular=False,
):
    """The x with a x = rhs for tridiagonal matrices a (tf.linalg.tridiagonal_solve).

    Args:
        diagonals, diagonals_format: as of tridiagonal_matmul; in a "sequence" the diagonals above and below may have
            m - 1 numbers.
        rhs: a tensor [..., m] or [..., m, k].
        transpose_rhs: whether rhs is [..., k, m] and is transposed first.
        conjugate_rhs: whether rhs is conjugated first.
        partial_pivoting: accepted as TensorFlow's: rows are always exchanged where that is more exact.
        perturb_singular: whether the diagonal of a singular matrix is made a little larger.

    Returns:
        A tensor of the shape of (the transposed) rhs; NaN where a matrix is singular.

    Raises:
        ValueError: shapes do not fit, or there is no such format.
    """
    op = "tridiagonal_solve"
    if perturb_singular and not partial_pivoting:
        raise ValueError(f"{op}: partial_pivoting must be True if perturb_singular is.")
    above, main, below = _three_diagonals(op, diagonals, diagonals_format)
    outer, m = main.nbflow_shape[:-1], main.nbflow_shape[-1]
    if above.nbflow_shape[-1] == m - 1:
        above = padded(above, 0, 1)
    if below.nbflow_shape[-1] == m - 1:
        below = padded(below, 1, 0)
    for which, d in (("above", above), ("below", below)):
        if not could_be_equal(tuple(d.nbflow_shape), tuple(main.nbflow_shape)):
            raise ValueError(f"{op}: the diagonal {which} has shape {d.shape}, the main one {main.shape}")
    rows = [TABLE["reshape"](d, shape=(*outer, 1, m)) for d in (above, main, below)]
    compact = TABLE["concat"](*rows, axis=len(outer))
    rhs = argument(op, "rhs", rhs, main.dtype)
    vector = len(rhs.nbflow_shape) == len(main.nbflow_shape)
    if not vector and len(rhs.nbflow_shape) != len(main.nbflow_shape) + 1:
        raise ValueError(f"{op}: rhs has shape {rhs.shape}; for diagonals {main.shape} it takes that, or one axis more")
    rhs = conj(rhs) if conjugate_rhs else rhs
    if vector:
        rhs = column(rhs)
    elif transpose_rhs:
        rhs = matrices.transposed(rhs)
    x = TABLE[op](compact, rhs, perturb_singular=bool(perturb_singular))
    return TABLE["reshape"](x, shape=tuple(main.nbflow_shape)) if vector else x


@export("linalg.banded_triangular_solve")
def banded_triangular_solve(bands, rhs, lower=True, adjoint=False, name=None):
    """The x with a x = rhs, or aᴴ x = rhs, for triangular matrices with bands (tf.linalg.banded_triangular_solve).

    Args:
        bands: a tensor [..., k, m]: k diagonals of a. Where a is lower triangular, bands[d, i] = a[i, i - d]; the
            first d numbers are not used. Where it is upper triangular, bands[k - 1 - d, i] = a[i, i + d]; the last d
            are not used.
        rhs: a tensor [..., m, n]; leading axes broadcast.
        lower: whether a is lower triangular.
        adjoint: whether its adjoint is to be solved with.

    Returns:
        A tensor [..., m, n].

    Raises:
        InvalidArgumentError: shapes or dtypes do not fit, or a matrix is singular.
    """
    bands, rhs = pair("banded_triangular_solve", bands, rhs, ("bands", "rhs"))
    return TABLE["banded_triangular_solve"](bands, rhs, lower=bool(lower), adjoint=bool(adjoint))
