"""What samples are made with, and the registry of recipes: one file of recipes for each family of ops."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import ml_dtypes
import numpy as np

from nbflow.dtypes import COMPLEX, HALF, DType, bool_, float32, int8, int16, uint16, uint32, uint64
from nbflow.ops.table import TABLE

# Kernels differ between dtypes in types alone and between shapes in loops alone, so that every shape is tried with one
# dtype and the first few shapes with the others.
EVERY_SHAPE = (float32, bool_)
# Those whose kernels are like others': each op is tried with one of each kind.
LESSER_KINDS = [HALF, COMPLEX, (int8, int16, uint16, uint32, uint64)]
LESSER = tuple(dtype for kind in LESSER_KINDS for dtype in kind)

SHAPES = [(2, 3), (), (0,), (3, 0), (1,), (67,), (2, 1, 3, 2, 2)]
PAIRS = [
    ((2, 3), (2, 3)),
    ((2, 1), (1, 3)),
    ((), ()),
    ((3,), (2, 3)),
    ((2, 3), ()),
    ((0, 3), (1, 3)),
    ((1,), (1, 1)),
    ((67,), (67,)),
    ((2, 1, 3, 1, 2), (1, 2, 1, 2, 1)),
]


@dataclass
class Sample:
    """One call of an op.

    Attributes:
        inputs: NumPy arrays.
        attrs: the op's attributes.
        smooth: whether the op is differentiable at these inputs, well away from kinks and ties.
    """

    inputs: list
    attrs: dict = field(default_factory=dict)
    smooth: bool = False


def numbers(dtype: DType, shape: tuple, seed: int = 0, low: float = -3, high: float = 3) -> np.ndarray:
    """Numbers in [low, high), the same for the same arguments; unsigned ones from 0, bools by chance."""
    rng = np.random.default_rng([seed, *shape])
    if dtype.is_bool:
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.is_floating:
        return np.asarray(rng.uniform(low, high, shape)).astype(dtype.np)
    if dtype.is_complex:
        return np.asarray(rng.uniform(low, high, shape) + 1j * rng.uniform(-2, 2, shape)).astype(dtype.np)
    scale = 3 if high == 3 else 1
    least = 0 if dtype.is_unsigned else low * scale
    return np.asarray(rng.integers(int(least), int(high * scale), shape, endpoint=True), dtype.np)


def extremes(dtype: DType) -> np.ndarray:
    """The values at which arithmetic is most likely to be wrong."""
    if dtype.is_bool:
        return np.array([True, False])
    if dtype.is_integer:
        least, most = int(dtype.min), int(dtype.max)
        return np.array([least, least + 1, most - 1, most, 0, 1, 2, 3], dtype.np)
    if dtype.is_complex:
        return np.array([1, -1, 1j, -2j, 3 - 4j, 0.5 + 0.25j, 1e-3j], dtype.np)
    info = ml_dtypes.finfo(dtype.np)
    positive = [
        0.0,
        info.smallest_subnormal,
        info.tiny,
        info.eps,
        0.3,
        1.0,
        1.5,
        2.0,
        2.5,
        20.0,
        1e5,
        info.max,
        np.inf,
    ]
    with np.errstate(over="ignore"):
        return np.array([np.nan, *positive, *(-v for v in positive)]).astype(dtype.np)


def nonzero(x: np.ndarray) -> np.ndarray:
    return np.where(x == 0, np.ones_like(x), x)


def distinct(dtype: DType, shape: tuple, seed: int = 0) -> np.ndarray:
    """Numbers no two of which are near each other, nor near 0."""
    count = int(np.prod(shape))
    order = np.random.default_rng([seed, count]).permutation(count)
    return np.asarray((order - count // 2 + 0.3).reshape(shape) / 2, dtype.np)


def some(dtype: DType, sequence: list, first: int = 2) -> list:
    """All of a sequence of shapes, or its first few."""
    return sequence if dtype in EVERY_SHAPE else sequence[:first]


RECIPES: dict[str, Callable] = {}  # op -> (dtype of its first floating or only input) -> its samples
# op -> (inputs in float64, attrs, expected) -> what its errors are relative to, where that is not the result itself
MAGNITUDES: dict[str, Callable] = {}


def samples(name: str, dtype: DType) -> list[Sample]:
    """All samples of an op for a dtype of its (first floating or only) inputs; for the lesser dtypes the first."""
    few = dtype in LESSER and not set(TABLE[name].dtypes) <= set(LESSER)
    return list(islice(RECIPES[name](dtype), 1 if few else None))


def cases(every: bool = False) -> Iterator[tuple[str, DType]]:
    """Every op of the table with the dtypes that it takes: of each lesser kind with one, in turn, unless `every`."""
    for number, (name, op) in enumerate((n, TABLE[n]) for n in TABLE if n in RECIPES):  # test_every_op_has_samples
        tried = [kind[number % len(kind)] for kind in LESSER_KINDS]
        for dtype in op.dtypes:
            if every or dtype not in LESSER or dtype in tried:
                yield name, dtype


# --- elementwise ops --------------------------------------------------------------------------------------------------


def unary(low: float = -3, high: float = 3) -> Callable:
    """Samples for an op of one argument whose gradient exists in (low, high)."""

    def samples(dtype: DType) -> Iterator[Sample]:
        for shape in some(dtype, SHAPES):
            yield Sample([numbers(dtype, shape, low=low, high=high)], smooth=shape in ((2, 3), ()))
        yield Sample([extremes(dtype)])

    return samples


def binary(smooth: Callable | None = None, divisor: bool = False, high: float = 3, low: float = -3) -> Callable:
    """Samples for an op of two arguments.

    Args:
        smooth: makes a pair of differentiable arguments out of two arrays of numbers; by default they are as they come.
        divisor: whether the second argument must not be 0 for integers.
    """

    def samples(dtype: DType) -> Iterator[Sample]:
        for one, two in some(dtype, PAIRS):
            x, y = numbers(dtype, one, 1, low, high), numbers(dtype, two, 2, low, high)
            if divisor:
                y = nonzero(y)
            yield Sample([x, y])
            if dtype.is_differentiable and (one, two) in PAIRS[:2]:
                yield Sample(list(smooth(x, y) if smooth else (x, y)), smooth=True)
        x, y = (a.reshape(-1) for a in np.meshgrid(extremes(dtype), extremes(dtype)))
        if divisor and dtype.is_integer:
            x, y = x[y != 0], y[y != 0]
        yield Sample([x, y])

    return samples
