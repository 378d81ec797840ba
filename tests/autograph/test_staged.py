"""Control flow over tensors: what errors say, what runs when the graph runs, options of loops."""

import re

import numpy as np
import pytest

import nbflow as nf

HERE = re.escape(__file__)
ONE, X = nf.constant(1.0), nf.constant([1.0, -2.0, 3.0])


def different_branches(x):
    if x > 0:
        y = "positive"
    else:
        y = x
    return y


def different_dtypes(x):
    if x > 0:
        y = nf.constant(1)
    else:
        y = nf.constant(1.0)
    return y


def different_returns(x):
    if x > 0:
        return x, x
    return x


def nothing_in_a_branch(x):  # noqa: RET503
    if x > 0:
        return x


def undefined_afterwards(x):
    if x > 0:
        word = "positive"
    return word


def dtype_in_a_loop(x):
    total = nf.constant(1)
    while x < 5.0:
        total = x + 1.0
        x = x + 1.0
    return total


def structure_in_a_loop(x):
    pair = (x, x)
    while x < 5.0:
        pair = (pair, x)
        x = x + 1.0
    return pair


def condition_of_many_elements(x):
    if x * nf.ones([2]) > 0:
        x = -x
    return x


def scalar_in_a_loop(x):
    for v in x:
        x = v
    return x


def elements_of_different_structure(x):
    found = []
    for i in range(nf.cast(x, nf.int32) + 3):
        found.append((x, x) if i is None else x)
        found.append((x, x))
    return found


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (different_branches, TypeError, "'y' is"),
        (different_dtypes, TypeError, "'y' is float32.*int32.*nf.cast"),
        (different_returns, TypeError, "'the return value'"),
        (nothing_in_a_branch, TypeError, "'the return value'"),
        (undefined_afterwards, UnboundLocalError, "'word'.*only one branch"),
        (dtype_in_a_loop, TypeError, "'total' has dtype int32 before the loop.*float32"),
        (structure_in_a_loop, TypeError, "'pair' has the structure"),
        (condition_of_many_elements, nf.errors.InvalidArgumentError, r"one element, got shape \(2,\)"),
        (scalar_in_a_loop, TypeError, "iterate over a scalar"),
        (elements_of_different_structure, TypeError, "structure"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_errors_name_the_variable(function, error, words):
    with pytest.raises(error, match=words) as caught:
        nf.function(function)(ONE)
    if function is not undefined_afterwards:  # which fails where its result is used
        assert any(str(entry.path) == __file__ and entry.name == function.__name__ for entry in caught.traceback)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: 1.0 if x > 0 else -1.0, "write nf.cond(x > 0, lambda: 1.0, lambda: -1.0)"),
        (lambda x: 0 < x < 5, "write nf.logical_and(0 < x, x < 5)"),
        (lambda x: x > 0 and x < 5 and x < 6, "write nf.logical_and(nf.logical_and(x > 0, x < 5), x < 6)"),
        (lambda x: not x > 0, "write nf.logical_not(x > 0)"),
        (different_dtypes, "write y = nf.cond(x > 0, lambda: nf.constant(1), lambda: nf.constant(1.0))"),
        (dtype_in_a_loop, "write nf.while_loop(lambda total, x: x < 5.0, body, [total, x])"),
        (eval("lambda x: 1.0 if x * 2 > 0 else -1.0"), "nf.cond((x * 2.0) > 0.0, lambda: …, lambda: …)"),
    ],
    ids=range(7),
)
def test_what_is_not_converted_says_what_to_write(function, words):
    without = nf.function(function, autograph=False)
    with pytest.raises(nf.errors.OperatorNotAllowedInGraphError, match=re.escape(words)):
        without(ONE)


def test_not_converted():
    @nf.autograph.experimental.do_not_convert
    def plain(x):
        return x if x > 0 else -x

    with pytest.raises(TypeError, match="as a Python bool"):
        nf.function(lambda x: plain(x))(ONE)
    assert float(plain(ONE)) == 1


def test_assertions_and_raise_when_the_graph_runs():
    @nf.function
    def checked(x):
        assert x < 10, "too large"
        if x < 0:
            raise ValueError(f"{1 + 1} reasons")
        return x * 2.0

    assert float(checked(ONE)) == 2
    with pytest.raises(nf.errors.InvalidArgumentError, match="too large"):
        checked(ONE * 20.0)
    with pytest.raises(nf.errors.InvalidArgumentError, match="ValueError: 2 reasons"):
        checked(-ONE)
    assert float(checked(ONE)) == 2


