"""Samples for factorizations, systems of equations and other ops on matrices."""

from collections.abc import Callable, Iterator

import numpy as np

from nbflow.dtypes import DType, int64
from tests.ops.samples.common import *

SQUARE = [(3, 3), (2, 2, 2), (1, 1), (0, 0), (2, 0, 0), (0, 2, 2), (2, 1, 4, 4), (9, 9)]
OBLONG = [(3, 3), (3, 2), (2, 4), (2, 2, 3), (1, 1), (0, 3), (3, 0), (2, 0, 0), (2, 1, 4, 3)]


def flipped(x: np.ndarray) -> np.ndarray:
    return x.conj().swapaxes(-1, -2)


def regular(dtype: DType, shape: tuple, seed: int = 0) -> np.ndarray:
    """Matrices that are well conditioned."""
    x = numbers(dtype, shape, seed)
    return x + (4 * np.eye(shape[-2], shape[-1])).astype(dtype.np)


def positive(dtype: DType, shape: tuple, seed: int = 0) -> np.ndarray:
    """Self-adjoint matrices that are positive definite, with eigenvalues apart from each other."""
    x = numbers(dtype, shape, seed)
    return (x @ flipped(x) / 4 + np.diag(np.arange(1, shape[-1] + 1))).astype(dtype.np)


def each(shapes: list, values: Callable, **attrs) -> Callable:
    """Samples of one matrix argument; the first two are smooth."""

    def samples(dtype: DType) -> Iterator[Sample]:
        for k, shape in enumerate(some(dtype, shapes)):
            yield Sample([values(dtype, shape)], attrs, smooth=k < 2)

    return samples


def joined(*recipes: Callable) -> Callable:
    def samples(dtype: DType) -> Iterator[Sample]:
        for recipe in recipes:
            yield from recipe(dtype)

    return samples


def bands(dtype: DType) -> Iterator[Sample]:
    for shape in some(dtype, [(3, 3), (2, 4), (2, 5, 3), (0, 3), (2, 1, 3, 2, 2)]):
        for lower, upper in ((0, 0), (1, 0), (None, 0), (0, None), (-1, None), (None, None), (9, -1)):
            yield Sample([numbers(dtype, shape)], {"lower": lower, "upper": upper}, smooth=shape == (2, 4))


def systems(flag: str, values: Callable, *extra: str) -> Callable:
    """Samples of a matrix and right-hand sides; each flag on and off."""

    def samples(dtype: DType) -> Iterator[Sample]:
        shapes = [
            ((3, 3), (3, 2)),
            ((2, 2, 2), (2, 2, 1)),
            ((0, 0), (0, 2)),
            ((2, 2), (2, 0)),
            ((2, 1, 3, 3), (2, 1, 3, 4)),
        ]
        if extra:
            shapes += [((3, 3), (2, 3, 2)), ((2, 1, 2, 2), (3, 2, 1))]
        for a, b in some(dtype, shapes):
            for adjoint in (False, True):
                for other in (False, True) if extra else (False,):
                    attrs = {flag: adjoint, **dict.fromkeys(extra, other)}
                    yield Sample([values(dtype, a), numbers(dtype, b, 1)], attrs, smooth=0 not in a + b and len(a) < 4)

    return samples


def tridiagonal(dtype: DType) -> Iterator[Sample]:
    for outer, m, k in some(dtype, [((), 4, 2), ((2,), 3, 1), ((), 1, 1), ((), 0, 2), ((2, 2), 5, 3)]):
        diagonals = numbers(dtype, (*outer, 3, m))
        diagonals[..., 1, :] += 5
        inputs = [diagonals, numbers(dtype, (*outer, m, k), 1)]
        yield Sample(inputs, {"perturb_singular": False}, smooth=m > 0 and len(outer) < 2)


def banded(dtype: DType) -> Iterator[Sample]:
    for outer, k, m in some(dtype, [((), 2, 4), ((2,), 3, 3), ((), 1, 2), ((3, 1), 4, 2)]):
        for lower in (False, True):
            for adjoint in (False, True):
                stored = numbers(dtype, (*outer, k, m))
                stored[..., 0 if lower else -1, :] += 5
                inputs = [stored, numbers(dtype, (*outer, m, 2), 1)]
                yield Sample(inputs, {"lower": lower, "adjoint": adjoint}, smooth=k < 4)


def tridiagonal_eigenvalues(dtype: DType) -> Iterator[Sample]:
    alpha, beta = numbers(dtype, (5,)).real.astype(dtype.np), numbers(dtype, (4,), 1)
    for select, chosen in (("a", None), ("i", (1, 3)), ("v", (-1.0, 2.0))):
        yield Sample([alpha, beta], {"select": select, "select_range": chosen})
    yield Sample([alpha[:1], beta[:0]], {"select": "a", "select_range": None})


def relative_to_all(inputs: list, attrs: dict, expected: np.ndarray) -> np.ndarray:
    """Errors of matrix ops are relative to the greatest number of the result."""
    return np.abs(expected).max(initial=1)


RECIPES |= {
    "keep_band": bands,
    "cholesky": each(SQUARE, positive),
    "qr": joined(each(OBLONG, regular, full_matrices=False), each(OBLONG[2:], regular, full_matrices=True)),
    "lu": each(SQUARE, regular, output_idx_type=int64),
    "svd": joined(
        each(OBLONG, numbers, full_matrices=False), each(OBLONG[:1] + OBLONG[4:], numbers, full_matrices=True)
    ),
    "singular_values": each(OBLONG, numbers),
    "eigh": each(SQUARE, positive),
    "eigvalsh": each(SQUARE, positive),
    "eig": each(SQUARE, numbers),
    "eigvals": each(SQUARE, numbers),
    "eigh_tridiagonal": tridiagonal_eigenvalues,
    "matrix_inverse": joined(each(SQUARE, regular, adjoint=False), each(SQUARE[:2], regular, adjoint=True)),
    "matrix_determinant": each(SQUARE, regular),
    "log_matrix_determinant": each(SQUARE, regular),
    "matrix_solve": systems("adjoint", regular),
    "triangular_solve": systems("adjoint", regular, "lower"),
    "least_squares": lambda dtype: (Sample(s.inputs) for s in systems("adjoint", regular)(dtype)),
    "tridiagonal_solve": tridiagonal,
    "banded_triangular_solve": banded,
    "matrix_exponential": each(SQUARE, numbers, depth=0),
    "matrix_square_root": each(SQUARE, positive),
    "matrix_logarithm": each(SQUARE, positive),
}
MAGNITUDES |= dict.fromkeys([name for name in RECIPES if RECIPES[name].__module__ == __name__], relative_to_all)
