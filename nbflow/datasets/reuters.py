"""Reuters-21578: 11,228 newswires of 46 topics (tf.keras.datasets.reuters).

Lewis, D. (1997). Reuters-21578 text categorization test collection. AT&T Labs.
"""

import numpy as np

from nbflow.datasets import files, texts
from nbflow.datasets.mnist import Split
from nbflow.datasets.pickles import read_lists

URL = files.STORE + "reuters.npz"
SHA256 = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
WORDS_URL = files.STORE + "reuters_word_index.json"
WORDS_MD5 = "4d44cc38712099c9e383dc6e5f11a921"
TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Split, Split]:
    """Loads the newswires as lists of words' ranks, as `tf.keras.datasets.reuters.load_data` does.

    Args:
        test_split: the share of the newswires that are for testing. The others see `texts`.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: arrays of 8,982 and 2,246 lists, and int64 labels, indices into
        get_label_names().

    Raises:
        NotFoundError: the file is nowhere and cannot be downloaded.
        DataLossError: the file is truncated, corrupt or another one.
    """
    x, y = read_lists(files.fetch(path, URL, SHA256, 16 << 20), ("x",), ("y",), 64 << 20, files.CURE)
    x, y = texts.shuffled(np.random.RandomState(seed), x, y)
    kept, y = texts.short(texts.marked(x, start_char, index_from), y, maxlen)
    x = texts.limited(kept, num_words, skip_top, oov_char)
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """{word: rank by frequency}, as `tf.keras.datasets.reuters.get_word_index`; load_data adds index_from to ranks."""
    return texts.word_index(path, WORDS_URL, WORDS_MD5)


def get_label_names() -> tuple[str, ...]:
    """The 46 topics, as `tf.keras.datasets.reuters.get_label_names`."""
    return tuple(TOPICS.split())
