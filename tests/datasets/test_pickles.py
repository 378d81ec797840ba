"""Pickles give data or an error, and never run anything."""

import io
import os
import pickle

import numpy as np
import pytest

from nbflow.datasets import pickles
from nbflow.errors import DataLossError
from tests.datasets.small_files import lists, python2_pickle, texts


def read(data: bytes):
    return pickles.read(io.BytesIO(data), "file", "Get another.")


ARRAYS = [np.arange(6, dtype=d).reshape(2, 3) for d in ("u1", "i1", "i4", "i8", "f4", "f8")]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: a.dtype.name)
@pytest.mark.parametrize("write", [python2_pickle, lambda v: pickle.dumps(v, 3), lambda v: pickle.dumps(v, 4)])
def test_arrays(array, write):
    found = read(write(array))
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    assert found.flags.writeable


def test_dicts():
    found = read(python2_pickle({b"data": np.arange(3), b"labels": [1, 2], b"name": b"x"}))
    assert found["data"].tolist() == [0, 1, 2]
    assert (found["labels"], found["name"]) == ([1, 2], b"x")


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def raw_array(shape, dtype="u1", data=b"abcdef", by_columns=False):
    """An array's pickle with a state of one's own."""
    array = np.zeros(1, dtype)
    make, arguments, _ = array.__reduce__()
    state = (1, shape, np.dtype(dtype), by_columns, data)

    class Changed:
        def __reduce__(self):
            return make, arguments, state

    return pickle.dumps(Changed(), 3)


BAD = {
    "a system call": pickle.dumps(Evil(os.system, "touch evil")),
    "eval": pickle.dumps({"data": [Evil(eval, "open('evil', 'w')")]}),
    "another function of NumPy": pickle.dumps(Evil(np.load, "evil.npy")),
    "an attribute of a name": b"cnumpy\nndarray.fromfile\n.",
    "a state for a function": b"cnumpy\nndarray\n}b.",
    "attributes for a function": b"cnumpy\nndarray\n(N}X\x01\x00\x00\x00aK\x01stb.",
    "too few bytes": raw_array((3, 3)),
    "too many bytes": raw_array((1,)),
    "a negative size": raw_array((-1,)),
    "a size that is no number": raw_array(("a",)),
    "columns first": raw_array((2, 3), by_columns=True),
    "bytes as objects": raw_array((6,), "O"),
    "another byte order": raw_array((1,), ">i4", b"abcd"),
    "complex numbers": raw_array((1,), "c8", b"abcdefgh"),
    "texts": raw_array((6,), "S1"),
    "no pickle": b"hello",
    "half a pickle": pickle.dumps(np.arange(100))[:-30],
    "nothing": b"",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_everything_else_is_refused(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataLossError, match=r"file cannot be used: .*Get another"):
        read(data)
    assert not os.listdir(tmp_path)


def test_a_message_names_what_was_refused():
    with pytest.raises(DataLossError, match=r"posix.system, which no data needs"):
        read(BAD["a system call"])


def object_array(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


CHANGES = {
    "labels of another size": ({"y": np.arange(3)}, "'y' is int64 of shape"),
    "labels of another kind": ({"y": np.zeros(4)}, "'y' is float64"),
    "labels that are objects": ({"y": object_array(1, 2, 3, 4)}, "allow_pickle"),
    "numbers instead of lists": ({"x": np.arange(4)}, "holds int64, not lists"),
    "objects that are no lists": ({"x": object_array(1, 2, 3, 4)}, "no array of lists"),
    "words instead of ranks": ({"x": object_array([1], ["a"], [2], [3])}, "something else than integers"),
    "code": ({"x": object_array([Evil(os.system, "touch evil")], [1], [1], [1])}, "posix.system"),
    "no texts": ({"x": None}, "x.npy"),
}


@pytest.mark.parametrize(("change", "match"), CHANGES.values(), ids=CHANGES)
def test_lists_that_are_none(tmp_path, change, match):
    arrays = {"x": lists(np.random.default_rng(0), 4), "y": np.arange(4)} | change
    path = texts(tmp_path / "a.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(DataLossError, match=match):
        pickles.read_lists(path, ("x",), ("y",), 1 << 20, "Get another.")
    assert os.listdir(tmp_path) == ["a.npz"]


def test_lists(tmp_path):
    x, y = lists(np.random.default_rng(0), 4), np.arange(4)
    path = texts(tmp_path / "a.npz", x=x, y=y)
    found_x, found_y = pickles.read_lists(path, ("x",), ("y",), 1 << 20, "Get another.")
    assert found_x.tolist() == x.tolist()
    assert found_y.tolist() == y.tolist()
    with pytest.raises(DataLossError, match="more than 10"):
        pickles.read_lists(path, ("x",), ("y",), 10, "Get another.")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataLossError, match="a.npz cannot be used"):
        pickles.read_lists(path, ("x",), ("y",), 1 << 20, "Get another.")
