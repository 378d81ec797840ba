"""Sorting and what is found by it: order, unique elements, places in a sorted sequence; positions by value."""

from itertools import pairwise

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import SLAB
from nbflow.compiler.op import Op
from nbflow.dtypes import ALL, FLOATING, REAL, bool_, int32, int64
from nbflow.errors import InvalidArgumentError
from nbflow.ops.elementwise import cast, where
from nbflow.ops.table import TABLE, check_dtypes, composite, register, shape_text
from nbflow.shapes import Dim, could_be_equal

T = TABLE


# --- order ------------------------------------------------------------------------------------------------------------


def sort_keys(x: np.ndarray, descending: bool = False) -> np.ndarray | None:
    """Unsigned numbers of 32 bits in the order of x, of which 0 and -0 share one; None for dtypes of 64 bits."""
    if x.dtype.kind not in "iub" and x.dtype.itemsize <= 4:
        bits = (x.astype(np.float32) + np.float32(0)).view(np.int32)
        keys = (bits ^ ((bits >> 31) & 0x7FFFFFFF)).view(np.uint32) ^ np.uint32(1 << 31)
    elif x.dtype.itemsize <= 4:
        keys = (x.astype(np.int64) + (1 << 31) * (x.dtype.kind == "i")).astype(np.uint32)
    else:
        return None
    return ~keys if descending else keys


def stable_order(x: np.ndarray, descending: bool = False, first: int | None = None) -> np.ndarray:
    """The positions that sort x along its last axis, equal elements in their order; only so many `first` ones.

    A key and its position make one number of 64 bits: numbers sort much faster than positions, and no two are equal.
    """
    n = x.shape[-1]
    first = n if first is None else first
    keys = sort_keys(x, descending)
    if keys is None:
        x = (-x if x.dtype.kind == "f" else ~x) if descending else x
        return np.argsort(x, axis=-1, kind="stable")[..., :first]
    pairs = (keys.astype(np.uint64) << np.uint64(32)) | np.arange(n, dtype=np.uint64)
    if 0 < first < n // 4:
        pairs = np.partition(pairs, first - 1, axis=-1)[..., :first]
    pairs.sort(axis=-1)
    return (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)[..., :first]


def _check_axis(name: str, a) -> None:
    check_dtypes(name, ("values",), [a], REAL)
    if not a.shape:
        raise InvalidArgumentError(f"{name}: values is a scalar; it takes one or more axes")


def _infer_sort(avals, attrs):
    _check_axis("sort", avals[0])
    return aval(avals[0].dtype, avals[0].shape)


def _sort(x, descending):
    x = np.sort(x, axis=-1)
    return x[..., ::-1] if descending else x


def _along_last(x, order, inverse: bool = False):
    """x at the positions of each row, or each row of x put where the positions say."""
    axis = len(order.nbflow_shape) - 1
    if inverse:
        return T["scatter_add"](x, order, axis=axis, batch_dims=axis, size=x.nbflow_shape[-1])
    return T["gather"](x, order, axis=axis, batch_dims=axis)


def _vjp_sort(k, g, inputs, output, attrs):
    return _along_last(g, T["argsort"](inputs[0], **attrs, first=inputs[0].nbflow_shape[-1]), inverse=True)


sort = register(Op("sort", ("values",), _infer_sort, host=_sort, vjp=_vjp_sort, dtypes=REAL, reference=_sort))


def _infer_argsort(avals, attrs):
    (a,) = avals
    _check_axis("argsort", a)
    return aval(int32, (*a.shape[:-1], attrs["first"]))


def _argsort(x, descending, first):
    return stable_order(x, descending, first).astype(np.int32)


def _argsort_reference(x, descending, first):
    x = x.astype(np.float64) if x.dtype.kind == "f" else x.astype(object)
    return np.argsort(-x if descending else x, axis=-1, kind="stable")[..., :first].astype(np.int32)


argsort = register(
    Op("argsort", ("values",), _infer_argsort, host=_argsort, dtypes=REAL, reference=_argsort_reference)
)  # fmt: skip


# --- unique elements --------------------------------------------------------------------------------------------------


def _unique(x):
    """Unique elements in the order of their first appearance, the number of its own for each element, and counts."""
    if not x.size:
        return x, np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = stable_order(x)
    ordered = x[order]
    new = np.append(True, ordered[1:] != ordered[:-1])
    firsts = order[new]
    rank = np.empty(len(firsts), np.int64)
    appearance = np.argsort(firsts)
    rank[appearance] = np.arange(len(firsts))
    numbers = np.empty(x.size, np.int64)
    numbers[order] = rank[np.cumsum(new) - 1]
    counts = np.diff(np.append(np.flatnonzero(new), x.size))
    return x[firsts[appearance]], numbers, counts[appearance]


