"""A fused kernel before it is text: its space, loads, body and stores, independent of the device.

The axes of a group's domain become *row* axes, whose points are shared out among threads, and *column* axes, over
which inner loops run. Adjacent axes collapse into one wherever every operand's strides allow it. Modes:
  flat     no rows: one run of elements, shared out in pieces
  rows     for each row, one inner loop for each *phase*; a phase ends where a reduction's result is needed
  columns  a reduction over leading or middle axes: threads share the columns, which may lie in several runs, and for
           each run the loop over the reduced axes is outside
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from nbflow.compiler.expressions import is_expensive, render
from nbflow.compiler.graph import Node, Value, aval
from nbflow.compiler.layout import Layout, is_virtual
from nbflow.compiler.passes.fuse import ROW, SPLIT, Group, read_strides
from nbflow.dtypes import DType
from nbflow.shapes import contiguous_strides

PIECE = 1 << 14  # elements that are reduced at a time where everything is and that is more than SPLIT
SIDE_BY_SIDE = 8  # columns in a run that are worth a loop
REDUCTIONS = {  # name -> (start, combination of accumulator a and element x)
    "sum": ("0", "add_any_order({a}, {x})"),
    "prod": ("1", "mul_any_order({a}, {x})"),
    "max": ("lowest", "maximum({a}, {x})"),
    "min": ("highest", "minimum({a}, {x})"),
    "any": ("False", "{a} | {x}"),
    "all": ("True", "{a} & {x}"),
}


@dataclass(eq=False, slots=True)
class Operand:
    """An array of a kernel.

    Attributes:
        name: its variable in the source.
        kind: "load", "store", "iota" (its element k is the number k, without memory) or "scratch" (a row a chunk).
        root: the value whose buffer it is, None for scratch.
        offset: elements from the buffer's start.
        rows, columns: strides in elements along the row and column axes.
        scope: alias scope, 0 for memory that is only read.
    """

    name: str
    kind: str
    dtype: DType
    root: Value | None
    offset: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    scope: int = 0

    @property
    def once_a_row(self) -> bool:
        """Whether it has one element a row."""
        return not any(self.columns)


@dataclass(eq=False, slots=True)
class Load:
    """Reads an element of an array into a variable."""

    target: str
    operand: Operand


@dataclass(eq=False, slots=True)
class Assign:
    """Gives a variable the value of an expression."""

    target: str
    text: str


@dataclass(eq=False, slots=True)
class Store:
    """Writes a variable to an element of an array."""

    operand: Operand
    source: str


@dataclass(eq=False, slots=True)
class Reduce:
    """Accumulates source into target over a phase's loop."""

    target: str
    how: str
    dtype: DType
    source: str


@dataclass(eq=False, slots=True)
class Phase:
    """Statements once a row, then a loop over the columns."""

    row: list = field(default_factory=list)
    body: list = field(default_factory=list)
    reductions: list = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Nest:
    """A loop nest.

    Attributes:
        mode: "flat", "rows" or "columns".
        row_sizes, column_sizes: extents of the axes, outermost first.
        total: 0, or the elements of a flat space that rows of equal length cover, the last one in part.
        words: what it does, for the kernel's name and comment.
    """

    mode: str
    row_sizes: tuple[int, ...]
    column_sizes: tuple[int, ...]
    operands: list[Operand]
    phases: list[Phase]
    total: int = 0
    words: tuple[str, ...] = ()

    @property
    def extent(self) -> int:
        """How many units of work threads share: elements, rows or columns."""
        return math.prod(self.column_sizes if self.mode == "flat" else self.row_sizes)

    @property
    def scratch_bytes(self) -> int:
        """Bytes a chunk of the scratch rows."""
        row = math.prod(self.column_sizes)
        return sum(row * o.dtype.size for o in self.operands if o.kind == "scratch")


def collapse(sizes: tuple, strides: list[tuple]) -> tuple[tuple, list[tuple]]:
    """Merges adjacent axes that every operand walks as one."""
    merged_sizes: list[int] = []
    merged: list[list[int]] = [[] for _ in strides]
    for axis, size in enumerate(sizes):
        joins = bool(merged_sizes) and all(m[-1] == s[axis] * size for m, s in zip(merged, strides, strict=True))
        if joins:
            merged_sizes[-1] *= size
            for m, s in zip(merged, strides, strict=True):
                m[-1] = s[axis]
        else:
            merged_sizes.append(size)
            for m, s in zip(merged, strides, strict=True):
                m.append(s[axis])
    return tuple(merged_sizes), [tuple(m) for m in merged]


