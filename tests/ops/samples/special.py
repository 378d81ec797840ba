"""Samples for trigonometric, special, guarded and bitwise functions."""

from collections.abc import Callable, Iterator

import numpy as np

from nbflow.dtypes import DType, as_dtype
from tests.ops.samples.common import *


def apart(x, y):
    return x, y + 7


def nonzero_pairs(x, y):
    if x.dtype.kind == "c":
        return x, y
    return np.sign(x) * (np.abs(x) + 0.3), np.abs(y) + 0.5


def special(low: float = -3, high: float = 3, extreme: bool = True) -> Callable:
    """Samples for a scalar function that takes long to compile: numbers in a row, a scalar, none."""

    def samples(dtype: DType) -> Iterator[Sample]:
        for shape in [(6,), (), (0,)]:
            yield Sample([numbers(dtype, shape, low=low, high=high)], smooth=shape != (0,))
        if extreme:
            yield Sample([extremes(dtype)])

    return samples


def rows(*cases: tuple, smooth: int) -> Callable:
    """Samples from lists of arguments; the first `smooth` of them for gradients, another with axes that broadcast."""

    def samples(dtype: DType) -> Iterator[Sample]:
        columns = [np.array(column, dtype.np) for column in zip(*cases, strict=True)]
        yield Sample([c[:smooth] for c in columns], smooth=True)
        yield Sample(columns)
        yield Sample([columns[0][:smooth, None], *(c[:2] for c in columns[1:])])
        yield Sample([c[:0] for c in columns])

    return samples


NAN, INF = np.nan, np.inf
POLYGAMMAS = [(1, 0.7), (2, 1.5), (3, 2.5), (0, 3.5), (1, -0.5), (2, 0), (1, 0), (1.5, 2), (-1, 2), (1, INF), (2, NAN)]
ZETAS = [(2, 0.7), (1.5, 2.5), (3.5, 1.2), (9, 4), (1, 2), (0.5, 2), (2, 0), (3, -1), (4, -0.5), (2.5, -0.5), (2, INF)]
GAMMAS = [(0.6, 0.4), (2.5, 1.5), (1.5, 3.5), (9, 6), (40, 45), (0, 1), (1, 0), (-1, 1), (1, -1), (2, INF), (NAN, 1)]
BETAS = [(0.6, 1.4, 0.3), (2.5, 3.5, 0.6), (9, 12, 0.4), (40, 3, 0.95), (1, 2, 0), (1, 2, 1), (0, 1, 0.5), (1, 1, 1.5)]

TARGETS = {1: ("uint8", "int8"), 2: ("int16", "uint8"), 4: ("int32", "uint16"), 8: ("uint64", "int32"), 16: ("int64",)}


def bitcasts(dtype: DType) -> Iterator[Sample]:
    for shape in [(2, 3), (), (0, 2)]:
        for target in TARGETS[dtype.size]:
            yield Sample([numbers(dtype, shape)], {"type": as_dtype(target)})
    if dtype.size < 8:
        wider = {1: "uint16", 2: "int32", 4: "int64"}[dtype.size]
        yield Sample([numbers(dtype, (3, 2))], {"type": as_dtype(wider)})


RECIPES |= {
    **dict.fromkeys(("sinh", "cosh", "atan", "asinh", "log_sigmoid", "angle"), unary()),
    "tan": unary(-1.2, 1.2),
    "acosh": unary(1.2, 5),
    **dict.fromkeys(("asin", "acos", "atanh"), unary(-0.9, 0.9)),
    "atan2": binary(nonzero_pairs),
    **dict.fromkeys(("divide_no_nan", "multiply_no_nan", "xlogy", "xlog1py", "xdivy"), binary(nonzero_pairs)),
    "rint": unary(),
    "truncate_mod": binary(divisor=True),
    "nextafter": binary(apart),
    "erfc": unary(),
    "erfinv": special(-0.9, 0.9),
    "ndtri": special(0.1, 0.9),
    "lgamma": special(0.3, 5),
    "digamma": special(0.3, 5),
    "polygamma": rows(*POLYGAMMAS, smooth=4),
    "zeta": rows(*ZETAS, smooth=4),
    **dict.fromkeys(("igamma", "igammac", "igamma_grad_a"), rows(*GAMMAS, smooth=4)),
    "betainc": rows(*BETAS, smooth=3),
    **dict.fromkeys(("bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e", "bessel_j0", "bessel_j1"), special(0.2, 9)),
    **dict.fromkeys(("bessel_k0", "bessel_k0e", "bessel_k1", "bessel_k1e"), special(0.3, 4)),
    **dict.fromkeys(("bessel_y0", "bessel_y1"), special(0.5, 9)),
    **dict.fromkeys(("dawsn", "fresnel_cos", "fresnel_sin"), special()),
    "expint": special(0.4, 4),
    "spence": special(0.2, 4),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"), binary()),
    "invert": unary(),
    "bitcast": bitcasts,
}
