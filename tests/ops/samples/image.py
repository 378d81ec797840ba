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


def outlines(dtype: DType) -> Iterator[Sample]:
    boxes = np.array([[[0, 0, 1, 1], [0.3, 0.2, 0.8, 0.6]], [[-0.4, 0.3, 0.6, 1.7], [0.6, 0.1, 0.3, 0.9]]], dtype.np)
    colors = np.array([[0.5, 0.25, 1], [0.125, 0.75, 0.5], [1, 1, 1]], dtype.np)
    for shape in some(dtype, [(2, 8, 9, 3), (2, 5, 4, 1), (0, 3, 3, 3), (2, 1, 1, 1)]):
        yield Sample([numbers(dtype, shape), boxes[: shape[0]], colors])
    yield Sample([numbers(dtype, (2, 3, 3, 1)), boxes[:, :0], colors])


def crowds(dtype: DType) -> Iterator[Sample]:
    """Boxes that overlap in all degrees, with different scores and with equal ones."""
    rng = np.random.default_rng(3)
    for count in some(dtype, [20, 1, 0]):
        corners = rng.random((count, 2))
        boxes = np.concatenate([corners, corners + 0.1 + rng.random((count, 2)) / 2], axis=1).astype(dtype.np)
        for scores in (rng.permutation(count) / 32, np.full(count, 0.5)):
            for limits in ((5, 0.5, -1, 0), (40, 0.3, 0.2, 0), (40, 0.3, 0.05, 0.5)):
                rest = [np.asarray(limit, dtype.np) for limit in limits[1:]]
                inputs = [boxes, scores.astype(dtype.np), np.asarray(limits[0], np.int32), *rest]
                yield Sample(inputs, {"given_overlaps": False})
    overlaps = (rng.permutation(36).reshape(6, 6) / 36).astype(dtype.np)
    limits = [np.asarray(limit, dtype.np) for limit in (0.5, -1, 0)]
    inputs = [overlaps, (rng.permutation(6) / 8).astype(dtype.np), np.asarray(4, np.int32), *limits]
    yield Sample(inputs, {"given_overlaps": True})


def batches(dtype: DType) -> Iterator[Sample]:
    rng = np.random.default_rng(4)
    corners = rng.random((2, 12, 2))
    boxes = np.concatenate([corners, corners + 0.1 + rng.random((2, 12, 2)) / 2], axis=2).astype(dtype.np)
    scores = (rng.permutation(24).reshape(2, 12) / 24).astype(dtype.np)
    attrs = {"count": 6, "threshold": 0.4, "least": 0.1, "is_sorted": False, "canonical": False, "padded": True}
    yield Sample([boxes, scores], attrs)
    yield Sample([boxes[:1], np.sort(scores[:1])[:, ::-1].copy()], attrs | {"padded": False, "is_sorted": True})


def classes(dtype: DType) -> Iterator[Sample]:
    boxes, scores = next(batches(dtype)).inputs
    attrs = {"per_class": 3, "total": 5, "threshold": 0.4, "least": 0.1, "pad_per_class": False, "clip": True}
    yield Sample([boxes[:, :, None], np.stack([scores, scores[:, ::-1]], axis=2)], attrs)
    yield Sample([boxes[:, :6, None], scores[:, :6, None]], attrs | {"pad_per_class": True, "clip": False})


def random_boxes(dtype: DType) -> Iterator[Sample]:
    bits = np.random.default_rng(5).integers(-(2**31), 2**31, 104).astype(np.int32)
    boxes = np.array([[[0.1, 0.2, 0.9, 0.8]]], np.float32)
    attrs = {"aspect_ratios": (0.75, 1.33), "areas": (0.05, 1.0), "attempts": 10, "whole": True}
    for size, given in some(dtype, [([20, 30, 3], boxes), ([1, 1, 1], boxes), ([9, 5, 1], boxes[:, :0])]):
        yield Sample([np.array(size, dtype.np), given, bits, np.float32(0.3)], attrs)


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
    "draw_bounding_boxes": outlines,
    "non_max_suppression": crowds,
    "non_max_suppression_padded": batches,
    "combined_non_max_suppression": classes,
    "sample_distorted_bounding_box": random_boxes,
}
MAGNITUDES |= dict.fromkeys(["rgb_to_hsv", "hsv_to_rgb", "adjust_hue", "adjust_saturation"], against_pixel)
MAGNITUDES |= {"resample": against_sum}
