"""The mel scale of pitches, and coefficients of spectra on it."""

from nbflow.arrays.creation import linspace
from nbflow.dtypes import as_dtype, float32
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, number
from nbflow.shapes import Dim
from nbflow.signal.cosine import dct
from nbflow.signal.counting import amount, part, whole
from nbflow.tensor.indexing import static
from nbflow.tensor.tensor import argument, to_tensor

BREAK_HERTZ, HIGH_Q = 700.0, 1127.0


def _mel(hertz):
    return HIGH_Q * TABLE["log"](1.0 + hertz / BREAK_HERTZ)


def _check(bins, rate, low, high, dtype) -> None:
    """Raises InvalidArgumentError for arguments of linear_to_mel_weight_matrix that mean nothing."""
    wrong = [
        (bins <= 0, f"num_mel_bins must be positive, got {bins}"),
        (low < 0, f"lower_edge_hertz must be non-negative, got {low}"),
        (low >= high, f"lower_edge_hertz {low} must be below upper_edge_hertz {high}"),
        (rate is not None and rate <= 0, f"sample_rate must be positive, got {rate}"),
        (rate is not None and high > rate / 2, f"upper_edge_hertz {high} is above half of sample_rate {rate}"),
        (not dtype.is_floating, f"dtype must be a floating point type, got {dtype.name}"),
    ]
    for found, why in wrong:
        if found:
            raise InvalidArgumentError(f"linear_to_mel_weight_matrix: {why}")


@export("signal.linear_to_mel_weight_matrix")
def linear_to_mel_weight_matrix(
    num_mel_bins=20,
    num_spectrogram_bins=129,
    sample_rate=8000,
    lower_edge_hertz=125.0,
    upper_edge_hertz=3800.0,
    dtype=float32,
    name=None,
):
    """The matrix that sums the bins of spectra into bands of the mel scale (tf.signal.linear_to_mel_weight_matrix).

    The bands are triangles of height 1, evenly spaced on mel(f) = 1127 log(1 + f / 700).

    Args:
        num_mel_bins: how many bands.
        num_spectrogram_bins: bins of a spectrum, of 0 to sample_rate / 2.
        sample_rate: samples a second.
        lower_edge_hertz, upper_edge_hertz: where the lowest band begins and the highest ends.
        dtype: a floating point dtype.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [num_spectrogram_bins, num_mel_bins].

    Raises:
        InvalidArgumentError: a number is not positive, the edges are out of order or above sample_rate / 2, or dtype is
            not floating point.
    """
    op = "linear_to_mel_weight_matrix"
    dtype = as_dtype(dtype)
    given = (sample_rate, lower_edge_hertz, upper_edge_hertz)
    _check(number(num_mel_bins), *(number(static(v)) for v in given), dtype)
    bands, bins = whole(op, "num_mel_bins", num_mel_bins), whole(op, "num_spectrogram_bins", num_spectrogram_bins)
    if not isinstance(bins, Dim) and bins < 0:
        raise InvalidArgumentError(f"{op}: num_spectrogram_bins is {bins}; it takes 0 or more")
    low, high = (_mel(to_tensor(v, dtype)) for v in (lower_edge_hertz, upper_edge_hertz))
    nyquist = cast(argument(op, "sample_rate", sample_rate), dtype) / 2.0
    frequencies = linspace(TABLE["zeros_like"](nyquist), nyquist, bins)
    rest = bins - 1 if isinstance(bins, Dim) else max(0, bins - 1)  # without frequency 0, as HTK has it
    pitch = TABLE["reshape"](_mel(part(frequencies, 0, min(1, bins) if rest == 0 else 1, rest)), shape=(rest, 1))
    edges = linspace(low, high, bands + 2)
    lower, middle, upper = (part(edges, 0, k, bands) for k in range(3))
    rising, falling = (pitch - lower) / (middle - lower), (upper - pitch) / (upper - middle)
    weights = TABLE["maximum"](0.0, TABLE["minimum"](rising, falling))
    return TABLE["pad"](weights, to_tensor(0.0, dtype), before=(1, 0), after=(0, 0))


@export("signal.mfccs_from_log_mel_spectrograms")
def mfccs_from_log_mel_spectrograms(log_mel_spectrograms, name=None):
    """Cepstral coefficients of spectra on the mel scale (tf.signal.mfccs_from_log_mel_spectrograms).

    The cosine transform of type 2, times √(2 / N) / 2, as HTK has it.

    Args:
        log_mel_spectrograms: a tensor [..., N] of float32 or float64: logarithms of magnitudes.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [..., N].

    Raises:
        InvalidArgumentError: N is 0, or the dtype another.
    """
    op = "mfccs_from_log_mel_spectrograms"
    x = argument(op, "log_mel_spectrograms", log_mel_spectrograms)
    if not x.ndim or x.nbflow_shape[-1] == 0:
        raise InvalidArgumentError(f"{op}: log_mel_spectrograms has shape {x.shape}; it takes one bin or more")
    return dct(x) * TABLE["rsqrt"](amount(x.nbflow_shape[-1], x.dtype) * 2.0)
