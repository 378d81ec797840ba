"""Arguments of functions with sliding windows, as TensorFlow takes them: strides, paddings, data formats."""

import math
import operator
from collections.abc import Sequence

from nbflow.errors import InvalidArgumentError, UnimplementedError
from nbflow.ops.table import TABLE
from nbflow.tensor.protocol import TensorProtocol

FORMATS = {  # the data formats of each number of spatial axes: channels last, channels first
    1: (("NWC", "NHWC"), ("NCW", "NCHW")),
    2: (("NHWC",), ("NCHW",)),
    3: (("NDHWC",), ("NCDHW",)),
}


def channels_first(op: str, data_format, axes: int) -> bool:
    """Whether a data format has the channels before the spatial axes.

    Raises:
        InvalidArgumentError: it is not one of those for so many spatial axes.
    """
    last, first = FORMATS[axes]
    if data_format is None or data_format in last:
        return False
    if data_format in first:
        return True
    raise InvalidArgumentError(f"{op}: data_format is {data_format!r}; it takes {last[0]!r} or {first[0]!r}")


def numbers(op: str, name: str, value, axes: int, first: bool = False) -> tuple[int, ...]:
    """Strides, dilations or window sizes, one for each spatial axis.

    Args:
        value: a number, or a list of 1, `axes` or axes + 2 numbers; None is 1.
        first: whether the channels come first, in a list of axes + 2.

    Raises:
        ValueError: the list has another length.
        InvalidArgumentError: a number is below 1.
        UnimplementedError: a number for the batch or the channels is not 1.
    """
    found = _listed(value)
    if len(found) == 1:
        found *= axes
    if len(found) == axes + 2:
        outer = (found[0], found[1 if first else -1])
        if outer != (1, 1):
            raise UnimplementedError(f"{op}: {name} is {value}; it must be 1 for the batch and the channels")
        found = found[2:] if first else found[1:-1]
    if len(found) != axes:
        raise ValueError(f"{op}: {name} should be of length 1, {axes} or {axes + 2}; got {value}")
    if min(found) < 1:
        raise InvalidArgumentError(f"{op}: {name} is {value}; numbers must be 1 or more")
    return found


def _listed(value) -> tuple[int, ...]:
    if value is None:
        return (1,)
    if isinstance(value, TensorProtocol):
        value = value.numpy().tolist()
    elif hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Sequence):
        return tuple(operator.index(v) for v in value)
    return (operator.index(value),)


def padding_of(op: str, padding, axes: int, first: bool = False):
    """A padding as ops take it: "SAME", "VALID" or a pair for each spatial axis.

    Raises:
        ValueError: a list is not of the length axes + 2, or its elements are no pairs.
        InvalidArgumentError: it is another string, a number is negative, or batch or channels are padded.
    """
    if isinstance(padding, str):
        if padding not in ("SAME", "VALID"):
            raise InvalidArgumentError(
                f"{op}: padding is {padding!r}; it takes 'SAME', 'VALID' or a list of {axes + 2} pairs"
            )
        return padding
    pairs = [tuple(operator.index(n) for n in pair) for pair in padding]
    if len(pairs) != axes + 2 or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"{op}: when padding is a list, it must be of {axes + 2} pairs; got {padding}")
    if any(n < 0 for pair in pairs for n in pair):
        raise InvalidArgumentError(f"{op}: padding is {padding}; explicit paddings must be 0 or more")
    outer = (pairs[0], pairs[1 if first else -1])
    if outer != ((0, 0), (0, 0)):
        raise InvalidArgumentError(f"{op}: padding is {padding}; the batch and the channels cannot be padded")
    return tuple(pairs[2:] if first else pairs[1:-1])


def check_rank(op: str, x, rank: int, name: str = "input") -> None:
    """Raises InvalidArgumentError unless a tensor has rank dimensions, or more of the batch."""
    if x.ndim < rank:
        raise InvalidArgumentError(f"{op}: {name} has shape {x.shape}; it must be {rank}-dimensional")


def channels_last(x, axes: int, first: bool):
    """A tensor with its channels at the end."""
    return TABLE["transpose"](x, perm=(0, *range(2, axes + 2), 1)) if first else x


def restored(x, axes: int, first: bool):
    """Undoes channels_last."""
    return TABLE["transpose"](x, perm=(0, axes + 1, *range(1, axes + 1))) if first else x


def over_batch(x, axes: int, first: bool, function):
    """function of x as [batch, *spatial, channels], whatever its data format and however many batch axes it has."""
    batch = x.nbflow_shape[: x.ndim - axes - 1]
    if len(batch) > 1:
        total = math.prod(batch)
        x = TABLE["reshape"](x, shape=(total, *x.nbflow_shape[len(batch) :]))
    result = restored(function(channels_last(x, axes, first)), axes, first)
    if len(batch) > 1:
        result = TABLE["reshape"](result, shape=(*batch, *result.nbflow_shape[1:]))
    return result
