"""Graphs with host ops: native programs and NumPy functions in turn.

A graph is cut at its host ops into *segments*, which become Programs. Values pass from one to the next as blocks of
memory. Sizes that a host op decides are known once it has run; the segments after it are bound to them then, and each
set of sizes has a Program of its own.
"""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from nbflow.compiler.graph import CONSTANT, SHAPES, Aval, Graph, Node, Value, aval, bind, bound_attrs, size_sources
from nbflow.compiler.passes.simplify import drop_unused, simplify
from nbflow.compiler.program import Program
from nbflow.errors import InvalidArgumentError
from nbflow.runtime.buffers import allocate
from nbflow.shapes import Dim


class Block:
    """Memory with a value in it; a Tensor is one too.

    Attributes:
        _buf: the uint8 array that holds the numbers.
        _ptr: the address of the first.
        _aval: dtype, shape and strides.
    """

    __slots__ = ("_aval", "_buf", "_ptr")
    _aval: Aval
    _buf: Any
    _ptr: Any

    def _view(self) -> np.ndarray:
        """The memory as a NumPy array that must not be written to."""
        a = self._aval
        strides = None if a.strides is None else tuple(s * a.dtype.size for s in a.strides)
        if not a.size:
            return np.empty(a.shape, a.dtype.np)
        offset = self._ptr - self._buf.__array_interface__["data"][0]
        return np.ndarray(a.shape, a.dtype.np, self._buf, offset, strides)


def block(buffer: np.ndarray, address: int, a: Aval) -> Block:
    """The Block of an Aval at an address within a buffer."""
    made = Block()
    made._buf, made._ptr, made._aval = buffer, address, a
    return made


def block_of(array, expected: Aval) -> Block:
    """What a host function returned, of the dtype that its op promised."""
    dense = np.ascontiguousarray(array, expected.dtype.np).reshape(np.shape(array))
    if not dense.flags.aligned or not dense.flags.writeable:
        dense = dense.copy()
    known = expected.shape
    if dense.ndim != len(known) or any(n != k for n, k in zip(dense.shape, known, strict=True) if isinstance(k, int)):
        raise RuntimeError(f"a host function returned shape {dense.shape} where its op promised {known}")
    return block(dense.reshape(-1).view(np.uint8), dense.ctypes.data, aval(expected.dtype, dense.shape))


def call_host(op, avals: Sequence[Aval], inputs: Sequence[Block], attrs: dict) -> list[Block]:
    """Runs a host op on memory; avals are those that its results should have."""
    given = {name: value for name, value in attrs.items() if name != SHAPES}
    arrays = [x._view() for x in inputs]
    with np.errstate(all="ignore"):
        if op.wide:
            arrays = [a.astype(np.float32) if x._aval.dtype.is_half else a for a, x in zip(arrays, inputs, strict=True)]
        results = op.host(*arrays, **given)
    results = results if isinstance(results, tuple) else (results,)
    return [block_of(array, a) for array, a in zip(results, avals, strict=True)]


def compiled(graph: Graph) -> "Program | Stages":
    """What runs a graph with known shapes, but for sizes that host ops decide."""
    if not any(node.op.host for node in graph.nodes):
        graph = simplify(graph)  # composite ops may be written in host ops
        if not any(node.op.host for node in graph.nodes):
            return Program(graph)
    return Stages(graph)


def run(program: "Program | Stages", inputs: Sequence[Block]) -> list[Block]:
    """Runs a program on inputs whose layouts it was made for."""
    if isinstance(program, Stages):
        return program.run(inputs)
    avals = program.output_avals
    buffers = [allocate(a.nbytes) for a in avals]
    addresses = program.run(buffers, [t._ptr for t in inputs])
    return [block(buffer, address, a) for buffer, address, a in zip(buffers, addresses, avals, strict=False)]


class Segment:
    """A part of a graph without host ops.

    Attributes:
        graph: with an input for each of `inputs`.
        inputs, outputs: Values of the whole graph.
    """

    def __init__(self, nodes: list[Node], outputs: list[Value], updates: dict[Value, Value], targets: list[Value]):
        self.graph = Graph()
        inside = {v for node in nodes for v in node.outputs}
        read = dict.fromkeys(v for node in nodes for v in node.inputs if v not in inside)
        read |= dict.fromkeys(v for v in (*outputs, *updates.values()) if v not in inside)
        self.inputs = list(dict.fromkeys([*targets, *read]))
        self.outputs = outputs
        self.graph.inputs, self.graph.nodes, self.graph.outputs = list(self.inputs), nodes, list(outputs)
        self.graph.updates = updates
        self._programs: dict[tuple, Program | Stages] = {}

    def run(self, inputs: Sequence[Block], sizes: dict[str, int]) -> list[Block]:
        """The outputs for inputs and sizes that are known by now."""
        avals = tuple(x._aval for x in inputs)
        key = (avals, tuple(sizes.items()))
        program = self._programs.get(key)
        if program is None:
            program = self._programs[key] = compiled(bind(self.graph, sizes, avals))
        return run(program, inputs)

    @property
    def programs(self) -> "list[Program]":
        """The native programs made so far."""
        return [p for program in self._programs.values() for p in native_programs(program)]


