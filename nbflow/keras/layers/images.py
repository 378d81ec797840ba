"""Layers of images: Resizing, CenterCrop, and random changes while training.

What they share: they take [height, width, channels] or [batch, height, width, channels], or a dict with such "images",
and perhaps "labels", which stay, and "segmentation_masks", which change as the images do.

Args:
    factor: how far a change goes: a number f for -f … f, or a pair of the least and the greatest.
    fill_mode: what lies beyond the border: "reflect", "wrap", "nearest" or "constant", the fill_value.
    interpolation: "bilinear" or "nearest".
    value_range: the least and the greatest value of pixels, to which results are clipped.
    seed: an int; the numbers then are those of Keras.
    data_format: "channels_last", the default, or "channels_first".
    kwargs: those of Layer.

The random ones act where the call's `training` is true, its default, and leave images as they are elsewhere.
"""

import math

import numpy as np

from nbflow.dtypes import float32, int32
from nbflow.image.arguments import part, reversed_along
from nbflow.image.resizing import resize
from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.projection import size_as_float, transformed
from nbflow.keras.random import draws
from nbflow.keras.random.seeds import SeedGenerator, make_default_seed
from nbflow.keras.settings import data_format_of
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.shapes import Dim, dim_call, dim_max
from nbflow.tensor.tensor import to_tensor

_RESIZE = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic", "area")
_FILL = ("reflect", "wrap", "constant", "nearest")


class ImageLayer(Configured):
    """Base of layers that change images: `_changed` does so for a batch with channels last."""

    _takes_values = True
    _casts = True  # whether images are cast to the dtype that the layer computes in
    _nearest_masks = True  # whether masks are interpolated in another way
    _bounds: tuple[float, float] = (-1, 1)  # of factor

    def __init__(self, bounding_box_format=None, **kwargs):
        super().__init__(**kwargs)
        self.bounding_box_format = bounding_box_format

    def _keep(self, arguments, masking=False):
        arguments = dict(arguments)
        arguments["data_format"] = data_format_of(arguments.get("data_format"))
        if "seed" in arguments:
            self.generator = SeedGenerator(arguments["seed"])
        super()._keep(arguments, masking)
        self.built = True

    def _range(self, name: str, factor) -> tuple[float, float]:
        """An argument such as factor as (least, greatest).

        Raises:
            ValueError: it is something else, or out of bounds.
        """
        low, high = self._bounds
        pair = factor if isinstance(factor, (tuple, list)) else [factor]
        good = len(pair) <= 2 and all(isinstance(f, (int, float)) for f in pair)
        if not good or not self._within(pair, low, high):
            raise ValueError(
                f"The `{name}` argument should be a number (or a list of two numbers) in the range [{low}, {high}]. "
                f"Received: {name}={factor}"
            )
        if len(pair) == 2:
            return tuple(sorted(pair))
        return max(-abs(factor), low), abs(factor)

    def _within(self, pair, low: float, high: float) -> bool:
        return pair[0] <= high and pair[-1] >= low if len(pair) == 2 else low <= pair[0] <= high

    def _changed(self, x, change, nearest: bool):
        """Images [batch, height, width, channels] with a change; nearest: no new values may come up."""
        raise NotImplementedError

    def _drawn(self, x):
        """What is to be changed in images: what all of a call have in common."""
        return

    def call(self, data, training=True):
        """The changed images."""
        images = to_tensor(data["images"] if isinstance(data, dict) else data)
        if images.ndim not in (3, 4):
            raise ValueError(
                f"Expected image tensor to have rank 3 (single image) or 4 (batch of images). Received: "
                f"data.shape={images.shape}"
            )
        change = self._drawn(self._batch(images)) if self._acts(training) else None
        if not isinstance(data, dict):
            return self._result(images, change, training, False)
        if "bounding_boxes" in data:
            raise NotImplementedError(f"{type(self).__name__}: bounding boxes are not supported; leave them out")
        data = data | {"images": self._result(images, change, training, False)}
        if "segmentation_masks" in data:
            data["segmentation_masks"] = self._masks(to_tensor(data["segmentation_masks"]), change, training)
        return data

    def _acts(self, training) -> bool:
        return bool(training)

    def _masks(self, masks, change, training):
        return self._result(masks, change, training, self._nearest_masks)

    def _result(self, x, change, training, nearest: bool):
        if self._casts and not nearest:
            x = cast(x, self.compute_dtype)
        if not self._acts(training):
            return x
        x, single = self._batch(x), x.ndim == 3
        x = self._changed(x, change, nearest)
        x = _transposed(x, (0, 3, 1, 2)) if self.data_format == "channels_first" else x
        return TABLE["reshape"](x, shape=tuple(x.nbflow_shape[1:])) if single else x

    def _batch(self, x):
        x = TABLE["reshape"](x, shape=(1, *x.nbflow_shape)) if x.ndim == 3 else x
        return _transposed(x, (0, 2, 3, 1)) if self.data_format == "channels_first" else x

    def _uniform(self, shape, low, high, **kwargs):
        return draws.uniform(shape, float(low), float(high), seed=self.generator, **kwargs)

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        config = super().get_config() | {"data_format": self.data_format}
        if self.bounding_box_format is not None:
            config["bounding_box_format"] = self.bounding_box_format
        return config


