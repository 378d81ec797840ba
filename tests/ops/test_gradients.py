"""Gradients of every differentiable op against finite differences, first and second order, eager and traced."""

from collections.abc import Container
from itertools import islice

import numpy as np
import pytest

import nbflow as nf
from nbflow.dtypes import DType, as_dtype, complex128, float64
from nbflow.ops.table import TABLE
from nbflow.tensor.tensor import apply, to_tensor
from tests.ops.samples import RECIPES, Sample, numbers, samples
from tests.ops.test_values import several

STEP = 1e-5
ELEMENTS = 40  # of an input, at most, that are moved
TOLERANCE = 2e-6  # of gradients of order one: the error of a central difference is about STEP² and eps / STEP


def smooth_samples(name: str, dtype: DType = float64) -> list[Sample]:
    """All samples of float64 at which an op is differentiable, or the first one of complex numbers."""
    if dtype not in TABLE[name].dtypes:
        return []
    smooth = (s for s in RECIPES[name](dtype) if s.smooth)
    return list(smooth if dtype is float64 else islice(smooth, 1))


def positions(name: str, sample: Sample) -> list[int]:
    """The inputs that gradients flow to."""
    inexact = [k for k, x in enumerate(sample.inputs) if x.dtype.kind in "fc"]
    return [k for k in inexact if k not in TABLE[name].blocked]


def differentiable(name: str) -> bool:
    """Whether gradients flow to any input, in the op's first sample."""
    op = TABLE[name]
    return op.vjp is not None and bool(positions(name, samples(name, op.dtypes[0])[0]))


# Those that differences of results do not show: a cast to float32 is all rounding, and has a test of its own below; the
# phases of eig's vectors are not those that its gradient assumes; random numbers are rejected one moment and taken the
# next, and the gradients of their distributions are compared with TensorFlow's in tests/random/test_parametric.py.
ELSEWHERE = {"cast", "ctc_gradient", "eig", "random_gamma", "random_bounded_normal"}
SAMPLED = [name for name in TABLE if name in RECIPES]  # test_values says which are missing
DIFFERENTIABLE = [name for name in SAMPLED if differentiable(name) and name not in ELSEWHERE]
# TensorFlow's gradients of these do not conjugate what complex numbers are multiplied by.
UNCONJUGATED = {"squared_difference", "multiply_no_nan", "xlogy", "xlog1py", "xdivy", "cumprod", "segment_prod", "silu"}
UNCONJUGATED |= {"unsorted_segment_prod", "matrix_determinant", "log_matrix_determinant", "matrix_square_root"}
UNCONJUGATED |= {"tridiagonal_solve", "reduce_euclidean_norm"}
# Vectors of complex matrices may be turned by any phase, which their gradients do not know.
PHASES = {"svd", "eigh"}
# The derivative of these by their order a has none of its own, as in TensorFlow; cholesky's is that of a symmetric
# matrix, of which the op reads the lower half.
# The gradient of softmax_cross_entropy_with_logits for logits takes labels as constants.
ONCE = {"igamma", "igammac", "cholesky", "ctc_loss", "softmax_cross_entropy_with_logits"}


def some_elements(x: np.ndarray) -> np.ndarray:
    """Positions in a flattened array at which gradients are compared: all, or some of very many."""
    return np.sort(np.random.default_rng(x.size).permutation(x.size)[:ELEMENTS])


def finite_differences(function, inputs: list[np.ndarray], k: int) -> np.ndarray:
    """The gradient of a scalar function of arrays for some elements of input k: of complex ones ∂ / ∂ x + i ∂ / ∂ y."""
    gradient = np.zeros(len(some_elements(inputs[k])), inputs[k].dtype)
    for number, element in enumerate(some_elements(inputs[k])):
        for unit in (1, 1j) if gradient.dtype.kind == "c" else (1,):
            values = []
            for step in (STEP, -STEP):
                moved = [np.array(x) for x in inputs]
                moved[k].reshape(-1)[element] += unit * step
                values.append(float(function(*moved)))
            gradient[number] += unit * (values[0] - values[1]) / (2 * STEP)
    return gradient


