"""Graph -> Program: kernel calls become a table in memory that the interpreter walks."""

import array
import time
from collections.abc import Sequence

import numpy as np

from nbflow.compiler.graph import Aval, Graph
from nbflow.compiler.kernels import Buffer, Call, Grain, Ref, Scratch
from nbflow.compiler.lowering import Lowering
from nbflow.compiler.schedule import ALIGN, Chain, make_chains, plan_memory, set_grains
from nbflow.errors import InvalidArgumentError
from nbflow.runtime import interpreter, native, threads
from nbflow.runtime.buffers import allocate


class Program:
    """A compiled graph, ready to run.

    Attributes:
        graph: the graph that runs, after all passes.
        output_avals: of the results.
        updated: for each input whether running the program changes it (a variable).
        parallel: whether the team runs it, which releases the GIL.
        address: where its table is, for interpreter.launch.
        chains: its kernel calls, for display.
        failures: cells in which kernels report bad input, with what to say.
        arena_bytes: memory for intermediates.
        seconds: that it took to make it, kernels included.
        arrived: the kernels that came into the process for it; others were there.
    """

    def __init__(self, graph: Graph):
        begun, known = time.perf_counter(), len(native.loaded_kernels())
        lowering = Lowering(graph)
        self.graph = lowering.graph
        self.output_avals: list[Aval] = [v.aval for v in lowering.graph.outputs]
        self.updated = [v in lowering.graph.updates for v in lowering.graph.inputs]
        self.chains = make_chains(lowering.calls)
        self.parallel = set_grains(self.chains, threads.team_size())
        self.arena_bytes = plan_memory(self.chains)
        self.failures = lowering.failures
        self._slots = len(lowering.outputs) + len(lowering.inputs)
        self._keep: list = []  # memory that the table points at
        self._arena = self._memory(self.arena_bytes)
        self.address = self._table()
        self.arrived = native.loaded_kernels()[known:]
        self.seconds = time.perf_counter() - begun

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
        if self.parallel:
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
        return few and not self.parallel and not self.failures

    def check(self) -> None:
        """Raises InvalidArgumentError if a kernel met bad input in the last run."""
        for cell, describe in self.failures:
            if cell[0]:
                cell[0] = 0
                raise InvalidArgumentError(describe(int(cell[1])))

    @property
    def kernels(self) -> list[native.Loaded]:
        """The distinct kernels, in the order in which they first run."""
        return list({call.kernel.name: call.kernel for chain in self.chains for call in chain.calls}.values())

    # --- the table ----------------------------------------------------------------------------------------------

    def _memory(self, nbytes: int) -> int:
        """The address of memory of the program's own."""
        if not nbytes:
            return 0
        block = allocate(nbytes + ALIGN)
        self._keep.append(block)
        return -(-block.ctypes.data // ALIGN) * ALIGN

    def _words(self, values: Sequence) -> int:
        """The address of an int64 array with these values."""
        words = threads.aligned_words(max(1, len(values)))
        words[: len(values)] = values
        self._keep.append(words)
        return words.ctypes.data

    def _table(self) -> int:
        steps: list[int] = []
        patches: list[int] = []
        for chain in self.chains:
            for number, call in enumerate(chain.calls):
                count = len(chain.calls) if number == 0 else 0
                row = [call.kernel.address, self._arguments(call, chain, patches), call.scale, count]
                steps += [*row, chain.extent, chain.grain, chain.after]
        header = [0] * interpreter.HEADER
        header[interpreter.STEPS] = self._words(steps)
        header[interpreter.STEP_COUNT] = sum(len(chain.calls) for chain in self.chains)
        header[interpreter.PATCHES] = self._words(patches)
        header[interpreter.PATCH_COUNT] = len(patches) // interpreter.PATCH
        header[interpreter.SLOTS] = self._words([0] * max(4, self._slots))
        header[interpreter.SLOT_COUNT] = self._slots
        header[interpreter.COUNTERS] = self._words([0] * (len(self.chains) * 2 * interpreter.LINE // 8))
        header[interpreter.CHAINS] = len(self.chains)
        return self._words(header)

    def _arguments(self, call: Call, chain: Chain, patches: list[int]) -> int:
        """The address of a call's argument block; addresses that come with each run are noted as patches."""
        values = []
        late = []
        for position, word in enumerate(call.words):
            if isinstance(word, Ref):
                if word.buffer.slot is not None:
                    late.append((position, word.buffer.slot, word.offset))
                values.append(self._buffer_address(word.buffer) + word.offset)
            elif isinstance(word, Grain):
                values.append(chain.grain * call.scale)
            elif isinstance(word, Scratch):
                chunks = -(-chain.extent // chain.grain)
                values.append(self._memory(chunks * word.nbytes))
            else:
                values.append(word)
        block = self._words(values)
        for position, slot, offset in late:
            patches += [block + 8 * position, slot, offset]
        return block

    def _buffer_address(self, buffer: Buffer) -> int:
        if buffer.slot is not None:
            return 0
        if buffer.array is not None:
            self._keep.append(buffer.array)
            return buffer.array.ctypes.data if buffer.array.size else 0
        return self._arena + buffer.offset

    def __del__(self):
        if getattr(self, "parallel", False) and threads is not None:
            threads.team().wait_until_idle()
