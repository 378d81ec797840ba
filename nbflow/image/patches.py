"""Patches of images."""

from nbflow.errors import InvalidArgumentError
from nbflow.nn.windows import numbers, padding_of
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.tensor.tensor import argument


@export("image.extract_patches")
def extract_patches(images, sizes, strides, rates, padding, name=None):
    """What lies in each window of an image, in a row (tf.image.extract_patches).

    Args:
        images: [batch, height, width, channels].
        sizes: [1, height, width, 1] of the window.
        strides: [1, y, x, 1], from window to window.
        rates: [1, y, x, 1], the distance between the taps of a window.
        padding: "SAME" or "VALID".
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        [batch, height', width', window height · window width · channels].

    Raises:
        InvalidArgumentError: images is of another rank, a list is shorter than 4, or the window does not fit.
    """
    op = "extract_patches"
    x = argument(op, "images", images)
    if x.ndim != 4:
        raise InvalidArgumentError(f"{op}: images has shape {x.shape}; it must be 4-dimensional")
    for key, value in (("sizes", sizes), ("strides", strides), ("rates", rates)):
        if len(value) != 4:
            raise InvalidArgumentError(f"{op}: {key} is {value}; it takes 4 numbers")
    return TABLE["extract_patches"](
        x,
        window=numbers(op, "sizes", sizes, 2),
        strides=numbers(op, "strides", strides, 2),
        padding=padding_of(op, padding, 2),
        dilations=numbers(op, "rates", rates, 2),
    )
