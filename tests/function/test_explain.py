"""What fn.explain() tells, and pictures of graphs."""

import json
import re
import stat

import pytest

import nbflow as nf

LINE = re.escape(__file__) + r":\d+"


@pytest.fixture
def step():
    w = nf.Variable(nf.ones([3]))

    @nf.function
    def step(x, rate=0.5):
        y = nf.reduce_sum(nf.sigmoid(x * w), 1)
        w.assign_sub(rate * nf.reduce_mean(x, 0))
        return y

    return step


def test_facts(step):
    for rows in (2, 3, 4, 5):
        step(nf.ones([rows, 3]))
    step(nf.ones([2, 3]), rate=0.25)
    found = step.explain()
    assert found.name == "step" and re.fullmatch(LINE, found.where) and len(found.traces) == 4
    first, second, third, fourth = found.traces
    assert first.arguments == {"x": "float32[2, 3]", "rate": "0.5"} and first.reason == "the first call"
    assert second.reason == "x changed from float32[2, 3] to float32[3, 3]"
    assert third.arguments["x"] == "float32[any, 3]" and len(third.programs) == 2
    assert fourth.reason == "rate changed from 0.5 to 0.25" and fourth.alive
    assert (first.ops, first.variables, first.captured_bytes) == (7, 1, 12) and first.seconds > 0
    (program,) = first.programs
    assert program.inputs == ("float32[2, 3]", "float32[3]") and program.result_bytes == 8 and program.seconds > 0
    fused = next(kernel for kernel in program.kernels if "sigmoid" in kernel.ops)
    assert fused.ops[:3] == ("multiply", "sigmoid", "reduce_sum") and re.fullmatch(LINE, fused.lines[0])
    assert {k.origin for k in third.programs[1].kernels} == {"memory"} and all(
        k.seconds == 0 for k in third.programs[1].kernels
    )
    assert json.loads(json.dumps(found.as_dict()))["traces"][3]["number"] == 4


def test_text(step):
    assert str(step.explain()).endswith("0 traces")
    for rows in (2, 3, 4, 5):
        step(nf.ones([rows, 3]))
    text = str(step.explain())
    assert re.search(rf"step \({LINE}\): 3 traces", text)
    assert "why       x changed from float32[2, 3] to float32[3, 3]" in text
    assert re.search(r"time +[\d.]+ ms to trace 7 ops", text) and "12 B in tensors and 1 Variable" in text
    assert re.search(r"multiply sigmoid reduce_sum +# test_explain.py:\d+", text)
    assert len(re.findall(r"kernels? (?:was|were) there", text)) >= 3
    assert text.count(" sigmoid ") == text.count("  program ") - 1 == 3  # the second program of a trace has its kernels


def test_where_kernels_come_from():
    first, second = (nf.function(lambda x: nf.cos(x) * 12.25 - 0.125) for _ in range(2))
    for f in (first, second):
        f(nf.ones([3]))
    (kernel,) = first.explain().traces[0].programs[0].kernels
    assert kernel.origin in ("compiled", "disk", "python") and kernel.seconds > 0
    (kernel,) = second.explain().traces[0].programs[0].kernels
    assert kernel.origin == "memory" and kernel.seconds == 0


def test_graph_as_dot(step):
    assert step.graph() == "" and "cluster" not in step.graph().to_dot()
    step(nf.ones([2, 3]))
    dot = step.graph().to_dot()
    assert dot.startswith("digraph {") and dot.count("{") == dot.count("}") and "subgraph cluster_g0" in dot
    assert re.search(r'g0_n\d+ \[label="sigmoid\\ntest_explain.py:\d+"', dot) and "style=dashed label=update" in dot
    assert '[label="float32[2, 3]"]' in dot and "step(x: TensorSpec(" in dot


def test_graph_as_picture(step, tmp_path, monkeypatch):
    step(nf.ones([2, 3]))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="Graphviz' program `dot` is not on the path"):
        step.graph().to_png(tmp_path / "graph.png")
    dot = tmp_path / "dot"
    dot.write_text('#!/bin/sh\necho "$@" > "$3"\nwhile read -r line; do echo "$line" >> "$3"; done\n')
    dot.chmod(dot.stat().st_mode | stat.S_IXUSR)
    path = step.graph().draw(tmp_path / "graph.svg")
    assert path.read_text().startswith("-Tsvg") and "sigmoid" in path.read_text()
