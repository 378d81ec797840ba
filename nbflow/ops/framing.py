"""Signals cut into frames that overlap, and frames added up where they overlap."""

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import SLAB
from nbflow.compiler.op import Op
from nbflow.dtypes import NUMERIC
from nbflow.ops.table import TABLE, check_dtypes, register

T = TABLE


def _infer_frame(avals, attrs):
    (a,) = avals
    return aval(a.dtype, (*a.shape[:-1], attrs["count"], attrs["length"]))


def _view_frame(a, attrs):
    *outer, inner = a.layout
    return 0, (*outer, inner * attrs["step"], inner)


def _vjp_frame(k, g, inputs, output, attrs):
    return T["overlap_and_add"](g, step=attrs["step"], size=inputs[0].nbflow_shape[-1])


def _frame_reference(x, length, step, count):
    at = np.arange(count)[:, None] * step + np.arange(length)
    return x[..., at.astype(int)]


# [..., n] -> [..., count, length], frame k beginning at k * step
frame = register(Op("frame", ("signal",), _infer_frame, view=_view_frame, vjp=_vjp_frame, reference=_frame_reference))


def _infer_overlap_and_add(avals, attrs):
    check_dtypes("overlap_and_add", ("signal",), avals, NUMERIC)
    return aval(avals[0].dtype, (*avals[0].shape[:-2], attrs["size"]))


# for each hop of the result, the frames that reach into it one after the other
_OVERLAP_AND_ADD = """def {{name}}(p, begin, end):
    \"\"\"overlap_and_add {code}: samples [begin, end)\"\"\"
    x, y, size, frames, length, step = word(p, 0), word(p, 1), word(p, 2), word(p, 3), word(p, 4), word(p, 5)
    while begin < end:
        signal, at = begin // size, begin % size
        hop = at // step
        stop = min(end - begin + at, size, (hop + 1) * step)
        for n in range(at, stop):
            store({code}, y, signal * size + n, {code}(0), 1)
        for k in range(max(0, (at - length) // step + 1), min(frames, hop + 1)):
            start = (signal * frames + k) * length - k * step
            for n in range(at, min(stop, k * step + length)):
                total = load({code}, y, signal * size + n, 1) + load({code}, x, start + n, 0)
                store({code}, y, signal * size + n, {code}(total), 1)
        begin += stop - at
"""


def _lower_overlap_and_add(node, lowering):
    (x,), result = node.inputs, node.output
    frames, length = x.shape[-2:]
    if not x.aval.size or not result.aval.size:
        lowering.fill(result, 0)
        return
    signal, touch = lowering.dense(lowering.place(x), x.shape)
    words = [signal, lowering.address(result), result.shape[-1], frames, length, node.attrs["step"]]
    touches = [touch, lowering.writes(result, SLAB, x.dtype.size)]
    source = _OVERLAP_AND_ADD.format(code=x.dtype.code)
    cost = 50 + x.aval.size * 0.5 + result.aval.size
    lowering.call("overlap_and_add", source, words, result.aval.size, touches, cost)


def _vjp_overlap_and_add(k, g, inputs, output, attrs):
    count, length = inputs[0].nbflow_shape[-2:]
    return T["frame"](g, length=length, step=attrs["step"], count=count)


def _overlap_reference(x, step, size):
    result = np.zeros((*x.shape[:-2], size), x.dtype)
    for k in range(x.shape[-2]):
        result[..., k * step : k * step + x.shape[-1]] += x[..., k, :]
    return result


# [..., frames, length] -> [..., size], the sum of frames that begin at 0, step, 2 * step …
overlap_and_add = register(
    Op(
        "overlap_and_add",
        ("signal",),
        _infer_overlap_and_add,
        dtypes=NUMERIC,
        wide=True,
        lower=_lower_overlap_and_add,
        vjp=_vjp_overlap_and_add,
        reference=_overlap_reference,
    )
)
