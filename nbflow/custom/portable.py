"""Array functions as source that stands alone: with the constants, modules and functions that they use.

What a function uses decides its machine code, so all of it must be in the source whose hash names the kernel.
"""

import ast
import builtins
import inspect
import math
import textwrap
import types
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

MODULES = {np: "import numpy as {}", math: "import math as {}", numba: "import numba as {}"}
NUMBERS = (bool, int, float, complex, str, type(None))


class NotPortable(Exception):
    """A function has no source, or uses what cannot be written down."""


def portable(function: Callable, decorator: str) -> str:
    """The source of a function and of all that it uses.

    Args:
        decorator: what stands above each function in place of its own.

    Raises:
        NotPortable: there is no such source.
    """
    lines: dict[str, str] = {}  # by the name that it defines
    _add(_python(function), decorator, lines)
    return "".join(lines.values())


def _python(function: Callable) -> Any:
    return getattr(function, "py_func", function)


def _outside(function: types.FunctionType) -> dict[str, Any]:
    """The global names that a function uses, and what they are."""
    variables = inspect.getclosurevars(function)
    return {**variables.globals, **variables.nonlocals}


def _definition(function: types.FunctionType) -> ast.FunctionDef:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        raise NotPortable(f"the source of {function.__name__} is not there") from None
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        raise NotPortable(f"{function.__name__} is not made by def")
    return tree.body[0]


def _add(function: Any, decorator: str, lines: dict[str, str]) -> None:
    if not isinstance(function, types.FunctionType):
        raise NotPortable(f"{function!r} is no Python function")
    definition = _definition(function)
    definition.decorator_list = [ast.Name(decorator)]
    definition.returns, definition.args.defaults = None, []
    for argument in definition.args.args:
        argument.annotation = None
    if any(isinstance(n, (ast.FunctionDef, ast.Lambda)) for n in ast.walk(definition) if n is not definition):
        raise NotPortable(f"{function.__name__} has a function inside")
    used = {n.id for n in ast.walk(definition) if isinstance(n, ast.Name)}
    for name, value in _outside(function).items():
        if name not in used or value is function or getattr(builtins, name, None) is value:
            continue
        text = _text(name, value, decorator, lines)
        if lines.setdefault(name, text) != text:
            raise NotPortable(f"two things are called {name}")
    if ast.get_docstring(definition) is not None:
        definition.body = definition.body[1:] or [ast.Pass()]
    text = f"{ast.unparse(definition)}\n\n\n"
    if "{name}" in text or lines.setdefault(function.__name__, text) != text:
        raise NotPortable(f"two things are called {function.__name__}")


def _text(name: str, value: Any, decorator: str, lines: dict[str, str]) -> str:
    """The line that gives a name its value; empty where a function was added under that name."""
    if isinstance(value, types.ModuleType) and value in MODULES:
        return MODULES[value].format(name) + "\n"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, NUMBERS) and "nan" not in repr(value) and "inf" not in repr(value):
        return f"{name} = {value!r}\n"
    if isinstance(value, tuple) and all(isinstance(v, (bool, int, float)) and math.isfinite(v) for v in value):
        return f"{name} = {value!r}\n"
    for module in (np, math, numba):
        if getattr(module, name, None) is value:
            return f"from {module.__name__} import {name}\n"
    inner = _python(value)
    if isinstance(inner, types.FunctionType) and inner.__name__ == name:
        _add(inner, decorator, lines)
        return lines[name]
    raise NotPortable(f"{name} is a {type(value).__name__}")
