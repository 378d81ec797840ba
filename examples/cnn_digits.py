"""A small convolutional network reads handwritten digits: 985 of 1,000 and more after three passes over MNIST.

    python examples/cnn_digits.py

With `import tensorflow as nf` the same program runs in TensorFlow.
"""

import numpy as np
from curves import OUTPUT, draw_history
from digits import load_digits

import nbflow as nf

EPOCHS = 3


def network(size=28, filters=(32, 64), hidden=128, dropout=0.2):
    """Two convolutions, each with a pooling, then two dense layers; for logits of 10 digits.

    Args:
        size: the images' height and width.
        filters: of the two convolutions.
        hidden: nodes of the first dense layer.
        dropout: what part of them is dropped in training.
    """
    layers = nf.keras.layers
    model = nf.keras.Sequential([nf.keras.Input((size, size, 1))])
    for count in filters:
        model.add(layers.Conv2D(count, 3, activation="relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(hidden, activation="relu"))
    model.add(layers.Dropout(dropout))
    model.add(layers.Dense(10))
    return model


def compile(model, rate=1e-3):
    """Adam, on the cross-entropy."""
    loss = nf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(nf.keras.optimizers.Adam(rate), loss, metrics=["accuracy"])


def draw_mistakes(axis, images, labels, logits):
    """The six mistakes that the network was most sure of."""
    read = logits.argmax(-1)
    wrong = np.flatnonzero(read != labels)
    wrong = wrong[np.argsort(-logits.max(-1)[wrong])][:6]
    axis.imshow(np.hstack([*images[wrong, :, :, 0], np.zeros((images.shape[1], 1))]), cmap="gray_r")
    axis.set(title="read " + ", ".join(f"{read[k]} for {labels[k]}" for k in wrong), xticks=[], yticks=[])
    axis.title.set_fontsize(8)


def main(full=None, epochs=EPOCHS, folder=OUTPUT, **sizes):
    """Trains, draws, and returns the history; `sizes` are those of `network`."""
    nf.keras.utils.set_random_seed(1)
    (x_train, y_train), (x_test, y_test) = load_digits(full)
    x_train, x_test = (x[..., None].astype("float32") for x in (x_train, x_test))
    model = network(**sizes)
    model.summary()
    compile(model)
    history = model.fit(x_train, y_train, batch_size=128, epochs=epochs, validation_data=(x_test, y_test)).history
    print(f"Accuracy on the test set: {history['val_accuracy'][-1]:.2%}")
    logits = model.predict(x_test, verbose=0)
    draw_history(history, folder / "cnn_digits.png", lambda axis: draw_mistakes(axis, x_test, y_test, logits))
    return history


if __name__ == "__main__":
    main()
