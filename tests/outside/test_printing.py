"""nf.print: what it writes, compared with TensorFlow's text, and where and when."""

import io
import json
import logging
import pathlib
import sys

import pytest

import nbflow as nf
from tests.golden import outside

GOLDEN = json.loads(pathlib.Path(outside.__file__).with_suffix(".json").read_text())
CALLS = outside.prints(nf)


def test_golden_prints_are_complete():
    assert set(GOLDEN["prints"]) == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_text(name):
    arguments, keywords = CALLS[name]
    eager, traced = io.StringIO(), io.StringIO()
    nf.print(*arguments, output_stream=eager, **keywords)
    nf.function(lambda: nf.print(*arguments, output_stream=traced, **keywords))()
    assert eager.getvalue() == GOLDEN["prints"][name]
    assert traced.getvalue() == eager.getvalue()


def test_values_of_a_trace():
    """Tensors are replaced by the values of each run wherever they stand in a structure."""
    out = io.StringIO()

    @nf.function
    def f(x):
        nf.print("x =", x, {"sums": [nf.reduce_sum(x), 1]}, (), output_stream=out)

    f(nf.constant([1.0, 2.5]))
    f(nf.constant([3.0, 4.0]))
    assert out.getvalue() == "x = [1 2.5] {'sums': [3.5, 1]} ()\nx = [3 4] {'sums': [7, 1]} ()\n"
    assert f.experimental_get_tracing_count() == 1


def test_complex_numbers():
    out = io.StringIO()
    nf.print(nf.constant([1 + 2j, 0.5 - 0.1j]), output_stream=out)
    assert out.getvalue() == "[1+2j 0.5-0.1j]\n"


def test_sparse_tensor():
    out = io.StringIO()
    nf.print(nf.SparseTensor([[0, 1]], [5.0], [2, 2]), output_stream=out)
    assert out.getvalue() == "'SparseTensor(indices=[[0 1]], values=[5], shape=[2 2])'\n"


def test_streams(capsys, tmp_path, caplog):
    path = tmp_path / "out.txt"

    def f(x):
        nf.print("default", x)
        nf.print("out", x, output_stream=sys.stdout)
        nf.print("file", x, output_stream=f"file://{path}")
        nf.print("level", x, output_stream=logging.WARNING)
        nf.print("function", x, output_stream=logging.getLogger("nbflow").error)

    traced = nf.function(f)
    for g in (f, traced, traced):
        g(nf.constant(1))
    captured = capsys.readouterr()
    assert captured.out == "out 1\n" * 3
    assert captured.err.count("default 1\n") == 3
    assert path.read_text() == "file 1\n" * 3
    texts = [(r.levelname, r.message) for r in caplog.records if "side effects" not in r.message]
    assert texts == [("WARNING", "level 1"), ("ERROR", "function 1")] * 3


def test_stream_that_is_none():
    with pytest.raises(ValueError, match="output_stream is 'somewhere'"):
        nf.print(1, output_stream="somewhere")


def test_order_with_other_effects():
    """Effects come in the order of the program, whatever they need; a failed assertion ends them."""
    out = io.StringIO()
    v = nf.Variable(1.0)

    @nf.function
    def f(x):
        nf.print("first", output_stream=out)
        y = nf.py_function(lambda a: (out.write("python\n"), a + 1)[1], [x], nf.TensorSpec([]))
        nf.print("then", x, output_stream=out)  # needs nothing of the call before
        nf.debugging.assert_less(x, 3.0)
        v.assign_add(y)
        nf.print("last", v, output_stream=out)

    f(nf.constant(2.0))
    assert out.getvalue() == "first\npython\nthen 2\nlast 4\n"
    out.truncate(0), out.seek(0)
    with pytest.raises(nf.errors.InvalidArgumentError):
        f(nf.constant(5.0))
    assert out.getvalue() == "first\npython\nthen 5\n"
    assert v.numpy() == 4.0


def test_in_control_flow():
    out = io.StringIO()

    @nf.function
    def f(n):
        total = 0
        for i in nf.range(n):
            if i % 2 == 1:
                nf.print(i, output_stream=out)
            total += i
        return total

    assert f(nf.constant(5)).numpy() == 10
    assert out.getvalue() == "1\n3\n"


def test_gradients_do_not_print_again():
    out = io.StringIO()

    @nf.function
    def f(x):
        y = x * x
        nf.print(y, output_stream=out)
        return y * x

    x = nf.constant(2.0)
    with nf.GradientTape() as outer:
        outer.watch(x)
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        first = tape.gradient(y, x)
    second = outer.gradient(first, x)
    assert (first.numpy(), second.numpy(), out.getvalue()) == (12.0, 12.0, "4\n")


def test_initial_values_print_once():
    """The value of a Variable made in a trace is computed ahead, without the effects of the trace."""
    out = io.StringIO()
    made = []

    @nf.function
    def f(x):
        nf.print(x, output_stream=out)
        if not made:
            made.append(nf.Variable(x + 1))
        return made[0] + x

    assert f(nf.constant(1.0)).numpy() == 3.0
    assert out.getvalue() == "1\n"


def test_vectorized_map_prints_each():
    out = io.StringIO()

    def f(x):
        nf.print(x, output_stream=out)
        return x + 1

    assert nf.vectorized_map(f, nf.constant([1.0, 2.0])).numpy().tolist() == [2.0, 3.0]
    assert out.getvalue() == "1\n2\n"


def test_equal_effects_are_not_merged():
    out = io.StringIO()

    @nf.function
    def f(x):
        for _ in range(2):
            nf.print("again", output_stream=out)
            nf.py_function(lambda x: out.write(f"{x.numpy():g}\n") and None, [x * 2], [])

    f(nf.constant(1.5))
    assert out.getvalue() == "again\n3\n" * 2