class Stages:
    """A graph with host ops, ready to run.

    Attributes:
        graph: with its host ops.
        updated: for each input whether running the graph changes it (a Variable).
        lock: for callers that pass Variables: two runs at once would each update a copy.
    """

    launchable = False

    def __init__(self, graph: Graph):
        self.graph = graph = drop_unused(graph)
        self.lock = threading.Lock()
        self.updated = [v in graph.updates for v in graph.inputs]
        level: dict[Value, int] = dict.fromkeys(graph.inputs, 0)
        hosts: dict[int, list[Node]] = {}
        bodies: dict[int, list[Node]] = {}
        sources = size_sources(graph)
        for node in graph.nodes:
            at = max((level[v] for v in (*node.inputs, *sources.get(node, ()))), default=0)
            if node.op.host is not None:
                hosts.setdefault(at, []).append(node)
                at += 1
            elif node.op is not CONSTANT:
                bodies.setdefault(at, []).append(node)
            level.update(dict.fromkeys(node.outputs, at))
        last = max(level.values(), default=0)
        unchanged = set(graph.inputs)
        needed_by: dict[Value, int] = {}  # the last level at which a value is read from outside of its own
        for at, nodes in [*hosts.items(), *bodies.items()]:
            for node in nodes:
                for v in node.inputs:
                    needed_by[v] = max(needed_by.get(v, 0), at + (node.op.host is not None))
        constants = {node.output: node for node in graph.nodes if node.op is CONSTANT}
        self._steps: list[Segment | Node] = []
        for at in range(last + 1):
            nodes = bodies.get(at, [])
            made = dict.fromkeys(v for node in nodes for v in node.outputs)
            outputs = [v for v in made if needed_by.get(v, 0) > at]
            outputs += [v for node in hosts.get(at, []) for v in node.inputs if v in constants]
            updates = graph.updates if at == last else {}
            outputs += [v for v in (graph.outputs if at == last else graph.results()) if v in made]
            if at == last:
                outputs += [v for v in graph.outputs if v in constants or v in unchanged]
            outputs = list(dict.fromkeys(outputs))
            if outputs or updates:
                used = {v for node in nodes for v in node.inputs} | {*outputs, *updates.values()}
                shared = [constants[v] for v in used if v in constants]
                self._steps.append(Segment([*shared, *nodes], outputs, dict(updates), list(updates)))
            self._steps += hosts.get(at, [])

    @property
    def failures(self) -> bool:
        """Whether a run may fail after Variables were updated, which the last segment does."""
        programs = native_programs(self)
        return bool(self.graph.updates) and (not programs or any(p.failures for p in programs))

    def run(self, inputs: Sequence[Block]) -> list[Block]:
        """The results for inputs; those that are updated hold their new values afterwards."""
        memory: dict[Value, Block] = dict(zip(self.graph.inputs, inputs, strict=True))
        sizes: dict[str, int] = {}
        for step in self._steps:
            if isinstance(step, Segment):
                found = step.run([memory[v] for v in step.inputs], sizes)
                memory.update(zip(step.outputs, found, strict=True))
                continue
            try:
                avals = [aval(v.dtype, bound_attrs({"": v.shape}, sizes)[""]) for v in step.outputs]
                attrs = bound_attrs(step.attrs, sizes)
                results = call_host(step.op, avals, [memory[v] for v in step.inputs], attrs)
            except InvalidArgumentError as error:
                raise type(error)(f"{error} (in {step.where})" if step.where else str(error)) from None
            for value, result in zip(step.outputs, results, strict=True):
                memory[value] = result
                for dim, size in zip(value.shape, result._aval.shape, strict=True):
                    if isinstance(dim, Dim) and not dim.op:
                        sizes[dim.name] = size
        return [memory[v] for v in self.graph.outputs]


def native_programs(program: Program | Stages) -> list[Program]:
    """The native programs that run a graph, as far as they have been made."""
    if isinstance(program, Program):
        return [program]
    return [p for step in program._steps if isinstance(step, Segment) for p in step.programs]
