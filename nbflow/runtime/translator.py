"""Kernel source to an LLVM module in one pass, with Numba's types and operations.

Numba's own pipeline has two dozen passes for all of Python; a kernel of a nest is loops over ranges, assignments and
calls, each variable of one type. Those are translated here statement by statement: what an operation means is asked of
Numba's typing and target context. Anything else raises Unsupported, and Numba compiles the kernel as a whole.
"""

import ast
import builtins
import copy
import operator
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import callconv, cgutils, compiler, errors, targetconfig
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu import CPUContext
from numba.core.registry import cpu_target

I64 = ir.IntType(64)
OPERATORS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class Unsupported(Exception):
    """The source has something that only Numba's own pipeline knows."""


class _Convention(callconv.CPUCallConv):
    """Numba's convention for calls, where a kernel has no status to return: a failed call ends it."""

    def return_status_propagate(self, builder, status):
        if _is_kernel(builder):
            builder.ret_void()
        else:
            super().return_status_propagate(builder, status)

    def return_user_exc(self, builder, *args, **kwargs):
        if _is_kernel(builder):
            raise Unsupported("an operation that raises exceptions")
        super().return_user_exc(builder, *args, **kwargs)


def _is_kernel(builder: ir.IRBuilder) -> bool:
    return isinstance(builder.function.ftype.return_type, ir.VoidType)


class _Context(CPUContext):
    call_conv = property(_Convention)


@cache
def _context():
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()
    context = copy.copy(cpu_target.target_context)
    context.__class__ = _Context
    context.error_model = callconv.create_error_model("numpy", context)
    return context


@cache
def _resolved(function, arguments: tuple):
    """The signature of a function for arguments of these types, and what writes its instructions."""
    context, typing = _context(), cpu_target.typing_context
    kind = typing.resolve_value_type(function)
    signature = typing.resolve_function_type(kind, arguments, {})
    if signature is None or signature.recvr or len(signature.args) != len(arguments):
        raise Unsupported(function)
    return signature, context.get_function(kind, signature)


