"""What to write instead of Python control flow on a tensor, where that was not converted: for messages."""

import ast
import linecache
from types import FrameType
from typing import TypeGuard

from nbflow.compiler.graph import CONSTANT, Value

_SIGNS = {
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "floor_div": "//", "floormod": "%",
}  # fmt: skip
_DEPTH = 3


def rewritten(tensor, frame: FrameType | None) -> str:
    """How the code that asks a traced tensor for its truth can be written.

    Args:
        tensor: the tensor.
        frame: of the code.
    """
    if frame is None:
        return "Use nf.cond, nf.where or nf.while_loop."
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    node = _asking(lines, frame) if lines else None
    if node is None:
        test = condition(tensor, frame)
        return (
            f"Its `if` or `while` was not converted, for the source of {frame.f_code.co_name} is not to be had. Put it "
            f"into a file, or write nf.cond({test}, lambda: …, lambda: …) for a choice and nf.while_loop(lambda …: "
            f"{test}, …) for a loop."
        )
    return (
        f"{frame.f_code.co_name} was not converted (autograph=False, do_not_convert, or a library's function); "
        f"write {_instead(node)}"
    )


# --- with the source --------------------------------------------------------------------------------------------------


def _asking(lines: list[str], frame: FrameType) -> ast.AST | None:
    """The innermost statement or expression that asks for truth where the frame is."""
    places = list(frame.f_code.co_positions())
    line, _, column, _ = places[frame.f_lasti // 2]
    if line is None or column is None:
        return None
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:
        return None
    found = None
    for node in ast.walk(tree):
        if isinstance(node, (ast.If, ast.While, ast.IfExp, ast.Assert)):
            part: ast.expr = node.test
        elif _asks(node):
            part = node
        else:
            continue
        start, end = (part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0)
        if start <= (line, column) < end:
            found = node  # ast.walk comes to inner nodes later
    return found


def _asks(node: ast.AST) -> TypeGuard[ast.expr]:
    """Whether an expression asks for the truth of its operands."""
    if isinstance(node, ast.Compare):
        return len(node.ops) > 1
    return isinstance(node, ast.BoolOp) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))


def _instead(node: ast.AST) -> str:
    text = ast.unparse
    if isinstance(node, ast.IfExp):
        return f"nf.cond({text(node.test)}, lambda: {text(node.body)}, lambda: {text(node.orelse)})"
    if isinstance(node, ast.If):
        return _if(node)
    if isinstance(node, ast.While):
        names = sorted({n.id for s in node.body for n in ast.walk(s) if isinstance(n, ast.Name) and _stores(n)})
        state = ", ".join(names)
        return f"nf.while_loop(lambda {state}: {text(node.test)}, body, [{state}])"
    if isinstance(node, ast.Assert):
        message = "" if node.msg is None else text(node.msg)
        return f"nf.debugging.Assert({text(node.test)}, [{message}])"
    if isinstance(node, ast.UnaryOp):
        return f"nf.logical_not({text(node.operand)})"
    if isinstance(node, ast.BoolOp):
        word = "and" if isinstance(node.op, ast.And) else "or"
        return _joined(word, [text(v) for v in node.values])
    assert isinstance(node, ast.Compare)
    operands = [node.left, *node.comparators]
    pairs = zip(operands, node.ops, operands[1:], strict=False)
    return _joined("and", [text(ast.Compare(a, [op], [b])) for a, op, b in pairs])


def _joined(word: str, parts: list[str]) -> str:
    found = parts[0]
    for part in parts[1:]:
        found = f"nf.logical_{word}({found}, {part})"
    return found


def _if(node: ast.If) -> str:
    """nf.cond in place of an `if`, with its values where both branches are one assignment or return."""
    test, body, orelse = ast.unparse(node.test), node.body, node.orelse
    if len(body) == 1 == len(orelse):
        one, other = body[0], orelse[0]
        values = f"lambda: {_value(one)}, lambda: {_value(other)}"
        if isinstance(one, ast.Return) and isinstance(other, ast.Return):
            return f"return nf.cond({test}, {values})"
        if isinstance(one, ast.Assign) and isinstance(other, ast.Assign):
            target = ast.unparse(one.targets[0])
            if target == ast.unparse(other.targets[0]):
                return f"{target} = nf.cond({test}, {values})"
    return f"nf.cond({test}, true_fn, false_fn)"


def _value(node: ast.stmt) -> str:
    value = getattr(node, "value", None)
    return "None" if value is None else ast.unparse(value)


def _stores(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


# --- without ----------------------------------------------------------------------------------------------------------


def condition(tensor, frame: FrameType) -> str:
    """A traced tensor as an expression of the variables of a frame."""
    names = {value.value: name for name, value in frame.f_locals.items() if isinstance(value, type(tensor))}
    return _expression(tensor.value, names, _DEPTH)


def _expression(value: Value, names: dict, depth: int) -> str:
    node = value.node
    if value in names:
        return names[value]
    if node is None or not depth:
        return "…"
    if node.op is CONSTANT:
        array = node.attrs["value"].array
        return str(array.item()) if array.ndim == 0 else "…"
    parts = [_expression(v, names, depth - 1) for v in node.inputs]
    if node.op.name in _SIGNS:
        text = f" {_SIGNS[node.op.name]} ".join(parts)
        return text if depth == _DEPTH else f"({text})"
    if node.op.name in ("cast", "identity", "broadcast_to"):
        return parts[0]
    return f"nf.{node.op.name}({', '.join(parts)})"
