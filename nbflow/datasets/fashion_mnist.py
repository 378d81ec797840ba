"""Fashion-MNIST: 70,000 pictures of clothes, 28 by 28 pixels (tf.keras.datasets.fashion_mnist).

Xiao, H., Rasul, K. and Vollgraf, R. (2017). Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms. arXiv:1708.07747. The data is Zalando SE's, under the MIT licence.
"""

import gzip
import struct

import numpy as np

from nbflow.datasets import files
from nbflow.datasets.mnist import Split
from nbflow.errors import DataLossError

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
SIZES = {"train": 60_000, "t10k": 10_000}
DOWNLOAD_LIMIT = 32 << 20


def load_data() -> tuple[Split, Split]:
    """Loads Fashion-MNIST, as `tf.keras.datasets.fashion_mnist.load_data` does.

    Its four files are looked for in the folder `fashion-mnist` of the one that NBFLOW_DATA_DIR names, then in that of
    the cache; else they are downloaded to the cache. They have checksums of their own.

    Returns:
        `((x_train, y_train), (x_test, y_test))`, all uint8: pictures of shape (60000, 28, 28) and (10000, 28, 28),
        and labels 0 to 9, indices into `CLASSES`.

    Raises:
        NotFoundError: a file is nowhere and cannot be downloaded.
        DataLossError: a file is truncated, corrupt or another one.
    """
    train, test = (
        (_read(f"{part}-images-idx3-ubyte.gz", (count, 28, 28)), _read(f"{part}-labels-idx1-ubyte.gz", (count,)))
        for part, count in SIZES.items()
    )
    return train, test


def _read(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array of bytes from an IDX file: two zeros, 8 for uint8, the rank, the sizes, the data."""
    path = files.fetch(f"fashion-mnist/{name}", files.STORE + name, None, DOWNLOAD_LIMIT)
    header = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    size = len(header) + int(np.prod(shape))
    try:
        with gzip.open(path) as file:
            data = file.read(size + 1)
    except files.UNREADABLE as error:
        raise DataLossError(f"{path} cannot be used: {error}. {files.CURE}") from error
    if len(data) != size or not data.startswith(header):
        raise DataLossError(f"{path} cannot be used: it holds no bytes of shape {shape}. {files.CURE}")
    return np.frombuffer(data, np.uint8, offset=len(header)).reshape(shape)
