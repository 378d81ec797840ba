"""Graphs that run a second time, for a gradient: without the effects that they have had."""

from nbflow.compiler.control import LOOP, Body, bodies, has_effect
from nbflow.compiler.graph import Graph, Node
from nbflow.compiler.op import Op
from nbflow.compiler.passes.simplify import drop_unused
from nbflow.function.trace import Trace
from nbflow.ops.outside import CALL, PURE_CALL

_NOTHING = Op("nothing", (), infer=lambda avals, attrs: ())  # where a node was that others are counted from


def drop_effects(trace: Trace, count: int) -> None:
    """Takes effects out of the first `count` nodes of a trace: nodes whose results nobody needs, and those in bodies.

    Python functions whose results are needed run again.
    """
    graph = trace.graph
    done = [node for node in graph.nodes[:count] if has_effect(node)]
    if not done:
        return
    needed = Graph()
    needed.nodes, needed.outputs = list(graph.nodes), graph.outputs
    gone = {*done} - {*drop_unused(needed, effects_from=count).nodes}
    places = [0]
    for node in graph.nodes:
        places.append(places[-1] + (node not in gone))
    silent: dict[Body, Body] = {}
    old = {body for node in done for body in bodies(node)}
    graph.nodes = [_without_effects(node, old, silent) for node in graph.nodes if node not in gone]
    trace.regions = [(places[start], places[end], *region) for start, end, *region in trace.regions]


def _without_effects(node: Node, old: set[Body], silent: dict[Body, Body]) -> Node:
    """The node, or one with the same results that has silent bodies in place of old ones."""
    if old.isdisjoint(bodies(node)):
        return node
    found = tuple(_silenced(body, silent) if body in old else body for body in bodies(node))
    replaced = Node(node.op, node.inputs, _with_bodies(node, found), node.where)
    replaced.outputs = node.outputs
    return replaced


def _silenced(body: Body, silent: dict[Body, Body]) -> Body:
    """The body with as many nodes and no effects; the same for the same body."""
    if body not in silent and body.has_effect:
        graph, made = Graph(), {}
        for value in body.graph.inputs:
            made[value] = graph.input(value.aval)
        for node in body.graph.nodes:
            inputs, attrs, op = [made[v] for v in node.inputs], node.attrs, node.op
            if bodies(node):
                attrs = _with_bodies(node, tuple(_silenced(inner, silent) for inner in bodies(node)))
            elif op.effect and not node.outputs:
                op, inputs, attrs = _NOTHING, [], {}
            elif op is CALL:
                op = PURE_CALL
            copied = graph.append(op, inputs, attrs, node.where)
            made.update(zip(node.outputs, copied.outputs, strict=True))
        graph.outputs = [made[v] for v in body.graph.outputs]
        silent[body] = Body(graph, body.trace and body.trace.copied(graph))
    return silent.get(body, body)


def _with_bodies(node: Node, found: tuple[Body, ...]) -> dict:
    return {**node.attrs, **({"body": found[0]} if node.op is LOOP else {"branches": found})}
