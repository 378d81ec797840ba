"""What the interpreter walks: kernel calls, their arguments and the code of control flow as words in memory."""

from collections.abc import Callable, Sequence
from functools import cache

from nbflow.compiler.control_lowering import Choice, Repeat
from nbflow.compiler.kernels import Buffer, Call, ControlCall, Grain, Ref, Scratch
from nbflow.compiler.lowering import Lowering
from nbflow.compiler.schedule import ALIGN, Chain, make_chains, plan_memory, set_grains
from nbflow.runtime import interpreter, threads
from nbflow.runtime.buffers import allocate
from nbflow.runtime.interpreter import (
    ADD,
    ADVANCE,
    CALL,
    END,
    ENOUGH,
    GROW,
    HALT,
    JUMP,
    MOVE,
    NEXT,
    OTHER,
    PLACE,
    ROW,
    RUN,
    SET,
    SHARE,
    UNLESS,
)

ROUND_NS = 20  # a round's own cost, beside its kernels
ENDLESS = 2**63 - 1  # rounds


class Label:
    """A place in the code.

    Attributes:
        row: number of the row, once it is reached.
    """

    row = 0


class Memory:
    """Memory of a program's own.

    Attributes:
        keep: what the memory belongs to.
    """

    def __init__(self):
        self.keep: list = []

    def block(self, nbytes: int) -> int:
        """The address of so many bytes."""
        if not nbytes:
            return 0
        return block(nbytes, self.keep)

    def words(self, values: Sequence) -> int:
        """The address of an int64 array with these values."""
        words = threads.aligned_words(max(1, len(values)))
        words[: len(values)] = values
        self.keep.append(words)
        return words.ctypes.data

    def array(self, array) -> int:
        """The address of the elements of an array."""
        self.keep.append(array)
        return array.ctypes.data


