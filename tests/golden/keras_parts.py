"""Makes keras_parts.npz: what Keras' initializers, random numbers, activations, regularizers and constraints give.

Run it with a Python that has TensorFlow 2.21 (CPU): ``python tests/golden/keras_parts.py``. The tests evaluate the same
expressions with nf.keras as `keras`. `x` and `y` stand for tensors; `gradient of <expression>` is that of its sum
with respect to x.
"""

import contextlib
import io
import json
import pathlib
import unittest.mock

import numpy as np

X = np.array([[-3.2, -1.0, -0.4, 0.0], [0.3, 0.5, 1.0, 6.5], [-0.5, 2.0, -7.0, 3.0]], np.float32)
Y = np.linspace(-1.5, 2.0, 24, dtype=np.float32).reshape(2, 3, 2, 2)

RANDOM = [
    f"keras.random.{call}"
    for call in (
        "normal((2, 3), seed=5)",
        "normal((3,), 1.0, 0.5, 'float64', seed=-7)",
        "normal((3,), dtype='bfloat16', seed=5)",
        "normal((3,), seed=2**40)",
        "uniform((2, 3), seed=5)",
        "uniform((5,), -2, 3.5, 'float16', 8)",
        "truncated_normal((2, 3), 2.0, 0.1, seed=5)",
        "randint((2, 5), 0, 10, seed=5)",
        "randint((5,), -300, 300, 'int8', seed=5)",
        "categorical(y[0, 0], 5, seed=5)",
        "categorical(x, 5, 'int64', seed=5)",
        "dropout(x, 0.5, seed=5)",
        "dropout(x, 0.0, seed=5)",
        "dropout(x, 1.0, seed=5)",
        "dropout(y, 0.3, noise_shape=(2, None, 1, 2), seed=5)",
        "shuffle(x, seed=3)",
        "shuffle(y, axis=1, seed=4)",
        "shuffle(x, axis=-1, seed=4)",
        "gamma((4, 3), alpha=[0.5, 1.0, 2.0], seed=5)",
        "gamma((4,), alpha=2.0, dtype='bfloat16', seed=5)",
        "binomial((4, 2), [10.0, 20.0], 0.5, seed=5)",
        "beta((2, 3), [[1.0, 2.0, 3.0]], 0.5, seed=5)",
        "normal((3,))",
        "SeedGenerator().next()",
        "SeedGenerator(9).next(ordered=False)",
    )
]
RANDOM += [
    f"[{draw} for _ in range(3)]"
    for draw in (
        "keras.random.uniform((2,))",
        "keras.random.SeedGenerator().next()",
        "keras.initializers.RandomNormal()((2,))",
    )
]
RANDOM.append("[keras.random.normal((2,), seed=g) for g in [keras.random.SeedGenerator(9)] for _ in range(3)]")

INITIALIZERS = [
    f"keras.initializers.{made}"
    for made in (
        "STFT(window=None)((5, 1, 4))",
        "STFT('imag', None)((5, 1, 4))",
        "STFT('imag', np.array([1.0, -2.0, 3.0]))((3, 1, 4), 'float64')",
        "STFT('real', [1.0, -2.0, 3.0], 'spectrum')((3, 1, 4))",
        "STFT('real', [1.0, -2.0, 3.0], None)((3, 1, 4))",
        "Zeros()((2, 3))",
        "Ones()((2,), 'int32')",
        "Zeros()((2,), 'bool')",
        "Constant(2.5)((2, 2), 'float16')",
        "Constant([1.0, 2.0])((2, 2))",
        "Identity(2.0)((2, 3))",
        "RandomNormal(1.0, 2.0, seed=3)((4,))",
        "RandomUniform(seed=3)((2, 3))",
        "TruncatedNormal(seed=3)((4,), 'float64')",
        "VarianceScaling(0.5, 'fan_out', 'untruncated_normal', seed=3)((2, 5))",
        "VarianceScaling(0.5, 'fan_avg', 'normal', seed=3)((2, 5))",
        "VarianceScaling(distribution='uniform', seed=3, input_axes=[0, 2], output_axes=[1])((2, 3, 2))",
        "GlorotUniform(seed=3)((2, 3))",
        "GlorotUniform(seed=keras.random.SeedGenerator(3))((2, 3))",
        "GlorotNormal(seed=3)((3, 2, 2, 3))",
        "GlorotNormal(3)(())",
        "HeNormal(seed=3)((2, 3))",
        "HeUniform(seed=3)((3,))",
        "LecunNormal(seed=3)((2, 3))",
        "LecunUniform(seed=3)((2, 2, 3))",
        "Orthogonal(seed=3)((3, 3))",
        "Orthogonal(0.5, seed=3)((2, 5))",
        "Orthogonal(seed=3)((3, 2, 2))",
        "get(x)((3, 4), 'float16')",
        "get('uniform')((3,))",
        "HeNormal()((3, 4))",
    )
]

