"""A nest as the source of a CUDA kernel: the same statements as on a CPU, other loops around them.

Four forms of kernel:
  flat     the elements of one run: a grid-stride loop
  grid     rows without reductions: threads along the columns, rows down the grid
  block    rows with reductions: one block of threads a row, results combined in shared memory
  columns  a reduction over leading axes: threads along the columns, and down the reduced axes, combined the same way

Neighbouring threads read neighbouring elements in all of them. Arguments are arrays of one axis (or raw pointers), and
numbers: offsets, strides and sizes, so that one kernel serves every shape with the same pattern of strides. Numbers and
indices are unsigned 64-bit: a signed index costs a wrap-around test at each access and a division in each loop's
prologue. A negative stride is a large number that wraps around to the right place.

Float sums accumulate in float64, in each thread and across threads, and are rounded once at the end.
"""

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from nbflow.compiler.emit_cpu import start_value
from nbflow.compiler.loops import REDUCTIONS, Assign, Load, Nest, Operand, Phase, Reduce, Store
from nbflow.compiler.scalars import definitions
from nbflow.dtypes import FULL, INTEGER, DType, bool_, uint8
from nbflow.errors import UnimplementedError
from nbflow.runtime import cuda

THREADS = 256  # a block
BLOCKS = 2048  # a grid at most: several a multiprocessor of the largest GPU; scratch memory grows with it
WARP = 32
MAX_GRID_Y = 65535
COMPUTED = (*FULL, *INTEGER, bool_)  # no halves and no complex numbers yet


@dataclass(slots=True)
class CudaSource:
    """Kernel source, with "{name}" in place of the kernel's name.

    Attributes:
        stem: what it does, as an identifier.
        source: the Python source.
        parameters: for each argument ("array", operand) or ("number", value).
    """

    stem: str
    source: str
    parameters: list[tuple]

    @property
    def arguments(self) -> list[str]:
        """The arguments' types for cuda.compile_ptx."""
        return [f"{memory_code(what.dtype)}*" if kind == "array" else "u64" for kind, what in self.parameters]


def form(nest: Nest) -> str:
    """Which of the forms a nest takes."""
    if nest.mode != "rows":
        return nest.mode
    alone = len(nest.phases) == 1 and not nest.phases[0].reductions
    return "grid" if alone and not any(isinstance(s, Store) for s in nest.phases[0].row) else "block"


class _ForDevice(ast.NodeTransformer):
    """Replaces what a GPU would compute wrongly or cannot compile."""

    def __init__(self, integer: bool):
        self.integer = integer

    def visit_Call(self, node):
        self.generic_visit(node)
        if node.func.id == "to_int":  # a device function cannot take a dtype
            dtype, x = node.args
            return ast.Call(ast.Name(f"to_int_{dtype.id}"), [x], [])
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Mod) and not self.integer:
            # numba's % of floats divides, rounds and multiplies back: inexact, and nan for infinite divisors
            return ast.Call(ast.Name("floor_mod"), [node.left, node.right], [])
        return node


@cache
def device_text(text: str) -> str:
    """An expression of a CPU kernel as a GPU takes it; one of integers begins with the conversion to their dtype."""
    if "to_int(" not in text and "%" not in text:
        return text
    integer = text.startswith(tuple(f"{d.code}(" for d in INTEGER))
    return ast.unparse(_ForDevice(integer).visit(ast.parse(text, mode="eval")))


def memory_code(dtype: DType) -> str:
    """The type that elements have in memory; numba-cuda cannot store a bool through a pointer."""
    return uint8.code if dtype.is_bool else dtype.code


def accumulator_code(reduce: Reduce) -> str:
    """The type that a reduction accumulates in."""
    return "f64" if reduce.how == "sum" and reduce.dtype.is_floating else memory_code(reduce.dtype)


