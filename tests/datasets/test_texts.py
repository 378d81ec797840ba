"""IMDB and Reuters from small files, against numbers that Keras gave for the same files."""

import json

import numpy as np
import pytest

import nbflow as nf
from nbflow.datasets import imdb, reuters
from nbflow.errors import DataLossError
from tests.datasets import small_files

GOLDEN = json.loads((small_files.GOLDEN / "keras_texts.json").read_text())


def loaded(name: str, arguments: dict):
    """load_data's result as lists, as the golden file has it."""
    return small_files.as_lists(getattr(nf.keras.datasets, name).load_data(**arguments))


@pytest.fixture
def both(cache):
    """The cache with small files of both sets."""
    small_files.imdb(cache / "imdb.npz")
    small_files.reuters(cache / "reuters.npz")
    return cache


@pytest.mark.parametrize("case", GOLDEN, ids=lambda c: f"{c['name']} {c['arguments']}")
def test_as_keras(both, case):
    assert loaded(case["name"], case["arguments"]) == case["result"]


def test_what_it_gives(both):
    (x_train, y_train), (x_test, y_test) = imdb.load_data()
    assert x_train.dtype == x_test.dtype == object
    assert y_train.dtype == y_test.dtype == np.int64
    assert type(x_train[0]) is list
    with pytest.raises(ValueError, match="maxlen=2, no sequence was kept"):
        imdb.load_data(maxlen=2)
    assert len(reuters.get_label_names()) == 46
    assert reuters.get_label_names()[3] == "earn"


@pytest.mark.parametrize("module", [imdb, reuters])
def test_words(cache, module):
    name = module.__name__.rpartition(".")[2]
    path = cache / f"{name}_word_index.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"the": 1, "café": 2}', "utf-8")
    assert module.get_word_index() == {"the": 1, "café": 2}
    for text in ("", "[1]", '{"the": "one"}', "\xff"):
        path.write_text(text, "latin1")
        with pytest.raises(DataLossError, match=r"word_index.json cannot be used"):
            module.get_word_index()
