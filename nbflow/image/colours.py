"""Colours: dtypes of images, grey, and the colour spaces HSV, YIQ and YUV."""

import numpy as np

from nbflow.dtypes import DType, as_dtype, float32
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.shapes import Dim
from nbflow.tensor.tensor import argument, to_tensor

LUMA = (0.2989, 0.5870, 0.1140)  # what red, green and blue add to the brightness
RGB_TO_YIQ = ((0.299, 0.59590059, 0.2115), (0.587, -0.27455667, -0.52273617), (0.114, -0.32134392, 0.31119955))
YIQ_TO_RGB = ((1, 1, 1), (0.95598634, -0.27201283, -1.10674021), (0.6208248, -0.64720424, 1.70423049))
RGB_TO_YUV = ((0.299, -0.14714119, 0.61497538), (0.587, -0.28886916, -0.51496512), (0.114, 0.43601035, -0.10001026))
YUV_TO_RGB = ((1, 1, 1), (0, -0.394642334, 2.03206185), (1.13988303, -0.58062185, 0))


@export("image.convert_image_dtype")
def convert_image_dtype(image, dtype, saturate=False, name=None):
    """Images in another dtype, scaled to its range (tf.image.convert_image_dtype).

    Floating point images have values in [0, 1), those of integers in [0, greatest number of the dtype].

    Args:
        image: a tensor of floating point numbers or integers, of any shape.
        dtype: a dtype of floating point numbers or integers.
        saturate: whether numbers beyond the range of dtype become the least or greatest of it.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of image.

    Raises:
        AttributeError: a dtype is neither floating point nor integer.

    Example:
        >>> import numpy as np
        >>> import nbflow as nf
        >>> nf.image.convert_image_dtype(np.array([0, 51, 255], np.uint8), nf.float32)
        <nf.Tensor: shape=(3,), dtype=float32, numpy=array([0. , 0.2, 1. ], dtype=float32)>
    """
    x, dtype = argument("image.convert_image_dtype", "image", image), as_dtype(dtype)
    for which, found in (("dtype", dtype), ("the dtype of image", x.dtype)):
        if not (found.is_floating or found.is_integer):
            raise AttributeError(f"image.convert_image_dtype: {which} is {found.name}; it takes floats and integers")
    if dtype is x.dtype:
        return TABLE["identity"](x)
    to = _saturated if saturate else cast
    if x.dtype.is_floating:
        return cast(x, dtype) if dtype.is_floating else to(x * (int(dtype.max) + 0.5), dtype)
    if dtype.is_floating:
        return cast(x, dtype) * (1.0 / int(x.dtype.max))
    here, there = int(x.dtype.max), int(dtype.max)
    if here > there:  # scaled down first, so that the result fits
        return to(TABLE["floor_div"](x, (here + 1) // (there + 1)), dtype)
    scale = (there + 1) // (here + 1)
    return to(x, dtype) * scale if scale != 1 else to(x, dtype)


def _saturated(x, dtype: DType):
    """x in another dtype, whose range its numbers are brought into before."""
    if x.dtype.is_integer:
        least, most = max(int(x.dtype.min), int(dtype.min)), min(int(x.dtype.max), int(dtype.max))
    else:
        kind = x.dtype.np.type
        least, most = (
            kind(limit)
            for limit in (max(float(x.dtype.min), float(dtype.min)), min(float(x.dtype.max), float(dtype.max)))
        )
        if float(most) > float(dtype.max):  # compared in float64, as TensorFlow does
            most = np.nextafter(most, kind(0))
    limits = [to_tensor(np.asarray(limit, x.dtype.np)) for limit in (least, most)]
    return cast(TABLE["minimum"](TABLE["maximum"](x, limits[0]), limits[1]), dtype)


@export("image.rgb_to_grayscale")
def rgb_to_grayscale(images, name=None):
    """The brightness of colours, 0.2989 R + 0.587 G + 0.114 B (tf.image.rgb_to_grayscale).

    Args:
        images: a tensor of floating point numbers or integers whose last axis has size 3.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the dtype of images whose last axis has size 1.
    """
    x = _of_channels("image.rgb_to_grayscale", images, 3)
    wide = convert_image_dtype(x, float32)
    red, green, blue = channels(wide)
    return convert_image_dtype(red * LUMA[0] + green * LUMA[1] + blue * LUMA[2], x.dtype)


@export("image.grayscale_to_rgb")
def grayscale_to_rgb(images, name=None):
    """Grey images with equal red, green and blue (tf.image.grayscale_to_rgb).

    Args:
        images: a tensor of two axes or more whose last has size 1.
        name: accepted as TensorFlow's; it has no effect.
    """
    x = _of_channels("image.grayscale_to_rgb", images, 1)
    if x.ndim < 2:
        raise InvalidArgumentError(f"image.grayscale_to_rgb: images has shape {x.shape}; it takes two axes or more")
    return TABLE["broadcast_to"](x, shape=(*x.nbflow_shape[:-1], 3))


def _of_channels(function: str, value, count: int):
    x = argument(function, "images", value)
    if x.ndim < 1 or (x.nbflow_shape[-1] != count and not isinstance(x.nbflow_shape[-1], Dim)):
        raise InvalidArgumentError(f"{function}: images has shape {x.shape}; its last axis must have size {count}")
    return x


def channels(x) -> list:
    """The channels of images, each with a last axis of size 1."""
    shape, rank = x.nbflow_shape, x.ndim
    return [
        TABLE["strided_slice"](x, begin=(*(0,) * (rank - 1), k), step=(1,) * rank, shape=(*shape[:-1], 1))
        for k in range(shape[-1])
    ]


@export("image.rgb_to_hsv")
def rgb_to_hsv(images, name=None):
    """Red, green and blue as hue, saturation and value (tf.image.rgb_to_hsv).

    v = max(r, g, b), s = (v - min) / v, and h says where in [0, 1) on the circle of colours, 0 being red.

    Args:
        images: a floating point tensor whose last axis has size 3, with values in [0, 1].
        name: accepted as TensorFlow's; it has no effect.
    """
    return _by_pixel("rgb_to_hsv", images)


@export("image.hsv_to_rgb")
def hsv_to_rgb(images, name=None):
    """Hue, saturation and value as red, green and blue (tf.image.hsv_to_rgb). It has no gradient, as in TensorFlow.

    Args:
        images: a floating point tensor whose last axis has size 3, with values in [0, 1].
        name: accepted as TensorFlow's; it has no effect.
    """
    return _by_pixel("hsv_to_rgb", images)


def _by_pixel(name: str, images):
    x = argument(f"image.{name}", "images", images)
    return TABLE[name](x)


def _mixed(function: str, images, matrix: tuple):
    """Σ over channels k of channel k · matrix[k]: each new channel a weighted sum of the old."""
    x = _of_channels(function, images, 3)
    if not x.dtype.is_floating:
        raise InvalidDTypeError(f"{function}: images has dtype {x.dtype.name}; it takes floating point numbers")
    rows = x if x.ndim > 1 else TABLE["reshape"](x, shape=(1, 3))
    mixed = TABLE["matmul"](rows, to_tensor(np.asarray(matrix, x.dtype.np)), transpose_a=False, transpose_b=False)
    return TABLE["reshape"](mixed, shape=x.nbflow_shape)


def _space(name: str, what: str, matrix: tuple):
    def function(images):
        return _mixed(f"image.{name}", images, matrix)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{what}, a linear map of the three channels (tf.image.{name}).

    Args:
        images: a floating point tensor whose last axis has size 3.

    Returns:
        A tensor like images.
    """
    return export(f"image.{name}")(function)


rgb_to_yiq = _space("rgb_to_yiq", "Red, green and blue as luma, in-phase and quadrature", RGB_TO_YIQ)
yiq_to_rgb = _space("yiq_to_rgb", "Luma, in-phase and quadrature as red, green and blue", YIQ_TO_RGB)
rgb_to_yuv = _space("rgb_to_yuv", "Red, green and blue as luma and two differences of colours", RGB_TO_YUV)
yuv_to_rgb = _space("yuv_to_rgb", "Luma and two differences of colours as red, green and blue", YUV_TO_RGB)
