"""Images changed at random: mirrored, cropped, their brightness, contrast, hue and saturation adjusted.

Each function comes twice: with a seed of the process's streams, as those of nf.random, and, named stateless_, with a
seed that the result follows from. Both draw the same numbers as TensorFlow's.
"""

from functools import partial

import numpy as np

from nbflow.dtypes import int32
from nbflow.errors import InvalidArgumentError
from nbflow.image import adjusting
from nbflow.image.arguments import HEIGHT, WIDTH, images, reversed_along
from nbflow.ops.table import TABLE
from nbflow.public import export, sizes
from nbflow.random.stateful import uniform
from nbflow.random.stateless import stateless_uniform
from nbflow.shapes import Dim
from nbflow.tensor.tensor import Tensor, argument, to_tensor

# --- mirrored ---------------------------------------------------------------------------------------------------------


def _flipped(function: str, image, axis: int, draw):
    """Images of which each is mirrored or not, by one number each."""
    x = images(function, image)
    turned = reversed_along(x, axis)
    if x.ndim == 3:
        return TABLE["select"](draw(shape=[], minval=0, maxval=1.0) < 0.5, turned, x)
    batch = x.nbflow_shape[0]
    flips = TABLE["reshape"](TABLE["round"](draw(shape=[batch], minval=0, maxval=1.0)), shape=(batch, 1, 1, 1))
    return TABLE["select"](flips > 0.5, turned, x)


@export("image.random_flip_left_right")
def random_flip_left_right(image, seed=None):
    """Images mirrored along their width or not, each with probability 1/2 (tf.image.random_flip_left_right).

    Args:
        image: [height, width, channels] or [batch, height, width, channels], of any dtype.
        seed: an integer or None, as nf.random.uniform takes it.

    Returns:
        A tensor like image.
    """
    return _flipped("image.random_flip_left_right", image, WIDTH, partial(uniform, seed=seed))


@export("image.random_flip_up_down")
def random_flip_up_down(image, seed=None):
    """Images mirrored along their height or not, each with probability 1/2; see random_flip_left_right."""
    return _flipped("image.random_flip_up_down", image, HEIGHT, partial(uniform, seed=seed))


@export("image.stateless_random_flip_left_right")
def stateless_random_flip_left_right(image, seed):
    """As random_flip_left_right, following from a seed of two integers."""
    return _flipped("image.stateless_random_flip_left_right", image, WIDTH, partial(stateless_uniform, seed=seed))


@export("image.stateless_random_flip_up_down")
def stateless_random_flip_up_down(image, seed):
    """As random_flip_up_down, following from a seed of two integers."""
    return _flipped("image.stateless_random_flip_up_down", image, HEIGHT, partial(stateless_uniform, seed=seed))


# --- adjusted ---------------------------------------------------------------------------------------------------------


def _around_zero(function: str, max_delta, draw, most: float = np.inf):
    """A number in [-max_delta, max_delta)."""
    if not 0 <= max_delta <= most:
        limit = "0 or more" if most == np.inf else f"[0, {most}]"
        raise InvalidArgumentError(f"{function}: max_delta is {max_delta}; it takes {limit}")
    return draw(shape=[], minval=-max_delta, maxval=max_delta)


def _between(function: str, lower, upper, draw):
    """A number in [lower, upper)."""
    if not 0 <= lower < upper:
        raise InvalidArgumentError(f"{function}: lower is {lower} and upper is {upper}; it takes 0 ≤ lower < upper")
    return draw(shape=[], minval=lower, maxval=upper)


@export("image.random_brightness")
def random_brightness(image, max_delta, seed=None):
    """nf.image.adjust_brightness by a random number in [-max_delta, max_delta) (tf.image.random_brightness).

    Args:
        image: as adjust_brightness takes it.
        max_delta: 0 or more.
        seed: an integer or None, as nf.random.uniform takes it.
    """
    delta = _around_zero("image.random_brightness", max_delta, partial(uniform, seed=seed))
    return adjusting.adjust_brightness(image, delta)


@export("image.stateless_random_brightness")
def stateless_random_brightness(image, max_delta, seed):
    """As random_brightness, following from a seed of two integers."""
    delta = _around_zero("image.stateless_random_brightness", max_delta, partial(stateless_uniform, seed=seed))
    return adjusting.adjust_brightness(image, delta)


