"""Graphs with nodes that run from Python, host ops and some control flow: native programs and Python in turn.

A graph is cut at these nodes into *segments*, which become Programs. Values pass from one to the next as blocks of
memory. Sizes that such a node decides are known once it has run; the segments after it are bound to them then, and each
set of sizes has a Program of its own.
"""

import threading
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from nbflow.compiler.control import COND, LOOP, bodies, bound_aval, has_effect, loop_parts, saved_values
from nbflow.compiler.control_lowering import is_stack, staged_nodes
from nbflow.compiler.graph import CONSTANT, SHAPES, Aval, Graph, Node, Value, aval, bind, bound_attrs, size_sources
from nbflow.compiler.passes.loops import join_loops
from nbflow.compiler.passes.simplify import drop_unused, simplify
from nbflow.compiler.program import Program
from nbflow.errors import InvalidArgumentError
from nbflow.runtime.buffers import allocate
from nbflow.shapes import Dim, TensorShape, bind_dim, could_be_equal
from nbflow.tensor.state import state


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


class Ragged(Block):
    """The stack of a loop whose rows have several sizes. Only loops read it, a row a round."""

    __slots__ = ("rows",)

    def __init__(self, rows: list[np.ndarray], expected: Aval):
        self.rows = rows
        sizes = tuple(map(max, zip(*(row.shape for row in rows), strict=True)))
        self._aval = aval(expected.dtype, (len(rows), *sizes))

    @property
    def _ptr(self):
        """Raises InvalidArgumentError: the rows do not lie in one piece of memory."""
        shapes = sorted({row.shape for row in self.rows})
        raise InvalidArgumentError(
            f"the rounds of a loop give values of several shapes, {shapes[0]} and {shapes[-1]} among them; to be "
            f"stacked, they must have one"
        )

    _buf = _ptr

    def _view(self) -> np.ndarray:
        return self._ptr


def block(buffer: np.ndarray, address: int, a: Aval) -> Block:
    """The Block of an Aval at an address within a buffer."""
    made = Block()
    made._buf, made._ptr, made._aval = buffer, address, a
    return made


def fits(shape: tuple, expected: Aval) -> bool:
    """Whether a shape is one that a value may have."""
    return expected.unranked or could_be_equal(shape, expected.shape)


def block_of(array, expected: Aval) -> Block:
    """What a host function returned, of the dtype that its op promised."""
    dense = np.ascontiguousarray(array, expected.dtype.np).reshape(np.shape(array))
    if not dense.flags.aligned or not dense.flags.writeable:
        dense = dense.copy()
    if not fits(dense.shape, expected):
        raise RuntimeError(f"a host function returned shape {dense.shape} where its op promised {expected.shape}")
    return block(dense.reshape(-1).view(np.uint8), dense.ctypes.data, aval(expected.dtype, dense.shape))


def call_host(op, avals: Sequence[Aval], inputs: Sequence[Block], attrs: dict) -> list[Block]:
    """Runs a host op on memory; avals are those that its results should have."""
    given = {name: value for name, value in attrs.items() if name != SHAPES}
    arrays = [x._view() for x in inputs]
    if op.effect:  # the user's code, with its own warnings
        results = _several(op.host(*arrays, **given))
        for array, a in zip(results, avals, strict=True):
            if not fits(np.shape(array), a):
                raise InvalidArgumentError(
                    f"a Python function returned a value of shape {np.shape(array)}; the program around it takes "
                    f"{TensorShape(a.shape)}"
                )
        return [block_of(array, a) for array, a in zip(results, avals, strict=True)]
    with np.errstate(all="ignore"):
        if op.wide:
            arrays = [a.astype(np.float32) if x._aval.dtype.is_half else a for a, x in zip(arrays, inputs, strict=True)]
        results = op.host(*arrays, **given)
    return [block_of(array, a) for array, a in zip(_several(results), avals, strict=True)]


