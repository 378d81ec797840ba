"""The sweep over ops: its rows name what there is, and a run of some makes a table, JSON and a picture."""

import json

import numpy as np
import pytest
from rich.console import Console

import nbflow as nf
from nbflow.public import NAMES
from perf import catalog, sweep
from perf.cli import main
from perf.ops import CASES
from perf.ops.case import Case, case
from perf.runner import Result, Timing


def test_rows_name_public_functions():
    assert {row.function for row in CASES.values()} <= set(NAMES)
    assert len(CASES) > 500


def test_a_row_runs_with_both():
    row = Case(
        "concat", "", (lambda: np.ones(2),), lambda x: np.r_[x, x], lambda f, x, axis: f([x, x], axis), {"axis": 0}
    )
    np.testing.assert_array_equal(row.ours(nf)(), row.numpy()())


def test_a_row_of_nothing_in_numpy():
    with pytest.raises(LookupError, match=r"like math\.erf"):
        CASES["math.erf"].numpy()


def test_no_row_twice():
    with pytest.raises(ValueError, match="has a row 'math.exp' already"):
        case("math.exp", np.exp)


def test_rows_by_function_and_by_name():
    chosen = [row.case for row in catalog.rows(["ops[math.exp]"])]
    assert {"math.exp", "math.exp float64"} <= set(chosen)
    assert [row.case for row in catalog.rows(["ops[math.exp float64]"])] == ["math.exp float64"]
    assert not any(row.sweep for row in catalog.rows([]))
    assert any(row.sweep for row in catalog.rows([], sweeps=True))


def result(name, ours, theirs):
    timings = [Timing("nbflow", [ours], 1)]
    timings.append(Timing("numpy", [theirs], 1) if theirs else Timing("numpy", error="LookupError"))
    (row,) = catalog.rows([f"ops[{name}]"])
    return Result(row, timings)


def test_table_ends_with_the_slowest():
    console = Console(record=True, width=120)
    rows = [("math.sinh", 2.0, 1.0), ("math.erf", 3.0, None), ("reshape", 4.0, 1.0), ("math.cosh", 1.0, 2.0)]
    sweep.show(console, [result(*row) for row in rows])
    text = console.export_text()
    places = [text.index(name) for name in ("math.erf", "math.cosh", "math.sinh", "reshape", "4 functions")]
    assert places == sorted(places)
    assert "2.00   slower" in text and "4.00   a view" in text and "0.50   slower" not in text
    assert "2 are slower than NumPy, 1 of those for a reason" in text


def test_run(tmp_path, capsys):
    names = ["ops[math.negative]", "ops[math.erf]", "ops[zeros]"]
    status = main(["run", *names, "--rounds", "1", "--block", "0.001", "--json", "--out", str(tmp_path)])
    data = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in data["rows"]}
    assert status == 0
    assert set(rows) == {"ops[math.negative]", "ops[math.negative int32]", "ops[math.erf]", "ops[zeros]"}
    assert rows["ops[math.negative]"]["numpy_ratio"] > 0
    assert rows["ops[math.erf]"]["numpy_ratio"] is None
    assert "NumPy asks" in rows["ops[zeros]"]["note"]
    (stored,) = tmp_path.glob("ops-*.json")
    assert json.loads(stored.read_text()) == data
    (picture,) = tmp_path.glob("ops-*.png")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_sweep_runs_by_itself(capsys):
    assert main(["run", "ops[zeros]", "softmax"]) == 2
    assert "by itself" in capsys.readouterr().err
