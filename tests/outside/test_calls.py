"""py_function, numpy_function and timestamp: Python functions as a part of compiled ones."""

import concurrent.futures
import gc
import io
import threading
import time
import traceback
import weakref

import numpy as np
import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError

VECTOR = nf.TensorSpec([None])
SCALAR = nf.TensorSpec([])


@pytest.fixture(params=["eager", "traced"])
def run(request):
    """A function as it is, or compiled."""
    return (lambda f: f) if request.param == "eager" else nf.function


# --- results ----------------------------------------------------------------------------------------------------------


def test_python_control_flow_over_values(run):
    calls = []

    @run
    def f(x):
        return nf.py_function(lambda x: (calls.append(type(x)), x * 2 if x > 0 else -x)[1], [x], nf.float32)

    assert [f(nf.constant(x)).numpy() for x in (3.0, -1.0)] == [6.0, 1.0]
    assert calls == [nf.Tensor, nf.Tensor]


def test_several_results(run):
    @run
    def f(x):
        a, b = nf.py_function(lambda x: (x + 1, int(x[0])), [x], [VECTOR, nf.TensorSpec([], nf.int64)])
        return a * 2, b + 1

    a, b = f(nf.constant([1.0, 2.0]))
    assert (a.numpy().tolist(), b.numpy(), b.dtype) == ([4.0, 6.0], 2, nf.int64)


@pytest.mark.parametrize("returned", [None, 5, (), [1, 2]])
def test_no_results(run, returned):
    calls = []
    f = run(lambda x: nf.py_function(lambda x: (calls.append(1), returned)[1], [x], []))
    assert f(nf.constant(1)) == []
    assert calls == [1]


def test_one_result_in_a_list(run):
    f = run(lambda x: nf.py_function(lambda x: [x + 1], [x], [nf.int32]))
    assert [t.numpy() for t in f(nf.constant(1))] == [2]


def test_runs_although_nobody_needs_it():
    calls = []

    @nf.function
    def f(x):
        nf.py_function(lambda x: calls.append(float(x)), [x], [])
        nf.py_function(lambda x: (calls.append(-float(x)), x)[1], [x], nf.float32)
        return x

    f(nf.constant(1.0)), f(nf.constant(2.0))
    assert calls == [1.0, -1.0, 2.0, -2.0]


def test_as_a_decorator(run):
    @nf.py_function(Tout=SCALAR)
    def root(x):
        """The root."""
        return nf.sqrt(x)

    assert root.__doc__ == "The root."
    assert run(lambda x: root(x) + 1)(nf.constant(9.0)).numpy() == 4.0


def test_arguments_are_copies(run):
    """What a function does to its arguments, or keeps of them, is its own affair."""
    v, kept = nf.Variable([1.0, 2.0]), []

    @run
    def f():
        nf.py_function(kept.append, [v], [])
        nf.numpy_function(lambda a: a.fill(7.0), [v], [])
        v.assign_add([1.0, 1.0])
        return v + 0

    assert f().numpy().tolist() == [2.0, 3.0]
    assert kept[0].numpy().tolist() == [1.0, 2.0]


def test_numpy_function(run):
    seen = []

    @run
    def f(x):
        return nf.numpy_function(lambda x: (seen.append(type(x)), np.sort(x))[1], [x], VECTOR) * 2

    assert f(nf.constant([3.0, 1.0])).numpy().tolist() == [2.0, 6.0]
    assert seen == [np.ndarray]


def test_stateless_numpy_function_runs_only_if_needed():
    calls = []

    @nf.function
    def f(x):
        nf.numpy_function(lambda x: (calls.append("unused"), x)[1], [x], SCALAR, stateful=False)
        return nf.numpy_function(lambda x: (calls.append("used"), x + x)[1], [x], SCALAR, stateful=False)

    assert f(nf.constant(1.0)).numpy() == 2.0
    assert calls == ["used"]