def _unique_reference(x):
    values: dict = {}
    numbers = [values.setdefault(v if v == v else object(), len(values)) for v in x.tolist()]
    firsts = [numbers.index(k) for k in range(len(values))]
    return x[firsts], np.array(numbers, np.int64), np.bincount(np.array(numbers, np.int64), minlength=len(values))


def _infer_unique(avals, attrs):
    (a,) = avals
    if len(a.shape) != 1:
        raise InvalidArgumentError(f"unique: x has shape {shape_text(a)}; it takes one axis")
    size = Dim.fresh("unique")
    return aval(a.dtype, (size,)), aval(int64, a.shape), aval(int64, (size,))


unique = register(
    Op("unique", ("x",), _infer_unique, host=_unique, dtypes=(*REAL, bool_), reference=_unique_reference)
)  # fmt: skip


# --- positions by value -----------------------------------------------------------------------------------------------

where_true = register(
    Op(
        "where_true",
        ("condition",),
        lambda avals, attrs: aval(int64, (Dim.fresh("true"), len(avals[0].shape))),
        host=lambda x: np.argwhere(x).astype(np.int64),
        reference=lambda x: np.argwhere(x).astype(np.int64),
        dtypes=ALL,
    )
)


def _parts(partitions, num_partitions):
    flat = partitions.reshape(-1)
    bad = np.flatnonzero((flat < 0) | (flat >= num_partitions))
    if bad.size:
        raise InvalidArgumentError(
            f"dynamic_partition: partitions has {flat[bad[0]]} at {bad[0]}, which is not in [0, {num_partitions})"
        )
    order = stable_order(flat)
    ends = np.searchsorted(flat[order], np.arange(num_partitions + 1))
    return tuple(order[low:high] for low, high in pairwise(ends))


# For each partition the positions of its elements.
partition_positions = register(
    Op(
        "partition_positions",
        ("partitions",),
        lambda avals, attrs: tuple(aval(int64, (Dim.fresh("part"),)) for _ in range(attrs["num_partitions"])),
        host=_parts,
        reference=lambda partitions, num_partitions: tuple(
            np.flatnonzero(partitions == k).astype(np.int64) for k in range(num_partitions)
        ),
        dtypes=(int32,),
    )
)


def _last_positions(indices):
    if indices.size and indices.min() < 0:
        raise InvalidArgumentError(f"dynamic_stitch: indices has {indices.min()}; it takes 0 and more")
    last = np.full(int(indices.max(initial=-1)) + 1, -1, np.int64)
    last[indices] = np.arange(len(indices))
    return last


# For each number in 0 … the greatest index where it stands last, -1 for one that is not there.
last_positions = register(
    Op(
        "last_positions",
        ("indices",),
        lambda avals, attrs: aval(int64, (Dim.fresh("stitched"),)),
        host=_last_positions,
        reference=lambda x: np.array([max(np.flatnonzero(x == k), default=-1) for k in range(max(x, default=-1) + 1)]
                                     , np.int64),
        dtypes=(int32,),
    )
)  # fmt: skip


def _infer_stitch(avals, attrs):
    data, _, positions = avals
    return aval(data.dtype, (*positions.shape, *data.shape[1:]))


stitch = composite(
    "stitch", "data indices positions",
    lambda data, indices, positions: T["gather"](data, positions, axis=0, policy=1), _infer_stitch,
    vjp=lambda k, g, inputs, output, attrs: T["gather"](g, inputs[1], axis=0), blocked=(1, 2),  # for all, as TensorFlow
    reference=lambda data, indices, positions: np.where(
        (positions >= 0).reshape(-1, *(1,) * (data.ndim - 1)), data[positions], np.zeros((), data.dtype)
    ),
)  # fmt: skip


def _invert_permutation(x):
    n = len(x)
    bad = x[(x < 0) | (x >= n)]
    if bad.size:
        raise InvalidArgumentError(f"invert_permutation: x has {bad[0]}, which is not between 0 and {n}")
    result = np.full(n, -1, x.dtype)
    result[x] = np.arange(n, dtype=x.dtype)
    if (result < 0).any():
        raise InvalidArgumentError("invert_permutation: x has a number twice, so that it is no permutation")
    return result


