"""Convolutions, their transposes, and patches."""

from nbflow.errors import InvalidArgumentError
from nbflow.nn.windows import channels_first, channels_last, check_rank, numbers, over_batch, padding_of, restored
from nbflow.ops.table import TABLE
from nbflow.public import export, pair, shape_argument
from nbflow.shapes import could_be_equal
from nbflow.tensor.tensor import argument

_CONVOLUTION = """
    Args:
        input: a tensor of {format} (or with data_format={first!r}, {first}), floating point or int32; further axes
            before are further batch axes.
        filters: {filters}; where in_channels is a divisor of the input's channels, these fall into groups,
            each of which has its own share of the outputs.
        {stride}: a number, or a list of 1, {axes} or {both} numbers.
        padding: "SAME" (as many windows as strides fit), "VALID" (windows inside the input), or a list of {both} pairs.
        data_format: {last!r} or {first!r}.
        dilations: the distance between taps, as {stride}; 1 by default.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the dtype of input, with one element a window and output.

    Raises:
        InvalidArgumentError: shapes do not fit, or dtypes differ.
        ValueError: {stride} or padding is of a wrong length.
"""


def _documented(axes: int, stride: str = "strides"):
    last, first = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}[axes]
    window = {1: "width", 2: "height, width", 3: "depth, height, width"}[axes]
    text = _CONVOLUTION.format(
        format=f"[batch, {window}, channels]", first=first, last=last, stride=stride, axes=axes, both=axes + 2,
        filters=f"[{window}, in_channels, out_channels]",
    )  # fmt: skip

    def document(function):
        function.__doc__ += text
        return function

    return document


def _convolve(op: str, x, filters, axes: int, strides, padding, first: bool, dilations):
    x, filters = pair(op, x, filters, ("input", "filters"))
    check_rank(op, x, axes + 2)
    if filters.ndim != axes + 2:
        raise InvalidArgumentError(f"{op}: filters has shape {filters.shape}; it must be {axes + 2}-dimensional")
    attrs = {
        "strides": numbers(op, "strides", strides, axes, first),
        "padding": padding_of(op, padding, axes, first),
        "dilations": numbers(op, "dilations", dilations, axes, first),
    }
    return over_batch(x, axes, first, lambda rows: TABLE["convolution"](rows, filters, **attrs))


@export("nn.conv1d")
@_documented(1, "stride")
def conv1d(input, filters, stride, padding, data_format="NWC", dilations=None, name=None):
    """The convolution of sequences with filters (tf.nn.conv1d), really their correlation, as everywhere here."""
    first = channels_first("conv1d", data_format, 1)
    return _convolve("conv1d", input, filters, 1, stride, padding, first, dilations)


@export("nn.conv2d")
@_documented(2)
def conv2d(input, filters, strides, padding, data_format="NHWC", dilations=None, name=None):
    """The convolution of images with filters (tf.nn.conv2d): Σ input[s·y + d·i, s·x + d·j, c] filters[i, j, c, k]."""
    first = channels_first("conv2d", data_format, 2)
    return _convolve("conv2d", input, filters, 2, strides, padding, first, dilations)


@export("nn.conv3d")
@_documented(3)
def conv3d(input, filters, strides, padding, data_format="NDHWC", dilations=None, name=None):
    """The convolution of volumes with filters (tf.nn.conv3d)."""
    first = channels_first("conv3d", data_format, 3)
    return _convolve("conv3d", input, filters, 3, strides, padding, first, dilations)


def _spatial_axes(op: str, rank: int) -> int:
    if not 3 <= rank <= 5:
        raise ValueError(f"{op}: filters has {rank} dimensions; it needs one to three spatial axes and two more")
    return rank - 2


@export("nn.convolution")
def convolution(input, filters, strides=None, padding="VALID", data_format=None, dilations=None, name=None):
    """A convolution with as many spatial axes as the filters have: conv1d, conv2d or conv3d (tf.nn.convolution).

    Args:
        input: [batch, *spatial, channels], or with a data_format that starts with "NC" [batch, channels, *spatial].
        filters: [*window, in_channels, out_channels].
        strides: a number or one for each spatial axis; 1 by default.
        padding: "SAME", "VALID" or a list of pairs.
        data_format: "NWC", "NHWC", "NDHWC" or "NCW", "NCHW", "NCDHW".
        dilations: the distance between taps, as strides.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        ValueError: strides and dilations are both above 1.
        InvalidArgumentError: shapes do not fit.
    """
    op = "convolution"
    x, filters = pair(op, input, filters, ("input", "filters"))
    axes = _spatial_axes(op, filters.ndim)
    first = channels_first(op, data_format, axes)
    _not_both(op, numbers(op, "strides", strides, axes, first), numbers(op, "dilations", dilations, axes, first))
    return _convolve(op, x, filters, axes, strides, padding, first, dilations)


