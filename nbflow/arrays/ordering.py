"""Sorting, unique elements, places in sorted sequences."""

from collections import namedtuple

from nbflow.dtypes import as_dtype, int32, int64, require
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, number, pair
from nbflow.shapes import could_be_equal, normalize_axis
from nbflow.tensor.tensor import argument

Unique = namedtuple("Unique", ["y", "idx"])
UniqueWithCounts = namedtuple("UniqueWithCounts", ["y", "idx", "count"])


def _rows(op: str, values, axis, direction: str) -> tuple:
    """values with the axis to sort last, the permutation that puts it back, and whether to sort downwards."""
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"{op}: direction is {direction!r}; it takes 'ASCENDING' or 'DESCENDING'")
    x = argument(op, "values", values)
    at = normalize_axis(op, number(axis), x.ndim)
    order = (*(d for d in range(x.ndim) if d != at), at)
    back = (*range(at), x.ndim - 1, *range(at, x.ndim - 1))
    return TABLE["transpose"](x, perm=order), back, direction == "DESCENDING"


@export("sort")
def sort(values, axis=-1, direction="ASCENDING", name=None):
    """The elements in order along an axis (tf.sort).

    Args:
        values: a tensor of numbers, of one or more axes.
        axis: the axis, the last by default.
        direction: "ASCENDING" or "DESCENDING".

    Returns:
        A tensor of the shape and dtype of values.

    Raises:
        ValueError: direction is something else.
        InvalidArgumentError: the axis is out of range, or values is a scalar.
    """
    x, back, descending = _rows("sort", values, axis, direction)
    return TABLE["transpose"](TABLE["sort"](x, descending=descending), perm=back)


@export("argsort")
def argsort(values, axis=-1, direction="ASCENDING", stable=False, name=None):
    """The positions that sort a tensor along an axis (tf.argsort): gathered there, its elements are in order.

    Args:
        values: a tensor of numbers, of one or more axes.
        axis: the axis, the last by default.
        direction: "ASCENDING" or "DESCENDING".
        stable: whether equal elements must keep their order, which they always do.

    Returns:
        An int32 tensor of the shape of values.

    Raises:
        ValueError: direction is something else.
        InvalidArgumentError: the axis is out of range, or values is a scalar.
    """
    x, back, descending = _rows("argsort", values, axis, direction)
    order = TABLE["argsort"](x, descending=descending, first=x.nbflow_shape[-1])
    return TABLE["transpose"](order, perm=back)


def _unique(op: str, x, out_idx) -> tuple:
    out_idx = as_dtype(out_idx)
    require(op, "out_idx", out_idx, (int32, int64))
    y, positions, counts = TABLE["unique"](argument(op, "x", x))
    return y, cast(positions, out_idx), cast(counts, out_idx)


@export("unique")
def unique(x, out_idx=int32, name=None):
    """The different elements of a vector in the order of their first appearance (tf.unique).

    Args:
        x: a vector.
        out_idx: the dtype of idx, int32 or int64.

    Returns:
        (y, idx), a named tuple: the different elements, and for each element of x its place in y.

    Raises:
        InvalidArgumentError: x is no vector.

    Example:
        >>> import nbflow as nf
        >>> y, idx = nf.unique([1, 1, 2, 4, 4, 1])
        >>> y.numpy().tolist(), idx.numpy().tolist()
        ([1, 2, 4], [0, 0, 1, 2, 2, 0])
    """
    return Unique(*_unique("unique", x, out_idx)[:2])


@export("unique_with_counts")
def unique_with_counts(x, out_idx=int32, name=None):
    """The different elements of a vector and how often each is there (tf.unique_with_counts).

    Args:
        x: a vector.
        out_idx: the dtype of idx and count, int32 or int64.

    Returns:
        (y, idx, count), a named tuple: see unique; count is as long as y.

    Raises:
        InvalidArgumentError: x is no vector.
    """
    return UniqueWithCounts(*_unique("unique_with_counts", x, out_idx))


@export("searchsorted")
def searchsorted(sorted_sequence, values, side="left", out_type=int32, name=None):
    """Where each value would go in a sorted sequence (tf.searchsorted).

    Args:
        sorted_sequence: rows of ascending numbers.
        values: for each row, numbers of the same dtype.
        side: "left": before elements equal to the value; "right": after them.
        out_type: of the result, int32 or int64.

    Returns:
        A tensor of the shape of values.

    Raises:
        ValueError: side is something else.
        InvalidArgumentError: the numbers of rows differ.
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side is {side!r}; it takes 'left' or 'right'")
    out_type = as_dtype(out_type)
    require("searchsorted", "out_type", out_type, (int32, int64))
    x, values = pair("searchsorted", sorted_sequence, values, ("sorted_sequence", "values"))
    if not x.ndim or not values.ndim:
        raise InvalidArgumentError(
            f"searchsorted: sorted_sequence has shape {x.shape} and values {values.shape}; both take one or more axes"
        )
    rows = []
    for t in (x, values):
        count = 1
        for size in t.nbflow_shape[:-1]:
            count = count * size
        rows.append(TABLE["reshape"](t, shape=(count, t.nbflow_shape[-1])))
    if not could_be_equal(rows[0].nbflow_shape[:1], rows[1].nbflow_shape[:1]):
        raise InvalidArgumentError(
            f"searchsorted: sorted_sequence has shape {x.shape} and values {values.shape}; all axes but the last must "
            f"be equal"
        )
    found = TABLE["searchsorted"](*rows, side=side, out_type=out_type)
    return TABLE["reshape"](found, shape=values.nbflow_shape)
