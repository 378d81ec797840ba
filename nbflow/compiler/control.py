"""Control flow in a graph: nodes that hold graphs of their own, to choose one of or to repeat."""

from collections.abc import Iterable, Sequence
from typing import Any

from nbflow.compiler.graph import Aval, Graph, Node, Value, aval, bind, size_names
from nbflow.compiler.op import Op
from nbflow.dtypes import int64
from nbflow.errors import InvalidArgumentError
from nbflow.shapes import Dim, bind_dim

VARYING = "varying"  # what the names of sizes begin with that change from round to round
BRANCH, AFTER, ROUNDS = "branch", "loop", "rounds"  # likewise, of sizes that control flow decides
RAGGED = "ragged"  # and those of stacks whose rows have several sizes, which only a loop can read
BOUND = 16  # a body is kept for so many sets of sizes


class Body:
    """A graph as an attribute of a node: a branch, or what a loop repeats.

    Attributes:
        graph: its inputs and outputs are what the node's op says.
        trace: the function.trace.Trace that it was traced by, which gradients need; None once sizes are bound.
    """

    __slots__ = ("_bound", "graph", "trace")

    def __init__(self, graph: Graph, trace: Any = None):
        self.graph, self.trace = graph, trace
        self._bound: dict[tuple, Body] = {}  # one body stays one for all the nodes that hold it

    def nbflow_bound(self, sizes: dict) -> "Body":
        """The same with sizes in place of the Dims that have these names."""
        names = set(self.nbflow_size_names())
        key = tuple((name, sizes[name]) for name in sorted(names & sizes.keys()))
        if not key:
            return self
        if key not in self._bound:
            if len(self._bound) >= BOUND:
                self._bound.clear()
            graph = bind(self.graph, sizes, [bound_aval(v.aval, sizes) for v in self.graph.inputs])
            self._bound[key] = Body(graph, self.trace and self.trace.copied(graph))
        return self._bound[key]

    def nbflow_size_names(self) -> Iterable[str]:
        """The names of the sizes that the graph is written with."""
        for value in self.graph.inputs:
            yield from size_names(value.shape)
        for node in self.graph.nodes:
            for attr in node.attrs.values():
                yield from size_names(attr)

    @property
    def has_effect(self) -> bool:
        """Whether running it does something besides computing its outputs."""
        return any(has_effect(node) for node in self.graph.nodes)

    def __repr__(self) -> str:
        return "{\n" + "\n".join(f"    {line}" for line in str(self.graph).splitlines()) + "\n}"


def bound_aval(a: Aval, sizes: dict) -> Aval:
    """An Aval with sizes in place of Dims."""
    return aval(a.dtype, tuple(bind_dim(d, sizes) for d in a.shape), a.strides) if a.symbolic else a


def bodies(node: Node) -> tuple[Body, ...]:
    """The graphs that a node holds."""
    if node.op is LOOP:
        return (node.attrs["body"],)
    return node.attrs["branches"] if node.op is COND else ()


def has_effect(node: Node) -> bool:
    """Whether a node must run although nobody reads its results."""
    return node.op.effect or (node.op.control and any(body.has_effect for body in bodies(node)))


# --- cond -------------------------------------------------------------------------------------------------------------


def _infer_cond(avals: Sequence[Aval], attrs: dict) -> tuple[Aval, ...]:
    """Results of the branches' dtypes; a size in which branches differ is one that only values decide."""
    results = []
    for one in zip(*(body.graph.outputs for body in attrs["branches"]), strict=True):
        sizes = tuple(
            axis[0] if all(size == axis[0] for size in axis) else Dim.fresh(BRANCH)
            for axis in zip(*(v.shape for v in one), strict=True)
        )
        results.append(aval(one[0].dtype, sizes))
    return tuple(results)


