"""Which variables statements read and bind, and which are live: whose value may still be read.

Liveness decides what is the state of a loop or a branch, so that temporary variables of a body are not part of it. It
is found backwards on the syntax tree, once break, continue and return are gone (see jumps): what is live where an If,
While or For is left stands in its `live_after`, where a loop's test is reached in its `live_head`.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Names = frozenset[str]
NONE: Names = frozenset()


def own(node: ast.AST, into: tuple = ()) -> Iterator[ast.AST]:
    """A node and all below it that runs in the same function: not the bodies of functions and classes inside.

    Args:
        into: types of nodes not to go below either.
    """
    yield node
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        children: Iterable[ast.AST] = outside(node)
    elif isinstance(node, into):
        return
    else:
        children = ast.iter_child_nodes(node)
    for child in children:
        yield from own(child, into)


def outside(node: ast.AST) -> list[ast.AST]:
    """The parts of a definition that run where it stands: decorators, defaults, bases."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    arguments = node.args  # type: ignore[attr-defined]
    defaults = [d for d in (*arguments.defaults, *arguments.kw_defaults) if d is not None]
    return [*getattr(node, "decorator_list", ()), *defaults]


def parameters(node: ast.AST) -> list[str]:
    """The names of a function's arguments."""
    a = node.args  # type: ignore[attr-defined]
    rest = [x for x in (a.vararg, a.kwarg) if x is not None]
    return [x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs, *rest)]


def body_of(node: ast.AST) -> list[ast.AST]:
    """The statements of a function, or a lambda's expression."""
    body = node.body  # type: ignore[attr-defined]
    return body if isinstance(body, list) else [body]


# --- reading and binding ----------------------------------------------------------------------------------------------


def _bound_by(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Name):
        return () if isinstance(node.ctx, ast.Load) else (node.id,)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return (node.name,)
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [a.asname or a.name.partition(".")[0] for a in node.names]
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return (node.name,) if node.name else ()
    if isinstance(node, ast.MatchMapping):
        return (node.rest,) if node.rest else ()
    return ()


def bound(nodes: Iterable[ast.AST]) -> Names:
    """The variables of the function that nodes assign, delete or define."""
    found: set[str] = set()
    for root in nodes:
        for node in own(root, COMPREHENSIONS):
            if isinstance(node, COMPREHENSIONS):  # only := reaches out of one
                found |= {n.target.id for n in own(node) if isinstance(n, ast.NamedExpr)}
            else:
                found.update(_bound_by(node))
    return frozenset(found)


def read(nodes: Iterable[ast.AST]) -> Names:
    """The variables that nodes read, those of functions defined in them included where they come from outside."""
    found: set[str] = set()
    for node in nodes:
        found |= _read(node)
    return frozenset(found)


def _read(node: ast.AST) -> Names:
    if isinstance(node, ast.Name):
        return frozenset() if isinstance(node.ctx, ast.Store) else frozenset((node.id,))
    if isinstance(node, FUNCTIONS):
        return read(outside(node)) | free(node)
    if isinstance(node, ast.ClassDef):  # its body sees the function's variables but where it binds its own
        return read(ast.iter_child_nodes(node))
    if isinstance(node, COMPREHENSIONS):
        targets = bound(g.target for g in node.generators)
        return read(g.iter for g in node.generators) | (read(ast.iter_child_nodes(node)) - targets)
    if isinstance(node, ast.AugAssign):
        return read((node.target, node.value)) | bound((node.target,))
    return read(ast.iter_child_nodes(node))


def declared(nodes: Iterable[ast.AST], kind: type) -> Names:
    """The names in `global` or `nonlocal` statements."""
    return frozenset(name for root in nodes for n in own(root) if isinstance(n, kind) for name in n.names)  # type: ignore


def local(function: ast.AST) -> Names:
    """The variables of a function."""
    body = body_of(function)
    outer = declared(body, ast.Global) | declared(body, ast.Nonlocal)
    return (bound(body) | frozenset(parameters(function))) - outer


def free(function: ast.AST) -> Names:
    """The variables of others that a function uses: it reads them, or declares them nonlocal."""
    body = body_of(function)
    return (read(body) | declared(body, ast.Nonlocal)) - local(function)


def captured(function: ast.AST) -> Names:
    """The variables that functions and classes inside a function use: live as long as anyone may call those."""
    found: set[str] = set()
    for root in body_of(function):
        for node in own(root):
            if isinstance(node, FUNCTIONS):
                found |= free(node)
            elif isinstance(node, ast.ClassDef):
                found |= read(node.body)
    return frozenset(found)


# --- liveness ---------------------------------------------------------------------------------------------------------


