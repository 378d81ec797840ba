"""Reads the pickles that some data sets come in, without trusting them.

A pickle is a program that may call whatever it names. Here it can name three things, and none of them is what it says:
stand-ins for NumPy's array, dtype and the function that makes arrays, which take their state apart, check it, and make
an array from bytes or a list. So a pickle makes numbers, strings, lists, dicts and arrays of these, or is refused. What
it can still do is ask for much memory; downloads are checked against their checksums before they are read.
"""

import io
import itertools
import math
import pickle
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from nbflow.datasets.files import UNREADABLE
from nbflow.errors import DataLossError

_NUMBERS = ("u1", "i1", "i4", "i8", "f4", "f8")
_BAD = (*UNREADABLE, pickle.UnpicklingError, TypeError, IndexError, AttributeError, MemoryError, OverflowError)


class _Named:
    """What a pickle gets for a name: something that it may call and whose attributes it cannot set."""

    __slots__ = ("_make",)

    def __init__(self, make):
        self._make = make

    def __call__(self, *arguments):
        return self._make(*arguments)

    def __setstate__(self, state):
        raise pickle.UnpicklingError("it changes a function")


class _DType:
    """The dtype of an array: its name and the order of its bytes."""

    __slots__ = ("name", "order")

    def __init__(self, name, *_):
        self.name, self.order = _text(name), "|"

    def __setstate__(self, state):
        self.order = _text(state[1])


class _Array:
    """An array, first without a value."""

    __slots__ = ("value",)

    def __init__(self, *_):
        self.value = None

    def __setstate__(self, state):
        _, shape, dtype, by_columns, data = state
        if type(dtype) is not _DType or by_columns or dtype.order not in "<|=":
            raise pickle.UnpicklingError("an array has an unknown layout")
        size = math.prod(_size(n) for n in shape)
        if dtype.name == "O8" and type(data) is list and len(data) == size and len(shape) == 1:
            self.value = np.empty(size, object)
            self.value[:] = data
        elif dtype.name in _NUMBERS and type(data) is bytes:
            self.value = np.frombuffer(data, "<" + dtype.name).reshape(shape).copy()
        else:
            raise pickle.UnpicklingError(f"an array is of {dtype.name}, or its size is not that of its data")


def _text(value) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value


def _size(value) -> int:
    if type(value) is not int or value < 0:
        raise pickle.UnpicklingError(f"{value!r:.50} is no size")
    return value


_KNOWN = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _DType,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no data needs")
        return _Named(_KNOWN[module, name])


def read(stream: IO[bytes], path, cure: str):
    """What a pickle holds: a dict whose values may be arrays, or an array.

    Args:
        stream: the pickle, as Python 2 or 3 wrote it.
        path: its file, for errors.
        cure: what the user can do about a bad file; it ends the error message.

    Raises:
        DataLossError: it is damaged, or more than data.
    """
    try:
        found = _Reader(stream, encoding="bytes").load()
    except _BAD as error:
        raise DataLossError(f"{path} cannot be used: {error}. {cure}") from error
    if isinstance(found, dict):
        return {_text(key): _array(value) for key, value in found.items()}
    return _array(found)


def _array(value):
    return value.value if type(value) is _Array else value


def read_lists(path: Path, lists: tuple[str, ...], labels: tuple[str, ...], limit: int, cure: str) -> list[np.ndarray]:
    """Reads arrays of lists of integers, and their labels, from an .npz archive.

    Args:
        path: the archive.
        lists: the names of the arrays of lists.
        labels: the name of the labels of each, int64.
        limit: the most bytes that a member may take.
        cure: what the user can do about a bad file.

    Returns:
        The arrays of lists, then the labels.

    Raises:
        DataLossError: the file is truncated or corrupt, or holds something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name: _member(archive, name, limit) for name in (*lists, *labels)}
        found = [_lists(members[name], path, cure) for name in lists]
        found += [np.lib.format.read_array(members[name], allow_pickle=False) for name in labels]
        for (name, of), x, y in zip(zip(lists, labels, strict=True), found, found[len(lists) :], strict=False):
            if y.shape != x.shape or y.dtype != np.int64:
                raise ValueError(f"its array {of!r} is {y.dtype} of shape {y.shape}, and {name!r} has {len(x)} lists")
    except _BAD as error:
        reason = error.args[0] if isinstance(error, KeyError) else error
        raise DataLossError(f"{path} cannot be used: {reason}. {cure}") from error
    return found


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> io.BytesIO:
    info = archive.getinfo(f"{name}.npy")
    if info.file_size > limit:
        raise ValueError(f"its array {name!r} takes {info.file_size:,} bytes, more than {limit:,}")
    return io.BytesIO(archive.read(info))


def _lists(stream: io.BytesIO, path: Path, cure: str) -> np.ndarray:
    """An array of lists of integers from a .npy file."""
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"it is of the version {version} of .npy files")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(stream)
    if not dtype.hasobject:
        raise ValueError(f"it holds {dtype}, not lists")
    array = read(stream, path, cure)
    if type(array) is not np.ndarray or array.shape != shape or set(map(type, array)) - {list}:
        raise ValueError("it holds no array of lists")
    if set(map(type, itertools.chain.from_iterable(array))) - {int}:
        raise ValueError("its lists hold something else than integers")
    return array
