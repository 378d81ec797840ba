"""Expressions of converted code: and, or, not, comparisons and conditional expressions, lazy as Python's."""

import operator
from collections.abc import Callable
from typing import Any

from nbflow.dtypes import bool_
from nbflow.errors import InvalidArgumentError
from nbflow.function.control import is_traced, staged_if
from nbflow.ops.table import TABLE
from nbflow.public import NAMES
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state
from nbflow.tensor.tensor import to_tensor
from nbflow.tensor.variable import Variable


def is_staged(value) -> bool:
    """Whether a condition has no value before the trace runs."""
    return is_traced(value) or (isinstance(value, Variable) and state.trace is not None)


def truth(value) -> Any:
    """What bool(value) is: a bool scalar of the trace for its tensors, else a Python bool.

    Raises:
        InvalidArgumentError: a tensor has more than one element.
    """
    if not is_staged(value):
        return bool(value)
    tensor = value.nbflow_tensor()
    if tensor.dtype is not bool_:
        tensor = TABLE["not_equal"](tensor, 0)
    if tensor.ndim:
        if any(n != 1 for n in tensor.nbflow_shape):
            raise InvalidArgumentError(
                f"a condition takes a tensor with one element, got shape {tensor.shape}; use nf.reduce_all or "
                f"nf.reduce_any"
            )
        tensor = TABLE["reshape"](tensor, shape=())
    return tensor


def _is_bool(value) -> bool:
    if isinstance(value, TensorProtocol):
        return value.dtype is bool_ and not value.ndim
    return isinstance(value, bool)


def _chain(first, rest: tuple[Callable, ...], word: str, lazy: bool):
    """first and rest…, or first or rest…"""
    value = first
    for following in rest:
        if not is_staged(value):
            if bool(value) is (word == "or"):
                return value
            value = following()
            continue
        if not lazy:
            other = following()
            if _is_bool(value) and _is_bool(other):
                value = TABLE[f"logical_{word}"](value.nbflow_tensor(), to_tensor(other))
                continue
            following = lambda other=other: other
        branches = lambda f=following: [f()], lambda v=value: [v]
        (value,) = staged_if(truth(value), branches if word == "and" else branches[::-1], [f"the value of `{word}`"])
    return value


def and_(first, *rest):
    """first and …; the rest may be evaluated in any case."""
    return _chain(first, rest, "and", False)


def and_lazy(first, *rest):
    """first and …; the rest is evaluated only if need be."""
    return _chain(first, rest, "and", True)


def or_(first, *rest):
    """first or …; the rest may be evaluated in any case."""
    return _chain(first, rest, "or", False)


def or_lazy(first, *rest):
    """first or …; the rest is evaluated only if need be."""
    return _chain(first, rest, "or", True)


def not_(value):
    """not value."""
    return TABLE["logical_not"](truth(value)) if is_staged(value) else not value


def if_exp(test, body: Callable, orelse: Callable):
    """body() if test else orelse()."""
    if not is_staged(test):
        return body() if test else orelse()
    branches = lambda: [body()], lambda: [orelse()]
    return staged_if(truth(test), branches, ["the value of `… if … else …`"])[0]


def in_(item, container):
    """item in container."""
    if isinstance(container, TensorProtocol) and (is_staged(container) or is_staged(item)):
        return NAMES["reduce_any"](NAMES["equal"](container, item))
    if not is_staged(item) or not isinstance(container, (list, tuple, range)):
        return item in container
    return or_(False, *(lambda other=other: item == other for other in container))


def not_in(item, container):
    """item not in container."""
    return not_(in_(item, container))


_COMPARISONS: dict[str, Callable] = {
    "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt,
    "GtE": operator.ge, "Is": operator.is_, "IsNot": operator.is_not, "In": in_, "NotIn": not_in,
}  # fmt: skip


def compare(names: tuple[str, ...], left, right, *rest: Callable):
    """left < right < …, each operand evaluated once, and only if need be.

    Args:
        names: of the comparisons, as in ast.
        rest: functions that give the operands from the third on.
    """
    result = _COMPARISONS[names[0]](left, right)
    for name, following in zip(names[1:], rest, strict=True):
        if not is_staged(result) and not result:
            return result
        left, right = right, following()
        found = _COMPARISONS[name](left, right)
        result = and_(truth(result), lambda found=found: truth(found)) if is_staged(result) else found
    return result
