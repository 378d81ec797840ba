"""Convolution of [batch, *spatial, channels] with filters [*window, channels / groups, outputs], and its gradients.

The channels fall into groups, which the shapes tell: group g of the outputs sees group g of the channels. So a
depthwise convolution is one whose groups have a single channel. Three ops, each linear in both arguments, are each
other's gradients, so that there are gradients of any order:

    convolution(x, f)
    convolution_input_gradient(f, g)    a convolution of g for each remainder of the positions modulo the strides
    convolution_filter_gradient(x, g)

A block of patches that fits the cache is multiplied with the filters by BLAS; groups of one channel, and integers, are
done directly, with the channels in vectors.
"""

import math
from itertools import product
from textwrap import indent

import numpy as np

from nbflow.compiler.graph import Aval, aval
from nbflow.compiler.kernels import SLAB, Grain, Scratch
from nbflow.compiler.op import Op
from nbflow.dtypes import FLOATING, int32
from nbflow.errors import InvalidArgumentError
from nbflow.ops.linalg import GEMM_NS_PER_FLOP
from nbflow.ops.patches import extract_reference, merge_reference
from nbflow.ops.table import TABLE, check_dtypes, composite, register, shape_text, simplifying
from nbflow.ops.windows import (
    UNROLLED,
    WINDOW,
    Windows,
    at_taps,
    geometry,
    infer_windows,
    kernel,
    lower_windows,
    paddings,
    windows,
    written_out,
)
from nbflow.shapes import Dim

T = TABLE
DTYPES = (*FLOATING, int32)
BLOCK_BYTES = 256 * 1024  # of patches: they stay in a core's second-level cache until they are multiplied
LEAST_ROWS = 48  # of a block: BLAS reorders the filters for each


# --- shapes -----------------------------------------------------------------------------------------------------------


def _groups(x: Aval, filters: Aval):
    """How many groups the channels fall into.

    Raises:
        InvalidArgumentError: shapes do not fit.
    """
    channels, depth, outputs = x.shape[-1], filters.shape[-2], filters.shape[-1]
    if isinstance(channels, Dim) or isinstance(depth, Dim):
        return 1
    if depth == 0 or channels % depth:
        raise InvalidArgumentError(
            f"convolution: input of shape {shape_text(x)} has {channels} channels, which is no multiple of the "
            f"{depth} channels of filters of shape {shape_text(filters)}"
        )
    groups = channels // depth
    if groups and not isinstance(outputs, Dim) and outputs % groups:
        raise InvalidArgumentError(
            f"convolution: input depth {channels} and filter depth {depth} make {groups} groups, by which the "
            f"{outputs} outputs of filters of shape {shape_text(filters)} must be divisible"
        )
    return groups


def _check_ranks(names: tuple, *avals: Aval) -> None:
    first, *others = avals
    if not 3 <= len(first.shape) <= 5 or any(len(a.shape) != len(first.shape) for a in others):
        shapes = " and ".join(f"{name} has shape {shape_text(a)}" for name, a in zip(names, avals, strict=True))
        raise InvalidArgumentError(f"convolution: {shapes}; both need one to three spatial axes and two more")


def _infer(avals, attrs):
    check_dtypes("convolution", ("input", "filters"), avals, DTYPES)
    x, filters = avals
    _check_ranks(("input", "filters"), x, filters)
    _groups(x, filters)
    return infer_windows("convolution", x, filters.shape[:-2], attrs, channels=filters.shape[-1])


def _infer_input_gradient(avals, attrs):
    check_dtypes("convolution_input_gradient", ("filters", "gradient"), avals, DTYPES)
    filters, g = avals
    _check_ranks(("filters", "gradient"), filters, g)
    result = aval(g.dtype, (g.shape[0], *attrs["size"]))
    _groups(result, filters)
    _check_result(_infer([result, filters], {k: v for k, v in attrs.items() if k != "size"}), g)
    return result


def _infer_filter_gradient(avals, attrs):
    check_dtypes("convolution_filter_gradient", ("input", "gradient"), avals, DTYPES)
    x, g = avals
    _check_ranks(("input", "gradient"), x, g)
    result = aval(g.dtype, attrs["size"])
    _check_result(_infer([x, result], {k: v for k, v in attrs.items() if k != "size"}), g)
    return result


