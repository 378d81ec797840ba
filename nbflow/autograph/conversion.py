"""Functions with their control flow converted: source, transformation, a new code object."""

from collections.abc import Callable


def converted(function: Callable) -> Callable:
    """A function as it is traced: control flow over tensors becomes ops; itself where there is nothing to convert."""
    return function
