"""Callbacks on their own; what they do in training is compared with Keras in tests/keras/training."""

import csv
import json
import os
import re

import numpy as np
import pytest

import nbflow as nf

keras = nf.keras
callbacks = keras.callbacks
RNG = np.random.default_rng(1)
X, Y = RNG.normal(size=(12, 3)).astype("float32"), RNG.normal(size=(12, 1)).astype("float32")


def model(optimizer="sgd", **kwargs):
    made = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones")])
    made.compile(optimizer, "mse", **kwargs)
    return made


def fit(made, *given, **kwargs):
    return made.fit(X, Y, **{"verbose": 0, "shuffle": False, **kwargs}, callbacks=list(given))


class Stop(callbacks.Callback):
    """Ends training by an exception."""

    def __init__(self, epoch):
        self.at = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.at:
            raise RuntimeError("power cut")


# --- EarlyStopping and what it shares with others ---------------------------------------------------------------------


class Scripted(callbacks.Callback):
    """Puts numbers into the logs, before other callbacks see them."""

    def __init__(self, name, values):
        self.values, self.metric = values, name

    def on_epoch_end(self, epoch, logs=None):
        logs[self.metric] = self.values[epoch]


STOPS = [
    ({"patience": 0}, [3, 2, 2, 1], 3),
    ({"patience": 2}, [3, 2, 2, 1, 1, 1, 1], 6),
    ({"patience": 1, "mode": "max"}, [1, 2, 2], 3),
    ({"patience": 1, "min_delta": 0.5}, [3, 2.8, 2.6], 2),
    ({"patience": 1, "start_from_epoch": 2}, [1, 2, 3, 4, 5], 4),
    ({"patience": 2, "baseline": 1.0}, [3, 2.5, 2.0, 1.5], 4),
    ({"patience": 0}, [2, 1, 0], 3),
]


@pytest.mark.parametrize("options, values, epochs", STOPS)
def test_stops_after(options, values, epochs):
    options = {"mode": "min", **options}
    stop = callbacks.EarlyStopping("watched", **options)
    assert len(fit(model(), Scripted("watched", values), stop, epochs=len(values)).epoch) == epochs


def test_best_weights_come_back(capsys):
    made = model()
    kept = []
    note = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(made.get_weights()))
    stop = callbacks.EarlyStopping("w", mode="min", patience=2, restore_best_weights=True, verbose=1)
    fit(made, Scripted("w", [3, 1, 2, 2, 2]), note, stop, epochs=5)
    np.testing.assert_array_equal(made.get_weights()[0], kept[1][0])
    assert (stop.best_epoch, stop.stopped_epoch, stop.best) == (1, 3, 1)
    assert capsys.readouterr().out == (
        "Epoch 4: early stopping\nRestoring model weights from the end of the best epoch: 2.\n"
    )


def test_it_may_be_used_again():
    stop = callbacks.EarlyStopping("w", mode="min", patience=1)
    for _ in range(2):
        assert len(fit(model(), Scripted("w", [2, 1, 1, 1]), stop, epochs=4).epoch) == 3


@pytest.mark.parametrize(
    "monitor, metrics, sign",
    [("val_loss", None, -1), ("accuracy", ["accuracy"], 1), ("val_mae", ["mae"], -1), ("precision", ["precision"], 1)],
)
def test_direction_by_itself(monitor, metrics, sign):
    made = model(metrics=metrics)
    made.evaluate(X, np.abs(np.sign(Y)), verbose=0)
    stop = callbacks.EarlyStopping(monitor)
    stop.set_model(made)
    assert stop._direction() == sign


def test_unknown_direction_and_metric():
    with pytest.raises(ValueError, match="mode='max'"):
        fit(model(), Scripted("odd", [1]), callbacks.EarlyStopping("odd"))
    with pytest.warns(UserWarning, match=r"`val_loss` which is not available. Available metrics are: loss"):
        fit(model(), callbacks.EarlyStopping())
    with pytest.warns(UserWarning, match="mode 'sideways' is unknown"):
        callbacks.EarlyStopping(mode="sideways")


# --- learning rates ---------------------------------------------------------------------------------------------------


def test_rates_are_in_the_history(capsys):
    scheduler = callbacks.LearningRateScheduler(lambda epoch: 0.5 / (epoch + 1), verbose=1)
    assert fit(model(), scheduler, epochs=2).history["learning_rate"] == pytest.approx([0.5, 0.25])
    assert "\nEpoch 2: LearningRateScheduler setting learning rate to 0.25.\n" in capsys.readouterr().out


