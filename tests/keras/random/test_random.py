"""Keras' random numbers and their seeds."""

import random

import numpy as np
import pytest

import nbflow as nf
from tests.keras import parts


@pytest.mark.parametrize("expression", parts.cases("VALUES", "keras.random."))
def test_as_keras(expression):
    parts.assert_values(expression, rtol=1e-6)


@pytest.mark.parametrize("expression", parts.cases("ERRORS", "keras.random.", "keras.utils."))
def test_errors(expression):
    parts.assert_error(expression)


def test_generators_move_on_in_functions():
    generator = nf.keras.random.SeedGenerator(4)

    @nf.function
    def draw():
        return nf.keras.random.normal((2,), seed=generator), nf.keras.random.uniform((2,), seed=generator)

    pairs = [draw() for _ in range(2)]
    again = nf.keras.random.SeedGenerator(4)
    for normal, uniform in pairs:
        np.testing.assert_array_equal(normal, nf.keras.random.normal((2,), seed=again))
        np.testing.assert_array_equal(uniform, nf.keras.random.uniform((2,), seed=again))
    assert generator.state.numpy().tolist() == [4, 4]


def test_the_global_generator_is_made_in_a_function_and_moves_on():
    nf.keras.utils.set_random_seed(5)
    eager = [nf.keras.random.normal((2,)).numpy() for _ in range(3)]
    nf.keras.utils.set_random_seed(5)
    draw = nf.function(lambda: nf.keras.random.normal((2,)))
    np.testing.assert_array_equal([draw().numpy() for _ in range(3)], eager)


def test_clear_session_makes_another_global_generator():
    nf.keras.utils.set_random_seed(5)
    first = nf.keras.random.normal((2,)).numpy()
    nf.keras.utils.clear_session()
    second = nf.keras.random.normal((2,)).numpy()
    assert (first != second).all()


def test_set_random_seed_seeds_everything():
    def drawn():
        return random.random(), np.random.rand(), nf.random.normal(()).numpy(), nf.keras.random.normal(()).numpy()

    nf.keras.utils.set_random_seed(8)
    first = drawn()
    assert drawn() != first
    nf.keras.utils.set_random_seed(8)
    assert drawn() == first


def test_generators_from_config():
    generator = nf.keras.random.SeedGenerator(3, name="mine")
    again = nf.keras.random.SeedGenerator.from_config(generator.get_config())
    assert again.get_config() == {"seed": 3, "name": "mine"}
    assert again.state.path == "mine/seed_generator_state"
    assert again.next().numpy().tolist() == [3, 0]


def test_sizes_that_a_trace_does_not_know():
    @nf.function(input_signature=[nf.TensorSpec([None, 3])])
    def both(x):
        return nf.keras.random.dropout(x, 0.5, (None, 1), seed=3), nf.keras.random.shuffle(x, seed=3)

    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    dropped, shuffled = both(x)
    np.testing.assert_array_equal(dropped, nf.keras.random.dropout(x, 0.5, (None, 1), seed=3))
    np.testing.assert_array_equal(shuffled, nf.keras.random.shuffle(x, seed=3))
