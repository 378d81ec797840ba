"""Windows: weights that frames of a signal are multiplied by, which fade out towards the ends."""

import numpy as np

from nbflow.dtypes import as_dtype, float32
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.shapes import Dim
from nbflow.signal.counting import amount, counts, part, reversed_last, whole
from nbflow.tensor.tensor import argument, to_tensor


def _checked(op: str, window_length, dtype, least: int = 0) -> tuple:
    """The length and the dtype of a window.

    Raises:
        InvalidArgumentError: the length is too small, or the dtype not floating point.
    """
    dtype = as_dtype(dtype)
    if not dtype.is_floating:
        raise InvalidDTypeError(f"{op}: dtype must be a floating point type, got {dtype.name}")
    length = whole(op, "window_length", window_length)
    if not isinstance(length, Dim) and length < least:
        raise InvalidArgumentError(f"{op}: window_length is {length}; it takes {least} or more")
    return length, dtype


def _one(dtype):
    return to_tensor(np.ones(1, dtype.np))


def _raised_cosine(op: str, window_length, periodic, dtype, middle: float, height: float):
    """middle - height · cos(2π n / N)."""
    length, dtype = _checked(op, window_length, dtype)
    if length == 1:
        return _one(dtype)
    period = length - 1 + (1 - length % 2 if periodic else 0)
    span = amount(period, dtype)
    window = middle - height * TABLE["cos"](counts(length, dtype) * (2 * np.pi) / span)
    if isinstance(period, Dim):  # a window of length 1 has no period
        return TABLE["select"](TABLE["equal"](span, 0), TABLE["ones_like"](window), window)
    return window


@export("signal.hann_window")
def hann_window(window_length, periodic=True, dtype=float32, name=None):
    """The Hann window, 0.5 - 0.5 cos(2π n / N) (tf.signal.hann_window).

    Args:
        window_length: how many elements.
        periodic: whether an even window is one period of a periodic function, rather than symmetric.
        dtype: a floating point dtype.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [window_length].

    Raises:
        InvalidArgumentError: dtype is not floating point, or window_length no integer of 0 or more.

    Example:
        >>> import nbflow as nf
        >>> nf.signal.hann_window(4)
        <nf.Tensor: shape=(4,), dtype=float32, numpy=array([0. , 0.5, 1. , 0.5], dtype=float32)>
    """
    return _raised_cosine("hann_window", window_length, periodic, dtype, 0.5, 0.5)


@export("signal.hamming_window")
def hamming_window(window_length, periodic=True, dtype=float32, name=None):
    """The Hamming window, 0.54 - 0.46 cos(2π n / N) (tf.signal.hamming_window).

    It takes the arguments of hann_window.
    """
    return _raised_cosine("hamming_window", window_length, periodic, dtype, 0.54, 0.46)


@export("signal.kaiser_window")
def kaiser_window(window_length, beta=12.0, dtype=float32, name=None):
    """The Kaiser window, I₀(β √(1 - (2 n / (N - 1) - 1)²)) / I₀(β) (tf.signal.kaiser_window).

    Args:
        window_length: how many elements, 1 or more.
        beta: the greater, the narrower; a scalar.
        dtype: a floating point dtype.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [window_length].

    Raises:
        InvalidArgumentError: dtype is not floating point, or window_length no integer of 1 or more.
    """
    length, dtype = _checked("kaiser_window", window_length, dtype, 1)
    beta = cast(argument("kaiser_window", "beta", beta), dtype)
    if length == 1:
        return _one(dtype)
    half = (amount(length, float32) - 1) / 2
    place = cast(counts(length, float32) - half, dtype) / cast(half, dtype)
    arch = beta * TABLE["sqrt"](TABLE["relu"](1 - TABLE["square"](place)))
    return TABLE["exp"](arch - beta) * (TABLE["bessel_i0e"](arch) / TABLE["bessel_i0e"](beta))


@export("signal.kaiser_bessel_derived_window")
def kaiser_bessel_derived_window(window_length, beta=12.0, dtype=float32, name=None):
    """The window whose squares are sums of a Kaiser window (tf.signal.kaiser_bessel_derived_window).

    The squares of the two halves add up to 1, as the modified cosine transform wants it.

    Args:
        window_length: how many elements; an odd number is one less.
        beta: of the Kaiser window.
        dtype: a floating point dtype.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [window_length].

    Raises:
        InvalidArgumentError: dtype is not floating point, or window_length no integer of 0 or more.
    """
    length, dtype = _checked("kaiser_bessel_derived_window", window_length, dtype)
    half = length // 2
    sums = TABLE["cumsum"](kaiser_window(half + 1, beta, dtype), axis=0, exclusive=False, reverse=False)
    rising = TABLE["sqrt"](part(sums, 0, 0, half) / part(sums, 0, half, 1))
    return TABLE["concat"](rising, reversed_last(rising), axis=0)


@export("signal.vorbis_window")
def vorbis_window(window_length, dtype=float32, name=None):
    """The window of the Vorbis format, sin(π/2 sin²(π (n + 1/2) / N)) (tf.signal.vorbis_window).

    Args:
        window_length: how many elements.
        dtype: a floating point dtype.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [window_length].

    Raises:
        InvalidArgumentError: dtype is not floating point, or window_length no integer of 0 or more.
    """
    length, dtype = _checked("vorbis_window", window_length, dtype)
    inner = TABLE["sin"](np.pi / amount(length, dtype) * (counts(length, dtype) + 0.5))
    return TABLE["sin"](np.pi / 2 * TABLE["pow"](inner, 2.0))