def gradients(name: str, attrs: dict, where: list[int], weights):
    """(inputs...) -> the gradients of Σ weights · op for the inputs at some positions."""

    def function(*inputs):
        with nf.GradientTape() as tape:
            tape.watch([inputs[k] for k in where])
            result = apply(TABLE[name], inputs, attrs)
        targets = [r for r in several(result) if r.dtype.is_differentiable]
        upstream = [nf.cast(to_tensor(w), r.dtype) for w, r in zip(weights, targets, strict=True)]
        found = tape.gradient(targets, [inputs[k] for k in where], upstream)
        return [nf.convert_to_tensor(g) for g in found]

    return function


def inexact(result) -> list[np.ndarray]:
    """Those results of a reference that gradients flow from."""
    return [np.asarray(r) for r in several(result) if np.asarray(r).dtype.kind in "fc"]


def upstream(op, sample: Sample) -> list[np.ndarray]:
    """A gradient for each result of an op."""
    found = []
    for k, result in enumerate(inexact(op.reference(*sample.inputs, **sample.attrs))):
        found.append(numbers(as_dtype(result.dtype), result.shape, 9 + 100 * k, low=0.5))
    return found


def weighted(result, weights: list[np.ndarray]) -> float:
    """The loss whose gradients for the results are the weights."""
    return sum(np.sum((w.conj() * r).real) for w, r in zip(weights, inexact(result), strict=True))


def assert_near(actual, expected):
    np.testing.assert_allclose(
        actual, expected, rtol=TOLERANCE, atol=TOLERANCE * max(1, np.abs(expected).max(initial=0))
    )


def cases(not_complex: Container[str] = ()) -> list:
    """Each differentiable op with float64 and complex128, where it takes them."""
    pairs = [(name, float64) for name in DIFFERENTIABLE]
    pairs += [(name, complex128) for name in DIFFERENTIABLE if name not in not_complex]
    return [pytest.param(*pair, id=f"{pair[0]}-{pair[1].name}") for pair in pairs if smooth_samples(*pair)]


@pytest.mark.parametrize(("name", "dtype"), cases(UNCONJUGATED | PHASES))
def test_first_order(name, dtype):
    op = TABLE[name]
    for sample in smooth_samples(name, dtype):
        where = positions(name, sample)
        weights = upstream(op, sample)
        function = gradients(name, sample.attrs, where, weights)
        tensors = [to_tensor(x) for x in sample.inputs]
        eager, traced = function(*tensors), nf.function(function)(*tensors)
        for k, one, two in zip(where, eager, traced, strict=True):
            expected = finite_differences(
                lambda *xs, sample=sample, weights=weights: weighted(op.reference(*xs, **sample.attrs), weights),
                sample.inputs,
                k,
            )
            assert one.shape == sample.inputs[k].shape
            assert_near(one.numpy().reshape(-1)[some_elements(sample.inputs[k])], expected)
            assert_near(two.numpy(), one.numpy())


@pytest.mark.parametrize("name", [name for name in DIFFERENTIABLE if name not in ONCE])
def test_second_order(name):
    """The gradient of Σ v · gradient against differences of the gradient."""
    op = TABLE[name]
    for sample in smooth_samples(name)[:2]:
        where = positions(name, sample)
        first = gradients(name, sample.attrs, where, upstream(op, sample))
        directions = [numbers(float64, sample.inputs[k].shape, 10 + k, low=0.5) for k in where]

        def slope(*inputs, first=first, directions=directions):
            found = first(*inputs)
            return sum(nf.reduce_sum(g * v) for g, v in zip(found, directions, strict=True))

        def second(*inputs, where=where, slope=slope):
            with nf.GradientTape() as tape:
                tape.watch([inputs[k] for k in where])
                result = slope(*inputs)
            return tape.gradient(result, [inputs[k] for k in where], unconnected_gradients="zero")

        tensors = [to_tensor(x) for x in sample.inputs]
        eager, traced = second(*tensors), nf.function(second)(*tensors)
        compiled_slope = nf.function(slope)
        for k, one, two in zip(where, eager, traced, strict=True):
            expected = finite_differences(lambda *xs, f=compiled_slope: f(*map(to_tensor, xs)), sample.inputs, k)
            assert_near(one.numpy().reshape(-1)[some_elements(sample.inputs[k])], expected)
            assert_near(two.numpy(), one.numpy())


