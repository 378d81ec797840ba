"""Dense, activations, noise, merging, normalizations and attention against Keras (tests/golden/keras_core.py)."""

import pytest
from tests.keras.layers.golden import Golden

import nbflow as nf

_GOLDEN = Golden("keras_core")
_CONSTRUCTORS = {case[0]: name for name, case in _GOLDEN.cases.items() if "AlphaDropout" not in case[0]}
cases = pytest.mark.parametrize("name", _GOLDEN.cases)


@cases
def test_outputs_and_gradients_are_keras(name):
    _GOLDEN.assert_results(name)


@cases
def test_compiled(name):
    _GOLDEN.assert_results(name, nf.function)


@cases
def test_in_a_model(name):
    _GOLDEN.assert_model(name)


@pytest.mark.parametrize("name", _CONSTRUCTORS.values())
def test_configuration(name):
    _GOLDEN.assert_config(name)


@pytest.mark.parametrize("expression", _GOLDEN.errors)
def test_what_is_refused(expression):
    _GOLDEN.assert_error(expression)
