"""Assertions on dtypes and kinds of values, which are decided where they stand."""

import numpy as np

from nbflow.debugging.report import in_program, prefix, shape_and_dtype
from nbflow.dtypes import NUMERIC, as_dtype, float32
from nbflow.public import argument, export
from nbflow.sparse import SparseTensor
from nbflow.tensor.protocol import TensorProtocol


@export("debugging.assert_type")
def assert_type(tensor, tf_type, message=None, name=None) -> None:
    """Fails unless a tensor has a dtype (tf.debugging.assert_type).

    Args:
        tensor: a tensor, Variable or SparseTensor.
        tf_type: the dtype.
        message: stands at the beginning of the error.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        TypeError: it has another dtype.
    """
    dtype, x = as_dtype(tf_type), tensor
    if not isinstance(tensor, SparseTensor):
        x = argument("assert_type", "tensor", tensor)
    if x.dtype is not dtype:
        raise TypeError(f"{prefix(message)}tensor must be of type {dtype!r}; got {x.dtype!r}")


@export("debugging.assert_integer")
def assert_integer(x, message=None, name=None) -> None:
    """Fails unless a tensor is of integers (tf.debugging.assert_integer).

    Args:
        x: a tensor.
        message: stands at the beginning of the error.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        TypeError: it is of another kind.
    """
    dtype = argument("assert_integer", "x", x).dtype
    if not dtype.is_integer:
        raise TypeError(f'{prefix(message)}Expected "x" to be integer type.  Found: tensor of dtype {dtype!r}')


@export("debugging.assert_same_float_dtype")
def assert_same_float_dtype(tensors=None, dtype=None):
    """The floating point dtype that tensors share (tf.debugging.assert_same_float_dtype).

    Args:
        tensors: tensors, among which None does not count.
        dtype: the dtype that they should have, by default that of the first.

    Returns:
        The dtype; float32 without tensors and dtype.

    Raises:
        ValueError: dtypes differ, or are not of floating point numbers.
    """
    expected, first = None if dtype is None else as_dtype(dtype), ""
    for x in tensors or ():
        if x is None:
            continue
        if expected is None:
            expected, first = x.dtype, f" as {_described(x)}"
        elif x.dtype is not expected:
            raise ValueError(f"{_described(x)}, type={x.dtype!r}, must be of the same type ({expected!r}){first}.")
    if expected is not None and not expected.is_floating:
        raise ValueError(f"Expected floating point type, got {expected!r}.")
    return expected or float32


def _described(x) -> str:
    return getattr(x, "name", None) or (f"tensor ({shape_and_dtype(x)})" if in_program(x) else str(x))


@export("debugging.assert_proper_iterable")
def assert_proper_iterable(values) -> None:
    """Fails unless a value is an iterable such as a list of tensors (tf.debugging.assert_proper_iterable).

    Args:
        values: anything. Tensors, arrays and strings, which can be iterated over too, do not count.

    Raises:
        TypeError: it is none.
    """
    if isinstance(values, (TensorProtocol, SparseTensor, np.ndarray, str, bytes)):
        raise TypeError(f'Expected argument "values" to be a "proper" iterable.  Found: {type(values)}')
    if not hasattr(values, "__iter__"):
        raise TypeError(f'Expected argument "values" to be iterable.  Found: {type(values)}')


@export("debugging.is_numeric_tensor")
def is_numeric_tensor(tensor) -> bool:
    """Whether a value is a tensor of numbers (tf.debugging.is_numeric_tensor): of any dtype but bool.

    Args:
        tensor: anything.
    """
    return isinstance(tensor, TensorProtocol) and tensor.dtype in NUMERIC