def test_in_a_loop(run):
    calls = []

    @run
    def f(n):
        total = nf.constant(0.0)
        for i in nf.range(n):
            total += nf.py_function(lambda i: (calls.append(int(i)), float(i) ** 2)[1], [i], SCALAR)
        return total

    assert f(nf.constant(4)).numpy() == 14.0
    assert calls == [0, 1, 2, 3]


# --- shapes -----------------------------------------------------------------------------------------------------------


def doubled(x, Tout=nf.float32):
    return nf.py_function(lambda x: x * 2, [x], Tout)


def test_unknown_shape_is_returned_and_passed_on():
    f = nf.function(lambda x: doubled(doubled(x)))
    assert f(nf.constant([1.0, 2.0])).numpy().tolist() == [4.0, 8.0]
    assert f(nf.constant(1.0)).numpy() == 4.0


def test_unknown_shape_needs_to_be_said():
    with pytest.raises(ValueError, match=r"add: the tensor's shape is unknown.*test_calls.py.*set_shape"):
        nf.function(lambda x: doubled(x) + 1)(nf.constant(1.0))
    with pytest.raises(ValueError, match="ndim: the tensor's shape is unknown"):
        nf.function(lambda x: doubled(x).ndim)(nf.constant(1.0))


def test_unknown_shape():
    shapes = []
    nf.function(lambda x: shapes.append(doubled(x).shape))(nf.constant(1.0))
    assert shapes == [nf.TensorShape(None)]


@pytest.mark.parametrize("how", ["set_shape", "ensure_shape", "spec"])
def test_shape_that_is_said(how):
    @nf.function
    def f(x):
        y = doubled(x, nf.TensorSpec([None, 2]) if how == "spec" else nf.float32)
        if how == "set_shape":
            y.set_shape([None, 2])
        if how == "ensure_shape":
            y = nf.ensure_shape(y, [None, 2])
        assert y.shape.as_list() == [None, 2]
        return nf.reduce_sum(y, axis=1)

    assert f(nf.ones([3, 2])).numpy().tolist() == [4.0] * 3
    assert f(nf.ones([1, 2])).numpy().tolist() == [4.0]
    with pytest.raises(InvalidArgumentError, match=r"shape \(3, 3\)"):
        f(nf.ones([3, 3]))


def test_shape_in_the_spec_is_checked_eagerly_too():
    with pytest.raises(InvalidArgumentError, match=r"value 0 that the function returned has shape \(2,\).*\(3,\)"):
        doubled(nf.constant([1.0, 2.0]), nf.TensorSpec([3]))


def test_set_shape_of_an_argument():
    @nf.function(input_signature=[nf.TensorSpec([None, None])])
    def f(x):
        x.set_shape([None, 3])
        assert x.shape.as_list() == [None, 3]
        return nf.reduce_sum(x)

    assert f(nf.ones([2, 3])).numpy() == 6.0
    with pytest.raises(InvalidArgumentError, match=r"\(2, 4\) is not compatible with expected shape"):
        f(nf.ones([2, 4]))


# --- gradients --------------------------------------------------------------------------------------------------------


def test_gradient(run):
    calls = []

    @run
    def f(x, y):
        return nf.py_function(lambda x, y: (calls.append(1), x * x * y)[1], [x, y], nf.float32)

    x, y = nf.constant(3.0), nf.constant(2.0)
    with nf.GradientTape() as outer:
        outer.watch(x)
        with nf.GradientTape() as tape:
            tape.watch([x, y])
            z = f(x, y)
        dx, dy = tape.gradient(z, [x, y])
    assert (z.numpy(), dx.numpy(), dy.numpy()) == (18.0, 12.0, 9.0)
    assert outer.gradient(dx, x).numpy() == 4.0


