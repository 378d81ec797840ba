"""ForwardAccumulator: tangents of eager, traced and compiled computations, nested and beside tapes."""

import numpy as np
import pytest

import nbflow as nf

Accumulator = nf.autodiff.ForwardAccumulator
WAYS = {"eager": lambda f: f, "traced": nf.function}
X = nf.constant([[0.5, -1.0], [2.0, 0.25]])
V = nf.constant([[1.0, 2.0], [-0.5, 3.0]])


def jvp(function, primals, tangents):
    with Accumulator(primals, tangents) as accumulator:
        result = function(*primals)
    return accumulator.jvp(result)


def cube(x):
    return x * x * x


def test_structures_and_unconnected():
    x, other = nf.constant(3.0), nf.constant([1.0, 2.0])
    with Accumulator({"x": x}, {"x": 1.0}) as accumulator:
        y = x * x
    z = y * x
    with accumulator:
        w = y * x
    found = accumulator.jvp({"list": [y, (x, z)], "w": w, "other": other})
    assert [float(found["list"][0]), float(found["list"][1][0]), float(found["w"])] == [6, 1, 27]
    assert found["list"][1][1] is None and found["other"] is None
    assert accumulator.jvp(other, unconnected_gradients="zero").numpy().tolist() == [0, 0]
    assert accumulator.jvp(other, nf.UnconnectedGradients.ZERO).numpy().tolist() == [0, 0]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "function",
    [
        lambda x: nf.sin(x) * x / (2.0 + x * x),
        lambda x: nf.matmul(x, x, transpose_b=True) + nf.reduce_max(x, 0),
        lambda x: nf.nn.softmax(nf.concat([x, x * x], 1)),
        lambda x: nf.gather(x, [1, 0, 1]) * nf.transpose(x)[0],
        lambda x: nf.where(x > 0.0, nf.exp(x), x) * nf.cast(nf.cast(x, nf.float64) * 2, nf.float32),
        lambda x: nf.linalg.inv(x) @ x[:, :1],
    ],
)
def test_tangents_are_differences(function, way):
    step = 1e-3
    expected = (function(X + step * V) - function(X - step * V)) / (2 * step)
    compiled = WAYS[way](function)
    np.testing.assert_allclose(jvp(compiled, [X], [V]), expected, rtol=2e-3, atol=2e-3)

    def inside(x, v):
        return jvp(function, [x], [v])

    np.testing.assert_allclose(WAYS[way](inside)(X, V), expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("way", WAYS)
def test_variables(way):
    v = nf.Variable([1.0, 2.0])

    def function():
        y = v * v
        v.assign([3.0, 3.0])
        return y, v * v, v + 0.0

    function = WAYS[way](function)
    with Accumulator(v, nf.constant([1.0, 0.0])) as accumulator:
        results = function()
    found = [t.numpy().tolist() for t in accumulator.jvp(results)]
    assert found == [[2, 0], [6, 0], [1, 0]]  # all reads of a Variable have its tangent, as in TensorFlow
    assert accumulator.jvp(v).numpy().tolist() == [1, 0]


@pytest.mark.parametrize("way", WAYS)
def test_accumulators_within_each_other(way):
    x = nf.constant(3.0)
    function = WAYS[way](cube)
    with Accumulator(x, 1.0) as outer:
        with Accumulator(x, 1.0) as inner:
            y = function(x)
        first = inner.jvp(y)
    assert [float(first), float(outer.jvp(y)), float(outer.jvp(first))] == [27, 27, 18]


@pytest.mark.parametrize("way", WAYS)
def test_tapes_inside_and_outside(way):
    x = nf.constant(3.0)
    function = WAYS[way](cube)
    with Accumulator(x, 1.0) as accumulator:
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        gradient = tape.gradient(y, x)
    assert float(accumulator.jvp(gradient)) == 18
    with nf.GradientTape() as tape:
        tape.watch(x)
        with Accumulator(x, 1.0) as accumulator:
            y = function(x)
        tangent = accumulator.jvp(y)
    assert float(tape.gradient(tangent, x)) == 18
    with Accumulator(x, 1.0) as accumulator, nf.GradientTape() as tape:
        tape.watch(x)
        tangent_inside = accumulator.jvp(function(x))
    assert float(tape.gradient(tangent_inside, x)) == 18


def test_custom_gradients_are_passed_by():
    @nf.custom_gradient
    def square(x):
        return x * x, lambda upstream: upstream * 100.0

    x = nf.constant(3.0)
    for function in (square, nf.function(square)):
        assert float(jvp(function, [x], [1.0])) == 6  # the tangent of what it computes, as in TensorFlow


def test_where_no_tangents_flow():
    x = nf.constant(3.0)

    def function(x):
        return nf.cast(x, nf.int32), nf.floor(x), nf.stop_gradient(x), nf.stop_gradient(x) * x, nf.zeros_like(x)

    for f in (function, nf.function(function)):
        whole, floor, stopped, product, zeros = jvp(f, [x], [1.0])
        assert (whole, floor, stopped, zeros) == (None, None, None, None) and float(product) == 3


def test_misuse():
    x = nf.constant(3.0)
    with pytest.raises(ValueError, match="same nested structure"):
        Accumulator([x], 1.0)
    with pytest.raises(ValueError, match="primal multiple times"):
        Accumulator([x, x], [1.0, 1.0])
    with pytest.raises(ValueError, match="requested dtype float32"):
        Accumulator(x, nf.constant(1))
    with pytest.raises(TypeError, match="primals hold 3.0"):
        Accumulator(3.0, 1.0)
    with pytest.raises(ValueError, match="already recording"), Accumulator(x, 1.0) as a, a:
        pass
    with pytest.raises(ValueError, match="Unknown value for unconnected_gradients"):
        Accumulator(x, 1.0).jvp(x, unconnected_gradients="bad")
    with pytest.raises(TypeError, match="jvp: primals hold 3.0"):
        Accumulator(x, 1.0).jvp(3.0)
