"""Recurrent layers against Keras (tests/golden/keras_recurrent.py), and what only they do."""

import pytest

import nbflow as nf
from tests.keras.layers.golden import Golden

_GOLDEN = Golden("keras_recurrent")
cases = pytest.mark.parametrize("name", _GOLDEN.cases)


@cases
def test_outputs_and_gradients_are_keras(name):
    _GOLDEN.assert_results(name)


@cases
def test_compiled(name):
    _GOLDEN.assert_results(name, nf.function)


@pytest.mark.parametrize("name", [name for name in _GOLDEN.cases if "stateful" not in name])  # they need a batch size
def test_in_a_model(name):
    _GOLDEN.assert_model(name)


@cases
def test_configuration(name):
    _GOLDEN.assert_config(name)


@pytest.mark.parametrize("expression", _GOLDEN.errors)
def test_what_is_refused(expression):
    _GOLDEN.assert_error(expression)
