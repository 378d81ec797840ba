"""Calls of print and of assertions, whose texts are compared with TensorFlow's."""

import collections
import re
from collections.abc import Callable

import numpy as np

Point = collections.namedtuple("Point", "x y")
FLOATS = [0.1, 1 / 3, 1e10, 1e-10, 123456789.0, 1e16, 1.0, -0.0, 3.14159265358979, 100000.0, 1234567.0, 123456.7, 1e-5]


def prints(tf) -> dict[str, tuple[tuple, dict]]:
    """By name: arguments and keywords of a call of print."""
    cube = tf.reshape(tf.range(24), (2, 3, 4))
    calls = {f"floats {d}": ((tf.constant(FLOATS, d),), {"summarize": -1}) for d in ("float32", "float64")}
    calls |= {
        f"{d}": ((tf.cast(tf.constant([0.1, 1 / 3, -2.5]), d),), {}) for d in ("float16", "bfloat16", "int8", "uint8")
    }
    return calls | {
        "not finite": ((tf.constant([np.nan, np.inf, -np.inf]),), {}),
        "bools": ((tf.constant([True, False]), tf.constant(True)), {}),
        "scalars": ((tf.constant(3), tf.constant(2.5), 2.5, 3, None, True), {}),
        "short": ((tf.range(6),), {}),
        "seven": ((tf.range(7),), {}),
        "long": ((tf.range(1000),), {}),
        "matrix": ((tf.reshape(tf.range(100), (10, 10)),), {}),
        "cube": ((cube,), {}),
        "cube of one": ((cube,), {"summarize": 1}),
        "cube of none": ((cube,), {"summarize": 0}),
        "cube of all": ((tf.reshape(tf.range(512), (8, 8, 8)),), {"summarize": -1}),
        "large cube": ((tf.reshape(tf.range(1000), (10, 10, 10)),), {"summarize": 2}),
        "empty": ((tf.zeros((0,)), tf.zeros((2, 0)), tf.zeros((0, 2)), tf.zeros((2, 0, 3))), {}),
        "scalar of none": ((tf.constant(1),), {"summarize": 0}),
        "nested": (("a", 1, [1, tf.constant(2)], {"b": tf.constant([1, 2]), "a": "x"}, (tf.constant(1),)), {}),
        "deeper": (({"k": [tf.range(3), (tf.constant(1.5), "text")], "j": {"i": tf.constant([[1, 2], [3, 4]])}},), {}),
        "named tuple": ((Point(tf.constant(1), 2),), {}),
        "no tensors": (([1, "s", b"q", 2.5, True, None], np.array([1.0, 2.0]), {1}), {}),
        "braces": (("{}", tf.constant(1), "x{}y"), {}),
        "variable": ((tf.Variable([1.0, 2.0]), [tf.Variable(3)]), {}),
        "separator": (("multi\nline", tf.constant(1), 2), {"sep": "|", "end": "END\n"}),
        "nothing": ((), {}),
        "wide": (([[tf.constant(1)] * 3] * 8, list(range(40))), {}),
    }


