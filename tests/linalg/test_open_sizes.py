"""Linear algebra in traces that leave the sizes of matrices open, and over examples."""

import numpy as np
import pytest

import nbflow as nf

L = nf.linalg
RNG = np.random.default_rng(0)
ROOT = RNG.normal(size=(3, 3)) + 4 * np.eye(3)
MATRIX = ROOT @ ROOT.T
ANY = nf.TensorSpec([None, None], nf.float64)
FUNCTIONS = {
    "norm": L.norm,
    "norm of matrices": lambda x: L.norm(x, 2, (0, 1)),
    "normalize": lambda x: L.normalize(x, axis=0)[0],
    "expm": L.expm,
    "sqrtm": L.sqrtm,
    "inv": L.inv,
    "det": L.det,
    "logdet": L.logdet,
    "cholesky": L.cholesky,
    "eigvalsh": L.eigvalsh,
    "singular values": lambda x: L.svd(x, compute_uv=False),
    "lu_solve": lambda x: L.lu_solve(*L.lu(x), x),
    "solve": lambda x: L.solve(x, x),
    "einsum": lambda x: nf.einsum("ij,kj->ik", x, x),
}
SIZED = {"tridiagonal_matmul": lambda x: L.tridiagonal_matmul(x, x)}  # of three rows


@pytest.mark.parametrize("name", [*FUNCTIONS, "rank", "pinv", "qr"])
def test_open_sizes(name):
    further = {"rank": L.matrix_rank, "pinv": L.pinv, "qr": lambda x: L.qr(x).r}
    function = {**FUNCTIONS, **further}[name]
    traced = nf.function(function, input_signature=[ANY])
    for n in (3, 2):
        x = nf.constant(MATRIX[:n, :n])
        np.testing.assert_allclose(traced(x).numpy(), function(x).numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_with_open_sizes(name):
    def gradient(x):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = nf.reduce_sum(nf.square(FUNCTIONS[name](x)))
        return tape.gradient(y, x, unconnected_gradients="zero")

    x = nf.constant(MATRIX)
    found = nf.function(gradient, input_signature=[ANY])(x)
    np.testing.assert_allclose(found.numpy(), gradient(x).numpy(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", [*FUNCTIONS, *SIZED])
def test_over_examples(name):
    function = {**FUNCTIONS, **SIZED}[name]
    stack = np.stack([MATRIX, MATRIX + 1, 2 * MATRIX])
    found = nf.vectorized_map(function, nf.constant(stack))
    expected = [function(nf.constant(matrix)).numpy() for matrix in stack]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-12)


def test_gradients_that_need_sizes_say_so():
    with pytest.raises(nf.errors.InvalidArgumentError, match="needs to know the sizes"):

        @nf.function(input_signature=[ANY])
        def gradient(x):
            with nf.GradientTape() as tape:
                tape.watch(x)
                y = L.qr(x).r
            return tape.gradient(y, x)

        gradient(nf.constant(MATRIX))
