"""Scalar programs: their types and checks, and their text as kernels have it.

Every variable is a real (the dtype that the op computes in), an integer (of loops) or a truth value; which one follows
from all that is assigned to it. Numbers in the text are typed, or Numba would compute float32 in float64.
"""

import ast
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from nbflow.compiler.expressions import GENERIC
from nbflow.compiler.scalars import FUNCTIONS as DEFINITIONS
from nbflow.custom.functions import FUNCTIONS, INTEGER, PRELUDE, REAL, TRUTH
from nbflow.ops.table import TABLE
from nbflow.runtime import vecmath

PRELUDE_FILE = str(Path(__file__).with_name("prelude.py"))
RANK = {TRUTH: 0, INTEGER: 1, REAL: 2}


@dataclass(frozen=True)
class Origin:
    """Where a function was written.

    Attributes:
        name: the function's name.
        file: the path.
        first: the number of its first line.
        lines: its source.
    """

    name: str
    file: str
    first: int
    lines: tuple[str, ...]

    def named(self, name: str) -> "Origin":
        """The same place, for a function that was made from the one there."""
        return replace(self, name=name)

    def error(self, node: ast.AST, problem: str, advice: str = "") -> SyntaxError:
        """A SyntaxError at a node of the function."""
        line = getattr(node, "lineno", 1)
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        message = f"{self.name}: {problem}." + (f" {advice}" if advice else "")
        return SyntaxError(message, (self.file, self.first + line - 1, None, text))


_naming = threading.RLock()  # one thread chooses a name at a time
SCALARS: dict[str, "Scalar"] = {}  # by name; equal names mean equal text and equal derivatives


def lookup(name: str) -> "Scalar | None":
    """The program that a call of this name means; None for a function of vecmath."""
    if name in FUNCTIONS:
        return None
    if name not in SCALARS and name in PRELUDE:
        from nbflow.custom import language, prelude

        language.parse(getattr(prelude, name)).scalar(())
    return SCALARS[name]


