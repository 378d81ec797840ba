"""Let the frameworks take turns, a short block each, over many rounds.

So a busy or throttled moment of the machine touches all of them alike. Medians over the rounds count.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np

from perf.catalog import Row
from perf.load import OtherLoad
from perf.team import Worker, WorkerFailed

PEERS = ("numpy", "tensorflow", "jax", "torch", "pytensor")
OURS, NUMPY = "nbflow", "numpy"
KEPT = " +memory"
"""Ends the label of a variant whose malloc was told to keep memory."""


@dataclass
class Timing:
    """One variant's times in one row, in seconds per call, or the reason why there are none."""

    label: str
    samples: list[float] = field(default_factory=list)
    calls: int = 0
    error: str | None = None

    @property
    def measured(self) -> bool:
        """Whether there is a time."""
        return self.error is None and bool(self.samples)

    def quantile(self, q: float) -> float:
        """The time below which a share q of the rounds lies; the median for 0.5."""
        return float(np.quantile(self.samples, q))

    @property
    def median(self) -> float:
        """The median over the rounds."""
        return self.quantile(0.5)


@dataclass
class Result:
    """The times of every variant in one row."""

    row: Row
    timings: list[Timing] = field(default_factory=list)

    def timing(self, label: str) -> Timing | None:
        """The timing with this label, where it was measured."""
        return next((timing for timing in self.timings if timing.label == label and timing.measured), None)

    def best_peer(self, kept: bool = False) -> Timing | None:
        """The fastest peer, among those with malloc's default or among those with memory kept.

        NumPy is none: it has no gradients and no compiler, and its rows are written out by hand.
        """
        peers = [
            timing
            for timing in self.timings
            if timing.measured
            and timing.label.removesuffix(KEPT) not in (OURS, NUMPY)
            and timing.label.endswith(KEPT) == kept
        ]
        return min(peers, key=lambda timing: timing.median, default=None)

    def ratio(self, other: Timing | None) -> float | None:
        """Nbflow's median divided by another one; None where one of them has no time."""
        ours = self.timing(OURS)
        return ours.median / other.median if ours and other else None


class Team:
    """The workers of one run; leaving the context ends their processes.

    Args:
        interpreters: framework -> Python interpreter. Frameworks that cannot be started are noted in
        `missing`. block: seconds that one measured block should take.
    """

    def __init__(self, interpreters: dict[str, str], block: float):
        self.interpreters = interpreters
        self.block = block
        self.versions: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        self._workers: dict[tuple[str, bool], Worker] = {}
        self._exit = ExitStack()
        self._load = OtherLoad()

    def __enter__(self) -> "Team":
        for framework, python in self.interpreters.items():
            try:
                answer = self._worker(framework, False).ask(do="hello")
                reason = answer.get("error") or f"{framework} is not installed for {python}"
            except WorkerFailed as error:
                answer, reason = {}, str(error)
            if answer.get("version"):
                self.versions[framework] = answer["version"]
            else:
                self.missing[framework] = reason
        return self

    def other_load(self) -> float | None:
        """The mean number of cores that other programs used so far; None where the machine does not tell."""
        return self._load.cores([worker.pid for worker in self._workers.values()])

    def __exit__(self, *exc) -> None:
        self._exit.close()

    def _worker(self, framework: str, kept: bool) -> Worker:
        """The framework's process, started if it is not there (or no longer)."""
        key = framework, kept
        if key not in self._workers:
            worker = Worker(framework, self.interpreters[framework], kept)
            self._exit.callback(worker.close)
            self._workers[key] = worker
        return self._workers[key]

    def measure(self, row: Row, rounds: int, progress: Callable[[str], None]) -> Result:
        """Measure every variant of one row that the present frameworks can run.

        Args:
            row: the workload and case.
            rounds: how many blocks each variant measures.
            progress: called with a word on what happens next.
        """
        result = Result(row)
        players: list[tuple[Timing, tuple[str, bool], str]] = []
        for framework in self.interpreters:
            for variant in row.variants(framework):
                for kept in (False, True) if row.malloc_matters and framework != OURS else (False,):
                    timing = Timing(variant + KEPT * kept)
                    result.timings.append(timing)
                    players.append((timing, (framework, kept), variant))
        for timing, key, variant in players:
            progress(f"preparing {timing.label}")
            answer = self._ask(
                timing,
                key,
                do="prepare",
                workload=row.workload,
                case=row.case,
                variant=variant,
                block=row.block(self.block),
            )
            timing.calls = answer.get("calls", 0)
        for turn in range(rounds):
            progress(f"round {turn + 1} of {rounds}")
            start = turn % len(players)  # another one begins each round
            for timing, key, variant in players[start:] + players[:start]:
                answer = self._ask(timing, key, do="go", variant=variant)
                if "seconds" in answer:
                    timing.samples.append(answer["seconds"])
        for key in dict.fromkeys(key for _, key, _ in players):
            if key in self._workers:
                self._ask(Timing("drop"), key, do="drop")
        return result

    def _ask(self, timing: Timing, key: tuple[str, bool], **command) -> dict:
        """Send a command for this timing, noting a failure in it; a timing that has failed asks no more."""
        if timing.error is None:
            framework = key[0]
            if framework in self.missing:
                timing.error = self.missing[framework]
                return {}
            try:
                answer = self._worker(*key).ask(**command)
            except WorkerFailed as error:
                # The next row starts a new process.
                worker = self._workers.pop(key, None)
                if worker is not None:
                    worker.close()
                answer = {"error": str(error)}
            timing.error = answer.get("error")
            return answer
        return {}
