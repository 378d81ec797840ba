"""Samples for activations."""

from collections.abc import Iterator

from nbflow.dtypes import DType
from tests.ops.samples.common import *


def swishes(dtype: DType) -> Iterator[Sample]:
    for shape, beta in [((2, 3), ()), ((2, 3), (3,)), ((0, 2), ()), ((2, 1, 3, 2, 2), (3, 1, 1))]:
        yield Sample([numbers(dtype, shape), numbers(dtype, beta, 1, low=0.5)], smooth=shape == (2, 3))


def leaky(dtype: DType) -> Iterator[Sample]:
    for alpha in (0.2, 0.0, 1.5):
        yield Sample([distinct(dtype, (2, 3))], {"alpha": alpha}, smooth=True)
    for shape in some(dtype, SHAPES):
        yield Sample([numbers(dtype, shape)], {"alpha": 0.2})
    yield Sample([extremes(dtype)], {"alpha": 0.2})


def moderate(dtype: DType) -> Iterator[Sample]:
    """Numbers whose cube does not overflow, and beyond which nothing but the sign counts."""
    for shape in some(dtype, SHAPES):
        yield Sample([numbers(dtype, shape)], smooth=shape in ((2, 3), ()))
    yield Sample([np.array([-30, -5, -0.0, 0, 1e-30, 5, 30, np.inf, -np.inf, np.nan], dtype.np)])


def of_gelu(inputs, attrs, expected):
    """1 + erf(x) cancels far below 0."""
    return np.abs(inputs[0])


RECIPES |= {
    "gate": binary(lambda x, y: (x, np.where(y < 0, y - 1, y + 1))),
    **dict.fromkeys(("relu6", "elu", "selu", "softsign"), unary()),
    **dict.fromkeys(("gelu", "gelu_tanh"), moderate),
    "silu": swishes,
    **dict.fromkeys(("leaky_relu", "leaky_relu_slope"), leaky),
}
MAGNITUDES |= dict.fromkeys(("gelu", "gelu_tanh"), of_gelu)
