"""The partial derivatives of scalar programs, as scalar programs.

Forward differentiation of the source: beside each real variable v that depends on the parameter in question goes its
tangent, dv, in the same branches and loops; `return e` becomes `return de`. What rules need twice gets a variable, so
the text grows with the length of the program and not with its depth. A derivative is a program like any other and has
derivatives itself.
"""

import ast
import copy
from functools import cache

from nbflow.custom.constants import fold
from nbflow.custom.functions import FUNCTIONS, REAL, TRUTH
from nbflow.custom.language import walk
from nbflow.custom.scalar import Scalar, lookup

UNKNOWN = ast.Name("unknown", ast.Load())  # stands for a rule that is not there
SMOOTH = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.Mod)


def derivative(scalar: Scalar, k: int) -> Scalar | None:
    """The derivative of a program with respect to parameter k; None where it is zero everywhere.

    Raises:
        SyntaxError: something in it has no known derivative.
    """
    if k not in scalar.derivatives:
        if scalar.partials is not None:
            scalar.derivatives[k] = scalar.partials[k]
        else:
            scalar.derivatives[k] = _Differentiator(scalar, k).result()
    return scalar.derivatives[k]


def constant(scalar: Scalar, value: float) -> Scalar:
    """A number as a program with the parameters of another."""
    return Scalar(scalar.origin.named("constant"), scalar.parameters, [ast.Return(ast.Constant(value))], scalar.limit)


# --- arithmetic on expressions, without what 0 and 1 make needless ----------------------------------------------------


def _is(node: ast.expr, value: float) -> bool:
    return isinstance(node, ast.Constant) and node.value == value


def _operation(a: ast.expr, op: ast.operator, b: ast.expr) -> ast.expr:
    return fold(ast.BinOp(a, op, b))


def _negative(a: ast.expr) -> ast.expr:
    if isinstance(a, ast.UnaryOp) and isinstance(a.op, ast.USub):
        return a.operand
    return fold(ast.UnaryOp(ast.USub(), a))


def _product(a: ast.expr, b: ast.expr) -> ast.expr:
    """a · b."""
    if _is(a, 0) or _is(b, 0):
        return ast.Constant(0.0)
    if _is(a, 1) or _is(b, 1):
        return b if _is(a, 1) else a
    if _is(a, -1) or _is(b, -1):
        return _negative(b if _is(a, -1) else a)
    return _operation(a, ast.Mult(), b)


def _sum(a: ast.expr | None, b: ast.expr | None) -> ast.expr | None:
    """a + b, where None is zero."""
    if a is None or b is None:
        return a or b
    if isinstance(a, ast.IfExp) and isinstance(b, ast.IfExp) and ast.dump(a.test) == ast.dump(b.test):
        return ast.IfExp(a.test, _or_zero(_sum(a.body, b.body)), _or_zero(_sum(a.orelse, b.orelse)))
    if _is(a, 0) or _is(b, 0):
        return b if _is(a, 0) else a
    if isinstance(b, ast.UnaryOp) and isinstance(b.op, ast.USub):
        return _operation(a, ast.Sub(), b.operand)
    if isinstance(b, ast.Constant) and isinstance(b.value, float) and b.value < 0:
        return _operation(a, ast.Sub(), ast.Constant(-b.value))
    return _operation(a, ast.Add(), b)


def _or_zero(tangent: ast.expr | None) -> ast.expr:
    return ast.Constant(0.0) if tangent is None else tangent


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


@cache
def _rule(name: str, k: int) -> ast.expr:
    text = FUNCTIONS[name].rules[k]
    return ast.parse(text, mode="eval").body if text else UNKNOWN


class _Filled(ast.NodeTransformer):
    """A rule with expressions in place of a, b and y."""

    def __init__(self, values: dict[str, ast.expr]):
        self.values = values

    def visit_Name(self, node):
        return self.values.get(node.id, node)

    def generic_visit(self, node):
        node = super().generic_visit(node)
        if isinstance(node, ast.Call):
            return node
        return fold(node) if isinstance(node, ast.expr) else node


