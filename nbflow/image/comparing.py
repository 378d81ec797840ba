"""How much images differ, from each other and from pixel to pixel."""

import math

import numpy as np

from nbflow.arrays.joining import stack
from nbflow.dtypes import float32
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.image.arguments import HEIGHT, WIDTH
from nbflow.image.colours import convert_image_dtype
from nbflow.image.resizing import resampled
from nbflow.ops.array import zeros_of
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.shapes import Dim, could_be_equal
from nbflow.tensor.tensor import argument

SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # weights of Wang et al. for images halved again and again


def _difference(x, axis: int):
    """Each element less the one before it along an axis, counted from the last."""
    shape, rank = x.nbflow_shape, x.ndim
    axis %= rank
    size = (*shape[:axis], shape[axis] - 1, *shape[axis + 1 :])
    first, next_ = (
        TABLE["strided_slice"](x, begin=tuple(k if a == axis else 0 for a in range(rank)), step=(1,) * rank, shape=size)
        for k in (0, 1)
    )
    return next_ - first


def _mean(x, *axes: int):
    return TABLE["reduce_mean"](x, axis=tuple(sorted(axis % x.ndim for axis in axes)), keepdims=False)


@export("image.total_variation")
def total_variation(images, name=None):
    """Σ |differences of neighbours|, along height and along width (tf.image.total_variation).

    Args:
        images: [height, width, channels] or [batch, height, width, channels], of numbers.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A scalar, or one number for each image.
    """
    x = argument("image.total_variation", "images", images)
    if x.ndim not in (3, 4):
        raise InvalidArgumentError(f"image.total_variation: images has shape {x.shape}; it takes 3 or 4 dimensions")
    axes = tuple(range(x.ndim - 3, x.ndim))
    down, along = (
        TABLE["reduce_sum"](TABLE["abs"](_difference(x, axis)), axis=axes, keepdims=False) for axis in (HEIGHT, WIDTH)
    )
    return down + along


@export("image.image_gradients")
def image_gradients(image):
    """The differences to the next row and to the next column, 0 in the last (tf.image.image_gradients).

    Args:
        image: [batch, height, width, channels], of numbers.

    Returns:
        (dy, dx), both like image.
    """
    x = argument("image.image_gradients", "image", image)
    if x.ndim != 4:
        raise InvalidArgumentError(f"image.image_gradients: image has shape {x.shape}; it takes 4 dimensions")
    found = []
    for axis in (1, 2):
        shape = tuple(1 if k == axis else n for k, n in enumerate(x.nbflow_shape))
        found.append(TABLE["concat"](_difference(x, axis), zeros_of(x, shape), axis=axis))
    return tuple(found)


@export("image.sobel_edges")
def sobel_edges(image):
    """How steep images are: Sobel's filter (tf.image.sobel_edges).

    Args:
        image: a floating point tensor [batch, height, width, channels], 2 pixels or more high and wide.

    Returns:
        A tensor [batch, height, width, channels, 2]: dy and dx.
    """
    function = "image.sobel_edges"
    x = argument(function, "image", image)
    if x.ndim != 4 or any(not isinstance(n, Dim) and n < 2 for n in x.nbflow_shape[1:3]):
        raise InvalidArgumentError(f"{function}: image has shape {x.shape}; it takes [batch, 2 or more, 2 or more, …]")
    if not x.dtype.is_floating:
        raise InvalidDTypeError(f"{function}: image has dtype {x.dtype.name}; it takes floating point numbers")
    exact = cast(x, float32) if x.dtype.size < 4 else x
    height, width = x.nbflow_shape[1:3]

    def filtered(x, axis: int, *weights: float):
        size = (height, width)[axis - 1]
        how = ("mirrored", *weights)
        return TABLE["resample"](x, axis=axis, how=how, size=size, adjoint=False, dtype=x.dtype)

    edges = [
        filtered(filtered(exact, across, 1.0, 2.0, 1.0), axis, -1.0, 0.0, 1.0) for axis, across in ((1, 2), (2, 1))
    ]
    return cast(stack(edges, axis=-1), x.dtype)


# --- two images -------------------------------------------------------------------------------------------------------


def _pair(function: str, one, two, names: tuple[str, str], max_val):
    """Two images and their range as float32."""
    first, second = argument(function, names[0], one), argument(function, names[1], two)
    fits = first.ndim >= 3 and second.ndim >= 3 and could_be_equal(first.nbflow_shape[-3:], second.nbflow_shape[-3:])
    heads = zip(first.nbflow_shape[-4::-1], second.nbflow_shape[-4::-1])
    if not fits or not all(1 in (n, m) or could_be_equal((n,), (m,)) for n, m in heads):
        raise InvalidArgumentError(
            f"{function}: {names[0]} has shape {first.shape} and {names[1]} {second.shape}; they take [..., height, "
            f"width, channels] that are equal, behind batch axes that broadcast"
        )
    most = convert_image_dtype(cast(argument(function, "max_val", max_val), first.dtype), float32)
    return convert_image_dtype(first, float32), convert_image_dtype(second, float32), most


