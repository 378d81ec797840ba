"""to_categorical, normalize and pad_sequences against Keras."""

import numpy as np
import pytest

import nbflow as nf
from tests.keras import parts


@pytest.mark.parametrize("expression", parts.cases("VALUES", "keras.utils."))
def test_as_keras(expression):
    if expression.endswith("value='-')"):
        np.testing.assert_array_equal(eval(expression, {"keras": nf.keras}), parts.golden(expression))
    else:
        parts.assert_values(expression, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("expression", parts.cases("ERRORS", "keras.utils."))
def test_errors(expression):
    parts.assert_error(expression)


def test_sequences_of_strings():
    rows = nf.keras.utils.pad_sequences([["a"], ["b", "long"]], dtype=object, value="")
    assert rows.tolist() == [["", "a"], ["b", "long"]]


def test_labels_in_a_function():
    rows = nf.function(lambda y: nf.keras.utils.to_categorical(y, 3))(nf.constant([[2], [0]]))
    assert rows.numpy().tolist() == [[0, 0, 1], [1, 0, 0]]
