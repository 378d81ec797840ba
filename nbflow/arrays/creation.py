"""Making tensors."""

import builtins
import math

import numpy as np

from nbflow.dtypes import as_dtype, bfloat16, bool_, float16, float32, float64, int32, int64, string
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import alike, cast, export, fixed, number, shape_argument, size_of
from nbflow.shapes import Dim, broadcast, dim_max, normalize_axis
from nbflow.tensor import tensor as tensors
from nbflow.tensor.indexing import as_tensor, static
from nbflow.tensor.string_tensor import holds_text, string_tensor
from nbflow.tensor.tensor import argument, to_tensor

count = builtins.range  # Python's own: `range` below is TensorFlow's


@export("convert_to_tensor")
def convert_to_tensor(value, dtype=None, dtype_hint=None, name=None):
    """value as a tensor (tf.convert_to_tensor).

    Args:
        value: a tensor, Variable, NumPy array, number, string, or nested list of them.
        dtype: of the result; by default float32 for Python floats, int32 for ints, NumPy's own for arrays.
        dtype_hint: a dtype to use if value converts to it.

    Returns:
        A Tensor.

    Raises:
        TypeError, ValueError: value does not convert, or not to dtype.
    """
    dtype = None if dtype is None else as_dtype(dtype)
    if dtype is string or (dtype is None and holds_text(value)):
        return string_tensor(value)
    return to_tensor(value, dtype, None if dtype_hint is None else as_dtype(dtype_hint))


@export("constant")
def constant(value, dtype=None, shape=None, name="Const"):
    """A tensor of given values (tf.constant).

    Args:
        value: a number, string, array or nested list.
        dtype: of the result.
        shape: of the result; a single value is repeated, others are reshaped.

    Returns:
        A Tensor.

    Example:
        >>> import nbflow as nf
        >>> nf.constant([[1, 2], [3, 4]])
        <nf.Tensor: shape=(2, 2), dtype=int32, numpy=
        array([[1, 2],
               [3, 4]], dtype=int32)>
    """
    tensor = convert_to_tensor(value, dtype)
    if shape is None:
        return tensor
    shape = shape_argument("constant", shape)
    given, wanted = math.prod(tensor.shape), math.prod(shape)
    if given == 1 and wanted != 1:
        return TABLE["broadcast_to"](TABLE["reshape"](tensor, shape=()), shape=shape)
    if given != wanted:
        raise TypeError(f"constant: value has {given} elements and shape {tuple(shape)} takes {wanted}")
    return TABLE["reshape"](tensor, shape=shape)


@export("fill")
def fill(dims, value, name=None, layout=None):
    """A tensor with one value everywhere (tf.fill).

    Args:
        dims: the shape.
        value: a number or scalar tensor.
    """
    value = argument("fill", "value", value)
    if value.nbflow_shape == (1,):
        value = TABLE["reshape"](value, shape=())
    if value.ndim:
        raise InvalidArgumentError(f"fill: value has shape {value.shape}; it takes a scalar")
    return TABLE["broadcast_to"](value, shape=shape_argument("fill", dims, "dims"))


@export("zeros")
def zeros(shape, dtype=float32, name=None, layout=None):
    """A tensor of zeros (tf.zeros)."""
    return _filled("zeros", shape, dtype, 0)


@export("ones")
def ones(shape, dtype=float32, name=None, layout=None):
    """A tensor of ones (tf.ones)."""
    return _filled("ones", shape, dtype, 1)


def _filled(op: str, shape, dtype, value):
    scalar = tensors.from_numpy(np.asarray(value, as_dtype(dtype).np))
    return TABLE["broadcast_to"](scalar, shape=shape_argument(op, shape))


@export("zeros_like")
def zeros_like(input, dtype=None, name=None, layout=None):
    """Zeros with the shape of input (tf.zeros_like)."""
    return _like("zeros_like", input, dtype)


@export("ones_like")
def ones_like(input, dtype=None, name=None, layout=None):
    """Ones with the shape of input (tf.ones_like)."""
    return _like("ones_like", input, dtype)


def _like(op: str, value, dtype):
    value = argument(op, "input", value)
    if value.dtype is bool_ or dtype is not None:
        value = cast(value, value.dtype if dtype is None else dtype)
    return TABLE[op](value)


@export("eye", "linalg.eye")
def eye(num_rows, num_columns=None, batch_shape=None, dtype=float32, name=None):
    """Matrices with ones on the diagonal and zeros elsewhere (tf.eye).

    Args:
        num_rows, num_columns: the size; square without num_columns.
        batch_shape: leading axes along which the matrix repeats.
    """
    columns = num_rows if num_columns is None else num_columns
    num_rows, columns = shape_argument("eye", (num_rows, columns), "num_rows or num_columns")
    if isinstance(num_rows, Dim) or isinstance(columns, Dim):
        zero = to_tensor(0)
        rows, across = (TABLE["range"](zero, zero + 1, size=n) for n in (num_rows, columns))
        matrix = cast(TABLE["equal"](TABLE["reshape"](rows, shape=(num_rows, 1)), across), dtype)
    else:
        matrix = tensors.from_numpy(np.eye(num_rows, columns, dtype=as_dtype(dtype).np), copy=False)
    shape = (*shape_argument("eye", [] if batch_shape is None else batch_shape, "batch_shape"), num_rows, columns)
    return TABLE["broadcast_to"](matrix, shape=tuple(shape))


