"""Calls of array functions: gathering, scattering, parts, larger and rearranged tensors, clipping."""

import numpy as np

from .common import *

CUBE = (np.arange(24.0).reshape(2, 3, 4) * 7 % 11 - 4) / 4
MATRIX = np.array([[3.0, -1, 2, 2], [0.5, 4, -2, 1], [2, 2, 7, -3]])
SMALL = (np.float16, np.int8, np.uint16, I64)
WHOLE = np.array([[3, 1, 2, 2], [0, 4, 2, 1], [2, 2, 7, 3]])


def cases() -> list[Case]:
    """All cases, in order."""
    return [
        *_gathers(),
        *_parts(),
        *_larger(),
        *_clipping(),
        *_arguments(),
        *_every_dtype(),
    ]


def errors() -> list[Case]:
    """Calls that raise in TensorFlow."""
    calls = {
        "point out of range": lambda tf: tf.gather_nd([1.0, 2], [[0], [2]]),
        "scatter out of range": lambda tf: tf.scatter_nd([[0], [5]], [1.0, 2], [3]),
        "scatter of wrong shape": lambda tf: tf.scatter_nd([[0], [1]], [1.0, 2, 3], [3]),
        "update out of range": lambda tf: tf.tensor_scatter_nd_add([1.0, 2], [[2]], [1.0]),
        "batch gather out of range": lambda tf: tf.gather([[1, 2], [3, 4]], [[0], [2]], batch_dims=1),
        "partition out of range": lambda tf: tf.dynamic_partition([1, 2], [0, 3], 2),
        "uneven split": lambda tf: tf.split([1, 2, 3], 2),
        "split of other sizes": lambda tf: tf.split([1, 2, 3], [1, 1]),
        "slice beyond the end": lambda tf: tf.slice([1, 2], [1], [3]),
        "stride 0": lambda tf: tf.strided_slice([1, 2], [0], [1], [0]),
        "tile of wrong rank": lambda tf: tf.tile([[1, 2]], [2]),
        "repeat of wrong size": lambda tf: tf.repeat([1, 2], [1, 2, 3], axis=0),
        "pad by less than nothing": lambda tf: tf.pad([1, 2], [[-1, 2]]),
        "reflect too much": lambda tf: tf.pad([1, 2], [[2, 0]], "REFLECT"),
        "pad with what": lambda tf: tf.pad([1, 2], [[1, 1]], "EDGE"),
        "reverse twice": lambda tf: tf.reverse([[1, 2]], [0, -2]),
        "reverse more than there is": lambda tf: tf.reverse_sequence([[1, 2]], [3], seq_axis=1),
        "unravel out of range": lambda tf: tf.unravel_index([6], [2, 3]),
        "another shape": lambda tf: tf.ensure_shape([1, 2], [3]),
        "clip to another shape": lambda tf: tf.clip_by_value([1.0, 2], [[0.0], [1]], 1.0),
        "scatter of a scalar": lambda tf: tf.tensor_scatter_nd_add([1.0, 2], [0], 5.0),
        "scatter into nothing": lambda tf: tf.scatter_nd([[0]], [1.0], [0]),
        "indices of uint16": lambda tf: tf.gather([1.0, 2], np.array([0], np.uint16)),
        "one_hot of int16": lambda tf: tf.one_hot(tf.constant([0], tf.int16), 3),
        "one_hot of two kinds": lambda tf: tf.one_hot([0], 3, 1.0, 0),
        "shape of floats": lambda tf: tf.shape([1.0], tf.float32),
        "broadcast to a scalar": lambda tf: tf.broadcast_to([1], 3),
        "tile by a scalar": lambda tf: tf.tile([1, 2], 2),
        "roll by a float": lambda tf: tf.roll([1, 2], 1.0, 0),
        "reverse_sequence from the end": lambda tf: tf.reverse_sequence([[1, 2]], [1], seq_axis=-1),
        "split into another number": lambda tf: tf.split([1, 2], [1, 1], num=3),
        "range of infinitely many": lambda tf: tf.range(0, np.inf),
        "linspace of 2.5": lambda tf: tf.linspace(0.0, 1.0, 2.5),
        "matmul of int8": lambda tf: tf.matmul(np.ones((2, 2), np.int8), np.ones((2, 2), np.int8)),
        "partition into none": lambda tf: tf.dynamic_partition([1], [0], 0),
        "nothing to add": lambda tf: tf.add_n([]),
        "shapes that do not broadcast": lambda tf: tf.broadcast_static_shape(
            tf.TensorShape([2, 2]), tf.TensorShape([1, 3])
        ),
    }
    return [Case(name, call, []) for name, call in calls.items()]


