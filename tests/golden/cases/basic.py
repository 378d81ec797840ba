"""Calls of arithmetic, reductions, array functions and losses."""

import numpy as np

from .common import *


def cases() -> list[Case]:
    """All cases, in order."""
    return [
        *_unary(),
        *_binary(),
        *_integers(),
        *_reductions(),
        *_casts(),
        *_arrays(),
        *_losses(),
        *_extremes(),
    ]


def errors() -> list[Case]:
    """Calls that raise in TensorFlow."""
    zero = [np.array([1, 2]), np.array([1, 0])]
    return [
        Case("floordiv by zero", lambda tf, x, y: tf.math.floordiv(x, y), zero),
        Case("floormod by zero", lambda tf, x, y: tf.math.floormod(x, y), zero),
        Case("truncatediv by zero", _truncatediv, zero),
        Case("negative power", lambda tf, x, y: tf.pow(x, y), [np.array([2, 3]), np.array([1, -1])]),
        Case("gather out of range", lambda tf, x: tf.gather(x, [0, 5]), [SAFE[:3]]),
        Case("gather negative", lambda tf, x: tf.gather(x, [-1]), [SAFE[:3]]),
        Case("argmax of nothing", lambda tf, x: tf.argmax(x), [np.zeros((0, 3), F32)]),
        Case("range the wrong way", lambda tf: tf.range(3, 0, 1), []),
        Case("mixed dtypes", lambda tf, x, y: x + y, [SAFE.astype(F32), SAFE]),
        Case("integers and floats", lambda tf, x, y: x + y, [np.array([1]), SAFE[:1]]),
        Case("shapes that do not broadcast", lambda tf, x, y: x + y, [ROWS, SAFE]),
        Case("matmul of unequal sizes", lambda tf, x: tf.matmul(x, x), [ROWS]),
        Case("reshape that does not fit", lambda tf, x: tf.reshape(x, [5]), [ROWS]),
        Case("concat of unequal shapes", lambda tf, x, y: tf.concat([x, y], 0), [ROWS, ROWS[:, :2]]),
        Case("squeeze of an axis of size 3", lambda tf, x: tf.squeeze(x, 0), [ROWS]),
        Case("reduce over an axis twice", lambda tf, x: tf.reduce_sum(x, [0, 0]), [ROWS]),
        Case("reduce over no such axis", lambda tf, x: tf.reduce_sum(x, 2), [ROWS]),
        Case("index out of range", lambda tf, x: x[3], [ROWS]),
        Case("transpose that is no permutation", lambda tf, x: tf.transpose(x, [0, 0]), [ROWS]),
        Case("broadcast_to a smaller shape", lambda tf, x: tf.broadcast_to(x, [4]), [ROWS]),
    ]


def _truncatediv(tf, x, y):
    return (tf if hasattr(tf, "truncatediv") else tf.math).truncatediv(x, y)


def _unary() -> list[Case]:
    names = "abs negative sign square sqrt rsqrt reciprocal exp expm1 log log1p tanh sigmoid softplus sin cos erf"
    found = []
    for name in names.split():
        everywhere = POINTS[:-3] if name == "erf" else POINTS  # TensorFlow's erf of infinity is NaN in float64
        at = np.abs(SAFE) if name in ("sqrt", "rsqrt", "log", "log1p") else SAFE
        for case_name, points, gradient in ((name, everywhere, False), (f"{name}/gradient", at, True)):
            found += both(case_name, lambda tf, x, name=name: getattr(tf.math, name)(x), points, gradient=gradient)
    for name in ("floor", "ceil", "round", "is_nan", "is_inf", "is_finite"):
        found += both(name, lambda tf, x, name=name: getattr(tf.math, name)(x), POINTS)
    found += both("relu", lambda tf, x: tf.nn.relu(x), POINTS)
    found += both("relu/gradient", lambda tf, x: tf.nn.relu(x), np.array([-1, 0, 1.0]), gradient=True)
    found += both("abs/kink", lambda tf, x: tf.abs(x), np.array([-1, 0, 1.0]), gradient=True)
    found += both("sqrt/zero", lambda tf, x: tf.sqrt(x), np.array([0, 1.0]), gradient=True)
    for name in ("sqrt", "rsqrt", "reciprocal"):
        masked = lambda tf, x, name=name: tf.where(x > 0, getattr(tf.math, name)(x), 1 - x)
        found += both(f"{name}/masked", masked, np.array([-1, 0, 1, np.nan]), gradient=True)
    found += both("sign/gradient", lambda tf, x: tf.sign(x), SAFE, gradient=True)
    found += both("floor/gradient", lambda tf, x: tf.floor(x), SAFE, gradient=True)
    found += both("round/gradient", lambda tf, x: tf.round(x), SAFE, gradient=True)
    return found


