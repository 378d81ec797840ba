"""What rules of matrix ops are written with: shape checks, adjoints, diagonals and bands of stacks of matrices."""

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.dtypes import ALL, COMPLEX, FULL, int32
from nbflow.errors import InvalidArgumentError
from nbflow.ops.elementwise import cast, conj, where
from nbflow.ops.table import TABLE, check_dtypes, composite, shape_text
from nbflow.shapes import Dim, dim_min

T = TABLE
LAPACK = FULL + COMPLEX  # the dtypes of factorizations and solvers


# --- shape rules ------------------------------------------------------------------------------------------------------


def check_matrices(name: str, argument: str, a, square: bool = False) -> tuple:
    """The rows and columns of an Aval [..., m, n].

    Raises:
        InvalidArgumentError: its rank is below 2, or its matrices are not square where they must be.
    """
    if len(a.shape) < 2:
        raise InvalidArgumentError(
            f"{name}: {argument} has shape {shape_text(a)}; it takes a matrix or a stack of them, rank 2 or more"
        )
    m, n = a.shape[-2:]
    if square and m != n and not isinstance(m, Dim) and not isinstance(n, Dim):
        raise InvalidArgumentError(f"{name}: {argument} has shape {shape_text(a)}; Input matrix must be square.")
    return m, n


def square_infer(name: str, results, dtypes=LAPACK, argument: str = "input"):
    """The shape rule of an op on square matrices: results(aval, attrs) -> Aval or tuple of Avals."""

    def infer(avals, attrs):
        check_dtypes(name, (argument,), avals, dtypes)
        check_matrices(name, argument, avals[0], square=True)
        return results(avals[0], attrs)

    return infer


def same(a, attrs):
    """The shape rule of an op whose result is like its input."""
    return aval(a.dtype, a.shape)


def over_stacks(op, inputs, stacked, count, attrs):
    """The batching rule of ops on matrices that take any number of axes before them."""
    rank = max(len(x.nbflow_shape) + (not there) for x, there in zip(inputs, stacked, strict=True))

    def stack(x, there: bool):
        example = tuple(x.nbflow_shape[1:] if there else x.nbflow_shape)
        padded = (*(1,) * (rank - 1 - len(example)), *example)
        if there:
            return T["reshape"](x, shape=(count, *padded)) if padded != example else x
        return T["broadcast_to"](x, shape=(count, *padded))

    return op(*(stack(x, there) for x, there in zip(inputs, stacked, strict=True)), **attrs)


# --- rules ------------------------------------------------------------------------------------------------------------


def transposed(x):
    """Matrices with rows and columns exchanged."""
    rank = len(x.nbflow_shape)
    return T["transpose"](x, perm=(*range(rank - 2), rank - 1, rank - 2))


def adjoint(x):
    """The conjugate transpose of matrices."""
    return conj(transposed(x))


def product(x, y, adjoint_x: bool = False, adjoint_y: bool = False):
    """x y, each replaced by its adjoint where that is wanted."""
    return T["matmul"](
        conj(x) if adjoint_x else x, conj(y) if adjoint_y else y, transpose_a=adjoint_x, transpose_b=adjoint_y
    )


def band(x, lower: int | None, upper: int | None):
    """Matrices with zeros but for the band of `lower` diagonals below the main one and `upper` above; None: all."""
    return T["keep_band"](x, lower=lower, upper=upper)


def row(x):
    """x[..., None, :]."""
    return T["reshape"](x, shape=(*x.nbflow_shape[:-1], 1, x.nbflow_shape[-1]))


def column(x):
    """x[..., None]."""
    return T["reshape"](x, shape=(*x.nbflow_shape, 1))


def diagonal(x):
    """The main diagonals [..., min(m, n)] of matrices."""
    *outer, m, n = x.nbflow_shape
    size = dim_min(m, n)
    flat = T["reshape"](x, shape=(*outer, m * n))
    zeros, ones = (0,) * len(outer), (1,) * len(outer)
    return T["strided_slice"](flat, begin=(*zeros, 0), step=(*ones, n + 1), shape=(*outer, size))


def diagonal_matrix(d):
    """Square matrices with d on their main diagonals and zeros elsewhere."""
    n = d.nbflow_shape[-1]
    return band(T["broadcast_to"](column(d), shape=(*d.nbflow_shape, n)), 0, 0)


def identity(x, n, outer: tuple = ()):
    """Identity matrices [..., n, n] of the dtype of x."""
    return band(T["fill_like"](x, shape=(*outer, n, n), value=1), 0, 0)


def without_diagonal(x):
    """Square matrices with zeros on their main diagonals."""
    return where(T["equal"](band(T["ones_like"](x), 0, 0), 0), x, T["zeros_like"](x))


def real_part(x):
    """The real part of complex numbers as complex numbers; x itself where it is real."""
    return cast(T["real"](x), x.dtype) if x.dtype.is_complex else x


def part(x, start, stop, axis: int = -1):
    """x[start:stop] along one axis, counted from the end."""
    shape = list(x.nbflow_shape)
    begin = [0] * len(shape)
    begin[axis], shape[axis] = start, stop - start
    return T["strided_slice"](x, begin=tuple(begin), step=(1,) * len(shape), shape=tuple(shape))


def padded(x, before, after, axis: int = -1):
    """x with zeros before and after along one axis, counted from the end."""

    def zeros(count):
        shape = list(x.nbflow_shape)
        shape[axis] = count
        return T["fill_like"](x, shape=tuple(shape), value=0)

    pieces = [*([zeros(before)] if before else []), x, *([zeros(after)] if after else [])]
    return T["concat"](*pieces, axis=len(x.nbflow_shape) + axis) if len(pieces) > 1 else x


# --- the band of a matrix ---------------------------------------------------------------------------------------------


def _keep_band(x, lower, upper):
    m, n = x.shape[-2:]
    i, j = T["reshape"](x.iota(m, int32), shape=(m, 1)), x.iota(n, int32)
    inside = None
    if lower is not None:
        inside = T["less_equal"](i - j, lower)
    if upper is not None:
        above = T["less_equal"](j - i, upper)
        inside = above if inside is None else inside & above
    return x if inside is None else where(inside, x, T["zeros_like"](x))


def _keep_band_reference(x, lower, upper):
    i, j = np.ogrid[: x.shape[-2], : x.shape[-1]]
    inside = np.ones(x.shape[-2:], bool)
    inside &= True if lower is None else i - j <= lower
    inside &= True if upper is None else j - i <= upper
    return np.where(inside, x, np.zeros((), x.dtype))


keep_band = composite(
    "keep_band", "input", _keep_band,
    lambda avals, attrs: check_matrices("keep_band", "input", avals[0]) and same(avals[0], attrs),
    dtypes=ALL, vjp=lambda k, g, inputs, output, attrs: band(g, attrs["lower"], attrs["upper"]),
    batch=over_stacks, reference=_keep_band_reference,
)  # fmt: skip