def test_plateau(capsys):
    plateau = callbacks.ReduceLROnPlateau("w", 0.5, 1, mode="min", verbose=1, min_lr=0.3)
    history = fit(model(keras.optimizers.SGD(1.0)), Scripted("w", [1, 1, 1, 1]), plateau, epochs=4)
    assert history.history["learning_rate"] == pytest.approx([1.0, 1.0, 0.5, 0.3])
    assert "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.5." in capsys.readouterr().out


def test_wrong_rates():
    with pytest.raises(ValueError, match="should be a float"):
        fit(model(), callbacks.LearningRateScheduler(lambda epoch: "fast"))
    with pytest.raises(ValueError, match=r"factor >= 1.0"):
        callbacks.ReduceLROnPlateau(factor=1.5)
    decaying = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5))
    with pytest.raises(TypeError, match="not settable"):
        fit(model(decaying), callbacks.LearningRateScheduler(lambda epoch: 0.1))


# --- files ------------------------------------------------------------------------------------------------------------


def test_csv(tmp_path):
    path = tmp_path / "log.csv"
    fit(model(metrics=["mae"]), callbacks.CSVLogger(path), epochs=2, validation_data=(X, Y))
    fit(model(metrics=["mae"]), callbacks.CSVLogger(path, append=True), validation_data=(X, Y))
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["0", "1", "0"]
    assert list(rows[0]) == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    history = fit(model(metrics=["mae"]), callbacks.CSVLogger(path, separator="\t"))
    numbers = [str(history.history[k][0]) for k in ("loss", "mae")]
    assert path.read_text().splitlines()[1].split("\t")[1:] == [*numbers, "NA", "NA"]


def test_checkpoints_by_batches_and_names(tmp_path):
    save = callbacks.ModelCheckpoint(
        tmp_path / "{epoch}-{batch}-{loss:.1f}.weights.h5", save_weights_only=True, save_freq=2
    )
    fit(model(), save, batch_size=4, epochs=2)
    assert sorted(name.rsplit("-", 1)[0] for name in os.listdir(tmp_path)) == ["1-2", "2-1", "2-3"]


def test_the_best_checkpoint(tmp_path, capsys):
    made = model()
    path = tmp_path / "inner" / "best.keras"
    kept = []
    note = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(made.get_weights()))
    save = callbacks.ModelCheckpoint(path, "w", verbose=1, save_best_only=True, mode="max", initial_value_threshold=1.5)
    fit(made, Scripted("w", [1, 3, 2]), note, save, epochs=3)
    np.testing.assert_array_equal(keras.models.load_model(path).get_weights()[0], kept[1][0])
    assert [line for line in capsys.readouterr().out.splitlines() if line] == [
        "Epoch 1: w did not improve from 1.50000",
        f"Epoch 2: w improved from 1.50000 to 3.00000, saving model to {path}",
        f"Epoch 2: finished saving model to {path}",
        "Epoch 3: w did not improve from 3.00000",
    ]


def test_wrong_checkpoints(tmp_path):
    for arguments in (
        ("m.h5",),
        ("m.keras", "loss", 0, False, True),
        ("m.keras", "loss", 0, False, False, "auto", "day"),
    ):
        with pytest.raises(ValueError):
            callbacks.ModelCheckpoint(*arguments)
    with pytest.raises(KeyError, match="Failed to format this callback filepath"):
        fit(model(), callbacks.ModelCheckpoint(tmp_path / "{nonsense}.keras"))
    (tmp_path / "m.keras").mkdir()
    with pytest.raises(OSError, match="existing directory"):
        fit(model(), callbacks.ModelCheckpoint(tmp_path / "m.keras"))
    with pytest.warns(UserWarning, match="Can save best model only with val_loss available"):
        fit(model(), callbacks.ModelCheckpoint(tmp_path / "a.keras", mode="min", save_best_only=True))
    assert (tmp_path / "a.keras").exists()


@pytest.mark.parametrize("optimizer", ["adam", lambda: keras.optimizers.SGD(0.1, momentum=0.9)])
def test_an_interrupted_training_goes_on(tmp_path, optimizer):
    make = optimizer if callable(optimizer) else lambda: optimizer
    through = model(make())
    whole = fit(through, epochs=5)
    folder = tmp_path / "backup"
    with pytest.raises(RuntimeError, match="power cut"):
        fit(model(make()), callbacks.BackupAndRestore(folder), Stop(2), epochs=5)
    assert json.loads((folder / "training_metadata.json").read_text())["epoch"] == 3
    again = model(make())
    rest = fit(again, callbacks.BackupAndRestore(folder), epochs=5)
    assert rest.epoch == [3, 4] and not folder.exists()
    assert rest.history["loss"] == pytest.approx(whole.history["loss"][3:], 1e-6)
    np.testing.assert_allclose(again.get_weights()[0], through.get_weights()[0], 1e-6)
    assert fit(again, epochs=1).epoch == [0]


