"""Calls of scans, statistics, segments, sorting and counting."""

from itertools import product

import numpy as np

from .common import *

CUBE = (np.arange(24.0).reshape(2, 3, 4) * 7 % 11 - 4) / 4
MATRIX = np.array([[3.0, -1, 2, 2], [0.5, 4, -2, 1], [2, 2, 7, -3]])


def cases() -> list[Case]:
    """All cases, in order."""
    return [
        *_scans(),
        *_statistics(),
        *_segments(),
        *_order(),
        *_counts(),
    ]


def errors() -> list[Case]:
    """Calls that raise in TensorFlow."""
    calls = {
        "cumsum over no such axis": lambda tf: tf.cumsum([1.0, 2], axis=1),
        "variance of integers": lambda tf: tf.math.reduce_variance([1, 2]),
        "segment ids that fall": lambda tf: tf.math.segment_sum([1.0, 2, 3], [0, 2, 1]),
        "negative segment id": lambda tf: tf.math.segment_max([1.0, 2], [-1, 0]),
        "too few segment ids": lambda tf: tf.math.segment_sum([1.0, 2, 3], [0, 1]),
        "unsorted id out of range": lambda tf: tf.math.unsorted_segment_sum([1.0, 2], [0, 3], 3),
        "negative num_segments": lambda tf: tf.math.unsorted_segment_sum([1.0, 2], [0, 1], -1),
        "k of 1.5": lambda tf: tf.math.top_k([1.0, 2], 1.5),
        "argmin as int16": lambda tf: tf.argmin([1.0, 2], output_type=tf.int16),
        "axis given twice": lambda tf: tf.reduce_sum([[1.0, 2]], [0, -2]),
        "k too great": lambda tf: tf.math.top_k([1.0, 2], 3),
        "k negative": lambda tf: tf.math.top_k([1.0, 2], -1),
        "sort upwards": lambda tf: tf.sort([1.0], direction="UP"),
        "unique of a matrix": lambda tf: tf.unique([[1, 2]]),
        "search from the middle": lambda tf: tf.searchsorted([1, 2], [1], side="middle"),
        "no permutation": lambda tf: tf.math.invert_permutation([2, 0, 2]),
        "counts of negative numbers": lambda tf: tf.math.bincount([-1, 2]),
        "weights and a binary output": lambda tf: tf.math.bincount([1], weights=[1.0], binary_output=True),
        "class out of range": lambda tf: tf.math.confusion_matrix([1, 2], [2, 2], num_classes=2),
    }
    return [Case(name, call, []) for name, call in calls.items()]


def _scans() -> list[Case]:
    found = []
    for name, (exclusive, reverse) in product(
        ("cumsum", "cumprod", "cumulative_logsumexp"), product((False, True), repeat=2)
    ):
        function = lambda tf, x, name=name, attrs={"exclusive": exclusive, "reverse": reverse}: [
            getattr(tf.math, name)(x, axis, **attrs) for axis in (0, -1)
        ]
        at = f"{name}/{'exclusive ' * exclusive}{'reverse' * reverse}"
        found += both(at, function, CUBE)
        if name != "cumulative_logsumexp" or not exclusive:
            found += both(f"{at}/gradient", function, MATRIX[:, :2], gradient=True)
    unknown = np.array([np.nan, 1, np.nan, 2])
    found += both("cumulative_logsumexp/nan", lambda tf, x: tf.math.cumulative_logsumexp(x), unknown)
    found += both("cumprod/zero", lambda tf, x: tf.math.cumprod(x), np.array([2.0, 0, 3]), gradient=True)
    odd = np.array([-np.inf, -np.inf, 1, np.inf, 2])
    found += both("cumulative_logsumexp/odd", lambda tf, x: tf.math.cumulative_logsumexp(x), odd)
    return found


