"""Programs in the manner of TensorFlow's guides: what they rely on that no single class shows."""

import numpy as np
import pytest

import nbflow as nf
from nbflow import keras
from nbflow.keras import layers, ops

X = np.random.default_rng(0).random((64, 6)).astype("float32")


def test_logs_of_a_train_step_of_all_metrics_are_flat():
    class Custom(keras.Model):
        def train_step(self, data):
            x, y = data
            with nf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            weights = self.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    inputs = keras.Input((6,))
    model = Custom(inputs, layers.Dense(1)(inputs))
    model.compile("adam", "mse", metrics=["mae"])
    history = model.fit(X, X[:, :1], epochs=2, verbose=0).history
    assert set(history) == {"loss", "mae"} and all(isinstance(v, float) for v in history["mae"])


def test_metrics_given_as_objects_are_named_once():
    inputs = keras.Input((6,))
    model = keras.Model(inputs, [layers.Dense(1, name="a")(inputs), layers.Dense(2, name="b")(inputs)])
    model.compile(
        "sgd", ["mse", "mse"], metrics=[[keras.metrics.MeanAbsoluteError()], [keras.metrics.MeanSquaredError()]]
    )
    history = model.fit(X, [X[:, :1], X[:, :2]], verbose=0).history
    assert list(history) == ["a_loss", "a_mean_absolute_error", "b_loss", "b_mean_squared_error", "loss"]


def test_a_train_step_of_inputs_alone_gets_them():
    class Autoencoder(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(6)

        def train_step(self, data):
            assert data.shape[1] == 6
            with nf.GradientTape() as tape:
                loss = ops.mean(ops.square(self.dense(data) - data))
            self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
            return {"error": loss}

    model = Autoencoder()
    model.compile("sgd")
    losses = model.fit(X, batch_size=len(X), epochs=3, verbose=0).history["error"]
    assert losses[2] < losses[0]


def test_one_output_in_a_list_comes_alone():
    inputs = keras.Input((6,))
    model = keras.Model(inputs=[inputs], outputs=[layers.Dense(2)(inputs)])
    assert model.output_shape == (None, 2) and model(X).shape == (64, 2)
    assert model.predict(X, verbose=0).shape == (64, 2)


def test_outputs_without_loss_need_no_targets():
    inputs = keras.Input((6,))
    model = keras.Model(inputs, [layers.Dense(3)(inputs), inputs])
    model.compile("sgd", loss=[keras.losses.SparseCategoricalCrossentropy(from_logits=True), None])
    assert np.isfinite(model.fit(X, np.arange(64) % 3, verbose=0).history["loss"][0])


def test_functional_configurations_revive_from_model():
    class Twice(layers.Layer):
        def call(self, x):
            return x * 2

    inputs = keras.Input((6,))
    model = keras.Model(inputs, Twice()(inputs))
    again = keras.Model.from_config(model.get_config(), custom_objects={"Twice": Twice})
    np.testing.assert_array_equal(again(X), X * 2)


@pytest.mark.parametrize("make", [layers.SimpleRNN, layers.ConvLSTM1D])
def test_masks_of_these_cells_take_the_first_seed(make):
    keras.utils.set_random_seed(1)
    first = keras.random.SeedGenerator()
    keras.utils.set_random_seed(1)
    cell = (make(2) if make is layers.SimpleRNN else make(2, 2)).cell
    np.testing.assert_array_equal(cell.seed_generator.state, first.state)


def test_input_layers_take_input_shape():
    model = keras.Sequential([layers.InputLayer(input_shape=(6,)), layers.Dense(2)])
    assert model.input_shape == (None, 6)


def test_layers_of_keras_ops():
    class Antirectifier(layers.Layer):
        def call(self, x):
            x = x - ops.mean(x, axis=1, keepdims=True)
            count = ops.shape(x)[0]
            ones = ops.fori_loop(0, 3, lambda i, v: v + ops.cast(i, "float32"), ops.zeros((count, 1)))
            _, sums = ops.scan(lambda c, t: (c + t, c), ops.zeros_like(x[:, 0]), ops.transpose(x))
            return ops.concatenate([ops.relu(x), ops.relu(-x), ones, ops.transpose(sums)], axis=-1)

    inputs = keras.Input((6,))
    found = keras.Model(inputs, Antirectifier()(inputs)).predict(X, verbose=0)
    centred = X - X.mean(1, keepdims=True)
    sums = np.cumsum(centred, 1) - centred
    expected = np.concatenate([np.maximum(centred, 0), np.maximum(-centred, 0), np.full((64, 1), 3), sums], 1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


I = np.arange(6, dtype="int32").reshape(2, 3)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (lambda: ops.add(I, 1.5), (I + 1.5).astype("float32")),
        (lambda: ops.mean(I, axis=0), I.mean(0, dtype="float32")),
        (lambda: ops.sum(I > 2), np.int32(3)),
        (lambda: ops.divide(I, 2), (I / 2).astype("float32")),
        (lambda: ops.argmax(I, axis=-1), np.array([2, 2], "int32")),
        (lambda: ops.moveaxis(I, 0, 1), I.T),
        (lambda: ops.take(I, [-1], axis=1), I[:, [-1]]),
        (lambda: ops.take_along_axis(I, I[:, :1] * 0, axis=1), I[:, :1]),
        (lambda: ops.slice_update(I, (1, 1), [[9, 9]]), np.array([[0, 1, 2], [3, 9, 9]], "int32")),
        (lambda: ops.where(I > 2, I, 0.5), np.where(I > 2, I, 0.5).astype("float32")),
        (lambda: ops.split(I, [1], axis=1)[1], I[:, 1:]),
        (lambda: ops.pad(I, ((1, 0), (0, 0))), np.pad(I, ((1, 0), (0, 0)))),
        (lambda: ops.while_loop(lambda i: i < 5, lambda i: i + 2, 0), np.int32(6)),
        (lambda: keras.backend.square(I), I * I),
    ],
)
def test_ops(found, expected):
    made = np.asarray(found())
    np.testing.assert_allclose(made, expected, rtol=1e-6)
    assert made.dtype == expected.dtype
