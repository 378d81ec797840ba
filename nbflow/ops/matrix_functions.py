"""Functions of square matrices: exponential, square root, logarithm.

The derivative of each at a, in the direction d, is the upper right block of the same function of the matrix
[[a, d], [0, a]], to any order.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from nbflow.compiler.op import Op
from nbflow.dtypes import COMPLEX
from nbflow.ops.factorization import finite, work
from nbflow.ops.matrices import LAPACK, adjoint, over_stacks, part, same, square_infer, transposed
from nbflow.ops.table import TABLE, register
from nbflow.runtime import lapack
from nbflow.runtime.pool import shared

T = TABLE

# The exponential is q(x)⁻¹ p(x) with polynomials p, q of the first degree whose norms are below its limit, of the last
# with x halved until its norm is near the limit: Higham, The scaling and squaring method for the matrix exponential
# revisited (2005), with TensorFlow's choices.
DEGREES = {
    "single": ((3, 4.258730016922831e-001), (5, 1.880152677804762e000), (7, 3.925724783138660)),
    "double": (
        (3, 1.495585217958292e-002),
        (5, 2.539398330063230e-001),
        (7, 9.504178996162932e-001),
        (9, 2.097847961257068e000),
        (13, 5.371920351148152),
    ),
}

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
NODES, WEIGHTS = (NODES + 1) / 2, WEIGHTS / 2
NEAR_ONE = 0.25  # the distance from the identity up to which these nodes are enough for a logarithm


def _norms(a: np.ndarray) -> np.ndarray:
    """The greatest sum of magnitudes of a column."""
    return np.abs(a).sum(-2).max(-1, initial=0)


# --- exponential ------------------------------------------------------------------------------------------------------


def _quotient(a: np.ndarray, degree: int) -> np.ndarray:
    """The Padé approximant of the exponential."""
    f = math.factorial
    c = [float(f(2 * degree - k) // (f(k) * f(degree - k))) for k in range(degree + 1)]
    square = a @ a
    powers = [np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape), square]
    while 2 * len(powers) <= degree:
        powers.append(powers[-1] @ square)
    terms = [[a.dtype.type(k) * power for k, power in zip(part, powers, strict=True)] for part in (c[::2], c[1::2])]
    even, odd = (sum(reversed(of), np.zeros((), a.dtype)) for of in terms)  # in TensorFlow's order: it is felt
    odd = a @ odd
    return lapack.gufuncs.solve(even - odd, even + odd)


def _exponentials(a: np.ndarray, depth: int) -> np.ndarray:
    size = a.shape[-1] >> depth
    norms = _norms(a[:, :size, :size])
    degrees = DEGREES["single" if a.dtype.itemsize == 4 * (1 + (a.dtype.kind == "c")) else "double"]
    halvings = np.maximum(np.floor(np.log(norms / norms.dtype.type(degrees[-1][1])) / np.log(norms.dtype.type(2))), 0)
    a = a / np.exp2(halvings)[:, None, None]
    # 0 where all limits are above the norm
    choice = np.searchsorted([limit for _, limit in degrees[:-1]], norms, side="right")
    result = np.empty_like(a)
    for k, (degree, _) in enumerate(degrees):
        chosen = choice == k
        if chosen.any():
            result[chosen] = _quotient(a[chosen], degree)
    for k in range(int(halvings.max(initial=0))):
        again = halvings > k
        result[again] = result[again] @ result[again]
    return result


def _exponential(a, depth):
    """All NaN where any matrix holds a NaN or an infinity, as TensorFlow has it."""
    size = a.shape[-1] >> depth
    if not finite(a[..., :size, :size]).all():
        return np.full_like(a, np.nan)
    return shared(lambda part: _exponentials(part, depth), a, work=10 * work(a))


# --- square root and logarithm, in double precision -------------------------------------------------------------------


def _root_of_triangular(t: np.ndarray) -> np.ndarray:
    """Björck and Hammarling's recurrence, a column at a time."""
    root = np.zeros_like(t)
    eye = np.eye(t.shape[-1])
    for j in range(t.shape[-1]):
        root[:, j, j] = np.sqrt(t[:, j, j])
        left = root[:, :j, :j] + root[:, j, j, None, None] * eye[:j, :j]
        root[:, :j, j : j + 1] = lapack.triangular_solve(left, t[:, :j, j : j + 1], lower=False, adjoint=False)
    return root