TENSORFLOW = [
    f"tf.{made}"
    for made in (
        "zeros_initializer()((2, 3))",
        "ones_initializer()((2,), 'int32')",
        "constant_initializer(3)((2,))",
        "constant_initializer([1, 2, 3, 4])((2, 2), dtype='float32')",
        "random_uniform_initializer(seed=3)((2, 3))",
        "random_uniform_initializer(1, 9, seed=3)((2, 3), dtype=tf.int32)",
        "random_uniform_initializer()((2, 3))",
        "random_normal_initializer(seed=3)(shape=(2, 3), dtype='float64')",
        "random_normal_initializer(1.0, 2.0)((2, 3))",
    )
]

PLAIN = [  # activations without further arguments
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "gelu",
    "silu",
    "mish",
    "sigmoid",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "swish",
    "hard_tanh",
    "tanh",
    "tanh_shrink",
    "soft_shrink",
    "hard_shrink",
    "softplus",
    "softsign",
    "squareplus",
    "sparse_plus",
    "sparse_sigmoid",
    "log_sigmoid",
    "exponential",
    "linear",
    "glu",
    "softmax",
    "log_softmax",
    "sparsemax",
]
ACTIVATIONS = [
    f"keras.activations.{call}"
    for call in (
        *(f"{name}(x)" for name in PLAIN),
        "relu(x, 0.1)",
        "relu(x, max_value=2.0)",
        "relu(x, max_value=6.0)",
        "relu(x, threshold=0.5)",
        "relu(x, 0.1, 1.0, 0.3)",
        "relu(x, 0.1, 6.0)",
        "relu(x + 3, 0.1, 6.0)",
        "relu([-1, 2])",
        "tanh([-1, 2])",
        "exponential([-1, 2])",
        "leaky_relu(x, 0.3)",
        "elu(x, 0.5)",
        "celu(x, 2.0)",
        "gelu(x, approximate=True)",
        "soft_shrink(x, 1.0)",
        "hard_shrink(x, 1.0)",
        "threshold(x, 0.5, -2.0)",
        "squareplus(x, 2)",
        "glu(tf.transpose(x), 0)",
        "softmax(x, 0)",
        "softmax(x, None)",
        "softmax(x[None], (0, 1))",
        "softmax(y, (1, 3))",
        "log_softmax(x, 0)",
        "log_softmax(x, None)",
        "log_softmax(x[None], (1, 2))",
        "sparsemax(x, 0)",
        "sigmoid(tf.cast(x, 'float16'))",
        "hard_sigmoid(tf.cast(x, 'float64'))",
        "soft_shrink(tf.cast(x, 'float16'))",
        "get('relu')(x)",
        "get(None)(x)",
    )
]

PENALTIES = [
    f"keras.{call}"
    for call in (
        "regularizers.L1(0.1)(x)",
        "regularizers.L1(None)(x)",
        "regularizers.L2(0.1)(x)",
        "regularizers.L1L2(0.1, 0.2)(x)",
        "regularizers.L1L2()(x)",
        "regularizers.L1L2(None, 1)(tf.cast(x, 'float64'))",
        "regularizers.OrthogonalRegularizer()(x)",
        "regularizers.OrthogonalRegularizer(0.5, 'columns')(x)",
        "regularizers.get('l2')(x)",
        "constraints.NonNeg()(x)",
        "constraints.UnitNorm()(x)",
        "constraints.UnitNorm([0, 1])(x)",
        "constraints.MaxNorm(1.5)(x)",
        "constraints.MaxNorm(axis=1)(x)",
        "constraints.MaxNorm(3, [0, 1, 2])(y)",
        "constraints.MinMaxNorm()(x)",
        "constraints.MinMaxNorm(2.0, 6.0, 0.3, 1)(x)",
        "constraints.get('max_norm')(x)",
    )
]

UTILITIES = [
    f"keras.utils.{call}"
    for call in (
        "to_categorical([0, 2, 1])",
        "to_categorical([[0], [2]], 4)",
        "to_categorical(np.array([[0, 1], [2, 0]]))",
        "to_categorical(3)",
        "to_categorical(tf.constant([[0], [2]]), 3)",
        "to_categorical(['1', '0'])",
        "normalize(np.array(x))",
        "normalize(np.array([[0.0, 0.0], [3.0, 4.0]]), 0, 1)",
        "normalize(np.array([[3.0, 4.0]]), order=np.inf)",
        "normalize(x)",
        "normalize(x, 0, 3)",
        "normalize(y, (1, 2))",
        "pad_sequences([[1], [2, 3], [4, 5, 6]])",
        "pad_sequences([[1], [], [4, 5, 6]], 2, 'float32', 'post', 'pre', -1)",
        "pad_sequences([[1], [2, 3], [4, 5, 6]], 2, truncating='post')",
        "pad_sequences([np.ones((2, 3)), np.zeros((0, 3)), np.full((1, 3), 2)])",
        "pad_sequences([['a'], ['bc', 'd']], dtype='<U3', value='-')",
    )
]

