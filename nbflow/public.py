"""What public functions are made with: the names they go by, their arguments as tensors, whole families from a row.

TensorFlow has many functions under several names (tf.abs is tf.math.abs). Here each says so where it is defined:
`@export("math.abs", "abs")`; `publish` puts all of them into their namespaces.
"""

import importlib
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from nbflow.dtypes import as_dtype
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.shapes import Dim, normalize_axes
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument, to_tensor

NAMES: dict[str, Any] = {}  # "math.abs" -> what is published as nf.math.abs


def export(*names: str) -> Callable:
    """Publishes a function or class under names such as "math.abs"; used as a decorator."""

    def note(thing):
        for name in names:
            if name in NAMES:
                raise ValueError(f"nf.{name} is there already")
            NAMES[name] = thing
        return thing

    return note


def publish() -> None:
    """Puts everything into its namespace, which is the module of that name."""
    for name, thing in NAMES.items():
        place, _, last = name.rpartition(".")
        setattr(importlib.import_module(f"nbflow.{place}" if place else "nbflow"), last, thing)


# --- arguments --------------------------------------------------------------------------------------------------------


def pair(op: str, x, y, names: tuple[str, str] = ("x", "y")) -> tuple:
    """Both as tensors, of one dtype where that is possible: numbers and arrays take the dtype of the first tensor."""
    hint = next((v.dtype for v in (x, y) if isinstance(v, TensorProtocol)), None)
    x = argument(op, names[0], x) if hint is None else alike(op, names[0], x, hint)
    return x, alike(op, names[1], y, hint or x.dtype)


def alike(op: str, name: str, value, dtype):
    """An argument beside one of a dtype: a tensor as it is, numbers and arrays as tensors of that dtype.

    Raises:
        InvalidDTypeError: numbers have no such dtype.
    """
    tensor = argument(op, name, value, dtype)
    if tensor.dtype is not dtype and not isinstance(value, TensorProtocol):
        raise InvalidDTypeError(f"{op}: cannot convert {name}, {value!r:.200}, to {dtype.name}; use nf.cast")
    return tensor


def arguments(op: str, values, name: str) -> list:
    """A list of tensors of one dtype, that of the first that is a tensor, or else of the first."""
    hint = next((v.dtype for v in values if isinstance(v, TensorProtocol)), None)
    found: list = []
    for k, v in enumerate(values):
        hint = hint or (found[0].dtype if found else None)
        found.append(argument(op, f"{name}[{k}]", v) if hint is None else alike(op, f"{name}[{k}]", v, hint))
    return found


def axes_of(axis):
    """An axis argument, which may be a tensor or an array, as Python integers."""
    if isinstance(axis, TensorProtocol):
        return axis.numpy().tolist()
    return axis.tolist() if hasattr(axis, "tolist") else axis


def fixed(op: str, name: str, value, dtype):
    """An argument of an op that takes one dtype: a tensor as it is, arrays and numbers as that dtype.

    Raises:
        InvalidDTypeError: numbers have no such dtype.
    """
    if isinstance(value, TensorProtocol):
        return argument(op, name, value)
    try:
        return to_tensor(value, dtype)
    except (TypeError, ValueError) as error:
        raise InvalidDTypeError(f"{op}: {name}: {error}") from None


def number(value):
    """A scalar argument as a Python or NumPy number."""
    return value.numpy()[()] if isinstance(value, TensorProtocol) else value


def sizes(shape) -> tuple:
    """A shape, -1 allowed, as a tuple.

    Raises:
        TypeError: a size is no integer.
    """
    known = getattr(shape, "nbflow_static", None)
    if known is not None:
        return tuple(known)
    if isinstance(shape, TensorProtocol):
        shape = _elements(shape.nbflow_tensor())
    elif not isinstance(shape, (list, tuple, np.ndarray)):
        shape = (shape,)
    return tuple(_size(s) for s in shape)


def _elements(tensor):
    """The sizes that a tensor holds; in a trace, as tensors."""
    if not hasattr(tensor, "nbflow_static"):
        return np.atleast_1d(tensor.numpy())
    return [tensor[k] for k in range(tensor.shape[0])] if tensor.ndim else [tensor]


def _size(value):
    known = getattr(value, "nbflow_static", None)
    if known is not None or isinstance(value, Dim):
        return value if known is None else known
    if isinstance(value, TensorProtocol):
        tensor = value.nbflow_tensor()
        if hasattr(tensor, "nbflow_static"):  # of a trace, and not known there
            return TABLE["counting"](tensor).nbflow_shape[0]
        value = tensor.numpy()
    try:
        return operator.index(value)
    except TypeError:
        raise InvalidDTypeError(f"{value!r:.200} is no integer, which sizes and positions are") from None


