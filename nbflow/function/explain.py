"""What happened to a function: its traces and why they were made, their programs, kernels, memory and time."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from nbflow.compiler.graph import CONSTANT, Node
from nbflow.compiler.program import Program
from nbflow.function.concrete import ConcreteFunction
from nbflow.function.policy import Traced, part_text
from nbflow.function.signature import TensorSpec


@dataclass(frozen=True)
class KernelFacts:
    """One kernel of a program.

    Attributes:
        name: of the kernel.
        ops: the names of the ops that it computes, in order; none of a copy.
        lines: the source lines that these ops come from.
        calls: how often a run calls it.
        origin: "compiled", "disk", or "memory" where the process had it already.
        seconds: that it took to get it; 0 from memory.
    """

    name: str
    ops: tuple[str, ...]
    lines: tuple[str, ...]
    calls: int
    origin: str
    seconds: float


@dataclass(frozen=True)
class ProgramFacts:
    """One program: a trace for known sizes.

    Attributes:
        inputs: dtypes and shapes.
        kernels: in the order in which they first run.
        chains: groups of kernel calls that run row by row together.
        parallel: whether the team of threads runs it.
        arena_bytes: memory of intermediates, which it holds for good.
        result_bytes: memory of the results of one run.
        seconds: that passes and planning took, without kernels.
    """

    inputs: tuple[str, ...]
    kernels: tuple[KernelFacts, ...]
    chains: int
    parallel: bool
    arena_bytes: int
    result_bytes: int
    seconds: float


@dataclass(frozen=True)
class TraceFacts:
    """One trace.

    Attributes:
        number: counted from 1.
        arguments: name -> what it was traced for.
        reason: why it was made.
        alive: whether it is still there; traces for objects that are gone are not.
        ops: how many the function applied.
        captured_bytes: memory of the tensors and Variables that it uses.
        variables: how many of them are Variables.
        seconds: that tracing took.
        programs: one, or one for each set of sizes.
    """

    number: int
    arguments: dict[str, str]
    reason: str
    alive: bool
    ops: int
    captured_bytes: int
    variables: int
    seconds: float
    programs: tuple[ProgramFacts, ...]


@dataclass(frozen=True)
class Explanation:
    """All that is known of a function's traces; str() tells it.

    Attributes:
        name: of the function.
        where: "file:line" of its definition.
        traces: in order.
    """

    name: str
    where: str
    traces: tuple[TraceFacts, ...]

    def as_dict(self) -> dict:
        """The facts as nested dicts and lists, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{self.name} ({self.where}): {_count(len(self.traces), 'trace')}"]
        for trace in self.traces:
            lines += ["", *_trace_lines(trace)]
        return "\n".join(lines)

    __repr__ = __str__


def explain(name: str, where: str, traces: Iterable[Traced]) -> Explanation:
    """The facts about a function's traces."""
    return Explanation(name, where, tuple(map(_trace_facts, traces)))


def _trace_facts(traced: Traced) -> TraceFacts:
    form = traced.form
    rows = zip(form.names, form.parts, form.leaves, strict=True)
    arguments = {name: _argument(part, leaf) for name, part, leaf in rows}
    concrete: ConcreteFunction | None = traced.concrete()
    if concrete is None:
        return TraceFacts(traced.number, arguments, traced.reason, False, 0, 0, 0, traced.seconds, ())
    return TraceFacts(
        traced.number,
        arguments,
        traced.reason,
        True,
        sum(node.op is not CONSTANT for node in concrete.graph.nodes),
        sum(c.dtype.size * math.prod(n or 0 for n in c.shape) for c in concrete.captured_inputs),
        len(concrete.variables),
        traced.seconds,
        tuple(map(program_facts, concrete.programs)),
    )


