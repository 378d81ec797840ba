"""Diagonals of matrices."""

import math

from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import axes_of, export, number
from nbflow.tensor.tensor import argument

ALIGNMENTS = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")


def _matrices(op: str, name: str, value):
    x = argument(op, name, value)
    if x.ndim < 2:
        raise InvalidArgumentError(f"{op}: {name} has shape {x.shape}; it takes two or more axes")
    return x


def _band(op: str, k, align: str) -> dict:
    """The attributes of a band of diagonals: from and to which, and where the shorter ones stand."""
    if align not in ALIGNMENTS:
        raise InvalidArgumentError(f"{op}: align is {align!r}; it takes {', '.join(ALIGNMENTS)}")
    ends = axes_of(k)
    ends = [int(number(d)) for d in ends] if isinstance(ends, (list, tuple)) else [int(ends)]
    if not 1 <= len(ends) <= 2 or ends[0] > ends[-1]:
        raise InvalidArgumentError(f"{op}: k is {k!r}; it takes a diagonal or a pair (lower, upper)")
    return {"lower": ends[0], "upper": ends[-1], "align": align}


@export("linalg.diag_part")
def diag_part(input, name="diag_part", k=0, padding_value=0, align="RIGHT_LEFT"):
    """Diagonals of matrices (tf.linalg.diag_part).

    Args:
        input: a tensor of shape [..., m, n].
        k: which diagonal, 0 the main one, negative ones below it; or (lower, upper) for a band of them.
        padding_value: what fills the rows of shorter diagonals.
        align: where those above and below the main one stand in their rows: "RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT" or
            "RIGHT_RIGHT".

    Returns:
        A tensor of shape [..., size of the longest], with an axis for the diagonals, uppermost first, before it if
        k is a pair of different numbers.

    Raises:
        InvalidArgumentError: there is no such diagonal.
    """
    x, band = _matrices("diag_part", "input", input), _band("diag_part", k, align)
    if band["lower"] == band["upper"]:
        return TABLE["diagonal"](x, k=band["lower"])
    return TABLE["diag_part"](x, _scalar("diag_part", padding_value, x.dtype), **band)


def _scalar(op: str, padding_value, dtype):
    value = bool(padding_value) if dtype.is_bool and isinstance(padding_value, int) else padding_value
    return argument(op, "padding_value", value, dtype)


@export("linalg.set_diag")
def set_diag(input, diagonal, name="set_diag", k=0, align="RIGHT_LEFT"):
    """Matrices with other diagonals (tf.linalg.set_diag).

    Args:
        input: a tensor of shape [..., m, n].
        diagonal: as diag_part gives it.
        k: which diagonal, or (lower, upper) for a band of them, see diag_part.
        align: see diag_part.

    Returns:
        A tensor of the shape of input.

    Raises:
        InvalidArgumentError: there is no such diagonal, or the shapes do not fit.
    """
    x = _matrices("set_diag", "input", input)
    return TABLE["set_diag"](x, argument("set_diag", "diagonal", diagonal, x.dtype), **_band("set_diag", k, align))


