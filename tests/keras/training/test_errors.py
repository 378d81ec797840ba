"""What goes wrong in training: a clear error, or a state that is kept."""

import os
import resource
import signal
import traceback

import numpy as np
import pytest

import nbflow as nf

keras = nf.keras
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 3)).astype("float32"), RNG.normal(size=(12, 1)).astype("float32")
LABELS = np.arange(12) % 3


def model(units=1, loss="mse", activation=None, **kwargs):
    made = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, activation)])
    made.compile("sgd", loss, **kwargs)
    return made


def fit(made, x=X, y=Y, **kwargs):
    return made.fit(x, y, verbose=0, **kwargs)


def subclassed(units, loss):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(units)

        def call(self, x):
            return self.dense(x)

    made = Own()
    made.compile("sgd", loss)
    return made


# --- data that do not fit ---------------------------------------------------------------------------------------------

WRONG = {
    "rank of targets": (lambda: fit(model(4, "categorical_crossentropy"), y=LABELS), "same rank"),
    "classes of targets": (lambda: fit(model(4, "categorical_crossentropy"), y=np.eye(3)[LABELS]), "same shape"),
    "one-hot for sparse": (lambda: fit(model(3, "sparse_categorical_crossentropy"), y=np.eye(3)[LABELS]), "rank"),
    "sizes of targets": (lambda: fit(model(3), y=np.ones((12, 2))), "(?i)shape"),
    "inputs": (lambda: fit(model(), x=np.ones((12, 4))), r"expected shape=\(None, 3\), found shape=\(12, 4\)"),
    "numbers of examples": (lambda: fit(model(), y=Y[:5]), r"cardinality.*\(12, 3\), \(5, 1\)"),
    "sample weights": (lambda: fit(model(), sample_weight=np.ones(5)), "cardinality"),
    "no targets": (lambda: fit(model(), y=None), "needs a target"),
    "lists of numbers": (lambda: fit(model(), x=[[1.0, 2.0, 3.0]], y=[1.0]), "numpy.array"),
    "text": (lambda: fit(model(), x=np.array([["a"]]), y=np.ones(1)), "takes numbers"),
    "no batches": (lambda: fit(model(), x=iter([]), y=None), "at least one batch"),
    "batches of four": (lambda: fit(model(), x=iter([(X, Y, Y, Y)]), y=None), "4 parts"),
    "y beside batches": (lambda: fit(model(), x=iter([(X, Y)])), "`y` argument should not be passed"),
    "something else": (lambda: fit(model(), x=3.5j, y=None), "Unrecognized data type"),
    "split of batches": (lambda: fit(model(), x=iter([(X, Y)]), y=None, validation_split=0.5), "validation_split"),
    "empty split": (lambda: fit(model(), X[:1], Y[:1], validation_split=0.5), "not sufficient"),
    "both weights": (
        lambda: fit(model(), sample_weight=np.ones(12), class_weight={0: 1.0}), "`class_weight` and `sample_weight`",
    ),
    "steps": (lambda: fit(model(), steps_per_epoch=0), "number of steps is 0"),
    "batch size": (lambda: fit(model(), batch_size=0), "batch_size"),
    "outputs and targets": (lambda: fit(two_outputs()), "2 outputs and 1 targets"),
    "targets by other names": (lambda: fit(two_outputs(), y={"c": Y}), "2 outputs and 1 targets"),
    "no target of a name": (lambda: fit(two_outputs(), y={"a": Y}), "needs a target"),
    "name of an output": (lambda: fit(two_outputs({"c": "mse"}), y=[Y, Y]), "'c' does not correspond"),
    "losses of outputs": (lambda: fit(two_outputs(["mse"]), y=[Y, Y]), "as many"),
    "name of an input": (lambda: fit(two_outputs(), x={"z": X}, y=[Y, Y]), 'Missing data for input "x"'),
    "not compiled": (lambda: fit(keras.Sequential([keras.layers.Dense(1)])), r"compile\(\)"),
    "no loss": (lambda: fit(model(loss=None)), "No loss to compute"),
    "metrics": (lambda: model(metrics="mae"), "list, tuple, or dict"),
    "steps of a call": (lambda: model(steps_per_execution=0), "steps_per_execution"),
}  # fmt: skip