VALUES = RANDOM + INITIALIZERS + TENSORFLOW + ACTIVATIONS + PENALTIES + UTILITIES

CONFIGS = [
    "keras.initializers.serialize(keras.initializers.get('zeros'))",
    "keras.initializers.serialize(keras.initializers.Constant(2.0))",
    "keras.initializers.serialize(keras.initializers.Constant(np.array([1.0, 2.0])))",
    "keras.initializers.serialize(keras.initializers.Identity())",
    "keras.initializers.serialize(keras.initializers.RandomNormal(seed=3))",
    "keras.initializers.serialize(keras.initializers.RandomUniform())",
    "keras.initializers.serialize(keras.initializers.TruncatedNormal(seed=keras.random.SeedGenerator(3, name='g')))",
    "keras.initializers.serialize(keras.initializers.VarianceScaling(2.0, 'fan_out', 'normal', input_axes=[0]))",
    "keras.initializers.serialize(keras.initializers.GlorotUniform())",
    "keras.initializers.serialize(keras.initializers.HeNormal(3))",
    "keras.initializers.serialize(keras.initializers.Orthogonal(2.0))",
    "keras.initializers.get('normal').get_config()",
    "keras.initializers.serialize(keras.initializers.STFT('imag', None, 'spectrum', True))",
    "tf.constant_initializer(3).get_config()",
    "tf.random_normal_initializer(1.0, seed=2).get_config()",
    "tf.random_uniform_initializer(seed=2).get_config()",
    "keras.activations.serialize(keras.activations.relu)",
    "keras.activations.serialize(keras.activations.swish)",
    "keras.regularizers.serialize(keras.regularizers.L1(0.5))",
    "keras.regularizers.serialize(keras.regularizers.L2())",
    "keras.regularizers.serialize(keras.regularizers.L1L2(1))",
    "keras.regularizers.serialize(keras.regularizers.OrthogonalRegularizer(0.5, 'columns'))",
    "keras.constraints.serialize(keras.constraints.NonNeg())",
    "keras.constraints.serialize(keras.constraints.UnitNorm([0, 1]))",
    "keras.constraints.serialize(keras.constraints.MaxNorm())",
    "keras.constraints.serialize(keras.constraints.MinMaxNorm(rate=0.5))",
]

ERRORS = [
    "keras.random.normal((2,), seed='a')",
    "keras.random.normal((2,), seed=1.5)",
    "keras.random.uniform((2,), dtype='int32')",
    "keras.random.randint((2,), 0, 3, dtype='float32')",
    "keras.random.categorical([1.0, 2.0], 3)",
    "keras.random.SeedGenerator('a')",
    "keras.utils.set_random_seed(1.5)",
    "keras.initializers.Identity()((2,))",
    "keras.initializers.Orthogonal()((2,))",
    "keras.initializers.RandomNormal(seed='a')",
    "keras.initializers.VarianceScaling(-1.0)",
    "keras.initializers.VarianceScaling(mode='fan')",
    "keras.initializers.VarianceScaling(distribution='cauchy')",
    "keras.initializers.Initializer()((2,))",
    "keras.initializers.STFT('both')",
    "tf.random_normal_initializer()((2,), 'int32')",
    "keras.initializers.STFT(window=None, scaling='none')",
    "keras.initializers.STFT(window=[1.0, 2.0])((3, 1, 4))",
    "keras.initializers.get('nothing')",
    "keras.initializers.get(3.5)",
    "keras.initializers.get(x)((2, 2))",
    "keras.activations.get('nothing')",
    "keras.activations.get(3)",
    "keras.activations.glu(x[:, :3])",
    "keras.regularizers.L1(-1.0)",
    "keras.regularizers.L2(float('nan'))",
    "keras.regularizers.L1L2('a')",
    "keras.regularizers.OrthogonalRegularizer(float('inf'))",
    "keras.regularizers.OrthogonalRegularizer(mode='diagonals')",
    "keras.regularizers.OrthogonalRegularizer()(y)",
    "keras.regularizers.Regularizer().get_config()",
    "keras.regularizers.get('nothing')",
    "keras.regularizers.get(3)",
    "keras.constraints.get('nothing')",
    "keras.constraints.get(3)",
    "keras.utils.normalize(x, order=0.5)",
    "keras.utils.pad_sequences(3)",
    "keras.utils.pad_sequences([1, 2])",
    "keras.utils.pad_sequences([[1]], padding='middle')",
    "keras.utils.pad_sequences([[1]], truncating='middle')",
    "keras.utils.pad_sequences([[1]], value='a')",
    "keras.utils.pad_sequences([[[1]], [[1, 2]]])",
    "keras.utils.unpack_x_y_sample_weight((1, 2, 3, 4))",
    "keras.utils.Progbar(3, stateful_metrics=[], stateless_metrics=[])",
    "keras.utils.get_file('a')",
    "keras.utils.get_file('a/b', 'file:///a')",
    "keras.utils.img_to_array(y)",
]

