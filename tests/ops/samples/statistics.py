"""Samples for histograms: values that halves hold exactly and that lie well within their bins."""

import numpy as np

from tests.ops.samples.common import *


def histograms(dtype):
    for shape in ((2, 5), (), (0,), (67,), (2, 1, 3, 1, 2)):
        values = np.arange(int(np.prod(shape))).reshape(shape) % 23 - 7 + 0.5
        low, high = np.array(0, dtype.np), np.array(8, dtype.np)
        yield Sample([values.astype(dtype.np), low, high], {"nbins": 4})


RECIPES |= {"histogram_bins": histograms}
