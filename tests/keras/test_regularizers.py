"""Keras' regularizers: penalties, names and configurations."""

import pytest

import nbflow as nf
from tests.keras import parts

regularizers = nf.keras.regularizers


@pytest.mark.parametrize("expression", parts.cases("VALUES", "keras.regularizers."))
def test_as_keras(expression):
    parts.assert_values(expression, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("expression", parts.cases("CONFIGS", "keras.regularizers."))
def test_configs(expression):
    parts.assert_config(expression)


@pytest.mark.parametrize("expression", parts.cases("ERRORS", "keras.regularizers."))
def test_errors(expression):
    parts.assert_error(expression)


NAMES = {"L1": ["l1"], "L2": ["l2"], "L1L2": ["l1_l2", "l1l2"], "OrthogonalRegularizer": ["orthogonal_regularizer"]}


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    cls = getattr(regularizers, name)
    for known in (name, *NAMES[name], cls, cls(), {"class_name": name, "config": {}}):
        assert type(regularizers.get(known)) is cls


def test_functions_and_none():
    def penalty(x):
        return nf.reduce_sum(x)

    assert regularizers.get(penalty) is penalty
    assert regularizers.get(None) is None
