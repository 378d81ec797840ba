"""Samples for isotonic regression."""

from collections.abc import Iterator

from nbflow.dtypes import DType
from tests.ops.samples.common import *


def sequences(dtype: DType) -> Iterator[Sample]:
    for shape in some(dtype, [(3, 9), (1, 1), (0, 3), (2, 0), (4, 67)]):
        yield Sample([np.round(numbers(dtype, shape))])
    yield Sample([np.array([[5, 4, 3, 2], [1, 2, 3, 4], [2, 2, 1, 1]], dtype.np)])


RECIPES |= {"isotonic_segments": sequences}