def test_gradient_in_a_trace_calls_once():
    calls = []

    @nf.function
    def f(x):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = nf.py_function(lambda x: (calls.append(1), x**3)[1], [x], SCALAR)
        return tape.gradient(y, x)

    assert [f(nf.constant(x)).numpy() for x in (2.0, 3.0)] == [12.0, 27.0]
    assert calls == [1, 1]


def test_gradient_of_one_of_several(run):
    @run
    def f(x, n):
        return nf.py_function(lambda x, n: (x * 2, x * x, n), [x, n], [SCALAR, SCALAR, nf.TensorSpec([], nf.int32)])[1]

    x = nf.constant(3.0)
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = f(x, nf.constant(1))
    assert tape.gradient(y, x).numpy() == 6.0


def test_gradient_that_is_not_there(run):
    x = nf.constant(3.0)
    for function, expected in ((lambda x: nf.constant(1.0), 0.0), (lambda x: nf.stop_gradient(x), 0.0)):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = run(lambda x, function=function: nf.py_function(function, [x], SCALAR))(x)
        assert tape.gradient(y, x).numpy() == expected


def test_numpy_function_has_no_gradient(run):
    x = nf.constant(3.0)
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = run(lambda x: nf.numpy_function(lambda x: x * 2, [x], SCALAR))(x)
    assert tape.gradient(y, x) is None


def test_gradient_through_a_loop(run):
    @run
    def f(x):
        y = x
        for _ in nf.range(3):
            y = nf.py_function(lambda a: a * a, [y], SCALAR)
        return y

    x = nf.constant(2.0)
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert (y.numpy(), tape.gradient(y, x).numpy()) == (256.0, 1024.0)


def test_tapes_go_when_the_program_is_done():
    seen = []

    def square(x):
        seen.append(weakref.ref(x))
        return x * x

    @nf.function
    def f(x):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = nf.py_function(square, [x], SCALAR)
        return tape.gradient(y, x)

    assert f(nf.constant(2.0)).numpy() == 4.0
    gc.collect()
    assert seen[0]() is None


# --- Variables --------------------------------------------------------------------------------------------------------


def test_variables_are_as_the_program_has_them(run):
    v, seen = nf.Variable(1.0), []

    @run
    def f():
        nf.py_function(lambda: seen.append(float(v.numpy())), [], [])
        v.assign_add(1.0)
        nf.py_function(lambda: seen.append(float(v.numpy())), [], [])
        nf.py_function(lambda: v.assign(v * 10) and None, [], [])
        v.assign_add(0.5)
        return v + 0

    assert f().numpy() == 20.5
    assert (v.numpy(), seen) == (20.5, [1.0, 2.0])


def test_variables_in_a_loop(run):
    v, seen = nf.Variable(0.0), []

    @run
    def f(n):
        for _ in nf.range(n):
            v.assign_add(1.0)
            nf.py_function(lambda: seen.append(float(v.numpy())), [], [])

    f(nf.constant(3))
    assert (v.numpy(), seen) == (3.0, [1.0, 2.0, 3.0])


def test_variables_after_an_error():
    v = nf.Variable(1.0)

    @nf.function
    def f(x):
        v.assign_add(x)
        nf.py_function(lambda: 1 / 0, [], [])

    with pytest.raises(ZeroDivisionError):
        f(nf.constant(1.0))
    assert v.numpy() == 1.0


# --- errors -----------------------------------------------------------------------------------------------------------


class OwnError(Exception):
    pass


def failing(x):
    raise OwnError("mine")


