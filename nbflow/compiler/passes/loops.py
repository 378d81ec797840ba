"""Loops: those that differ in what they save become one, and what nobody asks of a loop goes.

A gradient asks for a loop that it differentiates once more, this time with values saved; both become that one.
"""

from nbflow.compiler.control import LOOP, Body, has_effect, loop_parts, saved_values
from nbflow.compiler.graph import SHAPES, Graph, Node, Value, rebuild

# --- loops that are the same ------------------------------------------------------------------------------------------


def _key(node: Node) -> tuple:
    """Equal for loops that do the same."""
    attrs = node.attrs
    return (
        id(attrs["body"]),
        tuple(map(id, node.inputs)),
        *(attrs[name] for name in ("trips", "counted", "tested", "reverse")),
    )


def join_loops(graph: Graph) -> Graph:
    """The graph with one loop for several that differ in what they save."""
    groups: dict[tuple, list[Node]] = {}
    for node in graph.nodes:
        if node.op is LOOP:
            groups.setdefault(_key(node), []).append(node)
    several = {node: group for group in groups.values() if len(group) > 1 for node in group}
    if not several:
        return graph
    made: dict[Node, dict] = {}  # first of a group -> what each result of the joined loop is, and where

    def visit(new: Graph, node: Node, inputs: list[Value]):
        group = several.get(node)
        if group is None:
            return new.add(node.op, inputs, node.attrs, node.where)
        if group[0] not in made:
            made[group[0]] = _joined(new, group, inputs)
        return tuple(made[group[0]][what] for what in _meanings(node))

    return rebuild(graph, visit)


def _meanings(node: Node) -> list:
    """What each result of a loop is, the same for all of a group."""
    saved = node.attrs["saved"]
    fixed = len(node.outputs) - len(saved) - node.attrs["tested"]
    return [*range(fixed), *saved, *(["rounds"] if node.attrs["tested"] else [])]


def _joined(new: Graph, group: list[Node], inputs: list[Value]) -> dict:
    saved = tuple(dict.fromkeys(what for node in group for what in node.attrs["saved"]))
    shapes: dict = {}
    for node in group:
        for what, value in zip(_meanings(node), node.outputs, strict=True):
            shapes.setdefault(what, value.shape)
    first = group[0]
    meanings = [what for what in _meanings(first) if not isinstance(what, tuple) and what != "rounds"]
    meanings += [*saved, *(["rounds"] if first.attrs["tested"] else [])]
    attrs = {**first.attrs, "saved": saved}
    if any(SHAPES in node.attrs for node in group):
        attrs[SHAPES] = tuple(shapes[what] for what in meanings)
    results = new.append(LOOP, inputs, attrs, first.where).outputs
    return dict(zip(meanings, results, strict=True))


# --- what nobody asks for ---------------------------------------------------------------------------------------------


def prune_loops(graph: Graph) -> Graph:
    """The graph with loops that carry, stack and read only what somebody reads."""
    read = {v for node in graph.nodes for v in node.inputs} | set(graph.results())

    def visit(new: Graph, node: Node, inputs: list[Value]):
        if node.op is LOOP:
            return _pruned(new, node, inputs, read)
        return new.add(node.op, inputs, node.attrs, node.where)

    return rebuild(graph, visit)


def _pruned(new: Graph, node: Node, inputs: list[Value], read: set[Value]) -> tuple:
    """Adds a loop without what is not needed; None stands for results that are not there."""
    attrs, body = node.attrs, node.attrs["body"].graph
    carries, tested = attrs["carries"], attrs["tested"]
    count, starts, elements, constants = loop_parts(inputs, attrs)
    outputs = [*body.outputs, *saved_values(attrs["body"], attrs["saved"])]
    kept = {k for k, v in enumerate(node.outputs[: len(outputs)]) if v in read} | ({0} if tested else set())
    effects = [v for n in body.nodes if has_effect(n) for v in n.inputs]
    while True:
        reached = _reached([*effects, *(outputs[k] for k in kept)])
        more = {k for k, v in enumerate(body.inputs[:carries]) if v in reached} - kept
        if not more:
            break
        kept |= more
    scanned = carries + len(elements)
    used = [k for k, v in enumerate(body.inputs) if (k in kept if k < carries else v in reached)]
    if elements and not any(carries <= k < scanned for k in used):
        used = sorted([*used, carries])  # they say how many rounds there are
    if len(used) == len(body.inputs) and len(kept) == len(outputs):
        return new.append(LOOP, inputs, attrs, node.where).outputs

    graph = Graph()
    graph.inputs, graph.nodes = [body.inputs[k] for k in used], body.nodes
    order = sorted(kept)
    graph.outputs = [outputs[k] for k in order]
    given = [*starts, *elements, *constants]
    reduced = {
        **attrs,
        "body": Body(_with_own_nodes(graph, reached)),
        "saved": (),
        "carries": sum(k < carries for k in used),
        "scanned": sum(carries <= k < scanned for k in used),
    }
    if SHAPES in attrs:
        reduced[SHAPES] = tuple(attrs[SHAPES][k] for k in [*order, *([len(outputs)] if tested else [])])
    made = new.append(
        LOOP, [*([] if count is None else [count]), *(given[k] for k in used)], reduced, node.where
    ).outputs
    results: list = [None] * len(node.outputs)
    for k, value in zip(order, made, strict=False):
        results[k] = value
    if tested:
        results[-1] = made[-1]
    return tuple(results)


def _reached(values: list[Value]) -> set[Value]:
    """All values that these are made of, themselves included."""
    found: set[Value] = set()
    pending = list(values)
    while pending:
        value = pending.pop()
        if value not in found:
            found.add(value)
            if value.node is not None:
                pending.extend(value.node.inputs)
    return found


def _with_own_nodes(graph: Graph, reached: set[Value]) -> Graph:
    """A copy of a graph, with the nodes only that make what is reached, or have an effect."""
    new = Graph()
    made = {v: new.input(v.aval) for v in graph.inputs}
    for node in graph.nodes:
        if has_effect(node) or any(v in reached for v in node.outputs):
            copied = new.append(node.op, [made[v] for v in node.inputs], node.attrs, node.where)
            made.update(zip(node.outputs, copied.outputs, strict=True))
    new.outputs = [made[v] for v in graph.outputs]
    return new
