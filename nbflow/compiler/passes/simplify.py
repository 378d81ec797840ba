"""Composite ops are written out, what is known becomes constant, equal nodes merge, unused ones go."""

import numpy as np

from nbflow.compiler.control import LOOP, has_effect
from nbflow.compiler.formulas import Number, apply
from nbflow.compiler.graph import CONSTANT, Graph, Value, rebuild, size_sources
from nbflow.compiler.op import Op
from nbflow.compiler.passes.loops import join_loops, prune_loops
from nbflow.dtypes import DType

FOLDED = ("add", "subtract", "multiply", "divide", "negative", "cast")  # exactly rounded wherever they are computed
NO_EFFECT_ON_VALUES = ("stop_gradient", "identity")  # they matter to the tape and are gone once compiled


class Emitter:
    """Adds nodes to a graph, each simplified on its way in. Rules of ops write through it.

    Attributes:
        where: the source line of the op that is being written out, for the nodes that it becomes.
    """

    def __init__(self, graph: Graph):
        self.graph, self.where = graph, ""
        self._known: dict[tuple, Value | tuple[Value, ...]] = {}
        self._scalars: dict[tuple, Value] = {}

    def emit(self, op: Op, values: list[Value], attrs: dict):
        """The value, or tuple of values, of op applied to values."""
        where = self.where
        if op.name in NO_EFFECT_ON_VALUES:
            return values[0]
        if op is CONSTANT:
            constant = attrs["value"]
            return self.constant(constant.array, constant.aval.dtype)
        if op.static is not None:
            result = op.infer([v.aval for v in values], attrs)
            return self.constant(op.static([v.aval for v in values], attrs), result.dtype)
        if op.simplify is not None:
            simpler = op.simplify(self, values, attrs)
            if simpler is not None:
                return simpler
        if op.expand is not None:
            return op.expand(self, values, attrs)
        if op.effect:
            return self.graph.add(op, values, attrs, where)
        if op.name in FOLDED and op.reference is not None:
            nodes = [v.node for v in values if v.node is not None and v.node.op is CONSTANT and v.shape == ()]
            if len(nodes) == len(values):
                with np.errstate(all="ignore"):
                    result = apply(op.reference, *(node.attrs["value"].array for node in nodes), **attrs)
                return self.constant(result, op.infer([v.aval for v in values], attrs).dtype)
        key = (op.name, tuple(sorted(attrs.items())), *map(id, values))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self.graph.add(op, values, attrs, where)
        return found

    def constant(self, array, dtype: DType) -> Value:
        """A constant; scalars of equal bits are one node."""
        array = apply(np.asarray, array, dtype=dtype.np)
        if not isinstance(array, Number) and array.ndim:
            return self.graph.constant(array, dtype)
        key = (dtype, apply(np.ndarray.tobytes, array))
        if key not in self._scalars:
            self._scalars[key] = self.graph.constant(array, dtype)
        return self._scalars[key]


def scalar_constant(value: Value):
    """The number that a value is, broadcasts of a constant included; None where it is not constant."""
    while value.node is not None and value.node.op.view is not None:
        value = value.node.inputs[0]
    if value.node is None or value.node.op is not CONSTANT:
        return None
    array = value.node.attrs["value"].array
    return apply(_first, array) if isinstance(array, Number) or array.size == 1 else None


def _first(array: np.ndarray):
    return array.reshape(-1)[0]


def simplify(graph: Graph) -> Graph:
    """The graph in primitive ops, without repetition."""
    if graph.simple:
        return graph
    emitters: dict[int, Emitter] = {}

    def visit(new, node, inputs):
        emitter = emitters.setdefault(id(new), Emitter(new))
        emitter.where = node.where
        return emitter.emit(node.op, inputs, node.attrs)

    simple = drop_unused(rebuild(join_loops(graph), visit))
    if any(node.op is LOOP for node in simple.nodes):
        simple = drop_unused(prune_loops(simple))
    simple.simple = True
    return simple


def drop_unused(graph: Graph, effects_from: int = 0) -> Graph:
    """The graph without nodes that no output needs.

    Args:
        effects_from: of nodes with effects those from this number on are kept though no output needs them.
    """
    needed = set(graph.results())
    sources = size_sources(graph)
    kept = []
    for number in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[number]
        if needed.isdisjoint(node.outputs) and (number < effects_from or not has_effect(node)):
            continue
        kept.append(node)
        needed.update(node.inputs)
        if node in sources:
            needed.update(sources[node])
    graph.nodes = kept[::-1]
    return graph
