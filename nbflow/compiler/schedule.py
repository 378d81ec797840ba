"""In which order and in which company kernels run: chains, their dependences, and the memory of intermediates."""

import heapq
import math
from collections import defaultdict
from typing import Any

from nbflow.compiler.formulas import apply
from nbflow.compiler.kernels import PART, SLAB, Buffer, Call, ControlCall

CHUNK_NS = 15_000  # a chunk should take about this long: long against a claim, short against a time slice
TEAM_NS = 40_000  # a program that one thread finishes sooner does not wake the team
MIN_ROWS = 8  # a chain is not cut to fewer rows than this, which would leave threads idle
ALIGN = 64
TINY_NS = 2_000  # calls this cheap share a chain although nothing links them


class Chain:
    """Kernel calls that run one after the other on each chunk of rows.

    Attributes:
        calls: in order.
        extent: rows that threads share.
        grain: rows a chunk.
        after: how many of the chains before it must have finished.
    """

    def __init__(self, call: Call):
        self.calls: list[Any] = [call]
        self.extent = call.extent
        self.grain = call.extent
        self.after = 0

    @property
    def cost(self) -> float:
        """Estimated ns on one thread."""
        return sum(call.cost for call in self.calls)

    def common_extent(self, call: Call) -> int:
        """The rows of this chain with the call in it, 0 where they do not fit."""
        few, many = sorted((self.extent, call.extent))
        if few == many:
            return few
        return few if few >= MIN_ROWS and many % few == 0 else 0

    def takes(self, call: Call | ControlCall, linked: list[Call]) -> bool:
        """Whether the call may join.

        Args:
            linked: calls of this chain that it depends on: each must meet it row by row.
        """
        if isinstance(call, ControlCall) or isinstance(self.calls[0], ControlCall):
            return False
        if not linked:
            return self.extent == call.extent and max(call.cost, self.cost) < TINY_NS
        return all(_row_by_row(other, call) for other in linked) and self.common_extent(call) > 0

    def add(self, call: Call) -> None:
        """Appends a call that the chain takes."""
        self.extent = self.common_extent(call)
        self.calls.append(call)


def _row_by_row(a: Call, b: Call) -> bool:
    """Whether two calls, cut into as many parts, touch what they share in the same parts only."""
    for buffer, how_a, writes_a, unit_a in a.touches:
        for other, how_b, writes_b, unit_b in b.touches:
            same = how_a == how_b == SLAB and unit_a * a.extent == unit_b * b.extent
            if buffer is other and (writes_a or writes_b) and not same:
                return False
    return True


def dependences(calls: list[Call]) -> list[set[int]]:
    """For each call the earlier ones that must come before it: one of the two writes what both touch."""
    whole: dict[Buffer, list[int]] = defaultdict(list)  # who wrote a buffer
    parts: dict[Buffer, list[int]] = defaultdict(list)  # who wrote a part of it that nobody else writes
    readers: dict[Buffer, list[int]] = defaultdict(list)
    found: list[set[int]] = []
    for number, call in enumerate(calls):
        before: set[int] = set()
        for buffer, how, writes, _ in call.touches:
            before.update(whole[buffer])
            if writes:
                before.update(readers[buffer])
            if how != PART:
                before.update(parts[buffer])
        for buffer, how, writes, _ in call.touches:
            kind = readers if not writes else parts if how == PART else whole
            kind[buffer].append(number)
        before.discard(number)
        found.append(before)
    return found


def make_chains(calls: list[Call]) -> list[Chain]:
    """Groups calls, given in an order in which they can run, into chains."""
    calls = [call for call in calls if call.extent > 0]
    needs = dependences(calls)
    users: list[list[int]] = [[] for _ in calls]
    for number, before in enumerate(needs):
        for earlier in before:
            users[earlier].append(number)
    missing = [len(before) for before in needs]
    ready = [k for k, count in enumerate(missing) if not count]  # a heap: all they need is in some chain
    chain_of: dict[int, int] = {}
    chains: list[Chain] = []
    while ready:
        scalars = (k for k in ready if calls[k].extent < MIN_ROWS)  # first, because others wait for them
        leader = min(scalars, default=ready[0])
        ready.remove(leader)
        heapq.heapify(ready)
        chain, number = Chain(calls[leader]), len(chains)
        members, left, waits = [leader], [], 0
        chain_of[leader] = number
        for k in members:  # grows while it is walked
            for user in users[k]:
                missing[user] -= 1
                if not missing[user]:
                    heapq.heappush(ready, user)
            waits = max([waits, *(chain_of[j] + 1 for j in needs[k] if chain_of[j] != number)])
            while ready:
                candidate = heapq.heappop(ready)
                linked = [calls[j] for j in needs[candidate] if chain_of[j] == number]
                if chain.takes(calls[candidate], linked):
                    chain.add(calls[candidate])
                    chain_of[candidate] = number
                    members.append(candidate)
                    break
                left.append(candidate)
        ready += left
        heapq.heapify(ready)
        chain.after = waits
        chains.append(chain)
    return chains


def set_grains(chains: list[Chain], threads: int) -> bool:
    """Chooses the rows a chunk of each chain. Returns whether the program is worth the team's while."""
    parallel = threads > 1 and sum(chain.cost for chain in chains) > TEAM_NS
    for chain in chains:
        whole = any(call.whole for call in chain.calls)
        if parallel:
            chunks = apply(min, apply(max, chain.cost / CHUNK_NS, 1.0), 2 * threads if whole else 16 * threads)
            if whole and chain.cost > 2 * CHUNK_NS:
                chunks = threads
        else:
            chunks = 1 if whole or len(chain.calls) == 1 else apply(max, chain.cost / CHUNK_NS, 1.0)
        grain = -(-chain.extent // math.floor(chunks))
        multiple = max(call.multiple for call in chain.calls)
        if multiple == 1 and chain.extent >= 64 * 16 and grain < chain.extent:
            multiple = 64
        grain = -(-grain // multiple) * multiple
        chain.grain = grain
        for call in chain.calls:
            call.scale = call.extent // chain.extent
    return parallel


def plan_memory(chains: list[Chain]) -> int:
    """Places the intermediates in one arena.

    Two share memory only if the chain that first writes the later one waits for the last user of the earlier one
    anyway, so that sharing delays nothing.

    Returns:
        The arena's size in bytes.
    """
    first: dict[Buffer, int] = {}
    last: dict[Buffer, int] = {}
    for k, chain in enumerate(chains):
        for call in chain.calls:
            for buffer, *_ in call.touches:
                if buffer.in_arena and buffer.address is None:
                    first.setdefault(buffer, k)
                    last[buffer] = k
    placed: list[tuple[Buffer, int, int, int]] = []  # each with its first chain, its last, and what the first waits for
    size = 0
    for buffer in sorted(first, key=lambda b: (-b.nbytes, first[b])):
        start, end, waits = first[buffer], last[buffer], chains[first[buffer]].after
        beside = [
            other
            for other, begun, ended, waited in placed
            if (ended >= waits if begun <= start else end >= waited)  # the later one does not wait for the earlier one
        ]
        offset = 0
        for other in sorted(beside, key=lambda b: b.offset):
            if offset + buffer.nbytes <= other.offset:
                break
            offset = max(offset, -(-(other.offset + other.nbytes) // ALIGN) * ALIGN)
        buffer.offset = offset
        placed.append((buffer, start, end, waits))
        size = max(size, offset + buffer.nbytes)
    return size
