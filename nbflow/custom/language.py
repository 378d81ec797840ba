"""Python functions as scalar programs: what of Python they may use, and what the names in them mean.

`read` makes a Template of a function's source. Its body is Python syntax again, but of a small language:
assignments to single names, if, for over range, while, break, continue, return; numbers and local names; calls of
scalar functions by their names in nbflow.custom.functions and of other templates. `Template.scalar` puts in the values
of the parameters that are constants, and evaluates what is constant then.
"""

import ast
import builtins
import copy
import inspect
import re
import textwrap
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nbflow.custom.constants import OPERATORS, Specialiser
from nbflow.custom.functions import FUNCTIONS, WHERE, known
from nbflow.custom.scalar import Origin, Scalar
from nbflow.tensor.protocol import TensorProtocol

CONSTANTS = (bool, int, float, str, type(None))
# names that kernel source has a meaning for; locals of such a name get an underscore
RESERVED = re.compile(
    r"[fiu]\d+|b1|\w+_[fiu]\d+|inf|nan|dtype|range|abs|min|max|to_int|maximum|minimum|vector_function"
)
ADVICE = {
    ast.Try: "Branch on the values instead.",
    ast.With: "Keep it outside.",
    ast.FunctionDef: "Define the inner function outside.",
    ast.Lambda: "Define the function outside.",
    ast.List: "Use variables of their own, or nf.kernel for arrays.",
    ast.Dict: "Use variables of their own.",
    ast.ListComp: "Write a loop.",
    ast.GeneratorExp: "Write a loop.",
    ast.Expr: "It computes a number and has no other effect; print and assign outside.",
    ast.JoinedStr: "Text may only be compared with constants.",
    ast.Match: "Use if and elif.",
    ast.Global: "Return the value; an op changes nothing outside.",
    ast.Nonlocal: "Return the value; an op changes nothing outside.",
    ast.Delete: "Leave it out.",
    ast.Starred: "Write the names out.",
    ast.MatMult: "An op sees one element; nf.matmul multiplies matrices.",
    ast.Constant: "It takes real numbers; two ops can compute the real and the imaginary part.",
    ast.While: "Leave out the `else` of the loop.",
    ast.For: "Its counter is one name, and it has no `else`.",
    ast.Subscript: "An op sees one element; nf.kernel sees arrays.",
    ast.Raise: "Return float('nan') where there is no result.",
    ast.Assert: "Check arguments before the call.",
    ast.NamedExpr: "Assign before the expression.",
    ast.BitAnd: "Use `and`.",
    ast.BitOr: "Use `or`.",
    ast.Invert: "Use `not`.",
    ast.Import: "Import at the top of the file.",
    ast.ImportFrom: "Import at the top of the file.",
}


