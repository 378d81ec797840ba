"""Gathering and scattering at points, parts by number."""

from collections.abc import Callable

from nbflow.dtypes import int16, int32, int64
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.indexed import IGNORE, STRICT
from nbflow.ops.table import TABLE
from nbflow.public import arguments, cast, export, fixed, number, shape_argument
from nbflow.shapes import could_be_equal
from nbflow.tensor.tensor import argument


def points(op: str, indices, name: str = "indices"):
    """Indices as a tensor of int32 or int64."""
    indices = argument(op, name, indices)
    if indices.dtype not in (int16, int32, int64):
        raise InvalidDTypeError(f"{op}: {name} has dtype {indices.dtype.name}; it takes int32 or int64")
    return indices if indices.dtype in (int32, int64) else cast(indices, int32)


def _policy(op: str, bad_indices_policy: str) -> int:
    known = {"": STRICT, "DEFAULT": STRICT, "ERROR": STRICT, "IGNORE": IGNORE}
    if bad_indices_policy not in known:
        raise InvalidArgumentError(
            f"{op}: bad_indices_policy is {bad_indices_policy!r}; it takes '', 'ERROR', 'IGNORE'"
        )
    return known[bad_indices_policy]


@export("gather_nd")
def gather_nd(params, indices, batch_dims=0, name=None, bad_indices_policy=""):
    """Parts of params at points: indices[..., :] says a place among its first axes (tf.gather_nd).

    Args:
        params: a tensor.
        indices: int32 or int64; its last axis has at most as many numbers as params has axes.
        batch_dims: leading axes that params and indices share.
        bad_indices_policy: "IGNORE" gives 0 for points out of range.

    Returns:
        A tensor of shape indices.shape[:-1] + params.shape[batch_dims + indices.shape[-1]:].

    Raises:
        InvalidArgumentError: a point is out of range, or the shapes do not fit.
    """
    params, indices = argument("gather_nd", "params", params), points("gather_nd", indices)
    batch = int(number(batch_dims))
    policy = _policy("gather_nd", bad_indices_policy)
    if not 0 <= batch <= max(0, indices.ndim - 1):
        raise InvalidArgumentError(f"gather_nd: batch_dims is {batch} for indices of shape {indices.shape}")
    return TABLE["gather_nd"](params, indices, batch_dims=batch, **({"policy": policy} if policy else {}))


@export("scatter_nd")
def scatter_nd(indices, updates, shape, bad_indices_policy="", name=None):
    """Zeros with updates added at points (tf.scatter_nd).

    Args:
        indices: int32 or int64; indices[..., :] says a place among the first axes of the result.
        updates: of shape indices.shape[:-1] + shape[indices.shape[-1]:].
        shape: of the result.
        bad_indices_policy: "IGNORE" leaves out points out of range.

    Returns:
        A tensor of that shape and the dtype of updates; what meets in one place adds up.

    Raises:
        InvalidArgumentError: a point is out of range, or the shapes do not fit.
    """
    indices, updates = points("scatter_nd", indices), argument("scatter_nd", "updates", updates)
    shape, policy = shape_argument("scatter_nd", shape), _policy("scatter_nd", bad_indices_policy)
    _check_updates("scatter_nd", indices, updates, shape)
    attrs = {"shape": shape, "batch_dims": 0, **({"policy": policy} if policy else {})}
    if not updates.dtype.is_bool:
        return TABLE["scatter_nd"](indices, updates, **attrs)
    return cast(TABLE["scatter_nd"](indices, cast(updates, int32), **attrs), updates.dtype)


def _check_updates(op: str, indices, updates, shape: tuple) -> None:
    """Raises InvalidArgumentError for scalars among indices and updates, and for updates of nothing."""
    if not updates.ndim:
        raise InvalidArgumentError(f"{op}: updates is a scalar; it takes one or more axes, as indices does")
    if 0 in shape and 0 not in updates.nbflow_shape:
        raise InvalidArgumentError(f"{op}: updates has shape {updates.shape}, into an empty tensor of shape {shape}")
    if not indices.ndim or indices.nbflow_shape[-1] == 0:
        raise InvalidArgumentError(
            f"{op}: indices has shape {indices.shape}; its last axis says places, by one or more numbers"
        )


def _onto(how: str, what: str):
    op = TABLE[f"tensor_scatter_nd_{how}"]

    def apply(tensor, indices, updates, bad_indices_policy):
        tensor, indices = argument(op.name, "tensor", tensor), points(op.name, indices)
        updates, policy = argument(op.name, "updates", updates, tensor.dtype), _policy(op.name, bad_indices_policy)
        _check_updates(op.name, indices, updates, tensor.nbflow_shape)
        return op(tensor, indices, updates, **({"policy": policy} if policy else {}))

    def strict(tensor, indices, updates, name=None):
        return apply(tensor, indices, updates, "")

    def lenient(tensor, indices, updates, bad_indices_policy="", name=None):
        return apply(tensor, indices, updates, bad_indices_policy)

    function: Callable = strict if how == "update" else lenient
    function.__name__ = function.__qualname__ = op.name
    function.__doc__ = f"""A tensor with updates {what} at points (tf.{op.name}).

    Args:
        tensor: a tensor.
        indices: int32 or int64; indices[..., :] says a place among the first axes of tensor.
        updates: of shape indices.shape[:-1] + tensor.shape[indices.shape[-1]:].
        bad_indices_policy: "IGNORE" leaves out points out of range.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape and dtype of tensor.

    Raises:
        InvalidArgumentError: a point is out of range, or the shapes do not fit.
    """
    return export(op.name)(function)


