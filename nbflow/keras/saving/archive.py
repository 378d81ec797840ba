"""Whole models in .keras files: a zip of metadata.json, config.json, model.weights.h5 and assets, as Keras has it."""

import datetime
import io
import json
import os
import pathlib
import stat
import tempfile
import zipfile

from nbflow.keras.layers.layer import Layer
from nbflow.keras.saving.state import visit
from nbflow.keras.saving.weights import check_target, h5_bytes, read_h5, read_safetensors, replaced
from nbflow.keras.variable import at_most
from nbflow.objects.registration import CustomObjectScope, path_of
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.public import export

_KERAS_VERSION = "3.15.1"  # the version whose format this is
_CONFIG, _METADATA, _WEIGHTS, _ASSETS = "config.json", "metadata.json", "model.weights.h5", "assets/"
_LARGEST_JSON = 256 << 20
_OTHER_WEIGHTS = 64 << 20
_LARGEST_RATIO = 200  # weights hardly compress; what unpacks to more is made to fill memory


@export("keras.saving.save_model", "keras.models.save_model")
def save_model(model, filepath, overwrite: bool = True, zipped=None, **kwargs) -> None:
    """Saves a model: its configuration, its weights, what compile was given and the optimizer's state.

    Args:
        filepath: a name that ends in .keras.
        overwrite: whether a file that is there is replaced.

    Raises:
        ValueError: the name ends otherwise.
    """
    path = pathlib.Path(os.fspath(filepath))
    if path.suffix != ".keras":
        raise ValueError(
            f"Invalid filepath extension for saving. Please add a `.keras` extension for the native Keras format. "
            f"Received: filepath={filepath}"
        )
    check_target(path, overwrite)
    replaced(path, lambda target: write_archive(model, target))


def write_archive(model, target) -> None:
    """Writes a .keras file.

    Args:
        target: a path, or a file to write to.
    """
    config = json.dumps(serialize_keras_object(model))
    metadata = {"keras_version": _KERAS_VERSION, "date_saved": f"{datetime.datetime.now():%Y-%m-%d@%H:%M:%S}"}
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(_METADATA, json.dumps(metadata))
        archive.writestr(_CONFIG, config)
        archive.writestr(_WEIGHTS, h5_bytes(model))
        with tempfile.TemporaryDirectory() as folder:
            for name in _write_assets(model, pathlib.Path(folder)):
                archive.write(pathlib.Path(folder, name), _ASSETS + name)


def _write_assets(model, folder: pathlib.Path) -> list[str]:
    """Lets things with save_assets, such as vocabularies, write their files; returns their names."""

    def write(thing, path: str) -> None:
        if hasattr(thing, "save_assets"):
            own = folder / path
            own.mkdir(parents=True, exist_ok=True)
            thing.save_assets(str(own))

    visit(model, write)
    return sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file())


@export("keras.saving.load_model", "keras.models.load_model")
def load_model(filepath, custom_objects=None, compile: bool = True, safe_mode: bool = True):
    """Makes the model that a .keras file holds; files of Keras 3 and of this library.

    Args:
        filepath: the file.
        custom_objects: {name: class or function} for those that are not registered.
        compile: whether it is compiled as it was.
        safe_mode: accepted as Keras'; code in a file is never run.

    Raises:
        ValueError: there is no such file, or it is damaged or made to do harm.
        TypeError: it names a class or function of yours that is not registered.
    """
    path = pathlib.Path(os.fspath(filepath))
    if not path.is_file():
        raise ValueError(f"File not found: filepath={path}. Please ensure the file is an accessible `.keras` zip file.")
    with _opened(path) as archive:
        return read_archive(archive, path, custom_objects, compile)


def read_archive(archive: zipfile.ZipFile, path, custom_objects=None, compile: bool = True):
    """The model of a .keras file that is open.

    Args:
        path: what errors name it.
    """
    try:
        config = json.loads(archive.read(_CONFIG))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: config.json is damaged: {error}") from None
    if not isinstance(config, dict):
        raise ValueError(f"{path}: config.json holds a {type(config).__name__}; it takes the configuration of a model")
    compiled = config.pop("compile_config", None)
    try:
        # a file has all weights that a model has, but for small ones, such as those of metrics
        held = archive.getinfo(_WEIGHTS).file_size + _OTHER_WEIGHTS
        with CustomObjectScope(custom_objects or {}), at_most(held):
            model = deserialize_keras_object(config)
            if not isinstance(model, Layer):
                raise ValueError(f"{path}: config.json holds a {type(model).__name__}, and not a model")
            if compile and compiled and hasattr(model, "compile_from_config"):
                model.compile_from_config(compiled)
    except (KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"{path}: the configuration is damaged: {type(error).__name__}: {error}") from error
    _load_state(model, archive, False)
    return model


