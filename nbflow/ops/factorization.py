"""Factorizations of matrices by LAPACK: Cholesky, QR, LU, singular values.

Signs and phases that a factorization leaves open are LAPACK's.
"""

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.dtypes import float16
from nbflow.errors import InvalidArgumentError
from nbflow.ops.elementwise import cast
from nbflow.ops.matrices import (
    LAPACK,
    adjoint,
    band,
    check_matrices,
    column,
    diagonal_matrix,
    identity,
    over_stacks,
    part,
    product,
    real_part,
    row,
    same,
    square_infer,
    without_diagonal,
)
from nbflow.ops.table import TABLE, check_dtypes, register
from nbflow.runtime.lapack import gufuncs, lu
from nbflow.runtime.pool import shared
from nbflow.shapes import Dim, dim_min

T = TABLE


def work(a: np.ndarray) -> float:
    """Multiplications that a factorization of one of the matrices is worth, roughly."""
    return 4 * a.shape[-1] * a.shape[-2] * min(a.shape[-2:])


def finite(a: np.ndarray) -> np.ndarray:
    """Which matrices of a stack hold no NaN and no infinity."""
    return np.isfinite(a).all(axis=(-2, -1))


def unconnected(*gradients, outputs):
    """Gradients of several results, with zeros where nothing depends on one."""
    return tuple(T["zeros_like"](y) if g is None else g for g, y in zip(gradients, outputs, strict=True))


def known_sizes(name: str, a) -> tuple[int, int]:
    """The rows and columns of matrices, which decide what to compute.

    Raises:
        InvalidArgumentError: they are not known.
    """
    m, n = a.nbflow_shape[-2:]
    if isinstance(m, Dim) or isinstance(n, Dim):
        raise InvalidArgumentError(f"{name}: it needs to know the sizes of the last two axes, which are open")
    return m, n


def safe_reciprocal(x):
    """1 / x, and 0 rather than infinity at 0, as TensorFlow has it."""
    return x / (x * x + 1e-20)


def reciprocal_differences(values):
    """1 / (values[j] - values[i]), and 0 on the diagonal."""
    return without_diagonal(safe_reciprocal(row(values) - column(values)))


# --- Cholesky ---------------------------------------------------------------------------------------------------------


def _cholesky(a):
    """NaN below the diagonal where the matrix is not positive definite."""
    return shared(lambda part: np.tril(gufuncs.cholesky_lo(part)), a, work=work(a) / 12)


def _vjp_cholesky(k, g, inputs, output, attrs):
    l = output
    eye = identity(l, l.nbflow_shape[-1], tuple(l.nbflow_shape[:-2]))
    inverse = T["triangular_solve"](l, eye, lower=True, adjoint=False)
    middle = product(l, g, adjoint_x=True)
    middle = band(middle, None, 0) - band(middle, 0, 0) * 0.5
    gradient = product(product(inverse, middle, adjoint_x=True), inverse)
    return (gradient + adjoint(gradient)) * 0.5


cholesky = register(
    Op(
        "cholesky",
        ("input",),
        square_infer("cholesky", same),
        dtypes=LAPACK,
        host=_cholesky,
        vjp=_vjp_cholesky,
        batch=over_stacks,
        reference=lambda x: np.linalg.cholesky((x + x.conj().swapaxes(-1, -2)) / 2),
        tolerance=256,
    )
)


# --- QR ---------------------------------------------------------------------------------------------------------------


def _infer_qr(avals, attrs):
    (a,) = avals
    check_dtypes("qr", ("input",), avals, (*LAPACK, float16))
    m, n = check_matrices("qr", "input", a)
    k = m if attrs["full_matrices"] else dim_min(m, n)
    return aval(a.dtype, (*a.shape[:-1], k)), aval(a.dtype, (*a.shape[:-2], k, n))


def _qr(a, full_matrices):
    def factor(part):
        return tuple(x.astype(a.dtype, copy=False) for x in np.linalg.qr(part, mode))

    mode = "complete" if full_matrices else "reduced"
    return shared(factor, a, work=work(a))


def _right_solve(x, r):
    """x r⁻ᴴ for upper triangular r."""
    return adjoint(T["triangular_solve"](r, adjoint(x), lower=False, adjoint=False))


def _vjp_tall_qr(q, r, dq, dr):
    """The gradient where rows are as many as columns or more."""
    qdq, rdr = product(q, dq, adjoint_x=True), product(r, dr, adjoint_y=True)
    low = band(qdq - adjoint(qdq) + rdr - adjoint(rdr), None, 0)
    gradient = product(q, dr + _right_solve(low, r)) + _right_solve(dq - product(q, qdq), r)
    if q.dtype.is_complex:
        on_diagonal = band(rdr - adjoint(qdq), 0, 0)
        correction = on_diagonal - real_part(on_diagonal)
        gradient = gradient + _right_solve(product(q, adjoint(correction)), r)
    return gradient


def _vjp_qr(k, g, inputs, output, attrs):
    (a,), (q, r) = inputs, output
    m, n = known_sizes("qr", a)
    dq, dr = unconnected(*g, outputs=output)
    if m > n and attrs["full_matrices"]:
        raise NotImplementedError("qr: there is no gradient where rows are more than columns and full_matrices is True")
    if m >= n:
        return _vjp_tall_qr(q, r, dq, dr)
    rest, dv = part(a, m, n), part(dr, m, n)
    dx = _vjp_tall_qr(q, part(r, 0, m), dq + product(rest, dv, adjoint_y=True), part(dr, 0, m))
    return T["concat"](dx, product(q, dv), axis=len(a.nbflow_shape) - 1)


