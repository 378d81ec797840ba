"""Samples for convolution, its gradients, and patches."""

from collections.abc import Iterator

from nbflow.dtypes import DType, float64
from nbflow.ops.table import TABLE
from nbflow.tensor.tensor import to_tensor
from tests.ops.samples.common import *

GEOMETRIES = [  # shape of the input, of the filters, strides, padding, dilations
    ((2, 5, 4, 2), (3, 2, 2, 3), (1, 1), "SAME", (1, 1)),
    ((1, 6, 5, 2), (3, 3, 2, 1), (2, 2), "SAME", (1, 1)),
    ((1, 7, 5, 4), (2, 3, 2, 4), (2, 1), ((1, 0), (0, 2)), (2, 1)),
    ((2, 4, 3, 3), (2, 2, 1, 3), (1, 1), "VALID", (1, 1)),
    ((2, 4, 3, 3), (2, 2, 1, 6), (1, 2), "SAME", (1, 1)),
    ((2, 7, 2), (3, 2, 2), (3,), "SAME", (2,)),
    ((1, 3, 4, 3, 2), (2, 2, 1, 2, 2), (1, 2, 1), "SAME", (1, 1, 2)),
    ((2, 3, 2, 2), (1, 1, 2, 3), (1, 1), "VALID", (1, 1)),
    ((2, 4, 3, 2), (1, 1, 2, 3), (2, 3), "SAME", (1, 1)),
    ((2, 3, 3, 2), (2, 2, 2, 2), (1, 1), ((-1, 1), (0, -1)), (1, 1)),
    ((0, 3, 3, 2), (2, 2, 2, 2), (1, 1), "SAME", (1, 1)),
    ((1, 2, 2, 1), (3, 3, 1, 1), (1, 1), "VALID", (1, 1)),
]
LARGE = [  # more than one block of rows, and enough work for the team
    ((2, 40, 40, 8), (3, 3, 8, 8), (1, 1), "SAME", (1, 1)),
    ((2, 40, 40, 8), (3, 3, 1, 8), (1, 1), "SAME", (1, 1)),
]


def geometries(dtype: DType) -> Iterator[tuple]:
    """(shape of the input, of the filters, of the result, attrs)."""
    wanted = [*GEOMETRIES, *LARGE] if dtype in EVERY_SHAPE else GEOMETRIES[:1] + GEOMETRIES[3:4]
    if dtype is float64:
        wanted = GEOMETRIES[:7]
    for x, f, strides, padding, dilations in wanted:
        attrs = {"strides": strides, "padding": padding, "dilations": dilations}
        avals = [to_tensor(np.zeros(shape, np.float32))._aval for shape in (x, f)]
        yield x, f, TABLE["convolution"].infer(avals, attrs).shape, attrs


def is_smooth(*shapes: tuple) -> bool:
    return all(0 < np.prod(shape) < 200 for shape in shapes)


def convolutions(dtype: DType) -> Iterator[Sample]:
    for x, f, y, attrs in geometries(dtype):
        yield Sample([numbers(dtype, x, 1), numbers(dtype, f, 2)], attrs, is_smooth(x, f, y))


def input_gradients(dtype: DType) -> Iterator[Sample]:
    for x, f, y, attrs in geometries(dtype):
        inputs = [numbers(dtype, f, 1), numbers(dtype, y, 2)]
        yield Sample(inputs, {"size": x[1:], **attrs}, is_smooth(x, f, y))


def filter_gradients(dtype: DType) -> Iterator[Sample]:
    for x, f, y, attrs in geometries(dtype):
        inputs = [numbers(dtype, x, 1), numbers(dtype, y, 2)]
        yield Sample(inputs, {"size": f, **attrs}, is_smooth(x, f, y))


def patches(dtype: DType) -> Iterator[Sample]:
    for x, f, _, attrs in geometries(dtype):
        if np.prod(x) < 500:
            yield Sample([numbers(dtype, x, 1)], {"window": f[:-2], **attrs}, is_smooth(x))


def merges(dtype: DType) -> Iterator[Sample]:
    for x, f, y, attrs in geometries(dtype):
        if np.prod(x) < 500:
            shape = (*y[:-1], int(np.prod(f[:-2])) * x[-1])
            yield Sample([numbers(dtype, shape, 1)], {"size": x[1:], "window": f[:-2], **attrs}, is_smooth(x))


RECIPES |= {
    "convolution": convolutions,
    "convolution_input_gradient": input_gradients,
    "convolution_filter_gradient": filter_gradients,
    "extract_patches": patches,
    "merge_patches": merges,
}


def of_magnitudes(name: str):
    def magnitude(inputs, attrs, expected):
        return TABLE[name].reference(*map(np.abs, inputs), **attrs)

    return magnitude


MAGNITUDES |= {name: of_magnitudes(name) for name in RECIPES if name.startswith("convolution")}
MAGNITUDES["merge_patches"] = of_magnitudes("merge_patches")
