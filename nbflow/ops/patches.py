"""Patches: what lies in each window of an image, in a row; and their sum back into the image."""

import math

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.dtypes import ALL, NUMERIC
from nbflow.ops.table import TABLE, check_dtypes, register
from nbflow.ops.windows import COVERING, WINDOW, at_taps, at_windows, infer_windows, kernel, lower_windows, windows

T = TABLE

_EXTRACT = """row = y + i * k0 * k1 * k2 * channels * {size}
if not full:
    for c in range(k0 * k1 * k2 * channels):
        store({code}, row, c, {zero}(0), 1)
"""
_EXTRACT_TAP = """for c in range(channels):
    store({code}, row, tap * channels + c, load({code}, x, at * channels + c, 0), 1)
"""
_MERGE = """for c in range(channels):
    store({code}, y, i * channels + c, {code}(0), 1)
"""
_MERGE_TAP = """part = (at * k0 * k1 * k2 + tap) * channels
for c in range(channels):
    total = load({code}, y, i * channels + c, 1) + load({code}, x, part + c, 0)
    store({code}, y, i * channels + c, {code}(total), 1)
"""


def _attrs(attrs: dict) -> tuple:
    return attrs["window"], attrs["strides"], attrs["padding"], attrs["dilations"]


def _infer_extract(avals, attrs):
    check_dtypes("extract_patches", ("images",), avals, ALL)
    depth = avals[0].shape[-1]
    for taps in attrs["window"]:
        depth = depth * taps
    return infer_windows("extract_patches", avals[0], attrs["window"], attrs, channels=depth)


def _lower_extract(node, lowering):
    (x,) = node.inputs
    names = {"code": x.dtype.code, "size": x.dtype.size, "zero": x.dtype.compute}
    shape = windows(x.shape, *_attrs(node.attrs))
    body = (_EXTRACT + at_taps(_EXTRACT_TAP)).format(**names)
    source = kernel("extract_patches: windows", "x, y", 2, WINDOW, body)
    lower_windows(
        node, lowering, "extract_patches", source, shape, shape.outputs, 0.3 * shape.tap_count * shape.channels
    )


def _vjp_extract(k, g, inputs, output, attrs):
    return T["merge_patches"](g, size=tuple(inputs[0].nbflow_shape[1:]), **attrs)


def extract_reference(x, window, strides, padding, dilations):
    """All patches of [batch, *spatial, channels] as [batch, *positions, *window, channels]."""
    shape = windows(x.shape, window, strides, padding, dilations)
    rank = len(window)
    found = shape.positions[3 - rank :]
    result = np.zeros((x.shape[0], *found, *window, x.shape[-1]), x.dtype)
    for position in np.ndindex(*found):
        for tap in np.ndindex(*window):
            at = [
                o * s + k * d - b
                for o, s, k, d, b in zip(position, strides, tap, dilations, shape.before[3 - rank :], strict=True)
            ]
            if all(0 <= a < n for a, n in zip(at, x.shape[1:-1], strict=True)):
                result[(slice(None), *position, *tap)] = x[(slice(None), *at)]
    return result


def _extract_reference(x, window, strides, padding, dilations):
    patches = extract_reference(x, window, strides, padding, dilations)
    return patches.reshape(*patches.shape[: len(window) + 1], math.prod(window) * x.shape[-1])


extract_patches = register(
    Op(
        "extract_patches",
        ("images",),
        _infer_extract,
        lower=_lower_extract,
        vjp=_vjp_extract,
        reference=_extract_reference,
    )
)


def _lower_merge(node, lowering):
    (x,), result = node.inputs, node.output
    shape = windows(result.shape, *_attrs(node.attrs))
    body = (_MERGE + at_windows(_MERGE_TAP)).format(code=x.dtype.code)
    source = kernel("merge_patches: positions", "x, y", 2, COVERING, body)
    lower_windows(node, lowering, "merge_patches", source, shape, shape.inputs, 0.5 * shape.tap_count * shape.channels)


def _vjp_merge(k, g, inputs, output, attrs):
    return T["extract_patches"](g, **{name: value for name, value in attrs.items() if name != "size"})


def merge_reference(x, size, window, strides, padding, dilations):
    """The sum of patches [batch, *positions, *window, channels] at where they were taken from."""
    shape = windows((len(x), *size), window, strides, padding, dilations)
    rank = len(window)
    result = np.zeros((len(x), *size), x.dtype)
    for position in np.ndindex(*shape.positions[3 - rank :]):
        for tap in np.ndindex(*window):
            at = [
                o * s + k * d - b
                for o, s, k, d, b in zip(position, strides, tap, dilations, shape.before[3 - rank :], strict=True)
            ]
            if all(0 <= a < n for a, n in zip(at, size[:-1], strict=True)):
                result[(slice(None), *at)] += x[(slice(None), *position, *tap)]
    return result


def _merge_reference(x, size, window, strides, padding, dilations):
    patches = x.reshape(*x.shape[:-1], *window, size[-1])
    return merge_reference(patches, size, window, strides, padding, dilations)


merge_patches = register(
    Op(
        "merge_patches",
        ("patches",),
        lambda avals, attrs: aval(avals[0].dtype, (avals[0].shape[0], *attrs["size"])),
        lower=_lower_merge,
        vjp=_vjp_merge,
        dtypes=NUMERIC,
        wide=True,
        reference=_merge_reference,
    )
)
