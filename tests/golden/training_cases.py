"""Programs that train: each runs with Keras and with nf.keras from equal weights, and gives what JSON can hold."""

import numpy as np

CASES = {}


def case(function):
    """Notes a program: a function of tf or nbflow."""
    CASES[function.__name__] = function
    return function


def wave(shape, start: float) -> np.ndarray:
    """Numbers between -1 and 1 that look random."""
    n = int(np.prod(shape))
    return np.sin(start + 12.9898 * np.arange(1, n + 1) ** 1.3).astype(np.float32).reshape(shape)


X, Y = wave((20, 3), 3.0), wave((20, 1), 4.0)
CLASSES = np.arange(20) % 3


def start(model):
    """Sets all weights of a model to waves; variances stay positive."""
    model.set_weights(
        [np.abs(v) if w.name.endswith("variance") else v for w, v in
         ((w, 0.5 * wave(tuple(w.shape), float(k))) for k, w in enumerate(model.weights))]
    )  # fmt: skip
    return model


def dense(tf, units=1, activation=None):
    keras = tf.keras
    return start(keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, activation=activation, name="d")]))


def two_outputs(tf, keyed=False):
    keras = tf.keras
    x = keras.Input((3,), name="x")
    a, b = keras.layers.Dense(1, name="a")(x), keras.layers.Dense(2, name="b")(x)
    return start(keras.Model(x, {"a": a, "b": b} if keyed else [a, b]))


def numbers(history):
    """A History as lists of floats."""
    return {"epochs": list(history.epoch), **{k: [float(v) for v in values] for k, values in history.history.items()}}


def weights(model):
    return [w.tolist() for w in model.get_weights()]


def batches(count, size=4):
    for k in range(count):
        yield X[:size] + 0.1 * k, Y[:size]


@case
def regression(tf):
    model = dense(tf)
    model.compile("sgd", "mse", metrics=["mae", tf.keras.metrics.RootMeanSquaredError()])
    history = model.fit(X, Y, batch_size=6, epochs=3, shuffle=False, validation_split=0.25, verbose=0)
    return numbers(history), weights(model)


@case
def classification(tf):
    model = dense(tf, 3, "softmax")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy", "sparse_top_k_categorical_accuracy"])
    history = model.fit(X, CLASSES, batch_size=8, epochs=2, shuffle=False, validation_data=(X, CLASSES), verbose=0)
    return numbers(history), weights(model)


@case
def one_hot(tf):
    model = dense(tf, 3, "softmax")
    model.compile("rmsprop", "categorical_crossentropy", metrics=["acc", "categorical_crossentropy"])
    return numbers(model.fit(X, np.eye(3, dtype="float32")[CLASSES], shuffle=False, epochs=2, verbose=0))


@case
def binary(tf):
    model = dense(tf, 1, "sigmoid")
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy", tf.keras.metrics.AUC(name="auc")])
    return numbers(model.fit(X, CLASSES % 2, shuffle=False, epochs=2, verbose=0))


@case
def weighted(tf):
    model = dense(tf)
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae", "mse"])
    held = (X, Y, np.arange(20.0)[::-1] / 10)
    history = model.fit(
        X, Y, sample_weight=np.arange(20.0) / 20, shuffle=False, epochs=2, verbose=0, validation_data=held
    )
    return numbers(history), weights(model)


@case
def class_weights(tf):
    model = dense(tf, 3, "softmax")
    model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    return numbers(model.fit(X, CLASSES, class_weight={0: 1.0, 1: 2.0, 2: 0.5}, shuffle=False, epochs=2, verbose=0))


@case
def several_outputs(tf):
    model = two_outputs(tf)
    model.compile("sgd", ["mse", "mae"], loss_weights=[1.0, 0.5], metrics=[["mae"], ["mse"]])
    history = model.fit(X, [Y, wave((20, 2), 5.0)], shuffle=False, epochs=2, verbose=0)
    return numbers(history), model.evaluate(X, [Y, wave((20, 2), 5.0)], verbose=0)


@case
def outputs_by_name(tf):
    model = two_outputs(tf, keyed=True)
    model.compile("sgd", {"a": "mse", "b": "mae"}, loss_weights={"a": 1.0, "b": 0.5}, metrics={"a": ["mae"]})
    y = {"a": Y, "b": wave((20, 2), 5.0)}
    history = model.fit({"x": X}, y, shuffle=False, epochs=2, verbose=0, validation_data=({"x": X}, y))
    return numbers(history), model.evaluate({"x": X}, y, verbose=0, return_dict=True)


@case
def one_loss_for_all(tf):
    model = two_outputs(tf)
    model.compile("sgd", "mse")
    return numbers(model.fit(X, [Y, wave((20, 2), 5.0)], shuffle=False, verbose=0))


