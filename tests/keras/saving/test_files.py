"""Models in files: what Keras wrote, what this library wrote, weights alone, and things of ones own."""

import copy
import json
import pathlib
import pickle
import runpy
import sys
import zipfile

import h5py
import numpy as np
import pytest

import nbflow as nf

_FOLDER = pathlib.Path(__file__).parents[2] / "golden"
sys.path.insert(0, str(_FOLDER))
try:
    _SCRIPT = runpy.run_path(str(_FOLDER / "keras_training.py"))
finally:
    sys.path.remove(str(_FOLDER))
FILES, results, X, Y = (_SCRIPT[name] for name in ("FILES", "results", "X", "Y"))
EXPECTED = json.loads((_FOLDER / "keras_training.json").read_text())["files"]
KERAS_FILES = _FOLDER / "keras_files"
keras = nf.keras
layers = keras.layers


def assert_results(name: str, model) -> None:
    outputs, losses = results(nf, name, model)
    for found, expected in zip(outputs, EXPECTED[name][0], strict=True):
        np.testing.assert_allclose(found, expected, 2e-5, 2e-5)
    np.testing.assert_allclose(losses, EXPECTED[name][1], 1e-4)


# the state of an optimizer that never trained lacks what one has that is built on loading
pytestmark = pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer 'sgd")


@pytest.mark.parametrize("name", FILES)
def test_models_that_keras_saved(name):
    """The same outputs, and training goes on from the optimizer's state with the same losses."""
    assert_results(name, keras.models.load_model(KERAS_FILES / f"{name}.keras"))


@pytest.mark.parametrize("name", FILES)
def test_weights_that_keras_saved(name):
    model = FILES[name](nf)
    model.optimizer.build(model.trainable_variables)
    model.load_weights(KERAS_FILES / f"{name}.weights.h5")
    outputs, _ = results(nf, name, model)
    for found, expected in zip(outputs, EXPECTED[name][0], strict=True):
        np.testing.assert_allclose(found, expected, 2e-5, 2e-5)


def paths(file) -> list[tuple]:
    """(path, shape) of all arrays in an HDF5 file, but for the states of random generators, which Keras leaves out."""
    found = []
    file.visititems(lambda path, thing: found.append((path, thing.shape)) if isinstance(thing, h5py.Dataset) else None)
    return sorted((path, shape) for path, shape in found if "seed_generator" not in path)


@pytest.mark.parametrize("name", FILES)
def test_files_have_keras_form(name, tmp_path):
    """What is written after loading has the members, configuration keys, groups and shapes that Keras wrote."""
    model = keras.models.load_model(KERAS_FILES / f"{name}.keras")
    model.save(tmp_path / "again.keras")
    with zipfile.ZipFile(KERAS_FILES / f"{name}.keras") as theirs, zipfile.ZipFile(tmp_path / "again.keras") as ours:
        assert sorted(ours.namelist()) == sorted(theirs.namelist())
        with h5py.File(theirs.open("model.weights.h5")) as a, h5py.File(ours.open("model.weights.h5")) as b:
            # loading builds an optimizer that had not trained
            assert [p for p in paths(b) if name != "functional" or "optimizer" not in p[0]] == [
                p for p in paths(a) if name != "functional" or "optimizer" not in p[0]
            ]
        configs = [json.loads(archive.read("config.json")) for archive in (theirs, ours)]
    assert list(configs[1]["config"]) == list(configs[0]["config"])
    theirs, ours = (config["config"]["layers"] for config in configs)
    for layer, expected in zip(ours, theirs, strict=True):
        assert layer["config"]["name"] == expected["config"]["name"]
        if "ops" not in expected["module"]:
            assert {k: layer[k] for k in ("module", "class_name")} == {k: expected[k] for k in ("module", "class_name")}
            assert sorted(layer["config"]) == sorted(expected["config"])
    assert_results(name, keras.models.load_model(tmp_path / "again.keras"))


# --- both ways here ---------------------------------------------------------------------------------------------------


def shared_and_ops():
    x = keras.Input((3,), name="x")
    shared = layers.Dense(3, "tanh", name="shared")
    y = nf.concat([shared(x), shared(shared(x))], -1)
    y = nf.reduce_sum(y[:, 1:] ** 2.0, -1, keepdims=True) / 2.0
    return keras.Model({"x": x}, {"out": layers.Dense(2, name="last")(y), "raw": y})


def stateful():
    return keras.Sequential(
        [keras.Input((3,)), layers.Dropout(0.5, seed=3), layers.BatchNormalization(), layers.Dense(2)]
    )