class CudaEmitter:
    """Writes one nest."""

    def __init__(self, nest: Nest, threads: int):
        self.nest, self.threads = nest, threads
        self.lines: list[str] = []
        self.depth = 1
        self.parameters: list[tuple] = []
        self.names: list[str] = []
        self.strides: dict[tuple, str] = {}  # (operand name, "r" or "c", axis) -> its factor in an index

    def emit(self) -> CudaSource:
        """The kernel's source."""
        nest = self.nest
        for operand in self._distinct():
            self._declare(operand)
        self.rows = self._sizes("m", nest.row_sizes)
        self.columns = self._sizes("n", nest.column_sizes)
        getattr(self, f"_{form(nest)}")()
        stem = "cuda_" + "_".join(w.strip("_") for w in nest.words[:4])
        comment = f'    """{" → ".join(nest.words)}, {form(nest)}"""'
        source = "\n".join([f"def {{name}}({', '.join(self.names)}):", comment, *self.lines, ""])
        return CudaSource(stem, definitions(source, device=True) + source, self.parameters)

    # --- lines and parameters -----------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        """Adds a line at the present depth."""
        self.lines.append("    " * self.depth + text)

    def _parameter(self, name: str, kind: str, what) -> str:
        self.names.append(name)
        self.parameters.append((kind, what))
        return name

    def _distinct(self) -> list[Operand]:
        """Operands by address: what is read and written in place has one."""
        return list({o.name: o for o in self.nest.operands}.values())

    def _declare(self, operand: Operand) -> None:
        """The parameters of an operand. Strides of 0 and 1 are part of the kernel."""
        if operand.kind != "iota":
            self._parameter(operand.name, "array", operand)
        if operand.offset:
            self._parameter(f"{operand.name}_o", "number", operand.offset)
        for kind, strides in (("r", operand.rows), ("c", operand.columns)):
            for axis, stride in enumerate(strides):
                if stride not in (0, 1):
                    name = self._parameter(f"{operand.name}_{kind}{axis}", "number", stride)
                    self.strides[operand.name, kind, axis] = f" * {name}"

    def _sizes(self, letter: str, sizes: tuple) -> list[str]:
        """Parameters with the extent of all axes together, and of each where there are several."""
        self._parameter(letter, "number", math.prod(sizes))
        if len(sizes) <= 1:
            return []
        return [self._parameter(f"{letter}{axis}", "number", n) for axis, n in enumerate(sizes)]

    # --- indices ------------------------------------------------------------------------------------------------

    def _split(self, index: str, sizes: list[str], rank: int) -> list[str]:
        """Variables with the index along each axis."""
        if rank <= 1:
            return [index] * rank
        rest = index
        for axis in range(rank - 1, 0, -1):
            self.line(f"{index}{axis} = {rest} % {sizes[axis]}")
            self.line(f"{index}0 = {rest} // {sizes[axis]}")
            rest = f"{index}0"
        return [f"{index}{axis}" for axis in range(rank)]

    def _terms(self, operand: Operand, kind: str, indices: list[str]) -> list[str]:
        """The products of indices and strides. There are no column indices outside the loop over the columns."""
        strides = operand.rows if kind == "r" else operand.columns
        return [
            f"{index}{self.strides.get((operand.name, kind, axis), '')}"
            for axis, (index, stride) in enumerate(zip(indices, strides, strict=False))
            if stride
        ]

    def _bases(self, indices: list[str]) -> dict[str, str]:
        """Variables with the index of each operand's row, by its name."""
        bases = {}
        for operand in self._distinct():
            terms = [f"{operand.name}_o"] if operand.offset else []
            if operand.kind == "scratch":
                terms = ["uint64(cuda.blockIdx.x) * n"]
            terms += self._terms(operand, "r", indices)
            if terms:
                bases[operand.name] = f"{operand.name}_i"
                self.line(f"{operand.name}_i = {' + '.join(terms)}")
        return bases

    def _position(self, operand: Operand, bases: dict, indices: list[str]) -> str:
        base = [bases[operand.name]] if operand.name in bases else []
        return " + ".join(base + self._terms(operand, "c", indices)) or "zero"

    # --- statements ---------------------------------------------------------------------------------------------

    def _statement(self, statement, bases: dict, indices: list[str]) -> None:
        if isinstance(statement, Assign):
            self.line(f"{statement.target} = {device_text(statement.text)}")
            return
        operand = statement.operand
        position = self._position(operand, bases, indices)
        if isinstance(statement, Store):
            value = f"u8({statement.source})" if operand.dtype.is_bool else statement.source
            self.line(f"{operand.name}[{position}] = {value}")
        elif operand.kind == "iota" or operand.dtype.is_bool:
            element = position if operand.kind == "iota" else f"{operand.name}[{position}]"
            self.line(f"{statement.target} = {operand.dtype.code}({element})")
        else:
            self.line(f"{statement.target} = {operand.name}[{position}]")

    def _row_statements(self, statements: list, bases: dict) -> None:
        """Loads and values in every thread; stores in the first one, once all have loaded what it overwrites."""
        stores = [s for s in statements if isinstance(s, Store)]
        for statement in statements:
            if not isinstance(statement, Store):
                self._statement(statement, bases, [])
        if stores:
            loaded = {s.operand.name for s in statements if isinstance(s, Load)}
            if any(s.operand.name in loaded for s in stores):
                self.line("cuda.syncthreads()")
            self.line("if t == zero:")
            self.depth += 1
            for statement in stores:
                self._statement(statement, bases, [])
            self.depth -= 1

    # --- reductions ---------------------------------------------------------------------------------------------

    def _start(self, reductions: list[Reduce]) -> None:
        for r in reductions:
            self.line(f"{r.target}_t = {accumulator_code(r)}({start_value(r)})")

    def _accumulate(self, reductions: list[Reduce]) -> None:
        for r in reductions:
            self.line(f"{r.target}_t = {self._combined(r, f'{r.target}_t', r.source)}")

    @staticmethod
    def _combined(r: Reduce, a: str, x: str) -> str:
        code = accumulator_code(r)
        combined = REDUCTIONS[r.how][1].format(a=a, x=x if code == r.dtype.code else f"{code}({x})")
        return f"{code}({combined})"

    @staticmethod
    def _shared_name(r: Reduce, position: int) -> str:
        return f"s{position}_{accumulator_code(r)}"

    def _declare_shared(self) -> None:
        """An array of shared memory for each reduction that a phase has at a time."""
        found = {self._shared_name(r, k) for p in self.nest.phases for k, r in enumerate(p.reductions)}
        for name in sorted(found):
            self.line(f"{name} = cuda.shared.array({self.threads}, {name.rpartition('_')[2]})")

    def _tree(self, reductions: list[Reduce], lane: str, lanes: str, stride: str, first: str) -> None:
        """Combines the accumulators of threads in shared memory, halving their number at each step.

        Args:
            lane, lanes: the thread's number among those that are combined, and how many they are, a power of two.
            stride: "" or the factor from a lane's number to its place in shared memory.
            first: the place of lane 0.
        """
        shared = [self._shared_name(r, k) for k, r in enumerate(reductions)]
        for name, r in zip(shared, reductions, strict=True):
            self.line(f"{name}[t] = {r.target}_t")
        self.line("cuda.syncthreads()")
        self.line(f"half = {lanes} // two")
        self.line("while half > zero:")
        self.depth += 1
        self.line(f"if {lane} < half:")
        self.depth += 1
        for name, r in zip(shared, reductions, strict=True):
            self.line(f"{name}[t] = {self._combined(r, f'{name}[t]', f'{name}[t + half{stride}]')}")
        self.depth -= 1
        self.line("cuda.syncthreads()")
        self.line("half = half // two")
        self.depth -= 1
        for name, r in zip(shared, reductions, strict=True):
            self.line(f"{r.target} = {r.dtype.code}({name}[{first}])")
        self.line("cuda.syncthreads()")  # before the next tree writes

    # --- forms --------------------------------------------------------------------------------------------------

    def _loop(self, index: str, start: str, end: str, step: str, body: Callable) -> None:
        self.line(f"{index} = {start}")
        self.line(f"while {index} < {end}:")
        self.depth += 1
        body()
        self.line(f"{index} = {index} + {step}")
        self.depth -= 1

    def _flat(self) -> None:
        phase = self.nest.phases[0]
        rank = len(self.nest.column_sizes)
        self.line("zero = uint64(0)")
        bases = self._bases([])
        self._row_statements(phase.row, bases)
        self.line("step = uint64(cuda.gridsize(1))")
        self._loop("j", "uint64(cuda.grid(1))", "n", "step", lambda: self._body(phase, bases, rank))

    def _body(self, phase: Phase, bases: dict, rank: int) -> None:
        indices = self._split("j", self.columns, rank)
        for statement in phase.body:
            self._statement(statement, bases, indices)
        self._accumulate(phase.reductions)

    def _grid(self) -> None:
        nest, (phase,) = self.nest, self.nest.phases
        self.line("zero = uint64(0)")
        self.line("first, start = cuda.grid(2)")
        self.line("across, down = cuda.gridsize(2)")
        self.line("first, across, down = uint64(first), uint64(across), uint64(down)")

        def row():
            bases = self._bases(self._split("i", self.rows, len(nest.row_sizes)))
            self._row_statements(phase.row, bases)
            self._loop("j", "first", "n", "across", lambda: self._body(phase, bases, len(nest.column_sizes)))

        self._loop("i", "uint64(start)", "m", "down", row)

    def _block(self) -> None:
        nest = self.nest
        self.line("zero, two = uint64(0), uint64(2)")
        self.line("t, width = uint64(cuda.threadIdx.x), uint64(cuda.blockDim.x)")
        self._declare_shared()
        total = self._parameter("total", "number", nest.total) if nest.total else ""

        def row():
            bases = self._bases(self._split("i", self.rows, len(nest.row_sizes)))
            end = "n"
            if total:  # the last row is shorter
                end = "end"
                self.line("end = min(n, total - i * n)")
            for phase in nest.phases:
                self._row_statements(phase.row, bases)
                if phase.body or phase.reductions:
                    self._start(phase.reductions)
                    rank = len(nest.column_sizes)
                    self._loop("j", "t", end, "width", lambda p=phase, r=rank: self._body(p, bases, r))
                if phase.reductions:
                    self._tree(phase.reductions, "t", "width", "", "zero")

        self._loop("i", "uint64(cuda.blockIdx.x)", "m", "uint64(cuda.gridDim.x)", row)

    def _columns(self) -> None:
        nest, (phase, last) = self.nest, self.nest.phases
        self.line("zero, two = uint64(0), uint64(2)")
        self.line("x, width = uint64(cuda.threadIdx.x), uint64(cuda.blockDim.x)")
        self.line("y, height = uint64(cuda.threadIdx.y), uint64(cuda.blockDim.y)")
        self.line("t = y * width + x")
        self._declare_shared()

        def columns():
            self.line("i = first + x")
            self._start(phase.reductions)
            bases = self._bases(self._split("i", self.rows, len(nest.row_sizes)))
            self.line("if i < m:")
            self.depth += 1
            self._row_statements(phase.row, bases)
            self._loop("j", "y", "n", "height", lambda: self._body(phase, bases, len(nest.column_sizes)))
            self.depth -= 1
            self._tree(phase.reductions, "y", "height", " * width", "x")
            self.line("if (y == zero) & (i < m):")
            self.depth += 1
            for statement in last.row:
                self._statement(statement, bases, [])
            self.depth -= 1

        step = "uint64(cuda.gridDim.x) * width"
        self._loop("first", "uint64(cuda.blockIdx.x) * width", "m", step, columns)


