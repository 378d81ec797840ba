"""Convolutions, pooling, upsampling, padding and cropping against Keras (tests/golden/keras_spatial.py)."""

import numpy as np
import pytest

import nbflow as nf
from tests.keras.layers.golden import Golden

_GOLDEN = Golden("keras_spatial")
cases = pytest.mark.parametrize("name", _GOLDEN.cases)


@cases
def test_outputs_and_gradients_are_keras(name):
    _GOLDEN.assert_results(name)


@cases
def test_compiled(name):
    _GOLDEN.assert_results(name, nf.function)


@cases
def test_in_a_model(name):
    _GOLDEN.assert_model(name)


@cases
def test_configuration(name):
    _GOLDEN.assert_config(name)


@pytest.mark.parametrize("expression", _GOLDEN.errors)
def test_what_is_refused(expression):
    _GOLDEN.assert_error(expression)


layers = nf.keras.layers


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(2, 3, strides=2, padding="same"),
        layers.Conv2DTranspose(2, 3, strides=2, output_padding=1),
        layers.SeparableConv2D(2, 3),
        layers.MaxPooling2D(),
        layers.GlobalAveragePooling2D(),
        layers.UpSampling2D(2, interpolation="bilinear"),
        layers.ZeroPadding2D(1),
        layers.Cropping2D(1),
    ],
    ids=lambda layer: layer.name,
)
def test_sizes_that_a_model_leaves_open(layer):
    inputs = nf.keras.Input((None, None, 3))
    model = nf.keras.Model(inputs, layer(inputs))
    for shape in ((2, 8, 7, 3), (1, 5, 9, 3)):
        x = nf.reshape(nf.range(np.prod(shape), dtype=nf.float32) / 100, shape)
        np.testing.assert_allclose(model(x), layer(x), 1e-6)


def test_adaptive_pooling_needs_the_size():
    with pytest.raises(ValueError, match="statically known"):
        layers.AdaptiveMaxPooling1D(2)(nf.keras.Input((None, 3)))