def two_outputs(loss="mse"):
    x = keras.Input((3,), name="x")
    made = keras.Model(x, [keras.layers.Dense(1, name="a")(x), keras.layers.Dense(1, name="b")(x)])
    made.compile("sgd", loss)
    return made


@pytest.mark.parametrize("name", WRONG)
def test_wrong(name):
    attempt, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        attempt()


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: model(loss="nonsense"),
        lambda: model(metrics=["nonsense"]),
        lambda: keras.Sequential([keras.layers.Dense(1)]).compile("nonsense"),
        lambda: keras.layers.Dense(1, activation="nonsense"),
        lambda: keras.layers.Dense(1, kernel_initializer="nonsense"),
        lambda: keras.layers.Dense(1, kernel_regularizer="nonsense"),
    ],
)
def test_unknown_names(attempt):
    with pytest.raises(ValueError, match="Could not interpret .*nonsense"):
        attempt()


def test_broadcast_targets_warn():
    with pytest.warns(
        UserWarning, match=r"broadcasts targets of shape \(None, 2\) against outputs of shape \(None, 1\)"
    ):
        fit(model(), y=np.ones((12, 2), "float32"))


@pytest.mark.parametrize("make", [model, subclassed])
@pytest.mark.parametrize("labels", [LABELS + 1, LABELS - 1])
@pytest.mark.parametrize(
    "loss",
    ["sparse_categorical_crossentropy", keras.losses.SparseCategoricalCrossentropy(from_logits=True)],
)
def test_labels_that_are_no_classes(make, labels, loss):
    """Seen before the first step: no weight becomes NaN."""
    attempts = [
        lambda made: fit(made, y=labels),
        lambda made: fit(made, x=iter([(X, labels)]), y=None),
        lambda made: made.evaluate(X, labels, verbose=0),
        lambda made: made.train_on_batch(X, labels),
    ]
    for attempt in attempts:
        made = make(3, loss)
        with pytest.raises(nf.errors.InvalidArgumentError, match=r"outside the valid range of \[0, 3\)"):
            attempt(made)
        assert all(np.isfinite(w).all() for w in made.get_weights())


def test_an_ignored_label_is_no_error():
    made = model(3, keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1))
    assert np.isfinite(fit(made, y=LABELS - 1).history["loss"][0])


