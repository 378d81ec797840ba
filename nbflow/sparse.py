"""nf.sparse: tensors most of whose elements are 0, as the places and values of the others."""

import numpy as np
import optree

from nbflow.dtypes import int64
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.public import alike, export, sizes
from nbflow.shapes import TensorShape, could_be_equal
from nbflow.tensor.tensor import Tensor, argument


@export("SparseTensor", "sparse.SparseTensor")
class SparseTensor:
    """A tensor by its elements that are given; the others are 0 (tf.sparse.SparseTensor).

    Args:
        indices: int64 [count, rank], where the elements are.
        values: [count], of any dtype.
        dense_shape: int64 [rank], the shape.

    Raises:
        InvalidArgumentError: shapes do not fit each other.

    Example:
        >>> import nbflow as nf
        >>> sparse = nf.SparseTensor([[0, 1], [1, 0]], [5, 7], [2, 2])
        >>> nf.sparse.to_dense(sparse).numpy().tolist()
        [[0, 5], [7, 0]]
    """

    __slots__ = ("__weakref__", "_dense_shape", "_indices", "_values")

    def __init__(self, indices, values, dense_shape):
        op = "SparseTensor"
        self._indices = alike(op, "indices", indices, int64)
        self._values = argument(op, "values", values)
        self._dense_shape = alike(op, "dense_shape", dense_shape, int64)
        for name, tensor in (("indices", self._indices), ("dense_shape", self._dense_shape)):
            if tensor.dtype is not int64:
                raise InvalidDTypeError(f"{op}: {name} has dtype {tensor.dtype.name}; it must be int64")
        for name, tensor, rank in (
            ("indices", self._indices, 2),
            ("values", self._values, 1),
            ("dense_shape", self._dense_shape, 1),
        ):
            if tensor.ndim != rank:
                raise InvalidArgumentError(f"{op}: {name} has shape {tensor.shape}; it must be {rank}-dimensional")
        count, rank = self._indices.nbflow_shape
        if not could_be_equal(self._values.nbflow_shape, (count,)):
            raise InvalidArgumentError(
                f"{op}: indices has shape {self._indices.shape} and values {self._values.shape}; it takes a value for "
                f"each row of indices"
            )
        if not could_be_equal(self._dense_shape.nbflow_shape, (rank,)):
            raise InvalidArgumentError(
                f"{op}: indices has shape {self._indices.shape} and dense_shape {self._dense_shape.shape}; it takes an "
                f"index and a size for each axis"
            )

    indices = property(lambda self: self._indices, doc="Where the elements are: int64 [count, rank].")
    values = property(lambda self: self._values, doc="The elements: [count].")
    dense_shape = property(lambda self: self._dense_shape, doc="The shape as a tensor: int64 [rank].")
    dtype = property(lambda self: self._values.dtype, doc="The dtype of the elements.")

    @property
    def shape(self) -> TensorShape:
        """The shape, of whose sizes some may be unknown in a trace."""
        if type(self._dense_shape) is Tensor:
            return TensorShape(self._dense_shape.numpy().tolist())
        known = getattr(self._dense_shape, "nbflow_static", None)
        return TensorShape([None] * self._indices.nbflow_shape[1] if known is None else list(known))

    def get_shape(self) -> TensorShape:
        """The shape, as `shape`."""
        return self.shape

    def with_values(self, new_values) -> "SparseTensor":
        """Other values at the same places."""
        return SparseTensor(self._indices, new_values, self._dense_shape)

    def __repr__(self) -> str:
        return f"SparseTensor(indices={self._indices!r}, values={self._values!r}, dense_shape={self._dense_shape!r})"


def _parts(sparse: SparseTensor):
    return (sparse._indices, sparse._values, sparse._dense_shape), None


def _put_together(_, parts) -> SparseTensor:
    """Of whatever stands for the parts, which need not be tensors."""
    made = object.__new__(SparseTensor)
    made._indices, made._values, made._dense_shape = parts
    return made


