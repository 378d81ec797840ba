"""Wide & Deep on a table: what houses cost, from eight columns of a CSV file.

    python examples/wide_and_deep.py

The wide part sees five columns as they are and learns plain rules; the deep one sees six through two hidden layers and
learns how they act together (Cheng et al., 2016). A second output on the deep part alone helps it to learn. The file is
made here, after California's housing data. With `import tensorflow as nf` the same program runs in TensorFlow.
"""

import csv

import numpy as np
from curves import OUTPUT, draw_history

import nbflow as nf

COLUMNS = ["income", "age", "rooms", "bedrooms", "population", "occupancy", "latitude", "longitude"]
WIDE, DEEP = slice(0, 5), slice(2, 8)


def write_houses(path, rows=6000, seed=0):
    """Writes a table of districts: eight columns, and the price in 100,000 dollars as the ninth."""
    rng = np.random.default_rng(seed)
    north = rng.uniform(0, 1, rows)
    east = np.clip(north + rng.normal(0, 0.2, rows), 0, 1.2)
    coast = np.exp(-8 * (east - north) ** 2)
    income = rng.gamma(4, 1, rows) * (0.7 + 0.5 * coast)
    age = rng.uniform(1, 52, rows)
    rooms = 3 + 0.5 * income + rng.gamma(2, 0.5, rows)
    bedrooms = rooms * rng.normal(0.2, 0.02, rows)
    occupancy = 2 + rng.gamma(2, 0.5, rows)
    population = occupancy * rng.gamma(2, 250, rows)
    price = 0.35 * income + 1.2 * coast * np.tanh(0.4 * income) + 0.006 * age - 0.15 * occupancy + 0.5
    price = np.clip(price * rng.lognormal(0, 0.1, rows), 0.15, 5)
    latitude, longitude = 32.5 + 9.5 * north, -124.3 + 10 * (1.2 - east)
    table = np.stack([income, age, rooms, bedrooms, population, occupancy, latitude, longitude, price], 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, "price"])
        writer.writerows([f"{value:.4f}" for value in row] for row in table)


def read_houses(path):
    """(columns, with mean 0 and deviation 1; prices [rows, 1])."""
    table = np.loadtxt(path, delimiter=",", skiprows=1, dtype="float32")
    x, y = table[:, :8], table[:, 8:]
    return (x - x.mean(0)) / x.std(0), y


def network(hidden=30):
    """Two inputs and two outputs: the price, and the price as the deep part alone has it."""
    keras = nf.keras
    wide = keras.Input((5,), name="wide")
    deep = keras.Input((6,), name="deep")
    x = keras.layers.Dense(hidden, activation="relu")(deep)
    x = keras.layers.Dense(hidden, activation="relu")(x)
    price = keras.layers.Dense(1, name="price")(keras.layers.Concatenate()([wide, x]))
    helper = keras.layers.Dense(1, name="helper")(x)
    return keras.Model({"wide": wide, "deep": deep}, {"price": price, "helper": helper})


def compile(model, rate=2e-3):
    """Nine tenths of the loss are the price's."""
    model.compile(
        nf.keras.optimizers.Adam(rate),
        {"price": "mse", "helper": "mse"},
        loss_weights={"price": 0.9, "helper": 0.1},
        metrics={"price": ["mae"]},
    )


def examples(x, y):
    """Inputs and targets by their names."""
    return {"wide": x[:, WIDE], "deep": x[:, DEEP]}, {"price": y, "helper": y}


def main(epochs=20, folder=OUTPUT, rows=6000):
    """Trains, draws, and returns the history."""
    nf.keras.utils.set_random_seed(1)
    write_houses(folder / "houses.csv", rows)
    x, y = read_houses(folder / "houses.csv")
    held = rows // 5
    model = network()
    compile(model)
    history = model.fit(
        *examples(x[held:], y[held:]),
        epochs=epochs,
        validation_data=examples(x[:held], y[:held]),
        callbacks=[nf.keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)],
    ).history
    found = model.predict(examples(x[:held], y[:held])[0], verbose=0)["price"]
    print(f"Mean error: {100_000 * np.abs(found - y[:held]).mean():,.0f} dollars")
    shown = {name: history[name] for name in ("loss", "val_loss", "price_mae", "val_price_mae")}

    def draw_prices(axis):
        axis.plot(y[:held, 0], found[:, 0], ".", markersize=2, color="#4c72b0")
        axis.set(title="prices not seen in training", xlabel="price, in 100,000 dollars", ylabel="predicted")

    draw_history(shown, folder / "wide_and_deep.png", draw_prices)
    return history


if __name__ == "__main__":
    main()
