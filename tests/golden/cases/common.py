"""What cases are made of: calls written once for TensorFlow and nbflow."""

from dataclasses import dataclass

import numpy as np

F32, F64, I32, I64, U8 = np.float32, np.float64, np.int32, np.int64, np.uint8
POINTS = np.array([-20.5, -2.5, -1.5, -1, -0.5, -0.1, 0, 0.1, 0.5, 1, 1.5, 2.5, 20.5, np.inf, -np.inf, np.nan])
SAFE = np.array([-2.7, -1.3, -0.6, 0.4, 0.9, 2.2])
INTS = np.array([7, -7, 7, -7, 0, 1, 2**31 - 1, -(2**31)])
DIVISORS = np.array([2, 2, -3, -3, 5, -1, 7, -1])
ROWS = np.array([[1.5, -2, 0.5, 3], [0, 0.25, -1, 2], [4, 4, -3, 1]])


@dataclass
class Case:
    name: str
    function: object
    inputs: list
    gradient: bool = False
    tolerance: float = 16  # units in the last place that two libraries may differ by
    traced: bool = True  # whether it can be traced too


def answer(tf, case: Case) -> list:
    """The results of a case and, where wanted, the gradients, as NumPy arrays; None where there is no gradient."""
    tensors = [tf.constant(x) for x in case.inputs]
    floating = [t for t in tensors if t.dtype.is_floating or t.dtype.is_complex]
    with tf.GradientTape() as tape:
        tape.watch(floating)
        found = case.function(tf, *tensors)
        found = list(found) if isinstance(found, (list, tuple)) else [found]
        losses = []
        if case.gradient:
            for result in found:
                weights = np.arange(1, result.numpy().size + 1).reshape(result.shape)
                losses.append(tf.reduce_sum(result * weights.astype(result.dtype.as_numpy_dtype)))
    gradients = tape.gradient(losses, floating) if case.gradient else []
    return [None if t is None else np.asarray(t.numpy()) for t in [*found, *gradients]]


def both(name: str, function, *inputs, gradient: bool = False) -> list[Case]:
    """A case in float32 and in float64."""
    return [
        Case(f"{name}/{np.dtype(d).name}", function, [np.asarray(x, d) for x in inputs], gradient) for d in (F32, F64)
    ]
