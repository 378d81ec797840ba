"""Functions with their control flow converted: the same function with code that calls the operators."""

import __future__

import ast
import functools
import inspect
import logging
import os
import sysconfig
import threading
import types
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path

from nbflow.autograph.jumps import Unsupported
from nbflow.autograph.source import NoSource, Source, mangled, source_of
from nbflow.autograph.transform import AG, transformed

_NBFLOW = str(Path(__file__).parents[1])
_LIBRARIES = tuple({str(Path(p)) for k, p in sysconfig.get_paths().items() if k in ("stdlib", "platstdlib")}) + (
    "<frozen",
    _NBFLOW,
)
_FUTURE = functools.reduce(
    lambda x, y: x | y, (getattr(__future__, n).compiler_flag for n in __future__.all_feature_names)
)
_found: dict[int, tuple[weakref.ref, types.CodeType | None]] = {}  # by id of code: hashing code takes long
_lock = threading.RLock()


def converted(function: Callable) -> Callable:
    """A function as it is traced: control flow over tensors becomes ops of the graph.

    Args:
        function: a function, a method, a functools.partial, or an object with a method __call__.

    Returns:
        The same with other code; itself where there is nothing to convert, or no source.
    """
    return _converted(function, False)


def converted_call(function: Callable) -> Callable:
    """As converted, for what a function of the user's calls: libraries are left as they are."""
    return _converted(function, True)


def _converted(function: Callable, only_users: bool) -> Callable:
    if isinstance(function, types.FunctionType):
        if function.__code__.co_filename.startswith(_NBFLOW):
            return _wrapper(function)
        if only_users and is_library(function.__code__):
            return function
        code = converted_code(function)
        return function if code is None else _with_code(function, code)
    if isinstance(function, types.MethodType):
        inner = function.__func__
        if not isinstance(inner, types.FunctionType):
            return function
        found = _converted(inner, only_users)
        return function if found is inner else types.MethodType(found, function.__self__)
    if type(function) is functools.partial:
        inner = function.func
        found = _converted(inner, only_users)
        return function if found is inner else functools.partial(found, *function.args, **function.keywords)
    if isinstance(function, (type, types.BuiltinFunctionType)):
        return function
    call = inspect.getattr_static(type(function), "__call__", None)
    if not isinstance(call, types.FunctionType) or is_library(call.__code__):
        return function
    found = _converted(call, only_users)
    return function if found is call else types.MethodType(found, function)


def is_library(code: types.CodeType) -> bool:
    """Whether code is nbflow's, Python's or of an installed package, which are not converted."""
    name = code.co_filename
    return "site-packages" in name or "dist-packages" in name or name.startswith(_LIBRARIES)


def _wrapper(function: types.FunctionType) -> types.FunctionType:
    """A wrapper that nbflow made for a function of the user's (nf.custom_gradient), around that function converted."""
    wrapped = getattr(function, "__wrapped__", None)
    if (
        not isinstance(wrapped, types.FunctionType)
        or not function.__closure__
        or getattr(function, "nbflow_as_is", False)
    ):
        return function
    if is_library(wrapped.__code__):
        return function
    found = converted(wrapped)
    if found is wrapped:
        return function
    cells = tuple(types.CellType(found) if _content(c) is wrapped else c for c in function.__closure__)
    return _copied(function, function.__code__, cells)


def _content(cell: types.CellType):
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return None


# --- code -------------------------------------------------------------------------------------------------------------


def converted_code(function: types.FunctionType) -> types.CodeType | None:
    """The code of a function with its control flow converted, made once; None where it runs as it is."""
    code = function.__code__
    key = id(code)
    found = _found.get(key)
    if found is not None and found[0]() is code:
        return found[1]
    if AG in code.co_freevars or code.co_filename.startswith(_NBFLOW):
        made = None
    else:
        with _lock:
            made = _made(function)
    _found[key] = (weakref.ref(code, functools.partial(_forget, _found, key)), made)
    return made


def _forget(known: dict, key: int, _: weakref.ref) -> None:
    known.pop(key, None)


def _made(function: types.FunctionType) -> types.CodeType | None:
    try:
        return _compiled(function, source_of(function))
    except NoSource:
        return None
    except Exception as error:  # whatever is wrong with the conversion, the function itself may still be traced
        reason = str(error) if isinstance(error, Unsupported) else f"{type(error).__name__}: {error}"
        warnings.warn(
            f"AutoGraph leaves {function.__qualname__} as it is, without control flow over tensors ({reason}); "
            f"nf.autograph.experimental.do_not_convert says that this is meant",
            stacklevel=2,
        )
        return None