def _binary() -> list[Case]:
    names = "add subtract multiply divide maximum minimum squared_difference floordiv floormod"
    x, y = np.meshgrid(POINTS[[2, 3, 5, 6, 9, 11, 13, 14, 15]], POINTS[[1, 4, 6, 8, 10, 13, 14, 15]])
    found = []
    for name in names.split():
        function = lambda tf, x, y, name=name: getattr(tf.math, name)(x, y)
        found += both(name, function, x.reshape(-1), y.reshape(-1))
        found += both(f"{name}/gradient", function, ROWS, np.array([[2.0], [-1.5], [0.7]]), gradient=True)
        found += both(f"{name}/ties", function, np.array([1.0, 2, 3]), np.array([1.0, 3, 2]), gradient=True)
    found += both("pow", lambda tf, x, y: tf.pow(x, y), x.reshape(-1), y.reshape(-1))
    found += both("pow/gradient", lambda tf, x, y: tf.pow(x, y), np.abs(SAFE), SAFE[::-1], gradient=True)
    found += both("pow/at zero", lambda tf, x, y: tf.pow(x, y), [0, 1, -2.0, 0], [0.5, 2, 3, 2], gradient=True)
    for exponent in (-1.0, 0.5, 1.0, 2.0, 3.0):
        found += both(f"pow/{exponent}", lambda tf, x, e=exponent: x**e, np.abs(SAFE), gradient=True)
    for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
        found += both(name, lambda tf, x, y, name=name: getattr(tf.math, name)(x, y), x.reshape(-1), y.reshape(-1))
    bools = [np.array([True, True, False, False]), np.array([True, False, True, False])]
    for name in ("logical_and", "logical_or", "logical_xor"):
        found.append(Case(name, lambda tf, x, y, name=name: getattr(tf.math, name)(x, y), bools))
    found += both("where", lambda tf, x, y: tf.where(x > y, x, y), ROWS, ROWS[:1], gradient=True)
    found += both("where/nan", lambda tf, x, y: tf.where(x > 0, tf.sqrt(x), y), SAFE, SAFE, gradient=True)
    found.append(Case("python/float", lambda tf, x: 1.5 - x * 2 + 3, [SAFE.astype(F32)], gradient=True))
    found.append(Case("python/int", lambda tf, x: [7 // x, 7 % x, x**2, 2 * x - 1, x > 2], [np.array([3, -2, 5])]))
    return found


def _integers() -> list[Case]:
    found = []
    for dtype in (I32, I64):
        for name in (
            "floordiv",
            "floormod",
            "add",
            "subtract",
            "multiply",
            "maximum",
            "minimum",
            "squared_difference",
        ):
            inputs = [INTS.astype(dtype), DIVISORS.astype(dtype)]
            found.append(
                Case(
                    f"{name}/{np.dtype(dtype).name}",
                    lambda tf, x, y, name=name: getattr(tf.math, name)(x, y),
                    inputs,
                )
            )
        found.append(Case(f"truncatediv/{np.dtype(dtype).name}", _truncatediv, inputs))
        found.append(Case(f"divide/{np.dtype(dtype).name}", lambda tf, x, y: [tf.divide(x, y), x / y], inputs))
        for name in ("abs", "negative", "sign", "square"):
            found.append(
                Case(
                    f"{name}/{np.dtype(dtype).name}",
                    lambda tf, x, name=name: getattr(tf.math, name)(x),
                    inputs[:1],
                )
            )
        power = [np.array([2, -3, 0, 5, 2], dtype), np.array([10, 3, 0, 0, 40], dtype)]
        found.append(Case(f"pow/{np.dtype(dtype).name}", lambda tf, x, y: tf.pow(x, y), power))
    small = [np.array([200, 100, 0, 255], U8), np.array([100, 7, 3, 2], U8)]
    for name in ("add", "subtract", "multiply", "maximum", "floordiv", "floormod", "divide"):
        found.append(Case(f"{name}/uint8", lambda tf, x, y, name=name: getattr(tf.math, name)(x, y), small))
    return found


def _reductions() -> list[Case]:
    found = []
    nan = ROWS.copy()
    nan[1, 2], nan[2, 0] = np.nan, np.inf
    for name in ("sum", "mean", "max", "min", "prod"):
        for axis in (None, 0, 1, [0, 1], [], -1):
            function = lambda tf, x, name=name, axis=axis: getattr(tf, f"reduce_{name}")(x, axis=axis)
            found += both(f"reduce_{name}/{axis}", function, ROWS, gradient=True)
        keep = lambda tf, x, name=name: getattr(tf, f"reduce_{name}")(x, axis=0, keepdims=True)
        found += both(f"reduce_{name}/keepdims", keep, ROWS, gradient=True)
        rows = lambda tf, x, name=name: getattr(tf, f"reduce_{name}")(x, axis=1)
        found += both(f"reduce_{name}/nan", rows, nan)
        found += both(f"reduce_{name}/empty", rows, np.zeros((2, 0)))
        ties = np.array([[2, 2, 1], [0, 3, 0], [0, 0, 5.0]])
        found += both(f"reduce_{name}/ties", rows, ties, gradient=True)
        for dtype in (I32, I64, U8):
            low = 0 if dtype is U8 else -7
            x = np.array([[low, 3, 5], [low, 1, 2], [200, 100, 90], [1, 1, 2]], dtype)
            large = np.full((2, 3), np.iinfo(dtype).max // 2 + 1, dtype)
            for at, value in (("", x), ("/overflow", large), ("/empty", np.zeros((2, 0), dtype))):
                found.append(Case(f"reduce_{name}/{np.dtype(dtype).name}{at}", rows, [value]))
    for name in ("any", "all"):
        function = lambda tf, x, name=name: [
            getattr(tf, f"reduce_{name}")(x, 1),
            getattr(tf, f"reduce_{name}")(x),
            getattr(tf, f"reduce_{name}")(x[:0]),
        ]
        found.append(Case(f"reduce_{name}", function, [np.array([[True, False], [True, True], [False, False]])]))
    for name in ("argmax", "argmin"):
        function = lambda tf, x, name=name: [
            getattr(tf, name)(x),
            getattr(tf, name)(x, 1),
            getattr(tf, name)(x, axis=-1, output_type=tf.int32),
        ]
        found += both(name, function, nan)
        found += both(f"{name}/ties", function, np.array([[1.0, 1, 0], [1, 2, 2]]))
        found += both(f"{name}/all nan", function, np.full((2, 2), np.nan))
        for dtype in (I32, I64, U8):
            found.append(Case(f"{name}/{np.dtype(dtype).name}", function, [np.array([[3, 9, 9], [4, 0, 4]], dtype)]))
    return found


def _casts() -> list[Case]:
    found = []
    for name in ("int32", "int64", "bool", "float32", "float64", "uint8"):
        function = lambda tf, x, name=name: tf.cast(x, getattr(tf, name))
        points = POINTS if name != "uint8" else np.array([0, 0.9, 1.5, 254.9])
        points = np.append(points, [1e10, -1e10, 1e20, 2.0**31, -(2.0**31)]) if name in ("int32", "int64") else points
        found += both(f"cast/to {name}", function, points)
        for dtype in (I32, I64, U8, np.bool_):
            value = np.array([True, False]) if dtype is np.bool_ else np.array([0, 1, 100, 255]).astype(dtype)
            found.append(Case(f"cast/{np.dtype(dtype).name} to {name}", function, [value]))
    wide = np.array([2**40 + 3, -(2**33) - 1, 2**31, 256, -1])
    for name in ("int32", "uint8", "float32"):
        found.append(Case(f"cast/wide to {name}", lambda tf, x, name=name: tf.cast(x, getattr(tf, name)), [wide]))
    return found


def _arrays() -> list[Case]:
    cube = np.arange(24.0).reshape(2, 3, 4)
    index = np.array([[2, 0], [1, 1]])
    calls = {
        "reshape": lambda tf, x: tf.reshape(x, [4, -1]),
        "transpose": lambda tf, x: [tf.transpose(x), tf.transpose(x, [0, 2, 1])],
        "expand_dims": lambda tf, x: [
            tf.expand_dims(x, 0),
            tf.expand_dims(x, -1),
            tf.squeeze(tf.expand_dims(x, 1)),
        ],
        "broadcast_to": lambda tf, x: tf.broadcast_to(x[:, :1], [2, 5, 4]),
        "concat": lambda tf, x: [
            tf.concat([x, x * 2], 0),
            tf.concat([x, x[:, :1]], axis=1),
            tf.concat([x, x], -1),
        ],
        "stack": lambda tf, x: [tf.stack([x, x + 1]), tf.stack([x, x], axis=2), tf.stack([x, x], axis=-1)],
        "slices": lambda tf, x: [
            x[0],
            x[-1, 1:],
            x[..., ::-2],
            x[:, None, 1],
            x[::-1, ..., 2:0:-1],
            x[:, 5:],
        ],
        "gather": lambda tf, x: [
            tf.gather(x, [1, 0, 1]),
            tf.gather(x, [[2, 0]], axis=1),
            tf.gather(x, 3, axis=-1),
        ],
        "gather/batch_dims": lambda tf, x: [
            tf.gather(x, index, axis=1, batch_dims=1),
            tf.gather(x, index, axis=2, batch_dims=1),
        ],
        "identity": lambda tf, x: tf.identity(x) * tf.stop_gradient(x),
        "like": lambda tf, x: [tf.zeros_like(x) + x, tf.ones_like(x) * x],
        "matmul": lambda tf, x: [
            tf.matmul(x, x, transpose_b=True),
            tf.matmul(x, x, transpose_a=True),
            tf.matmul(x, x[0], transpose_b=True),
        ],
    }
    found = []
    for name, function in calls.items():
        found += both(f"arrays/{name}", function, cube / 8 - 1, gradient=True)
    found.append(Case("arrays/shape", lambda tf, x: [tf.shape(x), tf.rank(x), tf.size(x)], [cube]))
    found.append(Case("arrays/shape int64", lambda tf, x: [tf.shape(x, tf.int64), tf.size(x, tf.int64)], [cube]))
    makers = {
        "zeros": lambda tf: [
            tf.zeros([2, 3]),
            tf.ones([2], tf.int32),
            tf.fill([2, 2], 7),
            tf.fill([1], True),
        ],
        "eye": lambda tf: [tf.eye(3), tf.eye(2, 3, dtype=tf.float64), tf.eye(2, batch_shape=[2])],
        "range": lambda tf: [
            tf.range(5),
            tf.range(3, 10, 3),
            tf.range(5, 0, -2),
            tf.range(0, 0),
            tf.range(3.0),
        ],
        "range/float": lambda tf: [tf.range(0, 1, 0.1), tf.range(0.0, 2.0, 0.3), tf.range(1.0, 0.0, -0.25)],
        "range/dtype": lambda tf: [
            tf.range(3, dtype=tf.float64),
            tf.range(0, 3, 0.5),
            tf.range(2, dtype=tf.int64),
        ],
        "linspace": lambda tf: [
            tf.linspace(0.0, 1.0, 7),
            tf.linspace(2.0, 5.0, 1),
            tf.linspace(3.0, -3.0, 4),
        ],
        "linspace/axis": lambda tf: [
            tf.linspace([0.0, 1], [1.0, 5], 4),
            tf.linspace([0.0, 1], [1.0, 5], 4, axis=-1),
        ],
        "linspace/int": lambda tf: tf.linspace(0, 10, 4),
        "one_hot": lambda tf: [
            tf.one_hot([0, -1, 5, 2], 3),
            tf.one_hot([[0, 1]], 3, axis=1),
            tf.one_hot(2, 4),
        ],
        "one_hot/values": lambda tf: [
            tf.one_hot([0, 2], 3, on_value=5, off_value=-1),
            tf.one_hot([1], 2, True, False),
            tf.one_hot([1], 2, dtype=tf.int64),
        ],
        "constant": lambda tf: [
            tf.constant(1),
            tf.constant(1.5),
            tf.constant([1, 2.5]),
            tf.constant(True),
            tf.constant(3, shape=[2, 2]),
        ],
        "constant/dtype": lambda tf: [tf.constant([1, 2], tf.float64), tf.constant([1.0, 2], shape=[2, 1])],
        "divide/python": lambda tf: [tf.divide(tf.constant(1), 2), tf.constant([1, 2]) / 4],
        "where/indices": lambda tf: tf.where([[True, False], [True, True]]),
    }
    found += [
        Case(f"arrays/{name}", lambda tf, f=function: f(tf), [], traced=name != "where/indices")
        for name, function in makers.items()
    ]
    return found


def _losses() -> list[Case]:
    labels = np.array([[0.1, 0.2, 0.3, 0.4], [1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25]])
    binary = np.array([[1, 0, 0.5, 1], [0, 0, 1, 1], [0.2, 0.9, 0, 1]])
    found = []
    for scale in (1, 100):
        x = ROWS * scale
        at = "" if scale == 1 else "/large"
        found += both(f"softmax{at}", lambda tf, x: [tf.nn.softmax(x), tf.nn.softmax(x, axis=0)], x, gradient=True)
        found += both(
            f"log_softmax{at}",
            lambda tf, x: [tf.nn.log_softmax(x), tf.nn.log_softmax(x, 0)],
            x,
            gradient=True,
        )
        dense = lambda tf, z, x: tf.nn.softmax_cross_entropy_with_logits(z, x)
        found += both(f"softmax_cross_entropy{at}", dense, labels, x, gradient=True)
        sparse = lambda tf, x: tf.nn.sparse_softmax_cross_entropy_with_logits([3, 0, 1], x)
        found += both(f"sparse_softmax_cross_entropy{at}", sparse, x, gradient=True)
        sigmoid = lambda tf, z, x: tf.nn.sigmoid_cross_entropy_with_logits(z, x)
        found += both(f"sigmoid_cross_entropy{at}", sigmoid, binary, x, gradient=True)
        weighted = lambda tf, z, x: tf.nn.weighted_cross_entropy_with_logits(z, x, 2.5)
        off_kink = np.where(x == 0, 0.5, x)  # at 0 TensorFlow's gradient is that of one side
        found += both(f"weighted_cross_entropy{at}", weighted, binary, off_kink, gradient=True)
    axis = lambda tf, z, x: tf.nn.softmax_cross_entropy_with_logits(z, x, axis=0)
    found += both("softmax_cross_entropy/axis", axis, labels, ROWS, gradient=True)
    found += both("l2_loss", lambda tf, x: tf.nn.l2_loss(x), ROWS, gradient=True)
    return found


def _extremes() -> list[Case]:
    odd = np.array([[-np.inf, 1, 2], [np.nan, 1, 2], [-np.inf, -np.inf, -np.inf]])
    found = both("softmax/odd", lambda tf, x: tf.nn.softmax(x), odd[[0, 2]])
    found += both("log_softmax/odd", lambda tf, x: tf.nn.log_softmax(x), odd)
    found += both("softmax/empty", lambda tf, x: [tf.nn.softmax(x), tf.nn.log_softmax(x)], np.zeros((2, 0)))
    found += both("matmul/empty", lambda tf, x: tf.matmul(x, x, transpose_b=True), np.zeros((3, 0)))
    found += both("matmul/nan", lambda tf, x: tf.matmul(x, x, transpose_a=True), np.array([[np.nan, 1], [0, np.inf]]))
    found += both("reduce_prod/zeros", lambda tf, x: tf.reduce_prod(x), np.zeros(3), gradient=True)
    found += both("reduce_max/nan gradient", lambda tf, x: tf.reduce_max(x), np.array([np.nan, 1]), gradient=True)
    return found
