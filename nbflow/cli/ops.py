"""`nbflow ops`: what the op table holds, and how much of TensorFlow's API is there."""

import argparse
import ast
import difflib
import dis
import functools
import inspect
import json
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from nbflow import dtypes
from nbflow.cli import missing
from nbflow.cli.perf import find_checkout
from nbflow.compiler.op import Op
from nbflow.ops.table import TABLE
from nbflow.public import NAMES
from nbflow.runtime.device_math import SimulatedMath, device_functions

KINDS = {  # kind -> (colour, how it runs)
    "elementwise": ("green", "an expression, fused into one loop with its neighbours"),
    "reduction": ("green", "fused with what feeds it and with what takes its result"),
    "composite": ("green", "written in other ops, which fuse"),
    "view": ("cyan", "strides alone, nothing is moved"),
    "static": ("cyan", "known from shapes alone"),
    "library": ("yellow", "a kernel of its own"),
    "host": ("red", "NumPy between two programs"),
}
FAMILIES = (  # dtypes by family, in the order in which they are shown
    ("float16", "bfloat16", "float32", "float64"),
    ("int8", "int16", "int32", "int64"),
    ("uint8", "uint16", "uint32", "uint64"),
    ("complex64", "complex128"),
    ("bool",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `nbflow ops`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="one op or public name: its formula and gradient")
    parser.add_argument("--missing", action="store_true", help="TensorFlow's names that are absent, and why")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Carry out `nbflow ops`; 2 where there is no such op."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    if arguments.missing:
        return _show_missing(console, arguments.json)
    if arguments.name is not None:
        return _show_one(console, arguments.name, arguments.json)
    rows = coverage()
    if arguments.json:
        print(json.dumps(rows, indent=1))
    else:
        _show_table(console, rows)
    return 0


# --- what is known of an op -------------------------------------------------------------------------------------------


def coverage() -> list[dict]:
    """A row for each op: name, kind, dtypes, gradient, jvp, cuda and, in a checkout, samples and golden values."""
    return [describe(op) for op in TABLE.values()]


def describe(op: Op) -> dict:
    """The row of one op."""
    row: dict = {
        "op": op.name,
        "kind": op.kind,
        "dtypes": [d.name for d in op.dtypes],
        "gradient": differentiable(op),
        "jvp": differentiable(op),  # a gradient rule is made of ops: its own gradient is the forward derivative
        "cuda": cuda(op),
        "public": public_names(op),
    }
    tests = _tests()
    if tests is not None:
        row |= {"samples": tests.samples(op), "golden": tests.golden(op, public_names(op))}
    return row


def differentiable(op: Op) -> bool:
    """Whether gradients flow to any of its inputs."""
    return op.vjp is not None and len(op.blocked) < len(op.arguments)


@cache
def _twins() -> dict:
    return device_functions(SimulatedMath, SimulatedMath, lambda function: function)


def cuda(op: Op) -> bool | None:
    """Whether there is a CUDA kernel for the op; None where it needs none of its own: a composite or a view."""
    if op.kind in ("composite", "view", "static"):
        return None
    if op.kind == "reduction":
        return True
    return op.kind == "elementwise" and _functions(op) <= set(_twins())


def _functions(op: Op) -> set[str]:
    """The functions that an elementwise op's kernel calls, for the first dtype that it takes."""
    dtype = next((d for d in op.dtypes if d in dtypes.FULL), op.dtypes[0])
    text = op.expr((dtype,) * len(op.arguments), dtype) if callable(op.expr) else op.expr or ""
    calls = (n.func.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name))
    generic = {"maximum": "maximum", "minimum": "minimum", "to_int": f"to_int_{dtype.code}"}
    return {generic.get(name, f"{name}_{dtype.code}") for name in calls if name not in ("abs", "dtype")}


