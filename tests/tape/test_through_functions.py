"""Gradients of nf.function calls: first and second order, captures, state, layouts."""

import numpy as np
import pytest

import nbflow as nf


def gradients(call, sources, second=False):
    tensors = [s for s in sources if not isinstance(s, nf.Variable)]
    with nf.GradientTape() as outer:
        outer.watch(tensors)
        with nf.GradientTape() as inner:
            inner.watch(tensors)
            y = call()
        first = inner.gradient(y, sources)
        total = [nf.reduce_sum(g) for g in first if g is not None]
    found = outer.gradient(total, sources) if second else first
    return [None if g is None else g.numpy().tolist() for g in found]


def test_arguments_and_variables_to_second_order():
    v, x = nf.Variable(2.0), nf.constant(3.0)
    f = nf.function(lambda x: x * x * v * v)
    assert gradients(lambda: f(x), [x, v]) == [24, 36]
    assert gradients(lambda: f(x), [x, v], second=True) == [2 * 4 + 24, 24 + 2 * 9]


@pytest.mark.parametrize("steps", [1, 3])
def test_functions_called_on_each_others_results(steps):
    v = nf.Variable(3.0)
    double = nf.function(lambda x: x * 2.0)

    def call():
        y = v
        for _ in range(steps):
            y = double(y) * v
        return y

    assert gradients(call, [v]) == [2**steps * (steps + 1) * 3**steps]


def test_one_tensor_as_two_arguments_and_as_result():
    x = nf.constant([1.0, 2.0])
    multiply = nf.function(lambda a, b: (a * b, a))
    assert gradients(lambda: multiply(x, x)[0], [x]) == [[2, 4]]
    assert gradients(lambda: multiply(x, x)[1], [x]) == [[1, 1]]
    assert gradients(lambda: nf.reduce_sum(multiply(x, x)[0] * multiply(x, x)[1]), [x]) == [[3, 12]]


def test_captured_tensors():
    vector, number = nf.constant([3.0, 1.0]), nf.constant(2.0)
    rotated = nf.transpose(nf.constant([[1.0, 2.0], [3.0, 4.0]]))
    f = nf.function(lambda x: x * vector * number)
    assert gradients(lambda: f(2.0), [vector, number]) == [[4, 4], 8]
    assert gradients(lambda: f(nf.constant(2.0)), [number]) == [8]
    assert gradients(lambda: f(2.0), [vector]) == [[4, 4]]
    assert gradients(lambda: nf.function(lambda: rotated * rotated)(), [rotated]) == [[[2, 6], [4, 8]]]


def test_arguments_that_are_views():
    x = nf.constant([[1.0, 2.0], [3.0, 4.0]])
    weights = nf.constant([[1.0, 10.0], [100.0, 1000.0]])
    f = nf.function(lambda x: x * weights)
    assert gradients(lambda: f(nf.transpose(x)), [x]) == [[[1, 100], [10, 1000]]]
    assert gradients(lambda: f(x[::-1]), [x]) == [[[100, 1000], [1, 10]]]
    assert gradients(lambda: f(nf.broadcast_to(x[0], [2, 2])), [x]) == [[[101, 1010], [0, 0]]]


def test_variables_that_the_function_updates():
    v, x = nf.Variable(2.0), nf.constant(3.0)

    @nf.function
    def step(x):
        y = x * v
        v.assign_add(1.0)
        return y * v

    assert gradients(lambda: step(x), [x, v]) == [6, 15]  # x·v·(v+1): both reads of v count, as in TensorFlow
    assert float(v) == 3

    @nf.function
    def replace(x):
        v.assign(x * 2.0)
        return v * x

    assert gradients(lambda: replace(x), [x, v]) == [6, 3]  # nothing flows through the assignment
    assert float(v) == 6


def test_values_that_change_before_the_gradient_is_taken():
    v = nf.Variable([1.0, 2.0])
    f = nf.function(lambda: v * v)
    with nf.GradientTape() as tape:
        y = f()
    v.assign([10.0, 20.0])
    assert tape.gradient(y, v).numpy().tolist() == [2, 4]


def test_a_gradient_inside_is_differentiated_outside():
    @nf.function
    def slope(x):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = x**3
        return tape.gradient(y, x)

    x = nf.constant(2.0)
    assert gradients(lambda: slope(x), [x]) == [12]
    assert gradients(lambda: slope(x), [x], second=True) == [6]