class _Differentiator:
    """Differentiates one program with respect to one parameter."""

    def __init__(self, scalar: Scalar, k: int):
        self.scalar, self.parameter = scalar, scalar.parameters[k]
        self.used = set(scalar.kinds)
        assigned = [n for n in walk(scalar.body) if isinstance(n, ast.Assign)]
        self.active = {self.parameter}
        before = -1
        while before != len(self.active):
            before = len(self.active)
            for node in assigned:
                target: str = node.targets[0].id  # type: ignore[attr-defined]
                if scalar.kinds[target] == REAL and self._depends(node.value):
                    self.active.add(target)
        moving = {node.targets[0].id for node in assigned} & self.active  # type: ignore[attr-defined]
        self.tangents: dict[str, ast.expr] = {self.parameter: ast.Constant(1.0)}
        for name in sorted(moving):
            self.tangents[name] = ast.Name(self._fresh(f"d{name}"), ast.Load())
        self.out: list[ast.stmt] = []

    def result(self) -> Scalar | None:
        """The derivative."""
        scalar = self.scalar
        returns = [n.value for n in walk(scalar.body) if isinstance(n, ast.Return)]
        if not any(self._depends(value) for value in returns if value is not None):
            return None
        body = self.block(scalar.body)
        for name in reversed(scalar.parameters):
            tangent = self.tangents.get(name)
            if isinstance(tangent, ast.Name):  # the parameter is assigned to
                seed = ast.Constant(1.0 if name == self.parameter else 0.0)
                body.insert(0, self._assign(tangent.id, seed, scalar.body[0]))
        origin = scalar.origin.named(f"{scalar.name}_d{self.parameter}")
        return Scalar(origin, scalar.parameters, _needed(body), scalar.limit)

    def _fresh(self, wanted: str) -> str:
        name, number = wanted, 2
        while name in self.used:
            name, number = f"{wanted}_{number}", number + 1
        self.used.add(name)
        return name

    def _depends(self, node: ast.expr) -> bool:
        """Whether an expression may move with the parameter."""
        match node:
            case ast.Name():
                return node.id in self.active
            case ast.BinOp():
                return isinstance(node.op, SMOOTH) and (self._depends(node.left) or self._depends(node.right))
            case ast.UnaryOp():
                return not isinstance(node.op, ast.Not) and self._depends(node.operand)
            case ast.IfExp():
                return self._depends(node.body) or self._depends(node.orelse)
            case ast.Call(func=ast.Name(id=name)):
                moves = [self._depends(a) for a in node.args]
                if name in FUNCTIONS:
                    return any(m and rule != "0" for m, rule in zip(moves, FUNCTIONS[name].rules, strict=True))
                return any(moves)
        return False

    # --- statements ---------------------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Statements with their tangents."""
        outer, self.out = self.out, []
        for node in body:
            self._statement(node)
        found, self.out = self.out, outer
        return found

    def _statement(self, node: ast.stmt) -> None:
        self.place = node
        match node:
            case ast.Assign(targets=[ast.Name(id=target)]) if target in self.active:
                into = target if target not in _names(node.value) else None
                value, tangent = self.both(node.value, into)
                statements = [
                    self._assign(self.tangents[target].id, _or_zero(tangent), node),  # type: ignore[attr-defined]
                    self._assign(target, value, node),
                ]
                if into is not None:  # the tangent may be in terms of the value
                    statements.reverse()
                self.out += statements
            case ast.Return(value=ast.expr() as value):
                self.out.append(ast.copy_location(ast.Return(_or_zero(self.both(value)[1])), node))
            case ast.If():
                parts = (self.block(part) for part in (node.body, node.orelse))
                self.out.append(ast.copy_location(ast.If(node.test, *parts), node))
            case ast.While() | ast.For():
                new = copy.copy(node)
                new.body = self.block(node.body)
                self.out.append(new)
            case _:
                self.out.append(node)

    def _assign(self, name: str, value: ast.expr, at: ast.AST) -> ast.Assign:
        target = ast.copy_location(ast.Name(name, ast.Store()), at)
        return ast.copy_location(ast.Assign([target], value), at)

    def _named(self, node: ast.expr, wanted: str = "t") -> ast.expr:
        """A name or number with the value of an expression, which is assigned before."""
        if isinstance(node, (ast.Name, ast.Constant)):
            return node
        name = self._fresh(wanted)
        self.out.append(self._assign(name, node, self.place))
        return ast.Name(name, ast.Load())

    # --- expressions --------------------------------------------------------------------------------------------

    def both(self, node: ast.expr, into: str | None = None) -> tuple[ast.expr, ast.expr | None]:
        """An expression's value and tangent, None for zero.

        Args:
            into: the variable that will have the value when the tangent is computed.
        """
        if not self._depends(node):
            return node, None
        match node:
            case ast.Name():
                return node, self.tangents[node.id]
            case ast.UnaryOp():
                value, tangent = self.both(node.operand)
                if tangent is None or isinstance(node.op, ast.UAdd):
                    return value, tangent
                return ast.UnaryOp(node.op, value), _negative(tangent)
            case ast.IfExp():
                test = self._named(node.test, "c")
                value, tangent = self.both(node.body)
                other, other_tangent = self.both(node.orelse)
                moved = ast.IfExp(test, _or_zero(tangent), _or_zero(other_tangent))
                return ast.IfExp(test, value, other), moved
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                a, da = self.both(node.left)
                b, db = self.both(node.right)
                if isinstance(node.op, ast.Sub) and db is not None:
                    db = _negative(db)
                return ast.BinOp(a, node.op, b), _sum(da, db)
            case ast.BinOp(op=ast.Mult()):
                return self._multiply(node)
            case ast.BinOp(op=ast.Div()):
                return self._divide(node, into)
            case ast.BinOp():
                name = "pow" if isinstance(node.op, ast.Pow) else "mod"
                return self._function(name, [node.left, node.right], node, into)
            case ast.Call(func=ast.Name(id=name)):
                return self._function(name, node.args, node, into)
        raise self.scalar.origin.error(node, f"`{ast.unparse(node)}` has no derivative")

    def _number(self, node: ast.expr) -> ast.expr:
        """A factor, which may be what remains of the product: no truth value."""
        truth = self.scalar.kind(node) == TRUTH
        return ast.Call(ast.Name("float", ast.Load()), [node], []) if truth else node

    def _multiply(self, node: ast.BinOp) -> tuple[ast.expr, ast.expr | None]:
        a, da = self.both(self._number(node.left))
        b, db = self.both(self._number(node.right))
        if da is not None:
            b = self._named(b)
        if db is not None:
            a = self._named(a)
        tangent = _sum(None if da is None else _product(da, b), None if db is None else _product(a, db))
        return ast.BinOp(a, node.op, b), tangent

    def _divide(self, node: ast.BinOp, into: str | None) -> tuple[ast.expr, ast.expr | None]:
        """d(a / b) = (da - y db) / b."""
        a, da = self.both(node.left)
        b, db = self.both(node.right)
        b = self._named(b)
        value: ast.expr = ast.BinOp(a, node.op, b)
        if db is None:
            assert da is not None
            return value, _operation(da, ast.Div(), b)
        y = ast.Name(into, ast.Load()) if into else self._named(value)
        difference = _sum(da, _negative(_product(y, db)))
        assert difference is not None
        return value if into else y, _operation(difference, ast.Div(), b)

    def _function(self, name: str, arguments: list[ast.expr], node: ast.expr, into: str | None):
        pairs = [self.both(a) for a in arguments]
        values = [self._named(value) for value, _ in pairs]
        value = copy.copy(node)
        if isinstance(value, ast.BinOp):
            value.left, value.right = values
        else:
            value.args = values  # type: ignore[attr-defined]
        if name not in FUNCTIONS:
            return value, self._call_program(name, values, [tangent for _, tangent in pairs])
        rules = [_rule(name, k) if tangent is not None else None for k, (_, tangent) in enumerate(pairs)]
        if any(rule is UNKNOWN for rule in rules):
            problem = f"`{ast.unparse(node)}` has no known derivative with respect to one of its arguments"
            raise self.scalar.origin.error(node, problem, "Give the op's by hand: see CustomOp.gradient.")
        y: ast.expr = value
        if any(rule is not None and "y" in _names(rule) for rule in rules):
            y = ast.Name(into, ast.Load()) if into else self._named(value)
        filled = _Filled({"y": y, **dict(zip("ab", values, strict=False))})
        total = None
        for rule, (_, tangent) in zip(rules, pairs, strict=True):
            if rule is not None and tangent is not None:
                total = _sum(total, _scaled(filled.visit(copy.deepcopy(rule)), tangent))
        return value if into else y, total

    def _call_program(self, name: str, values: list[ast.expr], tangents: list[ast.expr | None]) -> ast.expr | None:
        callee = lookup(name)
        assert callee is not None
        total = None
        for k, tangent in enumerate(tangents):
            partial = None if tangent is None else derivative(callee, k)
            if partial is not None and tangent is not None:
                call = ast.Call(ast.Name(partial.name, ast.Load()), values, [])
                total = _sum(total, _product(call, tangent))
        return total


