"""Keras' losses and metrics (tests/golden/keras_losses.py), and those of nf.keras for the same expressions."""

import json
import pathlib
import re
import runpy
import warnings

import numpy as np
import pytest

import nbflow as nf

_FOLDER = pathlib.Path(__file__).parents[1] / "golden"
SCRIPT = runpy.run_path(str(_FOLDER / "keras_losses.py"))
_GOLDEN = np.load(_FOLDER / "keras_losses.npz")
_FIRST, _SECOND = SCRIPT["batches"](nf)


def of_room(kind: str, room: str) -> list[str]:
    """The expressions of a kind, "CONFIGS" or "ERRORS", that are about a room of nf.keras."""
    return [e for e in SCRIPT[kind] if e.startswith(f"keras.{room}")]


def assert_value(expression: str) -> None:
    """An expression has Keras' value and gradients."""
    value, gradients = SCRIPT["evaluated"](nf, expression, _FIRST)
    half = "bfloat16" in expression
    _assert_close(np.asarray(nf.cast(value, "float64")), expression, half)
    if expression in SCRIPT["LOSSES"]:
        for name, gradient in zip(SCRIPT["names"](expression), gradients, strict=True):
            _assert_close(np.asarray(gradient), f"{expression} by {name}", half)


def assert_traced(expression: str) -> None:
    """An expression has Keras' value and gradients in a traced function that does not know the size of the batch."""
    value, gradients = SCRIPT["traced"](nf, expression, _FIRST)
    _assert_close(value.numpy(), f"traced {expression}")
    for name, gradient in zip(SCRIPT["names"](expression), gradients, strict=True):
        _assert_close(gradient.numpy(), f"traced {expression} by {name}")


def assert_metric(made: str, given: str, traced: bool) -> None:
    """A metric has Keras' results and Variables after each of two batches, and starts again after reset_state."""
    metric = eval(made, SCRIPT["scope"](nf, {}))

    def update(inputs):
        metric.update_state(*eval(f"({given},)", SCRIPT["scope"](nf, inputs)))
        return metric.result()

    used = [name for name in _FIRST if re.search(rf"\b{name}\b", given)]
    batches = [{name: batch[name] for name in used} for batch in (_FIRST, _SECOND)]
    if traced:
        form = {name: nf.TensorSpec((None, *v.shape[1:]), v.dtype) for name, v in batches[0].items()}
        update = nf.function(update, input_signature=[form])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "You are passing weight as `float`")
        results = np.stack([np.asarray(update(batch)) for batch in batches])
    _assert_close(results, f"{made} of {given}")
    _assert_close(np.concatenate([np.ravel(v.numpy()) for v in metric.variables]), f"{made} of {given}, state")
    metric.reset_state()
    assert not any(np.any(v.numpy()) for v in metric.variables)


def _assert_close(actual, name: str, half: bool = False) -> None:
    actual = actual.astype(np.float32) if actual.dtype.name == "bfloat16" else actual
    np.testing.assert_allclose(actual, _GOLDEN[name], 2e-2 if half else 2e-5, 2e-2 if half else 2e-6, strict=True)


def assert_config(expression: str) -> None:
    """A configuration is Keras' as JSON, and makes an object of the same configuration."""
    config = eval(expression, SCRIPT["scope"](nf, _FIRST))
    assert json.loads(json.dumps(config)) == json.loads(str(_GOLDEN[expression]))
    again = nf.keras.saving.deserialize_keras_object(json.loads(json.dumps(config)))
    assert json.dumps(nf.keras.saving.serialize_keras_object(again)) == json.dumps(config)


def assert_error(expression: str) -> None:
    """An expression raises an exception of the name that Keras' has."""
    with pytest.raises(Exception) as raised:
        eval(expression, SCRIPT["scope"](nf, _FIRST))
    assert type(raised.value).__name__ == str(_GOLDEN[expression])
