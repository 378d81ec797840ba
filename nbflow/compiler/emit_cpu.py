"""A nest as the source of a CPU kernel: plain Python that Numba compiles and a person can read.

The argument block of a kernel is a row of int64 words, in the order in which the source reads them; `Emitted.words`
says what each is. Sizes and strides are words, so one kernel serves every shape with the same pattern of strides.
"""

from dataclasses import dataclass

from nbflow.compiler.expressions import converted
from nbflow.compiler.loops import REDUCTIONS, Assign, Load, Nest, Operand, Phase, Reduce
from nbflow.compiler.scalars import definitions

BLOCK = 4096  # elements that a float sum adds in its own precision before it goes on in float64


@dataclass(slots=True)
class Emitted:
    """Kernel source, with "{name}" in place of the kernel's name.

    Attributes:
        stem: what it does, as an identifier.
        source: the Python source.
        words: for each argument word ("address", operand), ("number", value), or ("grain", scale).
    """

    stem: str
    source: str
    words: list[tuple]


class Writer:
    """Lines of source with indentation, and the argument words that they read."""

    def __init__(self):
        self.lines: list[str] = []
        self.words: list[tuple] = []
        self.depth = 1

    def line(self, text: str) -> None:
        """Adds a line at the present depth."""
        self.lines.append("    " * self.depth + text)

    def word(self, name: str, meaning: tuple) -> str:
        """Reads the next argument word into a variable."""
        self.line(f"{name} = word(p, {len(self.words)})")
        self.words.append(meaning)
        return name


def start_value(reduce: Reduce) -> str:
    """The value that a reduction starts from, as source."""
    code, start = reduce.dtype.code, REDUCTIONS[reduce.how][0]
    if start in ("lowest", "highest"):
        if reduce.dtype.is_floating:
            return f"{code}({'-' if start == 'lowest' else ''}inf)"
        return f"{code}({reduce.dtype.min if start == 'lowest' else reduce.dtype.max})"
    return f"{code}({start})"


def _sums_in_blocks(reduce: Reduce) -> bool:
    return reduce.how == "sum" and reduce.dtype.is_differentiable


def _exact(reduce: Reduce) -> str:
    """The type that blocks of a sum are added up in."""
    return "c128" if reduce.dtype.is_complex else "f64"


