"""Brightness, contrast, gamma, hue and saturation; images with mean 0 and variance 1."""

import numpy as np

from nbflow.dtypes import float16, float32
from nbflow.errors import InvalidArgumentError
from nbflow.image.arguments import images
from nbflow.image.colours import convert_image_dtype
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import Tensor, argument


def _in_floating_point(x):
    """Images in float16 or float32 as they are, others scaled to float32."""
    return x if x.dtype in (float16, float32) else convert_image_dtype(x, float32)


def _amount(function: str, name: str, value, dtype=float32):
    """A number that goes with an adjustment, as a scalar tensor."""
    amount = cast(argument(function, name, value, dtype), dtype)
    if amount.ndim:
        raise InvalidArgumentError(f"{function}: {name} has shape {amount.shape}; it takes a scalar")
    return amount


def _outside(value, least: float, most: float = np.inf) -> bool:
    """Whether a number is not within limits; of a number inside a trace nobody knows."""
    if isinstance(value, TensorProtocol) and type(value) is not Tensor:
        return False
    found = np.asarray(value.numpy() if isinstance(value, Tensor) else value)
    return bool(((found < least) | (found > most)).any())


@export("image.adjust_brightness")
def adjust_brightness(image, delta):
    """Images with a number added to all channels (tf.image.adjust_brightness).

    Args:
        image: a tensor of any shape; integers are computed as floats in [0, 1], see nf.image.convert_image_dtype.
        delta: a number, in (-1, 1) for images in [0, 1].

    Returns:
        A tensor like image; integers stay within the range of their dtype.

    Example:
        >>> import nbflow as nf
        >>> nf.image.adjust_brightness([[[0.25, 0.5, 0.75]]], 0.125)
        <nf.Tensor: shape=(1, 1, 3), dtype=float32, numpy=array([[[0.375, 0.625, 0.875]]], dtype=float32)>
    """
    x = argument("image.adjust_brightness", "image", image)
    wide = _in_floating_point(x)
    delta = cast(argument("image.adjust_brightness", "delta", delta, wide.dtype), wide.dtype)
    return convert_image_dtype(wide + delta, x.dtype, saturate=True)


@export("image.adjust_contrast")
def adjust_contrast(images, contrast_factor):
    """(x - mean) · contrast_factor + mean, with the mean of each channel of each image (tf.image.adjust_contrast).

    Args:
        images: [..., height, width, channels]; integers are computed as floats in [0, 1].
        contrast_factor: a number.

    Returns:
        A tensor like images; integers stay within the range of their dtype.
    """
    x = _images("adjust_contrast", images, "images")
    wide = _in_floating_point(x)
    factor = _amount("image.adjust_contrast", "contrast_factor", contrast_factor)
    exact = cast(wide, float32)
    mean = TABLE["reduce_mean"](exact, axis=(x.ndim - 3, x.ndim - 2), keepdims=True)
    return convert_image_dtype(cast((exact - mean) * factor + mean, wide.dtype), x.dtype, saturate=True)


def _images(name: str, value, argument_name: str = "image"):
    x = argument(f"image.{name}", argument_name, value)
    if x.ndim < 3:
        raise InvalidArgumentError(
            f"image.{name}: {argument_name} has shape {x.shape}; it takes three axes or more: height, width, channels"
        )
    return x


@export("image.adjust_gamma")
def adjust_gamma(image, gamma=1, gain=1):
    """gain · x^gamma (tf.image.adjust_gamma): darker for gamma above 1, brighter below.

    Args:
        image: a tensor of any shape; integers are computed as floats in [0, 1].
        gamma, gain: numbers; gamma is 0 or more.

    Raises:
        InvalidArgumentError: gamma is negative.
    """
    x = argument("image.adjust_gamma", "image", image)
    if _outside(gamma, 0):
        raise InvalidArgumentError(f"image.adjust_gamma: gamma is {gamma}; it takes 0 or more")
    return convert_image_dtype(gain * _in_floating_point(x) ** gamma, x.dtype, saturate=True)


@export("image.adjust_hue")
def adjust_hue(image, delta, name=None):
    """Colours turned on the circle of hues (tf.image.adjust_hue); value and saturation stay as they are.

    Args:
        image: [..., height, width, 3]; integers are computed as floats in [0, 1].
        delta: by how much of the circle, in [-1, 1].
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor like image. There is no gradient, as in TensorFlow.

    Raises:
        InvalidArgumentError: delta is not in [-1, 1], or image has fewer axes or other channels.
    """
    if _outside(delta, -1, 1):
        raise InvalidArgumentError(f"image.adjust_hue: delta is {delta}; it takes [-1, 1]")
    return _adjusted("adjust_hue", image, "delta", delta)


@export("image.adjust_saturation")
def adjust_saturation(image, saturation_factor, name=None):
    """The saturation of colours multiplied by a number, up to 1 (tf.image.adjust_saturation).

    Args:
        image: [..., height, width, 3]; integers are computed as floats in [0, 1].
        saturation_factor: a number; 0 gives grey.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor like image. There is no gradient, as in TensorFlow.
    """
    return _adjusted("adjust_saturation", image, "saturation_factor", saturation_factor)


def _adjusted(name: str, image, argument_name: str, amount):
    x = _images(name, image)
    wide = _in_floating_point(x)
    changed = TABLE[name](wide, _amount(f"image.{name}", argument_name, amount, wide.dtype))
    return convert_image_dtype(changed, x.dtype)


@export("image.per_image_standardization")
def per_image_standardization(image):
    """(x - mean) / max(deviation, 1 / √n), over all n numbers of an image (tf.image.per_image_standardization).

    Args:
        image: [..., height, width, channels], of numbers.

    Returns:
        A float32 tensor of the shape of image: each image has mean 0 and variance 1, or is 0 if it is uniform.
    """
    x = cast(images("image.per_image_standardization", image, ranks=()), float32)
    axis = tuple(range(x.ndim - 3, x.ndim))
    centred = x - TABLE["reduce_mean"](x, axis=axis, keepdims=True)
    variance = TABLE["reduce_mean"](TABLE["square"](centred), axis=axis, keepdims=True)
    least = TABLE["rsqrt"](TABLE["count"](x, axis=axis))
    return centred / TABLE["maximum"](TABLE["sqrt"](variance), least)