def _compiled(function: types.FunctionType, source: Source) -> types.CodeType | None:
    node = transformed(source)
    if node is None:
        return None
    verbosity.note(function, node)
    code = function.__code__
    module = _module(node, source.owner, code.co_freevars)
    flags = code.co_flags & _FUTURE
    outer: types.CodeType = compile(module, code.co_filename, "exec", flags=flags, dont_inherit=True)
    while outer.co_name != _FACTORY:
        outer = next(c for c in outer.co_consts if isinstance(c, types.CodeType))
    made = next(c for c in outer.co_consts if isinstance(c, types.CodeType) and c.co_name == code.co_name)
    return _renamed(made, code.co_name, code.co_qualname, made.co_qualname)


class Verbosity:
    """How much is said about conversions."""

    def __init__(self):
        self.level = int(os.environ.get("AUTOGRAPH_VERBOSITY", "0") or 0)
        self.to_output = False

    def set(self, level: int, to_output: bool) -> None:
        """See nf.autograph.set_verbosity."""
        self.level, self.to_output = level, to_output

    def note(self, function: types.FunctionType, node: ast.AST) -> None:
        """Says that a function was converted."""
        if not self.level:
            return
        text = f"AutoGraph converted {function.__qualname__}"
        if self.level >= 3:
            text += f":\n{ast.unparse(node)}"
        _log.warning(text)
        if self.to_output:
            print(text)


verbosity = Verbosity()
_log = logging.getLogger("nbflow.autograph")
_FACTORY = "ag__factory"
_TYPE_PARAMETERS: dict = {"type_params": []}  # which Python 3.12 has


def _module(node: ast.FunctionDef | ast.Lambda, owner: str, outer: tuple[str, ...]) -> ast.Module:
    """A module with a function around the definition whose arguments are the variables that it takes from outside."""
    names = [AG, *dict.fromkeys(mangled(name, owner) for name in outer)]
    statement = node if isinstance(node, ast.stmt) else ast.Expr(node)
    arguments = ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, [])
    statements: list[ast.stmt] = [statement]
    if isinstance(node, ast.FunctionDef) and mangled(node.name, owner) not in names:
        statements.insert(0, ast.Global([node.name]))  # calls of itself find it where it really is
    body: ast.stmt = ast.FunctionDef(_FACTORY, arguments, statements, [], **_TYPE_PARAMETERS)
    if owner:  # private names get its name
        body = ast.ClassDef(owner, [], [], [body], [], **_TYPE_PARAMETERS)
    return ast.fix_missing_locations(ast.Module([ast.copy_location(body, node)], []))


def _renamed(code: types.CodeType, name: str, qualified: str, made: str) -> types.CodeType:
    """Code with the names that functions had before; those that the conversion made are called as the one around."""
    constants = []
    for c in code.co_consts:
        if isinstance(c, types.CodeType):
            if c.co_name.startswith(AG):
                c = _renamed(c, name, qualified, c.co_qualname)
            else:
                inner = qualified + c.co_qualname.removeprefix(made)
                c = _renamed(c, c.co_name, inner, c.co_qualname)
        constants.append(c)
    return code.replace(co_name=name, co_qualname=qualified, co_consts=tuple(constants))


# --- functions --------------------------------------------------------------------------------------------------------


@functools.cache
def _operators() -> types.CellType:
    from nbflow.autograph import operators  # which call functions that have to be converted

    return types.CellType(operators)


def _with_code(function: types.FunctionType, code: types.CodeType) -> types.FunctionType:
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    cells[AG] = _operators()
    return _copied(function, code, tuple(cells[name] for name in code.co_freevars))


def _copied(function: types.FunctionType, code: types.CodeType, cells: tuple) -> types.FunctionType:
    """A function with other code or cells; all else is shared with the function."""
    made = types.FunctionType(code, function.__globals__, function.__name__, function.__defaults__, cells)
    made.__kwdefaults__, made.__annotations__ = function.__kwdefaults__, function.__annotations__
    made.__qualname__, made.__doc__, made.__module__ = function.__qualname__, function.__doc__, function.__module__
    made.__dict__ = function.__dict__
    return made
