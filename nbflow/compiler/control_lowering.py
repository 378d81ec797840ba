"""Branches and loops among kernel calls: their bodies lowered, on memory that they share with what is around them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from nbflow.compiler.control import (
    AFTER,
    BRANCH,
    COND,
    LOOP,
    RAGGED,
    ROUNDS,
    VARYING,
    Body,
    bodies,
    loop_parts,
    saved_values,
)
from nbflow.compiler.graph import CONSTANT, Graph, Node, Value, aval, size_names
from nbflow.compiler.kernels import ALL, Buffer, ControlCall, Slots
from nbflow.compiler.layout import Place
from nbflow.compiler.lowering import Lowering
from nbflow.compiler.passes.simplify import simplify
from nbflow.shapes import Dim, contiguous_strides

ROUNDS_GUESSED = 100  # for the cost of a loop that ends when it will
TURNED = 64  # rows and columns of a matrix that a loop has column by column at most


@dataclass(eq=False, slots=True)
class Choice:
    """One of several bodies.

    Attributes:
        index: int32, the number of the body; out of range it is the last.
        branches: the bodies.
    """

    index: Buffer
    branches: list[Lowering]


@dataclass(eq=False, slots=True)
class Repeat:
    """A body, round after round.

    Attributes:
        body: what a round does, the carries written in place.
        trips: the number of rounds, or None.
        count: int64 that holds the number of rounds, or None.
        flag: a bool: it ends once this is false; or None.
        reverse: whether slices go from the last to the first.
        slots: the addresses of slices.
        slices: (slot, what it is a slice of, bytes from one to the next).
        grown: stacks that get a slice each round, and its bytes.
        rounds: int64 that gets the number of rounds, or None.
    """

    body: Lowering
    trips: int | None
    count: Buffer | None
    flag: Buffer | None
    reverse: bool
    slots: Slots
    slices: list[tuple[int, Buffer, int]] = field(default_factory=list)
    grown: list[tuple[Buffer, int]] = field(default_factory=list)
    rounds: Buffer | None = None


def _given(value: Value, lowering: Lowering, touches: list) -> Buffer:
    """The memory of an input, row-major and without gaps."""
    return _dense(lowering.place(value), value, value.shape, lowering, touches)


def _by_columns(value: Value, lowering: Lowering, touches: list) -> Buffer:
    """The memory of a matrix, column by column."""
    place = lowering.place(value)
    return _dense(Place(place.root, place.offset, place.strides[::-1]), value, value.shape[::-1], lowering, touches)


def _dense(place: Place, value: Value, shape: tuple, lowering: Lowering, touches: list) -> Buffer:
    ref, touch = lowering.dense(place, shape)
    touches.append(touch)
    return ref.buffer if not ref.offset else Buffer(value.aval.nbytes, base=ref)


def _result(value: Value, lowering: Lowering, touches: list) -> Buffer:
    """The memory of a result."""
    buffer = lowering.buffer(value)
    touches.append((buffer, ALL, True, 0))
    return buffer


def lower_cond(node: Node, lowering: Lowering) -> None:
    """Adds a choice of branches."""
    touches: list[tuple] = []
    index = _given(node.inputs[0], lowering, touches)
    operands: dict[int, Buffer] = {}
    results = [_result(v, lowering, touches) for v in node.outputs]
    branches = []
    for body in node.attrs["branches"]:
        graph, kept = _with_constants(body.graph, node.inputs[1:])
        operands |= {k: _given(node.inputs[k + 1], lowering, touches) for k in kept if k not in operands}
        branches.append(Lowering(graph, [operands[k] for k in kept], results))
    cost = max((sum(call.cost for call in branch.calls) for branch in branches), default=0.0)
    _add(lowering, ControlCall(Choice(index, branches), branches, touches, cost, (node,)))


def lower_loop(node: Node, lowering: Lowering) -> None:
    """Adds a loop. Carries lie where its results do; a round writes them in place."""
    attrs = node.attrs
    carried, saved = attrs["carries"], attrs["saved"]
    touches: list[tuple] = []
    count, starts, elements, constants = loop_parts(node.inputs, attrs)
    counter = None if count is None else _given(count, lowering, touches)
    carries = []
    for first, last in zip(starts, node.outputs, strict=False):
        buffer = _result(last, lowering, touches)
        lowering.copy(lowering.place(first), first.shape, buffer, 0, contiguous_strides(first.shape))
        touches.append((buffer, ALL, False, 0))
        carries.append(buffer)

    slots = Slots()
    slices: list[tuple[int, Buffer, int]] = []

    def sliced(whole: Buffer, part: Value) -> Buffer:
        slot = slots.add()
        slices.append((slot, whole, part.aval.nbytes))
        return Buffer(part.aval.nbytes, slot, slots=slots)

    body: Body = attrs["body"]
    inside = body.graph.inputs
    parts = [
        sliced(_element(x, lowering, touches), part)
        for x, part in zip(elements, inside[carried : carried + len(elements)], strict=True)
    ]
    first = carried + len(elements)
    turned = {k for k in range(first, len(inside)) if _meets_vectors(inside[k], body)}
    graph, kept = _with_constants(body.graph, [None] * first + list(constants), saved, turned)
    stacks = node.outputs[carried : carried + len(graph.outputs) - carried]
    results, grown = [], []
    for stack, row in zip(stacks, graph.outputs[carried:], strict=True):
        if stack.aval.symbolic:
            lowering.stack(stack)
            grown.append((lowering.buffer(stack), row.aval.nbytes))
        results.append(sliced(_result(stack, lowering, touches), row))
    given = [*carries, *parts]
    for k in kept[first:]:
        lie = _by_columns if k in turned else _given
        given.append(lie(constants[k - first], lowering, touches))
    arguments = graph.inputs
    graph.updates = {
        value: new for value, new in zip(arguments[:carried], graph.outputs[:carried], strict=True) if new is not value
    }
    graph.outputs = graph.outputs[carried:]
    repeated = Lowering(graph, given, results)
    rounds = _result(node.outputs[-1], lowering, touches) if attrs["tested"] else None
    trips = attrs["trips"] if counter is None else None
    if elements and isinstance(elements[0].shape[0], int):
        trips = elements[0].shape[0]
    repeat = Repeat(
        repeated,
        trips,
        counter,
        carries[0] if attrs["tested"] else None,
        attrs["reverse"],
        slots,
        slices,
        grown,
        rounds,
    )
    cost = sum(call.cost for call in repeated.calls) * (ROUNDS_GUESSED if trips is None else max(1, trips))
    _add(lowering, ControlCall(repeat, [repeated], touches, cost, (node,)))


def _element(value: Value, lowering: Lowering, touches: list) -> Buffer:
    """The memory of what a loop takes slices of, which may be a stack."""
    buffer = lowering.buffer(lowering.place(value).root)
    if buffer.stack:
        touches.append((buffer, ALL, False, 0))
        return buffer
    return _given(value, lowering, touches)


def _add(lowering: Lowering, call: ControlCall) -> None:
    for body in call.bodies:
        lowering.failures += body.failures
    lowering.calls.append(call)


def _meets_vectors(value: Value, body: Body) -> bool:
    """Whether a small matrix is there only to be multiplied with vectors from the right.

    Its columns side by side are then vectors for the processor, and its rows would be sums across one each.
    """
    if len(value.shape) != 2 or any(isinstance(n, Dim) or n > TURNED for n in value.shape):
        return False
    found = [(node, k) for node in body.graph.nodes for k, v in enumerate(node.inputs) if v is value]
    return bool(found) and all(_right_of(node, k) for node, k in found) and value not in body.graph.outputs


def _right_of(node: Node, k: int) -> bool:
    """Whether a node is the product of a matrix, input k, and a column, or the same the other way round."""
    if node.op.name != "matmul" or node.inputs[0] is node.inputs[1]:
        return False
    other, transposed = node.inputs[1 - k].shape, node.attrs["transpose_b" if k == 0 else "transpose_a"]
    if len(other) != 2:
        return False
    width = other[-2 if transposed else -1] if k == 0 else other[-1 if transposed else -2]
    return width == 1 and node.attrs["transpose_a" if k == 0 else "transpose_b"] == bool(k)


def _with_constants(
    graph: Graph, outside: Sequence[Value | None], saved: tuple = (), turned: Collection[int] = ()
) -> tuple[Graph, list[int]]:
    """A copy of a body's graph in which inputs that are numbers outside are constants.

    Args:
        outside: for each input the value that it gets, None where it is not the same every time.
        saved: see control.saved_values; these become outputs after the others.
        turned: the numbers of the inputs that are matrices and lie column by column.

    Returns:
        The graph, and the numbers of the inputs that are left.
    """
    new, kept = Graph(), []
    made: dict[Value, Value] = {}
    for k, (value, given) in enumerate(zip(graph.inputs, outside, strict=True)):
        known = given is not None and given.shape == () and given.node is not None and given.node.op is CONSTANT
        if known:
            assert given is not None and given.node is not None
            constant = given.node.attrs["value"]
            made[value] = new.constant(constant.array, constant.aval.dtype)
        else:
            by_columns = aval(value.dtype, value.shape, (1, value.shape[0])) if k in turned else value.aval
            made[value] = new.input(by_columns)
            kept.append(k)
    for node in graph.nodes:
        copied = new.append(node.op, [made[v] for v in node.inputs], node.attrs, node.where)
        made.update(zip(node.outputs, copied.outputs, strict=True))
    new.outputs = [made[v] for v in (*graph.outputs, *saved_values(Body(graph), saved))]
    return new, kept


COND.lower, LOOP.lower = lower_cond, lower_loop


# --- what cannot run natively -----------------------------------------------------------------------------------------


def staged_nodes(graph: Graph) -> set[Node]:
    """The nodes that run from Python: host ops, and control flow with such or with sizes that change in it."""
    staged = {node for node in graph.nodes if node.op.host is not None or (node.op.control and not _is_fixed(node))}
    loops = [node for node in graph.nodes if node.op is LOOP and node not in staged]
    for _ in range(len(loops) + 1):  # a stack that only native loops read can be memory that grows
        readers: dict[Value, list[Node]] = {}
        for node in graph.nodes:
            for value in node.inputs:
                readers.setdefault(value, []).append(node)
        results = set(graph.results())
        asked = {
            name for node in graph.nodes if node.op is not LOOP for v in node.outputs for name in size_names(v.shape)
        }
        found = {
            node
            for node in loops
            if node not in staged
            and any(
                _grows(node, v)
                and (
                    v in results
                    or not asked.isdisjoint(size_names(v.shape[:1]))
                    or not all(_reads_slices(r, v, staged) for r in readers.get(v, ()))
                )
                for v in node.outputs
            )
        }
        if not found:
            break
        staged |= found
    return staged


def is_stack(value: Value) -> bool:
    """Whether a result of a loop has a first size that its rounds decide."""
    return value.node is not None and value.node.op is LOOP and _grows(value.node, value)


def _grows(loop: Node, value: Value) -> bool:
    """Whether the rounds of a loop decide the first size of a result."""
    if not value.shape or isinstance(value.shape[0], int):
        return False
    _, _, elements, _ = loop_parts(loop.inputs, loop.attrs)
    return not (elements and elements[0].shape[0] == value.shape[0])


def _reads_slices(node: Node, value: Value, staged: set[Node]) -> bool:
    if node.op is not LOOP or node in staged:
        return False
    _, starts, elements, constants = loop_parts(node.inputs, node.attrs)
    return any(v is value for v in elements) and not any(v is value for v in (*starts, *constants))


def _is_fixed(node: Node) -> bool:
    """Whether nothing in a branch or loop runs from Python or changes its size."""
    carried = node.attrs["carries"] if node.op is LOOP else len(node.outputs)
    known = {name for value in node.inputs for name in size_names(value.shape)}
    for body in bodies(node):
        known |= set(body.nbflow_size_names()) - _own_names(body)
    if node.op is LOOP:
        outside, inside = (loop_parts(v, node.attrs)[2] for v in (node.inputs, _with_count(node)))
        if any(x.shape[1:] != v.shape for x, v in zip(outside, inside, strict=True)):
            return False  # rows of several sizes
        rows = [x.shape[1:] for x in (*outside, *node.outputs[carried:])]
        if any(name.startswith((BRANCH, AFTER, ROUNDS, RAGGED)) for row in rows for name in size_names(row)):
            return False  # a stack of stacks
    for value in node.outputs[:carried]:
        if not known.issuperset(size_names(value.shape)):
            return False
    return all(
        not _own_names(body) and not _asks_sizes(body) and not staged_nodes(simplify(body.graph))
        for body in bodies(node)
    )


def _with_count(loop: Node) -> list:
    """The inputs of a loop's body, one for each of the loop's."""
    return [*([None] if loop.attrs["counted"] else []), *loop.attrs["body"].graph.inputs]


def _asks_sizes(body: Body) -> bool:
    """Whether a body computes with sizes that are known only while it runs."""
    return any(node.op.static is not None and any(v.aval.symbolic for v in node.inputs) for node in body.graph.nodes)


def _own_names(body: Body) -> set[str]:
    """The sizes that change from round to round."""
    return {name for v in body.graph.inputs for name in size_names(v.shape) if name.startswith(VARYING)}
