"""The digits that the Keras examples read."""

from pathlib import Path

import numpy as np

import nbflow as nf

SUBSET = Path(__file__).parents[1] / "nbflow" / "datasets" / "mnist_subset.npz"


def load_digits(full: bool | None = None):
    """MNIST as ((x_train, y_train), (x_test, y_test)), the images between 0 and 1.

    Args:
        full: whether all 70,000 digits, downloaded once; None takes the 7,000 that ship with nbflow where there is no
            network. Their training digits come ten times, so that an epoch has as many steps.
    """
    if full is not False:
        try:
            train, test = nf.keras.datasets.mnist.load_data()
            return (train[0] / 255.0, train[1]), (test[0] / 255.0, test[1])
        except Exception as error:  # TensorFlow raises nothing more particular
            if full:
                raise
            print(f"The 7,000 digits that ship with nbflow, because MNIST cannot be had: {error}")
    with np.load(SUBSET) as arrays:
        train = np.tile(arrays["x_train"], (10, 1, 1)) / 255.0, np.tile(arrays["y_train"], 10)
        return train, (arrays["x_test"] / 255.0, arrays["y_test"])
