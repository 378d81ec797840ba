"""What layers learn and make of texts against Keras (tests/golden/keras_strings.py); models of strings; their files."""

import json
import pathlib
import runpy

import numpy as np
import pytest

import nbflow as nf

_FOLDER = pathlib.Path(__file__).parents[2] / "golden"
_SCRIPT = runpy.run_path(str(_FOLDER / "keras_strings.py"))
_GOLDEN = json.loads((_FOLDER / "keras_strings.json").read_text())["layers"]
layers = nf.keras.layers


def _close(found, expected) -> bool:
    if isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(_close, found, expected))
    return found == (pytest.approx(expected, 1e-5, 1e-6) if isinstance(expected, float) else expected)


@pytest.mark.parametrize("case", _SCRIPT["LAYERS"], ids=lambda case: case[0])
def test_layer_is_keras(case):
    found = json.loads(json.dumps(_SCRIPT["learnt"](nf, *case)))
    expected = _GOLDEN[" ".join(map(str, case))]
    assert found.keys() == expected.keys()
    assert found.get("vocabulary") == expected.get("vocabulary")
    assert _close(found["result"], expected["result"]), (found["result"], expected["result"])
    config = expected.get("config", {})
    assert found.get("config", {}).keys() == config.keys()
    for key, value in config.items():
        assert _close(found["config"][key], value), key


def _model():
    lookup = layers.TextVectorization(output_sequence_length=3)
    lookup.adapt(["a cat sat", "a dog sat"])
    counts = layers.StringLookup(output_mode="tf_idf")
    counts.adapt([["x", "y"], ["y", "y"]])
    texts, words = nf.keras.Input((1,), dtype="string"), nf.keras.Input((2,), dtype="string")
    vectors = layers.Flatten()(layers.Embedding(9, 2)(lookup(texts)))
    numbers = layers.Rescaling(1.0)(layers.Hashing(5)(words))
    return nf.keras.Model([texts, words], layers.Concatenate()([vectors, counts(words), numbers]))


DATA = [np.array(["a cat", "no dog sat here"])[:, None], np.array([["y", "z"], ["x", "x"]])]


def test_model_of_strings_and_its_file(tmp_path):
    model = _model()
    result = model(DATA)
    assert result.shape == (2, 11)
    model.save(tmp_path / "model.keras")
    again = nf.keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again([nf.constant(x) for x in DATA]), result)


@pytest.mark.parametrize("make", [layers.StringLookup, layers.TextVectorization])
def test_vocabulary_files(make, tmp_path):
    layer = make()
    layer.adapt(["b", "a", "b", "é"])
    layer.save_assets(tmp_path)
    text = "\n".join(layer.get_vocabulary())
    assert (tmp_path / "vocabulary.txt").read_text("utf-8") == text
    again = make()
    again.load_assets(tmp_path)
    assert again.get_vocabulary() == layer.get_vocabulary()
    (tmp_path / "words.txt").write_text("b\nc\n")
    assert make(vocabulary=str(tmp_path / "words.txt")).get_vocabulary(include_special_tokens=False) == ["b", "c"]


@pytest.mark.parametrize("layer", [layers.StringLookup(), layers.IntegerLookup(), layers.TextVectorization()])
def test_configurations_read_no_files(layer):
    with pytest.raises(ValueError, match="outside of the model archive"):
        type(layer).from_config(layer.get_config() | {"vocabulary": "/etc/hostname"})


def test_no_strings_in_compiled_functions():
    lookup = layers.StringLookup(vocabulary=["a"], invert=True)
    with pytest.raises(TypeError, match="py_function"):
        nf.function(lookup)(nf.constant([1]))


def test_unknown_strings_are_an_error_without_a_number_for_them():
    with pytest.raises(nf.errors.InvalidArgumentError, match="num_oov_indices=1"):
        layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["a", "b"])


def test_adapt_to_some_batches():
    layer = layers.TextVectorization()
    layer.adapt(iter([["a b"], ["a"], ["c"]]), steps=2)
    assert layer.get_vocabulary() == ["", "[UNK]", "a", "b"]


def test_training_on_strings():
    lookup = layers.TextVectorization(output_sequence_length=3, vocabulary=["good", "bad"])
    model = nf.keras.Sequential(
        [nf.keras.Input((), dtype="string"), lookup, layers.Embedding(4, 2), layers.Flatten(), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    texts, scores = np.array(["good", "bad bad", "so good", "bad"]), np.float32([[1], [0], [1], [0]])
    history = model.fit(texts, scores, batch_size=3, epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    assert model.evaluate(texts, scores, verbose=0) < history["loss"][1]
    np.testing.assert_allclose(model.predict(texts, batch_size=3, verbose=0), model(texts), 1e-6)
    np.testing.assert_allclose(model.predict_on_batch(nf.constant(texts)), model(texts), 1e-6)
