"""Recurrent layers against Keras (tests/golden/keras_recurrent.py), and what only they do."""

import numpy as np
import pytest

import nbflow as nf
from tests.keras.layers.golden import Golden

_GOLDEN = Golden("keras_recurrent")
cases = pytest.mark.parametrize("name", _GOLDEN.cases)


@cases
def test_outputs_and_gradients_are_keras(name):
    _GOLDEN.assert_results(name)


@cases
def test_compiled(name):
    _GOLDEN.assert_results(name, nf.function)


@pytest.mark.parametrize("name", [name for name in _GOLDEN.cases if "stateful" not in name])  # they need a batch size
def test_in_a_model(name):
    _GOLDEN.assert_model(name)


@cases
def test_configuration(name):
    _GOLDEN.assert_config(name)


@pytest.mark.parametrize("expression", _GOLDEN.errors)
def test_what_is_refused(expression):
    _GOLDEN.assert_error(expression)


# --- what only nf.keras' ways of running bring ------------------------------------------------------------------------

layers = nf.keras.layers


class Leaky(layers.Layer):
    """A cell as users write them: h' = h / 2 + x W."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="ones", name="kernel")

    def call(self, inputs, states):
        h = states[0] / 2 + nf.matmul(inputs, self.kernel)
        return h, [h]


def sequences(batch=2, times=4, inputs=3):
    return nf.constant(np.random.default_rng(0).normal(size=(batch, times, inputs)).astype(np.float32))


def test_a_cell_of_ones_own():
    x = sequences()
    expected = np.zeros((2, 2), np.float32)
    for t in range(4):
        expected = expected / 2 + x.numpy()[:, t].sum(-1, keepdims=True)
    layer = layers.RNN(Leaky(2))
    np.testing.assert_allclose(layer(x), expected, 1e-6)
    np.testing.assert_allclose(nf.function(layer)(x), expected, 1e-6)
    mask = nf.constant([[True, True, False, False]] * 2)
    np.testing.assert_allclose(nf.function(lambda x: layer(x, mask=mask))(x), layer(x[:, :2]), 1e-6)
    stacked = layers.RNN([Leaky(3), Leaky(2)], return_sequences=True)
    np.testing.assert_allclose(nf.function(stacked)(x), stacked(x), 1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        layers.SimpleRNN(2),
        layers.LSTM(2, return_sequences=True, go_backwards=True),
        layers.Bidirectional(layers.GRU(2, return_sequences=True)),
        layers.RNN([layers.LSTMCell(2), layers.GRUCell(2)]),
        layers.TimeDistributed(layers.BatchNormalization()),
        layers.TimeDistributed(layers.Dense(2)),
    ],
    ids=lambda layer: layer.name,
)
def test_sizes_that_a_trace_leaves_open(layer):
    function = nf.function(lambda x: layer(x), input_signature=[nf.TensorSpec((None, None, 3), nf.float32)])
    for x in (sequences(), sequences(3, 6)):
        np.testing.assert_allclose(function(x), layer(x), 1e-6, 1e-6)


def test_a_sequence_is_one_loop():
    layer = layers.LSTM(2)

    @nf.function
    def step(x):
        with nf.GradientTape() as tape:
            loss = nf.reduce_sum(layer(x))
        return tape.gradient(loss, layer.trainable_weights)

    layer(sequences())
    sizes = {len(step.get_concrete_function(sequences(times=times)).graph.nodes) for times in (3, 30)}
    assert len(sizes) == 1 and sizes.pop() < 60


def test_second_derivatives():
    layer = layers.GRU(2)

    def second(x):
        with nf.GradientTape() as outer:
            outer.watch(x)
            with nf.GradientTape() as inner:
                inner.watch(x)
                y = nf.reduce_sum(layer(x) ** 2)
            total = nf.reduce_sum(inner.gradient(y, x) ** 2)
        return outer.gradient(total, x)

    x = sequences()
    layer(x)
    np.testing.assert_allclose(nf.function(second)(x), second(x), 1e-5, 1e-6)


def test_stateful():
    layer, plain = layers.LSTM(2, stateful=True), layers.LSTM(2)
    x = sequences(times=6)
    plain(x), layer(x)
    layer.set_weights(plain.get_weights())
    layer.reset_states()
    assert len(layer.weights) == 3 and [s.shape for s in layer.states] == [(2, 2), (2, 2)]
    call = nf.function(lambda x: layer(x))
    call(x[:, :3])
    np.testing.assert_allclose(call(x[:, 3:]), plain(x), 1e-6, 1e-6)
    layer.reset_states()
    assert not np.any(layer.states[0].numpy())
    with pytest.raises(ValueError, match="batch size"):
        layer(sequences(batch=3))


def test_masks_travel():
    ids = np.array([[3, 1, 0, 0], [2, 0, 4, 0]])
    embedding, first, second = (
        layers.Embedding(5, 3, mask_zero=True),
        layers.LSTM(2, return_sequences=True),
        layers.GRU(2),
    )
    through = second(first(embedding(ids)))
    mask = nf.constant(ids != 0)
    x = nf.identity(embedding(ids))
    np.testing.assert_allclose(second(nf.identity(first(x, mask=mask)), mask=mask), through, 1e-6)
    model = nf.keras.Sequential([embedding, first, second])
    np.testing.assert_allclose(model.predict(ids, verbose=0), through, 1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision(policy):
    x = sequences()
    layer, exact = layers.LSTM(2, dtype=policy, return_sequences=True), layers.LSTM(2, return_sequences=True)
    exact(x), layer(x)
    layer.set_weights(exact.get_weights())
    y = nf.function(layer)(x)
    assert y.dtype.name == policy.removeprefix("mixed_") and layer.weights[0].dtype is nf.float32
    np.testing.assert_allclose(nf.cast(y, nf.float32), exact(x), 0.02, 0.02)