class Scalar:
    """A function of numbers.

    Attributes:
        origin: where it was written, for messages.
        parameters: their names; all are reals.
        body: statements of the small language (see nbflow.custom.language).
        limit: how many rounds a loop may have that could go on for ever.
        partials: its derivatives by parameter where they were given by hand, None for one that is zero; else None.
        name: what kernels call it, with "_f32" or "_f64" behind; unique in the process.
        kinds: of its variables.

    Args:
        salt: what tells it from a program of equal text whose derivatives are others.

    Raises:
        SyntaxError: types do not fit, a variable may have no value, or not every path returns.
    """

    def __init__(
        self,
        origin: Origin,
        parameters: tuple[str, ...],
        body: list[ast.stmt],
        limit: int,
        partials: "Callable[[], tuple[Scalar | None, ...]] | None" = None,
        salt: str = "",
    ):
        self.origin, self.parameters, self.body, self.limit = origin, parameters, body, limit
        self._make_partials, self._salt = partials, salt
        self.kinds = dict.fromkeys(parameters, REAL)
        self.derivatives: dict[int, Scalar | None] = {}
        self._infer()
        if _flow(self, body, set(parameters)) is not None:
            problem = "does not return a number on every path"
            raise origin.error(body[-1] if body else ast.Pass(), problem, "Add a return.")
        self.name = ""
        with _naming:
            self.name = self._unique_name()
            SCALARS.setdefault(self.name, self)
            DEFINITIONS.setdefault(self.name, self.definition)

    def _unique_name(self) -> str:
        text = f"{self.definition('f64', False)[0]}{self._salt}"
        self._text = hashlib.sha256(text.encode()).hexdigest()
        name = "".join(c if c.isascii() else "_" for c in self.origin.name)
        taken = name in TABLE or name in PRELUDE or name in GENERIC or hasattr(vecmath, f"{name}_f32")
        if taken and self.origin.file != PRELUDE_FILE:
            name = f"{name}_{self._text[:6]}"
        known = SCALARS.get(name)
        return name if known is None or known._text == self._text else f"{name}_{self._text[:6]}"

    @cached_property
    def partials(self) -> "tuple[Scalar | None, ...] | None":
        """See above; made when they are asked for, as they may call the program itself."""
        return None if self._make_partials is None else self._make_partials()

    def forget(self) -> None:
        """Gives its name free."""
        if SCALARS.get(self.name) is self:
            del SCALARS[self.name], DEFINITIONS[self.name]

    # --- kinds --------------------------------------------------------------------------------------------------

    def _infer(self) -> None:
        """The kinds of variables: the widest of what is assigned to them."""
        assigned: list[tuple[ast.Name, ast.expr | None]] = []
        for statement in self.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Assign):
                    assigned.append((node.targets[0], node.value))  # type: ignore[arg-type]
                elif isinstance(node, ast.For):
                    assigned.append((node.target, None))  # type: ignore[arg-type]
        changed = True
        while changed:
            changed = False
            for target, value in assigned:
                kind = INTEGER if value is None else self.kind(value)
                before = self.kinds.get(target.id)
                if kind is None or before == kind:
                    continue
                if before is not None and TRUTH in (before, kind):
                    problem = f"`{target.id}` is a truth value here and a number elsewhere"
                    raise self.origin.error(target, problem, "Use two names.")
                if before is None or RANK[kind] > RANK[before]:
                    self.kinds[target.id], changed = kind, True

    def kind(self, node: ast.expr) -> str | None:
        """The kind of an expression; None while that of a variable in it is not known."""
        match node:
            case ast.Constant(value=bool()):
                return TRUTH
            case ast.Constant(value=int()):
                return INTEGER
            case ast.Constant(value=float()):
                return REAL
            case ast.Name():
                return self.kinds.get(node.id)
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                return TRUTH
            case ast.UnaryOp():
                return self._joined([node.operand], INTEGER)
            case ast.BinOp(op=ast.Div()):
                return REAL
            case ast.BinOp(op=ast.Pow()):
                constant = isinstance(node.right, ast.Constant) and isinstance(node.right.value, int)
                whole = constant and node.right.value >= 0  # type: ignore[attr-defined]
                return self._joined([node.left], INTEGER) if whole else REAL
            case ast.BinOp():
                return self._joined([node.left, node.right], INTEGER)
            case ast.IfExp():
                return self._joined([node.body, node.orelse], TRUTH)
            case ast.Call(func=ast.Name(id=name)):
                function = FUNCTIONS.get(name)
                if function is None or function.result is not None:
                    return REAL if function is None else function.result
                return self._joined(node.args, INTEGER)
            case ast.Constant(value=value):
                advice = "Text is for flags: compare it with constants."
                raise self.origin.error(node, f"{value!r} is no number", advice)
            case ast.Tuple():
                raise self.origin.error(node, "returns a tuple", "An op has one result; only gradients return several.")
        raise AssertionError(ast.dump(node))

    def _joined(self, nodes: list[ast.expr], least: str) -> str | None:
        kinds = [k for k in map(self.kind, nodes) if k is not None]
        return max((least, *kinds), key=RANK.__getitem__) if kinds else None

    # --- text ---------------------------------------------------------------------------------------------------

    def definition(self, code: str, device: bool) -> tuple[str, list[str]]:
        """The source of the function for a dtype, and the names of the scalar functions that it calls."""
        writer = _Writer(self, code, device)
        body = [writer.statement(s) for s in self.body]
        text = "\n".join(["@vector_function", f"def {self.name}_{code}({', '.join(self.parameters)}):"])
        lines = [f"    {line}" for part in body for line in part]
        return "\n".join([text, *lines, ""]), writer.called


def _flow(scalar: Scalar, body: list[ast.stmt], known: set[str]) -> set[str] | None:
    """Which variables have a value after statements, of those before; None where the end is not reached.

    Raises:
        SyntaxError: a variable is used that may have no value.
    """

    def use(node: ast.expr) -> None:
        for name in ast.walk(node):
            if isinstance(name, ast.Name) and name.id in scalar.kinds and name.id not in known:
                problem = f"`{name.id}` may have no value here"
                raise scalar.origin.error(
                    name if hasattr(name, "lineno") else node, problem, "Give it one on every path."
                )

    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name() as target], value=value):
                use(value)
                known = known | {target.id}
            case ast.Return(value=ast.expr() as value):
                use(value)
                return None
            case ast.Break() | ast.Continue():
                return None
            case ast.If():
                use(node.test)
                ends = [_flow(scalar, part, known) for part in (node.body, node.orelse)]
                reached = [e for e in ends if e is not None]
                if not reached:
                    return None
                known = set.intersection(*reached)
            case ast.While():
                use(node.test)
                _flow(scalar, node.body, known)
                endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
                if endless and not _leaves(node.body, ast.Break):
                    return None
            case ast.For(target=ast.Name() as target, iter=ast.Call(args=bounds)):
                for bound in bounds:
                    use(bound)
                after = _flow(scalar, node.body, known | {target.id})
                if after is not None and not _leaves(node.body, ast.Break, ast.Continue) and _runs(bounds):
                    known = after
    return known


