"""Tables of numbers with a number to predict, split at random."""

import numpy as np

from nbflow.datasets import files
from nbflow.datasets.mnist import Split


def load(
    path: str, url: str, sha256: str, rows: int, columns: int, test_split: float, seed: int, count: int | None = None
):
    """Reads x (rows, columns) and y (rows,) from an .npz archive of Keras', shuffles and splits them.

    Args:
        path: the file's name in the folder that NBFLOW_DATA_DIR names and in the cache, or an absolute path.
        url, sha256: where it comes from, and its checksum.
        rows, columns: the shape of x.
        test_split: the share of the rows that are for testing.
        seed: of their order.
        count: how many rows are used, from the first; None for all.

    Raises:
        ValueError: test_split is not in [0, 1).
        NotFoundError: the file is nowhere and cannot be downloaded.
        DataLossError: the file is truncated, corrupt or another one.
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"Invalid `test_split` argument: {test_split}. It must be between 0 and 1 (exclusive of 1).")
    found = files.fetch(path, url, sha256, 4 << 20)
    arrays = files.read_npz(found, {"x": files.ArraySpec((rows, columns)), "y": files.ArraySpec((rows,))}, files.CURE)
    order = np.arange(count or rows)
    np.random.RandomState(seed).shuffle(order)
    trained = int(len(order) * (1 - test_split))
    train, test = ((arrays["x"][part], arrays["y"][part]) for part in (order[:trained], order[trained:]))
    split: tuple[Split, Split] = (train, test)
    return split