def test_labels_of_a_step_of_ones_own_are_left_alone():
    class Shifted(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            return super().train_step((x, y - 5))

    made = Shifted()
    made.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert np.isfinite(fit(made, y=LABELS + 5).history["loss"][0])


# --- losses that are no numbers ---------------------------------------------------------------------------------------


def test_nan_goes_on_as_in_keras():
    assert np.isnan(fit(model(), x=X * np.nan, epochs=2).history["loss"]).all()


def test_terminate_on_nan(capsys):
    made = model()
    history = fit(made, x=X * np.nan, epochs=5, batch_size=4, callbacks=[keras.callbacks.TerminateOnNaN()])
    assert history.epoch == [0] and made.stop_training
    assert capsys.readouterr().out == "Batch 0: Invalid loss, terminating training\n"
    with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch 0"):
        fit(model(), x=X * np.inf, callbacks=[keras.callbacks.TerminateOnNaN(raise_error=True)])


# --- more or fewer batches than promised ------------------------------------------------------------------------------


def batches(count):
    for _ in range(count):
        yield X[:4], Y[:4]


class Again:
    """Two batches, as often as they are asked for."""

    def __iter__(self):
        return batches(2)


SHORT = {
    "in an epoch": (lambda made: fit(made, batches(3), None, steps_per_epoch=2, epochs=5), [0, 1]),
    "between epochs": (lambda made: fit(made, batches(4), None, steps_per_epoch=2, epochs=5), [0, 1]),
    "without a promise": (lambda made: fit(made, batches(3), None, epochs=5), [0]),
    "arrays": (lambda made: fit(made, batch_size=4, steps_per_epoch=9, epochs=2), [0, 1]),
    "a dataset": (lambda made: fit(made, Again(), None, steps_per_epoch=3, epochs=2), [0, 1]),
}


@pytest.mark.parametrize("name", SHORT)
def test_too_few_batches_end_training(name):
    attempt, epochs = SHORT[name]
    with pytest.warns(UserWarning, match="ran out of data"):
        history = attempt(model())
    assert history.epoch == epochs and np.isfinite(history.history["loss"]).all()


def test_too_few_batches_to_validate_on():
    with pytest.warns(UserWarning, match="ran out of data"):
        history = fit(model(), validation_data=batches(2), epochs=3)
    assert len(history.history["val_loss"]) == 1 and history.epoch == [0, 1, 2]


def test_more_batches_than_needed_stay():
    source = batches(5)
    fit(model(), source, None, steps_per_epoch=2, epochs=2)
    assert len(list(source)) == 1


def test_the_first_batch_is_not_lost_where_the_model_is_built_for_it():
    made = keras.Sequential([keras.layers.Dense(1)])
    made.compile("sgd", "mse", metrics=[keras.metrics.MeanAbsoluteError(name="mae")])
    seen = []
    note = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    made.fit(batches(3), verbose=0, callbacks=[note])
    assert seen == [0, 1, 2]


# --- exceptions -------------------------------------------------------------------------------------------------------


def test_a_generator_that_raises():
    def failing():
        yield from batches(3)
        raise KeyError("file 7 is missing")  # the line of the user

    made = model()
    with pytest.raises(KeyError, match="file 7") as caught:
        made.fit(failing(), steps_per_epoch=2, epochs=3, verbose=0)
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert frames[-1].name == "failing" and "raise KeyError" in (frames[-1].line or "")
    assert made.history.epoch == [0] and len(made.history.history["loss"]) == 1
    assert fit(made).epoch == [0]  # and it can go on


class Interrupt(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations.numpy() == 4:
            signal.raise_signal(signal.SIGINT)


def test_interrupted_by_the_user(capsys, monkeypatch):
    monkeypatch.setattr("nbflow.keras.utils.progbar._changes_in_place", lambda: True)
    made = model(metrics=["mae"])
    with pytest.raises(KeyboardInterrupt):
        made.fit(X, Y, batch_size=4, epochs=5, callbacks=[Interrupt()], verbose=1)
    assert made.history.epoch == [0] and sorted(made.history.history) == ["loss", "mae"]
    assert int(made.optimizer.iterations.numpy()) == 4
    assert capsys.readouterr().out.endswith("\n")
    before = made.get_weights()
    fit(made, epochs=1)
    assert not np.array_equal(before[0], made.get_weights()[0])


def test_a_log_file_is_closed_when_interrupted(tmp_path):
    made = model()
    with pytest.raises(KeyboardInterrupt):
        fit(made, batch_size=4, epochs=5, callbacks=[Interrupt(), keras.callbacks.CSVLogger(tmp_path / "log.csv")])
    assert (tmp_path / "log.csv").read_text().splitlines()[0] == "epoch,loss,val_loss"


class FullDisk(keras.callbacks.Callback):
    """From the second epoch on no file can become longer than 100 bytes."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.mark.parametrize("name", ["m.keras", "m.weights.h5", "m.safetensors"])
def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, name):
    path, made, kept = tmp_path / name, model(), []
    save = keras.callbacks.ModelCheckpoint(path, save_weights_only=not name.endswith(".keras"))
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(made.get_weights()))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    fit(made, y=Y)  # what is compiled is in the cache
    try:
        with pytest.raises(OSError, match="File too large"):
            fit(made, epochs=3, callbacks=[note, FullDisk(), save])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(tmp_path) == [name] and len(kept) == 2
    other = model()
    other.load_weights(path)
    np.testing.assert_array_equal(other.get_weights()[0], kept[0][0])
    assert made.history.epoch == [0]
