"""Tracebacks of errors that leave compiled functions show the user's frames."""

import re
import traceback
from pathlib import Path

import pytest

import nbflow as nf
from nbflow.tracebacks import filter_traceback

PACKAGE = str(Path(nf.__file__).parent)
LINE = re.escape(__file__) + r":\d+"


def helper(x):
    return x @ nf.ones([5, 2])


def frames(error):
    return [(frame.filename, frame.name) for frame in traceback.extract_tb(error.__traceback__)]


def engine(error):
    return sum(name.startswith(PACKAGE) for name, _ in frames(error))


@pytest.fixture
def unfiltered():
    nf.debugging.disable_traceback_filtering()
    yield
    nf.debugging.enable_traceback_filtering()


TRACED = nf.function(lambda x: helper(x))
WRONG = nf.ones([3, 3])


def test_an_error_while_tracing():
    with pytest.raises(nf.errors.InvalidArgumentError, match=rf"matmul: a has shape \(3, 3\).*\(in {LINE}\)") as found:
        TRACED(WRONG)
    assert engine(found.value) == 0 and [name for _, name in frames(found.value)][-2:] == ["<lambda>", "helper"]


def test_everything_is_shown_where_that_is_asked_for(unfiltered):
    assert not nf.debugging.is_traceback_filtering_enabled()
    with pytest.raises(nf.errors.InvalidArgumentError) as found:
        TRACED(WRONG)
    assert engine(found.value) > 3


def test_an_error_of_a_compiled_call():
    assert nf.debugging.is_traceback_filtering_enabled()
    pick = nf.function(lambda x, i: nf.gather(x, i))
    assert pick(nf.ones([3]), nf.constant([1])).numpy().tolist() == [1]
    with pytest.raises(nf.errors.InvalidArgumentError, match=rf"gather: indices has 7.*\(in {LINE}\)") as found:
        pick(nf.ones([3]), nf.constant([7]))
    assert engine(found.value) == 0


def test_an_error_when_sizes_are_known():
    any_size = nf.TensorSpec([None], nf.float32)
    f = nf.function(lambda x, y: x + y, input_signature=[any_size, any_size])
    for call in (f, f.get_concrete_function()):
        with pytest.raises(
            nf.errors.InvalidArgumentError, match=rf"add: shapes \(2,\) and \(3,\).*\(in {LINE}\)"
        ) as found:
            call(nf.ones([2]), nf.ones([3]))
        assert engine(found.value) == 0


def test_causes_are_filtered_and_kept():
    @nf.function
    def f(x):
        try:
            helper(x)
        except ValueError as error:
            raise KeyError("mine") from error

    with pytest.raises(KeyError, match="mine") as found:
        f(WRONG)
    cause = found.value.__cause__
    assert isinstance(cause, nf.errors.InvalidArgumentError) and engine(cause) == 0
    assert frames(cause)[-1][1] == "helper"


def test_causes_in_a_ring_end():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    filter_traceback(first)
    assert first.__traceback__ is second.__traceback__ is None
