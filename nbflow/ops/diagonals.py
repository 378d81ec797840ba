"""Diagonals of matrices: read, written, and bands of them.

Diagonal d of a matrix of shape [m, n] starts at its column d, or for negative d at its row -d. A band of diagonals
lower … upper is stored as rows, the uppermost first; shorter ones stand left or right in theirs.
"""

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.layout import Place
from nbflow.compiler.op import Op
from nbflow.dtypes import int64
from nbflow.errors import InvalidArgumentError
from nbflow.ops.elementwise import where
from nbflow.ops.table import TABLE, check_dtypes, composite, register, shape_text
from nbflow.shapes import Dim, contiguous_strides, could_be_equal, dim_min

T = TABLE


def length(m, n, d: int):
    """How many elements diagonal d has."""
    return dim_min(m + min(d, 0), n - max(d, 0))


def longest(m, n, lower: int, upper: int):
    """How many elements the longest diagonal of a band has."""
    return dim_min(m + min(upper, 0), n - max(lower, 0))


def _band_shape(a, lower: int, upper: int) -> tuple:
    batch, (m, n) = a.shape[:-2], a.shape[-2:]
    rows = () if lower == upper else (upper - lower + 1,)
    return (*batch, *rows, longest(m, n, lower, upper))


def _check_band(name: str, a, lower: int, upper: int) -> None:
    if len(a.shape) < 2:
        raise InvalidArgumentError(f"{name}: input has shape {shape_text(a)}; it takes two or more axes")
    m, n = a.shape[-2:]
    known = not isinstance(m, Dim) and not isinstance(n, Dim)
    if lower > upper or (known and not all(-m < d < n or d == 0 for d in (lower, upper))):
        raise InvalidArgumentError(
            f"{name}: k is ({lower}, {upper}); matrices of shape {[m, n]} have diagonals {1 - m} … {n - 1}"
            if known
            else f"{name}: k is ({lower}, {upper}), which is no band"
        )


def starts(m: int, n: int, lower: int, upper: int, align: str):
    """For each diagonal of a band: its row, where it starts in it and in the matrix, and its length."""
    most = longest(m, n, lower, upper)
    above, below = (word == "LEFT" for word in align.split("_"))
    for row, d in enumerate(range(upper, lower - 1, -1)):
        count = length(m, n, d)
        left = (d >= 0 and above) or (d <= 0 and below)
        yield row, 0 if left else most - count, (max(-d, 0), max(d, 0)), count


def _copies(matrix: tuple, band: tuple, shape: tuple, attrs: dict, band_rank: int):
    """For each diagonal its offset and strides in a matrix and in a band, and the shape of what is to be copied."""
    (m, n), batch = shape[-2:], len(shape) - 2
    step = matrix[-2] + matrix[-1]
    for row, at, (i, j), count in starts(m, n, attrs["lower"], attrs["upper"], attrs["align"]):
        row_stride = band[-2] if band_rank > batch + 1 else 0
        yield (
            i * matrix[-2] + j * matrix[-1],
            (*matrix[:batch], step),
            row * row_stride + at * band[-1],
            (*band[:batch], band[-1]),
            (*shape[:batch], count),
        )


def _infer_diag_part(avals, attrs):
    check_dtypes("diag_part", ("input", "padding_value"), avals, (avals[0].dtype,))
    _check_band("diag_part", avals[0], attrs["lower"], attrs["upper"])
    return aval(avals[0].dtype, _band_shape(avals[0], attrs["lower"], attrs["upper"]))


def _lower_diag_part(node, lowering):
    matrix, padding = node.inputs
    result = node.output
    dense, target = contiguous_strides(result.shape), lowering.buffer(result)
    source = lowering.place(padding)
    lowering.copy(Place(source.root, source.offset, (0,) * len(dense)), result.shape, target, 0, dense)
    place = lowering.place(matrix)
    for offset, strides, at, band, shape in _copies(place.strides, dense, matrix.shape, node.attrs, len(dense)):
        lowering.copy(Place(place.root, place.offset + offset, strides), shape, target, at, band)


def _diag_part_reference(x, padding, lower, upper, align):
    m, n = x.shape[-2:]
    result = np.full((*x.shape[:-2], upper - lower + 1, longest(m, n, lower, upper)), padding, x.dtype)
    for row, at, (i, j), count in starts(m, n, lower, upper, align):
        result[..., row, at : at + count] = x[..., i : i + count, j : j + count].diagonal(0, -2, -1)
    return result[..., 0, :] if lower == upper else result


