"""One epoch of fit: 60,000 images of 28 by 28, batches of 256, a dense network of 50 and 10 nodes, SGD, accuracy.

The program of TensorFlow's workshop, on random images, which take as long as MNIST's. The progress bar is off.
"""

import numpy as np

ROUNDS = 5
CALLS = 1
WARM_UP_CALLS = 2
EXAMPLES, BATCH = 60_000, 256


def _epoch(keras):
    random = np.random.default_rng(0)
    x = random.random((EXAMPLES, 28, 28), np.float32)
    y = random.integers(0, 10, EXAMPLES).astype(np.uint8)
    layers = keras.layers
    model = keras.Sequential(
        [layers.Flatten(), layers.Dense(50), layers.ReLU(), layers.Dense(10, activation="softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return lambda: model.fit(x, y, batch_size=BATCH, verbose=0)


def nbflow():
    import nbflow as nf

    return _epoch(nf.keras)


def tensorflow():
    import tensorflow as tf

    return _epoch(tf.keras)
