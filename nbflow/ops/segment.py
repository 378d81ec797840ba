"""Reductions over segments: rows of the data that share a number. Unsorted numbers scatter; sorted ones mark runs."""

import math
from itertools import pairwise

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import SLAB
from nbflow.compiler.op import Op
from nbflow.dtypes import NUMERIC, REAL, as_dtype, int32, int64
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.elementwise import cast, where
from nbflow.ops.indexed import IGNORE, along_axis, check_indices, lower_scatter
from nbflow.ops.table import TABLE, check_dtypes, register, shape_text
from nbflow.shapes import Dim, could_be_equal

T = TABLE


# --- gradients, which sorted and unsorted segments share --------------------------------------------------------------


def _picked(x, ids):
    """For each row of the data what its segment has, 0 for rows without one."""
    return T["gather"](x, ids, axis=0, policy=IGNORE)


def _vjp_sum(k, g, inputs, output, attrs):
    return _picked(g, inputs[1])


def _vjp_extreme(kind: str):
    def vjp(k, g, inputs, output, attrs):
        """The gradient shared evenly among the elements that are the extreme."""
        data, ids = inputs[:2]
        chosen = T["equal"](data, _picked(output, ids))
        count = T[f"{kind}_sum"](cast(chosen, data.dtype), *inputs[1:], **attrs)
        return where(chosen, _picked(g / T["maximum"](count, 1), ids), T["zeros_like"](data))

    return vjp


def _vjp_prod(kind: str):
    def vjp(k, g, inputs, output, attrs):
        """Product of the others: output / x, or where one x of a segment is 0, for that x the product of the rest."""
        data, ids = inputs[:2]
        zero = T["equal"](data, 0)
        zeros = T[f"{kind}_sum"](cast(zero, int32), *inputs[1:], **attrs)
        g = where(T["greater"](zeros, 1), T["zeros_like"](g), g)
        rest = T[f"{kind}_prod"](where(zero, T["ones_like"](data), data), *inputs[1:], **attrs)
        others = _picked(output, ids) / where(zero, T["ones_like"](data), data)
        return _picked(g, ids) * where(zero, _picked(rest, ids), others)

    return vjp


ROWS = {  # how: combination, start for a dtype, NumPy's function, gradient for a kind, dtypes
    "sum": ("a + b", lambda dtype: 0, np.add, lambda kind: _vjp_sum, NUMERIC),
    "prod": ("a * b", lambda dtype: 1, np.multiply, _vjp_prod, NUMERIC),
    "min": ("a if a < b else b", lambda dtype: dtype.max, np.minimum, _vjp_extreme, REAL),
    "max": ("a if a > b else b", lambda dtype: dtype.min, np.maximum, _vjp_extreme, REAL),
}


REGROUPED = {"sum": "add_any_order(a, b)", "prod": "mul_any_order(a, b)"}  # what vector instructions may do


# --- unsorted ---------------------------------------------------------------------------------------------------------


def _unsorted(how: str) -> Op:
    combine, start, function, vjp, dtypes = ROWS[how]
    name = f"unsorted_segment_{how}"

    def infer(avals, attrs):
        data, ids = avals
        check_dtypes(name, ("data",), [data], dtypes)
        check_indices(name, ids, "segment_ids")
        if not could_be_equal(data.shape[: len(ids.shape)], ids.shape):
            raise InvalidArgumentError(
                f"{name}: segment_ids has shape {shape_text(ids)}, with which the shape of data, {shape_text(data)}, "
                f"must begin"
            )
        return aval(data.dtype, (attrs["num_segments"], *data.shape[len(ids.shape) :]))

    def reference(data, ids, num_segments, policy):
        result = np.full((num_segments, *data.shape[ids.ndim :]), start(as_dtype(data.dtype)), data.dtype)
        kept = ids >= 0
        function.at(result, ids[kept], data[kept])
        return result

    return register(
        Op(
            name,
            ("data", "segment_ids"),
            infer,
            lower=lower_scatter(combine, lambda shape, ids, attrs: along_axis(shape, ids, 0, 0), start),
            vjp=vjp("unsorted_segment"),
            dtypes=dtypes,
            blocked=(1,),
            reference=reference,
        )
    )


