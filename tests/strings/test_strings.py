"""Tensors of strings and nf.strings against TensorFlow (tests/golden/keras_strings.py)."""

import copy
import json
import pathlib
import pickle
import runpy

import numpy as np
import pytest

import nbflow as nf

_FOLDER = pathlib.Path(__file__).parents[1] / "golden"
_SCRIPT = runpy.run_path(str(_FOLDER / "keras_strings.py"))
_GOLDEN = json.loads((_FOLDER / "keras_strings.json").read_text())["strings"]
PAIR = nf.constant(["a", "b"])


@pytest.mark.parametrize("expression", _SCRIPT["STRINGS"])
def test_function_is_tensorflow(expression):
    assert json.loads(json.dumps(_SCRIPT["found"](nf, expression))) == _GOLDEN[expression]


def test_text():
    assert repr(PAIR) == "<nf.Tensor: shape=(2,), dtype=string, numpy=array([b'a', b'b'], dtype=object)>"
    assert repr(nf.constant("a")) == "<nf.Tensor: shape=(), dtype=string, numpy=b'a'>"
    assert str(PAIR) == "nf.Tensor([b'a' b'b'], shape=(2,), dtype=string)"


@pytest.mark.parametrize(
    "value", [["é", b"b"], np.array(["é", "b"]), np.array([b"\xc3\xa9", b"b"]), np.array(["é", b"b"], object),
              [nf.constant("é"), "b"]],
)  # fmt: skip
def test_made_of(value):
    for tensor in (nf.constant(value), nf.convert_to_tensor(value, nf.string), nf.constant(value, "string")):
        assert tensor.dtype is nf.string
        assert tensor.shape == (2,)
        assert tensor.numpy().tolist() == ["é".encode(), b"b"]


def test_as_python_has_it():
    assert nf.constant("a").numpy() == b"a"
    assert len(PAIR) == 2
    assert [t.numpy() for t in PAIR] == [b"a", b"b"]
    assert nf.is_tensor(PAIR)
    assert (PAIR == 3) is False
    assert ("x" + PAIR).numpy().tolist() == [b"xa", b"xb"]
    assert pickle.loads(pickle.dumps(PAIR)).numpy().tolist() == copy.copy(PAIR).numpy().tolist() == [b"a", b"b"]
    with pytest.raises(TypeError, match="unhashable"):
        hash(PAIR)


def test_dtype():
    assert nf.as_dtype("string") is nf.as_dtype(str) is nf.string
    assert (nf.string.name, repr(nf.string), nf.string.as_numpy_dtype) == ("string", "nf.string", np.object_)
    assert not nf.string.is_numeric
    with pytest.raises(TypeError, match="no least"):
        _ = nf.string.max


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: nf.reduce_sum(PAIR), TypeError),
        (lambda: PAIR * 2, TypeError),
        (lambda: nf.constant(1.0) + PAIR, TypeError),
        (lambda: nf.matmul(PAIR, PAIR), TypeError),
        (lambda: nf.cast(PAIR, nf.float32), TypeError),
        (lambda: nf.cast([1.0], nf.string), TypeError),
        (lambda: nf.Variable(PAIR), TypeError),
        (lambda: nf.constant(["a"], nf.float32), TypeError),
        (lambda: nf.constant([1, "a"], nf.string), TypeError),
        (lambda: nf.constant([["a"], ["a", "b"]]), ValueError),
        (lambda: nf.strings.to_number(["one"]), nf.errors.InvalidArgumentError),
        (lambda: nf.strings.to_number(["1_0"], "int32"), nf.errors.InvalidArgumentError),
        (lambda: nf.strings.to_number([str(2**31)], "int32"), nf.errors.InvalidArgumentError),
        (lambda: nf.strings.substr("abc", 4, 1), nf.errors.InvalidArgumentError),
        (lambda: nf.strings.length("a", unit="WORD"), ValueError),
        (lambda: nf.strings.lower("a", encoding="latin-1"), nf.errors.InvalidArgumentError),
        (lambda: nf.strings.to_hash_bucket_fast("a", 0), nf.errors.InvalidArgumentError),
        (lambda: nf.strings.as_string([1.0], scientific=True, shortest=True), ValueError),
        (lambda: nf.function(nf.strings.as_string)(nf.constant(1)), TypeError),
    ],
)
def test_errors(call, error):
    with pytest.raises(error):
        call()


def test_rows_are_padded():
    assert nf.strings.split([["a b", "c"]]).numpy().tolist() == [[[b"a", b"b"], [b"c", b""]]]


def test_strings_are_values_of_functions():
    traces = []

    @nf.function
    def lengths(x, texts):
        traces.append(1)
        return x + nf.cast(nf.strings.length(texts), nf.float32)

    for _ in range(2):
        np.testing.assert_array_equal(lengths(1.0, PAIR), [2, 2])
    np.testing.assert_array_equal(lengths(1.0, nf.constant(["abc"])), [4])
    assert len(traces) == 2
