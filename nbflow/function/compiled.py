"""A graph as something to call: programs for each shape, Variables updated in place, gradients by recomputation."""

import functools
import threading
from collections.abc import Callable, Sequence

from nbflow.compiler.derive import Family
from nbflow.compiler.graph import SHAPES, Aval, Graph, Node, Value, bind, bound_attrs
from nbflow.compiler.program import Program
from nbflow.errors import InvalidArgumentError
from nbflow.function.quick import quick_call
from nbflow.function.replay import drop_effects
from nbflow.function.trace import SymbolicTensor, Trace
from nbflow.ops.table import TABLE
from nbflow.runtime import collection
from nbflow.shapes import Dim
from nbflow.tape.forward import ForwardAccumulator
from nbflow.tape.gradient_tape import Call, GradientTape, has_gradient
from nbflow.tensor.indexed_slices import IndexedSlices, added
from nbflow.tensor.stages import Stages, compiled
from nbflow.tensor.state import busy, state
from nbflow.tensor.tensor import Tensor, apply, dense, run_program, run_stages
from nbflow.tensor.variable import Variable

# Held from the check that nobody else holds a Variable's memory until the program has written it. One lock for all
# Variables: the team runs one program at a time anyway.
_updating = threading.RLock()


class Compiled:
    """A traced graph that runs on tensors.

    Args:
        trace: what was traced; its graph's inputs are the arguments, then the captures.
        captures: how many of the trace's captures, counted from the last, count as captures; all by default.

    Attributes:
        graph: as traced.
        captures: the eager Tensors and Variables behind the inputs after the arguments.
    """

    def __init__(self, trace: Trace, captures: int | None = None):
        self.trace, self.graph = trace, trace.graph
        first = 0 if captures is None else len(trace.captures) - captures
        self.captures = [capture for capture, _ in trace.captures[first:]]
        self._dense = [c if isinstance(c, Variable) else dense(c) for c in self.captures]
        self._arguments = len(self.graph.inputs) - len(self.captures)
        self._symbolic = [
            (k, axis, dim)
            for k, value in enumerate(self.graph.inputs)
            for axis, dim in enumerate(value.aval.shape)
            if isinstance(dim, Dim) and not value.aval.unranked
        ]
        self._loose = any(isinstance(c, Variable) and not c.shape.is_fully_defined() for c in self.captures)
        self._programs: dict[tuple, Program | Stages] = {}
        self._making = threading.RLock()
        self._family: Family | None = None  # of programs, once there is one and sizes are open
        self._quick: dict[tuple, Callable] = {}  # by Avals of the arguments where sizes are open, else by ()
        self._derivatives: dict[tuple, DerivativeGraph] = {}
        self._with_scalars: dict[tuple, Compiled] = {}
        self._split_updates()

    def _split_updates(self) -> None:
        """Variables of a fixed shape are updated in place; the others get the tensors that the program returns."""
        inputs = self.graph.inputs[self._arguments :]
        fixed = [not (isinstance(c, Variable) and not c.shape.is_fully_defined()) for c in self.captures]
        self._in_place = [value in self.graph.updates and keep for value, keep in zip(inputs, fixed, strict=True)]
        self._updates = any(self._in_place)
        replaced = [
            (capture, self.graph.updates[value])
            for capture, value, keep in zip(self.captures, inputs, fixed, strict=True)
            if isinstance(capture, Variable) and value in self.graph.updates and not keep
        ]
        self._replaced: list[Variable] = [variable for variable, _ in replaced]
        self._runs = self.graph
        if replaced:
            self._runs = graph = Graph()
            graph.inputs, graph.nodes = self.graph.inputs, self.graph.nodes
            graph.outputs = self.graph.outputs + [value for _, value in replaced]
            graph.updates = {
                value: self.graph.updates[value] for value, there in zip(inputs, self._in_place, strict=True) if there
            }

    def program(self, avals: Sequence[Aval]) -> Program | Stages:
        """The program for inputs of these Avals, captures included."""
        key = tuple(avals) if self._symbolic or self._loose else ()
        found = self._programs.get(key)
        return self._new_program(key, avals) if found is None else found

    def _new_program(self, key: tuple, avals: Sequence[Aval]) -> Program | Stages:
        with self._making:
            if key in self._programs:
                return self._programs[key]  # another thread was quicker
            sizes: dict[str, int] = {}
            for k, axis, dim in self._symbolic:
                sizes[dim.name] = avals[k].shape[axis]
            with collection.paused():
                found = self._programs[key] = self._made(sizes, avals) if key else compiled(self._runs)
            quick = None if self._loose or self._updates or self._replaced else quick_call(found, self._dense)
            if quick is not None:
                self._quick[key[: self._arguments]] = quick
            return found

    def _made(self, sizes: dict[str, int], avals: Sequence[Aval]) -> Program | Stages:
        """A program for sizes: derived from another where there is one like it."""
        full = functools.partial(_bound, self._runs, sizes, avals)  # without self, which keeps the program
        if self._family is None:
            self._family = Family(self._runs)
        return self._family.program(sizes, avals, full) or full()

    def quick(self, arguments: Sequence[Tensor]) -> Callable | None:
        """The quick way for these arguments, if there is one and they have been here before."""
        return self._quick.get(tuple([t._aval for t in arguments]) if self._symbolic else ())

    def results(self, arguments: Sequence[Tensor]):
        """As a call, but of a graph with one result that alone: the quick way where there is one."""
        if not busy.count:
            quick = self.quick(arguments)
            if quick is not None:
                return quick(arguments)
        results = self(arguments)
        return results[0] if len(results) == 1 else results

    def __call__(self, arguments: Sequence[Tensor]) -> list[Tensor]:
        """Runs the graph on dense tensors; open tapes take note. A trace under way takes it in."""
        if busy.count:
            if state.trace is not None:
                return self._inline(state.trace, arguments)
            if state.tapes:
                return self._call_with_tapes(arguments)
        return self._run(arguments)

    def _inline(self, trace: Trace, arguments: Sequence[Tensor]) -> list[Tensor]:
        """Adds the graph to a trace under way."""
        given = [trace.lift(t) for t in arguments]
        given += [trace.lift(c.nbflow_tensor()) for c in self.captures]
        sizes = {dim.name: given[k].nbflow_shape[axis] for k, axis, dim in self._symbolic}
        made: dict[Value, Tensor] = dict(zip(self.graph.inputs, given, strict=True))
        for node in self.graph.nodes:
            attrs = bound_attrs(node.attrs, sizes)
            shapes = attrs.pop(SHAPES, ())
            result = apply(node.op, [made[v] for v in node.inputs], attrs)
            results = result if isinstance(result, tuple) else (result,)
            for shape, tensor in zip(shapes, results, strict=False):  # what only values decide has a new name here
                pairs = zip(shape, tensor.nbflow_shape, strict=True)
                sizes |= {old.name: new for old, new in pairs if isinstance(old, Dim) and not old.op}
            made.update(zip(node.outputs, results, strict=True))
        for capture, source in zip(self.captures, self.graph.inputs[self._arguments :], strict=True):
            if isinstance(capture, Variable) and source in self.graph.updates:
                trace.assign(capture, made[self.graph.updates[source]])
        return [made[v] for v in self.graph.outputs]

    def _run(self, arguments: Sequence[Tensor]) -> list[Tensor]:
        captures = self._dense
        if self._symbolic or self._loose:
            program = self.program([t._aval for t in arguments] + [_current(c)._aval for c in captures])
        else:
            program = self._programs.get(()) or self.program([])
        before = self._held() if program.failures else []
        try:
            if isinstance(program, Stages):
                results = self._run_stages(program, arguments)
            else:
                results = self._run_program(program, arguments)
        except InvalidArgumentError:
            for variable, tensor in before:
                variable._tensor = tensor
            raise
        for variable in reversed(self._replaced):
            variable._tensor = results.pop()
        return results

    def _run_program(self, program: Program, arguments: Sequence[Tensor]) -> list[Tensor]:
        if not self._updates:
            held = [*arguments, *map(_current, self._dense)]
            return run_program(program, [t._ptr for t in held])
        with _updating:
            held = list(arguments)  # until the end: another thread may assign to a Variable meanwhile
            for capture, in_place in zip(self._dense, self._in_place, strict=True):
                if in_place and isinstance(capture, Variable):
                    held.append(capture.nbflow_writable())
                else:
                    held.append(_current(capture))
            return run_program(program, [t._ptr for t in held])

    def _run_stages(self, program: Stages, arguments: Sequence[Tensor]) -> list[Tensor]:
        with program.lock:
            inputs = list(arguments)
            for capture, in_place in zip(self._dense, self._in_place, strict=True):
                if isinstance(capture, Variable):
                    inputs.append(capture.nbflow_writable() if in_place else capture._tensor)
                else:
                    inputs.append(capture)
            results = run_stages(program, inputs)
            for capture, in_place, tensor in zip(self._dense, self._in_place, inputs[len(arguments) :], strict=True):
                if in_place and isinstance(capture, Variable):
                    capture._tensor = tensor  # a Python function that ran may have assigned to it
            return results

    def _held(self) -> list[tuple[Variable, Tensor]]:
        """The Variables that a run updates, with their values: held, they are not written over, and can be put back."""
        pairs = zip(self._dense, self._in_place, strict=True)
        return [(c, c._tensor) for c, in_place in pairs if in_place and isinstance(c, Variable)]

    # --- differentiation ----------------------------------------------------------------------------------------

    def _call_with_tapes(self, arguments: Sequence[Tensor]) -> list[Tensor]:
        """Runs the graph and records it as one call, differentiable if need be through its own gradient graph."""
        tapes = state.tapes
        watched = [t for t, _ in self.trace.scalars if any(tape.watches(t) for tape in tapes)]
        if watched:
            return self._taking_scalars(watched)._call_with_tapes(arguments)
        inputs = list(arguments) + [c.nbflow_tensor() if isinstance(c, Variable) else c for c in self.captures]
        state.tapes = ()
        try:
            results = self._run([dense(t) for t in arguments])
        finally:
            state.tapes = tapes

        call = Call(
            functools.partial(self._derivative, GradientGraph, inputs),
            functools.partial(self._derivative, TangentGraph, inputs),
        )
        for tape in tapes:
            tape.record(call, inputs, tuple(results), {})
        return results

    def _derivative(self, kind: type["DerivativeGraph"], inputs: list, given: list) -> list:
        """Gradients for upstream gradients of the results, or tangents for tangents of the inputs."""
        seeded = tuple(g is not None for g in given)
        graph = self._derivatives.get((kind, seeded))
        if graph is None:
            graph = self._derivatives[kind, seeded] = kind(self.trace, seeded)
        arguments = [*inputs, *(g for g in given if g is not None)]
        if state.trace is None and not state.tapes:
            arguments = [dense(t) for t in arguments]
        return graph.arranged(graph(arguments))

    def _taking_scalars(self, tensors: list[Tensor]) -> "Compiled":
        """The same with captured numbers as inputs, not constants, so that gradients reach them."""
        key = tuple(id(t) for t in tensors)
        if key not in self._with_scalars:
            trace = self.trace.extended()
            graph = trace.graph
            graph.outputs, graph.updates = list(self.graph.outputs), dict(self.graph.updates)
            values = {value: tensor for tensor, value in trace.scalars if any(tensor is t for t in tensors)}
            trace.scalars = [(t, v) for t, v in trace.scalars if v not in values]
            for k, node in enumerate(graph.nodes):
                if node.outputs and node.outputs[0] in values:
                    made = graph.input(node.outputs[0].aval)
                    trace.captures.append((values[node.outputs[0]], made))
                    graph.nodes[k] = Node(TABLE["identity"], (made,), {})
                    graph.nodes[k].outputs = node.outputs
            self._with_scalars[key] = Compiled(trace)
        return self._with_scalars[key]


