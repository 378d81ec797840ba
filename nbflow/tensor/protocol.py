"""How tensors behave towards Python and other libraries: properties, printing, iteration, NumPy, DLPack."""

from collections.abc import Callable
from typing import Any

import numpy as np

from nbflow.compiler.graph import Aval
from nbflow.dtypes import DType
from nbflow.errors import InvalidArgumentError, UnimplementedError
from nbflow.ops.table import Operators
from nbflow.shapes import TensorShape

CPU = "/job:localhost/replica:0/task:0/device:CPU:0"


class Reference:
    """A hashable stand-in for a tensor or Variable, equal by identity (what tensor.ref() returns)."""

    __slots__ = ("_target",)

    def __init__(self, target):
        self._target = target

    def deref(self):
        """The tensor itself."""
        return self._target

    def __eq__(self, other):
        return isinstance(other, Reference) and self._target is other._target

    def __hash__(self):
        return id(self._target)

    def __repr__(self):
        return f"<Reference to {self._target!r}>"


class TensorProtocol(Operators):
    """What eager tensors, traced tensors and Variables have in common.

    Subclasses give `_aval` (dtype and shape), `numpy()`, `nbflow_tensor()` (the tensor to compute with) and
    `nbflow_apply` (how an op is applied).
    """

    _aval: Aval
    numpy: Callable[[], Any]
    nbflow_tensor: Callable[[], Any]
    __getitem__: Callable[..., Any]  # see nbflow.tensor.tensor
    __slots__ = ()
    __array_priority__ = 100  # NumPy arrays leave x + tensor to the tensor

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._aval.dtype

    @property
    def shape(self) -> TensorShape:
        """The size of each axis; None where it is not known while tracing."""
        return TensorShape(self._aval.shape)

    @property
    def nbflow_shape(self) -> tuple:
        """The shape with symbolic dimensions kept."""
        return self._aval.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._aval.shape)

    @property
    def device(self) -> str:
        """Where the tensor lives, as TensorFlow writes it."""
        return CPU

    def get_shape(self) -> TensorShape:
        """The shape (a method, as in TensorFlow)."""
        return self.shape

    def set_shape(self, shape) -> None:
        """Checks the shape.

        Raises:
            ValueError: the tensor does not have it.
        """
        if not self.shape.is_compatible_with(shape):
            raise ValueError(f"Tensor's shape {self.shape} is not compatible with supplied shape {TensorShape(shape)}.")

    def nbflow_operand(self):
        """The tensor that an op takes for it."""
        return self.nbflow_tensor()

    def ref(self) -> Reference:
        """A hashable reference, for use as a dictionary key."""
        return Reference(self)

    def __iter__(self):
        if not self._aval.shape:
            raise TypeError("Cannot iterate over a scalar tensor.")
        if self._aval.symbolic:
            raise TypeError(
                f"Cannot iterate over a tensor of shape {self.shape}: its length is not known while tracing."
            )
        return (self[i] for i in range(self._aval.shape[0]))

    def __len__(self):
        if not self._aval.shape:
            raise TypeError("Scalar tensor has no `len()`")
        if not isinstance(self._aval.shape[0], int):
            raise TypeError(f"len() of a tensor of shape {self.shape} is not known while tracing; use nf.shape(x)[0]")
        return self._aval.shape[0]

    def __hash__(self):
        raise TypeError(f"{type(self).__name__} is unhashable. Instead, use tensor.ref() as the key.")

    def _scalar(self, what: str, error: type[Exception] = TypeError):
        array = np.asarray(self.numpy())
        if array.size != 1:
            raise error(f"{what}() takes a tensor with one element, got shape {array.shape}")
        return array.reshape(-1)[0]

    def __bool__(self):
        return bool(self._scalar("bool", InvalidArgumentError))

    def __float__(self):
        return float(self._scalar("float"))

    def __int__(self):
        return int(self._scalar("int"))

    def __index__(self):
        if not self.dtype.is_integer or self._aval.shape:
            raise TypeError(f"only scalar integer tensors are indices, got shape {self.shape} {self.dtype.name}")
        return int(self.numpy())

    def __complex__(self):
        return complex(self._scalar("complex"))

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("a tensor does not share its memory with NumPy; leave out copy=False")
        return np.asarray(self.numpy(), dtype)

    def __format__(self, spec: str) -> str:
        return format(self.numpy(), spec) if spec else str(self.numpy())

    def __copy__(self):
        return self

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        """Exports the tensor's memory (a copy: tensors are immutable, importers may write)."""
        if dl_device not in (None, (1, 0)):
            raise UnimplementedError(
                f"DLPack export to device {dl_device} is not supported; tensors are on the CPU (1, 0)"
            )
        return np.asarray(self.numpy()).__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def describe(array: np.ndarray) -> str:
    """A value as it stands in a repr."""
    return on_own_line(repr(array)) if array.ndim else str(array[()])


def on_own_line(text: str) -> str:
    """text, which starts a line of its own where it has several."""
    return f"\n{text}" if "\n" in text else text
