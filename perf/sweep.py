"""A sweep: hundreds of rows, each nbflow beside NumPy, in one table that ends with the slowest."""

import argparse
import importlib.util
import json
import sys
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from perf import report
from perf.catalog import Row
from perf.runner import NUMPY, OURS, Result, Team

NEAR = 0.9
"""Rows with a ratio above are measured once more, with three times the rounds: noise should not decide."""


def run(rows: list[Row], arguments: argparse.Namespace) -> int:
    """Measure the rows, show them, and store them as JSON and as a picture.

    Returns:
        The exit status: 1 where an nbflow row failed.
    """
    console = report.console(to_stderr=arguments.json)
    machine = report.machine()
    with Team({OURS: sys.executable, NUMPY: sys.executable}, arguments.block) as team:
        results = _measure(team, rows, arguments.rounds, console)
        others = team.other_load()
    settings = {"rounds": arguments.rounds, "block": arguments.block, "other_load": others}
    data = report.as_data(results, team.versions, machine, settings)
    for row, result in zip(data["rows"], results, strict=True):
        row["numpy_ratio"] = ratio(result)
        row["note"] = note(result)
    if arguments.json:
        print(json.dumps(data))
    else:
        show(console, results)
    written = report.store(data, arguments.out, "ops")
    if importlib.util.find_spec("matplotlib") and any(ratio(result) for result in results):
        from perf.plot import draw_ratios

        written.append(Path(written[0]).with_suffix(".png"))
        found = [(title(result), ratio(result)) for result in results]
        draw_ratios({name: value for name, value in found if value}, written[-1])
    console.print("Written:", *map(str, written), soft_wrap=True, highlight=False)
    report.show_load(console, others)
    return 1 if any(timing.label == OURS and timing.error for result in results for timing in result.timings) else 0


def _measure(team: Team, rows: list[Row], rounds: int, console: Console) -> list[Result]:
    columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=console, transient=True) as progress:

        def measured(row: Row, rounds: int, of: str) -> Result:
            progress.update(task, description=escape(f"{row.case}{of}"))
            result = team.measure(row, rounds, lambda text: None)
            progress.advance(task)
            return result

        task = progress.add_task("", total=len(rows))
        results = [measured(row, row.rounds(rounds), "") for row in rows]
        near = [result for result in results if (ratio(result) or 0) > NEAR]
        progress.update(task, total=len(rows) + len(near))
        for result in near:
            again = measured(result.row, 3 * result.row.rounds(rounds), ", once more")
            for timing, more in zip(result.timings, again.timings, strict=True):
                timing.samples += more.samples
    return results


def ratio(result: Result) -> float | None:
    """Nbflow's median over NumPy's; None where one of them has none."""
    return result.ratio(result.timing(NUMPY))


def title(result: Result) -> str:
    """The function and what tells the row apart."""
    return result.row.case or result.row.name


def note(result: Result) -> str:
    """Why the row may be slower than NumPy, as the row says."""
    return getattr(result.row.module, "NOTES", {}).get(result.row.case, "")


def show(console: Console, results: list[Result]) -> None:
    """Print the rows that NumPy has nothing for, then those with a ratio, the slowest last."""
    alone = [result for result in results if result.timing(OURS) and ratio(result) is None]
    table = Table(box=box.SIMPLE_HEAD, title="Without a NumPy counterpart", title_justify="left")
    table.add_column("function")
    table.add_column("nbflow", justify="right", no_wrap=True)
    for result in sorted(alone, key=_ours):
        table.add_row(escape(title(result)), report.duration(_ours(result)))
    if alone:
        console.print(table)
    beside = sorted((result for result in results if ratio(result) is not None), key=lambda r: ratio(r) or 0)
    table = Table(box=box.SIMPLE_HEAD, title="Beside NumPy", title_justify="left")
    table.add_column("function")
    for column in ("nbflow", "NumPy", "ratio"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("")
    for result in beside:
        theirs = result.timing(NUMPY)
        assert theirs is not None
        table.add_row(
            escape(title(result)),
            report.duration(_ours(result)),
            report.duration(theirs.median),
            report.ratio_text(ratio(result)),
            _remark(result),
        )
    if beside:
        console.print(table)
    for result in results:
        for timing in result.timings:
            if timing.label == OURS and timing.error:
                console.print(f"{title(result)} n/a: {timing.error}", style="yellow", markup=False, highlight=False)
    slower = [result for result in beside if (ratio(result) or 0) > 1]
    explained = sum(bool(note(result)) for result in slower)
    functions = len({title(result).split()[0] for result in results})
    console.print(
        f"{functions} functions in {len(results)} rows, {len(beside)} of them beside NumPy: {len(slower)} are slower "
        f"than NumPy, {explained} of those for a reason that is given.",
        style="bold",
        highlight=False,
    )


def _ours(result: Result) -> float:
    timing = result.timing(OURS)
    return timing.median if timing else 0.0


def _remark(result: Result) -> str:
    """The mark of a row that is slower, or its reason."""
    if (ratio(result) or 0) <= 1:
        return ""
    return f"[dim]{escape(note(result))}[/]" if note(result) else "[red]slower[/]"
