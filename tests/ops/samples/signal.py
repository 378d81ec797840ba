"""Samples for Fourier transforms and frames."""

from collections.abc import Iterator

import numpy as np

from nbflow.dtypes import DType
from tests.ops.samples.common import *

TRANSFORMED = [  # shape, axes
    ((6,), (0,)),
    ((2, 5), (1,)),
    ((1,), (0,)),
    ((0,), (0,)),
    ((0, 4), (1,)),
    ((4, 3), (0,)),
    ((3, 4), (0, 1)),
    ((2, 3, 5), (1, 2)),
    ((2, 3, 4), (2, 0)),
    ((2, 2, 3, 1, 4), (1, 2, 4)),
    ((600, 128), (1,)),  # enough to be shared among threads
]


def transforms(dtype: DType) -> Iterator[Sample]:
    for shape, axis in some(dtype, TRANSFORMED):
        for adjoint in (False, True):
            smooth = 0 < np.prod(shape) < 30
            yield Sample([numbers(dtype, shape)], {"axis": axis, "adjoint": adjoint}, smooth)
    yield Sample([np.where(np.arange(6) == 2, np.nan, numbers(dtype, (6,)))], {"axis": (0,), "adjoint": False})


def halves(dtype: DType) -> Iterator[Sample]:
    """Halves of spectra, as long as they are for a number of points."""
    for shape, axis in some(dtype, TRANSFORMED):
        for length in (2 * shape[axis[-1]] - 2, 2 * shape[axis[-1]] - 1):
            if length > 0 or not shape[axis[-1]]:
                attrs = {"axis": axis, "length": max(0, length)}
                for adjoint in (False, True):
                    smooth = 0 < np.prod(shape) < 30
                    yield Sample([numbers(dtype, shape)], {**attrs, "adjoint": adjoint}, smooth)


FRAMES = [  # samples, frames, length, step
    (9, 3, 4, 2),
    (9, 3, 3, 3),
    (9, 7, 3, 1),
    (10, 2, 2, 5),
    (9, 2, 5, 3),
    (3, 0, 4, 2),
    (5, 2, 0, 3),
    (0, 0, 2, 1),
    (70, 6, 20, 9),
]


def frames(dtype: DType) -> Iterator[Sample]:
    for size, count, length, step in some(dtype, FRAMES):
        for outer in ((), (2,), (2, 1, 3)):
            smooth = count > 0 and length > 0 and size < 20 and len(outer) < 2
            yield Sample([numbers(dtype, (*outer, size))], {"length": length, "step": step, "count": count}, smooth)


def overlaps(dtype: DType) -> Iterator[Sample]:
    for size, count, length, step in some(dtype, FRAMES):
        for outer in ((), (2,), (2, 1, 3)):
            smooth = count > 0 and length > 0 and size < 20 and len(outer) < 2
            yield Sample([numbers(dtype, (*outer, count, length))], {"step": step, "size": size}, smooth)


RECIPES |= {
    "fft": transforms,
    "ifft": transforms,
    "rfft": transforms,
    "irfft": halves,
    "frame": frames,
    "overlap_and_add": overlaps,
}


def of_greatest(inputs, attrs, expected):
    """Each element of a transform is a sum over all points."""
    return np.full(expected.shape, np.abs(expected[np.isfinite(expected)]).max(initial=0))


def of_frames(inputs, attrs, expected):
    return TABLE["overlap_and_add"].reference(np.abs(inputs[0]), **attrs)


MAGNITUDES |= dict.fromkeys(("fft", "ifft", "rfft", "irfft"), of_greatest)
MAGNITUDES["overlap_and_add"] = of_frames
