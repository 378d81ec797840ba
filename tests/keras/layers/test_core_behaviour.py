"""What golden values do not show of the core layers: masks in models and outside, seeds, functions, shapes."""

import numpy as np
import pytest

import nbflow as nf

L = nf.keras.layers
X = np.sin(np.arange(24, dtype=np.float32)).reshape(2, 3, 4)
MASKED = X * np.array([[[1], [0], [1]], [[0], [1], [1]]], np.float32)
MASK = np.array([[True, False, True], [False, True, True]])


@nf.keras.saving.register_keras_serializable("core_layers")
def doubled(x):
    return 2 * x


def test_attention_takes_masks_of_its_inputs_away_but_in_models():
    x = L.Masking()(MASKED)
    y = L.MultiHeadAttention(1, 2)(x, x)
    assert getattr(x, "_keras_mask", None) is None
    assert np.array_equal(y._keras_mask, MASK)

    x = nf.keras.Input((3, 4))
    masked = L.Masking()(x)
    total = L.Add()([masked, L.MultiHeadAttention(1, 2)(masked, masked)])
    steps, mean = nf.keras.Model(x, [total, L.GlobalAveragePooling1D()(total)])(MASKED)
    expected = [row[keep].mean(0) for row, keep in zip(steps.numpy(), MASK, strict=True)]
    np.testing.assert_allclose(mean, expected, 1e-5, 1e-6)


@pytest.mark.parametrize("rows", [[0, 2], [1]])
def test_a_query_that_sees_nothing(rows):
    """It gets the mean of all values, and with scores asked for nothing, as in Keras."""
    sees = np.ones((2, 3, 3), bool)
    sees[:, rows] = False
    for layer in (L.MultiHeadAttention(2, 3, use_bias=False), L.GroupQueryAttention(3, 2, 1, use_bias=False)):
        output, weights = layer(X, X, attention_mask=sees, return_attention_scores=True)
        assert not np.any(output.numpy()[:, rows])
        assert not np.any(weights.numpy()[:, :, rows])
        blind, free = layer(X, X, attention_mask=sees).numpy()[:, rows], layer(X, X, attention_mask=0 * sees).numpy()
        np.testing.assert_allclose(blind, free[:, rows], 1e-5, 1e-6)


def test_lambda_gets_what_it_asks_for():
    layer = L.Lambda(lambda x, training=False, mask=None: x if mask is None else (nf.cast(mask, "float32"), training))
    assert np.array_equal(layer(X), X)
    mask, training = L.Lambda(layer.function, mask=lambda x, mask: None)(L.Masking()(MASKED), training=True)
    assert np.array_equal(mask, MASK.astype(np.float32)) and training is True
    layer = L.Lambda(nf.keras.activations.relu, arguments={"max_value": 0.5}, mask=lambda x, mask: x[..., 0] > 0)
    assert np.array_equal(layer(X)._keras_mask, X[..., 0] > 0)
    assert layer(X).numpy().max() == np.float32(0.5)


def test_lambdas_shapes():
    assert L.Lambda(lambda x: x[:, :1]).compute_output_shape((None, 3)) == (None, 1)
    assert L.Lambda(lambda x: x, output_shape=(7,)).compute_output_shape((2, 3)) == (2, 7)
    assert L.Lambda(lambda x: x, output_shape=lambda shape: (*shape, 2)).compute_output_shape((2, 3)) == (2, 3, 2)


def test_named_functions_are_saved_and_lambdas_refused():
    again = L.Lambda.from_config(L.Lambda(doubled, output_shape=[4], name="twice").get_config())
    assert again.function is doubled and again.name == "twice"
    assert again.compute_output_shape((2, 3)) == (2, 4)
    with pytest.raises(ValueError, match="never run"):
        L.Lambda.from_config(L.Lambda(lambda x: x).get_config())


@pytest.mark.parametrize("weights", [np.eye(3), [np.eye(3)]])
def test_embedding_with_weights(weights):
    layer = L.Embedding(3, 3, weights=weights)
    assert layer.built and np.array_equal(layer(np.array([2, 0])), np.eye(3)[[2, 0]])