@case
def several_inputs(tf):
    keras = tf.keras
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    shared = keras.layers.Dense(4, activation="tanh", name="shared")
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="inside")], name="inner")
    widened = keras.layers.Dense(3, name="widened")(b)
    both = keras.layers.Concatenate()([inner(shared(a)), inner(shared(widened))])
    model = start(keras.Model({"a": a, "b": b}, keras.layers.Dense(1, name="out")(both)))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    history = model.fit({"a": X, "b": wave((20, 2), 9.0)}, Y, batch_size=7, epochs=2, shuffle=False, verbose=0)
    return numbers(history), [w.name for w in model.weights], [layer.name for layer in model.layers]


@case
def generator(tf):
    model = dense(tf)
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(batches(6), steps_per_epoch=2, epochs=3, verbose=0)
    return (
        numbers(history),
        model.evaluate(batches(2), steps=2, verbose=0),
        model.predict(batches(2), steps=2, verbose=0).tolist(),
    )


@case
def py_dataset(tf):
    class Data(tf.keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, k):
            return X[k * 6 : k * 6 + 6], Y[k * 6 : k * 6 + 6], np.arange(6.0)

    model = dense(tf)
    model.compile("sgd", "mse")
    history = model.fit(Data(), shuffle=False, epochs=2, verbose=0, validation_data=Data())
    return numbers(history), model.evaluate(Data(), verbose=0), model.predict(Data(), verbose=0).tolist()


@case
def steps_of_arrays(tf):
    model = dense(tf)
    model.compile("sgd", "mse")
    return numbers(
        model.fit(X, Y, batch_size=5, steps_per_epoch=2, epochs=4, initial_epoch=1, shuffle=False, verbose=0)
    )


@case
def validation_frequency(tf):
    model = dense(tf)
    model.compile("sgd", "mse", steps_per_execution=2)
    history = model.fit(
        X, Y, batch_size=5, epochs=4, shuffle=False, verbose=0, validation_data=(X, Y), validation_freq=[1, 4],
        validation_steps=2, validation_batch_size=3,
    )  # fmt: skip
    return numbers(history)


@case
def single_batches(tf):
    model = dense(tf)
    model.compile("sgd", "mse", metrics=["mae", "mse"])
    results = [
        model.train_on_batch(X, Y), model.train_on_batch(X, Y, sample_weight=np.arange(20.0)),
        model.test_on_batch(X, Y), model.train_on_batch(X, Y, return_dict=True), model.evaluate(X, Y, verbose=0),
        model.predict_on_batch(X).tolist(), model.predict(X, batch_size=3, verbose=0).tolist(), model.metrics_names,
    ]  # fmt: skip
    return [float(r) if np.isscalar(r) else r for r in results]


