"""Keras' results (tests/golden/keras_parts.py), and nf.keras' for the same expressions."""

import json
import pathlib
import runpy

import numpy as np

import nbflow as nf

_FOLDER = pathlib.Path(__file__).parents[1] / "golden"
_SCRIPT = runpy.run_path(str(_FOLDER / "keras_parts.py"))
_GOLDEN = np.load(_FOLDER / "keras_parts.npz")


def cases(kind: str, *rooms: str) -> list[str]:
    """The expressions of a kind, "VALUES", "CONFIGS" or "ERRORS", about rooms of nf.keras such as "keras.utils."."""
    return [e for e in _SCRIPT[kind] if any(room in e.split("(")[0] for room in rooms)]


def constant(name: str):
    """A table of the script that made the golden values."""
    return _SCRIPT[name]


def assert_values(expression: str, rtol: float = 0.0, atol: float = 0.0) -> None:
    """An expression has Keras' value, and the gradient with respect to x."""
    value, gradient = _SCRIPT["evaluated"](nf, expression)
    _assert_close(value, _GOLDEN[expression], rtol, atol)
    name = f"gradient of {expression}"
    assert (gradient is not None) == (name in _GOLDEN)
    if gradient is not None:
        _assert_close(nf.convert_to_tensor(gradient), _GOLDEN[name], rtol, atol)


def _assert_close(actual, expected, rtol, atol):
    actual = np.asarray(actual)
    actual = actual.astype(np.float32) if actual.dtype.name == "bfloat16" else actual
    assert actual.dtype == expected.dtype
    np.testing.assert_allclose(actual, expected, rtol, atol, strict=True)


def golden(name: str):
    """An array that the script made."""
    return _GOLDEN[name]


def assert_config(expression: str) -> None:
    """An expression, a configuration, is Keras' as JSON, and serializes again after it has been deserialized."""
    config = _SCRIPT["evaluated"](nf, expression)[0]
    assert json.loads(json.dumps(config)) == json.loads(str(_GOLDEN[expression]))
    if "module" in config:
        again = nf.keras.saving.deserialize_keras_object(json.loads(json.dumps(config)))
        assert nf.keras.saving.serialize_keras_object(again) == config


def assert_error(expression: str) -> None:
    """An expression raises an exception of the name that Keras' has."""
    assert _SCRIPT["error_of"](nf, expression) == str(_GOLDEN[expression])
