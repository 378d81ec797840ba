"""MNIST: 70,000 handwritten digits, 28 by 28 pixels (tf.keras.datasets.mnist).

LeCun, Y., Bottou, L., Bengio, Y. and Haffner, P. (1998). Gradient-based learning applied to document
recognition. Proceedings of the IEEE 86(11), 2278-2324. MNIST is by Yann LeCun and Corinna Cortes, who make
it available under the Creative Commons Attribution-Share Alike 3.0 licence; so is the subset that ships
with nbflow.
"""

from pathlib import Path

import numpy as np

from nbflow.datasets import files

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
DOWNLOAD_LIMIT = 16 << 20
SUBSET = Path(__file__).with_name("mnist_subset.npz")

Split = tuple[np.ndarray, np.ndarray]


def load_data(path: str = "mnist.npz") -> tuple[Split, Split]:
    """Load all of MNIST, as `tf.keras.datasets.mnist.load_data` does.

    The file is looked for in the folder that the environment variable NBFLOW_DATA_DIR names, then in the
    cache (`datasets` in NBFLOW_CACHE_DIR, $XDG_CACHE_HOME/nbflow or ~/.cache/nbflow); else it is downloaded
    to the cache.

    Args:
        path: the file's name in those folders, or an absolute path.

    Returns:
        `((x_train, y_train), (x_test, y_test))`, all uint8: images of shape (60000, 28, 28) and (10000, 28,
        28) with 0 for background and 255 for ink, labels 0 to 9 of shape (60000,) and (10000,).

    Raises:
        NotFoundError: the file is nowhere and cannot be downloaded.
        DataLossError: the file is truncated, corrupt or not MNIST.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = nf.keras.datasets.mnist.load_data()
        >>> x_train.shape, y_train[:3]
        ((60000, 28, 28), array([5, 0, 4], dtype=uint8))
    """
    return _read(files.fetch(path, URL, SHA256, DOWNLOAD_LIMIT), 60_000, 10_000, files.CURE)


def is_available(path: str = "mnist.npz") -> bool:
    """Whether `load_data` will find the full set on this machine, without a download."""
    return files.find(path) is not None


def load_subset() -> tuple[Split, Split]:
    """Load the part of MNIST that ships with nbflow: 6,000 training and 1,000 test digits, no network needed.

    It is every tenth digit of each class of the full set, in the full set's order, so classes and writers
    are represented as they are there. A network that reaches 98% with the full set reaches about 94% with
    this one.

    Returns:
        `((x_train, y_train), (x_test, y_test))` in the form of `load_data`, with 6,000 and 1,000 digits.

    Raises:
        DataLossError: the installed file is damaged.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = nf.keras.datasets.mnist.load_subset()
        >>> x_train.shape, x_test.shape
        ((6000, 28, 28), (1000, 28, 28))
    """
    return _read(SUBSET, 6_000, 1_000, "Install nbflow again.")


def _read(path: Path, train: int, test: int, cure: str) -> tuple[Split, Split]:
    """Read an archive with Keras's four array names, holding `train` and `test` digits."""
    byte = np.dtype(np.uint8)
    specs = {
        "x_train": files.ArraySpec((train, 28, 28), byte),
        "y_train": files.ArraySpec((train,), byte),
        "x_test": files.ArraySpec((test, 28, 28), byte),
        "y_test": files.ArraySpec((test,), byte),
    }
    arrays = files.read_npz(path, specs, cure)
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
