"""Programs that train give what they give with Keras: histories, weights, files, calls of callbacks."""

import json
import pathlib
import runpy
import sys

import numpy as np
import pytest

import nbflow as nf

_FOLDER = pathlib.Path(__file__).parents[2] / "golden"
CASES = runpy.run_path(str(_FOLDER / "training_cases.py"))["CASES"]
EXPECTED = json.loads((_FOLDER / "keras_training.json").read_text())["cases"]
# a wave's weights bring early_stopping close to ties: rounding decides the last digits after a dozen epochs
LOOSE = {"early_stopping": 1e-4, "averages": 1e-4}


def assert_alike(found, expected, tolerance: float, path: str = "") -> None:
    """Numbers are close, everything else is equal."""
    assert type(found) is type(expected) or isinstance(expected, (int, float)), path
    if isinstance(expected, dict):
        assert sorted(found) == sorted(expected), path
        for key, value in expected.items():
            assert_alike(found[key], value, tolerance, f"{path}/{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), path
        for k, value in enumerate(expected):
            assert_alike(found[k], value, tolerance, f"{path}/{k}")
    elif isinstance(expected, float):
        np.testing.assert_allclose(found, expected, tolerance, tolerance, err_msg=path)
    else:
        assert found == expected, path


@pytest.mark.parametrize("name", CASES)
def test_as_keras(name):
    found = json.loads(json.dumps(CASES[name](nf), default=float))
    assert_alike(found, EXPECTED[name], LOOSE.get(name, 2e-5))


def test_all_cases_are_there():
    assert sorted(CASES) == sorted(EXPECTED)
    assert "tensorflow" not in sys.modules
