"""The arguments of `nbflow perf` and what they do."""

import argparse
import importlib.util
import json
import os
import sys
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from perf import catalog, report, sweep
from perf.runner import NUMPY, OURS, PEERS, Result, Team

RESULTS = Path(__file__).with_name("results")


def parser() -> argparse.ArgumentParser:
    """The argument parser of `nbflow perf`."""
    top = argparse.ArgumentParser(prog="nbflow perf", description="Measure nbflow, alone or beside other frameworks.")
    commands = top.add_subparsers(dest="command", required=True, metavar="list|run|compare")
    listing = commands.add_parser("list", help="the workloads and the frameworks they are written for")
    listing.add_argument("--json", action="store_true", help="print JSON")
    run = commands.add_parser("run", help="time nbflow's own workloads")
    compare = commands.add_parser(
        "compare",
        help="time nbflow beside other frameworks",
        description="Time nbflow and other frameworks in turns. NumPy is always there; each other framework "
        "needs the interpreter of an environment that has it.",
    )
    for command in (run, compare):
        command.add_argument(
            "names",
            nargs="*",
            metavar="NAME",
            help="workloads, as matmul or matmul[512]; default: all but sweeps, as ops or ops[math.exp]",
        )
        command.add_argument("--rounds", type=_positive, default=15, help="blocks per variant (default 15)")
        command.add_argument("--block", type=float, default=0.05, help="seconds per block (default 0.05)")
        command.add_argument("--json", action="store_true", help="print JSON instead of tables")
        command.add_argument(
            "--out",
            type=Path,
            default=RESULTS,
            help="folder for JSON and plot of a sweep or of compare (default perf/results)",
        )
    for peer in PEERS[1:]:
        variable = f"NBFLOW_PERF_{peer.upper()}"
        compare.add_argument(
            f"--{peer}",
            metavar="PYTHON",
            default=os.environ.get(variable),
            help=f"interpreter with {peer} (or {variable})",
        )
    return top


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def main(argv: list[str]) -> int:
    """Run `nbflow perf` with these arguments.

    Returns:
        The exit status: 0, 1 where an nbflow workload failed, 2 for a wrong argument, 130 after Ctrl-C.
    """
    arguments = parser().parse_args(argv)
    try:
        rows = catalog.rows(getattr(arguments, "names", []), sweeps=arguments.command == "list")
    except LookupError as error:
        print(f"nbflow perf: {error}", file=sys.stderr)
        return 2
    if arguments.command == "list":
        return _list(rows, arguments.json)
    if any(row.sweep for row in rows) and not all(row.sweep for row in rows):
        print("nbflow perf: a sweep is measured by itself, not with other workloads.", file=sys.stderr)
        return 2
    interpreters = {OURS: sys.executable}
    if arguments.command == "compare":
        given = {peer: getattr(arguments, peer) for peer in PEERS[1:]}
        interpreters |= {NUMPY: sys.executable} | {peer: python for peer, python in given.items() if python}
    try:
        if rows[0].sweep:
            return sweep.run(rows, arguments)
        return _measure(rows, interpreters, arguments)
    except KeyboardInterrupt:
        print("nbflow perf: stopped", file=sys.stderr)
        return 130


def _list(rows: list[catalog.Row], as_json: bool) -> int:
    shown = {row.workload if row.sweep else row.name: row for row in rows}  # a sweep once
    variants = {name: [v for v in catalog.VARIANTS if hasattr(row.module, v)] for name, row in shown.items()}
    if as_json:
        print(json.dumps([{"name": n, "title": row.title, "variants": variants[n]} for n, row in shown.items()]))
        return 0
    table = Table("workload", "what", "written for")
    for name, row in shown.items():
        table.add_row(escape(name), row.title, ", ".join(variants[name]))
    report.console(to_stderr=False).print(table)
    return 0


def _measure(rows: list[catalog.Row], interpreters: dict[str, str], arguments: argparse.Namespace) -> int:
    # With --json stdout carries the JSON alone.
    console = report.console(to_stderr=arguments.json)
    results: list[Result] = []
    machine = report.machine()
    with Team(interpreters, arguments.block) as team, console.status("starting") as status:
        if arguments.command == "compare":
            console.print(f"{machine['cpu']}, {machine['cores']} cores, load {machine['load']}")
            console.print(", ".join(f"{name} {version}" for name, version in team.versions.items()), highlight=False)
        for framework, reason in team.missing.items():
            console.print(f"{framework} n/a: {reason}", style="yellow", markup=False, highlight=False)
        for row in rows:
            show = partial(_show_progress, status, row.name)
            result = team.measure(row, row.rounds(arguments.rounds), show)
            results.append(result)
            report.show_row(console, result)
        others = team.other_load()
    settings = {"rounds": arguments.rounds, "block": arguments.block, "other_load": others}
    data = report.as_data(results, team.versions, machine, settings)
    if arguments.json:
        print(json.dumps(data))
    if arguments.command == "compare":
        report.show_summary(console, results)
        _store(console, results, data, arguments.out)
    report.show_load(console, others)
    failed = [r.row.name for r in results for timing in r.timings if timing.label == OURS and timing.error]
    return 1 if failed else 0


def _show_progress(status: Status, name: str, text: str) -> None:
    status.update(escape(f"{name}: {text}"))


def _store(console: Console, results: list[Result], data: dict, folder: Path) -> None:
    written = report.store(data, folder, "compare")
    if any(timing.measured for result in results for timing in result.timings) and importlib.util.find_spec(
        "matplotlib"
    ):
        from perf.plot import draw

        written.append(written[0].with_suffix(".png"))
        draw(results, written[-1])
    console.print("Written:", *map(str, written), soft_wrap=True, highlight=False)
