"""Transforms of frames of a signal, and back: short-time Fourier and modified cosine transforms."""

import math

import numpy as np

from nbflow.dtypes import float32, int32
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.shapes import Dim
from nbflow.signal.cosine import dct
from nbflow.signal.counting import amount, fitted, part, reversed_last, whole
from nbflow.signal.fourier import irfft, rfft
from nbflow.signal.framing import ceil_div, frame, overlap_and_add, split_last, step_of
from nbflow.signal.windows import hann_window, vorbis_window
from nbflow.tensor.tensor import argument


def _signal(op: str, name: str, value, rank: int):
    x = argument(op, name, value)
    if x.ndim < rank:
        raise InvalidArgumentError(f"{op}: {name} has shape {x.shape}; it must have rank at least {rank}")
    return x


def _power_of_two(size):
    """The least power of two that is not below a size."""
    if isinstance(size, Dim):
        exponent = TABLE["ceil"](TABLE["log"](amount(size, float32)) / math.log(2))
        return whole("stft", "frame_length", cast(TABLE["pow"](2 * TABLE["ones_like"](exponent), exponent), int32))
    with np.errstate(divide="ignore"):
        return int(2 ** np.ceil(np.log(size) / np.log(2.0)))


def _fft_length(op: str, fft_length, frame_length) -> list:
    return [_power_of_two(frame_length) if fft_length is None else whole(op, "fft_length", fft_length)]


@export("signal.stft")
def stft(signals, frame_length, frame_step, fft_length=None, window_fn=hann_window, pad_end=False, name=None):
    """Spectra of frames of a signal: the short-time Fourier transform (tf.signal.stft).

    Args:
        signals: a tensor [..., samples] of float32 or float64.
        frame_length, frame_step, pad_end: see frame.
        fft_length: points of the Fourier transform, by default the power of two from frame_length up.
        window_fn: (frame_length, dtype=) -> weights that frames are multiplied by; None: none.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A complex tensor [..., frames, fft_length // 2 + 1].

    Raises:
        InvalidArgumentError: signals is a scalar or has another dtype, or a length is no integer.
    """
    x = _signal("stft", "signals", signals, 1)
    length = argument("stft", "frame_length", frame_length)
    points = _fft_length("stft", fft_length, whole("stft", "frame_length", length))
    frames = frame(x, length, frame_step, pad_end=pad_end)
    if window_fn is not None:
        frames = frames * window_fn(length, dtype=frames.dtype)
    return rfft(frames, points)


@export("signal.inverse_stft_window_fn")
def inverse_stft_window_fn(frame_step, forward_window_fn=hann_window, name=None):
    """A window_fn for inverse_stft that undoes a window of stft (tf.signal.inverse_stft_window_fn).

    Args:
        frame_step: of stft.
        forward_window_fn: the window_fn of stft.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A function (frame_length, dtype) -> weights: those of the window, divided by the sum of the squares of all
        windows that reach there; 0 where that is 0.
    """

    def inverse_window(frame_length, dtype):
        length = argument("inverse_stft_window_fn", "frame_length", frame_length)
        size = whole("inverse_stft_window_fn", "frame_length", length)
        step = step_of("inverse_stft_window_fn", frame_step, 1)
        window = forward_window_fn(length, dtype=dtype)
        overlaps = ceil_div(size, step)
        squares = fitted(TABLE["square"](window), 0, overlaps * step)
        hops = TABLE["reshape"](squares, shape=(overlaps, step))
        total = TABLE["broadcast_to"](TABLE["reduce_sum"](hops, axis=(0,), keepdims=True), shape=(overlaps, step))
        total = part(TABLE["reshape"](total, shape=(overlaps * step,)), 0, 0, size)
        return TABLE["select"](TABLE["equal"](total, 0), TABLE["zeros_like"](window), window / total)

    return inverse_window


@export("signal.inverse_stft")
def inverse_stft(stfts, frame_length, frame_step, fft_length=None, window_fn=hann_window, name=None):
    """The signal of which stft made the spectra (tf.signal.inverse_stft).

    It is exact where window_fn is the inverse_stft_window_fn of the window of stft.

    Args:
        stfts: a complex tensor [..., frames, fft_length // 2 + 1].
        frame_length, frame_step, fft_length: as in stft.
        window_fn: (frame_length, dtype=) -> weights that frames are multiplied by; None: none.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A real tensor [..., samples].

    Raises:
        InvalidArgumentError: stfts has fewer than two axes or is not complex, or a length is no integer.
    """
    x = _signal("inverse_stft", "stfts", stfts, 2)
    length = argument("inverse_stft", "frame_length", frame_length)
    size = whole("inverse_stft", "frame_length", length)
    frames = irfft(x, _fft_length("inverse_stft", fft_length, size))
    frames = fitted(frames, frames.ndim - 1, size)
    if window_fn is not None:
        frames = frames * window_fn(length, dtype=frames.dtype)
    return overlap_and_add(frames, frame_step)


@export("signal.mdct")
def mdct(signals, frame_length, window_fn=vorbis_window, pad_end=False, norm=None, name=None):
    """The modified cosine transform, of frames that overlap by half (tf.signal.mdct).

    Args:
        signals: a tensor [..., samples] of float32 or float64.
        frame_length: a multiple of 4.
        window_fn: (frame_length, dtype=) -> weights that frames are multiplied by; None: 1 / √2.
        pad_end: see frame.
        norm: None or "ortho".
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [..., frames, frame_length // 2].

    Raises:
        InvalidArgumentError: signals is a scalar or has another dtype, or frame_length is no multiple of 4.
    """
    x = _signal("mdct", "signals", signals, 1)
    length = argument("mdct", "frame_length", frame_length)
    size = whole("mdct", "frame_length", length)
    if not isinstance(size, Dim) and size % 4:
        raise InvalidArgumentError(f"mdct: frame_length is {size}; it must be a multiple of 4")
    frames = frame(x, size, size // 2, pad_end=pad_end)
    frames = frames * (1.0 / np.sqrt(2) if window_fn is None else window_fn(length, dtype=frames.dtype))
    a, b, c, d = split_last(frames, 4)
    folded = TABLE["concat"](-reversed_last(c) - d, a - reversed_last(b), axis=frames.ndim - 1)
    return dct(folded, type=4, norm=norm)


@export("signal.inverse_mdct")
def inverse_mdct(mdcts, window_fn=vorbis_window, norm=None, name=None):
    """The signal of which mdct made the transforms (tf.signal.inverse_mdct).

    It is exact, but for the first and the last half frame, for windows such as vorbis_window.

    Args:
        mdcts: a tensor [..., frames, frame_length // 2] of float32 or float64.
        window_fn, norm: those of mdct.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [..., samples].

    Raises:
        InvalidArgumentError: mdcts has fewer than two axes, an odd number of elements in the last, or another dtype.
    """
    x = _signal("inverse_mdct", "mdcts", mdcts, 2)
    half = x.nbflow_shape[-1]
    if not isinstance(half, Dim) and half % 2:
        raise InvalidArgumentError(f"inverse_mdct: mdcts has shape {x.shape}; the last axis must be even")
    y = dct(x, type=4, norm=norm)
    if norm is None:
        y = 0.5 / amount(half, x.dtype) * y
    a, b = split_last(y, 2)
    frames = TABLE["concat"](b, -reversed_last(b), -reversed_last(a), -a, axis=x.ndim - 1)
    length = amount(2 * half, int32)
    frames = frames * (1.0 / np.sqrt(2) if window_fn is None else window_fn(length, dtype=x.dtype))
    return overlap_and_add(frames, half)