def _several(results) -> tuple:
    return results if isinstance(results, tuple) else (results,)


def compiled(graph: Graph) -> "Program | Stages":
    """What runs a graph with known shapes, but for sizes that host ops decide."""
    if staged_nodes(graph):
        graph = drop_unused(graph)  # perhaps nobody needs them
    if not staged_nodes(graph):
        graph = simplify(graph)  # composite ops may be written in host ops
        if not staged_nodes(graph):
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


class Binding:
    """A graph whose sizes become known when it runs; each set of them has a program of its own."""

    def __init__(self, graph: Graph):
        self.graph = graph
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


class Segment(Binding):
    """A part of a graph without nodes that run from Python.

    Attributes:
        graph: with an input for each of `inputs`.
        inputs, outputs: Values of the whole graph.
    """

    def __init__(self, nodes: list[Node], outputs: list[Value], updates: dict[Value, Value], targets: list[Value]):
        graph = Graph()
        inside = {v for node in nodes for v in node.outputs}
        read = dict.fromkeys(v for node in nodes for v in node.inputs if v not in inside)
        read |= dict.fromkeys(v for v in (*outputs, *updates.values()) if v not in inside)
        self.inputs = list(dict.fromkeys([*targets, *read]))
        self.outputs = outputs
        graph.inputs, graph.nodes, graph.outputs = list(self.inputs), nodes, list(outputs)
        graph.updates = updates
        super().__init__(graph)


class Host:
    """A host op of a graph, ready to run."""

    def __init__(self, node: Node):
        self.node = node

    def run(self, inputs: Sequence[Block], sizes: dict[str, int]) -> list[Block]:
        """The results for inputs and sizes that are known by now."""
        avals = [bound_aval(v.aval, sizes) for v in self.node.outputs]
        return call_host(self.node.op, avals, inputs, bound_attrs(self.node.attrs, sizes))

    programs: Sequence[Program] = ()


class Branches:
    """A COND that runs from Python."""

    def __init__(self, node: Node):
        self.node = node
        self._bodies = [Binding(body.graph) for body in node.attrs["branches"]]

    def run(self, inputs: Sequence[Block], sizes: dict[str, int]) -> list[Block]:
        """The results for inputs and sizes that are known by now."""
        index = int(inputs[0]._view())
        chosen = self._bodies[index if 0 <= index < len(self._bodies) else -1]
        return chosen.run(inputs[1:], sizes)

    @property
    def programs(self) -> list[Program]:
        """The native programs made so far."""
        return [p for body in self._bodies for p in body.programs]


class Rounds:
    """A LOOP that runs from Python: with host ops in it, or with values whose sizes change from round to round."""

    def __init__(self, node: Node):
        self.node = node
        body = node.attrs["body"]
        graph = Graph()
        graph.inputs, graph.nodes = body.graph.inputs, body.graph.nodes
        graph.outputs = [*body.graph.outputs, *saved_values(body, node.attrs["saved"])]
        self._body = Binding(graph)

    def run(self, inputs: Sequence[Block], sizes: dict[str, int]) -> list[Block]:
        """The results for inputs and sizes that are known by now."""
        attrs = self.node.attrs
        counted, carries, elements, constants = loop_parts(inputs, attrs)
        limit = bind_dim(attrs["trips"], sizes)
        if counted is not None:
            limit = max(0, int(counted._view()))
        elif elements:
            limit = elements[0]._aval.shape[0]
        slices = [x.rows if isinstance(x, Ragged) else x._view() for x in elements]
        stacked: list[list[np.ndarray]] = [[] for _ in range(self._stacks)]
        rounds = 0
        while (limit is None or rounds < limit) and not (attrs["tested"] and not carries[0]._view()):
            at = limit - 1 - rounds if attrs["reverse"] else rounds
            given = [*carries, *(_slice(array, at, x) for array, x in zip(slices, elements, strict=True)), *constants]
            known = dict(sizes)
            for value, x in zip(self._body.graph.inputs, given, strict=True):
                known |= _sizes(value.aval, x._aval)
            results = self._body.run(given, known)
            carries = results[: attrs["carries"]]
            for rows, x in zip(stacked, results[attrs["carries"] :], strict=True):
                rows.append(x._view())
            rounds += 1
        promised = [bound_aval(v.aval, sizes) for v in self.node.outputs]
        results = [dense_block(x) for x in carries]
        for rows, a in zip(stacked, promised[len(results) :], strict=False):
            rows = rows[::-1] if attrs["reverse"] else rows
            results.append(_stack(rows, a))
        return [*results, block_of(np.int64(rounds), promised[-1])] if attrs["tested"] else results

    @property
    def _stacks(self) -> int:
        return len(self._body.graph.outputs) - self.node.attrs["carries"]

    @property
    def programs(self) -> list[Program]:
        """The native programs made so far."""
        return self._body.programs


