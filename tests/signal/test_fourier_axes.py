"""Transforms over any axes, which TensorFlow has on other devices only: against NumPy."""

import numpy as np
import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4, 6))
Z = X + 1j * RNG.normal(size=X.shape)
INPUTS = {"fftn": Z, "ifftn": Z, "rfftn": X, "irfftn": Z}


def both(name: str, *arguments, **options) -> tuple:
    """The same transform by nbflow and by NumPy."""
    lengths, axes = arguments
    ours = getattr(nf.signal, f"{name}d")(nf.constant(INPUTS[name]), lengths, axes, **options)
    return ours.numpy(), getattr(np.fft, name)(INPUTS[name], lengths, axes, **options)


@pytest.mark.parametrize("name", INPUTS)
def test_axes_and_lengths(name):
    for lengths, axes in ((None, None), (None, [1]), ([5], [-2]), ([3, 8], [0, 2]), ([8, 2], [2, 0])):
        np.testing.assert_allclose(*both(name, lengths, axes), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("norm", [None, "backward", "ortho", "forward"])
@pytest.mark.parametrize("name", INPUTS)
def test_norms(name, norm):
    np.testing.assert_allclose(*both(name, [4, 5], [1, 2], norm=norm), rtol=1e-12, atol=1e-12)


def test_names_of_the_top_level():
    z = nf.constant(Z)
    np.testing.assert_allclose(nf.fftnd(z, [4], [1]), np.fft.fft(Z, axis=1))
    np.testing.assert_allclose(nf.ifftnd(z, [4], [1]), np.fft.ifft(Z, axis=1))
    assert nf.rfftnd(X, [6], [2], nf.complex128).dtype is nf.complex128
    assert nf.irfftnd(z, [10], [2]).dtype is nf.float32


def test_what_becomes_complex64():
    """NumPy's arrays and real numbers do, as in TensorFlow; tensors and Python's complex numbers stay."""
    for values in (Z, X, [1.0, 2.0], [1, 2]):
        assert nf.signal.fft(values).dtype is nf.complex64
    for values in (nf.constant(Z), [1j, 2.0]):
        assert nf.signal.fft(values).dtype is nf.complex128
    with pytest.raises(TypeError, match="fft: input has dtype float64; it takes complex64 or complex128"):
        nf.signal.fft(nf.constant(X))


@pytest.mark.parametrize("function", [nf.signal.rfft3d, lambda x: nf.signal.rfftnd(x, [4, 7], [1, 2])])
def test_gradients(function):
    """Σ |y|² of a transform is Σ x² but for factors, so that its gradient says whether the adjoint is right."""
    x, direction = nf.constant(X), RNG.normal(size=X.shape)

    def loss(x):
        return nf.reduce_sum(nf.square(nf.abs(function(x))))

    with nf.GradientTape() as tape:
        tape.watch(x)
        y = loss(x)
    slope = (loss(x + 1e-5 * direction) - loss(x - 1e-5 * direction)) / 2e-5
    np.testing.assert_allclose(np.sum(tape.gradient(y, x) * direction), slope, rtol=1e-8)


@pytest.mark.parametrize(
    ("lengths", "axes", "norm"), [([4], [3], None), ([4, 4], [1, -2], None), ([4], [0, 1], None), (None, None, "both")]
)
def test_errors(lengths, axes, norm):
    with pytest.raises(InvalidArgumentError, match="fftnd: "):
        nf.signal.fftnd(Z, lengths, axes, norm)