def _logarithm_of_triangular(t: np.ndarray) -> np.ndarray:
    """Roots until the matrices are near the identity, and there a quadrature of ∫ x (1 + s x)⁻¹ ds."""
    logarithms = np.log(t.diagonal(0, -2, -1))
    eye = np.eye(t.shape[-1])
    scale = np.ones((t.shape[0], 1, 1))
    for _ in range(100):  # singular matrices never come near
        far = _norms(t - eye) > NEAR_ONE
        if not far.any():
            break
        t = np.where(far[:, None, None], _root_of_triangular(t), t)
        scale[far] *= 2
    x = t - eye
    result = sum(
        w * lapack.triangular_solve(eye + s * x, x, lower=False, adjoint=False)
        for s, w in zip(NODES, WEIGHTS, strict=True)
    )
    result = result * scale
    i = np.arange(t.shape[-1])
    result[:, i, i] = logarithms
    return result


def _by_schur(function: Callable) -> Callable:
    """A function of matrices from one of triangular matrices; NaN where the input is not finite or the result is not.

    The result for real matrices is NaN where it is not real.
    """

    def several(a: np.ndarray) -> np.ndarray:
        known = finite(a)
        safe = np.where(known[:, None, None], a, np.eye(a.shape[-1])).astype(np.complex128)
        t, q = lapack.schur(safe)
        result = q @ function(t) @ q.conj().swapaxes(-1, -2)
        if a.dtype.kind != "c":
            known &= np.abs(result.imag).max((-2, -1), initial=0) <= 1e-6 * np.abs(result.real).max((-2, -1), initial=0)
            result = result.real
        result[~known] = np.nan
        return result

    return lambda a: shared(several, a, work=50 * work(a))


# --- ops --------------------------------------------------------------------------------------------------------------


def _derivative(k, g, inputs, output, attrs, op: str, conjugate: bool = True):
    """The upper right block. Functions of transposed matrices are transposes, so that the left blocks are the input."""
    flipped = adjoint if conjugate else transposed
    a, g = inputs[0], flipped(g)
    n, rank = a.nbflow_shape[-1], len(a.nbflow_shape)
    upper, lower = T["concat"](a, g, axis=rank - 1), T["concat"](T["zeros_like"](a), a, axis=rank - 1)
    result = T[op](T["concat"](upper, lower, axis=rank - 2), **{key: value + 1 for key, value in attrs.items()})
    return flipped(part(part(result, n, n + n), 0, n, axis=-2))


def _by_eigenvalues(function: Callable) -> Callable:
    """A function of diagonalizable matrices from one of numbers."""

    def reference(a: np.ndarray, **attrs) -> np.ndarray:
        values, vectors = np.linalg.eig(a)
        result = (vectors * function(values + 0j)[..., None, :]) @ np.linalg.inv(vectors)
        return result if a.dtype.kind == "c" else result.real

    return reference


def _register(name: str, public: str, host: Callable, number: Callable, dtypes=LAPACK, conjugate=True) -> Op:
    return register(
        Op(
            name,
            ("input",),
            square_infer(public, same, dtypes),
            dtypes=dtypes,
            host=host,
            vjp=partial(_derivative, op=name, conjugate=conjugate),
            batch=over_stacks,
            reference=_by_eigenvalues(number),
            tolerance=1024,
        )
    )


# Its attribute `depth` says how often the matrix was put into a larger one: the least block decides how to compute, so
# that derivatives are those of what was computed.
matrix_exponential = _register("matrix_exponential", "expm", _exponential, np.exp)
# TensorFlow does not conjugate in the gradient of the root.
matrix_square_root = _register("matrix_square_root", "sqrtm", _by_schur(_root_of_triangular), np.sqrt, conjugate=False)
matrix_logarithm = _register("matrix_logarithm", "logm", _by_schur(_logarithm_of_triangular), np.log, COMPLEX)