def size_of(op: str, name: str, value):
    """One size given as a number or a scalar tensor; in a trace it may be one that only values decide.

    Raises:
        InvalidArgumentError: it is negative or no integer.
    """
    try:
        (size,) = sizes((value,))
    except TypeError:
        raise InvalidDTypeError(f"{op}: {name} is {value!r:.200}; it takes an integer") from None
    if not isinstance(size, Dim) and size < 0:
        raise InvalidArgumentError(f"{op}: {name} is {size}; it takes 0 or more")
    return size


def shape_argument(op: str, shape, name: str = "shape") -> tuple:
    """A shape given as ints, a list, a TensorShape or a tensor, as a tuple.

    Raises:
        InvalidArgumentError: a size is negative or no integer.
    """
    try:
        found = sizes(shape)
    except TypeError:
        raise InvalidDTypeError(f"{op}: {name} is {shape!r}; it takes integers") from None
    for size in found:
        if not isinstance(size, Dim) and size < 0:
            raise InvalidArgumentError(f"{op}: {name} has size {size}; sizes are 0 or more")
    return found


def cast(x, dtype):
    """A tensor in another dtype, itself where it has that already."""
    dtype = as_dtype(dtype)
    return x if x.dtype is dtype else TABLE["cast"](x, dtype=dtype)


# --- families ---------------------------------------------------------------------------------------------------------


def _takes(op) -> str:
    return ", ".join(d.name for d in op.dtypes)


def _named(function: Callable, names: tuple[str, ...], doc: str) -> Callable:
    function.__name__ = function.__qualname__ = names[0].rpartition(".")[2]
    function.__doc__ = doc
    return export(*names)(function)


def _with_arguments(arguments: tuple[str, ...], body: str, op, names: tuple[str, ...]) -> Callable:
    """A function of arguments with these names, which callers may use, and of `name`."""
    scope = {"op": op, "argument": argument, "pair": pair, "names": arguments, "__name__": __name__}
    scope["public"] = names[0].rpartition(".")[2]
    text = f"def function({', '.join(arguments)}, name=None):\n    return {body}"
    exec(compile(text, __file__, "exec"), scope)  # in this file, so that errors name the caller's line
    return scope["function"]


def unary(op_name: str, formula: str, *names: str, argument_name: str = "x") -> Callable:
    """The public function of an elementwise op of one argument.

    Args:
        formula: what it computes, the first words of its documentation.
        names: its public names, "math.<op_name>" by default.
    """
    op, names = TABLE[op_name], names or (f"math.{op_name}",)
    function = _with_arguments((argument_name,), f"op(argument(public, {argument_name!r}, {argument_name}))", op, names)
    return _named(
        function,
        names,
        f"""{formula}, for each element (tf.{names[0]}).

    Args:
        {argument_name}: a tensor of {_takes(op)}.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of {argument_name}.
    """,
    )


def binary(op_name: str, formula: str, *names: str, arguments: tuple[str, str] = ("x", "y")) -> Callable:
    """The public function of an elementwise op of two arguments, see `unary`."""
    op, names = TABLE[op_name], names or (f"math.{op_name}",)
    function = _with_arguments(arguments, f"op(*pair(public, {', '.join(arguments)}, names))", op, names)
    return _named(
        function,
        names,
        f"""{formula}, for each element; shapes broadcast (tf.{names[0]}).

    Args:
        {", ".join(arguments)}: tensors of one dtype among {_takes(op)}; numbers and arrays take the dtype of the other.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: dtypes differ, or shapes do not broadcast.
    """,
    )


def reduction(op_name: str, what: str, *names: str) -> Callable:
    """The public function of a reduction op, see `unary`."""
    op, names = TABLE[op_name], names or (f"math.{op_name}", op_name)
    only = op.dtypes[0] if len(op.dtypes) == 1 else None

    def function(input_tensor, axis=None, keepdims=False, name=None):
        if only is None:
            x = argument(op_name, "input_tensor", input_tensor)
        else:
            x = fixed(op_name, "input_tensor", input_tensor, only)
        return op(x, axis=normalize_axes(op_name, axes_of(axis), x.ndim), keepdims=bool(keepdims))

    return _named(
        function,
        names,
        f"""{what} over axes of a tensor (tf.{names[0]}).

    Args:
        input_tensor: a tensor of {_takes(op)}.
        axis: an axis, a list of axes, or None for all; negative ones count from the end.
        keepdims: whether reduced axes stay with size 1.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the dtype of input_tensor, without the reduced axes.

    Raises:
        InvalidArgumentError: an axis is out of range.
    """,
    )