def _check_result(expected: Aval, g: Aval) -> None:
    """A gradient has the shape of the result of the convolution."""
    for n, m in zip(expected.shape, g.shape, strict=True):
        if n != m and not isinstance(n, Dim) and not isinstance(m, Dim):
            raise InvalidArgumentError(
                f"convolution: the values that flow back have shape {shape_text(g)}, but the convolution has a result "
                f"of shape {shape_text(expected)}"
            )


def _geometry(attrs: dict) -> dict:
    return {name: attrs[name] for name in ("strides", "padding", "dilations")}


# --- by patches and BLAS ----------------------------------------------------------------------------------------------

# patch i of one group of channels, written to `row`; where a group is all channels, taps next to each other are one run
_PATCH = """if not full:
    for c in range(taps * depth):
        store({code}, row, c, {code}(0), {scope})
for j0 in range(lo0, hi0):
    for j1 in range(lo1, hi1):
        line = ((image * n0 + t0 + j0 * d0) * n1 + t1 + j1 * d1) * n2 + t2
        part = (j0 * k1 + j1) * k2 * depth
        if d2 == 1 and depth == channels:
            for c in range(lo2 * depth, hi2 * depth):
                store({code}, row, part + c, load({code}, x, line * channels + c, 0), {scope})
        else:
            for j2 in range(lo2, hi2):
                at = (line + j2 * d2) * channels + group * depth
                for c in range(depth):
                    store({code}, row, part + j2 * depth + c, load({code}, x, at + c, 0), {scope})
"""
_MULTIPLY = (
    '''def {{name}}(p, begin, end):
    """convolution {code}: windows [begin, end) as rows of a matrix of patches, times the filters"""
    x, f, y, scratch, grain = word(p, 0), word(p, 1), word(p, 2), word(p, 3), word(p, 4)
    groups, depth, outputs, block = word(p, 5), word(p, 6), word(p, 7), word(p, 8)'''
    + geometry(9)
    + """    taps = k0 * k1 * k2
    part_of_outputs = outputs // groups
    scratch += (begin // grain) * block * taps * depth * {size}
    first = begin
    while first < end:
        rows = min(block, end - first)
        for group in range(groups):
            for i in range(first, first + rows):
                row = scratch + (i - first) * taps * depth * {size}
"""
    + indent(WINDOW + _PATCH, " " * 16).replace("{scope}", "2")
    + """            gemm({code}, 0, 0, rows, part_of_outputs, taps * depth, scratch, taps * depth,
                 f + group * part_of_outputs * {size}, outputs,
                 y + (first * outputs + group * part_of_outputs) * {size}, outputs)
        first += rows
"""
)
# rows [begin, end) of the gradient are taps and channels of a group, the columns its outputs
_CORRELATE = (
    '''def {{name}}(p, begin, end):
    """filter gradient {code}: rows [begin, end) of transposed patches, times the gradient"""
    x, g, y, scratch, grain = word(p, 0), word(p, 1), word(p, 2), word(p, 3), word(p, 4)
    groups, depth, outputs, block, count = word(p, 5), word(p, 6), word(p, 7), word(p, 8), word(p, 9)'''
    + geometry(10)
    + """    part_of_outputs, wide = outputs // groups, end - begin
    scratch += (begin // grain) * block * grain * {size}
    for k in range(begin * outputs, end * outputs):
        store({code}, y, k, {code}(0), 1)
    first = 0
    while first < count:
        rows = min(block, count - first)
        for group in range(groups):
            for i in range(first, first + rows):
                row = scratch + ((i - first) * wide - begin) * {size}
"""
    + indent(WINDOW, " " * 16)
    + """                k = begin
                while k < end:
                    tap, c = k // depth, k % depth
                    run = min(depth - c, end - k)
                    q0, q1, q2 = t0 + tap // (k1 * k2) * d0, t1 + tap // k2 % k1 * d1, t2 + tap % k2 * d2
                    if (0 <= q0 < n0) and (0 <= q1 < n1) and (0 <= q2 < n2):
                        at = (((image * n0 + q0) * n1 + q1) * n2 + q2) * channels + group * depth + c
                        for j in range(run):
                            store({code}, row, k + j, load({code}, x, at + j, 0), 2)
                    else:
                        for j in range(run):
                            store({code}, row, k + j, {code}(0), 2)
                    k += run
            gemm_add({code}, 1, 0, wide, part_of_outputs, rows, scratch, wide,
                     g + (first * outputs + group * part_of_outputs) * {size}, outputs,
                     y + (begin * outputs + group * part_of_outputs) * {size}, outputs)
        first += rows
"""
)