def _gathers() -> list[Case]:
    calls = {
        "gather/axes": lambda tf, x: [tf.gather(x, [[1, 0], [1, 1]]), tf.gather(x, [2, 0, 0], axis=1)],
        "gather/batch": lambda tf, x: [
            tf.gather(x, [[2, 0], [1, 1]], batch_dims=1),
            tf.gather(x, [[2, 0], [1, 1]], axis=2, batch_dims=1),
            tf.gather(x, [[0, 1, 3], [1, 1, 2]], axis=-1, batch_dims=2),
        ],
        "gather_nd": lambda tf, x: [
            tf.gather_nd(x, [[1, 2], [0, 0], [1, 2]]),
            tf.gather_nd(x, [[[1]], [[0]]]),
            tf.gather_nd(x, [[1, 2, 3]]),
        ],
        "gather_nd/batch": lambda tf, x: [
            tf.gather_nd(x, [[2], [0]], batch_dims=1),
            tf.gather_nd(x, [[[2, 1]], [[0, 3]]], batch_dims=1),
        ],
        "scatter_nd": lambda tf, x: [
            tf.scatter_nd([[3], [1]], x, [5, 3, 4]),
            tf.scatter_nd([[[0, 1], [1, 1], [0, 1]], [[0, 0], [0, 1], [1, 0]]], x, [2, 2, 4]),
        ],
        "boolean_mask": lambda tf, x: [
            tf.boolean_mask(x, [True, False]),
            tf.boolean_mask(x, [[True, False, True], [False, True, True]]),
            tf.boolean_mask(x, [True, False, True], axis=1),
        ],
        "dynamic_partition": lambda tf, x: tf.dynamic_partition(x, [[0, 2, 0], [2, 2, 0]], 3),
        "dynamic_stitch": lambda tf, x: tf.dynamic_stitch([[0, 4], [1, 2, 0]], [x[:, 0], x[1]]),
        "reverse_sequence": lambda tf, x: [
            tf.reverse_sequence(x, [2, 3], seq_axis=1),
            tf.reverse_sequence(x, [1, 2, 0, 2], seq_axis=0, batch_axis=2),
        ],
    }
    found = []
    for name, function in calls.items():
        found += both(name, function, CUBE, gradient=True)
    updates = np.array([[9.0, 1], [2, 2], [7, 0.5]])
    for how in ("update", "add", "sub", "min", "max"):
        function = lambda tf, x, u, how=how: getattr(tf, f"tensor_scatter_nd_{how}")(x, [[2], [0], [3]], u)
        found += both(f"tensor_scatter_nd_{how}", function, np.ones((4, 2)) * 2, updates, gradient=True)
    for how in ("add", "sub", "min", "max"):
        function = lambda tf, x, u, how=how: getattr(tf, f"tensor_scatter_nd_{how}")(x, [[2, 1], [0, 0], [2, 1]], u)
        found += both(f"tensor_scatter_nd_{how}/twice", function, np.ones((3, 2)), updates[:, 1], gradient=True)
    function = lambda tf, x, u: tf.tensor_scatter_nd_update(x, [[2], [0], [2]], u)
    found += both("tensor_scatter_nd_update/twice", function, np.ones((4, 2)), updates)
    ignored = lambda tf, x: [
        tf.gather_nd(x, [[0], [9]], bad_indices_policy="IGNORE"),
        tf.scatter_nd([[0], [9]], x, [3, 3, 4], bad_indices_policy="IGNORE"),
    ]
    found += both("points out of range", ignored, CUBE)
    found += both("where/points", lambda tf, x: tf.where(x > 0.5), CUBE)
    found += both("where/values", lambda tf, x: tf.where(x), np.round(CUBE))
    where = lambda tf, x, y: [
        tf.where(x > y, x, y),
        tf.where(x > y, x, 0.0),
        tf.where([True, False, True, False], 1.0, x),
    ]
    found += both("where/broadcast", where, MATRIX, MATRIX[:, :1], gradient=True)
    return found


