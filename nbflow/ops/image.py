"""Images: weighted sums of neighbours along an axis, colour spaces pixel by pixel, boxes drawn and chosen."""

import math

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import SLAB, Buffer, Ref
from nbflow.compiler.op import Op
from nbflow.dtypes import FLOATING, FULL, HALF, REAL, float32
from nbflow.errors import InvalidArgumentError
from nbflow.ops.bands import band
from nbflow.ops.elementwise import cast, where, zeros_like
from nbflow.ops.table import TABLE, check_dtypes, register, shape_text
from nbflow.shapes import Dim

T = TABLE


# --- neighbours along an axis -----------------------------------------------------------------------------------------

# A result row of many elements is added up in place, a short one or one of halves in a register.
_RESAMPLE = """def {{name}}(p, begin, end):
    \"\"\"resample {code}: rows [begin, end) of the result, each a weighted sum of rows of the source\"\"\"
    x, y, start, index, weight = word(p, 0), word(p, 1), word(p, 2), word(p, 3), word(p, 4)
    source, size, inner = word(p, 5), word(p, 6), word(p, 7)
    for i in range(begin, end):
        image = x + (i // size) * source * inner * {bytes}
        target = y + i * inner * {result_bytes}
        first, last = load(i64, start, i % size, 0), load(i64, start, i % size + 1, 0)
        if first == last:
            for j in range(inner):
                store({result}, target, j, {wide}(0), 1)
        elif inner < {in_registers}:
            for j in range(inner):
                total = {wide}(0)
                for k in range(first, last):
                    at = load(i64, index, k, 0) * inner + j
                    value = {wide}(load({code}, image, at, 0))
                    total = {wide}(total + {wide}(load({wide}, weight, k, 0) * value))
                store({result}, target, j, total, 1)
        else:
            w, row = load({wide}, weight, first, 0), image + load(i64, index, first, 0) * inner * {bytes}
            for j in range(inner):
                store({result}, target, j, {wide}(w * {wide}(load({code}, row, j, 0))), 1)
            for k in range(first + 1, last):
                w, row = load({wide}, weight, k, 0), image + load(i64, index, k, 0) * inner * {bytes}
                for j in range(inner):
                    value = {wide}(w * {wide}(load({code}, row, j, 0)))
                    store({result}, target, j, {wide}(load({result}, target, j, 1) + value), 1)
"""


def _infer_resample(avals, attrs):
    check_dtypes("resample", ("x",), avals, REAL)
    (x,), axis = avals, attrs["axis"]
    return aval(attrs["dtype"], (*x.shape[:axis], attrs["size"], *x.shape[axis + 1 :]))


def _band_of(shape: tuple, axis: int, how: tuple, size: int, adjoint: bool, dtype):
    return band(how, shape[axis], size, adjoint)


def _lower_resample(node, lowering):
    (value,), result, axis = node.inputs, node.output, node.attrs["axis"]
    if 0 in result.shape:
        return
    matrix = _band_of(value.shape, **node.attrs)
    dtype = float32 if result.dtype in HALF else result.dtype  # as kernels load halves
    weight = matrix.weight.astype(dtype.np)
    tables = [Buffer(array.nbytes, array=array) for array in (matrix.start, matrix.index, weight)]
    x, touch = lowering.dense(lowering.place(value), value.shape)
    inner = math.prod(value.shape[axis + 1 :])
    source = _RESAMPLE.format(
        code=value.dtype.code, bytes=value.dtype.size, result=result.dtype.code, result_bytes=result.dtype.size,
        wide=dtype.code, in_registers=16 if dtype is result.dtype else "inner + 1",
    )  # fmt: skip
    words = [x, lowering.address(result), *map(Ref, tables), value.shape[axis], result.shape[axis], inner]
    touches = [touch, lowering.writes(result, SLAB, inner * result.dtype.size)]
    touches += [(table, "all", False, 0) for table in tables if table.nbytes]
    rows = math.prod(result.shape[: axis + 1])
    taps = matrix.weight.size / matrix.rows
    lowering.call("resample", source, words, rows, touches, cost=20 + result.aval.size * taps * 0.5)


