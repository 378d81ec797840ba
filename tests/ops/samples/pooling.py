"""Samples for pooling."""

from collections.abc import Iterator

from nbflow.dtypes import DType, float32
from nbflow.ops.table import TABLE
from tests.ops.samples.common import *

POOLS = [  # shape, window, strides, padding, dilations
    ((2, 4, 5, 2), (2, 3), (1, 2), "SAME", (1, 1)),
    ((1, 5, 4, 3), (2, 2), (2, 2), "VALID", (1, 1)),
    ((1, 5, 6, 1), (3, 2), (2, 1), ((1, 2), (0, 1)), (1, 1)),
    ((2, 6, 2), (2,), (1,), "VALID", (3,)),
    ((1, 3, 3, 4, 1), (2, 1, 3), (1, 1, 2), "SAME", (1, 1, 1)),
    ((1, 8, 8, 2), (7, 6), (1, 2), "SAME", (1, 1)),
    ((0, 4, 4, 2), (2, 2), (2, 2), "VALID", (1, 1)),
    ((1, 2, 3, 1), (3, 1), (1, 1), "VALID", (1, 1)),
]


def pools(dtype: DType) -> Iterator[tuple]:
    """(shape, attrs, whether differences are taken)."""
    for shape, window, strides, padding, dilations in POOLS if dtype is float32 else POOLS[:5]:
        if dtype.is_floating or len(window) == 2:
            attrs = {"window": window, "strides": strides, "padding": padding, "dilations": dilations}
            yield shape, attrs, 0 < np.prod(shape) < 100 and shape != (1, 2, 3, 1)


def maxima(dtype: DType) -> Iterator[Sample]:
    for shape, attrs, smooth in pools(dtype):
        yield Sample([distinct(dtype, shape)], attrs, smooth)


def means(dtype: DType) -> Iterator[Sample]:
    for shape, attrs, smooth in pools(dtype):
        for total in (False, True):
            yield Sample([numbers(dtype, shape)], {"total": total, **attrs}, smooth)


def spread(dtype: DType) -> Iterator[Sample]:
    for shape, attrs, smooth in pools(dtype):
        result = TABLE["max_pool"].reference(np.zeros(shape), **attrs).shape
        for total in (False, True):
            yield Sample([numbers(dtype, result)], {"size": shape[1:], "total": total, **attrs}, smooth)


def _argmax(shape: tuple, attrs: dict) -> np.ndarray:
    return TABLE["max_pool_argmax"].reference(distinct(float32, shape), **attrs)


def unpools(dtype: DType) -> Iterator[Sample]:
    for shape, attrs, smooth in pools(dtype):
        argmax = _argmax(shape, attrs)
        yield Sample([numbers(dtype, argmax.shape), argmax], {"size": shape[1:], **attrs}, smooth)


def picks(dtype: DType) -> Iterator[Sample]:
    for shape, attrs, smooth in pools(dtype):
        yield Sample([numbers(dtype, shape), _argmax(shape, attrs)], attrs, smooth)


def ties(back: bool):
    def samples(dtype: DType) -> Iterator[Sample]:
        for shape, attrs, smooth in pools(dtype):
            x = np.round(numbers(dtype, shape))
            y = TABLE["max_pool"].reference(x, **attrs)
            yield Sample([numbers(dtype, y.shape if back else shape, 1), x, y], attrs, smooth)

    return samples


def besides(dtype: DType) -> Iterator[Sample]:
    for one, two in (((2, 3), (4,)), ((), (2, 1, 3, 2, 2)), ((0, 3), ())):
        yield Sample([numbers(dtype, one), numbers(dtype, two, 1)], smooth=True)


RECIPES |= {
    "beside": besides,
    "max_pool": maxima,
    "max_pool_argmax": maxima,
    "avg_pool": means,
    "avg_pool_gradient": spread,
    "max_unpool": unpools,
    "max_pick": picks,
    "max_ties": ties(True),
    "max_tie_sum": ties(False),
}


def of_magnitudes(name: str):
    def magnitude(inputs, attrs, expected):
        return TABLE[name].reference(np.abs(inputs[0]), *inputs[1:], **attrs)

    return magnitude


SUMS = ("avg_pool", "avg_pool_gradient", "max_unpool", "max_ties", "max_tie_sum")
MAGNITUDES |= {name: of_magnitudes(name) for name in SUMS}
