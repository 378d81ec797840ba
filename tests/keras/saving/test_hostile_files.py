"""Files made to do harm, and damaged ones, are refused, and nothing outside of them is touched."""

import io
import json
import stat
import zipfile

import h5py
import numpy as np
import pytest

import nbflow as nf

keras = nf.keras


def model():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="d")], name="m")


@pytest.fixture
def parts(tmp_path):
    """The members of a good file."""
    model().save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def load(tmp_path, members, compression=zipfile.ZIP_STORED):
    path = tmp_path / "bad.keras"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return keras.models.load_model(path)


def test_the_good_one(tmp_path, parts):
    assert load(tmp_path, parts).name == "m"


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "assets/../../evil", "evil.py", "assets\\..\\evil"])
def test_members_that_do_not_belong(tmp_path, parts, name):
    with pytest.raises(ValueError, match="no part of a saved model"):
        load(tmp_path, {**parts, name: b"x"})
    assert not list(tmp_path.rglob("evil*")) and not (tmp_path.parent / "evil").exists()


def test_links(tmp_path, parts):
    link = zipfile.ZipInfo("assets/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(ValueError, match="no part of a saved model"):
        load(tmp_path, {**parts, link: "/etc/passwd"})


def test_bombs(tmp_path, parts):
    for name in ("assets/zeros", "model.weights.h5", "config.json"):
        with pytest.raises(ValueError, match="more than a saved model packs"):
            load(tmp_path, {**parts, name: bytes(30 << 20)}, zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_missing_parts(tmp_path, parts, name):
    with pytest.raises(ValueError, match=f"no {name}"):
        load(tmp_path, {k: v for k, v in parts.items() if k != name})


def changed(parts, change):
    config = json.loads(parts["config.json"])
    change(config)
    return {**parts, "config.json": json.dumps(config)}


def _layer(**entries):
    return lambda config: config["config"]["layers"][1].update(entries)


CODE = {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}}
CONFIGS = {
    "a lambda": _layer(module="keras.layers", class_name="Lambda", config={"name": "l", "function": CODE}),
    "a module": _layer(module="os", class_name="system", config="echo", registered_name=None),
    "a function": _layer(module="builtins", class_name="function", config="eval", registered_name="function"),
    "a function elsewhere": _layer(module="subprocess", class_name="function", config="run", registered_name="run"),
    "an inner name": _layer(module="keras.layers", class_name="Dense.__init__", config={}),
    "a module of the library": _layer(
        module="keras.utils", class_name="get_file", config={"fname": "a", "origin": "b"}
    ),
    "an unknown layer": _layer(module="keras.layers", class_name="Nonsense", config={}),
    "an unknown registration": _layer(module=None, class_name="Thing", registered_name="Evil>Thing", config={}),
    "no class": _layer(class_name=None),
    "other arguments": _layer(config={"units": 2, "nonsense": 1}),
    "a weight for all memory": _layer(config={"units": 1 << 40}),
    "a wrong argument": _layer(config={"units": "many"}),
    "no layers": lambda config: config["config"].pop("layers"),
    "layers that are no list": lambda config: config["config"].update(layers=3),
    "no configuration": lambda config: config.pop("config"),
    "an activation of code": lambda config: config["config"]["layers"][1]["config"].update(activation=CODE),
}


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("safe_mode", [True, False])
def test_configurations(tmp_path, parts, name, safe_mode):
    path = tmp_path / "bad.keras"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in changed(parts, CONFIGS[name]).items():
            archive.writestr(member, content)
    with pytest.raises((ValueError, TypeError)):
        keras.models.load_model(path, safe_mode=safe_mode)


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe", b'"text"', b"[" * 100_000])
def test_damaged_configurations(tmp_path, parts, content):
    with pytest.raises(ValueError):
        load(tmp_path, {**parts, "config.json": content})


def weights(change) -> bytes:
    """A weights file, changed."""
    buffer = io.BytesIO()
    made = model()
    with h5py.File(buffer, "w") as file:
        group = file.create_group("layers/dense/vars")
        for k, value in enumerate(made.get_weights()):
            group[str(k)] = value
        change(file, group)
    return buffer.getvalue()


def _replace(value=None, **kwargs):
    def change(file, group):
        del group["0"]
        if isinstance(value, (h5py.ExternalLink, h5py.SoftLink)):
            group["0"] = value
        else:
            group.create_dataset("0", **({"data": value} if value is not None else kwargs))

    return change


def _virtual(file, group):
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource("secret.h5", "data", (3, 2))
    del group["0"]
    group.create_virtual_dataset("0", layout)


def _link_above(file, group):
    del file["layers"]
    file["layers"] = h5py.ExternalLink("secret.h5", "/")


WEIGHTS = {
    "external link": _replace(h5py.ExternalLink("secret.h5", "/data")),
    "soft link": _replace(h5py.SoftLink("/elsewhere")),
    "external link above": _link_above,
    "external storage": _replace(shape=(3, 2), dtype="f4", external=[("secret.bin", 0, 24)]),
    "virtual data": _virtual,
    "huge shape": _replace(shape=(1 << 40, 1 << 10), dtype="f4", chunks=(1 << 10, 1 << 10)),
    "another shape": _replace(np.ones((2, 2), "float32")),
    "text": _replace(np.array([[b"a"] * 2] * 3)),
    "a group": lambda file, group: (group.__delitem__("0"), group.create_group("0")),
    "one more": lambda file, group: group.create_dataset("2", data=np.ones(3)),
    "one fewer": lambda file, group: group.__delitem__("1"),
    "nothing": lambda file, group: file.__delitem__("layers"),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights(tmp_path, parts, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with h5py.File("secret.h5", "w") as file:
        file["data"] = np.full((3, 2), 7.0, "float32")
        file.create_group("dense/vars")["0"] = np.full((3, 2), 7.0, "float32")
    (tmp_path / "secret.bin").write_bytes(bytes(24))
    content = weights(WEIGHTS[name])
    (tmp_path / "w.weights.h5").write_bytes(content)
    made = model()
    before = made.get_weights()
    with pytest.raises(ValueError):
        made.load_weights("w.weights.h5")
    np.testing.assert_array_equal(made.get_weights()[0], before[0])
    with pytest.raises(ValueError):
        load(tmp_path, {**parts, "model.weights.h5": content})


def test_a_huge_state_of_the_optimizer(tmp_path):
    made = model()
    made.compile(keras.optimizers.SGD(momentum=0.9), "mse")
    made.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    path = tmp_path / "m.weights.h5"
    made.save_weights(path)
    with h5py.File(path, "a") as file:
        _replace(shape=(1 << 40, 1 << 10), dtype="f4", chunks=(1 << 10, 1 << 10))(file, file["optimizer/vars"])
    with pytest.warns(UserWarning, match="state of the optimizer is left out"):
        made.load_weights(path)


@pytest.mark.parametrize("ending", [".keras", ".weights.h5", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"not such a file", bytes(range(256)) * 8])
def test_damaged_files(tmp_path, ending, content):
    path = tmp_path / f"m{ending}"
    path.write_bytes(content)
    with pytest.raises(ValueError):
        model().load_weights(path)


@pytest.mark.parametrize("ending", [".keras", ".weights.h5", ".safetensors"])
def test_files_cut_short(tmp_path, ending):
    made = model()
    path = tmp_path / f"m{ending}"
    (made.save if ending == ".keras" else made.save_weights)(path)
    content = path.read_bytes()
    for part in (0.1, 0.5, 0.9, 0.99):
        path.write_bytes(content[: int(len(content) * part)])
        with pytest.raises(ValueError):
            model().load_weights(path)
