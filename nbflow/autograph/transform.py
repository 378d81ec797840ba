"""The transformation: control flow in a function's syntax tree becomes calls of nbflow.autograph.operators.

    if x > 0:                          def ag__then():
        y = x                              nonlocal y
    else:                                  y = x
        y = -x          becomes        def ag__else():
                                           nonlocal y
                                           y = -x
                                       ag__.if_(x > 0, ag__then, ag__else, ('y',))

The operators call these functions as Python would run the statements, unless a tensor of a trace decides; then they
read and write the variables named, the state, through the cells that the functions share with the one around them.
Every node keeps the place of the one that it comes from, so that tracebacks show the source as it was written.
"""

import ast
import copy
from collections.abc import Iterable, Sequence

from nbflow.autograph import jumps
from nbflow.autograph.names import (
    NONE,
    Liveness,
    Names,
    Sureness,
    bound,
    captured,
    declared,
    local,
    own,
    parameters,
    read,
)
from nbflow.autograph.source import Source, mangled

AG = "ag__"  # the name of the operators in converted code
_SUSPENDING = (ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith)
_LAZY_SAFE = (
    *(ast.Name, ast.Constant, ast.Attribute, ast.Compare, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.And, ast.Or),
    *(ast.Add, ast.Sub, ast.Mult, ast.USub, ast.Not, ast.Load),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot),
)


def transformed(source: Source) -> ast.FunctionDef | ast.Lambda | None:
    """A function's definition with its control flow converted; None where there is nothing to convert.

    Raises:
        jumps.Unsupported: it cannot be converted.
    """
    node = copy.deepcopy(source.node)
    node.decorator_list = []  # type: ignore[union-attr]
    node.args.defaults = [ast.copy_location(ast.Constant(None), d) for d in node.args.defaults]
    node.args.kw_defaults = [d and ast.copy_location(ast.Constant(None), d) for d in node.args.kw_defaults]
    done = _Definition(source.owner).definition(node)
    return done if any(isinstance(n, ast.Name) and n.id == AG for n in ast.walk(done)) else None


