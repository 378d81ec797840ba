"""An LSTM reads fifty steps of a series and foretells the next ten.

    python examples/lstm_sequence.py

The series are sums of two waves with noise. To go on with the last value is the forecast to beat. With
`import tensorflow as nf` the same program runs in TensorFlow.
"""

import numpy as np
from curves import OUTPUT, draw_history

import nbflow as nf

STEPS, AHEAD = 50, 10


def make_series(count, steps=STEPS + AHEAD, seed=0):
    """Series [count, steps, 1] of two waves of random lengths and starts, with a little noise."""
    rng = np.random.default_rng(seed)
    lengths, starts = rng.uniform([[20], [7]], [[60], [20]], (count, 2, 1)), rng.uniform(0, 7, (count, 2, 1))
    waves = np.array([[0.6], [0.3]]) * np.sin(2 * np.pi * np.arange(steps) / lengths + starts)
    return (waves.sum(1) + rng.normal(0, 0.02, (count, steps)))[..., None].astype("float32")


def network(steps=STEPS, ahead=AHEAD, units=32):
    """Two LSTMs, the second of which hands on its last state only, and a dense layer."""
    layers = nf.keras.layers
    return nf.keras.Sequential([
        nf.keras.Input((steps, 1)),
        layers.LSTM(units, return_sequences=True),
        layers.LSTM(units),
        layers.Dense(ahead),
    ])  # fmt: skip


def compile(model, rate=3e-3):
    """Adam, on the mean squared error; gradients are clipped, as is usual for recurrent networks."""
    model.compile(nf.keras.optimizers.Adam(rate, clipnorm=1.0), "mse", metrics=["mae"])


def draw_forecasts(axis, x, y, found):
    """Three series, what came, and what the network said."""
    past, future = np.arange(x.shape[1]), x.shape[1] + np.arange(y.shape[1])
    for k, shift in enumerate((0, 2.5, 5)):
        axis.plot(past, x[k, :, 0] + shift, color="#4c72b0")
        axis.plot(future, y[k] + shift, "o", markersize=3, color="#4c72b0")
        axis.plot(future, found[k] + shift, color="#c44e52")
    axis.set(title="seen, came (dots) and foretold (red)", xlabel="step", yticks=[])


def main(epochs=12, folder=OUTPUT, count=4000, units=32):
    """Trains, draws, and returns the history."""
    nf.keras.utils.set_random_seed(1)
    series = make_series(count)
    x, y = series[:, :STEPS], series[:, STEPS:, 0]
    held = count // 5
    model = network(units=units)
    compile(model)
    history = model.fit(
        x[held:], y[held:], batch_size=64, epochs=epochs, validation_data=(x[:held], y[:held])
    ).history  # fmt: skip
    found = model.predict(x[:held], verbose=0)
    last = np.square(y[:held] - x[:held, -1]).mean()
    print(f"Mean squared error: {history['val_loss'][-1]:.4f}; of going on with the last value: {last:.4f}")
    draw_history(history, folder / "lstm_sequence.png", lambda axis: draw_forecasts(axis, x, y, found))
    return history


if __name__ == "__main__":
    main()
