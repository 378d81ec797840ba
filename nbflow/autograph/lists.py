"""Lists in converted code: those that a loop of a graph appends to, and elements of number a tensor."""

from collections.abc import Iterable
from typing import Any

from nbflow.function.body import BodyTrace
from nbflow.function.control import is_traced
from nbflow.public import NAMES
from nbflow.tensor.state import state


class TracedList:
    """A list whose length a loop of the graph decides."""


def as_traced_list(value) -> Any:
    """A Python list as one that a loop of the graph may append to."""
    return value


def append(target, value):
    """The list after target.append(value)."""
    if type(target) is list and isinstance(state.trace, BodyTrace):
        return [*target, value]  # the list itself is that of the code around the branch or the loop, too
    target.append(value)
    return target


def extend(target, values: Iterable):
    """The list after target.extend(values) or target += values."""
    if type(target) is list and isinstance(state.trace, BodyTrace):
        return [*target, *values]
    if type(target) is list:
        target.extend(values)
        return target
    target += values
    return target


def get_item(target, key):
    """target[key], where target may be a Python list of tensors and key a scalar of the trace."""
    if not is_traced(key) or not isinstance(target, (list, tuple)):
        return target[key]
    if key.ndim or not key.dtype.is_integer:
        raise TypeError(f"list indices are integers, got a tensor of shape {key.shape} and dtype {key.dtype.name}")
    number = NAMES["where"](key < 0, key + len(target), key)
    return NAMES["gather"](NAMES["stack"](list(target)), number)
