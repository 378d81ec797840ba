"""Weights in files: Keras' HDF5 layout, and safetensors. What is read is checked: shapes before data, no links out."""

import io
import os
import pathlib
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from nbflow.keras.random.seeds import SeedGenerator
from nbflow.keras.saving.state import own_variables, visit
from nbflow.optimizers.optimizer import Optimizer
from nbflow.public import export

_PREFIX = "_layer_checkpoint_dependencies\\"  # an older layout of Keras


class H5Group(Mapping):
    """The arrays of one "vars" group, read when they are asked for.

    Raises:
        ValueError: the group holds links to other places, or something other than plain datasets.
    """

    def __init__(self, group, path: str):
        self._group, self._path = group, path

    def __getitem__(self, key: str) -> np.ndarray:
        found = self._dataset(key)
        if found.dtype.kind not in "biufc" and found.dtype.name != "bfloat16":
            raise ValueError(f"'{self._path}/{key}' in a weights file holds {found.dtype}, which are no numbers")
        return found[()]

    def shape(self, key: str) -> tuple:
        """The shape of an array, which is not read for it."""
        return self._dataset(key).shape

    def _dataset(self, key: str):
        import h5py

        found = _plain(self._group, key, self._path)
        if not isinstance(found, h5py.Dataset):
            raise ValueError(f"'{self._path}/{key}' in a weights file is no array")
        return found

    def __contains__(self, key) -> bool:  # that of Mapping would read the array
        return key in self._group

    def __iter__(self):
        return iter(self._group)

    def __len__(self) -> int:
        return len(self._group)


def _plain(group, key: str, path: str):
    """A member of a group that lies in the file itself.

    Raises:
        ValueError: it is a link, or its data lie in other files.
    """
    import h5py

    if key not in group:
        raise KeyError(key)
    if not isinstance(group.get(key, getlink=True), h5py.HardLink):
        raise ValueError(f"'{path}/{key}' in a weights file is a link, which is not followed")
    found = group[key]
    if isinstance(found, h5py.Dataset) and (found.external or found.is_virtual):
        raise ValueError(f"'{path}/{key}' in a weights file has its data in another file, which is not read")
    return found


def _open_group(file, path: str):
    """The "vars" group of a path, None where the file has none."""
    import h5py

    group: Any = file
    for part in [*path.split("/"), "vars"] if path else ["vars"]:
        if not isinstance(group, h5py.Group) or part not in group:
            return None
        group = _plain(group, part, path)
    return group if isinstance(group, h5py.Group) else None