def emit(nest: Nest, threads: int = THREADS) -> CudaSource:
    """The CUDA kernel of a nest, for blocks of at most `threads` threads, a power of two.

    Raises:
        UnimplementedError: it has operands of a dtype that CUDA kernels do not compute in.
    """
    for dtype in {o.dtype for o in nest.operands}:
        if dtype not in COMPUTED:
            takes = ", ".join(d.name for d in COMPUTED)
            raise UnimplementedError(f"CUDA: {' → '.join(nest.words)} has {dtype.name}; kernels take {takes}")
    return CudaEmitter(nest, threads).emit()


# --- launches ---------------------------------------------------------------------------------------------------------


def _power_of_two(n: int) -> int:
    """The least power of two that is not below n."""
    return 1 << max(0, n - 1).bit_length()


def _blocks(work: int, each: int, most: int) -> int:
    return max(1, min(-(-work // each), most))


def launch_shape(nest: Nest, threads: int = THREADS, blocks: int = BLOCKS) -> tuple[tuple, tuple]:
    """The grid and block of a nest's kernel: as many threads as there is work for, up to the limits.

    Returns:
        ((blocks in x, in y), (threads in x, in y)).
    """
    rows, columns = math.prod(nest.row_sizes), math.prod(nest.column_sizes)
    match form(nest):
        case "flat":
            return (_blocks(columns, threads, blocks), 1), (threads, 1)
        case "grid":
            across = min(threads, _power_of_two(columns))
            down = threads // across
            x = _blocks(columns, across, blocks)
            return (x, _blocks(rows, down, min(max(1, blocks // x), MAX_GRID_Y))), (across, down)
        case "block":
            return (_blocks(rows, 1, blocks), 1), (min(threads, max(WARP, _power_of_two(columns))), 1)
        case _:
            across = min(WARP, threads, _power_of_two(rows))
            down = min(threads // across, _power_of_two(columns))
            return (_blocks(rows, across, blocks), 1), (across, down)


class CudaKernel:
    """The kernel of a nest, ready to launch.

    Args:
        nest: from the nest builder.
        threads, blocks: the largest block and grid.
    """

    def __init__(self, nest: Nest, threads: int = THREADS, blocks: int = BLOCKS):
        self.nest = nest
        self.emitted = emit(nest, threads)
        self.grid, self.block = launch_shape(nest, threads, blocks)
        self._function = cuda.kernel(self.emitted.stem, self.emitted.source)

    def launch(self, array_of: Callable[[Operand], Any], stream: Any = 0) -> None:
        """Starts the kernel.

        Args:
            array_of: the device array, of one axis and of the operand's dtype, that is the buffer of an operand's root.
        """
        if self.nest.extent == 0:
            return
        arguments = []
        for kind, what in self.emitted.parameters:
            if kind == "number":
                arguments.append(np.uint64(what % (1 << 64)))
            elif what.kind == "scratch":
                row = math.prod(self.nest.column_sizes)
                arguments.append(cuda.empty(self.grid[0] * row, what.dtype.np))
            else:
                array = array_of(what)
                arguments.append(array.view(np.uint8) if what.dtype.is_bool else array)
        cuda.launch(self._function, self.grid, self.block, arguments, stream)
