"""Functions that move elements: joined, repeated, turned, picked, put, ordered; and new arrays."""

import numpy as np

from perf.ops.case import CUBE, MATRIX, SIZE, TALL, VECTOR, WIDE, bools, case, integers, normal, ordered, uniform

VIEW = "a view: nothing is computed or moved, only Python's overhead is measured"
X, IDS = normal(), integers(high=SIZE)
TILES = (10, 1000, 100)

# --- views ------------------------------------------------------------------------------------------------------------

case("reshape", lambda x: x.reshape(MATRIX), X, shape=MATRIX, note=VIEW)
case("transpose", lambda x: x.T, normal(MATRIX), note=VIEW)
case("squeeze", np.squeeze, normal((1, SIZE, 1)), note=VIEW)
case("expand_dims", lambda x: np.expand_dims(x, 0), X, axis=0, note=VIEW)
case("broadcast_to", lambda x: np.broadcast_to(x, MATRIX), normal((1000,)), shape=MATRIX, note=VIEW)
case("slice", lambda x: x[10:900, 10:900], normal(MATRIX), begin=(10, 10), size=(890, 890), note=VIEW)
case("strided_slice", lambda x: x[::2, ::2], normal(MATRIX), begin=(0, 0), end=MATRIX, strides=(2, 2), note=VIEW)
case("split", lambda x: np.split(x, 4), X, num_or_size_splits=4, note=VIEW)
case("unstack", list, normal(WIDE), note=VIEW)
case("bitcast", lambda x: x.view(np.int32), X, type="int32", note=VIEW)
case("linalg.matrix_transpose", lambda x: x.mT, normal(CUBE), note=VIEW)
case("linalg.adjoint", lambda x: x.mT, normal(CUBE), note=VIEW)
for _name in ("identity", "stop_gradient", "guarantee_const"):
    case(_name, lambda x: x.view(), X, note=VIEW)

# --- views that are put in order --------------------------------------------------------------------------------------


def _ordered(function, x, *arguments, **attributes):
    """The result's elements in order, as whoever uses them row by row needs them."""
    import nbflow as nf

    return nf.concat([function(x, *arguments, **attributes)], 0)


def _copied(*perm):
    return lambda x: np.ascontiguousarray(x.transpose(perm))


for _shape, _perm in ((MATRIX, (1, 0)), (TALL, (1, 0)), (CUBE, (2, 1, 0)), (CUBE, (1, 0, 2)), (CUBE, (0, 2, 1)),
                      ((32, 100, 100, 3), (0, 3, 1, 2))):  # fmt: skip
    case("transpose", _copied(*_perm), normal(_shape), what=f"{'×'.join(map(str, _shape))} by {_perm}, in order",
         call=_ordered, perm=_perm)  # fmt: skip
case("transpose", _copied(1, 0), integers(0, 255, MATRIX, "uint8"), what="uint8, in order", call=_ordered)
case("transpose", _copied(1, 0), normal(MATRIX, "float64"), what="float64, in order", call=_ordered)
case("strided_slice", lambda x: x[::2, ::2].copy(), normal((2000, 2000)), what="in order", call=_ordered,
     begin=(0, 0), end=(2000, 2000), strides=(2, 2))  # fmt: skip
case("broadcast_to", lambda x: np.broadcast_to(x, MATRIX).copy(), normal((1000,)), what="in order", call=_ordered,
     shape=MATRIX)  # fmt: skip
for _axis in (0, 1):
    case("reverse", lambda x, _axis=_axis: np.flip(x, _axis).copy(), normal(MATRIX), what=f"axis {_axis}, in order",
         call=_ordered, axis=(_axis,))  # fmt: skip
case("reverse", lambda x: x[::-1].copy(), X, what="vector, in order", call=_ordered, axis=(0,))

# --- joined and repeated ----------------------------------------------------------------------------------------------

for _axis in (0, 1):
    for _name, _join in {"concat": np.concatenate, "stack": np.stack}.items():
        case(_name, lambda x, y, _axis=_axis, _join=_join: _join([x, y], _axis), normal((1000, 500)),
             normal((1000, 500), seed=1), what=f"axis {_axis}", call=lambda f, x, y, axis: f([x, y], axis=axis),
             axis=_axis)  # fmt: skip
