"""The op table: every op by name, and the helpers that entries are written with."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nbflow.compiler.formulas import apply
from nbflow.compiler.graph import Aval, Value, aval
from nbflow.compiler.layout import IOTA
from nbflow.compiler.op import Op
from nbflow.compiler.passes.simplify import Emitter
from nbflow.dtypes import ALL, DType, float32
from nbflow.errors import InvalidDTypeError
from nbflow.shapes import TensorShape, broadcast

TABLE: dict[str, Op] = {}


def register(op: Op) -> Op:
    """Enters an op into the table."""
    if op.name in TABLE:
        raise ValueError(f"the op {op.name} is in the table already")
    if op.wide and op.host is None:  # tensor.stages does it for host ops
        op.simplify = _widening(op)
    TABLE[op.name] = op
    return op


def _widening(op: Op) -> Callable:
    """Op.simplify for an op that is wide: halves become float32, and results halves again."""
    simplify = op.simplify

    def rule(emitter: Emitter, values: list[Value], attrs: dict):
        if not any(v.dtype.is_half for v in values):
            return simplify and simplify(emitter, values, attrs)

        def cast(value: Value, dtype: DType) -> Value:
            return value if value.dtype is dtype else emitter.emit(TABLE["cast"], [value], {"dtype": dtype})

        expected = op.infer([v.aval for v in values], attrs)
        results = emitter.emit(op, [cast(v, float32) if v.dtype.is_half else v for v in values], attrs)
        if isinstance(expected, tuple):
            return tuple(cast(v, a.dtype) for v, a in zip(results, expected, strict=True))
        return cast(results, expected.dtype)

    return rule


# --- operators: what +, *, <, [] mean for every kind of tensor --------------------------------------------------------


def _unary(name: str) -> Callable[[Any], Any]:
    return lambda self: TABLE[name](self)


def _binary(name: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: TABLE[name](self, other)


def _reflected(name: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: TABLE[name](other, self)


def _logical(how: str) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """The operator between bools, which between integers is bitwise, and its reflection."""

    def op(self) -> Op:
        return TABLE[f"bitwise_{how}" if self.dtype.is_integer else f"logical_{how}"]

    return lambda self, other: op(self)(self, other), lambda self, other: op(self)(other, self)


class Operators:
    """Python's operators in terms of table ops; for rules, handles and tensors alike."""

    __slots__ = ()
    __neg__, __abs__ = _unary("negative"), _unary("abs")
    __add__, __radd__ = _binary("add"), _reflected("add")
    __sub__, __rsub__ = _binary("subtract"), _reflected("subtract")
    __mul__, __rmul__ = _binary("multiply"), _reflected("multiply")
    __truediv__, __rtruediv__ = _binary("divide"), _reflected("divide")
    __floordiv__, __rfloordiv__ = _binary("floor_div"), _reflected("floor_div")
    __mod__, __rmod__ = _binary("floor_mod"), _reflected("floor_mod")
    __pow__, __rpow__ = _binary("pow"), _reflected("pow")
    __matmul__, __rmatmul__ = _binary("matmul"), _reflected("matmul")
    __lt__, __le__ = _binary("less"), _binary("less_equal")
    __gt__, __ge__ = _binary("greater"), _binary("greater_equal")
    __and__, __rand__ = _logical("and")
    __or__, __ror__ = _logical("or")
    __xor__, __rxor__ = _logical("xor")

    def __invert__(self):
        return TABLE["invert" if self.dtype.is_integer else "logical_not"](self)


