"""`nbflow inspect`: what became of a program's functions: graphs, passes, kernels, time and memory."""

import argparse
import ast
import importlib
import json
import re
import runpy
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

import nbflow as nf
from nbflow.compiler.graph import format_graph
from nbflow.function import policy
from nbflow.function.explain import Explanation, explain
from nbflow.function.picture import GraphText

PARTS = ("explain", "graph", "passes", "kernels")
_SPEC = re.compile(r"(\w+)\[(.*)\]")
_PACKAGE = str(Path(nf.__file__).parent)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `nbflow inspect`."""
    parser.description = (
        "Shows what became of functions made by nf.function. FILE is run as a program, and every function that it "
        "traced is shown; MODULE:FUNCTION or FILE:FUNCTION is traced for the arguments given, or for its "
        "input_signature."
    )
    parser.add_argument("target", metavar="FILE|MODULE:FUNCTION", help="a program, or a function in a module or file")
    parser.add_argument(
        "arguments",
        nargs="*",
        metavar="ARGUMENT",
        help="of the function: 'float32[64, 784]' for a tensor (? for any size), or a Python value; of a FILE: its own",
    )
    for part, text in zip(
        PARTS, ("traces, time and memory", "the traced graphs", "graphs after all passes", "kernels")
    ):
        parser.add_argument(f"--{part}", action="store_true", help=f"show {text}; without such options all is shown")
    parser.add_argument("--picture", metavar="FILE", help="draw the traced graphs into FILE (.png, .svg, .pdf, .dot)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Carry out `nbflow inspect`; 1 where the program failed, 2 where there is nothing like the target."""
    wanted = [part for part in PARTS if getattr(arguments, part)] or list(PARTS)
    status = 0
    is_program = ":" not in arguments.target or arguments.target.endswith(".py")
    with _recording() as recorded:
        try:
            if is_program:
                status = _run_program(arguments.target, arguments.arguments)
            else:
                _trace(arguments.target, arguments.arguments)
        except _Mistake as mistake:
            print(f"nbflow inspect: {mistake}", file=sys.stderr)
            return 2
    functions = _functions(recorded, only_users=is_program)
    if arguments.json:
        print(json.dumps([_facts(explanation, traces) for explanation, traces in functions], indent=1))
    else:
        for explanation, traces in functions:
            _show(Console(), explanation, traces, wanted)
        if not functions:
            print(f"nbflow inspect: {arguments.target} traced no function.", file=sys.stderr)
    if arguments.picture:
        _draw([concrete for _, traces in functions for concrete in traces], Path(arguments.picture))
    return status


class _Mistake(Exception):
    """What the user asked for is not there."""


@contextmanager
def _recording() -> Iterator[list]:
    """A block in which all traces are kept, as (history, trace)."""
    recorded: list = []
    policy.recorded = recorded
    try:
        yield recorded
    finally:
        policy.recorded = None


def _run_program(path: str, argv: list[str]) -> int:
    """Runs a file as Python would; returns the exit status."""
    if not Path(path).is_file():
        raise _Mistake(f"there is no file {path}; give a FILE, or MODULE:FUNCTION")
    before = sys.argv, list(sys.path)
    sys.argv, sys.path[:0] = [path, *argv], [str(Path(path).resolve().parent)]
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        sys.argv, sys.path[:] = before
    return 0


def _trace(target: str, examples: list[str]) -> None:
    """Traces one function for examples of its arguments."""
    place, _, path = target.rpartition(":")
    function = _found(place, path)
    if not callable(function):
        raise _Mistake(f"{target} is {function!r:.100}, which is no function")
    if not hasattr(function, "get_concrete_function"):
        function = nf.function(function)
    if not examples and function.input_signature is None and function.experimental_get_tracing_count():
        return
    try:
        concrete = function.get_concrete_function(*map(_example, examples))
        if all(a.shape.is_fully_defined() for a in concrete.inputs):
            concrete.compiled.program([v.aval for v in concrete.graph.inputs])
    except Exception as error:
        raise _Mistake(f"{target} cannot be traced for ({', '.join(examples)}): {error}") from None


def _found(place: str, path: str) -> Any:
    sys.path.insert(0, str(Path(place).resolve().parent) if place.endswith(".py") else "")
    try:
        value = importlib.import_module(Path(place).stem if place.endswith(".py") else place)
        for name in path.split("."):
            value = getattr(value, name)
    except (ImportError, AttributeError) as error:
        raise _Mistake(f"there is no {place}:{path} ({error})") from None
    finally:
        del sys.path[0]
    return value


def _example(text: str):
    """An argument as users write it: "float32[64, ?]" or a Python value."""
    match = _SPEC.fullmatch(text.strip())
    if match and not match[1].isdigit():
        sizes = [size.strip() for size in match[2].split(",") if size.strip()]
        return nf.TensorSpec([None if size in ("?", "None", "any") else int(size) for size in sizes], match[1])
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


# --- what was traced --------------------------------------------------------------------------------------------------


def _functions(recorded: list, only_users: bool) -> list[tuple[Explanation, list]]:
    """(explanation, traces) of each function; those of nbflow itself may be left out."""
    traces: dict[int, tuple] = {}
    for history, concrete in recorded:
        if not (only_users and history.where.startswith(_PACKAGE)):
            traces.setdefault(id(history), (history, []))[1].append(concrete)
    return [(explain(h.name, h.where, h.traces), found) for h, found in traces.values()]


def _facts(explanation: Explanation, traces: list) -> dict:
    graphs = [str(concrete.graph) for concrete in traces]
    return explanation.as_dict() | {"graphs": graphs, "kernels": _kernels(traces)}


def _kernels(traces: list) -> dict[str, str]:
    """Kernel -> its source."""
    return {k.name: k.source for concrete in traces for p in concrete.programs for k in p.kernels}


def _show(console: Console, explanation: Explanation, traces: list, wanted: list[str]) -> None:
    console.print(Rule(Text(f"{explanation.name}  {explanation.where}", "bold"), align="left", style="dim"))
    if "explain" in wanted:
        print(f"{explanation}\n")
    for number, concrete in enumerate(traces, 1):
        if "graph" in wanted:
            console.print(Text(f"graph of trace {number}", "bold"))
            print(f"{concrete.graph}\n")
        if not concrete.programs and {"passes", "kernels"} & set(wanted):
            print("Its sizes are open: passes and kernels follow when they are known, as in 'float32[64, 784]'.\n")
        for program in concrete.programs[:1] if "passes" in wanted else ():
            console.print(Text(f"trace {number} after all passes", "bold"))
            print(f"{format_graph(program.graph)}\n")
    kernels = _kernels(traces) if "kernels" in wanted else {}
    if kernels:
        console.print(Text("kernels", "bold"))
    for source in kernels.values():
        if console.is_terminal:
            console.print(Syntax(source, "python", background_color="default"))
        else:
            print(source)


def _draw(traces: list, path: Path) -> None:
    text = GraphText([(concrete.pretty_printed_signature(verbose=False), concrete.graph) for concrete in traces])
    if path.suffix == ".dot":
        path.write_text(text.to_dot())
    else:
        text.to_png(path)
