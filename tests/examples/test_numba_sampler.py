"""The sampler in Numba's code finds the distribution, and docs/numba.md shows it as it is."""

import importlib.util
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("numba_sampler", ROOT / "examples" / "numba_sampler.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_samples_have_the_exact_mean_and_deviation(example):
    x, y = example.problem()
    drawn, accepted = example.sample(np.zeros(3), x, y, 4000, 12, 0.02, 1)
    mean, deviation = example.exact(x, y)
    assert 0.6 < accepted < 1
    np.testing.assert_allclose(drawn[100:].mean(0), mean, atol=0.2 * deviation.min())
    np.testing.assert_allclose(drawn[100:].std(0), deviation, rtol=0.1)


def test_the_page_shows_the_code(example):
    page = (ROOT / "docs" / "numba.md").read_text()
    for thing in (example.log_density.python_function, example.sample.py_func):
        without_docstring = re.sub(r'    """.*?"""\n', "", inspect.getsource(thing), flags=re.DOTALL)
        assert without_docstring in page
