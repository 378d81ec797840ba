"""Programs for further sizes, computed by the formulas of one that was made.

Making a program takes all passes. A graph with open sizes has one for each set of sizes, and most differ in some words
of their tables only. So one of them is made for Numbers in place of the sizes (see formulas): its Formulas then say how
each word follows from the sizes, and for which sizes the passes would decide everything as they did. A program for
other such sizes is the same table with some words computed anew.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from nbflow.compiler.control import bound_aval
from nbflow.compiler.formulas import Formulas, Number
from nbflow.compiler.graph import CONSTANT, Aval, Graph, aval, bind
from nbflow.compiler.lowering import Lowering
from nbflow.compiler.program import Program
from nbflow.compiler.table import Memory, Table, block
from nbflow.runtime import native, threads

MOST = 16  # patterns that are made of a graph: one for each way that the passes take, while there are not too many
USELESS = 8  # as many patterns as one counts that failed, or that is for some exact size
BASE, KEEP = "address of the words", "memory of the program"  # inputs of the formulas, beside the sizes
LINE = 8  # words; each piece of memory begins on a cache line
CELL = 3  # words in which a kernel reports bad input


class _Image(Memory):
    """The memory of a pattern: words one after the other, numbers where they depend on the sizes.

    Args:
        cells: arrays that each program has its own of.
    """

    def __init__(self, formulas: Formulas, cells: Sequence[np.ndarray]):
        super().__init__()
        self.all: list = []
        self.cells = [self._append([0] * cell.size) for cell in cells]
        self._formulas = formulas
        self._cell_of = {id(cell): at for cell, at in zip(cells, self.cells, strict=True)}
        self._base = formulas.input(BASE, 0)
        self._owner = formulas.input(KEEP, [])  # what is computed now is not used

    def _append(self, values: Sequence) -> int:
        at = len(self.all)
        self.all += [*values, *[0] * (-len(values) % LINE)]
        return at

    def block(self, nbytes):
        def fresh(nbytes, keep):  # a function of its own: the same step for the same numbers is made once
            return block(nbytes, keep)

        return self._formulas.compute(fresh, nbytes, self._owner) if nbytes else 0

    def words(self, values):
        return self._base + 8 * self._append(values)

    def array(self, array):
        if isinstance(array, Number):
            return self._formulas.compute(_address, array, self._owner)
        if id(array) in self._cell_of:
            return self._base + 8 * self._cell_of[id(array)]
        if array.dtype == object:
            raise TypeError("numbers in an array are not followed")
        return super().array(array)


def _address(array, keep: list) -> int:
    """The address of an array that formulas made."""
    keep.append(array)
    return array.ctypes.data


class Pattern:
    """What programs of a graph for various sizes have in common.

    Raises:
        Exception: a rule or a kernel's arguments need more of a size than a Number offers.
    """

    def __init__(self, graph: Graph, sizes: dict[str, int]):
        known = len(native.loaded_kernels())
        formulas = self._formulas = Formulas()
        numbers = {name: formulas.input(name, size) for name, size in sizes.items()}
        bound = bind(graph, numbers, [bound_aval(v.aval, numbers) for v in graph.inputs])
        lowering = Lowering(bound)
        image = _Image(formulas, [cell for cell, _ in lowering.failures])
        table = Table(lowering, image)
        if table.has_code:
            raise TypeError("control flow is not followed")
        self._cells, self._keep = image.cells, image.keep
        self._words = np.array([0 if isinstance(w, Number) else w for w in image.all], np.int64)
        places = [at for at, word in enumerate(image.all) if isinstance(word, Number)]
        self._places, self._slots = np.array(places, np.intp), [image.all[at].slot for at in places]
        self._results = [(v.dtype, [formulas.slot(n) for n in v.shape]) for v in lowering.graph.outputs]
        self._address, self._arena = formulas.slot(table.address), formulas.slot(table.arena_bytes)
        self._updated = [v in lowering.graph.updates for v in lowering.graph.inputs]
        self._parallel = table.parallel
        formulas.finish(_keys(bound, lowering))
        self._arrived = native.loaded_kernels()[known:]

    @property
    def exact(self) -> bool:
        """Whether it is for one value of some size only."""
        return self._formulas.exact

    def program(self, sizes: dict[str, int], full: Callable[[], Any]) -> "Derived | None":
        """The program for sizes; None where it is not of this pattern.

        Args:
            full: makes it by all passes.
        """
        begun = time.perf_counter()
        words, keep = threads.aligned_words(len(self._words)), [*self._keep]
        values = self._formulas.evaluate({**sizes, BASE: words.ctypes.data, KEEP: keep})
        if values is None:
            return None
        words[:] = self._words
        words[self._places] = [values[slot] for slot in self._slots]
        keep.append(words)
        avals = [aval(dtype, tuple([values[slot] for slot in slots])) for dtype, slots in self._results]
        made = Derived(avals, self._updated, self._parallel, values[self._address], values[self._arena], keep, full)
        made.set_failures([words[at : at + CELL] for at in self._cells])
        made.arrived, self._arrived = self._arrived, []
        made.seconds = time.perf_counter() - begun
        return made


def _keys(bound: Graph, lowering: Lowering) -> Iterable:
    """What is a part of keys beside Numbers: sizes, strides, offsets, attributes, bits of constants."""
    found: set = {0, 1}

    def add(value) -> None:
        if isinstance(value, tuple):
            for part in value:
                add(part)
        elif isinstance(value, (int, float)):
            found.add(value)

    for place in lowering.layout.places.values():
        add((place.offset, *place.strides))
    for graph in (bound, lowering.graph):
        for node in graph.nodes:
            add(tuple(node.attrs.values()))
            for value in (*node.inputs, *node.outputs):
                add((*value.shape, *value.aval.layout))
            if node.op is CONSTANT and isinstance(node.attrs["value"].array, np.ndarray):
                found.add(node.attrs["value"].array.tobytes())
    return found


def _describe(full: Callable[[], Any], number: int, bad: int) -> str:
    return full().failures[number][1](bad)


class Derived(Program):
    """A program of a pattern. What only people look at is made by all passes when they do."""

    def __init__(
        self,
        output_avals: list[Aval],
        updated: list[bool],
        parallel: bool,
        address: int,
        arena_bytes: int,
        keep: list,
        full: Callable[[], Any],
    ):
        self.output_avals, self.updated, self.parallel, self.has_code = output_avals, updated, parallel, False
        self.address, self.arena_bytes = address, arena_bytes
        self.failures = []
        self._keep, self._stacks, self._lock = keep, [], threading.Lock()
        self._full: Callable[[], Any] = cache(full)

    def set_failures(self, cells: list[np.ndarray]) -> None:
        """Says where kernels report bad input."""
        self.failures = [(cell, partial(_describe, self._full, number)) for number, cell in enumerate(cells)]

    def lowered(self):
        """The graph that runs, after all passes, and all kernel calls."""
        return self._full().lowered()


class Family:
    """The programs of one graph with open sizes."""

    def __init__(self, graph: Graph):
        self._graph = graph
        self._patterns: list[Pattern] = []
        # assertions keep what their message shows in memory of the program that was made by all passes
        whole = any(node.op.control or node.op.host or node.op.effect for node in graph.nodes)
        self._left = 0 if whole else MOST

    def program(self, sizes: dict[str, int], avals: Sequence[Aval], full: Callable[[], Any]) -> Program | None:
        """The program for sizes, which inputs of these Avals have; None where it cannot be derived."""
        if [bound_aval(v.aval, sizes) for v in self._graph.inputs] != list(avals):
            return None
        for pattern in self._patterns:
            found = pattern.program(sizes, full)
            if found is not None:
                return found
        if self._left <= 0:
            return None
        try:
            pattern = Pattern(self._graph, sizes)
        except Exception:  # whatever a rule raises that takes no Numbers, or that sizes are wrong: all passes tell
            self._left -= USELESS
            return None
        self._left -= USELESS if pattern.exact else 1
        self._patterns.append(pattern)
        return pattern.program(sizes, full)