class DerivativeGraph(Compiled):
    """A derivative of a graph: (its inputs, seeds) -> derivatives. What it needs of the graph is computed anew.

    Args:
        seeded: which seeds there are among the inputs.

    Attributes:
        form: for each derivative how it is made of the results: None, the next of them, or IndexedSlices of a shape.
    """

    def __init__(self, forward: Trace, seeded: tuple[bool, ...]):
        trace = self._forward_trace = forward.extended()
        self._tensors: dict[Value, SymbolicTensor] = {}
        inputs = [self._tensor(v) for v in forward.graph.inputs]
        groups = [[t, *map(self._tensor, forward.versions.get(t.value, ()))] for t in inputs]
        with trace.active():
            found = self._derivatives_of(forward, groups, seeded)
            self.form = [g._dense_shape if type(g) is IndexedSlices else g is not None for g in found]
            parts = [(g.values, g.indices) if type(g) is IndexedSlices else (g,) for g in found if g is not None]
            trace.graph.outputs = [trace.lift(t).value for part in parts for t in part]
        trace.graph.updates.clear()
        drop_effects(trace, len(forward.graph.nodes))
        super().__init__(trace, len(trace.captures) - len(forward.captures))

    def _tensor(self, value: Value) -> SymbolicTensor:
        """The tensor that stands for a value of the graph, the same each time."""
        if value not in self._tensors:
            self._tensors[value] = SymbolicTensor(self._forward_trace, value)
        return self._tensors[value]

    def _derivatives_of(self, forward: Trace, groups: list[list], seeded: tuple[bool, ...]) -> list:
        """The derivatives; `groups` are the tensors that stand for each of the graph's inputs."""
        raise NotImplementedError

    def arranged(self, results: list[Tensor]) -> list:
        """The derivatives that results of this graph make."""
        rest = iter(results)
        found: list = []
        for form in self.form:
            if isinstance(form, tuple):
                found.append(IndexedSlices(next(rest), next(rest), form))
            else:
                found.append(next(rest) if form else None)
        return found


