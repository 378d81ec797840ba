"""Calls of functions of diagonals and bands of matrices."""

import numpy as np

from .common import *

CUBE = (np.arange(24.0).reshape(2, 3, 4) * 7 % 11 - 4) / 4
MATRIX = np.array([[3.0, -1, 2, 2], [0.5, 4, -2, 1], [2, 2, 7, -3]])


def cases() -> list[Case]:
    """All cases, in order."""
    bands = [0, 1, -1, (0, 0), (-1, 1), (0, 2), (-2, 0), (1, 2)]
    found = []
    for align in ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT"):
        read = lambda tf, x, a=align: [tf.linalg.diag_part(x, k=k, align=a) for k in bands]
        found += both(f"diag_part/{align}", read, MATRIX, gradient=True)
        write = lambda tf, x, a=align: [
            tf.linalg.set_diag(x, tf.linalg.diag_part(x * 2, k=k, align=a), k=k, align=a) for k in bands
        ]
        found += both(f"set_diag/{align}", write, MATRIX, gradient=True)
        make = lambda tf, x, a=align: [
            tf.linalg.diag(tf.linalg.diag_part(x, k=k, align=a), k=k, num_rows=3, num_cols=4, align=a) for k in bands
        ]
        found += both(f"diag/{align}", make, MATRIX, gradient=True)
    calls = {
        "diag/shapes": lambda tf, x: [
            tf.linalg.diag(x),
            tf.linalg.diag(x, k=1, padding_value=9.0),
            tf.linalg.diag(x, k=-2, num_cols=8),
            tf.linalg.diag(x[:2], k=(-1, 0), num_rows=5),
        ],
        "tensor_diag": lambda tf, x: [
            tf.linalg.tensor_diag(x[0]),
            tf.linalg.tensor_diag_part(tf.linalg.tensor_diag(x)),
            tf.linalg.trace(x),
        ],
        "band_part": lambda tf, x: [
            tf.linalg.band_part(x, *limits) for limits in ((0, 0), (1, -1), (-1, 1), (-1, -1), (2, 0))
        ],
        "padding": lambda tf, x: tf.linalg.diag_part(x, k=(-1, 2), padding_value=5.0),
    }
    for name, function in calls.items():
        found += both(name, function, MATRIX, gradient=True)
    found += both("diag_part/batch", lambda tf, x: tf.linalg.diag_part(x, k=(-1, 1)), CUBE, gradient=True)
    return found


def errors() -> list[Case]:
    """Calls that raise in TensorFlow."""
    calls = {
        "no such diagonal": lambda tf: tf.linalg.diag_part([[1, 2], [3, 4]], k=4),
        "band upside down": lambda tf: tf.linalg.diag_part([[1, 2], [3, 4]], k=(1, 0)),
    }
    return [Case(name, call, []) for name, call in calls.items()]
