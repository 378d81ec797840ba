"""The Sobol sequence."""

from .common import *
from .common import Case


def call(*arguments, dtype: str = "float32"):
    return lambda tf: tf.math.sobol_sample(*arguments, dtype=getattr(tf, dtype))


def cases() -> list[Case]:
    chosen = [(1, 20), (2, 7), (40, 33), (3, 5, 1000), (1200, 2, 77), (3000, 1, 2**29)]
    found = [Case(f"sobol_sample/{a}/{d}", call(*a, dtype=d), []) for a in chosen[:-2] for d in ("float32", "float64")]
    return found + [Case(f"sobol_sample/{a}", call(*a), []) for a in chosen[-2:]]


def errors() -> list[Case]:
    wrong = [(0, 3), (21201, 3), (3, 0), (3, 3, -1), (2.0, 3), (3, 1.5)]
    found = [Case(f"sobol_sample {a}", call(*a), []) for a in wrong]
    return [*found, Case("sobol_sample dtype", call(3, 3, dtype="int32"), [])]
