"""The bodies of control flow: traced into graphs of their own, and differentiated."""

import functools
from collections.abc import Callable, Sequence
from contextlib import contextmanager

import numpy as np

from nbflow.compiler.control import Body
from nbflow.compiler.graph import CONSTANT, Aval, Graph, Value
from nbflow.function.compiled import recorded_calls
from nbflow.function.trace import SymbolicTensor, Trace
from nbflow.ops.table import TABLE
from nbflow.tape.gradient_tape import GradientTape
from nbflow.tensor.indexed_slices import added
from nbflow.tensor.state import state
from nbflow.tensor.tensor import Tensor, is_number
from nbflow.tensor.variable import Variable


class BodyTrace(Trace):
    """The trace of a branch or of what a loop repeats. What it uses of the traces around it becomes inputs.

    Attributes:
        outer: the trace around it.
        operands: (the outer trace's tensor, the input that stands for it), of all captures.
        variables: by id: (Variable, the input that is its value at the start).
        assigned: ids of Variables that it assigns to.
    """

    def __init__(self, outer: Trace):
        super().__init__()
        self.outer, self.seeds = outer, outer.seeds
        self.operands: list[tuple[SymbolicTensor, Value]] = []
        self.variables: dict[int, tuple[Variable, Value]] = {}
        self.assigned: dict[int, Variable] = {}
        self._tapes: tuple = state.tapes  # those that record around it
        self._by_value: dict[Value, SymbolicTensor] = {}

    def extended(self, outer: Trace | None = None) -> "BodyTrace":
        """A trace that goes on where this one ended, within another trace."""
        return self._extend(BodyTrace(self.outer if outer is None else outer))

    def copied(self, graph: Graph) -> "BodyTrace":
        """A trace like this one of a graph with the same nodes."""
        trace = BodyTrace(self.outer)
        trace.graph = graph
        new = dict(zip(_all_values(self.graph), _all_values(graph), strict=True))
        trace.versions = {new[v]: [new[x] for x in values] for v, values in self.versions.items()}
        trace.regions = [
            (start, end, call, [new[v] for v in inputs], [new[v] for v in outputs])
            for start, end, call, inputs, outputs in self.regions
        ]
        trace.variables = {key: (variable, new[v]) for key, (variable, v) in self.variables.items()}
        return trace

    def lift(self, tensor: Tensor) -> SymbolicTensor:
        """A tensor as one of this trace: numbers become constants, tensors of the outer traces inputs."""
        if isinstance(tensor, SymbolicTensor):
            if tensor.trace is self or tensor.trace in self._earlier:
                return tensor
        elif is_number(tensor):
            return super().lift(tensor)
        found = self._captured.get(id(tensor))
        if found is None:
            found = self._captured[id(tensor)] = self._input_for(self.outer.lift(tensor))
            self._kept.append(tensor)
        return found

    def _input_for(self, outer: SymbolicTensor) -> SymbolicTensor:
        found = self._by_value.get(outer.value)
        if found is None:
            known = outer.value.node
            held = any(v is outer.value and not is_number(t) for t, v in outer.trace.scalars)  # a tape may watch it
            if known is not None and known.op is CONSTANT and not held:
                constant = known.attrs["value"]
                found = SymbolicTensor(self, self.graph.constant(constant.array, constant.aval.dtype))
            else:
                found = self._operand(outer)
            self._by_value[outer.value] = found
        return found

    def _operand(self, outer: SymbolicTensor) -> SymbolicTensor:
        made = SymbolicTensor(self, self.graph.input(outer._aval))
        self.operands.append((outer, made.value))
        return made

    def read(self, variable: Variable) -> SymbolicTensor:
        """The value of a Variable at this point of the trace."""
        found = self._current.get(id(variable))
        if found is None:
            outer = self.outer.read(variable)
            for tape in self._tapes:
                tape.watch_read(variable, outer)
            found = self._current[id(variable)] = self._operand(outer)
            self.variables[id(variable)] = variable, found.value
        return found

    def assign(self, variable: Variable, tensor: Tensor) -> None:
        """A new value of a Variable, for what follows and for after the control flow."""
        self.read(variable)
        self._note_version(variable, self.variables[id(variable)][1], self.lift(tensor))
        self.assigned[id(variable)] = variable

    def pending(self) -> list[Variable]:
        """The Variables that were assigned to so far, here or around."""
        return list({id(v): v for v in (*self.outer.pending(), *self.assigned.values())}.values())

    def current(self, variable: Variable) -> SymbolicTensor:
        """The value of a Variable at the end of the trace."""
        return self._current[id(variable)]