@export("image.psnr")
def psnr(a, b, max_val, name=None):
    """The peak signal-to-noise ratio in dB, 20 log₁₀ max_val - 10 log₁₀ mean (a - b)² (tf.image.psnr).

    Args:
        a, b: [..., height, width, channels], floats or integers.
        max_val: the range of their numbers: 255 for uint8, 1 for floats from 0 to 1.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A float32 tensor of the shape of the batch axes.
    """
    one, two, most = _pair("image.psnr", a, b, ("a", "b"), max_val)
    error = _mean(TABLE["squared_difference"](one, two), -3, -2, -1)
    level = 20.0 * TABLE["log"](most) / math.log(10.0)
    return level - np.float32(10 / np.log(10)) * TABLE["log"](error)


def _similarity(one, two, most, filter_size, filter_sigma, k1, k2):
    """SSIM's two factors at each place, of the means and of the deviations, with windows as weights."""
    size = int(filter_size)
    for x in (one, two):
        if any(not isinstance(n, Dim) and n < size for n in x.nbflow_shape[-3:-1]):
            raise InvalidArgumentError(f"image.ssim: images of shape {x.shape} are smaller than filter_size {size}")
    at = np.arange(size) - (size - 1) / 2
    window = np.exp(-(at**2) / (2 * float(filter_sigma) ** 2))
    how = ("filter", *(float(w) for w in window / window.sum()))

    def local(x):
        height, width = x.nbflow_shape[-3:-1]
        return resampled(x, (height - size + 1, width - size + 1), how)

    c1, c2 = TABLE["square"](most * k1), TABLE["square"](most * k2)
    mean_one, mean_two = local(one), local(two)
    product = mean_one * mean_two * 2.0
    squares = TABLE["square"](mean_one) + TABLE["square"](mean_two)
    luminance = (product + c1) / (squares + c1)
    both = local(one * two) * 2.0
    each = local(TABLE["square"](one) + TABLE["square"](two))
    return luminance, (both - product + c2) / (each - squares + c2)


@export("image.ssim")
def ssim(img1, img2, max_val, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03, return_index_map=False):
    """The structural similarity of images (tf.image.ssim): 1 where they are equal, averaged over channels.

    At each place means μ, variances and the covariance are taken with Gaussian weights;
    (2 μ₁ μ₂ + c₁) (2 cov + c₂) / ((μ₁² + μ₂² + c₁) (var₁ + var₂ + c₂)) with cᵢ = (kᵢ max_val)².

    Args:
        img1, img2: [..., height, width, channels], floats or integers, at least filter_size high and wide.
        max_val: the range of their numbers: 255 for uint8, 1 for floats from 0 to 1.
        filter_size, filter_sigma: the size of the window and the deviation of its weights, in pixels.
        k1, k2: see above.
        return_index_map: whether to return the value at each place rather than their mean.

    Returns:
        A float32 tensor of the shape of the batch axes, with height and width of the places for return_index_map.

    Source: Wang, Bovik, Sheikh and Simoncelli, Image quality assessment: from error visibility to structural
    similarity, IEEE Transactions on Image Processing 13 (2004).
    """
    one, two, most = _pair("image.ssim", img1, img2, ("img1", "img2"), max_val)
    luminance, structure = _similarity(one, two, most, filter_size, filter_sigma, k1, k2)
    value = luminance * structure
    return _mean(value if return_index_map else _mean(value, -3, -2), -1)


@export("image.ssim_multiscale")
def ssim_multiscale(img1, img2, max_val, power_factors=SCALES, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03):
    """The structural similarity over several scales (tf.image.ssim_multiscale), see ssim.

    Args:
        img1, img2: [..., height, width, channels], floats or integers; the smallest scale must be at least filter_size
            high and wide.
        max_val: the range of their numbers.
        power_factors: the weight of each scale, each half the size of the one before.
        filter_size, filter_sigma, k1, k2: as ssim takes them.

    Returns:
        A float32 tensor of the shape of the batch axes, in [0, 1].

    Source: Wang, Simoncelli and Bovik, Multiscale structural similarity for image quality assessment, Asilomar
    Conference on Signals, Systems and Computers (2003).
    """
    one, two, most = _pair("image.ssim_multiscale", img1, img2, ("img1", "img2"), max_val)
    found, structure = [], None
    for k, _ in enumerate(power_factors):
        if k:
            found.append(_mean(structure, -3, -2))
            one, two = (
                resampled(x, tuple((n + 1) // 2 for n in x.nbflow_shape[-3:-1]), ("halved",)) for x in (one, two)
            )
        luminance, structure = _similarity(one, two, most, filter_size, filter_sigma, k1, k2)
    found.append(_mean(luminance * structure, -3, -2))
    scales = TABLE["relu"](stack(found, axis=-1))
    powers = scales ** np.asarray(power_factors, np.float32)
    product = TABLE["reduce_prod"](powers, axis=(powers.ndim - 1,), keepdims=False)
    return _mean(product, -1)
