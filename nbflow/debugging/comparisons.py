"""Assertions on the elements of tensors."""

from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from nbflow.debugging.report import SUMMARIZE, array_of, assert_later, in_program, prefix, shape_and_dtype
from nbflow.dtypes import bool_
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.public import argument, export, fixed, pair
from nbflow.shapes import broadcast
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import to_tensor

_HOLDS: dict[str, tuple[Callable[..., Any], str]] = {
    "==": (np.equal, "equal"),
    "!=": (np.not_equal, "not_equal"),
    "<": (np.less, "less"),
    "<=": (np.less_equal, "less_equal"),
    ">": (np.greater, "greater"),
    ">=": (np.greater_equal, "greater_equal"),
}


def _all(condition):
    return TABLE["reduce_all"](condition, axis=tuple(range(condition.ndim)), keepdims=False)


def _compare(op: str, sign: str, x, y, message, summarize) -> None:
    """Asserts x `sign` y."""
    x, y = (tensor.nbflow_tensor() for tensor in pair(op, x, y))
    if x.dtype is not y.dtype:
        raise InvalidDTypeError(f"{op}: x is {x.dtype.name} and y is {y.dtype.name}; dtypes are not mixed. Use nf.cast")
    broadcast(op, x.nbflow_shape, y.nbflow_shape)
    numpy, table = _HOLDS[sign]
    if in_program(x, y):
        data = [] if message is None else [message]
        data += [f"Condition x {sign} y did not hold element-wise:"]
        data += [f"x ({shape_and_dtype(x)}) = ", x, f"y ({shape_and_dtype(y)}) = ", y]
        assert_later(_all(TABLE[table](x, y)), data, summarize)
        return
    a, b = array_of(x), array_of(y)
    holds = numpy(a, b)
    if not np.all(holds):
        lines = [] if message is None else [str(message)]
        lines += [f"Condition x {sign} y did not hold."] + _differences(a, b, holds, summarize)
        raise InvalidArgumentError("\n".join(lines))


def _differences(x: np.ndarray, y: np.ndarray, holds: np.ndarray, summarize: int | None) -> list[str]:
    """Where and how two values do not compare as they should, and how they begin."""
    count = SUMMARIZE if summarize is None else x.size + y.size if summarize < 0 else summarize
    if not count:
        return []
    lines: list = []
    if x.shape == y.shape and x.ndim:
        places = np.argwhere(~holds)[:count]
        lines += [f"Indices of first {len(places)} different values:", places]
        lines += ["Corresponding x values:", x[~holds][:count], "Corresponding y values:", y[~holds][:count]]
    for name, array in (("x", x.reshape(-1)[:count]), ("y", y.reshape(-1)[:count])):
        lines += [f"First {array.size} elements of {name}:", array]
    return [str(line) for line in lines]


def _against_zero(op: str, sign: str, x, message, summarize) -> None:
    """Asserts x `sign` 0."""
    x = argument(op, "x", x).nbflow_tensor()
    numpy, table = _HOLDS[sign]
    data = [prefix(message), f"Condition x {sign} 0 did not hold element-wise:", f"x ({shape_and_dtype(x)}) = "]
    if in_program(x):
        assert_later(_all(TABLE[table](x, to_tensor(0, x.dtype))), [*data, x], summarize)
    elif not np.all(numpy(array_of(x), x.dtype.np.type(0))):
        raise InvalidArgumentError("\n".join([*data, _listed(array_of(x), summarize)]))


def _first(array: np.ndarray, summarize: int | None) -> list[str]:
    """The first elements as texts, and dots where there are more."""
    count = SUMMARIZE if summarize is None else array.size if summarize < 0 else summarize
    shown = [str(value) for value in array.reshape(-1)[:count]]
    return [*shown, "..."] if len(shown) < array.size and array.ndim else shown


def _listed(array: np.ndarray, summarize: int | None) -> str:
    return str(_first(array, summarize)) if array.ndim else str(array[()])


@export("debugging.Assert", "Assert")
def Assert(condition, data, summarize=None, name=None) -> None:
    """Fails unless a condition holds (tf.Assert); in a compiled function that is checked when it runs.

    After a failure in a compiled function, Variables have the values that they had before the call.

    Args:
        condition: a bool scalar.
        data: a list of tensors and texts that the message shows.
        summarize: how many elements of each tensor, 3 by default, -1 for all.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        InvalidArgumentError: condition is false.

    Example:
        >>> import nbflow as nf
        >>> @nf.function
        ... def f(x):
        ...     nf.Assert(nf.reduce_all(x > 0), [x])
        ...     return nf.math.log(x)
        >>> f(nf.constant([1.0, -2.0]))
        Traceback (most recent call last):
        ...
        nbflow.errors.InvalidArgumentError: assertion failed: [1 -2] (in ...)
    """
    condition = fixed("Assert", "condition", condition, bool_).nbflow_tensor()
    items = [x if isinstance(x, (str, bytes)) else argument("Assert", "data", x).nbflow_tensor() for x in data]
    if in_program(condition):
        assert_later(condition, items, summarize)
        return
    if condition.ndim:
        raise ValueError(f"Assert: condition has shape {condition.shape}; it takes a scalar. Use nf.reduce_all")
    if not array_of(condition):
        _fail(condition, items, summarize)


