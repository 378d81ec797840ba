"""The Keras examples learn as they do in TensorFlow, run, and draw."""

import importlib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"


@pytest.fixture(autouse=True)
def folders(monkeypatch):
    for folder in (ROOT / "examples", GOLDEN):
        monkeypatch.syspath_prepend(str(folder))


@pytest.mark.parametrize("name", ["wide_and_deep", "cnn_digits", "lstm_sequence", "transformer_text"])
def test_losses_of_a_hundred_steps_are_tensorflows(name):
    losses, weights = importlib.import_module("keras_examples").curve(name)
    with np.load(GOLDEN / "keras_examples.npz") as golden:
        np.testing.assert_allclose(losses, golden[f"{name}.losses"], atol=1e-3, rtol=1e-3)
        np.testing.assert_allclose(weights, golden[f"{name}.weights"], atol=0.02)
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("name", "options", "metric"),
    [
        ("keras_workshop", {"full": False, "epochs": 2}, "loss"),
        ("wide_and_deep", {"rows": 500, "epochs": 3}, "price_mae"),
        ("lstm_sequence", {"count": 200, "epochs": 3, "units": 4}, "mae"),
        ("transformer_text", {"characters": 1500, "epochs": 3, "count": 5, "width": 16, "blocks": 1}, "loss"),
    ],
)
def test_examples_learn_and_draw(name, options, metric, tmp_path, capsys):
    history = importlib.import_module(name).main(folder=tmp_path, **options)[metric]
    assert history[-1] < history[0]
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert "Epoch 1/" in capsys.readouterr().out