class _Definition(ast.NodeTransformer):
    """Converts one function; functions inside get a transformer of their own.

    Args:
        owner: the class around it.
    """

    def __init__(self, owner: str):
        self.owner = owner
        self.numbers: dict[str, int] = {}
        self.suspends = False

    def definition(self, node):
        """The function converted; decorators and defaults are left as they are."""
        self.first = next(iter(parameters(node)), None)
        body = node.body if isinstance(node.body, list) else [node.body]
        self.globals = declared(body, ast.Global)
        self.nonlocals = declared(body, ast.Nonlocal)
        self.locals = local(node)
        self.suspends = any(isinstance(n, _SUSPENDING) for root in body for n in own(root))
        self.suspends |= isinstance(node, ast.AsyncFunctionDef)
        if isinstance(node, ast.Lambda):
            node.body = self.visit(node.body)
            return node
        document = body[:1] if ast.get_docstring(node, clean=False) is not None else []
        body = [_Prepared().visit(s) for s in body[len(document) :]]
        if not self.suspends and body:
            body = jumps.lower(body, lambda s: isinstance(s, ast.If) and always_python(s.test))
        body = _Appends(self.locals).block(body)
        self.locals |= bound(body) - self.globals - self.nonlocals
        always = captured(node) | self.globals | self.nonlocals
        Liveness(always).block(body, always)
        Sureness().block(body, frozenset())
        node.body = document + self._declarations(node) + self.function_body(body, NONE, node)
        return node

    def _declarations(self, node) -> list[ast.stmt]:
        kinds = ((ast.Global, self.globals), (ast.Nonlocal, self.nonlocals))
        return [ast.copy_location(kind(names=sorted(names)), node) for kind, names in kinds if names]

    # --- bodies of functions ----------------------------------------------------------------------------------------

    def function_body(self, statements: Sequence[ast.stmt], outer: Names, at: ast.AST) -> list[ast.stmt]:
        """The statements of a function, converted.

        Args:
            outer: the variables that it shares with the function around it.
        """
        found = self.block(statements)
        missing = (self._shared(found) - bound(found) - outer) & self.locals
        if missing:  # Python has to see these bound in this function
            names: list[ast.expr] = [ast.Name(n, ast.Store()) for n in sorted(missing)]
            dead = ast.If(ast.Constant(0), [ast.Assign(names, ast.Constant(None))], [])
            found = [_at(dead, at), *found]
        return found or [_at(ast.Pass(), at)]

    def _shared(self, statements: Iterable[ast.stmt]) -> Names:
        """The variables that functions made here share with this one."""
        names: set[str] = set()
        for root in statements:
            for node in own(root):
                if isinstance(node, ast.FunctionDef) and node.name.startswith(AG):
                    names |= declared(node.body, ast.Nonlocal)
        return frozenset(names)

    def block(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Statements converted, where they stand."""
        done: list[ast.stmt] = []
        for statement in statements:
            found = self.visit(statement)
            done += found if isinstance(found, list) else [found]
        return done

    def _function(
        self, what: str, statements: Sequence[ast.stmt], live: Names, at: ast.AST, arguments=()
    ) -> ast.FunctionDef:
        """A function of statements, which shares the live variables that they bind with the one around it."""
        shared = bound(statements) & live
        body = self.function_body(statements, shared - self.globals, at)
        for kind, names in ((ast.Nonlocal, shared - self.globals), (ast.Global, bound(statements) & self.globals)):
            if names:
                body.insert(0, _at(kind(names=sorted(names)), at))
        return self._defined(what, body, at, arguments)

    def _defined(self, what: str, body: list[ast.stmt], at: ast.AST, arguments=()) -> ast.FunctionDef:
        number = self.numbers[what] = self.numbers.get(what, 0) + 1
        node = ast.FunctionDef(
            name=f"{AG}{what}_{number}",
            args=ast.arguments([], [ast.arg(a) for a in arguments], None, [], [], None, []),
            body=body,
            decorator_list=[],
            type_params=[],  # type: ignore[call-arg]
        )
        return _at(node, at)

    def _extracted(self, node: ast.stmt) -> bool:
        """Whether a statement can be made of functions."""
        if not self.suspends:
            return True
        return not jumps.jumps([node]) and not any(isinstance(n, _SUSPENDING) for n in own(node))

    # --- statements -------------------------------------------------------------------------------------------------

    def visit_If(self, node):
        """A branch: if_."""
        if always_python(node.test) or not self._extracted(node):
            node.test = self.visit(node.test)
            node.body, node.orelse = self.block(node.body), self.block(node.orelse)
            return node
        live = node.live_after | node.live_inside
        made = bound(node.body + node.orelse)
        places = self._places(node.body + node.orelse, made)
        after = made & node.live_after
        test = self.visit(node.test)
        then = self._function("then", node.body, live, node)
        functions, orelse = [then], ast.Constant(None)
        if node.orelse:
            functions.append(self._function("else", node.orelse, live, node.orelse[0]))
            orelse = _name(functions[1].name)
        arguments = [test, _name(then.name), orelse, self._names(after)]
        dead = (made & node.live_inside) - after
        keywords = {"dead": self._names(dead)} if dead else {}
        if sure := after & node.sure_after:
            keywords["sure"] = self._names(sure)
        return [*functions, self._operator("if_", node, arguments, {**keywords, **places})]

    def visit_While(self, node):
        """A loop: while_."""
        if not self._extracted(node):
            node.test = self.visit(node.test)
            node.body, node.orelse = self.block(node.body), self.block(node.orelse)
            return node
        options = _options(node)
        asked: list[ast.expr] = [ast.UnaryOp(ast.Not(), _name(stop)) for stop in getattr(node, "stops", ())]
        test = node.test if not asked else ast.BoolOp(ast.And(), [*asked, node.test])
        returned: ast.stmt = _at(ast.Return(_at(test, node.test)), node.test)
        tested = bound([returned])
        tester = self._function("test", [returned], node.live_head, node.test)
        state = bound(node.body) & (node.live_head | node.live_after)
        keywords = {**self._lists(node.body, state), **self._places(node.body, state), **self._loop_options(options)}
        body = self._function("body", node.body, state, node.body[0])
        tested &= node.live_head
        arguments = [_name(tester.name), _name(body.name), self._names(state | tested)]
        if tested:
            keywords["tested"] = ast.Constant(True)
        return [tester, body, self._operator("while_", node, arguments, keywords)]

    def visit_For(self, node):
        """A loop over elements: for_."""
        if not self._extracted(node):
            node.iter, node.target = self.visit(node.iter), self.visit(node.target)
            node.body, node.orelse = self.block(node.body), self.block(node.orelse)
            return node
        options = _options(node)
        elements = self.visit(node.iter)
        taken: ast.stmt = _at(ast.Assign([node.target], _name(f"{AG}element")), node)
        statements = [taken, *node.body]
        state = bound(statements) & (node.live_head | node.live_after)
        keywords = {**self._lists(node.body, state), **self._places(statements, state), **self._loop_options(options)}
        body = self._function("body", statements, state, node.body[0], [f"{AG}element"])
        functions = [body]
        if stops := getattr(node, "stops", ()):
            asked: list[ast.expr] = [_name(stop) for stop in stops]
            going = ast.UnaryOp(ast.Not(), asked[0] if len(asked) == 1 else ast.BoolOp(ast.Or(), asked))
            returned: ast.stmt = _at(ast.Return(_at(going, node)), node)
            functions.append(self._function("test", [returned], node.live_head, node))
            keywords["test"] = _name(functions[1].name)
        arguments = [elements, _name(body.name), self._names(state)]
        return [*functions, self._operator("for_", node, arguments, keywords)]

    def visit_Assert(self, node):
        """assert: left out where Python leaves it out; the message is made only where it is needed."""
        if not __debug__:
            return _at(ast.Pass(), node)
        node = self.generic_visit(node)
        message = [] if node.msg is None else [node.msg]
        asked = self._call("fails", [node.test, *(_lambda(m) for m in message)])
        error = ast.Call(ast.Name("AssertionError", ast.Load()), copy.deepcopy(message), [])
        return _at(ast.If(asked, [ast.Raise(error, None)], []), node)

    def visit_FunctionDef(self, node):
        """A function inside: converted where it stands."""
        node.decorator_list = [self.visit(d) for d in node.decorator_list]
        self._defaults(node.args)
        return _Definition(self.owner).definition(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        """A lambda: its expression, whose arguments hide this function's variables."""
        self._defaults(node.args)
        inner = _Definition(self.owner)
        inner.definition(node)
        return node

    def visit_ClassDef(self, node):
        """A class inside: its methods are converted when they are called."""
        return node

    def _defaults(self, arguments: ast.arguments) -> None:
        arguments.defaults = [self.visit(d) for d in arguments.defaults]
        arguments.kw_defaults = [d and self.visit(d) for d in arguments.kw_defaults]

    # --- expressions ------------------------------------------------------------------------------------------------

    def visit_BoolOp(self, node):
        """and, or: the first value, and functions that give the others."""
        if self._kept(node.values[1:]) or always_python(node):
            return self.generic_visit(node)
        plain = all(isinstance(n, _LAZY_SAFE) for value in node.values[1:] for n in ast.walk(value))
        first, *rest = [self.visit(v) for v in node.values]
        name = ("and" if isinstance(node.op, ast.And) else "or") + ("_" if plain else "_lazy")
        return _at(self._call(name, [first, *map(_lambda, rest)]), node)

    def visit_UnaryOp(self, node):
        """not."""
        if not isinstance(node.op, ast.Not) or always_python(node):
            return self.generic_visit(node)
        return _at(self._call("not_", [self.visit(node.operand)]), node)

    def visit_IfExp(self, node):
        """a if test else b."""
        if self._kept([node.body, node.orelse]) or always_python(node.test):
            return self.generic_visit(node)
        test, body, orelse = map(self.visit, (node.test, node.body, node.orelse))
        return _at(self._call("if_exp", [test, _lambda(body), _lambda(orelse)]), node)

    def visit_Compare(self, node):
        """a < b < c, and `in`: other comparisons are what the operands make of them."""
        special = any(isinstance(op, (ast.In, ast.NotIn)) for op in node.ops)
        if self._kept(node.comparators[1:]) or not (special or len(node.ops) > 1):
            return self.generic_visit(node)
        node = self.generic_visit(node)
        if len(node.ops) == 1:
            name = "in_" if isinstance(node.ops[0], ast.In) else "not_in"
            return _at(self._call(name, [node.left, node.comparators[0]]), node)
        names: list[ast.expr] = [ast.Constant(type(op).__name__) for op in node.ops]
        first, *rest = node.comparators
        return _at(self._call("compare", [ast.Tuple(names, ast.Load()), node.left, first, *map(_lambda, rest)]), node)

    def visit_Call(self, node):
        """f(x): what is called is converted, arguments are evaluated as ever."""
        node = self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == AG:
            return node
        if isinstance(function, ast.Name) and function.id in ("super", "locals", "globals", "vars", "dir"):
            if function.id == "super" and not node.args and self.first is not None:
                node.args = [_at(_name("__class__"), node), _at(_name(self.first), node)]
            return node
        node.func = _at(self._call("of", [function]), function)
        return node

    def visit_Subscript(self, node):
        """x[i] where x may be a Python list and i a tensor."""
        node = self.generic_visit(node)
        plain = not any(isinstance(n, ast.Name) for n in ast.walk(node.slice))
        plain |= isinstance(node.slice, (ast.Slice, ast.Tuple))
        if not isinstance(node.ctx, ast.Load) or plain:
            return node
        return _at(self._call("get_item", [node.value, node.slice]), node)

    def _kept(self, lazy: Sequence[ast.expr]) -> bool:
        """Whether an expression stays Python's: a part evaluated later suspends the function or binds a variable."""
        return any(isinstance(n, (*_SUSPENDING, ast.NamedExpr)) for part in lazy for n in own(part))

    # --- what operators are called with -----------------------------------------------------------------------------

    def _call(self, name: str, arguments: Sequence[ast.expr], keywords: dict | None = None) -> ast.Call:
        given = [ast.keyword(k, v) for k, v in (keywords or {}).items()]
        return ast.Call(ast.Attribute(_name(AG), name, ast.Load()), list(arguments), given)

    def _operator(self, name: str, node: ast.stmt, arguments: Sequence[ast.expr], keywords: dict) -> ast.stmt:
        """A statement that calls an operator."""
        return _at(ast.Expr(self._call(name, arguments, keywords)), node)

    def _names(self, names: Iterable[str]) -> ast.expr:
        return ast.Tuple([ast.Constant(mangled(n, self.owner)) for n in sorted(names)], ast.Load())

    def _places(self, statements: Sequence[ast.stmt], made: Names) -> dict[str, ast.expr]:
        """Attributes and elements that statements assign, as (text, function that gives the object and the key)."""
        found: dict[str, ast.expr] = {}
        for root in statements:
            for node in own(root):
                if not isinstance(node, (ast.Attribute, ast.Subscript)) or not isinstance(node.ctx, ast.Store):
                    continue
                key = ast.Constant(mangled(node.attr, self.owner)) if isinstance(node, ast.Attribute) else node.slice
                plain = isinstance(node, ast.Attribute) or isinstance(key, (ast.Constant, ast.Name))
                if not plain or not _is_path(node.value) or read([node.value, key]) & made:
                    continue
                kind = ast.Constant(isinstance(node, ast.Attribute))
                parts: list[ast.expr] = [copy.deepcopy(node.value), copy.deepcopy(key), kind]
                text = ast.unparse(node)
                found[text] = ast.Tuple([ast.Constant(text), _lambda(ast.Tuple(parts, ast.Load()))], ast.Load())
        return {"places": ast.Tuple(list(found.values()), ast.Load())} if found else {}

    def _lists(self, statements: Sequence[ast.stmt], state: Names) -> dict[str, ast.expr]:
        """The variables among the state that statements append to."""
        found = {
            node.targets[0].id  # type: ignore[attr-defined]
            for root in statements
            for node in own(root)
            if isinstance(node, ast.Assign) and getattr(node, "appends", False)
        }
        return {"lists": self._names(found & state)} if found & state else {}

    def _loop_options(self, options: ast.Call | None) -> dict[str, ast.expr]:
        """The arguments of set_loop_options, to be evaluated before the loop; variables become their names."""
        if options is None:
            return {}
        given: list[ast.keyword] = []
        for keyword in options.keywords:
            if keyword.arg == "shape_invariants" and isinstance(keyword.value, (ast.List, ast.Tuple)):
                for pair in keyword.value.elts:
                    if isinstance(pair, ast.Tuple) and isinstance(pair.elts[0], ast.Name):
                        pair.elts[0] = ast.copy_location(ast.Constant(pair.elts[0].id), pair)
            given.append(ast.keyword(keyword.arg, self.visit(keyword.value)))
        return {"options": ast.Call(ast.Name("dict", ast.Load()), [], given)}


class _Prepared(ast.NodeTransformer):
    """Statements that would not do in a function inside: annotated variables, global and nonlocal."""

    def visit_AnnAssign(self, node):
        """x: T = value."""
        if not isinstance(node.target, ast.Name):
            return node
        if node.value is None:
            return _at(ast.If(ast.Constant(0), [ast.Assign([node.target], ast.Constant(None))], []), node)
        return _at(ast.Assign([node.target], node.value), node)

    def visit_Global(self, node):
        """They go to the top of the function."""
        return ast.copy_location(ast.Pass(), node)

    visit_Nonlocal = visit_Global

    def visit_FunctionDef(self, node):
        """Not inside of functions."""
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef


class _Appends(ast.NodeTransformer):
    """l.append(x) as l = ag__.append(l, x), so that the list is state of a loop; extend and += likewise.

    Args:
        names: the function's own variables, only these can be assigned.
    """

    def __init__(self, names: Names):
        self.names = names

    def block(self, statements: Iterable[ast.stmt]) -> list[ast.stmt]:
        """Statements with the appends in them."""
        return [self.visit(s) for s in statements]

    def visit_Expr(self, node):
        """l.append(x), l.extend(xs)."""
        call = node.value
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in ("append", "extend")
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id in self.names
            and len(call.args) == 1
            and not call.keywords
            and not isinstance(call.args[0], ast.Starred)
            and not any(isinstance(n, _SUSPENDING) for n in own(call))
        ):
            return self._assigned(call.func.value.id, call.func.attr, call.args[0], node)
        return node

    def visit_AugAssign(self, node):
        """l += [x]."""
        plain = isinstance(node.target, ast.Name) and node.target.id in self.names and isinstance(node.op, ast.Add)
        if plain and isinstance(node.value, (ast.List, ast.ListComp)):
            return self._assigned(node.target.id, "extend", node.value, node)
        return node

    def _assigned(self, name: str, operator: str, value: ast.expr, at: ast.stmt) -> ast.stmt:
        function = ast.Attribute(_name(AG), operator, ast.Load())
        made = ast.Assign([ast.Name(name, ast.Store())], ast.Call(function, [_name(name), value], []))
        made.appends = True  # type: ignore[attr-defined]
        return _at(made, at)

    def visit_FunctionDef(self, node):
        """Not inside of functions, which are converted by themselves."""
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef


def always_python(test: ast.expr) -> bool:
    """Whether a condition can only be a Python value: `x is None`, isinstance(...) and their like."""
    if isinstance(test, ast.Constant):
        return True
    if isinstance(test, ast.BoolOp):
        return all(map(always_python, test.values))
    if isinstance(test, ast.UnaryOp):
        return isinstance(test.op, ast.Not) and always_python(test.operand)
    if isinstance(test, ast.Compare):
        return all(isinstance(op, (ast.Is, ast.IsNot)) for op in test.ops) and len(test.ops) == 1
    named = isinstance(test, ast.Call) and isinstance(test.func, ast.Name)
    return named and test.func.id in ("isinstance", "issubclass", "hasattr", "callable")  # type: ignore[attr-defined]


def _is_path(node: ast.expr) -> bool:
    """Whether an expression is a variable, or an attribute of one."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _options(node) -> ast.Call | None:
    """A call of set_loop_options that a loop begins with, taken out of it."""
    for k, statement in enumerate(node.body[:2]):  # a flag may come before
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("set_loop_options"):
            node.body[k] = _at(ast.Pass(), statement)
            return call
    return None


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _lambda(body: ast.expr) -> ast.Lambda:
    return _at(ast.Lambda(ast.arguments([], [], None, [], [], None, []), body), body)


def _at(node, place: ast.AST):
    """A new node where another one stands."""
    return ast.fix_missing_locations(ast.copy_location(node, place))
