"""Blocks of space moved to channels or to the batch, and back."""

import math

import numpy as np

from nbflow.errors import InvalidArgumentError
from nbflow.nn.windows import channels_first, channels_last, restored
from nbflow.ops.table import TABLE
from nbflow.public import export, sizes
from nbflow.shapes import Dim
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument


def _image(op: str, x, block_size, data_format):
    x = argument(op, "input", x)
    if x.ndim != 4:
        raise InvalidArgumentError(f"{op}: input has shape {x.shape}; it must be 4-dimensional")
    if block_size < 2:
        raise InvalidArgumentError(f"{op}: block_size is {block_size}; it must be at least 2")
    first = channels_first(op, data_format, 2)
    return channels_last(x, 2, first), first


def _divided(op: str, size, by: int, what: str):
    """size / by.

    Raises:
        InvalidArgumentError: there is a remainder.
    """
    if not isinstance(size, Dim) and size % by:
        raise InvalidArgumentError(f"{op}: {what} is {size}, which is not divisible by {by}")
    return size // by


def _moved(x, shape: tuple, perm: tuple, result: tuple):
    """x split into axes, these in another order, and joined again."""
    split = TABLE["reshape"](x, shape=shape)
    return TABLE["reshape"](TABLE["transpose"](split, perm=perm), shape=result)


@export("nn.space_to_depth")
def space_to_depth(input, block_size, data_format="NHWC", name=None):
    """Moves blocks of an image to its channels (tf.nn.space_to_depth).

    Args:
        input: [batch, height, width, channels].
        block_size: the height and width of a block, 2 or more.
        data_format: "NHWC" or "NCHW".
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        [batch, height / block_size, width / block_size, channels · block_size²].

    Raises:
        InvalidArgumentError: height or width is not divisible by block_size.
    """
    op = "space_to_depth"
    x, first = _image(op, input, block_size, data_format)
    batch, height, width, channels = x.nbflow_shape
    rows = _divided(op, height, block_size, "the height of input")
    columns = _divided(op, width, block_size, "the width of input")
    shape = (batch, rows, block_size, columns, block_size, channels)
    result = (batch, rows, columns, channels * block_size**2)
    return restored(_moved(x, shape, (0, 1, 3, 2, 4, 5), result), 2, first)


@export("nn.depth_to_space")
def depth_to_space(input, block_size, data_format="NHWC", name=None):
    """Moves channels of an image to blocks of it, the inverse of space_to_depth (tf.nn.depth_to_space).

    Args:
        input: [batch, height, width, channels].
        block_size: the height and width of a block, 2 or more.
        data_format: "NHWC" or "NCHW".
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        [batch, height · block_size, width · block_size, channels / block_size²].

    Raises:
        InvalidArgumentError: channels are not divisible by block_size².
    """
    op = "depth_to_space"
    x, first = _image(op, input, block_size, data_format)
    batch, height, width, channels = x.nbflow_shape
    depth = _divided(op, channels, block_size**2, "the depth of input")
    shape = (batch, height, width, block_size, block_size, depth)
    result = (batch, height * block_size, width * block_size, depth)
    return restored(_moved(x, shape, (0, 1, 3, 2, 4, 5), result), 2, first)


def _blocks(op: str, x, block_shape, amounts, name: str) -> tuple[tuple, list]:
    """Block shape and paddings or crops as tuples.

    Raises:
        InvalidArgumentError: their shapes do not fit each other, or the input.
    """
    if isinstance(block_shape, TensorProtocol) or hasattr(block_shape, "tolist"):
        block_shape = np.asarray(block_shape).tolist()
    if not isinstance(block_shape, (list, tuple)):
        raise InvalidArgumentError(f"{op}: block_shape is {block_shape}; it needs one number for each spatial axis")
    block = sizes(block_shape)
    if isinstance(amounts, TensorProtocol) or hasattr(amounts, "tolist"):
        amounts = np.asarray(amounts).tolist()
    pairs = [sizes(pair) for pair in amounts]
    if len(pairs) != len(block) or any(len(pair) != 2 for pair in pairs):
        raise InvalidArgumentError(f"{op}: {name} is {amounts}; it should have shape [{len(block)}, 2]")
    if min(block, default=1) < 1 or any(not isinstance(n, Dim) and n < 0 for pair in pairs for n in pair):
        raise InvalidArgumentError(f"{op}: block_shape is {block} and {name} {amounts}; neither may be negative or 0")
    if x.ndim < len(block) + 1:
        raise InvalidArgumentError(f"{op}: input has shape {x.shape}; it needs {len(block) + 1} dimensions or more")
    return block, pairs


@export("space_to_batch", "space_to_batch_nd", "nn.space_to_batch")
def space_to_batch(input, block_shape, paddings, name=None):
    """Pads, and moves blocks of space to the batch (tf.space_to_batch).

    Args:
        input: [batch, *spatial, *rest].
        block_shape: the size of a block, a number for each spatial axis.
        paddings: a pair (before, after) for each spatial axis.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        [batch · Π block_shape, *(padded spatial / block_shape), *rest].

    Raises:
        InvalidArgumentError: a padded size is not divisible by the block's.
    """
    op = "space_to_batch"
    x = argument(op, "input", input)
    block, pairs = _blocks(op, x, block_shape, paddings, "paddings")
    count = len(block)
    if any(any(pair) for pair in pairs):
        x = _padded(x, pairs)
    batch, *spatial = x.nbflow_shape[: count + 1]
    rest = tuple(x.nbflow_shape[count + 1 :])
    parts = [_divided(op, n, b, "a padded size") for n, b in zip(spatial, block, strict=True)]
    shape = (batch, *(n for pair in zip(parts, block, strict=True) for n in pair), *rest)
    perm = (*range(2, 2 * count + 1, 2), 0, *range(1, 2 * count, 2), *range(2 * count + 1, len(shape)))
    return _moved(x, shape, perm, (batch * math.prod(block), *parts, *rest))


