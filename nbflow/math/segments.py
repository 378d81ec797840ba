"""Reductions over segments: rows of the data that share a number."""

from nbflow.dtypes import int32, int64
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.indexed import DROP_NEGATIVE
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, size_of
from nbflow.tensor.tensor import argument, divide

ROWS = {
    "sum": "The sum",
    "prod": "The product",
    "min": "The minimum",
    "max": "The maximum",
}
_DATA = """data: a tensor.
        segment_ids: {ids}, int32 or int64."""
_SORTED = (
    _DATA.format(ids="for each row of data the number of its segment, from 0 on in ascending order")
    + """
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor with a row for each number up to the greatest; segments without rows have {empty}.

    Raises:
        InvalidArgumentError: segment_ids is no vector of the size of data's first axis, or not ascending."""
)
_UNSORTED = (
    _DATA.format(ids="of a shape that data's begins with: the number of the segment that each part belongs to")
    + """
        num_segments: how many segments there are. Parts with a negative number belong to none.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of shape [num_segments, *data.shape[segment_ids.ndim:]]; segments without parts have {empty}.

    Raises:
        InvalidArgumentError: the shapes do not fit, or a number is not below num_segments."""
)


def _named(function, name: str, what: str, arguments: str):
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{what} of each segment of the data (tf.math.{name}).\n\n    Args:\n        {arguments}\n    "
    return export(f"math.{name}")(function)


def _ids(name: str, segment_ids):
    ids = argument(name, "segment_ids", segment_ids)
    if not ids.dtype.is_integer:
        raise InvalidDTypeError(f"{name}: segment_ids has dtype {ids.dtype.name}; it takes int32 or int64")
    return ids if ids.dtype in (int32, int64) else cast(ids, int32)


def _sorted_arguments(name: str, data, segment_ids) -> tuple:
    data, ids = argument(name, "data", data), _ids(name, segment_ids)
    if ids.ndim != 1:
        raise InvalidArgumentError(f"{name}: segment_ids has shape {ids.shape}; it takes a vector")
    return data, ids, TABLE["segment_starts"](ids)


def _sorted(how: str, what: str):
    name = f"segment_{how}"
    op = TABLE[name]

    def function(data, segment_ids, name=None):
        return op(*_sorted_arguments(op.name, data, segment_ids))

    return _named(function, name, what, _SORTED.format(empty=int(how == "prod")))


def _unsorted_arguments(name: str, data, segment_ids, num_segments) -> tuple:
    count = size_of(name, "num_segments", num_segments)
    return argument(name, "data", data), _ids(name, segment_ids), count


def _unsorted(how: str, what: str):
    name = f"unsorted_segment_{how}"
    op = TABLE[name]

    def function(data, segment_ids, num_segments, name=None):
        data, ids, count = _unsorted_arguments(op.name, data, segment_ids, num_segments)
        return op(data, ids, num_segments=count, policy=DROP_NEGATIVE)

    empty = {"sum": "0", "prod": "1", "min": "the greatest number", "max": "the least number"}[how]
    return _named(function, name, what, _UNSORTED.format(empty=empty))


segment_sum, segment_prod, segment_min, segment_max = (_sorted(how, what) for how, what in ROWS.items())
unsorted_segment_sum, unsorted_segment_prod, unsorted_segment_min, unsorted_segment_max = (
    _unsorted(how, what) for how, what in ROWS.items()
)


def _segment_mean(data, segment_ids, name=None):
    data, ids, starts = _sorted_arguments("segment_mean", data, segment_ids)
    total = TABLE["segment_sum"](data, ids, starts)
    count = cast(TABLE["maximum"](starts[1:] - starts[:-1], 1), data.dtype)
    count = TABLE["reshape"](count, shape=(*count.nbflow_shape, *(1,) * (data.ndim - 1)))
    return TABLE["truncate_div" if data.dtype.is_integer else "divide"](total, count)


def _total_and_count(name: str, data, segment_ids, num_segments) -> tuple:
    data, ids, count = _unsorted_arguments(name, data, segment_ids, num_segments)
    attrs = {"num_segments": count, "policy": DROP_NEGATIVE}
    total = TABLE["unsorted_segment_sum"](data, ids, **attrs)
    ones = TABLE["fill_like"](data, shape=ids.nbflow_shape, value=1)
    parts = TABLE["unsorted_segment_sum"](ones, ids, **attrs)
    parts = TABLE["reshape"](parts, shape=(count, *(1,) * (data.ndim - ids.ndim)))
    return total, TABLE["maximum"](parts, 1)


def _unsorted_segment_mean(data, segment_ids, num_segments, name=None):
    return divide(*_total_and_count("unsorted_segment_mean", data, segment_ids, num_segments))


def _unsorted_segment_sqrt_n(data, segment_ids, num_segments, name=None):
    total, count = _total_and_count("unsorted_segment_sqrt_n", data, segment_ids, num_segments)
    return total / TABLE["sqrt"](count)


segment_mean = _named(_segment_mean, "segment_mean", "The mean", _SORTED.format(empty=0))
unsorted_segment_mean = _named(_unsorted_segment_mean, "unsorted_segment_mean", "The mean", _UNSORTED.format(empty="0"))
unsorted_segment_sqrt_n = _named(
    _unsorted_segment_sqrt_n,
    "unsorted_segment_sqrt_n",
    "The sum, divided by the root of how many parts there are,",
    _UNSORTED.format(empty="0"),
)