@pytest.mark.parametrize(
    "source", [nf.constant(3.0), nf.constant([3.0, 1.0]), nf.Variable(3.0), nf.Variable([3.0, 1.0])], ids=repr
)
def test_outer_tensors_watched_inside(source):
    @nf.function
    def f():
        with nf.GradientTape() as tape:
            tape.watch(source)
            y = source * source
        return tape.gradient(y, source)

    np.testing.assert_array_equal(f(), 2 * source.numpy())


def test_results_without_gradients():
    v = nf.Variable([1.0, 2.0])
    f = nf.function(lambda: (nf.argmax(v), v * 2.0, 3, nf.stop_gradient(v) * v))
    assert gradients(lambda: f()[1], [v]) == [[2, 2]]
    assert gradients(lambda: f()[0], [v]) == [None]
    assert gradients(lambda: f()[2], [v]) == [None]
    assert gradients(lambda: f()[3], [v]) == [[1, 2]]


def test_inputs_of_other_results_only_have_zeros():
    """As in TensorFlow, where the gradient of a function takes zeros for the results that are not differentiated."""
    v, w, x = nf.Variable([1.0, 2.0]), nf.Variable(3.0), nf.constant([4.0, 5.0])
    f = nf.function(lambda x: (x * v, nf.reduce_sum(x), w + 0.0))
    assert gradients(lambda: f(x)[1], [x, v, w]) == [[1, 1], [0, 0], 0]
    assert gradients(lambda: f(x)[2], [x, v, w]) == [[0, 0], [0, 0], 1]


def test_infinite_results_that_are_not_used():
    x = nf.constant([0.0, 2.0])
    f = nf.function(lambda x: (1.0 / x, x * 3.0))
    assert gradients(lambda: f(x)[1], [x]) == [[3, 3]]


def test_unknown_sizes():
    f = nf.function(
        lambda x: nf.reduce_mean(x * x) + nf.reduce_sum(x[1:] * x[:-1]), [nf.TensorSpec([None], nf.float32)]
    )
    for size in (2, 3, 6):
        x = nf.range(1.0, size + 1.0)
        a = x.numpy()
        wanted = 2 * a / size
        wanted[:-1] += a[1:]
        wanted[1:] += a[:-1]
        np.testing.assert_allclose(gradients(lambda x=x: f(x), [x])[0], wanted, rtol=1e-6)
    assert f.experimental_get_tracing_count() == 1


def test_jacobians():
    x = nf.constant([[1.0, 2.0]])
    f = nf.function(lambda x: x**2)

    def inside(method):
        @nf.function
        def g(x):
            with nf.GradientTape() as tape:
                tape.watch(x)
                y = x**2
            return getattr(tape, method)(y, x)

        return g(x)

    def outside(method):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return getattr(tape, method)(y, x)

    for way in (inside, outside):
        np.testing.assert_array_equal(way("jacobian"), [[[[2, 0]], [[0, 4]]]])
        np.testing.assert_array_equal(way("batch_jacobian"), [[[2, 0], [0, 4]]])


def test_random_numbers_are_the_same_in_the_gradient():
    x = nf.constant(np.ones(100, np.float32))
    dropout = nf.function(lambda x: x * nf.cast(nf.random.uniform([100]) > 0.5, nf.float32))
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = dropout(x)
    np.testing.assert_array_equal(tape.gradient(y, x), y)


def test_a_tape_from_outside_is_used_inside():
    x, square = nf.Variable([3.0, 1.0]), nf.function(lambda a: a * a)

    def check(call):
        with nf.GradientTape(persistent=True) as tape:
            y = call()
        inside = nf.function(lambda: tape.gradient(y, x) * 10.0)
        assert inside().numpy().tolist() == [60, 20]

    check(lambda: x * x)
    check(lambda: square(x))
    tape = nf.GradientTape()

    @nf.function
    def record():
        with tape:
            y = x * x
        return tape.gradient(y, x)

    assert record().numpy().tolist() == [6, 2]


def test_jacobians_by_tensors_from_outside_of_the_trace():
    x = nf.constant([[1.0, 2.0], [3.0, 4.0]])

    def jacobians():
        with nf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = x * x
        return tape.jacobian(y, x), tape.batch_jacobian(y, x), tape.jacobian(x, x)

    for one, two in zip(jacobians(), nf.function(jacobians)(), strict=True):
        assert one.numpy().any()
        np.testing.assert_array_equal(one.numpy(), two.numpy())
