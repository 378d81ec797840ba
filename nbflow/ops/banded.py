"""Systems of equations whose matrices have only some diagonals."""

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.errors import InvalidArgumentError
from nbflow.ops.elementwise import conj
from nbflow.ops.matrices import LAPACK, check_matrices, over_stacks, padded, part
from nbflow.ops.table import TABLE, check_dtypes, register, shape_text
from nbflow.runtime import lapack
from nbflow.runtime.pool import shared
from nbflow.shapes import Dim, broadcast, could_be_equal

T = TABLE


def _product_of_rows(x, y):
    """Σ x y over the last axis."""
    return T["reduce_sum"](x * y, axis=(len(x.nbflow_shape) - 1,), keepdims=False)


def _stacked(rows: list):
    """[..., m] each as [..., len(rows), m]."""
    *outer, m = rows[0].nbflow_shape
    return T["concat"](*(T["reshape"](r, shape=(*outer, 1, m)) for r in rows), axis=len(outer))


# --- tridiagonal ------------------------------------------------------------------------------------------------------


def _infer_tridiagonal(avals, attrs):
    d, b = avals
    check_dtypes("tridiagonal_solve", ("diagonals", "rhs"), avals, LAPACK)
    check_matrices("tridiagonal_solve", "rhs", b)
    if not could_be_equal(d.shape, (*b.shape[:-2], 3, b.shape[-2])):
        raise InvalidArgumentError(
            f"tridiagonal_solve: diagonals has shape {shape_text(d)} and rhs has shape {shape_text(b)}; they take "
            f"[..., 3, m] and [..., m, k]"
        )
    return aval(b.dtype, b.shape)


def _tridiagonal(d, b, perturb_singular):
    return shared(
        lambda d, b: lapack.tridiagonal_solve(d, b, perturb_singular), d, b, work=20 * b.shape[-2] * b.shape[-1]
    )


def _dense(d: np.ndarray) -> np.ndarray:
    m = d.shape[-1]
    i = np.arange(m)
    a = np.zeros((*d.shape[:-2], m, m), d.dtype)
    a[..., i, i] = d[..., 1, :]
    a[..., i[:-1], i[1:]] = d[..., 0, :-1]
    a[..., i[1:], i[:-1]] = d[..., 2, 1:]
    return a


def _vjp_tridiagonal(k, g, inputs, output, attrs):
    """As in TensorFlow, nothing is conjugated."""
    d = inputs[0]
    m = d.nbflow_shape[-1]
    above, main, below = (T["reshape"](part(d, j, j + 1, axis=-2), shape=(*d.nbflow_shape[:-2], m)) for j in range(3))
    flipped = _stacked([padded(part(below, 1, m), 0, 1), main, padded(part(above, 0, m - 1), 1, 0)])
    g_rhs = T["tridiagonal_solve"](flipped, g, **attrs)
    if k == 1:
        return g_rhs
    after = padded(part(output, 1, m, axis=-2), 0, 1, axis=-2)
    before = padded(part(output, 0, m - 1, axis=-2), 1, 0, axis=-2)
    return -_stacked([_product_of_rows(g_rhs, x) for x in (after, output, before)])


tridiagonal_solve = register(
    Op(
        "tridiagonal_solve",
        ("diagonals", "rhs"),
        _infer_tridiagonal,
        dtypes=LAPACK,
        host=_tridiagonal,
        vjp=_vjp_tridiagonal,
        batch=over_stacks,
        reference=lambda d, b, perturb_singular: np.linalg.solve(_dense(d), b),
        tolerance=1024,
    )
)


# --- triangular, with bands -------------------------------------------------------------------------------------------