def test_a_damaged_backup(tmp_path):
    backup = lambda: callbacks.BackupAndRestore(tmp_path / "b", double_checkpoint=True, delete_checkpoint=False)
    fit(model(), backup(), epochs=2)
    (tmp_path / "b" / "latest.weights.h5").write_bytes(b"no file of weights")
    assert fit(model(), backup(), epochs=3).epoch == [1, 2]
    for name in ("latest.weights.h5", "latest.weights.h5.bkp"):
        (tmp_path / "b" / name).write_bytes(b"no file of weights")
    with pytest.raises(ValueError, match="damaged"):
        fit(model(), backup(), epochs=3)


def test_backups_by_batches(tmp_path):
    with pytest.raises(RuntimeError):
        fit(model(), callbacks.BackupAndRestore(tmp_path / "b", save_freq=2), Stop(1), epochs=5, batch_size=3)
    assert json.loads((tmp_path / "b" / "training_metadata.json").read_text()) == {"epoch": 1, "batch": 3}


def test_wrong_backups(tmp_path):
    for arguments in (("",), ("b", "day")):
        with pytest.raises(ValueError):
            callbacks.BackupAndRestore(*arguments)
    own = callbacks.BackupAndRestore(tmp_path / "b")
    own.set_model(keras.Sequential([keras.layers.Dense(1)]))
    with pytest.raises(ValueError, match="built before"):
        own.on_train_begin()


# --- averages ---------------------------------------------------------------------------------------------------------


def test_averages_are_in_place_for_evaluation():
    made = model(keras.optimizers.SGD(0.1, use_ema=True))
    fit(made, epochs=2)
    seen = []
    look = callbacks.LambdaCallback(on_test_begin=lambda logs: seen.append(made.get_weights()[0]))
    before, average = made.get_weights()[0], made.optimizer._averages[0].numpy()
    made.evaluate(X, Y, verbose=0, callbacks=[callbacks.SwapEMAWeights(), look])
    np.testing.assert_array_equal(seen[0], average)
    np.testing.assert_array_equal(made.get_weights()[0], before)
    np.testing.assert_array_equal(made.optimizer._averages[0].numpy(), average)


def test_averages_need_an_optimizer_that_keeps_them():
    with pytest.raises(ValueError, match="use_ema=True"):
        fit(model(), callbacks.SwapEMAWeights(), validation_data=(X, Y))


# --- lists ------------------------------------------------------------------------------------------------------------


def test_lambda_callback():
    seen = []
    events = ["on_epoch_begin", "on_epoch_end", "on_train_batch_begin", "on_train_batch_end"]

    def note(event):
        if event in events:
            return lambda number, logs=None: seen.append((event, number))
        return lambda logs=None: seen.append(event)

    given = {event: note(event) for event in [*events, "on_train_begin", "on_train_end"]}
    fit(model(), callbacks.LambdaCallback(**given))
    assert seen == [
        "on_train_begin", ("on_epoch_begin", 0), ("on_train_batch_begin", 0), ("on_train_batch_end", 0),
        ("on_epoch_end", 0), "on_train_end",
    ]  # fmt: skip


def test_only_callbacks_are_taken():
    with pytest.raises(ValueError, match="no keras.callbacks.Callback"):
        fit(model(), lambda epoch, logs: None)


def test_stop_training_ends_the_epoch():
    made = model()
    stop = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: setattr(made, "stop_training", batch == 1))
    assert fit(made, stop, batch_size=4, epochs=3).epoch == [0]
    assert int(made.optimizer.iterations.numpy()) == 2


_NUMBERS = r"s/step - loss: \d\.\d{4} - val_loss: \d\.\d{4}"
LINES = {
    2: ["Epoch 1/2", rf"3/3 - \d+s - \d+\w?{_NUMBERS}", "Epoch 2/2", rf"3/3 - \d+s - \d+\w?{_NUMBERS}"],
    1: ["Epoch 1/2", rf"3/3 ━{{20}} \d+s \d+\w?{_NUMBERS}", "Epoch 2/2", rf"3/3 ━{{20}} \d+s \d+\w?{_NUMBERS}"],
    0: [],
}


@pytest.mark.parametrize("verbose", LINES)
def test_printed_lines(capsys, verbose):
    fit(model(), epochs=2, batch_size=4, verbose=verbose, validation_data=(X, Y))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(LINES[verbose])
    assert all(re.fullmatch(pattern, line) for pattern, line in zip(LINES[verbose], lines, strict=True))
