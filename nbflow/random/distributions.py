"""What stateful, stateless and Generator functions share: from a stream to a tensor of a distribution.

Each function takes its words from `stream(kernel, blocks)`. The kernel's name is what tells TensorFlow's eager kernels
apart: the op and its dtypes. Arguments are checked before the stream is asked, so that a call that fails draws nothing.
"""

import math
from collections.abc import Callable

import numpy as np

from nbflow.dtypes import FLOATING, DType, as_dtype, int32, int64, uint32, uint64
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.seeds import output_blocks
from nbflow.ops.table import TABLE
from nbflow.public import shape_argument
from nbflow.shapes import TensorShape
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import Tensor, apply, to_tensor

INTEGERS = (int32, int64)
FULL_INTEGERS = (*INTEGERS, uint32, uint64)


def dtype_argument(function: str, dtype, allowed: tuple[DType, ...]) -> DType:
    """A dtype argument as a DType.

    Raises:
        TypeError: it names no dtype.
        InvalidArgumentError: the function does not make such numbers.
    """
    dtype = as_dtype(dtype)
    if dtype not in allowed:
        raise InvalidDTypeError(f"{function}: dtype is {dtype.name}; it takes {', '.join(d.name for d in allowed)}")
    return dtype


def _shape(function: str, shape) -> tuple[tuple, str]:
    """A shape argument as a tuple, and the dtype that it has as a tensor of TensorFlow's."""
    if type(shape) in (list, tuple):
        for size in shape:
            if type(size) is not int or size < 0:
                break
        else:
            return tuple(shape), "int32"
    parts = shape if isinstance(shape, (list, tuple)) else (shape,)
    wide = any(isinstance(part, (TensorProtocol, np.ndarray)) and part.dtype == np.int64 for part in parts)
    return shape_argument(function, shape), "int64" if wide else "int32"


def _is(value, number: float) -> bool:
    return type(value) in (int, float) and value == number


def _draw(op: str, stream: Callable, kernel: str, dtype: DType, shape: tuple, index: str, inputs=(), **attrs):
    words = stream((kernel, dtype.name, index), output_blocks(math.prod(shape)))
    return apply(TABLE[op], (words, *inputs), {"shape": shape, "dtype": dtype, **attrs})


def normal(function: str, stream: Callable, shape, mean, stddev, dtype, truncated: bool = False):
    """Normal numbers: z · stddev + mean, both operations rounded.

    Args:
        function: the public name, for errors.
        stream: (kernel, blocks) -> words.
        truncated: whether z is drawn again until |z| < 2.
    """
    dtype = as_dtype(dtype)
    # z is never -0, so that z · 1 + 0 is z.
    standard = _is(mean, 0) and _is(stddev, 1) and dtype.is_floating
    if not standard:
        mean, stddev = to_tensor(mean, dtype), to_tensor(stddev, dtype)
    dtype_argument(function, dtype, FLOATING)
    shape, index = _shape(function, shape)
    if truncated:
        z = _draw("random_truncated_normal", stream, "TruncatedNormal", dtype, shape, index)
    else:
        z = _draw("random_normal", stream, "RandomStandardNormal", dtype, shape, index)
    return z if standard else z * stddev + mean


def uniform(function: str, stream: Callable, shape, minval, maxval, dtype, full_range: bool = True):
    """Uniform numbers in [minval, maxval): u · (maxval - minval) + minval for floats, each operation rounded.

    Args:
        function: the public name, for errors.
        stream: (kernel, blocks) -> words.
        full_range: whether integers without bounds are drawn from the whole range of their dtype; otherwise they need
            bounds, and a float minval that is Python's 0 is not added.
    """
    dtype = dtype_argument(function, dtype, FLOATING + (FULL_INTEGERS if full_range else INTEGERS))
    if dtype.is_integer:
        return _uniform_integers(function, stream, shape, minval, maxval, dtype, full_range)
    shape, index = _shape(function, shape)
    maxval = 1 if maxval is None else maxval
    unit = _is(minval, 0) and _is(maxval, 1)
    added = full_range or type(minval) is not int or minval != 0
    if not unit:
        if minval is None:
            raise InvalidArgumentError(f"{function}: minval is None; {dtype.name} takes a number or tensor")
        minval, maxval = to_tensor(minval, dtype), to_tensor(maxval, dtype)
    u = _draw("random_uniform", stream, "RandomUniform", dtype, shape, index)
    if unit:
        return u
    return u * (maxval - minval) + minval if added else u * maxval


def _uniform_integers(function, stream, shape, minval, maxval, dtype, full_range):
    if maxval is None and not full_range:
        raise InvalidArgumentError(f"{function}: maxval is None; it must be given for dtype {dtype.name}")
    if (minval is None) != (maxval is None):
        raise InvalidArgumentError(
            f"{function}: minval is {minval} and maxval is {maxval}; for dtype {dtype.name} give both, or None for both"
        )
    if maxval is None:
        return full_integers(function, stream, shape, dtype)
    dtype_argument(f"{function} with bounds", dtype, INTEGERS)
    shape, index = _shape(function, shape)
    bounds = []
    for name, value in (("minval", minval), ("maxval", maxval)):
        bound = to_tensor(value, dtype)
        if bound.nbflow_shape != ():
            raise InvalidArgumentError(
                f"{function}: {name} has shape {bound.shape}; for {dtype.name} it takes a scalar"
            )
        bounds.append(bound)
    checked = all(type(bound) is Tensor for bound in bounds)  # not symbolic
    if checked:
        both_ints = type(minval) is int and type(maxval) is int
        low, high = (minval, maxval) if both_ints else (int(bound.numpy()) for bound in bounds)
        if low >= high and not (full_range and 0 in shape):
            raise InvalidArgumentError(f"{function}: need minval < maxval, got {low} >= {high}")
    op, kernel = "random_uniform_int", "RandomUniformInt"
    return _draw(op, stream, kernel, dtype, shape, index, bounds, checked=checked)


def full_integers(function: str, stream: Callable, shape, dtype):
    """Integers from the whole range of their dtype."""
    dtype = dtype_argument(function, dtype, FULL_INTEGERS)
    shape, index = _shape(function, shape)
    return _draw("random_full_int", stream, "RandomUniformFullInt", dtype, shape, index)


def shuffle(stream: Callable, value):
    """The rows of a tensor in another order; no gradient flows back."""
    x = to_tensor(value)
    shape = x.nbflow_shape
    rows = shape[0] if shape else 1
    # One word for each row but the last, four a block; nothing is drawn where there is nothing to shuffle.
    blocks = 0 if 0 in shape else (rows + 2) // 4
    words = stream(("RandomShuffle", x.dtype.name), blocks)
    if rows == 1 or 0 in shape:
        return x
    order = apply(TABLE["permutation"], (words,), {"size": rows})
    return TABLE["gather"](TABLE["stop_gradient"](x), order, axis=0)


def vector_argument(function: str, name: str, tensor, size: int):
    """A tensor, checked to be a vector of a size.

    Raises:
        InvalidArgumentError: it is not.
    """
    if tensor.nbflow_shape != (size,):
        raise InvalidArgumentError(f"{function}: {name} has shape {tensor.shape}; it takes shape {TensorShape([size])}")
    return tensor
