"""Scans: running sums, products and log-sum-exps along an axis. One kernel, a row for each way to combine."""

import math

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import ALL, SLAB
from nbflow.compiler.op import Op
from nbflow.dtypes import FLOATING, NUMERIC
from nbflow.ops.elementwise import where
from nbflow.ops.table import TABLE, check_dtypes, register

T = TABLE
COLUMNS = 128  # that a chunk takes along lines side by side

# `lag` is 0, or for an exclusive scan the distance to the element before. Lines that lie side by side are walked
# together, in the order of memory.
_SCAN = """def {{name}}(p, begin, end):
    \"\"\"{name} of {code} along lines of n elements: blocks [begin, end) of lines\"\"\"
    x, y, n, inner = word(p, 0), word(p, 1), word(p, 2), word(p, 3)
    width, blocks, reverse, exclusive = word(p, 4), word(p, 5), word(p, 6), word(p, 7)
    step = -inner if reverse else inner
    lag = step if exclusive else 0
    for u in range(begin, end):
        low = u % blocks * width
        high = min(inner, low + width)
        at = (u // blocks) * n * inner + ((n - 1) * inner if reverse else 0)
        if inner == 1:
            a = {compute}({start})
            for j in range(n):
                before = a
                b = load({code}, x, at, 0)
                a = {round}({combine})
                store({code}, y, at, before if exclusive else a, 1)
                at += step
        elif n > 0:
            for i in range(low, high):
                a = {compute}({start})
                b = load({code}, x, at + i, 0)
                store({code}, y, at + i, a if exclusive else {compute}({combine}), 1)
            for j in range(n - 1):
                at += step
                for i in range(low, high):
                    a = load({code}, y, at - step + i, 1)
                    b = load({code}, x, at - lag + i, 0)
                    store({code}, y, at + i, {compute}({combine}), 1)
"""
# log(eᵃ + eᵇ), whose exponents overflow for no a and b; two equal infinities are their own sum, and a NaN counts as
# what was there before, as in TensorFlow
_MOST, _LEAST = "(b if b > a else a)", "(b if b < a else a)"
_LOG_ADD = (
    f"{_MOST} if {_MOST} == {_LEAST} and {_MOST} - {_MOST} != 0 "
    f"else {_MOST} + log1p_{{code}}(exp_{{code}}({_LEAST} - {_MOST}))"
)


def _lower(combine: str, start):
    def lower(node, lowering):
        (value,), attrs, result = node.inputs, node.attrs, node.output
        axis, shape, dtype = attrs["axis"], value.shape, value.dtype
        n, inner = shape[axis], math.prod(shape[axis + 1 :])
        width = 1 if inner == 1 else COLUMNS
        blocks = -(-inner // width)
        source = _SCAN.format(
            name=node.op.name,
            code=dtype.code,
            compute=dtype.compute,
            round=f"round_{dtype.code}" if dtype.is_half else dtype.code,
            start=start(dtype),
            combine=combine.format(code=dtype.compute),
        )
        address, touch = lowering.dense(lowering.place(value), shape)
        words = [address, lowering.address(result), n, inner, width, blocks, attrs["reverse"], attrs["exclusive"]]
        how, unit = (SLAB, n * inner * dtype.size) if blocks == 1 else (ALL, 0)
        extent = math.prod(shape[:axis]) * blocks
        touches = [touch, lowering.writes(result, how, unit)]
        lowering.call(node.op.name, source, [int(w) if isinstance(w, bool) else w for w in words], extent, touches,
                      cost=20 + result.aval.size)  # fmt: skip

    return lower


def _reference(function, start):
    def reference(x, axis, exclusive, reverse):
        """Of a NumPy ufunc's accumulate."""
        moved = np.moveaxis(np.asarray(x), axis, -1)
        moved = moved[..., ::-1] if reverse else moved
        result = function(moved).astype(x.dtype)
        if exclusive and moved.shape[-1]:
            first = np.full((*moved.shape[:-1], 1), start, x.dtype)
            result = np.concatenate([first, result[..., :-1]], -1)
        return np.moveaxis(result[..., ::-1] if reverse else result, -1, axis)

    return reference


def _scan(name: str, combine: str, start, vjp, dtypes, reference, **options) -> Op:
    def infer(avals, attrs):
        check_dtypes(name, ("x",), avals, dtypes)
        return aval(avals[0].dtype, avals[0].shape)

    return register(
        Op(
            name,
            ("x",),
            infer,
            lower=_lower(combine, start),
            vjp=vjp,
            dtypes=dtypes,
            reference=reference,
            **options,
        )
    )


def _opposite(attrs: dict) -> dict:
    return {**attrs, "reverse": not attrs["reverse"]}


def _vjp_cumsum(k, g, inputs, output, attrs):
    return T["cumsum"](g, **_opposite(attrs))


def _vjp_cumprod(k, g, inputs, output, attrs):
    """As TensorFlow: what follows a 0 has no gradient, nor has the 0."""
    (x,) = inputs
    zero = T["equal"](x, 0)
    total = T["cumsum"](output * g, **_opposite(attrs))
    return where(zero, T["zeros_like"](total), total / where(zero, T["ones_like"](x), x))


def _vjp_cumulative_logsumexp(k, g, inputs, output, attrs):
    """Σ g exp(x - output), positive and negative g by themselves so that their logarithms can be scanned."""
    (x,) = inputs
    back = _opposite(attrs)
    nothing = T["fill_like"](x, shape=x.nbflow_shape, value=float(x.dtype.min))
    parts = []
    for part in (g, -g):
        chosen = T["greater"](part, 0)
        logs = where(chosen, T["log"](where(chosen, part, T["ones_like"](part))), nothing)
        parts.append(T["exp"](T["cumulative_logsumexp"](logs - output, **back) + x))
    return parts[0] - parts[1]


cumsum = _scan(
    "cumsum", "a + b", lambda dtype: 0, _vjp_cumsum, NUMERIC,
    _reference(lambda x: np.cumsum(x, -1), 0), tolerance=16,
)  # fmt: skip
cumprod = _scan(
    "cumprod", "a * b", lambda dtype: 1, _vjp_cumprod, NUMERIC,
    _reference(lambda x: np.cumprod(x, -1), 1), tolerance=64,
)  # fmt: skip
cumulative_logsumexp = _scan(
    "cumulative_logsumexp", _LOG_ADD, lambda dtype: "-inf", _vjp_cumulative_logsumexp, FLOATING,
    _reference(lambda x: np.logaddexp.accumulate(x, -1), -np.inf), tolerance=64,
)  # fmt: skip
