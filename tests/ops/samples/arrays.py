"""Samples for scans, statistics, gathering and scattering."""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from nbflow.dtypes import DType, int32, int64
from tests.ops.samples.common import *

# --- along an axis ----------------------------------------------------------------------------------------------------


def scans(low: float = -3, identity: float = 0) -> Callable:
    def samples(dtype: DType) -> Iterator[Sample]:
        shapes = [((5,), 0), ((3, 4), 0), ((2, 3, 4), 1), ((0, 3), 0), ((3, 0), 0), ((2, 1, 3, 2, 2), 2), ((2, 200), 0)]
        for shape, axis in some(dtype, shapes):
            for exclusive, reverse in product((False, True), repeat=2):
                attrs = {"axis": axis, "exclusive": exclusive, "reverse": reverse}
                smooth = 0 not in shape and shape[0] < 4
                yield Sample([numbers(dtype, shape, low=low)], attrs, smooth and (identity == 0 or not exclusive))
        for value in (np.inf, -np.inf, 0):
            if dtype.is_floating:
                x = numbers(dtype, (4,), 1)
                x[1:3] = value
                yield Sample([x], {"axis": 0, "exclusive": False, "reverse": False})

    return samples


STATISTICS = [((2, 3), (0, 1)), ((2, 3), (1,)), ((), ()), ((4, 2), (0,)), ((2, 3, 2, 1, 3), (0, 2, 4)), ((70, 5), (0,))]


def statistics(**attrs) -> Callable:
    def samples(dtype: DType) -> Iterator[Sample]:
        for shape, axis in some(dtype, STATISTICS):
            for keepdims in (False, True):
                smooth = dtype.is_differentiable and 1 < len(shape) < 4
                yield Sample([numbers(dtype, shape)], {"axis": axis, "keepdims": keepdims, **attrs}, smooth)
        if dtype.is_floating:
            for value in (np.inf, -np.inf, np.nan):
                x = numbers(dtype, (5, 2), 3)
                x[3, 0] = value
                yield Sample([x], {"axis": (0,), "keepdims": False, **attrs})

    return samples


# --- gathering and scattering -----------------------------------------------------------------------------------------

GATHERS = [  # shape of params, indices, axis, batch_dims
    ((5,), [4, 0, 0, 2], 0, 0),
    ((5, 3), [[1, 4], [0, 0]], 0, 0),
    ((2, 5, 3), [3, 3, 1], 1, 0),
    ((2, 3), 1, 1, 0),
    ((4, 3), [], 0, 0),
    ((0, 3), [], 0, 0),
    ((3, 0), [2, 1], 0, 0),
    ((2, 3, 4), [[3, 0], [1, 1]], 2, 1),
    ((2, 3), [[0, 2, 2], [1, 1, 0]], 1, 1),
    ((2, 2, 3, 2), [[[2], [0]], [[1], [1]]], 2, 2),
]


def gathers(dtype: DType) -> Iterator[Sample]:
    for shape, indices, axis, batch in some(dtype, GATHERS, 3):
        for index_type in (np.int32, np.int64) if dtype in EVERY_SHAPE else (np.int32,):
            attrs = {"axis": axis, **({"batch_dims": batch} if batch else {})}
            yield Sample([numbers(dtype, shape), np.array(indices, index_type)], attrs, smooth=0 not in shape)
    yield Sample([numbers(dtype, (3, 2)), np.array([1, -1, 3], np.int64)], {"axis": 0, "policy": 1}, smooth=True)


def scatters(dtype: DType) -> Iterator[Sample]:
    for shape, indices, axis, batch in some(dtype, GATHERS, 3):
        index = np.array(indices, np.int64)
        result = (*shape[:axis], *index.shape[batch:], *shape[axis + 1 :])
        attrs = {"axis": axis, "size": shape[axis], **({"batch_dims": batch} if batch else {})}
        yield Sample([numbers(dtype, result), index], attrs, smooth=0 not in result)
    drop = {"axis": 0, "size": 2, "policy": 2}
    yield Sample([numbers(dtype, (3, 2)), np.array([1, -1, 1], np.int32)], drop, smooth=True)


POINTS = [  # shape, points
    ((5,), [[4], [0], [0]]),
    ((3, 2), [[[2], [1]], [[1], [1]]]),
    ((3, 2), [[2, 0], [0, 1], [2, 0]]),
    ((2, 3, 2, 2), [[1, 2, 0], [0, 0, 1]]),
    ((2, 3), [1, 2]),
    ((2, 0), [[1], [0]]),
]


