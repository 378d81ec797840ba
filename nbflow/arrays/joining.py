"""Joining tensors and picking parts of them."""

import numpy as np

from nbflow.arrays.scattering import points
from nbflow.dtypes import as_dtype, bool_, float32, int8, int32, int64, require, uint8
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import alike, arguments, export, fixed, number, size_of
from nbflow.shapes import could_be_equal, normalize_axis
from nbflow.tensor import tensor as tensors
from nbflow.tensor.indexed_slices import IndexedSlices, on_rows
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state
from nbflow.tensor.tensor import argument, to_tensor


@export("concat")
def concat(values, axis, name="concat"):
    """Tensors joined along an axis (tf.concat).

    Args:
        values: a list of tensors whose shapes differ along axis only. A single tensor is given back as it is.
        axis: an integer.

    Raises:
        InvalidArgumentError: shapes or dtypes do not fit.
    """
    if hasattr(values, "nbflow_concat"):
        return values.nbflow_concat(axis)
    parts = _parts("concat", values)
    if len(parts) == 1:
        return parts[0]
    return TABLE["concat"](*parts, axis=normalize_axis("concat", number(axis), parts[0].ndim))


@export("parallel_stack")
def parallel_stack(values, name="parallel_stack"):
    """Tensors of one shape joined along a new first axis (tf.parallel_stack); only in a traced function.

    Raises:
        RuntimeError: no function is being traced.
    """
    if state.trace is None:
        raise RuntimeError("parallel_stack: it is for traced functions; use nf.stack")
    return stack(values)


@export("stack")
def stack(values, axis=0, name="stack"):
    """Tensors of one shape joined along a new axis (tf.stack)."""
    if hasattr(values, "nbflow_stack"):  # a list that a loop of the graph appended to
        return values.nbflow_stack(axis)
    parts = _parts("stack", values)
    first = parts[0]
    for k, part in enumerate(parts):
        if not could_be_equal(part.nbflow_shape, first.nbflow_shape):
            raise InvalidArgumentError(
                f"stack: values[0] has shape {first.shape} and values[{k}] {part.shape}; all must be equal"
            )
    at = normalize_axis("stack", axis, first.ndim + 1)
    shape = (*first.nbflow_shape[:at], 1, *first.nbflow_shape[at:])
    rows = [TABLE["reshape"](part, shape=shape) for part in parts]
    return rows[0] if len(rows) == 1 else TABLE["concat"](*rows, axis=at)


def _parts(op: str, values) -> list:
    if op == "concat" and values is not None and not isinstance(values, (list, tuple)):
        values = [values]
    elif isinstance(values, TensorProtocol):
        values = list(values)
    if not isinstance(values, (list, tuple, np.ndarray)):
        raise ValueError(f"{op}: values is {values!r:.200}; it takes a list of tensors")
    values = list(values)
    if not values:
        raise InvalidArgumentError(f"{op}: values is empty; it takes at least one tensor")
    if op == "stack" and not any(isinstance(v, (np.ndarray, TensorProtocol)) for v in values):
        values = list(to_tensor(values))  # whose dtype is that of all
    return arguments(op, values, "values")


@export("gather")
def gather(params, indices, validate_indices=None, axis=None, batch_dims=0, name=None):
    """Slices of params at indices along an axis (tf.gather).

    Args:
        indices: an int32 or int64 tensor of any shape.
        axis: 0 by default.
        batch_dims: leading axes that params and indices share, gathered one by one.

    Returns:
        A tensor of shape params.shape[:axis] + indices.shape + params.shape[axis + 1:].

    Raises:
        InvalidArgumentError: an index is out of range.
    """
    params, indices = argument("gather", "params", params), points("gather", indices)
    batch = int(number(batch_dims))
    axis = batch if axis is None else number(axis)
    if batch:
        batch = normalize_axis("gather", batch + (indices.ndim if batch < 0 else 0), indices.ndim + 1, "batch_dims")
    axis = normalize_axis("gather", axis, params.ndim)
    if axis < batch:
        raise InvalidArgumentError(f"gather: axis is {axis} and batch_dims {batch}; axis is not one of the batch axes")
    return TABLE["gather"](params, indices, axis=axis, **({"batch_dims": batch} if batch else {}))