class Template:
    """A function as it was written, before its constant parameters are known.

    Attributes:
        origin: where it was written, for messages.
        parameters: their names.
        defaults: their default values, by name.
        fixed: the parameters that are constants of the compiled code.
        body: its statements.
        limit: how many rounds a loop may have that could go on for ever.
        gradient: its partial derivatives by hand: a template that returns a tuple of them, or a template for each.
        used: whether something depends on it as it is.
    """

    def __init__(self, origin: Origin, parameters: tuple[str, ...], defaults: dict[str, Any], limit: int):
        self.origin, self.parameters, self.defaults, self.limit = origin, parameters, defaults, limit
        self.fixed: tuple[str, ...] = ()
        self.body: list[ast.stmt] = []
        self.gradient: Template | tuple[Template | None, ...] | None = None
        self.used = False
        self._scalars: dict[tuple, Scalar] = {}

    @property
    def name(self) -> str:
        """The function's name."""
        return self.origin.name

    @property
    def free(self) -> tuple[str, ...]:
        """The parameters that are tensors or numbers."""
        return tuple(p for p in self.parameters if p not in self.fixed)

    def scalar(self, values: tuple) -> Scalar:
        """The program for values of the fixed parameters, in their order."""
        key = tuple((type(v), v) for v in values)
        with _lock:
            if key not in self._scalars:
                self._scalars[key] = self._specialised(dict(zip(self.fixed, values, strict=True)))
            return self._scalars[key]

    def _specialised(self, values: dict) -> Scalar:
        body = Specialiser(self.origin, values).block(self.body)
        if self.gradient is None:
            return Scalar(self.origin, self.free, body, self.limit)
        given = self.gradient if isinstance(self.gradient, tuple) else (self.gradient,)
        statements = [node for template in given if template is not None for node in template.body]
        called = {id(getattr(node, "template", self)) for node in walk(statements)} - {id(self)}
        salt = "\n".join([*map(ast.unparse, statements), *map(str, sorted(called))])
        return Scalar(self.origin, self.free, body, self.limit, lambda: self._partials(values), salt)

    def _partials(self, values: dict) -> tuple[Scalar | None, ...]:
        """The partial derivatives that were given by hand; they may call the function itself."""
        if isinstance(self.gradient, tuple):
            return tuple(None if t is None else t.scalar(tuple(values.values())) for t in self.gradient)
        assert self.gradient is not None
        given = self.gradient
        body = Specialiser(given.origin, values).block(given.body)
        return tuple(
            Scalar(given.origin.named(f"{self.name}_d{name}"), self.free, self._element(body, k), self.limit)
            for k, name in enumerate(self.free)
        )

    def _element(self, body: list[ast.stmt], k: int) -> list[ast.stmt]:
        """The body of a gradient, whose returns give tuples, with returns of element k alone."""
        new = copy.deepcopy(body)
        for node in walk(new):
            if isinstance(node, ast.Return):
                elements = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                if len(elements) != len(self.free):
                    problem = f"returns {len(elements)} partial derivatives of {self.name}({', '.join(self.free)})"
                    raise self.gradient.origin.error(node, problem, "Return one for each argument.")  # type: ignore[union-attr]
                node.value = elements[k]
        return new

    def set_gradient(self, gradient: "Template | tuple[Template | None, ...]") -> None:
        """Takes partial derivatives written by hand.

        Raises:
            TypeError: their parameters are others, or the function is in use already.
        """
        given = (gradient,) if isinstance(gradient, Template) else gradient
        if self.used:
            raise TypeError(f"nf.op: {self.name} is in use already; give its gradient directly below its definition")
        for template in given:
            if template is not None:
                if template.parameters != self.parameters:
                    raise TypeError(
                        f"nf.op: {self.name} has the parameters {self.parameters} and its gradient "
                        f"{template.parameters}; they must be the same"
                    )
                template.fixed = self.fixed
        if not isinstance(gradient, Template) and len(gradient) != len(self.free):
            raise TypeError(f"nf.op: {self.name} has {len(self.free)} arguments and {len(gradient)} derivatives")
        for scalar in self._scalars.values():
            scalar.forget()
        self._scalars.clear()
        self.gradient = gradient


