"""Python's indexing forms as ops: x[1], x[2:5], x[::-1], x[..., None], x[i] with a tensor i."""

import operator

import numpy as np

from nbflow.dtypes import int16, int32, int64
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.shapes import Dim, TensorShape, dim_max, dim_min


def normalize(key, shape: tuple, is_tensor) -> tuple[tuple, tuple, tuple, tuple, dict]:
    """What an index asks for.

    Args:
        key: what stands between the brackets.
        shape: of the tensor.
        is_tensor: whether an object is a tensor (a traced index is gathered).

    Returns:
        begin, step and size along each axis; the shape of the result, with new axes in and indexed ones out; and
        {axis: tensor} for axes indexed by a tensor.

    Raises:
        InvalidArgumentError: an index is out of range.
        TypeError: an index is of a kind that is not supported.
    """
    keys = tuple(key) if isinstance(key, (tuple, list)) else (key,)
    used = sum(1 for k in keys if k is not None and k is not Ellipsis)
    if sum(1 for k in keys if k is Ellipsis) > 1:
        raise InvalidArgumentError("slice index: more than one Ellipsis ('...')")
    if used > len(shape):
        raise InvalidArgumentError(f"slice index: {used} indices for a tensor of shape {TensorShape(shape)}")
    if not any(k is Ellipsis for k in keys):
        keys = (*keys, Ellipsis)
    begin: list = []
    step: list[int] = []
    size: list = []
    result: list = []
    gathered: dict = {}
    for k in keys:
        axis = len(begin)
        if k is Ellipsis:
            for n in shape[axis : axis + len(shape) - used]:
                begin.append(0)
                step.append(1)
                size.append(n)
                result.append(n)
        elif k is None:
            result.append(1)
        elif isinstance(k, slice):
            b, s, n = _slice(k, shape[axis], axis)
            begin.append(b)
            step.append(s)
            size.append(n)
            result.append(n)
        elif is_tensor(k) and (k.shape.rank != 0 or k.dtype not in (int16, int32, int64)):
            raise TypeError(
                f"slice index: a tensor of shape {k.shape} and dtype {k.dtype.name} is no index; indices are integers, "
                f"slices (':'), Ellipsis ('...'), None (a new axis), scalar integer tensors and one bool tensor; "
                f"nf.gather picks elements by number"
            )
        elif is_tensor(k) and static(k) is None:
            begin.append(0)
            step.append(1)
            size.append(shape[axis])
            gathered[axis] = k.nbflow_tensor()
        else:
            begin.append(_index(static(k), shape[axis], axis))
            step.append(1)
            size.append(1)
    return tuple(begin), tuple(step), tuple(size), tuple(result), gathered


def static(value):
    """What a tensor stands for while tracing, if that is known: a size or number; None if not. Others as they are."""
    tensor = getattr(value, "nbflow_tensor", None)
    tensor = value if tensor is None else tensor()
    return tensor.nbflow_static if hasattr(type(tensor), "nbflow_static") else tensor


def _index(k, n, axis: int):
    if isinstance(k, (bool, np.bool_)):
        raise InvalidDTypeError("slice index: a bool is no index; use nf.boolean_mask")
    if isinstance(k, Dim):
        return k
    try:
        index = operator.index(k)
    except TypeError:
        raise TypeError(
            f"slice index: {k!r} is a {type(k).__name__}; indices are integers, slices (':'), Ellipsis ('...'), None "
            f"(a new axis) and scalar integer tensors"
        ) from None
    if isinstance(n, Dim):
        return index if index >= 0 else n + index
    if not -n <= index < n:
        raise InvalidArgumentError(f"slice index {index} of axis {axis} is out of bounds for size {n}")
    return index % n


def _slice(k: slice, n, axis: int) -> tuple:
    start, stop = (_bound(e, n, axis) for e in (k.start, k.stop))
    step = _bound(k.step, None, axis)
    if step == 0:
        raise InvalidArgumentError(f"slice index: the step of axis {axis} is 0")
    if any(isinstance(e, Dim) for e in (start, stop, n)):
        return _symbolic_slice(start, stop, step or 1, n, axis)
    b, e, s = slice(start, stop, step).indices(n)
    return b, s, len(range(b, e, s))


def _bound(value, n, axis: int):
    """An end of a slice of an axis of size n, or (n = None) its step, as an int, a Dim or None."""
    known = static(value)
    if known is None and value is not None:  # a tensor of the trace, which only values decide
        if n is None:
            raise InvalidArgumentError(f"slice index: the step of axis {axis} is a tensor of the trace; use an integer")
        end = _from_start(value.nbflow_tensor(), n)
        return TABLE["counting"](TABLE["maximum"](end, 0)).nbflow_shape[0]
    if known is None or isinstance(known, Dim):
        return known
    try:
        return operator.index(known)
    except TypeError:
        raise TypeError(
            f"slice index: the bound {value!r} of axis {axis} is a {type(value).__name__}; it takes integers"
        ) from None


def _symbolic_slice(start, stop, step, n, axis: int) -> tuple:
    """A slice of an axis whose size, or whose ends, are not known while tracing; Dims count as not negative."""
    if isinstance(step, Dim):
        raise InvalidArgumentError(f"slice index: the step of axis {axis} is not known while tracing; use an integer")
    if step < 0:
        first, last = (v if v is None or isinstance(v, Dim) or v >= 0 else dim_max(n + v, -1) for v in (start, stop))
        begin = n - 1 if first is None else dim_min(first, n - 1)
        size = begin + 1 if last is None else dim_max(begin - last, 0)
        return begin, step, size if step == -1 else (size - step - 1) // -step
    begin = 0 if start is None else start if isinstance(start, Dim) or start >= 0 else dim_max(n + start, 0)
    from_start = isinstance(stop, Dim) or stop is None or stop >= 0
    end = n if stop is None else dim_min(stop, n) if from_start else n + stop
    if begin == 0 and from_start:
        size = end
    elif stop is None and isinstance(start, int) and start < 0:
        size = dim_min(-start, n)
    else:
        size = dim_max(end - begin, 0)
    return begin, step, size if step == 1 else (size + (step - 1)) // step


def as_tensor(n, like):
    """A size as a number beside a scalar tensor: the number, or where it is a Dim a tensor."""
    if not isinstance(n, Dim):
        return n
    return TABLE["reshape"](TABLE[f"shape_{like.dtype.name}"](TABLE["broadcast_to"](like, shape=(n,))), shape=())


def _from_start(index, n):
    """A traced index into an axis of size n, counted from the start where it is negative."""
    if index.dtype.size < 4:
        index = TABLE["cast"](index, dtype=int32)
    return TABLE["select"](index < 0, index + as_tensor(n, index), index)


def get_item(tensor, key, is_tensor):
    """tensor[key]."""
    shape = tuple(tensor.nbflow_shape)
    begin, step, size, result, gathered = normalize(key, shape, is_tensor)
    x = tensor
    if any(b != 0 for b in begin) or any(s != 1 for s in step) or size != shape:
        x = TABLE["strided_slice"](x, begin=begin, step=step, shape=size)
    if gathered:  # the gradient is dense, as that of any other index, and not the IndexedSlices of a gather
        x = TABLE["reshape"](x, shape=tuple(x.nbflow_shape))
    for axis, index in gathered.items():
        x = TABLE["gather"](x, TABLE["reshape"](_from_start(index, tensor.nbflow_shape[axis]), shape=(1,)), axis=axis)
    return x if result == tuple(x.nbflow_shape) else TABLE["reshape"](x, shape=result)
