"""Layers of images, scaling and categories against Keras (tests/golden/keras_preprocessing.py)."""

import numpy as np
import pytest

import nbflow as nf
from tests.keras.layers.golden import Golden

_GOLDEN = Golden("keras_preprocessing")
_LAST = {case[0].partition("(")[0]: name for name, case in _GOLDEN.cases.items() if "channels_first" not in case[0]}
last = pytest.mark.parametrize("name", _LAST.values())  # one case a layer
layers = nf.keras.layers
IMAGES = nf.reshape(nf.range(120, dtype="float32"), (2, 5, 4, 3))


@pytest.mark.parametrize("name", _GOLDEN.cases)
def test_outputs_and_gradients_are_keras(name):
    _GOLDEN.assert_results(name, tolerance=2e-3 if "float16" in name else 1e-4)


@last
def test_compiled(name):
    _GOLDEN.assert_results(name, nf.function, tolerance=2e-3 if "float16" in name else 1e-4)


@last
def test_in_a_model(name):
    _GOLDEN.assert_model(name)


@pytest.mark.parametrize("name", _GOLDEN.cases)
def test_configuration(name):
    _GOLDEN.assert_config(name)


@pytest.mark.parametrize("expression", _GOLDEN.errors)
def test_what_is_refused(expression):
    _GOLDEN.assert_error(expression)


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.RandomFlip(seed=1),
        lambda: layers.RandomRotation(0.2, seed=1),
        lambda: layers.RandomZoom(0.2, seed=1),
        lambda: layers.RandomTranslation(0.2, 0.2, seed=1),
        lambda: layers.RandomContrast(0.2, seed=1),
        lambda: layers.Resizing(3, 3),
        lambda: layers.Resizing(3, 3, crop_to_aspect_ratio=True),
        lambda: layers.Resizing(3, 3, pad_to_aspect_ratio=True),
        lambda: layers.CenterCrop(3, 3),
    ],
)
def test_sizes_that_a_model_leaves_open(make):
    inputs = nf.keras.Input((None, None, 3))
    model = nf.keras.Model(inputs, make()(inputs, training=True))
    np.testing.assert_allclose(model(IMAGES), make()(IMAGES, training=True), 1e-4, 1e-4)


def test_random_layers_only_act_in_training():
    model = nf.keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.5), layers.RandomBrightness(0.5)])
    np.testing.assert_array_equal(model(IMAGES, training=False), IMAGES)
    assert np.any(layers.RandomRotation(0.5, seed=1)(IMAGES) != IMAGES)  # by itself a layer trains


def test_projection_has_gradients():
    layer = layers.RandomRotation((0.25, 0.25), "constant")
    with nf.GradientTape() as tape:
        tape.watch(IMAGES)
        loss = nf.reduce_sum(layer(IMAGES[:, :4]) * 2)
    np.testing.assert_allclose(tape.gradient(loss, IMAGES)[:, :4], 2, 1e-4)  # a quarter turn moves each pixel once


@pytest.mark.parametrize("layer", [layers.RandomRotation, layers.RandomBrightness, layers.RandomZoom])
def test_mixed_precision(layer):
    x = nf.reshape(nf.range(48, dtype="float32"), (1, 4, 4, 3))
    half = layer(0.5, seed=1, dtype="mixed_float16")(x)
    assert half.dtype is nf.float16
    np.testing.assert_allclose(half, layer(0.5, seed=1)(x), 2e-3, 2e-2)


def test_random_crop_needs_sizes():
    with pytest.raises(ValueError, match="fully defined"):
        layers.RandomCrop(2, 2)(nf.keras.Input((None, None, 3)), training=True)


@pytest.mark.parametrize("arguments", [{"fill_mode": "mirror"}, {"interpolation": "bicubic"}])
def test_unknown_modes(arguments):
    with pytest.raises(NotImplementedError, match="Expected of one"):
        layers.RandomRotation(0.1, **arguments)


def test_what_is_not_supported_says_so():
    with pytest.raises(NotImplementedError, match="sparse"):
        layers.CategoryEncoding(3, sparse=True)
    with pytest.raises(NotImplementedError, match="bounding boxes"):
        layers.RandomFlip(bounding_box_format="xyxy")({"images": IMAGES, "bounding_boxes": {}})


# --- Normalization ----------------------------------------------------------------------------------------------------


def test_adapt_after_a_model_was_made():
    layer = layers.Normalization()
    model = nf.keras.Sequential([nf.keras.Input((2,)), layer])
    layer.adapt([np.float32([[1, 2]]), (np.float32([[3, 6]]), "labels are left out")])
    np.testing.assert_allclose(model(np.float32([[2, 4]])), [[0, 0]], atol=1e-6)
    np.testing.assert_allclose(layer.variance, [[1, 4]], 1e-6)


@pytest.mark.parametrize(
    ("data", "error"), [([], ValueError), ([[1.0]], TypeError), (3, TypeError), (np.zeros((2, 3)), ValueError)]
)
def test_adapt_refuses(data, error):
    layer = layers.Normalization()
    layer.build((None, 2))
    with pytest.raises(error, match="adapt"):
        layer.adapt(data)


# --- lookups ----------------------------------------------------------------------------------------------------------


def test_unknown_integers_are_an_error_without_a_number_for_them():
    layer = layers.IntegerLookup(vocabulary=[1, 2], num_oov_indices=0)
    for call in (layer, nf.function(layer)):
        np.testing.assert_array_equal(call(nf.constant([2, 1])), [1, 0])
        with pytest.raises(nf.errors.InvalidArgumentError, match="should be in vocabulary"):
            call(nf.constant([2, 3]))


def test_vocabulary_size_is_fixed_where_vectors_have_it():
    layer = layers.IntegerLookup(vocabulary=[1, 2], output_mode="count")
    with pytest.raises(RuntimeError, match="cannot be changed"):
        layer.set_vocabulary([1, 2, 3])
    with pytest.raises(RuntimeError, match="you must set the layer's vocabulary"):
        layers.IntegerLookup(output_mode="count")(nf.keras.Input((2,), dtype="int64"))


@pytest.mark.parametrize(
    ("make", "value"), [(layers.IntegerLookup, [1]), (layers.StringLookup, ["a"]), (layers.TextVectorization, ["a"])]
)
def test_there_must_be_a_vocabulary(make, value):
    with pytest.raises(nf.errors.FailedPreconditionError, match="adapt"):
        make()(value)


def test_discretization_learns_and_is_made_again():
    layer = layers.Discretization(num_bins=2)
    layer.adapt(np.arange(10.0))
    again = layers.Discretization.from_config(layer.get_config())
    assert again.bin_boundaries == layer.bin_boundaries
    np.testing.assert_array_equal(again([0.0, 9.0]), [0, 1])


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [(("int64", "float32"), "float32"), (("int32", "int64"), "int64"), (("float16", "float32", "int64"), "float32"),
     (("bool", "int32"), "int32")],
)  # fmt: skip
def test_merging_layers_bring_numbers_to_one_dtype(dtypes, expected):
    layer = layers.Concatenate()
    layer.autocast = False
    joined = layer([nf.cast([[1]], dtype) for dtype in dtypes])
    assert joined.dtype == expected
    np.testing.assert_array_equal(joined, [[1] * len(dtypes)])