def dtypes_text(names: list[str]) -> str:
    """Names of dtypes as ranges: "float16–64 int32–64 bool"."""
    parts = []
    for family in FAMILIES:
        here = [name for name in family if name in names]
        if len(here) < 2:
            parts += here
            continue
        first, last = family.index(here[0]), family.index(here[-1])
        if last - first + 1 == len(here) and "bfloat16" not in (here[0], here[-1]):
            parts.append(f"{here[0]}–{here[-1].lstrip('abcdefghijklmnopqrstuvwxyz')}")
        else:
            parts += here
    return " ".join(parts)


@cache
def _published() -> dict[str, Any]:
    """Public name -> what it names: all that nbflow publishes, and what it has of TensorFlow's names."""
    return {name.name: missing.find(name.name) for name in missing.names() if name.present} | NAMES


@cache
def _users() -> dict[str, list[str]]:
    """Op -> the public functions that apply it: those whose code holds the op or its name."""
    found: dict[str, list[str]] = {name: [] for name in TABLE}
    for public, function in _published().items():
        code = getattr(function, "__code__", None)
        if code is None:
            continue
        held = [cell.cell_contents for cell in function.__closure__ or ()]
        used = {value.name for value in held if isinstance(value, Op)}
        used |= {value for value in (*held, *code.co_consts) if isinstance(value, str) and value in TABLE}
        for name in used or {public.rpartition(".")[2]} & set(TABLE):
            found[name].append(public)
    return found


def public_names(op: Op) -> list[str]:
    """The names of the public functions that apply the op."""
    return _users()[op.name]


class _Tests:
    """The samples and golden cases of the checkout's tests."""

    def __init__(self, samples: ModuleType, cases: ModuleType):
        self._samples = samples.samples
        self._cases = Counter(
            part for family in cases.FAMILIES.values() for case in family.cases() for part in set(case.name.split("/"))
        )

    def samples(self, op: Op) -> int:
        """How many samples the op has, over all dtypes."""
        try:
            return sum(len(self._samples(op.name, dtype)) for dtype in op.dtypes)
        except KeyError:
            return 0

    def golden(self, op: Op, public: list[str]) -> int:
        """How many golden cases are named after the op or a public name of it."""
        return sum(self._cases[name] for name in {op.name, *(name.rpartition(".")[2] for name in public)})


@cache
def _tests() -> _Tests | None:
    """The tests' tables; None outside a checkout."""
    root = find_checkout()
    if root is None or not (root / "tests").is_dir():
        return None
    sys.path.insert(0, str(root))
    try:
        return _Tests(import_module("tests.ops.samples"), import_module("tests.golden.cases"))
    except ImportError:
        return None
    finally:
        sys.path.remove(str(root))


# --- the table --------------------------------------------------------------------------------------------------------


def _mark(value: bool | None) -> Text:
    return Text("·", "dim") if value is None else Text("✓", "green") if value else Text("–", "red")


def _show_table(console: Console, rows: list[dict]) -> None:
    """Print all ops, family after family, and what they add up to."""
    tested = "samples" in rows[0]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("op", style="bold", overflow="fold", min_width=18)
    table.add_column("kind", no_wrap=True)
    table.add_column("dtypes", overflow="fold", min_width=16)
    for column in ("gradient", "jvp", "CUDA"):
        table.add_column(column, justify="center", no_wrap=True)
    for column in ("samples", "golden") if tested else ():
        table.add_column(column, justify="right", no_wrap=True)
    for row in sorted(rows, key=lambda row: row["op"]):
        marks = [_mark(row[key]) for key in ("gradient", "jvp", "cuda")]
        counts = [_count(row[key]) for key in ("samples", "golden")] if tested else []
        kind = Text(row["kind"], KINDS.get(row["kind"], ("", ""))[0])
        table.add_row(row["op"], kind, dtypes_text(row["dtypes"]), *marks, *counts)
    console.print(table)
    _show_totals(console, rows)


def _count(number: int) -> Text:
    return Text(str(number)) if number else Text("0", "dim")


