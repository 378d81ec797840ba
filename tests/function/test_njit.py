"""Functions that Numba's code calls: values, gradients, sizes, threads, and what is refused."""

import threading
import warnings

import numba
import numpy as np
import pytest
from numba.core.errors import NumbaWarning, TypingError

import nbflow as nf

RNG = np.random.default_rng(0)


@nf.function
def loss(w, x, y):
    return nf.reduce_mean(nf.square(nf.linalg.matvec(x, w) - y))


def problem(rows, dtype=np.float64):
    x = RNG.normal(size=(rows, 3)).astype(dtype)
    return np.ones(3, dtype), x, x @ np.array([1, 2, 3], dtype)


@pytest.fixture(scope="module")
def value():
    return loss.njit("float64(float64[:], float64[:,:], float64[:])")


@pytest.fixture(scope="module")
def value_and_gradient():
    return loss.njit("(float64[:], float64[:,:], float64[:])", gradient="w")


def test_value_in_a_loop_of_the_users(value):
    @numba.njit
    def total(w, x, y):
        found = 0.0
        for k in range(3):
            found += value(w * k, x, y)
        return found

    w, x, y = problem(20)
    wanted = sum(float(loss(w * k, x, y)) for k in range(3))
    assert total(w, x, y) == pytest.approx(wanted, rel=1e-14)


def test_gradient_against_finite_differences(value, value_and_gradient):
    w, x, y = problem(30)
    found, gradient = value_and_gradient(w, x, y)
    assert found == value(w, x, y)
    step = 1e-6 * np.eye(3)
    wanted = [(value(w + d, x, y) - value(w - d, x, y)) / 2e-6 for d in step]
    np.testing.assert_allclose(gradient, wanted, rtol=1e-7)


def test_training_in_numba(value_and_gradient):
    @numba.njit
    def train(w, x, y, steps):
        for _ in range(steps):
            w = w - 0.1 * value_and_gradient(w, x, y)[1]
        return w

    np.testing.assert_allclose(train(*problem(50), 300), [1, 2, 3], rtol=1e-6)


@pytest.mark.parametrize("rows", [1, 7, 1000, 7])
def test_each_number_of_rows_has_a_program(value, rows):
    w, x, y = problem(rows)
    assert value(w, x, y) == pytest.approx(float(loss(w, x, y)), rel=1e-14)


def test_arrays_of_any_layout_and_keyword_arguments(value):
    w, x, y = problem(12)
    wanted = value(w, x, y)
    assert value(w[::-1].copy()[::-1], np.asfortranarray(x), y=np.repeat(y, 2)[::2]) == wanted
    w.flags.writeable = False
    assert value(w, x, y) == wanted
    unaligned = np.frombuffer(b" " + x.tobytes(), np.uint8)[1:].view(np.float64).reshape(x.shape)
    assert not unaligned.flags.aligned and value(w, unaligned, y) == wanted


def test_sizes_that_do_not_fit_together(value):
    w, x, y = problem(9)
    with pytest.raises(ValueError, match="there is no program for arrays of these sizes"):
        value(w, x, y[:5])


def test_known_sizes_are_checked():
    f = loss.njit(
        [nf.TensorSpec([3], "float64"), nf.TensorSpec([None, 3], "float64"), nf.TensorSpec([None], "float64")]
    )
    w, x, y = problem(4)
    assert f(w, x, y) == float(loss(w, x, y))
    with pytest.raises(ValueError, match=r"loss: x does not have the shape that it was compiled for, \(None, 3\)"):
        f(w, np.ones((4, 5)), y)


def test_types_are_checked_when_the_caller_is_compiled(value):
    w, x, y = problem(4)
    with pytest.raises(TypingError, match=r"loss: x is array\(float32, 2d, C\); .* float64\[:,:\] \(use astype\)"):
        value(w, x.astype(np.float32), y)
    with pytest.raises(TypingError, match=r"loss: w is float64; it was compiled for float64\[:\]"):
        value(1.0, x, y)


@pytest.mark.parametrize(
    ("dtype", "given", "wanted"),
    [
        ("float32", 2, 5.0), ("int64", 2, 5), ("complex128", 2.5, 6 + 0j), ("complex64", 2 + 1j, 5 + 2j),
        ("uint8", 3, 7),
    ],
)  # fmt: skip
def test_numbers(dtype, given, wanted):
    f = nf.function(lambda x: 2 * x + 1).njit(f"{dtype}({dtype})")
    found = numba.njit(lambda x: f(x))(given)
    assert found == wanted and not isinstance(found, np.ndarray)
    assert f(np.array(given, dtype)) == wanted


