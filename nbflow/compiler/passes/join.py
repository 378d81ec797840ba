"""Loops that are the same but for what they save become one: the loop itself, and the loop that its gradient needs."""

from nbflow.compiler.control import LOOP
from nbflow.compiler.graph import SHAPES, Graph, Node, Value, rebuild


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