def test_errors_arrive_as_they_are():
    f = nf.function(lambda x: nf.py_function(failing, [x], []))
    with pytest.raises(OwnError, match="mine") as caught:
        f(nf.constant(1.0))
    assert "failing" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert any("py_function, in" in note and "test_calls.py" in note for note in caught.value.__notes__)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda x: nf.py_function(lambda x: (x, x), [x], [SCALAR] * 3), "returned 2 values; Tout says 3"),
        (lambda x: nf.py_function(lambda x: None, [x], nf.float32), "returned 0 values; Tout says 1"),
        (lambda x: nf.py_function(lambda x: nf.constant(1), [x], nf.float32), "value 0.*int32"),
        (lambda x: nf.numpy_function(lambda x: np.float64(1), [x], nf.float32), "is float64; Tout says float32"),
    ],
)
def test_wrong_results(run, call, match):
    with pytest.raises(InvalidArgumentError, match=match):
        run(call)(nf.constant(1.0))


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((abs, [1.0]), TypeError, "Tout is missing"),
        ((abs, None, nf.float32), TypeError, "inp is missing"),
        ((None, [1.0], nf.float32), TypeError, "as a decorator"),
        ((3, [1.0], nf.float32), ValueError, "func is 3"),
    ],
)
def test_wrong_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        nf.py_function(*arguments)


# --- locks ------------------------------------------------------------------------------------------------------------


def test_recursion():
    v = nf.Variable(0.0)

    @nf.function
    def f(x):
        v.assign_add(1.0)
        return nf.py_function(lambda x: f(x - 1) if x > 0 else x, [x], SCALAR) + 1

    assert f(nf.constant(3.0)).numpy() == 4.0
    assert v.numpy() == 4.0


def test_calls_in_other_threads():
    """A Python function may wait for another thread that runs the same compiled function."""
    v = nf.Variable(0.0)

    def inner(x):
        if x <= 0:
            return x
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(f, x - 1).result(timeout=60)

    @nf.function
    def f(x):
        v.assign_add(x)
        return nf.py_function(inner, [x], SCALAR)

    assert f(nf.constant(3.0)).numpy() == 0.0


def test_threads_with_effects_lose_no_updates():
    v = nf.Variable(0.0)

    @nf.function
    def f(x):
        nf.timestamp()
        v.assign_add(x)

    f(nf.constant(1.0))
    threads = [threading.Thread(target=lambda: [f(nf.constant(1.0)) for _ in range(50)]) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert v.numpy() == 201.0


# --- the clock --------------------------------------------------------------------------------------------------------


def test_timestamp():
    @nf.function
    def f():
        before = nf.timestamp()
        nf.py_function(lambda: time.sleep(0.01), [], [])
        return before, nf.timestamp()

    start = time.time()
    eager = nf.timestamp()
    for _ in range(2):
        before, after = f()
    assert eager.dtype is nf.float64 and before.dtype is nf.float64
    assert start <= eager.numpy() <= before.numpy() <= after.numpy() - 0.01
    assert after.numpy() <= time.time()


def test_effects_of_loops_happen_once():
    """The gradient of a loop runs it again where it was taken outside, but prints nothing."""
    out, calls = io.StringIO(), []

    @nf.function
    def f(x):
        y = x
        for _ in nf.range(2):
            nf.print(y, output_stream=out)
            y = nf.py_function(lambda a: (calls.append(1), a * a)[1], [y], SCALAR) * x
        return y

    @nf.function
    def inside(x):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)

    x = nf.constant(2.0)
    assert inside(x).numpy() == 7 * 64.0
    assert (out.getvalue(), len(calls)) == ("2\n8\n", 2)
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert tape.gradient(y, x).numpy() == 7 * 64.0
    assert (out.getvalue(), len(calls)) == ("2\n8\n" * 2, 6)


def test_effects_of_branches_happen_once():
    out = io.StringIO()

    @nf.function
    def f(x):
        y = x
        for i in nf.range(3):
            if i > 0:
                nf.print(i, output_stream=out)
                y = y * x
        return y

    x = nf.constant(2.0)
    with nf.GradientTape() as outer:
        outer.watch(x)
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        first = tape.gradient(y, x)
    assert (first.numpy(), outer.gradient(first, x).numpy()) == (12.0, 12.0)
    assert out.getvalue() == "1\n2\n"
