"""Borders around a tensor, rolled axes, parts of an axis, repeated positions; clipping and sums of many."""

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import PART
from nbflow.compiler.layout import Place
from nbflow.compiler.op import Op
from nbflow.dtypes import NUMERIC, REAL, int32, int64
from nbflow.errors import InvalidArgumentError
from nbflow.ops.elementwise import where
from nbflow.ops.table import TABLE, check_dtypes, composite, register, shape_text
from nbflow.shapes import Dim, broadcast, contiguous_strides, could_be_equal

T = TABLE


# --- pad --------------------------------------------------------------------------------------------------------------


def _infer_pad(avals, attrs):
    a, value = avals
    check_dtypes("pad", ("tensor", "constant_values"), avals, (a.dtype,))
    if value.shape != ():
        raise InvalidArgumentError(f"pad: constant_values has shape {shape_text(value)}; it takes a scalar")
    sizes = zip(a.shape, attrs["before"], attrs["after"], strict=True)
    return aval(a.dtype, tuple(n + low + high for n, low, high in sizes))


def _lower_pad(node, lowering):
    """The tensor in the middle; then for each axis what lies before and after, as wide as the axes after it are."""
    tensor, value = node.inputs
    result, before = node.output, node.attrs["before"]
    dense, target = contiguous_strides(result.shape), lowering.buffer(result)
    offset = sum(low * s for low, s in zip(before, dense, strict=True))
    lowering.copy(lowering.place(tensor), tensor.shape, target, offset, dense, how=PART)
    source = lowering.place(value)
    number = Place(source.root, source.offset, (0,) * len(result.shape))
    for axis, (low, n) in enumerate(zip(before, tensor.shape, strict=True)):
        inside = sum(b * s for b, s in zip(before[:axis], dense[:axis], strict=True))
        for start, size in ((0, low), (low + n, node.attrs["after"][axis])):
            part = (*tensor.shape[:axis], size, *result.shape[axis + 1 :])
            lowering.copy(number, part, target, inside + start * dense[axis], dense, how=PART)


def _vjp_pad(k, g, inputs, output, attrs):
    shape = inputs[0].nbflow_shape
    return T["strided_slice"](g, begin=attrs["before"], step=(1,) * len(shape), shape=shape)


def _pad_reference(x, value, before, after):
    sizes = zip(x.shape, before, after, strict=True)
    result = np.full([n + low + high for n, low, high in sizes], value, x.dtype)
    result[tuple(slice(low, low + n) for n, low in zip(x.shape, before, strict=True))] = x
    return result


pad = register(
    Op(
        "pad",
        ("tensor", "constant_values"),
        _infer_pad,
        lower=_lower_pad,
        vjp=_vjp_pad,
        blocked=(1,),
        reference=_pad_reference,
    )
)


# --- roll, split, repeat ----------------------------------------------------------------------------------------------


def _part(x, axis: int, start, size):
    """x[start : start + size] along an axis."""
    shape = getattr(x, "nbflow_shape", None) or x.shape
    begin = tuple(start if d == axis else 0 for d in range(len(shape)))
    kept = tuple(size if d == axis else n for d, n in enumerate(shape))
    return T["strided_slice"](x, begin=begin, step=(1,) * len(shape), shape=kept)


def _roll(x, shift, axis):
    n = x.shape[axis]
    if n == 0 or shift % n == 0:
        return T["identity"](x)
    shift = shift % n
    return T["concat"](_part(x, axis, n - shift, shift), _part(x, axis, 0, n - shift), axis=axis)


roll = composite(
    "roll", "input", _roll, lambda avals, attrs: aval(avals[0].dtype, avals[0].shape),
    vjp=lambda k, g, inputs, output, attrs: T["roll"](g, shift=-attrs["shift"], axis=attrs["axis"]),
    reference=lambda x, shift, axis: np.roll(x, shift, axis),
)  # fmt: skip


def _split(x, sizes, axis):
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    return tuple(_part(x, axis, start, size) for start, size in zip(starts, sizes, strict=True))


def _infer_split(avals, attrs):
    (a,), axis = avals, attrs["axis"]
    return tuple(aval(a.dtype, (*a.shape[:axis], size, *a.shape[axis + 1 :])) for size in attrs["sizes"])


