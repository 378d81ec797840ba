"""Signals: Fourier and cosine transforms, frames, windows, spectrograms, the mel scale."""

from itertools import product

from .common import *
from .common import Case

RNG = np.random.default_rng(5)
X = RNG.normal(size=(2, 4, 6))
Z = X + 1j * RNG.normal(size=X.shape)
Z32 = Z.astype(np.complex64)
TONE = np.sin(np.arange(40) ** 1.3) + RNG.normal(size=(2, 40)) / 8
WINDOWS = ("hann_window", "hamming_window", "kaiser_window", "kaiser_bessel_derived_window", "vorbis_window")
# a transform's elements are sums of which the terms may cancel: 512 units of the lesser elements
SUMS = {"gradient": True, "tolerance": 512}


def call(name: str, *arguments, **options):
    """A call of nf.signal.name with the case's inputs first."""
    return lambda tf, *inputs: getattr(tf.signal, name)(*inputs, *arguments, **options)


def case(name: str, function: str, x, *arguments, gradient=False, tolerance=64, **options) -> Case:
    return Case(name, call(function, *arguments, **options), [x], gradient, tolerance)


def of_parts(function):
    """The real and the imaginary part of a complex result, so that both have gradients."""

    def parts(tf, *inputs):
        y = function(tf, *inputs)
        return [tf.math.real(y), tf.math.imag(y)]

    return parts


def _fourier() -> list[Case]:
    found = []
    for name in ("fft", "ifft", "fft2d", "ifft2d", "fft3d", "ifft3d"):
        found.append(Case(f"{name}/complex128", of_parts(call(name)), [Z], **SUMS))
        found.append(case(f"{name}/complex64", name, Z32, tolerance=4096))
    found.append(case("fft/empty", "fft", Z[:, :0]))
    found.append(case("fft/no points", "fft", Z[..., :0]))
    for length in (None, 4, 5, 6, 7, 8):
        whole = length is None or length >= 6  # where TensorFlow has gradients
        lengths = None if length is None else [length]
        found.append(Case(f"rfft/{length}", of_parts(call("rfft", lengths)), [X], whole, 512))
        rows = None if length is None else [5, length]
        found.append(Case(f"rfft2d/{length}", of_parts(call("rfft2d", rows)), [X], whole, 512))
    for length in (None, 5, 6, 11):
        whole = length is None or length >= 10
        found.append(case(f"irfft/{length}", "irfft", Z, length and [length], gradient=whole, tolerance=512))
        rows = None if length is None else [5, length]
        found.append(case(f"irfft2d/{length}", "irfft2d", Z, rows, gradient=whole, tolerance=512))
    found.append(case("rfft/float32", "rfft", X.astype(F32), tolerance=4096))
    found.append(case("irfft/complex64", "irfft", Z32, tolerance=4096))
    found.append(case("rfft3d", "rfft3d", X, tolerance=512))
    found.append(case("rfft3d/lengths", "rfft3d", X, [2, 6, 5], tolerance=512))
    found.append(case("irfft3d", "irfft3d", Z, tolerance=512))
    for axes in (None, 1, -1, [0, 2], [-1, 1]):
        found.append(case(f"fftshift/{axes}", "fftshift", X[:, :3], axes, gradient=True))
        found.append(case(f"ifftshift/{axes}", "ifftshift", X[:, :3], axes, gradient=True))
    return found


def _cosine() -> list[Case]:
    found = []
    for kind, norm, n in product((1, 2, 3, 4), (None, "ortho"), (None, 4, 9)):
        if norm and (kind == 1 or n == 9):
            continue
        found.append(case(f"dct/{kind}/{norm}/{n}", "dct", X, kind, n, norm=norm, **SUMS))
        if n is None:
            found.append(case(f"idct/{kind}/{norm}", "idct", X, kind, norm=norm, **SUMS))
    found.append(case("dct/float32", "dct", X.astype(F32), tolerance=4096))
    found.append(case("mfccs", "mfccs_from_log_mel_spectrograms", X, **SUMS))
    return found


