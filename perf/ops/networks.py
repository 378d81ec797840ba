"""What neural networks are made of: softmax, losses, normalization, convolutions, pooling, dropout."""

import numpy as np

from perf.ops.case import CUBE, MATRIX, TALL, case, integers, normal, uniform

X = normal()
IMAGES = (32, 100, 100, 3)


def _softmax(axis):
    def softmax(x):
        e = np.exp(x - x.max(axis, keepdims=True))
        return e / e.sum(axis, keepdims=True)

    return softmax


def _log_softmax(axis):
    def log_softmax(x):
        x = x - x.max(axis, keepdims=True)
        return x - np.log(np.exp(x).sum(axis, keepdims=True))

    return log_softmax


for _what, _shape, _axis in (("rows", MATRIX, 1), ("columns", MATRIX, 0), ("short rows", TALL, 1), ("middle", CUBE, 1)):
    case("nn.softmax", _softmax(_axis), normal(_shape), what=_what, axis=_axis)
    case("nn.log_softmax", _log_softmax(_axis), normal(_shape), what=_what, axis=_axis)


def _cross_entropy(y, x):
    return -(y * _log_softmax(1)(x)).sum(1)


def _sparse_cross_entropy(i, x):
    return -np.take_along_axis(_log_softmax(1)(x), i[:, None], 1)[:, 0]


def _sigmoid_cross_entropy(y, x):
    return np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x)))


case("nn.softmax_cross_entropy_with_logits", _cross_entropy, uniform(shape=TALL), normal(TALL))
case("nn.sparse_softmax_cross_entropy_with_logits", _sparse_cross_entropy, integers(high=10, shape=TALL[:1]),
     normal(TALL))  # fmt: skip
case("nn.sigmoid_cross_entropy_with_logits", _sigmoid_cross_entropy, uniform(), X,
     call=lambda f, y, x: f(labels=y, logits=x))  # fmt: skip
case("nn.weighted_cross_entropy_with_logits", None, uniform(), X, call=lambda f, y, x: f(y, x, 2.0))
case("nn.log_poisson_loss", lambda t, x: np.exp(x) - t * x, uniform(), X)
case("nn.l2_loss", lambda x: (x * x).sum() / 2, X)
case("nn.zero_fraction", lambda x: np.mean(x == 0), X)
case("nn.compute_average_loss", lambda x: x.sum() / x.size, X)
case("nn.scale_regularization_loss", np.sum, X)

case("nn.moments", lambda x: (x.mean(0), x.var(0)), normal(MATRIX), what="columns", axes=(0,))
case("nn.moments", lambda x: (x.mean(1), x.var(1)), normal(MATRIX), what="rows", axes=(1,))
case("nn.moments", lambda x: (x.mean((0, 1, 2)), x.var((0, 1, 2))), normal((100, 10, 10, 100)), what="channels",
     axes=(0, 1, 2))  # fmt: skip
case("nn.weighted_moments", lambda x, w: (np.average(x, 0, w), np.average(x * x, 0, w)), normal(MATRIX),
     uniform(shape=MATRIX), call=lambda f, x, w: f(x, (0,), w))  # fmt: skip
case("nn.sufficient_statistics", lambda x: (x.sum(0), (x * x).sum(0)), normal(MATRIX), axes=(0,))
CHANNELS = [normal((100,), seed=1), uniform(shape=(100,)), normal((100,), seed=2), normal((100,), seed=3)]


def _normalized(x, mean, variance, offset, scale):
    factor = scale / np.sqrt(variance + 1e-3)
    return x * factor + (offset - mean * factor)


case("nn.batch_normalization", _normalized, normal((100, 10, 10, 100)), *CHANNELS, variance_epsilon=1e-3)
case("nn.batch_norm_with_global_normalization", _normalized, normal((100, 10, 10, 100)), *CHANNELS,
     variance_epsilon=1e-3, scale_after_normalization=True)  # fmt: skip