@export("boolean_mask")
def boolean_mask(tensor, mask, axis=None, name="boolean_mask"):
    """The parts of a tensor at which a mask holds (tf.boolean_mask); tensor[mask] is the same.

    Args:
        mask: bool, of the shape of the tensor's axes from axis on.
        axis: 0 by default.

    Returns:
        A tensor of shape tensor.shape[:axis] + [number of true elements] + tensor.shape[axis + rank of mask:].

    Raises:
        ValueError: the shape of mask does not fit.

    Example:
        >>> import nbflow as nf
        >>> nf.boolean_mask([1, 2, 3], [True, False, True])
        <nf.Tensor: shape=(2,), dtype=int32, numpy=array([1, 3], dtype=int32)>
    """
    tensor = argument("boolean_mask", "tensor", tensor)
    return tensors.boolean_mask(tensor, mask, 0 if axis is None else normalize_axis("boolean_mask", axis, tensor.ndim))


@export("one_hot")
def one_hot(indices, depth, on_value=None, off_value=None, axis=None, dtype=None, name=None):
    """Vectors that are on_value at the index and off_value elsewhere (tf.one_hot).

    Args:
        indices: integers; one outside [0, depth) gives off_value everywhere.
        depth: the size of the new axis.
        on_value, off_value: 1 and 0 by default.
        axis: where the new axis goes, last by default.
        dtype: of the result, float32 by default or that of on_value.
    """
    indices = argument("one_hot", "indices", indices, int32)
    require("one_hot", "indices", indices.dtype, (uint8, int8, int32, int64))
    depth = size_of("one_hot", "depth", depth)
    on, off = (
        None if v is None else argument("one_hot", name, v, dtype and as_dtype(dtype))
        for name, v in (("on_value", on_value), ("off_value", off_value))
    )
    given = on or off if on is None or off is None else on
    dtype = as_dtype(dtype) if dtype is not None else (float32 if given is None else given.dtype)
    on, off = (to_tensor(k, hint=dtype) if v is None else v for k, v in ((1, on), (0, off)))
    for name_, value in (("on_value", on), ("off_value", off)):
        if value.dtype is not dtype:
            raise TypeError(f"one_hot: {name_} has dtype {value.dtype.name}, not {dtype.name}")
        if value.ndim:
            raise InvalidArgumentError(f"one_hot: {name_} has shape {value.shape}; it takes a scalar")
    at = -1 if axis is None else int(axis)
    if at < -1:
        raise InvalidArgumentError(f"one_hot: axis is {axis}; it takes -1 or 0 … {indices.ndim}")
    at = normalize_axis("one_hot", at, indices.ndim + 1)
    return TABLE["one_hot"](indices, on, off, depth=depth, axis=at)


@export("where")
def where(condition, x=None, y=None, name=None):
    """x where condition holds, else y; with condition alone the indices at which it holds (tf.where).

    Args:
        condition: a bool tensor.
        x, y: tensors of one dtype; all three broadcast.

    Returns:
        A tensor of the broadcast shape, or of shape [number of true elements, rank] and dtype int64.
    """
    condition = (
        argument("where", "condition", condition) if x is None else fixed("where", "condition", condition, bool_)
    )
    if (x is None) != (y is None):
        raise ValueError("where: x and y must both be given, or neither")
    if x is None:
        if not condition.ndim:
            raise InvalidArgumentError("where: condition is a scalar, which has no indices")
        return TABLE["where_true"](condition)
    hint = next((v.dtype for v in (x, y) if isinstance(v, TensorProtocol)), None)
    x = argument("where", "x", x) if hint is None else alike("where", "x", x, hint)
    return TABLE["select"](condition, x, alike("where", "y", y, hint or x.dtype))


@export("identity")
def identity(input, name=None):
    """The same tensor, as a new one (tf.identity)."""
    return on_rows(lambda x: TABLE["identity"](argument("identity", "input", x)), input)


@export("stop_gradient")
def stop_gradient(input, name=None):
    """The same tensor, through which no gradient flows (tf.stop_gradient)."""
    return TABLE["stop_gradient"](argument("stop_gradient", "input", input))


@export("is_tensor")
def is_tensor(x) -> bool:
    """Whether x is a Tensor, Variable or IndexedSlices (tf.is_tensor)."""
    return isinstance(x, (TensorProtocol, IndexedSlices))