class CpuEmitter:
    """Writes one nest."""

    def __init__(self, nest: Nest):
        self.nest = nest
        self.out = Writer()
        self.strides: dict[tuple, str] = {}  # (operand name, axis kind, axis) -> variable with a stride in bytes
        self.row_bases: dict[str, str] = {}

    def emit(self) -> Emitted:
        """The kernel's source and argument words."""
        nest, out = self.nest, self.out
        for operand in self._distinct():
            self._read_operand(operand)
        self.columns = [
            out.word(f"n{axis}", ("number", size)) for axis, size in enumerate(nest.column_sizes) if nest.mode != "flat"
        ]
        if nest.total:
            out.word("total", ("number", nest.total))
        {"flat": self._flat, "rows": self._rows, "columns": self._column_mode}[nest.mode]()
        rest = f"_and_{len(nest.words) - 4}" if nest.words[4:] else ""
        stem = "_".join(w.strip("_") for w in nest.words[:4]) + rest
        comment = f'    """{" → ".join(nest.words)} over {nest.mode} {self._space()}"""'
        source = "\n".join(["def {name}(p, begin, end):", comment, *out.lines, ""])
        return Emitted(stem, definitions(source) + source, out.words)

    # --- operands -----------------------------------------------------------------------------------------------

    def _distinct(self) -> list[Operand]:
        """Operands by address: what is read and written in place has one."""
        return list({o.name: o for o in self.nest.operands}.values())

    def _space(self) -> str:
        parts = ["×".join(["n"] * len(s)) for s in (self.nest.row_sizes, self.nest.column_sizes) if s]
        return f"[{' | '.join(parts)}]"

    def _read_operand(self, operand: Operand) -> None:
        out = self.out
        if operand.kind == "scratch":
            out.word(operand.name, ("scratch", operand))
            grain = out.word(f"{operand.name}_g", ("grain", operand))
            size = out.word(f"{operand.name}_n", ("number", operand.dtype.size * self._row_elements()))
            out.line(f"{operand.name} += begin // {grain} * {size}")
        else:
            out.word(operand.name, ("address", operand))
        unit = 1 if operand.kind == "iota" else operand.dtype.size
        for kind, strides in (("r", operand.rows), ("c", operand.columns)):
            for axis, stride in enumerate(strides):
                inner = kind == "c" and axis == len(strides) - 1
                if self.nest.mode == "columns":
                    inner = kind == "r" and axis == len(strides) - 1
                if stride == 0 or (inner and stride == 1):
                    continue
                scale = 1 if inner and operand.kind != "iota" else unit
                name = f"{operand.name}_{kind}{axis}"
                self.strides[operand.name, kind, axis] = out.word(name, ("number", stride * scale))

    def _row_elements(self) -> int:
        elements = 1
        for size in self.nest.column_sizes:
            elements *= size
        return elements

    def _element(self, operand: Operand, base: str, axis_kind: str, axis: int, stride: int, index: str) -> tuple:
        """Address and index of an operand's element in an inner loop."""
        if stride == 0:
            return base, "0"
        name = self.strides.get((operand.name, axis_kind, axis))
        return base, index if name is None else f"{index} * {name}"

    def _load(self, operand: Operand, target: str, base: str, index: str) -> str:
        if operand.kind == "iota":
            value = base if index == "0" else f"{base} + {index}"
            return f"{target} = {converted(f'{operand.dtype.compute}({value})', operand.dtype)}"
        return f"{target} = load({operand.dtype.code}, {base}, {index}, {operand.scope})"

    # --- modes --------------------------------------------------------------------------------------------------

    def _flat(self) -> None:
        out, nest = self.out, self.nest
        out.line("n = end - begin")
        stride_of = {o.name: (o.columns[-1] if o.columns else 0) for o in nest.operands}
        for operand in self._distinct():
            stride = stride_of[operand.name]
            if stride:
                step = self.strides.get((operand.name, "c", 0), "1")
                unit = "" if operand.kind == "iota" else f" * {operand.dtype.size}"
                step = "" if step == "1" else f" * {step}"
                out.line(f"{operand.name} += begin{step}{unit}")
        phase = nest.phases[0]
        self._row_statements(phase.row, {})
        out.line("for j in range(n):")
        out.depth += 1
        for statement in phase.body:
            self._statement(statement, {}, "j", 0)
        out.depth -= 1

    def _rows(self) -> None:
        out, nest = self.out, self.nest
        sizes = [out.word(f"m{axis}", ("number", s)) for axis, s in enumerate(nest.row_sizes) if axis > 0]
        hoisted = {}
        out.line("for i in range(begin, end):")
        out.depth += 1
        indices = self._row_indices(sizes)
        if nest.total:
            out.line(f"n = minimum({self.columns[0]}, total - i * {self.columns[0]})")
        for operand in self._distinct():
            terms = [
                f"{index} * {self.strides[operand.name, 'r', axis]}"
                for axis, index in enumerate(indices)
                if operand.rows and operand.rows[axis]
            ]
            if terms:
                hoisted[operand.name] = f"{operand.name}_i"
                out.line(f"{operand.name}_i = {operand.name} + {' + '.join(terms)}")
        for phase in nest.phases:
            self._row_statements(phase.row, hoisted)
            if phase.body or phase.reductions:
                self._phase_loop(phase, hoisted)
        out.depth -= 1

    def _row_indices(self, sizes: list[str]) -> list[str]:
        """Variables with the index along each row axis, from the row's number i."""
        axes = len(self.nest.row_sizes)
        if axes <= 1:
            return ["i"] * axes
        self.out.line("rest = i")
        for axis in range(axes - 1, 0, -1):
            self.out.line(f"i{axis} = rest % {sizes[axis - 1]}")
            self.out.line(f"rest //= {sizes[axis - 1]}")
        return ["rest", *(f"i{axis}" for axis in range(1, axes))]

    def _phase_loop(self, phase: Phase, bases: dict) -> None:
        """The loops over the column axes, the innermost in blocks where floats are summed."""
        out = self.out
        blocked = any(_sums_in_blocks(r) for r in phase.reductions)
        for r in phase.reductions:
            if _sums_in_blocks(r):
                out.line(f"{r.target}_s = {_exact(r)}(0)")
            else:
                out.line(f"{r.target} = {start_value(r)}")
        depth = out.depth
        bases = dict(bases)
        outer = self.columns[:-1]
        for axis, size in enumerate(outer):
            out.line(f"for j{axis} in range({size}):")
            out.depth += 1
            for operand in self._distinct():
                stride = self.strides.get((operand.name, "c", axis))
                if stride is not None and operand.columns[axis]:
                    new = f"{operand.name}_{axis}"
                    out.line(f"{new} = {bases.get(operand.name, operand.name)} + j{axis} * {stride}")
                    bases[operand.name] = new
        inner = "n" if self.nest.total else (self.columns[-1] if self.columns else "1")
        if blocked:
            out.line(f"for k in range(0, {inner}, {BLOCK}):")
            out.depth += 1
            for r in phase.reductions:
                if _sums_in_blocks(r):
                    out.line(f"{r.target} = {start_value(r)}")
            out.line(f"for j in range(k, minimum(k + {BLOCK}, {inner})):")
        else:
            out.line(f"for j in range({inner}):")
        out.depth += 1
        axis = len(self.columns) - 1
        for statement in phase.body:
            self._statement(statement, bases, "j", axis)
        for r in phase.reductions:
            out.line(f"{r.target} = {REDUCTIONS[r.how][1].format(a=r.target, x=r.source)}")
        out.depth -= 1
        if blocked:
            for r in phase.reductions:
                if _sums_in_blocks(r):
                    out.line(f"{r.target}_s += {_exact(r)}({r.target})")
        out.depth = depth
        for r in phase.reductions:
            if _sums_in_blocks(r):
                out.line(f"{r.target} = {r.dtype.code}({r.target}_s)")

    def _column_mode(self) -> None:
        """Threads share the columns [begin, end); the loops over reduced axes are outside, the columns inside."""
        out, nest = self.out, self.nest
        first, last = nest.phases
        stores = {s.source: s.operand for s in last.row}
        inner = len(nest.row_sizes) - 1
        starts = {o.name: o.name for o in self._distinct()}
        start = "begin"
        if inner:
            size = out.word("m1", ("number", nest.row_sizes[1]))
            out.line(f"for i in range(begin // {size}, (end - 1) // {size} + 1):")
            out.depth += 1
            out.line(f"low = maximum(begin - i * {size}, 0)")
            out.line(f"n = minimum(end - i * {size}, {size}) - low")
            start = "low"
            starts = {name: f"{name}_i" for name in starts}
        else:
            out.line("n = end - begin")
        for operand in self._distinct():
            terms = [operand.name]
            if inner and operand.rows[0]:
                terms.append(f"i * {self.strides[operand.name, 'r', 0]}")
            if operand.rows[inner]:
                step = self.strides.get((operand.name, "r", inner))
                scale = [] if operand.kind == "iota" else [str(operand.dtype.size)]
                terms.append(" * ".join([start, *([step] if step else []), *scale]))
            out.line(f"{starts[operand.name]} = {' + '.join(terms)}")
        out.line("for j in range(n):")
        for r in first.reductions:
            out.depth += 1
            o = stores[r.target]
            out.line(f"store({o.dtype.code}, {starts[o.name]}, j, {start_value(r)}, {o.scope})")
            out.depth -= 1
        bases = dict(starts)
        for axis, size in enumerate(self.columns):
            out.line(f"for j{axis} in range({size}):")
            out.depth += 1
            for operand in self._distinct():
                if operand.columns[axis]:
                    new = f"{operand.name}_{axis}"
                    stride = self.strides[operand.name, "c", axis]
                    out.line(f"{new} = {bases[operand.name]} + j{axis} * {stride}")
                    bases[operand.name] = new
        out.line("for j in range(n):")
        out.depth += 1
        for statement in [*first.row, *first.body]:
            if isinstance(statement, Load):
                operand = statement.operand
                base = bases[operand.name]
                base, index = self._element(operand, base, "r", inner, operand.rows[inner], "j")
                out.line(self._load(operand, statement.target, base, index))
            else:
                out.line(f"{statement.target} = {statement.text}")
        for r in first.reductions:
            o = stores[r.target]
            base = starts[o.name]
            out.line(f"{r.target} = load({o.dtype.code}, {base}, j, {o.scope})")
            combined = REDUCTIONS[r.how][1].format(a=r.target, x=r.source)
            out.line(f"store({o.dtype.code}, {base}, j, {combined}, {o.scope})")

    # --- statements ---------------------------------------------------------------------------------------------

    def _row_statements(self, statements: list, bases: dict) -> None:
        for statement in statements:
            self._statement(statement, bases, "0", None)

    def _statement(self, statement, bases: dict, index: str, axis: int | None) -> None:
        out = self.out
        if isinstance(statement, Assign):
            out.line(f"{statement.target} = {statement.text}")
            return
        operand = statement.operand
        base = bases.get(operand.name, operand.name)
        if axis is not None and index != "0":
            stride = operand.columns[axis] if operand.columns else 0
            base, index = self._element(operand, base, "c", axis, stride, index)
        if isinstance(statement, Load):
            out.line(self._load(operand, statement.target, base, index))
        else:
            out.line(f"store({operand.dtype.code}, {base}, {index}, {statement.source}, {operand.scope})")


def emit(nest: Nest) -> Emitted:
    """The CPU kernel of a nest."""
    return CpuEmitter(nest).emit()