def _leaves(body: list[ast.stmt], *kinds: type) -> bool:
    """Whether a loop's body has a break or continue of its own."""
    for node in body:
        if isinstance(node, kinds):
            return True
        if isinstance(node, ast.If) and (_leaves(node.body, *kinds) or _leaves(node.orelse, *kinds)):
            return True
    return False


def _runs(bounds: list[ast.expr]) -> bool:
    """Whether a range of constants has a first element."""
    values: list[Any] = [b.value for b in bounds if isinstance(b, ast.Constant)]
    return len(values) == 3 and all(type(v) is int for v in values) and len(range(*values)) > 0


class _Writer:
    """Typed source of a program's statements."""

    def __init__(self, scalar: Scalar, code: str, device: bool):
        self.scalar, self.code, self.device = scalar, code, device
        self.called: list[str] = []
        self.loops = 0

    def statement(self, node: ast.stmt) -> list[str]:
        """The lines of a statement."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                return [f"{name} = {self._text(value, self.scalar.kinds[name])}"]
            case ast.Return(value=ast.expr() as value):
                text = self._text(value, REAL)
                if self.scalar.kind(value) == TRUTH:
                    advice = "An op returns a number: 1.0 if ... else 0.0."
                    raise self.scalar.origin.error(node, "returns a truth value", advice)
                return [f"return {text}"]
            case ast.If():
                lines = [f"if {self._text(node.test, TRUTH)}:", *self._block(node.body)]
                return lines + (["else:", *self._block(node.orelse)] if node.orelse else [])
            case ast.While():
                return self._guarded(f"while {self._text(node.test, TRUTH)}:", node.body)
            case ast.For(target=ast.Name(id=name), iter=ast.Call(args=bounds)):
                for bound in bounds:
                    if self.scalar.kind(bound) != INTEGER:
                        problem = f"range takes whole numbers, and `{ast.unparse(bound)}` is {self.scalar.kind(bound)}"
                        raise self.scalar.origin.error(
                            node, problem, "Use constants, keyword-only parameters, or int(x)."
                        )
                texts = [self._text(bound, INTEGER) for bound in bounds]
                texts = texts[: 2 if texts[2] == "1" else 3]
                texts = texts[1 if len(texts) == 2 and texts[0] == "0" else 0 :]
                head = f"for {name} in range({', '.join(texts)}):"
                if not isinstance(bounds[2], ast.Constant) or not bounds[2].value:
                    raise self.scalar.origin.error(node, "the step of a range is a constant other than 0")
                if all(isinstance(b, ast.Constant) for b in bounds):
                    return [head, *self._block(node.body)]
                return self._guarded(head, node.body)
        return ["break" if isinstance(node, ast.Break) else "continue"]

    def _block(self, body: list[ast.stmt]) -> list[str]:
        return [f"    {line}" for node in body for line in self.statement(node)] or ["    pass"]

    def _guarded(self, head: str, body: list[ast.stmt]) -> list[str]:
        """A loop that ends the function with NaN after too many rounds."""
        self.loops += 1
        rounds = f"rounds{self.loops}"
        while rounds in self.scalar.kinds:
            rounds += "_"
        guard = [f"    {rounds} += 1", f"    if {rounds} > {self.scalar.limit}:", f"        return {self.code}(nan)"]
        return [f"{rounds} = 0", head, *guard, *self._block(body)]

    def _text(self, node: ast.expr, wanted: str) -> str:
        return ast.unparse(self.expression(node, wanted))

    def expression(self, node: ast.expr, wanted: str) -> ast.expr:
        """An expression as one of a kind, with typed numbers and functions by their names in kernels."""
        kind = self.scalar.kind(node)
        if isinstance(node, ast.Constant) and wanted == REAL:
            return self._real(node.value)
        if isinstance(node, ast.IfExp) and wanted != TRUTH:
            test = self.expression(node.test, TRUTH)
            return ast.IfExp(test, self.expression(node.body, wanted), self.expression(node.orelse, wanted))
        if kind == wanted or kind is None:
            return self._operation(node, wanted)
        if wanted == TRUTH:
            assert kind is not None
            zero = self._real(0) if kind == REAL else ast.Constant(0)
            return ast.Compare(self._operation(node, kind), [ast.NotEq()], [zero])
        if kind == TRUTH:
            one, zero = (self.expression(ast.Constant(v), wanted) for v in (1, 0))
            return ast.IfExp(self._operation(node, TRUTH), one, zero)
        if wanted == INTEGER:
            raise AssertionError(ast.dump(node))
        if isinstance(node, (ast.BinOp, ast.UnaryOp)):  # whole numbers computed as such, then rounded once
            return self._cast(self._operation(node, INTEGER))
        return self._cast(self._operation(node, kind or REAL))

    def _cast(self, node: ast.expr) -> ast.expr:
        return _call(self.code, [node])

    def _real(self, value: Any) -> ast.expr:
        value = float(value)
        if value != value:
            return self._cast(ast.Name("nan"))
        if value in (float("inf"), -float("inf")):
            infinite = self._cast(ast.Name("inf"))
            return infinite if value > 0 else ast.UnaryOp(ast.USub(), infinite)
        short = value == int(value) and abs(value) < 1e6 and str(value) != "-0.0"
        return self._cast(ast.Constant(int(value) if short else value))

    def _operation(self, node: ast.expr, kind: str) -> ast.expr:
        match node:
            case ast.Constant() | ast.Name():
                return node
            case ast.UnaryOp(op=ast.Not()):
                return ast.UnaryOp(ast.Not(), self.expression(node.operand, TRUTH))
            case ast.UnaryOp():
                return ast.UnaryOp(node.op, self.expression(node.operand, kind))
            case ast.IfExp():
                parts = (self.expression(part, kind) for part in (node.body, node.orelse))
                return ast.IfExp(self.expression(node.test, TRUTH), *parts)
            case ast.BoolOp():
                return self._bool_op(node)
            case ast.Compare():
                return self._compare(node)
            case ast.BinOp():
                return self._bin_op(node, kind)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, node, kind)
        raise AssertionError(ast.dump(node))

    def _bool_op(self, node: ast.BoolOp) -> ast.expr:
        """Both sides computed, which is quicker than a branch: they have no effects."""
        for value in node.values:
            if self.scalar.kind(value) != TRUTH:
                problem = f"`{ast.unparse(value)}` is a number in `and` or `or`"
                raise self.scalar.origin.error(node, problem, "Compare it, or use x if ... else y.")
        operator = ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
        result = self.expression(node.values[0], TRUTH)
        for value in node.values[1:]:
            result = ast.BinOp(result, operator, self.expression(value, TRUTH))
        return result

    def _compare(self, node: ast.Compare) -> ast.expr:
        """Chains as pairs."""
        operands = [node.left, *node.comparators]
        kinds = {self.scalar.kind(o) for o in operands}
        kind = kinds.pop() if len(kinds) == 1 else REAL
        texts = [self.expression(o, kind or REAL) for o in operands]
        pairs = [ast.Compare(a, [op], [b]) for a, op, b in zip(texts, node.ops, texts[1:], strict=False)]
        result: ast.expr = pairs[0]
        for pair in pairs[1:]:
            result = ast.BinOp(result, ast.BitAnd(), pair)
        return result

    def _bin_op(self, node: ast.BinOp, kind: str) -> ast.expr:
        a, b = (self.expression(side, kind) for side in (node.left, node.right))
        if kind == INTEGER:
            return ast.BinOp(a, node.op, b)
        match node.op:
            case ast.Pow():
                return _call(f"pow_{self.code}", [a, b])
            case ast.FloorDiv():
                return _call(f"floor_{self.code}", [ast.BinOp(a, ast.Div(), b)])
            case ast.Mod() if self.device:  # numba's own is inexact there
                return _call("floor_mod", [a, b])
        return ast.BinOp(a, node.op, b)

    def _call(self, name: str, node: ast.Call, kind: str) -> ast.expr:
        if name == "float":
            return self.expression(node.args[0], REAL)
        if name in ("int", "round"):
            return self._to_integer(name, node.args[0])
        if name in ("abs", "maximum", "minimum"):
            return _call(name, [self.expression(a, kind) for a in node.args])
        arguments = [self.expression(a, REAL) for a in node.args]
        if name not in FUNCTIONS:
            lookup(name)
            if name not in self.called:
                self.called.append(name)
        return _call(f"{name}_{self.code}", arguments)

    def _to_integer(self, name: str, argument: ast.expr) -> ast.expr:
        kind = self.scalar.kind(argument)
        if kind != REAL:
            return self.expression(argument, INTEGER)
        x = self.expression(argument, REAL)
        if name == "round":
            x = _call(f"rint_{self.code}", [x])
        return _call("to_int_i64", [x]) if self.device else _call("to_int", [ast.Name("i64"), x])


def _call(name: str, arguments: list[ast.expr]) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), arguments, [])
