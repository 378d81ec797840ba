"""Larger and rearranged tensors: tiled, repeated, padded, rolled, reversed."""

import numpy as np

from nbflow.dtypes import bool_, int32, int64, require
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.public import alike, axes_of, cast, export, number, shape_argument, size_of, sizes
from nbflow.shapes import Dim, could_be_equal, normalize_axis
from nbflow.tensor.indexing import as_tensor, static
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument, to_tensor


@export("tile")
def tile(input, multiples, name=None):
    """The tensor beside itself, so many times along each axis (tf.tile).

    Args:
        input: a tensor.
        multiples: a number for each axis.

    Raises:
        InvalidArgumentError: there are not as many numbers as axes, or one is negative.
    """
    x = argument("tile", "input", input)
    if isinstance(multiples, (int, np.integer)):
        raise InvalidArgumentError(f"tile: multiples is {multiples}; it takes a number for each axis")
    times = shape_argument("tile", multiples, "multiples")
    if len(times) != x.ndim:
        raise InvalidArgumentError(f"tile: multiples has {len(times)} numbers for an input of shape {x.shape}")
    shape = x.nbflow_shape
    apart = tuple(s for n in shape for s in (1, n))
    stretched = tuple(s for t, n in zip(times, shape, strict=True) for s in (t, n))
    repeated = TABLE["broadcast_to"](TABLE["reshape"](x, shape=apart), shape=stretched)
    return TABLE["reshape"](repeated, shape=tuple(t * n for t, n in zip(times, shape, strict=True)))


@export("repeat")
def repeat(input, repeats, axis=None, name=None):
    """Each element, or each slice along an axis, several times in a row (tf.repeat).

    Args:
        input: a tensor.
        repeats: how often: a number, or one for each element along the axis.
        axis: the axis; None for the elements of the tensor as a vector.

    Returns:
        A tensor whose axis has as many elements as repeats adds up to.

    Raises:
        InvalidArgumentError: repeats does not fit the axis, or is negative.

    Example:
        >>> import nbflow as nf
        >>> nf.repeat([1, 2, 3], repeats=[2, 0, 1])
        <nf.Tensor: shape=(3,), dtype=int32, numpy=array([1, 1, 3], dtype=int32)>
    """
    x = argument("repeat", "input", input)
    if axis is None:
        total = 1
        for n in x.nbflow_shape:
            total = total * n
        x, axis = TABLE["reshape"](x, shape=(total,)), 0
    elif not x.ndim:
        x = TABLE["reshape"](x, shape=(1,))
    axis = normalize_axis("repeat", axis, x.ndim)
    repeats = argument("repeat", "repeats", repeats, int32)
    if not repeats.dtype.is_integer:
        raise TypeError(f"repeat: repeats has dtype {repeats.dtype.name}; it takes integers")
    shape = x.nbflow_shape
    if repeats.ndim == 0 or repeats.nbflow_shape == (1,):
        times = size_of("repeat", "repeats", TABLE["reshape"](repeats, shape=()))
        apart = TABLE["reshape"](x, shape=(*shape[: axis + 1], 1, *shape[axis + 1 :]))
        stretched = TABLE["broadcast_to"](apart, shape=(*shape[: axis + 1], times, *shape[axis + 1 :]))
        return TABLE["reshape"](stretched, shape=(*shape[:axis], shape[axis] * times, *shape[axis + 1 :]))
    if repeats.ndim != 1 or not could_be_equal(repeats.nbflow_shape, shape[axis : axis + 1]):
        raise InvalidArgumentError(
            f"repeat: repeats has shape {repeats.shape}; for axis {axis} of shape {x.shape} it takes one number, or "
            f"one for each element along the axis"
        )
    positions = TABLE["repeat_positions"](repeats if repeats.dtype in (int32, int64) else cast(repeats, int32))
    return TABLE["gather"](x, positions, axis=axis)


