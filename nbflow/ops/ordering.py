"""Sorting and what is found by it: order, unique elements, places in a sorted sequence; positions by value."""

import sys
from itertools import pairwise

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import SLAB
from nbflow.compiler.op import Op
from nbflow.dtypes import ALL, FLOATING, REAL, bool_, int32, int64
from nbflow.errors import InvalidArgumentError
from nbflow.ops.elementwise import cast, where
from nbflow.ops.table import TABLE, check_dtypes, composite, register, shape_text
from nbflow.runtime.pool import shared
from nbflow.shapes import Dim, could_be_equal

T = TABLE
SORTING = 20  # multiplications that cost as much as the part of one element in sorting
CACHED = 1 << 15  # elements of rows that are sorted at a time, so that the keys stay in the cache
FEW = 16  # partitions for which each may go through all elements


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
    """The positions that sort x along its last axis, equal elements in their order; only so many `first` ones."""
    if x.ndim < 2:
        return _stable_order(x, descending, first)
    few = max(1, CACHED // max(1, x.shape[-1]))

    def ordered(rows: np.ndarray) -> np.ndarray:
        parts = [_stable_order(rows[k : k + few], descending, first) for k in range(0, max(1, len(rows)), few)]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    return shared(ordered, x, rank=1, work=SORTING * x.shape[-1])


def _stable_order(x: np.ndarray, descending: bool, first: int | None) -> np.ndarray:
    """A key and its position make one number of 64 bits: these sort much faster than positions, and none are equal."""
    n = x.shape[-1]
    first = n if first is None else first
    keys = sort_keys(x, descending)
    if keys is None:
        x = (-x if x.dtype.kind == "f" else ~x) if descending else x
        if x.dtype.kind == "f" or not x.size or int(x.max()) - int(x.min()) >= 1 << 32:
            return _order_of_long(x)[..., :first]
        keys = x - x.min()
    if x.ndim == 1 and 0 < first < n // 4:
        chosen = np.flatnonzero(keys <= np.partition(keys, first - 1)[first - 1])
        return chosen[_positions(_pairs(keys[chosen], np.arange(len(chosen))))[:first]]
    pairs = _pairs(keys, np.arange(n))
    if 0 < first < n // 4:
        pairs = np.partition(pairs, first - 1, axis=-1)[..., :first]
    return _positions(pairs)[..., :first]


def _pairs(keys: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Numbers of 64 bits, with a key in the upper half and a position in the lower one."""
    halves = np.empty((*keys.shape, 2), np.uint32)
    lower, upper = (0, 1) if sys.byteorder == "little" else (1, 0)
    halves[..., lower], halves[..., upper] = positions, keys
    return halves.view(np.uint64)[..., 0]


def _positions(pairs: np.ndarray) -> np.ndarray:
    """The positions of sorted pairs."""
    pairs = np.ascontiguousarray(pairs)
    pairs.sort(axis=-1)
    return (pairs & np.uint64(0xFFFFFFFF)).view(np.int64)


def _order_of_long(x: np.ndarray) -> np.ndarray:
    """Of numbers of 64 bits: sorted in any order, and then among equal ones by position."""
    order = np.argsort(x, axis=-1)
    ordered = np.take_along_axis(x, order, -1)
    one, two = ordered[..., :-1], ordered[..., 1:]
    equal = (one == two) | ((one != one) & (two != two))
    if equal.any():
        like_last = np.zeros(x.shape, np.bool_)
        like_last[..., 1:] = equal
        tied = like_last.copy()
        tied[..., :-1] |= equal
        order[tied] = _positions(_pairs(np.cumsum(~like_last[tied]), order[tied]))
    return order


def _check_axis(name: str, a) -> None:
    check_dtypes(name, ("values",), [a], REAL)
    if not a.shape:
        raise InvalidArgumentError(f"{name}: values is a scalar; it takes one or more axes")


def _infer_sort(avals, attrs):
    _check_axis("sort", avals[0])
    return aval(avals[0].dtype, avals[0].shape)


def _sort(x, descending):
    x = np.sort(x) if x.ndim < 2 else shared(np.sort, x, rank=1, work=SORTING * x.shape[-1])
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
    if x.dtype.kind in "iu":
        low, high = int(x.min()), int(x.max())
        if high - low < 2 * x.size:
            return _unique_of_few(x, low, high - low + 1)
    order = stable_order(x)
    ordered = x[order]
    new = np.append(True, ordered[1:] != ordered[:-1])
    if new.all():
        return x, np.arange(x.size), np.ones(x.size, np.int64)
    kept, rank = _by_appearance(order[new], x.size)
    numbers = np.empty(x.size, np.int64)
    numbers[order] = rank[np.cumsum(new) - 1]
    counts = np.empty(len(rank), np.int64)
    counts[rank] = np.diff(np.append(np.flatnonzero(new), x.size))
    return x[kept], numbers, counts


def _unique_of_few(x: np.ndarray, low: int, size: int):
    """Of integers that may be the index of a table."""
    places = (x - x.dtype.type(low) if x.dtype == np.uint64 else x.astype(np.int64) - low).view(np.int64)
    firsts = np.full(size, -1, np.int64)
    firsts[places[::-1]] = np.arange(x.size - 1, -1, -1)  # of what is assigned to one place the last stays
    there = np.flatnonzero(firsts >= 0)
    kept, rank = _by_appearance(firsts[there], x.size)
    ranks, counts = np.empty(size, np.int64), np.empty(len(rank), np.int64)
    ranks[there] = rank
    counts[rank] = np.bincount(places, minlength=size)[there]
    return x[kept], ranks[places], counts


def _by_appearance(firsts: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether each of n elements is the first of its kind, for the positions of those; and which first each is."""
    kept = np.zeros(n, np.bool_)
    kept[firsts] = True
    return kept, (np.cumsum(kept) - 1)[firsts]


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


def _where_true(x):
    """The indices of what is true: numbers in one row of all elements, taken apart axis by axis."""
    found = np.flatnonzero(x)
    indices = np.empty((len(found), x.ndim), np.int64)
    for axis in range(x.ndim - 1, 0, -1):
        found, indices[:, axis] = np.divmod(found, x.shape[axis])
    if x.ndim:
        indices[:, 0] = found
    return indices


where_true = register(
    Op(
        "where_true",
        ("condition",),
        lambda avals, attrs: aval(int64, (Dim.fresh("true"), len(avals[0].shape))),
        host=_where_true,
        reference=lambda x: np.argwhere(x).astype(np.int64),
        dtypes=ALL,
    )
)


def _parts(partitions, num_partitions):
    flat = partitions.reshape(-1)
    if flat.size and (flat.min() < 0 or flat.max() >= num_partitions):
        bad = np.flatnonzero((flat < 0) | (flat >= num_partitions))
        raise InvalidArgumentError(
            f"dynamic_partition: partitions has {flat[bad[0]]} at {bad[0]}, which is not in [0, {num_partitions})"
        )
    if num_partitions <= FEW:
        return tuple(np.flatnonzero(flat == k) for k in range(num_partitions))
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
        while count > 1:
            half = count // 2
            e = load({code}, x, row + low + half - 1, 0)
            low = low + half if {after} else low
            count -= half
        if count == 1:
            e = load({code}, x, row + low, 0)
            low = low + 1 if {after} else low
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
