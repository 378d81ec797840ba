"""Shapes at random: broadcasting, reductions, slices, transposes, joins and gathers against NumPy."""

from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nbflow as nf

settings.register_profile("ops", deadline=None, derandomize=True, max_examples=60, database=None)
settings.load_profile("ops")

shapes = hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4)
filled_shapes = hnp.array_shapes(min_dims=1, max_dims=5, min_side=1, max_side=4)


def numbers(shape: tuple, seed: int = 0) -> np.ndarray:
    """Small whole numbers, so that float sums are exact in any order."""
    return np.asarray(np.random.default_rng([seed, *shape]).integers(-9, 10, shape), np.float32)


def assert_same(actual, expected):
    """Equal values, and the same whether eager or traced."""
    expected = np.asarray(expected)
    assert tuple(actual.shape) == expected.shape
    np.testing.assert_array_equal(actual.numpy(), expected)


def check(function, expected, *arrays):
    """Compares function on tensors, eager and traced, with what NumPy gives."""
    tensors = [nf.constant(x) for x in arrays]
    assert_same(function(*tensors), expected)
    assert_same(nf.function(lambda *xs: function(*xs))(*tensors), expected)


@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=5, min_side=0, max_side=4))
def test_broadcasting(case):
    x, y = (numbers(shape, k) for k, shape in enumerate(case.input_shapes))
    check(lambda a, b: a + b, x + y, x, y)
    check(nf.greater, x > y, x, y)


@given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=4, min_side=0, max_side=3))
def test_broadcasting_of_three(case):
    x, y, z = (numbers(shape, k) for k, shape in enumerate(case.input_shapes))
    check(lambda a, b, c: nf.where(a > 0.0, b, c), np.where(x > 0, y, z), x, y, z)


@cache
def reversed_sum(*ranks: int):
    """nf.function of two tensors of these ranks and unknown sizes."""
    specs = [nf.TensorSpec([None] * rank, nf.float32) for rank in ranks]
    return nf.function(lambda a, b: nf.reshape((a + b)[::-1], [-1]), input_signature=specs)


@given(hnp.mutually_broadcastable_shapes(num_shapes=2, min_dims=1, max_dims=3, min_side=0, max_side=4))
def test_broadcasting_of_unknown_sizes(case):
    """A size that turns out to be 1 stretches, whichever of the two it is."""
    x, y = (numbers(shape, k) for k, shape in enumerate(case.input_shapes))
    found = reversed_sum(x.ndim, y.ndim)(nf.constant(x), nf.constant(y))
    assert_same(found, (x + y)[::-1].reshape(-1))


@given(shapes, shapes)
def test_shapes_that_do_not_broadcast(one, two):
    try:
        np.broadcast_shapes(one, two)
    except ValueError:
        with pytest.raises(nf.errors.InvalidArgumentError, match="do not broadcast"):
            nf.zeros(one) + nf.zeros(two)
    else:
        assert (nf.zeros(one) + nf.zeros(two)).shape == np.broadcast_shapes(one, two)


@given(shapes, st.data())
def test_reductions(shape, data):
    axes = data.draw(st.sets(st.integers(-len(shape), len(shape) - 1))) if shape else set()
    assume(len({axis % len(shape) for axis in axes}) == len(axes))
    axis, keepdims = data.draw(st.sampled_from([None, list(axes)])), data.draw(st.booleans())
    x = numbers(shape)
    numpy_axis = None if axis is None else tuple(axis)
    check(lambda a: nf.reduce_sum(a, axis, keepdims), x.sum(numpy_axis, keepdims=keepdims), x)
    check(lambda a: nf.reduce_max(a, axis, keepdims), x.max(numpy_axis, keepdims=keepdims, initial=-np.inf), x)
    check(lambda a: nf.reduce_any(a > 5.0, axis, keepdims), (x > 5).any(numpy_axis, keepdims=keepdims), x)