@export("pad")
def pad(tensor, paddings, mode="CONSTANT", constant_values=0, name=None):
    """A tensor with a border around it (tf.pad).

    Args:
        tensor: a tensor.
        paddings: for each axis, how many elements to add before and after.
        mode: what the border has: "CONSTANT" a number, "REFLECT" the tensor mirrored at its last elements, "SYMMETRIC"
            mirrored behind them.
        constant_values: the number.

    Returns:
        A tensor of the dtype of tensor.

    Raises:
        InvalidArgumentError: paddings does not fit the tensor.
        ValueError: mode is something else.
    """
    x = argument("pad", "tensor", tensor)
    before, after = _paddings(x, paddings)
    mode = mode.upper()
    if mode == "CONSTANT":
        if x.dtype.is_bool and isinstance(constant_values, int):
            constant_values = bool(constant_values)
        value = alike("pad", "constant_values", constant_values, x.dtype)
        return TABLE["pad"](x, value, before=before, after=after)
    if mode not in ("REFLECT", "SYMMETRIC"):
        raise ValueError(f"pad: mode is {mode!r}; it takes 'CONSTANT', 'REFLECT' or 'SYMMETRIC'")
    for axis, (low, high) in enumerate(zip(before, after, strict=True)):
        x = _mirrored(x, axis, low, high, int(mode == "REFLECT"))
    return x


def _paddings(x, paddings) -> tuple[tuple, tuple]:
    if isinstance(paddings, TensorProtocol):
        known = static(paddings)
        if known is None:
            paddings = [paddings[k] for k in range(x.ndim)]
        else:
            paddings = known.numpy() if isinstance(known, TensorProtocol) else known
    pairs = [tuple(sizes(row)) for row in paddings]
    if len(pairs) != x.ndim or any(len(row) != 2 for row in pairs):
        raise InvalidArgumentError(
            f"pad: paddings is {pairs} for shape {x.shape}; it takes [before, after] for each axis"
        )
    if any(not isinstance(n, Dim) and n < 0 for row in pairs for n in row):
        raise InvalidArgumentError(f"pad: paddings is {pairs}; it takes 0 and more")
    return tuple(row[0] for row in pairs), tuple(row[1] for row in pairs)


def _mirrored(x, axis: int, low: int, high: int, skipped: int):
    """x with its elements near the ends of an axis, less those skipped, added in reverse order."""
    n = x.nbflow_shape[axis]
    if isinstance(n, int) and max(low, high) > n - skipped:
        raise InvalidArgumentError(
            f"pad: paddings ({low}, {high}) of axis {axis} of size {n}: there are only {n - skipped} elements to mirror"
        )

    def reverse(start, size):
        begin = tuple(start if d == axis else 0 for d in range(x.ndim))
        step = tuple(-1 if d == axis else 1 for d in range(x.ndim))
        shape = tuple(size if d == axis else m for d, m in enumerate(x.nbflow_shape))
        return TABLE["strided_slice"](x, begin=begin, step=step, shape=shape)

    parts = []
    if low:
        parts.append(reverse(low - 1 + skipped, low))
    parts.append(x)
    if high:
        parts.append(reverse(n - 1 - skipped, high))
    return TABLE["concat"](*parts, axis=axis) if len(parts) > 1 else x


def _listed(value) -> list:
    value = axes_of(value)
    return list(value) if isinstance(value, (list, tuple)) else [value]


@export("roll")
def roll(input, shift, axis, name=None):
    """The elements moved along axes; what leaves at one end comes in at the other (tf.roll).

    Args:
        input: a tensor.
        shift: how far, a number or one for each axis; negative: towards the start.
        axis: the axis, or a list of them.

    Raises:
        InvalidArgumentError: an axis is out of range, or there are not as many shifts as axes.
    """
    x = argument("roll", "input", input)
    if not x.ndim:
        raise InvalidArgumentError("roll: input is a scalar; it takes one or more axes")
    axes = [normalize_axis("roll", number(a), x.ndim) for a in _listed(axis)]
    shifts = argument("roll", "shift", shift)
    require("roll", "shift", shifts.dtype, (int32, int64))
    if shifts.nbflow_shape != ((len(axes),) if isinstance(axes_of(axis), (list, tuple)) else ()):
        raise InvalidArgumentError(f"roll: shift has shape {shifts.shape} and axis is {axis}; they have one shape")
    for k, at in enumerate(axes):
        one = shifts[k] if shifts.ndim else shifts
        if static(one) is None or isinstance(static(one), Dim):
            count = TABLE["range"](one * 0, one * 0 + 1, size=x.nbflow_shape[at])
            x = TABLE["gather"](x, TABLE["floor_mod"](count - one, as_tensor(x.nbflow_shape[at], one)), axis=at)
        else:
            x = TABLE["roll"](x, shift=int(number(static(one))), axis=at)
    return x