class GradientGraph(DerivativeGraph):
    """(inputs, upstream gradients of the results) -> gradients of the inputs."""

    def _derivatives_of(self, forward, groups, seeded):
        trace = self._forward_trace
        with GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(groups)
            for entry in recorded_calls(forward, self._tensor, tape.watches):
                tape.record(*entry)
        targets = [self._tensor(v) for v, there in zip(forward.graph.outputs, seeded, strict=True) if there]
        seeds = [trace.argument(t._aval) for t in targets]
        if not targets:
            return [None] * len(groups)
        gradients = [functools.reduce(added, g) for g in tape.gradient(targets, groups, output_gradients=seeds)]
        if not all(seeded):  # as in TensorFlow, zeros for inputs that only results without a seed depend on
            others = [self._tensor(v) for v, there in zip(forward.graph.outputs, seeded, strict=True) if not there]
            others = [t for t in others if has_gradient(t)]
            for k, found in enumerate(tape.gradient(others, groups) if others else []):
                if gradients[k] is None and any(g is not None for g in found):
                    gradients[k] = TABLE["zeros_like"](groups[k][0])
        return gradients


class TangentGraph(DerivativeGraph):
    """(inputs, tangents of the inputs) -> tangents of the results."""

    def _derivatives_of(self, forward, groups, seeded):
        accumulator = ForwardAccumulator((), ())
        for group, there in zip(groups, seeded, strict=True):
            if there:
                seed = self._forward_trace.argument(group[0]._aval)
                for tensor in group:
                    accumulator.set_tangent(tensor, seed)
        for entry in recorded_calls(forward, self._tensor, lambda tensor: False):
            accumulator.record(*entry)
        return accumulator.jvp([self._tensor(v) for v in forward.graph.outputs])