@export("range")
def range(start, limit=None, delta=1, dtype=None, name="range"):
    """Evenly spaced numbers [start, start + delta, …) below limit (tf.range).

    Args:
        start: the first number; with one argument the limit, and counting starts at 0.
        limit: the end, not included.
        delta: the step, not 0.
        dtype: of the result; by default that of the arguments.

    Raises:
        InvalidArgumentError: delta is 0, or limit lies on the wrong side of start.
    """
    if limit is None:
        start, limit = 0, start
    if dtype is None:
        kinds = [argument("range", "start, limit or delta", v).dtype for v in (start, limit, delta)]
        order = (int32, int64, float16, bfloat16, float32, float64)
        dtype = max(kinds, key=lambda kind: order.index(kind) if kind in order else -1)
    else:
        start, limit, delta = (
            fixed("range", "start, limit or delta", v, as_dtype(dtype)) for v in (start, limit, delta)
        )
    dtype = as_dtype(dtype)
    values = [_range_number(v) for v in (start, limit, delta)]
    if any(v is None for v in values):
        return _traced_range(start, limit, delta, dtype)
    if any(isinstance(v, Dim) for v in values):
        if isinstance(values[0], Dim) or isinstance(values[2], Dim) or not dtype.is_integer or values[2] < 1:
            return _traced_range(start, limit, delta, dtype)
        return _symbolic_range(*values, dtype)
    first, last, step = (dtype.np.type(v) for v in values)
    if step == 0:
        raise InvalidArgumentError("range: delta is 0; it takes a step that is not 0")
    if (last - first) * np.sign(step) < 0:
        raise InvalidArgumentError(f"range: start {first}, limit {last} and delta {step} go in opposite directions")
    steps = (float(last) - float(first)) / float(step)
    if not math.isfinite(steps):
        raise InvalidArgumentError(f"range: start {first}, limit {last} and delta {step} are infinitely many numbers")
    size = max(0, math.ceil(steps))
    if dtype.is_integer:
        size = len(count(int(first), int(last), int(step)))
    return TABLE["range"](to_tensor(first), to_tensor(step), size=size)


def _range_number(value):
    """A Python number, a size that is not known while tracing, or None for a tensor of the trace."""
    found = number(static(argument("range", "start, limit or delta", value)))
    return found[0] if isinstance(found, np.ndarray) and found.shape == (1,) else found


def _traced_range(start, limit, delta, dtype):
    """A range with a tensor of the trace among its ends, so that only values decide its size."""
    wide = int64 if dtype.is_integer else float64
    first, last, step = (cast(argument("range", "start, limit or delta", v), dtype) for v in (start, limit, delta))
    distance, width = cast(last, wide) - cast(first, wide), cast(step, wide)
    if dtype.is_integer:
        count = -TABLE["floor_div"](-distance, width)
    else:
        count = cast(TABLE["ceil"](distance / width), int64)
    return TABLE["range"](first, step, size=size_of("range", "the size", TABLE["maximum"](count, 0)))


def _symbolic_range(first, last, step, dtype):
    """A range with a size of a tensor among its ends."""
    size = dim_max(last - first, 0)
    return TABLE["range"](
        to_tensor(dtype.np.type(first)),
        to_tensor(dtype.np.type(step)),
        size=size if step == 1 else (size + (step - 1)) // step,
    )


@export("linspace")
def linspace(start, stop, num, name=None, axis=0):
    """num evenly spaced numbers from start to stop, both included (tf.linspace).

    Args:
        start, stop: tensors of one dtype whose shapes broadcast. Of integers the result is float64, of those of 8 and
            16 bits float32.
        num: how many; a scalar tensor may say it.
        axis: where the new axis goes.

    Returns:
        A tensor of the shape of start and stop with an axis of size num.

    Raises:
        InvalidArgumentError: num is negative or no integer, shapes do not broadcast, or axis is out of range.
    """
    start = argument("linspace", "start", start)
    stop = alike("linspace", "stop", stop, start.dtype)
    if start.dtype.is_integer:
        wide = float32 if start.dtype.size < 4 else float64
        start, stop = cast(start, wide), cast(stop, wide)
    num = size_of("linspace", "num", num[0] if isinstance(num, (list, tuple)) and len(num) == 1 else num)
    shape = broadcast("linspace", start.nbflow_shape, stop.nbflow_shape)
    at = normalize_axis("linspace", axis, len(shape) + 1)
    start, stop = (TABLE["reshape"](_stretched(v, shape), shape=(*shape[:at], 1, *shape[at:])) for v in (start, stop))
    if isinstance(num, Dim):
        return _open_linspace(start, stop, num, len(shape) - at)
    if num == 0:
        return TABLE["fill_like"](start, shape=(*shape[:at], 0, *shape[at:]), value=0)
    if num == 1:
        return start
    one = to_tensor(np.ones((), start.dtype.np))
    counting = TABLE["reshape"](TABLE["range"](one, one, size=num - 2), shape=(num - 2, *(1,) * (len(shape) - at)))
    step = (stop - start) / (num - 1)
    return TABLE["concat"](start, start + step * counting, stop, axis=at)


def _open_linspace(start, stop, num: Dim, rank: int):
    """linspace of as many numbers as only values decide, where `rank` axes follow the new one."""
    zero = to_tensor(0)
    at = TABLE["reshape"](TABLE["range"](zero, zero + 1, size=num), shape=(num, *(1,) * rank))
    last = as_tensor(num, zero) - 1
    step = (stop - start) / cast(TABLE["maximum"](last, 1), start.dtype)
    inside = TABLE["select"](at < last, start + step * cast(at, start.dtype), stop)
    return TABLE["select"](TABLE["equal"](at, 0), start, inside)


def _stretched(x, shape: tuple):
    return x if x.nbflow_shape == shape else TABLE["broadcast_to"](x, shape=shape)
