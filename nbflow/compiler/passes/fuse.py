"""Fusion: which elementwise ops and reductions become one loop nest.

A group iterates over a *domain*, a shape without its axes of size 1. Once it holds a reduction its domain splits into
*reduced* axes and the rows that remain. A member is "full", computed at each point of the domain, or "row", computed
once a row: results of reductions and elementwise ops on them. Softmax is one group: full x, row max, full exp(x - max),
row sum, full quotient. Two groups join when every value that passes between them is read where it was written, as the
strides of the reading tell, and no third group lies between them.
"""

import math
from collections.abc import Iterable

from nbflow.compiler.graph import Graph, Node, Value
from nbflow.compiler.layout import Layout
from nbflow.shapes import contiguous_strides

MAX_OPERANDS = 24  # more arrays than this and the loop runs out of registers
SMALL = 4096  # elements; below this a strided or serial loop costs nothing
SPLIT = 1 << 16  # elements; a reduction of everything beyond this is done in pieces and then of the pieces
FULL, ROW = "full", "row"


def squeeze(shape: tuple) -> tuple:
    """shape without axes of size 1."""
    return tuple(n for n in shape if n != 1)


def domain_shape(node: Node) -> tuple:
    """The shape that a node's loop runs over."""
    return node.inputs[0].shape if node.op.reduce else node.output.shape


def read_strides(node: Node, index: int, layout: Layout) -> tuple:
    """By how much input `index` moves along each axis of the node's domain, axes of size 1 left out."""
    shape = domain_shape(node)
    value = node.inputs[index]
    strides = layout.places[value].strides
    pad = len(shape) - len(value.shape)
    return tuple(
        0 if axis < pad or value.shape[axis - pad] == 1 else strides[axis - pad]
        for axis, size in enumerate(shape)
        if size != 1
    )


def reduced_axes(node: Node) -> frozenset:
    """The axes of the squeezed domain that a reduction removes."""
    shape = domain_shape(node)
    kept = [axis for axis, size in enumerate(shape) if size != 1]
    return frozenset(kept.index(axis) for axis in node.attrs["axis"] if shape[axis] != 1)


class Group:
    """Ops that run as one loop nest.

    Attributes:
        domain: the shape it iterates over.
        reduced: the axes that its reductions remove, None where it has no rows.
        level: of each member, FULL or ROW.
        order: position of its first member, for a stable schedule.
    """

    def __init__(self, node: Node, order: int):
        self.domain = squeeze(domain_shape(node))
        self.reduced = reduced_axes(node) if node.op.reduce else None
        self.level: dict[Node, str] = {node: FULL}
        self.order = order

    @property
    def members(self) -> Iterable[Node]:
        """Its nodes, in order."""
        return self.level

    @property
    def has_reduction(self) -> bool:
        """Whether one of its members is a reduction."""
        return any(node.op.reduce for node in self.level)

    @property
    def row_shape(self) -> tuple:
        """The domain without its reduced axes."""
        return tuple(n for axis, n in enumerate(self.domain) if axis not in (self.reduced or ()))

    def expected_strides(self, producer_row: bool, consumer_row: bool) -> tuple:
        """How a member must read another for both to meet at the same point."""
        if not producer_row:
            return contiguous_strides(self.domain)
        rows = iter(contiguous_strides(self.row_shape))
        if consumer_row:
            return tuple(rows)
        reduced = self.reduced or ()
        return tuple(0 if axis in reduced else next(rows) for axis in range(len(self.domain)))


def _unified(a: Group, b: Group) -> tuple | None:
    """(domain, reduced, levels) of the union of two groups, None where their loops differ in kind."""
    if a.domain == b.domain:
        if a.reduced is not None and b.reduced is not None and a.reduced != b.reduced:
            return None
        return a.domain, b.reduced if a.reduced is None else a.reduced, {**a.level, **b.level}
    small, large = (a, b) if len(a.domain) < len(b.domain) else (b, a)
    if small.has_reduction or small.reduced is not None:
        return None
    if large.reduced is not None:
        reduced = large.reduced
    elif not small.domain:
        return None  # one row is no work to share
    else:
        extra = len(large.domain) - len(small.domain)  # rows are the leading axes
        reduced = frozenset(range(len(large.domain) - extra, len(large.domain)))
    rows = tuple(n for axis, n in enumerate(large.domain) if axis not in reduced)
    if rows != small.domain or (not rows and math.prod(large.domain) > SMALL):
        return None
    return large.domain, reduced, {**large.level, **dict.fromkeys(small.level, ROW)}


