"""Greyscale morphology: dilation and erosion of images."""

from nbflow.nn.windows import numbers, padding_of
from nbflow.ops.table import TABLE
from nbflow.public import export, pair

_DOCUMENTED = """
    Args:
        {image}: [batch, height, width, channels], real numbers.
        filters: [height, width, channels], of the same dtype.
        strides: from window to window: a list of 4 numbers, of which the first and the last are 1.
        padding: "SAME" or "VALID".
        data_format: "NHWC".
        dilations: the distance between taps, as strides.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [batch, height', width', channels]. Gradients go to the first {extreme} of each window.

    Raises:
        ValueError: data_format is another.
        InvalidArgumentError: shapes do not fit.
"""


def _documented(image: str, extreme: str):
    def document(function):
        function.__doc__ += _DOCUMENTED.format(image=image, extreme=extreme)
        return function

    return document


def _dilation(op: str, x, filters, strides, padding, data_format, dilations):
    if data_format != "NHWC":
        raise ValueError(f"{op}: data_format is {data_format!r}; only 'NHWC' is supported")
    attrs = {
        "strides": numbers(op, "strides", strides, 2),
        "padding": padding_of(op, padding, 2),
        "dilations": numbers(op, "dilations", dilations, 2),
    }
    return TABLE["dilation"](x, filters, **attrs)


@export("nn.dilation2d")
@_documented("input", "maximum")
def dilation2d(input, filters, strides, padding, data_format, dilations, name=None):
    """The greatest of input + filter in each window (tf.nn.dilation2d)."""
    op = "dilation2d"
    x, filters = pair(op, input, filters, ("input", "filters"))
    return _dilation(op, x, filters, strides, padding, data_format, dilations)


@export("nn.erosion2d")
@_documented("value", "minimum")
def erosion2d(value, filters, strides, padding, data_format, dilations, name=None):
    """The least of value - mirrored filter in each window (tf.nn.erosion2d): the dilation of -value, negated."""
    op = "erosion2d"
    x, filters = pair(op, value, filters, ("value", "filters"))
    mirrored = filters[::-1, ::-1] if filters.ndim == 3 else filters
    return -_dilation(op, -x, mirrored, strides, padding, data_format, dilations)
