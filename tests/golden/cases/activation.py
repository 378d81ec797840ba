"""Calls of activations."""

import numpy as np

from .common import *

BENT = np.array([-20, -3, -1, -0.5, 0, 0.3, 2, 5.9, 6, 7, 30, np.nan])
ROWS_AT_THE_EDGE = np.array(
    [[1, 2, np.nan], [np.inf, 1, 2], [-np.inf, 1, 2], [-np.inf] * 3, [-np.inf, np.inf, 0], [1e30, 1, -1e30], [1, 2, 3]]
)


def cases() -> list[Case]:
    """All cases, in order."""
    found = []
    for name in ("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "softsign", "crelu"):
        function = lambda tf, x, name=name: getattr(tf.nn, name)(x)
        found += both(name, function, BENT)
        found += both(f"{name}/gradient", function, SAFE, gradient=True)
    for name in ("relu", "relu6", "leaky_relu", "crelu"):
        found.append(
            Case(f"{name}/int32", lambda tf, x, name=name: getattr(tf.nn, name)(x), [np.array([-2, 0, 9], I32)])
        )
    found += both("gelu/approximate", lambda tf, x: tf.nn.gelu(x, approximate=True), SAFE, gradient=True)
    found += both("silu/beta", lambda tf, x, b: tf.nn.silu(x, b), SAFE, 1.7, gradient=True)
    found += both("leaky_relu/alpha", lambda tf, x: tf.nn.leaky_relu(x, alpha=0.5), SAFE, gradient=True)
    found += both("crelu/axis", lambda tf, x: tf.nn.crelu(x, axis=0), ROWS, gradient=True)
    for name in ("softmax", "log_softmax"):
        function = lambda tf, x, name=name: getattr(tf.nn, name)(x)
        found += both(f"{name}/edges", function, ROWS_AT_THE_EDGE)
        found += both(f"{name}/axis", lambda tf, x, name=name: getattr(tf.nn, name)(x, axis=0), ROWS, gradient=True)
    for dtype in (F32, I32):
        found.append(Case(f"zero_fraction/{np.dtype(dtype).name}", _zero_fraction, [np.array([[0, 1], [3, 0]], dtype)]))
    return found


def _zero_fraction(tf, x):
    return tf.math.zero_fraction(x)


def errors() -> list[Case]:
    """Calls that raise in TensorFlow."""
    return [
        Case("gelu of integers", lambda tf, x: tf.nn.gelu(x), [np.array([1, 2])]),
        Case("elu of integers", lambda tf, x: tf.nn.elu(x), [np.array([1, 2])]),
        Case("softmax of a scalar", lambda tf, x: tf.nn.softmax(x), [np.array(1.0)]),
        Case("softmax along no such axis", lambda tf, x: tf.nn.softmax(x, axis=2), [ROWS]),
        Case("crelu of a scalar", lambda tf, x: tf.nn.crelu(x), [np.array(1.0)]),
    ]
