"""CIFAR-10: 60,000 colour pictures of 10 kinds of things, 32 by 32 pixels (tf.keras.datasets.cifar10)."""

import numpy as np

from nbflow.datasets.cifar import batches
from nbflow.datasets.mnist import Split

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def load_data() -> tuple[Split, Split]:
    """Loads CIFAR-10, as `tf.keras.datasets.cifar10.load_data` does.

    The archive cifar-10-python.tar.gz is looked for in the folder that NBFLOW_DATA_DIR names, then in the cache; else
    it is downloaded to the cache.

    Returns:
        `((x_train, y_train), (x_test, y_test))`, all uint8: pictures of shape (50000, 32, 32, 3) and (10000, 32, 32,
        3), channels first where keras.backend.image_data_format() says so, and labels of shape (50000, 1) and
        (10000, 1), indices into `CLASSES`.

    Raises:
        NotFoundError: the file is nowhere and cannot be downloaded.
        DataLossError: the file is truncated, corrupt or another one.
    """
    members = [f"cifar-10-batches-py/{name}" for name in (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch")]
    *train, test = batches("cifar-10-python.tar.gz", URL, SHA256, members, "labels")
    images, labels = (np.concatenate(parts) for parts in zip(*train, strict=True))
    return (images, labels.astype(np.uint8)), (np.ascontiguousarray(test[0]), test[1].astype(np.uint8))
