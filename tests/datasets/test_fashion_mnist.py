"""Fashion-MNIST from files of zeros and small changes."""

import gzip

import numpy as np
import pytest

from nbflow.datasets import fashion_mnist, files
from nbflow.errors import DataLossError, NotFoundError
from tests.datasets import small_files

SIZES = {"train": 6, "t10k": 2}


@pytest.fixture
def folder(cache, monkeypatch):
    """The cache with small files, and the arrays in them."""
    monkeypatch.setattr(fashion_mnist, "SIZES", SIZES)
    rng = np.random.default_rng(0)
    for part, count in SIZES.items():
        for kind, shape in (("images-idx3", (count, 28, 28)), ("labels-idx1", (count,))):
            array = rng.integers(0, 256, shape).astype(np.uint8)
            small_files.idx(cache / "fashion-mnist" / f"{part}-{kind}-ubyte.gz", array)
    return cache / "fashion-mnist"


def test_files(folder):
    rng = np.random.default_rng(0)
    for (x, y), count in zip(fashion_mnist.load_data(), SIZES.values(), strict=True):
        np.testing.assert_array_equal(x, rng.integers(0, 256, (count, 28, 28)))
        np.testing.assert_array_equal(y, rng.integers(0, 256, count))
        assert x.dtype == y.dtype == np.uint8
    assert len(fashion_mnist.CLASSES) == 10


BAD = {
    "more": lambda data: gzip.compress(gzip.decompress(data) + b"\0"),
    "less": lambda data: gzip.compress(gzip.decompress(data)[:-1]),
    "other sizes": lambda data: gzip.compress(data[:8] + b"\0\0\0\5" + gzip.decompress(data)[12:]),
    "half": lambda data: data[: len(data) // 2],
    "a flipped bit": lambda data: data[:-6] + bytes([data[-6] ^ 1]) + data[-5:],
    "nothing": lambda data: b"",
    "text": lambda data: b"<html>",
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_other_contents_are_refused(folder, change):
    path = folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataLossError, match=r"t10k-images-idx3-ubyte.gz cannot be used: .*Delete it"):
        fashion_mnist.load_data()


def test_download(folder, tmp_path, monkeypatch):
    server = folder.rename(tmp_path / "server")
    monkeypatch.setattr(files, "STORE", server.as_uri() + "/")
    assert fashion_mnist.load_data()[0][0].shape == (6, 28, 28)
    (server / "train-images-idx3-ubyte.gz").unlink()
    assert fashion_mnist.load_data()[0][0].shape == (6, 28, 28)
    (folder / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(NotFoundError, match="train-images"):
        fashion_mnist.load_data()