tensor_scatter_nd_update = _onto("update", "in place of its elements")
tensor_scatter_nd_add = _onto("add", "added")
tensor_scatter_nd_sub = _onto("sub", "subtracted")
tensor_scatter_nd_min = _onto("min", "where they are less than its elements")
tensor_scatter_nd_max = _onto("max", "where they are greater than its elements")


def _flat(x, rank: int):
    """x with its first axes as one."""
    count = 1
    for size in x.nbflow_shape[:rank]:
        count = count * size
    return TABLE["reshape"](x, shape=(count, *x.nbflow_shape[rank:]))


@export("dynamic_partition")
def dynamic_partition(data, partitions, num_partitions, name=None):
    """The parts of data by number (tf.dynamic_partition).

    Args:
        data: a tensor whose shape starts with that of partitions.
        partitions: int32: which part each element of data, or each of its slices, belongs to.
        num_partitions: how many parts there are.

    Returns:
        A list of num_partitions tensors, of shape [how many] + data.shape[partitions.ndim:].

    Raises:
        InvalidArgumentError: a number is not in [0, num_partitions), or the shapes do not fit.

    Example:
        >>> import nbflow as nf
        >>> [part.numpy().tolist() for part in nf.dynamic_partition([1, 2, 3, 4], [0, 1, 1, 0], 2)]
        [[1, 4], [2, 3]]
    """
    data = argument("dynamic_partition", "data", data)
    partitions = fixed("dynamic_partition", "partitions", partitions, int32)
    if partitions.dtype is not int32:
        raise InvalidDTypeError(f"dynamic_partition: partitions has dtype {partitions.dtype.name}; it takes int32")
    if not could_be_equal(data.nbflow_shape[: partitions.ndim], partitions.nbflow_shape):
        raise InvalidArgumentError(
            f"dynamic_partition: partitions has shape {partitions.shape}, with which the shape of data, {data.shape}, "
            f"must begin"
        )
    count = int(number(num_partitions))
    if count < 1:
        raise InvalidArgumentError(f"dynamic_partition: num_partitions is {count}; it takes 1 or more")
    found = TABLE["partition_positions"](partitions, num_partitions=count)
    rows = _flat(data, partitions.ndim)
    return [TABLE["gather"](rows, at, axis=0) for at in (found if isinstance(found, tuple) else (found,))]


@export("dynamic_stitch")
def dynamic_stitch(indices, data, name=None):
    """One tensor of parts by number: result[indices[m][i]] = data[m][i] (tf.dynamic_stitch).

    Args:
        indices: a list of int32 tensors.
        data: a list of tensors; the shape of each starts with that of its indices, and the rest is the same for all.

    Returns:
        A tensor of shape [greatest index + 1] + that rest. Of equal indices the last one counts.

    Raises:
        InvalidArgumentError: the shapes do not fit, or an index is negative.
        ValueError: the lists are empty or differ in length.
    """
    numbers = [fixed("dynamic_stitch", f"indices[{k}]", v, int32) for k, v in enumerate(indices)]
    parts = arguments("dynamic_stitch", data, "data")
    if not parts or len(parts) != len(numbers):
        raise ValueError(f"dynamic_stitch: {len(numbers)} indices and {len(parts)} data; it takes as many, one or more")
    rest = parts[0].nbflow_shape[numbers[0].ndim :]
    for k, (at, part) in enumerate(zip(numbers, parts, strict=True)):
        if at.dtype is not int32 or part.nbflow_shape[at.ndim :] != rest:
            raise InvalidArgumentError(
                f"dynamic_stitch: indices[{k}] is {at.dtype.name} {at.shape} and data[{k}] has shape {part.shape}; "
                f"indices are int32, and what follows their shape is the same for all data"
            )
        if not could_be_equal(part.nbflow_shape[: at.ndim], at.nbflow_shape):
            raise InvalidArgumentError(
                f"dynamic_stitch: data[{k}] has shape {part.shape}; it must begin with that of indices[{k}], {at.shape}"
            )
    flat = [_flat(part, at.ndim) for at, part in zip(numbers, parts, strict=True)]
    places = TABLE["concat"](*(_flat(at, at.ndim) for at in numbers), axis=0)
    return TABLE["stitch"](TABLE["concat"](*flat, axis=0), places, TABLE["last_positions"](places))
