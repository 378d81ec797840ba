"""Moments, and normalisation by them."""

from nbflow.dtypes import FLOATING, float16, float32, require
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import axes_of, cast, export, pair
from nbflow.shapes import could_be_equal, normalize_axes
from nbflow.tensor.tensor import argument


def _reduce(kind: str, x, axes: tuple, keepdims: bool):
    return TABLE[f"reduce_{kind}"](x, axis=axes, keepdims=keepdims)


def _dropped(x, axes: tuple, keepdims: bool):
    """x, whose axes of size 1 go unless keepdims."""
    if keepdims:
        return x
    return TABLE["reshape"](x, shape=tuple(n for k, n in enumerate(x.nbflow_shape) if k not in axes))


@export("nn.moments")
def moments(x, axes, shift=None, keepdims=False, name=None):
    """Mean and variance over axes (tf.nn.moments).

    Args:
        x: a numeric tensor. float16 is computed in float32.
        axes: an axis, or a list of them.
        shift: not used, as in TensorFlow.
        keepdims: whether reduced axes stay with size 1.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (mean, variance): the latter is the mean of the squared differences from the mean.

    Example:
        >>> import nbflow as nf
        >>> [float(m) for m in nf.nn.moments(nf.constant([1.0, 2.0, 3.0, 6.0]), axes=[0])]
        [3.0, 3.5]
    """
    x = argument("moments", "x", x)
    over = normalize_axes("moments", axes_of(axes), x.ndim)
    y = cast(x, float32) if x.dtype is float16 else x
    mean = _reduce("mean", y, over, True)
    variance = _reduce("mean", TABLE["squared_difference"](y, TABLE["stop_gradient"](mean)), over, True)
    return tuple(cast(_dropped(v, over, keepdims), x.dtype) for v in (mean, variance))


@export("nn.weighted_moments")
def weighted_moments(x, axes, frequency_weights, keepdims=False, name=None):
    """Mean and variance over axes of elements that count as often as their weights say (tf.nn.weighted_moments).

    Args:
        x: a floating point tensor.
        axes: an axis, or a list of them.
        frequency_weights: a tensor that broadcasts with x.
        keepdims: whether reduced axes stay with size 1.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (mean, variance), zeros where the weights sum to 0.
    """
    op = "weighted_moments"
    x, weights = argument(op, "x", x), argument(op, "frequency_weights", frequency_weights)
    y = cast(x, float32) if x.dtype is float16 else x
    weights = cast(weights, y.dtype)
    product = weights * y
    over = normalize_axes(op, axes_of(axes), product.ndim)
    total = _reduce("sum", weights + TABLE["zeros_like"](y), over, True)
    divide = TABLE["divide_no_nan"]
    mean = divide(_reduce("sum", product, over, True), total)
    variance = divide(_reduce("sum", weights * TABLE["squared_difference"](y, mean), over, True), total)
    return tuple(cast(_dropped(v, over, keepdims), x.dtype) for v in (mean, variance))


@export("nn.sufficient_statistics")
def sufficient_statistics(x, axes, shift=None, keepdims=False, name=None):
    """What mean and variance over axes can be computed from, by normalize_moments (tf.nn.sufficient_statistics).

    Args:
        x: a numeric tensor.
        axes: a list of axes.
        shift: a tensor near the mean, for precision, that broadcasts with x; None for none.
        keepdims: whether reduced axes stay with size 1.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (count, sum, sum of squares, shift), the sums being those of x - shift.
    """
    op = "sufficient_statistics"
    x = argument(op, "x", x)
    over = normalize_axes(op, axes_of(axes), x.ndim)
    count = TABLE["count"](x, axis=over)
    if shift is not None:
        shift = argument(op, "shift", shift, x.dtype)
        first, second = x - shift, TABLE["squared_difference"](x, shift)
    else:
        first, second = x, TABLE["square"](x)
    return count, _reduce("sum", first, over, keepdims), _reduce("sum", second, over, keepdims), shift


@export("nn.normalize_moments")
def normalize_moments(counts, mean_ss, variance_ss, shift, name=None):
    """Mean and variance from sufficient_statistics (tf.nn.normalize_moments).

    Args:
        counts: how many elements.
        mean_ss, variance_ss: the sums of x - shift and of its square.
        shift: what was subtracted, None for nothing.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (mean, variance).
    """
    op = "normalize_moments"
    counts = argument(op, "counts", counts)
    divisor = TABLE["reciprocal"](counts)
    shifted = argument(op, "mean_ss", mean_ss, counts.dtype) * divisor
    mean = shifted if shift is None else shifted + argument(op, "shift", shift, counts.dtype)
    return mean, argument(op, "variance_ss", variance_ss, counts.dtype) * divisor - TABLE["square"](shifted)