class Liveness:
    """Finds what is live in one function.

    Args:
        always: variables that are live everywhere: captured ones, and those of outer functions and modules.
    """

    def __init__(self, always: Names):
        self.always = always

    def block(self, statements: Sequence[ast.stmt], after: Names) -> Names:
        """What is live before statements, given what is live after them."""
        live = after
        for statement in reversed(statements):
            live = self.statement(statement, live)
        return live

    def statement(self, node: ast.stmt, after: Names) -> Names:
        """What is live before one statement."""
        rule = getattr(self, f"_{type(node).__name__.lower()}", None)
        found = (after - bound((node,))) | read((node,)) if rule is None else rule(node, after)
        return found | self.always

    def _return(self, node, after):
        return read((node,))

    def _if(self, node, after):
        node.live_after = after
        node.live_inside = self.block(node.body, after) | self.block(node.orelse, after)
        return read((node.test,)) | node.live_inside

    def _while(self, node, after):
        return self._loop(node, after, read((node.test,)), NONE)

    def _for(self, node, after):
        return read((node.iter,)) | self._loop(node, after, read((node.target,)), bound((node.target,)))

    _asyncfor = _for

    def _loop(self, node, after, tested, targets):
        head = after | tested | frozenset(getattr(node, "stops", ())) | self.block(node.orelse, after)
        while True:
            found = head | (self.block(node.body, head) - targets)
            if found == head:
                break
            head = found
        node.live_after, node.live_head = after, head
        return head

    def _with(self, node, after):
        # as if no context swallowed exceptions: then what a tape's block sets would be carried by every loop around it
        inside = self.block(node.body, after)
        parts = [p for item in node.items for p in (item.context_expr, item.optional_vars) if p is not None]
        return (inside - bound(parts)) | read(parts)

    _asyncwith = _with

    def _try(self, node, after):
        end = self.block(node.finalbody, after) if node.finalbody else after
        handlers = end
        for handler in node.handlers:
            handlers |= self.block(handler.body, end) | (read((handler.type,)) if handler.type else NONE)
        # any statement may be left for a handler: what that reads is live all along
        inside = Liveness(self.always | handlers)
        return inside.block(node.body, inside.block(node.orelse, end | handlers))

    _trystar = _try

    def _match(self, node, after):
        found = read((node.subject,)) | after
        for case in node.cases:
            found |= self.block(case.body, after) | read([case.pattern, *([case.guard] if case.guard else [])])
        return found


class Sureness(Liveness):
    """Finds what is surely read after each If, before it is bound again: `sure_after`.

    A branch that leaves such a variable without a value is a mistake; of others nobody knows before the program runs.
    """

    def __init__(self):
        super().__init__(NONE)

    def statement(self, node: ast.stmt, after: Names) -> Names:
        """What is surely read from one statement on."""
        rule = getattr(self, f"_{type(node).__name__.lower()}", None)
        return (after - bound((node,))) | surely_read(node) if rule is None else rule(node, after)

    def _return(self, node, after):
        return surely_read(node)

    def _if(self, node, after):
        node.sure_after = after
        return surely_read(node.test) | (self.block(node.body, after) & self.block(node.orelse, after))

    def _while(self, node, after):
        head = surely_read(node.test) | (self.block(node.orelse, after) - bound(node.body))
        self.block(node.body, head)
        return head

    def _for(self, node, after):
        later = self.block(node.orelse, after) - bound([node.target, *node.body])
        self.block(node.body, later)
        return surely_read(node.iter) | later

    _asyncfor = _for

    def _with(self, node, after):
        parts = [p for item in node.items for p in (item.context_expr, item.optional_vars) if p is not None]
        return (self.block(node.body, after) - bound(parts)) | frozenset().union(*map(surely_read, parts))

    _asyncwith = _with

    def _try(self, node, after):
        for statements in (node.body, node.orelse, node.finalbody, *(h.body for h in node.handlers)):
            self.block(statements, NONE)
        return after - bound((node,))

    _trystar = _try

    def _match(self, node, after):
        for case in node.cases:
            self.block(case.body, after)
        return surely_read(node.subject) | (after - bound((node,)))


def surely_read(node: ast.AST) -> Names:
    """The variables that are read whenever a statement or expression runs."""
    if isinstance(node, (*FUNCTIONS, *COMPREHENSIONS, ast.ClassDef)):
        return NONE
    if isinstance(node, ast.BoolOp):
        return surely_read(node.values[0])
    if isinstance(node, ast.IfExp):
        return surely_read(node.test)
    if isinstance(node, ast.AugAssign):
        return surely_read(node.value) | bound((node.target,))
    if isinstance(node, ast.Name):
        return read((node,))
    return frozenset().union(*map(surely_read, ast.iter_child_nodes(node)))
