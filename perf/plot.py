"""Draw a run: a panel per row, a dot per variant; or of a sweep the ratios."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from perf.report import duration
from perf.runner import KEPT, OURS, Result

RED, BLUE, PALE_BLUE = "#c44e52", "#4c72b0", "#a1b4d4"
COLUMNS, PANELS = 3, 4  # of the plots of workloads and of ratios


def draw(results: list[Result], path: Path) -> None:
    """Write a PNG of every row that has a time.

    Args:
        results: the rows.
        path: where the PNG goes.
    """
    shown = [result for result in results if any(timing.measured for timing in result.timings)]
    lines = [shown[start : start + COLUMNS] for start in range(0, len(shown), COLUMNS)]
    # The same distance between variants in every panel.
    heights = [max(sum(timing.measured for timing in result.timings) for result in line) + 1 for line in lines]
    figure, axes = plt.subplots(
        len(lines),
        COLUMNS,
        figsize=(15, 0.6 + sum(heights) * 0.24 + 0.3 * len(lines)),
        squeeze=False,
        layout="constrained",
        gridspec_kw={"height_ratios": heights},
    )
    for axis in axes.flat[len(shown) :]:
        axis.set_visible(False)
    for line, height, panels in zip(lines, heights, axes, strict=True):
        for result, axis in zip(line, panels, strict=False):
            _draw_row(result, axis, height)
    figure.suptitle(
        "Time per call: medians, log scale, lines from p10 to p90 over the rounds. Pale: malloc told to keep memory.",
        fontsize=11,
        x=0.01,
        ha="left",
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_ratios(ratios: dict[str, float], path: Path) -> None:
    """Write a PNG of ratios: bars from 1, to the left where nbflow is faster.

    Args:
        ratios: by what the bar's label says.
        path: where the PNG goes.
    """
    order = sorted(ratios.items(), key=lambda row: row[1])
    height = -(-len(order) // PANELS)
    figure, axes = plt.subplots(1, PANELS, figsize=(20, 1 + 0.16 * height), squeeze=False, layout="constrained")
    least, most = min(0.5, order[0][1]) / 1.2, max(2.0, order[-1][1]) * 1.2
    for start, axis in zip(range(0, height * PANELS, height), axes.flat, strict=True):
        shown = order[start : start + height]
        places = range(len(shown))
        values = [value for _, value in shown]
        colors = [RED if value > 1 else BLUE for value in values]
        axis.barh(places, [value - 1 for value in values], left=1, color=colors, height=0.7)
        axis.set_yticks(places, [label for label, _ in shown], fontsize=7)
        axis.set_ylim(height - 0.4, -0.6)
        axis.set_xscale("log")
        axis.set_xlim(least, most)
        axis.axvline(1, color="0.3", linewidth=0.8)
        axis.grid(axis="x", color="0.92")
        axis.set_axisbelow(True)
        axis.tick_params(axis="y", length=0)
        axis.tick_params(axis="x", labelsize=7)
        axis.spines[:].set_visible(False)
    figure.suptitle(
        "nbflow's time over NumPy's, about 1e6 elements: medians, log scale. Left of 1 nbflow is faster.",
        fontsize=11,
        x=0.01,
        ha="left",
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_row(result: Result, axis, height: int) -> None:
    """One panel, the fastest variant on top. Dots, for on a log scale a bar's length means nothing."""
    timings = sorted((timing for timing in result.timings if timing.measured), key=lambda timing: timing.median)
    for place, timing in enumerate(timings):
        color = RED if timing.label == OURS else PALE_BLUE if timing.label.endswith(KEPT) else BLUE
        axis.hlines(place, timing.quantile(0.1), timing.quantile(0.9), color=color, linewidth=2.5)
        axis.plot(timing.median, place, "o", color=color)
        offset = {"xytext": (8, 0), "textcoords": "offset points"}
        axis.annotate(duration(timing.median), (timing.quantile(0.9), place), **offset, va="center", fontsize=8)
    axis.set_yticks(range(len(timings)), [timing.label for timing in timings], fontsize=8)
    axis.set_ylim(height - 1, -0.7)
    axis.set_xscale("log")
    axis.set_xlim(timings[0].quantile(0.1) / 1.5, max(timing.quantile(0.9) for timing in timings) * 3)
    axis.set_title(result.row.name, fontsize=10, loc="left")
    axis.grid(axis="y", color="0.92")
    axis.set_axisbelow(True)
    axis.tick_params(axis="y", length=0)
    axis.tick_params(axis="x", which="both", labelbottom=False, length=0)
    axis.spines[:].set_visible(False)
