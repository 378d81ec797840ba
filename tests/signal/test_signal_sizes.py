"""Signals whose sizes a trace does not know: one trace gives what eager calls give, for each size."""

import numpy as np
import pytest

import nbflow as nf

S = nf.signal
FUNCTIONS = {
    "rfft": S.rfft,
    "rfft2d": lambda x: S.rfft2d(x, [5, 8]),
    "irfft": lambda x: S.irfft(nf.cast(x, nf.complex64)),
    "irfft/odd": lambda x: S.irfft(nf.cast(x, nf.complex64), [9]),
    "rfftnd": lambda x: S.rfftnd(x, axes=[0, 1], norm="ortho"),
    "fftshift": S.fftshift,
    "frame": lambda x: S.frame(x, 3, 2),
    "frame/padded": lambda x: S.frame(x, 4, 3, pad_end=True),
    "frame/axis": lambda x: S.frame(x, 2, 1, axis=0),
    "overlap_and_add": lambda x: S.overlap_and_add(x, 2),
    "overlap_and_add/whole": lambda x: S.overlap_and_add(x, nf.shape(x)[1]),
    "stft": lambda x: S.stft(x, 4, 2),
    "mdct": lambda x: S.mdct(x, 4),
    "inverse_mdct": S.inverse_mdct,
    "dct/1": lambda x: S.dct(x, 1),
    "dct/2": lambda x: S.dct(x, 2, norm="ortho"),
    "dct/3": lambda x: S.dct(x, 3, norm="ortho"),
    "dct/4": lambda x: S.dct(x, 4, 8),
    "mfccs": S.mfccs_from_log_mel_spectrograms,
    "mel": lambda x: x @ S.linear_to_mel_weight_matrix(3, nf.shape(x)[1]),
}
WINDOWS = {
    "hann": S.hann_window,
    "hamming": lambda n: S.hamming_window(n, periodic=False),
    "kaiser": S.kaiser_window,
    "derived": S.kaiser_bessel_derived_window,
    "vorbis": S.vorbis_window,
    "stft": lambda n: S.stft(nf.range(30.0), n, n // 2),
    "inverse": lambda n: S.inverse_stft_window_fn(2)(n, nf.float32),
}


def assert_near(actual, expected) -> None:
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual.numpy(), expected.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_unknown_sizes(name):
    def value_and_gradient(x):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = FUNCTIONS[name](x)
            total = nf.reduce_sum(nf.square(nf.abs(y)))
        return y, tape.gradient(total, x)

    traced = nf.function(value_and_gradient, input_signature=[nf.TensorSpec((None, None), nf.float32)])
    for shape in ((3, 6), (4, 8)):
        x = nf.constant(np.random.default_rng(0).random(shape, np.float32))
        for actual, expected in zip(traced(x), value_and_gradient(x), strict=True):
            assert_near(actual, expected)
    assert traced.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("name", WINDOWS)
def test_unknown_lengths(name):
    traced = nf.function(WINDOWS[name], input_signature=[nf.TensorSpec((), nf.int32)])
    for length in (8, 7, 2):
        assert_near(traced(nf.constant(length)), WINDOWS[name](length))


@pytest.mark.parametrize("name", ["rfft", "frame", "overlap_and_add", "stft", "dct/2"])
def test_each_example_of_a_batch(name):
    x = nf.constant(np.random.default_rng(1).random((2, 3, 6), np.float32))
    found = nf.vectorized_map(FUNCTIONS[name], x)
    for k in range(2):
        assert_near(found[k], FUNCTIONS[name](x[k]))


def test_frames_of_a_variable_that_changes():
    """Frames are a view of the signal: they keep its values when the Variable is written to."""
    v = nf.Variable(np.arange(10.0))

    @nf.function
    def step():
        frames = S.frame(v, 4, 2)
        v.assign(v + S.overlap_and_add(frames, 2))
        return frames

    before = np.lib.stride_tricks.sliding_window_view(np.arange(10.0), 4)[::2]
    np.testing.assert_array_equal(step(), before)
    counts = np.array([1, 1, 2, 2, 2, 2, 2, 2, 1, 1])
    np.testing.assert_array_equal(v, np.arange(10.0) * (1 + counts))


def test_there_and_back():
    x = np.random.default_rng(2).random(64)
    spectra = S.stft(x, 16, 4)
    inner = slice(16, 48)
    back = S.inverse_stft(spectra, 16, 4, window_fn=S.inverse_stft_window_fn(4))
    np.testing.assert_allclose(back[inner], x[inner], rtol=1e-12)
    for window in (S.vorbis_window, S.kaiser_bessel_derived_window):
        back = S.inverse_mdct(S.mdct(x, 16, window), window)
        np.testing.assert_allclose(back[inner], x[inner], rtol=1e-6)
    for kind in (2, 3, 4):
        np.testing.assert_allclose(S.idct(S.dct(x, kind, norm="ortho"), kind, norm="ortho"), x, rtol=1e-12)