@case
def own_step(tf):
    class Own(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = tf.keras.layers.Dense(1, name="d")
            self.seen = tf.keras.metrics.Mean(name="seen")

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            self.seen.update_state(loss)
            return {"seen": self.seen.result(), "twice": 2 * loss}

    model = Own()
    model(X)
    start(model)
    model.compile("sgd", "mse")
    return numbers(model.fit(X, Y, batch_size=8, shuffle=False, epochs=2, verbose=0)), weights(model)


@case
def added_losses(tf):
    class Penalty(tf.keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.size = tf.keras.metrics.Mean(name="size")

        def call(self, x):
            self.add_loss(0.1 * tf.reduce_sum(x * x))
            self.size.update_state(tf.reduce_mean(tf.abs(x)))
            return x

    keras = tf.keras
    x = keras.Input((3,))
    hidden = keras.layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l1", name="h")(x)
    model = start(
        keras.Model(x, keras.layers.Dense(1, name="o", bias_regularizer=keras.regularizers.L1(0.3))(Penalty()(hidden)))
    )
    model.compile("sgd", "mse", run_eagerly=False)
    return numbers(model.fit(X, Y, batch_size=10, shuffle=False, epochs=2, verbose=0)), weights(model)


@case
def eager(tf):
    model = dense(tf)
    model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
    return numbers(model.fit(X, Y, batch_size=10, shuffle=False, epochs=2, verbose=0))


@case
def frozen(tf):
    keras = tf.keras
    model = start(
        keras.Sequential(
            [
                keras.Input((3,)),
                keras.layers.Dense(2, name="a"),
                keras.layers.BatchNormalization(name="n"),
                keras.layers.Dense(1, name="b"),
            ]
        )
    )
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    first = numbers(model.fit(X, Y, batch_size=10, shuffle=False, verbose=0))
    counts = [len(model.trainable_weights), len(model.non_trainable_weights), [w.name for w in model.weights]]
    model.get_layer("n").trainable = False
    model.compile("sgd", "mse")
    return first, counts, numbers(model.fit(X, Y, batch_size=10, shuffle=False, verbose=0)), weights(model)


@case
def clipped(tf):
    model = dense(tf)
    model.compile(
        tf.keras.optimizers.Adam(
            tf.keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), clipnorm=0.1, use_ema=True
        ),
        "huber",
    )
    return numbers(model.fit(X, Y, batch_size=5, shuffle=False, epochs=2, verbose=0)), weights(model)


# --- callbacks --------------------------------------------------------------------------------------------------------


def _with(tf, callback, epochs=8, rate=0.9, metrics=None, **kwargs):
    model = dense(tf)
    model.compile(tf.keras.optimizers.SGD(rate), "mse", metrics=metrics)
    history = model.fit(
        X, Y, epochs=epochs, shuffle=False, verbose=0, validation_split=0.3, callbacks=[callback], **kwargs
    )
    return numbers(history), weights(model)


STOPPING = [
    {"patience": 2}, {"patience": 1, "restore_best_weights": True}, {"patience": 2, "start_from_epoch": 3},
    {"patience": 1, "baseline": 0.7, "restore_best_weights": True}, {"patience": 1, "min_delta": 0.4},
    {"monitor": "val_mae", "patience": 1}, {"monitor": "val_loss", "mode": "max", "patience": 1},
    {"monitor": "mae", "mode": "min", "patience": 3},
]  # fmt: skip


@case
def early_stopping(tf):
    return [_with(tf, tf.keras.callbacks.EarlyStopping(**options), 12, metrics=["mae"]) for options in STOPPING]


@case
def reduced_rates(tf):
    options = [
        {"patience": 1, "factor": 0.5},
        {"patience": 1, "cooldown": 2, "min_lr": 0.05},
        {"patience": 2, "min_delta": 0.3},
    ]
    return [_with(tf, tf.keras.callbacks.ReduceLROnPlateau(**o)) for o in options]


@case
def scheduled_rates(tf):
    schedules = [lambda epoch, rate: rate * 0.5, lambda epoch: 0.1 / (epoch + 1)]
    return [_with(tf, tf.keras.callbacks.LearningRateScheduler(s), 4) for s in schedules]


@case
def averages(tf):
    results = []
    for on_epoch in (False, True):
        model = dense(tf)
        model.compile(tf.keras.optimizers.SGD(0.3, use_ema=True, ema_momentum=0.8), "mse")
        history = model.fit(
            X, Y, batch_size=5, epochs=3, shuffle=False, verbose=0, validation_data=(X, Y),
            callbacks=[tf.keras.callbacks.SwapEMAWeights(on_epoch)],
        )  # fmt: skip
        results.append((numbers(history), weights(model)))
    return results


@case
def called(tf):
    """The events of fit, evaluate and predict, with the names in their logs."""
    seen = []

    def note(name):
        def method(self, *args, logs=None):
            numbers = [int(a) for a in args if a is not None and not isinstance(a, dict)]
            logs = next((a for a in args if isinstance(a, dict)), logs)
            seen.append([name, *numbers, sorted(logs or {})])

        return method

    names = [f"on_{k}_{w}" for k in ("train", "test", "predict", "epoch") for w in ("begin", "end")]
    names += [f"on_{k}_batch_{w}" for k in ("train", "test", "predict") for w in ("begin", "end")]
    Recorder = type("Recorder", (tf.keras.callbacks.Callback,), {name: note(name) for name in names})
    model = dense(tf)
    model.compile("sgd", "mse", metrics=["mae"])
    recorder = Recorder()
    model.fit(
        X, Y, batch_size=10, epochs=2, verbose=0, validation_data=(X, Y), validation_batch_size=20, callbacks=[recorder]
    )
    seen.append(sorted(recorder.params.items()))
    model.evaluate(X, Y, verbose=0, callbacks=[recorder])
    model.predict(X, verbose=0, callbacks=[recorder])
    return seen


@case
def csv_file(tf):
    import pathlib
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "log.csv")
        _with(tf, tf.keras.callbacks.CSVLogger(str(path), separator=";"), 2)
        _with(tf, tf.keras.callbacks.CSVLogger(str(path), separator=";", append=True), 1)
        lines = path.read_text().split()
    return [line.split(";")[0] for line in lines], lines[0]


@case
def checkpoints(tf):
    import os
    import tempfile

    found = []
    options = [
        {"filepath": "{epoch:02d}-{val_loss:.3f}.keras", "save_best_only": True},
        {"filepath": "{epoch}-{batch}.weights.h5", "save_weights_only": True, "save_freq": 3},
        {
            "filepath": "best.weights.h5",
            "save_weights_only": True,
            "save_best_only": True,
            "initial_value_threshold": 0.1,
        },
        {"filepath": "{epoch}.keras", "save_best_only": True, "monitor": "val_mae", "mode": "max"},
    ]
    for o in options:
        with tempfile.TemporaryDirectory() as folder:
            o = {**o, "filepath": os.path.join(folder, o["filepath"])}
            _with(tf, tf.keras.callbacks.ModelCheckpoint(**o), 4, metrics=["mae"], batch_size=7)
            found.append(sorted(os.listdir(folder)))
    return found