def _transposed(x, perm: tuple):
    return TABLE["transpose"](x, perm=perm)


# --- sizes ------------------------------------------------------------------------------------------------------------


def _scaled(size, target: int, other: int):
    """The size along one axis that has to another the proportion of two targets."""

    def scaled(size, _):
        return int(np.float32(size * target) / np.float32(other))

    scaled.__qualname__ = f"scaled_{target}_{other}"  # by which sizes know what they were computed with
    return dim_call(scaled, size, 0)


def _half(left, right):
    return int(np.float32(left - right) / 2)


def _less(left, right):
    return max(min(left, right), 1)


def _cropped(x, height: int, width: int):
    """The greatest part around the centre that has the proportions of a size."""
    rows, columns = x.nbflow_shape[1:3]
    crop_rows = dim_call(_less, rows, _scaled(columns, height, width))
    crop_columns = dim_call(_less, columns, _scaled(rows, width, height))
    begin = dim_call(_half, rows, crop_rows), dim_call(_half, columns, crop_columns)
    return part(x, (begin[0], crop_rows), (begin[1], crop_columns))


@export("keras.layers.Resizing")
class Resizing(ImageLayer):
    """Images in another size, of the same dtype (tf.keras.layers.Resizing).

    Args:
        height, width: the size.
        interpolation: "bilinear", "nearest", "bicubic", "area", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: whether images are cropped first, so that they keep their proportions.
        pad_to_aspect_ratio: whether they are padded first, for the same end.
        fill_mode: "constant".
        fill_value: of the padding.
        antialias: whether images that become smaller are smoothed, so that all of their pixels count.
    """

    _casts = False

    def __init__(
        self,
        height,
        width,
        interpolation="bilinear",
        crop_to_aspect_ratio=False,
        pad_to_aspect_ratio=False,
        fill_mode="constant",
        fill_value=0.0,
        antialias=False,
        data_format=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        antialias = bool(antialias)
        self._keep(locals())

    def _acts(self, training):
        return True

    def _changed(self, x, change, nearest):
        method, size = "nearest" if nearest else self.interpolation, (self.height, self.width)
        if method not in _RESIZE:
            raise ValueError(
                f"Invalid value for argument `interpolation`. Expected of one {_RESIZE}. Received: "
                f"interpolation={method}"
            )
        if self.fill_mode != "constant":
            raise ValueError(
                f"Invalid value for argument `fill_mode`. Only `'constant'` is supported. Received: "
                f"fill_mode={self.fill_mode}"
            )
        if self.pad_to_aspect_ratio and self.crop_to_aspect_ratio:
            raise ValueError("Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be `True`.")
        dtype = x.dtype
        if self.crop_to_aspect_ratio:
            x = _cropped(x, *size)
        elif self.pad_to_aspect_ratio:
            x = self._padded(x)
        y = resize(x, size, method, antialias=self.antialias)
        if y.dtype is dtype:
            return y
        if dtype.is_integer:
            y = TABLE["maximum"](TABLE["minimum"](TABLE["rint"](y), float(dtype.max)), float(dtype.min))
        return cast(y, dtype)

    def _padded(self, x):
        for axis, target, other in ((1, self.height, self.width), (2, self.width, self.height)):
            size, across = x.nbflow_shape[axis], x.nbflow_shape[3 - axis]
            before = dim_call(_half, dim_max(size, _scaled(across, target, other)), size)
            shape = tuple(before if k == axis else n for k, n in enumerate(x.nbflow_shape))
            edge = TABLE["fill_like"](x, shape=shape, value=self.fill_value)
            x = TABLE["concat"](edge, x, edge, axis=axis)
        return x


@export("keras.layers.CenterCrop")
class CenterCrop(ImageLayer):
    """The middle of images; of smaller ones what has its proportions, resized (tf.keras.layers.CenterCrop).

    Args:
        height, width: the size of the result.
    """

    _nearest_masks = False

    def __init__(self, height, width, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self._keep({"height": height, "width": width, "data_format": data_format})

    def _acts(self, training):
        return True

    def _changed(self, x, change, nearest):
        more = [n - wanted for n, wanted in zip(x.nbflow_shape[1:3], (self.height, self.width), strict=True)]
        if all(isinstance(n, Dim) or n >= 0 for n in more):
            return part(x, (more[0] // 2, self.height), (more[1] // 2, self.width))
        return resize(_cropped(x, self.height, self.width), (self.height, self.width))


@export("keras.layers.RandomCrop")
class RandomCrop(ImageLayer):
    """A part of images at a random place (tf.keras.layers.RandomCrop), the same for a whole batch.

    Images that are not greater than the part are cropped in their middle to its proportions and resized.

    Args:
        height, width: the size of the part.
    """

    _convert_inputs = False

    def __init__(self, height, width, seed=None, data_format=None, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self._keep({"height": height, "width": width, "seed": seed, "data_format": data_format})
        self.seed = make_default_seed() if seed is None else seed

    def _drawn(self, x):
        sizes = x.nbflow_shape[1:3]
        if any(isinstance(n, Dim) for n in sizes):
            raise ValueError(
                f"RandomCrop requires the input to have a fully defined height and width. Received: "
                f"images.shape={x.shape}"
            )
        wanted = (self.height, self.width)
        if any(n <= m for n, m in zip(sizes, wanted, strict=True)):
            return None
        return [cast(self._uniform((), 0, n - m + 1), int32) for n, m in zip(sizes, wanted, strict=True)]

    def _result(self, x, change, training, nearest):
        return super()._result(cast(x, self.compute_dtype) if training else x, change, training, True)

    def _changed(self, x, change, nearest):
        wanted = (self.height, self.width)
        if change is not None:
            for axis, (begin, size) in enumerate(zip(change, wanted, strict=True), 1):
                x = TABLE["gather"](x, begin + np.arange(size, dtype=np.int32), axis=axis)
            return x
        rows, columns = x.nbflow_shape[1:3]
        crops = _less(rows, _scaled(columns, *wanted)), _less(columns, _scaled(rows, *wanted[::-1]))
        begin = (rows - crops[0]) // 2, (columns - crops[1]) // 2
        x = part(x, (begin[0], min(wanted[0], rows - begin[0])), (begin[1], min(wanted[1], columns - begin[1])))
        return x if tuple(x.nbflow_shape[1:3]) == wanted else cast(resize(x, wanted), self.compute_dtype)


# --- geometry ---------------------------------------------------------------------------------------------------------


@export("keras.layers.RandomFlip")
class RandomFlip(ImageLayer):
    """Mirrors a random half of images (tf.keras.layers.RandomFlip).

    Args:
        mode: "horizontal", "vertical" or "horizontal_and_vertical", the default.
    """

    _nearest_masks = False

    def __init__(self, mode="horizontal_and_vertical", seed=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self._keep({"mode": mode, "seed": seed, "data_format": data_format})

    def _drawn(self, x):
        return self._uniform((x.nbflow_shape[0], 1, 1, 1), 0, 1) <= 0.5

    def _changed(self, x, change, nearest):
        if self.mode in ("horizontal", "horizontal_and_vertical"):
            x = TABLE["select"](change, reversed_along(x, -2), x)
        if self.mode in ("vertical", "horizontal_and_vertical"):
            x = TABLE["select"](change, reversed_along(x, -3), x)
        return x


class Projection(ImageLayer):
    """Base of layers that move pixels: `_drawn` gives the matrix of nbflow.keras.layers.projection."""

    def _keep(self, arguments, masking=False):
        for name, allowed in (("fill_mode", _FILL), ("interpolation", ("nearest", "bilinear"))):
            if arguments[name] not in allowed:
                raise NotImplementedError(f"Unknown `{name}` {arguments[name]}. Expected of one {allowed}.")
        super()._keep(arguments, masking)

    def _changed(self, x, change, nearest):
        nearest = nearest or self.interpolation == "nearest"
        return transformed(x, change, nearest, self.fill_mode, self.fill_value)


@export("keras.layers.RandomRotation")
class RandomRotation(Projection):
    """Turns images by a random angle (tf.keras.layers.RandomRotation).

    Args:
        factor: the angle as a part of a full turn, counterclockwise.
    """

    def __init__(
        self,
        factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        factor = self._range("factor", factor or 0.0)
        self._keep(locals())

    def _drawn(self, x):
        batch, height, width, _ = x.nbflow_shape
        angle = self._uniform((batch,), self.factor[0] * 360.0, self.factor[1] * 360.0)
        angle = cast(angle, float32) * float(np.float32(math.pi / 180.0))
        cx, cy = (0.5 * (size_as_float(n) - 1.0) for n in (width, height))
        cos, sin = TABLE["cos"](angle), TABLE["sin"](angle)
        return [cos, -sin, cx - cos * cx + sin * cy, sin, cos, cy - sin * cx - cos * cy]


@export("keras.layers.RandomZoom")
class RandomZoom(Projection):
    """Zooms into images or out of them (tf.keras.layers.RandomZoom).

    Args:
        height_factor, width_factor: by how much they become higher and wider in view, above -1 and up to 1: 0.2 zooms
            out by 20 %, -0.2 zooms in. Without width_factor the proportions stay.
    """

    def __init__(
        self,
        height_factor,
        width_factor=None,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._height = self._range("height_factor", height_factor)
        self._width = None if width_factor is None else self._range("width_factor", width_factor)
        self._keep(locals())

    def _within(self, pair, low, high):
        return all(low < f <= high for f in pair)

    def _drawn(self, x):
        batch, height, width, _ = x.nbflow_shape
        down = across = cast(self._uniform((batch, 1), 1.0 + self._height[0], 1.0 + self._height[1]), float32)
        if self._width is not None:
            across = cast(self._uniform((batch, 1), 1.0 + self._width[0], 1.0 + self._width[1]), float32)
        x_offset, y_offset = (
            (1.0 - zoom) * ((size_as_float(n) - 1.0) / 2.0) for zoom, n in ((across, width), (down, height))
        )
        return [across, 0.0, x_offset, 0.0, down, y_offset]


@export("keras.layers.RandomTranslation")
class RandomTranslation(Projection):
    """Moves images (tf.keras.layers.RandomTranslation).

    Args:
        height_factor, width_factor: how far, as a part of the height and the width; positive ones go down and right.
    """

    def __init__(
        self,
        height_factor,
        width_factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._height, self._width = (
            self._range(name, factor)
            for name, factor in (("height_factor", height_factor), ("width_factor", width_factor))
        )
        self._keep(locals())

    def _within(self, pair, low, high):
        return all(low <= f <= high for f in pair)

    def _drawn(self, x):
        batch, height, width, _ = x.nbflow_shape
        down, across = (
            -(cast(self._uniform((batch, 1), *ends), float32) * size_as_float(n))
            for ends, n in ((self._height, height), (self._width, width))
        )
        return [1.0, 0.0, across, 0.0, 1.0, down]


# --- values -----------------------------------------------------------------------------------------------------------


class ValueLayer(ImageLayer):
    """Base of layers that change values of pixels and clip them; masks stay."""

    _casts = False

    def _masks(self, masks, change, training):
        return masks

    def _changed(self, x, change, nearest):
        low, high = self.value_range
        return TABLE["minimum"](TABLE["maximum"](self._adjusted(x, change), low), high)

    def _adjusted(self, x, change):
        raise NotImplementedError


@export("keras.layers.RandomContrast")
class RandomContrast(ValueLayer):
    """(x - mean) · c + mean of each channel for a random c (tf.keras.layers.RandomContrast).

    Args:
        factor: a number f for c in 1 … 1 + f, or a pair (a, b) for c in 1 - a … 1 + b.
    """

    _bounds = (0, 1)

    def __init__(self, factor, value_range=(0, 255), seed=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        factor = self._range("factor", factor)
        self._keep({"factor": factor, "value_range": value_range, "seed": seed, "data_format": data_format})

    def _drawn(self, x):
        low, high = self.factor
        return self._uniform((x.nbflow_shape[0], 1, 1, 1), 1.0 - low, 1.0 + high, dtype=self.compute_dtype)

    def _adjusted(self, x, change):
        x = cast(x, self.compute_dtype)
        mean = TABLE["reduce_mean"](TABLE["reduce_mean"](x, axis=(1,), keepdims=True), axis=(2,), keepdims=True)
        return (x - mean) * change + mean


@export("keras.layers.RandomBrightness")
class RandomBrightness(ValueLayer):
    """Adds a random number to images (tf.keras.layers.RandomBrightness).

    Args:
        factor: the number as a part of the width of value_range.
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:
            raise ValueError(
                f"The `value_range` argument should be a list of two numbers. Received: value_range={value_range}"
            )
        factor = self._range("factor", factor or 0.0)
        self._keep({"factor": factor, "value_range": sorted(value_range), "seed": seed, "data_format": data_format})

    def _drawn(self, x):
        low, high = self.value_range
        return self._uniform((x.nbflow_shape[0], 1, 1, 1), *self.factor) * float(high - low)

    def _adjusted(self, x, change):
        return x + cast(change, x.dtype)
