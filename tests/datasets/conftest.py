"""The real data sets, where this machine has them, and a machine that has none."""

import os
from pathlib import Path

import pytest

REAL = os.environ.get("NBFLOW_DATA_DIR")


@pytest.fixture
def real_data_folder():
    """The folder with the full MNIST, as NBFLOW_DATA_DIR named it when the tests started."""
    if not REAL or not (Path(REAL) / "mnist.npz").is_file():
        pytest.skip("NBFLOW_DATA_DIR names no folder with mnist.npz")
    return REAL


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder that data sets are cached in, empty; there is no other folder and no network."""
    monkeypatch.delenv("NBFLOW_DATA_DIR", raising=False)
    monkeypatch.setenv("NBFLOW_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "datasets"
