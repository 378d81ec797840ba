"""What is constant in a scalar program, evaluated before it is compiled."""

import ast
import copy
import operator
from collections.abc import Callable
from typing import Any

from nbflow.custom.functions import evaluator
from nbflow.custom.scalar import Origin

OPERATORS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
ONLY_CONSTANT = (ast.Is, ast.IsNot, ast.In, ast.NotIn)  # comparisons that numbers of tensors do not have
POWERS = {2: "square", 3: "cube", -1: "reciprocal", 0.5: "sqrt"}  # exponents that are quicker than pow


class Specialiser:
    """A template's body with the values of its fixed parameters put in, and what is constant then evaluated."""

    def __init__(self, origin: Origin, values: dict):
        self.origin, self.values = origin, values

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Statements without branches that are known not to be taken."""
        found: list[ast.stmt] = []
        for node in body:
            if isinstance(node, ast.If):
                test = self.expression(node.test)
                if isinstance(test, ast.Constant):
                    found += self.block(node.body if test.value else node.orelse)
                    continue
                new: ast.stmt = ast.If(test, self.block(node.body), self.block(node.orelse))
            else:
                new = copy.copy(node)
                for field, value in ast.iter_fields(node):
                    if isinstance(value, ast.expr) and field != "target":
                        setattr(new, field, self.expression(value))
                    elif field == "body":
                        new.body = self.block(value)  # type: ignore[attr-defined]
                target = new.targets[0] if isinstance(new, ast.Assign) else getattr(new, "target", None)
                if isinstance(target, ast.Name) and target.id in self.values:
                    raise self.origin.error(
                        node, f"`{target.id}` is fixed when the op is compiled", "Use another name."
                    )
            found.append(ast.copy_location(new, node))
            if isinstance(new, (ast.Return, ast.Break, ast.Continue)):
                break
        return found

    def expression(self, node: ast.expr) -> ast.expr:
        """An expression, evaluated as far as it is constant."""
        return ast.copy_location(self._expression(node), node)

    def _expression(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Name):
            return ast.Constant(self.values[node.id]) if node.id in self.values else node
        if isinstance(node, ast.IfExp):
            test = self.expression(node.test)
            if isinstance(test, ast.Constant):
                return self.expression(node.body if test.value else node.orelse)
            return ast.IfExp(test, self.expression(node.body), self.expression(node.orelse))
        if isinstance(node, ast.BoolOp):
            return self._bool_op(node)
        new = copy.copy(node)
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.expr) and field != "func":
                setattr(new, field, self.expression(value))
            elif isinstance(value, list) and field in ("args", "comparators", "elts"):
                setattr(new, field, [self.expression(v) for v in value])
        if hasattr(node, "template"):
            return self._call(new)
        folded = fold(new)
        if isinstance(folded, ast.Compare) and any(isinstance(o, ONLY_CONSTANT) for o in folded.ops):
            raise self.origin.error(
                node, f"`{ast.unparse(node)}` compares what is no constant", "Use ==, <, > on numbers."
            )
        return folded

    def _bool_op(self, node: ast.BoolOp) -> ast.expr:
        decisive = isinstance(node.op, ast.Or)
        rest = []
        for value in map(self.expression, node.values):
            if not isinstance(value, ast.Constant):
                rest.append(value)
            elif bool(value.value) is decisive:
                rest.append(value)
                break
        if not rest:
            return ast.Constant(not decisive)
        return rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)

    def _call(self, node: Any) -> ast.expr:
        fixed = [self.expression(v) for v in node.fixed]
        for name, value in zip(node.template.fixed, fixed, strict=True):
            if not isinstance(value, ast.Constant):
                problem = f"{node.template.name} takes a constant for {name}, and `{ast.unparse(value)}` is none"
                raise self.origin.error(node, problem)
        node.template.used = True
        callee = node.template.scalar(tuple(v.value for v in fixed))  # type: ignore[attr-defined]
        return _call(callee.name, node.args)


def fold(node: ast.expr) -> ast.expr:
    """The value of an operation on constants, as Python has it; powers with short exponents as products."""
    children = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
    if isinstance(node, ast.Call):
        children = node.args
    if not children or not all(isinstance(c, ast.Constant) for c in children):
        return _power(node) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) else node
    values = [c.value for c in children]  # type: ignore[attr-defined]
    try:
        match node:
            case ast.BinOp() | ast.UnaryOp():
                result = OPERATORS[type(node.op)](*values)
            case ast.Compare():
                pairs = zip(node.ops, values, values[1:], strict=False)
                result = all(OPERATORS[type(o)](a, b) for o, a, b in pairs)
            case ast.Call(func=ast.Name(id=name)):
                function = evaluator(name)
                if function is None:
                    return node
                result = function(*values)
            case _:
                return node
    except (ArithmeticError, ValueError, TypeError):
        return node  # what it is then shows when it runs
    return ast.Constant(result) if isinstance(result, (bool, int, float)) else node


def _power(node: ast.BinOp) -> ast.expr:
    exponent: Any = node.right.value if isinstance(node.right, ast.Constant) else None
    if exponent == 1:
        return node.left
    if exponent == 2 and isinstance(node.left, ast.Name):
        return ast.BinOp(node.left, ast.Mult(), node.left)
    return _call(POWERS[exponent], [node.left]) if exponent in POWERS else node


def _call(name: str, arguments: list[ast.expr]) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), arguments, [])
