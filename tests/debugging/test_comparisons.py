"""Assertions: their words beside TensorFlow's, and what they do in compiled functions."""

import json
import pathlib

import numpy as np
import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError
from nbflow.ops.outside import ASSERT
from tests.golden import outside

GOLDEN = json.loads(pathlib.Path(outside.__file__).with_suffix(".json").read_text())
CALLS = outside.assertions(nf)
STATIC = ("ValueError", "TypeError")  # found while a function is traced, with the words of eager code


def test_golden_assertions_are_complete():
    assert set(GOLDEN["eager"]) == set(GOLDEN["traced"]) == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_words_of_eager_errors(name):
    function, tensors = CALLS[name]
    expected, words = GOLDEN["eager"][name]
    with pytest.raises((ValueError, TypeError)) as caught:  # one of which InvalidArgumentError is
        function(*tensors)
    assert (type(caught.value).__name__, outside.words(caught.value)) == (expected, words)


@pytest.mark.parametrize("name", CALLS)
def test_words_of_errors_in_functions(name):
    function, tensors = CALLS[name]
    expected, words = GOLDEN["traced"][name]
    if expected in STATIC:
        expected, words = GOLDEN["eager"][name]
    with pytest.raises((ValueError, TypeError)) as caught:
        nf.function(function)(*tensors)
    assert (type(caught.value).__name__, outside.words(caught.value)) == (expected, words)


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (nf.debugging.assert_negative, [-1, -2], [-1, 0]),
        (nf.debugging.assert_positive, [1, 2], [1, 0]),
        (nf.debugging.assert_non_negative, [0, 1], [0, -1]),
        (nf.debugging.assert_non_positive, [0, -1], [0, 1]),
        (lambda x: nf.debugging.assert_equal(x, [1, 2]), [1, 2], [1, 3]),
        (lambda x: nf.debugging.assert_none_equal(x, [1, 2]), [2, 1], [2, 2]),
        (lambda x: nf.debugging.assert_less(x, 3), [1, 2], [1, 3]),
        (lambda x: nf.debugging.assert_less_equal(x, 3), [1, 3], [1, 4]),
        (lambda x: nf.debugging.assert_greater(x, 0), [1, 2], [1, 0]),
        (lambda x: nf.debugging.assert_greater_equal(x, 0), [1, 0], [1, -1]),
        (lambda x: nf.Assert(nf.reduce_all(x > 0), [x]), [1, 2], [1, 0]),
    ],
)
@pytest.mark.parametrize("dtype", ["int32", "float16"])
def test_good_and_bad(check, good, bad, dtype, traced):
    run = nf.function(check) if traced else check
    assert run(nf.constant(good, dtype)) is None
    with pytest.raises(InvalidArgumentError):
        run(nf.constant(bad, dtype))


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "float32", "complex128"])
@pytest.mark.parametrize(
    ("tolerances", "good", "bad"),
    [
        ({}, [1, 200], [1, 210]),
        ({"atol": 0.1}, [1.05, 200], [1.2, 200]),
        ({"rtol": 0.1, "atol": 0}, [1.05, 210], [1.05, 230]),
        ({"rtol": [0.5, 0.0]}, [1.4, 200], [1.4, 210]),
    ],
)
def test_near(tolerances, good, bad, dtype, traced):
    def check(x):
        nf.debugging.assert_near(x, [1, 200], **tolerances)

    run = nf.function(check) if traced else check
    run(nf.constant(good, dtype))
    with pytest.raises(InvalidArgumentError, match="x and y not equal to tolerance rtol"):
        run(nf.constant(bad, dtype))


def test_empty_tensors_fulfil_everything():
    for check in (nf.debugging.assert_positive, lambda x: nf.debugging.assert_less(x, x)):
        check(nf.zeros([0]))
        nf.function(check)(nf.zeros([0, 3]))


def test_what_is_known_is_checked_while_a_function_is_traced():
    ran = []

    @nf.function
    def f(x):
        nf.debugging.assert_equal(nf.constant([1, 2]), np.array([1, 3]))
        ran.append(1)
        return x

    with pytest.raises(InvalidArgumentError, match="Indices of first 1 different values"):
        f.get_concrete_function(nf.TensorSpec([]))
    assert ran == []


def test_errors_name_the_line():
    @nf.function
    def f(x):
        nf.debugging.assert_positive(x)

    with pytest.raises(InvalidArgumentError, match=r"\(in .*test_comparisons.py:\d+\)"):
        f(nf.constant(-1.0))