def _zero(x):
    return T["fill_like"](x, shape=(), value=0)


def _vjp_diag_part(k, g, inputs, output, attrs):
    return T["set_diag"](T["zeros_like"](inputs[0]), g, **attrs)


diag_part = register(
    Op(
        "diag_part",
        ("input", "padding_value"),
        _infer_diag_part,
        lower=_lower_diag_part,
        vjp=_vjp_diag_part,
        blocked=(1,),
        reference=_diag_part_reference,
    )
)


def _infer_diagonal(avals, attrs):
    _check_band("diag_part", avals[0], attrs["k"], attrs["k"])
    return aval(avals[0].dtype, _band_shape(avals[0], attrs["k"], attrs["k"]))


def _view_diagonal(a, attrs):
    *batch, down, right = a.layout
    return (max(-attrs["k"], 0) * down + max(attrs["k"], 0) * right if a.size else 0), (*batch, down + right)


# One diagonal needs no padding, and is a view.
diagonal = register(
    Op(
        "diagonal",
        ("input",),
        _infer_diagonal,
        view=_view_diagonal,
        vjp=lambda k, g, inputs, output, attrs: T["set_diag"](
            T["zeros_like"](inputs[0]), g, lower=attrs["k"], upper=attrs["k"], align="LEFT_LEFT"
        ),
        reference=lambda x, k: x.diagonal(k, -2, -1),
    )
)


def _infer_set_diag(avals, attrs):
    matrix, band = avals
    check_dtypes("set_diag", ("input", "diagonal"), avals, (matrix.dtype,))
    _check_band("set_diag", matrix, attrs["lower"], attrs["upper"])
    wanted = _band_shape(matrix, attrs["lower"], attrs["upper"])
    if not could_be_equal(band.shape, wanted):
        raise InvalidArgumentError(
            f"set_diag: input has shape {shape_text(matrix)} and diagonal {shape_text(band)}; for "
            f"k=({attrs['lower']}, {attrs['upper']}) it takes {list(wanted)}"
        )
    return aval(matrix.dtype, matrix.shape)


def _lower_set_diag(node, lowering):
    matrix, band = node.inputs
    dense, target = contiguous_strides(matrix.shape), lowering.buffer(node.output)
    lowering.copy(lowering.place(matrix), matrix.shape, target, 0, dense)
    place = lowering.place(band)
    for at, strides, offset, kept, shape in _copies(dense, place.strides, matrix.shape, node.attrs, len(band.shape)):
        lowering.copy(Place(place.root, place.offset + offset, kept), shape, target, at, strides)


def _set_diag_reference(x, band, lower, upper, align):
    result = x.copy()
    rows = band[..., None, :] if lower == upper else band
    for row, at, (i, j), count in starts(*x.shape[-2:], lower, upper, align):
        places = np.arange(count)
        result[..., i + places, j + places] = rows[..., row, at : at + count]
    return result


def _vjp_set_diag(k, g, inputs, output, attrs):
    if k == 0:
        return T["set_diag"](g, T["zeros_like"](inputs[1]), **attrs)
    return T["diag_part"](g, _zero(g), **attrs)


set_diag = register(
    Op(
        "set_diag",
        ("input", "diagonal"),
        _infer_set_diag,
        lower=_lower_set_diag,
        vjp=_vjp_set_diag,
        reference=_set_diag_reference,
    )
)


def _band_part(x, lower, upper):
    m, n = x.shape[-2:]
    distance = T["reshape"](x.iota(m, int64), shape=(m, 1)) - x.iota(n, int64)  # rows below the diagonal
    inside = None
    for limit, sign in ((lower, 1), (upper, -1)):
        if limit >= 0:
            part = distance * sign <= limit
            inside = part if inside is None else T["logical_and"](inside, part)
    return x if inside is None else where(inside, x, T["zeros_like"](x))


def _band_part_reference(x, lower, upper):
    m, n = x.shape[-2:]
    return np.triu(np.tril(x, n if upper < 0 else upper), -m if lower < 0 else -lower)


def _infer_band_part(avals, attrs):
    if len(avals[0].shape) < 2:
        raise InvalidArgumentError(f"band_part: input has shape {shape_text(avals[0])}; it takes two or more axes")
    return aval(avals[0].dtype, avals[0].shape)


band_part = composite(
    "band_part", "input", _band_part, _infer_band_part,
    vjp=lambda k, g, inputs, output, attrs: T["band_part"](g, **attrs), reference=_band_part_reference,
)  # fmt: skip
