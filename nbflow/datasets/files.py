"""Where data files are found, and how a file is read without trusting it."""

import os
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nbflow.config import cache_dir
from nbflow.errors import DataLossError

HEADER_LIMIT = 4096
"""Bytes that a .npy member may hold beyond its data."""


UNREADABLE = (OSError, EOFError, KeyError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error)
"""What NumPy and zipfile raise on a file that is damaged or is not an archive of arrays."""


STORE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""Where Keras' own data sets lie."""

CURE = "Delete it to have it downloaded anew, or put a good copy there."
"""What helps against a bad file of the cache."""


class ArraySpec(NamedTuple):
    """What one array of a data file must look like.

    Attributes:
        shape: its shape.
        dtype: its dtype; None for float32 or float64.
    """

    shape: tuple[int, ...]
    dtype: np.dtype | None = None

    @property
    def nbytes(self) -> int:
        """The size of the array's data in bytes, at most."""
        return int(np.prod(self.shape)) * (8 if self.dtype is None else self.dtype.itemsize)

    def fits(self, array: np.ndarray) -> bool:
        """Whether an array is of this kind."""
        known = (np.dtype("f4"), np.dtype("f8")) if self.dtype is None else (self.dtype,)
        return array.shape == self.shape and array.dtype in known


def cached(name: str) -> Path:
    """The place of a downloaded file in the user's cache (it may not exist yet)."""
    return cache_dir() / "datasets" / name


def find(name: str) -> Path | None:
    """The first file called `name` in the folder NBFLOW_DATA_DIR, then in the cache; None without one."""
    places = [cached(name)]
    folder = os.environ.get("NBFLOW_DATA_DIR")
    if folder:
        places.insert(0, Path(folder).expanduser() / name)
    return next((place for place in places if place.is_file()), None)


def fetch(name: str, url: str, checksum: str | None, limit: int) -> Path:
    """The file called `name` in the folder NBFLOW_DATA_DIR or in the cache, where it is downloaded to if need be.

    Args:
        name: its name in those folders, or an absolute path.
        url: its public address.
        checksum: the SHA-256 or MD5 that a downloaded file must have; None if its contents say enough.
        limit: the most bytes to accept.

    Raises:
        NotFoundError: the file is nowhere and cannot be downloaded.
        DataLossError: what came is not the expected file.
    """
    found = find(name)
    if found is None:
        # Imported when needed: urllib and the progress bar would cost every `import nbflow` some 50 ms.
        from nbflow.datasets.download import download

        found = cached(name)
        download(url, found, checksum, limit)
    return found


def read_npz(path: Path, specs: dict[str, ArraySpec], cure: str) -> dict[str, np.ndarray]:
    """Read the named arrays of an .npz archive, each exactly of the shape and dtype it must have.

    Nothing is unpickled, and no member is unpacked that claims to be larger than the array it should hold.

    Args:
        path: the archive.
        specs: name of each array in the archive -> its shape and dtype.
        cure: what the user can do about a bad file; it ends the error message.

    Returns:
        Name -> array.

    Raises:
        DataLossError: the file is truncated or corrupt, or holds something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
        for name, spec in specs.items():
            if sizes.get(f"{name}.npy", 0) > spec.nbytes + HEADER_LIMIT:
                raise ValueError(f"its array {name!r} takes {sizes[f'{name}.npy']:,} bytes, not {spec.nbytes:,}")
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in specs}
        for name, spec in specs.items():
            array = arrays[name]
            if not spec.fits(array):
                raise ValueError(
                    f"its array {name!r} is {array.dtype} of shape {array.shape}, "
                    f"not {spec.dtype or 'float'} of shape {spec.shape}"
                )
    except UNREADABLE as error:
        reason = error.args[0] if isinstance(error, KeyError) else error
        raise DataLossError(f"{path} cannot be used: {reason}. {cure}") from error
    return arrays
