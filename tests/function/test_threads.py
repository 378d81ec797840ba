"""Threads that call the same functions, trace at the same time, and record on tapes of their own."""

import sys
import threading

import numpy as np
import pytest

import nbflow as nf


@pytest.fixture(autouse=True)
def many_switches():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def in_threads(count, work):
    """Runs work(k) in threads; raises what the first of them raised."""
    errors = []

    def run(k):
        try:
            work(k)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize(("size", "calls"), [(10, 300), (300_000, 20)])
def test_one_function(size, calls):
    w = nf.range(float(size))
    f = nf.function(lambda x: (nf.reduce_sum(nf.sigmoid(x * 0.01) + x), x * 3.0 + w))

    def work(k):
        x = nf.fill([size], float(k))
        wanted = 3 * np.float32(k) + w.numpy()
        first = float(f(x)[0])
        for _ in range(calls):
            total, result = f(x)
            assert float(total) == pytest.approx(first, rel=1e-4)
            np.testing.assert_array_equal(result, wanted)

    in_threads(4, work)
    assert f.experimental_get_tracing_count() == 1


def test_first_calls_at_the_same_time():
    """Each makes programs for itself; whatever program is dropped again is not in use."""
    w = nf.range(10.0)
    for _ in range(25):
        f = nf.function(lambda x: (nf.reduce_sum(nf.sigmoid(x * 0.01) + x), x * 3.0 + w))

        def work(k, f=f):
            x = nf.fill([10], float(k))
            for _ in range(10):
                np.testing.assert_array_equal(f(x)[1], 3 * np.float32(k) + w.numpy())

        in_threads(6, work)


def test_traces_at_the_same_time():
    f = nf.function(lambda x: nf.tanh(x) * x)
    barrier = threading.Barrier(6)

    def work(k):
        barrier.wait()
        size = 1 + k % 3
        np.testing.assert_allclose(f(nf.ones([size])), np.full(size, np.tanh(1)), rtol=1e-6)
        own = nf.function(lambda x: x + float(k))
        assert float(own(nf.constant(1.0))) == 1 + k

    in_threads(6, work)
    assert f.experimental_get_tracing_count() == 3


def test_updates_are_not_lost():
    """Programs write Variables in place; each sees the update before its own, of whatever thread and function."""
    v, w = nf.Variable(nf.zeros([200_000])), nf.Variable(nf.zeros([3]))
    functions = [
        nf.function(lambda: v.assign_add(nf.ones([200_000]))),
        nf.function(lambda: [v.assign_add(nf.fill([200_000], 2.0)), w.assign_add(nf.ones([3]))]),
    ]
    in_threads(4, lambda k: [functions[k % 2]() for _ in range(100)])
    assert set(v.numpy()) == {600}
    assert set(w.numpy()) == {200}


def test_assignment_while_a_program_writes():
    """The memory that a program writes lives as long as it runs."""
    v = nf.Variable(nf.zeros([200_000]))
    increase = nf.function(lambda: v.assign_add(nf.ones([200_000])))
    in_threads(4, lambda k: [increase() if k % 2 else v.assign(nf.fill([200_000], 5.0)) for _ in range(100)])
    assert v.numpy().min() >= 5


def test_tapes_belong_to_their_threads():
    f = nf.function(lambda x: x * x)

    def work(k):
        for _ in range(50):
            x = nf.Variable(float(k))
            with nf.GradientTape() as tape:
                y = f(x) + x * x
            assert tape.watched_variables() == (x,)
            assert float(tape.gradient(y, x)) == 4 * k

    in_threads(4, work)
