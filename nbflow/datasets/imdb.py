"""IMDB: 50,000 film reviews, for and against (tf.keras.datasets.imdb).

Maas, A. et al. (2011). Learning word vectors for sentiment analysis. Proceedings of ACL, 142-150.
"""

import numpy as np

from nbflow.datasets import files, texts
from nbflow.datasets.mnist import Split
from nbflow.datasets.pickles import read_lists

URL = files.STORE + "imdb.npz"
SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
WORDS_URL = files.STORE + "imdb_word_index.json"
WORDS_MD5 = "bfafd718b763782e994055a2d397834f"


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Split, Split]:
    """Loads the reviews as lists of words' ranks, as `tf.keras.datasets.imdb.load_data` does; arguments see `texts`.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: arrays of 25,000 lists each, and int64 labels, 1 for praise.

    Raises:
        ValueError: no review is as short as maxlen says.
        NotFoundError: the file is nowhere and cannot be downloaded.
        DataLossError: the file is truncated, corrupt or another one.
    """
    found = files.fetch(path, URL, SHA256, 64 << 20)
    x_train, x_test, y_train, y_test = read_lists(
        found, ("x_train", "x_test"), ("y_train", "y_test"), 256 << 20, files.CURE
    )
    rng = np.random.RandomState(seed)
    parts = []
    for x, y in ((x_train, y_train), (x_test, y_test)):
        x, y = texts.shuffled(rng, x, y)
        parts.append(texts.short(texts.marked(x, start_char, index_from), y, maxlen))
    (train, y_train), (test, y_test) = parts
    if not train or not test:
        raise ValueError(
            f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. Increase maxlen."
        )
    both = texts.limited(train + test, num_words, skip_top, oov_char)
    return (both[: len(train)], y_train), (both[len(train) :], y_test)


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """{word: rank by frequency}, as `tf.keras.datasets.imdb.get_word_index`; load_data adds index_from to ranks."""
    return texts.word_index(path, WORDS_URL, WORDS_MD5)