@export("reverse")
def reverse(tensor, axis, name=None):
    """The elements in reverse order along axes (tf.reverse).

    Args:
        tensor: a tensor.
        axis: a list of axes.

    Raises:
        InvalidArgumentError: an axis is out of range, or named twice.
    """
    x = argument("reverse", "tensor", tensor)
    if not isinstance(axes_of(axis), (list, tuple)):
        raise InvalidArgumentError(f"reverse: axis is {axis}; it takes a list of axes")
    axes = [normalize_axis("reverse", a, x.ndim) for a in axes_of(axis)]
    if len(set(axes)) != len(axes):
        raise InvalidArgumentError(f"reverse: axis {axis} names an axis twice")
    shape = x.nbflow_shape
    begin = tuple(n - 1 if d in axes else 0 for d, n in enumerate(shape))
    step = tuple(-1 if d in axes else 1 for d in range(x.ndim))
    return TABLE["strided_slice"](x, begin=begin, step=step, shape=shape)


@export("reverse_sequence")
def reverse_sequence(input, seq_lengths, seq_axis=None, batch_axis=None, name=None):
    """The first elements of each sequence in reverse order, the others as they are (tf.reverse_sequence).

    Args:
        input: a tensor.
        seq_lengths: for each sequence, how many elements, int32 or int64.
        seq_axis: the axis along which the elements lie.
        batch_axis: the axis along which the sequences lie.

    Raises:
        InvalidArgumentError: seq_lengths does not fit.
    """
    x = argument("reverse_sequence", "input", input)
    lengths = argument("reverse_sequence", "seq_lengths", seq_lengths, int64)
    require("reverse_sequence", "seq_lengths", lengths.dtype, (int32, int64))
    for name_, axis in (("seq_axis", seq_axis), ("batch_axis", batch_axis)):
        if axis is not None and axis < 0:
            raise InvalidArgumentError(f"reverse_sequence: {name_} is {axis}; it takes 0 or more")
    if seq_axis is None:
        raise TypeError("reverse_sequence: seq_axis is missing; it takes an axis")
    batch = normalize_axis("reverse_sequence", batch_axis or 0, x.ndim, "batch_axis")
    along = normalize_axis("reverse_sequence", seq_axis, x.ndim, "seq_axis")
    if batch == along:
        raise InvalidArgumentError(f"reverse_sequence: batch_axis and seq_axis are both {batch}")
    if not could_be_equal(lengths.nbflow_shape, (x.nbflow_shape[batch],)):
        raise InvalidArgumentError(
            f"reverse_sequence: seq_lengths has shape {lengths.shape}; it takes one number for each of the sequences "
            f"along axis {batch} of shape {x.shape}"
        )
    rest = (d for d in range(x.ndim) if d not in (batch, along))
    order = (batch, along, *rest)
    lengths = TABLE["reshape"](lengths, shape=(x.nbflow_shape[batch], 1))
    zero = TABLE["fill_like"](lengths, shape=(), value=0)
    at = TABLE["range"](zero, zero + 1, size=x.nbflow_shape[along])
    indices = TABLE["select"](at < TABLE["abs"](lengths), lengths - 1 - at, at)  # out of range for a negative length
    found = TABLE["gather"](TABLE["transpose"](x, perm=order), indices, axis=1, batch_dims=1)
    return TABLE["transpose"](found, perm=tuple(int(k) for k in np.argsort(order)))


