"""Parts of tensors: slices, splits, indices, shapes."""

from typing import Any

import numpy as np

from nbflow.dtypes import as_dtype, int32, int64, require
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, number, shape_argument, sizes
from nbflow.shapes import Dim, TensorShape, broadcast, normalize_axis
from nbflow.tensor.indexing import static
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import busy
from nbflow.tensor.tensor import argument, to_tensor

_slice = slice  # Python's own: `slice` below is TensorFlow's


def _numbers(value) -> list:
    """A vector argument as a list, of tensors where a trace does not know the numbers."""
    if isinstance(value, TensorProtocol):
        known = static(value)
        if known is None:
            return [value[k] for k in range(value.shape[0])]
        value = known.numpy().tolist() if isinstance(known, TensorProtocol) else known
    return [value] if isinstance(value, (int, np.integer, Dim)) else list(value)


def _known(value):
    """A number, a Dim, or None for a tensor of the trace."""
    found = static(value)
    return number(found) if isinstance(found, TensorProtocol) else found


@export("slice")
def slice(input_, begin, size, name=None):
    """A part of a tensor (tf.slice).

    Args:
        input_: a tensor.
        begin: for each axis where the part starts; in a trace it may be a tensor.
        size: for each axis how many elements; -1 for all that follow.

    Raises:
        InvalidArgumentError: the part does not lie in the tensor.
    """
    x = argument("slice", "input_", input_)
    for name_, value in (("begin", begin), ("size", size)):
        if isinstance(value, (int, float, np.number)):
            raise InvalidArgumentError(f"slice: {name_} is {value!r}; it takes a list of integers")
    starts, counts = _numbers(begin), _numbers(size)
    if len(starts) != x.ndim or len(counts) != x.ndim:
        raise InvalidArgumentError(f"slice: begin {starts} and size {counts} for an input of shape {x.shape}")
    known, shape, moved = [], [], []
    for axis, (start, count, n) in enumerate(zip(starts, counts, x.nbflow_shape, strict=True)):
        at = _known(start)
        (length,) = sizes((count,))
        if at is None:  # only values decide
            if isinstance(length, int) and length == -1:
                (at,) = sizes((start,))
            else:
                moved.append((axis, start, length))
                at, length = 0, n
        length = n - at if isinstance(length, int) and length == -1 else length
        if all(isinstance(v, (int, np.integer)) for v in (at, length, n)) and not (
            0 <= at <= n and 0 <= length <= n - at
        ):
            raise InvalidArgumentError(
                f"slice: begin {at} and size {length} of axis {axis} for input of shape {x.shape}"
            )
        known.append(at)
        shape.append(length)
    if tuple(shape) != tuple(x.nbflow_shape) or any(isinstance(b, Dim) or b for b in known):
        x = TABLE["strided_slice"](x, begin=tuple(known), step=(1,) * x.ndim, shape=tuple(shape))
    for axis, start, length in moved:
        start = start if start.dtype in (int32, int64) else cast(start, int32)
        x = TABLE["gather"](x, TABLE["range"](start, start * 0 + 1, size=length), axis=axis)
    return x


@export("strided_slice")
def strided_slice(
    input_,
    begin,
    end,
    strides=None,
    begin_mask=0,
    end_mask=0,
    ellipsis_mask=0,
    new_axis_mask=0,
    shrink_axis_mask=0,
    var=None,
    name=None,
):
    """A part of a tensor as Python's slices say it (tf.strided_slice).

    Args:
        input_: a tensor.
        begin, end, strides: for each axis the ends and the step of the slice; steps are 1 by default.
        begin_mask, end_mask: numbers whose bit i says to leave out begin[i] or end[i].
        ellipsis_mask, new_axis_mask: bit i says that entry i is `...` or a new axis.
        shrink_axis_mask: bit i says that entry i is the one index begin[i].

    Raises:
        ValueError: more than one `...`.
        InvalidArgumentError: an index is out of range, or a step is 0.
    """
    x = argument("strided_slice", "input_", input_)
    begins, ends = _numbers(begin), _numbers(end)
    steps = [1] * len(begins) if strides is None else _numbers(strides)
    if not len(begins) == len(ends) == len(steps):
        raise InvalidArgumentError(f"strided_slice: begin {begins}, end {ends} and strides {steps} differ in length")
    if ellipsis_mask & (ellipsis_mask - 1):
        raise ValueError("strided_slice: ellipsis_mask has more than one bit")
    keys: list = []
    for i, (low, high, step) in enumerate(zip(begins, ends, steps, strict=True)):
        bit = 1 << i
        if ellipsis_mask & bit:
            keys.append(Ellipsis)
        elif new_axis_mask & bit:
            keys.append(None)
        elif shrink_axis_mask & bit:
            if isinstance(step, (int, np.integer)) and step <= 0:
                raise InvalidArgumentError(f"strided_slice: the step {step} of the one index {low}; it takes 1")
            keys.append(low)
        else:
            keys.append(_slice(None if begin_mask & bit else low, None if end_mask & bit else high, step))
    return x[tuple(keys)]


