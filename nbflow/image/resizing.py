"""Images in other sizes."""

import numpy as np

from nbflow.dtypes import bool_, float32, int32
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.image.arguments import images, whole
from nbflow.image.framing import pad_to_bounding_box
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, sizes
from nbflow.shapes import Dim, dim_call, dim_max, dim_min
from nbflow.tape.custom_gradient import custom_gradient
from nbflow.tape.gradient_tape import GradientTape
from nbflow.tensor.tensor import argument, to_tensor


@export("image.ResizeMethod")
class ResizeMethod:
    """The methods of nf.image.resize (tf.image.ResizeMethod)."""

    BILINEAR = "bilinear"
    NEAREST_NEIGHBOR = "nearest"
    BICUBIC = "bicubic"
    AREA = "area"
    LANCZOS3 = "lanczos3"
    LANCZOS5 = "lanczos5"
    GAUSSIAN = "gaussian"
    MITCHELLCUBIC = "mitchellcubic"


# method -> (how, how with antialias): rows of ops.bands
METHODS = {
    "nearest": (("nearest",), ("nearest",)),
    "bilinear": (("bilinear",), ("windowed", "triangle", True)),
    "bicubic": (("bicubic",), ("windowed", "keyscubic", True)),
    "area": (("area",), ("area",)),
} | {
    name: (("windowed", name, False), ("windowed", name, True))
    for name in ("lanczos3", "lanczos5", "gaussian", "mitchellcubic")
}


@export("image.resize")
def resize(images, size, method=ResizeMethod.BILINEAR, preserve_aspect_ratio=False, antialias=False, name=None):
    """Images in another size (tf.image.resize), with pixels as squares whose centres are what is sampled.

    Args:
        images: [height, width, channels] or [batch, height, width, channels], of numbers.
        size: the new height and width, two integers.
        method: a ResizeMethod. "nearest" takes the nearest pixel, "area" the mean over the area of the new pixel; the
            others are weighted sums over pixels around it: "bilinear" of 2, "bicubic" of 4 along each axis, "lanczos3",
            "lanczos5", "gaussian" and "mitchellcubic" of those within the radius 3, 5, 1.5 and 2.
        preserve_aspect_ratio: whether size is only the greatest that the images may have.
        antialias: whether images that become smaller are smoothed, so that all of their pixels count.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of float32, for "nearest" of the dtype of images.

    Raises:
        InvalidArgumentError: images has another rank, size is not two integers above 0, or there is no such method.

    Example:
        >>> import nbflow as nf
        >>> nf.image.resize([[[0.0], [1.0]]], [1, 4])[0, :, 0]
        <nf.Tensor: shape=(4,), dtype=float32, numpy=array([0.  , 0.25, 0.75, 1.  ], dtype=float32)>
    """
    x = _images(images)
    new = _size(size)
    if preserve_aspect_ratio:
        new = _within(new, x)
    if method not in METHODS:
        raise InvalidArgumentError(f"image.resize: method is {method!r}; it takes {', '.join(METHODS)}")
    return resampled(x, new, METHODS[method][bool(antialias)])


def _images(value):
    x = images("image.resize", value, "images")
    if x.dtype is bool_ or not (x.dtype.is_floating or x.dtype.is_integer):
        raise InvalidDTypeError(f"image.resize: images has dtype {x.dtype.name}; it takes real numbers")
    return x


def _size(size) -> tuple:
    try:
        found = sizes(size)
    except TypeError:
        found = ()
    if len(found) != 2 or any(not isinstance(n, Dim) and n <= 0 for n in found):
        raise InvalidArgumentError(f"image.resize: size is {size!r:.200}; it takes two integers above 0: height, width")
    return found


def _within(size: tuple, x) -> tuple:
    """The greatest size within another in which images keep their proportions; in float32, as TensorFlow."""
    shape = x.nbflow_shape[-3:-1]
    scale = dim_min(*(dim_call(_ratio, new, old) for new, old in zip(size, shape, strict=True)))
    new = tuple(dim_call(_scaled, n, scale) for n in shape)
    if 0 in new:
        raise InvalidArgumentError(f"image.resize: images of shape {x.shape} have no pixels left within size {size}")
    return new


def _ratio(first, second) -> np.float32:
    return np.float32(first) / np.float32(second)


