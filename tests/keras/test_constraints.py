"""Keras' constraints: projections, names and configurations."""

import numpy as np
import pytest

import nbflow as nf
from tests.keras import parts

constraints = nf.keras.constraints


@pytest.mark.parametrize("expression", parts.cases("VALUES", "keras.constraints."))
def test_as_keras(expression):
    parts.assert_values(expression, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("expression", parts.cases("CONFIGS", "keras.constraints."))
def test_configs(expression):
    parts.assert_config(expression)


@pytest.mark.parametrize("expression", parts.cases("ERRORS", "keras.constraints."))
def test_errors(expression):
    parts.assert_error(expression)


NAMES = {"MaxNorm": "max_norm", "MinMaxNorm": "min_max_norm", "NonNeg": "non_neg", "UnitNorm": "unit_norm"}


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    cls = getattr(constraints, name)
    for known in (name, NAMES[name], cls, cls(), {"class_name": name, "config": {}}):
        assert type(constraints.get(known)) is cls
    assert getattr(constraints, NAMES[name]) is cls


def test_a_variable_is_put_through_it_by_an_optimizer():
    w = nf.Variable([3.0, 4.0], constraint=constraints.MaxNorm(1.0))
    nf.keras.optimizers.SGD(0.0).apply_gradients([(nf.constant([1.0, 1.0]), w)])
    np.testing.assert_allclose(w, [0.6, 0.8], rtol=1e-6)