def test_numbers_are_not_made_lesser():
    f = nf.function(lambda x: x + 1).njit("int64(int64)")
    with pytest.raises(TypingError, match="x is float64; it was compiled for int64"):
        f(1.5)


def test_results_are_nested_tuples_of_arrays_and_numbers():
    @nf.function
    def several(x, flag):
        return x + 1.0, [nf.reduce_sum(x), (nf.size(x), nf.logical_not(flag))], x > 1.0

    f = several.njit("(float32[:], boolean)")
    a, (b, (c, d)), e = f(np.array([1, 2], np.float32), True)
    assert a.tolist() == [2, 3] and (b, c, d) == (3, 2, False) and e.tolist() == [False, True]


def test_examples_as_signature_and_several_gradients():
    f = nf.function(lambda x, y: nf.reduce_sum(x * y, axis=1))
    x, y = nf.constant([[1.0, 2.0]]), np.array([3.0, 4.0], np.float32)
    value, (for_y, for_x) = f.njit([x, y], gradient=[1, 0])(x.numpy(), y)
    assert value.tolist() == [11] and for_y.tolist() == [1, 2] and for_x.tolist() == [[3, 4]]


def test_gradients_that_are_zero_or_sparse():
    f = nf.function(lambda table, x: nf.reduce_sum(nf.gather(table, [1, 1])))
    g = f.njit("(float32[:,:], float32[:])", gradient=(0, 1))
    _, (for_table, for_x) = g(np.ones((3, 2), np.float32), np.ones(2, np.float32))
    assert for_table.tolist() == [[0, 0], [2, 2], [0, 0]] and for_x.tolist() == [0, 0]


def test_empty_arrays():
    f = nf.function(lambda x: (x * 2.0, nf.reduce_sum(x))).njit("(float32[:,:],)")
    doubled, total = f(np.ones((0, 3), np.float32))
    assert doubled.shape == (0, 3) and total == 0


def test_second_order():
    @nf.function
    def slope(x):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = x**4
        return tape.gradient(y, x)

    assert slope.njit("float64(float64)", gradient=0)(2.0) == (32.0, 48.0)


def test_variables_have_the_values_of_when_it_was_compiled():
    v, w = nf.Variable(3.0), nf.Variable([1.0, 2.0])
    f = nf.function(lambda x: x * v + w).njit("float32[:](float32)")
    v.assign(100.0)
    w.assign_add([5.0, 5.0])
    assert f(2.0).tolist() == [7, 8]


def test_methods_and_input_signature():
    class Model:
        def __init__(self):
            self.w = nf.Variable([2.0, 3.0])

        @nf.function(input_signature=[nf.TensorSpec([None, 2])])
        def predict(self, x):
            return nf.linalg.matvec(x, self.w)

    model = Model()
    assert model.predict.njit()(np.ones((3, 2), np.float32)).tolist() == [5, 5, 5]


def test_bad_values():
    f = nf.function(lambda x, k: nf.gather(x, k)).njit("(float32[:], int32[:])")
    x = np.arange(4, dtype=np.float32)
    assert f(x, np.array([3, 0], np.int32)).tolist() == [3, 0]
    with pytest.raises(nf.errors.InvalidArgumentError, match="an op met values that it cannot take"):
        f(x, np.array([9], np.int32))
    assert f(x, np.array([1], np.int32)).tolist() == [1]


# --- control flow -----------------------------------------------------------------------------------------------------


@nf.function
def rounds(x, n):
    total = nf.constant(0.0, nf.float64)
    for i in nf.range(n):
        if i % 2 == 0:
            x = x * 1.01
        else:
            x = nf.sin(x)
        total += nf.reduce_sum(x)
    return total


def test_loops_and_branches():
    f = rounds.njit("float64(float64[:], int32)")
    x = np.linspace(0, 1, 5)
    assert [f(x, n) for n in (6, 0, 3)] == [float(rounds(x, nf.constant(n))) for n in (6, 0, 3)]


@pytest.mark.parametrize("threads", [1, 2])
def test_gradient_of_loops(threads):
    f = rounds.njit([nf.TensorSpec([50_000], nf.float64), nf.TensorSpec([], nf.int32)], gradient="x", threads=threads)
    x = np.linspace(0, 1, 50_000)
    value, gradient = f(x, 7)
    cell = nf.constant(x)
    with nf.GradientTape() as tape:
        tape.watch(cell)
        wanted = rounds(cell, nf.constant(7))
    assert value == pytest.approx(float(wanted), rel=1e-14)
    np.testing.assert_allclose(gradient, tape.gradient(wanted, cell).numpy(), rtol=1e-13)