@export("nn.batch_normalization")
def batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    """scale (x - mean) / √(variance + ε) + offset (tf.nn.batch_normalization).

    Args:
        x: a floating point tensor.
        mean, variance: tensors that broadcast with x.
        offset, scale: tensors that broadcast with x, or None.
        variance_epsilon: a small number, so that nothing is divided by 0.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape and dtype of x.
    """
    op = "batch_normalization"
    x = argument(op, "x", x)
    variance = argument(op, "variance", variance, x.dtype)
    mean = argument(op, "mean", mean, variance.dtype)
    factor = TABLE["rsqrt"](variance + variance_epsilon)
    if scale is not None:
        factor = factor * argument(op, "scale", scale, factor.dtype)
    shift = -mean * factor if offset is None else argument(op, "offset", offset, factor.dtype) - mean * factor
    return x * cast(factor, x.dtype) + cast(shift, x.dtype)


@export("nn.batch_norm_with_global_normalization")
def batch_norm_with_global_normalization(
    input, mean, variance, beta, gamma, variance_epsilon, scale_after_normalization, name=None
):
    """batch_normalization with the scale gamma, if scale_after_normalization, and the offset beta.

    See tf.nn.batch_norm_with_global_normalization.
    """
    scale = gamma if scale_after_normalization else None
    return batch_normalization(input, mean, variance, beta, scale, variance_epsilon)


@export("nn.local_response_normalization", "nn.lrn")
def local_response_normalization(input, depth_radius=5, bias=1, alpha=1, beta=0.5, name=None):
    """x / (bias + alpha Σ x²)^beta, the sum being over near channels (tf.nn.local_response_normalization).

    Args:
        input: [batch, height, width, channels], floating point.
        depth_radius: how many channels to either side count.
        bias, alpha, beta: numbers.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of input.

    Raises:
        InvalidArgumentError: input is of another rank, or depth_radius is negative.
    """
    op = "local_response_normalization"
    x = argument(op, "input", input, float32)
    require(op, "input", x.dtype, FLOATING)
    if x.ndim != 4:
        raise InvalidArgumentError(f"{op}: input has shape {x.shape}; it must be 4-dimensional")
    if depth_radius < 0:
        raise InvalidArgumentError(f"{op}: depth_radius is {depth_radius}; it takes 0 or more")
    batch, height, width, channels = x.nbflow_shape
    squares = TABLE["reshape"](TABLE["square"](x), shape=(batch * height * width, channels, 1))
    window = {"window": (2 * depth_radius + 1,), "padding": ((depth_radius, depth_radius),)}
    sums = TABLE["avg_pool"](squares, **window, strides=(1,), dilations=(1,), total=True)
    norm = TABLE["reshape"](sums, shape=tuple(x.nbflow_shape)) * float(alpha) + float(bias)
    return x * TABLE["pow"](norm, -float(beta))


@export("math.l2_normalize", "linalg.l2_normalize", "nn.l2_normalize")
def l2_normalize(x, axis=None, epsilon=1e-12, name=None, dim=None):
    """x / √max(Σ |x|², ε), the sum being over axes (tf.math.l2_normalize).

    Args:
        x: a floating point or complex tensor.
        axis: an axis, or a list of them; all by default.
        epsilon: the least square of a norm.
        name: accepted as TensorFlow's; it has no effect.
        dim: an old name for axis.

    Returns:
        A tensor of the shape of x.

    Raises:
        ValueError: both axis and dim are given.
    """
    op = "l2_normalize"
    if axis is not None and dim is not None:
        raise ValueError(f"{op}: cannot specify both 'dim' and 'axis'")
    x = argument(op, "x", x)
    over = normalize_axes(op, axes_of(dim if axis is None else axis), x.ndim)
    if x.dtype.is_complex:
        real, imaginary = TABLE["real"](x), TABLE["imag"](x)
        squares = TABLE["square"](real) + TABLE["square"](imaginary)
        factor = TABLE["rsqrt"](TABLE["maximum"](_reduce("sum", squares, over, True), epsilon))
        return TABLE["complex"](real * factor, imaginary * factor)
    factor = TABLE["rsqrt"](TABLE["maximum"](_reduce("sum", TABLE["square"](x), over, True), epsilon))
    return x * factor


@export("nn.bias_add")
def bias_add(value, bias, data_format=None, name=None):
    """value with a number for each channel added (tf.nn.bias_add).

    Args:
        value: a numeric tensor of rank 2 or more.
        bias: [channels].
        data_format: "N...C" or "NC...": where the channels are; None for the end.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of value.

    Raises:
        InvalidArgumentError: bias is not of rank 1, or has another size than the channels.
        ValueError: data_format is another.
    """
    op = "bias_add"
    first = data_format is not None and data_format.startswith("NC")
    if data_format is not None and not first and not (data_format.startswith("N") and data_format.endswith("C")):
        raise ValueError(f"{op}: data_format must be of the form `N...C` or `NC...`, got {data_format!r}")
    value, bias = pair(op, value, bias, ("value", "bias"))
    if value.ndim < 2 or bias.ndim != 1:
        raise InvalidArgumentError(
            f"{op}: value has shape {value.shape} and bias {bias.shape}; they need 2 dimensions or more, and 1"
        )
    at = 1 if first else value.ndim - 1
    if not could_be_equal(bias.nbflow_shape, (value.nbflow_shape[at],)):
        raise InvalidArgumentError(f"{op}: bias of shape {bias.shape} does not fit axis {at} of value {value.shape}")
    return value + TABLE["reshape"](bias, shape=(bias.nbflow_shape[0], *(1,) * (value.ndim - 1 - at)))