@export("keras.saving.load_weights")
def load_weights(model, filepath, skip_mismatch: bool = False, **kwargs) -> None:
    """Loads weights into a model of the same layers.

    Args:
        filepath: a .weights.h5, .safetensors or .keras file.
        skip_mismatch: whether layers that do not fit keep what they have.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, or does not fit the model.
    """
    path = pathlib.Path(os.fspath(filepath))
    if not path.is_file():
        raise FileNotFoundError(f"load_weights: there is no file {path}")
    if path.suffix == ".keras":
        load_archive_weights(model, path, skip_mismatch)
    elif path.suffix == ".safetensors":
        read_safetensors(model, path, skip_mismatch)
    elif path.name.endswith(".h5"):
        read_h5(model, path, skip_mismatch)
    else:
        raise ValueError(f"load_weights: {path.name} does not end in .weights.h5, .safetensors or .keras")


def load_archive_weights(model, path: pathlib.Path, skip_mismatch: bool) -> None:
    """Sets the weights of a model from a .keras file."""
    with _opened(path) as archive:
        _load_state(model, archive, skip_mismatch)


def _load_state(model, archive: zipfile.ZipFile, skip_mismatch: bool) -> None:
    assets = [name for name in archive.namelist() if name.startswith(_ASSETS) and not name.endswith("/")]
    if assets:
        with tempfile.TemporaryDirectory() as folder:
            archive.extractall(folder, assets)  # the names were checked

            def read(thing, path: str) -> None:
                own = pathlib.Path(folder, _ASSETS, path)
                if hasattr(thing, "load_assets") and own.is_dir():
                    thing.load_assets(str(own))

            visit(model, read)
    read_h5(model, io.BytesIO(archive.read(_WEIGHTS)), skip_mismatch)


def _opened(path: pathlib.Path) -> zipfile.ZipFile:
    """The archive, its contents checked.

    Raises:
        ValueError: it is no zip, lacks a part, or holds what a saved model does not.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"{path} is no .keras file, or a damaged one: {error}") from None
    size = path.stat().st_size
    total = 0
    for member in archive.infolist():
        name = member.filename
        allowed = name in (_CONFIG, _METADATA, _WEIGHTS) or name.startswith(_ASSETS)
        parts = pathlib.PurePosixPath(name).parts
        if not allowed or ".." in parts or "\\" in name or stat.S_ISLNK(member.external_attr >> 16):
            archive.close()
            raise ValueError(f"{path}: the archive holds {name!r:.100}, which is no part of a saved model")
        total += member.file_size
        if name in (_CONFIG, _METADATA) and member.file_size > _LARGEST_JSON:
            archive.close()
            raise ValueError(f"{path}: {name} would have {member.file_size:,} bytes")
    if total > _LARGEST_RATIO * size + (1 << 20):
        archive.close()
        raise ValueError(f"{path}: {size:,} bytes would become {total:,}, more than a saved model packs")
    missing = {_CONFIG, _WEIGHTS} - set(archive.namelist())
    if missing:
        archive.close()
        raise ValueError(f"{path}: the archive has no {sorted(missing)[0]}")
    return archive


# --- pickle -----------------------------------------------------------------------------------------------------------


def pickled(model) -> tuple:
    """What pickle and copy.deepcopy make a model again from: a .keras file, and its classes that are not the library's.

    A model whose weights do not exist yet has none there either.
    """
    buffer = io.BytesIO()
    write_archive(model, buffer)
    own = {type(layer).__name__: type(layer) for layer in model._flatten_layers() if path_of(type(layer)) is None}
    return _unpickled, (buffer.getvalue(), own)


def _unpickled(content: bytes, custom_objects: dict):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return read_archive(archive, "the pickled model", custom_objects)
