"""Reading and changing parts of a Variable by index."""

from typing import Any

import numpy as np

from nbflow.dtypes import int32, int64
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.tensor.state import state
from nbflow.tensor.tensor import argument, to_tensor


def _indices(name: str, value):
    indices = argument(name, "indices", value)
    if not indices.dtype.is_integer:
        raise InvalidDTypeError(f"{name}: indices has dtype {indices.dtype.name}; it takes int32 or int64")
    return indices if indices.dtype in (int32, int64) else TABLE["cast"](indices, dtype=int32)


class Scatter:
    """The methods of a Variable that read and change its parts by index."""

    __slots__ = ()
    nbflow_tensor: Any
    nbflow_current: Any
    _converted: Any
    _set: Any

    def sparse_read(self, indices, name=None):
        """The slices at indices along the first axis, as nf.gather gives them."""
        return TABLE["gather"](self.nbflow_tensor(), _indices("sparse_read", indices), axis=0)

    def gather_nd(self, indices, name=None):
        """The parts at points, as nf.gather_nd gives them."""
        return TABLE["gather_nd"](self.nbflow_tensor(), _indices("gather_nd", indices), batch_dims=0)

    def scatter_nd_update(self, indices, updates, name=None):
        """Replaces the parts at points: see nf.tensor_scatter_nd_update."""
        return self._scatter_points("scatter_nd_update", "update", indices, updates)

    def scatter_nd_add(self, indices, updates, name=None):
        """Adds updates to the parts at points: see nf.tensor_scatter_nd_add."""
        return self._scatter_points("scatter_nd_add", "add", indices, updates)

    def scatter_nd_sub(self, indices, updates, name=None):
        """Subtracts updates from the parts at points: see nf.tensor_scatter_nd_sub."""
        return self._scatter_points("scatter_nd_sub", "sub", indices, updates)

    def scatter_nd_max(self, indices, updates, name=None):
        """Replaces the parts at points by updates that are greater: see nf.tensor_scatter_nd_max."""
        return self._scatter_points("scatter_nd_max", "max", indices, updates)

    def scatter_nd_min(self, indices, updates, name=None):
        """Replaces the parts at points by updates that are less: see nf.tensor_scatter_nd_min."""
        return self._scatter_points("scatter_nd_min", "min", indices, updates)

    def batch_scatter_update(self, sparse_delta, use_locking=False, name=None):
        """Replaces slices along the last axis of sparse_delta.indices, whose other axes are batch axes."""
        indices, updates = self._delta("batch_scatter_update", sparse_delta)
        grid = np.indices(indices.nbflow_shape, indices.dtype.np)[:-1]
        parts = [*(to_tensor(axis) for axis in grid), indices]
        rows = [TABLE["reshape"](part, shape=(*indices.nbflow_shape, 1)) for part in parts]
        points = TABLE["concat"](*rows, axis=indices.ndim) if len(rows) > 1 else rows[0]
        return self._scatter_points("batch_scatter_update", "update", points, updates)

    def _delta(self, name: str, sparse_delta) -> tuple:
        if not hasattr(sparse_delta, "indices") or not hasattr(sparse_delta, "values"):
            raise TypeError(f"{name}: sparse_delta is {sparse_delta!r:.200}; it takes IndexedSlices")
        return _indices(name, sparse_delta.indices), self._converted(sparse_delta.values, name, "sparse_delta.values")

    def _scatter_points(self, name: str, how: str, indices, updates):
        indices, updates = _indices(name, indices), self._converted(updates, name, "updates")
        current = self.nbflow_current()
        if not updates.ndim and indices.ndim:
            shape = (*indices.nbflow_shape[:-1], *current.nbflow_shape[indices.nbflow_shape[-1] :])
            updates = TABLE["broadcast_to"](updates, shape=shape)
        self._set(TABLE[f"tensor_scatter_nd_{how}"](current, indices, updates), name)
        return self


def _slices_method(how: str, what: str):
    name = f"scatter_{how}"

    def method(self, sparse_delta, use_locking=False, name=None):
        indices, updates = self._delta(method.__name__, sparse_delta)
        if how == "div" and updates.dtype.is_integer and state.trace is None and not updates.numpy().all():
            raise InvalidArgumentError("scatter_div: sparse_delta.values has an element that is 0")
        points = TABLE["reshape"](indices, shape=(*indices.nbflow_shape, 1))
        return self._scatter_points(method.__name__, how, points, updates)

    method.__name__, method.__qualname__ = name, f"Scatter.{name}"
    method.__doc__ = f"""{what} slices of the Variable along its first axis by IndexedSlices; returns the Variable.

        Args:
            sparse_delta: IndexedSlices: the slices' indices, and a value for each or one scalar.
            use_locking, name: accepted as TensorFlow's; they have no effect.

        Raises:
            TypeError: sparse_delta is something else.
            InvalidArgumentError: an index is out of range.
        """
    return method


for _how, _what in {
    "add": "Adds to",
    "sub": "Subtracts from",
    "mul": "Multiplies",
    "div": "Divides",
    "min": "Takes the minimum with",
    "max": "Takes the maximum with",
    "update": "Replaces",
}.items():
    setattr(Scatter, f"scatter_{_how}", _slices_method(_how, _what))