def _split(x, lengths: list, axis: int) -> list:
    """The parts of given lengths along an axis: views, with a gradient rule of their own where tapes want it."""
    if len(lengths) > 1 and busy.count:
        return list(TABLE["split"](x, sizes=tuple(lengths), axis=axis))
    parts, at = [], 0
    for size in lengths:
        begin = tuple(at if d == axis else 0 for d in range(x.ndim))
        shape = tuple(size if d == axis else n for d, n in enumerate(x.nbflow_shape))
        parts.append(TABLE["strided_slice"](x, begin=begin, step=(1,) * x.ndim, shape=shape))
        at = at + size
    return parts


@export("split")
def split(value, num_or_size_splits, axis=0, num=None, name="split"):
    """The parts of a tensor along an axis (tf.split).

    Args:
        value: a tensor.
        num_or_size_splits: how many equal parts, or the size of each; one size may be -1, what the others leave.
        axis: the axis.
        num: how many sizes there are, where that is not known.

    Returns:
        A list of tensors.

    Raises:
        InvalidArgumentError: the axis does not split into such parts.
    """
    x = argument("split", "value", value)
    if isinstance(num_or_size_splits, TensorProtocol) and num_or_size_splits.ndim == 0:
        raise ValueError("split: num_or_size_splits is a scalar tensor; it takes an int, or a vector of sizes")
    axis = normalize_axis("split", number(axis), x.ndim)
    n = x.nbflow_shape[axis]
    if isinstance(num_or_size_splits, (int, np.integer)):
        count = int(num_or_size_splits)
        if count < 1 or (isinstance(n, int) and n % count):
            raise InvalidArgumentError(f"split: axis {axis} of shape {x.shape} does not split into {count} equal parts")
        if isinstance(n, Dim):  # reshape checks, once it is known, that it splits
            shape = x.nbflow_shape
            x = TABLE["reshape"](x, shape=(*shape[:axis], count, n // count, *shape[axis + 1 :]))
            shape = (*shape[:axis], n // count, *shape[axis + 1 :])
            return [TABLE["reshape"](part, shape=shape) for part in _split(x, [1] * count, axis)]
        return _split(x, [n // count] * count, axis)
    lengths = list(sizes(num_or_size_splits))
    if num is not None and num != len(lengths):
        raise InvalidArgumentError(f"split: num is {num}, and there are {len(lengths)} sizes")
    open_ = sum(isinstance(s, int) and s == -1 for s in lengths)
    if open_ > 1:
        raise InvalidArgumentError(f"split: sizes {lengths} have more than one -1")
    if open_:
        rest = n - sum(s for s in lengths if not (isinstance(s, int) and s == -1))
        lengths = [rest if isinstance(s, int) and s == -1 else s for s in lengths]
    known = all(isinstance(s, int) for s in (*lengths, n))
    if known and (sum(lengths) != n or min(lengths, default=0) < 0):
        raise InvalidArgumentError(f"split: sizes {lengths} do not add up to axis {axis} of shape {x.shape}")
    return _split(x, lengths, axis)


@export("unstack")
def unstack(value, num=None, axis=0, name="unstack"):
    """The slices of a tensor along an axis, without it (tf.unstack).

    Args:
        value: a tensor of one or more axes.
        num: how many there are, by default the size of the axis.
        axis: the axis.

    Returns:
        A list of tensors.

    Raises:
        InvalidArgumentError: num is not the size of the axis.
        ValueError: the axis is out of range, or its size is not known.
    """
    x = argument("unstack", "value", value)
    try:
        at = normalize_axis("unstack", axis, x.ndim)
    except InvalidArgumentError as error:
        raise ValueError(str(error)) from None
    n = x.nbflow_shape[at]
    if num is None and isinstance(n, Dim):
        raise ValueError(f"unstack: the size of axis {at} is not known while tracing; give num")
    if num is not None and isinstance(n, int) and num != n:
        raise InvalidArgumentError(f"unstack: num is {num}, and axis {at} of value has size {n}")
    shape = (*x.nbflow_shape[:at], *x.nbflow_shape[at + 1 :])
    return [TABLE["reshape"](part, shape=shape) for part in _split(x, [1] * (n if num is None else num), at)]


@export("unravel_index")
def unravel_index(indices, dims, name=None):
    """Numbers of elements, counted in the order of memory, as indices (tf.unravel_index).

    Args:
        indices: a scalar or vector, int32 or int64.
        dims: the shape of the tensor whose elements they count.

    Returns:
        A tensor of shape [len(dims)] + indices.shape.

    Raises:
        InvalidArgumentError: an index is out of range.
    """
    indices = argument("unravel_index", "indices", indices)
    return TABLE["unravel_index"](indices, argument("unravel_index", "dims", dims, indices.dtype))


@export("broadcast_static_shape")
def broadcast_static_shape(shape_x, shape_y):
    """The TensorShape that two shapes broadcast to (tf.broadcast_static_shape).

    Raises:
        ValueError: they do not.
    """
    return TensorShape(broadcast("broadcast_static_shape", tuple(TensorShape(shape_x)), tuple(TensorShape(shape_y))))


@export("broadcast_dynamic_shape")
def broadcast_dynamic_shape(shape_x, shape_y):
    """The shape that two shapes broadcast to, as a tensor (tf.broadcast_dynamic_shape).

    Raises:
        InvalidArgumentError: they do not.
    """
    hints = [s.dtype for s in (shape_x, shape_y) if isinstance(s, TensorProtocol)]
    shapes = (shape_argument("broadcast_dynamic_shape", s) for s in (shape_x, shape_y))
    found = broadcast("broadcast_dynamic_shape", *shapes)
    dtype = (hints or [int32])[0]
    if any(isinstance(n, Dim) for n in found):
        return TABLE[f"shape_{dtype.name}"](TABLE["broadcast_to"](to_tensor(0), shape=found))
    return to_tensor(np.array(found, dtype.np))


@export("ensure_shape")
def ensure_shape(x, shape, name=None):
    """The tensor itself, which must have a shape (tf.ensure_shape).

    Args:
        x: a tensor.
        shape: sizes, None where any will do.

    Raises:
        InvalidArgumentError: it has another shape.
    """
    x, wanted = argument("ensure_shape", "x", x), shape if isinstance(shape, TensorShape) else TensorShape(shape)
    if not wanted.is_compatible_with(x.shape):
        raise InvalidArgumentError(f"ensure_shape: x has shape {x.shape}, which is not compatible with {wanted}")
    if x.shape.unknown_rank:
        x.set_shape(wanted)
        return x
    if wanted.unknown_rank:
        return TABLE["identity"](x)
    sizes = tuple(n if m is None else m for n, m in zip(x.nbflow_shape, wanted, strict=True))
    return TABLE["ensure_shape"](x, shape=sizes)


@export("shape_n")
def shape_n(input, out_type=int32, name=None):
    """The shapes of several tensors (tf.shape_n).

    Args:
        input: a list of tensors.
        out_type: int32 or int64.

    Returns:
        A list of vectors.
    """
    out_type = as_dtype(out_type)
    require("shape_n", "out_type", out_type, (int32, int64))
    return [TABLE[f"shape_{out_type.name}"](argument("shape_n", f"input[{k}]", x)) for k, x in enumerate(input)]


@export("identity_n")
def identity_n(input, name=None):
    """The same tensors, as new ones (tf.identity_n)."""
    return [TABLE["identity"](argument("identity_n", f"input[{k}]", x)) for k, x in enumerate(input)]


@export("guarantee_const")
def guarantee_const(input, name=None):
    """The same tensor (tf.guarantee_const): a promise that TensorFlow uses and nbflow does not need."""
    return TABLE["identity"](argument("guarantee_const", "input", input))


def elements(shape: tuple):
    """How many elements a shape has, which may be a Dim."""
    total: Any = 1
    for size in shape:
        total = total * size
    return total
