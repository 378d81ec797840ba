"""Samples for dilation of images."""

from collections.abc import Iterator

from nbflow.dtypes import DType, float32
from tests.ops.samples.common import *

DILATIONS = [  # shape, filters, strides, padding, dilations
    ((2, 4, 5, 2), (2, 3), (1, 2), "SAME", (1, 1)),
    ((1, 5, 4, 3), (2, 2), (2, 2), "VALID", (1, 1)),
    ((1, 5, 6, 1), (3, 2), (1, 1), "SAME", (2, 3)),
    ((0, 4, 4, 2), (2, 2), (1, 1), "VALID", (1, 1)),
    ((1, 3, 3, 1), (1, 1), (1, 1), "VALID", (1, 1)),
]


def dilations(dtype: DType) -> Iterator[Sample]:
    for shape, window, strides, padding, apart in DILATIONS if dtype is float32 else DILATIONS[:3]:
        attrs = {"strides": strides, "padding": padding, "dilations": apart}
        filters = distinct(dtype, (*window, shape[-1]), 1)
        filters = filters / 64 if dtype.is_floating else filters
        yield Sample([distinct(dtype, shape), filters.astype(dtype.np)], attrs, smooth=0 < np.prod(shape) < 100)


RECIPES |= dict.fromkeys(("dilation", "dilation_place", "dilation_tap"), dilations)
