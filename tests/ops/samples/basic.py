"""Samples for the ops of the first table: arithmetic, reductions, arrays, losses, random numbers."""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from nbflow.dtypes import ALL, INTEGER, DType, bool_, float32, float64, int32, int64
from tests.ops.samples.common import *


def apart(x, y):
    """Arguments of which one is clearly greater, now this one, now that."""
    gap = np.where(np.arange(x.size).reshape(x.shape) % 2, 7.0, -7.0).astype(x.dtype)
    return x + gap, y


def off_the_grid(x, y):
    """A quotient x / y away from whole numbers."""
    y = np.sign(y) * 2 + y / 8
    return np.broadcast_to(np.round(x) + 0.4, x.shape) * 2.0, np.round(y)


def positive_base(x, y):
    return np.abs(x) + 0.5, y


def powers(dtype: DType) -> Iterator[Sample]:
    if dtype.is_floating:
        yield from binary(positive_base)(dtype)
        for exponent in (0.0, 0.5, 1.0, 2.0, 3.0, -1.0):
            yield Sample([numbers(dtype, (2, 3), low=0.3), np.asarray(exponent, dtype.np)])
        return
    for one, two in some(dtype, PAIRS):
        y = numbers(dtype, two, 2)
        yield Sample([numbers(dtype, one, 1), y if dtype.is_complex else np.abs(y)], smooth=dtype.is_complex)
    yield Sample([extremes(dtype), np.asarray(3, dtype.np)])


def logical(dtype: DType) -> Iterator[Sample]:
    return binary()(dtype)


def select(dtype: DType) -> Iterator[Sample]:
    shapes = [
        ((2, 3), (2, 3), (2, 3)),
        ((), (2, 3), (2, 3)),
        ((2, 1), (3,), ()),
        ((0, 1), (3,), (1, 1)),
        ((67,), (67,), (67,)),
        ((2, 1, 1, 2, 1), (1, 3, 1, 1, 2), (1,)),
    ]
    for one, two, three in some(dtype, shapes):
        inputs = [numbers(bool_, one), numbers(dtype, two, 1), numbers(dtype, three, 2)]
        yield Sample(inputs, smooth=0 not in one)
    values = extremes(dtype)
    yield Sample([np.arange(values.size) % 2 == 0, values, values[::-1].copy()])


def casts(dtype: DType) -> Iterator[Sample]:
    for target in ALL:
        for shape in ((2, 3), (0,)):
            high = 3 if not target.is_unsigned else 9
            yield Sample(
                [numbers(dtype, shape, low=-3 if not target.is_unsigned else 0, high=high)],
                {"dtype": target},
            )
        if not (dtype.is_floating and target.is_integer):  # test_golden has what TensorFlow gives there
            yield Sample([extremes(dtype)], {"dtype": target})


# --- reductions -------------------------------------------------------------------------------------------------------

REDUCED = [  # shape, axis
    ((2, 3), (0, 1)),
    ((2, 3), (0,)),
    ((2, 3), (1,)),
    ((2, 3), ()),
    ((), ()),
    ((1, 3), (0,)),
    ((0, 3), (0,)),
    ((3, 0), (0,)),
    ((3, 0), (0, 1)),
    ((2, 3, 4), (1,)),
    ((2, 3, 4), (0, 2)),
    ((2, 3, 2, 2, 3), (0, 2, 4)),
    ((2, 3, 2, 2, 3), (1, 3)),
    ((70, 5), (0,)),
]


def reduction(values: Callable = numbers, large: bool = True) -> Callable:
    def samples(dtype: DType) -> Iterator[Sample]:
        for shape, axis in some(dtype, REDUCED, 3):
            for keepdims in (False, True):
                smooth = dtype.is_differentiable and 0 not in shape and 0 < len(shape) < 4
                yield Sample([values(dtype, shape)], {"axis": axis, "keepdims": keepdims}, smooth)
        if large and dtype.is_floating:  # more than one block, and more than one piece
            yield Sample([numbers(dtype, (3, 5001))], {"axis": (1,), "keepdims": False})
            yield Sample([numbers(dtype, (300, 230))], {"axis": (0, 1), "keepdims": False})
        for extreme in extremes(dtype):
            x = numbers(dtype, (5, 2), 3)
            x[3, 0] = extreme
            yield Sample([x], {"axis": (0,), "keepdims": False})

    return samples