def _scaled(size: int, scale: np.float32) -> int:
    return int(np.rint(scale * np.float32(size)))


def _shrunk(size: int, ratio: np.float32) -> int:
    return int(np.floor(_ratio(size, ratio)))


def _padding(exact: np.float32, target: int) -> int:
    return max(0, int(np.floor((np.float32(target) - exact) / np.float32(2))))


def resampled(x, size: tuple, how: tuple, dtype=None):
    """Images whose height and width are sampled in some way, a row of ops.bands: the axis first that leaves less."""
    shape, rank = x.nbflow_shape, x.ndim
    if how[0] != "nearest" and dtype is None:
        dtype = float32
        if x.dtype.is_floating:
            x = cast(x, float32)
    dtype = dtype or x.dtype
    order = [0, 1]
    known = not any(isinstance(n, Dim) for n in (*size, *shape[-3:-1]))
    if known and size[0] * shape[-2] > shape[-3] * size[1]:
        order = [1, 0]
    for k in order:
        x = TABLE["resample"](x, axis=rank - 3 + k, how=how, size=size[k], adjoint=False, dtype=dtype)
    return x


@export("image.resize_with_pad")
def resize_with_pad(image, target_height, target_width, method=ResizeMethod.BILINEAR, antialias=False):
    """Images in a size that fits another, with zeros around them up to that (tf.image.resize_with_pad).

    Args:
        image: [height, width, channels] or [batch, height, width, channels], of numbers.
        target_height, target_width: the size of the result, at least 1; the images keep their proportions.
        method, antialias: as nf.image.resize takes them.
    """
    function = "image.resize_with_pad"
    x = images(function, image)
    target = whole(function, "target_height", target_height, 1), whole(function, "target_width", target_width, 1)
    shape = x.nbflow_shape[-3:-1]
    ratio = dim_max(*(dim_call(_ratio, old, new) for old, new in zip(shape, target, strict=True)))
    resized = resize(x, [dim_call(_shrunk, n, ratio) for n in shape], method=method, antialias=antialias)
    padding = [dim_call(_padding, dim_call(_ratio, n, ratio), new) for n, new in zip(shape, target, strict=True)]
    return pad_to_bounding_box(resized, *padding, *target)


# --- crops ------------------------------------------------------------------------------------------------------------


@export("image.crop_and_resize")
def crop_and_resize(image, boxes, box_indices, crop_size, method="bilinear", extrapolation_value=0.0, name=None):
    """Rectangular parts of images, all brought to one size (tf.image.crop_and_resize).

    Element i along an axis of a crop of size n is the image at begin + i (end - begin) / (n - 1), where 0 and 1 are the
    centres of the first and the last pixel of the image; a crop of size 1 is the middle of the box.

    Args:
        image: [batch, height, width, channels], of numbers.
        boxes: float32, [boxes, 4]: y1, x1, y2, x2; y1 > y2 mirrors the crop.
        box_indices: int32, [boxes]: the image of each box.
        crop_size: the height and width of the crops.
        method: "bilinear" or "nearest".
        extrapolation_value: what the image is outside [0, 1].
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A float32 tensor [boxes, crop height, crop width, channels]. Gradients flow to image and boxes, to boxes always
        as if method were "bilinear".

    Raises:
        InvalidArgumentError: a shape does not fit, or a box index is not that of an image.
    """
    function = "image.crop_and_resize"
    x = images(function, image, ranks=(4,))
    boxes, which = argument(function, "boxes", boxes, float32), argument(function, "box_indices", box_indices, int32)
    count = boxes.nbflow_shape[0] if boxes.ndim == 2 else None
    if boxes.ndim != 2 or boxes.nbflow_shape[1] != 4 or boxes.dtype is not float32:
        raise InvalidArgumentError(
            f"{function}: boxes is {boxes.dtype.name} of shape {boxes.shape}; it takes float32 of shape [boxes, 4]"
        )
    if which.nbflow_shape != (count,) or which.dtype is not int32:
        raise InvalidArgumentError(
            f"{function}: box_indices is {which.dtype.name} of shape {which.shape}; it takes int32 of shape [{count}]"
        )
    size = _size(crop_size)
    if method == "bilinear":
        return _bilinear(cast(x, float32), boxes, which, size, extrapolation_value)
    if method != "nearest":
        raise InvalidArgumentError(f"{function}: method is {method!r}; it takes bilinear or nearest")
    return _nearest_crops(cast(x, float32), boxes, which, size, extrapolation_value)


