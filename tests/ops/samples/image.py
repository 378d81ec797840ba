"""Samples for the ops on images."""

from collections.abc import Iterator

import numpy as np

from nbflow.dtypes import DType, float32, float64
from tests.ops.samples.common import *

HOW = [  # how, size of the source, of the result
    (("bilinear",), 5, 3),
    (("bilinear",), 3, 8),
    (("bilinear",), 1, 4),
    (("bicubic",), 6, 4),
    (("bicubic",), 2, 7),
    (("area",), 5, 3),
    (("area",), 3, 5),
    (("windowed", "lanczos3", True), 9, 4),
    (("windowed", "gaussian", False), 4, 9),
    (("filter", 0.25, 0.5, 0.25), 5, 3),
    (("mirrored", -1.0, 0.0, 1.0), 4, 4),
    (("halved",), 5, 3),
    (("nearest",), 5, 3),
    (("nearest",), 3, 7),
]


def resamples(dtype: DType) -> Iterator[Sample]:
    full = dtype in (float32, float64)
    for k, (how, source, size) in enumerate(HOW if full else [HOW[0], HOW[-1]]):
        for adjoint in (False, True):
            first, second = (size, source) if adjoint else (source, size)
            result = dtype if full or how[0] == "nearest" else float32
            attrs = {"axis": 1, "how": how, "size": second, "adjoint": adjoint, "dtype": result}
            if not full and adjoint:
                continue
            yield Sample([numbers(dtype, (2, first, 3), k)], attrs, smooth=full)
    if dtype is float32:
        attrs = {"how": ("bilinear",), "size": 5, "adjoint": False, "dtype": dtype}
        yield Sample([numbers(dtype, (2, 3, 40))], {"axis": 1, **attrs})
        yield Sample([numbers(dtype, (3, 1, 2, 4, 2))], {"axis": 3, **attrs})
        yield Sample([numbers(dtype, (7,))], {"axis": 0, **attrs})
        yield Sample([numbers(dtype, (0, 3, 2))], {"axis": 1, **attrs})
        yield Sample([numbers(dtype, (2, 3, 0))], {"axis": 1, **attrs})


def colours(dtype: DType) -> Iterator[Sample]:
    """Pixels in [0, 1), no two of whose channels are near each other; then the cases where some are equal."""
    steps = np.array([[0.1, 0.5, 0.9], [0.9, 0.1, 0.5], [0.5, 0.9, 0.1], [0.2, 0.8, 0.3], [0.7, 0.2, 0.4]])
    for shape in some(dtype, [(5, 3), (2, 5, 3), (1, 2, 1, 5, 3), (0, 3)]):
        pixels = np.resize(steps, shape) + np.resize(np.linspace(0, 0.05, 7), shape)
        yield Sample([pixels.astype(dtype.np)], smooth=shape[0] > 0 and len(shape) < 4)
    yield Sample([np.array([0.3, 0.2, 0.6], dtype.np)])
    equal = np.array(
        [[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.1], [0.1, 0.5, 0.5], [0.5, 0.1, 0.5], [0, 0, 0.5], [0.5, 0, 0]]
    )
    yield Sample([equal.astype(dtype.np)])


def adjusted(*amounts: float):
    def samples(dtype: DType) -> Iterator[Sample]:
        for sample in colours(dtype):
            for amount in amounts:
                yield Sample([*sample.inputs, np.asarray(amount, dtype.np)])

    return samples


def against_pixel(inputs, attrs, expected):
    """What errors of colours are relative to: 1 for hues, the greatest channel otherwise."""
    return np.broadcast_to(1 + np.abs(inputs[0]).max(-1, keepdims=True, initial=0), expected.shape)


def against_sum(inputs, attrs, expected):
    magnitudes = np.abs(inputs[0]).max(initial=0)
    return np.full(expected.shape, 4 * magnitudes)


RECIPES |= {
    "resample": resamples,
    "rgb_to_hsv": colours,
    "hsv_to_rgb": colours,
    "adjust_hue": adjusted(0.0, 0.3, -0.7),
    "adjust_saturation": adjusted(0.0, 0.5, 3.0),
}
MAGNITUDES |= dict.fromkeys(["rgb_to_hsv", "hsv_to_rgb", "adjust_hue", "adjust_saturation"], against_pixel)
MAGNITUDES |= {"resample": against_sum}