# --- sorted: numbers 0, 0, 1, 3 … start at 0, 2, 3, 3 …, so that segments are runs of rows ----------------------------

_RUNS = """def {{name}}(p, begin, end):
    \"\"\"{name}: segments [begin, end), each a run of rows of {code}\"\"\"
    x, starts, y, inner = word(p, 0), word(p, 1), word(p, 2), word(p, 3)
    for s in range(begin, end):
        low, high = load(i64, starts, s, 0), load(i64, starts, s + 1, 0)
        if inner == 1 and {whole}:
            a = load({code}, x, low, 0) if low < high else {compute}({empty})
            for r in range(low + 1, high):
                b = load({code}, x, r, 0)
                a = {compute}({regrouped})
            store({code}, y, s, a, 1)
            continue
        for j in range(inner):
            first = load({code}, x, low * inner + j, 0) if low < high else {compute}({empty})
            store({code}, y, s * inner + j, first, 1)
        for r in range(low + 1, high):
            for j in range(inner):
                a = load({code}, y, s * inner + j, 1)
                b = load({code}, x, r * inner + j, 0)
                store({code}, y, s * inner + j, {compute}({combine}), 1)
"""


def _starts(ids):
    """Where each segment starts, and the number of rows."""
    if not ids.size:
        return np.zeros(1, np.int64)
    if ids[0] < 0:
        raise InvalidArgumentError(f"segment_ids starts with {ids[0]}; segments are numbered from 0")
    if (ids[1:] < ids[:-1]).any():
        raise InvalidArgumentError("segment_ids are not increasing; unsorted_segment_sum and its like take any order")
    return np.searchsorted(ids, np.arange(ids[-1] + 2, dtype=ids.dtype)).astype(np.int64)


def _infer_starts(avals, attrs):
    if avals[0].dtype not in (int32, int64):
        raise InvalidDTypeError(f"segment_ids has dtype {avals[0].dtype.name}; it takes int32 or int64")
    return aval(int64, (Dim.fresh("starts"),))


segment_starts = register(
    Op("segment_starts", ("segment_ids",), _infer_starts, host=_starts, reference=_starts, dtypes=(int32, int64))
)


def _sorted(how: str) -> Op:
    combine, _, function, vjp, dtypes = ROWS[how]
    name, empty = f"segment_{how}", int(how == "prod")

    def infer(avals, attrs):
        data, ids, starts = avals
        check_dtypes(name, ("data",), [data], dtypes)
        if len(ids.shape) != 1 or not could_be_equal(data.shape[:1], ids.shape):
            raise InvalidArgumentError(
                f"{name}: segment_ids has shape {shape_text(ids)} and data {shape_text(data)}; segment_ids takes one "
                f"number for each row of data"
            )
        return aval(data.dtype, (starts.shape[0] - 1, *data.shape[1:]))

    def lower(node, lowering):
        data, _, starts = node.inputs
        inner, code, result = math.prod(data.shape[1:]), data.dtype.code, node.output
        (x, touch_x), (at, touch_at) = (lowering.dense(lowering.place(v), v.shape) for v in (data, starts))
        source = _RUNS.format(
            name=name,
            code=code,
            compute=data.dtype.compute,
            combine=combine,
            regrouped=REGROUPED.get(how, combine),
            empty=empty,
            whole=not data.dtype.is_half,  # halves are rounded after each step
        )
        touches = [touch_x, touch_at, lowering.writes(result, SLAB, inner * data.dtype.size)]
        cost = 20 + data.aval.size
        lowering.call(name, source, [x, at, lowering.address(result), inner], result.shape[0], touches, cost)

    def reference(data, ids, starts):
        rows = [
            function.reduce(data[low:high], axis=0) if low < high else np.full(data.shape[1:], empty)
            for low, high in pairwise(starts)
        ]
        return np.asarray(rows, data.dtype).reshape(-1, *data.shape[1:])

    return register(
        Op(
            name,
            ("data", "segment_ids", "starts"),
            infer,
            lower=lower,
            vjp=vjp("segment"),
            dtypes=dtypes,
            blocked=(1, 2),
            reference=reference,
        )
    )


for _how in ROWS:
    _unsorted(_how)
    _sorted(_how)
