"""CIFAR-100: 60,000 colour pictures of 100 kinds of things, 32 by 32 pixels (tf.keras.datasets.cifar100)."""

import numpy as np

from nbflow.datasets.cifar import batches
from nbflow.datasets.mnist import Split

URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode: str = "fine") -> tuple[Split, Split]:
    """Loads CIFAR-100, as `tf.keras.datasets.cifar100.load_data` does; files as of cifar10.

    Args:
        label_mode: "fine" for labels 0 to 99, "coarse" for those of 20 groups.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: uint8 pictures of shape (50000, 32, 32, 3) and (10000, 32, 32, 3),
        int64 labels of shape (50000, 1) and (10000, 1).

    Raises:
        ValueError: label_mode is neither.
        NotFoundError: the file is nowhere and cannot be downloaded.
        DataLossError: the file is truncated, corrupt or another one.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f'`label_mode` must be one of `"fine"`, `"coarse"`. Received: label_mode={label_mode}.')
    members = ["cifar-100-python/train", "cifar-100-python/test"]
    train, test = batches("cifar-100-python.tar.gz", URL, SHA256, members, f"{label_mode}_labels")
    return (np.ascontiguousarray(train[0]), train[1]), (np.ascontiguousarray(test[0]), test[1])
