"""Pooling of [batch, *spatial, channels]: the maximum or mean of each window, and where the maximum is.

TensorFlow has two rules for the maximum. With one or two spatial axes NaN is never it, and its gradient goes to the
first position that holds it; with three, NaN counts if it comes last, and every position that holds the maximum gets
the whole gradient.

    max_pool(x), avg_pool(x)                one element a window
    avg_pool_gradient(g)
    max_pool_argmax(x)                      flat positions within the image
    max_unpool(g, argmax)                   the sum of g where argmax points; its transpose is
    max_pick(x, argmax)                     x at these positions
    max_ties(g, x, y), max_tie_sum(g, x, y) the same where x equals its windows' maximum y
"""

import math
from textwrap import indent

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.dtypes import FLOATING, REAL, DType, int64
from nbflow.errors import InvalidArgumentError
from nbflow.ops.elementwise import zeros_like
from nbflow.ops.patches import extract_reference, merge_reference
from nbflow.ops.table import TABLE, check_dtypes, composite, register, shape_text
from nbflow.ops.windows import (
    COVERING,
    UNROLLED,
    WINDOW,
    Windows,
    at_taps,
    at_windows,
    infer_windows,
    kernel,
    lower_windows,
    windows,
    written_out,
)

T = TABLE


def geometry_of(attrs: dict) -> dict:
    """The attributes that say where windows lie."""
    return {name: attrs[name] for name in ("window", "strides", "padding", "dilations")}


def pool_windows(shape: tuple, attrs: dict) -> Windows:
    """The windows of a pooling op over an input of this shape."""
    return windows(shape, **geometry_of(attrs))


def check_windows(op: str, x, attrs: dict) -> None:
    """The input has an axis for each size of the window, and two more."""
    if len(x.shape) != len(attrs["window"]) + 2:
        raise InvalidArgumentError(
            f"{op}: input has shape {shape_text(x)}; it needs {len(attrs['window'])} spatial axes and two more"
        )


# gradients flow back through g; x gets zeros, where TensorFlow's rules say that g does depend on it
beside = composite(
    "beside", "g x", lambda g, x: g, lambda avals, attrs: aval(avals[0].dtype, avals[0].shape),
    vjp=lambda k, gg, inputs, output, attrs: gg if k == 0 else zeros_like(inputs[1]),
    dtypes=FLOATING, reference=lambda g, x: g,
)  # fmt: skip


# --- one element a window ---------------------------------------------------------------------------------------------

_START = """for c in range(channels):
    store({code}, y, i * channels + c, {start}, 1)
"""
_TAP = """for c in range(channels):
    value, best = load({code}, x, at * channels + c, 0), load({code}, y, i * channels + c, 1)
    store({code}, y, i * channels + c, {better}, 1)
"""
_DIVIDE = """count = {code}({count})
for c in range(channels):
    store({code}, y, i * channels + c, load({code}, y, i * channels + c, 1) / count, 1)
"""
_TAPS_INSIDE = "(hi0 - lo0) * (hi1 - lo1) * (hi2 - lo2)"


def _pool_source(what: str, code: str, size: int, shape: Windows, start: str, better: str, mean: bool) -> str:
    """A kernel that goes through each window with better(best, value), and divides by the taps inside for a mean.

    A window inside the input has its taps written out, if they are few, and its channels in vectors.
    """
    general = (_START + at_taps(_TAP)).format(code=code, start=start, better=better)
    if mean:
        general += _DIVIDE.format(code=code, count=_TAPS_INSIDE)
    if shape.tap_count > UNROLLED:
        return kernel(what, "x, y", 2, WINDOW, general)
    head, steps = written_out(shape.taps, code, size, lambda tap, value: f"value = {value}\nbest = {better}\n")
    steps = f"best = {start}\n{steps}"
    result = f"best / {code}({shape.tap_count})" if mean else "best"
    inside = "for c in range(channels):\n" + indent(
        f"{steps}store({code}, y, i * channels + c, {result}, 1)\n", " " * 4
    )
    body = "if full:\n" + indent(head + inside, " " * 4) + "else:\n" + indent(general, " " * 4)
    return kernel(what, "x, y", 2, WINDOW, body)