def _vjp_resample(k, g, inputs, output, attrs):
    size = inputs[0].nbflow_shape[attrs["axis"]]
    return T["resample"](g, **(attrs | {"size": size, "adjoint": not attrs["adjoint"], "dtype": inputs[0].dtype}))


def _resample_reference(x, axis, dtype, **options):
    matrix = _band_of(x.shape, axis, dtype=dtype, **options).dense()
    result = np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)
    return result if dtype in FULL else result.astype(dtype.np)


resample = register(
    Op(
        "resample", ("x",), _infer_resample, lower=_lower_resample, vjp=_vjp_resample, dtypes=REAL,
        reference=_resample_reference, tolerance=16,
        batch=lambda op, inputs, stacked, count, attrs: op(*inputs, **(attrs | {"axis": attrs["axis"] + 1})),
    )
)  # fmt: skip


# --- colours ----------------------------------------------------------------------------------------------------------

# `amount` is a number that goes with the call; a, b, c are the results. The order of operations is TensorFlow's.
_PIXELS = """def {{name}}(p, begin, end):
    \"\"\"{what} {code}: pixels [begin, end) of three channels\"\"\"
    x, y = word(p, 0), word(p, 1)
    zero, one, two, three = {code}(0), {code}(1), {code}(2), {code}(3)
    four, six = {code}(4), {code}(6)
{amount}    for i in range(begin, end):
        r, g, b = load({code}, x, 3 * i, 0), load({code}, x, 3 * i + 1, 0), load({code}, x, 3 * i + 2, 0)
{body}        store({code}, y, 3 * i, {code}(a), 1)
        store({code}, y, 3 * i + 1, {code}(d), 1)
        store({code}, y, 3 * i + 2, {code}(e), 1)
"""
_AMOUNT = "    amount = load({code}, word(p, 2), 0, 0)\n"
_VALUE_AND_RANGE = """
        top = r if r > g else g
        top = top if top > b else b
        low = r if r < g else g
        low = low if low < b else b
        span = top - low
        s = span / top if top > zero else zero
"""
_RGB_TO_HSV = (
    _VALUE_AND_RANGE
    + """
        norm = (one / span) * (one / six)
        if r == top:
            h = norm * (g - b)
        elif g == top:
            h = norm * (b - r) + two / six
        else:
            h = norm * (r - g) + four / six
        h = h if span > zero else zero
        a, d, e = h + one if h < zero else h, s, top
"""
)
_HSV_TO_RGB = """
        h, s, v = r * six, g, b
        red, green, blue = abs(h - three) - one, two - abs(h - two), two - abs(h - four)
        rest = one - s
        a = (rest + s * min(max(red, zero), one)) * v
        d = (rest + s * min(max(green, zero), one)) * v
        e = (rest + s * min(max(blue, zero), one)) * v
"""
# The hue as a place on a hexagon: which channel is greatest, which least, and where the third lies between them.
_ADJUST_HUE = """
        if r < g:
            if b < r:
                top, mid, low, category = g, r, b, 1
            elif b > g:
                top, mid, low, category = b, g, r, 3
            else:
                top, mid, low, category = g, b, r, 2
        elif b < g:
            top, mid, low, category = r, g, b, 0
        elif b > r:
            top, mid, low, category = b, r, g, 4
        else:
            top, mid, low, category = r, b, g, 5
        h = zero
        if top != low:
            ratio = (mid - low) / (top - low)
            h = {code}(category) + (ratio if category % 2 == 0 else one - ratio)
        h = h + amount * six
        while h < zero:
            h = h + six
        while h >= six:
            h = h - six
        category = int(h)
        ratio = h - {code}(category)
        mid = low + (ratio if category % 2 == 0 else one - ratio) * (top - low)
        if category == 0:
            a, d, e = top, mid, low
        elif category == 1:
            a, d, e = mid, top, low
        elif category == 2:
            a, d, e = low, top, mid
        elif category == 3:
            a, d, e = low, mid, top
        elif category == 4:
            a, d, e = mid, low, top
        else:
            a, d, e = top, low, mid
"""
_ADJUST_SATURATION = (
    _VALUE_AND_RANGE
    + """
        norm = one / (six * span)
        if r == top:
            h = norm * (g - b)
        elif g == top:
            h = norm * (b - r) + two / six
        else:
            h = norm * (r - g) + four / six
        h = h if span > zero else zero
        h = h + one if h < zero else h
        s = min(one, max(zero, s * amount))
        c = s * top
        m = top - c
        turn = h * six
        category = int(turn)
        part = turn - {code}(category // 2 * 2) if (turn <= zero) | (turn >= two) else turn
        mid = c * (one - abs(part - one))
        if category == 0:
            a, d, e = c + m, mid + m, m
        elif category == 1:
            a, d, e = mid + m, c + m, m
        elif category == 2:
            a, d, e = m, c + m, mid + m
        elif category == 3:
            a, d, e = m, mid + m, c + m
        elif category == 4:
            a, d, e = mid + m, m, c + m
        elif category == 5:
            a, d, e = c + m, m, mid + m
        else:
            a, d, e = m, m, m
"""
)