def _not_both(op: str, strides: tuple, dilations: tuple) -> None:
    if max(strides) > 1 and max(dilations) > 1:
        raise ValueError(f"{op}: strides {strides} and dilations {dilations} cannot both be above 1")


@export("nn.atrous_conv2d")
def atrous_conv2d(value, filters, rate, padding, name=None):
    """conv2d whose taps are `rate` apart (tf.nn.atrous_conv2d).

    Args:
        value: [batch, height, width, channels].
        filters: [height, width, in_channels, out_channels].
        rate: a number, the dilation of both axes.
        padding: "SAME" or "VALID".
        name: accepted as TensorFlow's; it has no effect.
    """
    return _convolve("atrous_conv2d", value, filters, 2, 1, padding, False, rate)


# --- transposes -------------------------------------------------------------------------------------------------------

_TRANSPOSE = """
    Args:
        input: {format}, a floating point tensor.
        filters: [{window}, out_channels, in_channels].
        output_shape: of the result, in the data format.
        strides: a number, or a list of 1, {axes} or {both} numbers.
        padding: "SAME", "VALID" or a list of {both} pairs, of the convolution that this is the gradient of.
        data_format: {last!r} or {first!r}.
        dilations: the distance between taps, as strides; 1 by default.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of shape output_shape.

    Raises:
        InvalidArgumentError: a convolution of that shape has no result of the shape of input.
"""


def _documented_transpose(axes: int):
    last, first = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}[axes]
    window = {1: "width", 2: "height, width", 3: "depth, height, width"}[axes]
    text = _TRANSPOSE.format(
        format=f"[batch, {window}, in_channels]", window=window, first=first, last=last, axes=axes, both=axes + 2
    )

    def document(function):
        function.__doc__ += text
        return function

    return document


def _transpose(op: str, x, filters, output_shape, axes: int, strides, padding, first: bool, dilations):
    x, filters = pair(op, x, filters, ("input", "filters"))
    for name, tensor in (("input", x), ("filters", filters)):
        if tensor.ndim != axes + 2:
            raise InvalidArgumentError(f"{op}: {name} has shape {tensor.shape}; it must be {axes + 2}-dimensional")
    wanted = shape_argument(op, output_shape, "output_shape")
    if len(wanted) != axes + 2:
        raise InvalidArgumentError(f"{op}: output_shape is {list(wanted)}; it needs {axes + 2} sizes")
    batch, *rest = wanted
    if not could_be_equal((batch,), x.nbflow_shape[:1]):
        raise InvalidArgumentError(
            f"{op}: output_shape is {list(wanted)}, but input has shape {x.shape}: batches differ"
        )
    size = (*rest[1:], rest[0]) if first else tuple(rest)
    result = TABLE["convolution_input_gradient"](
        filters,
        channels_last(x, axes, first),
        size=size,
        strides=numbers(op, "strides", strides, axes, first),
        padding=padding_of(op, padding, axes, first),
        dilations=numbers(op, "dilations", dilations, axes, first),
    )
    return restored(result, axes, first)


@export("nn.conv1d_transpose")
@_documented_transpose(1)
def conv1d_transpose(
    input, filters, output_shape, strides, padding="SAME", data_format="NWC", dilations=None, name=None
):
    """The transpose of conv1d, also called its gradient or deconvolution (tf.nn.conv1d_transpose)."""
    op = "conv1d_transpose"
    first = channels_first(op, data_format, 1)
    return _transpose(op, input, filters, output_shape, 1, strides, padding, first, dilations)


