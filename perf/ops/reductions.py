"""Reductions over all, rows, columns and middle axes; scans; positions of extremes; segments."""

from functools import partial

import numpy as np

from perf.ops.case import CUBE, MATRIX, TALL, VECTOR, WIDE, bools, case, integers, normal, ordered, uniform

PLACES = {  # what -> shape and axes
    "all": (VECTOR, None),
    "rows": (MATRIX, (1,)),
    "columns": (MATRIX, (0,)),
    "short rows": (TALL, (1,)),
    "few columns": (TALL, (0,)),
    "few long rows": (WIDE, (1,)),
    "long columns": (WIDE, (0,)),
    "middle": (CUBE, (1,)),
    "first and last": (CUBE, (0, 2)),
    "first two": (CUBE, (0, 1)),
}


def _logsumexp(x, axis):
    top = x.max(axis, keepdims=True)
    return np.log(np.exp(x - top).sum(axis)) + np.squeeze(top, axis)


def _at(function, axis):
    return lambda x: function(x, axis=axis)


REDUCTIONS = {
    "reduce_sum": np.sum,
    "reduce_mean": np.mean,
    "reduce_max": np.max,
    "reduce_prod": np.prod,
    "reduce_logsumexp": _logsumexp,
    "reduce_std": np.std,
}
for _what, (_shape, _axis) in PLACES.items():
    for _name, _theirs in REDUCTIONS.items():
        case(f"math.{_name}", _at(_theirs, _axis), normal(_shape), what=_what, axis=_axis)
case("math.reduce_min", np.min, normal(), what="all")
case("math.reduce_variance", np.var, normal(), what="all")
case("math.reduce_euclidean_norm", np.linalg.norm, normal(), what="all")
case("math.reduce_euclidean_norm", _at(np.linalg.norm, 0), normal(MATRIX), what="columns", axis=0)
for _what in ("all", "rows", "columns", "few columns", "middle"):
    _shape, _axis = PLACES[_what]
    case("math.reduce_sum", _at(np.sum, _axis), normal(_shape, "float64"), what=f"{_what} float64", axis=_axis)
    case("math.reduce_sum", _at(np.sum, _axis), integers(0, 9, _shape), what=f"{_what} int32", axis=_axis)
    case("math.reduce_max", _at(np.max, _axis), integers(0, 9, _shape), what=f"{_what} int32", axis=_axis)
    case("math.reduce_any", _at(np.any, _axis), partial(np.zeros, _shape, bool), what=_what, axis=_axis)
    case("math.reduce_all", _at(np.all, _axis), partial(np.ones, _shape, bool), what=_what, axis=_axis)
    case("math.count_nonzero", _at(np.count_nonzero, _axis), bools(_shape), what=_what, axis=_axis)

for _what in ("all", "rows", "columns", "short rows", "few columns", "middle"):
    _shape, _axis = PLACES[_what]
    _only = _axis[0] if _axis else 0
    case("math.argmax", _at(np.argmax, _only), normal(_shape), what=_what, axis=_only)
    case("math.cumsum", _at(np.cumsum, _only), normal(_shape), what=_what, axis=_only)
case("math.argmax", np.argmax, integers(), what="all int32", axis=0)
case("math.argmin", np.argmin, normal(), what="all", axis=0)
case("math.cumsum", np.cumsum, integers(0, 9, dtype="int64"), what="all int64")
case("math.cumsum", lambda x: np.cumsum(x[::-1])[::-1], normal(), what="all reverse", reverse=True)
case("math.cumprod", np.cumprod, uniform(0.9, 1.1), what="all")
case("math.cumprod", _at(np.cumprod, 0), uniform(0.9, 1.1, MATRIX), what="columns", axis=0)
case("math.cumulative_logsumexp", np.logaddexp.accumulate, normal(), what="all")
case("math.is_non_decreasing", lambda x: np.all(x[1:] >= x[:-1]), ordered())
case("math.is_strictly_increasing", lambda x: np.all(x[1:] > x[:-1]), lambda: np.arange(1e6))

# --- segments: 1000 of them -------------------------------------------------------------------------------------------


def _ids(count: int = 1_000_000):
    return lambda: np.sort(integers(0, 1000, (count,))())


def _reduceat(function):
    return lambda x, ids: function.reduceat(x, np.searchsorted(ids, np.arange(1000)))


def _at_ids(function):
    def theirs(x, ids):
        result = np.zeros((1000, *x.shape[1:]), x.dtype)
        function.at(result, ids, x)
        return result

    return theirs


UFUNCS = {"sum": np.add, "prod": np.multiply, "min": np.minimum, "max": np.maximum}
for _name, _ufunc in UFUNCS.items():
    case(f"math.segment_{_name}", _reduceat(_ufunc), uniform(), _ids())
    case(f"math.unsorted_segment_{_name}", _at_ids(_ufunc), uniform(), integers(), num_segments=1000)
case("math.segment_sum", _reduceat(np.add), uniform(shape=TALL), _ids(TALL[0]), what="rows of 10")
case("math.unsorted_segment_sum", _at_ids(np.add), uniform(shape=TALL), integers(shape=TALL[:1]), what="rows of 10",
     num_segments=1000)  # fmt: skip
case("math.unsorted_segment_sum", lambda x, ids: np.bincount(ids, x, 1000).astype(x.dtype), uniform(), integers(),
     what="against bincount", num_segments=1000)  # fmt: skip
case("math.segment_mean", lambda x, ids: np.add.reduceat(x, np.searchsorted(ids, np.arange(1000))) / np.bincount(ids),
     uniform(), _ids())  # fmt: skip
for _name in ("mean", "sqrt_n"):
    case(f"math.unsorted_segment_{_name}", lambda x, ids: np.bincount(ids, x, 1000) / np.bincount(ids), uniform(),
         integers(), num_segments=1000)  # fmt: skip
case("math.bincount", lambda x: np.bincount(x), integers())
case("math.bincount", lambda x: np.bincount(x), integers(high=10), what="10 values")
case("math.bincount", lambda x, w: np.bincount(x, w), integers(), uniform(), what="weights",
     call=lambda f, x, w: f(x, weights=w))  # fmt: skip
case("histogram_fixed_width", lambda x: np.histogram(x, 100, (-3, 3))[0], normal(), value_range=(-3.0, 3.0))
case("histogram_fixed_width_bins", lambda x: np.clip((x + 3) * (100 / 6), 0, 99).astype(np.int32), normal(),
     value_range=(-3.0, 3.0))  # fmt: skip
case("math.confusion_matrix", lambda x, y: np.bincount(x * 10 + y, minlength=100).reshape(10, 10), integers(high=10),
     integers(high=10, seed=1))  # fmt: skip