def test_gradient_of_loops_over_open_sizes():
    f = rounds.njit("float64(float64[:], int32)", gradient="x")
    x, step = np.linspace(0, 1, 3), 1e-6 * np.eye(3)
    wanted = [(f(x + d, 6)[0] - f(x - d, 6)[0]) / 2e-6 for d in step]
    np.testing.assert_allclose(f(x, 6)[1], wanted, rtol=1e-8)


def test_assertions():
    @nf.function
    def f(x):
        assert x > 0, "it is not positive"
        return nf.sqrt(x)

    f = f.njit("float64(float64)")
    assert f(4.0) == 2
    with pytest.raises(nf.errors.InvalidArgumentError, match="an op met values that it cannot take"):
        f(-4.0)
    assert f(9.0) == 3


# --- threads ----------------------------------------------------------------------------------------------------------


def test_new_sizes_where_python_cannot_run():
    f = nf.function(lambda x: x * 2.0).njit("(float32[:],)")
    free = numba.njit(nogil=True)(lambda x: f(x))
    x = np.ones(6, np.float32)
    with pytest.raises(ValueError, match="for the first time in a thread without Python's lock"):
        free(x)
    f(x)
    assert free(x).tolist() == [2] * 6


@pytest.mark.parametrize(("threads", "size"), [(1, 50), (3, 50), (1, 200_000)])
def test_calls_of_several_threads(threads, size):
    f = nf.function(lambda x: (nf.reduce_sum(nf.cumsum(x)), x * 3.0)).njit(
        [nf.TensorSpec([size], "float64")], threads=threads
    )

    @numba.njit(nogil=True)
    def many(k, calls):
        x = np.full(size, float(k))
        wrong = 0
        for _ in range(calls):
            total, result = f(x)
            wrong += total != k * size * (size + 1) / 2 or result[0] != 3 * k or result[size - 1] != 3 * k
        return wrong

    many(1, 1)
    found = []
    workers = [threading.Thread(target=lambda k=k: found.append(many(k, 20_000_000 // size // 10))) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [0] * 4


def test_prange():
    f = nf.function(lambda x: x * x + 1.0).njit("float64(float64)", threads=2)

    @numba.njit(parallel=True)
    def each(x):
        for k in numba.prange(len(x)):
            x[k] = f(x[k])

    x = RNG.normal(size=5000)
    wanted = x * x + 1
    each(x)
    np.testing.assert_array_equal(x, wanted)


# --- what is refused --------------------------------------------------------------------------------------------------


def test_code_with_addresses_is_not_kept_on_disk():
    f = nf.function(lambda x: x + 1.0).njit("float64(float64)")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert numba.njit(cache=True)(lambda x: f(x))(1.0) == 2
    assert any(issubclass(w.category, NumbaWarning) and "dynamic globals" in str(w.message) for w in seen)


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (
            lambda x: nf.linalg.svd(x, compute_uv=False),
            {},
            "singular_values runs in Python, which Numba",
        ),
        (
            lambda x: nf.while_loop(lambda y: nf.reduce_sum(y) < 9.0, lambda y: [nf.linalg.inv(y)], [x]),
            {},
            "matrix_inverse runs in Python, which Numba",
        ),
        (lambda x: nf.py_function(abs, [x], nf.float32), {}, "call_python runs in Python, which Numba"),
        (lambda x: x + nf.random.normal([2, 2]), {}, "draw random numbers with nf.random.stateless_"),
        (lambda x: {"a": x}, {}, "the result has a dict in it"),
        (lambda x: nf.cast(x, nf.bfloat16), {}, "Numba has no bfloat16"),
        (lambda x: x, {"gradient": 1}, "gradient is 1; it takes positions or names"),
        (lambda x: x, {"gradient": "y"}, "gradient is 'y'; it takes positions or names"),
        (lambda x: x, {"threads": 0}, "threads is 0; it takes an integer from 1"),
        (lambda x: x, {"signature": "float16(float16)"}, "Numba has no float16"),
        (lambda x: x, {"signature": "float32(unicode_type)"}, "neither an array nor a number"),
        (lambda x: x, {"signature": "no type"}, "signature is 'no type'; it takes one of Numba's"),
        (lambda x: x, {"signature": None}, "give a signature"),
        (lambda x: x, {"signature": "float64[:](float32[:])"}, "it returns .* the signature says"),
    ],
)
def test_refused(function, options, message):
    signature = {"signature": [nf.TensorSpec([2, 2])], **options}
    with pytest.raises((TypeError, ValueError), match=message):
        nf.function(function).njit(**signature)


def test_updates_of_variables_are_refused():
    v = nf.Variable(1.0, name="count")
    with pytest.raises(TypeError, match="it updates 'count:0'"):
        nf.function(lambda x: v.assign_add(x)).njit("(float32,)")
