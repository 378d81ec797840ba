"""`nbflow inspect` runs a program, or traces a function, and shows what became of it."""

import json
import re
import sys

import pytest

PROGRAM = """
import sys
import nbflow as nf

w = nf.Variable(nf.ones([3]))

@nf.function
def step(x):
    w.assign_sub(0.1 * x)
    return w * x

@nf.function(input_signature=[nf.TensorSpec([None])])
def any_size(x):
    return x + 1.0

def plain(x, k):
    return x * k

if __name__ == "__main__":
    nf.function(lambda x: x + 1.0)(nf.ones([3]))
    print("arguments", sys.argv[1:])
    step(nf.ones([3]))
    sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "a_program.py"
    path.write_text(PROGRAM)
    yield str(path)
    sys.modules.pop("a_program", None)


def test_a_program(run, program):
    before = sys.argv, list(sys.path)
    status, out, _ = run("inspect", program, "0")
    assert status == 0 and (sys.argv, sys.path) == before
    assert out.startswith("arguments ['0']\n") and re.search(r"step .*a_program.py:7", out)
    assert out.index("<lambda> (") < out.index("step (") and "why       the first call" in out
    assert re.search(r"multiply\(%\d+, %\d+\) +# .*a_program.py:10", out)
    assert "graph of trace 1" in out and "trace 1 after all passes" in out and out.count("(p, begin, end):") >= 2


def test_a_program_that_fails(run, program):
    status, out, _ = run("inspect", program, "3", "--explain")
    assert status == 3 and "step (" in out and "graph of trace" not in out and "begin, end" not in out
    status, out, err = run("inspect", program)
    assert status == 1 and "IndexError" in err and "step (" in out


def test_json(run, program):
    status, out, _ = run("inspect", f"{program}:step", "float32[3]", "--json")
    (found,) = json.loads(out)
    assert status == 0 and found["name"] == "step" and found["traces"][0]["arguments"] == {"x": "float32[3]"}
    assert "multiply" in found["graphs"][0] and all(f"def {name}(" in text for name, text in found["kernels"].items())


def test_a_function(run, program, tmp_path):
    picture = tmp_path / "graph.dot"
    status, out, _ = run("inspect", f"{program}:plain", "float32[2, 3]", "2.5", "--graph", "--picture", str(picture))
    assert status == 0 and "multiply(%0" in out and "2.5" in out and "plain" in out
    assert picture.read_text().startswith("digraph")
    status, out, _ = run("inspect", f"{program}:any_size")
    assert status == 0 and "float32[any]" in out and "Its sizes are open" in out
    status, out, _ = run("inspect", "nbflow:sin", "float64[?]", "--graph")
    assert status == 0 and "float64[d0_0] = sin(%0)" in out


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (("nothing.py",), "there is no file nothing.py"),
        (("nbflow:nothing",), "there is no nbflow:nothing"),
        (("no_such_module:f",), "there is no no_such_module:f"),
        (("nbflow:newaxis",), "which is no function"),
        (("nbflow:sin", "int32[3]"), r"nbflow:sin cannot be traced for \(int32\[3\]\)"),
    ],
)
def test_mistakes(run, target, message):
    status, out, err = run("inspect", *target)
    assert status == 2 and out == "" and re.search(f"nbflow inspect: .*{message}", err)