@export("sequence_mask")
def sequence_mask(lengths, maxlen=None, dtype=bool_, name=None):
    """For each length, so many times true and then false (tf.sequence_mask).

    Args:
        lengths: a tensor of integers.
        maxlen: the size of the new axis, by default the greatest length.
        dtype: of the result.

    Returns:
        A tensor of shape lengths.shape + [maxlen].

    Raises:
        ValueError: maxlen is no scalar.
    """
    lengths = argument("sequence_mask", "lengths", lengths)
    if maxlen is None:
        maxlen = TABLE["reduce_max"](lengths, axis=tuple(range(lengths.ndim)), keepdims=False)
        maxlen = TABLE["maximum"](maxlen, 0)
    maxlen = argument("sequence_mask", "maxlen", maxlen)
    if maxlen.ndim:
        raise ValueError(f"sequence_mask: maxlen has shape {maxlen.shape}; it takes a scalar")
    whole = maxlen if maxlen.dtype.is_integer else cast(TABLE["ceil"](maxlen), int32)
    size = size_of("sequence_mask", "maxlen", whole)
    zero = TABLE["fill_like"](maxlen, shape=(), value=0)
    lengths = TABLE["reshape"](cast(lengths, maxlen.dtype), shape=(*lengths.nbflow_shape, 1))
    mask = TABLE["range"](zero, zero + 1, size=size) < lengths
    return mask if dtype is None else cast(mask, dtype)


@export("meshgrid")
def meshgrid(*args, indexing="xy", name="meshgrid"):
    """Each vector stretched along the axes of the others: the coordinates of a grid (tf.meshgrid).

    Args:
        args: vectors.
        indexing: "xy": the first vector along axis 1 and the second along axis 0; "ij": each along its own.

    Returns:
        A list of as many tensors, with an axis for each vector.

    Raises:
        ValueError: indexing is something else.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing is {indexing!r}; it takes 'xy' or 'ij'")
    vectors = [argument("meshgrid", f"args[{k}]", v) for k, v in enumerate(args)]
    if any(v.dtype is not vectors[0].dtype for v in vectors):
        raise InvalidDTypeError(f"meshgrid: args have dtypes {[v.dtype.name for v in vectors]}; all must be equal")
    counts = []
    for k, v in enumerate(vectors):
        total = 1
        for n in v.nbflow_shape:
            total = total * n
        counts.append(total)
        shape = tuple(total if d == k else 1 for d in range(len(vectors)))
        vectors[k] = TABLE["reshape"](v, shape=shape)
    grid = [TABLE["broadcast_to"](v, shape=tuple(counts)) for v in vectors]
    if indexing == "ij" or len(grid) < 2:
        return grid
    order = (1, 0, *range(2, len(grid)))
    return [TABLE["transpose"](v, perm=order) for v in grid]


@export("required_space_to_batch_paddings")
def required_space_to_batch_paddings(input_shape, block_shape, base_paddings=None, name=None):
    """What to pad so that blocks divide a shape, and what to crop afterwards (tf.required_space_to_batch_paddings).

    Args:
        input_shape, block_shape: vectors of as many numbers.
        base_paddings: for each axis the least padding before and after, 0 by default.

    Returns:
        (paddings, crops), two int32 tensors of shape [len(block_shape), 2].
    """
    name_ = "required_space_to_batch_paddings"
    shape, blocks = (
        argument(name_, n, v, int32) for n, v in (("input_shape", input_shape), ("block_shape", block_shape))
    )
    count = blocks.nbflow_shape[0]
    if shape.nbflow_shape != (count,):
        raise ValueError(f"{name_}: input_shape has shape {shape.shape} and block_shape {blocks.shape}")
    base = (
        to_tensor(np.zeros((count, 2), np.int32))
        if base_paddings is None
        else argument(name_, "base_paddings", base_paddings, int32)
    )
    start, end = base[:, 0], base[:, 1]
    extra = (blocks - (shape + start + end) % blocks) % blocks
    columns = [TABLE["reshape"](c, shape=(count, 1)) for c in (start, end + extra, extra * 0, extra)]
    return TABLE["concat"](*columns[:2], axis=1), TABLE["concat"](*columns[2:], axis=1)
