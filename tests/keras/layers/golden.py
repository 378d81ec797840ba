"""Layers compared with what Keras gave (tests/golden/layer_cases.py): eagerly, compiled, in a model, made again."""

import json
import pathlib
import runpy

import numpy as np
import pytest

import nbflow as nf

_FOLDER = pathlib.Path(__file__).parents[2] / "golden"
_SHARED = runpy.run_path(str(_FOLDER / "layer_cases.py"))


class Golden:
    """The cases and results of a script tests/golden/<name>.py."""

    def __init__(self, name: str):
        script = runpy.run_path(str(_FOLDER / f"{name}.py"))
        self.cases, self.errors = script["CASES"], script["ERRORS"]
        self._found = np.load(_FOLDER / f"{name}.npz")
        self._configs = json.loads(str(self._found["configs"]))

    def assert_results(self, name: str, function=None, tolerance: float = 2e-5) -> None:
        """Outputs and gradients of a case are Keras', eagerly or with the whole step put through a function."""
        case = self.cases[name]
        arrays = _SHARED["results"](nf, case, function)
        expected = self._found[name]
        assert sum(a.size for a in arrays) == expected.size
        tolerance = 2e-2 if "bfloat16" in case[0] else tolerance
        np.testing.assert_allclose(np.concatenate([a.ravel() for a in arrays]), expected, tolerance, tolerance)

    def assert_model(self, name: str) -> None:
        """A functional model of the layer, for any batch size, gives what the layer gives."""
        case = self.cases[name]
        layer, arrays = _SHARED["made"](nf, case)
        inputs = [nf.keras.Input(a.shape[1:]) for a in arrays]
        made = _SHARED["called"](nf, case, layer, inputs)
        given = [
            k for k, y in enumerate(made) if getattr(y, "_keras_history", None)
        ]  # masks are none of the model's tensors
        model = nf.keras.Model(inputs, [made[k] for k in given])
        layer, arrays = _SHARED["made"](nf, case)  # seeds start anew
        model.set_weights(layer.get_weights())
        results = _SHARED["called"](nf, case, layer, [nf.constant(a) for a in arrays])
        direct = [results[k] for k in given]
        for y, expected in zip(nf.nest.flatten(model(arrays)), direct, strict=True):
            np.testing.assert_allclose(nf.cast(y, "float32"), nf.cast(expected, "float32"), 2e-5, 2e-5)

    def assert_config(self, name: str) -> None:
        """The configuration is Keras', and makes a layer with the same one."""
        layer, _ = _SHARED["made"](nf, self.cases[name])
        written = json.loads(json.dumps(nf.keras.saving.serialize_keras_object(layer)))
        expected = self._configs[name]
        if not layer.weights:  # there is nothing to build
            for config in (written, expected):
                config.pop("build_config", None)
        assert _without_names(written) == _without_names(expected)
        again = nf.keras.saving.deserialize_keras_object(expected)
        assert _without_names(nf.keras.saving.serialize_keras_object(again)) == _without_names(expected)

    def assert_error(self, expression: str) -> None:
        """An expression raises what Keras raises."""
        error = {"ValueError": ValueError, "TypeError": TypeError}[self.errors[expression]]
        with pytest.raises(error):
            eval(expression, {"layers": nf.keras.layers, "keras": nf.keras, "np": np})


def _without_names(config):
    """A configuration without the names that are numbered."""
    if isinstance(config, dict):
        return {k: _without_names(v) for k, v in config.items() if k != "name"}
    return [_without_names(v) for v in config] if isinstance(config, (list, tuple)) else config