def h5_bytes(model) -> bytes:
    """The state of a model as an HDF5 file, made in memory: HDF5 cannot let go of a file on a disk that is full."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:

        def write(thing, path: str) -> None:
            group = file.require_group(path).create_group("vars") if path else file.create_group("vars")
            if isinstance(getattr(thing, "name", None), str):
                group.attrs["name"] = thing.name
            for key, value in own_variables(thing).items():
                group.create_dataset(key, data=np.asarray(value))

        visit(model, write)
    return buffer.getvalue()


def read_h5(model, source, skip_mismatch: bool = False) -> None:
    """Sets the state of a model from an HDF5 file.

    Args:
        source: a path, or a file to read.
        skip_mismatch: whether layers that do not fit keep what they have.

    Raises:
        ValueError: the file is none of weights, or does not fit the model.
    """
    import h5py

    try:
        file = h5py.File(source, "r")
    except OSError as error:
        raise ValueError(f"The weights file is damaged or no HDF5 file: {error}") from None
    with file:

        def find(path: str):
            group = _open_group(file, path)
            return None if group is None else H5Group(group, path)

        _load(model, find, skip_mismatch)


def _load(model, find, skip_mismatch: bool) -> None:
    """Sets the state of a model; find(path) gives the arrays of a group, None where there is none."""
    problems: list[str] = []
    loaded = 0

    def read(thing, path: str) -> None:
        nonlocal loaded
        store = find(path)
        wanted = own_variables(thing)
        if store is None or len(store) == 0:
            if wanted and not isinstance(thing, (Optimizer, SeedGenerator)):  # Keras keeps no states of generators
                problems.append(f"'{getattr(thing, 'name', path)}' has {len(wanted)} weights, and the file none for it")
            return
        wrong = [
            f"'{getattr(thing, 'name', path)}' weight {key}: {np.shape(value)} in the model, {store.shape(key)} in the "
            f"file"
            for key, value in wanted.items()
            if key in store and tuple(store.shape(key)) != np.shape(value)
        ]
        if wrong:
            if isinstance(thing, Optimizer):
                warnings.warn(f"The state of the optimizer is left out, for it does not fit: {wrong[0]}", stacklevel=5)
            else:
                problems.extend(wrong)
            return
        try:
            thing.load_own_variables(store)
            loaded += len(store)
        except (ValueError, KeyError) as error:
            if not isinstance(thing, Optimizer):
                problems.append(str(error))

    visit(model, read)
    if problems and not skip_mismatch:
        raise ValueError(
            f"The weights do not fit model '{model.name}': {'; '.join(problems[:5])}"
            f"{' …' if len(problems) > 5 else ''}. The model must have the same layers as the one that was saved, and "
            f"be built"
        )
    if not loaded and own_total(model):
        raise ValueError(f"The weights file holds nothing for model '{model.name}'")


def own_total(model) -> int:
    """The number of weights of a model."""
    return len(model.weights)


# --- safetensors --------------------------------------------------------------------------------------------------


def _safetensors():
    try:
        from safetensors import numpy as safetensors
    except ImportError:
        raise ImportError("This needs the package safetensors: pip install 'nbflow[safetensors]'") from None
    return safetensors


class _Arrays(dict):
    def shape(self, key: str) -> tuple:
        return self[key].shape


def safetensors_bytes(model) -> bytes:
    """The state of a model as a .safetensors file: "layers/dense/vars/0" and so on."""
    arrays = {}

    def write(thing, group: str) -> None:
        for key, value in own_variables(thing).items():
            arrays[f"{group}/vars/{key}" if group else f"vars/{key}"] = np.asarray(value, order="C")

    visit(model, write)
    return _safetensors().save(arrays)


def read_safetensors(model, path, skip_mismatch: bool = False) -> None:
    """Sets the state of a model from a .safetensors file."""
    try:
        arrays = _safetensors().load_file(path)
    except Exception as error:  # the package raises errors of its own kinds
        raise ValueError(f"{path}: no safetensors file, or a damaged one: {error}") from None
    groups: dict[str, _Arrays] = {}
    for name, value in arrays.items():
        group, _, key = name.rpartition("/")
        groups.setdefault(group.removesuffix("vars").rstrip("/"), _Arrays())[key] = value
    _load(model, groups.get, skip_mismatch)


# --- files by their names ---------------------------------------------------------------------------------------------


@export("keras.saving.save_weights")
def save_weights(model, filepath, overwrite: bool = True, **kwargs) -> None:
    """Saves the weights of a model, its optimizer's state included.

    Args:
        filepath: a name that ends in .weights.h5 or .safetensors.
        overwrite: whether a file that is there is replaced.

    Raises:
        ValueError: the name ends otherwise, or the model has no weights yet.
        FileExistsError: the file is there.
    """
    path = pathlib.Path(os.fspath(filepath))
    writers = {".weights.h5": h5_bytes, ".safetensors": safetensors_bytes}
    writer = next((w for ending, w in writers.items() if path.name.endswith(ending)), None)
    if writer is None:
        raise ValueError(f"The filename must end in `.weights.h5` (or `.safetensors`). Received: filepath={filepath!s}")
    check_target(path, overwrite)
    replaced(path, lambda temporary: temporary.write_bytes(writer(model)))


def check_target(path: pathlib.Path, overwrite: bool) -> None:
    """Raises FileExistsError for a file that must not be replaced."""
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} is there already; pass overwrite=True to replace it")


def replaced(path: pathlib.Path, write) -> None:
    """Writes a file beside its place and moves it there, so that a failure, such as a full disk, leaves the old one.

    Args:
        write: a function of the path to write to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
