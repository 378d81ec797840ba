"""Isotonic regression: the non-increasing sequence that is nearest to a given one."""

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import SLAB, Grain, Scratch
from nbflow.compiler.op import Op
from nbflow.dtypes import FLOATING, int32
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import check_dtypes, register, shape_text

# The stack holds the segments so far: the sum of each and where it starts.
_KERNEL = '''def {{name}}(p, begin, end):
    """isotonic_segments {code}: rows [begin, end), each of n elements"""
    x, y, n = word(p, 0), word(p, 1), word(p, 2)
    scratch = word(p, 3) + (begin // word(p, 4)) * n * 16
    sums, starts = carray(pointer({code}, scratch), n), carray(pointer(i64, scratch + n * 8), n)
    for row in range(begin, end):
        top = -1
        for j in range(n):
            top += 1
            sums[top] = load({code}, x, row * n + j, 0)
            starts[top] = j
            while top > 0 and sums[top - 1] / (starts[top] - starts[top - 1]) < sums[top] / (j + 1 - starts[top]):
                sums[top - 1] += sums[top]
                top -= 1
        for k in range(top + 1):
            stop = starts[k + 1] if k < top else n
            for j in range(starts[k], stop):
                store(i32, y, row * n + j, i32(k), 1)
'''


def _infer(avals, attrs):
    check_dtypes("isotonic_segments", ("x",), avals, FLOATING)
    if len(avals[0].shape) != 2:
        raise InvalidArgumentError(f"isotonic_segments: x has shape {shape_text(avals[0])}; it must be 2-dimensional")
    return aval(int32, avals[0].shape)


def _lower(node, lowering):
    (x,), (rows, n) = node.inputs, node.output.shape
    address, touch = lowering.dense(lowering.place(x), x.shape)
    words = [address, lowering.address(node.output), n, Scratch(max(n, 1) * 16), Grain()]
    touches = [touch, lowering.writes(node.output, SLAB, n * 4)]
    lowering.call(node.op.name, _KERNEL.format(code=x.dtype.code), words, rows, touches, 20 + 8 * rows * n)


def _reference(x):
    result = np.zeros(x.shape, np.int32)
    for row, found in zip(x, result, strict=True):
        segments = []
        for v in row:
            segments.append([v])
            while len(segments) > 1 and np.mean(segments[-2]) < np.mean(segments[-1]):
                segments[-2:] = [segments[-2] + segments[-1]]
        found[:] = [k for k, segment in enumerate(segments) for _ in segment]
    return result


# x [rows, n] -> which elements of a row have one value in the regression: the number of their segment
register(
    Op("isotonic_segments", ("x",), _infer, lower=_lower, dtypes=FLOATING, wide=True, reference=_reference)
)  # fmt: skip
