"""What CIFAR-10 and CIFAR-100 share: tar archives of Python 2's pickles.

Krizhevsky, A. (2009). Learning multiple layers of features from tiny images. University of Toronto.
"""

import tarfile
from collections.abc import Iterator

import numpy as np

from nbflow.datasets import files, pickles
from nbflow.errors import DataLossError
from nbflow.objects.settings import process

DOWNLOAD_LIMIT = 256 << 20
MEMBER_LIMIT = 192 << 20


def batches(name: str, url: str, sha256: str, members: list[str], labels: str) -> Iterator[tuple]:
    """The images and labels of each member of an archive, in this order.

    Args:
        name: the archive's name in the cache.
        url, sha256: where it comes from, and its checksum.
        members: the pickles in it.
        labels: what the labels are called there.

    Yields:
        uint8 images (n, 32, 32, 3), or (n, 3, 32, 32) where image_data_format() is "channels_first", and labels (n, 1).

    Raises:
        NotFoundError: the archive is nowhere and cannot be downloaded.
        DataLossError: it is truncated, corrupt or another one.
    """
    path = files.fetch(name, url, sha256, DOWNLOAD_LIMIT)
    found = {}
    try:
        with tarfile.open(path) as archive:
            for info in archive:
                if info.name in members:
                    file = archive.extractfile(info)
                    if file is None or info.size > MEMBER_LIMIT:
                        raise ValueError(f"{info.name} is no file of at most {MEMBER_LIMIT:,} bytes")
                    found[info.name] = _parts(pickles.read(file, path, files.CURE), info.name, labels)
        for member in members:
            if member not in found:
                raise ValueError(f"there is no {member} in it")
    except (*files.UNREADABLE, tarfile.TarError) as error:
        if isinstance(error, DataLossError):
            raise
        raise DataLossError(f"{path} cannot be used: {error}. {files.CURE}") from error
    for member in members:
        yield found[member]


def _parts(batch, name: str, labels: str) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(batch, dict) or not isinstance(batch.get("data"), np.ndarray):
        raise ValueError(f"{name} holds no images")
    images, classes = batch["data"], batch.get(labels)
    if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != 3 * 32 * 32:
        raise ValueError(f"{name} holds {images.dtype} of shape {images.shape}, not images")
    if type(classes) is not list or len(classes) != len(images) or set(map(type, classes)) - {int}:
        raise ValueError(f"{name} holds no {labels}, or not as many as images")
    images = images.reshape(-1, 3, 32, 32)
    if process.image_data_format == "channels_last":
        images = images.transpose(0, 2, 3, 1)
    return images, np.reshape(classes, (-1, 1))
