"""Makes keras_training.json: what the programs of training_cases.py give with Keras; and models as files of Keras.

Run it with a Python that has TensorFlow 2.21 (CPU): ``python tests/golden/keras_training.py``.

keras_files/<name>.keras and .weights.h5 are models that Keras saved, with FILES as their makers; the JSON file has the
outputs of each for INPUT, and for "sequential" the losses of two more steps of training.
"""

import json
import pathlib

import numpy as np
from training_cases import CASES, X, Y, start

FOLDER = pathlib.Path(__file__).parent


def sequential(tf):
    layers = tf.keras.layers
    model = start(
        tf.keras.Sequential(
            [tf.keras.Input((3,)), layers.Dense(4, "relu"), layers.BatchNormalization(), layers.Dense(1)]
        )
    )
    model.compile(tf.keras.optimizers.Adam(0.05), "mse", metrics=["mae"])
    return model


def functional(tf):
    layers = tf.keras.layers
    x = tf.keras.Input((3,), name="x")
    shared = layers.Dense(3, activation="tanh", kernel_regularizer="l2", name="shared")
    inner = tf.keras.Sequential([tf.keras.Input((3,)), layers.Dense(2, name="i")], name="inner")
    joined = layers.Concatenate()([inner(shared(x)), shared(shared(x)) * 2.0 + 1.0])
    model = start(tf.keras.Model(x, [layers.Dense(1, name="a")(joined), layers.LayerNormalization(name="b")(joined)]))
    model.compile(
        tf.keras.optimizers.SGD(0.1, momentum=0.9), {"a": "mse"}, loss_weights={"a": 0.5}, metrics={"a": ["mae"]}
    )
    return model


def images(tf):
    layers = tf.keras.layers
    x = tf.keras.Input((3,))
    y = layers.Reshape((3, 1))(layers.Activation("softplus")(x))
    y = layers.MaxPooling1D(2, padding="same")(layers.Conv1D(2, 2, padding="same", activation="relu")(y))
    y = layers.Bidirectional(layers.LSTM(2))(layers.Dropout(0.3)(y))
    model = start(tf.keras.Model(x, layers.Dense(1, kernel_constraint="max_norm")(layers.LeakyReLU()(y))))
    model.compile(
        tf.keras.optimizers.RMSprop(tf.keras.optimizers.schedules.CosineDecay(0.1, 10)), tf.keras.losses.Huber(0.7)
    )
    return model


FILES = {"sequential": sequential, "functional": functional, "images": images}


def results(tf, name: str, model) -> list:
    """Outputs, and the losses of two steps that go on from the optimizer's state."""
    outputs = model.predict(X, verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    losses = [float(np.ravel(model.train_on_batch(X, Y))[0]) for _ in range(2)] if name == "sequential" else []
    return [[np.asarray(o).tolist() for o in outputs], losses]


def main() -> None:
    import tensorflow as tf

    found = {name: function(tf) for name, function in CASES.items()}
    folder = FOLDER / "keras_files"
    folder.mkdir(exist_ok=True)
    files = {}
    for name, make in FILES.items():
        model = make(tf)
        if name != "functional":
            model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")
        files[name] = results(tf, name, model)
    (FOLDER / "keras_training.json").write_text(json.dumps({"cases": found, "files": files}, default=float))


if __name__ == "__main__":
    main()