def test_arguments_that_do_not_fit():
    with pytest.raises(InvalidArgumentError, match=r"assert_equal: shapes \(2,\) and \(3,\)"):
        nf.debugging.assert_equal([1, 2], [1, 2, 3])
    with pytest.raises(InvalidArgumentError, match="assert_less: x is float32 and y is int32"):
        nf.debugging.assert_less(nf.constant(1.0), nf.constant(2))
    with pytest.raises(InvalidArgumentError, match="assert_near: x is int32"):
        nf.debugging.assert_near([1], [1])
    with pytest.raises(ValueError, match="Assert: condition has shape"):
        nf.Assert([True, False], [])
    with pytest.raises(InvalidArgumentError, match="Assert: condition is bool of shape"):
        nf.function(lambda x: nf.Assert(x, []))(nf.constant([True]))


# --- in programs ------------------------------------------------------------------------------------------------------


def test_variables_keep_their_values():
    v, w = nf.Variable(1.0), nf.Variable([1.0, 2.0])

    @nf.function
    def step(x):
        v.assign_add(x)
        w.assign(w * x)
        nf.debugging.assert_less(v, 4.0)

    step(nf.constant(2.0))
    before = w.numpy().tolist()
    with pytest.raises(InvalidArgumentError, match=r"\[5\]"):
        step(nf.constant(2.0))
    assert (v.numpy(), w.numpy().tolist()) == (3.0, before)
    step(nf.constant(0.5))
    assert v.numpy() == 3.5


def test_a_failure_is_told_once():
    """Several assertions fail in one run: the first is told, and the next run begins anew."""

    @nf.function
    def f(x):
        nf.debugging.assert_less(x, 1.0, message="one")
        nf.debugging.assert_less(x, 2.0, message="two")
        return x + 1

    with pytest.raises(InvalidArgumentError, match="one"):
        f(nf.constant(5.0))
    with pytest.raises(InvalidArgumentError, match="one"):
        f(nf.constant(1.5))
    assert f(nf.constant(0.0)).numpy() == 1.0


def test_assertions_are_native():
    """A function with assertions is one program, without Python between its parts."""

    @nf.function
    def f(x):
        nf.debugging.assert_positive(x)
        return nf.debugging.check_numerics(x * 2, "product")

    concrete = f.get_concrete_function(nf.TensorSpec([3]))
    assert f(nf.constant([1.0, 2, 3])).numpy().tolist() == [2.0, 4.0, 6.0]
    assert [node.op for node in concrete.graph.nodes].count(ASSERT) == 2
    (program,) = concrete.programs
    assert [node.op for node in program.graph.nodes].count(ASSERT) == 2


def test_of_nothing_else():
    """A function whose only content is an assertion."""
    f = nf.function(nf.debugging.assert_positive)
    assert f(nf.constant([1.0])) is None
    with pytest.raises(InvalidArgumentError):
        f(nf.constant([0.0]))


def test_in_a_loop_the_first_round_that_fails_is_told():
    @nf.function
    def f(n):
        total = nf.constant(0)
        for i in nf.range(n):
            nf.debugging.assert_less(i, 3, message="later")
            total += i
            nf.debugging.assert_less(total, 2, message="first")
        return total

    assert f(nf.constant(2)).numpy() == 1
    with pytest.raises(InvalidArgumentError, match=r"first.*\[3\]"):
        f(nf.constant(6))
    assert f(nf.constant(2)).numpy() == 1


def test_in_a_branch():
    @nf.function
    def f(x):
        if x > 0:
            nf.debugging.assert_less(x, 5.0)
        return x

    assert f(nf.constant(-9.0)).numpy() == -9.0
    with pytest.raises(InvalidArgumentError):
        f(nf.constant(9.0))


def test_gradients_check_nothing_again():
    x = nf.constant(3.0)

    @nf.function
    def f(x):
        nf.debugging.assert_positive(x)
        return x * x

    with nf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert tape.gradient(y, x).numpy() == 6.0


def test_vectorized_map():
    def f(x):
        nf.debugging.assert_less(x, 3.0)
        return x + 1

    assert nf.vectorized_map(f, nf.constant([1.0, 2.0])).numpy().tolist() == [2.0, 3.0]
    with pytest.raises(InvalidArgumentError):
        nf.vectorized_map(f, nf.constant([1.0, 3.0]))


def test_unknown_sizes():
    f = nf.function(lambda x: nf.debugging.assert_positive(x, summarize=2), input_signature=[nf.TensorSpec([None])])
    f(nf.ones([3]))
    with pytest.raises(InvalidArgumentError, match=r"\[1 -1\.\.\.\]"):
        f(nf.constant([1.0, -1.0, 5.0, 6.0]))


def test_strided_values_are_shown():
    f = nf.function(lambda x: nf.Assert(nf.reduce_all(x > 0), [nf.transpose(x)]))
    with pytest.raises(InvalidArgumentError, match=r"\[\[1 3\]\[-2\.\.\.\]\.\.\.\]"):
        f(nf.constant([[1, -2], [3, 4]]))
