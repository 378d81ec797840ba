"""Calls of convolutions and pooling."""

import numpy as np

from .common import *


def _numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).normal(size=shape).round(2)


IMAGE, FILTERS = _numbers(2, 5, 4, 2), _numbers(3, 2, 2, 3)
LOOSE = 1024  # sums of dozens of terms, in another order


def cases() -> list[Case]:
    """All cases, in order."""
    return [*_convolutions(), *_transposes(), *_depthwise(), *_pools(), *_patches()]


def _case(name: str, function, *inputs, dtype=F64, gradient: bool = True) -> Case:
    return Case(name, function, [np.asarray(x, dtype) for x in inputs], gradient, LOOSE)


def _convolutions() -> list[Case]:
    found = []
    for strides, padding in ((1, "SAME"), (2, "VALID"), ([1, 2, 1, 1], "SAME"), (2, [[0, 0], [1, 2], [0, 3], [0, 0]])):
        function = lambda tf, x, f, s=strides, p=padding: tf.nn.conv2d(x, f, s, p)
        found.append(_case(f"conv2d/{strides}/{padding}", function, IMAGE, FILTERS))
    plain = lambda tf, x, f: tf.nn.conv2d(x, f, 1, "SAME")
    found.append(_case("conv2d/float32", plain, IMAGE, FILTERS, dtype=F32))
    found.append(_case("conv2d/int32", plain, 9 * IMAGE, 9 * FILTERS, dtype=I32, gradient=False))
    found.append(_case("conv2d/one tap", plain, IMAGE, FILTERS[:1, :1]))
    found.append(_case("conv2d/groups", plain, IMAGE, _numbers(2, 2, 1, 4), gradient=False))
    found.append(_case("conv2d/batches", plain, IMAGE[:, None], FILTERS))
    dilated = lambda tf, x, f: tf.nn.conv2d(x, f, 1, "SAME", dilations=[2, 1])
    found.append(_case("conv2d/dilations", dilated, IMAGE, FILTERS, gradient=False))
    for padding in ("SAME", "VALID"):
        function = lambda tf, x, f, p=padding: tf.nn.atrous_conv2d(x, f, 2, p)
        found.append(_case(f"atrous_conv2d/{padding}", function, IMAGE, FILTERS[:2]))
    found.append(_case("conv1d", lambda tf, x, f: tf.nn.conv1d(x, f, 2, "SAME"), IMAGE[0], FILTERS[0]))
    volume = lambda tf, x, f: tf.nn.conv3d(x, f, [1, 1, 2, 1, 1], "SAME")
    found.append(_case("conv3d", volume, IMAGE[None], _numbers(2, 2, 1, 2, 2)))
    found.append(_case("convolution", lambda tf, x, f: tf.nn.convolution(x, f, strides=[2, 1]), IMAGE, FILTERS))
    return found


def _transposes() -> list[Case]:
    back = _numbers(2, 3, 2, 3)
    two = lambda tf, x, f: tf.nn.conv2d_transpose(x, f, [2, 5, 4, 2], 2)
    atrous = lambda tf, x, f: tf.nn.atrous_conv2d_transpose(x, f, [2, 3, 2, 2], 2, "SAME")
    return [
        _case("conv2d_transpose", two, back, FILTERS),
        _case("conv2d_transpose/float32", two, back, FILTERS, dtype=F32),
        _case("conv1d_transpose", lambda tf, x, f: tf.nn.conv1d_transpose(x, f, [2, 6, 2], 3), back[:, 0], FILTERS[0]),
        _case(
            "conv3d_transpose",
            lambda tf, x, f: tf.nn.conv3d_transpose(x, f, [1, 2, 5, 4, 2], [1, 1, 2, 2, 1]),
            back[None],
            _numbers(1, 2, 2, 2, 3),
        ),
        _case("conv_transpose", lambda tf, x, f: tf.nn.conv_transpose(x, f, [2, 5, 4, 2], 2), back, FILTERS),
        _case("atrous_conv2d_transpose", atrous, back, FILTERS),
    ]


def _depthwise() -> list[Case]:
    found = []
    for multiplier, stride in ((1, 1), (2, 2)):
        function = lambda tf, x, f, s=stride: tf.nn.depthwise_conv2d(x, f, [1, s, s, 1], "SAME")
        found.append(_case(f"depthwise_conv2d/{multiplier}", function, IMAGE, _numbers(3, 2, 2, multiplier)))
    dilated = lambda tf, x, f: tf.nn.depthwise_conv2d(x, f, [1, 1, 1, 1], "SAME", dilations=[2, 2])
    found.append(_case("depthwise_conv2d/dilations", dilated, IMAGE, _numbers(3, 2, 2, 1)))
    separable = lambda tf, x, f, g: tf.nn.separable_conv2d(x, f, g, [1, 1, 1, 1], "VALID")
    found.append(_case("separable_conv2d", separable, IMAGE, _numbers(3, 2, 2, 2), _numbers(1, 1, 4, 3)))
    to_input = lambda tf, f, g: tf.nn.depthwise_conv2d_backprop_input([2, 5, 4, 2], f, g, [1, 1, 1, 1], "SAME")
    found.append(_case("depthwise_conv2d_backprop_input", to_input, _numbers(3, 2, 2, 2), _numbers(2, 5, 4, 4)))
    to_filter = lambda tf, x, g: tf.nn.depthwise_conv2d_backprop_filter(x, [3, 2, 2, 2], g, [1, 1, 1, 1], "SAME")
    found.append(_case("depthwise_conv2d_backprop_filter", to_filter, IMAGE, _numbers(2, 5, 4, 4)))
    return found