def _all_values(graph: Graph) -> list[Value]:
    return [*graph.inputs, *(v for node in graph.nodes for v in node.outputs)]


# --- derivatives ------------------------------------------------------------------------------------------------------


class Backward:
    """The gradient of a body, in a trace that goes on after it.

    Attributes:
        trace: with the nodes of the body and those of its gradient.
        forward: the body's own graph.
    """

    def __init__(self, body: Body, outer: Trace):
        self.forward: Graph = body.graph
        self._source: BodyTrace = body.trace
        self.trace = body.trace.extended(outer)
        self._tensors: dict[Value, SymbolicTensor] = {}
        self._own = set(_all_values(self.forward))

    def tensor(self, value: Value) -> SymbolicTensor:
        """The tensor that stands for a value of the body, the same each time."""
        if value not in self._tensors:
            self._tensors[value] = SymbolicTensor(self._source, value)
        return self._tensors[value]

    def gradients(self, targets: Sequence[Value], seeds: Sequence[SymbolicTensor], sources: Sequence[Value]) -> list:
        """Within the trace: gradients for inputs of the body, None where nothing depends on them; some are sparse."""
        groups = [[self.tensor(v), *map(self.tensor, self._source.versions.get(v, ()))] for v in sources]
        with GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(groups)
            for entry in recorded_calls(self._source, self.tensor, tape.watches):
                tape.record(*entry)
        if not targets:
            return [None] * len(groups)
        found = tape.gradient([self.tensor(v) for v in targets], groups, output_gradients=list(seeds))
        return [functools.reduce(added, group) for group in found]

    @contextmanager
    def active(self):
        """A block whose ops go into the trace."""
        with self.trace.active():
            yield self.trace

    def is_forward(self, value: Value) -> bool:
        """Whether a value is the body's own, rather than made for the gradient."""
        return value in self._own


# What a gradient computes again rather than keep: fusion makes it cheap.
AGAIN = ("elementwise", "view", "static", "source", "composite")


def needed(outputs: Sequence[Value], stops: Callable[[Value], bool]) -> tuple[list[Value], set]:
    """What values are made of: the values at which the search stops, in order, and the nodes between."""
    leaves: dict[Value, None] = {}
    nodes: dict = {}
    pending = list(reversed(outputs))
    while pending:
        value = pending.pop()
        if value.node is None or stops(value):
            leaves[value] = None
        elif value.node not in nodes:
            nodes[value.node] = None
            pending.extend(reversed(value.node.inputs))
    return list(leaves), set(nodes)


def extract(trace: BodyTrace, inputs: Sequence[Value], outputs: Sequence[Value], nodes: set, outer: Trace) -> Body:
    """A body of some nodes of a trace, as a graph of its own.

    Args:
        inputs: values that are the inputs, in order.
        nodes: what lies between inputs and outputs.
    """
    new = BodyTrace(outer)
    made = {v: new.graph.input(v.aval) for v in inputs}
    for node in trace.graph.nodes:
        if node in nodes:
            copied = new.graph.append(node.op, [made[v] for v in node.inputs], node.attrs, node.where)
            for old, value in zip(node.outputs, copied.outputs, strict=True):
                made.setdefault(old, value)
    new.graph.outputs = [made[v] for v in outputs]
    return Body(new.graph, new)


def zeros(trace: BodyTrace, a: Aval) -> SymbolicTensor:
    """Zeros of a shape that is known, within an active trace."""
    zero = SymbolicTensor(trace, trace.graph.constant(np.zeros((), a.dtype.np), a.dtype))
    return TABLE["broadcast_to"](zero, shape=a.shape) if a.shape else zero