def points(dtype: DType) -> Iterator[Sample]:
    for shape, at in some(dtype, POINTS, 3):
        for index_type in (np.int32, np.int64) if dtype in EVERY_SHAPE else (np.int32,):
            yield Sample([numbers(dtype, shape), np.array(at, index_type)], {"batch_dims": 0}, smooth=0 not in shape)
    yield Sample([numbers(dtype, (2, 3, 2)), np.array([[[2], [0]], [[1], [1]]])], {"batch_dims": 1}, smooth=True)
    yield Sample([numbers(dtype, (2, 3)), np.zeros((4, 0), np.int32)], {"batch_dims": 0}, smooth=True)


def scattered_points(dtype: DType) -> Iterator[Sample]:
    for shape, at in some(dtype, POINTS, 3):
        index = np.array(at, np.int64)
        updates = numbers(dtype, (*index.shape[:-1], *shape[index.shape[-1] :]))
        yield Sample([index, updates], {"shape": shape, "batch_dims": 0}, smooth=0 not in shape)
    index = np.array([[[2], [0]], [[1], [1]]])
    yield Sample([index, numbers(dtype, (2, 2, 2))], {"shape": (2, 3, 2), "batch_dims": 1}, smooth=True)


def onto(repeated: bool = True, divisor: bool = False) -> Callable:
    """Updates of a tensor at points, of which some may be the same."""

    def samples(dtype: DType) -> Iterator[Sample]:
        for shape, at in some(dtype, POINTS, 3):
            index = np.array(at, np.int64)
            if not repeated:
                index = np.unique(index.reshape(-1, index.shape[-1]), axis=0)
            size = (*index.shape[:-1], *shape[index.shape[-1] :])
            both = distinct(dtype, (int(np.prod(shape) + np.prod(size)),), 3)
            if dtype.is_unsigned:
                both = numbers(dtype, both.shape)
            x, updates = np.split(both, [int(np.prod(shape))])
            updates = nonzero(updates) if divisor else updates
            yield Sample([x.reshape(shape), index, updates.reshape(size)], smooth=0 not in shape)

    return samples


def whole(dtype: DType, shape: tuple, seed: int = 0) -> np.ndarray:
    """Whole numbers, among which some are equal."""
    return np.asarray(numbers(dtype, shape, seed).round(), dtype.np)


# --- segments ---------------------------------------------------------------------------------------------------------


def unsorted_segments(dtype: DType) -> Iterator[Sample]:
    for shape, ids in some(dtype, [((5,), [1, 0, 1, 0, 1]), ((2, 3), [[1, 0, 1], [1, 1, 0]]), ((4, 2), [1, -1, 1, 0])]):
        for index_type in (np.int32, np.int64) if dtype in EVERY_SHAPE else (np.int64,):
            attrs = {"num_segments": 2, "policy": 2}
            yield Sample([distinct_or_small(dtype, shape), np.array(ids, index_type)], attrs, smooth=True)
    yield Sample([numbers(dtype, (0, 3)), np.zeros(0, np.int32)], {"num_segments": 0, "policy": 2})


def distinct_or_small(dtype: DType, shape: tuple) -> np.ndarray:
    return distinct(dtype, shape, 2) if dtype.is_floating else numbers(dtype, shape, 2)


def segments(dtype: DType) -> Iterator[Sample]:
    for shape, ids, starts in [
        ((5,), [0, 0, 2, 2, 2], [0, 2, 2, 5]),
        ((3, 2), [0, 1, 1], [0, 1, 3]),
        ((0, 3), [], [0]),
    ]:
        inputs = [distinct_or_small(dtype, shape), np.array(ids, np.int32), np.array(starts, np.int64)]
        yield Sample(inputs, smooth=0 not in shape)


def segment_numbers(dtype: DType) -> Iterator[Sample]:
    for ids in ([0, 0, 2, 2, 5], [0], [3, 3], []):
        yield Sample([np.array(ids, dtype.np)])


# --- order ------------------------------------------------------------------------------------------------------------


def rows_to_sort(dtype: DType) -> Iterator[Sample]:
    for shape in some(dtype, [(5,), (3, 4), (0,), (2, 0), (2, 1, 3, 2, 2), (67,)]):
        for descending in (False, True):
            yield Sample([distinct_or_small(dtype, shape)], {"descending": descending}, smooth=0 not in shape)
    x = extremes(dtype)
    yield Sample([x[x == x]], {"descending": False})


