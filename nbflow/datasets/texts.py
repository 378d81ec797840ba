"""What imdb and reuters share: texts as lists of words' ranks.

load_data takes these arguments:
    path: the file's name in the folder that NBFLOW_DATA_DIR names and in the cache, or an absolute path.
    num_words: words of this rank and above are left out; None keeps all but the rarest.
    skip_top: the most frequent words that are left out.
    maxlen: texts of this length and above are dropped.
    seed: of the order of the texts.
    start_char: the number that texts start with, or None.
    oov_char: the number that stands for words left out; None drops them.
    index_from: what is added to the ranks: smaller numbers have other meanings.
"""

import json

import numpy as np

from nbflow.datasets import files
from nbflow.errors import DataLossError


def shuffled(rng: np.random.RandomState, texts: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texts and labels in another order."""
    order = np.arange(len(texts))
    rng.shuffle(order)
    return texts[order], labels[order]


def marked(texts, start_char: int | None, index_from: int | None) -> list[list[int]]:
    """Texts with what they start with, and ranks moved on."""
    if start_char is not None:
        return [[start_char, *(w + index_from for w in text)] for text in texts]
    return [[w + (index_from or 0) for w in text] for text in texts]


def short(texts: list[list[int]], labels: np.ndarray, maxlen: int | None) -> tuple[list[list[int]], np.ndarray]:
    """The texts that are shorter than maxlen, and their labels."""
    kept = [k for k, text in enumerate(texts) if not maxlen or len(text) < maxlen]
    return [texts[k] for k in kept], labels[kept]


def limited(texts: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None) -> np.ndarray:
    """An array of the texts without the rarest and the most frequent words."""
    limit = num_words or max(max(text) for text in texts)
    found = np.empty(len(texts), object)
    for k, text in enumerate(texts):
        if oov_char is None:
            found[k] = [w for w in text if skip_top <= w < limit]
        else:
            found[k] = [w if skip_top <= w < limit else oov_char for w in text]
    return found


def word_index(path: str, url: str, md5: str) -> dict[str, int]:
    """The ranks of words, from a JSON file.

    Raises:
        NotFoundError: the file is nowhere and cannot be downloaded.
        DataLossError: the file is truncated, corrupt or another one.
    """
    found = files.fetch(path, url, md5, 8 << 20)
    try:
        ranks = json.loads(found.read_text("utf-8"))
        if type(ranks) is not dict or set(map(type, ranks.values())) - {int}:
            raise ValueError("it is no table of words and numbers")
    except files.UNREADABLE as error:
        raise DataLossError(f"{found} cannot be used: {error}. {files.CURE}") from error
    return ranks