optree.register_pytree_node(SparseTensor, _parts, _put_together, namespace=optree.registry.__GLOBAL_NAMESPACE)


def _sparse(op: str, name: str, value) -> SparseTensor:
    if not isinstance(value, SparseTensor):
        raise TypeError(f"{op}: {name} is {value!r:.200}; it must be a SparseTensor")
    return value


@export("sparse.to_dense")
def to_dense(sp_input, default_value=None, validate_indices=True, name=None):
    """The whole tensor (tf.sparse.to_dense).

    Args:
        sp_input: a SparseTensor.
        default_value: a scalar, what the other elements are: 0 by default.
        validate_indices: whether indices must be in order and without repetition; a traced function does not check it.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor.

    Raises:
        InvalidArgumentError: an index is out of range, or they are not in order.
        TypeError: sp_input is no SparseTensor.
    """
    op = "sparse.to_dense"
    sparse = _sparse(op, "sp_input", sp_input)
    indices, values = sparse.indices, sparse.values
    shape = sizes(sparse.dense_shape)
    if type(indices) is Tensor and type(sparse.dense_shape) is Tensor:
        _check_indices(op, indices.numpy(), shape, validate_indices)
    if default_value is None:
        whole = TABLE["fill_like"](values, shape=shape, value=0)
    else:
        default = alike(op, "default_value", default_value, values.dtype)
        if default.ndim:
            raise InvalidArgumentError(f"{op}: default_value has shape {default.shape}; it must be a scalar")
        whole = TABLE["broadcast_to"](default, shape=shape)
    return TABLE["tensor_scatter_nd_update"](whole, indices, values)


def _check_indices(op: str, indices: np.ndarray, shape: tuple, ordered: bool) -> None:
    outside = np.flatnonzero(((indices < 0) | (indices >= np.array(shape, np.int64))).any(1))
    if outside.size:
        raise InvalidArgumentError(
            f"{op}: indices[{outside[0]}] = {indices[outside[0]].tolist()} is out of bounds: it must be in a tensor of "
            f"shape {list(shape)}"
        )
    if ordered and len(indices) > 1:
        steps = np.diff(np.ravel_multi_index(tuple(indices.T), shape) if shape else np.zeros(len(indices), np.int64))
        if steps.min() <= 0:
            k = int(np.argmax(steps <= 0)) + 1
            why = "repeated" if steps[k - 1] == 0 else "out of order"
            raise InvalidArgumentError(f"{op}: indices[{k}] = {indices[k].tolist()} is {why}; use nf.sparse.reorder")


@export("sparse.from_dense")
def from_dense(tensor, name=None):
    """The elements of a tensor that are not 0 (tf.sparse.from_dense).

    Args:
        tensor: a tensor.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A SparseTensor.
    """
    x = argument("sparse.from_dense", "tensor", tensor)
    zero = TABLE["zeros_like"](x)
    indices = TABLE["where_true"](TABLE["not_equal"](x, zero))
    return SparseTensor(indices, TABLE["gather_nd"](x, indices, batch_dims=0), TABLE["shape_int64"](x))


@export("sparse.reorder")
def reorder(sp_input, name=None):
    """The same tensor with its elements in row-major order (tf.sparse.reorder).

    Args:
        sp_input: a SparseTensor.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A SparseTensor.

    Raises:
        TypeError: sp_input is no SparseTensor.
    """
    sparse = _sparse("sparse.reorder", "sp_input", sp_input)
    indices = sparse.indices
    strides = TABLE["cumprod"](sparse.dense_shape, axis=0, exclusive=True, reverse=True)
    place = TABLE["reduce_sum"](indices * strides, axis=(1,), keepdims=False)
    order = TABLE["argsort"](place, descending=False, first=place.nbflow_shape[0])
    rows, values = (TABLE["gather"](x, order, axis=0) for x in (indices, sparse.values))
    return SparseTensor(rows, values, sparse.dense_shape)