def _framing() -> list[Case]:
    found = []
    for length, step in ((4, 2), (5, 3), (2, 5), (6, 6), (3, 1), (50, 5)):
        for pad_end in (False, True):
            options = {"pad_end": pad_end, "pad_value": 2, "gradient": length < 50}
            found.append(case(f"frame/{length}/{step}/{pad_end}", "frame", TONE, length, step, **options))
    found.append(case("frame/axis 0", "frame", X, 2, 1, axis=0, gradient=True))
    found.append(case("frame/axis 1", "frame", X, 3, 1, axis=1, gradient=True))
    found.append(case("frame/bytes", "frame", np.arange(9, dtype=U8), 4, 3))
    for step in (1, 2, 4, 6, 8):
        found.append(case(f"overlap_and_add/{step}", "overlap_and_add", X, step, gradient=True))
    found.append(case("overlap_and_add/integers", "overlap_and_add", np.arange(12, dtype=I32).reshape(3, 4), 2))
    found.append(case("overlap_and_add/complex", "overlap_and_add", Z, 4, gradient=True))
    found.append(case("overlap_and_add/no frames", "overlap_and_add", X[:, :0], 2))
    return found


def _spectrograms() -> list[Case]:
    found = []
    for length, step, points in ((8, 4, None), (7, 3, None), (6, 6, 9), (8, 5, 8)):
        name = f"stft/{length}/{step}/{points}"
        found.append(Case(name, of_parts(call("stft", length, step, points, pad_end=step == 5)), [TONE], **SUMS))

    def spectrogram(tf, x):
        return tf.abs(tf.signal.stft(x, 8, 4, window_fn=tf.signal.hamming_window))

    def there_and_back(tf, x):
        inverse = tf.signal.inverse_stft_window_fn(3)
        return tf.signal.inverse_stft(tf.signal.stft(x, 8, 3), 8, 3, window_fn=inverse)

    found.append(Case("stft/magnitudes", spectrogram, [TONE], **SUMS))
    found.append(Case("stft/float32", spectrogram, [TONE.astype(F32)], tolerance=4096))
    found.append(Case("stft/there and back", there_and_back, [TONE], **SUMS))
    found.append(case("inverse_stft", "inverse_stft", Z, 10, 4, **SUMS))
    found.append(case("inverse_stft/no window", "inverse_stft", Z, 8, 8, window_fn=None, tolerance=512))
    found.append(case("inverse_stft/odd", "inverse_stft", Z, 12, 4, 11, **SUMS))
    found += [case(f"mdct/{norm}", "mdct", TONE, 8, norm=norm, **SUMS) for norm in (None, "ortho")]
    found.append(case("mdct/pad", "mdct", TONE, 12, window_fn=None, pad_end=True, **SUMS))
    found += [case(f"inverse_mdct/{norm}", "inverse_mdct", X, norm=norm, **SUMS) for norm in (None, "ortho")]
    found.append(case("inverse_mdct/no window", "inverse_mdct", X, window_fn=None, **SUMS))
    return found


def made(name: str, *arguments, **options):
    """A call without tensors; the dtype by name."""

    def function(tf):
        given = {k: getattr(tf, v) if k == "dtype" else v for k, v in options.items()}
        return getattr(tf.signal, name)(*arguments, **given)

    return function


