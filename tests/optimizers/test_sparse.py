"""Optimizers on IndexedSlices: what Keras does with them, eager and traced."""

import numpy as np
import pytest

import nbflow as nf

START = np.linspace(-1, 1, 12).astype(np.float32).reshape(4, 3)
SCALE = np.array([1, 2, 3], np.float32)
OPTIMIZERS = {
    "SGD": lambda: nf.optimizers.SGD(0.1),
    "momentum": lambda: nf.optimizers.SGD(0.1, momentum=0.9),
    "Adam": lambda: nf.optimizers.Adam(0.1),
}
# after rows [0, 0, 2], [1, 0, 1] and [0, 0, 2] of Σ scale · row², by TensorFlow 2.21
KERAS = {
    "Adam": [
        [-0.61252, -0.43205, -0.25288],
        [-0.26796, -0.08614, 0.09567],
        [-0.07477, 0.03433, 0.20961],
        [0.63636, 0.81818, 1.0],
    ]
}


def trained(make, way, sparse: bool) -> np.ndarray:
    weights, optimizer = nf.Variable(START), make()

    def step(rows):
        with nf.GradientTape() as tape:
            loss = nf.reduce_sum(nf.square(nf.gather(weights, rows)) * SCALE)
        gradient = tape.gradient(loss, weights)
        assert isinstance(gradient, nf.IndexedSlices)
        optimizer.apply_gradients([(gradient if sparse else nf.convert_to_tensor(gradient), weights)])

    step = way(step)
    for rows in ([0, 0, 2], [1, 0, 1], [0, 0, 2]):
        step(nf.constant(rows))
    return weights.numpy()


@pytest.mark.parametrize("way", [lambda f: f, nf.function], ids=["eager", "traced"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps(name, way):
    """Rows that are named twice add up; Adam squares them before that, as Keras does."""
    found = trained(OPTIMIZERS[name], way, sparse=True)
    expected = KERAS[name] if name in KERAS else trained(OPTIMIZERS[name], way, sparse=False)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_slices_without_a_shape():
    weights = nf.Variable(START)
    gradient = nf.IndexedSlices(nf.constant([[1.0, 2.0, 3.0]] * 2), nf.constant([1, 1]))
    nf.optimizers.SGD(0.1).apply_gradients([(gradient, weights)])
    expected = START.copy()
    expected[1] -= 0.2 * np.array([1, 2, 3], np.float32)
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