def _stack(rows: list[np.ndarray], a: Aval) -> Block:
    if len({row.shape for row in rows}) > 1:
        return Ragged(rows, a)
    stacked = np.stack(rows) if rows else _no_rows(a)
    missing = a.shape[0] - len(stacked) if isinstance(a.shape[0], int) else 0  # rounds that did not run
    if missing > 0:
        stacked = np.concatenate([stacked, np.zeros((missing, *stacked.shape[1:]), stacked.dtype)])
    return block_of(stacked, a)


def _slice(array, at: int, source: Block) -> Block:
    row = np.ascontiguousarray(array[at]).reshape(np.shape(array[at]))
    return block_of(row, aval(source._aval.dtype, row.shape))


def dense_block(x: Block) -> Block:
    """A block without gaps between its elements."""
    return x if x._aval.strides is None else block_of(x._view(), aval(x._aval.dtype, x._aval.shape))


def _no_rows(a: Aval) -> np.ndarray:
    """The stack of a loop without rounds; a size that only rounds decide is then 0."""
    return np.empty((0, *(size if isinstance(size, int) else 0 for size in a.shape[1:])), a.dtype.np)


def _sizes(expected: Aval, found: Aval) -> dict[str, int]:
    """The sizes by name that a value has where a named size was expected."""
    pairs = () if expected.unranked else zip(expected.shape, found.shape, strict=True)
    return {dim.name: size for dim, size in pairs if isinstance(dim, Dim) and not dim.op}


def step_of(node: Node) -> "Host | Branches | Rounds":
    """How a node runs from Python."""
    if node.op is LOOP:
        return Rounds(node)
    return Branches(node) if node.op is COND else Host(node)


def _runs_users_code(graph: Graph) -> bool:
    return any("call" in node.attrs or any(_runs_users_code(b.graph) for b in bodies(node)) for node in graph.nodes)


