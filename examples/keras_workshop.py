"""The first program of TensorFlow 2's workshop: two layers learn to read handwritten digits.

    python examples/keras_workshop.py

Ten epochs of plain gradient descent; about 90 of 100 test digits are read correctly after them. Nothing but the import
is nbflow's: with `import tensorflow as nf` the same program runs in TensorFlow.
"""

from curves import OUTPUT, draw_history
from digits import load_digits

import nbflow as nf


def network():
    """784 pixels, 50 hidden nodes, 10 digits."""
    return nf.keras.Sequential([
        nf.keras.layers.Flatten(),
        nf.keras.layers.Dense(50),
        nf.keras.layers.ReLU(),
        nf.keras.layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


def main(full=None, epochs=10, folder=OUTPUT):
    """Trains, draws, and returns the history."""
    nf.keras.utils.set_random_seed(1)
    (x_train, y_train), (x_test, y_test) = load_digits(full)
    model = network()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x_train, y_train, batch_size=256, epochs=epochs, validation_data=(x_test, y_test)).history
    print(f"Accuracy on the test set: {history['val_accuracy'][-1]:.2%}")
    draw_history(history, folder / "keras_workshop.png")
    return history


if __name__ == "__main__":
    main()