def recorded_calls(trace: Trace, tensor_of, watched: Callable):
    """What a tape would have recorded in a trace: its nodes, and one call for a region with a gradient of its own.

    Args:
        watched: says of a region's inputs whether they are watched; the gradient of its own is for those.
    """
    starts: dict[int, list[tuple]] = {}
    for start, *region in sorted(trace.regions, key=lambda region: -region[1]):  # outer ones first
        starts.setdefault(start, []).append(tuple(region))
    until = 0
    call: tuple | None = None
    for k, node in enumerate(trace.graph.nodes):
        if call is not None and k == until:
            yield call
            call = None
        for end, backward, inputs, outputs in starts.get(k, ()):
            tensors = [tensor_of(v) for v in inputs]
            if call is None and any(map(watched, tensors)):
                until, call = end, (backward, tensors, tuple(map(tensor_of, outputs)), {})
        if call is None and node.outputs:
            results = tuple(map(tensor_of, node.outputs))
            result = results if len(results) > 1 else results[0]
            yield node.op, [tensor_of(v) for v in node.inputs], result, node.attrs
    if call is not None:
        yield call


def _bound(graph: Graph, sizes: dict[str, int], avals: Sequence[Aval]) -> Program | Stages:
    """What runs a graph with these sizes, made by all passes."""
    return compiled(bind(graph, sizes, avals))


def _current(capture: Tensor | Variable) -> Tensor:
    return capture._tensor if isinstance(capture, Variable) else capture