def _vjp_split(k, g, inputs, output, attrs):
    parts = [T["zeros_like"](y) if part is None else part for part, y in zip(g, output, strict=True)]
    return T["concat"](*parts, axis=attrs["axis"])


split = composite(
    "split", "value", _split, _infer_split, vjp=_vjp_split,
    reference=lambda x, sizes, axis: tuple(np.split(x, np.cumsum(sizes)[:-1], axis)),
)  # fmt: skip


def _repeat_positions(repeats):
    return np.repeat(np.arange(len(repeats)), np.maximum(repeats, 0))


# [0, 0, 1, 1, 1 …]: each position as often as the number there says
repeat_positions = register(
    Op(
        "repeat_positions",
        ("repeats",),
        lambda avals, attrs: aval(int64, (Dim.fresh("repeated"),)),
        host=_repeat_positions,
        reference=_repeat_positions,
        dtypes=(int32, int64),
    )
)


def _unravel(indices, dims):
    if indices.ndim > 1:
        raise InvalidArgumentError(f"unravel_index: indices has shape {indices.shape}; it takes a scalar or a vector")
    total = int(np.prod(dims))
    if indices.size and (indices.min() < 0 or indices.max() >= total):
        bad = indices[(indices < 0) | (indices >= total)]
        raise InvalidArgumentError(f"unravel_index: index {bad.flat[0]} is out of range for dims {dims.tolist()}")
    found = np.empty((len(dims), *indices.shape), indices.dtype)
    for axis in range(len(dims) - 1, 0, -1):
        indices, found[axis] = np.divmod(indices, dims[axis])
    if len(dims):
        found[0] = indices
    return found


def _infer_unravel(avals, attrs):
    check_dtypes("unravel_index", ("indices", "dims"), avals, (int32, int64))
    if len(avals[1].shape) != 1:
        raise InvalidArgumentError(f"unravel_index: dims has shape {shape_text(avals[1])}; it takes a vector")
    return aval(avals[0].dtype, (*avals[1].shape, *avals[0].shape))


unravel_index = register(
    Op("unravel_index", ("indices", "dims"), _infer_unravel, host=_unravel, reference=_unravel, dtypes=(int32, int64))
)


# --- clip, add --------------------------------------------------------------------------------------------------------


def _infer_clip(avals, attrs):
    check_dtypes("clip_by_value", ("t", "clip_value_min", "clip_value_max"), avals, REAL)
    shape = broadcast("clip_by_value", *(a.shape for a in avals))
    if not could_be_equal(shape, avals[0].shape):
        raise InvalidArgumentError(
            f"clip_by_value: clip_value_min of shape {shape_text(avals[1])} and clip_value_max of shape "
            f"{shape_text(avals[2])} do not broadcast to the shape of t, {shape_text(avals[0])}"
        )
    return aval(avals[0].dtype, avals[0].shape)


def _vjp_clip(k, g, inputs, output, attrs):
    """To the element where it is within the limits, else to the limit that takes its place."""
    x, low, high = inputs
    kept, nothing = T["minimum"](x, high), T["zeros_like"](g)
    if k == 1:
        return where(kept >= low, nothing, g)
    g = where(kept >= low, g, nothing)
    return where(x <= high, g, nothing) if k == 0 else where(x <= high, nothing, g)


clip_by_value = composite(
    "clip_by_value", "t clip_value_min clip_value_max",
    lambda x, low, high: T["maximum"](T["minimum"](x, high), low), _infer_clip,
    vjp=_vjp_clip, dtypes=REAL, reference=lambda x, low, high: np.maximum(np.minimum(x, high), low),
)  # fmt: skip


def _add_n(*inputs):
    total = inputs[0]
    for x in inputs[1:]:
        total = total + x
    return total


def _infer_add_n(avals, attrs):
    check_dtypes("add_n", [f"inputs[{k}]" for k in range(len(avals))], avals, NUMERIC)
    return aval(avals[0].dtype, avals[0].shape)


add_n = composite(
    "add_n", "*inputs", _add_n, _infer_add_n, vjp=lambda k, g, inputs, output, attrs: g, dtypes=NUMERIC,
    reference=lambda *inputs: sum(inputs[1:], inputs[0]),
)  # fmt: skip