def _statistics() -> list[Case]:
    found = []
    for name in ("reduce_logsumexp", "reduce_std", "reduce_variance", "reduce_euclidean_norm"):
        function = lambda tf, x, name=name: [
            getattr(tf.math, name)(x),
            getattr(tf.math, name)(x, axis=1),
            getattr(tf.math, name)(x, [-1, 0], keepdims=True),
        ]
        found += both(name, function, CUBE, gradient=True)
        found += both(f"{name}/odd", function, np.where(CUBE == 0.25, np.inf, CUBE))
        empty = lambda tf, x, name=name: getattr(tf.math, name)(x, 1)
        found += both(f"{name}/empty", empty, np.zeros((2, 0)))
    found += both("reduce_euclidean_norm/zero", lambda tf, x: tf.math.reduce_euclidean_norm(x), [0.0, 0], gradient=True)
    zeros = np.array([[2.0, 0, 3], [0, 0, 1], [4, -1, 2], [np.inf, 1, 2]])
    prod = lambda tf, x: [tf.reduce_prod(x, 1), tf.reduce_prod(x, [-1], keepdims=True)]
    found += both("reduce_prod/zeros", prod, zeros, gradient=True)
    ties = lambda tf, x: [tf.reduce_max(x, 1), tf.reduce_min(x), tf.reduce_max(x, [])]
    found += both("extremes/ties", ties, np.array([[1.0, 1, 0], [2, 2, 2]]), gradient=True)
    norm = lambda tf, x: tf.math.reduce_euclidean_norm(x, 1)
    found.append(Case("reduce_euclidean_norm/complex", norm, [np.array([[1 + 2j, 3 - 1j], [0.5j, 2]], np.complex64)]))
    nothing = np.full(3, -np.inf)
    found += both("reduce_logsumexp/nothing", lambda tf, x: tf.reduce_logsumexp(x), nothing)
    count = lambda tf, x: [
        tf.math.count_nonzero(x),
        tf.math.count_nonzero(x, 1, keepdims=True, dtype=tf.int32),
    ]
    found += both("count_nonzero", count, CUBE)
    found.append(Case("count_nonzero/bool", count, [CUBE > 0]))
    return found


def _segments() -> list[Case]:
    found = []
    data = np.array([[3.0, -1], [0.5, 2], [3, 2], [4, -3], [1, 2]])
    for how in ("sum", "mean", "prod", "min", "max"):
        inorder = lambda tf, x, how=how: getattr(tf.math, f"segment_{how}")(x, [0, 0, 0, 2, 2])
        anyhow = lambda tf, x, how=how: getattr(tf.math, f"unsorted_segment_{how}")(x, [2, 0, 2, -1, 0], 4)
        for name, function in ((f"segment_{how}", inorder), (f"unsorted_segment_{how}", anyhow)):
            found += both(name, function, data, gradient=how not in ("min", "max"))
            for dtype in (I32, I64):
                found.append(Case(f"{name}/{np.dtype(dtype).name}", function, [np.abs(data).astype(dtype)]))
    for how in ("min", "max"):  # where no segment is empty
        ties = lambda tf, x, how=how: getattr(tf.math, f"unsorted_segment_{how}")(x, [1, 0, 1, -1, 0], 2)
        inorder = lambda tf, x, how=how: getattr(tf.math, f"segment_{how}")(x, [0, 0, 0, 2, 2])
        found += both(f"unsorted_segment_{how}/ties", ties, data, gradient=True)
        found += both(f"segment_{how}/ties", inorder, data, gradient=True)
    root = lambda tf, x: tf.math.unsorted_segment_sqrt_n(x, [[0, 2], [0, 0], [1, 0], [0, 0], [2, 0]], 4)
    found += both("unsorted_segment_sqrt_n", root, data, gradient=True)
    zeros = np.array([2.0, 0, 3, 0, 0])
    prod = lambda tf, x: [
        tf.math.unsorted_segment_prod(x, [0, 0, 0, 1, 1], 3),
        tf.math.segment_prod(x, [0, 0, 1, 1, 1]),
    ]
    found += both("segment_prod/zeros", prod, zeros, gradient=True)
    unknown = np.array([[2.0, np.nan], [np.nan, 1], [3, 3]])
    extremes = lambda tf, x: [
        tf.math.segment_max(x, [0, 0, 1]),
        tf.math.segment_min(x, [0, 0, 1]),
        tf.math.unsorted_segment_max(x, [1, 1, 0], 2),
    ]
    found += both("segments/nan", extremes, unknown)
    none = lambda tf, x: [
        tf.math.segment_sum(x, np.zeros(0, I32)),
        tf.math.unsorted_segment_max(x, np.zeros(0, I32), 2),
    ]
    found += both("segments/nothing", none, np.zeros((0, 2)))
    return found


