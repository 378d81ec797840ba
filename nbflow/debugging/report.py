"""What assertions say when they fail, and where: at once, or in a program that runs later."""

from collections.abc import Sequence

import numpy as np

from nbflow.ops.outside import ASSERT
from nbflow.tensor.formatting import beginning
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import apply

SUMMARIZE = 3  # elements of a value that are shown


class Report:
    """The message of an assertion in a compiled function, as an attribute of its node.

    Attributes:
        parts: texts, and None where a value stands.
        summarize: how many elements of a value are shown, all if negative.
    """

    def __init__(self, parts: Sequence[str | None], summarize: int | None):
        self.parts, self.summarize = list(parts), SUMMARIZE if summarize is None else summarize

    def shown(self, size: int) -> int:
        """How many elements of a value of so many are shown."""
        return size if self.summarize < 0 else min(size, self.summarize)

    def text(self, arrays: Sequence[np.ndarray], shapes: Sequence[tuple]) -> str:
        """The message for the first elements of the values and their shapes."""
        values = iter(map(beginning, arrays, shapes))
        return "assertion failed: " + " ".join(f"[{next(values) if p is None else p}]" for p in self.parts)


def in_program(*tensors) -> bool:
    """Whether an assertion on these tensors has to run with the program, not now."""
    return any(hasattr(t, "nbflow_static") for t in tensors)


def assert_later(condition, data: Sequence, summarize: int | None) -> None:
    """Adds an assertion to the trace.

    Args:
        condition: a bool scalar of the trace.
        data: texts and tensors for the message.
    """
    parts = [None if isinstance(x, TensorProtocol) else str(x) for x in data]
    tensors = [x for x in data if isinstance(x, TensorProtocol)]
    apply(ASSERT, [condition, *tensors], {"report": Report(parts, summarize)})


def array_of(tensor) -> np.ndarray:
    """The numbers of a tensor that is known, though a function may be being traced."""
    return np.asarray(tensor._view())


def shape_and_dtype(tensor) -> str:
    """How messages name a tensor."""
    return f"shape={tensor.shape} dtype={tensor.dtype.name}"


def prefix(message: str | None) -> str:
    """A message of the user's before one of ours."""
    return f"{message}.  " if message else ""