def first_of(samples: Callable) -> Callable:
    """Positions of all elements in order, or of the first few."""

    def firsts(dtype: DType) -> Iterator[Sample]:
        for sample in samples(dtype):
            n = sample.inputs[0].shape[-1]
            yield Sample(sample.inputs, {**sample.attrs, "first": n})
        yield Sample([numbers(dtype, (2, 67))], {"descending": True, "first": 3})
        yield Sample([numbers(dtype, (67,))], {"descending": False, "first": 0})

    return firsts


def vectors(dtype: DType) -> Iterator[Sample]:
    yield Sample([whole(dtype, (20,))])
    yield Sample([numbers(dtype, (0,))])
    yield Sample([extremes(dtype)[1:]])


def partitions(dtype: DType) -> Iterator[Sample]:
    for x in ([0, 2, 2, 0, 1], [[1, 1], [0, 3]], []):
        yield Sample([np.array(x, np.int32)], {"num_partitions": 4})


def stitched(dtype: DType) -> Iterator[Sample]:
    indices, positions = np.array([0, 3, 1], np.int32), np.array([0, 2, -1, 1])
    yield Sample([numbers(dtype, (3, 2)), indices, positions], smooth=True)


def sorted_rows(dtype: DType) -> Iterator[Sample]:
    for side, out_type in product(("left", "right"), (int32, int64)):
        for rows, n, m in some(dtype, [(2, 5, 7), (1, 1, 3), (2, 0, 3), (0, 2, 2), (1, 300, 60)]):
            values = np.sort(whole(dtype, (rows, n)), -1), whole(dtype, (rows, m), 1)
            yield Sample(list(values), {"side": side, "out_type": out_type})


def predictions(dtype: DType) -> Iterator[Sample]:
    x = whole(dtype, (5, 4))
    x[3, 1] = np.nan
    for k in (0, 1, 2, 5):
        yield Sample([np.array([0, 3, -1, 0, 4], np.int32), x], {"k": k})


# --- borders, parts, diagonals ----------------------------------------------------------------------------------------

BORDERS = [
    ((3,), (1,), (2,)),
    ((2, 3), (0, 1), (2, 0)),
    ((), (), ()),
    ((0, 2), (1, 0), (0, 1)),
    ((2, 1, 3, 2, 2), (1, 0, 0, 2, 1), (0, 1, 0, 0, 1)),
]


def borders(dtype: DType) -> Iterator[Sample]:
    for shape, before, after in some(dtype, BORDERS):
        value = np.asarray(1, dtype.np)
        yield Sample([numbers(dtype, shape), value], {"before": before, "after": after}, smooth=0 not in shape)


def rolled(dtype: DType) -> Iterator[Sample]:
    for shape, shift, axis in some(
        dtype, [((5,), 2, 0), ((2, 3), -1, 1), ((2, 3), 4, 0), ((0, 2), 1, 0), ((3,), 3, 0)]
    ):
        yield Sample([numbers(dtype, shape)], {"shift": shift, "axis": axis}, smooth=0 not in shape)


def pieces(dtype: DType) -> Iterator[Sample]:
    for shape, sizes, axis in some(dtype, [((5,), (2, 3), 0), ((2, 4), (1, 0, 3), 1), ((2, 3), (2,), 0)]):
        yield Sample([numbers(dtype, shape)], {"sizes": sizes, "axis": axis}, smooth=True)


def limits(dtype: DType) -> Iterator[Sample]:
    for shape, least, most in some(dtype, [((2, 3), (), ()), ((2, 3), (3,), (2, 1)), ((0,), (), ())]):
        low, high = np.full(least, 1, dtype.np), np.full(most, 2, dtype.np)
        yield Sample([numbers(dtype, shape), low, high], smooth=0 not in shape)
    yield Sample([extremes(dtype), np.asarray(0, dtype.np), np.asarray(2, dtype.np)])


def addends(dtype: DType) -> Iterator[Sample]:
    for shape, count in ((((2, 3)), 3), ((), 1), ((0,), 2)):
        yield Sample([numbers(dtype, shape, k) for k in range(count)], smooth=0 not in shape)


