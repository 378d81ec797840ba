"""Download one file: atomically, with a progress bar, and only if its checksum is the expected one."""

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from nbflow.errors import DataLossError, NotFoundError

CHUNK = 1 << 16
TIMEOUT = 30.0
"""Seconds without a byte after which a download counts as failed."""


def hasher(checksum: str | None):
    """What computes checksums like this one, MD5 or SHA-256, and its name."""
    if checksum is not None and len(checksum) == 32:
        return hashlib.md5(usedforsecurity=False), "MD5"  # against broken transfers, not against people
    return hashlib.sha256(), "SHA-256"


def download(url: str, target: Path, checksum: str | None, limit: float = float("inf")) -> None:
    """Bring the file at `url` to `target`; after an error or Ctrl-C, `target` is as it was before.

    The bytes go to a temporary file in the same folder, which takes the name `target` in one step when it
    is whole and checked. So a reader never sees half a file, and two processes may download the same file
    at once.

    Args:
        url: the public address.
        target: where the file goes; its folder is made if missing.
        checksum: the SHA-256 or MD5 that the file must have, in hex; None if any file will do.
        limit: the most bytes to accept.

    Raises:
        NotFoundError: the address cannot be reached, or the folder cannot be written.
        DataLossError: what came is not the expected file.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name + ".", suffix=".part")
    except OSError as error:
        raise NotFoundError(
            f"The folder {target.parent} cannot be written ({error.strerror}): set NBFLOW_CACHE_DIR to one that can"
        ) from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            digest, name = hasher(checksum)
            _copy(url, out, digest, target.name, limit)
        if checksum is not None and digest.hexdigest() != checksum:
            raise DataLossError(
                f"{url} sent a file with {name} {digest.hexdigest()}, not {checksum}: try again, or put a good copy at "
                f"{target}, or a data set's file into a folder that NBFLOW_DATA_DIR names"
            )
        os.replace(part, target)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise NotFoundError(
            f"No {target.name} here, and {url} cannot be reached ({getattr(error, 'reason', error)}): "
            f"connect to the network, or put {target.name} into {target.parent}; of data sets, into a folder and set "
            f"NBFLOW_DATA_DIR to it"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _copy(url: str, out, digest, label: str, limit: float) -> None:
    """Write the bytes at `url` to `out` and to `digest`, showing progress on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with (
        urllib.request.urlopen(url, timeout=TIMEOUT) as response,
        Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress,
    ):
        length = int(response.headers.get("Content-Length") or 0)
        task = progress.add_task(f"Downloading {label}", total=length or None)
        received = 0
        while chunk := response.read(CHUNK):
            received += len(chunk)
            if received > limit:
                raise DataLossError(f"{url} sent more than {limit:,} bytes, which is not the file {label}")
            digest.update(chunk)
            out.write(chunk)
            progress.update(task, advance=len(chunk))
