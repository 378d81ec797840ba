"""CIFAR-10 and CIFAR-100 from small archives."""

import hashlib
import io
import tarfile

import numpy as np
import pytest

import nbflow as nf
from nbflow.datasets import cifar10, cifar100
from nbflow.errors import DataLossError, NotFoundError
from tests.datasets import small_files

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 3072)).astype(np.uint8)
LABELS = RNG.integers(0, 10, 12).tolist()
NAMES = ["test_batch", *(f"data_batch_{k}" for k in (2, 1, 3, 5, 4))]  # any order


def small_cifar10(path, **changes):
    parts = {name: slice(2 * k, 2 * k + 2) for k, name in enumerate(sorted(NAMES))}
    members = {name: (IMAGES[parts[name]], {"labels": LABELS[parts[name]]}) for name in NAMES} | changes
    return small_files.cifar(path, {f"cifar-10-batches-py/{n}": m for n, m in members.items() if m is not None})


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_cifar10(cache, data_format):
    small_cifar10(cache / "cifar-10-python.tar.gz")
    nf.keras.config.set_image_data_format(data_format)
    try:
        (x_train, y_train), (x_test, y_test) = nf.keras.datasets.cifar10.load_data()
    finally:
        nf.keras.config.set_image_data_format("channels_last")
    images = IMAGES.reshape(12, 3, 32, 32)
    if data_format == "channels_last":
        images = images.transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(x_train, images[:10])
    np.testing.assert_array_equal(x_test, images[10:])
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert y_train.tolist() == [[label] for label in LABELS[:10]]
    assert y_test.tolist() == [[label] for label in LABELS[10:]]


def test_cifar100(cache):
    labels = {"fine_labels": LABELS, "coarse_labels": LABELS[::-1]}
    members = {f"cifar-100-python/{name}": (IMAGES, labels) for name in ("train", "test")}
    small_files.cifar(cache / "cifar-100-python.tar.gz", members)
    (x_train, y_train), (x_test, y_test) = nf.keras.datasets.cifar100.load_data()
    np.testing.assert_array_equal(x_train, IMAGES.reshape(12, 3, 32, 32).transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(x_test, x_train)
    assert y_train.dtype == np.int64
    assert y_train.tolist() == y_test.tolist() == [[label] for label in LABELS]
    assert cifar100.load_data("coarse")[0][1].tolist() == y_train.tolist()[::-1]
    with pytest.raises(ValueError, match="label_mode=all"):
        cifar100.load_data("all")


def test_download(cache, tmp_path, monkeypatch):
    source = small_cifar10(tmp_path / "server.tar.gz")
    monkeypatch.setattr(cifar10, "URL", source.as_uri())
    with pytest.raises(DataLossError, match=cifar10.SHA256):
        cifar10.load_data()
    monkeypatch.setattr(cifar10, "SHA256", hashlib.sha256(source.read_bytes()).hexdigest())
    assert cifar10.load_data()[0][0].shape == (10, 32, 32, 3)
    source.unlink()
    assert cifar10.load_data()[0][0].shape == (10, 32, 32, 3)


def test_no_network(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "URL", (tmp_path / "nothing").as_uri())
    with pytest.raises(NotFoundError, match=r"cifar-10-python.tar.gz.*NBFLOW_DATA_DIR"):
        cifar10.load_data()


@pytest.mark.parametrize(("batch", "match"), [
    (None, "there is no cifar-10-batches-py/data_batch_3"),
    ((IMAGES[:, :100], {"labels": LABELS}), r"data_batch_3 holds uint8 of shape \(12, 100\)"),
    ((IMAGES.astype(np.int32), {"labels": LABELS}), "holds int32"),
    ((IMAGES, {"labels": LABELS[:3]}), "not as many as images"),
    ((IMAGES, {"labels": ["a"] * 12}), "holds no labels"),
    ((IMAGES, {"classes": LABELS}), "holds no labels"),
    (([1, 2], {"labels": LABELS}), "holds no images"),
])  # fmt: skip
def test_other_contents_are_refused(cache, batch, match):
    small_cifar10(cache / "cifar-10-python.tar.gz", data_batch_3=batch)
    with pytest.raises(DataLossError, match=rf"cifar-10-python.tar.gz cannot be used: .*{match}.*Delete it"):
        cifar10.load_data()


@pytest.mark.parametrize("keep", [0, 100, 20_000])
def test_a_truncated_archive(cache, keep):
    path = small_cifar10(cache / "cifar-10-python.tar.gz")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataLossError, match="cannot be used"):
        cifar10.load_data()


def test_code_in_a_batch(cache):
    path = cache / "cifar-10-python.tar.gz"
    path.parent.mkdir(parents=True)
    data = b"cos\nsystem\n(X\x04\x00\x00\x00exittR."
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("cifar-10-batches-py/test_batch")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    with pytest.raises(DataLossError, match=r"os.system, which no data needs"):
        cifar10.load_data()