def _order() -> list[Case]:
    found = []
    for direction in ("ASCENDING", "DESCENDING"):
        sort = lambda tf, x, d=direction: [tf.sort(x, direction=d), tf.sort(x, axis=0, direction=d)]
        found += both(f"sort/{direction}", sort, MATRIX, gradient=True)
        argsort = lambda tf, x, d=direction: [tf.argsort(x, direction=d), tf.argsort(x, 0, d, stable=True)]
        found += both(f"argsort/{direction}", argsort, MATRIX)
        for dtype in (np.int8, np.uint8, I32, I64, np.uint64):
            info = np.iinfo(dtype)
            x = np.array([3, info.max, 0, info.min, 3, 1], dtype)
            found.append(Case(f"argsort/{direction}/{np.dtype(dtype).name}", argsort, [np.stack([x, x[::-1]])]))
            found.append(Case(f"sort/{direction}/{np.dtype(dtype).name}", sort, [np.stack([x, x[::-1]])]))
    top = lambda tf, x: [
        *tf.math.top_k(x, 2),
        tf.nn.top_k(x, k=3, index_type=tf.int64).indices,
        tf.math.top_k(x).values,
    ]
    found += both("top_k", top, MATRIX)
    found += both("top_k/gradient", lambda tf, x: tf.math.top_k(x, 2).values, MATRIX, gradient=True)
    many = np.arange(300.0) * 37 % 101
    found += both("top_k/many", lambda tf, x: tf.math.top_k(x, 5), many)
    predictions = np.array([[1.0, 2, 2], [3, np.nan, 1], [1, 2, 3], [1, 2, 3], [np.inf, 1, 0]], F32)
    for k in (0, 1, 2):
        inside = lambda tf, x, k=k: tf.math.in_top_k([1, 0, 5, 2, 1], x, k)
        found.append(Case(f"in_top_k/{k}", inside, [predictions]))
    for dtype in (F32, F64, I32, I64, np.uint8, np.int16):
        x = np.array([4, 4, 1, 7, 1, 0], dtype)
        unique = lambda tf, x: [*tf.unique(x), *tf.unique_with_counts(x, tf.int64)]
        found.append(Case(f"unique/{np.dtype(dtype).name}", unique, [x]))
    found += both("unique/odd", lambda tf, x: tf.unique(x), np.array([np.nan, 1, np.nan, -0.0, 0]))
    for side in ("left", "right"):
        search = lambda tf, x, v, side=side: [
            tf.searchsorted(x, v, side),
            tf.searchsorted(x[0], v[0], side=side, out_type=tf.int64),
        ]
        rows, values = np.array([[1, 3, 5.0, 5], [2, 2, 4, 9]]), np.array([[0, 3, 6], [2, 5, np.nan]])
        found += both(f"searchsorted/{side}", search, rows, values)
        found.append(Case(f"searchsorted/{side}/int32", search, [rows.astype(I32), np.array([[0, 3, 6], [2, 5, 9]])]))
    found[-1].inputs[1] = found[-1].inputs[1].astype(I32)
    found[-4].inputs[1] = found[-4].inputs[1].astype(I32)
    found.append(Case("invert_permutation", lambda tf, x: tf.math.invert_permutation(x), [np.array([2, 0, 1], I32)]))
    return found


def _counts() -> list[Case]:
    x = np.array([[1, 2, 5], [3, 2, 1]], I32)
    calls = {
        "bincount": lambda tf, x: [
            tf.math.bincount(x),
            tf.math.bincount(x, minlength=9),
            tf.math.bincount(x, maxlength=3, dtype=tf.int64),
            tf.math.bincount(x, binary_output=True),
            tf.math.bincount(x, axis=-1),
            tf.math.bincount(x, weights=[[0.5, 1, 2], [1, 1, 1]]),
            tf.math.bincount(x, weights=[[0.5, 1, 2], [1, 1, 1]], axis=-1, maxlength=4),
            tf.math.bincount(x[:0], minlength=2),
        ],
        "confusion_matrix": lambda tf, x: [
            tf.math.confusion_matrix(x[0], x[1]),
            tf.math.confusion_matrix(x[0], x[1], num_classes=7, dtype=tf.int64),
            tf.math.confusion_matrix(x[0], x[1], weights=[0.5, 1, 2], dtype=tf.float32),
        ],
    }
    found = [Case(name, function, [x.astype(d)]) for name, function in calls.items() for d in (I32, I64)]
    for k, case in enumerate(found):
        case.name += f"/{'int32' if k % 2 == 0 else 'int64'}"
    histogram = lambda tf, x: [
        tf.histogram_fixed_width(x, tf.constant([0, 5], x.dtype), 5),
        tf.histogram_fixed_width(x, tf.constant([-1, 7], x.dtype), nbins=3, dtype=tf.int64),
        tf.histogram_fixed_width_bins(x, tf.constant([0, 5], x.dtype), nbins=5),
    ]
    return found + both("histogram", histogram, np.array([[-1.0, 0, 1.5], [2, 5, 15]]))
