"""Keras' activations: values, gradients and names."""

import numpy as np
import pytest

import nbflow as nf
from tests.keras import parts

activations = nf.keras.activations


@pytest.mark.parametrize("expression", parts.cases("VALUES", "keras.activations."))
def test_as_keras(expression):
    halves = "float16" in expression
    parts.assert_values(expression, rtol=1e-3 if halves else 2e-6, atol=1e-3 if halves else 1e-6)


@pytest.mark.parametrize("expression", parts.cases("CONFIGS", "keras.activations."))
def test_configs(expression):
    parts.assert_config(expression)


@pytest.mark.parametrize("expression", parts.cases("ERRORS", "keras.activations."))
def test_errors(expression):
    parts.assert_error(expression)


NAMES = sorted(set(parts.constant("PLAIN")) - {"swish", "hard_swish"} | {"threshold"})


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    function = getattr(activations, name)
    assert activations.get(name) is activations.get(function) is activations.deserialize(name) is function
    assert activations.serialize(function) == name


def test_other_names_and_none():
    assert activations.get("swish") is activations.silu
    assert activations.get("hard_swish") is activations.hard_silu
    assert activations.get(None) is activations.linear


def test_registered_functions():
    @nf.keras.saving.register_keras_serializable("tests_activations")
    def doubled(x):
        return 2 * x

    written = activations.serialize(doubled)
    assert written["config"] == "tests_activations>doubled"
    assert activations.get(written) is activations.get("doubled") is doubled


def test_results_remember_what_losses_are_made_of():
    x = nf.constant([[1.0, 2.0]])
    for function in (activations.softmax, activations.sigmoid):
        assert function(x)._keras_logits is x


def test_softmax_of_one_class_warns():
    with pytest.warns(UserWarning, match="axis has size 1"):
        activations.softmax(np.ones((3, 1), np.float32))


@pytest.mark.parametrize("name", NAMES)
def test_sizes_that_a_trace_does_not_know(name):
    call = getattr(activations, name)
    x = np.array([[-2.0, 0.3, 1.5, 0.1], [0.2, 4.0, -0.6, 0.0]], np.float32)
    arguments = (0.5, 2.0) if name == "threshold" else ()
    traced = nf.function(lambda v: call(v, *arguments), input_signature=[nf.TensorSpec([None, 4])])
    np.testing.assert_allclose(traced(x), call(nf.constant(x), *arguments), rtol=1e-6)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"threshold"}))
def test_steps_of_a_model(name):
    call = getattr(activations, name)
    place = nf.keras.Input((4,))
    x = np.array([[-2.0, 0.3, 1.5, 0.1], [0.2, 4.0, -0.6, 0.0]], np.float32)
    np.testing.assert_allclose(nf.keras.Model(place, call(place))(x), call(nf.constant(x)), rtol=1e-6, atol=1e-7)
