"""Loops and branches as native programs: their code, memory that rounds share, threads, signals, failures."""

import gc
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import nbflow as nf

BIG = 300_000  # elements: so many that the team runs each round


def rounds(test, body, values, **options):
    """nf.while_loop in a function of its own, without conversion."""
    return nf.function(lambda *v: nf.while_loop(test, body, v, **options), autograph=False)(*values)


def native(function):
    """The one native program of a function."""
    (concrete,) = function._concrete.values()
    (program,) = concrete.programs
    return program


def test_values_that_change_places():
    a, b, _ = rounds(lambda a, b, i: i < 10, lambda a, b, i: (b, a + b, i + 1), (0, 1, 0))
    assert (int(a), int(b)) == (55, 89)
    x, y, _ = rounds(
        lambda x, y, i: i < 3, lambda x, y, i: (y, x, i + 1), (nf.constant([1.0, 2.0]), nf.constant([3.0, 4.0]), 0)
    )
    np.testing.assert_array_equal([x, y], [[3, 4], [1, 2]])


def test_a_row_of_a_reduction_and_a_carry_read_late():
    """A round's new value may not be written before all of the round has read the old one."""

    def body(x, s, i):
        return x / nf.reduce_sum(x), s + x[0] * nf.reduce_max(x), i + 1

    x, s = np.float32([1, 2, 5]), np.float32(0)
    for _ in range(4):
        x, s = x / x.sum(), s + x[0] * x.max()
    got = rounds(lambda x, s, i: i < 4, body, (nf.constant([1.0, 2.0, 5.0]), 0.0, 0))
    np.testing.assert_allclose(got[0], x, rtol=1e-6)
    np.testing.assert_allclose(got[1], s, rtol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_rounds_that_the_team_shares(count):
    def body(i, x, y):
        return i + 1, x * 0.5 + y, nf.sin(x) + y

    i, x, y = nf.function(lambda n, x, y: nf.while_loop(lambda i, *_: i < n, body, (0, x, y)), autograph=False)(
        nf.constant(count), nf.ones([BIG]), nf.range(float(BIG))
    )
    a, b = np.ones(BIG, np.float32), np.arange(BIG, dtype=np.float32)
    for _ in range(count):
        a, b = a * np.float32(0.5) + b, np.sin(a, dtype=np.float32) + b
    assert int(i) == count
    np.testing.assert_allclose(x, a, rtol=1e-6)
    np.testing.assert_allclose(y, b, rtol=1e-5, atol=1e-5)


def test_branches_in_loops_in_branches():
    @nf.function
    def f(x, n):
        if n > 0:
            for i in nf.range(n):
                if i % 2 == 0:
                    x = x * 2.0
                else:
                    for _ in nf.range(i):
                        x = x + 1.0
        else:
            x = -x
        return x

    def plain(x, n):
        if n <= 0:
            return -x
        for i in range(n):
            x = x * 2 if i % 2 == 0 else x + i
        return x

    for n in (-1, 0, 1, 2, 5, 8):
        np.testing.assert_array_equal(f(nf.constant([1.0, 2.0]), nf.constant(n)), plain(np.float32([1, 2]), n))
    assert native(f).has_code


def test_saved_values_grow_and_are_given_back():
    @nf.function(autograph=False)
    def f(x, n):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = nf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, nf.sin(y) * x), (0, x))[1]
        return tape.gradient(y, x)

    def eager(x, n):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(n):
                y = nf.sin(y) * x
        return tape.gradient(y, x)

    x = nf.constant(np.linspace(0.5, 1.5, 50), nf.float32)
    for n in (3, 0, 100, 20):
        np.testing.assert_allclose(f(x, nf.constant(n)), eager(x, n), rtol=1e-5)
    program = native(f)
    assert len(program._table.stacks) == 1
    del program, f
    gc.collect()


def test_a_bad_index_in_a_round_is_an_error_and_undone():
    v = nf.Variable([1.0, 2.0])

    @nf.function
    def f(n):
        for i in nf.range(n):
            v.assign_add(nf.ones([2]))
            v.assign(v * nf.gather(v, i))

    f(nf.constant(2))
    before = v.numpy()
    with pytest.raises(nf.errors.InvalidArgumentError, match=r"indices has 2, .*test_control\.py"):
        f(nf.constant(3))
    np.testing.assert_array_equal(v, before)


def test_several_threads_run_one_loop():
    @nf.function(autograph=False)
    def f(x, n):
        return nf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y * 1.5 + x), (0, x))[1]

    wanted = {k: f(nf.fill([100], float(k)), nf.constant(50 + k)).numpy() for k in range(4)}
    errors = []

    def work(k):
        for _ in range(100):
            got = f(nf.fill([100], float(k)), nf.constant(50 + k)).numpy()
            if not np.array_equal(got, wanted[k]):
                errors.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


ENDLESS = """
import nbflow as nf
x = nf.Variable({start})
@nf.function
def f():
    while x[0] >= 0.0:
        x.assign(x * 0.5 + 1.0)
print("ready", flush=True)
try:
    f()
except KeyboardInterrupt:
    print(float(nf.reduce_sum(nf.ones([3]))), float(nf.function(lambda: nf.reduce_sum(nf.ones([500_000])))()))
"""


@pytest.mark.parametrize("start", ["[1.0]", "nf.ones([300_000])"])
def test_interrupt_ends_an_endless_loop(start, tmp_path):
    program = tmp_path / "endless.py"
    program.write_text(ENDLESS.format(start=start))
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        threading.Timer(2.0, process.send_signal, [signal.SIGINT]).start()
        out, _ = process.communicate(timeout=60)
    assert out == "3.0 500000.0\n"
    assert process.returncode == 0


def test_a_row_of_a_stack_is_written_in_place():
    """A round that sets one row of a carry does not copy the others."""

    @nf.function
    def f(x):
        array = nf.TensorArray(nf.float32, size=100, element_shape=[4])
        for i in nf.range(100):
            array = array.write(i, x * nf.cast(i, nf.float32))
        return array.stack()

    x = nf.constant([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(f(x), np.arange(100)[:, None] * x.numpy())
    copies = [call for chain in native(f).chains for call in chain.calls if not call.nodes and call.extent >= 400]
    assert len(copies) <= 2  # the first value, and the result


def test_an_assertion_ends_an_endless_loop():
    v = nf.Variable([1.0, 2.0])

    @nf.function
    def f():
        i = 0
        while v[0] > 0:
            nf.debugging.assert_less(i, 5, message="too far")
            v.assign_add([1.0, 1.0])
            i += 1

    with pytest.raises(nf.errors.InvalidArgumentError, match=r"too far.*test_control\.py"):
        f()
    np.testing.assert_array_equal(v, [1.0, 2.0])
