"""The shape of tensors: reshape, transpose and their like."""

import numpy as np

from nbflow.dtypes import as_dtype, int32, int64, require
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.public import axes_of, cast, export, number, shape_argument, sizes
from nbflow.shapes import Dim, normalize_axis
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument, to_tensor


@export("reshape")
def reshape(tensor, shape, name=None):
    """The same elements in another shape (tf.reshape).

    Args:
        shape: sizes, of which one may be -1: what the others leave.

    Raises:
        InvalidArgumentError: the elements do not fit the shape.
    """
    tensor = argument("reshape", "tensor", tensor)
    try:
        wanted = sizes(shape)
    except TypeError:
        raise InvalidDTypeError(f"reshape: shape is {shape!r:.200}; it takes integers") from None
    if sum(1 for s in wanted if not isinstance(s, Dim) and s == -1) > 1:
        raise InvalidArgumentError(f"reshape: shape {list(wanted)} has more than one -1")
    if any(not isinstance(s, Dim) and s < -1 for s in wanted):
        raise InvalidArgumentError(f"reshape: shape {list(wanted)} has a negative size other than -1")
    if -1 in wanted:
        nothing = any(not isinstance(s, Dim) and s == 0 for s in wanted)  # then zeros do not count, on either side
        total, rest = 1, 1
        for n in tensor.nbflow_shape:
            total = total if nothing and not isinstance(n, Dim) and n == 0 else total * n
        for s in wanted:
            rest = rest if not isinstance(s, Dim) and s in (-1, 0) else rest * s
        if not isinstance(rest, Dim) and not isinstance(total, Dim) and total % rest:
            raise InvalidArgumentError(
                f"reshape: tensor has {total} elements (shape {tensor.shape}), which {list(wanted)} does not divide"
            )
        wanted = tuple(total // rest if s == -1 else s for s in wanted)
    return TABLE["reshape"](tensor, shape=tuple(wanted))


@export("transpose")
def transpose(a, perm=None, conjugate=False, name="transpose"):
    """Axes in another order, by default reversed (tf.transpose).

    Args:
        perm: for each axis of the result the axis of a.

    Raises:
        InvalidArgumentError: perm is no permutation of the axes.
    """
    a = argument("transpose", "a", a)
    order = tuple(reversed(range(a.ndim))) if perm is None else sizes(perm)
    order = tuple(p + a.ndim if p < 0 else p for p in order)
    if sorted(order) != list(range(a.ndim)):
        raise InvalidArgumentError(f"transpose: perm {list(order)} is no permutation of the {a.ndim} axes of {a.shape}")
    moved = TABLE["transpose"](a, perm=order)
    return TABLE["conj"](moved) if conjugate and a.dtype.is_complex else moved


@export("squeeze")
def squeeze(input, axis=None, name=None):
    """Axes of size 1 removed: all of them, or those named (tf.squeeze).

    Raises:
        InvalidArgumentError: a named axis has another size.
    """
    x = argument("squeeze", "input", input)
    shape = x.nbflow_shape
    if isinstance(axis, np.ndarray):
        raise TypeError(f"squeeze: axis is {axis!r}; it takes an integer or a list of them")
    if axis is None or axis == [] or axis == ():
        axes = tuple(k for k, n in enumerate(shape) if n == 1)
    else:
        axes = tuple(normalize_axis("squeeze", a, len(shape)) for a in np.atleast_1d(axes_of(axis)).tolist())
    for k in axes:
        if shape[k] != 1 and not isinstance(shape[k], Dim):
            raise InvalidArgumentError(f"squeeze: axis {k} of input has size {shape[k]} (shape {x.shape}), not 1")
    return TABLE["reshape"](x, shape=tuple(n for k, n in enumerate(shape) if k not in axes))


@export("expand_dims")
def expand_dims(input, axis, name=None):
    """A new axis of size 1 before axis; -1 puts it last (tf.expand_dims)."""
    x = argument("expand_dims", "input", input)
    axis = number(axis)
    if np.size(axis) == 1:
        axis = np.asarray(axis).reshape(-1)[0]
    at = normalize_axis("expand_dims", axis, x.ndim + 1)
    shape = x.nbflow_shape
    return TABLE["reshape"](x, shape=(*shape[:at], 1, *shape[at:]))


@export("broadcast_to")
def broadcast_to(input, shape, name=None):
    """input stretched along axes of size 1 and new leading axes (tf.broadcast_to)."""
    if np.ndim(shape) == 0 and not isinstance(shape, (TensorProtocol, tuple)):
        raise InvalidArgumentError(f"broadcast_to: shape is {shape!r}; it takes a vector")
    return TABLE["broadcast_to"](argument("broadcast_to", "input", input), shape=shape_argument("broadcast_to", shape))


@export("shape")
def shape(input, out_type=int32, name=None):
    """The shape as a tensor of integers (tf.shape)."""
    x = argument("shape", "input", input)
    require("shape", "out_type", as_dtype(out_type), (int32, int64))
    return TABLE[f"shape_{as_dtype(out_type).name}"](x)


@export("rank")
def rank(input, name=None):
    """The number of axes, as an int32 scalar (tf.rank)."""
    return to_tensor(argument("rank", "input", input).ndim)


@export("size")
def size(input, out_type=int32, name=None):
    """The number of elements, as a scalar (tf.size)."""
    x = argument("size", "input", input)
    axes = tuple(range(x.ndim))
    return TABLE["count"](cast(x, out_type) if x.dtype is not as_dtype(out_type) else x, axis=axes)