def _infer_banded(avals, attrs):
    a, b = avals
    check_dtypes("banded_triangular_solve", ("bands", "rhs"), avals, LAPACK)
    check_matrices("banded_triangular_solve", "bands", a)
    check_matrices("banded_triangular_solve", "rhs", b)
    if not could_be_equal(a.shape[-1:], b.shape[-2:-1]) or 0 in (*a.shape, *b.shape):
        raise InvalidArgumentError(
            f"banded_triangular_solve: bands has shape {shape_text(a)} and rhs has shape {shape_text(b)}; they take "
            f"[..., k, m] and [..., m, n], and nothing empty"
        )
    return aval(b.dtype, (*broadcast("banded_triangular_solve", a.shape[:-2], b.shape[:-2]), *b.shape[-2:]))


def _diagonals(bands: np.ndarray, lower: bool, adjoint: bool) -> np.ndarray:
    """The matrix to solve with as below[..., d, i] = a[i, i - d], rows and columns reversed where it is upper."""
    k, m = bands.shape[-2:]
    bands = bands if lower else bands[..., ::-1, :]
    if lower == adjoint:  # an upper matrix in the end
        bands = bands[..., ::-1]
    if not adjoint:
        return bands
    moved = np.zeros_like(bands)  # a diagonal of the adjoint starts where the matrix's ends
    for d in range(min(k, m)):
        moved[..., d, d:] = bands[..., d, : m - d].conj()
    return moved


def _banded(bands, rhs, lower, adjoint):
    outer = np.broadcast_shapes(bands.shape[:-2], rhs.shape[:-2])
    below = _diagonals(bands, lower, adjoint)
    k, m = below.shape[-2:]
    if not below[..., 0, :].all():
        raise InvalidArgumentError("banded_triangular_solve: Input matrix is not invertible.")
    upper = lower == adjoint
    rhs = rhs[..., ::-1, :] if upper else rhs
    x = np.empty((*outer, *rhs.shape[-2:]), rhs.dtype)
    for i in range(m):
        known = min(k - 1, i)
        before = (below[..., 1 : known + 1, i, None] * x[..., i - known : i, :][..., ::-1, :]).sum(-2)
        x[..., i, :] = (rhs[..., i, :] - before) / below[..., 0, i, None]
    return x[..., ::-1, :] if upper else x


def _banded_reference(bands, rhs, lower, adjoint):
    k, m = bands.shape[-2:]
    a = np.zeros((*bands.shape[:-2], m, m), bands.dtype)
    for d in range(min(k, m)):
        i = np.arange(m - d)
        if lower:
            a[..., i + d, i] = bands[..., d, d:]
        else:
            a[..., i, i + d] = bands[..., k - 1 - d, : m - d]
    return np.matmul(np.linalg.inv(a.conj().swapaxes(-1, -2) if adjoint else a), rhs)


def _vjp_banded(k, g, inputs, output, attrs):
    bands, lower, flipped = inputs[0], attrs["lower"], attrs["adjoint"]
    g_rhs = T["banded_triangular_solve"](bands, g, lower=lower, adjoint=not flipped)
    if k == 1:
        return g_rhs
    x, y = (output, g_rhs) if flipped else (g_rhs, output)
    count, m = bands.nbflow_shape[-2:]
    rows = []
    for d in range(count):
        kept = m - d if isinstance(m, Dim) else max(m - d, 0)
        if lower:
            diagonal = _product_of_rows(part(x, m - kept, m, axis=-2), conj(part(y, 0, kept, axis=-2)))
            rows.append(padded(diagonal, m - kept, 0))
        else:
            diagonal = _product_of_rows(part(x, 0, kept, axis=-2), conj(part(y, m - kept, m, axis=-2)))
            rows.insert(0, padded(diagonal, 0, m - kept))
    return -_stacked(rows)


banded_triangular_solve = register(
    Op(
        "banded_triangular_solve",
        ("bands", "rhs"),
        _infer_banded,
        dtypes=LAPACK,
        host=_banded,
        vjp=_vjp_banded,
        batch=over_stacks,
        reference=_banded_reference,
        tolerance=1024,
    )
)