@export("linalg.diag")
def diag(diagonal, name="diag", k=0, num_rows=-1, num_cols=-1, padding_value=0, align="RIGHT_LEFT"):
    """Matrices with given diagonals (tf.linalg.diag).

    Args:
        diagonal: a tensor of shape [..., size], or [..., how many, size] for a band of several.
        k: which diagonal, or (lower, upper) for a band of them, see diag_part.
        num_rows, num_cols: the shape of a matrix; -1 for the least that fits, a square one without both.
        padding_value: what is elsewhere.
        align: see diag_part.

    Returns:
        A tensor of shape [..., num_rows, num_cols].

    Raises:
        InvalidArgumentError: the shapes do not fit.
    """
    x, band = argument("diag", "diagonal", diagonal), _band("diag", k, align)
    lower, upper = band["lower"], band["upper"]
    count = upper - lower + 1
    rank = 1 + (count > 1)
    if x.ndim < rank or (count > 1 and x.nbflow_shape[-2] != count):
        raise InvalidArgumentError(
            f"diag: diagonal has shape {x.shape}; for k=({lower}, {upper}) it takes [..., {count}, size]"
            if count > 1
            else "diag: diagonal is a scalar; it takes one or more axes"
        )
    size, rows, columns = x.nbflow_shape[-1], int(number(num_rows)), int(number(num_cols))
    least_rows, least_columns = size - min(upper, 0), size + max(lower, 0)
    if rows == columns == -1:
        rows = columns = size + max(-min(upper, 0), max(lower, 0))
    rows, columns = least_rows if rows == -1 else rows, least_columns if columns == -1 else columns
    if isinstance(size, int) and (
        rows < least_rows or columns < least_columns or (rows != least_rows and columns != least_columns)
    ):
        raise InvalidArgumentError(
            f"diag: diagonal has shape {x.shape}, which are no diagonals ({lower}, {upper}) of matrices of shape "
            f"{[rows, columns]}"
        )
    padding = _scalar("diag", padding_value, x.dtype)
    whole = TABLE["broadcast_to"](padding, shape=(*x.nbflow_shape[: x.ndim - rank], rows, columns))
    return TABLE["set_diag"](whole, x, **band)


@export("linalg.tensor_diag")
def tensor_diag(diagonal, name=None):
    """A tensor of twice the axes, with result[i…, i…] = diagonal[i…] and 0 elsewhere (tf.linalg.tensor_diag)."""
    x = argument("tensor_diag", "diagonal", diagonal)
    if not x.ndim:
        raise InvalidArgumentError("tensor_diag: diagonal is a scalar; it takes one or more axes")
    flat = TABLE["reshape"](x, shape=(math.prod(x.nbflow_shape),))
    return TABLE["reshape"](diag(flat), shape=(*x.nbflow_shape, *x.nbflow_shape))


@export("linalg.tensor_diag_part")
def tensor_diag_part(input, name=None):
    """The elements input[i…, i…] of a tensor whose shape is a shape twice (tf.linalg.tensor_diag_part).

    Raises:
        InvalidArgumentError: the two halves of the shape differ.
    """
    x = argument("tensor_diag_part", "input", input)
    half = x.ndim // 2
    shape = x.nbflow_shape
    if x.ndim % 2 or shape[:half] != shape[half:]:
        raise InvalidArgumentError(f"tensor_diag_part: input has shape {x.shape}; it takes a shape and the same again")
    n = math.prod(shape[:half])
    found = TABLE["diagonal"](TABLE["reshape"](x, shape=(n, n)), k=0)
    return TABLE["reshape"](found, shape=shape[:half])


@export("linalg.band_part")
def band_part(input, num_lower, num_upper, name=None):
    """Matrices with only the main diagonal and some beside it, 0 elsewhere (tf.linalg.band_part).

    Args:
        input: a tensor of shape [..., m, n].
        num_lower, num_upper: how many diagonals to keep below and above; negative: all.

    Returns:
        A tensor of the shape of input.

    Raises:
        InvalidArgumentError: there are not so many diagonals.
    """
    x = _matrices("band_part", "input", input)
    limits = {"lower": int(number(num_lower)), "upper": int(number(num_upper))}
    for (name_, limit), size in zip(limits.items(), x.nbflow_shape[-2:], strict=False):
        if isinstance(size, int) and limit > size:
            raise InvalidArgumentError(f"band_part: num_{name_} is {limit} for matrices of shape {x.shape}")
    return TABLE["band_part"](x, **limits)


@export("linalg.trace")
def trace(x, name=None):
    """The sum of the main diagonal of matrices (tf.linalg.trace).

    Args:
        x: a tensor of shape [..., m, n].

    Returns:
        A tensor of shape [...].
    """
    found = TABLE["diagonal"](_matrices("trace", "x", x), k=0)
    return TABLE["reduce_sum"](found, axis=(found.ndim - 1,), keepdims=False)
