"""The convolutions that TensorFlow offers under the names of its kernels, with those kernels' arguments."""

import math

from nbflow.errors import InvalidArgumentError
from nbflow.nn.convolutions import conv2d, conv2d_transpose, conv3d
from nbflow.nn.windows import channels_first, channels_last, check_rank, numbers, padding_of
from nbflow.ops.table import TABLE
from nbflow.public import export, pair
from nbflow.tensor.tensor import argument


def _padding(op: str, padding: str, explicit, axes: int):
    """A padding as other convolutions take it: for "EXPLICIT" pairs, of a list with two numbers for each axis."""
    if padding != "EXPLICIT":
        return padding
    if len(explicit) != 2 * (axes + 2):
        raise InvalidArgumentError(f"{op}: explicit_paddings is {explicit}; it must contain {2 * (axes + 2)} values")
    return [list(explicit[k : k + 2]) for k in range(0, len(explicit), 2)]


@export("conv")
def conv(
    input,
    filter,
    strides,
    padding,
    explicit_paddings=(),
    data_format="CHANNELS_LAST",
    dilations=(),
    batch_dims=1,
    groups=1,
    name=None,
):
    """A convolution with two or three spatial axes and any number of batch axes (tf.conv).

    Args:
        input: [*batch, *spatial, channels].
        filter: [*window, in_channels, out_channels].
        strides: a list of numbers for the batch, each spatial axis and the channels.
        padding: "SAME", "VALID" or "EXPLICIT".
        explicit_paddings: with "EXPLICIT" before and after the batch, each spatial axis and the channels.
        data_format: "CHANNELS_LAST" or "CHANNELS_FIRST".
        dilations: the distance between taps, as strides; 1 by default.
        batch_dims: how many batch axes there are.
        groups: 1.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        InvalidArgumentError: shapes do not fit.
    """
    op = "conv"
    x, filters = pair(op, input, filter, ("input", "filter"))
    axes = filters.ndim - 2
    if axes not in (2, 3) or x.ndim != batch_dims + axes + 1:
        raise InvalidArgumentError(
            f"{op}: input has shape {x.shape}, filter {filters.shape} and batch_dims is {batch_dims}; it takes two or "
            f"three spatial axes"
        )
    formats = {"CHANNELS_LAST": ("NHWC", "NDHWC"), "CHANNELS_FIRST": ("NCHW", "NCDHW")}
    if data_format not in formats or groups != 1:
        raise InvalidArgumentError(
            f"{op}: data_format is {data_format!r} and groups {groups}; it takes {[*formats]}, 1"
        )
    for key, value in (("strides", strides), ("dilations", dilations)):
        if len(value) != axes + 2 and (key == "strides" or value):
            raise InvalidArgumentError(f"{op}: {key} is {value}; it takes {axes + 2} numbers")
    batch = x.nbflow_shape[:batch_dims]
    flat = TABLE["reshape"](x, shape=(math.prod(batch), *x.nbflow_shape[batch_dims:]))
    function, pads = (conv2d, conv3d)[axes - 2], _padding(op, padding, explicit_paddings, axes)
    found = function(flat, filters, strides, pads, formats[data_format][axes - 2], list(dilations) or None)
    return TABLE["reshape"](found, shape=(*batch, *found.nbflow_shape[1:]))


@export("conv2d_backprop_input_v2")
def conv2d_backprop_input_v2(
    input,
    filter,
    out_backprop,
    strides,
    padding,
    use_cudnn_on_gpu=True,
    explicit_paddings=(),
    data_format="NHWC",
    dilations=(1, 1, 1, 1),
    name=None,
):
    """The gradient of conv2d for its input (tf.conv2d_backprop_input_v2).

    Args:
        input: a tensor of the shape of the input.
        filter: [height, width, in_channels, out_channels].
        out_backprop: the gradient for the result.
        strides, padding, explicit_paddings, data_format, dilations: of the convolution, see conv.
        use_cudnn_on_gpu: accepted as TensorFlow's; it has no effect.
        name: accepted as TensorFlow's; it has no effect.
    """
    op = "conv2d_backprop_input_v2"
    shape = argument(op, "input", input).nbflow_shape
    pads = _padding(op, padding, explicit_paddings, 2)
    return conv2d_transpose(out_backprop, filter, shape, strides, pads, data_format, list(dilations))


@export("conv2d_backprop_filter_v2")
def conv2d_backprop_filter_v2(
    input,
    filter,
    out_backprop,
    strides,
    padding,
    use_cudnn_on_gpu=True,
    explicit_paddings=(),
    data_format="NHWC",
    dilations=(1, 1, 1, 1),
    name=None,
):
    """The gradient of conv2d for its filter (tf.conv2d_backprop_filter_v2).

    Args:
        input: [batch, height, width, in_channels].
        filter: a tensor of the shape of the filter.
        out_backprop: the gradient for the result.
        strides, padding, explicit_paddings, data_format, dilations: of the convolution, see conv.
        use_cudnn_on_gpu: accepted as TensorFlow's; it has no effect.
        name: accepted as TensorFlow's; it has no effect.
    """
    op = "conv2d_backprop_filter_v2"
    x, g = pair(op, input, out_backprop, ("input", "out_backprop"))
    first = channels_first(op, data_format, 2)
    for key, tensor in (("input", x), ("out_backprop", g)):
        check_rank(op, tensor, 4, key)
    return TABLE["convolution_filter_gradient"](
        channels_last(x, 2, first),
        channels_last(g, 2, first),
        size=tuple(argument(op, "filter", filter).nbflow_shape),
        strides=numbers(op, "strides", strides, 2, first),
        padding=padding_of(op, _padding(op, padding, explicit_paddings, 2), 2, first),
        dilations=numbers(op, "dilations", list(dilations), 2, first),
    )


@export("extract_volume_patches")
def extract_volume_patches(input, ksizes, strides, padding, name=None):
    """What lies in each window of a volume, as channels (tf.extract_volume_patches).

    Args:
        input: [batch, depth, height, width, channels].
        ksizes: [1, depth, height, width, 1] of the window.
        strides: from window to window, as ksizes.
        padding: "SAME" or "VALID".
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        [batch, depth', height', width', window depth · height · width · channels].

    Raises:
        InvalidArgumentError: input is of another rank, a list is of another length, or the window does not fit.
    """
    op = "extract_volume_patches"
    x = argument(op, "input", input)
    if x.ndim != 5:
        raise InvalidArgumentError(f"{op}: input has shape {x.shape}; it must be 5-dimensional")
    for key, value in (("ksizes", ksizes), ("strides", strides)):
        if len(value) != 5:
            raise InvalidArgumentError(f"{op}: {key} is {value}; it takes 5 numbers")
    return TABLE["extract_patches"](
        x,
        window=numbers(op, "ksizes", ksizes, 3),
        strides=numbers(op, "strides", strides, 3),
        padding=padding_of(op, padding, 3),
        dilations=(1, 1, 1),
    )
