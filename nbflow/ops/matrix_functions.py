"""Functions of square matrices: exponential, square root, logarithm.

They are computed in double precision. The derivative of each at a, in the direction d, is the upper right block of the
same function of the matrix [[a, d], [0, a]], to any order.
"""

from collections.abc import Callable

import numpy as np

from nbflow.compiler.op import Op
from nbflow.dtypes import COMPLEX
from nbflow.ops.factorization import finite, work
from nbflow.ops.matrices import LAPACK, adjoint, over_stacks, part, same, square_infer, transposed
from nbflow.ops.table import TABLE, register
from nbflow.runtime import lapack
from nbflow.runtime.pool import shared

T = TABLE

# Higham, The scaling and squaring method for the matrix exponential revisited (2005)
PADE = np.cumprod([1.0, *((14 - k) / (k * (27 - k)) for k in range(1, 14))])
LARGEST = 5.371920351148152  # the norm up to which that quotient of polynomials is exact enough

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
NODES, WEIGHTS = (NODES + 1) / 2, WEIGHTS / 2
NEAR_ONE = 0.25  # the distance from the identity up to which these nodes are enough for a logarithm


def _wide(a: np.ndarray) -> np.ndarray:
    return a.astype(np.complex128 if a.dtype.kind == "c" else np.float64)


def _norms(a: np.ndarray) -> np.ndarray:
    """The greatest sum of magnitudes of a column."""
    return np.abs(a).sum(-2).max(-1, initial=0)


# --- exponential ------------------------------------------------------------------------------------------------------


def _exponentials(a: np.ndarray) -> np.ndarray:
    a = _wide(a)
    norms = _norms(a)
    squarings = np.ceil(np.log2(np.maximum(norms / LARGEST, 1))).astype(int)
    x = a / np.exp2(squarings)[:, None, None]
    square = x @ x
    powers = [np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)]
    for _ in range(6):
        powers.append(powers[-1] @ square)
    even = sum(c * power for c, power in zip(PADE[::2], powers, strict=True))
    odd = x @ sum(c * power for c, power in zip(PADE[1::2], powers, strict=True))
    result = lapack.gufuncs.solve(even - odd, even + odd)
    for k in range(squarings.max(initial=0)):
        again = squarings > k
        result[again] = result[again] @ result[again]
    return result


def _exponential(a):
    """All NaN where any matrix holds a NaN or an infinity, as TensorFlow has it."""
    if not finite(a).all():
        return np.full_like(a, np.nan)
    return shared(_exponentials, a, work=10 * work(a))


# --- square root and logarithm ----------------------------------------------------------------------------------------


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


def _vjp(name: str, flipped: Callable) -> Callable:
    def rule(k, g, inputs, output, attrs):
        a = flipped(inputs[0])
        n, rank = a.nbflow_shape[-1], len(a.nbflow_shape)
        upper, lower = T["concat"](a, g, axis=rank - 1), T["concat"](T["zeros_like"](a), a, axis=rank - 1)
        result = T[name](T["concat"](upper, lower, axis=rank - 2))
        return part(part(result, n, n + n), 0, n, axis=-2)

    return rule


def _by_eigenvalues(function: Callable) -> Callable:
    """A function of diagonalizable matrices from one of numbers."""

    def reference(a: np.ndarray) -> np.ndarray:
        values, vectors = np.linalg.eig(a)
        result = (vectors * function(values + 0j)[..., None, :]) @ np.linalg.inv(vectors)
        return result if a.dtype.kind == "c" else result.real

    return reference


def _register(name: str, public: str, host: Callable, number: Callable, flipped: Callable, dtypes=LAPACK) -> Op:
    return register(
        Op(
            name,
            ("input",),
            square_infer(public, same, dtypes),
            dtypes=dtypes,
            host=host,
            vjp=_vjp(name, flipped),
            batch=over_stacks,
            reference=_by_eigenvalues(number),
            tolerance=1024,
        )
    )


matrix_exponential = _register("matrix_exponential", "expm", _exponential, np.exp, adjoint)
# TensorFlow does not conjugate in the gradient of the root.
matrix_square_root = _register("matrix_square_root", "sqrtm", _by_schur(_root_of_triangular), np.sqrt, transposed)
matrix_logarithm = _register("matrix_logarithm", "logm", _by_schur(_logarithm_of_triangular), np.log, adjoint, COMPLEX)