def _colour_op(name: str, body: str, reference, amount: str = "", vjp=None) -> Op:
    """An op on the three channels of the last axis, with a number `amount` beside it if that is named."""
    arguments = ("images", amount) if amount else ("images",)

    def infer(avals, attrs):
        check_dtypes(name, arguments, avals, FLOATING)
        shape = avals[0].shape
        if len(shape) < 1 or (shape[-1] != 3 and not isinstance(shape[-1], Dim)):
            raise InvalidArgumentError(
                f"{name}: images has shape {shape_text(avals[0])}; its last axis must have size 3, the channels"
            )
        if amount and avals[1].shape:
            raise InvalidArgumentError(f"{name}: {amount} has shape {shape_text(avals[1])}; it takes a scalar")
        return aval(avals[0].dtype, shape)

    def lower(node, lowering):
        result, code = node.output, node.output.dtype.code
        places = [lowering.dense(lowering.place(value), value.shape) for value in node.inputs]
        words = [places[0][0], lowering.address(result), *(address for address, _ in places[1:])]
        touches = [touch for _, touch in places] + [lowering.writes(result, SLAB, 3 * result.dtype.size)]
        text = {"body": body.lstrip("\n").format(code=code), "amount": _AMOUNT.format(code=code) if amount else ""}
        source = _PIXELS.format(what=name, code=code, **text)
        pixels = result.aval.size // 3
        lowering.call(name, source, words, pixels, touches, cost=20 + 8 * pixels)

    blocked = () if vjp else tuple(range(len(arguments)))
    return register(
        Op(
            name, arguments, infer, lower=lower, vjp=vjp, dtypes=FULL + HALF, blocked=blocked, reference=reference,
            tolerance=16, wide=True,
            batch=None if amount else lambda op, inputs, stacked, count, attrs: op(*inputs, **attrs),
        )
    )  # fmt: skip


def _inverse(x):
    """1 / x, or 0 where x is 0, for rules."""
    zero = T["equal"](x, 0)
    return where(zero, zeros_like(x), 1 / where(zero, T["ones_like"](x), x))


def _channels(x) -> list:
    shape = x.nbflow_shape
    step = (1,) * len(shape)
    begin = (0,) * (len(shape) - 1)
    return [T["strided_slice"](x, begin=(*begin, k), step=step, shape=(*shape[:-1], 1)) for k in range(3)]


def _dot(x: list, y: list):
    return x[0] * y[0] + x[1] * y[1] + x[2] * y[2]


