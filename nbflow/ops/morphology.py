"""Greyscale morphology of images [batch, height, width, channels].

dilation(input, filters)            the greatest of input + filter in each window
dilation_place(input, filters)      where in the image that is, as max_pool_argmax says it
dilation_tap(input, filters)        which element of the filters that is
"""

from textwrap import indent

import numpy as np

from nbflow.compiler.op import Op
from nbflow.dtypes import REAL, int64
from nbflow.errors import InvalidArgumentError
from nbflow.ops.patches import extract_reference
from nbflow.ops.table import TABLE, check_dtypes, register, shape_text
from nbflow.ops.windows import WINDOW, at_taps, infer_windows, kernel, lower_windows, windows
from nbflow.shapes import could_be_equal

T = TABLE

_GREATEST = """for c in range(channels):
    store({code}, y, i * channels + c, {code}({lowest}), 1)
"""
_GREATEST_TAP = """for c in range(channels):
    value = {code}(load({code}, x, at * channels + c, 0) + load({code}, f, tap * channels + c, 0))
    best = load({code}, y, i * channels + c, 1)
    store({code}, y, i * channels + c, value if value > best else best, 1)
"""
_FIND = """for c in range(channels):
    best, found = {code}({lowest}), {first}
"""
_FIND_TAP = """value = {code}(load({code}, x, at * channels + c, 0) + load({code}, f, tap * channels + c, 0))
if value > best:
    best, found = value, {found}
"""
_FOUND = """    store(i64, y, i * channels + c, found, 1)
"""
# what is found: where the search starts, and at a tap
_FOUNDS = {
    "dilation_place": ("(max(t1, 0) * n2 + max(t2, 0)) * channels + c", "(at - image * n0 * n1 * n2) * channels + c"),
    "dilation_tap": ("c", "tap * channels + c"),
}


def _infer(name: str, result=None):
    def infer(avals, attrs):
        check_dtypes(name, ("input", "filters"), avals, REAL)
        x, filters = avals
        if len(x.shape) != 4 or len(filters.shape) != 3 or not could_be_equal(x.shape[3:], filters.shape[2:]):
            raise InvalidArgumentError(
                f"{name}: input has shape {shape_text(x)} and filters {shape_text(filters)}; they must be "
                f"[batch, height, width, channels] and [height, width, channels], with the same channels"
            )
        return infer_windows(name, x, filters.shape[:2], attrs, dtype=result)

    return infer


def _lower(node, lowering):
    x, filters = node.inputs
    name, names = node.op.name, {"code": x.dtype.code, "lowest": x.dtype.min}
    shape = windows(x.shape, filters.shape[:2], *(node.attrs[k] for k in ("strides", "padding", "dilations")))
    if name in _FOUNDS:
        first, found = _FOUNDS[name]
        body = _FIND + indent(at_taps(_FIND_TAP.replace("{found}", found)), " " * 4) + _FOUND
        names["first"] = first
    else:
        body = _GREATEST + at_taps(_GREATEST_TAP)
    source = kernel(f"{name}: windows", "x, f, y", 3, WINDOW, body.format(**names))
    lower_windows(node, lowering, name, source, shape, shape.outputs, shape.tap_count * shape.channels)


def _vjp(k, g, inputs, output, attrs):
    x, filters = inputs
    if k == 0:
        place, window = T["dilation_place"](x, filters, **attrs), tuple(filters.nbflow_shape[:2])
        return T["max_unpool"](g, place, size=tuple(x.nbflow_shape[1:]), window=window, **attrs)
    height, width, channels = filters.nbflow_shape
    count = 1
    for n in g.nbflow_shape:
        count = count * n
    flat, taps = (T["reshape"](v, shape=(count,)) for v in (g, T["dilation_tap"](x, filters, **attrs)))
    total = T["unsorted_segment_sum"](flat, taps, num_segments=height * width * channels)
    return T["reshape"](total, shape=(height, width, channels))


def _reference(name: str):
    def reference(x, filters, **attrs):
        window = filters.shape[:2]
        values = extract_reference(x, window, **attrs) + filters
        inside = extract_reference(np.ones(x.shape, bool), window, **attrs)
        lowest = np.iinfo(x.dtype).min if x.dtype.kind in "iu" else np.finfo(x.dtype).min
        values = np.where(inside, values, lowest)
        values = values.reshape(*values.shape[:3], window[0] * window[1], x.shape[3])
        if name == "dilation":
            return values.max(3, initial=lowest)
        best = values.argmax(3)
        places = np.arange(np.prod(x.shape[1:])).reshape(1, *x.shape[1:])
        if name == "dilation_place":
            found = extract_reference(np.broadcast_to(places, x.shape), window, **attrs).reshape(values.shape)
        else:
            found = np.broadcast_to(np.arange(filters.size).reshape(-1, x.shape[3]), values.shape)
        return np.take_along_axis(found, best[:, :, :, None], 3)[:, :, :, 0]

    return reference


for _name, _result in (("dilation", None), ("dilation_place", int64), ("dilation_tap", int64)):
    register(
        Op(
            _name,
            ("input", "filters"),
            _infer(_name, _result),
            lower=_lower,
            vjp=None if _result else _vjp,
            dtypes=REAL,
            wide=True,
            reference=_reference(_name),
        )
    )
