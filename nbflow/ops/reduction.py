"""Reductions: sum, mean, product, extremes, any, all, and the positions of extremes."""

import math

import numpy as np

from nbflow.compiler.formulas import apply
from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import ALL, SLAB, Buffer, Grain, Ref, Scratch
from nbflow.compiler.op import Op
from nbflow.dtypes import NUMERIC, REAL, DType, bool_, complex64, complex128, float32, float64, int64
from nbflow.errors import InvalidArgumentError
from nbflow.ops.elementwise import cast, conj
from nbflow.ops.table import TABLE, check_dtypes, composite, register, simplifying
from nbflow.shapes import Dim

T = TABLE


def reduced_shape(shape: tuple, axis: tuple[int, ...], keepdims: bool) -> tuple:
    """The shape after reducing axes (normalised), which stay with size 1 under keepdims."""
    return tuple(1 if k in axis else n for k, n in enumerate(shape) if keepdims or k not in axis)


def expand_like(g, x, axis: tuple[int, ...]):
    """A reduced gradient stretched to the shape of x again."""
    kept = T["reshape"](g, shape=reduced_shape(x.nbflow_shape, axis, True))
    return T["broadcast_to"](kept, shape=x.nbflow_shape)


def _infer(name: str, allowed):
    def infer(avals, attrs):
        check_dtypes(name, ("input_tensor",), avals, allowed)
        return aval(avals[0].dtype, reduced_shape(avals[0].shape, attrs["axis"], attrs["keepdims"]))

    return infer


def _simplify(x, axis, keepdims):
    """Reducing axes of size 1 only changes the shape."""
    if all(x.shape[a] == 1 for a in axis):
        return T["reshape"](x, shape=reduced_shape(x.shape, axis, keepdims))
    return None


LONG = 256  # summands of a column that are added one after the other in their own precision
MANY = 1 << 15  # elements that are worth a kernel more


