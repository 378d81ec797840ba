"""The accuracy of sums and means of float32 over rows, columns and middle axes, long and ill-conditioned."""

import numpy as np
import pytest

import nbflow as nf

BOUND = 8  # errors are below BOUND 2**-24 times the sum of magnitudes, as docs/accuracy.md says
SHAPES = [
    ((10_000_000,), None),
    ((1000, 3000), None),
    ((100, 30_000), 1),
    ((30_000, 100), 0),
    ((300_000, 3), 0),
    ((10_007, 64), 0),
    ((257, 3), 0),
    ((4, 30_000, 20), 1),
    ((30, 40, 50, 20), (0, 1, 2)),
    ((30, 40, 50, 20), (0, 2)),
    ((300, 40, 250), (0, 2)),
]
NUMBERS = {
    "uniform": lambda rng, shape: rng.uniform(0, 1, shape),
    "wide": lambda rng, shape: rng.normal(size=shape) * np.exp(5 * rng.normal(size=shape)),
    "offset": lambda rng, shape: 1e4 + rng.normal(size=shape),
    "cancelling": lambda rng, shape: rng.choice([-1e6, 1e6], shape) + rng.normal(size=shape),
}


@pytest.mark.parametrize("shape,axis", SHAPES)
@pytest.mark.parametrize("numbers", NUMBERS)
def test_error(numbers, shape, axis):
    x = NUMBERS[numbers](np.random.default_rng(0), shape).astype(np.float32)
    exact, size = x.sum(axis, dtype=np.float64), np.abs(x).sum(axis, dtype=np.float64)
    count = x.size // exact.size
    for scale, got in ((1, nf.reduce_sum(x, axis)), (count, nf.reduce_mean(x, axis))):
        assert got.dtype is nf.float32 and got.shape == exact.shape
        assert np.all(np.abs(got.numpy() * float(scale) - exact) <= BOUND * 2.0**-24 * size)


def test_long_columns_in_traces():
    x = np.random.default_rng(0).uniform(0, 1, (40_000, 5)).astype(np.float32)

    @nf.function
    def sums(x):
        with nf.GradientTape() as tape:
            tape.watch(x)
            total = nf.reduce_sum(nf.square(x), 0, keepdims=True)
        return total, tape.gradient(total, x)

    total, gradient = sums(nf.constant(x))
    exact = np.square(x).sum(0, dtype=np.float64, keepdims=True)
    assert np.all(np.abs(total.numpy() - exact) <= BOUND * 2.0**-24 * exact)
    assert np.array_equal(gradient.numpy(), 2 * x)


def test_complex_columns():
    x = np.full((50_000, 2), 1 + 0.1j, np.complex64)
    assert np.allclose(nf.reduce_sum(x, 0).numpy(), x.sum(0, dtype=np.complex128), rtol=1e-7)
