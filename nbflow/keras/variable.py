"""Variables of layers: with a path, a regularizer, and a dtype to compute in that may differ from that to keep."""

import math
import threading
from contextlib import contextmanager

from nbflow.dtypes import DType, as_dtype
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.tensor.state import state
from nbflow.tensor.variable import Variable as PlainVariable


class _Autocast(threading.local):
    dtype: DType | None = None


_autocast = _Autocast()


@contextmanager
def autocast_scope(dtype: DType | None):
    """A block in which floating Variables of layers read as this dtype; as their own where it is None."""
    outer, _autocast.dtype = _autocast.dtype, dtype
    try:
        yield
    finally:
        _autocast.dtype = outer


class _Budget(threading.local):
    left: int | None = None


_budget = _Budget()


@contextmanager
def at_most(size: int):
    """A block in which Variables take so many bytes: files may declare shapes that fill all memory.

    Raises:
        ValueError: they would take more.
    """
    outer, _budget.left = _budget.left, size
    try:
        yield
    finally:
        _budget.left = outer


def _spend(shape: tuple, dtype: DType | None) -> None:
    assert _budget.left is not None
    size = math.prod(shape) * (4 if dtype is None else dtype.size)
    if size > _budget.left:
        raise ValueError(f"A file declares a weight of shape {shape}, {size:,} bytes, and holds no such weights")
    _budget.left -= size


@export("keras.Variable")
class Variable(PlainVariable):
    """A weight (tf.keras.Variable): an nf.Variable that also has

    Args:
        initializer: a tensor-like, or a function of (shape, dtype=…).
        shape: the shape, where initializer is a function.
        dtype: the dtype that it is kept in.
        trainable: whether tapes watch it by themselves and optimizers change it; may be set later.
        autocast: whether it is read in the compute dtype of the layer that is being called.
        aggregation, synchronization: accepted as Keras'; they have no effect.
        name: its name, such as "kernel".

    Attributes:
        path: the names of the layers around it and its own, "sequential/dense/kernel".
        regularizer: a function of the value whose result adds to the loss, or None.
        constraint: a function that optimizers put a new value through, or None.
    """

    __slots__ = ("autocast", "overwrite_with_gradient", "path", "regularizer")

    def __init__(
        self,
        initializer,
        shape=None,
        dtype=None,
        trainable=True,
        autocast=True,
        aggregation="none",
        synchronization="auto",
        name=None,
        *,
        constraint=None,
        regularizer=None,
    ):
        dtype = None if dtype is None else as_dtype(dtype)
        if callable(initializer):
            if shape is None:
                raise ValueError("When creating a Variable from an initializer, the `shape` argument should be given")
            if _budget.left is not None:
                _spend(tuple(shape), dtype)
            initializer = initializer(tuple(shape), dtype=dtype)
        super().__init__(initializer, dtype=dtype, trainable=trainable, name=name or "variable", constraint=constraint)
        self.path = f"{state.scope}/{self._name}" if state.scope else self._name
        self.autocast, self.regularizer, self.overwrite_with_gradient = autocast, regularizer, False

    @property
    def name(self) -> str:
        """Its name, without the names of the layers around it."""
        return self._name

    @property
    def trainable(self) -> bool:
        """Whether tapes watch it by themselves and optimizers change it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value) -> None:
        self._trainable = bool(value)

    @property
    def constraint(self):
        """The function that optimizers put a new value through, or None."""
        return self._constraint

    @constraint.setter
    def constraint(self, value) -> None:
        self._constraint = value

    @property
    def value(self):
        """The current value as a tensor."""
        return self.nbflow_tensor()

    def nbflow_tensor(self):
        """The current value, in the dtype that the layer being called computes in."""
        tensor, wanted = super().nbflow_tensor(), _autocast.dtype
        if wanted is not None and self.autocast and tensor.dtype.is_floating and tensor.dtype is not wanted:
            return TABLE["cast"](tensor, dtype=wanted)
        return tensor

    def numpy(self):
        """The current value as a NumPy array of its own."""
        return super().nbflow_tensor().numpy()

    def __repr__(self) -> str:
        value = "" if state.trace is not None else f", value={self.numpy()}"
        return f"<Variable path={self.path}, shape={tuple(self.shape)}, dtype={self.dtype.name}{value}>"