# (index, operands...) -> what the branch of that number makes of the operands; one out of range is the last.
# attrs: branches, a tuple of Bodies with the operands as inputs.
COND = Op("cond", ("index", "*operands"), infer=_infer_cond, control=True)


# --- loop -------------------------------------------------------------------------------------------------------------


def loop_parts(inputs: Sequence, attrs: dict) -> tuple[Any, Sequence, Sequence, Sequence]:
    """A loop's inputs: (number of rounds or None, carries, elements, constants)."""
    start = int(attrs["counted"])
    carried = start + attrs["carries"]
    scanned = carried + attrs["scanned"]
    return inputs[0] if start else None, inputs[start:carried], inputs[carried:scanned], inputs[scanned:]


def saved_values(body: Body, saved: tuple[tuple[int, int], ...]) -> list[Value]:
    """The values of a body that `saved` names: by number of node, or -1 for inputs, and number of result."""
    graph = body.graph
    return [graph.inputs[k] if node < 0 else graph.nodes[node].outputs[k] for node, k in saved]


COUNT = aval(int64, ())


def _final_size(start, at, after):
    """A size of a carried value after a loop, for that before, in a round, and after a round."""
    if not (isinstance(at, Dim) and at.name.startswith(VARYING)):
        return at
    return start if after == at else Dim.fresh(AFTER)


def own_sizes(body: Body) -> set[str]:
    """The names of sizes that change from round to round: of what a round starts with, and what it decides itself."""
    found = {n for v in body.graph.inputs for n in size_names(v.shape) if n.startswith((VARYING, RAGGED))}
    known = {n for v in body.graph.inputs for n in size_names(v.shape)}  # who gives such a size has not decided it
    for node in body.graph.nodes:
        names = {size.name for v in node.outputs for size in v.shape if isinstance(size, Dim) and not size.op}
        if node.op.decides_sizes:
            found |= names - known
        known |= names
    return found


def _infer_loop(avals: Sequence[Aval], attrs: dict) -> tuple[Aval, ...]:
    body, carries = attrs["body"], attrs["carries"]
    _, given, elements, _ = loop_parts(avals, attrs)
    outputs = body.graph.outputs
    results = []
    for first, inside, after in zip(given, body.graph.inputs, outputs, strict=False):
        if first.dtype is not inside.dtype or after.dtype is not inside.dtype or len(first.shape) != len(inside.shape):
            raise InvalidArgumentError(f"loop: a value that is carried starts as {first} and goes on as {after.aval}")
        sizes = zip(first.shape, inside.shape, after.shape, strict=True)
        results.append(aval(first.dtype, tuple(_final_size(*size) for size in sizes)))
    stacked = [*outputs[carries:], *saved_values(body, attrs["saved"])]
    if stacked:
        length = attrs["trips"]
        if elements:
            length = elements[0].shape[0]
        elif attrs["tested"] or length is None:
            length = Dim.fresh(ROUNDS)
        changing = own_sizes(body)
        for v in stacked:
            row = [Dim.fresh(RAGGED) if not changing.isdisjoint(size_names((n,))) else n for n in v.shape]
            results.append(aval(v.dtype, (length, *row)))
    return (*results, COUNT) if attrs["tested"] else tuple(results)


# (number of rounds if counted, carries..., elements..., constants...) -> (carries..., stacks..., saved stacks...,
# number of rounds if tested). Each round makes of (carries, a slice of each element, constants) the next carries and a
# slice of each stack. attrs:
#   body: a Body with these inputs and outputs;
#   carries, scanned: how many of the inputs are carries and elements;
#   trips: the number of rounds, where shapes tell it, else None;
#   counted: whether the first input is the number of rounds, an int64;
#   tested: whether it goes on only as long as the first carry, a bool, is true;
#   reverse: whether slices are taken and stacked from the last to the first;
#   saved: values of the body that are stacked too, for a gradient (see saved_values).
LOOP = Op("loop", ("*inputs",), infer=_infer_loop, control=True)
