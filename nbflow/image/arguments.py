"""Arguments that are images."""

from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import number
from nbflow.shapes import Dim
from nbflow.tensor.tensor import argument

HEIGHT, WIDTH, CHANNELS = -3, -2, -1


def images(function: str, value, name: str = "image", ranks: tuple[int, ...] = (3, 4)):
    """One image, [height, width, channels], or a batch of them, none of them empty, as a tensor.

    Args:
        ranks: the ranks allowed; empty: 3 or more.

    Raises:
        InvalidArgumentError: it has another rank, or no pixels.
    """
    x = argument(function, name, value)
    if (x.ndim not in ranks) if ranks else (x.ndim < 3):
        wanted = " or ".join(map(str, ranks)) or "3 or more"
        raise InvalidArgumentError(
            f"{function}: {name} has shape {x.shape}; it takes {wanted} dimensions: (batch,) height, width, channels"
        )
    if 0 in x.nbflow_shape[-3:]:
        raise InvalidArgumentError(
            f"{function}: {name} has shape {x.shape}; height, width and channels must be above 0"
        )
    return x


def part(x, height: tuple, width: tuple):
    """A part of images: (begin, size) along the height and along the width."""
    rank, shape = x.ndim, x.nbflow_shape
    begin = (0,) * (rank - 3) + (height[0], width[0], 0)
    size = (*shape[:-3], height[1], width[1], shape[-1])
    return TABLE["strided_slice"](x, begin=begin, step=(1,) * rank, shape=size)


def reversed_along(x, *axes: int):
    """Axes, counted from the last as -1, in reverse order."""
    shape, rank = x.nbflow_shape, x.ndim
    turned = {axis % rank for axis in axes}
    begin = tuple(n - 1 if k in turned else 0 for k, n in enumerate(shape))
    step = tuple(-1 if k in turned else 1 for k in range(rank))
    return TABLE["strided_slice"](x, begin=begin, step=step, shape=shape)


def whole(function: str, name: str, value, least: int):
    """An integer argument that is at least so much; the size of an unknown axis passes.

    Raises:
        InvalidArgumentError: it is less.
    """
    found = getattr(value, "nbflow_static", None)
    found = number(value) if found is None else found
    if isinstance(found, Dim):
        return found
    if int(found) != found or found < least:
        raise InvalidArgumentError(f"{function}: {name} is {found}; it takes an integer of {least} or more")
    return int(found)
