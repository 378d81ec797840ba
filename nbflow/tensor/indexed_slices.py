"""IndexedSlices: a tensor most of whose rows are 0, as gradients of gather have it."""

import math
from collections.abc import Callable

import optree

from nbflow.dtypes import int32, int64
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.shapes import TensorShape
from nbflow.tensor.protocol import CPU
from nbflow.tensor.tensor import to_tensor


@export("IndexedSlices")
class IndexedSlices:
    """Rows of a tensor that is 0 elsewhere (tf.IndexedSlices); rows that are named several times add up.

    The gradient of nf.gather along axis 0, and of nf.nn.embedding_lookup, is one. nf.convert_to_tensor, and any op,
    makes it a tensor; optimizers take it as it is.

    Args:
        values: a tensor whose rows they are.
        indices: the place of each row along axis 0, a vector of integers.
        dense_shape: the shape of the whole tensor; without it, it cannot become a tensor.

    Example:
        >>> import nbflow as nf
        >>> slices = nf.IndexedSlices(nf.constant([[1.0, 2.0]]), nf.constant([1]), nf.constant([3, 2]))
        >>> nf.convert_to_tensor(slices).numpy().tolist()
        [[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]]
    """

    __slots__ = ("__weakref__", "_dense_shape", "_indices", "_values")

    def __init__(self, values, indices, dense_shape=None):
        self._values, self._indices, self._dense_shape = values, indices, dense_shape

    @property
    def values(self):
        """The rows."""
        return self._values

    @property
    def indices(self):
        """The place of each row along axis 0."""
        return self._indices

    @property
    def dense_shape(self):
        """The shape of the whole tensor, a tensor, or None where it is not known."""
        if isinstance(self._dense_shape, tuple):
            self._dense_shape = TABLE["shape_int32"](TABLE["fill_like"](self._values, shape=self._dense_shape, value=0))
        return self._dense_shape

    @property
    def nbflow_shape(self) -> tuple:
        """The shape of the whole tensor, symbolic dimensions kept.

        Raises:
            ValueError: it is not known.
        """
        shape = self._dense_shape
        if shape is None:
            raise ValueError(f"Tensor conversion requested for IndexedSlices without dense_shape: {self}")
        if not isinstance(shape, tuple):
            known = getattr(shape, "nbflow_static", None)
            shape = tuple(to_tensor(shape).numpy().tolist()) if known is None else known
        return shape

    @property
    def shape(self) -> TensorShape:
        """The shape of the whole tensor."""
        return TensorShape(None) if self._dense_shape is None else TensorShape(self.nbflow_shape)

    @property
    def dtype(self):
        """The dtype of the rows."""
        return self._values.dtype

    @property
    def name(self) -> str:
        """The name of its rows."""
        return getattr(self._values, "name", "")

    @property
    def device(self) -> str:
        """Where the rows live."""
        return CPU

    def nbflow_tensor(self):
        """The whole tensor."""
        shape = self.nbflow_shape
        values, indices = to_tensor(self._values), to_tensor(self._indices)
        if indices.dtype not in (int32, int64):
            indices = TABLE["cast"](indices, dtype=int64)
        return TABLE["scatter_add"](values, indices, axis=0, size=shape[0])

    def __neg__(self):
        return IndexedSlices(-self._values, self._indices, self._dense_shape)

    def __str__(self) -> str:
        shape = "" if self._dense_shape is None else f", dense_shape={self.dense_shape}"
        return f"IndexedSlices(indices={self._indices}, values={self._values}{shape})"

    __repr__ = __str__


def _flatten(slices: IndexedSlices):
    shape = slices._dense_shape
    known = isinstance(shape, tuple)
    return (slices._values, slices._indices, None if known else shape), shape if known else None


def _unflatten(shape, parts) -> IndexedSlices:
    values, indices, given = parts
    return IndexedSlices(values, indices, given if shape is None else shape)


optree.register_pytree_node(IndexedSlices, _flatten, _unflatten, namespace=optree.registry.__GLOBAL_NAMESPACE)


def on_rows(function: Callable, x):
    """A function of each element that leaves 0 as it is: of the rows alone, where x is IndexedSlices."""
    if isinstance(x, IndexedSlices):
        return IndexedSlices(function(to_tensor(x._values)), x._indices, x._dense_shape)
    return function(x)


def gradient_of_gather(gradient, params, indices) -> IndexedSlices:
    """The gradient of gather along axis 0 for params."""
    shape = tuple(params.nbflow_shape)
    flat = TABLE["reshape"](indices, shape=(math.prod(indices.nbflow_shape),))
    values = TABLE["reshape"](gradient, shape=(flat.nbflow_shape[0], *shape[1:]))
    return IndexedSlices(values, flat, shape)


def added(first, second):
    """The sum of two gradients, either of which may be None; of sparse ones their rows together."""
    if first is None or second is None:
        return second if first is None else first
    if type(first) is type(second) is IndexedSlices:
        values = TABLE["concat"](first.values, second.values, axis=0)
        indices = [first.indices, second.indices]
        if indices[0].dtype is not indices[1].dtype:
            indices = [TABLE["cast"](i, dtype=int64) for i in indices]
        return IndexedSlices(values, TABLE["concat"](*indices, axis=0), first._dense_shape)
    return to_tensor(first) + to_tensor(second)