@export("nn.conv2d_transpose")
@_documented_transpose(2)
def conv2d_transpose(
    input, filters, output_shape, strides, padding="SAME", data_format="NHWC", dilations=None, name=None
):
    """The transpose of conv2d, also called its gradient or deconvolution (tf.nn.conv2d_transpose)."""
    op = "conv2d_transpose"
    first = channels_first(op, data_format, 2)
    return _transpose(op, input, filters, output_shape, 2, strides, padding, first, dilations)


@export("nn.conv3d_transpose")
@_documented_transpose(3)
def conv3d_transpose(
    input, filters, output_shape, strides, padding="SAME", data_format="NDHWC", dilations=None, name=None
):
    """The transpose of conv3d, also called its gradient or deconvolution (tf.nn.conv3d_transpose)."""
    op = "conv3d_transpose"
    first = channels_first(op, data_format, 3)
    return _transpose(op, input, filters, output_shape, 3, strides, padding, first, dilations)


@export("nn.conv_transpose")
def conv_transpose(input, filters, output_shape, strides, padding="SAME", data_format=None, dilations=None, name=None):
    """The transpose of a convolution with one to three spatial axes (tf.nn.conv_transpose).

    Args:
        input: [batch, *spatial, in_channels], or with a data_format that starts with "NC" channels first.
        filters: [*window, out_channels, in_channels].
        output_shape: of the result, in the data format; its length says how many spatial axes there are.
        strides: a number, or one for each spatial axis.
        padding: "SAME", "VALID" or a list of pairs, of the convolution that this is the gradient of.
        data_format: as for conv1d_transpose, conv2d_transpose and conv3d_transpose.
        dilations: the distance between taps, as strides.
        name: accepted as TensorFlow's; it has no effect.
    """
    op = "conv_transpose"
    axes = len(shape_argument(op, output_shape, "output_shape")) - 2
    if not 1 <= axes <= 3:
        raise ValueError(f"{op}: output_shape must be of length 3, 4 or 5; got {output_shape}")
    first = channels_first(op, data_format, axes)
    return _transpose(op, input, filters, output_shape, axes, strides, padding, first, dilations)


@export("nn.atrous_conv2d_transpose")
def atrous_conv2d_transpose(value, filters, output_shape, rate, padding, name=None):
    """The transpose of atrous_conv2d (tf.nn.atrous_conv2d_transpose).

    Args:
        value: [batch, height, width, in_channels].
        filters: [height, width, out_channels, in_channels].
        output_shape: of the result: four sizes.
        rate: a number, the dilation of both axes.
        padding: "SAME" or "VALID".
        name: accepted as TensorFlow's; it has no effect.
    """
    op = "atrous_conv2d_transpose"
    if padding not in ("SAME", "VALID"):
        raise ValueError(f"{op}: `padding` must be either 'VALID' or 'SAME'. Received: padding={padding}")
    return _transpose(op, value, filters, output_shape, 2, 1, padding, False, rate)


# --- each channel by itself -------------------------------------------------------------------------------------------


def _per_channel(op: str, filters):
    """Filters [height, width, channels, multiplier] as those of a convolution with a group for each channel."""
    if filters.ndim != 4:
        raise InvalidArgumentError(f"{op}: filter has shape {filters.shape}; it must be 4-dimensional")
    height, width, channels, multiplier = filters.nbflow_shape
    return TABLE["reshape"](filters, shape=(height, width, 1, channels * multiplier))


def _depthwise_attrs(op: str, strides, padding, dilations, first: bool) -> dict:
    return {
        "strides": numbers(op, "strides", strides, 2, first),
        "padding": padding_of(op, padding, 2, first),
        "dilations": numbers(op, "dilations", dilations, 2, first),
    }


@export("nn.depthwise_conv2d")
def depthwise_conv2d(input, filter, strides, padding, data_format=None, dilations=None, name=None):
    """A convolution of each channel by itself (tf.nn.depthwise_conv2d).

    Args:
        input: [batch, height, width, channels], or with data_format="NCHW" channels first.
        filter: [height, width, channels, multiplier]: so many outputs for each channel.
        strides: a list of 4 numbers.
        padding: "SAME", "VALID" or a list of 4 pairs.
        data_format: "NHWC" or "NCHW".
        dilations: the distance between taps, two numbers.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        [batch, height', width', channels · multiplier].

    Raises:
        InvalidArgumentError: shapes do not fit.
    """
    op = "depthwise_conv2d"
    x, filters = pair(op, input, filter, ("input", "filter"))
    first = channels_first(op, data_format, 2)
    if x.ndim != 4:
        raise InvalidArgumentError(f"{op}: input has shape {x.shape}; it must be 4-dimensional")
    weights = _per_channel(op, filters)
    if x.nbflow_shape[1 if first else 3] != filters.nbflow_shape[2]:
        raise InvalidArgumentError(
            f"{op}: input of shape {x.shape} and filter of shape {filters.shape} must have the same channels"
        )
    attrs = _depthwise_attrs(op, strides, padding, dilations, first)
    return restored(TABLE["convolution"](channels_last(x, 2, first), weights, **attrs), 2, first)