def unbuilt():
    return keras.Sequential([layers.Dense(2)])


@keras.saving.register_keras_serializable("test_files")
class Own(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.parts = [layers.Dense(units), layers.Dense(2)]
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x * self.scale

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def own():
    model = Own(3)
    model(X)
    return model


MAKERS = [shared_and_ops, stateful, own]


def given(model):
    return {"x": X} if model.name.startswith("functional") else X


def flat(model):
    return nf.nest.flatten(model.predict(given(model), verbose=0))


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("ending", [".keras", ".weights.h5", ".safetensors"])
def test_there_and_back(make, ending, tmp_path):
    model = make()
    model.set_weights([w + 0.25 for w in model.get_weights()])
    path = tmp_path / f"m{ending}"
    if ending == ".keras":
        model.save(path)
        other = keras.models.load_model(path)
        assert type(other) is type(model) and other.name == model.name
    else:
        model.save_weights(path)
        other = make()
        other.load_weights(path)
    for a, b in zip(flat(model), flat(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_without_weights_yet(tmp_path):
    unbuilt().save(tmp_path / "m.keras")
    other = keras.models.load_model(tmp_path / "m.keras")
    assert not other.built and other(X).shape == (20, 2)


def test_training_goes_on(tmp_path):
    def fit(model, epochs):
        return model.fit(X, Y, epochs=epochs, shuffle=False, verbose=0).history["loss"]

    models = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        models.append(keras.Sequential([keras.Input((3,)), layers.Dense(1)]))
        models[-1].compile(keras.optimizers.Adam(0.1), "mse", metrics=["mae"], loss_weights=[2.0])
    whole = fit(models[0], 6)
    fit(models[1], 3)
    models[1].save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert again.compiled and int(again.optimizer.iterations.numpy()) == 3
    np.testing.assert_allclose(fit(again, 3), whole[3:], 1e-6)
    assert not keras.models.load_model(tmp_path / "m.keras", compile=False).compiled


class Scale(layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def doubled(y_true, y_pred):
    return nf.reduce_mean(2 * (y_true - y_pred) ** 2, -1)


def test_things_of_ones_own(tmp_path):
    model = keras.Sequential([keras.Input((3,)), Scale(3.0), layers.Dense(1)])
    model.compile("sgd", doubled)
    model.save(tmp_path / "m.keras")
    with pytest.raises(TypeError, match="Scale"):
        keras.models.load_model(tmp_path / "m.keras")
    names = {"Scale": Scale, "doubled": doubled}
    other = keras.models.load_model(tmp_path / "m.keras", custom_objects=names)
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    with keras.saving.custom_object_scope(names):
        assert keras.models.load_model(tmp_path / "m.keras").layers[0].factor == 3.0


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_pickle_and_copies(make, copied):
    model = make()
    other = copied(model)
    assert type(other) is type(model) and not {id(w) for w in model.weights} & {id(w) for w in other.weights}
    for a, b in zip(flat(model), flat(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_pickled_model_goes_on_training():
    model = keras.Sequential([keras.Input((3,)), Scale(2.0), layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    other = copy.deepcopy(model)
    assert other.train_on_batch(X, Y) == model.train_on_batch(X, Y)
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])


def test_other_weights_are_told(tmp_path):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="a"), layers.Dense(1, name="b")])
    other = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="a"), layers.Dense(4, name="b")])
    for ending in (".weights.h5", ".safetensors"):
        model.save_weights(tmp_path / f"m{ending}")
        before = other.get_weights()
        with pytest.raises(ValueError, match=r"'b' weight 0: \(2, 4\) in the model, \(2, 1\) in the file"):
            other.load_weights(tmp_path / f"m{ending}")
        other.load_weights(tmp_path / f"m{ending}", skip_mismatch=True)
        np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
        np.testing.assert_array_equal(other.get_weights()[2], before[2])


def test_names_and_places(tmp_path):
    model = stateful()
    for name, error in (("m", ValueError), ("m.h5", ValueError), ("m.weights.h5", ValueError)):
        with pytest.raises(error, match="extension"):
            model.save(tmp_path / name)
    with pytest.raises(ValueError, match="must end in"):
        model.save_weights(tmp_path / "m.npz")
    model.save(tmp_path / "new" / "m.keras")
    with pytest.raises(FileExistsError):
        model.save(tmp_path / "new" / "m.keras", overwrite=False)
    with pytest.raises(ValueError, match="File not found"):
        keras.models.load_model(tmp_path / "none.keras")
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "none.weights.h5")