def test_every_differentiable_op_has_smooth_samples():
    differentiated = {case.values for case in cases()}
    taken = {(name, dtype) for name in DIFFERENTIABLE for dtype in (float64, complex128) if dtype in TABLE[name].dtypes}
    assert sorted(name for name, _ in taken - differentiated) == []


@pytest.mark.parametrize("name", [name for name in SAMPLED if not differentiable(name)])
def test_no_gradient_is_none(name):
    """Where an op has no gradient, the tape says None rather than zeros."""
    for sample in samples(name, TABLE[name].dtypes[0])[:1]:
        tensors = [to_tensor(x) for x in sample.inputs]
        with nf.GradientTape() as tape:
            tape.watch([t for t in tensors if t.dtype.is_floating])
            result = apply(TABLE[name], tensors, sample.attrs)
        assert tape.gradient(result, tensors) == [None] * len(tensors)


def test_cast():
    """The gradient comes back in the dtype of the input; there is none through integers."""
    x = nf.constant([1.5, 2.5], nf.float64)
    with nf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        narrow, whole = nf.cast(x, nf.float32) * 3, nf.cast(nf.cast(x, nf.int32), nf.float64)
    gradient = tape.gradient(narrow, x)
    assert gradient.dtype is nf.float64
    np.testing.assert_array_equal(gradient.numpy(), [3, 3])
    assert tape.gradient(whole, x) is None


def gradient_of(function, *arrays):
    """Gradients of a function of float32 arrays."""
    tensors = [nf.constant(x, nf.float32) for x in arrays]
    with nf.GradientTape() as tape:
        tape.watch(tensors)
        result = function(*tensors)
    return [g.numpy().tolist() for g in tape.gradient(result, tensors)]


def test_ties_go_to_the_first_argument():
    assert gradient_of(nf.maximum, [1.0, 2.0, 3.0], [1.0, 3.0, 2.0]) == [[1, 0, 1], [0, 1, 0]]
    assert gradient_of(nf.minimum, [1.0, 2.0, 3.0], [1.0, 3.0, 2.0]) == [[1, 1, 0], [0, 0, 1]]


def test_ties_of_a_reduction_share_the_gradient():
    assert gradient_of(lambda x: nf.reduce_max(x, 1), [[2.0, 2.0, 1.0], [0.0, 3.0, 0.0]]) == [
        [[0.5, 0.5, 0], [0, 1, 0]]
    ]
    assert gradient_of(lambda x: nf.reduce_min(x), [4.0, 4.0, 4.0, 4.0]) == [[0.25] * 4]


def test_kinks():
    assert gradient_of(nf.nn.relu, [-1.0, 0.0, 1.0]) == [[0, 0, 1]]
    assert gradient_of(nf.abs, [-1.0, 0.0, 1.0]) == [[-1, 0, 1]]
    assert gradient_of(nf.sign, [-1.0, 0.0, 1.0]) == [[0, 0, 0]]


def test_products_with_zeros():
    assert gradient_of(lambda x: nf.reduce_prod(x, 1), [[2.0, 0.0, 3.0], [0.0, 5.0, 0.0]]) == [[[0, 6, 0], [0, 0, 0]]]


def test_broadcasting_is_undone():
    x, y = nf.ones((2, 1, 3)), nf.ones((4, 1))
    with nf.GradientTape() as tape:
        tape.watch([x, y])
        result = x * y
    for gradient, source, count in zip(tape.gradient(result, [x, y]), (x, y), (4, 6), strict=True):
        np.testing.assert_array_equal(gradient.numpy(), np.full(source.shape, count))