# What a bar is made with, and its updates: seconds that pass before, steps that are then done, metrics.
BARS = {
    "known": ({"target": 12}, [(0.5, 1, [("loss", 2.0)]), (0.01, 2, [("loss", 1.0)]), (0.3, 7, []), (9.0, 12, [])]),
    "unknown": ({"target": None}, [(0.1, 1, [("loss", 0.5)]), (0.2, 5, [("loss", 0.0)]), (0.2, 5, [], True)]),
    "metrics": (
        {"target": 4, "stateful_metrics": ["a"], "interval": 0.0},
        [
            (0.2, 0, []),
            (0.2, 1, [("a", 1.5), ("b", -1e-5)]),
            (0.0, 3, [("a", 0.0), ("b", np.float32(3.0))]),
            (0.1, 4, [("a", -3.25), ("b", float("nan"))]),
        ],
    ),
    "stateless": ({"target": 3, "stateless_metrics": ["a"]}, [(0.2, k, [("a", k), ("b", k)]) for k in (1, 2, 3)]),
    "long": ({"target": 1000, "unit_name": "sample"}, [(90.0, 1, []), (2.0, 3, []), (0.2, 400, []), (0.3, 999, [])]),
    "fast": ({"target": 10**6, "width": 7}, [(0.1, 10**5, []), (0.1, 9 * 10**5, []), (0.0, 10**6, [])]),
    "line": ({"target": 3, "verbose": 2}, [(0.2, 2, [("a", 1.0)]), (3.0, 3, [("a", -1.0), ("b", 0.25)])]),
    "silent": ({"target": 3, "verbose": 0}, [(0.2, 3, [("a", 1.0)])]),
}


class Terminal(io.StringIO):
    """A terminal that keeps what is written."""

    def isatty(self):
        return True


def bar_text(tf, arguments: dict, updates, screen) -> str:
    """What a Progbar writes to a screen."""
    now = 1000.0
    with contextlib.redirect_stdout(screen), unittest.mock.patch("time.time", lambda: now):
        bar = tf.keras.utils.Progbar(**arguments)
        for seconds, *update in updates:
            now += seconds
            bar.update(*update)
    return screen.getvalue()


def evaluated(tf, expression: str):
    """The value of an expression with tf.keras as keras, and the gradient of its sum with respect to x, or None."""
    x = tf.constant(X)
    tf.keras.utils.set_random_seed(11)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = eval(expression, {"keras": tf.keras, "tf": tf, "np": np, "x": x, "y": tf.constant(Y)})
    watched = hasattr(value, "numpy") and "x" in expression and tf.as_dtype(value.dtype).is_floating
    return value, tape.gradient(value, x) if watched else None


def error_of(tf, expression: str) -> str:
    """The name of the exception that an expression raises."""
    try:
        evaluated(tf, expression)
    except Exception as error:
        return type(error).__name__
    raise AssertionError(f"{expression} raises nothing")


def main():
    import tensorflow as tf

    golden = {}
    for expression in VALUES:
        value, gradient = evaluated(tf, expression)
        value = np.asarray(value)
        golden[expression] = value.astype(np.float32) if value.dtype.name == "bfloat16" else value
        if gradient is not None:
            golden[f"gradient of {expression}"] = tf.convert_to_tensor(gradient).numpy()
    for expression in CONFIGS:
        golden[expression] = np.array(json.dumps(evaluated(tf, expression)[0]))
    for expression in ERRORS:
        golden[expression] = np.array(error_of(tf, expression))
    for name, (arguments, updates) in BARS.items():
        golden[f"bar {name}"] = np.array(bar_text(tf, arguments, updates, Terminal()))
    np.savez_compressed(pathlib.Path(__file__).with_suffix(".npz"), **golden)


if __name__ == "__main__":
    main()
