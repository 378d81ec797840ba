"""TensorFlow's random numbers (tests/golden/make_random.py) and how results are compared with them."""

import hashlib
import pathlib
import platform

import numpy as np
import pytest

_FOLDER = pathlib.Path(__file__).parents[1] / "golden"
GOLDEN = np.load(_FOLDER / "random.npz")
PARAMETRIC = np.load(_FOLDER / "random_parametric.npz")
KERNEL_SEEDS = [(1, 0), (0, 7), (87654321, 2147483647)]  # those that set_seed and an op's seed can make
CALLS = [0, 1, 3, 4, 5, 40]
STATELESS_SEEDS = [(1, 2), (0, 0), (-5, 7), (2**40, -(2**63))]

needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="golden normals were made with glibc")


def assert_bits(actual, name):
    """actual, a tensor or array, has the bits that TensorFlow had for a case."""
    actual = np.asarray(actual.numpy() if hasattr(actual, "numpy") else actual)
    if f"{name}/sha256" in GOLDEN:
        assert hashlib.sha256(actual.tobytes()).digest() == GOLDEN[f"{name}/sha256"].tobytes()
        return
    expected = GOLDEN[name] if name in GOLDEN else PARAMETRIC[name]
    actual = actual.view(np.uint16) if name.startswith("half/") else actual
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    assert actual.tobytes() == expected.tobytes()