def _parts() -> list[Case]:
    calls = {
        "split": lambda tf, x: [
            *tf.split(x, 2),
            *tf.split(x, [1, 2], axis=1),
            *tf.split(x, [-1, 1], -1),
            *tf.split(x, 1),
        ],
        "unstack": lambda tf, x: [*tf.unstack(x), *tf.unstack(x, axis=-2), *tf.unstack(x, num=4, axis=2)],
        "slice": lambda tf, x: [tf.slice(x, [0, 1, 2], [-1, 2, 1]), tf.slice(x, [1, 0, 0], [1, 0, 4])],
        "strided_slice": lambda tf, x: [
            tf.strided_slice(x, [0, 0], [2, 3], [1, 2]),
            tf.strided_slice(x, [1, 2, 3], [0, 0, 0], [-1, -1, -2], end_mask=1),
            tf.strided_slice(x, [1, 0, 1], [0, 0, 3], begin_mask=2, ellipsis_mask=2, shrink_axis_mask=1),
            tf.strided_slice(x, [0, 0, -1], [0, 2, 0], new_axis_mask=1, shrink_axis_mask=4),
        ],
        "concat": lambda tf, x: [tf.concat([x, x[:1]], 0), tf.concat([x, 2 * x], axis=-1)],
        "stack": lambda tf, x: [tf.stack([x, x], axis=-1), tf.stack(tf.unstack(x))],
        "squeeze": lambda tf, x: [tf.squeeze(x[:1]), tf.squeeze(x[:1, :1], [1]), tf.expand_dims(x, -2)],
        "transpose": lambda tf, x: [tf.transpose(x), tf.transpose(x, [2, 0, 1]), tf.transpose(x, [0, 1, 2])],
        "identities": lambda tf, x: [
            *tf.identity_n([x, x * 2]),
            tf.ensure_shape(x, [None, 3, 4]),
        ],
    }
    found = []
    for name, function in calls.items():
        found += both(name, function, CUBE, gradient=True)
    shapes = lambda tf, x: [
        *tf.shape_n([x, x[0]]),
        *tf.shape_n([x], tf.int64),
        tf.broadcast_dynamic_shape(tf.shape(x), [1, 4]),
        tf.rank(x),
        tf.size(x, tf.int64),
    ]
    found.append(Case("shapes", shapes, [CUBE]))
    makers = {
        "unravel_index": lambda tf: [tf.unravel_index([5, 2], [2, 3]), tf.unravel_index(5, [2, 3])],
        "required_space_to_batch_paddings": lambda tf: tf.required_space_to_batch_paddings(
            [3, 4], [2, 3], [[1, 0], [0, 0]]
        ),
        "stack/mixed": lambda tf: tf.stack([[1], [2.0]]),
        "linspace/more": lambda tf: [tf.linspace(0, 5, 3), tf.linspace([0.0, 1], 5.0, 3), tf.linspace(0.0, 5, 0)],
        "fill/more": lambda tf: [tf.fill([2], np.float64(3)), tf.zeros([2], tf.bool), tf.ones([1], tf.complex64)],
    }
    return found + [Case(name, function, []) for name, function in makers.items()]


