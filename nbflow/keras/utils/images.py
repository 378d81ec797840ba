"""Images as arrays and as files, by Pillow.

An argument data_format says where arrays have their channels, "channels_last" or "channels_first"; by default it is
the setting image_data_format().
"""

import io
import os
import pathlib
import warnings

import numpy as np

from nbflow.keras.settings import data_format_of, floatx
from nbflow.public import export

METHODS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def _pillow():
    try:
        import PIL.Image
    except ImportError as error:
        raise ImportError(
            "Images are read and written by Pillow, which is not installed: pip install pillow"
        ) from error
    return PIL.Image


@export("keras.utils.array_to_img", "keras.preprocessing.image.array_to_img")
def array_to_img(x, data_format=None, scale=True, dtype=None):
    """An array of an image as a Pillow image (tf.keras.utils.array_to_img).

    Args:
        x: of three axes: height, width and 1, 3 or 4 channels.
        data_format: see above.
        scale: whether its least and greatest value become 0 and 255.
        dtype: in which it is scaled, by default floatx().

    Raises:
        ValueError: x has other axes.
    """
    image = _pillow()
    data_format = data_format_of(data_format)
    x = np.asarray(x, dtype=dtype or floatx())
    if x.ndim != 3:
        raise ValueError(f"Expected image array to have rank 3 (single image). Got array with shape: {x.shape}")
    if data_format == "channels_first":
        x = x.transpose(1, 2, 0)
    if scale:
        x = x - np.min(x)
        x = x / (np.max(x) or 1) * 255
    channels = x.shape[2]
    if channels not in (1, 3, 4):
        raise ValueError(f"Unsupported channel number: {channels}")
    if channels > 1:
        return image.fromarray(x.astype(np.uint8))
    return image.fromarray(x[:, :, 0].astype(np.int32 if np.max(x) > 255 else np.uint8))


@export("keras.utils.img_to_array", "keras.preprocessing.image.img_to_array")
def img_to_array(img, data_format=None, dtype=None):
    """A Pillow image as an array of three axes (tf.keras.utils.img_to_array).

    Args:
        img: the image.
        data_format: see above.
        dtype: of the array, by default floatx().

    Raises:
        ValueError: it has neither two nor three axes.
    """
    data_format = data_format_of(data_format)
    x = np.asarray(img, dtype=dtype or floatx())
    if x.ndim not in (2, 3):
        raise ValueError(f"Unsupported image shape: {x.shape}")
    x = x[:, :, None] if x.ndim == 2 else x
    return x.transpose(2, 0, 1) if data_format == "channels_first" else x


@export("keras.utils.save_img", "keras.preprocessing.image.save_img")
def save_img(path, x, data_format=None, file_format=None, scale=True, **kwargs) -> None:
    """Writes an array of an image to a file (tf.keras.utils.save_img).

    Args:
        path: a path, or an open file.
        x, data_format, scale: see array_to_img.
        file_format: such as "png"; by default the end of the path says it.
        **kwargs: for PIL.Image.Image.save.
    """
    image = array_to_img(x, data_format, scale)
    if file_format is None and isinstance(path, (str, pathlib.Path)):
        file_format = pathlib.Path(path).suffix[1:]
    if file_format and file_format.lower() in ("jpg", "jpeg"):
        file_format = "jpeg"
        if image.mode == "RGBA":
            warnings.warn("The JPEG format does not support RGBA images, converting to RGB.", stacklevel=2)
            image = image.convert("RGB")
    image.save(path, format=file_format, **kwargs)


_MODES = {"grayscale": ("L", "I;16", "I"), "rgb": ("RGB",), "rgba": ("RGBA",)}


@export("keras.utils.load_img", "keras.preprocessing.image.load_img")
def load_img(path, color_mode="rgb", target_size=None, interpolation="nearest", keep_aspect_ratio=False):
    """Reads an image file as a Pillow image (tf.keras.utils.load_img).

    Args:
        path: a path, or an io.BytesIO.
        color_mode: "grayscale", "rgb" or "rgba".
        target_size: (height, width) to resize to.
        interpolation: how: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: whether the centre is cut out first, as large as it can be in the ratio of target_size.

    Raises:
        TypeError: path is neither.
        ValueError: an argument is none of these.
    """
    pillow = _pillow()
    if not isinstance(path, (io.BytesIO, os.PathLike, bytes, str)):
        raise TypeError(f"path should be path-like or io.BytesIO, not {type(path)}")
    if color_mode not in _MODES:
        raise ValueError(f'color_mode must be "grayscale", "rgb", or "rgba", not {color_mode!r}')
    if interpolation not in METHODS:
        raise ValueError(
            f"Invalid interpolation method {interpolation} specified. Supported methods are {', '.join(METHODS)}"
        )
    with pillow.open(path) as opened:
        image = opened.copy() if opened.mode in _MODES[color_mode] else opened.convert(_MODES[color_mode][0])
    if target_size is None or image.size == (target_size[1], target_size[0]):
        return image
    (width, height), (target_height, target_width) = image.size, target_size
    box = (0, 0, width, height)
    if keep_aspect_ratio:
        cut_height = min(height, width * target_height // target_width)
        cut_width = min(width, height * target_width // target_height)
        top, left = (height - cut_height) // 2, (width - cut_width) // 2
        box = (left, top, left + cut_width, top + cut_height)
    return image.resize((target_width, target_height), getattr(pillow.Resampling, interpolation.upper()), box=box)
