"""break, continue and early return written with conditions and flags, so that bodies can become functions.

    for x in xs:                          ag__break = False
        if x < 0:                         for x in xs:              # as long as not ag__break
            break                             if x < 0:
        total += x                                ag__break = True
                                              else:
                                                  total += x

Where a jump ends one branch of an `if`, the rest moves into the other; flags are asked where that is not enough. Loops
get the flags that end them as their attribute `stops`.
"""

import ast
from collections.abc import Callable, Sequence
from typing import Any

from nbflow.autograph.names import FUNCTIONS, own

RESULT, RETURNED, BREAK, CONTINUE = "ag__result", "ag__returned", "ag__break", "ag__continue"
LOOPS = (ast.While, ast.For, ast.AsyncFor)


class Unsupported(ValueError):
    """A function has something that cannot be converted; it is left as it is."""


def jumps(statements: Sequence[ast.stmt]) -> set[type]:
    """The kinds of jumps that lead out of statements: Return, Break, Continue."""
    found: set[type] = set()
    for node in statements:
        if isinstance(node, (ast.Return, ast.Break, ast.Continue)):
            found.add(type(node))
        elif isinstance(node, LOOPS):
            found |= jumps(node.body) & {ast.Return} | jumps(node.orelse)
        elif not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            for block in blocks(node):
                found |= jumps(block)
    return found


def blocks(node: ast.stmt) -> list[list[ast.stmt]]:
    """The lists of statements in a compound statement."""
    found = [getattr(node, field) for field in ("body", "orelse", "finalbody") if getattr(node, field, None)]
    parts = [*getattr(node, "handlers", ()), *getattr(node, "cases", ())]
    return found + [part.body for part in parts]


def completes(statements: Sequence[ast.stmt]) -> bool:
    """Whether what follows statements may be reached, jumps aside."""
    if not statements:
        return True
    last = statements[-1]
    if isinstance(last, (ast.Return, ast.Break, ast.Continue, ast.Raise)):
        return False
    if isinstance(last, ast.If):
        return completes(last.body) or completes(last.orelse)
    if isinstance(last, ast.While) and isinstance(last.test, ast.Constant) and last.test.value:
        return ast.Break in jumps(last.body)
    return True


def lower(body: list[ast.stmt], left: Callable[[ast.stmt], bool]) -> list[ast.stmt]:
    """The statements of a function without jumps out of statements that become functions.

    Args:
        left: whether a statement is left as Python has it.

    Raises:
        Unsupported: a `finally` block jumps.
    """
    for root in body:
        for node in own(root):
            if isinstance(node, (ast.Try, ast.TryStar)) and jumps(node.finalbody):
                raise Unsupported(f"line {node.finalbody[0].lineno}: a jump out of a finally block")
    returns = any(_returns(node, left) for node in body)
    if returns and completes(body):
        body = [*body, ast.copy_location(ast.Return(value=None), body[-1])]
    lowered = _Function(returns).block(body, {})
    if returns:
        end = ast.Return(value=ast.Name(RESULT, ast.Load()))
        lowered = [_assigned(RETURNED, False, body[0]), *lowered, _placed(end, body[-1])]
    return _without_unread(lowered)


def _returns(node: ast.stmt, left: Callable[[ast.stmt], bool]) -> bool:
    """Whether a return stands in a statement that becomes a function."""
    if isinstance(node, (ast.If, *LOOPS)) and not left(node):
        return ast.Return in jumps([node])
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return False
    return any(_returns(inner, left) for block in blocks(node) for inner in block)