qr = register(
    Op(
        "qr",
        ("input",),
        _infer_qr,
        dtypes=(*LAPACK, float16),
        wide=True,
        host=_qr,
        vjp=_vjp_qr,
        batch=over_stacks,
        reference=_qr,
        tolerance=256,
    )
)


# --- LU ---------------------------------------------------------------------------------------------------------------


def _lu(a, output_idx_type):
    factors, order, regular = shared(lu, a, work=work(a) / 4)
    if not (regular.all() and np.isfinite(factors).all()):
        raise InvalidArgumentError("lu: Input is not invertible.")
    return factors, order.astype(output_idx_type.np)


lu_op = register(
    Op(
        "lu",
        ("input",),
        square_infer("lu", lambda a, attrs: (same(a, attrs), aval(attrs["output_idx_type"], a.shape[:-1]))),
        dtypes=LAPACK,
        host=_lu,
        batch=over_stacks,
        reference=_lu,
        tolerance=256,
    )
)


# --- singular values --------------------------------------------------------------------------------------------------


def _infer_svd(name: str):
    def infer(avals, attrs):
        (a,) = avals
        check_dtypes(name, ("tensor",), avals, LAPACK)
        m, n = check_matrices(name, "tensor", a)
        p = dim_min(m, n)
        s = aval(a.dtype.real_dtype, (*a.shape[:-2], p))
        if name == "singular_values":
            return s
        rows, cols = (m, n) if attrs["full_matrices"] else (p, p)
        return s, aval(a.dtype, (*a.shape[:-2], m, rows)), aval(a.dtype, (*a.shape[:-2], n, cols))

    return infer


def _svd(a, full_matrices):
    """Singular values, U and V; all NaN where the matrix holds a NaN or an infinity."""
    decompose = gufuncs.svd_f if full_matrices else gufuncs.svd_s

    def factor(part):
        known = finite(part)
        u, s, vh = decompose(part if known.all() else np.where(known[:, None, None], part, 0))
        if not known.all():
            for x in (u, s, vh):
                x[~known] = np.nan
        return s, u, vh.conj().swapaxes(-1, -2)

    return shared(factor, a, work=5 * work(a))


def _singular_values(a):
    def values(part):
        known = finite(part)
        if known.all():
            return gufuncs.svd(part)
        s = gufuncs.svd(np.where(known[:, None, None], part, 0))
        s[~known] = np.nan
        return s

    return shared(values, a, work=2 * work(a))


def _vjp_singular_values(k, g, inputs, output, attrs):
    (a,) = inputs
    _, u, v = T["svd"](a, full_matrices=False)
    return product(u * row(cast(g, a.dtype)), v, adjoint_y=True)


def _vjp_svd(k, g, inputs, output, attrs):
    """Townsend's and Wan and Zhang's formulas, as in TensorFlow."""
    (a,), full = inputs, attrs["full_matrices"]
    m, n = known_sizes("svd", a)
    s, u, v = output
    gs, gu, gv = unconnected(*g, outputs=output)
    s, gs = cast(s, a.dtype), cast(gs, a.dtype)
    wide = m <= n
    if not wide:
        m, n, u, v, gu, gv = n, m, v, u, gv, gu
    if full and n - m > 1:
        raise NotImplementedError("svd: there is no gradient for abs(m - n) > 1 where full_matrices is True")
    f = reciprocal_differences(s * s)
    v1, gv1 = (part(v, 0, m), part(gv, 0, m)) if full else (v, gv)
    v_gv = product(v1, gv1, adjoint_x=True)
    fu, fv = f * product(u, gu, adjoint_x=True), f * v_gv
    middle = diagonal_matrix(gs) + (fu + adjoint(fu)) * row(s) + column(s) * (fv + adjoint(fv))
    gradient = product(u, product(middle, v1, adjoint_y=True))
    if m != n:
        gv1h = adjoint(gv1)
        outside = gv1h - product(product(gv1h, v1), v1, adjoint_y=True)
        if full:
            v2, gv2 = part(v, m, n), part(gv, m, n)
            outside = outside - product(product(v1, gv2, adjoint_x=True), v2, adjoint_y=True)
        gradient = gradient + product(u * row(safe_reciprocal(s)), outside)
    if a.dtype.is_complex:
        phases = band(v_gv, 0, 0)
        turned = column(safe_reciprocal(s)) * (adjoint(phases) - phases)
        gradient = gradient + product(u, product(turned, v1, adjoint_y=True)) * 0.5
    return gradient if wide else adjoint(gradient)


svd = register(
    Op(
        "svd",
        ("tensor",),
        _infer_svd("svd"),
        dtypes=LAPACK,
        host=_svd,
        vjp=_vjp_svd,
        batch=over_stacks,
        reference=_svd,
        tolerance=256,
    )
)
singular_values = register(
    Op(
        "singular_values",
        ("tensor",),
        _infer_svd("singular_values"),
        dtypes=LAPACK,
        host=_singular_values,
        vjp=_vjp_singular_values,
        batch=over_stacks,
        reference=_singular_values,
        tolerance=256,
    )
)