def _padded(x, pairs: list):
    """x with zeros around it."""
    shape = tuple(x.nbflow_shape)
    amounts = [(0, 0), *pairs, *[(0, 0)] * (len(shape) - 1 - len(pairs))]
    whole = tuple(n + before + after for n, (before, after) in zip(shape, amounts, strict=True))
    zeros = TABLE["fill_like"](x, shape=whole, value=0)
    return TABLE["slice_update"](zeros, x, begin=tuple(before for before, _ in amounts), step=(1,) * len(shape))


@export("batch_to_space")
def batch_to_space(input, block_shape, crops, name=None):
    """Moves parts of the batch to blocks of space, and crops: the inverse of space_to_batch (tf.batch_to_space).

    Args:
        input: [batch, *spatial, *rest].
        block_shape: the size of a block: a number for each spatial axis, or one for all.
        crops: a pair (before, after) for each spatial axis: how much of the result is cut off.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        [batch / Π block_shape, *(spatial · block_shape - crops), *rest].

    Raises:
        InvalidArgumentError: the batch is not divisible by the size of a block, or a crop is too large.
    """
    op = "batch_to_space"
    x = argument(op, "input", input)
    if isinstance(block_shape, int):
        block_shape = [block_shape] * len(crops)
    block, pairs = _blocks(op, x, block_shape, crops, "crops")
    count = len(block)
    batch, *spatial = x.nbflow_shape[: count + 1]
    rest = tuple(x.nbflow_shape[count + 1 :])
    images = _divided(op, batch, math.prod(block), "the batch of input")
    shape = (*block, images, *spatial, *rest)
    perm = (count, *(k for pair in zip(range(count + 1, 2 * count + 1), range(count), strict=True) for k in pair))
    perm += tuple(range(2 * count + 1, len(shape)))
    whole = tuple(n * b for n, b in zip(spatial, block, strict=True))
    found = _moved(x, shape, perm, (images, *whole, *rest))
    kept = tuple(n - before - after for n, (before, after) in zip(whole, pairs, strict=True))
    if any(not isinstance(n, Dim) and n < 0 for n in kept):
        raise InvalidArgumentError(f"{op}: crops {crops} are more than there is of {whole}")
    begin = (0, *(before for before, _ in pairs), *(0,) * len(rest))
    return TABLE["strided_slice"](found, begin=begin, step=(1,) * len(begin), shape=(images, *kept, *rest))


@export("nn.with_space_to_batch")
def with_space_to_batch(input, dilation_rate, padding, op, filter_shape=None, spatial_dims=None, data_format=None):
    """Applies op as if its windows' taps were dilation_rate apart (tf.nn.with_space_to_batch).

    The elements that such windows see are brought together by space_to_batch.

    Args:
        input: a tensor that has the axes spatial_dims.
        dilation_rate: a list of numbers, one for each spatial axis.
        padding: "SAME" or "VALID".
        op: a function of (a tensor, the number of spatial axes, the padding).
        filter_shape: the size of op's window, a number for each spatial axis; needed for "SAME".
        spatial_dims: the spatial axes, in order; by default those after the batch, or with a data_format that starts
            with "NC" after the channels.
        data_format: see spatial_dims.

    Returns:
        What op gives for input if all rates are 1; otherwise for blocks of it and "VALID", put together again.

    Raises:
        ValueError: spatial_dims are not in order, a rate is not positive, or filter_shape is missing.
    """
    name = "with_space_to_batch"
    x = argument(name, "input", input)
    rates = sizes(dilation_rate)
    first = 2 if data_format is not None and data_format.startswith("NC") else 1
    axes = list(range(first, first + len(rates)) if spatial_dims is None else spatial_dims)
    if axes != sorted(set(axes)) or min(axes, default=1) < 1:
        raise ValueError(f"{name}: spatial_dims is {axes}; it must be an increasing sequence of positive integers")
    if x.ndim <= max(axes, default=0):
        raise ValueError(f"{name}: input has shape {x.shape}, which has no axis {max(axes)}")
    if min(rates, default=1) < 1:
        raise ValueError(f"{name}: dilation_rate is {rates}; it must be positive")
    if max(rates, default=1) == 1:
        return op(x, len(rates), padding)
    if padding not in ("SAME", "VALID"):
        raise ValueError(f"{name}: padding is {padding!r}; it takes 'SAME' or 'VALID'")
    if padding == "SAME" and filter_shape is None:
        raise ValueError(f"{name}: filter_shape must be given for padding 'SAME'")
    block, pairs, crops = [1] * max(axes), [(0, 0)] * max(axes), [(0, 0)] * max(axes)
    taps = sizes(filter_shape)[: len(rates)] if padding == "SAME" else (1,) * len(rates)
    for axis, rate, count in zip(axes, rates, taps, strict=True):
        reach = (count - 1) * rate
        before, after = reach // 2, reach - reach // 2
        more = -(x.nbflow_shape[axis] + reach) % rate
        block[axis - 1], pairs[axis - 1], crops[axis - 1] = rate, (before, after + more), (0, more)
    return batch_to_space(op(space_to_batch(x, block, pairs), len(rates), "VALID"), block, crops)