case("stack", lambda x, y: np.stack([x, y], -1), normal((SIZE // 2,)), normal((SIZE // 2,), seed=1), what="vectors",
     call=lambda f, x, y: f([x, y], axis=-1))  # fmt: skip
case("tile", lambda x: np.tile(x, 1000), normal((1000,)), multiples=(1000,))
case("tile", lambda x: np.tile(x, (2, 5)), normal((500, 200)), what="matrix", multiples=(2, 5))
case("tile", lambda x: np.tile(x, (1, 1000)), normal((1000, 1)), what="column", multiples=(1, 1000))
case("repeat", lambda x: np.repeat(x, 10), normal((SIZE // 10,)), repeats=10)
case("repeat", lambda x: np.repeat(x, 10, 0), normal((1000, 100)), what="rows", repeats=10, axis=0)
case("repeat", lambda x, n: np.repeat(x, n), normal((SIZE // 2,)), integers(0, 5, (SIZE // 2,)), what="each its own",
     call=lambda f, x, n: f(x, n))  # fmt: skip
case("pad", lambda x: np.pad(x, 1), normal(MATRIX), paddings=((1, 1), (1, 1)))
case("pad", lambda x: np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), normal((32, 100, 100, 3)), what="images",
     paddings=((0, 0), (1, 1), (1, 1), (0, 0)))  # fmt: skip
case("pad", lambda x: np.pad(x, 3, "reflect"), normal(MATRIX), what="REFLECT", paddings=((3, 3), (3, 3)),
     mode="REFLECT")  # fmt: skip
case("pad", lambda x: np.pad(x, 3, "symmetric"), normal(MATRIX), what="SYMMETRIC", paddings=((3, 3), (3, 3)),
     mode="SYMMETRIC")  # fmt: skip
case("roll", lambda x: np.roll(x, 5), X, shift=5, axis=0)
case("roll", lambda x: np.roll(x, 5, 1), normal(MATRIX), what="columns", shift=5, axis=1)
case("roll", lambda x: np.roll(x, (5, 7), (0, 1)), normal(MATRIX), what="both", shift=(5, 7), axis=(0, 1))
case("reverse_sequence", None, normal(TALL), integers(0, 10, TALL[:1]), seq_axis=1,
     call=lambda f, x, n, seq_axis: f(x, n, seq_axis))  # fmt: skip
case("meshgrid", lambda x, y: np.meshgrid(x, y), normal((1000,)), normal((1000,), seed=1))
case("sequence_mask", lambda n: np.arange(1000) < n[:, None], integers(shape=(1000,)), maxlen=1000)

# --- picked and put ---------------------------------------------------------------------------------------------------

case("gather", lambda x, i: x[i], X, IDS)
case("gather", lambda x, i: x[i], normal(TALL), integers(high=TALL[0], shape=TALL[:1]), what="rows of 10")
case("gather", lambda x, i: x[i], normal(MATRIX), integers(shape=(1000,)), what="rows of 1000")
case("gather", lambda x, i: np.take(x, i, 1), normal(MATRIX), integers(shape=(1000,)), what="columns", axis=1)
case("gather", lambda x, i: np.take_along_axis(x, i, 1), normal(MATRIX), integers(shape=MATRIX), what="in each row",
     axis=1, batch_dims=1)  # fmt: skip
case("gather_nd", lambda x, i: x[i[:, 0], i[:, 1]], normal(MATRIX), integers(shape=(SIZE, 2)))
case("nn.embedding_lookup", lambda x, i: x[i], normal(TALL), integers(high=TALL[0], shape=TALL[:1]))
case("boolean_mask", lambda x, m: x[m], X, bools())
case("boolean_mask", lambda x, m: x[m], normal(TALL), bools(TALL[:1]), what="rows of 10")
case("where", np.argwhere, bools(), what="positions")
case("where", np.argwhere, bools(MATRIX), what="positions in a matrix")


def _add_at(i, x):
    result = np.zeros(SIZE, x.dtype)
    np.add.at(result, i[:, 0], x)
    return result


def _scattered(put):
    def theirs(x, i, y):
        x = x.copy()
        put(x, i[:, 0], y)
        return x

    return theirs


def _set(x, i, y):
    x[i] = y


case("scatter_nd", _add_at, integers(high=SIZE, shape=(SIZE, 1)), X, shape=VECTOR)
for _name, _put in {"update": _set, "add": np.add.at, "sub": np.subtract.at, "min": np.minimum.at,
                    "max": np.maximum.at}.items():  # fmt: skip
    case(f"tensor_scatter_nd_{_name}", _scattered(_put), X, integers(high=SIZE, shape=(SIZE, 1)), normal(seed=1))
case("tensor_scatter_nd_add", _scattered(np.add.at), normal(TALL), integers(high=TALL[0], shape=(TALL[0], 1)),
     normal(TALL, seed=1), what="rows of 10")  # fmt: skip
case("one_hot", lambda i: np.eye(10, dtype=np.float32)[i], integers(high=10, shape=TALL[:1]), depth=10)
case("one_hot", lambda i: np.eye(1000, dtype=np.float32)[i], integers(shape=(1000,)), what="depth 1000", depth=1000)
case("dynamic_partition", lambda x, p: [x[p == k] for k in range(4)], X, integers(high=4), num_partitions=4)


def _halves():
    order = np.random.default_rng(0).permutation(SIZE).astype(np.int32)
    return order[: SIZE // 2], order[SIZE // 2 :]


def _stitch(i, j, x, y):
    result = np.empty(SIZE, x.dtype)
    result[i], result[j] = x, y
    return result


case("dynamic_stitch", _stitch, lambda: _halves()[0], lambda: _halves()[1], normal((SIZE // 2,)),
     normal((SIZE // 2,), seed=1), call=lambda f, i, j, x, y: f([i, j], [x, y]))  # fmt: skip
case("unravel_index", lambda i: np.stack(np.unravel_index(i, MATRIX)), IDS, dims=MATRIX)

# --- ordered ----------------------------------------------------------------------------------------------------------

for _dtype in ("float32", "float64", "int32", "int64"):
    _numbers = integers(high=10**9, dtype=_dtype) if "int" in _dtype else normal(dtype=_dtype)
    _few = integers(dtype=_dtype) if "int" in _dtype else _numbers
    case("sort", np.sort, _numbers, what=_dtype)
    case("argsort", lambda x: np.argsort(x, kind="stable"), _numbers, what=_dtype)
    case("unique", lambda x: np.unique(x, return_inverse=True), _few, what=_dtype)
case("sort", lambda x: np.sort(x, 1), normal(MATRIX), what="rows")
case("sort", lambda x: np.sort(x, 0), normal(MATRIX), what="columns", axis=0)
case("sort", lambda x: np.sort(x)[::-1], X, what="descending", direction="DESCENDING")
case("argsort", lambda x: np.argsort(x, 1, kind="stable"), normal(MATRIX), what="rows")
case("unique_with_counts", lambda x: np.unique(x, return_inverse=True, return_counts=True), integers())
case("searchsorted", np.searchsorted, ordered(), uniform(0, 1, seed=1))
case("searchsorted", np.searchsorted, ordered((1000,)), uniform(0, 1, seed=1), what="1000 numbers")
case("math.top_k", lambda x: np.argpartition(-x, 10, 1)[:, :10], normal(MATRIX), k=10)
case("math.top_k", lambda x: np.argpartition(-x, 100)[:100], X, what="of a vector", k=100)
case("math.in_top_k", lambda t, x: (x > np.take_along_axis(x, t[:, None], 1)).sum(1) < 5, integers(shape=(1000,)),
     normal(MATRIX), k=5)  # fmt: skip
for _name in ("max", "min"):
    case(f"math.approx_{_name}_k", lambda x: np.argpartition(-x, 10, 1)[:, :10], normal(MATRIX), k=10)
case("math.invert_permutation", np.argsort, lambda: np.random.default_rng(0).permutation(SIZE).astype(np.int32))

# --- new arrays -------------------------------------------------------------------------------------------------------

case("zeros", lambda: np.zeros(VECTOR, np.float32), shape=VECTOR,
     note="NumPy asks the system for zeros, which come when they are first read")  # fmt: skip
case("ones", lambda: np.ones(VECTOR, np.float32), shape=VECTOR)
case("fill", lambda: np.full(VECTOR, 3, np.float32), dims=VECTOR, value=3.0)
case("zeros_like", lambda x: np.full_like(x, 0), X)
case("ones_like", np.ones_like, X)
case("eye", lambda: np.eye(1000, dtype=np.float32), num_rows=1000)
case("range", lambda: np.arange(SIZE, dtype=np.int32), start=SIZE)
case("linspace", lambda: np.linspace(0, 1, SIZE, dtype=np.float32), start=0.0, stop=1.0, num=SIZE)
case("clip_by_norm", lambda x: x * min(1, 5 / np.linalg.norm(x)), X, clip_norm=5.0)
case("clip_by_global_norm", lambda x: x * min(1, 5 / np.linalg.norm(x)), X, call=lambda f, x: f([x], 5.0))
case("linalg.global_norm", np.linalg.norm, X, call=lambda f, x: f([x]))
