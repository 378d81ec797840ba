"""Pooling of windows whose sizes are drawn at random, so that an image shrinks by any factor."""

import numpy as np

from nbflow.dtypes import float64, int64
from nbflow.errors import InvalidArgumentError
from nbflow.ops.random import SEEDS
from nbflow.ops.seeds import combine_seeds, op_words, words_state
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.random.stateful import stream
from nbflow.shapes import Dim
from nbflow.tensor.state import state
from nbflow.tensor.tensor import argument

_DOCUMENTED = """
    Args:
        value: [batch, height, width, channels], real numbers; height and width are known.
        pooling_ratio: {ratio}
        pseudo_random: whether window sizes are spread evenly after a random start, rather than in random order.
        overlapping: whether the first row and column of a window belong to the one before as well.
        seed: an integer: calls with it have the same windows; 0 for others each time.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (output, row_pooling_sequence, col_pooling_sequence): a tensor with one element a window and channel, and int64,
        where the rows and columns of windows begin, and the height and width.

    Raises:
        ValueError: pooling_ratio is below 1, or not 1 for the batch and the channels.
        InvalidArgumentError: pooling_ratio is greater than height or width, or value is of another rank.
"""


def _words(op: str, seed: int):
    """Where the random numbers of a call start."""
    if seed == 0:
        return stream(op, None)((op,), 1 << 16)
    seeds = SEEDS if state.trace is None else state.trace.seeds
    return argument(op, "seed", np.array(words_state(op_words(*combine_seeds(seeds.global_seed, seed))), np.int64))


def _range(start: int, size: int):
    return TABLE["range"](*(argument("range", "", n, int64) for n in (start, 1)), size=size)


def _sequence(words, size: int, count: int, pseudo_random: bool):
    """Where `count` windows on an axis of `size` begin, and the size: their sizes differ by 1 at most."""
    least, more = divmod(size, count)
    if not pseudo_random:
        steps = TABLE["permutation"](words, size=count) < more
        ends = TABLE["cumsum"](cast(steps, int64) + least, axis=0, exclusive=False, reverse=False)
        return TABLE["concat"](_range(0, 1), ends, axis=0)
    alpha = size / count
    most = min((least + 2) / alpha - 1, (size + 1 - least) / alpha - (count - 1))
    start = TABLE["random_uniform"](words, shape=(), dtype=float64) * most
    inner = TABLE["ceil"]((cast(_range(1, count - 1), float64) + start) * alpha)
    return TABLE["concat"](_range(0, 1), cast(inner, int64) - 1, _range(size, 1), axis=0)


def _taps(sequence, size: int, count: int, overlapping: bool) -> tuple:
    """The places [windows, taps] of each window, the last one again where there are fewer; which count; taps."""
    most = size // count + 2 + overlapping
    places = TABLE["reshape"](sequence[:-1], shape=(count, 1)) + _range(0, most)
    last = TABLE["minimum"](sequence[1:] - (0 if overlapping else 1), size - 1)
    last = TABLE["reshape"](last, shape=(count, 1))
    return TABLE["minimum"](places, last), places <= last, most


def _windows(op: str, value, ratios: tuple, pseudo_random: bool, overlapping: bool, seed: int) -> tuple:
    """(the elements of each window [batch, rows, columns, channels, taps], which of them count, both sequences)."""
    x = argument(op, "value", value)
    if x.ndim != 4 or any(isinstance(n, Dim) for n in x.nbflow_shape[1:3]):
        raise InvalidArgumentError(f"{op}: value has shape {x.shape}; it must be 4-dimensional, height and width known")
    batch, *sizes, channels = x.nbflow_shape
    counts = [int(size / ratio) for size, ratio in zip(sizes, ratios, strict=True)]
    if min(counts) < 1:
        raise InvalidArgumentError(f"{op}: pooling_ratio is {ratios}, greater than height or width of shape {x.shape}")
    words = _words(op, seed)
    blocks = 1 if pseudo_random else (counts[0] + 3) // 4
    starts = (words, TABLE["philox_skip"](words, blocks=blocks))
    sequences = [_sequence(w, n, c, pseudo_random) for w, n, c in zip(starts, sizes, counts, strict=True)]
    taps = [_taps(s, n, c, overlapping) for s, n, c in zip(sequences, sizes, counts, strict=True)]
    (rows, columns), (height, width) = counts, (most for _, _, most in taps)
    for axis, (places, _, most) in enumerate(taps, 1):
        x = TABLE["gather"](x, TABLE["reshape"](places, shape=(counts[axis - 1] * most,)), axis=axis)
    x = TABLE["reshape"](x, shape=(batch, rows, height, columns, width, channels))
    x = TABLE["transpose"](x, perm=(0, 1, 3, 5, 2, 4))
    inside = TABLE["logical_and"](
        TABLE["reshape"](taps[0][1], shape=(rows, 1, 1, height, 1)),
        TABLE["reshape"](taps[1][1], shape=(columns, 1, 1, width)),
    )
    inside = TABLE["reshape"](inside, shape=(rows, columns, 1, height * width))
    return TABLE["reshape"](x, shape=(batch, rows, columns, channels, height * width)), inside, sequences


def _ratios(op: str, pooling_ratio) -> tuple:
    if len(pooling_ratio) != 4 or pooling_ratio[0] != 1 or pooling_ratio[3] != 1:
        raise ValueError(f"{op}: pooling_ratio is {pooling_ratio}; it takes [1.0, height, width, 1.0]")
    if min(pooling_ratio) < 1:
        raise ValueError(f"{op}: pooling_ratio is {pooling_ratio}; ratios are 1.0 or more")
    return tuple(pooling_ratio[1:3])


def _documented(ratio: str):
    def document(function):
        function.__doc__ += _DOCUMENTED.format(ratio=ratio)
        return function

    return document


@export("nn.fractional_max_pool")
@_documented("how much smaller the image becomes: a number, or [1.0, height, width, 1.0].")
def fractional_max_pool(value, pooling_ratio, pseudo_random=False, overlapping=False, seed=0, name=None):
    """The greatest of each window, whose sizes are random (tf.nn.fractional_max_pool)."""
    op = "fractional_max_pool"
    if not isinstance(pooling_ratio, (list, tuple)):
        pooling_ratio = [1.0, pooling_ratio, pooling_ratio, 1.0]
    taps, _, sequences = _windows(op, value, _ratios(op, pooling_ratio), pseudo_random, overlapping, seed)
    best = TABLE["argmax"](taps, axis=4, output_type=int64)
    return TABLE["gather"](taps, best, axis=4, batch_dims=4), *sequences


@export("nn.fractional_avg_pool")
@_documented("how much smaller the image becomes: [1.0, height, width, 1.0].")
def fractional_avg_pool(value, pooling_ratio, pseudo_random=False, overlapping=False, seed=0, name=None):
    """The mean of each window, whose sizes are random (tf.nn.fractional_avg_pool)."""
    op = "fractional_avg_pool"
    if not isinstance(pooling_ratio, (list, tuple)):
        raise TypeError(f"{op}: pooling_ratio must be a list, got {pooling_ratio!r}")
    taps, inside, sequences = _windows(op, value, _ratios(op, pooling_ratio), pseudo_random, overlapping, seed)
    weights = cast(inside, taps.dtype)
    total, count = (TABLE["reduce_sum"](v, axis=(v.ndim - 1,), keepdims=False) for v in (taps * weights, weights))
    return TABLE["truncate_div" if taps.dtype.is_integer else "divide"](total, count), *sequences