def one_axis(**attrs) -> Callable:
    """Samples for ops with an attribute `axis`, one of the axes, not empty."""

    def samples(dtype: DType) -> Iterator[Sample]:
        cases = [((2, 3), 0), ((2, 3), 1), ((5,), 0), ((2, 3, 4), 1), ((0, 3), 1), ((2, 1, 3, 2, 2), 2)]
        for shape, axis in some(dtype, cases):
            x = numbers(dtype, shape)
            yield Sample([x], {"axis": axis, **attrs}, smooth=0 not in shape and len(shape) < 4)
        if dtype.is_floating:
            yield Sample([numbers(dtype, (70_001,))], {"axis": 0, **attrs})  # reduced in pieces
            for value in (1e4, np.inf, -np.inf, np.nan):
                x = numbers(dtype, (3, 4), 1)
                x[1, 2] = value
                yield Sample([x], {"axis": 1, **attrs})

    return samples


def positions(dtype: DType) -> Iterator[Sample]:
    for output_type in (int32, int64):
        yield from one_axis(output_type=output_type)(dtype)
    yield Sample([np.ones((4, 3), dtype.np)], {"axis": 0, "output_type": int64})  # ties: the first
    yield Sample([extremes(dtype)], {"axis": 0, "output_type": int64})


def logits(dtype: DType) -> Iterator[Sample]:
    for sample in one_axis()(dtype):
        if np.isfinite(sample.inputs[0]).all():
            yield sample


def counts(dtype: DType) -> Iterator[Sample]:
    for shape, axis in REDUCED:
        yield Sample([numbers(dtype, shape)], {"axis": axis})


# --- arrays -----------------------------------------------------------------------------------------------------------


def alike(dtype: DType) -> Iterator[Sample]:
    """Inputs for ops that only pass elements on."""
    for shape in some(dtype, SHAPES):
        yield Sample([numbers(dtype, shape)], smooth=shape == (2, 3))
    yield Sample([extremes(dtype)])


def with_attrs(*cases: tuple) -> Callable:
    """Samples of (shape of the input, attrs)."""

    def samples(dtype: DType) -> Iterator[Sample]:
        for shape, attrs in cases:
            yield Sample([numbers(dtype, shape)], attrs, smooth=0 not in shape)

    return samples


RESHAPES = [
    ((2, 3), (3, 2)),
    ((2, 3), (6,)),
    ((6,), (1, 2, 1, 3, 1)),
    ((), (1, 1)),
    ((1,), ()),
    ((0, 3), (5, 0)),
    ((2, 3, 4), (6, 4)),
    ((2, 3, 4), (4, 3, 2)),
]
PERMUTATIONS = [
    ((), ()),
    ((3,), (0,)),
    ((2, 3), (1, 0)),
    ((2, 0, 3), (2, 0, 1)),
    ((2, 3, 4), (1, 2, 0)),
    ((2, 3, 2, 2, 3), (4, 1, 3, 0, 2)),
]
STRETCHES = [
    ((3,), (2, 3)),
    ((2, 1), (2, 3)),
    ((), (2, 2)),
    ((1, 1), (0, 3)),
    ((2, 3), (2, 3)),
    ((3, 1), (2, 3, 2)),
]
PARTS = [  # shape, begin, step, size
    ((5,), (1,), (1,), (3,)),
    ((5,), (4,), (-1,), (5,)),
    ((5,), (4,), (-2,), (3,)),
    ((5,), (2,), (1,), (0,)),
    ((4, 5), (3, 1), (-2, 2), (2, 2)),
    ((2, 3, 4), (0, 2, 1), (1, -1, 2), (2, 3, 2)),
    ((), (), (), ()),
    ((0, 3), (0, 1), (1, 1), (0, 2)),
]


def slices(dtype: DType) -> Iterator[Sample]:
    for shape, begin, step, size in PARTS:
        yield Sample([numbers(dtype, shape)], {"begin": begin, "step": step, "shape": size}, smooth=0 not in size)


def updates(dtype: DType) -> Iterator[Sample]:
    for shape, begin, step, size in PARTS:
        inputs = [numbers(dtype, shape), numbers(dtype, size, 1)]
        yield Sample(inputs, {"begin": begin, "step": step}, smooth=0 not in size)


def joins(dtype: DType) -> Iterator[Sample]:
    cases = [
        ([(2, 3), (1, 3)], 0),
        ([(2, 3), (2, 1), (2, 2)], 1),
        ([(0, 3), (2, 3)], 0),
        ([(4,)], 0),
        ([(2, 1, 3, 2, 2), (2, 4, 3, 2, 2)], 1),
    ]
    for shapes, axis in cases:
        inputs = [numbers(dtype, shape, k) for k, shape in enumerate(shapes)]
        yield Sample(inputs, {"axis": axis}, smooth=len(shapes[0]) == 2)


