"""nf.debugging.assert_max_traces."""

import re

import pytest

import nbflow as nf

LINE = re.escape(__file__) + r":\d+"


def test_a_check_of_what_was():
    f = nf.function(lambda x: x)
    f(nf.ones([2])), f(nf.ones([2]))
    nf.debugging.assert_max_traces(f, 1)
    f(nf.ones([3]))
    message = rf"<lambda> \({LINE}\) has been traced 2 times, more than 1:\n  1: the first call\n  2: x changed from"
    with pytest.raises(AssertionError, match=message):
        nf.debugging.assert_max_traces(f, 1)
    assert f(nf.ones([4])).shape == [4]


def test_a_block_in_which_no_more_are_allowed():
    f = nf.function(lambda x: x)
    with nf.debugging.assert_max_traces(f, 1):
        f(nf.ones([2])), f(nf.ones([2]))
        with pytest.raises(AssertionError, match=r"at most 1 times.*one trace more: x changed from float32\[2\] to"):
            f(nf.ones([3]))
    f(nf.ones([3]))
    with nf.debugging.assert_max_traces(f, f.experimental_get_tracing_count()):
        f(nf.ones([2])), f(nf.ones([3]))
    assert f.experimental_get_tracing_count() == 2


def test_methods_and_other_things():
    class Model:
        @nf.function
        def f(self, x):
            return x

    model = Model()
    with pytest.raises(AssertionError, match="it is the first call"), nf.debugging.assert_max_traces(model.f, 0):
        model.f(nf.ones([2]))
    with pytest.raises(TypeError, match="it takes a function made by nf.function"):
        nf.debugging.assert_max_traces(len, 1)
