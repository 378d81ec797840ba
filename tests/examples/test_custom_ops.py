"""The three custom ops of the example do what they are for, and docs/custom-ops.md shows them as they are."""

import importlib.util
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import nbflow as nf

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "custom-ops.md").read_text()


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("custom_ops", ROOT / "examples" / "custom_ops.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_activation_is_learned_in_one_fused_kernel(example):
    first, last, fitter = example.activation(steps=150)
    assert last < 0.02 < 1 < first
    text = fitter.train_step.kernels()
    assert re.search(r"def multiply_add_squareplus_squareplus_dx_and_1_\w+\(p, begin, end\):", text)
    shown = PAGE[PAGE.index("@vector_function") : PAGE.index("def multiply_add_squareplus")]
    assert shown in text


def test_stencil_finds_the_start(example):
    before, after = example.stencil(rounds=60, steps=6)
    assert after < before / 2


def test_loss_with_a_solver_ignores_outliers(example):
    squared, robust = example.solver(steps=150)
    assert robust < 0.2 < 1 < squared


def test_lambert_w(example):
    w = np.linspace(-0.999, 6, 50)
    z = nf.Variable(w * np.exp(w))
    with nf.GradientTape() as tape:
        found = example.lambert_w(z)
    np.testing.assert_allclose(found.numpy(), w, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(found, z).numpy(), np.exp(-w) / (1 + w), rtol=2e-3)


@pytest.mark.parametrize("name", ["squareplus", "heat_step", "lambert_w", "super_loss"])
def test_the_page_shows_the_code(example, name):
    thing = getattr(example, name)
    source = inspect.getsource(inspect.unwrap(thing))
    without_docstring = re.sub(r'    """.*?"""\n', "", source, flags=re.DOTALL)
    assert without_docstring in PAGE