def _larger() -> list[Case]:
    calls = {
        "tile": lambda tf, x: [tf.tile(x, [2, 3]), tf.tile(x, [1, 0])],
        "repeat": lambda tf, x: [tf.repeat(x, 2), tf.repeat(x, 3, axis=0), tf.repeat(x, [2, 0, 1, 1], axis=-1)],
        "pad": lambda tf, x: [
            tf.pad(x, [[1, 0], [2, 3]]),
            tf.pad(x, [[0, 1], [1, 0]], constant_values=7.0),
            tf.pad(x, [[0, 0], [0, 0]]),
        ],
        "pad/reflect": lambda tf, x: [tf.pad(x, [[1, 2], [3, 0]], "REFLECT"), tf.pad(x, [[0, 0], [1, 1]], "reflect")],
        "pad/symmetric": lambda tf, x: [
            tf.pad(x, [[1, 3], [4, 0]], "SYMMETRIC"),
            tf.pad(x, [[2, 0], [1, 1]], "symmetric"),
        ],
        "roll": lambda tf, x: [tf.roll(x, 1, 0), tf.roll(x, [-1, 7], [0, 1]), tf.roll(x, [1, 1], [1, 1])],
        "reverse": lambda tf, x: [tf.reverse(x, [0]), tf.reverse(x, [-1, 0]), tf.reverse(x, [])],
        "meshgrid": lambda tf, x: [*tf.meshgrid(x[0], x[1, :2]), *tf.meshgrid(x[0], x[1], x[2, :1], indexing="ij")],
    }
    found = []
    for name, function in calls.items():
        found += both(name, function, MATRIX, gradient=True)
    masks = lambda tf, x: [tf.sequence_mask(x), tf.sequence_mask(x, 2), tf.sequence_mask(x, 5, tf.float32)]
    found.append(Case("sequence_mask", masks, [np.array([[1, 3], [0, 2]], I32)]))
    return found


def _clipping() -> list[Case]:
    calls = {
        "clip_by_value": lambda tf, x: [tf.clip_by_value(x, -1, 2), tf.clip_by_value(x, x[:1] - 1, 3.0)],
        "clip_by_norm": lambda tf, x: [tf.clip_by_norm(x, 2), tf.clip_by_norm(x, 100.0), tf.clip_by_norm(x, 1.0, [1])],
        "clip_by_global_norm": lambda tf, x: [
            *tf.clip_by_global_norm([x, x[0]], 2.0)[0],
            tf.linalg.global_norm([x, x]),
        ],
        "clip_by_global_norm/none": lambda tf, x: tf.clip_by_global_norm(
            [x], 1e3, use_norm=tf.linalg.global_norm([x, None])
        )[0],
        "add_n": lambda tf, x: [tf.add_n([x, x * 2, x]), tf.math.accumulate_n([x, x])],
    }
    found = []
    for name, function in calls.items():
        found += both(name, function, MATRIX, gradient=True)
    return found