def _scaled(rule: ast.expr, tangent: ast.expr) -> ast.expr:
    """rule · tangent; a choice between factors chooses between products, so that 0 · inf does not come up."""
    if isinstance(rule, ast.IfExp):
        return ast.IfExp(rule.test, _scaled(rule.body, tangent), _scaled(rule.orelse, tangent))
    if isinstance(rule, ast.BinOp) and isinstance(rule.op, ast.Div) and _is(rule.left, 1):
        return _operation(tangent, ast.Div(), rule.right)
    if _is(tangent, -1):
        return _negative(rule)
    return _product(rule, tangent)


def _needed(body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements without assignments to variables that have no part in the result."""
    reads: dict[str, set[str]] = {}
    wanted: set[str] = set()
    for node in walk(body):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                reads[name] = reads.get(name, set()) | _names(value)
            case ast.Return(value=ast.expr() as value):
                wanted |= _names(value)
            case ast.If(test=test) | ast.While(test=test):
                wanted |= _names(test)
            case ast.For(iter=bounds):
                wanted |= _names(bounds)
    front = set(wanted)
    while front:
        front = set().union(*(reads.get(name, set()) for name in front)) - wanted
        wanted |= front
    return _without(body, wanted)


def _without(body: list[ast.stmt], wanted: set[str]) -> list[ast.stmt]:
    found = []
    for node in body:
        if isinstance(node, ast.Assign) and node.targets[0].id not in wanted:  # type: ignore[attr-defined]
            continue
        new = copy.copy(node)
        for field in ("body", "orelse"):
            if hasattr(new, field):
                setattr(new, field, _without(getattr(new, field), wanted))
        if isinstance(new, ast.If) and not new.body and not new.orelse:
            continue
        found.append(new)
    return found
