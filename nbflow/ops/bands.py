"""Banded matrices along an image's axis: what resizing, blurring and finite differences are, an axis at a time.

Each row of a table makes one element of the result from a few elements of the source: row i has the indices and weights
[start[i], start[i + 1]). Positions and weights are computed in float32 exactly as TensorFlow's kernels compute them,
so that the same pixels are taken; they follow from the two sizes alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

F = np.float32
TINY = F(1000) * np.finfo(F).tiny  # sums of weights below this are not normalised


@dataclass(frozen=True)
class Band:
    """A banded matrix of so many rows and columns.

    Attributes:
        start: int64[rows + 1], where the entries of each row begin.
        index: int64, the column of each entry.
        weight: float64, the value of each entry.
    """

    rows: int
    columns: int
    start: np.ndarray
    index: np.ndarray
    weight: np.ndarray

    def transposed(self) -> "Band":
        """The transposed matrix, which takes gradients back."""
        row = np.repeat(np.arange(self.rows), np.diff(self.start))
        order = np.argsort(self.index, kind="stable")
        count = np.bincount(self.index, minlength=self.columns)
        return Band(self.columns, self.rows, np.append(0, np.cumsum(count)), row[order], self.weight[order])

    def dense(self) -> np.ndarray:
        """The matrix in full."""
        matrix = np.zeros((self.rows, self.columns))
        np.add.at(matrix, (np.repeat(np.arange(self.rows), np.diff(self.start)), self.index), self.weight)
        return matrix


def _band(columns: int, index: np.ndarray, weight: np.ndarray, valid=True) -> Band:
    """A Band from arrays of one row for each of its rows, of which the valid entries count."""
    valid = np.broadcast_to(valid, index.shape)
    start = np.append(0, np.cumsum(valid.sum(axis=1)))
    return Band(len(index), columns, start, index[valid].astype(np.int64), weight[valid].astype(np.float64))


def _centers(source: int, size: int) -> np.ndarray:
    """Where the centres of the new pixels lie in the old, counted from the centre of the first."""
    scale = F(source) / F(size)
    return (np.arange(size, dtype=F) + F(0.5)) * scale - F(0.5)


# --- TensorFlow's resizing kernels ------------------------------------------------------------------------------------


def _nearest(source: int, size: int) -> Band:
    scale = F(source) / F(size)
    at = np.floor((np.arange(size, dtype=F) + F(0.5)) * scale).astype(np.int64)
    at = np.clip(at, 0, source - 1)
    return _band(source, at[:, None], np.ones((size, 1)))


def _bilinear(source: int, size: int) -> Band:
    at = _centers(source, size)
    floor = np.floor(at)
    fraction = at - floor
    index = np.stack([np.maximum(floor, 0), np.minimum(np.ceil(at), source - 1)], axis=1)
    return _band(source, index, np.stack([F(1) - fraction, fraction], axis=1))


CUBIC_STEPS = 1024  # TensorFlow looks the cubic's weights up at these many fractions of a pixel


def _bicubic(source: int, size: int) -> Band:
    a = F(-0.5)
    x = np.arange(CUBIC_STEPS + 1, dtype=F) / F(CUBIC_STEPS)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    x = x + F(1)
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    at = _centers(source, size)
    floor = np.floor(at)
    step = np.rint((at - floor) * F(CUBIC_STEPS)).astype(np.int64)
    rest = CUBIC_STEPS - step
    index = floor[:, None].astype(np.int64) + np.arange(-1, 3)
    inside = (index >= 0) & (index < source)
    weight = np.where(inside, np.stack([far[step], near[step], near[rest], far[rest]], axis=1), F(0))
    return _band(source, np.clip(index, 0, source - 1), _normalised(weight, weight), inside)


def _normalised(weight: np.ndarray, otherwise) -> np.ndarray:
    """Rows of weights divided by their sums, unless those vanish."""
    total = np.zeros(len(weight), F)
    for column in weight.T:  # in order, as TensorFlow adds them up
        total = total + column
    some = np.abs(total) >= TINY
    return np.where(some[:, None], weight * (F(1) / np.where(some, total, F(1)))[:, None], otherwise)


def _area(source: int, size: int) -> Band:
    scale = F(source) / F(size)
    begin = np.arange(size, dtype=F) * scale
    end = (np.arange(size, dtype=F) + F(1)) * scale
    first, last = np.floor(begin).astype(np.int64), np.ceil(end).astype(np.int64)
    index = first[:, None] + np.arange(max(1, int((last - first).max(initial=1))))
    left, right = index.astype(F), (index + 1).astype(F)
    beyond = right > end[:, None]
    weight = np.where(
        left < begin[:, None],
        np.where(beyond, scale, right - begin[:, None]),
        np.where(beyond, end[:, None] - left, F(1)),
    )
    share = weight.astype(np.float64) * (1 / np.float64(scale))
    return _band(source, np.clip(index, 0, source - 1), share, index < last[:, None])


@dataclass(frozen=True)
class Kernel:
    """A window over distances x ≥ 0 from a pixel, 0 from `radius` on."""

    radius: float
    value: Callable[[np.ndarray], np.ndarray]


def _lanczos(radius: float) -> Kernel:
    pi, r = F(3.14159265359), F(radius)

    def value(x):
        near = x <= F(1e-3)
        x = np.where(near, F(1), x)
        sinc = r * np.sin(pi * x) * np.sin(pi * x / r) / (pi * pi * x * x)
        return np.where(near, F(1), np.where(x > r, F(0), sinc))

    return Kernel(radius, value)


def _gaussian(x):
    sigma = F(0.5)
    return np.where(x >= F(1.5), F(0), np.exp(-x * x / (F(2) * sigma * sigma)))


def _keys_cubic(x):
    outer = ((F(-0.5) * x + F(2.5)) * x - F(4)) * x + F(2)
    inner = ((F(1.5) * x - F(2.5)) * x) * x + F(1)
    return np.where(x >= 2, F(0), np.where(x >= 1, outer, inner))


def _mitchell_cubic(x):
    outer = (((F(-7) / F(18)) * x + F(2)) * x - F(10) / F(3)) * x + F(16) / F(9)
    inner = (((F(7) / F(6)) * x - F(2)) * x) * x + F(8) / F(9)
    return np.where(x >= 2, F(0), np.where(x >= 1, outer, inner))


KERNELS = {
    "triangle": Kernel(1, lambda x: np.maximum(F(0), F(1) - x)),
    "keyscubic": Kernel(2, _keys_cubic),
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
    "gaussian": Kernel(1.5, _gaussian),
    "mitchellcubic": Kernel(2, _mitchell_cubic),
}


def _windowed(source: int, size: int, kernel: str, antialias: bool) -> Band:
    """A window around each new pixel; antialias widens it to at least the distance of the new pixels."""
    radius, value = F(KERNELS[kernel].radius), KERNELS[kernel].value
    step = F(1) / (F(size) / F(source))
    wide = max(step, F(1)) if antialias else F(1)
    at = (np.arange(size, dtype=F) + F(0.5)) * step
    sampled = (at >= 0) & (at <= source)
    first = np.clip(np.ceil(at - radius * wide - F(0.5)).astype(np.int64), 0, source - 1)
    last = np.clip(np.floor(at + radius * wide - F(0.5)).astype(np.int64), 0, source - 1) + 1
    index = first[:, None] + np.arange(max(1, int((last - first).max(initial=1))))
    inside = (index < last[:, None]) & sampled[:, None]
    distance = np.abs((index.astype(F) + F(0.5) - at[:, None]) * (F(1) / wide))
    weight = np.where(inside, value(distance), F(0))
    return _band(source, np.clip(index, 0, source - 1), _normalised(weight, F(0)), inside)


# --- filters ----------------------------------------------------------------------------------------------------------


def _filter(source: int, size: int, *weights: float) -> Band:
    """The same few weights at each place, within the source only."""
    index = np.arange(size)[:, None] + np.arange(len(weights))
    return _band(source, index, np.broadcast_to(np.asarray(weights), index.shape))


def _mirrored(source: int, size: int, *weights: float) -> Band:
    """Three weights around each pixel; beyond the edge the image goes on as in a mirror at the centre of its pixels."""
    index = np.abs(np.arange(size)[:, None] + np.arange(-1, 2))
    index = np.where(index >= source, 2 * (source - 1) - index, index)
    return _band(source, index, np.broadcast_to(np.asarray(weights), index.shape))


def _halved(source: int, size: int) -> Band:
    """Means of two neighbours; a source of odd size has its last element twice."""
    index = np.minimum(2 * np.arange(size)[:, None] + np.arange(2), source - 1)
    return _band(source, index, np.full(index.shape, 0.5))


MAKERS: dict[str, Callable[..., Band]] = {
    "nearest": _nearest,
    "bilinear": _bilinear,
    "bicubic": _bicubic,
    "area": _area,
    "windowed": _windowed,
    "filter": _filter,
    "mirrored": _mirrored,
    "halved": _halved,
}


@lru_cache(maxsize=256)
def band(how: tuple, source: int, size: int, adjoint: bool = False) -> Band:
    """The matrix that makes an axis of a size from one of another.

    Args:
        how: a row of MAKERS and its further arguments.
        adjoint: the transposed one of that from size to source.
    """
    maker, *arguments = how
    if adjoint:
        return MAKERS[maker](size, source, *arguments).transposed()
    return MAKERS[maker](source, size, *arguments)
