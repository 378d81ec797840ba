"""IndexedSlices: what they are, and the gradients that come as such."""

import numpy as np
import pytest

import nbflow as nf

X = np.arange(6, dtype=np.float32).reshape(3, 2)
WAYS = {"eager": lambda f: f, "traced": nf.function}
SOURCES = {"tensor": lambda: nf.constant(X), "variable": lambda: nf.Variable(X)}


def gradient(function, source):
    with nf.GradientTape() as tape:
        tape.watch(source)
        y = function(source)
    return tape.gradient(y, source)


def parts(slices) -> tuple:
    return slices.indices.numpy().tolist(), slices.values.numpy().tolist(), slices.dense_shape.numpy().tolist()


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("function", "indices"),
    [
        (lambda x: nf.gather(x, [0, 0]), [0, 0]),
        (lambda x: nf.gather(x, [[0], [2]]), [0, 2]),
        (lambda x: nf.gather(x, 0), [0]),
        (lambda x: nf.gather(nf.identity(x), np.array([0, 1])), [0, 1]),
        (lambda x: nf.gather(x, [0, 1]) + nf.gather(x, [2, 2]), [2, 2, 0, 1]),
    ],
)
def test_gather_along_the_first_axis(function, indices, way, kind):
    found = gradient(WAYS[way](function), SOURCES[kind]())
    assert isinstance(found, nf.IndexedSlices)
    assert parts(found) == (indices, [[1, 1]] * len(indices), [3, 2])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: nf.gather(x, [0], axis=1), [[1, 0]] * 3),
        (lambda x: nf.gather(x * 2.0, [0, 0]), [[4, 4], [0, 0], [0, 0]]),
        (lambda x: nf.reduce_sum(nf.gather(x, [0, 1])) + nf.reduce_sum(x), [[2, 2], [2, 2], [1, 1]]),
        (lambda x: nf.boolean_mask(x, np.array([True, False, True])), [[1, 1], [0, 0], [1, 1]]),
        (lambda x: x[0], [[1, 1], [0, 0], [0, 0]]),
    ],
)
def test_others_are_dense(function, expected, way):
    found = gradient(WAYS[way](function), nf.constant(X))
    assert isinstance(found, nf.Tensor) and found.numpy().tolist() == expected


def test_through_the_border_of_a_trace():
    weights = nf.Variable(X)

    @nf.function
    def step():
        with nf.GradientTape() as tape:
            loss = nf.reduce_sum(nf.square(nf.gather(weights, [0, 0, 1])))
        slices = tape.gradient(loss, weights)
        return slices, slices.values * 2.0, slices.dense_shape, nf.convert_to_tensor(slices)

    slices, values, shape, dense = step()
    assert parts(slices) == ([0, 0, 1], [[0, 2], [0, 2], [4, 6]], [3, 2])
    assert values.numpy().tolist() == [[0, 4], [0, 4], [8, 12]] and shape.numpy().tolist() == [3, 2]
    assert dense.numpy().tolist() == [[0, 4], [4, 6], [0, 0]]
    doubled = nf.function(lambda slices: nf.IndexedSlices(slices.values * 2.0, slices.indices, slices.dense_shape))
    assert parts(doubled(slices)) == ([0, 0, 1], [[0, 4], [0, 4], [8, 12]], [3, 2])


def test_second_order():
    weights = nf.Variable(X)
    with nf.GradientTape(persistent=True) as outer:
        with nf.GradientTape() as inner:
            loss = nf.reduce_sum(nf.gather(weights, [0, 0, 1]) ** 3)
        slices = inner.gradient(loss, weights)
        dense = nf.convert_to_tensor(slices)
    for target in (slices.values, dense):
        found = nf.convert_to_tensor(outer.gradient(target, weights))
        np.testing.assert_allclose(found, 6 * X * [[2], [1], [0]])
    jacobian = outer.jacobian(dense, weights).numpy().reshape(6, 6)
    np.testing.assert_allclose(jacobian, np.diag((6 * X * [[2], [1], [0]]).reshape(-1)))


def test_upstream_gradients_may_be_sparse():
    weights = nf.Variable(X)
    with nf.GradientTape() as tape:
        y = weights * 2.0
    upstream = nf.IndexedSlices(nf.constant([[1.0, 2.0]]), nf.constant([1]), nf.constant([3, 2]))
    found = tape.gradient(y, weights, output_gradients=upstream)
    assert found.numpy().tolist() == [[0, 0], [2, 4], [0, 0]]


def test_the_object():
    slices = nf.IndexedSlices(nf.constant([[1.0, 2.0], [3.0, 4.0]]), nf.constant([1, 1]), nf.constant([3, 2]))
    assert slices.shape == [3, 2] and slices.dtype is nf.float32 and slices.device.endswith("CPU:0")
    assert str(slices).startswith("IndexedSlices(indices=") and (-slices).values.numpy().tolist() == [
        [-1, -2],
        [-3, -4],
    ]
    assert nf.convert_to_tensor(slices).numpy().tolist() == [[0, 0], [4, 6], [0, 0]]
    assert nf.math.multiply(slices, 2.0).numpy().tolist() == [[0, 0], [8, 12], [0, 0]]
    for changed in (nf.identity(slices), nf.math.scalar_mul(1.0, slices), nf.cast(slices, nf.float32)):
        assert parts(changed) == parts(slices)
    assert nf.is_tensor(slices)
    with pytest.raises(TypeError, match="unsupported operand"):
        slices * 2
    shapeless = nf.IndexedSlices(nf.constant([[1.0, 2.0]]), nf.constant([1]))
    assert shapeless.dense_shape is None and shapeless.shape == nf.TensorShape(None)
    with pytest.raises(ValueError, match="without dense_shape"):
        nf.convert_to_tensor(shapeless)
