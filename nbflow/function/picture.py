"""Graphs as text and as pictures."""

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from nbflow.compiler.graph import CONSTANT, Graph, Node, Value, format_graph

COLORS = {  # the kinds of ops -> what fills their boxes
    "elementwise": "#d5e8d4",
    "reduction": "#ffe6cc",
    "library": "#dae8fc",
    "composite": "#e1d5e7",
    "host": "#f8cecc",
    "view": "#f5f5f5",
}


class GraphText(str):
    """Graphs as text, one line an op, which can be drawn as well.

    Attributes:
        graphs: (title, Graph) of each.
    """

    graphs: Sequence[tuple[str, Graph]]

    def __new__(cls, graphs: Sequence[tuple[str, Graph]]):
        """The text of graphs."""
        text = super().__new__(cls, "\n\n".join(format_graph(graph) for _, graph in graphs))
        text.graphs = list(graphs)
        return text

    def to_dot(self) -> str:
        """The graphs in the language of Graphviz, each a cluster of one picture."""
        lines = [
            "digraph {",
            '  node [shape=box style="filled,rounded" fontname=Helvetica fontsize=11 color="#999999"]',
        ]
        lines.append('  edge [fontname=Helvetica fontsize=9 color="#666666"]')
        for number, (title, graph) in enumerate(self.graphs):
            lines += _cluster(f"g{number}", title, graph)
        return "\n".join([*lines, "}"])

    def to_png(self, path) -> Path:
        """Draws the graphs into a file, a PNG or what else the ending of its name says (.svg, .pdf).

        Returns:
            The path.

        Raises:
            FileNotFoundError: Graphviz' program `dot` is not there.
        """
        program = shutil.which("dot")
        if program is None:
            raise FileNotFoundError(
                "to_png: Graphviz' program `dot` is not on the path; install graphviz, or take the text of to_dot()"
            )
        path = Path(path)
        kind = path.suffix[1:] or "png"
        subprocess.run([program, f"-T{kind}", "-o", str(path)], input=self.to_dot(), text=True, check=True)
        return path

    draw = to_png


def _cluster(prefix: str, title: str, graph: Graph) -> list[str]:
    """The lines of one graph, and of the graphs that its nodes hold."""
    names: dict[Value, str] = {}
    lines = [f"  subgraph cluster_{prefix} {{", f"    label={_quoted(title)} fontname=Helvetica"]
    for k, value in enumerate(graph.inputs):
        names[value] = f"{prefix}_i{k}"
        lines.append(_box(names[value], f"input {k}\n{value.aval}", "#fff2cc", "shape=ellipse"))
    for k, node in enumerate(graph.nodes):
        names.update(dict.fromkeys(node.outputs, f"{prefix}_n{k}"))
        lines.append(_box(f"{prefix}_n{k}", _label(node), COLORS.get(node.op.kind, "#ffffff")))
    for k, node in enumerate(graph.nodes):
        lines += [f"    {names[v]} -> {prefix}_n{k} [label={_quoted(str(v.aval))}]" for v in node.inputs]
        for number, inner in enumerate(_held(node)):
            lines += ["  " + line for line in _cluster(f"{prefix}_{k}_{number}", f"{node.op.name} {number}", inner)]
    for k, value in enumerate(graph.outputs):
        lines.append(_box(f"{prefix}_o{k}", f"result {k}", "#fff2cc", "shape=ellipse"))
        lines.append(f"    {names[value]} -> {prefix}_o{k} [label={_quoted(str(value.aval))}]")
    for target, value in graph.updates.items():
        lines.append(f"    {names[value]} -> {names[target]} [style=dashed label=update constraint=false]")
    return [*lines, "  }"]


def _held(node: Node) -> Iterable[Graph]:
    """The graphs of branches and loops among a node's attributes."""
    for value in node.attrs.values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(getattr(part, "graph", None), Graph):
                yield part.graph


def _label(node: Node) -> str:
    if node.op is CONSTANT:
        array = node.attrs["value"].array
        return str(array.tolist()) if array.size <= 4 else f"constant\n{node.output.aval}"
    place = node.where.replace("\\", "/").rpartition("/")[2]
    return f"{node.op.name}\n{place}" if place else node.op.name


def _box(name: str, label: str, color: str, more: str = "") -> str:
    return f'    {name} [label={_quoted(label)} fillcolor="{color}" {more}]'.replace(" ]", "]")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