class NestBuilder:
    """Makes the nests of one group.

    Args:
        group: from the fuser.
        layout: places of values.
        stored: members' values that must reach memory.
        buffer_of: identifies the buffer of a root value: two roots may share one (a variable updated in place).
        order: graph position of each node.
    """

    def __init__(self, group: Group, layout: Layout, stored: set[Value], buffer_of: Callable, order: dict[Node, int]):
        self.group, self.layout, self.stored, self.buffer_of = group, layout, stored, buffer_of
        self.members = sorted(group.members, key=order.__getitem__)
        self.inside = {v: n for n in self.members for v in n.outputs}
        reduced = group.reduced or frozenset()
        self.row_axes = [a for a in range(len(group.domain)) if a not in reduced]
        self.column_axes = sorted(reduced)
        self.operands: list[Operand] = []
        self._loads: dict[tuple, Operand] = {}
        self._stores: dict[Value, Operand] = {}
        self._scopes: dict = {}
        self._addresses: dict[tuple, str] = {}
        self._names: dict[Value, str] = {}
        self._computed: dict[Value, int] = {}  # full members' values -> the first phase whose loop computes them
        for value in self.inside:
            if value in stored:
                self._scopes.setdefault(buffer_of(value), len(self._scopes) + 1)

    def build(self) -> list[Nest]:
        """One nest, or two where a reduction of everything is done in pieces."""
        group = self.group
        reductions = [n for n in self.members if n.op.reduce]
        phases = self._phases()
        sizes = tuple(group.domain[a] for a in self.row_axes), tuple(group.domain[a] for a in self.column_axes)
        words = tuple(dict.fromkeys(n.op.name for n in self.members))
        if reductions and not self.row_axes and math.prod(group.domain) > SPLIT and len(phases) == 2:
            return self._in_pieces(phases, sizes[1], words)
        if group.reduced is None:
            return [self._elementwise(phases, sizes[0], words)]
        if self._reduces_columns(reductions, phases):
            return [self._columns(phases, *sizes, words)]
        rows, row_strides = collapse(sizes[0], [o.rows for o in self.operands])
        columns, column_strides = collapse(sizes[1], [o.columns for o in self.operands])
        self._set_strides(row_strides, column_strides)
        return [Nest("rows", rows, columns, self.operands, phases, words=words)]

    # --- statements ---------------------------------------------------------------------------------------------

    def _name(self, value: Value) -> str:
        return self._names.setdefault(value, f"v{len(self._names)}")

    def _phases(self) -> list[Phase]:
        """Sorts the members into phases, and adds the loads and stores that each needs.

        Stores come last: what they write may be the place of a Variable whose old value other members read.
        """
        level = self.group.level
        phase_of: dict[Node | Value, int] = {}  # of reductions by node, of others by result
        available: dict[Value, int] = {}  # the phase from which on a result that is computed once a row is there
        for node in self.members:
            inside = [self.layout.places[v].root for v in node.inputs]
            earliest = max((available.get(r, phase_of.get(r, 0)) for r in inside if r in self.inside), default=0)
            if level[node] == ROW:
                available[node.output] = earliest
            elif node.op.reduce:
                phase_of[node], available[node.output] = earliest, earliest + 1
            else:
                phase_of[node.output] = earliest
        count = max([0, *phase_of.values(), *available.values()]) + 1
        phases, row_stores = [], []
        for number in range(count):
            phase, stores = Phase(), []
            for node in self.members:
                value = node.output
                if available.get(value) == number:
                    if not node.op.reduce:
                        self._compute(node, phase.row, phase.row, number, phase_of)
                    if value in self.stored:
                        row_stores.append(Store(self._store(value), self._name(value)))
            done: set[Value] = set()
            for node in self.members:
                if node.op.reduce and phase_of[node] == number:
                    source = self._full(node, 0, phase, number, phase_of, done)
                    phase.reductions.append(Reduce(self._name(node.output), node.op.reduce, node.output.dtype, source))
                elif phase_of.get(node.output) == number and node.output in self.stored:
                    self._value(node, phase, number, phase_of, done)
                    stores.append(Store(self._store(node.output), self._name(node.output)))
            phase.body += stores
            phases.append(phase)
        phases[-1].row += row_stores
        self._loads_of_spilled(phases)
        return phases

    def _full(self, node: Node, index: int, phase: Phase, number: int, phase_of: dict, done: set) -> str:
        """The variable with input `index` of a node in the loop of a phase."""
        value = self.layout.places[node.inputs[index]].root
        producer = self.inside.get(value)
        if producer is None:
            operand = self._load(node, index)
            where = phase.row if self.column_axes and operand.once_a_row else phase.body
            return self._load_once(operand, where, phase)
        if producer.op.reduce or self.group.level[producer] == ROW:
            return self._name(value)
        self._value(producer, phase, number, phase_of, done)
        return self._name(value)

    def _value(self, node: Node, phase: Phase, number: int, phase_of: dict, done: set) -> None:
        """Makes a full member's value available in the loop of a phase: computed there, or read back."""
        value = node.output
        if value in done:
            return
        done.add(value)
        first = self._computed.setdefault(value, number)
        if first < number and (value in self.stored or is_expensive(node.op)):
            operand = self._store(value) if value in self.stored else self._scratch(value)
            phase.body.append(Load(self._name(value), operand))
            return
        names = [self._full(node, i, phase, number, phase_of, done) for i in range(len(node.inputs))]
        phase.body.append(self._assign(node, names))

    def _compute(self, node: Node, row: list, target: list, number: int, phase_of: dict) -> None:
        """Computes a row member."""
        names = []
        for index, value in enumerate(node.inputs):
            root = self.layout.places[value].root
            if root in self.inside:
                names.append(self._name(root))
            else:
                operand = self._load(node, index)
                name = f"{operand.name}_r"
                if not any(isinstance(s, Load) and s.target == name for s in row):
                    row.append(Load(name, operand))
                names.append(name)
        target.append(self._assign(node, names))

    def _assign(self, node: Node, names: list[str]) -> Assign:
        dtypes = tuple(v.dtype for v in node.inputs)
        return Assign(self._name(node.output), render(node.op, names, dtypes, node.output.dtype))

    def _load_once(self, operand: Operand, where: list, phase: Phase) -> str:
        name = f"{operand.name}_{'r' if where is phase.row else 'e'}"
        if not any(isinstance(s, Load) and s.target == name for s in where):
            where.append(Load(name, operand))
        return name

    def _loads_of_spilled(self, phases: list[Phase]) -> None:
        """Adds the store of every scratch row to the phase that computes it."""
        for operand in self.operands:
            if operand.kind == "scratch":
                name = operand.name.removeprefix("t_")
                phase = next(p for p in phases if any(isinstance(s, Assign) and s.target == name for s in p.body))
                phase.body.append(Store(operand, name))

    # --- operands -----------------------------------------------------------------------------------------------

    def _strides(self, node: Node, index: int) -> tuple[tuple, tuple]:
        """Strides of an input along the group's row and column axes."""
        strides = read_strides(node, index, self.layout)
        if self.group.level[node] == ROW:
            return strides, (0,) * len(self.column_axes)
        return tuple(strides[a] for a in self.row_axes), tuple(strides[a] for a in self.column_axes)

    def _address(self, root: Value, offset: int, rows: tuple, columns: tuple) -> str:
        """The variable that holds an operand's address: one for what is read and written in place."""
        key = (self.buffer_of(root), offset, rows, columns)
        return self._addresses.setdefault(key, f"a{len(self._addresses)}")

    def _load(self, node: Node, index: int) -> Operand:
        place = self.layout.places[node.inputs[index]]
        rows, columns = self._strides(node, index)
        key = (place.root, place.offset, rows, columns)
        if key not in self._loads:
            virtual = is_virtual(place.root)
            scope = 0 if virtual else self._scopes.get(self.buffer_of(place.root), 0)
            name = self._address(place.root, place.offset, rows, columns)
            kind = "iota" if virtual else "load"
            operand = Operand(name, kind, place.root.dtype, place.root, place.offset, rows, columns, scope)
            self._loads[key] = operand
            self.operands.append(operand)
        return self._loads[key]

    def _dense(self, value: Value) -> tuple[tuple, tuple]:
        node = self.inside[value]
        if node.op.reduce or self.group.level[node] == ROW:
            return contiguous_strides(self.group.row_shape), (0,) * len(self.column_axes)
        strides = contiguous_strides(self.group.domain)
        return tuple(strides[a] for a in self.row_axes), tuple(strides[a] for a in self.column_axes)

    def _store(self, value: Value) -> Operand:
        if value not in self._stores:
            rows, columns = self._dense(value)
            scope = self._scopes[self.buffer_of(value)]
            name = self._address(value, 0, rows, columns)
            operand = Operand(name, "store", value.dtype, value, 0, rows, columns, scope)
            self._stores[value] = operand
            self.operands.append(operand)
        return self._stores[value]

    def _scratch(self, value: Value) -> Operand:
        key = ("scratch", value)
        if key not in self._loads:
            columns = contiguous_strides(tuple(self.group.domain[a] for a in self.column_axes))
            scope = len(self._scopes) + 1
            self._scopes[key] = scope
            name = f"t_{self._name(value)}"
            operand = Operand(name, "scratch", value.dtype, None, 0, (0,) * len(self.row_axes), columns, scope)
            self._loads[key] = operand
            self.operands.append(operand)
        return self._loads[key]

    def _set_strides(self, rows: list[tuple], columns: list[tuple]) -> None:
        for operand, r, c in zip(self.operands, rows, columns, strict=True):
            operand.rows, operand.columns = r, c

    # --- modes --------------------------------------------------------------------------------------------------

    def _elementwise(self, phases: list[Phase], sizes: tuple, words: tuple) -> Nest:
        merged, strides = collapse(sizes, [o.rows for o in self.operands])
        self._set_strides([s[:-1] for s in strides], [s[-1:] for s in strides])
        (phase,) = phases
        phase.row = [s for s in phase.body if isinstance(s, Load) and s.operand.once_a_row]
        phase.body = [s for s in phase.body if s not in phase.row]
        mode = "rows" if len(merged) > 1 else "flat"
        return Nest(mode, merged[:-1], merged[-1:], self.operands, phases, words=words)

    def _reduces_columns(self, reductions: list[Node], phases: list[Phase]) -> bool:
        """Whether the innermost axis stays, nothing but reductions is stored, and the kept axes are one run or two."""
        if not self.row_axes or self.row_axes[-1] != len(self.group.domain) - 1 or len(phases) != 2:
            return False
        if not all(isinstance(s, Load) for s in phases[0].row) or any(isinstance(s, Store) for s in phases[0].body):
            return False
        if len(phases[1].row) != len(reductions) or any(n.output not in self.stored for n in reductions):
            return False
        runs = collapse(self.group.row_shape, [o.rows for o in self.operands])[0]
        return len(runs) == 1 or (len(runs) == 2 and runs[-1] >= SIDE_BY_SIDE)

    def _columns(self, phases: list[Phase], rows: tuple, columns: tuple, words: tuple) -> Nest:
        rows, row_strides = collapse(rows, [o.rows for o in self.operands])
        columns, column_strides = collapse(columns, [o.columns for o in self.operands])
        self._set_strides(row_strides, column_strides)
        return Nest("columns", rows, columns, self.operands, phases, words=words)

    def _in_pieces(self, phases: list[Phase], sizes: tuple, words: tuple) -> list[Nest]:
        """Partial results of pieces of the domain, then the reduction of those."""
        first, last = phases
        loads = [o for o in self.operands if o.kind != "store" or not o.once_a_row]
        merged, strides = collapse(sizes, [o.columns for o in loads])
        total = merged[0] if len(merged) == 1 else 0
        rows = (-(-total // PIECE),) if total else merged[:-1]
        for operand, stride in zip(loads, strides, strict=True):
            operand.rows = (stride[0] * PIECE,) if total else stride[:-1]
            operand.columns = stride[-1:]
        pieces = math.prod(rows)
        partials = []
        for k, reduce in enumerate(first.reductions):
            dtype = reduce.dtype
            dense = contiguous_strides(rows)
            write = Operand(f"q{k}", "store", dtype, Value(aval(dtype, (pieces,))), 0, dense, (0,), 0)
            read = Operand(f"q{k}", "load", dtype, write.root, 0, (), (1,))
            partials.append((reduce, write, read))
        scopes = {o.scope for o in loads if o.scope}
        for k, (_, write, _) in enumerate(partials):
            write.scope = max(scopes, default=0) + k + 1
        stores = [Store(write, reduce.target) for reduce, write, _ in partials]
        columns = (PIECE,) if total else merged[-1:]
        one = Nest("rows", rows, columns, loads + [w for _, w, _ in partials], [first, Phase(row=stores)], total, words)
        gather = Phase(
            body=[Load(f"q{k}_e", read) for k, (_, _, read) in enumerate(partials)],
            reductions=[Reduce(r.target, r.how, r.dtype, f"q{k}_e") for k, (r, _, _) in enumerate(partials)],
        )
        used = {s.operand for s in last.row if isinstance(s, (Load, Store))}
        finals = [o for o in self.operands if o in used]
        for operand in finals:
            operand.rows, operand.columns = (), (0,)
        reads = [r for _, _, r in partials]
        two = Nest("rows", (), (pieces,), reads + finals, [gather, last], words=(*words, "pieces"))
        return [one, two]
