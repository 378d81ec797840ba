"""Pooling: the greatest or the mean of each window."""

import math

from nbflow.dtypes import as_dtype, float32, int64
from nbflow.errors import InvalidArgumentError, UnimplementedError
from nbflow.nn.windows import channels_first, numbers, over_batch, padding_of
from nbflow.ops.table import TABLE
from nbflow.ops.windows import span
from nbflow.public import cast, export
from nbflow.tensor.tensor import argument

_POOL = """
    Args:
        input: {format}.
        ksize: the size of the window: a number, or a list of 1, {axes} or {both} numbers.
        strides: from window to window, as ksize.
        padding: {padding}
        data_format: {last!r} or {first!r}.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the dtype of input, with one element a window and channel.

    Raises:
        InvalidArgumentError: the window does not fit.
        ValueError: ksize, strides or padding is of a wrong length.
"""
_PADDING = {
    "max": '"SAME" (as many windows as strides fit), "VALID" (windows inside the input), or a list of {both} pairs.',
    "avg": '"SAME" (as many windows as strides fit) or "VALID" (windows inside the input). What lies outside does '
    "not count.",
}


def _documented(kind: str, axes: int):
    last, first = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}[axes]
    window = {1: "width", 2: "height, width", 3: "depth, height, width"}[axes]
    padding = _PADDING[kind].format(both=axes + 2)
    text = _POOL.format(
        format=f"[batch, {window}, channels]", axes=axes, both=axes + 2, first=first, last=last, padding=padding
    )

    def document(function):
        function.__doc__ += text
        return function

    return document


def _axes_of(op: str, x) -> int:
    """How many spatial axes a tensor has.

    Raises:
        ValueError: it has none, or more than three.
    """
    if not 3 <= x.ndim <= 5:
        raise ValueError(f"{op}: input has shape {x.shape}; it must have 3, 4 or 5 dimensions")
    return x.ndim - 2


def _pool(op: str, kind: str, x, axes: int, ksize, strides, padding, data_format, dilations=None):
    first = channels_first(op, data_format, axes)
    if kind == "avg" and not isinstance(padding, str):
        raise TypeError(f"{op}: padding is {padding!r}; means take 'SAME' or 'VALID'")
    if x.ndim != axes + 2:
        raise InvalidArgumentError(f"{op}: input has shape {x.shape}; it must be {axes + 2}-dimensional")
    depth = _depth_window(op, ksize, strides, axes, first)
    if depth is not None and kind == "max":
        return _pool_depth(op, x, depth)
    attrs = {
        "window": numbers(op, "ksize", ksize, axes, first),
        "strides": numbers(op, "strides", strides, axes, first),
        "padding": padding_of(op, padding, axes, first),
        "dilations": numbers(op, "dilations", dilations, axes),
    }
    if not isinstance(attrs["padding"], str):
        reach = [span(k, d) for k, d in zip(attrs["window"], attrs["dilations"], strict=True)]
        if any(max(pads) >= n for pads, n in zip(attrs["padding"], reach, strict=True)):
            raise InvalidArgumentError(f"{op}: padding {padding} needs to be smaller than the window {attrs['window']}")
    if kind == "avg":
        attrs["total"] = False
    return over_batch(x, axes, first, lambda rows: TABLE[f"{kind}_pool"](rows, **attrs))


def _depth_window(op: str, ksize, strides, axes: int, first: bool) -> int | None:
    """The size of a window over channels, None for one over space."""
    if not isinstance(ksize, (list, tuple)) or len(ksize) != axes + 2 or isinstance(strides, int):
        return None
    at = 1 if first else -1
    if ksize[at] == 1:
        return None
    if math.prod(ksize) != ksize[at]:
        raise UnimplementedError(f"{op}: ksize is {ksize}; a window covers either channels or space")
    if len(strides) != axes + 2 or strides[at] != ksize[at]:
        raise UnimplementedError(f"{op}: a window over {ksize[at]} channels needs a stride of the same, got {strides}")
    return ksize[at]