def _windows() -> list[Case]:
    found = []
    for name in WINDOWS:
        for size, dtype in product((1, 2, 7, 32), ("float32", "float64")):
            found.append(Case(f"{name}/{size}/{dtype}", made(name, size, dtype=dtype), [], tolerance=512))
        half = made(name, 9 if name[0] == "h" else 8, dtype="float16")
        found.append(Case(f"{name}/float16", half, [], tolerance=8))
    for name in WINDOWS[:2]:
        found += [Case(f"{name}/{n}/symmetric", made(name, n, periodic=False), [], tolerance=512) for n in (6, 7)]
    found += [Case(f"kaiser_window/{b}", made("kaiser_window", 8, b), [], tolerance=512) for b in (0.0, 3, 50.0)]
    found.append(Case("kaiser_window/beta", lambda tf, b: tf.signal.kaiser_window(7, b, b.dtype), [F64(3)], True, 512))
    inverse = lambda tf: tf.signal.inverse_stft_window_fn(3, tf.signal.vorbis_window)(8, tf.float64)
    found.append(Case("inverse_stft_window_fn", inverse, [], tolerance=512))
    for bands, bins, rate, low, high in (
        (3, 9, 8000, 125.0, 3800.0),
        (10, 33, 16000, 80.0, 7600.0),
        (2, 1, 8000, 0, 9),
    ):
        matrix = made("linear_to_mel_weight_matrix", bands, bins, rate, low, high, dtype="float64")
        found.append(Case(f"linear_to_mel_weight_matrix/{bands}", matrix, [], tolerance=4096))
    found.append(
        Case(
            "linear_to_mel_weight_matrix",
            made("linear_to_mel_weight_matrix", num_spectrogram_bins=40),
            [],
            tolerance=4096,
        )
    )
    return found


def cases() -> list[Case]:
    return [*_fourier(), *_cosine(), *_framing(), *_spectrograms(), *_windows()]


def errors() -> list[Case]:
    mel = "linear_to_mel_weight_matrix"
    calls = {
        "window length": made("hann_window", -1),
        "window fraction": made("hann_window", 5.0),
        "window dtype": made("hann_window", 5, dtype="int32"),
        "kaiser length": made("kaiser_window", 0),
        "mel bands": made(mel, 0, 9),
        "mel edge": made(mel, 3, 9, lower_edge_hertz=-1.0),
        "mel order": made(mel, 3, 9, lower_edge_hertz=3900.0),
        "mel nyquist": made(mel, 3, 9, upper_edge_hertz=4100.0),
        "mel rate": made(mel, 3, 9, 0),
        "mel dtype": made(mel, 3, 9, dtype="int32"),
    }
    found = [Case(name, function, []) for name, function in calls.items()]
    return [
        *found,
        case("fft rank", "fft", np.complex64(1)),
        case("fft dtype", "fft", X),
        case("fft2d rank", "fft2d", Z[0, 0]),
        case("rfft rank", "rfft", F32(1)),
        case("rfft dtype", "rfft", Z),
        case("rfft lengths", "rfft", X, [4, 4]),
        case("rfft negative", "rfft", X, [-1]),
        case("rfft fraction", "rfft", X, [2.0]),
        case("rfft2d lengths", "rfft2d", X, [4]),
        case("irfft dtype", "irfft", X),
        case("fftshift axis", "fftshift", X, 3),
        case("frame rank", "frame", F32(1), 2, 1),
        case("frame step", "frame", X, 2, 0),
        case("frame fraction", "frame", X, 2.5, 1),
        case("frame vector", "frame", X, [2], 1),
        case("frame axis", "frame", X, 2, 1, axis=3),
        case("frame pad_value", "frame", np.arange(9), 4, 2, True, 7.5),
        case("overlap_and_add rank", "overlap_and_add", X[0, 0], 1),
        case("overlap_and_add step", "overlap_and_add", X, 0),
        case("overlap_and_add fraction", "overlap_and_add", X, 2.0),
        case("overlap_and_add bools", "overlap_and_add", X > 0, 2),
        case("stft dtype", "stft", np.arange(9), 4, 2),
        case("inverse_stft dtype", "inverse_stft", X, 8, 4),
        case("inverse_stft rank", "inverse_stft", Z[0, 0], 8, 4),
        case("mdct length", "mdct", TONE, 6),
        case("inverse_mdct odd", "inverse_mdct", X[..., :5]),
        case("dct type", "dct", X, 5),
        case("dct n", "dct", X, 2, 0),
        case("dct norm", "dct", X, norm="orthonormal"),
        case("dct dtype", "dct", np.arange(9)),
        case("dct 1 ortho", "dct", X, 1, norm="ortho"),
        case("dct 1 short", "dct", X[..., :1], 1),
        case("mfccs bands", "mfccs_from_log_mel_spectrograms", X[..., :0]),
    ]