class Stages:
    """A graph with nodes that run from Python, ready to run.

    Attributes:
        graph: with those nodes.
        updated: for each input whether running the graph changes it (a Variable).
        lock: for callers that pass Variables: two runs at once would each update a copy. Not held while Python
            functions of the user's run, which may wait for another thread's run of this graph.
    """

    launchable = False

    def __init__(self, graph: Graph):
        self.graph = graph = drop_unused(join_loops(graph))
        self.lock = nullcontext() if _runs_users_code(graph) else threading.RLock()
        self.updated = [v in graph.updates for v in graph.inputs]
        staged = staged_nodes(graph)
        while True:
            hosts, bodies, last = _levels(graph, staged)
            number = {node: at for at, nodes in bodies.items() for node in nodes}
            apart = {
                v.node for node in number for v in node.inputs if v.node in number and number[v.node] != number[node]
            }
            split = {node for node in apart if node.op is LOOP and any(map(is_stack, node.outputs))}
            if not split:
                break
            staged |= split
        unchanged = set(graph.inputs)
        needed_by: dict[Value, int] = {}  # the last level at which a value is read from outside of its own
        for at, nodes in [*hosts.items(), *bodies.items()]:
            for node in nodes:
                for v in node.inputs:
                    needed_by[v] = max(needed_by.get(v, 0), at + (node in staged))
        constants = {node.output: node for node in graph.nodes if node.op is CONSTANT}
        self._steps: list[Segment | Host | Branches | Rounds] = []
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
            if outputs or updates or any(map(has_effect, nodes)):
                used = {v for node in nodes for v in node.inputs} | {*outputs, *updates.values()}
                shared = [constants[v] for v in used if v in constants]
                self._steps.append(Segment([*shared, *nodes], outputs, dict(updates), list(updates)))
            self._steps += [step_of(node) for node in hosts.get(at, [])]

    @property
    def failures(self) -> bool:
        """Whether a run may fail after Variables were updated, which the last segment does."""
        programs = native_programs(self)
        return bool(self.graph.updates) and (not programs or any(p.failures for p in programs))

    def run(self, inputs: Sequence[Block]) -> list[Block]:
        """The results for inputs; those that are updated hold their new values afterwards."""
        outermost = state.kept is None
        if outermost:
            state.kept = []
        try:
            return self._run(inputs)
        finally:
            if outermost:
                state.kept = None

    def _run(self, inputs: Sequence[Block]) -> list[Block]:
        memory: dict[Value, Block] = dict(zip(self.graph.inputs, inputs, strict=True))
        sizes: dict[str, int] = {}
        for step in self._steps:
            if isinstance(step, Segment):
                found = step.run([memory[v] for v in step.inputs], sizes)
                memory.update(zip(step.outputs, found, strict=True))
                continue
            node = step.node
            try:
                results = step.run([memory[v] for v in node.inputs], sizes)
            except Exception as error:
                placed = _placed(error, node)
                if placed is error:
                    raise
                raise placed from None
            for value, result in zip(node.outputs, results, strict=True):
                memory[value] = result
                sizes |= _sizes(value.aval, result._aval)
        return [memory[v] for v in self.graph.outputs]


def _placed(error: Exception, node: Node) -> Exception:
    """An error with the line of the node that raised it; one of the user's code is a note to the same error."""
    if not node.where:
        return error
    if has_effect(node):
        error.add_note(f"{getattr(node.attrs.get('call'), 'name', node.op.name)}, in {node.where}")
        return error
    if not isinstance(error, InvalidArgumentError):
        return error
    return type(error)(f"{error} (in {node.where})")


def _levels(graph: Graph, staged: set[Node]) -> tuple[dict[int, list[Node]], dict[int, list[Node]], int]:
    """Which nodes run from Python, and which natively before those, at each level; and the last level."""
    level: dict[Value, int] = dict.fromkeys(graph.inputs, 0)
    hosts: dict[int, list[Node]] = {}
    bodies: dict[int, list[Node]] = {}
    sources = size_sources(graph)
    last = outside = native = 0  # at the last two the next effect may come, from Python or in a program
    for node in graph.nodes:
        at = max((level[v] for v in (*node.inputs, *sources.get(node, ()))), default=0)
        if has_effect(node):
            outside = at = max(at, outside if node in staged else native)
            native = at + (node in staged)
        if node in staged:
            hosts.setdefault(at, []).append(node)
            at += 1
        elif node.op is not CONSTANT:
            bodies.setdefault(at, []).append(node)
        level.update(dict.fromkeys(node.outputs, at))
        last = max(last, at)  # so that Variables change when nothing that runs from Python is left to fail
    return hosts, bodies, last


def native_programs(program: Program | Stages) -> list[Program]:
    """The native programs that run a graph, as far as they have been made."""
    if isinstance(program, Program):
        return [program]
    return [p for step in program._steps for p in step.programs]