def _pool_depth(op: str, x, depth: int):
    """The greatest of each `depth` channels."""
    *shape, channels = x.nbflow_shape
    if channels % depth:
        raise UnimplementedError(f"{op}: a window over {depth} channels does not divide {channels} channels")
    split = TABLE["reshape"](x, shape=(math.prod(shape), channels // depth, depth, 1))
    attrs = {"window": (1, depth), "strides": (1, depth), "padding": "VALID", "dilations": (1, 1)}
    return TABLE["reshape"](TABLE["max_pool"](split, **attrs), shape=(*shape, channels // depth))


@export("nn.max_pool")
def max_pool(input, ksize, strides, padding, data_format=None, name=None):
    """The greatest of each window, for one to three spatial axes (tf.nn.max_pool).

    Args:
        input: a tensor of rank 3, 4 or 5: [batch, *spatial, channels], or with a data_format that starts with "NC"
            [batch, channels, *spatial].
        ksize: the size of the window: a number, or one for each spatial axis.
        strides: from window to window, as ksize.
        padding: "SAME", "VALID" or a list of pairs.
        data_format: "NWC", "NHWC", "NDHWC" or "NCW", "NCHW", "NCDHW".
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        ValueError: input is of another rank.
        InvalidArgumentError: the window does not fit.
    """
    x = argument("max_pool", "input", input, float32 if getattr(input, "ndim", 0) == 4 else None)  # as max_pool2d
    return _pool("max_pool", "max", x, _axes_of("max_pool", x), ksize, strides, padding, data_format)


@export("nn.avg_pool")
def avg_pool(input, ksize, strides, padding, data_format=None, name=None):
    """The mean of each window, for one to three spatial axes (tf.nn.avg_pool).

    Args are those of max_pool; input is floating point. What lies outside the input does not count.
    """
    x = argument("avg_pool", "input", input)
    return _pool("avg_pool", "avg", x, _axes_of("avg_pool", x), ksize, strides, padding, data_format)


@export("nn.max_pool1d")
@_documented("max", 1)
def max_pool1d(input, ksize, strides, padding, data_format="NWC", name=None):
    """The greatest of each window of a sequence (tf.nn.max_pool1d)."""
    x = argument("max_pool1d", "input", input)
    return _pool("max_pool1d", "max", x, 1, ksize, strides, padding, data_format)


@export("nn.max_pool2d")
@_documented("max", 2)
def max_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    """The greatest of each window of an image (tf.nn.max_pool2d); with ksize [1, 1, 1, k], of each k channels."""
    x = argument("max_pool2d", "input", input, float32)  # what numbers and arrays become in TensorFlow
    return _pool("max_pool2d", "max", x, 2, ksize, strides, padding, data_format)


@export("nn.max_pool3d")
@_documented("max", 3)
def max_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    """The greatest of each window of a volume (tf.nn.max_pool3d)."""
    x = argument("max_pool3d", "input", input)
    return _pool("max_pool3d", "max", x, 3, ksize, strides, padding, data_format)


@export("nn.avg_pool1d")
@_documented("avg", 1)
def avg_pool1d(input, ksize, strides, padding, data_format="NWC", name=None):
    """The mean of each window of a sequence (tf.nn.avg_pool1d)."""
    x = argument("avg_pool1d", "input", input)
    return _pool("avg_pool1d", "avg", x, 1, ksize, strides, padding, data_format)


@export("nn.avg_pool2d")
@_documented("avg", 2)
def avg_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    """The mean of each window of an image (tf.nn.avg_pool2d)."""
    x = argument("avg_pool2d", "input", input)
    return _pool("avg_pool2d", "avg", x, 2, ksize, strides, padding, data_format)


@export("nn.avg_pool3d")
@_documented("avg", 3)
def avg_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    """The mean of each window of a volume (tf.nn.avg_pool3d)."""
    x = argument("avg_pool3d", "input", input)
    return _pool("avg_pool3d", "avg", x, 3, ksize, strides, padding, data_format)


@export("nn.pool")
def pool(input, window_shape, pooling_type, strides=None, padding="VALID", data_format=None, dilations=None, name=None):
    """The greatest or the mean of each window, whose taps may be apart (tf.nn.pool).

    Args:
        input: [batch, *spatial, channels], or with a data_format that starts with "NC" [batch, channels, *spatial].
        window_shape: a list of one to three numbers.
        pooling_type: "MAX" or "AVG".
        strides: one for each spatial axis; 1 by default.
        padding: "SAME", "VALID" or, for "MAX", a list of pairs for all axes.
        data_format: as for max_pool.
        dilations: the distance between taps, one for each spatial axis; 1 by default.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        ValueError: pooling_type is another; dilations go together with strides or "SAME".
    """
    op, kind = "pool", {"MAX": "max", "AVG": "avg"}.get(pooling_type)
    axes = len(window_shape)
    x = argument(op, "input", input)
    if kind is None or not 1 <= axes <= 3:
        raise ValueError(f"{op}: {axes}-D {pooling_type} pooling is not supported; use 'MAX' or 'AVG'")
    steps, apart = numbers(op, "strides", strides, axes), numbers(op, "dilations", dilations, axes)
    if max(apart) > 1 and (max(steps) > 1 or padding == "SAME"):
        raise ValueError(f"{op}: dilations {apart} do not go with strides above 1, nor with 'SAME'")
    return _pool(op, kind, x, axes, list(window_shape), steps, padding, data_format, apart)


@export("nn.max_pool_with_argmax")
def max_pool_with_argmax(
    input, ksize, strides, padding, data_format="NHWC", output_dtype=int64, include_batch_in_index=False, name=None
):
    """The greatest of each window of an image, and where it is (tf.nn.max_pool_with_argmax).

    Args:
        input: [batch, height, width, channels], real numbers.
        ksize: the size of the window: a number, or a list of 1, 2 or 4 numbers.
        strides: from window to window, as ksize.
        padding: "SAME" or "VALID".
        data_format: "NHWC".
        output_dtype: of the positions: int32 or int64.
        include_batch_in_index: whether positions count from the first image rather than from each.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (output, argmax), both [batch, height', width', channels]; argmax is (y · width + x) · channels + channel. Of
        equal elements it is the first, and a NaN that is the first of its window is its greatest.

    Raises:
        ValueError: data_format is another.
    """
    op = "max_pool_with_argmax"
    if data_format != "NHWC":
        raise ValueError(f"{op}: `data_format` values other than 'NHWC' are not supported. Received: {data_format!r}")
    x = argument(op, "input", input)
    if x.ndim != 4:
        raise InvalidArgumentError(f"{op}: input has shape {x.shape}; it must be 4-dimensional")
    attrs = {
        "window": numbers(op, "ksize", ksize, 2),
        "strides": numbers(op, "strides", strides, 2),
        "padding": padding_of(op, padding, 2),
        "dilations": (1, 1),
    }
    argmax = TABLE["max_pool_argmax"](x, **attrs)
    output = TABLE["max_pick"](x, argmax, **attrs)
    if include_batch_in_index:
        batch, *size = x.nbflow_shape
        first = TABLE["range"](*(argument(op, "", n, int64) for n in (0, math.prod(size))), size=batch)
        argmax = argmax + TABLE["reshape"](first, shape=(batch, 1, 1, 1))
    return output, cast(argmax, as_dtype(output_dtype))
