"""Classes made of functions."""

import inspect

import pytest

from nbflow.objects.functional import as_class
from nbflow.public import NAMES


class Base:
    def __init__(self, fn, name=None, dtype=None, **kwargs):
        self.fn, self.name, self.dtype, self.kwargs = fn, name, dtype, kwargs


def power(y_true, y_pred, exponent=2.0, scale=None):
    return (y_true - y_pred) ** exponent


@pytest.fixture
def made():
    def make(arguments, **kwargs):
        assert as_class(Base, "tests.Power", arguments, **kwargs)(power) is power
        return NAMES.pop("tests.Power")

    return make


def test_class_of_a_function(made):
    cls = made("exponent name scale dtype")
    expected = "(exponent=2.0, name='power', scale=None, dtype=None)"
    assert str(inspect.signature(cls)) == expected
    assert (cls.__name__, cls.__module__, cls.keys) == ("Power", "nbflow.tests", ("exponent", "scale"))
    obj = cls(3.0, scale=1)
    assert (obj.fn, obj.name, obj.dtype, obj.kwargs) == (power, "power", None, {"exponent": 3.0, "scale": 1})


def test_names_keys_and_members(made):
    cls = made("name dtype exponent", name="raised", keys="", direction="up")
    assert (cls().name, cls.keys, cls.direction) == ("raised", (), "up")


def test_wrong_arguments_are_told(made):
    with pytest.raises(TypeError, match=r"Power.__init__\(\) got an unexpected keyword argument 'base'"):
        made("exponent name dtype")(base=1)