class Handle(Operators):
    """A graph value on which rules are written with ordinary operators."""

    __slots__ = ("emitter", "value")

    def __init__(self, emitter: Emitter, value: Value):
        self.emitter, self.value = emitter, value

    @property
    def shape(self) -> tuple:
        """The shape; a symbolic dimension is a Dim."""
        return self.value.aval.shape

    nbflow_shape = shape  # as tensors have it: what gradient rules ask for

    @property
    def dtype(self) -> DType:
        """The dtype."""
        return self.value.aval.dtype

    def nbflow_apply(self, op: Op, inputs: Sequence, attrs: dict):
        """Applies an op in the handle's graph; Python numbers take the handle's dtype."""
        emitter, dtype = self.emitter, self.dtype
        values = [x.value if isinstance(x, Handle) else emitter.constant(apply(np.asarray, x), dtype) for x in inputs]
        return self._wrap(self.emitter.emit(op, values, attrs))

    def _wrap(self, result):
        if isinstance(result, tuple):
            return tuple(Handle(self.emitter, v) for v in result)
        return Handle(self.emitter, result)

    def constant(self, array, dtype: DType | None = None) -> "Handle":
        """A constant in the handle's graph."""
        return Handle(self.emitter, self.emitter.constant(array, dtype or self.dtype))

    def iota(self, size: int, dtype: DType) -> "Handle":
        """[0, 1, … size - 1] in the handle's graph."""
        return Handle(self.emitter, self.emitter.emit(IOTA, [], {"size": size, "dtype": dtype}))


def _composite(rule: Callable) -> Callable:
    """A rule over handles as the compiler calls it, over values."""

    def expand(emitter: Emitter, values: list[Value], attrs: dict):
        result = rule(*(Handle(emitter, v) for v in values), **attrs)
        if result is None:
            return None
        return tuple(r.value for r in result) if isinstance(result, tuple) else result.value

    return expand


# --- shape and dtype rules --------------------------------------------------------------------------------------------


def check_dtypes(name: str, arguments: Sequence[str], avals: Sequence[Aval], allowed: tuple[DType, ...]) -> None:
    """All inputs have one dtype, and the op takes it.

    Raises:
        InvalidDTypeError: it does not.
    """
    first = avals[0].dtype
    for argument, a in zip(arguments, avals, strict=True):
        if a.dtype is not first:
            raise InvalidDTypeError(
                f"{name}: {arguments[0]} is {first.name} and {argument} is {a.dtype.name}; dtypes are not mixed. "
                f"Convert one, for example nf.cast({argument}, nf.{first.name})."
            )
    if first not in allowed:
        raise InvalidDTypeError(
            f"{name}: {arguments[0]} has dtype {first.name}; it takes {', '.join(d.name for d in allowed)}. "
            f"Use nf.cast to convert it."
        )


def _elementwise_infer(name: str, arguments: tuple[str, ...], allowed: tuple[DType, ...], result: DType | None):
    def infer(avals: Sequence[Aval], attrs: dict) -> Aval:
        check_dtypes(name, arguments, avals, allowed)
        return aval(result or avals[0].dtype, broadcast(name, *(a.shape for a in avals)))

    return infer


def _rules(vjps: Sequence[Callable | None] | None):
    if vjps is None:
        return None, ()
    rules = {k: rule for k, rule in enumerate(vjps) if rule is not None}
    blocked = tuple(k for k in range(len(vjps)) if k not in rules)
    return (lambda k, g, inputs, output, attrs: rules[k](g, output, *inputs)), blocked


def elementwise(name: str, arguments: str, expr, *vjps, dtypes=ALL, result: DType | None = None, **options) -> Op:
    """Enters an elementwise op.

    Args:
        arguments: names, separated by spaces.
        expr: see Op.expr.
        vjps: for each argument (g, y, *arguments) -> its gradient, or None; none at all: no gradient.
        result: the result's dtype, if it is not the arguments'.
        options: further fields of Op.
    """
    names = tuple(arguments.split())
    vjp, blocked = _rules(vjps or None)
    infer = options.pop("infer", None) or _elementwise_infer(name, names, dtypes, result)
    return register(Op(name, names, infer, vjp=vjp, dtypes=dtypes, expr=expr, blocked=blocked, **options))


def composite(name: str, arguments: str, rule: Callable, infer: Callable, **options) -> Op:
    """Enters an op that is written in others: rule(*handles, **attrs) -> handle or tuple of handles."""
    return register(Op(name, tuple(arguments.split()), infer, expand=_composite(rule), **options))


def simplifying(rule: Callable) -> Callable:
    """A simplification over handles, rule(*handles, **attrs) -> handle or None, as Op.simplify wants it."""
    return _composite(rule)


def shape_text(a: Aval) -> str:
    """A shape as error messages show it."""
    return str(TensorShape(a.shape))


def floating(dtype: DType) -> bool:
    """Whether values of the dtype have gradients."""
    return dtype.is_differentiable