def program_facts(program: Program) -> ProgramFacts:
    """The facts about a program."""
    arrived = {kernel.name for kernel in program.arrived}
    calls: dict[str, list] = {}
    for chain in program.chains:
        for call in chain.calls:
            calls.setdefault(call.kernel.name, []).append(call)
    kernels = []
    for name, found in calls.items():
        kernel, nodes = found[0].kernel, found[0].nodes
        new = name in arrived
        kernels.append(
            KernelFacts(
                name,
                tuple(node.op.name for node in nodes),
                _lines(node for call in found for node in call.nodes),
                len(found),
                kernel.origin if new else "memory",
                kernel.seconds if new else 0.0,
            )
        )
    return ProgramFacts(
        tuple(repr(v.aval) for v in program.graph.inputs),
        tuple(kernels),
        len(program.chains),
        program.parallel,
        program.arena_bytes,
        sum(a.nbytes for a in program.output_avals),
        max(0.0, program.seconds - sum(kernel.seconds for kernel in program.arrived)),
    )


def _argument(part, leaf) -> str:
    """What an argument was traced for; sizes that are open are "any"."""
    if not isinstance(leaf, TensorSpec):
        return part_text(part, leaf)
    return f"{leaf.dtype.name}[{', '.join('any' if n is None else str(n) for n in leaf.shape)}]"


def _lines(nodes: Iterable[Node]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(node.where for node in nodes if node.where))


# --- as text ----------------------------------------------------------------------------------------------------------


def _trace_lines(trace: TraceFacts) -> list[str]:
    arguments = ", ".join(f"{name}: {text}" for name, text in trace.arguments.items()) or "no arguments"
    lines = [f"trace {trace.number}  {arguments}", f"  why       {trace.reason}"]
    if not trace.alive:
        return [*lines, "  forgotten: an object among its arguments is gone"]
    lines.append(f"  time      {_time(trace.seconds)} to trace {_count(trace.ops, 'op')}")
    if trace.captured_bytes:
        lines.append(f"  captures  {_bytes(trace.captured_bytes)} in tensors and {_count(trace.variables, 'Variable')}")
    before: list[str] = []
    for program in trace.programs:
        names = [kernel.name for kernel in program.kernels]
        lines += _program_lines(program, names != before)
        before = names
    return lines


def _program_lines(program: ProgramFacts, show_kernels: bool) -> list[str]:
    threads = "all threads" if program.parallel else "one thread"
    shapes = ", ".join(program.inputs) or "no inputs"
    lines = [f"  program   {shapes}"]
    lines.append(
        f"    {_count(len(program.kernels), 'kernel')} in {_count(program.chains, 'chain')} on {threads}; "
        f"intermediates {_bytes(program.arena_bytes)}, results {_bytes(program.result_bytes)}"
    )
    lines.append(f"    {_time(program.seconds)} in passes{_kernel_times(program.kernels)}")
    width = max((len(_short(kernel.name)) for kernel in program.kernels), default=0)
    for kernel in program.kernels if show_kernels else ():
        ops = " ".join(kernel.ops) or "copy"
        times = f" ×{kernel.calls}" if kernel.calls > 1 else ""
        lines.append(f"      {_short(kernel.name):<{width}}  {ops}{times}{_places(kernel.lines)}")
    return lines


def _kernel_times(kernels: Sequence[KernelFacts]) -> str:
    text = ""
    for origin, words in (("compiled", "to compile"), ("python", "to make"), ("disk", "to load from the cache")):
        found = [kernel.seconds for kernel in kernels if kernel.origin == origin]
        if found:
            text += f", {_time(sum(found))} {words} {_count(len(found), 'kernel')}"
    there = sum(kernel.origin == "memory" for kernel in kernels)
    return text + (f", {_count(there, 'kernel')} {'was' if there == 1 else 'were'} there" if there else "")


def _short(name: str) -> str:
    stem, _, digest = name.rpartition("_")
    return f"{stem}_{digest[:6]}" if stem else name


def _places(lines: Sequence[str]) -> str:
    """ "  # file.py:3, 4; other.py:7"."""
    files: dict[str, list[str]] = {}
    for line in lines:
        file, _, number = line.rpartition(":")
        files.setdefault(Path(file).name, []).append(number)
    shown = [f"{file}:{', '.join(sorted(set(numbers), key=int))}" for file, numbers in files.items()]
    return f"  # {'; '.join(shown)}" if shown else ""


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


def _bytes(number: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024  # type: ignore[assignment]
    return f"{number:.1f} GiB"
