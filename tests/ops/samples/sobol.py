"""Samples for points of the Sobol sequence."""

from collections.abc import Iterator

import numpy as np

from nbflow.dtypes import DType, float32, float64
from tests.ops.samples.common import *


def points(dtype: DType) -> Iterator[Sample]:
    for numbers_, dim in (([1, 2, 3], 2), ([5], 40), ([], 3), ([2**31 - 1, 2**20, 0], 300)):
        for kind in (float32, float64):
            yield Sample([np.array(numbers_, dtype.np)], {"dim": dim, "dtype": kind})


RECIPES |= {"sobol_points": points}
