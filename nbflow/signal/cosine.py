"""Discrete cosine transforms, by Fourier transforms of twice the length."""

import math

from nbflow.dtypes import FULL
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.shapes import Dim, dim_max
from nbflow.signal.counting import amount, counts, fitted, part, whole
from nbflow.signal.fourier import irfft, rfft
from nbflow.tensor.tensor import argument

FORWARD = {1: 1, 2: 2, 3: 3, 4: 4}
INVERSE = {1: 1, 2: 3, 3: 2, 4: 4}


def _transformed(op: str, input, type, n, axis, norm, kinds: dict):
    """The transform of the type that kinds has for one, of the signal with n elements where n is given."""
    if axis != -1:
        raise NotImplementedError(f"{op}: axis must be -1, got {axis}")
    n = None if n is None else whole(op, "n", n)
    if n is not None and not isinstance(n, Dim) and n < 1:
        raise InvalidArgumentError(f"{op}: n is {n}; it takes 1 or more, or None")
    if type not in kinds:
        raise InvalidArgumentError(f"{op}: type is {type!r}; it takes 1, 2, 3 or 4")
    if type == 1 and norm == "ortho":
        raise InvalidArgumentError(f"{op}: norm is 'ortho'; type 1 takes None")
    if norm not in (None, "ortho"):
        raise InvalidArgumentError(f"{op}: norm is {norm!r}; it takes None or 'ortho'")
    x = argument(op, "input", input)
    if x.dtype not in FULL:
        raise InvalidDTypeError(f"{op}: input has dtype {x.dtype.name}; it takes float32 or float64. Use nf.cast.")
    if not x.ndim:
        raise InvalidArgumentError(f"{op}: input is a scalar; it must have rank at least 1")
    size = x.nbflow_shape[-1]
    if type == 1 and not isinstance(size, Dim) and size < 2:
        raise InvalidArgumentError(f"{op}: input has shape {x.shape}; type 1 takes 2 or more elements")
    return TYPES[kinds[type]](x if n is None else fitted(x, x.ndim - 1, n), norm)


def _turns(size, dtype, sign: float):
    """2 exp(± πi k / 2 N), k = 0, 1, … N - 1."""
    angle = counts(size, dtype) * (sign * math.pi) * 0.5 / amount(size, dtype)
    return 2.0 * TABLE["exp"](TABLE["complex"](TABLE["zeros_like"](angle), angle))


def _weights(size, dtype, first, factor: float):
    """[first, factor · first, factor · first, …]."""
    count = counts(size, dtype)
    return TABLE["select"](TABLE["equal"](count, 0), first, first * factor)


def _type_1(x, norm):
    inner = dim_max(x.nbflow_shape[-1] - 2, 0)  # all but the first and the last
    return TABLE["real"](rfft(TABLE["concat"](x, part(x, -1, inner, inner, -1), axis=x.ndim - 1)))


def _type_2(x, norm):
    n = x.nbflow_shape[-1]
    y = TABLE["real"](part(rfft(x, [2 * n]), -1, 0, n) * _turns(n, x.dtype, -1.0))
    if norm == "ortho":
        y = y * _weights(n, x.dtype, 0.5 * TABLE["rsqrt"](amount(n, x.dtype)), math.sqrt(2))
    return y


def _type_3(x, norm):
    n = x.nbflow_shape[-1]
    size = amount(n, x.dtype)
    x = x * (_weights(n, x.dtype, TABLE["sqrt"](size), math.sqrt(0.5)) if norm == "ortho" else size)
    spectrum = _turns(n, x.dtype, 1.0) * TABLE["complex"](x, TABLE["zeros_like"](x))
    return part(irfft(spectrum, [2 * n]), -1, 0, n)


def _type_4(x, norm):
    n = x.nbflow_shape[-1]
    y = part(_type_2(fitted(x, x.ndim - 1, 2 * n), None), -1, 1, n, 2)
    return y * (math.sqrt(0.5) * TABLE["rsqrt"](amount(n, x.dtype))) if norm == "ortho" else y


TYPES = {1: _type_1, 2: _type_2, 3: _type_3, 4: _type_4}


@export("signal.dct")
def dct(input, type=2, n=None, axis=-1, norm=None, name=None):
    """The discrete cosine transform of the last axis (tf.signal.dct).

    Type 2, the most used, is y[k] = 2 Σ x[j] cos(π k (2 j + 1) / 2 N).

    Args:
        input: a tensor [..., N] of float32 or float64.
        type: 1, 2, 3 or 4.
        n: how many elements are transformed, of which zeros make up those that are missing; by default all.
        axis: -1.
        norm: None, or "ortho" for an orthonormal transform, which type 1 has not.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of input, or with n elements in its last axis.

    Raises:
        InvalidArgumentError: type, n or norm is something else, input is a scalar, or too short for type 1.
        InvalidDTypeError: input has another dtype.
        NotImplementedError: axis is not -1.
    """
    return _transformed("dct", input, type, n, axis, norm, FORWARD)


@export("signal.idct")
def idct(input, type=2, n=None, axis=-1, norm=None, name=None):
    """The inverse of dct, but for a factor 2 N where norm is None (tf.signal.idct).

    It takes the arguments of dct; type is that of the transform to undo.
    """
    return _transformed("idct", input, type, n, axis, norm, INVERSE)
