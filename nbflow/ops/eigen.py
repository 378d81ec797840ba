"""Eigenvalues and eigenvectors by LAPACK, whose order they have, and whose signs and phases but for `eig`."""

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.dtypes import COMPLEX
from nbflow.errors import InvalidArgumentError
from nbflow.ops.elementwise import conj
from nbflow.ops.factorization import reciprocal_differences, unconnected, work
from nbflow.ops.matrices import (
    LAPACK,
    adjoint,
    band,
    column,
    diagonal,
    diagonal_matrix,
    over_stacks,
    product,
    real_part,
    row,
    same,
    square_infer,
)
from nbflow.ops.table import TABLE, check_dtypes, register, shape_text
from nbflow.runtime.lapack import gufuncs
from nbflow.runtime.pool import shared
from nbflow.shapes import Dim

T = TABLE


def _decomposed(name: str, a: np.ndarray, decompose, cost: float):
    """What a function makes of a stack of matrices.

    Raises:
        InvalidArgumentError: there are NaN or infinities in it, or in what was made.
    """
    if np.isfinite(a).all():
        results = shared(decompose, a, work=cost * work(a))
        if np.isfinite(results[0] if isinstance(results, tuple) else results).all():
            return results
    raise InvalidArgumentError(f"{name}: the decomposition was not successful. The input might not be valid.")


def _eigh(a):
    values, vectors = _decomposed("eigh", a, lambda part: tuple(gufuncs.eigh_lo(part)), 3)
    return values.astype(a.dtype, copy=False), vectors


def _eigvalsh(a):
    return _decomposed("eigvalsh", a, gufuncs.eigvalsh_lo, 1).astype(a.dtype, copy=False)


def _lower_half(gradient):
    """The gradient for a matrix of which only the lower triangle is read."""
    both = gradient + adjoint(gradient)
    return band(both, None, 0) - band(both, 0, 0) * 0.5


def _vjp_eigh(k, g, inputs, output, attrs):
    e, v = output
    ge, gv = unconnected(*g, outputs=output)
    middle = diagonal_matrix(ge) + reciprocal_differences(e) * product(v, gv, adjoint_x=True)
    return _lower_half(product(v, product(middle, v, adjoint_y=True)))


def _vjp_eigvalsh(k, g, inputs, output, attrs):
    _, v = T["eigh"](inputs[0])
    return _lower_half(product(v * row(g), v, adjoint_y=True))


def _vector(a, dtype):
    return aval(dtype, a.shape[:-1])


eigh = register(
    Op(
        "eigh",
        ("tensor",),
        square_infer("eigh", lambda a, attrs: (_vector(a, a.dtype), same(a, attrs)), argument="tensor"),
        dtypes=LAPACK,
        host=_eigh,
        vjp=_vjp_eigh,
        batch=over_stacks,
        reference=_eigh,
        tolerance=256,
    )
)
eigvalsh = register(
    Op(
        "eigvalsh",
        ("tensor",),
        square_infer("eigvalsh", lambda a, attrs: _vector(a, a.dtype), argument="tensor"),
        dtypes=LAPACK,
        host=_eigvalsh,
        vjp=_vjp_eigvalsh,
        batch=over_stacks,
        reference=_eigvalsh,
        tolerance=256,
    )
)


def _complex_of(dtype):
    return COMPLEX[0] if dtype.real_dtype.size == 4 else COMPLEX[1]


def _turned(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and vectors, of which the greatest component is real and positive."""
    values, vectors = gufuncs.eig(a)
    if vectors.size:
        size = np.abs(vectors)
        at = size.argmax(-2, keepdims=True)
        top = np.take_along_axis(vectors, at, -2)
        vectors = vectors * (top.conj() / np.take_along_axis(size, at, -2))
    return values, vectors


def _eig(a):
    return _decomposed("eig", a, _turned, 20)


def _eigvals(a):
    return _decomposed("eigvals", a, gufuncs.eigvals, 8)


def _in_dtype_of(gradient, x):
    return gradient if x.dtype.is_complex else T["real"](gradient)


def _vjp_eig(k, g, inputs, output, attrs):
    """Boeddeker et al., equation 4.77, as in TensorFlow; eigenvalues have to be distinct."""
    e, v = output
    ge, gv = unconnected(*g, outputs=output)
    vh = adjoint(v)
    vgv = product(vh, gv)
    change = vgv - product(vh, v) * row(real_part(diagonal(vgv)))
    middle = diagonal_matrix(ge) + conj(reciprocal_differences(e)) * change
    return _in_dtype_of(T["matrix_solve"](vh, product(middle, vh), adjoint=False), inputs[0])


def _vjp_eigvals(k, g, inputs, output, attrs):
    _, v = T["eig"](inputs[0])
    vh = adjoint(v)
    return _in_dtype_of(T["matrix_solve"](vh, column(g) * vh, adjoint=False), inputs[0])


def _infer_eig(name: str):
    def results(a, attrs):
        dtype = _complex_of(a.dtype)
        values = _vector(a, dtype)
        return values if name == "eigvals" else (values, aval(dtype, a.shape))

    return square_infer(name, results, argument="tensor")


eig = register(
    Op(
        "eig",
        ("tensor",),
        _infer_eig("eig"),
        dtypes=LAPACK,
        host=_eig,
        vjp=_vjp_eig,
        batch=over_stacks,
        reference=_eig,
        tolerance=256,
    )
)
eigvals = register(
    Op(
        "eigvals",
        ("tensor",),
        _infer_eig("eigvals"),
        dtypes=LAPACK,
        host=_eigvals,
        vjp=_vjp_eigvals,
        batch=over_stacks,
        reference=_eigvals,
        tolerance=256,
    )
)


# --- of tridiagonal matrices ------------------------------------------------------------------------------------------


def _infer_tridiagonal(avals, attrs):
    alpha, beta = avals
    check_dtypes("eigh_tridiagonal", ("alpha", "beta"), avals, LAPACK)
    if len(alpha.shape) != 1 or len(beta.shape) != 1 or beta.shape[0] != max(alpha.shape[0] - 1, 0):
        raise InvalidArgumentError(
            f"eigh_tridiagonal: alpha has shape {shape_text(alpha)} and beta {shape_text(beta)}; they take [n] and "
            f"[n - 1]"
        )
    n = alpha.shape[0]
    count = n if attrs["select"] == "a" else Dim.fresh("selected")
    return aval(alpha.dtype.real_dtype, (count,)), aval(alpha.dtype, (n, count))


def _eigh_tridiagonal(alpha, beta, select, select_range):
    n = alpha.size
    matrix = np.zeros((n, n), alpha.dtype)
    i = np.arange(n)
    matrix[i, i] = alpha.real
    matrix[i[1:], i[:-1]] = beta.conj()
    values, vectors = _eigh(matrix)
    first = vectors[:1]  # positive by our choice; it is 0 only where beta is 0 somewhere
    vectors = vectors * np.where(first == 0, 1, first.conj() / np.abs(first)).astype(alpha.dtype)
    chosen = i >= 0
    if select == "i":
        chosen = (i >= select_range[0]) & (i <= select_range[1])
    elif select == "v":
        chosen = (values.real > select_range[0]) & (values.real <= select_range[1])
    return values.real[chosen], vectors[:, chosen]


eigh_tridiagonal = register(
    Op(
        "eigh_tridiagonal",
        ("alpha", "beta"),
        _infer_tridiagonal,
        dtypes=LAPACK,
        host=_eigh_tridiagonal,
        reference=_eigh_tridiagonal,
        tolerance=256,
    )
)
