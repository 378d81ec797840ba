"""Discrete Fourier transforms of one, two, three or any axes, and the spectrum's halves swapped."""

import math

import numpy as np

from nbflow.dtypes import COMPLEX, FULL, complex64, float32
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.public import axes_of, cast, export, number, sizes
from nbflow.shapes import Dim, dim_max, normalize_axis
from nbflow.signal.counting import amount, fitted
from nbflow.tensor.indexing import static
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument

AXES = {1: "axis", 2: "2 axes", 3: "3 axes"}
FORMULAS = {
    "fft": "Discrete Fourier transform, y[k] = Σ x[n] exp(-2πi k n / N)",
    "ifft": "Inverse discrete Fourier transform, x[n] = 1/N Σ y[k] exp(2πi k n / N)",
    "rfft": "Discrete Fourier transform of real numbers, the first N / 2 + 1 elements of the last axis of it",
    "irfft": "Inverse of rfft, real numbers from the half of a spectrum that rfft gives",
}
DTYPES = {"fft": COMPLEX, "ifft": COMPLEX, "rfft": FULL, "irfft": COMPLEX}


# --- what all have in common ------------------------------------------------------------------------------------------


def _input(op: str, name: str, kind: str, x, rank: int = 0):
    """The tensor to transform.

    Raises:
        InvalidArgumentError: it has fewer than rank axes.
        InvalidDTypeError: an op of this kind does not take its dtype.
    """
    given, wanted = x, float32 if kind == "rfft" else complex64
    plain = kind in ("fft", "ifft")  # of which Python's complex numbers are complex128, as elsewhere
    x = argument(op, name, x, None if plain and not isinstance(x, np.ndarray) else wanted)
    if plain and not isinstance(given, TensorProtocol) and not x.dtype.is_complex:
        x = cast(x, wanted)
    if x.dtype not in DTYPES[kind]:
        takes = " or ".join(d.name for d in DTYPES[kind])
        raise InvalidDTypeError(f"{op}: {name} has dtype {x.dtype.name}; it takes {takes}. Use nf.cast to convert it.")
    if x.ndim < rank:
        raise InvalidArgumentError(f"{op}: {name} has shape {x.shape}; it must have rank at least {rank}")
    return x


def _lengths(op: str, fft_length, count: int) -> tuple:
    """fft_length as a tuple of sizes, one for each axis.

    Raises:
        TypeError: they are no integers.
        InvalidArgumentError: there are not as many, or one is negative.
    """
    found = sizes(fft_length)
    if len(found) != count:
        raise InvalidArgumentError(f"{op}: fft_length is {fft_length}; it takes {count} numbers, one for each axis")
    if any(not isinstance(n, Dim) and n < 0 for n in found):
        raise InvalidArgumentError(f"{op}: fft_length is {fft_length}; it takes numbers of 0 or more")
    return found


def _default_lengths(kind: str, x, axes: tuple) -> tuple:
    """The sizes of the axes; for irfft, of that which rfft made the half of."""
    found = tuple(x.nbflow_shape[a] for a in axes)
    return (*found[:-1], dim_max(0, 2 * (found[-1] - 1))) if kind == "irfft" and found else found


