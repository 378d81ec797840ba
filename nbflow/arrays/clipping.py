"""Clipping by value and by norm, sums of lists of tensors."""

from collections.abc import Sequence

import numpy as np

from nbflow.dtypes import as_dtype
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import axes_of, cast, export
from nbflow.shapes import TensorShape, could_be_equal, normalize_axes
from nbflow.tensor.indexed_slices import IndexedSlices
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument, to_tensor


def _values(op: str, t, name: str = "t"):
    """The numbers of a tensor or of IndexedSlices."""
    return argument(op, name, t.values if isinstance(t, IndexedSlices) else t)


def _like(t, values):
    """values in the form of t."""
    return IndexedSlices(values, t.indices, t.dense_shape) if isinstance(t, IndexedSlices) else values


@export("clip_by_value")
def clip_by_value(t, clip_value_min, clip_value_max, name=None):
    """The elements, but not below a least and not above a greatest value (tf.clip_by_value).

    Args:
        t: a tensor or IndexedSlices.
        clip_value_min, clip_value_max: tensors that broadcast to the shape of t.

    Raises:
        InvalidArgumentError: they do not.
    """
    x = _values("clip_by_value", t)
    low = argument("clip_by_value", "clip_value_min", clip_value_min, x.dtype)
    high = argument("clip_by_value", "clip_value_max", clip_value_max, x.dtype)
    for argument_name, value in (("clip_value_min", low), ("clip_value_max", high)):
        if value.dtype is not x.dtype:
            error = InvalidArgumentError if isinstance(value, TensorProtocol) else TypeError
            given = clip_value_min if value is low else clip_value_max
            raise (error if isinstance(given, TensorProtocol) else TypeError)(
                f"clip_by_value: t is {x.dtype.name} and {argument_name} is {value.dtype.name}; use nf.cast"
            )
    return _like(t, TABLE["clip_by_value"](x, low, high))


@export("clip_by_norm")
def clip_by_norm(t, clip_norm, axes=None, name=None):
    """The tensor scaled so that its norm is at most clip_norm (tf.clip_by_norm).

    Args:
        t: a floating point tensor or IndexedSlices.
        clip_norm: the greatest norm, a scalar; below 0 it counts as 0.
        axes: the axes that the norm is taken over; all by default.
    """
    x = _values("clip_by_norm", t)
    if np.isscalar(clip_norm):
        limit = max(clip_norm, 0)
    else:
        limit = cast(TABLE["maximum"](argument("clip_by_norm", "clip_norm", clip_norm), 0), x.dtype)
    over = normalize_axes("clip_by_norm", axes_of(axes), x.ndim)
    total = TABLE["reduce_sum"](x * x, axis=over, keepdims=True)
    some = total > 0
    norm = TABLE["select"](some, TABLE["sqrt"](TABLE["select"](some, total, TABLE["ones_like"](total))), total)
    scaled = x * limit
    if not could_be_equal(scaled.nbflow_shape, x.nbflow_shape):
        raise ValueError(f"clip_by_norm: clip_norm does not broadcast to the shape of t, {x.shape}")
    return _like(t, TABLE["identity"](scaled / TABLE["maximum"](norm, limit)))


def _tensors(op: str, t_list) -> list:
    if not isinstance(t_list, Sequence) or isinstance(t_list, str):
        raise TypeError(f"{op}: t_list is a {type(t_list).__name__}; it takes a list of tensors")
    return [None if t is None else _values(op, t, f"t_list[{k}]") for k, t in enumerate(t_list)]


@export("linalg.global_norm")
def global_norm(t_list, name=None):
    """The norm of several tensors as of one, √Σ t² (tf.linalg.global_norm).

    Args:
        t_list: a list of floating point tensors, IndexedSlices and None, which counts nothing.

    Returns:
        A scalar.

    Raises:
        TypeError: t_list is no list.
    """
    halves = [TABLE["l2_loss"](t) for t in _tensors("global_norm", t_list) if t is not None]
    total = TABLE["add_n"](*halves) if halves else to_tensor(0.0)
    return TABLE["sqrt"](total * 2)


@export("clip_by_global_norm")
def clip_by_global_norm(t_list, clip_norm, use_norm=None, name=None):
    """Several tensors scaled so that their norm, as of one, is at most clip_norm (tf.clip_by_global_norm).

    Args:
        t_list: a list of floating point tensors, IndexedSlices and None, which stays.
        clip_norm: the greatest norm, a scalar.
        use_norm: the norm of the tensors, if it is known.

    Returns:
        (the list of scaled tensors, the norm before). An infinite norm makes all elements NaN.

    Raises:
        TypeError: t_list is no list.
    """
    tensors = _tensors("clip_by_global_norm", t_list)
    norm = global_norm(t_list) if use_norm is None else argument("clip_by_global_norm", "use_norm", use_norm)
    limit = argument("clip_by_global_norm", "clip_norm", clip_norm, norm.dtype)
    one = TABLE["ones_like"](norm)
    scale = limit * TABLE["minimum"](one / norm, one / limit) + (norm - norm)
    clipped = [
        t if x is None else _like(t, TABLE["identity"](x * cast(scale, x.dtype)))
        for t, x in zip(t_list, tensors, strict=True)
    ]
    return clipped, norm


def _sum(op: str, inputs):
    inputs = [inputs] if isinstance(inputs, IndexedSlices) else list(inputs)
    if not inputs:
        raise ValueError(f"{op}: inputs is empty; it takes one or more tensors")
    hint = next((v.dtype for v in inputs if isinstance(v, TensorProtocol)), None)
    tensors = [argument(op, f"inputs[{k}]", v, hint) for k, v in enumerate(inputs)]
    first = tensors[0]
    for k, t in enumerate(tensors):
        if t.dtype is not first.dtype or not could_be_equal(t.nbflow_shape, first.nbflow_shape):
            raise InvalidArgumentError(
                f"{op}: inputs[0] is {first.dtype.name} {first.shape} and inputs[{k}] is {t.dtype.name} {t.shape}; all "
                f"must be alike"
            )
    if first.dtype.is_bool:
        raise InvalidArgumentError(f"{op}: inputs are bool; it takes numbers")
    return tensors[0] if len(tensors) == 1 else TABLE["add_n"](*tensors)


@export("math.add_n", "add_n")
def add_n(inputs, name=None):
    """The sum of several tensors of one shape (tf.math.add_n).

    Args:
        inputs: a list of tensors or IndexedSlices.

    Raises:
        ValueError: the list is empty.
        InvalidArgumentError: shapes or dtypes differ.
    """
    return _sum("add_n", inputs)


@export("math.accumulate_n")
def accumulate_n(inputs, shape=None, tensor_dtype=None, name=None):
    """The sum of several tensors of one shape (tf.math.accumulate_n).

    Args:
        inputs: a list of tensors.
        shape, tensor_dtype: what they must have, by default what the first has.

    Raises:
        ValueError: the list is empty, or shapes or dtypes differ.
    """
    total = _sum("accumulate_n", inputs)
    if shape is not None and not TensorShape(shape).is_compatible_with(total.shape):
        raise ValueError(f"accumulate_n: inputs have shape {total.shape}, not {TensorShape(shape)}")
    if tensor_dtype is not None and total.dtype is not as_dtype(tensor_dtype):
        raise TypeError(f"accumulate_n: inputs are {total.dtype.name}, not {as_dtype(tensor_dtype).name}")
    return total