def block(nbytes: int, keep: list) -> int:
    """The address of new memory, which stays while the list does."""
    memory = allocate(nbytes + ALIGN)
    keep.append(memory)
    return -(-memory.ctypes.data // ALIGN) * ALIGN


class Table:
    """A lowered graph in memory.

    Args:
        lowering: the graph.
        memory: where to.

    Attributes:
        address: of the program, see runtime.interpreter.
        chains: all kernel calls, for display.
        parallel: whether the team runs it.
        has_code: whether it has control flow.
        arena_bytes: memory for intermediates.
        stacks: addresses of memory that grew with rounds.
    """

    def __init__(self, lowering: Lowering, memory: Memory | None = None):
        self.memory = memory or Memory()
        self._words = self.memory.words
        self.chains: list[Chain] = []
        self.parallel = False
        self.arena_bytes = 0
        self.stacks: list[int] = []
        self._late: list[tuple[int, Callable[[], int]]] = []  # words that are known once all is laid out
        self._patches: list[int] = []
        slot_count = len(lowering.outputs) + len(lowering.inputs)
        self._slots = self._words([0] * max(4, slot_count))
        chains = self._plan(lowering)
        self.has_code = any(isinstance(chain.calls[0], ControlCall) for chain in chains)
        if self.has_code:
            rows: list[list] = []
            self._emit(chains, rows)
            rows.append([END])
            header = [0] * interpreter.HEADER
            header[interpreter.CODE] = self._code(rows)
        else:
            header = self._block(self._steps(chains, 0))
        header[interpreter.PATCHES] = self._words(self._patches)
        header[interpreter.PATCH_COUNT] = len(self._patches) // interpreter.PATCH
        header[interpreter.SLOTS] = self._slots
        header[interpreter.SLOT_COUNT] = slot_count
        self.address = self._words(header)

    # --- memory -------------------------------------------------------------------------------------------------

    def _plan(self, lowering: Lowering) -> list[Chain]:
        """The chains of a graph, and memory for what is between them."""
        chains = make_chains(lowering.calls)
        nbytes = plan_memory(chains)
        arena = self.memory.block(nbytes)
        self.arena_bytes += nbytes
        for chain in chains:
            for call in chain.calls:
                for buffer, *_ in call.touches:
                    if buffer.in_arena and buffer.address is None:
                        buffer.address = arena + buffer.offset
                    elif buffer.stack and buffer.address is None:
                        buffer.address = self._words([0, 0])
                        self.stacks.append(buffer.address)
        return chains

    def _resolve(self, ref: Ref) -> tuple[int, tuple[list[int], int, int] | None]:
        """The address of a byte; or 0 and (the patches that say it, slot, offset)."""
        buffer, offset = ref.buffer, ref.offset
        while buffer.base is not None:
            offset += buffer.base.offset
            buffer = buffer.base.buffer
        if buffer.slot is not None:
            patches = self._patches if buffer.slots is None else buffer.slots.patches
            return 0, (patches, buffer.slot, offset)
        if buffer.array is not None:
            return (self.memory.array(buffer.array) + offset if buffer.nbytes else 0), None
        return (buffer.address or 0) + offset, None

    # --- kernel calls -------------------------------------------------------------------------------------------

    def _steps(self, chains: list[Chain], first: int) -> list[list[int]]:
        """The steps of a run of chains, of which the first has a number among those of its graph."""
        self.parallel = set_grains(chains, threads.team_size()) or self.parallel
        self.chains += chains
        steps = []
        for chain in chains:
            for number, call in enumerate(chain.calls):
                count = len(chain.calls) if number == 0 else 0
                row = [call.kernel.address, self._arguments(call, chain), call.scale, count]
                steps.append([*row, chain.extent, chain.grain, max(0, chain.after - first)])
        return steps

    def _block(self, steps: list[list[int]]) -> list[int]:
        """The header of a program of steps."""
        chains = sum(step[interpreter.COUNT] > 0 for step in steps)
        header = [0] * interpreter.HEADER
        header[interpreter.STEPS] = self._words([word for step in steps for word in step])
        header[interpreter.STEP_COUNT] = len(steps)
        header[interpreter.COUNTERS] = self._words([0] * (chains * 2 * interpreter.LINE // 8))
        header[interpreter.CHAINS] = chains
        return header

    def _arguments(self, call: Call, chain: Chain) -> int:
        """The address of a call's argument block; addresses that come later are noted as patches."""
        values = []
        late = []
        for position, word in enumerate(call.words):
            if isinstance(word, Ref):
                address, patch = self._resolve(word)
                if patch is not None:
                    late.append((position, patch))
                values.append(address)
            elif isinstance(word, Grain):
                values.append(chain.grain * call.scale)
            elif isinstance(word, Scratch):
                chunks = -(-chain.extent // chain.grain)
                values.append(self.memory.block(chunks * word.nbytes))
            else:
                values.append(word)
        block = self._words(values)
        for position, (patches, slot, offset) in late:
            patches += [block + 8 * position, slot, offset]
        return block

    # --- code ---------------------------------------------------------------------------------------------------

    def _emit(self, chains: list[Chain], rows: list[list]) -> None:
        """Appends the code that runs chains: each row an operation and operands, int, Label, Ref or () -> int."""
        group: list[Chain] = []
        for number, chain in enumerate(chains):
            call = chain.calls[0]
            if isinstance(call, ControlCall):
                self._run(group, number - len(group), rows)
                group = []
                emit = self._choice if isinstance(call.control, Choice) else self._repeat
                emit(call.control, rows)
            else:
                group.append(chain)
        self._run(group, len(chains) - len(group), rows)

    def _run(self, chains: list[Chain], first: int, rows: list[list]) -> None:
        """Appends a run of kernel calls, if there are any; see _steps."""
        outer, self.parallel = self.parallel, False
        steps = self._steps(chains, first)
        if not self.parallel and all(chain.grain >= chain.extent for chain in chains):
            rows += [[CALL, kernel, words, extent * scale] for kernel, words, scale, _, extent, *_ in steps]
        else:
            rows.append([SHARE if self.parallel else RUN, self._words(self._block(steps))])
        self.parallel = outer or self.parallel

    def _choice(self, choice: Choice, rows: list[list]) -> None:
        end = Label()
        *others, last = choice.branches
        for number, branch in enumerate(others):
            following = Label()
            rows.append([OTHER, Ref(choice.index), number, following])
            self._emit(self._plan(branch), rows)
            rows.append([JUMP, end])
            following.row = len(rows)
        self._emit(self._plan(last), rows)
        end.row = len(rows)

    def _repeat(self, repeat: Repeat, rows: list[list]) -> None:
        rounds, end, top = self._words([0]), Label(), Label()
        at = self._words([0]) if repeat.reverse else rounds  # which slice: the last first, if in reverse
        limit = self._words([ENDLESS if repeat.trips is None else repeat.trips])
        begins = [self._begin(whole) for _, whole, _ in repeat.slices]
        growing = {whole for whole, _ in repeat.grown}

        @cache
        def moving(grows: bool) -> int:
            """The list of the addresses in stacks that grow, or in all else, once all is laid out."""
            entries = []
            patches = repeat.slots.patches
            for where, slot, offset in zip(*[iter(patches)] * interpreter.PATCH, strict=True):
                _, whole, stride = repeat.slices[slot]
                if (whole in growing) == grows:
                    entries += [where, begins[slot], offset, stride, -stride if repeat.reverse else stride]
            return self._words([len(entries) // interpreter.MOVING, *entries])

        rows.append([SET, rounds, 0])
        if repeat.count is not None:
            rows.append([MOVE, limit, Ref(repeat.count), 0])
        if repeat.reverse:
            rows.append([MOVE, at, limit, -1])
        rows.append([ENOUGH, rounds, limit, end])
        steady = len(repeat.slices) > len(growing)
        if steady:
            rows.append([PLACE, lambda: moving(False), at])
        top.row = len(rows)
        if repeat.flag is not None:
            rows.append([UNLESS, Ref(repeat.flag), end])
        for whole, stride in repeat.grown:
            rows.append([GROW, whole.address, at, stride])
        if growing:
            rows.append([PLACE, lambda: moving(True), at])
        self._emit(self._plan(repeat.body), rows)
        rows += [[HALT, cell.ctypes.data] for cell, _ in repeat.body.failures]
        if steady:
            rows.append([ADVANCE, lambda: moving(False)])
        if repeat.reverse:
            rows.append([ADD, at, -1])
        cost = sum(call.cost for call in repeat.body.calls) + ROUND_NS
        rows.append([NEXT, rounds, limit, top, int(min(cost, 1e15))])
        end.row = len(rows)
        if repeat.rounds is not None:
            rows.append([MOVE, Ref(repeat.rounds), rounds, 0])

    def _begin(self, whole: Buffer) -> int:
        """The address of a word that holds the address of a buffer."""
        if whole.stack:
            assert whole.address is not None
            return whole.address + 8 * interpreter.STACK_BYTES
        address, patch = self._resolve(Ref(whole))
        begin = self._words([address])
        if patch is not None:
            patches, slot, offset = patch
            patches += [begin, slot, offset]
        return begin

    def _code(self, rows: list[list]) -> int:
        """The address of the code."""
        words = threads.aligned_words(len(rows) * ROW)
        self.memory.keep.append(words)
        address = words.ctypes.data
        later = []
        for number, row in enumerate(rows):
            for k, operand in enumerate(row):
                position = number * ROW + k
                if isinstance(operand, Label):
                    words[position] = address + operand.row * ROW * 8
                elif isinstance(operand, Ref):
                    words[position], patch = self._resolve(operand)
                    if patch is not None:
                        patches, slot, offset = patch
                        patches += [address + 8 * position, slot, offset]
                elif callable(operand):
                    later.append((position, operand))
                else:
                    words[position] = operand
        for position, operand in later:  # now all patches are there
            words[position] = operand()
        return address