@pytest.mark.parametrize(
    "made",
    [
        lambda: L.Dropout(0.5, seed=3),
        lambda: L.SpatialDropout1D(0.5, seed=3),
        lambda: L.GaussianNoise(0.5, seed=3),
        lambda: L.AlphaDropout(0.5, seed=3),
    ],
)
def test_seeds_give_the_same_noise_again_and_each_call_new_noise(made):
    one, two = made(), made()
    first, second = (one(X, training=True).numpy() for _ in range(2))
    assert not np.array_equal(first, second)
    compiled = nf.function(lambda: two(X, training=True))
    assert np.array_equal(first, compiled()) and np.array_equal(second, compiled())
    assert np.array_equal(one(X), X)


def test_functional_forms():
    x, y = X, X[::-1].copy()
    for function, expected in [
        (L.add, x + y), (L.subtract, x - y), (L.multiply, x * y), (L.average, (x + y) / 2),
        (L.maximum, np.maximum(x, y)), (L.minimum, np.minimum(x, y)), (L.concatenate, np.concatenate([x, y], -1)),
        (L.dot, np.einsum("bik,bjk->bij", x, y)),
    ]:  # fmt: skip
        np.testing.assert_allclose(function([x, y]), expected, 1e-6, 1e-6)
    assert L.concatenate([x, y], axis=1).shape == (2, 6, 4)


def test_built_from_the_start_where_there_is_nothing_to_build():
    assert [layer.built for layer in (L.Dropout(0.5), L.ReLU(), L.Reshape((2,)), L.Flatten(), L.Dense(1))] == [
        True, True, True, False, False,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="isn't built"):
        L.Flatten().count_params()


@pytest.mark.parametrize(
    ("layer", "shapes", "expected"),
    [
        (L.Dense(3), [(None, None, 4)], (None, None, 3)),
        (L.Flatten(), [(None, None, 4)], (None, None)),
        (L.Reshape((-1, 2)), [(None, 3, 4)], (None, 6, 2)),
        (L.Reshape((-1, 2)), [(None, None, 4)], (None, None, 2)),
        (L.Embedding(5, 2), [(None, 3)], (None, 3, 2)),
        (L.Concatenate(1), [[(None, None, 4), (None, 3, 4)]], (None, None, 4)),
        (L.Dot(2), [[(None, None, 4), (None, 5, 4)]], (None, None, 5)),
        (L.MultiHeadAttention(2, 3, output_shape=7), [(2, 3, 4), (2, 5, 4)], (2, 3, 7)),
        (L.GroupQueryAttention(2, 4, 2), [(None, None, 4), (None, 5, 4)], (None, None, 4)),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_shapes_that_are_open(layer, shapes, expected):
    assert layer.compute_output_shape(*shapes) == expected


def test_layers_that_destroy_masks_say_so():
    with pytest.warns(UserWarning, match="does not support masking"):
        y = L.Flatten()(L.Masking()(MASKED))
    assert getattr(y, "_keras_mask", None) is None


def test_what_is_not_offered_is_refused():
    with pytest.raises(NotImplementedError, match="lora_rank"):
        L.Dense(2, lora_rank=1)


def test_frozen_statistics_stay():
    layer = L.BatchNormalization()
    layer(X, training=True)
    before = layer.get_weights()
    layer.trainable = False
    layer(X, training=True)
    assert all(np.array_equal(a, b) for a, b in zip(before, layer.get_weights(), strict=True))
    assert layer.trainable_weights == []


def test_variables_hold_the_state_of_generators_beside_their_layer():
    model = nf.keras.Sequential(
        [nf.keras.Input((4,)), nf.keras.layers.Dense(3), nf.keras.layers.Dropout(0.1), nf.keras.layers.Dense(2)]
    )
    names = ["kernel", "bias", "kernel", "bias"]
    assert [w.name for w in model.weights] == names
    assert [v.name for v in model.variables] == [*names[:2], "seed_generator_state", *names[2:]]