def _vjp_rgb_to_hsv(k, g, inputs, output, attrs):
    """TensorFlow's rule: of the three channels one counts as the greatest and another as the least, even if equal.

    With those, v = max, s = (max - min) / max and h = n / 3 ± (mid - min) / (6 (max - min)).
    """
    red, green, blue = colours = _channels(inputs[0])
    logical, to = T["logical_and"], red.dtype
    greatest = [
        cast(logical(red >= blue, red >= green), to),
        cast(logical(green > red, green >= blue), to),
        cast(logical(blue > red, blue > green), to),
    ]
    least = [
        cast(logical(red < blue, red < green), to),
        cast(logical(green <= red, green < blue), to),
        cast(logical(blue <= red, blue <= green), to),
    ]
    between = [1 - most - fewest for most, fewest in zip(greatest, least)]
    top, low, mid = _dot(greatest, colours), _dot(least, colours), _dot(between, colours)
    # h rises with the channel after the greatest and falls with the one before it
    sign = 2 * _dot(greatest, [least[2], least[0], least[1]]) - 1
    per_span = _inverse(top - low)
    visible = cast(top > 0, to)
    slope = sign * visible * per_span / 6
    of_top, of_low = -slope * (mid - low) * per_span, slope * (mid - top) * per_span
    g_hue, g_saturation, g_value = _channels(g)
    parts = []
    for colour, most, fewest, middle in zip(colours, greatest, least, between):
        positive = cast(colour > 0, to)
        saturation = positive * (most * low * _inverse(top * top) - fewest * _inverse(top))
        hue = most * of_top + fewest * of_low + middle * slope
        parts.append(g_value * most + g_saturation * saturation + g_hue * hue)
    return T["concat"](*parts, axis=len(inputs[0].nbflow_shape) - 1)


def _rgb_to_hsv_reference(x):
    r, g, b = np.moveaxis(x, -1, 0)
    top, low = x.max(-1), x.min(-1)
    span = top - low
    safe = np.where(span > 0, span, 1)
    h = np.where(r == top, (g - b) / safe, np.where(g == top, (b - r) / safe + 2, (r - g) / safe + 4)) / 6
    h = np.where(span > 0, h, 0)
    s = np.where(top > 0, span / np.where(top > 0, top, 1), 0)
    return np.stack([np.where(h < 0, h + 1, h), s, top], -1)


def _hsv_to_rgb_reference(x):
    h, s, v = np.moveaxis(x, -1, 0)
    h = 6 * h
    parts = np.abs(h - 3) - 1, 2 - np.abs(h - 2), 2 - np.abs(h - 4)
    return np.stack([(1 - s + s * np.clip(part, 0, 1)) * v for part in parts], -1)


def _adjust_hue_reference(x, delta):
    hsv = _rgb_to_hsv_reference(x)
    top, low = x.max(-1), x.min(-1)
    turned = _hsv_to_rgb_reference(np.stack([(hsv[..., 0] + delta) % 1, np.ones_like(top), np.ones_like(top)], -1))
    return turned * (top - low)[..., None] + low[..., None]


def _adjust_saturation_reference(x, factor):
    h, s, v = np.moveaxis(_rgb_to_hsv_reference(x), -1, 0)
    return _hsv_to_rgb_reference(np.stack([h, np.clip(s * factor, 0, 1), v], -1))


rgb_to_hsv = _colour_op("rgb_to_hsv", _RGB_TO_HSV, _rgb_to_hsv_reference, vjp=_vjp_rgb_to_hsv)
hsv_to_rgb = _colour_op("hsv_to_rgb", _HSV_TO_RGB, _hsv_to_rgb_reference)
adjust_hue = _colour_op("adjust_hue", _ADJUST_HUE, _adjust_hue_reference, "delta")
adjust_saturation = _colour_op("adjust_saturation", _ADJUST_SATURATION, _adjust_saturation_reference, "factor")