def _rule(dtype: DType, axes: int) -> tuple[str, str]:
    """Where the search for a maximum starts, and how it goes on."""
    lowest = "-inf" if dtype.is_floating and axes == 3 else f"{dtype.min}"
    better = "best if best > value else value" if axes == 3 else "value if value > best else best"
    return f"{dtype.code}({lowest})", better


def _infer_pool(name: str, dtypes, result: DType | None = None):
    def infer(avals, attrs):
        check_dtypes(name, ("input",), avals, dtypes)
        check_windows(name, avals[0], attrs)
        return infer_windows(name, avals[0], attrs["window"], attrs, dtype=result)

    return infer


def _lower_max_pool(node, lowering):
    (x,) = node.inputs
    shape = pool_windows(x.shape, node.attrs)
    start, better = _rule(x.dtype, len(node.attrs["window"]))
    source = _pool_source("max_pool: windows", x.dtype.code, x.dtype.size, shape, start, better, False)
    lower_windows(node, lowering, "max_pool", source, shape, shape.outputs, 0.1 * shape.tap_count * shape.channels)


def _vjp_max_pool(k, g, inputs, output, attrs):
    (x,) = inputs
    if len(attrs["window"]) == 3:
        gradient = T["max_ties"](g, x, output, **attrs)
    else:
        gradient = T["max_unpool"](g, T["max_pool_argmax"](x, **attrs), size=tuple(x.nbflow_shape[1:]), **attrs)
    return T["beside"](gradient, x)


def _tap_axes(window: tuple) -> tuple:
    return tuple(range(-1 - len(window), -1))


def _reference_patches(x, attrs, fill):
    """Patches with what lies outside the input replaced."""
    inside = extract_reference(np.ones(x.shape, bool), **geometry_of(attrs))
    return np.where(inside, extract_reference(x, **geometry_of(attrs)), fill), inside


def _max_pool_reference(x, **attrs):
    lowest = np.iinfo(x.dtype).min if x.dtype.kind in "iu" else -np.inf
    patches, _ = _reference_patches(x, attrs, lowest)
    return patches.max(_tap_axes(attrs["window"]), initial=lowest).astype(x.dtype)


max_pool = register(
    Op(
        "max_pool",
        ("input",),
        _infer_pool("max_pool", REAL),
        lower=_lower_max_pool,
        vjp=_vjp_max_pool,
        dtypes=REAL,
        wide=True,
        reference=_max_pool_reference,
    )
)


def _lower_avg_pool(node, lowering):
    (x,) = node.inputs
    code, shape = x.dtype.code, pool_windows(x.shape, node.attrs)
    start, mean = f"{code}(0)", not node.attrs["total"]
    source = _pool_source("avg_pool: windows", code, x.dtype.size, shape, start, "best + value", mean)
    lower_windows(node, lowering, "avg_pool", source, shape, shape.outputs, 0.1 * shape.tap_count * shape.channels)


def _avg_pool_reference(x, total, **attrs):
    patches, inside = _reference_patches(x, attrs, 0)
    axes = _tap_axes(attrs["window"])
    found = patches.sum(axes)
    return found if total else found / inside.sum(axes)


# total: the sum instead of the mean
avg_pool = register(
    Op(
        "avg_pool",
        ("input",),
        _infer_pool("avg_pool", FLOATING),
        lower=_lower_avg_pool,
        vjp=lambda k, g, inputs, output, attrs: T["avg_pool_gradient"](
            g, size=tuple(inputs[0].nbflow_shape[1:]), **attrs
        ),
        dtypes=FLOATING,
        wide=True,
        reference=_avg_pool_reference,
        tolerance=16,
    )
)


# --- back to the input ------------------------------------------------------------------------------------------------

_ZERO = """for c in range(channels):
    store({code}, y, i * channels + c, {code}(0), 1)
"""
# how many taps of the window at position u lie inside the input, along one axis
_INSIDE = """u{a} = t{a} // s{a} * s{a} - p{a}
m{a} = min(k{a}, (n{a} - u{a} + d{a} - 1) // d{a}) - max(0, -(u{a} // d{a}))
"""
_SHARE = """part = {code}({count})
for c in range(channels):
    total = load({code}, y, i * channels + c, 1) + load({code}, x, at * channels + c, 0) / part
    store({code}, y, i * channels + c, total, 1)
"""
_UNPOOL = """for c in range(channels):
    here = load(i64, argmax, at * channels + c, 0) == (i - image * n0 * n1 * n2) * channels + c
    share = load({code}, x, at * channels + c, 0) if here else {code}(0)
    store({code}, y, i * channels + c, {code}(load({code}, y, i * channels + c, 1) + share), 1)
"""
_TIES = """for c in range(channels):
    here = load({code}, x, {input} * channels + c, 0) == load({code}, top, {window} * channels + c, 0)
    share = load({code}, g, at * channels + c, 0) if here else {code}(0)
    store({code}, y, i * channels + c, load({code}, y, i * channels + c, 1) + share, 1)
"""