def _block(row_bytes: int, rows: int) -> int:
    """Rows of a block of patches."""
    return max(1, min(rows, max(LEAST_ROWS, BLOCK_BYTES // row_bytes)))


def _cost(node, windows_: Windows, depth: int, outputs: int) -> float:
    flops = 2 * windows_.outputs * windows_.tap_count * depth * outputs
    return 500 + flops * GEMM_NS_PER_FLOP.get(node.output.dtype.code, 0.5)


def _dense_inputs(node, lowering) -> tuple[list, list]:
    found = [lowering.dense(lowering.place(v), v.shape) for v in node.inputs]
    return [address for address, _ in found], [touch for _, touch in found]


def _lower(node, lowering):
    x, filters = node.inputs
    result, code, size = node.output, node.output.dtype.code, node.output.dtype.size
    *taps, depth, outputs = filters.shape
    shape = windows(x.shape, taps, **_geometry(node.attrs))
    groups = _groups(x.aval, filters.aval)
    if not result.aval.size or not x.aval.size:
        lowering.fill(result, 0)
    elif depth == 1 < groups or code == "i32":
        _lower_direct(node, lowering, shape, groups)
    else:
        row_bytes = shape.tap_count * depth * size
        block = _block(row_bytes, shape.outputs)
        addresses, touches = _dense_inputs(node, lowering)
        words = [*addresses, lowering.address(result), Scratch(block * row_bytes), Grain()]
        words += [groups, depth, outputs, block, *shape.words]
        touches.append(lowering.writes(result, SLAB, outputs * size))
        cost = _cost(node, shape, depth, outputs)
        source = _MULTIPLY.format(code=code, size=size)
        lowering.call("convolution", source, words, shape.outputs, touches, cost, whole=True)


# --- directly ---------------------------------------------------------------------------------------------------------

_EMPTY_ROW = """for c in range(outputs):
    store({code}, y, i * outputs + c, {code}(0), 1)
"""
# a group has {depth} channels and {each} outputs: literals, for the inner loops to be written out
_DIRECT_TAP = """for j in range({depth}):
    weights = (tap * {depth} + j) * outputs
    for group in range(outputs // {each}):
        value = load({code}, x, at * channels + group * {depth} + j, 0)
        for m in range({each}):
            c = group * {each} + m
            total = load({code}, y, i * outputs + c, 1) + value * load({code}, f, weights + c, 0)
            store({code}, y, i * outputs + c, {code}(total), 1)
"""
_DIRECT_HEAD = "outputs = word(p, 22)\n"


def _lower_direct(node, lowering, shape: Windows, groups: int):
    """Every window by itself, its channels in vectors; a window inside the input has its taps written out."""
    _, filters = node.inputs
    *_, depth, outputs = filters.shape
    names = {"code": node.output.dtype.code, "depth": depth, "each": outputs // groups}
    body = (_EMPTY_ROW + at_taps(_DIRECT_TAP)).format(**names)
    if depth == names["each"] == 1 and shape.tap_count <= UNROLLED:
        body = _depthwise(shape, names["code"], node.output.dtype.size, body)
    source = kernel("convolution: windows", "x, f, y", 3, WINDOW + _DIRECT_HEAD, body)
    ns = 0.1 * shape.tap_count * depth * outputs
    lower_windows(node, lowering, "direct_convolution", source, shape, shape.outputs, ns, [outputs])


def _depthwise(shape: Windows, code: str, size: int, otherwise: str) -> str:
    head, sums = written_out(
        shape.taps,
        code,
        size,
        lambda tap, value: f"total += {value} * load({code}, f, {tap} * outputs + c, 0)\n",
    )
    inside = f"for c in range(outputs):\n    total = {code}(0)\n"
    inside += indent(sums, " " * 4) + f"    store({code}, y, i * outputs + c, total, 1)\n"
    return "if full:\n" + indent(head + inside, " " * 4) + "else:\n" + indent(otherwise, " " * 4)


# the gradient of a group of one channel: unit i is a tap; sums go line by line, for precision
_DIRECT_GRADIENT = '''def {{name}}(p, begin, end):
    """filter gradient {code}: taps and channels [begin, end)"""
    x, g, y, outputs, images = word(p, 0), word(p, 1), word(p, 2), word(p, 3), word(p, 4)
    scratch, grain = word(p, 5), word(p, 6)'''
_DIRECT_GRADIENT_LOOP = """    scratch += (begin // grain) * outputs * {size}
    for i in range(begin, end):
        tap, j = i // {depth}, i % {depth}
        j0, j1, j2 = tap // (k1 * k2), tap // k2 % k1, tap % k2
        for c in range(outputs):
            store({code}, y, i * outputs + c, {code}(0), 1)
        for line in range(images * o0 * o1):
            q1 = line % o1 * s1 - p1 + j1 * d1
            q0 = line // o1 % o0 * s0 - p0 + j0 * d0
            if q0 < 0 or q0 >= n0 or q1 < 0 or q1 >= n1:
                continue
            for c in range(outputs):
                store({code}, scratch, c, {code}(0), 2)
            for c2 in range(o2):
                q2 = c2 * s2 - p2 + j2 * d2
                if q2 < 0 or q2 >= n2:
                    continue
                at = (((line // (o0 * o1) * n0 + q0) * n1 + q1) * n2 + q2) * channels + j
                for group in range(outputs // {each}):
                    value = load({code}, x, at + group * {depth}, 0)
                    for m in range({each}):
                        c = group * {each} + m
                        total = load({code}, scratch, c, 2) + value * load({code}, g, (line * o2 + c2) * outputs + c, 0)
                        store({code}, scratch, c, {code}(total), 2)
            for c in range(outputs):
                total = load({code}, y, i * outputs + c, 1) + load({code}, scratch, c, 2)
                store({code}, y, i * outputs + c, {code}(total), 1)
"""


def _lower_filter_gradient(node, lowering):
    x, _ = node.inputs
    result, code, size = node.output, node.output.dtype.code, node.output.dtype.size
    *taps, depth, outputs = result.shape
    shape = windows(x.shape, taps, **_geometry(node.attrs))
    if not result.aval.size or not x.aval.size or not shape.outputs:
        lowering.fill(result, 0)
        return
    groups = _groups(x.aval, result.aval)
    addresses, touches = _dense_inputs(node, lowering)
    touches.append(lowering.writes(result, SLAB, outputs * size))
    words = [*addresses, lowering.address(result)]
    units, cost = shape.tap_count * depth, _cost(node, shape, depth, outputs)
    if depth == 1 < groups or code == "i32":
        words += [outputs, shape.batch, Scratch(outputs * size), Grain(), *shape.words]
        source = (_DIRECT_GRADIENT + geometry(7) + _DIRECT_GRADIENT_LOOP).format(
            code=code, size=size, depth=depth, each=outputs // groups
        )
        lowering.call("direct_filter_gradient", source, words, units, touches, 10 * cost)
        return
    block = _block(units * size, shape.outputs)
    words += [Scratch(block * units * size), Grain(), groups, depth, outputs, block, shape.outputs, *shape.words]
    source = _CORRELATE.format(code=code, size=size)
    lowering.call("filter_gradient", source, words, units, touches, cost, whole=True)


# --- the gradient for the input, in convolutions ----------------------------------------------------------------------


def _transposed(filters, groups: int):
    """Filters whose channels and outputs have changed places, within each group."""
    *taps, depth, outputs = filters.shape
    rank = len(taps)
    axes = tuple(range(rank))
    split = T["reshape"](filters, shape=(*taps, depth, groups, outputs // groups))
    swapped = T["transpose"](split, perm=(*axes, rank + 2, rank + 1, rank))
    return T["reshape"](swapped, shape=(*taps, outputs // groups, groups * depth))


def _phase(remainder: int, stride: int, taps: int, dilation: int, before: int):
    """Which taps reach the positions of an axis that leave this remainder modulo the stride.

    Returns:
        (first tap, from tap to tap, how many, dilation, offset): position remainder + stride · m gets tap
        first + step · j of window m + offset - j · dilation.
    """
    step = stride // math.gcd(stride, dilation)
    first = next((k for k in range(min(step, taps)) if (remainder + before - k * dilation) % stride == 0), None)
    if first is None:
        return None
    offset = (remainder + before - first * dilation) // stride
    return first, step, -(-(taps - first) // step), step * dilation // stride, offset


def _phase_gradient(turned, g, phases: list, counts: list):
    """The gradient at the positions of one remainder: a convolution with every step-th tap, in reverse order."""
    rank = len(phases)
    begin = tuple(first + step * (count - 1) for first, step, count, _, _ in phases)
    sizes = tuple(count for _, _, count, _, _ in phases)
    steps = tuple(-step for _, step, _, _, _ in phases)
    part = {"begin": (*begin, 0, 0), "step": (*steps, 1, 1), "shape": (*sizes, *turned.shape[rank:])}
    chosen = turned if math.prod(turned.shape[:rank]) == 1 else T["strided_slice"](turned, **part)
    pads = []
    for (_, _, count, dilation, offset), wanted, size in zip(phases, counts, g.shape[1:-1], strict=True):
        before = (count - 1) * dilation - offset
        pads.append((before, wanted - size - before + (count - 1) * dilation))
    dilations = tuple(dilation for _, _, _, dilation, _ in phases)
    return T["convolution"](g, chosen, strides=(1,) * rank, padding=tuple(pads), dilations=dilations)


def _input_gradient(filters, g, size, strides, padding, dilations):
    *spatial, channels = size
    rank, batch = len(spatial), g.shape[0]
    groups = channels // filters.shape[-2] if filters.shape[-2] else 1
    if 0 in (*size, *g.shape, *filters.shape):
        return T["fill_like"](g, shape=(batch, *size), value=0)
    pads = paddings(spatial, filters.shape[:rank], strides, padding, dilations)
    turned = _transposed(filters, groups)
    counts = [-(-n // s) for n, s in zip(spatial, strides, strict=True)]
    parts = []
    for remainders in product(*(range(s) for s in strides)):
        axes = zip(remainders, strides, filters.shape, dilations, (before for before, _ in pads), strict=False)
        phases = [_phase(*axis) for axis in axes]
        if None in phases:
            parts.append(T["fill_like"](g, shape=(batch, *counts, channels), value=0))
        else:
            parts.append(_phase_gradient(turned, g, phases, counts))
    return _interleaved(parts, batch, counts, strides, size)


def _interleaved(parts: list, batch: int, counts: list, strides: tuple, size: tuple):
    """Parts by remainder, [batch, *counts, channels] each, as the positions of the whole; the last axes first."""
    rank, channels = len(counts), size[-1]
    inner = [channels]
    for axis in reversed(range(rank)):
        s = strides[axis]
        shape = (batch, *counts[: axis + 1], 1, *inner)
        rows = [T["reshape"](part, shape=shape) for part in parts]
        joined = [rows[k] if s == 1 else T["concat"](*rows[k : k + s], axis=axis + 2) for k in range(0, len(rows), s)]
        inner = [counts[axis] * s, *inner]
        parts = [T["reshape"](part, shape=(batch, *counts[:axis], *inner)) for part in joined]
    (whole,) = parts
    if tuple(whole.shape[1:]) == tuple(size):
        return whole
    zeros, ones = (0,) * (rank + 2), (1,) * (rank + 2)
    return T["strided_slice"](whole, begin=zeros, step=ones, shape=(batch, *size))


# --- the ops ----------------------------------------------------------------------------------------------------------


def _simplify(x, filters, strides, padding, dilations):
    """Windows of one tap, side by side, without groups: a matrix product."""
    *taps, depth, outputs = filters.shape
    spatial = x.shape[1:-1]
    if math.prod(taps) != 1 or depth != x.shape[-1] or set(strides) != {1} or x.dtype not in FLOATING:
        return None
    if any(pads != (0, 0) for pads in paddings(spatial, taps, strides, padding, dilations)):
        return None
    rows = T["reshape"](x, shape=(math.prod(x.shape[:-1]), depth))
    weights = T["reshape"](filters, shape=(depth, outputs))
    return T["reshape"](
        T["matmul"](rows, weights, transpose_a=False, transpose_b=False), shape=(*x.shape[:-1], outputs)
    )


def _vjp(k, g, inputs, output, attrs):
    x, filters = inputs
    if k == 0:
        return T["convolution_input_gradient"](filters, g, size=tuple(x.nbflow_shape[1:]), **attrs)
    return T["convolution_filter_gradient"](x, g, size=tuple(filters.nbflow_shape), **attrs)


def _vjp_input_gradient(k, g, inputs, output, attrs):
    filters, upstream = inputs
    if k == 0:
        size = tuple(filters.nbflow_shape)
        return T["convolution_filter_gradient"](g, upstream, size=size, **_geometry(attrs))
    return T["convolution"](g, filters, **_geometry(attrs))


def _vjp_filter_gradient(k, g, inputs, output, attrs):
    x, upstream = inputs
    if k == 0:
        size = tuple(x.nbflow_shape[1:])
        return T["convolution_input_gradient"](g, upstream, size=size, **_geometry(attrs))
    return T["convolution"](x, g, **_geometry(attrs))


def _grouped(filters, channels: int):
    """Filters as a dense array [*taps, groups, depth, outputs of a group], for references."""
    *taps, depth, outputs = filters.shape
    groups = channels // depth
    return np.moveaxis(filters.reshape(*taps, depth, groups, outputs // groups), -2, -3)


def _reference(x, filters, strides, padding, dilations):
    rank, taps = x.ndim - 2, filters.shape[:-2]
    patches = extract_reference(x, taps, strides, padding, dilations)
    weights = _grouped(filters, x.shape[-1])
    split = patches.reshape(*patches.shape[:-1], *weights.shape[rank : rank + 2])
    axes = "abc"[:rank]
    found = np.einsum(f"...{axes}gd,{axes}gdm->...gm", split, weights)
    return found.reshape(*found.shape[:-2], filters.shape[-1])


def _input_gradient_reference(filters, g, size, strides, padding, dilations):
    rank, taps = g.ndim - 2, filters.shape[:-2]
    weights = _grouped(filters, size[-1])
    split = g.reshape(*g.shape[:-1], weights.shape[rank], weights.shape[-1])
    axes = "abc"[:rank]
    patches = np.einsum(f"...gm,{axes}gdm->...{axes}gd", split, weights)
    return merge_reference(patches.reshape(*g.shape[:-1], *taps, size[-1]), size, taps, strides, padding, dilations)


def _filter_gradient_reference(x, g, size, strides, padding, dilations):
    *taps, depth, outputs = size
    rank, groups = len(taps), x.shape[-1] // depth
    patches = extract_reference(x, tuple(taps), strides, padding, dilations)
    count = math.prod(g.shape[:-1])
    split = patches.reshape(count, *taps, groups, depth)
    axes = "abc"[:rank]
    found = np.einsum(f"n{axes}gd,ngm->{axes}dgm", split, g.reshape(count, groups, outputs // groups))
    return found.reshape(size)


convolution = register(
    Op(
        "convolution",
        ("input", "filters"),
        _infer,
        lower=_lower,
        vjp=_vjp,
        simplify=simplifying(_simplify),
        dtypes=DTYPES,
        wide=True,
        reference=_reference,
        tolerance=32,
    )
)
convolution_input_gradient = composite(
    "convolution_input_gradient",
    "filters gradient",
    _input_gradient,
    _infer_input_gradient,
    vjp=_vjp_input_gradient,
    dtypes=DTYPES,
    reference=_input_gradient_reference,
    tolerance=32,
)
convolution_filter_gradient = register(
    Op(
        "convolution_filter_gradient",
        ("input", "gradient"),
        _infer_filter_gradient,
        lower=_lower_filter_gradient,
        vjp=_vjp_filter_gradient,
        dtypes=DTYPES,
        wide=True,
        reference=_filter_gradient_reference,
        tolerance=32,
    )
)
