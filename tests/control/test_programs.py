"""Branches and loops by hand give what TensorFlow's eager ones do, eagerly and traced: values and gradients."""

import pathlib

import numpy as np
import pytest

import nbflow as nf
from tests.control.programs import PROGRAMS, X, gradient, second

GOLDEN = np.load(pathlib.Path(__file__).parents[1] / "golden" / "control.npz")
# One program for each way in which gradients of gradients come about
TWICE = [
    "cond_in_while",
    "cond_with_custom_gradient",
    "foldr_of_two",
    "while_of_a_value",
    "while_with_custom_gradient",
    "scan_of_a_vector",
    "map_with_cond",
    "array_of_what_came_before",
    "array_that_grows",
]


def near(found, name, what):
    wanted = GOLDEN[f"{name}/{what}"]
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found.numpy(), wanted, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("name", PROGRAMS)
def test_eager(name):
    x = nf.constant(X)
    near(PROGRAMS[name](nf, x), name, "value")
    near(gradient(nf, PROGRAMS[name], x), name, "gradient")


@pytest.mark.parametrize("name", PROGRAMS)
def test_traced(name):
    found = nf.function(lambda x: (PROGRAMS[name](nf, x), gradient(nf, PROGRAMS[name], x)))(nf.constant(X))
    near(found[0], name, "value")
    near(found[1], name, "gradient")


@pytest.mark.parametrize("name", TWICE)
def test_second_gradients(name):
    near(nf.function(lambda x: second(nf, PROGRAMS[name], x))(nf.constant(X)), name, "second")