@export("image.random_hue")
def random_hue(image, max_delta, seed=None):
    """nf.image.adjust_hue by a random number in [-max_delta, max_delta) (tf.image.random_hue).

    Args:
        image: as adjust_hue takes it.
        max_delta: in [0, 0.5].
        seed: an integer or None, as nf.random.uniform takes it.
    """
    delta = _around_zero("image.random_hue", max_delta, partial(uniform, seed=seed), 0.5)
    return adjusting.adjust_hue(image, delta)


@export("image.stateless_random_hue")
def stateless_random_hue(image, max_delta, seed):
    """As random_hue, following from a seed of two integers."""
    delta = _around_zero("image.stateless_random_hue", max_delta, partial(stateless_uniform, seed=seed), 0.5)
    return adjusting.adjust_hue(image, delta)


@export("image.random_contrast")
def random_contrast(image, lower, upper, seed=None):
    """nf.image.adjust_contrast by a random factor in [lower, upper) (tf.image.random_contrast).

    Args:
        image: as adjust_contrast takes it.
        lower, upper: 0 ≤ lower < upper.
        seed: an integer or None, as nf.random.uniform takes it.
    """
    factor = _between("image.random_contrast", lower, upper, partial(uniform, seed=seed))
    return adjusting.adjust_contrast(image, factor)


@export("image.stateless_random_contrast")
def stateless_random_contrast(image, lower, upper, seed):
    """As random_contrast, following from a seed of two integers."""
    factor = _between("image.stateless_random_contrast", lower, upper, partial(stateless_uniform, seed=seed))
    return adjusting.adjust_contrast(image, factor)


@export("image.random_saturation")
def random_saturation(image, lower, upper, seed=None):
    """nf.image.adjust_saturation by a random factor in [lower, upper) (tf.image.random_saturation).

    Args:
        image: as adjust_saturation takes it.
        lower, upper: 0 ≤ lower < upper.
        seed: an integer or None, as nf.random.uniform takes it.
    """
    factor = _between("image.random_saturation", lower, upper, partial(uniform, seed=seed))
    return adjusting.adjust_saturation(image, factor)


@export("image.stateless_random_saturation")
def stateless_random_saturation(image, lower, upper, seed=None):
    """As random_saturation, following from a seed of two integers."""
    factor = _between("image.stateless_random_saturation", lower, upper, partial(stateless_uniform, seed=seed))
    return adjusting.adjust_saturation(image, factor)


# --- cropped ----------------------------------------------------------------------------------------------------------


def _cropped(function: str, value, size, draw):
    """A part of a tensor that begins at a random place."""
    x = argument(function, "value", value)
    shape, wanted = x.nbflow_shape, sizes(size)
    fits = len(wanted) == len(shape) and all(
        isinstance(n, Dim) or isinstance(m, Dim) or 0 <= m <= n for n, m in zip(shape, wanted, strict=True)
    )
    if not fits:
        raise InvalidArgumentError(f"{function}: size is {list(wanted)}; value has shape {x.shape}, which must hold it")
    drawn = draw(shape=[len(shape)], dtype=int32, maxval=int(int32.max))
    if type(drawn) is Tensor and not any(isinstance(n, Dim) for n in (*shape, *wanted)):
        begin = tuple(int(d) % (n - m + 1) for d, n, m in zip(drawn.numpy(), shape, wanted, strict=True))
        return TABLE["strided_slice"](x, begin=begin, step=(1,) * len(shape), shape=wanted)
    x = TABLE["reshape"](x, shape=(1, *shape))  # behind a first axis, gathering has dense gradients
    for axis, (n, m) in enumerate(zip(shape, wanted, strict=True)):
        if n == m:
            continue
        first = TABLE["strided_slice"](drawn, begin=(axis,), step=(1,), shape=(1,))
        x = TABLE["gather"](x, first % (n - m + 1) + to_tensor(np.arange(m, dtype=np.int32)), axis=axis + 1)
    return TABLE["reshape"](x, shape=wanted)


@export("image.random_crop")
def random_crop(value, size, seed=None, name=None):
    """A part of a tensor that begins anywhere (tf.image.random_crop).

    Args:
        value: a tensor of any rank and dtype.
        size: the shape of the part.
        seed: an integer or None, as nf.random.uniform takes it.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        InvalidArgumentError: value does not hold such a part.
    """
    return _cropped("image.random_crop", value, size, partial(uniform, seed=seed))


@export("image.stateless_random_crop")
def stateless_random_crop(value, size, seed, name=None):
    """As random_crop, following from a seed of two integers."""
    draw = partial(stateless_uniform, seed=seed, minval=0)
    return _cropped("image.stateless_random_crop", value, size, draw)
