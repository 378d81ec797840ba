"""Loops and branches by hand that read and assign Variables, draw random numbers, or have sizes that are not known."""

import numpy as np
import pytest

import nbflow as nf


def both(function, *arguments):
    """What a function gives eagerly and traced."""
    return function(*arguments), nf.function(function)(*arguments)


def test_variables_that_a_loop_assigns():
    def run():
        v = made[-1]
        total = nf.while_loop(
            lambda i, t: i < 4, lambda i, t: (i + 1, t + v.assign_add([1.0, 2.0])), (nf.constant(0), nf.zeros([2]))
        )[1]
        return total, v + 0.0

    made = [nf.Variable([1.0, -1.0])]
    eager = run()
    made.append(nf.Variable([1.0, -1.0]))
    traced = nf.function(run)()
    for one, other in zip(eager, traced, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    np.testing.assert_array_equal(made[1].numpy(), [5.0, 7.0])


def test_a_variable_that_one_branch_assigns():
    v = nf.Variable(1.0)

    @nf.function
    def step(x):
        return nf.cond(x > 0.0, lambda: v.assign(x) * 2.0, lambda: v - 1.0)

    assert step(nf.constant(3.0)).numpy() == 6.0 and v.numpy() == 3.0
    assert step(nf.constant(-3.0)).numpy() == 2.0 and v.numpy() == 3.0


@pytest.mark.parametrize("kind", ["while", "scan", "map", "cond"])
def test_gradients_of_captured_variables(kind):
    w = nf.Variable([0.5, -1.5])

    def value(x):
        if kind == "while":
            return nf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, nf.sin(y) * w), (nf.constant(0), x))[1]
        if kind == "scan":
            return nf.scan(lambda a, e: a * w + e, nf.stack([x, x * x]), initializer=w)
        if kind == "map":
            return nf.map_fn(lambda e: e * w * w, nf.stack([x, x * x]))
        return nf.cond(x[0] > 0.0, lambda: x * w * w, lambda: x)

    def gradients(x):
        with nf.GradientTape() as tape:
            loss = nf.reduce_sum(value(x) ** 2)
        return tape.gradient(loss, w)

    eager, traced = both(gradients, nf.constant([0.7, 0.3]))
    np.testing.assert_allclose(eager.numpy(), traced.numpy(), rtol=1e-5)


def test_training_in_a_loop():
    def train(w):
        x = nf.constant([[1.0, 2.0], [3.0, 4.0], [0.5, -1.0]])
        y = nf.linalg.matvec(x, [2.0, -1.0])

        def step(i):
            with nf.GradientTape() as tape:
                loss = nf.reduce_mean((nf.linalg.matvec(x, w) - y) ** 2)
            w.assign_sub(0.05 * tape.gradient(loss, w))
            return (i + 1,)

        nf.while_loop(lambda i: i < 20, step, (nf.constant(0),))
        return w + 0.0

    eager, traced = train(nf.Variable([0.0, 0.0])), nf.function(lambda: train(variable))
    variable = nf.Variable([0.0, 0.0])
    np.testing.assert_allclose(traced().numpy(), eager.numpy(), rtol=1e-5)


def test_random_numbers_differ_from_round_to_round():
    @nf.function
    def draw():
        return nf.map_fn(lambda _: nf.random.uniform([2]), nf.zeros([3]), fn_output_signature=nf.float32)

    first, second = draw().numpy(), draw().numpy()
    assert len({*first.ravel().tolist(), *second.ravel().tolist()}) == 12


def test_stateless_random_numbers_in_a_loop():
    def draw(x):
        return nf.map_fn(
            lambda k: nf.random.stateless_uniform([2], nf.stack([k, 7])), x, fn_output_signature=nf.float32
        )

    eager, traced = both(draw, nf.constant([1, 2, 3]))
    np.testing.assert_array_equal(eager.numpy(), traced.numpy())


def test_a_generator_in_a_loop():
    def draw(generator):
        return nf.map_fn(lambda _: generator.normal([2]), nf.zeros([3]), fn_output_signature=nf.float32)

    eager = draw(nf.random.Generator.from_seed(5))
    generator = nf.random.Generator.from_seed(5)
    np.testing.assert_array_equal(nf.function(lambda: draw(generator))().numpy(), eager.numpy())


def test_sizes_that_are_not_known():
    @nf.function(input_signature=[nf.TensorSpec([None, 2])])
    def run(x):
        array = nf.TensorArray(nf.float32, size=nf.shape(x)[0])
        written = nf.while_loop(
            lambda i, a: i < nf.shape(x)[0], lambda i, a: (i + 1, a.write(i, x[i] * 2.0)), (nf.constant(0), array)
        )[1]
        return (
            nf.scan(lambda a, e: a + e, x),
            nf.map_fn(nf.reduce_sum, x),
            nf.foldr(lambda a, e: a * e, x),
            written.stack(),
        )

    for rows in (1, 4):
        x = np.arange(2.0 * rows, dtype="f4").reshape(rows, 2)
        scanned, mapped, folded, written = (found.numpy() for found in run(nf.constant(x)))
        np.testing.assert_allclose(scanned, np.cumsum(x, 0))
        np.testing.assert_allclose(mapped, x.sum(1))
        np.testing.assert_allclose(folded, x.prod(0))
        np.testing.assert_allclose(written, 2 * x)


def test_a_loop_under_an_outer_tape():
    f = nf.function(lambda x: nf.scan(lambda a, e: a * e, x))
    x = nf.constant([2.0, 3.0, 4.0])
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = nf.reduce_sum(f(x))
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), [16.0, 10.0, 6.0])


def test_tangents_of_loops():
    def tangent(x):
        with nf.autodiff.ForwardAccumulator(x, nf.constant([1.0, 0.5])) as accumulator:
            y = nf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * nf.sin(y)), (nf.constant(0), x))[1]
        return accumulator.jvp(y)

    eager, traced = both(tangent, nf.constant([1.1, 2.0]))
    np.testing.assert_allclose(eager.numpy(), traced.numpy(), rtol=1e-5)


def test_a_loop_for_many_examples():
    def powers(x):
        return nf.while_loop(lambda i, y: y < 50.0, lambda i, y: (i + 1, y * x), (nf.constant(0), x))[1]

    x = nf.constant([2.0, 3.0, 10.0])
    np.testing.assert_allclose(nf.vectorized_map(powers, x).numpy(), [64.0, 81.0, 100.0])
    np.testing.assert_allclose(nf.function(lambda x: nf.vectorized_map(powers, x))(x).numpy(), [64.0, 81.0, 100.0])


def test_a_jacobian_of_a_loop():
    def jacobian(x):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = nf.scan(lambda a, e: a * e, x)
        return tape.jacobian(y, x)

    eager, traced = both(jacobian, nf.constant([2.0, 3.0, 4.0]))
    np.testing.assert_allclose(eager.numpy(), [[1, 0, 0], [3, 2, 0], [12, 8, 6]])
    np.testing.assert_allclose(traced.numpy(), eager.numpy())


def test_third_gradients():
    def gradient_of(function):
        def gradient(x):
            with nf.GradientTape() as tape:
                tape.watch(x)
                y = nf.reduce_sum(function(x) ** 2)
            return tape.gradient(y, x)

        return gradient

    def loop(x):
        return nf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * nf.sin(x)), (nf.constant(0), x))[1]

    eager, traced = both(gradient_of(gradient_of(gradient_of(loop))), nf.constant([0.9, -0.4]))
    np.testing.assert_allclose(eager.numpy(), traced.numpy(), rtol=1e-4)