@given(filled_shapes, st.data())
def test_argmax(shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = numbers(shape)
    check(lambda a: nf.argmax(a, axis), x.argmax(axis), x)
    check(lambda a: nf.argmin(a, axis), x.argmin(axis), x)


@given(shapes, st.data())
def test_indexing(shape, data):
    index = data.draw(hnp.basic_indices(shape, min_dims=0, max_dims=7, allow_ellipsis=True, allow_newaxis=True))
    x = numbers(shape)
    check(lambda a: a[index], x[index], x)


@given(filled_shapes, st.data())
def test_indexing_of_a_view(shape, data):
    """A slice of a slice of a transpose: strides on strides, also negative ones, into an elementwise op."""
    x = numbers(shape)
    perm = data.draw(st.permutations(range(len(shape))))
    moved = x.transpose(perm)
    one = data.draw(hnp.basic_indices(moved.shape, min_dims=1, allow_ellipsis=True, allow_newaxis=True))
    two = data.draw(hnp.basic_indices(moved[one].shape, allow_ellipsis=True))
    check(lambda a: nf.transpose(a, list(perm))[one][two] + 1.0, moved[one][two] + 1, x)


@given(shapes, st.data())
def test_slice_assignment(shape, data):
    """v[index].assign(value) as NumPy's x[index] = value."""
    assume(len(shape) > 0)
    index = data.draw(hnp.basic_indices(shape, allow_ellipsis=True))
    expected = numbers(shape)
    value = np.asarray(numbers(np.shape(expected[index]), 1))
    for wrap in (lambda f: f, nf.function):
        variable = nf.Variable(numbers(shape))

        def assign(variable=variable):
            variable[index].assign(value)

        wrap(assign)()
        changed = expected.copy()
        changed[index] = value
        np.testing.assert_array_equal(variable.numpy(), changed)


@given(shapes, st.data())
def test_transpose(shape, data):
    perm = data.draw(st.permutations(range(len(shape))))
    x = numbers(shape)
    check(lambda a: nf.transpose(a, list(perm)) * 2.0, x.transpose(perm) * 2, x)
    check(
        lambda a: nf.reduce_sum(nf.transpose(a, list(perm)), 0) if a.ndim else a,
        x.transpose(perm).sum(0) if x.ndim else x,
        x,
    )


@given(filled_shapes, st.data())
def test_reshape_of_a_transpose(shape, data):
    x = numbers(shape)
    perm = data.draw(st.permutations(range(len(shape))))
    cut = data.draw(st.integers(0, len(shape)))
    moved = x.transpose(perm)
    target = (int(np.prod(moved.shape[:cut])), 1, int(np.prod(moved.shape[cut:])))
    check(lambda a: nf.reshape(nf.transpose(a, list(perm)), target) + 0.0, moved.reshape(target), x)


@given(shapes, st.data())
def test_concat_and_stack(shape, data):
    assume(len(shape) > 0)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    parts = [numbers(tuple(n if k != axis % len(shape) else size for k, n in enumerate(shape)), size) for size in sizes]
    check(lambda *xs: nf.concat(xs, axis), np.concatenate(parts, axis), *parts)
    x = numbers(shape)
    at = data.draw(st.integers(-len(shape) - 1, len(shape)))
    check(lambda a: nf.stack([a, a + 1.0, a[::-1]], at), np.stack([x, x + 1, x[::-1]], at), x)


@given(filled_shapes, st.data())
def test_gather(shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    index_shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    indices = np.random.default_rng(0).integers(0, shape[axis], index_shape)
    x = numbers(shape)
    check(lambda a: nf.gather(a, indices, axis=axis), np.take(x, indices, axis), x)


@given(st.data())
def test_gather_with_batches(data):
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=3))
    batch = data.draw(st.integers(1, len(shape) - 1))
    axis = data.draw(st.integers(batch, len(shape) - 1))
    inner = data.draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=1, max_side=3))
    indices = np.random.default_rng(1).integers(0, shape[axis], (*shape[:batch], *inner))
    x = numbers(shape)
    expected = np.stack([np.take(x[b], indices[b], axis - batch) for b in np.ndindex(*shape[:batch])]).reshape(
        *shape[:axis], *inner, *shape[axis + 1 :]
    )
    check(lambda a: nf.gather(a, indices, axis=axis, batch_dims=batch), expected, x)


@given(st.data())
def test_matmul(data):
    case = data.draw(
        hnp.mutually_broadcastable_shapes(signature="(m,k),(k,n)->(m,n)", max_dims=2, min_side=0, max_side=4)
    )
    a, b = (numbers(shape, k) for k, shape in enumerate(case.input_shapes))
    check(nf.matmul, a @ b, a, b)
    check(lambda x, y: nf.matmul(x, y, transpose_a=True), a @ b, a.swapaxes(-1, -2), b)
    check(lambda x, y: nf.matmul(x, y, transpose_b=True), a @ b, a, b.swapaxes(-1, -2))


@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(-5, 5))
def test_range(start, limit, delta):
    assume(delta != 0 and (limit - start) * delta >= 0)
    assert_same(nf.range(start, limit, delta), np.arange(start, limit, delta, np.int32))


# --- one function of each kind, on any shape and any strides ----------------------------------------------------------

any_shapes = hnp.array_shapes(min_dims=0, max_dims=6, min_side=0, max_side=3)
few = settings(max_examples=25)


def view_of(x: np.ndarray, data) -> tuple:
    """An array and (tensor of it) -> a view with the elements elsewhere; the array that the view shows."""
    perm = data.draw(st.permutations(range(x.ndim)))
    steps = [data.draw(st.sampled_from([1, -1, 2])) for _ in range(x.ndim)]
    index = tuple(slice(None, None, step) for step in steps)
    return (lambda a: nf.transpose(a, list(perm))[index]), x.transpose(perm)[index]