def _fail(condition, items: Sequence, summarize: int | None) -> None:
    if in_program(*(x for x in items if isinstance(x, TensorProtocol))):
        assert_later(condition, items, summarize)  # false whatever comes, but only the run knows the values
        return
    texts = [x if isinstance(x, (str, bytes)) else ", ".join(_first(array_of(x), summarize)) for x in items]
    raise InvalidArgumentError(f"Expected '{condition!s}' to be true. Summarized data: " + "\n".join(map(str, texts)))


@export("debugging.assert_near")
def assert_near(x, y, rtol=None, atol=None, message=None, summarize=None, name=None) -> None:
    """Fails unless |x - y| < atol + rtol |y| for every element (tf.debugging.assert_near).

    Args:
        x, y: tensors of floating point or complex numbers; shapes broadcast.
        rtol, atol: tolerances, 10 times the dtype's epsilon by default.
        message: stands at the beginning of the error.
        summarize: how many elements of each tensor it shows, 3 by default, -1 for all.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        InvalidArgumentError: an element is too far off.
    """
    x, y = (tensor.nbflow_tensor() for tensor in pair("assert_near", x, y))
    if not x.dtype.is_differentiable:
        raise InvalidDTypeError(f"assert_near: x is {x.dtype.name}; it takes floating point and complex numbers")
    dtype = x.dtype.real_dtype
    default = 10 * ml_dtypes.finfo(dtype.np).eps
    rtol, atol = (to_tensor(default if t is None else t, dtype).nbflow_tensor() for t in (rtol, atol))
    data = [prefix(message), f"x and y not equal to tolerance rtol = {rtol}, atol = {atol}"]
    data += [f"x ({shape_and_dtype(x)}) = ", x, f"y ({shape_and_dtype(y)}) = ", y]
    if in_program(x, y, rtol, atol):
        close = TABLE["abs"](x - y) < atol + rtol * TABLE["abs"](y)
        assert_later(_all(close), data, summarize)
        return
    a, b, r, t = map(array_of, (x, y, rtol, atol))
    with np.errstate(all="ignore"):
        holds = np.all(np.abs(a - b) < t + r * np.abs(b))
    if not holds:
        _fail(to_tensor(False), data, summarize)


# --- one function a sign ----------------------------------------------------------------------------------------------

_RAISES = """Raises:
        InvalidArgumentError: it does not hold. Eagerly, and for what is known while a function is traced, at once;
            otherwise when the compiled function runs, which leaves Variables as they were before the call."""
_MESSAGE = """message: stands at the beginning of the error.
        summarize: how many elements it shows, 3 by default, -1 for all.
        name: accepted as TensorFlow's; it has no effect."""


def _named(function: Callable, name: str, names: tuple[str, ...], doc: str) -> None:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    export(*names)(function)


def _binary(name: str, sign: str, *names: str) -> None:
    def function(x, y, message=None, summarize=None, name=None):
        _compare(public, sign, x, y, message, summarize)

    public = name
    _named(
        function,
        name,
        (f"debugging.{name}", *names),
        f"""Fails unless x {sign} y for every pair of elements (tf.debugging.{name}); shapes broadcast.

    Args:
        x, y: tensors of one dtype; numbers and arrays take the dtype of the other.
        {_MESSAGE}

    {_RAISES}

    Example:
        >>> import nbflow as nf
        >>> x = nf.constant([1, 2])
        >>> nf.debugging.{name}(x, {_EXAMPLES[sign]})
    """,
    )


_EXAMPLES = {"==": "x", "!=": "[3, 4]", "<": "[2, 3]", "<=": "[1, 3]", ">": "0", ">=": "[1, 0]"}
_binary("assert_equal", "==", "assert_equal")
_binary("assert_less", "<", "assert_less")
_binary("assert_less_equal", "<=")
_binary("assert_greater", ">", "assert_greater")
_binary("assert_greater_equal", ">=")


@export("debugging.assert_none_equal")
def assert_none_equal(x, y, summarize=None, message=None, name=None) -> None:
    """Fails unless x != y for every pair of elements (tf.debugging.assert_none_equal); shapes broadcast.

    Args:
        x, y: tensors of one dtype; numbers and arrays take the dtype of the other.
        summarize: how many elements the error shows, 3 by default, -1 for all.
        message: stands at its beginning.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        InvalidArgumentError: a pair is equal.
    """
    _compare("assert_none_equal", "!=", x, y, message, summarize)


def _unary(name: str, sign: str) -> None:
    def function(x, message=None, summarize=None, name=None):
        _against_zero(public, sign, x, message, summarize)

    public = name
    _named(
        function,
        name,
        (f"debugging.{name}",),
        f"""Fails unless x {sign} 0 for every element (tf.debugging.{name}).

    Args:
        x: a tensor of real numbers.
        {_MESSAGE}

    {_RAISES}
    """,
    )


_unary("assert_negative", "<")
_unary("assert_positive", ">")
_unary("assert_non_negative", ">=")
_unary("assert_non_positive", "<=")
