"""Where code runs, eagerly or in a trace, and the names that TensorFlow has for ordering it."""

from contextlib import nullcontext
from typing import Any

import numpy as np

from nbflow.compiler.graph import CONSTANT
from nbflow.function.trace import SymbolicTensor
from nbflow.public import export
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state


@export("executing_eagerly")
def executing_eagerly() -> bool:
    """Whether ops run at once here, rather than go into the trace of a function (tf.executing_eagerly)."""
    return state.trace is None


@export("inside_function")
def inside_function() -> bool:
    """Whether a function is being traced here (tf.inside_function)."""
    return state.trace is not None


@export("get_static_value")
def get_static_value(tensor, partial=False):
    """The value of a tensor where it is known before anything runs (tf.get_static_value).

    Args:
        tensor: a tensor, of a trace or not; anything else is given back.
        partial: whether to give a list with None for the elements that are not known.

    Returns:
        A NumPy array: of an eager tensor, a constant, or what follows from shapes alone. None where it is not known.
    """
    if not isinstance(tensor, SymbolicTensor):
        return tensor.numpy() if isinstance(tensor, TensorProtocol) else tensor
    if tensor.value.node is not None and tensor.value.node.op is CONSTANT:
        return tensor.value.node.attrs["value"].array
    known = tensor.nbflow_static
    if known is None:
        return None
    sizes = [size if isinstance(size, int) else None for size in (known if isinstance(known, tuple) else (known,))]
    if None in sizes:
        return sizes if partial and isinstance(known, tuple) else None
    return np.asarray(sizes, tensor.dtype.np).reshape(tuple(tensor.shape))


@export("name_scope")
class name_scope:
    """A block of ops with a name (tf.name_scope). Graphs here are read by source line, so it only makes names.

    Args:
        name: a part of the names of the scopes inside. With a "/" at its end it is a whole name, and "" goes back to
            the outermost scope.

    Example:
        >>> import nbflow as nf
        >>> with nf.name_scope("layer") as scope:
        ...     scope
        'layer/'
    """

    def __init__(self, name: str):
        if not isinstance(name, str):
            raise ValueError(f"name_scope: name is {name!r:.100}; it takes a string")
        self.name = name

    def __enter__(self) -> str:
        self._outer = state.scope
        whole = not self.name or self.name.endswith("/") or not state.scope
        state.scope = self.name.rstrip("/") if whole else f"{state.scope}/{self.name}"
        return state.scope and f"{state.scope}/"

    def __exit__(self, *_) -> None:
        state.scope = self._outer


@export("get_current_name_scope")
def get_current_name_scope() -> str:
    """The names of the scopes that are open here, such as "model/layer" (tf.get_current_name_scope)."""
    return state.scope


@export("control_dependencies")
def control_dependencies(control_inputs) -> Any:
    """A block that runs after some ops (tf.control_dependencies): ops run in the order of the program anyway."""
    return nullcontext()


@export("group")
def group(*inputs, **kwargs) -> None:
    """One name for several ops that have run (tf.group); returns None, as in eager TensorFlow."""


@export("no_op")
def no_op(name=None) -> None:
    """Does nothing (tf.no_op)."""


@export("tuple")
def tuple_(tensors, control_inputs=None, name=None) -> list:
    """The tensors, all of them computed (tf.tuple)."""
    return list(tensors)