def test_errors_of_branches_that_are_not_raise_statements():
    @nf.function
    def wrong(x):
        if x > 0:
            x = nf.reshape(x, [2])
        return x

    with pytest.raises(nf.errors.InvalidArgumentError, match="reshape"):
        wrong(ONE)


def test_print(capfd):
    @nf.function
    def told(x):
        print("tracing", x.shape)
        total = 0.0
        for v in x:
            if v > 0:
                print("positive:", v)
            total += v
        return total

    for _ in range(2):
        told(X)
    output = capfd.readouterr().out
    assert output.count("tracing") == 1 and output.count("positive:") == 4


def test_variables_are_assigned_in_branches_and_loops():
    count, weights = nf.Variable(0), nf.Variable([1.0, 1.0])

    @nf.function
    def step(x):
        if nf.reduce_sum(x) > 0:
            count.assign_add(1)
        else:
            weights.assign(weights * 2.0)
        for v in x:
            weights.assign_add(nf.stack([v, 1.0]))
            if count > 1:
                break
        return count if count > 0 else count * 10

    assert int(step(X)) == 1 and weights.numpy().tolist() == [3, 4]
    assert int(step(X)) == 2 and weights.numpy().tolist() == [4, 5]
    assert int(step(-X)) == 2 and weights.numpy().tolist() == [7, 11]


def test_a_condition_is_evaluated_as_often_as_in_python():
    def counted():
        calls = nf.Variable(0)

        def f(n):
            while calls.assign_add(1) < n:
                pass
            return calls.read_value()

        return f

    assert int(counted()(nf.constant(5))) == int(nf.function(counted())(nf.constant(5))) == 5


def test_loop_options():
    @nf.function
    def limited(n):
        i = 0
        while i < n:
            nf.autograph.experimental.set_loop_options(maximum_iterations=4)
            i += 1
        return i

    assert [int(limited(nf.constant(n))) for n in (2, 9)] == [2, 4]


def test_training_in_one_function():
    x = nf.constant(np.linspace(-1, 1, 20), nf.float32)
    y = 3.0 * x + 0.5

    def train(w, b, steps):
        for _ in range(steps):
            with nf.GradientTape() as tape:
                loss = nf.reduce_mean(nf.square(x * w + b - y))
            dw, db = tape.gradient(loss, [w, b])
            w.assign_sub(0.3 * dw)
            b.assign_sub(0.3 * db)
            if loss < 1e-10:
                break
        return w.read_value(), b.read_value()

    wanted = train(nf.Variable(0.0), nf.Variable(0.0), 25)
    found = nf.function(train)(nf.Variable(0.0), nf.Variable(0.0), nf.constant(25))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_loops_over_python_values_with_no_end():
    def forever():
        while True:
            yield 1

    @nf.function
    def f(x):
        for _ in forever():
            if x > 3:
                break
        return x

    with pytest.raises(NotImplementedError, match="200 of them"):
        f(ONE)


def test_what_goes_over_a_range_of_tensors():
    with pytest.raises(TypeError, match="nf.map_fn"):
        nf.function(lambda n: list(range(n)))(nf.constant(3))
    with pytest.raises(TypeError, match="takes integers"):
        nf.function(lambda n: list(range(n)))(ONE)


def test_control_flow_in_functions_that_library_functions_call():
    @nf.function
    def f(x):
        doubled = nf.map_fn(lambda v: v * 2.0 if v > 0 else v, x)
        return nf.cond(x[0] > 0, lambda: doubled if x[1] > 0 else -doubled, lambda: x)

    np.testing.assert_array_equal(f(X), [-2, 2, -6])


def test_second_order():
    def power(x):
        y = nf.ones_like(x)
        for _ in range(nf.constant(3)):
            y = y * x if x > 0 else y
        return y

    with nf.GradientTape() as outer:
        outer.watch(ONE)
        with nf.GradientTape() as inner:
            inner.watch(ONE)
            y = nf.function(power)(ONE * 2.0)
        first = inner.gradient(y, ONE)
    assert float(first) == 24 and float(outer.gradient(first, ONE)) == 48
