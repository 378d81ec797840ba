"""A tiny transformer learns to write a text, character by character.

    python examples/transformer_text.py

The text is the licence in this folder's parent: after a minute it writes words, and pieces of sentences that it has
seen. The network is Vaswani et al.'s (2017) decoder: attention over what came before, then a small dense network for
each place, both added to what comes in. With `import tensorflow as nf` the same program runs in TensorFlow.
"""

from pathlib import Path

import numpy as np
from curves import OUTPUT, draw_history

import nbflow as nf

TEXT = Path(__file__).parents[1] / "LICENSE"
LENGTH = 48


class TokenAndPosition(nf.keras.layers.Layer):
    """The sum of what is learned for a character and for its place.

    Args:
        tokens: how many characters there are.
        length: how many places.
        width: the size of the vectors.
    """

    def __init__(self, tokens, length, width, **kwargs):
        super().__init__(**kwargs)
        self.tokens = nf.keras.layers.Embedding(tokens, width)
        self.places = nf.keras.layers.Embedding(length, width)

    def call(self, inputs):
        """A vector for each character, [batch, length, width]."""
        return self.tokens(inputs) + self.places(nf.range(inputs.shape[-1]))


def network(tokens, length=LENGTH, width=64, heads=4, blocks=2, dropout=0.1):
    """Logits of the next character at each place: [batch, length, tokens]."""
    layers = nf.keras.layers
    inputs = nf.keras.Input((length,), dtype="int32")
    x = TokenAndPosition(tokens, length, width)(inputs)
    for _ in range(blocks):
        normal = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(heads, width // heads)(normal, normal, use_causal_mask=True)])
        normal = layers.LayerNormalization()(x)
        normal = layers.Dense(4 * width, activation="relu")(normal)
        x = layers.Add()([x, layers.Dropout(dropout)(layers.Dense(width)(normal))])
    return nf.keras.Model(inputs, layers.Dense(tokens)(layers.LayerNormalization()(x)))


def compile(model, rate=3e-3):
    """Adam, on the cross-entropy."""
    loss = nf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(nf.keras.optimizers.Adam(rate), loss, metrics=["accuracy"])


def windows(codes, length=LENGTH, step=8):
    """Pieces of the text, and the same one character on."""
    starts = np.arange(0, len(codes) - length - 1, step)[:, None] + np.arange(length)
    return codes[starts], codes[starts + 1]


def write(model, letters, beginning, count=200, seed=0):
    """Goes on with a text: each character is drawn by the probabilities that the network gives."""
    rng = np.random.default_rng(seed)
    codes = [letters.index(letter) for letter in beginning]
    length = model.input_shape[-1]
    for _ in range(count):
        seen = codes[-length:]
        row = np.zeros((1, length), "int32")
        row[0, : len(seen)] = seen
        logits = np.asarray(model.predict_on_batch(row))[0, len(seen) - 1] / 0.6
        weights = np.exp(logits - logits.max())
        codes.append(int(rng.choice(len(letters), p=weights / weights.sum())))
    return "".join(letters[code] for code in codes)


def main(epochs=12, folder=OUTPUT, characters=None, count=300, **sizes):
    """Trains, draws, writes, and returns the history; `sizes` are those of `network`."""
    nf.keras.utils.set_random_seed(1)
    text = " ".join(TEXT.read_text().split())[:characters]
    letters = sorted(set(text))
    x, y = windows(np.array([letters.index(letter) for letter in text], "int32"))
    order = np.random.permutation(len(x))
    held, rest = order[: len(x) // 10], order[len(x) // 10 :]
    model = network(len(letters), **sizes)
    compile(model)
    history = model.fit(x[rest], y[rest], epochs=epochs, validation_data=(x[held], y[held])).history
    print(write(model, letters, "You may ", count))
    draw_history(history, folder / "transformer_text.png")
    return history


if __name__ == "__main__":
    main()