def _arguments() -> list[Case]:
    """Arguments of unusual kinds, and what there is at the edges."""
    edges = {
        "arrays beside tensors": lambda tf, x: [
            tf.constant([3, 1]) + np.array([1.7, 2.2]),
            tf.constant([3, 1]) * np.float32(2.5),
            tf.maximum(tf.constant([1]), np.array([1.5])),
            tf.where(np.array([1.0, 0.0]), [1, 2], [3, 4]),
            tf.reduce_any(np.array([0.0, 2.0])),
            tf.concat([tf.constant([1]), np.array([2.5])], 0),
            tf.tensor_scatter_nd_update(tf.constant([1, 2]), [[0]], np.array([7.5])),
        ],
        "lists": lambda tf, x: [
            tf.constant([np.array([1, 2]), np.array([3, 4])]),
            tf.constant([np.array([1, 2]), [3.5, 4]]),
            tf.constant([np.float64(1.5), 2]),
            tf.constant(1e300, tf.float32),
            tf.stack([1, 2.5]),
            x[[1, 2]],
        ],
        "equality": lambda tf, x: [x == x[:2], x[0] != [1, 2, 3], x[0] == x[0]],
        "indexing": lambda tf, x: [
            x[1],
            x[-1, 1:],
            x[::-1, ::-2],
            x[..., None, 2],
            x[:, 3:0:-1],
            x[tf.constant(1), tf.constant(-1)],
            x[:, 9:],
            x[tf.constant([True, False, True])],
        ],
        "axes": lambda tf, x: [
            tf.gather(x, [[0, 3], [1, 1], [2, 0]], batch_dims=-1),
            tf.gather(x, [1], axis=np.int64(-1)),
            tf.expand_dims(x, [1]),
            tf.split(x, np.array([1, 3]), 1)[1],
            tf.boolean_mask(x, [[True, False, True, True]] * 3),
            tf.linspace(x[0], x[1], 4, axis=1),
        ],
        "nothing": lambda tf, x: [
            tf.reshape(x[:0], [0, -1]),
            tf.concat([x[:0], x], 0),
            tf.gather(x, np.zeros((0, 2), I32)),
            tf.tile(x, [0, 1]),
            tf.reverse(x[:, :0], [0]),
            tf.pad(x[:0], [[1, 0], [0, 0]]),
        ],
    }
    found = []
    for name, function in edges.items():
        found += both(name, function, MATRIX, gradient=name in ("axes", "nothing", "indexing"))
    spaced = lambda tf: [
        tf.linspace(tf.constant(0, d), tf.constant(9, d), 4) for d in (tf.int8, tf.int32, tf.uint8, tf.int64)
    ]
    ranges = lambda tf: [tf.range(tf.constant([3])), tf.range(5, 0, -2), tf.range(0, 1, 0.3), tf.fill([2], [7])]
    on = lambda tf: [tf.one_hot([True, False], 3), tf.one_hot([], 2), tf.one_hot([[0], [2]], 3, 5, -1, axis=0)]
    return [*found, Case("linspace/integers", spaced, []), Case("ranges", ranges, []), Case("one_hot/kinds", on, [])]


def _every_dtype() -> list[Case]:
    calls = {
        "moves": lambda tf, x: [
            tf.gather(x, [2, 0]),
            tf.gather_nd(x, [[1, 1]]),
            tf.reverse(x, [0, 1]),
            tf.roll(x, 1, 1),
            tf.pad(x, [[1, 0], [0, 1]]),
            tf.concat([x, x], 1),
            tf.linalg.diag(x[0]),
            tf.linalg.diag_part(x, k=(-1, 1)),
            tf.linalg.band_part(x, 1, 0),
            tf.tensor_scatter_nd_update(x, [[1]], x[:1]),
            tf.boolean_mask(x, [True, False, True]),
            tf.zeros_like(x),
            tf.one_hot([1], 3, dtype=x.dtype),
            tf.eye(2, dtype=x.dtype),
        ],
        "sums": lambda tf, x: [
            tf.cumsum(x, 1),
            tf.math.cumprod(x, 0),
            tf.math.segment_sum(x, [0, 0, 1]),
            tf.math.unsorted_segment_prod(x, [1, 0, 1], 3),
            tf.tensor_scatter_nd_add(x, [[1]], x[:1]),
            tf.add_n([x, x]),
            tf.linalg.trace(x),
        ],
        "order": lambda tf, x: [
            tf.math.segment_max(x, [0, 0, 2]),
            tf.math.unsorted_segment_min(x, [1, 0, 1], 3),
            tf.sort(x),
            tf.argsort(x, direction="DESCENDING"),
            *tf.math.top_k(x, 2),
            tf.unique(x[0])[0],
            tf.clip_by_value(x, 1, 3),
            tf.searchsorted(x[:1] * 0 + 2, x[1:2]),
            tf.tensor_scatter_nd_max(x, [[1]], x[:1]),
        ],
    }
    found = []
    for name, function in calls.items():
        for dtype in SMALL + ((np.complex64,) if name != "order" else ()):
            found.append(Case(f"{name}/{np.dtype(dtype).name}", function, [WHOLE.astype(dtype)]))
    mask = lambda tf, x: [tf.gather(x, [2, 0]), tf.reverse(x, [0]), tf.where(x), tf.pad(x, [[1, 0], [0, 1]])]
    return [*found, Case("moves/bool", mask, [WHOLE > 1])]
