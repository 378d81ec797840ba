"""One framework's process: prepares workloads and times them when told to.

It runs in the framework's own environment, so it uses the standard library only.

It reads one JSON object per line from stdin and answers each with one line:

    {"do": "hello"}                              -> {"version": "2.21.0"}
    {"do": "prepare", "workload": "softmax", "case": null, "variant": "jax", "block": 0.05}
                                                 -> {"calls": 52}
    {"do": "go", "variant": "jax"}               -> {"seconds": 0.00096}
    {"do": "drop"}                               -> {}

A failure is {"error": "ValueError: ..."}. Between commands the process waits in read(), and the runner
stops it with a signal, so that a framework's threads cannot spin while another one is measured.
"""

import gc
import importlib
import importlib.metadata
import json
import os
import sys
from itertools import repeat
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
# As a script, Python put perf/ first: there its file names would hide other modules. The checkout belongs
# there.
sys.path[0] = str(ROOT)

WARM_UP = 0.2
"""Seconds that a step is repeated before its pace is taken as steady, where the workload does not say."""


class Prepared:
    """A workload's step, warmed up, with the number of calls that fill one block."""

    def __init__(self, workload, case, variant, block):
        module = importlib.import_module(f"perf.workloads.{workload}")
        make = getattr(module, variant)
        self.self_timed = getattr(module, "SELF_TIMED", False)
        self.step = make(*module.CASES[case]) if case else make()
        if hasattr(module, "CALLS"):
            self.calls = module.CALLS
            self.time(module.WARM_UP_CALLS)
        else:
            self.calls = self._calls_for(block, getattr(module, "WARM_UP", WARM_UP))

    def _calls_for(self, block, warm_up):
        """Warm up until the pace is steady; return the number of calls that fill a block."""
        started = perf_counter()
        self.time(1)  # compiles
        pace = self.time(1)
        while perf_counter() - started < warm_up:
            pace = min(pace, self.time(max(1, int(0.02 / pace))))
        return max(1, int(block / pace))

    def time(self, calls):
        """Seconds per call over that many calls."""
        step = self.step
        if self.self_timed:
            return sum(step() for _ in range(calls)) / calls
        started = perf_counter()
        for _ in repeat(None, calls):
            step()
        return (perf_counter() - started) / calls

    def measure(self):
        """Seconds per call over one block, after a few calls that fill the caches again."""
        if self.calls > 1:
            self.time(1 + self.calls // 10)
        return self.time(self.calls)


def version(framework):
    """The framework's version; None where this environment does not have it."""
    try:
        return getattr(importlib.import_module(framework), "__version__", "of unknown version")
    except ModuleNotFoundError as error:
        if error.name == framework:
            return None
        raise


def main(framework):
    """Answer commands until stdin ends."""
    # Frameworks print to stdout; the answers keep the real one and the rest goes to the log.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    prepared = {}
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if command["do"] == "hello":
                answer = {"version": version(framework), "python": sys.version.split()[0]}
            elif command["do"] == "prepare":
                step = Prepared(command["workload"], command["case"], command["variant"], command["block"])
                prepared[command["variant"]] = step
                answer = {"calls": step.calls}
            elif command["do"] == "go":
                answer = {"seconds": prepared[command["variant"]].measure()}
            else:
                prepared.clear()
                gc.collect()
                answer = {}
        except Exception as error:  # whatever a framework raises is a result to report, not the end of the run
            text = " ".join(str(error).split())
            answer = {"error": f"{type(error).__name__}: {text[:300]}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
