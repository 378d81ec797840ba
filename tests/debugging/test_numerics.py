"""check_numerics, and the search for what made the first NaN."""

import threading

import numpy as np
import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError
from nbflow.tensor.state import busy

NAN, INF = float("nan"), float("inf")


@pytest.fixture(params=["eager", "traced"])
def run(request):
    """A function as it is, or compiled."""
    return (lambda f: f) if request.param == "eager" else nf.function


@pytest.fixture
def checking():
    nf.debugging.enable_check_numerics()
    yield
    nf.debugging.disable_check_numerics()


# --- of one tensor ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64"])
@pytest.mark.parametrize(
    ("value", "what"), [([1, NAN], "NaN"), ([1, -INF], "Inf"), ([NAN, INF], "Inf and NaN"), ([1, 2], None)]
)
def test_check_numerics(run, dtype, value, what):
    f = run(lambda x: nf.debugging.check_numerics(x, "here"))
    x = nf.cast(nf.constant(value, nf.float64), dtype)
    if what is None:
        np.testing.assert_array_equal(f(x), x)
        return
    with pytest.raises(InvalidArgumentError, match=f"here : Tensor had {what} values"):
        f(x)


def test_check_numerics_of_integers():
    with pytest.raises(InvalidArgumentError, match="check_numerics: tensor is int32"):
        nf.debugging.check_numerics(nf.constant(1), "x")


def test_gradients_are_checked(run):
    x = nf.constant([0.0, 4.0])
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = run(lambda x: nf.debugging.check_numerics(nf.sqrt(x), "root") * 2)(x)
    assert np.isinf(tape.gradient(y, x).numpy()[0])  # made after the check
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = run(lambda x: nf.sqrt(nf.debugging.check_numerics(x, "argument")))(x)
    with pytest.raises(InvalidArgumentError, match=r"detected in gradient. argument : Tensor had Inf values"):
        tape.gradient(y, x)


# --- of every op ------------------------------------------------------------------------------------------------------


def steps(x):
    y = x * 2
    z = nf.math.log(y)  # the line
    return nf.exp(z) / 0.0


def test_the_first_is_named(run, checking):
    with pytest.raises(
        InvalidArgumentError, match=r'(?s)Inf in output 0 of op "log".*test_numerics.py:\d+, in steps'
    ) as caught:
        run(steps)(nf.constant([1.0, 0.0]))
    line = steps.__code__.co_firstlineno + 2
    assert f"test_numerics.py:{line}, in steps" in str(caught.value)
    with pytest.raises(InvalidArgumentError, match='of op "divide"'):
        run(steps)(nf.constant([1.0, 2.0]))


def test_counts_of_eager_values(checking):
    with pytest.raises(InvalidArgumentError) as caught:
        nf.math.log(nf.constant([0.0, -1.0, -2.0, 1.0]))
    assert "# of -Inf elements: 1\n  # of +NaN elements: 2" in str(caught.value)


def test_the_first_round_of_a_loop(checking):
    @nf.function
    def f(x):
        for _ in nf.range(5):
            x = x - 1.0
            x = nf.math.log(x)
        return x

    with pytest.raises(InvalidArgumentError, match='of op "log"'):
        f(nf.constant(10.0))


def test_gradients(checking):
    x = nf.constant([0.0, 1.0])
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = nf.sqrt(x)
    with pytest.raises(InvalidArgumentError, match='Inf in output 0 of op "divide"'):
        tape.gradient(y, x)


def test_values_that_are_fine(run, checking):
    v = nf.Variable([1.0, 2.0])

    def f(x):
        v.assign_add(x)
        return nf.where(x > 0, x, -x) + nf.cast(nf.constant(True), nf.float32), nf.range(2), nf.linalg.inv(nf.eye(2))

    results = run(f)(nf.constant([1.0, -1.0]))
    assert results[0].numpy().tolist() == [2.0, 2.0]
    assert v.numpy().tolist() == [2.0, 1.0]


def test_functions_have_traces_of_their_own():
    f = nf.function(steps)
    x = nf.constant([1.0, 0.0])
    assert np.isinf(f(x).numpy()[0])
    nf.debugging.enable_check_numerics()
    nf.debugging.enable_check_numerics()  # has no further effect
    try:
        with pytest.raises(InvalidArgumentError):
            f(x)
    finally:
        nf.debugging.disable_check_numerics()
    assert np.isinf(f(x).numpy()[0])
    assert f.experimental_get_tracing_count() == 1


def test_only_of_this_thread(checking):
    results = []
    thread = threading.Thread(target=lambda: results.append(steps(nf.constant(0.0)).numpy()))
    thread.start()
    thread.join()
    assert np.isnan(results[0])


def test_the_quick_ways_come_back():
    count = busy.count
    nf.debugging.disable_check_numerics()  # before it was enabled
    nf.debugging.enable_check_numerics()
    nf.debugging.disable_check_numerics()
    assert busy.count == count
    assert np.isinf((nf.constant(1.0) / 0.0).numpy())