case("nn.local_response_normalization", None, normal((100, 10, 10, 100)))
case("math.l2_normalize", lambda x: x / np.sqrt((x * x).sum(1, keepdims=True)), normal(MATRIX), what="rows", axis=1)
case("math.l2_normalize", lambda x: x / np.sqrt((x * x).sum(0, keepdims=True)), normal(MATRIX), what="columns", axis=0)
case("nn.bias_add", np.add, normal((100, 10, 10, 100)), normal((100,), seed=1))
case("nn.dropout", lambda x: np.where(np.random.random(x.shape) < 0.5, 0, x * 2), X, rate=0.5)
case("nn.experimental.general_dropout", None, X, rate=0.5,
     call=lambda f, x, rate: f(x, rate, _uniform_sampler))  # fmt: skip
case("nn.experimental.stateless_dropout", None, X, rate=0.5, seed=(1, 2))


def _uniform_sampler(shape, dtype):
    import nbflow as nf

    return nf.random.uniform(shape, dtype=dtype)


# --- windows ----------------------------------------------------------------------------------------------------------


def _windows(x, size: int, stride: int):
    """x with two more axes at the end: the windows of its two middle axes."""
    view = np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))
    return view[:, ::stride, ::stride]


def _pooled(function):
    return lambda x: function(_windows(x, 2, 2), (-2, -1))


case("nn.conv2d", lambda x, w: np.tensordot(_windows(x, 3, 1), w, ((3, 4, 5), (2, 0, 1))), normal(IMAGES),
     normal((3, 3, 3, 16), seed=1), strides=1, padding="VALID")  # fmt: skip
case("nn.conv2d", lambda x, w: np.tensordot(x, w[0, 0], 1), normal((32, 32, 32, 32)), normal((1, 1, 32, 32), seed=1),
     what="1×1", strides=1, padding="VALID")  # fmt: skip
case("nn.conv1d", lambda x, w: np.convolve(x[0, :, 0], w[::-1, 0, 0], "valid"), normal((1, 1_000_000, 1)),
     normal((9, 1, 1), seed=1), stride=1, padding="VALID")  # fmt: skip
case("nn.conv3d", None, normal((4, 40, 40, 40, 4)), normal((3, 3, 3, 4, 8), seed=1), strides=(1,) * 5, padding="SAME")
case("nn.convolution", None, normal(IMAGES), normal((3, 3, 3, 16), seed=1))
case("nn.atrous_conv2d", None, normal(IMAGES), normal((3, 3, 3, 16), seed=1), rate=2, padding="VALID")
case("nn.conv1d_transpose", None, normal((32, 1000, 16)), normal((3, 8, 16), seed=1), output_shape=(32, 2000, 8),
     strides=2)  # fmt: skip
case("nn.conv2d_transpose", None, normal((32, 50, 50, 8)), normal((3, 3, 3, 8), seed=1),
     output_shape=(32, 100, 100, 3), strides=2)  # fmt: skip
case("nn.conv3d_transpose", None, normal((4, 20, 20, 20, 8)), normal((3, 3, 3, 4, 8), seed=1),
     output_shape=(4, 40, 40, 40, 4), strides=(1, 2, 2, 2, 1))  # fmt: skip
case("nn.conv_transpose", None, normal((32, 50, 50, 8)), normal((3, 3, 3, 8), seed=1),
     output_shape=(32, 100, 100, 3), strides=2)  # fmt: skip
case("nn.atrous_conv2d_transpose", None, normal((8, 50, 50, 16)), normal((3, 3, 3, 16), seed=1),
     output_shape=(8, 54, 54, 3), rate=2, padding="VALID")  # fmt: skip
case("nn.depthwise_conv2d", lambda x, w: np.einsum("nijcab,abcm->nijcm", _windows(x, 3, 1), w), normal(IMAGES),
     normal((3, 3, 3, 1), seed=1), strides=(1, 1, 1, 1), padding="VALID")  # fmt: skip
