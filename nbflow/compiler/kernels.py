"""Kernel calls: a kernel, what its argument words mean, and which memory it touches how."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numba import carray

from nbflow.compiler.emit_cpu import emit
from nbflow.compiler.formulas import Number
from nbflow.compiler.graph import CONSTANT, Node, Value
from nbflow.compiler.loops import Nest
from nbflow.runtime import blas, candidates, gemm, intrinsics, native, philox, samplers, vecmath
from nbflow.runtime.intrinsics import DTYPES
from nbflow.runtime.vecmath import complex_numbers
from nbflow.shapes import contiguous_strides

SLAB, ALL, PART = "slab", "all", "part"
STRIP = 1024  # bytes of the rows that a thread reads side by side at least, where it reduces columns
NS_PER_LOAD, NS_PER_STATEMENT, NS_PER_CALL = 0.08, 0.06, 0.4  # an element, vectorised, on one core


class Buffer:
    """Memory that kernels work on: of an input, a result, a constant, a part of the arena, or of another buffer.

    Attributes:
        nbytes: its size.
        slot: index of the address that comes with each call, None for memory of the program's own.
        slots: the addresses that `slot` counts in: None for those of the call, else those of a loop's round.
        array: the NumPy array of a constant, or a Number that stands for it, else None.
        base: where it lies in another buffer, else None.
        stack: whether it grows with the rounds of a loop.
        address: of memory of the program's own, once planned.
    """

    __slots__ = ("address", "array", "base", "nbytes", "offset", "slot", "slots", "stack")

    def __init__(
        self,
        nbytes: int,
        slot: int | None = None,
        array: np.ndarray | Number | None = None,
        *,
        slots: "Slots | None" = None,
        base: "Ref | None" = None,
        stack: bool = False,
    ):
        self.nbytes, self.slot, self.array, self.slots, self.base, self.stack = nbytes, slot, array, slots, base, stack
        self.offset = 0  # in the arena
        self.address: int | None = None

    @property
    def in_arena(self) -> bool:
        """Whether it is a part of the arena of the graph that it was made for."""
        return self.slot is None and self.array is None and self.base is None and not self.stack


class Slots:
    """Addresses that change from round to round of a loop.

    Attributes:
        count: how many.
        patches: (address of a word, slot, offset), flat: words that follow them.
    """

    def __init__(self):
        self.count = 0
        self.patches: list[int] = []

    def add(self) -> int:
        """The number of a new one."""
        self.count += 1
        return self.count - 1


@dataclass(frozen=True, slots=True)
class Ref:
    """An argument word: the address of a byte of a buffer."""

    buffer: Buffer
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Grain:
    """An argument word: how many units a chunk has, so that a kernel can number its chunk."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """An argument word: the address of memory with so many bytes for each chunk."""

    nbytes: int


@dataclass(eq=False, slots=True)
class Call:
    """One kernel call of a program.

    Attributes:
        kernel: the native function.
        words: its arguments: int, Ref, Grain or Scratch.
        extent: units of work.
        touches: (buffer, how, writes): how is SLAB where unit i touches only its own equal part of the buffer, with
            slab_bytes a unit, ALL, or PART for writing what no other call that writes a PART touches.
        cost: estimated ns on one thread.
        whole: chunks should be few, because each has a cost of its own (a matrix product packs its operands).
        multiple: rows that chunks should be multiples of (a tile of a product).
        nodes: what of the graph it computes; none of a copy.
    """

    kernel: native.Loaded
    words: list
    extent: int
    touches: list[tuple]
    cost: float
    whole: bool = False
    multiple: int = 1
    scale: int = field(default=1)
    nodes: tuple[Node, ...] = ()


@dataclass(eq=False, slots=True)
class ControlCall:
    """A branch or a loop among the kernel calls; fields as of Call.

    Attributes:
        control: what to run (see control_lowering).
        bodies: the lowered graphs in it.
    """

    control: Any
    bodies: list
    touches: list[tuple]
    cost: float
    nodes: tuple[Node, ...] = ()
    extent: int = 1
    whole: bool = True
    multiple: int = 1
    scale: int = field(default=1)


@cache
def namespace() -> dict:
    """The names that kernel source may use."""
    names = {name: getattr(intrinsics, name) for name in dir(intrinsics) if not name.startswith("_")}
    names |= {name: getattr(vecmath, name) for name in dir(vecmath) if not name.startswith("_")}
    names |= {name: getattr(complex_numbers, name) for name in ("real", "imag", "conjugate", "complex_divide")}
    for module in (philox, samplers, candidates):
        names |= {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    names |= {"carray": carray, "gemm": blas.gemm, "gemm_add": blas.gemm_add, "tile": gemm.tile}
    return {**names, **DTYPES, "inf": float("inf"), "nan": float("nan")}


def compile_source(stem: str, source: str) -> native.Loaded:
    """A kernel from source that uses the names above."""
    if "gemm" in source:
        blas.library()
    return native.kernel(stem, source, namespace(), portable=True)


def nest_call(nest: Nest, buffer_of, stores: str = "") -> Call:
    """The call of a nest's kernel.

    Args:
        buffer_of: the Buffer of a root value.
        stores: PART if the nest writes a part of its buffer that no other call touches.
    """
    emitted = emit(nest)
    kernel = compile_source(emitted.stem, emitted.source)
    words: list = []
    touches: list[tuple] = []
    for kind, what in emitted.words:
        if kind == "number":
            words.append(what)
        elif kind == "grain":
            words.append(Grain())
        elif kind == "scratch":
            words.append(Scratch(nest.scratch_bytes))
        elif what.kind == "iota":
            words.append(what.offset)
        else:
            words.append(Ref(buffer_of(what.root), what.offset * what.dtype.size))
    for operand in nest.operands:
        if operand.kind in ("load", "store"):
            buffer = buffer_of(operand.root)
            writes = operand.kind == "store"
            how, unit = (stores, 0) if writes and stores else _access(nest, operand)
            touches.append((buffer, how, writes, unit))
    multiple = max(1, STRIP // nest.operands[0].dtype.size) if nest.mode == "columns" else 1
    return Call(kernel, words, nest.extent, touches, _nest_cost(nest), multiple=multiple)


def _access(nest: Nest, operand) -> tuple[str, int]:
    """(SLAB, bytes a unit) where unit i of the nest touches bytes [i, i + 1) * that of the operand, else (ALL, 0)."""
    size = operand.dtype.size
    if operand.offset:
        return ALL, 0
    if nest.mode == "flat":
        stride = operand.columns[0] if operand.columns else 0
        return (SLAB, size) if stride == 1 or nest.extent == 1 else (ALL, 0)
    if nest.mode == "columns":
        store_like = not any(operand.columns)
        return (SLAB, size) if store_like and operand.rows == contiguous_strides(nest.row_sizes) else (ALL, 0)
    if nest.total:
        return (SLAB, operand.rows[0] * size) if operand.kind == "store" else (ALL, 0)
    span, dense = 1, True
    for stride, extent in zip(reversed(operand.columns), reversed(nest.column_sizes), strict=True):
        if stride:
            dense = dense and stride == span
            span *= extent
    for stride, extent in zip(reversed(operand.rows), reversed(nest.row_sizes), strict=True):
        dense = dense and (stride == span or extent == 1)
        span *= extent
    unit = span // max(1, nest.extent)
    return (SLAB, unit * size) if dense else (ALL, 0)


def _nest_cost(nest: Nest) -> float:
    points = 1
    for size in (*nest.row_sizes, *nest.column_sizes):
        points *= size
    if nest.total:
        points = nest.total
    cost = 0.0
    for phase in nest.phases:
        for statement in phase.body:
            text = getattr(statement, "text", None)
            if text is None:
                cost += NS_PER_LOAD
            else:
                cost += NS_PER_CALL if "_f32(" in text or "_f64(" in text else NS_PER_STATEMENT
        cost += NS_PER_STATEMENT * 2 * len(phase.reductions)
    return 20 + points * cost + 5 * nest.extent * (nest.mode == "rows")


def constant_buffer(value: Value) -> Buffer | None:
    """The Buffer of a constant node's value, None for other values."""
    if value.node is None or value.node.op is not CONSTANT:
        return None
    return Buffer(value.aval.nbytes, array=value.node.attrs["value"].array)