class _Function:
    """Lowers the statements of one function.

    Args:
        returns: whether return statements are lowered too.
    """

    def __init__(self, returns: bool):
        self.kinds = {ast.Break, ast.Continue} | ({ast.Return} if returns else set())
        self.loops = 0

    def block(self, statements: Sequence[ast.stmt], flags: dict[type, str]) -> list[ast.stmt]:
        """Statements without jumps.

        Args:
            flags: the flag that stands for break and for continue here.
        """
        flags = {ast.Return: RETURNED, **flags}
        done: list[ast.stmt] = []
        for k, node in enumerate(statements):
            if isinstance(node, ast.Return) and ast.Return in self.kinds:
                value = node.value or ast.Constant(None)
                done.append(_placed(ast.Assign([ast.Name(RESULT, ast.Store())], value), node))
            if isinstance(node, (ast.Return, ast.Break, ast.Continue)) and type(node) in self.kinds:
                return [*done, _assigned(flags[type(node)], True, node)]
            out = jumps([node]) & self.kinds
            rest = list(statements[k + 1 :])
            if isinstance(node, LOOPS):
                loop, after = self._loop(node)
                done += loop
                if RETURNED in loop[-1].stops and rest:
                    rest = [_unless([RETURNED], rest, rest[0])]
                if after or RETURNED in loop[-1].stops:
                    return [*done, *self.block([*after, *rest], flags)]
                continue
            if isinstance(node, ast.If) and out and rest and not (completes(node.body) and completes(node.orelse)):
                body = node.body + rest if completes(node.body) else node.body
                orelse = node.orelse + rest if completes(node.orelse) else node.orelse
                return [*done, self._inside(node, flags, body=body, orelse=orelse)]
            else:
                done.append(self._inside(node, flags))
            if out and rest:
                return [*done, *self._guard(out, self.block(rest, flags), flags, rest[0])]
        return done

    def _inside(self, node: ast.stmt, flags: dict, **fields) -> ast.stmt:
        """A statement with the statements in it lowered."""
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            return node
        changed = {name: list(value) for name, value in {**vars(node), **fields}.items() if _is_block(value)}
        for name, value in changed.items():
            changed[name] = self.block(value, flags)
            if value and not changed[name]:
                changed[name] = [_placed(ast.Pass(), value[0])]
        if isinstance(node, (ast.Try, ast.TryStar)) and jumps(node.body) & self.kinds and node.orelse:
            out = jumps(node.body) & self.kinds
            changed["orelse"] = self._guard(out, changed["orelse"], flags, node.orelse[0])
        for name in ("handlers", "cases"):
            if getattr(node, name, None):
                changed[name] = [self._inside(part, flags) for part in getattr(node, name)]
        return _placed(type(node)(**{**dict(ast.iter_fields(node)), **changed}), node) if changed else node

    def _loop(self, node) -> tuple[list, list[ast.stmt]]:
        """(a loop and what comes before it, the statements of its else under their condition, not yet lowered)."""
        self.loops += 1
        inner: dict[type, str] = {ast.Break: f"{BREAK}_{self.loops}", ast.Continue: f"{CONTINUE}_{self.loops}"}
        kinds = jumps(node.body)
        body = self.block(node.body, inner) or [_placed(ast.Pass(), node.body[0])]
        if ast.Continue in kinds:
            body = [_assigned(inner[ast.Continue], False, node.body[0]), *body]
        loop = _placed(type(node)(**{**dict(ast.iter_fields(node)), "body": body, "orelse": []}), node)
        ends = {**inner, ast.Return: RETURNED}
        loop.stops = [ends[kind] for kind in (ast.Break, ast.Return) if kind in kinds & self.kinds]
        before = [_assigned(inner[ast.Break], False, node)] if ast.Break in kinds else []
        after = list(node.orelse)
        if after and loop.stops:
            after = [_unless(loop.stops, after, node.orelse[0])]
        return [*before, loop], after

    def _guard(self, out: set[type], statements: list[ast.stmt], flags: dict, at: ast.stmt) -> list[ast.stmt]:
        """Lowered statements that run if none of some jumps happened before."""
        names = [flags[kind] for kind in (ast.Break, ast.Continue, ast.Return) if kind in out]
        return [_unless(names, statements, at)] if statements else []


def _is_block(value) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], ast.stmt)


def _placed(node, at: ast.AST):
    """A new node where another one stands."""
    return ast.fix_missing_locations(ast.copy_location(node, at))


def _assigned(name: str, value: bool, at: ast.AST) -> ast.stmt:
    return _placed(ast.Assign([ast.Name(name, ast.Store())], ast.Constant(value)), at)


def _unless(flags: list[str], statements: list[ast.stmt], at: ast.AST) -> ast.stmt:
    asked: list[ast.expr] = [ast.Name(flag, ast.Load()) for flag in flags]
    test = asked[0] if len(asked) == 1 else ast.BoolOp(ast.Or(), asked)
    return _placed(ast.If(ast.UnaryOp(ast.Not(), test), statements, []), at)


def _without_unread(body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements without assignments to flags that nobody asks."""
    used: set[str] = {RESULT}
    for root in body:
        for node in own(root):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                used.add(node.id)
            used.update(getattr(node, "stops", ()))
    return [kept for node in body for kept in _kept(node, used)]


def _kept(node: ast.stmt, used: set[str]) -> list[ast.stmt]:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        name = node.targets[0].id
        return [] if name.startswith("ag__") and name not in used else [node]
    for part in (node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        if isinstance(part, (*FUNCTIONS, ast.ClassDef)):
            continue
        for field in ("body", "orelse", "finalbody"):
            block: Any = getattr(part, field, None)
            if _is_block(block):
                found = [kept for inner in block for kept in _kept(inner, used)]
                setattr(part, field, found or ([_placed(ast.Pass(), block[0])] if field == "body" else []))
    return [node]
