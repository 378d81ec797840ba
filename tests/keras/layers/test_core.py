"""Dense, activations, noise, merging, normalizations and attention against Keras (tests/golden/keras_core.py)."""

import pytest

import nbflow as nf
from tests.keras.layers.golden import Golden

_GOLDEN = Golden("keras_core")
_LAST = {case[0]: name for name, case in _GOLDEN.cases.items()}  # of the cases of one constructor
last = pytest.mark.parametrize("name", _LAST.values())


@pytest.mark.parametrize("name", _GOLDEN.cases)
def test_outputs_and_gradients_are_keras(name):
    _GOLDEN.assert_results(name)


@last
def test_compiled(name):
    _GOLDEN.assert_results(name, nf.function)


@last
def test_in_a_model(name):
    _GOLDEN.assert_model(name)


# but for AlphaDropout, of which tf.keras has an older class
@pytest.mark.parametrize("name", [name for made, name in _LAST.items() if "AlphaDropout" not in made])
def test_configuration(name):
    _GOLDEN.assert_config(name)


@pytest.mark.parametrize("expression", _GOLDEN.errors)
def test_what_is_refused(expression):
    _GOLDEN.assert_error(expression)
