"""Graph -> Program: kernel calls become a table in memory that the interpreter walks."""

import array
import threading
import time
from collections.abc import Sequence

import numpy as np

from nbflow.compiler.graph import Aval, Graph
from nbflow.compiler.lowering import Lowering
from nbflow.compiler.schedule import Chain
from nbflow.compiler.table import Table
from nbflow.errors import InvalidArgumentError
from nbflow.runtime import native, threads


class Program:
    """A compiled graph, ready to run.

    Attributes:
        output_avals: of the results.
        updated: for each input whether running the program changes it (a variable).
        parallel: whether the team runs it, which releases the GIL.
        has_code: whether it has control flow, which interpreter.run_code runs.
        address: where its table is, for interpreter.launch.
        failures: cells in which kernels report bad input, with what to say.
        arena_bytes: memory for intermediates.
        seconds: that it took to make it, kernels included.
        arrived: the kernels that came into the process for it; others were there.
    """

    def __init__(self, graph: Graph):
        begun, known = time.perf_counter(), len(native.loaded_kernels())
        lowering = Lowering(graph)
        table = Table(lowering)
        self.output_avals: list[Aval] = [v.aval for v in lowering.graph.outputs]
        self.updated = [v in lowering.graph.updates for v in lowering.graph.inputs]
        self.failures = lowering.failures
        self.address, self.parallel = table.address, table.parallel
        self.has_code, self.arena_bytes = table.has_code, table.arena_bytes
        self._lowered = lowering.graph, table.chains
        self._table, self._stacks = table, table.stacks
        self._lock = threading.Lock()
        self._give_back = threads.give_back() if table.stacks else None  # loaded now: not while Python shuts down
        self.arrived = native.loaded_kernels()[known:]
        self.seconds = time.perf_counter() - begun

    def lowered(self) -> tuple[Graph, list[Chain]]:
        """The graph that runs, after all passes, and all kernel calls."""
        return self._lowered

    @property
    def graph(self) -> Graph:
        """The graph that runs, after all passes."""
        return self.lowered()[0]

    @property
    def chains(self) -> list[Chain]:
        """Its kernel calls, for display."""
        return self.lowered()[1]

    def run(self, results: Sequence[np.ndarray], inputs: Sequence[int]) -> Sequence[int]:
        """Runs the program once.

        Args:
            results: uint8 arrays that receive the results.
            inputs: addresses of the inputs.

        Returns:
            The addresses of the results, and then others.
        """
        slots = array.array("q", [*map(id, results), *inputs])
        address = slots.buffer_info()[0]
        if self.has_code:
            with self._lock:  # it runs without Python's lock, in memory of its own
                threads.team().run_code(self.address, address, len(results))
                self.check()
        elif self.parallel:
            threads.team().run(self.address, address, len(results))
        else:
            threads.run_alone()(self.address, address, len(results))
        if self.failures:
            self.check()
        return slots

    @property
    def launchable(self) -> bool:
        """Whether interpreter.launch can run it: alone, with at most three inputs, one result, and no failures."""
        few = len(self.output_avals) == 1 and len(self.updated) <= 3
        return few and not self.parallel and not self.failures and not self.has_code

    def check(self) -> None:
        """Raises InvalidArgumentError if a kernel met bad input in the last run."""
        failed = [(int(cell[2]), int(cell[1]), describe) for cell, describe in self.failures if cell[0]]
        if failed:
            for cell, _ in self.failures:
                cell[:] = 0
            timed = [entry for entry in failed if entry[0]] if failed[0][0] else failed[:1]
            _, bad, describe = min(timed, key=lambda entry: entry[0])
            raise InvalidArgumentError(describe(bad))

    @property
    def kernels(self) -> list[native.Loaded]:
        """The distinct kernels, in the order in which they first run."""
        return list({call.kernel.name: call.kernel for chain in self.chains for call in chain.calls}.values())

    def __del__(self):
        # Python ends, or it was not made
        if getattr(threads, "wait_until_idle", None) is None or not hasattr(self, "_stacks"):
            return
        if self.parallel:
            threads.wait_until_idle()
        for stack in self._stacks:
            self._give_back(stack)
