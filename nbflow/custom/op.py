"""nf.op: a Python function of numbers as an elementwise op, fused with its neighbours and differentiable."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nbflow.compiler.graph import Aval, aval
from nbflow.compiler.op import Op
from nbflow.compiler.scalars import definitions
from nbflow.custom.derivative import constant, derivative
from nbflow.custom.language import CONSTANTS, Template, read
from nbflow.custom.scalar import Scalar
from nbflow.dtypes import FLOATING, INTEGER, DType, as_dtype, bool_, float32
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE, check_dtypes
from nbflow.public import cast, export
from nbflow.shapes import broadcast
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument

WHOLE = (*INTEGER, bool_)  # arguments beside floating-point ones may be of these

_ops: dict[str, Op] = {}  # by the program's name


def op_of(scalar: Scalar) -> Op:
    """The elementwise op that computes a program."""
    found = _ops.get(scalar.name)
    if found is None:
        label, names = scalar.origin.name, scalar.parameters

        def infer(avals: Sequence[Aval], attrs: dict) -> Aval:
            check_dtypes(label, names, avals, FLOATING)
            return aval(avals[0].dtype, broadcast(label, *(a.shape for a in avals)))

        def vjp(k: int, g, inputs, output, attrs):
            partial = derivative(scalar, k)
            return TABLE["zeros_like"](g) if partial is None else g * op_of(partial)(*inputs)

        call = f"{scalar.name}({', '.join(names)})"
        found = _ops[scalar.name] = Op(scalar.name, names, infer, vjp=vjp, dtypes=FLOATING, expr=call)
    return found


def _not_floating(name: str, parameter: str, dtype: DType) -> str:
    takes = ", ".join(d.name for d in FLOATING)
    return f"{name}: {parameter} has dtype {dtype.name}; it takes {takes}. Use nf.cast to convert it."


class CustomOp:
    """What nf.op makes of a function: an op, to be called with tensors and numbers."""

    def __init__(self, function: Callable, template: Template, path: tuple[str, ...] = ()):
        self.nbflow_template = None if path else template  # what other ops put in place of a call
        self._function, self._template, self._path = function, template, path
        self._signature = inspect.signature(function)
        self._parameters = dict(zip(self._signature.parameters, template.parameters, strict=True))
        self._quick: Op | None = None  # the op of a call with nothing but tensors
        functools.update_wrapper(self, function)
        if not template.free:
            raise TypeError(f"nf.op: {template.name} has no parameter that could be a tensor")
        self._check()

    def _check(self) -> None:
        """Compiles the program where defaults suffice, so that errors show before the first call."""
        defaults = self._template.defaults
        if all(p in defaults for p in self._template.fixed):
            _ = self._scalar(tuple(defaults[p] for p in self._template.fixed)).partials

    def __call__(self, *args, **kwargs):
        """Applies the op; see nf.op."""
        if not kwargs and len(args) == len(self._parameters) and not self._template.fixed:
            values: Sequence = args
            fixed: tuple = ()
        else:
            values, fixed = self._bind(args, kwargs)
        op = self._quick
        if op is None or fixed:
            self._template.used = True
            op = op_of(self._scalar(fixed))
            self._quick = None if fixed else op
        return op(*self._tensors(values))

    def _bind(self, args: tuple, kwargs: dict) -> tuple[list, tuple]:
        """Arguments that are tensors or numbers, and the values of the fixed parameters."""
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self._template.name}: {error}; it takes {self._signature}") from None
        bound.apply_defaults()
        values, fixed = [], []
        for name, value in bound.arguments.items():
            if self._parameters[name] not in self._template.fixed:
                values.append(value)
                continue
            value = value.item() if isinstance(value, np.generic) else value
            if not isinstance(value, CONSTANTS):
                raise TypeError(
                    f"{self._template.name}: {name} is fixed when the kernel is compiled, as it is keyword-only, a "
                    f"flag, or bounds a loop; it takes a Python number and got {value!r:.200}"
                )
            fixed.append(value)
        return values, tuple(fixed)

    def _tensors(self, values: Sequence) -> list:
        """Arrays as tensors, integers and truth values as numbers of the others' dtype.

        A number is made a tensor where there is no tensor beside it.
        """
        name, parameters = self._template.name, self._template.free
        hint = next((v.dtype for v in values if isinstance(v, TensorProtocol) and v.dtype in FLOATING), None)
        found: list = list(values)
        for numbers in (False, True):
            for k, value in enumerate(values):
                if isinstance(value, TensorProtocol) or (type(value) in (int, float)) is not numbers:
                    continue
                if not numbers or not any(isinstance(v, TensorProtocol) for v in found):
                    found[k] = argument(name, parameters[k], value, hint or (float32 if numbers else None))
                    hint = hint or (found[k].dtype if found[k].dtype in FLOATING else None)
        for k, value in enumerate(found):
            if isinstance(value, TensorProtocol) and value.dtype not in FLOATING:
                if hint is None or value.dtype not in WHOLE:
                    raise InvalidArgumentError(_not_floating(name, parameters[k], value.dtype))
                found[k] = cast(value, hint)
        return found

    def _scalar(self, fixed: tuple) -> Scalar:
        scalar = self._template.scalar(fixed)
        for name in self._path:
            partial = derivative(scalar, scalar.parameters.index(name))
            scalar = constant(scalar, 0.0) if partial is None else partial
        return scalar

    def gradient(self, function: Callable) -> Callable:
        """Gives the op its derivatives by hand, as a decorator.

        Args:
            function: of the same parameters; it returns a tuple of the partial derivatives, one for each parameter that
                may be a tensor, and is written in the same language as the op.
        """
        self._template.set_gradient(read(function))
        self._check()
        return function

    def derivative(self, parameter: str) -> "CustomOp":
        """The partial derivative with respect to a parameter, as an op of the same parameters."""
        name = self._parameters.get(parameter)
        if name not in self._template.free:
            raise TypeError(f"{self._template.name}: {parameter!r} is none of its parameters {self._template.free}")
        return CustomOp(self._function, self._template, (*self._path, name))

    def source(self, dtype="float32", **fixed) -> str:
        """The op as kernels have it, in Python, with the functions that it calls."""
        defaults = self._template.defaults
        values = tuple(fixed[p] if p in fixed else defaults[p] for p in self._template.fixed)
        name = self._scalar(values).name
        return definitions(f"{name}_{as_dtype(dtype).compute}(").rstrip() + "\n"

    def __repr__(self) -> str:
        return f"<nf.op {self._template.name}{self._signature}>"


@export("op")
def op(
    function: Callable | None = None, *, derivatives: Sequence[Callable | None] | None = None, max_rounds: int = 10_000
) -> Any:
    """Makes an elementwise op of a Python function of numbers; used as a decorator.

    The op applies the function to each element of its arguments, which broadcast. It works on tensors, Variables,
    arrays and numbers, eagerly and in nf.function, where it becomes part of the loop of the ops around it, and on
    tapes: its derivatives are made from the source, to any order. See docs/custom-ops.md.

    Args:
        function: it may use local variables, if, `... if ... else ...`, for over range, while, break, continue and
            early returns; +, -, *, /, //, %, **, comparisons, and, or, not; abs, min, max, int, float, round; math.exp
            and its like, also under their names in NumPy and nbflow; other nf.op functions and plain Python functions
            of numbers; numbers from outside, as they are when the op is made. It returns a number.
            Parameters are tensors or numbers. Those that are keyword-only, have a default of True, False, None or
            text, or bound a loop are fixed when the kernel is compiled: each value makes a kernel of its own.
        derivatives: the partial derivatives where they are written by hand: for each parameter that may be a tensor a
            function of the same parameters, None where it is zero. See also CustomOp.gradient.
        max_rounds: a loop whose end is not known beforehand gives NaN after so many rounds.

    Returns:
        A CustomOp.

    Raises:
        TypeError: what is given is no function with source.
        SyntaxError: it uses something else of Python; the error points at the line.

    Example:
        >>> import math
        >>> import nbflow as nf
        >>> @nf.op
        ... def squareplus(x, b=4.0):
        ...     return 0.5 * (x + math.sqrt(x * x + b))
        >>> y = squareplus(nf.constant([1.0, 2.0]), b=2.0)
    """
    if function is None:
        return lambda f: op(f, derivatives=derivatives, max_rounds=max_rounds)
    template = read(function, max_rounds)
    if derivatives is not None:
        template.set_gradient(tuple(None if d is None else read(d, max_rounds) for d in derivatives))
    return CustomOp(function, template)