def _infer_invert(avals, attrs):
    (a,) = avals
    if len(a.shape) != 1 or a.dtype not in (int32, int64):
        raise InvalidArgumentError(
            f"invert_permutation: x has shape {shape_text(a)} and dtype {a.dtype.name}; it takes a vector "
            f"of int32 or int64"
        )
    return aval(a.dtype, a.shape)


invert_permutation = register(
    Op(
        "invert_permutation",
        ("x",),
        _infer_invert,
        host=_invert_permutation,
        dtypes=(int32, int64),
        reference=lambda x: np.argsort(x).astype(x.dtype),
    )
)

_SEARCH = """def {{name}}(p, begin, end):
    \"\"\"searchsorted: values [begin, end), each in its row of n sorted elements\"\"\"
    x, values, y, n, m = word(p, 0), word(p, 1), word(p, 2), word(p, 3), word(p, 4)
    for i in range(begin, end):
        row = (i // m) * n
        v = load({code}, values, i, 0)
        low, count = 0, n
        while count > 0:
            half = count // 2
            e = load({code}, x, row + low + half, 0)
            if {after}:
                low, count = low + half + 1, count - half - 1
            else:
                count = half
        store({out}, y, i, {out}(low), 1)
"""


def _infer_search(avals, attrs):
    check_dtypes("searchsorted", ("sorted_sequence", "values"), avals, REAL)
    sequence, values = avals
    if len(sequence.shape) != 2 or not could_be_equal(sequence.shape[:1], values.shape[:1]):
        raise InvalidArgumentError(
            f"searchsorted: sorted_sequence has shape {shape_text(sequence)} and values {shape_text(values)}; all axes "
            f"but the last must be equal"
        )
    return aval(attrs["out_type"], values.shape)


def _lower_search(node, lowering):
    sequence, values = node.inputs
    result, n = node.output, sequence.shape[1]
    (x, touch_x), (v, touch_v) = (lowering.dense(lowering.place(i), i.shape) for i in node.inputs)
    after = "e < v" if node.attrs["side"] == "left" else "not (v < e)"
    source = _SEARCH.format(code=values.dtype.code, out=result.dtype.code, after=after)
    touches = [touch_x, touch_v, lowering.writes(result, SLAB, result.dtype.size)]
    cost = 20 + result.aval.size * 4 * (1 + n.bit_length())
    lowering.call(
        "searchsorted", source, [x, v, lowering.address(result), n, values.shape[1]], result.aval.size, touches, cost
    )


searchsorted = register(
    Op(
        "searchsorted",
        ("sorted_sequence", "values"),
        _infer_search,
        lower=_lower_search,
        wide=True,
        dtypes=REAL,
        reference=lambda x, values, side, out_type: np.reshape(
            [np.searchsorted(row, v, side) for row, v in zip(x, values, strict=True)], values.shape
        ).astype(out_type.np),
    )
)


def _in_top_k(targets, predictions, k):
    shape = predictions.shape
    chosen = T["equal"](targets.iota(shape[1], targets.dtype), T["reshape"](targets, shape=(*targets.shape, 1)))
    axis = {"axis": (1,), "keepdims": True}
    target = T["reduce_sum"](where(chosen, predictions, T["zeros_like"](predictions)), **axis)
    before = T["reduce_sum"](cast(predictions > target, int32), axis=(1,), keepdims=False)
    known = T["logical_and"](
        T["reduce_all"](T["is_finite"](predictions), axis=(1,), keepdims=False),
        T["reduce_any"](chosen, axis=(1,), keepdims=False),
    )
    return T["logical_and"](known, before < k)


def _infer_in_top_k(avals, attrs):
    targets, predictions = avals
    check_dtypes("in_top_k", ("predictions",), [predictions], FLOATING)
    if len(predictions.shape) != 2 or not could_be_equal(targets.shape, predictions.shape[:1]):
        raise InvalidArgumentError(
            f"in_top_k: targets has shape {shape_text(targets)} and predictions {shape_text(predictions)}; it takes "
            f"one target for each row of predictions"
        )
    return aval(bool_, targets.shape)


def _in_top_k_reference(targets, predictions, k):
    rows = zip(targets, predictions, strict=True)
    return np.array(
        [bool(0 <= t < len(p) and np.isfinite(p).all() and (p > p[t]).sum() < k) for t, p in rows], np.bool_
    )


in_top_k = composite(
    "in_top_k", "targets predictions", _in_top_k, _infer_in_top_k, dtypes=FLOATING, reference=_in_top_k_reference
)
