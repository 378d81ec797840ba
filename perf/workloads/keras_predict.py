"""One row through a small Keras model, as NumPy in and NumPy out: predict_on_batch, and predict."""

import numpy as np

CASES = {"on_batch": ("on_batch",), "predict": ("predict",)}


def _call(keras, case):
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")]
    )
    row = np.ones((1, 4), np.float32)
    call = {"on_batch": lambda: model.predict_on_batch(row), "predict": lambda: model.predict(row, verbose=0)}[case]
    for _ in range(5):  # the first ones trace and compile
        call()
    return call


def nbflow(case):
    import nbflow as nf

    return _call(nf.keras, case)


def tensorflow(case):
    import tensorflow as tf

    return _call(tf.keras, case)
