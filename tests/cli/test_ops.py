"""`nbflow ops` shows the table as it is, and counts TensorFlow's names."""

import json

import pytest

import nbflow as nf
from nbflow.cli import missing, ops
from nbflow.ops.table import TABLE


def test_every_op_has_a_row(run):
    status, out, _ = run("ops", "--json")
    rows = {row["op"]: row for row in json.loads(out)}
    assert status == 0
    assert set(rows) == set(TABLE)
    assert rows["multiply"]["gradient"] and rows["multiply"]["cuda"] and "math.multiply" in rows["multiply"]["public"]
    assert rows["reduce_sum"]["samples"] > 10 and rows["reduce_sum"]["golden"] > 10
    assert not rows["argmax"]["gradient"] and rows["argmax"]["cuda"] is False
    assert rows["floor"]["gradient"] is False  # it has no rule for its only argument
    assert rows["reshape"]["cuda"] is None


def test_table(run):
    status, out, _ = run("ops")
    assert status == 0
    assert f"{len(TABLE)} ops" in out
    lines = {line.split()[0]: line for line in out.split("\n") if line.split()}
    assert lines["sqrt"].split()[1] == "elementwise"


def test_without_a_checkout_there_are_no_counts(run, monkeypatch):
    monkeypatch.setattr(ops, "find_checkout", lambda: None)
    ops._tests.cache_clear()
    status, out, _ = run("ops", "--json")
    ops._tests.cache_clear()
    assert status == 0
    assert all("samples" not in row for row in json.loads(out))


@pytest.mark.parametrize("name", ["maximum", "math.maximum", "nf.maximum", "tf.math.maximum"])
def test_one_op(run, name):
    status, out, _ = run("ops", name)
    assert status == 0
    assert "maximum(x, y)" in out
    assert "g, z, x, y -> where(x >= y, g, zeros_like(g))" in out


def test_every_op_has_a_formula():
    for op in TABLE.values():
        assert ops.formula(op), op
        assert bool(ops.gradients(op)) == ops.differentiable(op), op


def test_unknown_name(run):
    status, _, err = run("ops", "softmacks")
    assert status == 2
    assert "'softmacks'" in err and "softmax" in err


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["float32", "float64", "int32"], "float32–64 int32"),
        (["float16", "bfloat16", "float32", "float64"], "float16–64"),
        (["bfloat16", "float32"], "bfloat16 float32"),
        (["int8", "int64", "bool"], "int8 int64 bool"),
    ],
)
def test_dtypes_as_ranges(names, text):
    assert ops.dtypes_text(names) == text


def test_missing(run):
    status, out, _ = run("ops", "--missing", "--json")
    found = json.loads(out)
    assert status == 0
    assert found["reference"].startswith("TensorFlow 2.")
    assert "reduce_sum" not in found["absent"]
    assert found["absent"]["RaggedTensor"] == {
        "reason": "ragged tensors",
        "numeric": False,
    }
    assert all(row["reason"] for row in found["absent"].values())
    present, every = found["present"]["all"]["numeric"]
    assert 0 < present <= every <= found["present"]["all"]["all"][1]


def test_missing_in_words(run):
    status, out, _ = run("ops", "--missing")
    assert status == 0
    assert "nf.linalg" in out and "sparse tensors" in out


def test_what_counts_as_present():
    assert missing.find("math.reduce_sum") is nf.reduce_sum
    assert missing.find("random") is None  # a namespace
    assert missing.find("math.no_such_thing.at_all") is None


def test_every_pattern_fits_a_name():
    names = [name.name for name in missing.names()]
    for table in (missing.NOT_NUMERIC, missing.ABSENT):
        for patterns in table:
            for pattern in patterns.split():
                assert any(missing.fnmatchcase(name, pattern) for name in names), pattern