def one_hots(dtype: DType) -> Iterator[Sample]:
    on, off = np.asarray(1, dtype.np), np.asarray(0, dtype.np)
    for shape, axis in some(dtype, [((3,), 1), ((2, 3), 1), ((), 0), ((3,), 0), ((0,), 1)]):
        for index_type in INTEGER if dtype in EVERY_SHAPE else (int32,):
            indices = numbers(index_type, shape, low=-1, high=4)
            yield Sample([indices, on, off], {"depth": 3, "axis": axis})
    yield Sample([np.array([1, 0], np.int32), off, on], {"depth": 0, "axis": 1})


def ranges(dtype: DType) -> Iterator[Sample]:
    for start, delta, size in [(0, 1, 5), (7, 3, 4), (2, 0.5, 3), (5, 1, 0)]:
        if dtype.is_floating or delta == int(delta):
            yield Sample([np.asarray(start, dtype.np), np.asarray(delta, dtype.np)], {"size": size})


def matrices(dtype: DType) -> Iterator[Sample]:
    cases = [
        ((2, 3), (3, 4)),
        ((1, 1), (1, 1)),
        ((17, 33), (33, 9)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
        ((1, 5), (5, 1)),
    ]
    for (a, b), ta, tb in product(cases, (False, True), (False, True)):
        x = numbers(dtype, a[::-1] if ta else a, 1)
        y = numbers(dtype, b[::-1] if tb else b, 2)
        yield Sample([x, y], {"transpose_a": ta, "transpose_b": tb}, smooth=a == (2, 3))
    stacks = [
        ((2, 2, 3), (2, 3, 2)),
        ((4, 2, 3), (3, 2)),
        ((2, 3), (4, 3, 2)),
        ((2, 1, 2, 3), (3, 3, 2)),
        ((0, 2, 3), (3, 2)),
    ]
    for (a, b), ta in product(stacks, (False, True)):
        x = numbers(dtype, (*a[:-2], a[-1], a[-2]) if ta else a, 1)
        yield Sample([x, numbers(dtype, b, 2)], {"transpose_a": ta, "transpose_b": False}, smooth=0 not in a)


# --- losses -----------------------------------------------------------------------------------------------------------


LOGITS = [(2, 3), (4,), (0, 3), (2, 1), (2, 1, 3, 2, 2)]


def softmax_losses(dtype: DType) -> Iterator[Sample]:
    for shape in some(dtype, LOGITS):
        labels = numbers(dtype, shape, 1, low=0, high=1)
        labels /= labels.sum(-1, keepdims=True)  # the gradient for the logits holds for probabilities
        yield Sample([labels, numbers(dtype, shape, 2)], smooth=len(shape) == 2 and 0 not in shape)
    yield Sample([numbers(dtype, (3, 4), 1, low=0, high=1), numbers(dtype, (3, 4), 2) * np.asarray(300, dtype.np)])


def labelled(dtype: DType) -> Iterator[Sample]:
    for shape in some(dtype, LOGITS):
        for label_type in (np.int32, np.int64):
            labels = np.asarray(np.arange(np.prod(shape[:-1])).reshape(shape[:-1]) % shape[-1], label_type)
            yield Sample([labels, numbers(dtype, shape, 2)], smooth=len(shape) == 2 and 0 not in shape)


def sigmoid_losses(dtype: DType) -> Iterator[Sample]:
    for one, two in some(dtype, PAIRS):
        if one == two:
            yield Sample([numbers(dtype, one, 1, low=0, high=1), numbers(dtype, two, 2)], smooth=one == (2, 3))
    yield Sample([numbers(dtype, (8,), 1, low=0, high=1), np.array([-900, -90, -9, -0.0, 0, 9, 90, 900], dtype.np)])


def weighted_losses(dtype: DType) -> Iterator[Sample]:
    for sample in sigmoid_losses(dtype):
        yield Sample([*sample.inputs, np.asarray(2.5, dtype.np)], smooth=sample.smooth)
    labels, x = numbers(dtype, (2, 3), 1, low=0, high=1), numbers(dtype, (2, 3), 2)
    yield Sample([labels, x, numbers(dtype, (3,), 3, low=0.5)], smooth=True)


# --- random numbers ---------------------------------------------------------------------------------------------------

WORDS = [np.array(words, np.int64) for words in ([0, 0, 0], [5, 7, 87654321], [-2, -1, -3])]


def words_of(**attrs) -> Callable:
    def samples(dtype: DType) -> Iterator[Sample]:
        for words in WORDS:
            yield Sample([words], attrs)

    return samples


def distribution(*dtypes: DType) -> Callable:
    def samples(dtype: DType) -> Iterator[Sample]:
        for words, shape, result in product(WORDS, [(5,), (), (0, 2), (3, 67)], dtypes):
            yield Sample([words], {"shape": shape, "dtype": result})

    return samples


def random_integers(dtype: DType) -> Iterator[Sample]:
    for words, shape, checked in product(WORDS, [(5,), (), (0, 2), (3, 67)], (True, False)):
        ends = np.asarray(-3, dtype.np), np.asarray(int(dtype.max) // 2, dtype.np)
        yield Sample([words, *ends], {"shape": shape, "dtype": dtype, "checked": checked})


RECIPES |= {
    **dict.fromkeys(("add", "subtract", "multiply", "squared_difference"), binary()),
    **dict.fromkeys(("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"), binary()),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), logical),
    **dict.fromkeys(("conj", "real", "imag"), unary()),
    "complex": binary(),
    **dict.fromkeys(("maximum", "minimum"), binary(apart)),
    "divide": binary(lambda x, y: (x, np.where(y < 0, y - 0.5, y + 0.5))),
    **dict.fromkeys(("floor_div", "truncate_div", "floor_mod"), binary(off_the_grid, divisor=True)),
    "pow": powers,
    **dict.fromkeys(
        ("negative", "square", "exp", "expm1", "tanh", "sigmoid", "softplus", "sin", "cos", "erf"), unary()
    ),
    **dict.fromkeys(("abs", "sign", "reciprocal", "relu", "floor", "ceil", "round", "logical_not"), unary()),
    **dict.fromkeys(("sqrt", "rsqrt", "log"), unary(0.3, 4)),
    "log1p": unary(-0.8, 3),
    **dict.fromkeys(("is_nan", "is_finite", "is_inf"), unary()),
    "select": select,
    "cast": casts,
    **dict.fromkeys(("identity", "stop_gradient", "zeros_like", "ones_like", "shape_int32", "shape_int64"), alike),
    "l2_loss": alike,
    "fill_like": with_attrs(((2, 3), {"shape": (3, 2), "value": 1}), ((), {"shape": (0,), "value": 0})),
    "reshape": with_attrs(*((old, {"shape": new}) for old, new in RESHAPES)),
    "transpose": with_attrs(*((shape, {"perm": perm}) for shape, perm in PERMUTATIONS)),
    "broadcast_to": with_attrs(*((old, {"shape": new}) for old, new in STRETCHES)),
    "sum_to": with_attrs(*((new, {"shape": old}) for old, new in STRETCHES)),
    "strided_slice": slices,
    "slice_update": updates,
    "concat": joins,
    "one_hot": one_hots,
    "range": ranges,
    "matmul": matrices,
    **dict.fromkeys(("softmax", "log_softmax"), logits),
    "softmax_cross_entropy_with_logits": softmax_losses,
    **dict.fromkeys(("softmax_minus_one_hot", "sparse_softmax_cross_entropy_with_logits"), labelled),
    "sigmoid_cross_entropy_with_logits": sigmoid_losses,
    "weighted_cross_entropy_with_logits": weighted_losses,
    **dict.fromkeys(("reduce_sum", "reduce_mean"), reduction()),
    **dict.fromkeys(("reduce_max", "reduce_min"), reduction(distinct)),
    **dict.fromkeys(("reduce_any", "reduce_all"), reduction(large=False)),
    "reduce_prod": reduction(large=False),
    "count": counts,
    **dict.fromkeys(("argmax", "argmin"), positions),
    "philox_skip": words_of(blocks=3),
    "permutation": words_of(size=100),
    "stateless_words": lambda dtype: [Sample([words[1:]]) for words in WORDS],
    **dict.fromkeys(("random_normal", "random_truncated_normal", "random_uniform"), distribution(float32, float64)),
    "random_full_int": distribution(int32, int64),
    "random_uniform_int": random_integers,
}


