"""What the functions that take branches and loop bodies do with nested structures of values."""

from collections.abc import Callable, Sequence
from typing import Any

from nbflow import nest
from nbflow.control.tensor_array import TensorArray
from nbflow.errors import InvalidArgumentError
from nbflow.shapes import Dim
from nbflow.tensor.state import state
from nbflow.tensor.tensor import argument, to_tensor


def tracing() -> bool:
    """Whether a function is being traced."""
    return state.trace is not None


def callable_argument(op: str, name: str, value) -> None:
    """Checks that an argument is a function.

    Raises:
        TypeError: it is not.
    """
    if not callable(value):
        raise TypeError(f"{op}: '{name}' must be callable, got {value!r:.100}")


def as_tensors(structure) -> Any:
    """A structure with tensors as leaves; TensorArrays stay as they are."""
    return nest.map_structure(lambda x: x if isinstance(x, TensorArray) else to_tensor(x), structure)


def elements_of(op: str, elems, scalars: type[Exception]) -> tuple[list, Callable[[Sequence], Any]]:
    """The tensors that a loop takes slices of, and what puts slices together as elems are.

    Raises:
        ValueError: there is no tensor, or first sizes differ.
        scalars: one is a scalar.
    """
    tensors = [argument(op, "elems", leaf) for leaf in nest.flatten(elems)]
    if not tensors:
        raise ValueError(
            f"{op}: elems holds no tensor: {elems!r:.200}; it takes a tensor or a nested structure of them"
        )
    for t in tensors:
        if not t.ndim:
            raise scalars(f"{op}: elems holds a scalar, {t!r}; its tensors have one axis or more")
    sizes = [t.nbflow_shape[0] for t in tensors]
    known = {n for n in sizes if not isinstance(n, Dim)}
    if len(known) > 1:
        raise ValueError(f"{op}: elems have sizes {', '.join(map(str, sizes))} along axis 0; they must be equal")
    return tensors, lambda leaves: nest.pack_sequence_as(elems, list(leaves))


def check_not_empty(op: str, tensors: Sequence) -> None:
    """Checks that there is a first element.

    Raises:
        InvalidArgumentError: there is none.
    """
    if tensors[0].nbflow_shape[0] == 0:
        raise InvalidArgumentError(f"{op}: elems is empty, of shape {tensors[0].shape}; give an initializer")
