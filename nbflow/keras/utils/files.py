"""get_file: files from the network, kept in the cache."""

import os
import tarfile
import urllib.parse
import zipfile
from pathlib import Path

from nbflow.config import cache_dir as default_cache_dir
from nbflow.errors import DataLossError
from nbflow.keras.settings import message
from nbflow.public import export


@export("keras.utils.get_file")
def get_file(
    fname=None,
    origin=None,
    untar=False,
    md5_hash=None,
    file_hash=None,
    cache_subdir="datasets",
    hash_algorithm="auto",
    extract=False,
    archive_format="auto",
    cache_dir=None,
    force_download=False,
) -> str:
    """The path of a file, which is downloaded unless the cache has it (tf.keras.utils.get_file).

    Args:
        fname: its name in the cache, by default that in the address.
        origin: its address.
        untar: as extract, for tar archives.
        file_hash: its SHA-256 or MD5; a file with another is not used. Without one, the file is trusted as it comes.
        md5_hash: the same, under its older name.
        cache_subdir: the folder in the cache.
        hash_algorithm: accepted as Keras'; the length of the hash tells which it is.
        extract: whether it is an archive to be unpacked; the result is then the folder with its contents.
        archive_format: "tar", "zip", "auto" for both, or a list of these.
        cache_dir: the cache, by default NBFLOW_CACHE_DIR, $XDG_CACHE_HOME/nbflow or ~/.cache/nbflow.
        force_download: whether to download it although the cache has it.

    Raises:
        ValueError: origin is missing, fname is a path, or the archive is none.
        DataLossError: a ValueError: what came has another hash, or the archive would write outside its folder.
        NotFoundError: the address cannot be reached, or the cache cannot be written.
    """
    if origin is None:
        raise ValueError('Please specify the "origin" argument (URL of the file to download).')
    name = os.fspath(fname) if fname else os.path.basename(urllib.parse.urlsplit(origin).path)
    if not name:
        raise ValueError(
            f"Can't parse the file name from the origin provided: '{origin}'. Please specify the `fname` argument."
        )
    if os.sep in name:
        raise ValueError(
            f"Paths are no longer accepted as the `fname` argument. To specify the file's parent directory, use the "
            f"`cache_dir` argument. Received: fname={name}"
        )
    folder = (default_cache_dir() if cache_dir is None else Path(cache_dir).expanduser()) / cache_subdir
    target = folder / name
    unpacked = folder / name
    if extract or untar:
        if fname and "." in name:
            unpacked = folder / f"{name.split('.')[0]}_extracted"
        else:
            target = folder / f"{name}_archive"
    checksum = file_hash or md5_hash
    if force_download or not _is_good(target, checksum):
        # Imported when needed: urllib and the progress bar would cost every `import nbflow` some 50 ms.
        from nbflow.datasets.download import download

        message(f"Downloading data from {origin}")
        download(origin, target, checksum)
    if extract or untar:
        _unpack(target, unpacked, "tar" if untar else archive_format)
    return str(unpacked)


def _is_good(path: Path, checksum: str | None) -> bool:
    """Whether a file is there and has its checksum."""
    if checksum is None or not path.is_file():
        return path.is_file()
    from nbflow.datasets.download import CHUNK, hasher

    digest, name = hasher(checksum)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() == checksum:
        return True
    message(
        f"A local file was found, but its {name} is {digest.hexdigest()} and not {checksum}: it is downloaded again."
    )
    return False


def _unpack(archive: Path, folder: Path, formats) -> None:
    formats = ("tar", "zip") if formats == "auto" else (formats,) if isinstance(formats, str) else formats or ()
    if "tar" in formats and tarfile.is_tarfile(archive):
        with tarfile.open(archive) as opened:
            try:
                opened.extractall(folder, filter="data")
            except tarfile.FilterError as error:
                raise DataLossError(f"{archive} holds a file that it must not: {error}") from error
    elif "zip" in formats and zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                if not (folder / name).resolve().is_relative_to(folder.resolve()):
                    raise DataLossError(f"{archive} holds a file that would lie outside its folder: {name}")
            opened.extractall(folder)
    else:
        raise ValueError(f"{archive} is no archive of these formats: {', '.join(formats)}")