def _pools() -> list[Case]:
    ties = np.round(IMAGE)
    odd = np.array([1, np.nan, 2, np.nan, 3, 3, -np.inf, 5, 5, 5]).reshape(1, -1, 1)
    found = []
    for size, strides, padding in ((2, 2, "VALID"), (3, 1, "SAME"), ([1, 2, 3, 1], [1, 2, 1, 1], "SAME")):
        greatest = lambda tf, x, a=(size, strides, padding): tf.nn.max_pool2d(x, *a)
        mean = lambda tf, x, a=(size, strides, padding): tf.nn.avg_pool2d(x, *a)
        where = lambda tf, x, a=(size, strides, padding): tf.nn.max_pool_with_argmax(x, *a)
        found.append(_case(f"max_pool2d/{size}", greatest, ties, dtype=F32))
        found.append(_case(f"avg_pool2d/{size}", mean, IMAGE, dtype=F32))
        found.append(_case(f"max_pool_with_argmax/{size}", where, IMAGE, dtype=F32, gradient=False))
    for name in ("max_pool", "avg_pool"):
        every = lambda tf, x, name=name: [getattr(tf.nn, name)(v, 2, 1, "SAME") for v in (x[0], x, x[None])]
        found.append(_case(name, every, IMAGE, dtype=F32, gradient=False))
    found.append(_case("max_pool1d", lambda tf, x: tf.nn.max_pool1d(x, 2, 1, "VALID"), odd, dtype=F32))
    found.append(_case("max_pool3d", lambda tf, x: tf.nn.max_pool3d(x, 2, 1, "VALID"), ties[None], dtype=F32))
    explicit = lambda tf, x: tf.nn.max_pool2d(x, 3, 2, [[0, 0], [1, 1], [1, 2], [0, 0]])
    found.append(_case("max_pool2d/explicit", explicit, IMAGE, dtype=F32))
    channels = lambda tf, x: tf.nn.max_pool2d(x, [1, 1, 1, 2], [1, 1, 1, 2], "VALID")
    found.append(_case("max_pool2d/channels", channels, IMAGE, dtype=F32, gradient=False))
    found.append(_case("pool", lambda tf, x: tf.nn.pool(x, [2, 2], "AVG", dilations=[2, 1]), IMAGE, dtype=F32))
    return found


def _patches() -> list[Case]:
    function = lambda tf, x: tf.image.extract_patches(x, [1, 2, 2, 1], [1, 2, 1, 1], [1, 1, 2, 1], "SAME")
    return [
        _case("extract_patches", function, IMAGE),
        _case("extract_patches/int32", function, 9 * IMAGE, dtype=I32, gradient=False),
    ]


def errors() -> list[Case]:
    """Calls that raise in TensorFlow."""
    calls = {
        "conv2d of mixed dtypes": lambda tf, x, f: tf.nn.conv2d(x, tf.cast(f, tf.float32), 2, "SAME"),
        "conv2d with padding in small letters": lambda tf, x, f: tf.nn.conv2d(x, f, 2, "same"),
        "conv2d with two pairs of padding": lambda tf, x, f: tf.nn.conv2d(x, f, 2, [[1, 1], [1, 1]]),
        "conv2d with negative padding": lambda tf, x, f: tf.nn.conv2d(x, f, 2, [[0, 0], [-1, 1], [1, 1], [0, 0]]),
        "conv2d with three strides": lambda tf, x, f: tf.nn.conv2d(x, f, [1, 2, 3], "SAME"),
        "conv2d with stride 0": lambda tf, x, f: tf.nn.conv2d(x, f, 0, "SAME"),
        "conv2d with a stride of the batch": lambda tf, x, f: tf.nn.conv2d(x, f, [2, 1, 1, 1], "SAME"),
        "conv2d of rank 3": lambda tf, x, f: tf.nn.conv2d(x[0], f, 1, "SAME"),
        "conv2d of too many channels": lambda tf, x, f: tf.nn.conv2d(x[..., :1], f, 1, "SAME"),
        "conv2d of a window that does not fit": lambda tf, x, f: tf.nn.conv2d(x[:, :1], f, 1, "VALID"),
        "conv2d_transpose to no such shape": lambda tf, x, f: tf.nn.conv2d_transpose(x, f, [2, 20, 6, 2], 1),
        "depthwise_conv2d of other channels": lambda tf, x, f: tf.nn.depthwise_conv2d(
            x[..., :1], f, [1, 1, 1, 1], "SAME"
        ),
        "convolution with strides and dilations": lambda tf, x, f: tf.nn.convolution(x, f, 2, dilations=2),
        "max_pool2d of a window that does not fit": lambda tf, x, f: tf.nn.max_pool2d(x, 9, 1, "VALID"),
        "max_pool2d of no window": lambda tf, x, f: tf.nn.max_pool2d(x, 0, 1, "VALID"),
        "max_pool of rank 2": lambda tf, x, f: tf.nn.max_pool(x[0, 0], 2, 1, "VALID"),
        "pool of another kind": lambda tf, x, f: tf.nn.pool(x, [2, 2], "SUM"),
    }
    return [Case(name, function, [IMAGE, FILTERS]) for name, function in calls.items()]
