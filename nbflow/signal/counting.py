"""Sizes as numbers to compute with, and tensors that are made to have a size."""

from nbflow.dtypes import DType, int32
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.public import cast, sizes
from nbflow.shapes import Dim, dim_max
from nbflow.tensor.tensor import argument, to_tensor


def whole(op: str, name: str, value):
    """An integer argument; in a trace it may be a size that is not known there.

    Raises:
        InvalidDTypeError: it is no integer.
        InvalidArgumentError: it is no scalar.
    """
    if isinstance(value, Dim):
        return value
    tensor = argument(op, name, value)
    if tensor.ndim:
        raise InvalidArgumentError(f"{op}: {name} has shape {tensor.shape}; it takes a scalar")
    if not tensor.dtype.is_integer and not tensor.dtype.is_bool:
        raise InvalidDTypeError(f"{op}: {name} has dtype {tensor.dtype.name}; it takes an integer")
    return sizes((value,))[0]


def counts(size, dtype: DType):
    """[0, 1, … size - 1]."""
    return cast(TABLE["range"](to_tensor(0, int32), to_tensor(1, int32), size=size), dtype)


def amount(size, dtype: DType):
    """A size as a scalar."""
    return cast(TABLE["shape_int32"](counts(size, int32))[0] if isinstance(size, Dim) else to_tensor(size), dtype)


def fitted(x, axis: int, size):
    """x with as many elements along an axis: cut off, or followed by zeros."""
    shape, rank = x.nbflow_shape, x.ndim
    missing = dim_max(shape[axis], size) - shape[axis]
    if isinstance(missing, Dim) or missing:
        none = (0,) * rank
        after = tuple(missing if k == axis else 0 for k in range(rank))
        x = TABLE["pad"](x, to_tensor(0, x.dtype), before=none, after=after)
    if x.nbflow_shape[axis] == size:
        return x
    return part(x, axis, 0, size)


def part(x, axis: int, begin, size, step: int = 1):
    """size elements along an axis: those at begin, begin + step, begin + 2 * step …"""
    rank = x.ndim
    axis %= rank
    start = tuple(begin if k == axis else 0 for k in range(rank))
    steps = tuple(step if k == axis else 1 for k in range(rank))
    shape = tuple(size if k == axis else n for k, n in enumerate(x.nbflow_shape))
    return TABLE["strided_slice"](x, begin=start, step=steps, shape=shape)


def reversed_last(x):
    """The last axis in reverse order."""
    size = x.nbflow_shape[-1]
    return part(x, -1, size - 1, size, -1)