def assertions(tf) -> dict[str, tuple[Callable, list]]:
    """By name: a function of tensors that raises, and the tensors."""
    d = tf.debugging
    x, y = [1.0, 2, 3, 4, 5], [1.0, 2, 4, 4, 6]
    square = [[1.0, -2.0], [3.0, 4.0]]
    bad = [1.0, -np.inf, np.nan]
    calls = {
        "equal": (lambda x, y: d.assert_equal(x, y), [x, y]),
        "equal with message": (lambda x, y: d.assert_equal(x, y, message="why", summarize=2), [x, y]),
        "equal scalars": (lambda x, y: d.assert_equal(x, y), [1, 2]),
        "equal broadcast": (lambda x, y: d.assert_equal(x, y), [x, 2.0]),
        "equal matrices": (lambda x, y: d.assert_equal(x, y, summarize=3), [np.ones((2, 3)), np.zeros((2, 3))]),
        "equal, all shown": (lambda x, y: d.assert_equal(x, y, summarize=-1), [x, y]),
        "equal nan": (lambda x, y: d.assert_equal(x, y), [[np.nan], [np.nan]]),
        "equal bools": (lambda x, y: d.assert_equal(x, y), [[True], [False]]),
        "none equal": (lambda x, y: d.assert_none_equal(x, y), [x, y]),
        "less": (lambda x, y: d.assert_less(x, y), [np.int8([3]), np.int8([3])]),
        "less equal": (lambda x, y: d.assert_less_equal(x, y), [[3], [2]]),
        "greater": (lambda x, y: d.assert_greater(x, y), [[3], [4]]),
        "greater equal": (lambda x, y: d.assert_greater_equal(x, y), [[3], [4]]),
        "negative": (lambda x: d.assert_negative(x), [square]),
        "positive": (lambda x: d.assert_positive(x, message="m"), [square]),
        "non-negative": (lambda x: d.assert_non_negative(x, summarize=1), [square]),
        "Assert": (lambda x: tf.Assert(tf.reduce_all(x > 2), [x]), [x]),
        "Assert, more shown": (lambda x, n: tf.Assert(tf.reduce_all(x > 2), [n, x], summarize=7), [x, [[0, 1, 2]] * 4]),
        "Assert scalars": (lambda x: tf.Assert(x > 5, [x, 1, 2.5]), [3]),
        "check_numerics": (lambda x: d.check_numerics(x, "msg"), [bad]),
        "check_numerics NaN": (lambda x: d.check_numerics(x, "msg"), [bad[2:]]),
        "check_numerics Inf": (lambda x: d.check_numerics(x, "msg"), [bad[:2]]),
        "all finite": (lambda x: d.assert_all_finite(x, "msg"), [bad]),
        "rank": (lambda x: d.assert_rank(x, 2, message="m"), [x]),
        "rank at least": (lambda x: d.assert_rank_at_least(x, 2), [x]),
        "rank in": (lambda x: d.assert_rank_in(x, [0, 2]), [x]),
        "rank, no scalar": (lambda x: d.assert_rank(x, [1]), [x]),
        "scalar": (lambda x: d.assert_scalar(x, message="m"), [x]),
        "integer": (lambda x: d.assert_integer(x), [x]),
        "type": (lambda x: d.assert_type(x, tf.int32, message="m"), [x]),
        "shapes by name": (lambda x, y: d.assert_shapes([(x, ("N",)), (y, ("N", "D"))]), [x, np.ones((3, 2))]),
        "shapes by size": (lambda x: d.assert_shapes([(x, (4,))], message="m"), [x]),
        "shapes of rank": (lambda x: d.assert_shapes([(x, ("N", "M"))]), [x]),
        "shapes innermost": (lambda x, y: d.assert_shapes([(x, (..., "D")), (y, ("D",))]), [np.ones((2, 3, 4)), x]),
        "shapes misplaced": (lambda x: d.assert_shapes([(x, ("N", "*"))]), [x]),
        "proper iterable": (lambda x: d.assert_proper_iterable(3), [x]),
        "same float dtype": (lambda x: d.assert_same_float_dtype(None, tf.int32), [x]),
    }
    return {name: (function, [tf.constant(value) for value in values]) for name, (function, values) in calls.items()}


def words(error: Exception) -> str:
    """The words of an error that both libraries should agree in: names of tensors and places are left out."""
    text = re.sub(r"^in user code:\s+(.|\n)*?\n\s*\n\s*\w+Error: ", "", str(error)).rstrip()
    text = re.sub(r"^\{\{function_node [^}]*\}\} ", "", text)
    text = re.split(r"\n\t \[\[|\n\nStack trace| \[Op:| \(in [^()]*:\d+\)$", text)[0]
    text = re.sub(r"\(shape=\([^)]*\) dtype=\w+\)|\b\w+:0\b|shape=\([^)]*\) dtype=\w+", "T", text).replace("(T)", "T")
    text = (
        text.replace("Tensor T must", "Tensor  must").replace("tf.Tensor(", "Tensor(").replace("nf.Tensor(", "Tensor(")
    )
    return re.sub(r"<dtype: '(\w+)'>|[nt]f\.(float32|int32)", lambda m: m[1] or m[2], text)
