"""Dense, activations, noise, merging, normalizations and attention against Keras (tests/golden/keras_core.py)."""

import pytest
from tests.keras.layers.golden import Golden

import nbflow as nf

_GOLDEN = Golden("keras_core")
_LAST = {case[0]: name for name, case in _GOLDEN.cases.items()}  # of the cases of one constructor
cases = pytest.mark.parametrize("name", _GOLDEN.cases)


@cases
def test_outputs_and_gradients_are_keras(name):
    _GOLDEN.assert_results(name)


@cases
def test_compiled(name):
    _GOLDEN.assert_results(name, nf.function)


@pytest.mark.parametrize("name", _LAST.values())
def test_in_a_model(name):
    _GOLDEN.assert_model(name)


# but for AlphaDropout, of which tf.keras has an older class
@pytest.mark.parametrize("name", [name for made, name in _LAST.items() if "AlphaDropout" not in made])
def test_configuration(name):
    _GOLDEN.assert_config(name)


@pytest.mark.parametrize("expression", _GOLDEN.errors)
def test_what_is_refused(expression):
    _GOLDEN.assert_error(expression)