@export("nn.depthwise_conv2d_backprop_input")
def depthwise_conv2d_backprop_input(
    input_sizes, filter, out_backprop, strides, padding, data_format="NHWC", dilations=(1, 1, 1, 1), name=None
):
    """The gradient of depthwise_conv2d for its input (tf.nn.depthwise_conv2d_backprop_input).

    Args:
        input_sizes: the shape of the input, 4 sizes.
        filter: [height, width, channels, multiplier].
        out_backprop: the gradient for the result.
        strides, padding, data_format, dilations: as given to depthwise_conv2d.
        name: accepted as TensorFlow's; it has no effect.
    """
    op = "depthwise_conv2d_backprop_input"
    filters, g = pair(op, filter, out_backprop, ("filter", "out_backprop"))
    first = channels_first(op, data_format, 2)
    _, *rest = shape_argument(op, input_sizes, "input_sizes")
    result = TABLE["convolution_input_gradient"](
        _per_channel(op, filters),
        channels_last(g, 2, first),
        size=(*rest[1:], rest[0]) if first else tuple(rest),
        **_depthwise_attrs(op, strides, padding, dilations, first),
    )
    return restored(result, 2, first)


@export("nn.depthwise_conv2d_backprop_filter")
def depthwise_conv2d_backprop_filter(
    input, filter_sizes, out_backprop, strides, padding, data_format="NHWC", dilations=(1, 1, 1, 1), name=None
):
    """The gradient of depthwise_conv2d for its filter (tf.nn.depthwise_conv2d_backprop_filter).

    Args:
        input: the input.
        filter_sizes: the shape of the filter, 4 sizes.
        out_backprop: the gradient for the result.
        strides, padding, data_format, dilations: as given to depthwise_conv2d.
        name: accepted as TensorFlow's; it has no effect.
    """
    op = "depthwise_conv2d_backprop_filter"
    x, g = pair(op, input, out_backprop, ("input", "out_backprop"))
    first = channels_first(op, data_format, 2)
    height, width, channels, multiplier = shape_argument(op, filter_sizes, "filter_sizes")
    result = TABLE["convolution_filter_gradient"](
        channels_last(x, 2, first),
        channels_last(g, 2, first),
        size=(height, width, 1, channels * multiplier),
        **_depthwise_attrs(op, strides, padding, dilations, first),
    )
    return TABLE["reshape"](result, shape=(height, width, channels, multiplier))


@export("nn.separable_conv2d")
def separable_conv2d(
    input, depthwise_filter, pointwise_filter, strides, padding, data_format=None, dilations=None, name=None
):
    """depthwise_conv2d, then a convolution with windows of one element (tf.nn.separable_conv2d).

    Args:
        input: [batch, height, width, channels], or with data_format="NCHW" channels first.
        depthwise_filter: [height, width, channels, multiplier].
        pointwise_filter: [1, 1, channels · multiplier, out_channels].
        strides: a list of 4 numbers.
        padding: "SAME", "VALID" or a list of 4 pairs.
        data_format: "NHWC" or "NCHW".
        dilations: the distance between taps, two numbers.
        name: accepted as TensorFlow's; it has no effect.
    """
    op = "separable_conv2d"
    pointwise = argument(op, "pointwise_filter", pointwise_filter)
    if pointwise.ndim != 4 or tuple(pointwise.nbflow_shape[:2]) != (1, 1):
        raise ValueError(f"{op}: pointwise_filter has shape {pointwise.shape}; it must be [1, 1, channels, outputs]")
    middle = depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    return conv2d(middle, pointwise, 1, "VALID", data_format or "NHWC")
