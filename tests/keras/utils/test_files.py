"""get_file: downloads, hashes and archives."""

import hashlib
import io
import os
import tarfile
import zipfile

import pytest

import nbflow as nf
from nbflow.errors import DataLossError, NotFoundError

CONTENT = b"flowers" * 1000
SHA256, MD5 = hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def origin(tmp_path):
    path = tmp_path / "server" / "flowers.txt"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path.as_uri()


@pytest.fixture
def get(tmp_path):
    return lambda *args, **kwargs: nf.keras.utils.get_file(*args, cache_dir=tmp_path / "cache", **kwargs)


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


@pytest.mark.parametrize("hashes", [{}, {"file_hash": SHA256}, {"file_hash": MD5}, {"md5_hash": MD5}])
def test_a_file_is_downloaded_once(origin, get, tmp_path, capsys, hashes):
    path = get(origin=origin, **hashes)
    assert path == str(tmp_path / "cache" / "datasets" / "flowers.txt")
    assert "Downloading data from" in capsys.readouterr().out
    (tmp_path / "server" / "flowers.txt").unlink()
    assert get(origin=origin, **hashes) == path
    assert bytes_of(path) == CONTENT
    assert capsys.readouterr().out == ""


def test_names_and_folders(origin, get, tmp_path):
    assert get("mine.txt", origin, cache_subdir="a/b") == str(tmp_path / "cache" / "a" / "b" / "mine.txt")
    assert get("mine.txt", origin, cache_subdir=str(tmp_path / "c")) == str(tmp_path / "c" / "mine.txt")


def test_the_cache_of_the_library(origin, tmp_path, monkeypatch):
    monkeypatch.setenv("NBFLOW_CACHE_DIR", str(tmp_path / "own"))
    path = nf.keras.utils.get_file(origin=origin)
    assert path == str(tmp_path / "own" / "datasets" / "flowers.txt")


def test_another_file_than_expected(origin, get, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"MD5 .*, not 0000"):
        get(origin=origin, file_hash="0" * 32)
    assert not os.listdir(tmp_path / "cache" / "datasets")
    cached = tmp_path / "cache" / "datasets" / "flowers.txt"
    cached.write_bytes(b"old")
    assert bytes_of(get(origin=origin)) == b"old"
    assert bytes_of(get(origin=origin, file_hash=SHA256)) == CONTENT
    assert "SHA-256" in capsys.readouterr().out
    cached.write_bytes(b"old")
    assert bytes_of(get(origin=origin, force_download=True)) == CONTENT


def test_no_such_address(get, tmp_path):
    with pytest.raises(NotFoundError, match="cannot be reached"):
        get(origin=(tmp_path / "nothing.txt").as_uri())
    with pytest.raises(ValueError, match="fname"):
        get(origin="http://localhost/")


def archive(path, names):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as opened:
            for name in names:
                opened.writestr(name, CONTENT)
    else:
        with tarfile.open(path, "w:gz") as opened:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = len(CONTENT)
                opened.addfile(info, io.BytesIO(CONTENT))
    return path.as_uri()


@pytest.mark.parametrize("suffix", ["zip", "tgz"])
def test_archives(get, tmp_path, suffix):
    origin = archive(tmp_path / f"flowers.{suffix}", ["deep/a.txt", "b.txt"])
    folders = {
        get(origin=origin, extract=True): f"flowers.{suffix}",
        get("mine", origin, extract=True, archive_format=["zip", "tar"]): "mine",
        get("mine.x.y", origin, extract=True): "mine_extracted",
    }
    for folder, name in folders.items():
        assert folder == str(tmp_path / "cache" / "datasets" / name)
        assert bytes_of(os.path.join(folder, "deep", "a.txt")) == CONTENT


@pytest.mark.parametrize("suffix", ["zip", "tgz"])
def test_archives_that_would_write_elsewhere(get, tmp_path, suffix):
    origin = archive(tmp_path / f"bad.{suffix}", ["../../escaped.txt"])
    with pytest.raises(DataLossError, match="escaped"):
        get(origin=origin, extract=True)
    assert not list(tmp_path.rglob("escaped.txt"))


def test_what_is_no_archive(origin, get):
    with pytest.raises(ValueError, match="no archive of these formats: tar"):
        get(origin=origin, untar=True)
