"""Small files in the forms of the large data sets, for tests."""

import gzip
import io
import pathlib
import pickle
import struct
import tarfile

import numpy as np

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"


class _Python2(pickle._Pickler):
    """Writes bytes as Python 2 writes its strings."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, value):
        self.write(b"T" + struct.pack("<i", len(value)) + value)
        self.memoize(value)

    dispatch[bytes] = save_bytes


def python2_pickle(value) -> bytes:
    """What Python 2 and an old NumPy would have written."""
    out = io.BytesIO()
    _Python2(out, protocol=2).dump(value)
    return out.getvalue().replace(b"numpy._core", b"numpy.core")


def cifar(path, members):
    """An archive of batches: {name: (images (n, 3072), {label name: labels})}."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, (images, labels) in members.items():
            batch = {b"data": images, b"filenames": [b"a.png"], **{key.encode(): v for key, v in labels.items()}}
            data = python2_pickle(batch)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def lists(rng, count: int) -> np.ndarray:
    """An array of lists of words' ranks."""
    made = np.empty(count, object)
    made[:] = [rng.integers(1, 60, n).tolist() for n in rng.integers(2, 12, count)]
    return made


def texts(path, **arrays):
    """An archive of arrays, some of them of lists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)
    return path


def idx(path, array):
    """A gzipped IDX file of bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))
    return path


def imdb(path):
    """A small file in IMDB's form."""
    rng = np.random.default_rng(1)
    x, y = [lists(rng, n) for n in (9, 7)], [rng.integers(0, 2, n) for n in (9, 7)]
    return texts(path, x_train=x[0], x_test=x[1], y_train=y[0], y_test=y[1])


def reuters(path):
    """A small file in Reuters' form."""
    rng = np.random.default_rng(2)
    return texts(path, x=lists(rng, 13), y=rng.integers(0, 46, 13))


def as_lists(splits):
    """((x, y), (x, y)) as JSON can hold it."""
    return [[[[int(w) for w in text] for text in x], [int(label) for label in y]] for x, y in splits]
