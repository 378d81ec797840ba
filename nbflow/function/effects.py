"""Python side effects of a traced function: what happened once, while it was traced, and will not happen again.

They are looked for in the function's source, once, when a call runs a trace that is there already. Only what is plainly
an effect on the world outside counts: `print`, changes of lists, dicts and sets that live outside, attributes written
on objects that live outside, `global` and `nonlocal` names. What an `if` guards does not: caches and first calls are
written so.
"""

import ast
import builtins
import contextlib
import functools
import inspect
import textwrap
import types
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_CHANGES = frozenset(
    ["append", "extend", "insert", "add", "update", "pop", "popleft", "appendleft", "remove", "clear", "setdefault"]
)
_CONTAINERS = (list, dict, set, deque)
_UNKNOWN = object()


@dataclass(frozen=True)
class Effect:
    """One side effect.

    Attributes:
        where: "file:line".
        text: the source of it.
        cure: what does it at every call.
    """

    where: str
    text: str
    cure: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text.splitlines()[0]:.80}  ({self.cure})"


def effects_of(python_function, args: tuple, kwargs: Mapping[str, Any]) -> list[Effect]:
    """The side effects that a function has on what is not its own, as far as its source shows them.

    Args:
        args, kwargs: of a call.
    """
    function, args = _plain(python_function, args)
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
        file = inspect.getsourcefile(function)
        given = inspect.signature(function).bind(*args, **kwargs).arguments
    except (OSError, TypeError, SyntaxError, ValueError):
        return []
    definitions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    if not definitions or definitions[0].name != function.__name__:
        return []
    finder = _Finder(definitions[0], _outside(function, given))
    return [Effect(f"{file}:{first + node.lineno - 1}", ast.unparse(node), cure) for node, cure in finder.found()]


def _plain(function, args: tuple):
    """The function itself, and its arguments: without functools.partial, bound methods and wrappers."""
    while True:
        if isinstance(function, functools.partial):
            function, args = function.func, (*function.args, *args)
        elif inspect.ismethod(function):
            function, args = function.__func__, (function.__self__, *args)
        else:
            return function, args


def _outside(function, given: Mapping[str, Any]) -> dict[str, Any]:
    """The names that a function uses and does not make: its arguments, closure and globals."""
    names = dict(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # a cell that is empty as yet
            names[name] = cell.cell_contents
    return names | dict(given)


class _Finder:
    def __init__(self, definition: ast.FunctionDef, outside: dict[str, Any]):
        self._definition, self._outside = definition, outside
        body = list(_nodes(definition))
        self._declared = {n for node in body if isinstance(node, (ast.Global, ast.Nonlocal)) for n in node.names}
        stored = {n.id for n in body if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self._own = stored - self._declared
        loops = [node for node in body if isinstance(node, (ast.For, ast.While))]
        self._in_loops = {id(node) for loop in loops for node in ast.walk(loop)}  # prints there may be converted

    def found(self) -> Iterator[tuple[ast.stmt, str]]:
        """The statements with an effect, each with its cure."""
        for node in _nodes(self._definition):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                cure = self._of_call(node.value)
            elif isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                cure = next(filter(None, map(self._of_target, targets)), None)
            else:
                continue
            if cure:
                yield node, cure

    def _of_call(self, call: ast.Call) -> str | None:
        if isinstance(call.func, ast.Name):
            plain = call.func.id == "print" and id(call) not in self._in_loops and call.func.id not in self._own
            is_print = plain and self._outside.get("print", print) is builtins.print
            return "nf.print prints at every call" if is_print else None
        changes = isinstance(call.func, ast.Attribute) and call.func.attr in _CHANGES
        if changes and isinstance(self._value(call.func.value), _CONTAINERS):  # type: ignore[attr-defined]
            return "return the value, or keep it in a nf.Variable or nf.TensorArray"
        return None

    def _of_target(self, target: ast.expr) -> str | None:
        cure = "use a nf.Variable and its assign, or return the value"
        if isinstance(target, (ast.Tuple, ast.List)):
            return next(filter(None, map(self._of_target, target.elts)), None)
        if isinstance(target, ast.Name):
            return cure if target.id in self._declared else None
        if isinstance(target, ast.Subscript):
            return cure if isinstance(self._value(target.value), _CONTAINERS) else None
        if isinstance(target, ast.Attribute):
            holder = self._value(target.value)
            kept = inspect.getattr_static(type(holder), target.attr, None)
            is_property = hasattr(type(kept), "__set__") and not isinstance(kept, types.MemberDescriptorType)
            return None if holder is _UNKNOWN or is_property else cure  # a property may assign to a Variable
        return None

    def _value(self, node: ast.expr):
        """What lives outside under a name such as `a.b.c`; _UNKNOWN for anything else."""
        if isinstance(node, ast.Name):
            return _UNKNOWN if node.id in self._own else self._outside.get(node.id, _UNKNOWN)
        if isinstance(node, ast.Attribute):
            holder = self._value(node.value)
            if holder is _UNKNOWN:
                return _UNKNOWN
            return inspect.getattr_static(holder, node.attr, _UNKNOWN)
        return _UNKNOWN


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """What is under a node, but for functions of its own, and for what an `if` guards or runs eagerly."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.If)):
            continue
        if isinstance(child, ast.With) and any("init_scope" in ast.unparse(item) for item in child.items):
            continue
        yield child
        yield from _nodes(child)