def _show_totals(console: Console, rows: list[dict]) -> None:
    kinds = Counter(row["kind"] for row in rows)
    legend = Table.grid(padding=(0, 2))
    for kind, (style, how) in KINDS.items():
        if kinds[kind]:
            legend.add_row(Text(str(kinds[kind]), justify="right"), Text(kind, style), Text(how, "dim"))
    console.print(legend)
    counted = {key: sum(row[key] is True for row in rows) for key in ("gradient", "cuda")}
    here = missing.shares()["all"].numeric
    console.print(
        f"\n{len(rows)} ops, {counted['gradient']} differentiable (to any order; jvp from the same rules), "
        f"{counted['cuda']} with CUDA kernels (· needs none of its own).\n"
        f"{percent(here)} of {missing.version()}'s numeric names: nbflow ops --missing. One op: nbflow ops NAME.",
        highlight=False,
    )


# --- one op -----------------------------------------------------------------------------------------------------------


def _show_one(console: Console, asked: str, as_json: bool) -> int:
    found = _named(asked)
    if not found:
        known = {*TABLE, *_published()}
        close = difflib.get_close_matches(asked, known, 4)
        hint = f"; near it are {', '.join(close)}" if close else ""
        print(f"nbflow ops: there is no op or public name {asked!r}{hint}.", file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps([describe(op) for op in found], indent=1))
        return 0
    for op in found:
        _show_op(console, op)
    return 0


def _named(asked: str) -> list[Op]:
    """The op of a name, or those that a public function of that name applies."""
    asked = asked.removeprefix("nf.").removeprefix("tf.")
    if asked in TABLE:
        return [TABLE[asked]]
    return [TABLE[name] for name, users in _users().items() if asked in users]


def _show_op(console: Console, op: Op) -> None:
    row = describe(op)
    style, how = KINDS.get(op.kind, ("", ""))
    console.print(Text.assemble((f"{op.name}", "bold"), f"({', '.join(op.arguments)})"), highlight=False)
    words = next((doc for name in row["public"] if (doc := _first_sentence(_published()[name]))), op.doc)
    if words:
        console.print(words, style="italic", highlight=False, markup=False)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("public", ", ".join(f"nf.{name}" for name in row["public"]) or Text("none", "dim"))
    table.add_row("kind", Text.assemble((op.kind, style), f": {how}"))
    table.add_row("dtypes", dtypes_text(row["dtypes"]))
    table.add_row("CUDA", {None: "needs no kernel of its own", True: "kernel", False: "no kernel"}[row["cuda"]])
    if "samples" in row:
        table.add_row("tests", f"{row['samples']} samples, {row['golden']} golden cases")
    if not row["gradient"]:
        table.add_row("gradient", "none")
    console.print(table)
    for title, text in [("computes", formula(op)), *gradients(op)]:
        console.print(Text(title, "bold"))
        console.print(Syntax(textwrap.indent(text, "  "), "python", background_color="default", word_wrap=True))
    console.print()


def _first_sentence(function) -> str:
    return (function.__doc__ or "").strip().split("\n")[0]


def formula(op: Op) -> str:
    """How the op computes, as its table entry has it."""
    if isinstance(op.expr, str):
        return op.expr
    for rule in (op.expr, op.expand, op.view, getattr(op, "host", None), op.static, op.lower):
        if rule is not None:
            return source(_inner(rule, "rule"))
    return op.reduce or ""


def gradients(op: Op) -> list[tuple[str, str]]:
    """(title, rule) for each input, or one rule for all."""
    if not differentiable(op):
        return []
    assert op.vjp is not None
    rule = op.vjp.func if isinstance(op.vjp, functools.partial) else op.vjp
    rules = inspect.getclosurevars(rule).nonlocals.get("rules")
    if isinstance(rules, dict):
        return [(f"gradient for {op.arguments[k]}", source(rule)) for k, rule in rules.items()]
    return [("gradient", source(rule))]


