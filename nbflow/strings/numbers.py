"""Strings of numbers, and numbers of strings (tf.strings)."""

import numpy as np

from nbflow.dtypes import as_dtype, float32, float64, int32, int64, require
from nbflow.errors import InvalidArgumentError
from nbflow.function.trace import SymbolicTensor
from nbflow.public import export
from nbflow.tensor.string_tensor import StringTensor, string_tensor
from nbflow.tensor.tensor import argument, from_numpy


@export("strings.as_string", "as_string")
def as_string(input, precision=-1, scientific=False, shortest=False, width=-1, fill="", name=None):
    """Numbers as strings (tf.strings.as_string).

    Args:
        input: a tensor with values; there are no strings in compiled functions.
        precision: digits after the point of floats, 6 if negative.
        scientific, shortest: floats as by %e or %g instead of %f.
        width: the least number of characters, filled with `fill`: " ", "0" or "-" for blanks on the right.

    Raises:
        ValueError: scientific and shortest are both given.
        TypeError: input is a tensor of a compiled function.

    Example:
        >>> import nbflow as nf
        >>> nf.strings.as_string([1, 20])
        <nf.Tensor: shape=(2,), dtype=string, numpy=array([b'1', b'20'], dtype=object)>
    """
    if isinstance(input, StringTensor):
        return input
    if scientific and shortest:
        raise ValueError("strings.as_string: scientific and shortest are both given; it takes one of them")
    x = argument("strings.as_string", "input", input)
    if isinstance(x, SymbolicTensor):
        raise TypeError("strings.as_string: there are no strings in compiled functions; use nf.py_function")
    kind = "d" if x.dtype.is_integer else "e" if scientific else "g" if shortest else "f"
    form = f"%{fill.replace(' ', '')}{width if width > 0 else ''}{f'.{precision}' if precision >= 0 else ''}{kind}"
    if x.dtype.is_bool:
        write = lambda v: "true" if v else "false"
    elif x.dtype.is_complex:
        write = lambda v: f"({form % v.real},{form % v.imag})"
    else:
        write = lambda v: form % v
    given = np.asarray(x.numpy())
    array = np.empty(given.shape, object)
    array.reshape(-1)[:] = [write(v).encode() for v in given.reshape(-1).tolist()]
    return StringTensor(array)


@export("strings.to_number")
def to_number(input, out_type=float32, name=None):
    """The numbers that strings spell (tf.strings.to_number).

    Args:
        out_type: float32, float64, int32 or int64.

    Raises:
        InvalidArgumentError: a string is no such number.
    """
    dtype = as_dtype(out_type)
    require("strings.to_number", "out_type", dtype, (float32, float64, int32, int64))
    array = string_tensor(input)._array
    numbers = [_number(text, dtype) for text in array.reshape(-1)]
    return from_numpy(np.array(numbers, dtype.np).reshape(array.shape), dtype)


def _number(text: bytes, dtype):
    try:
        if b"_" in text:
            raise ValueError
        found = (float if dtype.is_floating else int)(text)
        if dtype.is_integer and not dtype.min <= found <= dtype.max:
            raise ValueError
        return found
    except ValueError:
        raise InvalidArgumentError(
            f"strings.to_number: could not correctly convert string: {text.decode(errors='replace')!r:.100} to "
            f"{dtype.name}"
        ) from None
