"""Conjugate gradients: eager, traced, with a start, a preconditioner, stacks of matrices."""

import numpy as np
import pytest

import nbflow as nf

RNG = np.random.default_rng(0)
ROOTS = RNG.normal(size=(2, 5, 5))
MATRICES = ROOTS @ ROOTS.swapaxes(-1, -2) + np.eye(5)
SIDE = RNG.normal(size=5)


class Operator:
    """A matrix as an object that multiplies."""

    def __init__(self, matrix, positive: bool = True):
        self.matrix = nf.convert_to_tensor(matrix)
        self.shape, self.dtype = self.matrix.shape, self.matrix.dtype
        self.is_self_adjoint, self.is_positive_definite = True, positive

    def matvec(self, x):
        return nf.linalg.matvec(self.matrix, x)


def solve(matrix, side, **options):
    return nf.linalg.experimental.conjugate_gradient(Operator(matrix), side, **options)


@pytest.mark.parametrize("matrix", [MATRICES[0], MATRICES], ids=["one", "stack"])
@pytest.mark.parametrize("start", [None, 0.5 * SIDE], ids=["zeros", "start"])
@pytest.mark.parametrize("preconditioned", [False, True])
def test_solution(matrix, start, preconditioned):
    inverse = Operator(np.linalg.inv(matrix + 0.1 * np.eye(5))) if preconditioned else None
    if start is not None:
        start = np.broadcast_to(start, matrix.shape[:-1])
    options = {"preconditioner": inverse, "x": start, "tol": 1e-10}
    state = solve(matrix, nf.constant(SIDE), **options)
    np.testing.assert_allclose(state.x.numpy(), np.linalg.solve(matrix, SIDE[:, None])[..., 0], rtol=1e-8)
    assert 0 < int(state.i.numpy()) <= 20
    traced = nf.function(lambda b: solve(matrix, b, **options))(nf.constant(SIDE))
    for one, two in zip(traced, state, strict=True):
        np.testing.assert_allclose(one.numpy(), two.numpy(), rtol=1e-9, atol=1e-15)


def test_stops_at_max_iter():
    assert int(solve(MATRICES[0], SIDE, max_iter=2).i.numpy()) == 2


def test_nothing_to_do():
    state = solve(MATRICES[0], np.zeros(5))
    assert int(state.i.numpy()) == 0
    np.testing.assert_array_equal(state.x.numpy(), np.zeros(5))


def test_gradient():
    """That of the solution for the right-hand side is the inverse, also where steps come after the end of a trace."""

    def gradient(side):
        with nf.GradientTape() as tape:
            tape.watch(side)
            x = solve(MATRICES[0], side, tol=1e-12).x
        return tape.gradient(x, side)

    side = nf.constant(SIDE)
    expected = np.linalg.inv(MATRICES[0]).sum(0)
    np.testing.assert_allclose(gradient(side).numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(nf.function(gradient)(side).numpy(), expected, rtol=1e-6)


def test_other_matrices_are_refused():
    with pytest.raises(ValueError, match="positive definite"):
        nf.linalg.experimental.conjugate_gradient(Operator(MATRICES[0], positive=False), SIDE)