def of_magnitudes(name: str) -> Callable:
    """The same op of the magnitudes: what is added up."""

    def magnitude(inputs, attrs, expected):
        return TABLE[name].reference(*(np.abs(x) if x.dtype.kind in "fc" else x for x in inputs), **attrs)

    return magnitude


def of_exponents(inputs, attrs, expected):
    """exp makes the error of its argument relative."""
    x = inputs[1] if len(inputs) > 1 else inputs[0]
    return (np.abs(expected) + 1) * (1 + np.abs(x[np.isfinite(x)]).max(initial=1))


def of_softmax(inputs, attrs, expected):
    (x,) = inputs
    return np.abs(expected) * (1 + np.abs(x[np.isfinite(x)]).max(initial=1))


MAGNITUDES |= {name: of_magnitudes(name) for name in ("reduce_sum", "reduce_mean", "sum_to", "scatter_add", "matmul")}
MAGNITUDES["reduce_prod"] = lambda inputs, attrs, y: np.abs(y) * max(1, inputs[0].size // max(1, y.size))
MAGNITUDES |= {name: of_exponents for name in RECIPES if "cross_entropy" in name}
MAGNITUDES |= {"log_softmax": of_exponents, "softmax_minus_one_hot": of_exponents, "softmax": of_softmax}
