"""Makes keras_examples.npz: how the models of examples/ learn in TensorFlow, from weights that are no random numbers.

Run it with a Python that has TensorFlow 2.21 (CPU): ``python tests/golden/keras_examples.py``. The examples are
imported as they are, with TensorFlow in nbflow's place; models are small, and drop nothing out.
"""

import importlib
import pathlib
import sys

import numpy as np

FOLDER = pathlib.Path(__file__).parent
EXAMPLES = FOLDER.parents[1] / "examples"
STEPS = 100


def wave(shape, start: float) -> np.ndarray:
    """Numbers between -1 and 1 that look random."""
    n = int(np.prod(shape))
    return np.sin(start + 12.9898 * np.arange(1, n + 1) ** 1.3).astype(np.float32).reshape(shape)


def start(model) -> None:
    """Sets kernels to waves of a size like Glorot's, biases to small ones; scales and variances stay as they are."""
    values = []
    for k, w in enumerate(model.weights):
        shape = tuple(w.shape)
        kept = w.name.startswith(("gamma", "moving"))
        values.append(
            w.numpy()
            if kept
            else wave(shape, float(k)) * (1.7 / np.prod(shape[:-1])) ** 0.5
            if shape[1:]
            else 0.1 * wave(shape, float(k))
        )
    model.set_weights(values)


def wide_and_deep(example):
    x = wave((64, 8), 1.0)
    y = 2 * np.abs(x[:, :1] * x[:, 7:]) + x[:, 1:2]
    return example.network(hidden=8), example.examples(x, y), 0.01


def cnn_digits(example):
    x, labels = wave((40, 12, 12, 1), 1.0), np.arange(40) % 10
    x[np.arange(40), labels] += 2  # a bright row tells the digit
    return example.network(size=12, filters=(4, 6), hidden=16, dropout=0.0), (x, labels), 2e-3


def lstm_sequence(example):
    series = example.make_series(40, 20)
    return example.network(steps=15, ahead=5, units=8), (series[:, :15], series[:, 15:, 0]), 3e-3


def transformer_text(example):
    codes = np.array([ord(letter) - ord("a") for letter in "thequickbrownfoxjumpsoverthelazydog" * 5], "int32")
    model = example.network(26, length=12, width=16, heads=2, blocks=2, dropout=0.0)
    return model, example.windows(codes, 12, 4), 3e-3


CASES = {case.__name__: case for case in (wide_and_deep, cnn_digits, lstm_sequence, transformer_text)}


def curve(name: str):
    """The losses of 100 steps, each on one of two halves of the data; and all weights after them."""
    example = importlib.import_module(name)
    model, (x, y), rate = CASES[name](example)
    example.compile(model, rate)
    start(model)
    halves = [[_part(data, k) for data in (x, y)] for k in range(2)]
    losses = [float(np.ravel(model.train_on_batch(*halves[k % 2]))[0]) for k in range(STEPS)]
    return np.array(losses, np.float32), np.concatenate([np.ravel(w) for w in model.get_weights()])


def _part(data, half):
    return {k: v[half::2] for k, v in data.items()} if isinstance(data, dict) else data[half::2]


def main() -> None:
    import tensorflow as tf

    sys.modules["nbflow"] = tf
    sys.path.insert(0, str(EXAMPLES))
    found = {}
    for name in CASES:
        losses, weights = curve(name)
        found |= {f"{name}.losses": losses, f"{name}.weights": weights}
        print(name, losses[[0, 10, 50, 99]], weights.size)
    np.savez_compressed(FOLDER / "keras_examples.npz", **found)


if __name__ == "__main__":
    main()
