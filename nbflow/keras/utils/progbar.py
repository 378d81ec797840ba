"""Progbar: how far a loop has come, and its numbers, in one line."""

import math
import os
import sys
import time

import numpy as np

from nbflow.keras.settings import is_interactive_logging_enabled, message
from nbflow.public import export

_BOLD, _GREEN, _WHITE, _PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


@export("keras.utils.Progbar")
class Progbar:
    """A bar with times and metrics (tf.keras.utils.Progbar). On a terminal and in a notebook it changes in place.

    Elsewhere, as in a log file, the finished bar alone is written, as a line without colours.

    Args:
        target: the number of steps, None if it is not known.
        width: of the bar, in characters.
        verbose: 0 for nothing, 1 for a bar, 2 for one line at the end.
        interval: seconds between updates of the bar.
        stateful_metrics: names of metrics that are shown as given; others are averaged over the steps.
        stateless_metrics: names of metrics that are averaged, where all others are shown as given.
        unit_name: what a step is called.

    Raises:
        ValueError: both sets of names are given.
    """

    def __init__(
        self,
        target,
        width=20,
        verbose=1,
        interval=0.05,
        stateful_metrics=None,
        stateless_metrics=None,
        unit_name="step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` or `stateless_metrics` can be provided: the first averages metrics but "
                "for those named, the second shows them as given but for those named"
            )
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ()) if stateless_metrics is None else None
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._in_place = _changes_in_place()
        self._values: dict[str, list] = {}  # name -> [weighted sum, weight]
        self._seen = 0
        self._start = time.time()
        self._first_step: float | None = None  # when the first step, which is often slow, was done
        self._last_update = 0.0
        self._line_width = 0
        self._open = False  # whether the line is to be drawn again

    def update(self, current, values=None, finalize=None) -> None:
        """Shows that `current` steps are done.

        Args:
            current: how many steps.
            values: (name, value at the last step) of metrics.
            finalize: whether this is the end; by default at the target.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            self._add(name, value, current, finalize)
        self._seen = current
        now = time.time()
        step_time = self._step_time(current, now)
        if self.verbose == 1:
            if (finalize or self._in_place) and (finalize or now - self._last_update >= self.interval):
                self._draw(current, now, step_time, finalize)
                self._last_update = now
        elif self.verbose == 2 and finalize and self.target:
            message(
                f"{self._count(current)} - {now - self._start:.0f}s -{self._per_step(step_time)}"
                f"{self._metrics(signed=True)}"
            )

    def add(self, n, values=None) -> None:
        """Shows that n more steps are done."""
        self.update(self._seen + n, values)

    def close(self) -> None:
        """Ends the line where the bar stands, if it is not complete."""
        if self._open:
            message("")
            self._open = False

    def _add(self, name: str, value, current: int, finalize: bool) -> None:
        averaged = (
            name in self.stateless_metrics if self.stateful_metrics is None else name not in self.stateful_metrics
        )
        if not averaged or finalize:
            self._values[name] = [value, 1]
            return
        steps = max(current - self._seen, 1)
        total, weight = self._values.get(name, (0, 0))
        self._values[name] = [total + value * steps, weight + steps]

    def _step_time(self, current, now: float) -> float:
        """Seconds per step, without the first where there are more."""
        if not current:
            return 0.0
        if self._first_step is not None and current > 1:
            seconds = (now - self._first_step) / (current - 1)
        else:
            seconds = (now - self._start) / current
        if current == 1:
            self._first_step = now
        return seconds

    def _count(self, current) -> str:
        if not self.target:
            return f"{current:7d}/Unknown"
        return f"{current:{int(math.log10(self.target)) + 1}d}/{self.target}"

    def _per_step(self, seconds: float) -> str:
        if seconds >= 1 or seconds == 0:
            return f" {seconds:.0f}s/{self.unit_name}"
        if seconds >= 1e-3:
            return f" {seconds * 1e3:.0f}ms/{self.unit_name}"
        return f" {seconds * 1e6:.0f}us/{self.unit_name}"

    def _metrics(self, signed: bool = False) -> str:
        """Each metric's name and mean; where the sign counts, negative ones are written as -1.0000e+00."""
        text = ""
        for name, (total, weight) in self._values.items():
            mean = (total if isinstance(total, float) else np.mean(total)) / max(1, weight)
            plain = (mean if signed else abs(mean)) > 1e-3
            text += f" - {name}: {mean:.4f}" if plain else f" - {name}: {mean:.4e}"
        return text

    def _draw(self, current, now: float, step_time: float, finalize: bool) -> None:
        parts = [(self._count(current), _BOLD if self.target else "")]
        if self.target:
            done = int(self.width * current / self.target)
            parts += [(" ", ""), *([("━" * done, _GREEN)] if done else []), ("━" * (self.width - done), _WHITE)]
        known = self.target and not finalize
        seconds = _duration(step_time * (self.target - current)) if known else f"{now - self._start:.0f}s"
        parts += [(" ", ""), (seconds, _BOLD), (self._per_step(step_time) + self._metrics(), "")]
        width = sum(len(text) for text, _ in parts)
        if self._in_place:
            line = "".join(f"{style}{text}{_PLAIN}" if style else text for text, style in parts)
            line = "\b" * self._line_width + "\r" + line + " " * (self._line_width - width)
        else:
            line = "".join(text for text, _ in parts)
        message(line, line_break=finalize)
        self._open = not finalize
        self._line_width = width


def _duration(seconds: float) -> str:
    if seconds > 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
    if seconds > 60:
        return f"{int(seconds // 60)}:{int(seconds % 60):02d}"
    return f"{int(seconds)}s"


def _changes_in_place() -> bool:
    """Whether standard output is a terminal or a notebook, and nobody has asked for lines."""
    if not is_interactive_logging_enabled():
        return False
    isatty = getattr(sys.stdout, "isatty", None)
    return bool(isatty and isatty()) or "ipykernel" in sys.modules or "PYCHARM_HOSTED" in os.environ