def _places(boxes, axis: int, size: int, available):
    """Where the pixels of the crops lie along an axis, [boxes, size], and whether that is within the image."""
    rows = boxes.nbflow_shape[0]
    begin, end = (TABLE["strided_slice"](boxes, begin=(0, k), step=(1, 1), shape=(rows, 1)) for k in (axis, axis + 2))
    last = float(available - 1)
    if size > 1:
        step = (end - begin) * last / float(size - 1)
        at = begin * last + to_tensor(np.arange(size, dtype=np.float32)) * step
    else:
        at = (begin + end) * 0.5 * last
    return at, TABLE["logical_and"](at >= 0.0, at <= last)


class _Crops:
    """The pixels of crops by their row and column, both [boxes, …]."""

    def __init__(self, x, which):
        batch, self.height, self.width, channels = x.nbflow_shape
        self.flat = TABLE["reshape"](x, shape=(batch * self.height * self.width, channels))
        self.first = which * (self.height * self.width)

    def at(self, row, column):
        """The pixels [boxes, rows, columns, channels]; places beyond the edge give pixels at the edge."""
        boxes, rows = row.nbflow_shape
        columns = column.nbflow_shape[1]
        row, column = (
            cast(TABLE["minimum"](TABLE["maximum"](place, 0.0), float(size - 1)), int32)
            for place, size in ((row, self.height), (column, self.width))
        )
        place = TABLE["reshape"](row, shape=(boxes, rows, 1)) * self.width
        place = place + TABLE["reshape"](column, shape=(boxes, 1, columns))
        place = place + TABLE["reshape"](self.first, shape=(boxes, 1, 1))
        return TABLE["gather"](self.flat, place, axis=0)


def _bilinear(x, boxes, which, size: tuple, outside: float):
    crops = _Crops(x, which)
    y, y_inside = _places(boxes, 0, size[0], crops.height)
    x_, x_inside = _places(boxes, 1, size[1], crops.width)
    top, left = TABLE["floor"](y), TABLE["floor"](x_)
    bottom, right = TABLE["ceil"](y), TABLE["ceil"](x_)
    down = TABLE["reshape"](y - top, shape=(*y.nbflow_shape, 1, 1))
    along = TABLE["reshape"](x_ - left, shape=(x_.nbflow_shape[0], 1, size[1], 1))
    above, above_right = crops.at(top, left), crops.at(top, right)
    below, below_right = crops.at(bottom, left), crops.at(bottom, right)
    upper = above + (above_right - above) * along
    lower = below + (below_right - below) * along
    return _where_inside(upper + (lower - upper) * down, y_inside, x_inside, outside)


def _where_inside(value, y_inside, x_inside, outside: float):
    boxes, rows, columns, _ = value.nbflow_shape
    inside = TABLE["logical_and"](
        TABLE["reshape"](y_inside, shape=(boxes, rows, 1, 1)), TABLE["reshape"](x_inside, shape=(boxes, 1, columns, 1))
    )
    return TABLE["select"](inside, value, to_tensor(np.float32(outside)))


def _rounded(x):
    """The nearest whole number, halves upwards."""
    floor = TABLE["floor"](x)
    return floor + cast(x - floor >= 0.5, float32)


def _nearest_crops(x, boxes, which, size: tuple, outside: float):
    """Nearest pixels; their gradient for boxes is that of bilinear crops, as TensorFlow's is."""

    def nearest(x):
        crops = _Crops(x, which)
        y, y_inside = _places(boxes, 0, size[0], crops.height)
        x_, x_inside = _places(boxes, 1, size[1], crops.width)
        return _where_inside(crops.at(_rounded(y), _rounded(x_)), y_inside, x_inside, outside)

    @custom_gradient
    def with_gradient(x, boxes):
        def gradient(g):
            with GradientTape(persistent=True) as tape:
                tape.watch([x, boxes])
                results = nearest(x), _bilinear(x, boxes, which, size, outside)
            return (
                tape.gradient(results[0], x, output_gradients=g),
                tape.gradient(results[1], boxes, output_gradients=g),
            )

        return nearest(x), gradient

    return with_gradient(x, boxes)