def _covered_ns(shape: Windows) -> float:
    """Estimated time of the loop over the windows around a position."""
    return 2 * shape.tap_count + 0.3 * shape.channels * max(1, shape.tap_count * shape.outputs // max(1, shape.inputs))


def _infer_back(avals, attrs):
    return aval(avals[0].dtype, (avals[0].shape[0], *attrs["size"]))


def _lower_avg_pool_gradient(node, lowering):
    result, code = node.output, node.output.dtype.code
    shape = pool_windows(result.shape, node.attrs)
    if node.attrs["total"]:
        tap = _SHARE.format(code=code, count=1)
    else:
        tap = "".join(_INSIDE.format(a=a) for a in range(3)) + _SHARE.format(code=code, count="m0 * m1 * m2")
    source = kernel("avg_pool_gradient: positions", "x, y", 2, COVERING, _ZERO.format(code=code) + at_windows(tap))
    lower_windows(node, lowering, "avg_pool_gradient", source, shape, shape.inputs, _covered_ns(shape))


def _avg_pool_gradient_reference(g, size, total, **attrs):
    inside = extract_reference(np.ones((len(g), *size), bool), **geometry_of(attrs))
    axes = _tap_axes(attrs["window"])
    part = g if total else g / inside.sum(axes)
    return merge_reference(np.expand_dims(part, axes) * inside, size, **geometry_of(attrs))


avg_pool_gradient = register(
    Op(
        "avg_pool_gradient",
        ("gradient",),
        _infer_back,
        lower=_lower_avg_pool_gradient,
        vjp=lambda k, g, inputs, output, attrs: T["avg_pool"](g, total=attrs["total"], **geometry_of(attrs)),
        dtypes=FLOATING,
        wide=True,
        reference=_avg_pool_gradient_reference,
        tolerance=16,
    )
)


# --- where the maximum is ---------------------------------------------------------------------------------------------

_ARGMAX = """for c in range(channels):
    best, found = {code}(0), i64(-1)
"""
_ARGMAX_TAP = """value = load({code}, x, at * channels + c, 0)
if found < 0 or value > best:
    best, found = value, (at - image * n0 * n1 * n2) * channels + c
"""
_ARGMAX_END = """    store(i64, y, i * channels + c, found, 1)
"""


def _lower_argmax(node, lowering):
    (x,) = node.inputs
    shape = pool_windows(x.shape, node.attrs)
    body = _ARGMAX + indent(at_taps(_ARGMAX_TAP), " " * 4) + _ARGMAX_END
    source = kernel("max_pool_argmax: windows", "x, y", 2, WINDOW, body.format(code=x.dtype.code))
    ns = shape.tap_count * shape.channels
    lower_windows(node, lowering, "max_pool_argmax", source, shape, shape.outputs, ns)


def _argmax_reference(x, **attrs):
    lowest = np.iinfo(x.dtype).min if x.dtype.kind in "iu" else -np.inf
    patches, inside = _reference_patches(x, attrs, lowest)
    position = np.broadcast_to(np.arange(math.prod(x.shape[1:])).reshape(1, *x.shape[1:]), x.shape)
    place = extract_reference(position, **geometry_of(attrs))
    rank = len(attrs["window"])
    flat = (*patches.shape[: rank + 1], math.prod(attrs["window"]), x.shape[-1])
    patches, place, inside = (a.reshape(flat) for a in (patches, place, inside))
    score = np.where(inside, patches, lowest)
    best = np.argmax(inside & (score == score.max(-2, keepdims=True)), -2)
    return np.take_along_axis(place, best[..., None, :], -2)[..., 0, :]


max_pool_argmax = register(
    Op(
        "max_pool_argmax",
        ("input",),
        _infer_pool("max_pool_argmax", REAL, int64),
        lower=_lower_argmax,
        dtypes=REAL,
        wide=True,
        reference=_argmax_reference,
    )
)


def _lower_unpool(node, lowering):
    result, code = node.output, node.output.dtype.code
    shape = pool_windows(result.shape, node.attrs)
    body = (_ZERO + at_windows(_UNPOOL)).format(code=code)
    source = kernel("max_unpool: positions", "x, argmax, y", 3, COVERING, body)
    lower_windows(node, lowering, "max_unpool", source, shape, shape.inputs, _covered_ns(shape))


def _unpool_reference(g, argmax, size, **attrs):
    result = np.zeros((len(g), math.prod(size)), g.dtype)
    rows = np.broadcast_to(np.arange(len(g)).reshape(-1, *(1,) * (g.ndim - 1)), g.shape)
    np.add.at(result, (rows, argmax), g)
    return result.reshape(len(g), *size)


max_unpool = register(
    Op(
        "max_unpool",
        ("gradient", "argmax"),
        _infer_back,
        lower=_lower_unpool,
        vjp=lambda k, g, inputs, output, attrs: T["max_pick"](g, inputs[1], **geometry_of(attrs)),
        blocked=(1,),
        dtypes=REAL,
        wide=True,
        reference=_unpool_reference,
    )
)


def _pick(x, argmax, **attrs):
    """x at flat positions within each image."""
    batch, inner = x.shape[0], math.prod(x.shape[1:])
    first = T["reshape"](argmax.iota(batch, int64) * inner, shape=(batch, *(1,) * (len(argmax.shape) - 1)))
    return T["gather"](T["reshape"](x, shape=(batch * inner,)), argmax + first, axis=0)


def _pick_reference(x, argmax, **attrs):
    images, places = (a.reshape(len(x), math.prod(a.shape[1:])) for a in (x, argmax))
    return np.take_along_axis(images, places, 1).reshape(argmax.shape)


max_pick = composite(
    "max_pick", "input argmax", _pick,
    lambda avals, attrs: aval(avals[0].dtype, avals[1].shape),
    vjp=lambda k, g, inputs, output, attrs: T["max_unpool"](
        g, inputs[1], size=tuple(inputs[0].nbflow_shape[1:]), **attrs
    ),
    blocked=(1,), dtypes=REAL, reference=_pick_reference,
)  # fmt: skip


# --- wherever the maximum is ------------------------------------------------------------------------------------------


def _ties_op(name: str, transpose: str, back: bool) -> Op:
    """The sum of g over the windows of a position (back), or over the taps of a window, where x equals the maximum."""

    def infer(avals, attrs):
        g, x, y = avals
        check_dtypes(name, ("gradient", "input", "output"), avals, FLOATING)
        return aval(g.dtype, (x if back else y).shape)

    def lower(node, lowering):
        x, code = node.inputs[1], node.output.dtype.code
        shape = pool_windows(x.shape, node.attrs)
        head, loop = (COVERING, at_windows) if back else (WINDOW, at_taps)
        places = {"input": "i" if back else "at", "window": "at" if back else "i"}
        body = (_ZERO + loop(_TIES)).format(code=code, **places)
        source = kernel(f"{name}: {'positions' if back else 'windows'}", "g, x, top, y", 4, head, body)
        units = shape.inputs if back else shape.outputs
        lower_windows(node, lowering, name, source, shape, units, _covered_ns(shape))

    def reference(g, x, y, **attrs):
        axes = _tap_axes(attrs["window"])
        patches, inside = _reference_patches(x, attrs, 0)
        here = inside & (patches == np.expand_dims(y, axes))
        if back:
            return merge_reference(here * np.expand_dims(g, axes), x.shape[1:], **geometry_of(attrs))
        return (here * extract_reference(g, **geometry_of(attrs))).sum(axes)

    return register(
        Op(
            name,
            ("gradient", "input", "output"),
            infer,
            lower=lower,
            vjp=lambda k, g, inputs, output, attrs: T[transpose](g, *inputs[1:], **attrs),
            blocked=(1, 2),
            dtypes=FLOATING,
            wide=True,
            reference=reference,
        )
    )


max_ties = _ties_op("max_ties", "max_tie_sum", True)
max_tie_sum = _ties_op("max_tie_sum", "max_ties", False)
