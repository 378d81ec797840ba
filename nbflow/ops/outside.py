"""Ops that reach outside of the program: printing, the clock, assertions, calls of Python functions.

They are not in the table: what they do is not a value that a reference could have.
"""

import time

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import ALL, Buffer, Ref
from nbflow.compiler.op import Op
from nbflow.dtypes import bool_, float64
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE, shape_text

# --- effects from Python ----------------------------------------------------------------------------------------------


def _nothing(avals, attrs) -> tuple:
    return ()


def _print(*arrays, printer) -> tuple:
    printer(arrays)
    return ()


# attrs: printer, which is called with the values
PRINT = Op("print", ("*values",), _nothing, host=_print, effect=True)
TIMESTAMP = Op(
    "timestamp", (), lambda avals, attrs: aval(float64, ()), host=lambda: np.asarray(time.time()), effect=True
)


# --- calls of Python functions ----------------------------------------------------------------------------------------


def _infer_call(avals, attrs) -> tuple:
    return attrs["call"].infer(avals)


def _call(*arrays, call) -> tuple:
    return call(arrays)


def _call_gradients(upstream, inputs, outputs, attrs, wanted) -> list:
    return attrs["call"].gradients(upstream, inputs, outputs, wanted)


# attrs: call, a nbflow.outside.calls.PythonCall. The second is for functions that do nothing besides computing results.
CALL = Op("call_python", ("*inputs",), _infer_call, vjp=_call_gradients, joint=True, host=_call, effect=True)
PURE_CALL = Op("call_python_function", ("*inputs",), _infer_call, vjp=_call_gradients, joint=True, host=_call)


# --- assertions -------------------------------------------------------------------------------------------------------

_ASSERT = '''def {name}(p, begin, end):
    """reports a condition that does not hold, with the first elements of the values that say why"""
    condition, failed, clock, kept, values = word(p, 0), word(p, 1), word(p, 2), word(p, 3), word(p, 4)
    if load(u8, condition, 0, 0) == 0 and word(failed, 0) == 0:
        set_word(clock, 0, word(clock, 0) + 1)
        set_word(failed, 0, 1)
        set_word(failed, 2, word(clock, 0))
        at = 0
        for k in range(values):
            source, size = word(p, 5 + 2 * k), word(p, 6 + 2 * k)
            for j in range(size):
                store(u8, kept, at + j, load(u8, source, j, 0), 1)
            at += size
'''


_CLOCK = np.zeros(1, np.int64)  # how many assertions have failed


def _infer_assert(avals, attrs) -> tuple:
    if avals[0].dtype is not bool_ or avals[0].shape != ():
        raise InvalidArgumentError(
            f"Assert: condition is {avals[0].dtype.name} of shape {shape_text(avals[0])}; it takes a bool scalar"
        )
    return ()


def _lower_assert(node, lowering) -> None:
    condition, *values = node.inputs
    report = node.attrs["report"]
    counts = [report.shown(v.aval.size) for v in values]
    sizes = [count * v.dtype.size for count, v in zip(counts, values, strict=True)]
    kept = np.zeros(max(1, sum(sizes)), np.uint8)

    def describe(bad: int) -> str:
        parts = np.split(kept, np.cumsum(sizes))
        arrays = [part.view(v.dtype.np) for part, v in zip(parts, values, strict=False)]
        return report.text(arrays, [v.shape for v in values])

    cell, touch_cell = lowering.failure(node, describe)
    address, touch = lowering.dense(lowering.place(condition), ())
    words, touches = [address, cell], [touch, touch_cell]
    for array in (_CLOCK, kept):
        memory = Buffer(array.nbytes, array=array)
        words.append(Ref(memory))
        touches.append((memory, ALL, False, 0))
    words.append(len(values))
    for value, size in zip(values, sizes, strict=True):
        address, touch = lowering.dense(lowering.place(value), value.shape)
        words += [address, size]
        touches.append(touch)
    lowering.call("assert", _ASSERT, words, 1, touches, cost=20)


def _assert_for_all(op, inputs, stacked, count, attrs) -> tuple:
    """One assertion for all examples."""
    condition, *values = inputs
    if stacked[0]:
        condition = TABLE["reduce_all"](condition, axis=(0,), keepdims=False)
    return op(condition, *values, **attrs)


# (condition, values...); attrs: report, which has shown(size), how many elements of a value are kept for the message,
# and text(first elements of the values, their shapes), the message
ASSERT = Op("assert", ("condition", "*values"), _infer_assert, lower=_lower_assert, batch=_assert_for_all, effect=True)