class Fuser:
    """Joins the groups of a graph.

    Attributes:
        sources: for each work the works that it reads from.
    """

    def __init__(self, graph: Graph, layout: Layout):
        self.layout = layout
        self.group_of: dict[Node, Group] = {}
        self._results = {layout.places[v].root for v in graph.results()}
        self._reads: dict[tuple[Node, int], tuple] = {}  # read_strides, which every join asks for again
        self.producer: dict[Value, Node] = {v: n for n in graph.nodes for v in n.outputs}
        self.sources: dict[Group | Node, set] = {}
        self._readers: dict[Group | Node, set] = {}  # the works that read from a work
        self._last: dict[Group | Node, int] = {}  # the place in the graph of a work's last node
        for order, node in enumerate(graph.nodes):
            if node.op.view is not None or node.op.kind == "source":
                continue
            if node.op.expr is None and node.op.reduce is None:
                self._add(node, self._producers([node]), order)
                continue
            group = self.group_of[node] = Group(node, order)
            self._add(group, self._producers([node]), order)
            for source in sorted(self.sources[group], key=self._order, reverse=True):
                if isinstance(source, Group) and source in self.sources[group]:
                    group = self._join(source, group)

    @property
    def works(self) -> list["Group | Node"]:
        """Groups that become one loop nest each, and nodes that have kernels of their own."""
        return list(self.sources)

    def _add(self, work: "Group | Node", sources: set, last: int) -> None:
        self.sources[work], self._readers[work], self._last[work] = sources, set(), last
        for source in sources:
            self._readers[source].add(work)

    def work_of(self, node: Node) -> "Group | Node":
        """The group that a node is in, or the node itself."""
        return self.group_of.get(node, node)

    @staticmethod
    def _order(work) -> int:
        return work.order if isinstance(work, Group) else -1

    def _producers(self, nodes: Iterable[Node]) -> set:
        roots = {self.layout.places[v].root for node in nodes for v in node.inputs}
        found = {self.work_of(self.producer[r]) for r in roots if r in self.producer}
        return {w for w in found if not (isinstance(w, Node) and w.op.kind == "source")}

    def _reaches(self, start, goal: Group, seen: set) -> bool:
        """Whether goal is start or a source of it, directly or not."""
        if start is goal:
            return True
        seen.add(start)
        if self._last[start] < goal.order:  # all of it stands before the goal
            return False
        return any(s not in seen and self._reaches(s, goal, seen) for s in self.sources[start])

    def _join(self, source: Group, work: Group) -> Group:
        """The union where it is legal, else work."""
        unified = _unified(source, work)
        if unified is None:
            return work
        others = self.sources[work] - {source}
        seen: set = set()
        if any(self._reaches(other, source, seen) for other in others):
            return work
        union = Group.__new__(Group)
        union.domain, union.reduced, levels = unified
        order = {node: k for k, node in enumerate([*source.level, *work.level])}
        union.level = {node: levels[node] for node in order}
        union.order = source.order
        # what holds within the source holds on, unless the loops become others
        same = (union.domain, union.reduced) == (source.domain, source.reduced)
        same = same and all(levels[node] == level for node, level in source.level.items())
        if not self._edges_meet(union, work if same else union) or self._operands(union) > MAX_OPERANDS:
            return work
        for node in union.level:
            self.group_of[node] = union
        gone = {source, work}
        readers = (self._readers.pop(source) | self._readers.pop(work)) - gone
        sources = (self.sources.pop(source) | self.sources.pop(work)) - gone
        for other in sources:
            self._readers[other] -= gone
        self._add(union, sources, max(self._last.pop(source), self._last.pop(work)))
        for reader in readers:
            self.sources[reader] = (self.sources[reader] - gone) | {union}
        self._readers[union] = readers
        return union

    def _edges_meet(self, union: Group, readers: Group) -> bool:
        """Whether what members of `readers` read of the union lies where it was written."""
        trailing = union.reduced is not None and all(
            axis >= len(union.domain) - len(union.reduced) for axis in union.reduced
        )
        large = math.prod(union.domain) > SMALL
        pieces = not union.row_shape and math.prod(union.domain) > SPLIT
        if union.has_reduction and not trailing and any(self._leaves(n, union) for n in union.level if not n.op.reduce):
            return False  # likewise: what is stored point by point is no part of that
        expected: dict[tuple[bool, str], tuple] = {}
        for node in readers.level:
            level = union.level[node]
            if node.op.reduce and level == ROW:
                return False
            for index, value in enumerate(node.inputs):
                place = self.layout.places[value]
                producer = self.producer.get(place.root)
                if producer not in union.level:
                    continue
                producer_row = bool(producer.op.reduce) or union.level[producer] == ROW
                if level == ROW and not producer_row:
                    return False
                if producer_row and level == FULL and pieces:
                    return False  # the result is known when all pieces are done
                if producer_row and not trailing and (large or level == ROW):
                    return False  # rows across the cache lines are best summed all at once, see loops' "columns"
                rank = len(union.domain) if not producer_row else len(union.row_shape)
                if place.offset or len(squeeze(place.root.shape)) != rank:
                    return False
                strides = self._reads.get((node, index))
                if strides is None:
                    strides = self._reads[node, index] = read_strides(node, index, self.layout)
                wanted = expected.get((producer_row, level))
                if wanted is None:
                    wanted = expected[producer_row, level] = union.expected_strides(producer_row, level == ROW)
                if strides != wanted:
                    return False
        return True

    def _leaves(self, node: Node, union: Group) -> bool:
        """Whether something outside the union needs a member's value."""
        return any(
            v in self._results or any(reader not in union.level for reader in self.layout.readers[v])
            for v in node.outputs
        )

    def _operands(self, union: Group) -> int:
        reads = {self.layout.places[v].root for node in union.level for v in node.inputs}
        inside = {v for node in union.level for v in node.outputs}
        return len(reads - inside) + sum(self._leaves(node, union) for node in union.level)