def _transform(kind: str, x, axes: tuple, lengths: tuple):
    """The transform over axes, which are cut off or followed by zeros to have these lengths."""
    if not axes:
        return x
    stored = lengths
    if kind == "irfft":
        stored = (*lengths[:-1], lengths[-1] // 2 + 1 if lengths[-1] != 0 else 0)
    for axis, size in zip(axes, stored, strict=True):
        x = fitted(x, axis, size)
    more = {"length": lengths[-1]} if kind == "irfft" else {}
    return TABLE[kind](x, axis=axes, adjoint=False, **more)


def _named(function, names: tuple[str, ...], doc: str):
    function.__name__ = function.__qualname__ = names[0].rpartition(".")[2]
    function.__doc__ = doc
    return export(*names)(function)


# --- over the last axes -----------------------------------------------------------------------------------------------


def _plain(kind: str, rank: int):
    """fft, ifft and their kin for 2 and 3 axes."""
    op = kind + ("" if rank == 1 else f"{rank}d")

    def function(input, name=None):
        x = _input(op, "input", kind, input, rank)
        axes = tuple(range(x.ndim - rank, x.ndim))
        return TABLE[kind](x, axis=axes, adjoint=False)

    return _named(
        function,
        (f"signal.{op}",),
        f"""{FORMULAS[kind]}, over the last {AXES[rank]} (tf.signal.{op}).

    Args:
        input: a tensor of complex64 or complex128; arrays and real numbers become complex64.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape and dtype of input.

    Raises:
        InvalidArgumentError: input has too few axes, or another dtype.
    """,
    )


def _real(kind: str, rank: int):
    """rfft, irfft and their kin for 2 and 3 axes."""
    op = kind + ("" if rank == 1 else f"{rank}d")
    default = "2 (n - 1) for the last axis" if kind == "irfft" else "their sizes"

    def function(input_tensor, fft_length=None, name=None):
        x = _input(op, "input_tensor", kind, input_tensor, rank)
        axes = tuple(range(x.ndim - rank, x.ndim))
        lengths = _default_lengths(kind, x, axes) if fft_length is None else _lengths(op, fft_length, rank)
        return _transform(kind, x, axes, lengths)

    return _named(
        function,
        (f"signal.{op}",),
        f"""{FORMULAS[kind]}, over the last {AXES[rank]} (tf.signal.{op}).

    Args:
        input_tensor: a tensor of {" or ".join(d.name for d in DTYPES[kind])}.
        fft_length: how many points each axis has in the space of real numbers, a list of {rank}; the input is cut off
            or followed by zeros to fit. By default {default}.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of {"real" if kind == "irfft" else "complex"} numbers in the precision of the input.

    Raises:
        InvalidArgumentError: the input has too few axes or another dtype, or fft_length does not fit.
    """,
    )


fft, fft2d, fft3d = (_plain("fft", rank) for rank in (1, 2, 3))
ifft, ifft2d, ifft3d = (_plain("ifft", rank) for rank in (1, 2, 3))
rfft, rfft2d, rfft3d = (_real("rfft", rank) for rank in (1, 2, 3))
irfft, irfft2d, irfft3d = (_real("irfft", rank) for rank in (1, 2, 3))


# --- over any axes ----------------------------------------------------------------------------------------------------


def _axes(op: str, axes, rank: int) -> tuple[int, ...]:
    """Axes in the order given, counted from 0.

    Raises:
        InvalidArgumentError: one is out of range or named twice.
    """
    given = axes_of(axes)
    found = tuple(normalize_axis(op, a, rank, "axes") for a in (given if isinstance(given, (list, tuple)) else [given]))
    if len(set(found)) != len(found):
        raise InvalidArgumentError(f"{op}: axes {axes} name an axis twice")
    return found


def _scaled(op: str, kind: str, x, lengths: tuple, norm):
    """x times what makes the transform the one of a norm."""
    powers = {None: 0.0, "backward": 0.0, "ortho": 0.5, "forward": 1.0}
    if norm not in powers:
        raise InvalidArgumentError(f"{op}: norm is {norm!r}; it takes 'backward', 'ortho', 'forward' or None")
    if not powers[norm]:
        return x
    points = math.prod(lengths)
    exponent = powers[norm] if kind in ("ifft", "irfft") else -powers[norm]
    if isinstance(points, Dim):
        return x * cast(TABLE["pow"](amount(points, x.dtype.real_dtype), exponent), x.dtype)
    return x * points**exponent if points else x


def _any_axes(kind: str, op: str, argument_name: str, input, fft_length, axes, norm=None):
    x = _input(op, argument_name, kind, input)
    found = tuple(range(x.ndim)) if axes is None else _axes(op, axes, x.ndim)
    lengths = _default_lengths(kind, x, found) if fft_length is None else _lengths(op, fft_length, len(found))
    return _transform(kind, _scaled(op, kind, x, lengths, norm), found, lengths)


def _nd(kind: str):
    """fftnd and its kin."""
    op = f"{kind}nd"
    default = "2 (n - 1) for the last one" if kind == "irfft" else "their sizes"

    def function(input_tensor, fft_length=None, axes=None, norm=None, name=None):
        return _any_axes(kind, op, "input_tensor", input_tensor, fft_length, axes, norm)

    return _named(
        function,
        (f"signal.{op}",),
        f"""{FORMULAS[kind]}, over any axes (tf.signal.{op}).

    Args:
        input_tensor: a tensor of {" or ".join(d.name for d in DTYPES[kind])}.
        fft_length: how many points each of the axes has in the space of the signal; the input is cut off or followed by
            zeros to fit. By default {default}.
        axes: a list of axes, by default all; negative ones count from the end.
        norm: where the factor 1 / n is: "backward", in the inverse, "forward", or "ortho", its root in both; None is
            "backward".
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of {"real" if kind == "irfft" else "complex"} numbers in the precision of the input.

    Raises:
        InvalidArgumentError: an axis is out of range or named twice, or fft_length does not fit.
    """,
    )


for _kind in FORMULAS:
    _nd(_kind)


@export("fftnd")
def fftnd(input, fft_length, axes, name=None):
    """signal.fftnd with all arguments (tf.fftnd)."""
    return _any_axes("fft", "fftnd", "input", input, fft_length, axes)


@export("ifftnd")
def ifftnd(input, fft_length, axes, name=None):
    """signal.ifftnd with all arguments (tf.ifftnd)."""
    return _any_axes("ifft", "ifftnd", "input", input, fft_length, axes)


@export("rfftnd")
def rfftnd(input, fft_length, axes, Tcomplex=complex64, name=None):
    """signal.rfftnd with all arguments, and the dtype of the result (tf.rfftnd)."""
    return cast(_any_axes("rfft", "rfftnd", "input", input, fft_length, axes), Tcomplex)


@export("irfftnd")
def irfftnd(input, fft_length, axes, Treal=float32, name=None):
    """signal.irfftnd with all arguments, and the dtype of the result (tf.irfftnd)."""
    return cast(_any_axes("irfft", "irfftnd", "input", input, fft_length, axes), Treal)


# --- shifts -----------------------------------------------------------------------------------------------------------


def _shifted(op: str, x, axes, sign: int):
    x = argument(op, "x", x)
    if axes is None:
        if not x.ndim:
            raise InvalidArgumentError(f"{op}: x is a scalar; it takes one or more axes")
        axes = tuple(range(x.ndim))
    axes = axes_of(static(axes))
    for axis in axes if isinstance(axes, (list, tuple)) else [axes]:
        at = normalize_axis(op, number(axis), x.ndim, "axes")
        x = TABLE["roll"](x, shift=sign * (x.nbflow_shape[at] // 2), axis=at)
    return x


@export("signal.fftshift")
def fftshift(x, axes=None, name=None):
    """The halves of each axis swapped, so that frequency 0 is in the middle (tf.signal.fftshift).

    Args:
        x: a tensor.
        axes: an axis or a list of them, by default all.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        InvalidArgumentError: an axis is out of range.

    Example:
        >>> import nbflow as nf
        >>> nf.signal.fftshift([0, 1, 2, -2, -1])
        <nf.Tensor: shape=(5,), dtype=int32, numpy=array([-2, -1,  0,  1,  2], dtype=int32)>
    """
    return _shifted("fftshift", x, axes, 1)


@export("signal.ifftshift")
def ifftshift(x, axes=None, name=None):
    """What undoes fftshift (tf.signal.ifftshift); it takes the same arguments."""
    return _shifted("ifftshift", x, axes, -1)
