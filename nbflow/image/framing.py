"""Images turned, mirrored, cropped and padded: only the place of pixels changes."""

from nbflow.errors import InvalidArgumentError
from nbflow.image.arguments import HEIGHT, WIDTH, images, part, reversed_along, whole
from nbflow.ops.array import zeros_of
from nbflow.ops.table import TABLE
from nbflow.public import export, number
from nbflow.shapes import Dim, dim_call, dim_max, dim_min


@export("image.flip_left_right")
def flip_left_right(image):
    """Images mirrored along their width (tf.image.flip_left_right).

    Args:
        image: [height, width, channels] or [batch, height, width, channels], of any dtype.

    Returns:
        A tensor like image.

    Raises:
        InvalidArgumentError: image has another rank, or no pixels.
    """
    return reversed_along(images("image.flip_left_right", image), WIDTH)


@export("image.flip_up_down")
def flip_up_down(image):
    """Images mirrored along their height (tf.image.flip_up_down); see flip_left_right."""
    return reversed_along(images("image.flip_up_down", image), HEIGHT)


@export("image.transpose")
def transpose(image, name=None):
    """Images with height and width exchanged (tf.image.transpose).

    Args:
        image: [height, width, channels] or [batch, height, width, channels], of any dtype.
        name: accepted as TensorFlow's; it has no effect.
    """
    return _exchanged(images("image.transpose", image))


def _exchanged(x):
    first = x.ndim - 3
    return TABLE["transpose"](x, perm=(*range(first), first + 1, first, first + 2))


@export("image.rot90")
def rot90(image, k=1, name=None):
    """Images turned by 90 degrees counter-clockwise (tf.image.rot90).

    Args:
        image: [height, width, channels] or [batch, height, width, channels], of any dtype.
        k: how many times; negative ones turn clockwise.
        name: accepted as TensorFlow's; it has no effect.
    """
    x = images("image.rot90", image)
    turns = {
        0: lambda: x,
        1: lambda: _exchanged(reversed_along(x, WIDTH)),
        2: lambda: reversed_along(x, HEIGHT, WIDTH),
        3: lambda: reversed_along(_exchanged(x), WIDTH),
    }
    count = number(k)
    if int(count) != count:
        raise TypeError(f"image.rot90: k is {count!r}; it takes an integer")
    return turns[int(count) % 4]()


@export("image.central_crop")
def central_crop(image, central_fraction):
    """The central part of images (tf.image.central_crop).

    Args:
        image: [height, width, channels] or [batch, height, width, channels], of any dtype.
        central_fraction: the share of height and width that is kept, in (0, 1].

    Returns:
        A tensor of the dtype of image; what is cut off is the same number of pixels on both sides.

    Raises:
        InvalidArgumentError: central_fraction is not in (0, 1], or image has another rank.
    """
    fraction = float(number(central_fraction))
    if not 0 < fraction <= 1:
        raise InvalidArgumentError(f"image.central_crop: central_fraction is {fraction}; it takes (0, 1]")
    x = images("image.central_crop", image)
    height, width = x.nbflow_shape[-3:-1]
    if fraction == 1:
        return x
    top, left = dim_call(_margin, height, fraction), dim_call(_margin, width, fraction)
    return part(x, (top, height - 2 * top), (left, width - 2 * left))


def _margin(size: int, fraction: float) -> int:
    return int((size - size * fraction) / 2)


@export("image.crop_to_bounding_box")
def crop_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    """A rectangular part of images (tf.image.crop_to_bounding_box).

    Args:
        image: [height, width, channels] or [batch, height, width, channels], of any dtype.
        offset_height, offset_width: where the part begins.
        target_height, target_width: its size, at least 1.

    Raises:
        InvalidArgumentError: the part is empty or does not lie within the image.
    """
    function = "image.crop_to_bounding_box"
    x = images(function, image)
    top, left = whole(function, "offset_height", offset_height, 0), whole(function, "offset_width", offset_width, 0)
    rows = whole(function, "target_height", target_height, 1)
    columns = whole(function, "target_width", target_width, 1)
    for name, begin, size, available in zip(
        ("height", "width"), (top, left), (rows, columns), x.nbflow_shape[-3:-1], strict=True
    ):
        if not any(isinstance(n, Dim) for n in (begin, size, available)) and begin + size > available:
            raise InvalidArgumentError(
                f"{function}: offset_{name} {begin} and target_{name} {size} reach beyond the {name} {available} "
                f"of image (shape {x.shape})"
            )
    return part(x, (top, rows), (left, columns))


@export("image.pad_to_bounding_box")
def pad_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    """Images placed in larger ones of zeros (tf.image.pad_to_bounding_box).

    Args:
        image: [height, width, channels] or [batch, height, width, channels], of any dtype.
        offset_height, offset_width: rows of zeros above and columns of zeros to the left.
        target_height, target_width: the size of the result.

    Raises:
        InvalidArgumentError: an offset is negative, or the image does not fit.
    """
    function = "image.pad_to_bounding_box"
    x = images(function, image)
    top, left = whole(function, "offset_height", offset_height, 0), whole(function, "offset_width", offset_width, 0)
    rows = whole(function, "target_height", target_height, 0)
    columns = whole(function, "target_width", target_width, 0)
    shape = x.nbflow_shape
    for name, begin, size, given in zip(("height", "width"), (top, left), (rows, columns), shape[-3:-1], strict=True):
        if not any(isinstance(n, Dim) for n in (begin, size, given)) and begin + given > size:
            raise InvalidArgumentError(
                f"{function}: the {name} {given} of image (shape {x.shape}) and offset_{name} {begin} do not fit "
                f"target_{name} {size}"
            )
    padded = zeros_of(x, (*shape[:-3], rows, columns, shape[-1]))
    begin = (0,) * (x.ndim - 3) + (top, left, 0)
    return TABLE["slice_update"](padded, x, begin=begin, step=(1,) * x.ndim)


@export("image.resize_with_crop_or_pad")
def resize_with_crop_or_pad(image, target_height, target_width):
    """Images brought to a size by cutting their edges off or putting zeros around them (tf.image).

    Args:
        image: [height, width, channels] or [batch, height, width, channels], of any dtype.
        target_height, target_width: the size of the result, at least 1.
    """
    function = "image.resize_with_crop_or_pad"
    x = images(function, image)
    target = whole(function, "target_height", target_height, 1), whole(function, "target_width", target_width, 1)
    size = x.nbflow_shape[-3:-1]
    gaps = [wanted - given for wanted, given in zip(target, size, strict=True)]
    kept = [dim_min(wanted, given) for wanted, given in zip(target, size, strict=True)]
    cropped = crop_to_bounding_box(x, *(dim_max(-gap // 2, 0) for gap in gaps), *kept)
    return pad_to_bounding_box(cropped, *(dim_max(gap // 2, 0) for gap in gaps), *target)