class _Translator:
    """Writes one kernel. `names` holds (type, value), `slots` (type, memory) of variables with several assignments."""

    def __init__(self, builder: ir.IRBuilder, scope: dict, definition: ast.FunctionDef):
        self.builder, self.scope, self.context = builder, scope, _context()
        arguments = [argument.arg for argument in definition.args.args]
        counts = Counter(arguments)
        loops = set()
        for node in ast.walk(definition):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                counts[node.id] += 1
            elif isinstance(node, ast.For) and isinstance(node.target, ast.Name):
                counts[node.target.id] -= 1
                loops.add(node.target.id)
        if any(counts[name] for name in loops):
            raise Unsupported("a loop's variable that is assigned to")
        self.assigned = set(counts)
        self.several = {name for name, count in counts.items() if count > 1}
        self.names: dict[str, tuple[Any, Any]] = {}
        self.slots: dict[str, tuple[Any, Any]] = {}
        for name, value in zip(arguments, builder.function.args, strict=True):
            self.assign(name, types.int64, value)
        self.block(definition.body)

    def assign(self, name: str, kind, value) -> None:
        """Gives a variable a value."""
        plain = types.unliteral(kind)
        value = self.context.cast(self.builder, value, kind, plain)
        if name not in self.several:
            self.names[name] = plain, value
            return
        if name not in self.slots:
            memory = cgutils.alloca_once(self.builder, self.context.get_value_type(plain), name=name)
            self.slots[name] = plain, memory
        if self.slots[name][0] != plain:
            raise Unsupported(f"{name} of several types")
        self.builder.store(value, self.slots[name][1])

    # --- statements ---------------------------------------------------------------------------------------------

    def block(self, statements: list[ast.stmt]) -> None:
        """Statements whose variables are unknown behind them, unless they have memory."""
        outside = dict(self.names)
        for statement in statements:
            self.visit(statement)
        self.names = outside

    def visit(self, node: ast.AST):
        """What one statement does, or the (type, value) of an expression."""
        method = getattr(self, f"visit_{type(node).__name__}", None)
        if method is None:
            raise Unsupported(type(node).__name__)
        return method(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        targets, values = node.targets, [node.value]
        if len(targets) == 1 and isinstance(targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
            targets, values = targets[0].elts, node.value.elts
        if len(targets) != len(values):
            raise Unsupported("an assignment of one value to several variables")
        for target, (kind, value) in zip(targets, [self.visit(value) for value in values], strict=True):
            if not isinstance(target, ast.Name):
                raise Unsupported("an assignment to an item")
            self.assign(target.id, kind, value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if not isinstance(node.target, ast.Name):
            raise Unsupported("an assignment to an item")
        now = ast.Name(node.target.id, ast.Load())
        self.assign(node.target.id, *self.operation(node.op, now, node.value))

    def visit_For(self, node: ast.For) -> None:
        target, call = node.target, node.iter
        if not (isinstance(target, ast.Name) and isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
            raise Unsupported("a loop over something else than a range")
        if call.func.id != "range" or call.keywords or node.orelse:
            raise Unsupported("a loop over something else than a range")
        bounds = [self.visit(argument) for argument in call.args]
        if any(types.unliteral(kind) != types.int64 for kind, _ in bounds):
            raise Unsupported("a range of other integers")
        values = [self.context.cast(self.builder, value, kind, types.int64) for kind, value in bounds]
        step = getattr(bounds[2][0], "literal_value", 0) if len(bounds) == 3 else 1
        if step < 1:
            raise Unsupported("a loop with steps that vary, or backwards")
        start, stop = values[:2] if len(values) > 1 else (ir.Constant(I64, 0), values[0])
        if target.id in self.names:
            raise Unsupported("two loops in each other over one variable")
        builder = self.builder
        before = builder.block
        head, body, behind = (builder.append_basic_block() for _ in range(3))
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(I64)
        index.add_incoming(start, before)
        builder.cbranch(builder.icmp_signed("<", index, stop), body, behind)
        builder.position_at_end(body)
        self.names[target.id] = types.int64, index
        self.block(node.body)
        index.add_incoming(builder.add(index, ir.Constant(I64, step), flags=("nsw",)), builder.block)
        builder.branch(head)
        builder.position_at_end(behind)
        del self.names[target.id]

    # --- expressions --------------------------------------------------------------------------------------------

    def visit_Constant(self, node: ast.Constant):
        return self.constant(node.value)

    def constant(self, value):
        """A number as it stands in the source."""
        if type(value) not in (int, float, bool):
            raise Unsupported(f"a {type(value).__name__}")
        kind = types.maybe_literal(value) or cpu_target.typing_context.resolve_value_type(value)
        return kind, self.context.get_constant_generic(self.builder, types.unliteral(kind), value)

    def visit_Name(self, node: ast.Name):
        if node.id in self.names:
            return self.names[node.id]
        if node.id in self.slots:
            kind, memory = self.slots[node.id]
            return kind, self.builder.load(memory)
        if node.id in self.assigned:
            raise Unsupported(f"{node.id} in a block that does not assign to it")
        value = self.scope.get(node.id)
        if isinstance(value, types.Type):
            return types.NumberClass(value), self.context.get_dummy_value()
        return self.constant(value)

    def visit_BinOp(self, node: ast.BinOp):
        return self.operation(node.op, node.left, node.right)

    def visit_UnaryOp(self, node: ast.UnaryOp):
        number = node.operand.value if isinstance(node.operand, ast.Constant) else None
        if isinstance(node.op, ast.USub) and isinstance(number, (int, float)):
            return self.constant(-number)  # the least int64 has no positive counterpart
        return self.operation(node.op, node.operand)

    def visit_Compare(self, node: ast.Compare):
        if len(node.ops) > 1:
            raise Unsupported("a chain of comparisons")
        return self.operation(node.ops[0], node.left, node.comparators[0])

    def operation(self, op: ast.AST, *operands: ast.expr):
        """An operator applied to operands."""
        if type(op) not in OPERATORS:
            raise Unsupported(type(op).__name__)
        return self.call(OPERATORS[type(op)], [self.visit(operand) for operand in operands])

    def visit_Call(self, node: ast.Call):
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise Unsupported("a call of something without a name")
        name = node.func.id
        function = self.scope.get(name, getattr(builtins, name, None))
        return self.call(function, [self.visit(argument) for argument in node.args])

    def call(self, function, arguments: list[tuple[Any, Any]]):
        """A function's result."""
        signature, write = _resolved(function, tuple(kind for kind, _ in arguments))
        builder = self.builder
        values = [
            self.context.cast(builder, value, kind, wanted)
            for (kind, value), wanted in zip(arguments, signature.args, strict=True)
        ]
        return signature.return_type, write(builder, values)

    def visit_IfExp(self, node: ast.IfExp):
        kind, condition = self.visit(node.test)
        if kind != types.boolean:
            raise Unsupported("a condition that is no bool")
        builder = self.builder
        yes, no, behind = (builder.append_basic_block() for _ in range(3))
        builder.cbranch(condition, yes, no)
        found = []
        for block, branch in ((yes, node.body), (no, node.orelse)):
            builder.position_at_end(block)
            kind, value = self.visit(branch)
            plain = types.unliteral(kind)
            found.append((plain, self.context.cast(builder, value, kind, plain), builder.block))
            builder.branch(behind)
        if found[0][0] != found[1][0]:
            raise Unsupported("a choice between types")
        builder.position_at_end(behind)
        phi = builder.phi(found[0][1].type)
        for _, value, block in found:
            phi.add_incoming(value, block)
        return found[0][0], phi


@global_compiler_lock
def object_code(name: str, source: str, scope: dict) -> bytes:
    """The object code of the kernel `name`, the last function of source, under this name; raises Unsupported.

    Args:
        scope: the names that source uses and defines.
    """
    definition = ast.parse(source).body[-1]
    if not isinstance(definition, ast.FunctionDef):
        raise Unsupported(type(definition).__name__)
    context = _context()
    library = context.codegen().create_library(name)
    module = context.create_module(name)
    builder = ir.IRBuilder(ir.Function(module, ir.FunctionType(ir.VoidType(), [I64] * 3), name).append_basic_block())
    try:
        with targetconfig.ConfigStack().enter(_flags()), context.push_code_library(library):
            _Translator(builder, scope, definition)
    except (errors.NumbaError, NotImplementedError, KeyError, TypeError, ValueError) as error:  # how Numba says no
        raise Unsupported(str(error)) from error
    builder.ret_void()
    return _compiled(library, module)


def _flags() -> compiler.Flags:
    """How functions are compiled that a kernel calls and that say nothing about it."""
    flags = compiler.Flags()
    flags.nrt, flags.error_model = True, "numpy"
    return flags


def _compiled(library, module) -> bytes:
    """Object code of a module and what it calls, optimized as a whole as Numba does it."""
    final = llvm.parse_assembly(str(module))
    final.verify()
    for called in dict.fromkeys(library._linking_libraries):
        final.link_in(called._get_module_for_linking(), preserve=True)
    library._final_module = final
    library._optimize_final_module()
    return library._codegen._tm.emit_object(final)