ELEMENTWISE = [
    (lambda x: nf.where(x > 0.0, nf.sqrt(nf.abs(x)), x * x), lambda x: np.where(x > 0, np.sqrt(np.abs(x)), x * x)),
    (lambda x: nf.cast(nf.floor(x / 2.0), nf.int32) // 3, lambda x: np.floor(x / 2).astype(np.int32) // 3),
    (lambda x: nf.clip_by_value(x, -2.0, 3.0) - nf.sign(x), lambda x: np.clip(x, -2, 3) - np.sign(x)),
]


@few
@given(any_shapes, st.sampled_from(ELEMENTWISE), st.data())
def test_elementwise_on_any_view(shape, functions, data):
    function, expected = functions
    x = numbers(shape)
    view, seen = view_of(x, data)
    check(lambda a: function(view(a)), expected(seen), x)


REDUCTIONS = [
    (nf.reduce_sum, np.sum),
    (nf.reduce_max, lambda x, axis, keepdims: x.max(axis, keepdims=keepdims, initial=-np.inf)),
    (lambda x, *a: nf.reduce_all(x > -5.0, *a), lambda x, **k: (x > -5).all(**k)),
    (
        lambda x, *a: nf.math.count_nonzero(x, *a),
        lambda x, axis, keepdims: np.asarray((x != 0).sum(axis, keepdims=keepdims)),
    ),
    (lambda x, *a: nf.reduce_prod(nf.sign(x), *a), lambda x, **k: np.prod(np.sign(x), **k)),
]


@few
@given(any_shapes, st.sampled_from(REDUCTIONS), st.data())
def test_reduction_of_any_view(shape, functions, data):
    function, expected = functions
    x = numbers(shape)
    view, seen = view_of(x, data)
    axes = data.draw(st.sets(st.integers(0, x.ndim - 1))) if x.ndim else set()
    keepdims = data.draw(st.booleans())
    wanted = expected(seen, axis=tuple(axes), keepdims=keepdims)
    check(lambda a: function(view(a), list(axes), keepdims), wanted, x)


MOVES = [
    (lambda x, axis: nf.reverse(x, [axis]), np.flip),
    (lambda x, axis: nf.roll(x, 2, axis), lambda x, axis: np.roll(x, 2, axis)),
    (lambda x, axis: nf.repeat(x, 2, axis), lambda x, axis: np.repeat(x, 2, axis)),
    (lambda x, axis: nf.cumsum(x, axis), lambda x, axis: np.cumsum(x, axis, np.float32)),
    (lambda x, axis: nf.sort(x, axis), np.sort),
    (
        lambda x, axis: nf.argsort(x, axis, stable=True),
        lambda x, axis: np.argsort(x, axis, kind="stable").astype(np.int32),
    ),
    (lambda x, axis: nf.expand_dims(x, axis), np.expand_dims),
    (
        lambda x, axis: nf.stack(nf.unstack(x, axis=axis), axis),
        lambda x, axis: x,
    ),
    (
        lambda x, axis: nf.concat(nf.split(x, [1, x.shape[axis] - 1], axis)[::-1], axis),
        lambda x, axis: np.roll(x, -1, axis),
    ),
]


@few
@given(hnp.array_shapes(min_dims=1, max_dims=6, min_side=1, max_side=3), st.sampled_from(MOVES), st.data())
def test_moves_along_an_axis_of_any_view(shape, functions, data):
    function, expected = functions
    x = numbers(shape)
    view, seen = view_of(x, data)
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    check(lambda a: function(view(a), axis), expected(seen, axis), x)


@few
@given(any_shapes, st.data())
def test_pad_and_tile_any_view(shape, data):
    x = numbers(shape)
    view, seen = view_of(x, data)
    sizes = [data.draw(st.tuples(st.integers(0, 2), st.integers(0, 2))) for _ in seen.shape]
    check(lambda a: nf.pad(view(a), np.reshape(sizes, (-1, 2)).astype(int)), np.pad(seen, sizes) if sizes else seen, x)
    counts = [data.draw(st.integers(0, 2)) for _ in seen.shape]
    check(lambda a: nf.tile(view(a), np.array(counts, int)), np.tile(seen, counts), x)


@few
@given(any_shapes, st.data())
def test_gradients_on_any_view(shape, data):
    """The gradient of a sum of squares of a view is twice the elements that it shows, each where it came from."""
    x = numbers(shape)
    view, _ = view_of(x, data)

    def gradient(a):
        with nf.GradientTape() as tape:
            tape.watch(a)
            y = nf.reduce_sum(nf.square(view(a)))
        return tape.gradient(y, a)

    shown = np.zeros(x.shape, np.float32)
    _view_in_place(view, shown)
    check(gradient, 2 * x * shown, x)


def _view_in_place(view, shown: np.ndarray) -> None:
    """Sets the elements that a view shows to 1."""
    seen = view(nf.constant(np.arange(shown.size).reshape(shown.shape))).numpy()
    shown.reshape(-1)[np.asarray(seen).reshape(-1)] = 1