def walk(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """All nodes of some statements."""
    for statement in body:
        yield from ast.walk(statement)


# --- reading --------------------------------------------------------------------------------------------------------


def _source(function: types.FunctionType) -> tuple[ast.FunctionDef, Origin]:
    name = function.__name__
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        raise TypeError(
            f"nf.op: the source of {name} is not there (it was typed into a plain Python prompt, or made by exec). "
            f"Put the function into a file or a notebook cell."
        ) from None
    origin = Origin(name, inspect.getsourcefile(function) or "?", first, tuple(lines))
    try:
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except SyntaxError:  # a lambda in the midst of an expression
        tree = ast.Module([], [])
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        raise TypeError(f"nf.op: {name} is not made by `def`. Write `def {name}(x): return ...` instead of a lambda.")
    return tree.body[0], origin


_templates: Any = weakref.WeakKeyDictionary()  # of plain functions that ops call
_reading: list[types.FunctionType] = []
_lock = threading.RLock()  # one thread reads functions or makes programs at a time


def read(function: Callable, limit: int = 10_000) -> Template:
    """A template of a Python function.

    Raises:
        TypeError: it is no function with source, or calls itself.
        SyntaxError: it uses what scalar programs do not have; the error points at the line.
    """
    if not isinstance(function, types.FunctionType):
        raise TypeError(f"nf.op: {function!r} is no Python function; it takes `def name(x, ...): ... return number`")
    with _lock:
        if function in _reading:
            raise TypeError(f"nf.op: {function.__name__} calls itself; write a loop instead")
        _reading.append(function)
        try:
            return _Reader(function, limit).template
        finally:
            _reading.remove(function)


def parse(function: Callable) -> Template:
    """The template of a plain function, one for each function; see `read`."""
    with _lock:
        if function not in _templates:
            _templates[function] = read(function)
        return _templates[function]


class _Reader:
    """Reads one function."""

    def __init__(self, function: types.FunctionType, limit: int):
        definition, self.origin = _source(function)
        self.function = function
        arguments = definition.args
        if arguments.vararg or arguments.kwarg:
            raise self.error(definition, "takes *args or **kwargs", "Name its parameters.")
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        counters = [n.target for n in ast.walk(definition) if isinstance(n, ast.For)]
        stored = [n for n in ast.walk(definition) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        self.assigned = {*names, *(n.id for n in stored if n not in counters)}
        self.locals = self._spelling({*names, *(n.id for n in stored)})
        defaults = {n: p.default for n, p in inspect.signature(function).parameters.items() if p.default is not p.empty}
        for name, value in defaults.items():
            if not isinstance(value, (*CONSTANTS, np.number)):
                raise self.error(definition, f"has the default {name}={value!r}", "Defaults are Python numbers.")
        self.template = Template(
            self.origin, tuple(self.locals[n] for n in names), {self.locals[n]: v for n, v in defaults.items()}, limit
        )
        self._count = 0
        statements = definition.body
        if isinstance(statements[0], ast.Expr) and isinstance(statements[0].value, ast.Constant):
            statements = statements[1:]  # the docstring
        self.template.body = self.block(statements)
        only_keyword = {self.locals[a.arg] for a in arguments.kwonlyargs}
        flags = {self.locals[n] for n, v in defaults.items() if isinstance(v, (bool, str, type(None)))}
        fixed = only_keyword | flags | _bounding(self.template.body)
        self.template.fixed = tuple(n for n in self.template.parameters if n in fixed)

    def _spelling(self, names: set[str]) -> dict[str, str]:
        """Local names as kernels can have them."""
        spelled: dict[str, str] = {}
        for name in sorted(names):
            new = name
            while RESERVED.fullmatch(new) or (new != name and new in names) or not new.isascii():
                new = (
                    f"{new}_" if new.isascii() else new.encode("ascii", "backslashreplace").decode().replace("\\", "_")
                )
            spelled[name] = new
        return spelled

    def error(self, node: ast.AST, problem: str, advice: str = "") -> SyntaxError:
        """A SyntaxError at a line of the function."""
        return self.origin.error(node, problem, advice)

    def unknown(self, node: ast.expr | ast.stmt, kind: type | None = None) -> SyntaxError:
        """The error for a kind of node that there is not."""
        kind = kind or type(node)
        shown = ast.unparse(node).splitlines()[0]
        return self.error(node, f"`{shown}` is nothing that an op can do ({kind.__name__})", ADVICE.get(kind, ""))

    def fresh(self, stem: str) -> str:
        """A local name that the function does not use."""
        self._count += 1
        name = f"{stem}{self._count}"
        return name if name not in self.locals.values() else self.fresh(stem)

    # --- statements ---------------------------------------------------------------------------------------------

    def block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """Statements in the small language."""
        found: list[ast.stmt] = []
        for node in statements:
            for new in self.statement(node):
                found.append(ast.copy_location(new, node))
        return found

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        """One statement, as one or several."""
        match node:
            case ast.Assign():
                found = self.assign(node.targets[0], node.value)
                for target in node.targets[1:]:
                    found += self.assign(target, node.targets[0])
                return found
            case ast.AnnAssign(target=ast.Name() as target):
                return [] if node.value is None else self.assign(target, node.value)
            case ast.AugAssign(target=ast.Name() as target):
                value = ast.BinOp(ast.Name(target.id, ast.Load()), node.op, node.value)
                return self.assign(target, ast.copy_location(value, node))
            case ast.Return(value=ast.Tuple() as value):
                elements = [self.expression(e) for e in value.elts]
                return [ast.Return(ast.copy_location(ast.Tuple(elements, ast.Load()), value))]
            case ast.Return(value=ast.expr() as value):
                return [ast.Return(self.expression(value))]
            case ast.If():
                return [ast.If(self.expression(node.test), self.block(node.body), self.block(node.orelse))]
            case ast.While(orelse=[]):
                return [ast.While(self.expression(node.test), self.block(node.body), [])]
            case ast.For(orelse=[], target=ast.Name() as target):
                return [self.loop(node, target)]
            case ast.Break() | ast.Continue():
                return [copy.copy(node)]
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                return []
        raise self.unknown(node)

    def target(self, node: ast.Name) -> ast.Name:
        """A name that is assigned to."""
        return ast.copy_location(ast.Name(self.locals[node.id], ast.Store()), node)

    def assign(self, target: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """target = value; tuples element by element."""
        if isinstance(target, ast.Name):
            if isinstance(value, ast.Name) and isinstance(value.ctx, ast.Store):  # of a = b = ...
                value = ast.copy_location(ast.Name(value.id, ast.Load()), value)
            return [ast.Assign([self.target(target)], self.expression(value), lineno=target.lineno)]
        if not isinstance(target, ast.Tuple) or not isinstance(value, ast.Tuple):
            raise self.unknown(target)
        if len(target.elts) != len(value.elts):
            raise self.error(target, f"{len(value.elts)} values for {len(target.elts)} names")
        names: list[ast.Name] = []
        found: list[ast.stmt] = []
        reads = [{n.id for n in ast.walk(v) if isinstance(n, ast.Name)} for v in value.elts]
        for k, (t, v) in enumerate(zip(target.elts, value.elts, strict=True)):
            if not isinstance(t, ast.Name):
                raise self.unknown(t)
            if any(t.id in names for names in reads[k + 1 :]):  # its old value is still needed
                names.append(ast.Name(self.fresh("swap"), ast.Store()))
                found.append(ast.Assign([names[-1]], self.expression(v), lineno=t.lineno))
            else:
                names.append(t)
                found += self.assign(t, v)
        for t, name in zip(target.elts, names, strict=True):
            if isinstance(t, ast.Name) and t is not name:
                found.append(ast.Assign([self.target(t)], ast.Name(name.id, ast.Load()), lineno=t.lineno))
        return found

    def loop(self, node: ast.For, target: ast.Name) -> ast.For:
        """A loop whose counter is a variable of its own if its name is assigned to elsewhere: it stays an integer."""
        counter, body = self.target(target), self.block(node.body)
        if target.id in self.assigned:
            counter = ast.copy_location(ast.Name(self.fresh("count"), ast.Store()), target)
            value = ast.copy_location(ast.Name(counter.id, ast.Load()), target)
            body.insert(0, ast.copy_location(ast.Assign([self.target(target)], value), target))
        return ast.For(counter, self.range(node.iter), body, [])

    def range(self, node: ast.expr) -> ast.Call:
        """A loop's range, with start, stop and step."""
        if not (isinstance(node, ast.Call) and self._object(node.func) is builtins.range and not node.keywords):
            raise self.error(node, f"a loop over `{ast.unparse(node)}`", "Loops of an op run over range(n).")
        arguments = [self.expression(a) for a in node.args]
        if len(arguments) == 1:
            arguments = [ast.Constant(0), *arguments]
        if len(arguments) == 2:
            arguments.append(ast.Constant(1))
        return ast.copy_location(ast.Call(ast.Name("range", ast.Load()), arguments, []), node)

    # --- expressions --------------------------------------------------------------------------------------------

    def expression(self, node: ast.expr) -> ast.expr:
        """An expression in the small language."""
        return ast.copy_location(self._expression(node), node)

    def _expression(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Constant(value=value) if isinstance(value, CONSTANTS):
                return ast.Constant(value)
            case ast.Name() if node.id in self.locals:
                return ast.Name(self.locals[node.id], ast.Load())
            case ast.Name() | ast.Attribute():
                return ast.Constant(self._constant(node))
            case ast.BinOp() if type(node.op) in OPERATORS:
                return ast.BinOp(self.expression(node.left), node.op, self.expression(node.right))
            case ast.BinOp():
                raise self.unknown(node, type(node.op))
            case ast.UnaryOp() if type(node.op) in OPERATORS:
                return ast.UnaryOp(node.op, self.expression(node.operand))
            case ast.Compare():
                return ast.Compare(self.expression(node.left), node.ops, [self.expression(c) for c in node.comparators])
            case ast.BoolOp():
                return ast.BoolOp(node.op, [self.expression(v) for v in node.values])
            case ast.IfExp():
                return ast.IfExp(self.expression(node.test), self.expression(node.body), self.expression(node.orelse))
            case ast.Tuple(elts=elements) if all(isinstance(e, ast.Constant) for e in elements):
                values: Any = tuple(e.value for e in elements if isinstance(e, ast.Constant))
                return ast.Constant(values)  # for `in`
            case ast.Call():
                return self._call(node)
        raise self.unknown(node)

    def _object(self, node: ast.expr) -> Any:
        """What a global name, or an attribute of one, stands for."""
        if isinstance(node, ast.Attribute):
            return getattr(self._object(node.value), node.attr, _Missing)
        if not isinstance(node, ast.Name) or node.id in self.locals:
            return _Missing
        code = self.function.__code__
        if node.id in code.co_freevars:
            cell = (self.function.__closure__ or ())[code.co_freevars.index(node.id)]
            try:
                return cell.cell_contents
            except ValueError:  # not assigned yet
                return _Missing
        found = self.function.__globals__.get(node.id, _Missing)
        return getattr(builtins, node.id, _Missing) if found is _Missing else found

    def _constant(self, node: ast.expr):
        value, text = self._object(node), ast.unparse(node)
        if value is _Missing:
            raise self.error(node, f"`{text}` has no value", "Define it above the op.")
        if isinstance(value, TensorProtocol):
            raise self.error(node, f"`{text}` is a tensor from outside", "Make it a parameter and pass it in the call.")
        if isinstance(value, np.generic):
            value = value.item()
        if not isinstance(value, CONSTANTS):
            raise self.error(node, f"`{text}` is a {type(value).__name__}", "Values from outside are Python numbers.")
        return value

    def _call(self, node: ast.Call) -> ast.expr:
        called, text = self._object(node.func), ast.unparse(node.func)
        called = getattr(called, "nbflow_template", getattr(called, "py_func", called))  # py_func: of Numba's njit
        meaning = called if isinstance(called, Template) else _meaning(called)
        if meaning is None and isinstance(called, types.FunctionType) and not _of_library(called):
            meaning = called
        if isinstance(meaning, types.FunctionType):
            meaning = parse(meaning)
        if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
            raise self.error(node, "a call with * or **", "Write its arguments out.")
        if isinstance(meaning, Template):
            return self._call_template(node, meaning)
        if meaning is None:
            if text == self.origin.name:
                raise self.error(node, f"`{text}` calls itself", "Write a loop instead.")
            what = "is not defined" if called is _Missing else "is no function that an op can call"
            advice = "It calls functions of math such as exp, nf's of the same kind, other nf.op functions, and plain "
            raise self.error(node, f"`{text}` {what}", f"{advice}Python functions of numbers.")
        arguments = [self.expression(a) for a in node.args]
        if node.keywords:
            raise self.error(node, f"`{text}` with keyword arguments", "Pass them by position.")
        return self._call_scalar(node, str(meaning), text, arguments)

    def _call_scalar(self, node: ast.Call, name: str, text: str, arguments: list[ast.expr]) -> ast.expr:
        if name == WHERE and len(arguments) == 3:
            return ast.IfExp(*arguments)
        if name == "log" and len(arguments) == 2:
            return ast.BinOp(_call("log", arguments[:1]), ast.Div(), _call("log", arguments[1:]))
        if name in ("maximum", "minimum") and len(arguments) > 2:
            rest = self._call_scalar(node, name, text, arguments[:-1])
            return _call(name, [rest, arguments[-1]])
        wanted = 3 if name == WHERE else len(FUNCTIONS[name].rules)
        if len(arguments) != wanted:
            raise self.error(node, f"`{text}` takes {wanted} arguments and is given {len(arguments)}")
        if name in ("pow", "mod"):
            return ast.BinOp(arguments[0], ast.Pow() if name == "pow" else ast.Mod(), arguments[1])
        return _call(name, arguments)

    def _call_template(self, node: ast.Call, template: Template) -> ast.expr:
        given = dict(zip(template.parameters, node.args, strict=False))
        extra = [k.arg for k in node.keywords if k.arg not in template.parameters or k.arg in given]
        given |= {str(k.arg): k.value for k in node.keywords}
        missing = [p for p in template.parameters if p not in given and p not in template.defaults]
        if extra or missing or len(node.args) > len(template.parameters):
            takes = ", ".join(template.parameters)
            raise self.error(node, f"`{ast.unparse(node)}` does not fit {template.name}({takes})")
        values = {
            p: self.expression(given[p]) if p in given else ast.Constant(template.defaults[p])
            for p in template.parameters
        }
        call = _call(template.name, [values[p] for p in template.free])
        call.template = template  # type: ignore[attr-defined]
        call.fixed = [values[p] for p in template.fixed]  # type: ignore[attr-defined]
        return call


class _Missing:
    """Stands for a name without a value."""


def _meaning(called: Any):
    try:
        return known().get(called)
    except TypeError:  # not hashable
        return None


def _of_library(function: types.FunctionType) -> bool:
    """Whether a function is one of nbflow's for tensors."""
    return function.__module__.startswith("nbflow.") and function.__module__ != "nbflow.custom.prelude"


def _call(name: str, arguments: list[ast.expr]) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), arguments, [])


def _bounding(body: list[ast.stmt]) -> set[str]:
    """The names in the bounds of loops, and in constants that called templates want."""
    bounds: list[ast.AST] = []
    for node in walk(body):
        if isinstance(node, ast.For):
            bounds += node.iter.args  # type: ignore[attr-defined]
        bounds += getattr(node, "fixed", [])
    return {n.id for bound in bounds for n in ast.walk(bound) if isinstance(n, ast.Name)}
