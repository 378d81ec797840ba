"""Show and store the results: a table per row, a summary, JSON."""

import datetime
import json
import os
import platform
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from perf.load import WORTH_SAYING
from perf.runner import KEPT, NUMPY, OURS, Result, Timing

UNITS = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6))


def duration(seconds: float) -> str:
    """Seconds as a person reads them: `0.84 us`, `1.02 ms`, `12.3 s`."""
    unit, size = next(((unit, size) for unit, size in UNITS if seconds >= size), UNITS[-1])
    value = seconds / size
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}"


def ratio_text(value: float | None) -> str:
    """A ratio, green where nbflow is ahead."""
    if value is None:
        return "n/a"
    return f"[{'green' if value <= 1 else 'red'}]{value:.2f}[/]"


def console(to_stderr: bool) -> Console:
    """A console of the terminal's width; wide enough for the tables where there is no terminal."""
    made = Console(stderr=to_stderr)
    return made if made.is_terminal else Console(stderr=to_stderr, width=120)


def show_row(console: Console, result: Result) -> None:
    """Print one row's variants, the fastest first."""
    best = result.best_peer()
    console.print(f"{result.row.name}: {result.row.title}", style="bold", markup=False, highlight=False)
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("variant", no_wrap=True)
    for column in ("median", "p10", "p90", "× best peer", "calls"):
        table.add_column(column, justify="right", no_wrap=True)
    order = sorted(result.timings, key=lambda timing: timing.median if timing.measured else float("inf"))
    for timing in order:
        style = "bold" if timing.label == OURS else None
        if timing.measured:
            times = [duration(timing.quantile(q)) for q in (0.5, 0.1, 0.9)]
            relation = f"{timing.median / best.median:.2f}" if best else ""
            table.add_row(timing.label, *times, relation, str(timing.calls), style=style)
        else:
            table.add_row(timing.label, "n/a", style="dim")
    console.print(table)
    for timing in result.timings:
        if timing.error:
            console.print(f"{timing.label} n/a: {timing.error}", style="yellow", markup=False, highlight=False)


def show_summary(console: Console, results: list[Result]) -> None:
    """Print nbflow beside the best peer and NumPy, a line per row."""
    console.print("nbflow beside the others: a ratio below 1 is nbflow ahead", style="bold")
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("workload", no_wrap=True)
    for column in ("nbflow", "best peer", "ratio", "best, memory kept", "ratio", "NumPy ratio"):
        table.add_column(column, justify="right", no_wrap=True)
    for result in results:
        ours = result.timing(OURS)
        table.add_row(
            escape(result.row.name),
            duration(ours.median) if ours else "n/a",
            _named(result.best_peer()),
            ratio_text(result.ratio(result.best_peer())),
            _named(result.best_peer(kept=True)) if result.row.malloc_matters else "",
            ratio_text(result.ratio(result.best_peer(kept=True))) if result.row.malloc_matters else "",
            ratio_text(result.ratio(result.timing(NUMPY))),
        )
    console.print(table)
    console.print("NumPy has no gradients and no compiler: it is shown, but it is no peer.", style="dim")


def _named(timing: Timing | None) -> str:
    return f"{timing.label.removesuffix(KEPT)} {duration(timing.median)}" if timing else "n/a"


def machine() -> dict:
    """The machine and its state, as far as they bear on the times."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().split("\n")
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "load": round(os.getloadavg()[0], 2),
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def as_data(results: list[Result], versions: dict[str, str], machine: dict, settings: dict) -> dict:
    """Everything about a run, for JSON. Times are in seconds per call."""
    rows = []
    for result in results:
        variants = {}
        for timing in result.timings:
            if timing.measured:
                variants[timing.label] = {
                    "median": timing.median,
                    "p10": timing.quantile(0.1),
                    "p90": timing.quantile(0.9),
                    "calls_per_block": timing.calls,
                    "samples": timing.samples,
                }
            else:
                variants[timing.label] = {"error": timing.error}
        row: dict = {"name": result.row.name, "title": result.row.title, "variants": variants}
        for key, kept in (("", False), ("_memory_kept", True)):
            best = result.best_peer(kept)
            if best:
                row[f"best_peer{key}"] = best.label
                row[f"ratio{key}"] = result.ratio(best)
        rows.append(row)
    return {"machine": machine, "versions": versions, "settings": settings, "rows": rows}


def store(data: dict, folder: Path, kind: str) -> list[Path]:
    """Store a run as JSON, in a file that says when it was; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind}-{data['machine']['time'].replace(':', '').removesuffix('+0000')}.json"
    path.write_text(json.dumps(data, indent=1) + "\n")
    return [path]


def show_load(console: Console, others: float | None) -> None:
    """Say so if other programs were busy during the run."""
    if others is not None and others > WORTH_SAYING:
        console.print(
            f"Other programs kept {others:.1f} cores busy meanwhile: measure again on a quiet machine.",
            style="yellow",
            highlight=False,
        )