def _inner(rule: Callable, name: str) -> Callable:
    """What a wrapped rule was made of, itself if it is not wrapped."""
    return inspect.getclosurevars(rule).nonlocals.get(name, rule)


def source(function: Callable) -> str:
    """The text of a function; of a lambda its arguments and its expression alone."""
    code = getattr(function, "__code__", None)
    if code is None:
        return getattr(function, "__name__", repr(function))
    if code.co_name != "<lambda>":
        return textwrap.dedent(inspect.getsource(function)).rstrip()
    lines = inspect.getsource(inspect.getmodule(function)).split("\n")  # type: ignore[arg-type]
    # Each instruction has the part of the text that it is for, (line, end line, column, end column), or none.
    found = ([n for n in i.positions or () if n is not None] for i in dis.get_instructions(code))
    places = [p for p in found if len(p) == 4 and p[2] != p[3]]
    top, left = min((p[0], p[2]) for p in places)
    bottom, right = max((p[1], p[3]) for p in places)
    body = "\n".join(lines[top - 1 : bottom]).encode()
    end = len(body) - len(lines[bottom - 1].encode()) + right
    arguments = ", ".join(code.co_varnames[: code.co_argcount])
    return f"{arguments} -> {textwrap.dedent(body[left:end].decode())}"


# --- TensorFlow's names -----------------------------------------------------------------------------------------------


def percent(counts: tuple[int, int]) -> str:
    """A share in percent, rounded down."""
    present, every = counts
    return f"{100 * present // every if every else 100} %"


def _show_missing(console: Console, as_json: bool) -> int:
    absent = [name for name in missing.names() if not name.present]
    shares = missing.shares()
    if as_json:
        counts = {space: {"numeric": found.numeric, "all": found.every} for space, found in shares.items()}
        rows = {name.name: {"reason": name.reason, "numeric": name.not_numeric is None} for name in absent}
        print(json.dumps({"reference": missing.version(), "present": counts, "absent": rows}, indent=1))
        return 0
    for numeric, title in ((True, "Numeric names that are absent"), (False, "Not numeric, and absent")):
        reasons: dict[str, list[str]] = {}
        for name in absent:
            if (name.not_numeric is None) == numeric:
                reasons.setdefault(name.reason, []).append(name.name)
        table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", show_lines=False)
        table.add_column("why", ratio=1)
        table.add_column("", justify="right", no_wrap=True)
        table.add_column("names", ratio=4)
        for reason, names in sorted(reasons.items(), key=lambda row: -len(row[1])):
            table.add_row(reason, str(len(names)), Text(" ".join(names), "red" if numeric else "dim"))
        if reasons:
            console.print(table)
    _show_shares(console, shares)
    return 0


def _show_shares(console: Console, shares: dict[str, missing.Share]) -> None:
    table = Table(
        box=box.SIMPLE_HEAD, title=f"Of {missing.version()}'s names", title_justify="left", title_style="bold"
    )
    table.add_column("namespace")
    table.add_column("numeric", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("all", justify="right", no_wrap=True)
    for space, found in shares.items():
        present, every = found.numeric
        full = present * 20 // every if every else 20
        style = "green" if 100 * present >= 95 * every else "yellow" if 2 * present >= every else "red"
        bar = Text.assemble(("━" * full, style), ("━" * (20 - full), "grey30"), f" {percent(found.numeric):>5}")
        name = space if space in (missing.TOP, "all") else f"nf.{space}"
        if space == "all":
            table.add_section()
        table.add_row(escape(name), f"{present} of {every}", bar, "{} of {}".format(*found.every))
    console.print(table)
    console.print(
        "Numeric is every function and class that computes with dense tensors of numbers, makes or arranges them: all "
        "names but those of strings, sparse and ragged tensors, control flow, devices, graphs, files and layers.",
        style="dim",
        highlight=False,
    )
