"""The syntax tree of a function: found in its whole file, so that line numbers are those of the file."""

import ast
import functools
import linecache
import types
from collections.abc import Iterator
from dataclasses import dataclass

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class NoSource(ValueError):
    """The source of a function is not to be had, or not that which it was compiled from."""


@dataclass(frozen=True)
class Source:
    """Where a function is written.

    Attributes:
        node: its definition.
        owner: the name of the class around it, for names with two underscores in front; "" outside of classes.
    """

    node: Definition
    owner: str


def source_of(function: types.FunctionType) -> Source:
    """The definition of a function.

    Raises:
        NoSource: there is none: it was typed into a prompt, made by exec, or the file has changed since.
    """
    code = function.__code__
    lines = linecache.getlines(code.co_filename, function.__globals__)
    if not lines:
        raise NoSource(f"no source of {code.co_qualname} in {code.co_filename}")
    try:
        found = [s for s in _definitions("".join(lines)) if _first_line(s.node) == code.co_firstlineno]
    except SyntaxError as error:
        raise NoSource(f"{code.co_filename}: {error}") from None
    found = [s for s in found if _fits(s, code)]
    if len(found) > 1:  # lambdas of one line
        found = [s for s in found if _holds(s.node, code)]
    if not found:
        place = f"line {code.co_firstlineno} of {code.co_filename}"
        raise NoSource(f"no source of {code.co_qualname}: it does not stand in {place}")
    return found[-1]  # the innermost


@functools.lru_cache(32)
def _definitions(text: str) -> tuple[Source, ...]:
    """All functions of a file, outer ones first."""
    return tuple(_walk(ast.parse(text), ""))


def _walk(node: ast.AST, owner: str) -> Iterator[Source]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            yield Source(child, owner)
        yield from _walk(child, child.name if isinstance(child, ast.ClassDef) else owner)


def _first_line(node: Definition) -> int:
    decorators = getattr(node, "decorator_list", ())
    return min([node.lineno, *(d.lineno for d in decorators)])


def _fits(source: Source, code: types.CodeType) -> bool:
    """Whether the definition has the name and the arguments of the code."""
    arguments = source.node.args
    named = [mangled(a.arg, source.owner) for a in arguments.posonlyargs + arguments.args + arguments.kwonlyargs]
    name = "<lambda>" if isinstance(source.node, ast.Lambda) else source.node.name
    return code.co_name == name and tuple(named) == code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def mangled(name: str, owner: str) -> str:
    """A name as Python keeps it in a class: private ones, with two underscores in front, get the class's name."""
    private = name.startswith("__") and not name.endswith("__")
    return f"_{owner.lstrip('_')}{name}" if private and owner.strip("_") else name


def _holds(node: Definition, code: types.CodeType) -> bool:
    """Whether all that Python notes of the places a code was compiled from lies in the body of a lambda."""
    body = node.body if isinstance(node, ast.Lambda) else node
    places = [tuple(n or 0 for n in p) for p in list(code.co_positions())[1:]]
    ranges = [((first, start), (last, stop)) for first, last, start, stop in places if (first, start) < (last, stop)]
    begin, end = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
    return bool(ranges) and begin <= min(r[0] for r in ranges) and max(r[1] for r in ranges) <= end
