"""Writes keras_spatial.npz: what Keras' convolutions, pooling and borders give. Run where TensorFlow is installed."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

CASES = {
    constructor: (constructor, [shape], "layer(x0)")
    for constructor, shape in [
        ("layers.Conv1D(3, 2)", (2, 5, 2)),
        ("layers.Conv1D(4, 3, padding='causal', dilation_rate=2, activation='relu')", (2, 6, 2)),
        ("layers.Conv1D(4, 3, strides=2, padding='same', groups=2)", (2, 7, 4)),
        ("layers.Conv1D(3, 3, padding='same', use_bias=False, data_format='channels_first')", (2, 3, 5)),
        ("layers.Conv2D(3, 2, activation='softmax')", (2, 4, 5, 2)),
        ("layers.Conv2D(2, (3, 2), strides=(2, 1), padding='same')", (1, 5, 4, 3)),
        ("layers.Conv2D(2, 3, dilation_rate=(2, 1), padding='same')", (1, 5, 6, 2)),
        ("layers.Conv2D(4, 2, groups=2, data_format='channels_first', activation='softmax')", (2, 4, 4, 3)),
        ("layers.Conv3D(2, 2, strides=2, padding='same')", (1, 4, 3, 4, 2)),
        ("layers.Conv3D(2, (1, 2, 2), kernel_regularizer='l2')", (1, 2, 3, 4, 2)),
        ("layers.Conv1DTranspose(3, 3)", (2, 4, 2)),
        ("layers.Conv1DTranspose(2, 3, strides=2, padding='same', output_padding=1)", (2, 4, 3)),
        ("layers.Conv1DTranspose(2, 2, strides=3, data_format='channels_first')", (2, 3, 4)),
        ("layers.Conv2DTranspose(3, 3, strides=2, padding='same', activation='tanh')", (1, 3, 4, 2)),
        ("layers.Conv2DTranspose(2, (2, 3), strides=(3, 2), output_padding=(1, 0))", (1, 3, 2, 2)),
        ("layers.Conv2DTranspose(2, 3, dilation_rate=2)", (1, 3, 3, 2)),
        ("layers.Conv3DTranspose(2, 2, strides=2)", (1, 2, 2, 3, 2)),
        ("layers.DepthwiseConv1D(3, strides=2, padding='same')", (2, 6, 3)),
        ("layers.DepthwiseConv2D(3, depth_multiplier=2, padding='same', activation='relu')", (2, 4, 5, 2)),
        ("layers.DepthwiseConv2D(2, dilation_rate=2)", (1, 5, 5, 2)),
        ("layers.DepthwiseConv2D(2, strides=2, data_format='channels_first')", (1, 3, 4, 5)),
        ("layers.SeparableConv1D(4, 3, depth_multiplier=2)", (2, 5, 3)),
        ("layers.SeparableConv1D(2, 3, padding='same', dilation_rate=2, strides=2)", (2, 7, 3)),
        ("layers.SeparableConv2D(3, 3, padding='same', strides=2)", (1, 5, 4, 2)),
        ("layers.SeparableConv2D(3, 2, data_format='channels_first', use_bias=False)", (1, 2, 4, 4)),
        ("layers.MaxPooling1D()", (2, 5, 3)),
        ("layers.MaxPooling1D(3, strides=2, padding='same', data_format='channels_first')", (2, 3, 6)),
        ("layers.MaxPooling2D((2, 3), strides=1)", (1, 4, 5, 2)),
        ("layers.MaxPool2D(2, padding='same')", (1, 5, 5, 2)),
        ("layers.MaxPooling3D(2)", (1, 4, 4, 5, 2)),
        ("layers.AveragePooling1D(2)", (2, 5, 3)),
        ("layers.AveragePooling2D(3, strides=2, padding='same')", (1, 5, 6, 2)),
        ("layers.AvgPool2D((1, 2), data_format='channels_first')", (1, 2, 3, 4)),
        ("layers.AveragePooling3D(2, padding='same')", (1, 3, 4, 3, 2)),
        ("layers.GlobalMaxPooling1D()", (2, 4, 3)),
        ("layers.GlobalMaxPooling2D(keepdims=True)", (2, 3, 4, 2)),
        ("layers.GlobalMaxPooling3D(data_format='channels_first')", (2, 2, 3, 2, 2)),
        ("layers.GlobalAveragePooling1D(data_format='channels_first', keepdims=True)", (2, 3, 4)),
        ("layers.GlobalAveragePooling2D()", (2, 3, 4, 2)),
        ("layers.GlobalAvgPool3D()", (2, 3, 2, 2, 2)),
        ("layers.AdaptiveMaxPooling1D(3)", (2, 5, 2)),
        ("layers.AdaptiveAveragePooling1D(2, data_format='channels_first')", (2, 3, 5)),
        ("layers.AdaptiveAveragePooling2D((2, 3))", (1, 5, 4, 2)),
        ("layers.AdaptiveMaxPooling2D(2)", (1, 5, 3, 2)),
        ("layers.AdaptiveAveragePooling3D((2, 1, 2))", (1, 3, 2, 4, 2)),
        ("layers.UpSampling1D(3)", (2, 3, 2)),
        ("layers.UpSampling2D((1, 2), data_format='channels_first')", (1, 2, 3, 2)),
        ("layers.UpSampling2D(2, interpolation='bilinear')", (1, 3, 2, 2)),
        ("layers.UpSampling2D((2, 3), interpolation='bicubic')", (1, 3, 3, 1)),
        ("layers.UpSampling2D(2, interpolation='lanczos3', data_format='channels_first')", (1, 2, 3, 3)),
        ("layers.UpSampling3D((2, 1, 2))", (1, 2, 2, 2, 2)),
        ("layers.ZeroPadding1D((1, 2))", (2, 3, 2)),
        ("layers.ZeroPadding1D(1, data_format='channels_first')", (2, 3, 2)),
        ("layers.ZeroPadding2D(((1, 0), (2, 1)))", (1, 2, 3, 2)),
        ("layers.ZeroPadding2D((1, 2), data_format='channels_first')", (1, 2, 3, 2)),
        ("layers.ZeroPadding3D(1)", (1, 2, 1, 2, 2)),
        ("layers.Cropping1D(1)", (2, 5, 2)),
        ("layers.Cropping2D(((1, 1), (0, 2)))", (1, 4, 5, 2)),
        ("layers.Cropping2D(1, data_format='channels_first')", (1, 2, 4, 3)),
        ("layers.Cropping3D((1, 0, 1))", (1, 4, 2, 3, 2)),
    ]
}
MASK = "layer(x0, mask=tf.constant([[True, False, True, True], [False, True, False, False]]))"
CASES |= {
    "masked mean": ("layers.GlobalAveragePooling1D()", [(2, 4, 3)], MASK),
    "masked mean, channels first": (
        "layers.GlobalAveragePooling1D('channels_first', keepdims=True)",
        [(2, 3, 4)],
        MASK,
    ),
    "bfloat16 convolution": ("layers.Conv2D(2, 2, dtype='mixed_bfloat16')", [(1, 3, 3, 2)], "layer(x0)"),
}

# constructions and calls that Keras refuses, all with ValueError but where another name stands
ERRORS = {
    "layers.Conv2D(0, 2)": "ValueError",
    "layers.Conv2D(2, 2, groups=0)": "ValueError",
    "layers.Conv2D(3, 2, groups=2)": "ValueError",
    "layers.Conv2D(2, (2, 2, 2))": "ValueError",
    "layers.Conv2D(2, 0)": "ValueError",
    "layers.Conv2D(2, 2, strides=2, dilation_rate=2)": "ValueError",
    "layers.Conv2D(2, 2, padding='causal')": "ValueError",
    "layers.Conv2D(2, 2, data_format='last')": "ValueError",
    "layers.Conv2D(2, 2, activation='nothing')": "ValueError",
    "layers.Conv2D(2, 2, colour='red')": "ValueError",
    "layers.Conv2D(2, 5)(np.zeros((1, 4, 4, 1), 'float32'))": "ValueError",
    "layers.Conv2D(2, 2, groups=2)(np.zeros((1, 4, 4, 3), 'float32'))": "ValueError",
    "layers.Conv2D(2, 2)(np.zeros((4, 4, 3), 'float32'))": "ValueError",
    "layers.Conv1DTranspose(2, 2, strides=2, output_padding=2)": "ValueError",
    "layers.DepthwiseConv2D(2, depth_multiplier=0)": "ValueError",
    "layers.SeparableConv2D(2, 2, strides=(1, 2, 3))": "ValueError",
    "layers.MaxPooling2D((2, 2, 2))": "ValueError",
    "layers.MaxPooling2D()(np.zeros((1, 4, 4), 'float32'))": "ValueError",
    "layers.UpSampling1D((2,))": "TypeError",
    "layers.UpSampling2D((1, 2, 3))": "ValueError",
    "layers.UpSampling2D(2, interpolation='mine')(np.zeros((1, 2, 2, 1), 'float32'))": "ValueError",
    "layers.ZeroPadding2D((1, 2, 3))": "ValueError",
    "layers.ZeroPadding1D(-1)": "ValueError",
    "layers.Cropping1D(2)(np.zeros((1, 4, 1), 'float32'))": "ValueError",
    "layers.Cropping2D(-1)": "ValueError",
}

if __name__ == "__main__":
    from layer_cases import record

    record(CASES, str(pathlib.Path(__file__).with_suffix(".npz")))