def _part(count: int) -> int:
    """Into how large equal parts a sum may be split, 0 if there are none."""
    return next((n for n in range(LONG // 2, 15, -1) if count % n == 0), 0)


def _simplify_sum(x, axis, keepdims):
    """Long sums side by side, each over a column, which are not added in blocks as sums over rows are.

    They are added in a wider dtype. What lies in memory is split into sums of at most LONG / 2 summands first, where
    columns have such a divisor: that walks memory in order, and their sums only are added in the wider dtype.
    """
    wide = {float32: float64, complex64: complex128}.get(x.dtype)
    kept = [k for k, n in enumerate(x.shape) if n != 1 and k not in axis]
    count = math.prod(x.shape[a] for a in axis)
    if wide is None or not kept or kept[-1] < max(axis, default=0) or isinstance(count, Dim) or count < LONG:
        return _simplify(x, axis, keepdims)
    first, last = min(axis), max(axis)
    part = apply(_part, count)
    total, along = x, axis
    computed = x.value.node is not None and x.value.node.op.expr is not None
    if part and not computed and last - first + 1 == len(axis) and math.prod(x.shape) >= MANY:
        shape = (*x.shape[:first], count // part, part, *x.shape[last + 1 :])
        total = T["reduce_sum"](T["reshape"](x, shape=shape), axis=(first + 1,), keepdims=False)
        along = (first,)
    total = cast(T["reduce_sum"](cast(total, wide), axis=along, keepdims=False), x.dtype)
    return T["reshape"](total, shape=reduced_shape(x.shape, axis, keepdims)) if keepdims else total


def _reduction(name: str, how: str, vjp, dtypes, reference, simplify=_simplify) -> Op:
    return register(
        Op(
            name,
            ("input_tensor",),
            _infer(name, dtypes),
            vjp=vjp,
            dtypes=dtypes,
            reduce=how,
            wide=True,
            reference=lambda x, axis, keepdims: reference(x, axis=axis, keepdims=keepdims, **_same_type(x, how)),
            simplify=simplifying(simplify),
        )
    )


def _same_type(x: np.ndarray, how: str) -> dict:
    return {"dtype": x.dtype} if how in ("sum", "prod") else {}


def _vjp_sum(k, g, inputs, output, attrs):
    return expand_like(g, inputs[0], attrs["axis"])


def _vjp_extreme(k, g, inputs, output, attrs):
    """The gradient shared evenly among the elements that are the extreme (as TensorFlow does)."""
    (x,), axis = inputs, attrs["axis"]
    chosen = cast(T["equal"](x, expand_like(output, x, axis)), x.dtype)
    count = T["reduce_sum"](chosen, axis=axis, keepdims=True)
    return chosen / count * expand_like(g, x, axis)


def _vjp_prod(k, g, inputs, output, attrs):
    """The product of the others: of those before and of those after, so that zeros and infinities need no care."""
    (x,), axis = inputs, attrs["axis"]
    shape = x.nbflow_shape
    kept = tuple(d for d in range(len(shape)) if d not in axis)
    order = (*axis, *kept)
    count = 1
    for d in axis:
        count = count * shape[d]
    rows = T["reshape"](T["transpose"](x, perm=order), shape=(count, *(shape[d] for d in kept)))
    before, after = (T["cumprod"](rows, axis=0, exclusive=True, reverse=reverse) for reverse in (False, True))
    others = T["reshape"](before * after, shape=tuple(shape[d] for d in order))
    back = tuple(order.index(d) for d in range(len(shape)))
    return conj(T["transpose"](others, perm=back)) * expand_like(g, x, axis)


reduce_sum = _reduction("reduce_sum", "sum", _vjp_sum, NUMERIC, np.sum, _simplify_sum)
reduce_prod = _reduction("reduce_prod", "prod", _vjp_prod, NUMERIC, np.prod)


def _empty_extreme(function, start):
    def reference(x, axis, keepdims):
        whole = x.dtype.kind in "iu"
        least, most = (np.iinfo(x.dtype).min, np.iinfo(x.dtype).max) if whole else (-np.inf, np.inf)
        initial = least if start == "lowest" else most
        return function(x, axis=axis, keepdims=keepdims, initial=initial)

    return reference


reduce_max = _reduction("reduce_max", "max", _vjp_extreme, REAL, _empty_extreme(np.max, "lowest"))
reduce_min = _reduction("reduce_min", "min", _vjp_extreme, REAL, _empty_extreme(np.min, "highest"))
reduce_any = _reduction("reduce_any", "any", None, (bool_,), np.any)
reduce_all = _reduction("reduce_all", "all", None, (bool_,), np.all)


# mean: the sum divided by the count; integers are added up as int64, and the quotient truncates, as TensorFlow does
def _mean(x, axis, keepdims):
    count = math.prod(x.shape[a] for a in axis)
    if x.dtype.is_differentiable:
        return T["reduce_sum"](x, axis=axis, keepdims=keepdims) / x.constant(count)
    total = T["reduce_sum"](cast(x, int64), axis=axis, keepdims=keepdims)
    return cast(T["truncate_div"](total, total.constant(max(count, 1))), x.dtype)


def _vjp_mean(k, g, inputs, output, attrs):
    (x,), axis = inputs, attrs["axis"]
    return expand_like(g / T["count"](x, axis=axis), x, axis)


def _mean_reference(x, axis, keepdims):
    if x.dtype.kind in "fc":
        return np.sum(x, axis=axis, keepdims=keepdims) / math.prod(x.shape[a] for a in axis)
    total = np.sum(x, axis=axis, keepdims=keepdims, dtype=np.int64)
    return T["truncate_div"].reference(total, np.int64(max(1, math.prod(x.shape[a] for a in axis)))).astype(x.dtype)


reduce_mean = composite(
    "reduce_mean", "input_tensor", _mean, _infer("reduce_mean", NUMERIC),
    dtypes=NUMERIC, vjp=_vjp_mean, reference=_mean_reference, wide=True,
)  # fmt: skip

count = register(
    Op(
        "count",
        ("x",),
        infer=lambda avals, attrs: aval(avals[0].dtype, ()),
        static=lambda avals, attrs: apply(
            np.asarray, math.prod(avals[0].shape[a] for a in attrs["axis"]), dtype=avals[0].dtype.np
        ),
        reference=lambda x, axis: np.asarray(math.prod(x.shape[a] for a in axis), x.dtype),
        dtypes=NUMERIC,
    )
)


# argmax, argmin: the first position of the extreme; NaN is never it, and all NaN gives 0, as in TensorFlow.
# Both look for the greatest key: floats are read as integers, whose order is that of the floats with NaN as -inf and -0
# as 0, for the maximum of integers is what vector instructions find.
_ARG_ROWS = """def {{name}}(p, begin, end):
    \"\"\"{name} along rows of n elements: pieces [begin, end) of rows\"\"\"
    x, y, n, pieces = word(p, 0), word(p, 1), word(p, 2), word(p, 3)
    for u in range(begin, end):
        row = x + (u // pieces) * n * {size}
        low = (u % pieces) * {piece}
        best, at = {key}({least}), low
        for start in range(low, min(low + {piece}, n), {block}):
            top = {key}({least})
            for j in range(start, min(start + {block}, n)):
                e = load({key}, row, j, 0)
                top = max(top, {value})
            if top > best:
                best, at = top, start
        first = i32({block})
        for j in range(min({block}, n - at)):
            e = load({key}, row, at + j, 0)
            first = min(first, i32(j) if {value} == best else i32({block}))
        at += first
        {put}
"""
_ARG_MERGE = """def {{name}}(p, begin, end):
    \"\"\"{name}: the best of the pieces of rows [begin, end)\"\"\"
    q, y, pieces = word(p, 0), word(p, 1), word(p, 2)
    for i in range(begin, end):
        first = 2 * i * pieces
        best, at = {key}(word(q, first)), word(q, first + 1)
        for k in range(first + 2, first + 2 * pieces, 2):
            e = {key}(word(q, k))
            if e > best:
                best, at = e, word(q, k + 1)
        store({out}, y, i, {out}(at), 1)
"""
_ARG_COLUMNS = """def {{name}}(p, begin, end):
    \"\"\"{name} along columns of n elements that lie side by side: blocks [begin, end) of columns\"\"\"
    x, y, n, inner, blocks = word(p, 0), word(p, 1), word(p, 2), word(p, 3), word(p, 4)
    bests = word(p, 5) + begin // word(p, 6) * {width} * {size}
    for u in range(begin, end):
        low = u % blocks * {width}
        count = min(inner - low, {width})
        source = x + ((u // blocks) * n * inner + low) * {size}
        target = y + ((u // blocks) * inner + low) * {out_size}
        for i in range(count):
            store({key}, bests, i, {key}({least}), 2)
            store({out}, target, i, {out}(0), 1)
        for j in range(n):
            for i in range(count):
                e = load({key}, source, i, 0)
                e = {value}
                best = load({key}, bests, i, 2)
                at = load({out}, target, i, 1)
                store({out}, target, i, {out}(j) if e > best else at, 1)
                store({key}, bests, i, max(e, best), 2)
            source += inner * {size}
"""
_PIECE, _BLOCK, _WIDTH = 1 << 14, 128, 512  # elements of a row for one thread, searched at a time; columns at a time


def _arg_values(name: str, dtype: DType, out: DType) -> dict:
    """What the kernels for a dtype are filled in with."""
    least = name == "argmin"
    values = {"name": name, "size": dtype.size, "out": out.code, "out_size": out.size}
    if dtype.is_integer:
        key = dtype.code
        return values | {"key": key, "least": dtype.min, "value": f"{key}(~e)" if least else "e"}
    key, mask, infinity = (
        ("i32", (1 << 31) - 1, 0x7F8 << 20) if dtype.size == 4 else ("i64", (1 << 63) - 1, 0x7FF << 52)
    )
    magnitude = f"{key}(e & {key}({mask}))"
    signed = f"{key}(-{magnitude}) if e {'>=' if least else '<'} 0 else {magnitude}"
    value = f"({key}({-infinity}) if {magnitude} > {key}({infinity}) else {signed})"
    return values | {"key": key, "least": -infinity, "value": value}


def _lower_arg(node, lowering):
    (value,), axis, name = node.inputs, node.attrs["axis"], node.op.name
    shape, result = value.shape, node.output
    n, inner, out = shape[axis], math.prod(shape[axis + 1 :]), result.dtype
    values = _arg_values(name, value.dtype, out)
    address, touch = lowering.dense(lowering.place(value), shape)
    cost = 20 + value.aval.size * (0.2 if inner == 1 else 0.4)
    if inner > 1:
        blocks = -(-inner // _WIDTH)
        source = _ARG_COLUMNS.format(**values, width=_WIDTH)
        words = [address, lowering.address(result), n, inner, blocks, Scratch(_WIDTH * value.dtype.size), Grain()]
        how = (SLAB, inner * out.size) if blocks == 1 else (ALL, 0)
        touches = [touch, lowering.writes(result, *how)]
        lowering.call(name, source, words, math.prod(shape[:axis]) * blocks, touches, cost)
        return
    rows = result.aval.size
    pieces = -(-n // _PIECE)
    put = (
        f"store({out.code}, y, u, {out.code}(at), 1)"
        if pieces == 1
        else "set_word(y, 2 * u, i64(best))\n        set_word(y, 2 * u + 1, at)"
    )
    source = _ARG_ROWS.format(**values, piece=_PIECE, block=_BLOCK, put=put)
    if pieces == 1:
        touches = [touch, lowering.writes(result, SLAB, out.size)]
        lowering.call(name, source, [address, lowering.address(result), n, 1], rows, touches, cost)
        return
    found = Buffer(16 * rows * pieces)  # the best key of each piece and where it is
    touches = [touch, (found, SLAB, True, 16)]
    lowering.call(name, source, [address, Ref(found), n, pieces], rows * pieces, touches, cost)
    words, touches = [Ref(found), lowering.address(result), pieces], [(found, SLAB, False, 16 * pieces)]
    touches.append(lowering.writes(result, SLAB, out.size))
    lowering.call(f"{name}_merge", _ARG_MERGE.format(**values), words, rows, touches, 20 + 2 * rows * pieces)


def _arg_op(name: str, function) -> Op:
    def infer(avals, attrs):
        check_dtypes(name, ("input",), avals, REAL)
        shape, axis = avals[0].shape, attrs["axis"]
        if shape[axis] == 0:
            raise InvalidArgumentError(f"{name}: axis {axis} of input has size 0, so there is no position to give")
        return aval(attrs["output_type"], tuple(n for k, n in enumerate(shape) if k != axis))

    def reference(x, axis, output_type):
        if x.dtype.kind == "f":
            x = np.where(np.isnan(x), -np.inf if name == "argmax" else np.inf, x)
        return function(x, axis=axis).astype(output_type.np)

    return register(Op(name, ("input",), infer, dtypes=REAL, lower=_lower_arg, reference=reference, wide=True))


argmax, argmin = _arg_op("argmax", np.argmax), _arg_op("argmin", np.argmin)