BANDS = [(0, 0), (1, 1), (-1, -1), (-1, 1), (0, 2), (-2, 0)]
ALIGNMENTS = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")


def bands(written: bool) -> Callable:
    def samples(dtype: DType) -> Iterator[Sample]:
        for shape, (lower, upper), align in product([(3, 4), (2, 4, 3)], BANDS, ALIGNMENTS):
            if dtype not in EVERY_SHAPE and (len(shape) > 2 or align != "RIGHT_LEFT" or lower == 0):
                continue
            attrs = {"lower": lower, "upper": upper, "align": align}
            x, zero = numbers(dtype, shape), np.asarray(0, dtype.np)
            band = TABLE["diag_part"].reference(numbers(dtype, shape, 1), zero, **attrs)
            yield Sample([x, band if written else zero], attrs, smooth=align == "RIGHT_LEFT")

    return samples


def diagonals(dtype: DType) -> Iterator[Sample]:
    for shape, k in product(some(dtype, [(3, 4), (4, 2), (2, 3, 3), (0, 2, 2)], 1), (0, 1, -1)):
        yield Sample([numbers(dtype, shape)], {"k": k}, smooth=0 not in shape)


def parts_of_bands(dtype: DType) -> Iterator[Sample]:
    for shape, (lower, upper) in product(some(dtype, [(3, 4), (2, 3, 3)], 1), ((0, 0), (-1, 1), (1, -1), (-1, -1))):
        yield Sample([numbers(dtype, shape)], {"lower": lower, "upper": upper}, smooth=True)


RECIPES |= {
    "ensure_shape": lambda dtype: [Sample([numbers(dtype, (2, 3))], {"shape": (2, 3)}, smooth=True)],
    "pad": borders,
    "roll": rolled,
    "split": pieces,
    "repeat_positions": lambda dtype: [Sample([np.array(x, dtype.np)]) for x in ([2, 0, 1], [])],
    "unravel_index": lambda dtype: [Sample([np.array(x, dtype.np), np.array([2, 3], dtype.np)]) for x in ([5, 0], 3)],
    "clip_by_value": limits,
    "add_n": addends,
    "diag_part": bands(written=False),
    "set_diag": bands(written=True),
    "diagonal": diagonals,
    "band_part": parts_of_bands,
    "counting": lambda dtype: [Sample([np.asarray(n, dtype.np)]) for n in (0, 1, 5)],
    **{f"unsorted_segment_{how}": unsorted_segments for how in ("sum", "prod", "min", "max")},
    **{f"segment_{how}": segments for how in ("sum", "prod", "min", "max")},
    "segment_starts": segment_numbers,
    "sort": rows_to_sort,
    "argsort": first_of(rows_to_sort),
    "unique": vectors,
    "where_true": lambda dtype: [Sample([whole(dtype, shape)]) for shape in some(dtype, SHAPES)],
    "partition_positions": partitions,
    "last_positions": lambda dtype: [Sample([np.array(x, np.int32)]) for x in ([0, 3, 1, 3], [])],
    "stitch": stitched,
    "invert_permutation": lambda dtype: [Sample([np.array(x, dtype.np)]) for x in ([2, 0, 1], [])],
    "searchsorted": sorted_rows,
    "in_top_k": predictions,
    "cumsum": scans(),
    "cumprod": scans(0.5),
    "cumulative_logsumexp": scans(identity=-np.inf),  # of which there are no differences
    **dict.fromkeys(("reduce_logsumexp", "reduce_variance", "reduce_std", "reduce_euclidean_norm"), statistics()),
    "count_nonzero": statistics(dtype=int64),
    "gather": gathers,
    "scatter_add": scatters,
    "gather_nd": points,
    "scatter_nd": scattered_points,
    **dict.fromkeys(("tensor_scatter_nd_update", "tensor_scatter_nd_div"), onto(repeated=False, divisor=True)),
    **{f"tensor_scatter_nd_{how}": onto() for how in ("add", "sub", "min", "max", "mul")},
}


def of_sums(inputs, attrs, expected):
    """The running sum of magnitudes."""
    return TABLE["cumsum"].reference(np.abs(inputs[0]), **attrs)


MAGNITUDES |= {"cumsum": of_sums}
MAGNITUDES |= dict.fromkeys(
    ("cumulative_logsumexp", "reduce_logsumexp", "reduce_std", "reduce_variance"),
    lambda inputs, attrs, y: np.abs(y) + 1,
)
