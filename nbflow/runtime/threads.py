"""The one team of threads: helpers that sleep until a large program comes, and the calls that run programs."""

import os
import threading
import time
from functools import cache, cached_property

import numpy as np

from nbflow.config import num_threads
from nbflow.runtime import interpreter, native

_ALIGN = 64


def aligned_words(count: int) -> np.ndarray:
    """An int64 array of zeros that starts on a cache line."""
    block = np.zeros(count + _ALIGN // 8, np.int64)
    skip = -block.ctypes.data % _ALIGN // 8
    return block[skip : skip + count]


class Team:
    """The helper threads of this process and the control block through which they hear of programs.

    Attributes:
        size: how many threads take part, the calling one among them.
        address: of the control block.
    """

    def __init__(self):
        self.size = num_threads() if interpreter.CAN_SLEEP else 1
        self._control = aligned_words(interpreter.CONTROL_WORDS)
        self.address = self._control.ctypes.data
        self._run = native.entry(interpreter.run_team, 4, nogil=True)
        if self.size > 1:
            help_out = native.entry(interpreter.help_out, 1, nogil=True)
            for k in range(self.size - 1):
                thread = threading.Thread(target=help_out, args=(self.address,), daemon=True, name=f"nbflow-{k + 1}")
                thread.start()

    def run(self, program: int, slots: int, results: int) -> None:
        """Runs the program at an address, see interpreter.run_alone for the arguments."""
        self._run(program, slots, results, self.address)

    @cached_property
    def _run_code(self):
        return native.entry(interpreter.run_code, 4, nogil=True)

    def run_code(self, program: int, slots: int, results: int) -> None:
        """Runs a program with control flow; a long one stops now and then for Python to handle signals."""
        outcome = self._run_code(program, slots, results, self.address)
        while outcome == 1:
            outcome = self._run_code(program, 0, 0, self.address)
        if outcome < 0:
            raise MemoryError("there is no memory for what a loop keeps of its rounds")

    def wait_until_idle(self) -> None:
        """Returns when no helper looks at any program any more, so that a program's memory may go."""
        while self._control[interpreter.ACTIVE]:
            time.sleep(1e-5)

    def stop(self) -> None:
        """Ends the helper threads."""
        if self.size > 1:
            self._control[interpreter.STOP] = 1
            native.entry(interpreter.wake, 1, nogil=False)(self.address)


_teams: list[Team] = []  # the one team, once it is started
_starting = threading.Lock()


def team() -> Team:
    """The team, started at the first call."""
    if not _teams:
        with _starting:  # of two teams each would take a program for its own
            if not _teams:
                _teams.append(Team())
    return _teams[0]


def wait_until_idle() -> None:
    """Returns when no thread of the team, if one was started, looks at any program any more."""
    for started in _teams:
        started.wait_until_idle()


def team_size() -> int:
    """How many threads a large program may use, without starting them."""
    return num_threads() if interpreter.CAN_SLEEP else 1


@cache
def launch():
    """`launch(program, id(result), a, b, c)`: the quickest call, for small programs (see interpreter.launch)."""
    return native.entry(interpreter.launch, 5, nogil=False)


@cache
def give_back():
    """`give_back(stack)`: frees the memory of a stack."""
    return native.entry(interpreter.give_back, 1, nogil=False)


@cache
def run_alone():
    """`run_alone(program, slots, results)`: a program on the calling thread."""
    return native.entry(interpreter.run_alone, 3, nogil=False)


if hasattr(os, "register_at_fork"):  # a forked child has none of its parent's threads: it starts its own team
    os.register_at_fork(after_in_child=_teams.clear)