case("nn.depthwise_conv2d_backprop_input", None, normal((3, 3, 3, 1)), normal(IMAGES),
     call=lambda f, w, g: f(IMAGES, w, g, (1, 1, 1, 1), "SAME"))  # fmt: skip
case("nn.depthwise_conv2d_backprop_filter", None, normal(IMAGES), normal(IMAGES, seed=1),
     call=lambda f, x, g: f(x, (3, 3, 3, 1), g, (1, 1, 1, 1), "SAME"))  # fmt: skip
case("nn.separable_conv2d", None, normal(IMAGES), normal((3, 3, 3, 1), seed=1), normal((1, 1, 3, 16), seed=2),
     strides=(1, 1, 1, 1), padding="VALID")  # fmt: skip
for _name, _function in {"max": np.max, "avg": np.mean}.items():
    case(f"nn.{_name}_pool2d", _pooled(_function), normal(IMAGES), ksize=2, strides=2, padding="VALID")
    case(f"nn.{_name}_pool", _pooled(_function), normal(IMAGES), ksize=2, strides=2, padding="VALID")
    case(f"nn.{_name}_pool1d", lambda x, _f=_function: _f(x.reshape(32, 500, 2, 64), 2), normal((32, 1000, 64)),
         ksize=2, strides=2, padding="VALID")  # fmt: skip
    case(f"nn.{_name}_pool3d", None, normal((4, 40, 40, 40, 4)), ksize=2, strides=2, padding="VALID")
case("nn.pool", _pooled(np.max), normal(IMAGES), window_shape=(2, 2), pooling_type="MAX", strides=(2, 2))
case("nn.max_pool_with_argmax", None, normal(IMAGES), ksize=2, strides=2, padding="VALID")
case("nn.space_to_depth", lambda x: x.reshape(32, 50, 2, 50, 2, 3).swapaxes(2, 3).reshape(32, 50, 50, 12),
     normal(IMAGES), block_size=2)  # fmt: skip
case("nn.depth_to_space", lambda x: x.reshape(32, 50, 50, 2, 2, 3).swapaxes(2, 3).reshape(32, 100, 100, 3),
     normal((32, 50, 50, 12)), block_size=2)  # fmt: skip
case("space_to_batch", None, normal(IMAGES), block_shape=(2, 2), paddings=((0, 0), (0, 0)))
case("batch_to_space", None, normal((128, 50, 50, 3)), block_shape=(2, 2), crops=((0, 0), (0, 0)))
case("nn.dilation2d", None, normal(IMAGES), normal((3, 3, 3), seed=1), strides=(1, 1, 1, 1), padding="SAME",
     data_format="NHWC", dilations=(1, 1, 1, 1))  # fmt: skip
case("nn.erosion2d", None, normal(IMAGES), normal((3, 3, 3), seed=1), strides=(1, 1, 1, 1), padding="SAME",
     data_format="NHWC", dilations=(1, 1, 1, 1))  # fmt: skip
case("extract_volume_patches", None, normal((4, 40, 40, 40, 4)), ksizes=(1, 2, 2, 2, 1), strides=(1, 2, 2, 2, 1),
     padding="VALID")  # fmt: skip
case("nn.isotonic_regression", None, normal(MATRIX))
case("nn.ctc_loss", None, integers(1, 9, (100, 10)), normal((50, 100, 200)), blank_index=0,
     call=lambda f, y, x, blank_index: f(y, x, [10] * 100, [50] * 100, blank_index=blank_index))  # fmt: skip
case("nn.fractional_max_pool", None, normal(IMAGES), pooling_ratio=[1.0, 1.44, 1.44, 1.0], seed=1)
case("nn.fractional_avg_pool", None, normal(IMAGES), pooling_ratio=[1.0, 1.44, 1.44, 1.0], seed=1)
