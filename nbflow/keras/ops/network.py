"""What keras.ops has of networks: convolutions, pooling, normalization, cross-entropies, images."""

from nbflow.keras import losses as _losses
from nbflow.keras.ops.control import shape
from nbflow.keras.ops.promotion import common, floating, published, tensor
from nbflow.keras.settings import epsilon as smallest
from nbflow.keras.settings import image_data_format
from nbflow.public import NAMES, export


def _several(value, rank: int) -> list:
    return list(value) if isinstance(value, (list, tuple)) else [value] * rank


def _format(data_format, rank: int) -> str:
    last = (data_format or image_data_format()) == "channels_last"
    axes = "DHW"[3 - rank :]
    return f"N{axes}C" if last else f"NC{axes}"


def _with_ends(sizes: list, data_format: str) -> list:
    return [1, *sizes, 1] if data_format.endswith("C") else [1, 1, *sizes]


@published()
def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """A convolution of 1, 2 or 3 dimensions."""
    inputs, kernel = common(inputs, kernel)
    rank = len(inputs.shape) - 2
    return NAMES["nn.convolution"](
        inputs, kernel, _several(strides, rank), padding.upper(), _format(data_format, rank),
        _several(dilation_rate, rank),
    )  # fmt: skip


@published()
def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    """The transpose of a convolution."""
    inputs, kernel = common(inputs, kernel)
    rank = len(inputs.shape) - 2
    form, steps = _format(data_format, rank), _several(strides, rank)
    if output_padding is not None or dilation_rate != 1:
        raise NotImplementedError(
            "conv_transpose: output_padding and dilation_rate are those of layers.Conv2DTranspose"
        )
    sizes, first = list(shape(inputs)), 1 if form.endswith("C") else 2
    for k, step in enumerate(steps):
        extra = 0 if padding.lower() == "same" else max(int(kernel.shape[k]) - step, 0)
        sizes[first + k] = sizes[first + k] * step + extra
    sizes[-1 if first == 1 else 1] = int(kernel.shape[-2])
    return NAMES["nn.conv_transpose"](inputs, kernel, NAMES["stack"](sizes), steps, padding.upper(), form)


@published()
def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """A convolution of each channel by itself, of 2 dimensions."""
    inputs, kernel = common(inputs, kernel)
    form = _format(data_format, 2)
    steps = _with_ends(_several(strides, 2), form)
    return NAMES["nn.depthwise_conv2d"](inputs, kernel, steps, padding.upper(), form, _several(dilation_rate, 2))


def _pooling(name: str, there: str):
    def op(inputs, pool_size, strides=None, padding="valid", data_format=None):
        inputs = tensor(inputs)
        rank = len(inputs.shape) - 2
        steps = pool_size if strides is None else strides
        return NAMES[there](
            inputs, _several(pool_size, rank), _several(steps, rank), padding.upper(), _format(data_format, rank)
        )

    op.__name__ = op.__qualname__ = name
    op.__doc__ = f"{name} over windows."
    export(f"keras.ops.{name}")(op)


_pooling("max_pool", "nn.max_pool")
_pooling("average_pool", "nn.avg_pool")


@published()
def moments(x, axes, keepdims=False, synchronized=False):
    """(mean, variance) along axes."""
    return NAMES["nn.moments"](floating(x), axes, keepdims=keepdims)


@published()
def normalize(x, axis=-1, order=2, epsilon=None):
    """x divided by its norm along an axis."""
    x = floating(x)
    if order != 2:
        return x / NAMES["maximum"](NAMES["norm"](x, order, axis, True), smallest() if epsilon is None else epsilon)
    least = (smallest() if epsilon is None else epsilon) ** 2
    return x * NAMES["math.rsqrt"](NAMES["maximum"](NAMES["reduce_sum"](x * x, axis, True), least))


@published()
def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """scale (x - mean) / √(variance + epsilon) + offset, each given by channel."""
    x = floating(x)
    form = [1] * len(x.shape)
    form[axis] = -1
    mean, variance, offset, scale = (
        None if part is None else NAMES["reshape"](tensor(part), form) for part in (mean, variance, offset, scale)
    )
    return NAMES["nn.batch_normalization"](x, mean, variance, offset, scale, epsilon)


@published()
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None):
    """gamma (x - mean) / √(variance + epsilon) + beta, by example."""
    x = floating(x)
    mean, variance = NAMES["nn.moments"](x, axis, keepdims=True)
    return NAMES["nn.batch_normalization"](x, mean, variance, beta, gamma, smallest() if epsilon is None else epsilon)


@published()
def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    """scale x / √(mean of x² + epsilon)."""
    x = floating(x)
    square = NAMES["reduce_mean"](x * x, axis, True)
    made = x * NAMES["math.rsqrt"](square + (smallest() if epsilon is None else epsilon))
    return made if scale is None else made * scale


@published()
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-Σ target log output."""
    return _losses.categorical_crossentropy(target, output, from_logits=from_logits, axis=axis)


@published()
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-log output at the place of target."""
    return _losses.sparse_categorical_crossentropy(target, output, from_logits=from_logits, axis=axis)


@published()
def binary_crossentropy(target, output, from_logits=False):
    """-target log output - (1 - target) log(1 - output), by element."""
    target, output = common(target, output, floats=True)
    if from_logits:
        return NAMES["nn.sigmoid_cross_entropy_with_logits"](target, output)
    p = NAMES["clip_by_value"](output, smallest(), 1.0 - smallest())
    return -(target * NAMES["math.log"](p) + (1.0 - target) * NAMES["math.log"](1.0 - p))


@published()
def dot_product_attention(query, key, value, bias=None, mask=None, scale=None, is_causal=False, flash_attention=None):
    """softmax(scale q kᵀ + bias) v of [batch, time, heads, size]; what the mask leaves out has weight 0."""
    query, key, value = common(query, key, value, floats=True)
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    scores = NAMES["einsum"]("bthd,bshd->bhts", query * scale, key)
    if bias is not None:
        scores = scores + bias
    if is_causal:
        rows, columns = shape(scores)[-2:]
        causal = NAMES["range"](rows)[:, None] >= NAMES["range"](columns)
        mask = causal if mask is None else NAMES["logical_and"](tensor(mask, "bool"), causal)
    if mask is not None:
        least = tensor(0.7 * scores.dtype.min, scores.dtype)
        scores = NAMES["where"](tensor(mask, "bool"), scores, least)
    return NAMES["einsum"]("bhts,bshd->bthd", NAMES["nn.softmax"](scores), value)


def _segments(kind: str):
    def op(data, segment_ids, num_segments=None, sorted=False):
        data, ids = tensor(data), tensor(segment_ids)
        count = NAMES["reduce_max"](ids) + 1 if num_segments is None else num_segments
        return NAMES[f"math.unsorted_segment_{kind}"](data, ids, count)

    op.__name__ = op.__qualname__ = f"segment_{kind}"
    op.__doc__ = f"The {kind} of each segment of rows."
    export(f"keras.ops.segment_{kind}")(op)


for _kind in ("sum", "max", "min", "prod"):
    _segments(_kind)


@export("keras.ops.image.resize")
def resize(images, size, interpolation="bilinear", antialias=False, data_format=None):
    """Images in another size."""
    return NAMES["image.resize"](floating(images), size, interpolation, antialias=antialias)


@export("keras.ops.image.rgb_to_grayscale")
def rgb_to_grayscale(images, data_format=None):
    """Images in shades of gray."""
    return NAMES["image.rgb_to_grayscale"](tensor(images))
