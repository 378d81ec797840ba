"""What GPUs compute where vecmath branches and loops: its source with other globals, here run as plain Python."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from nbflow.runtime import vecmath
from nbflow.runtime.device_math import SimulatedMath, device_functions
from nbflow.runtime.device_special import NAMES, special_functions
from nbflow.runtime.vecmath import bits

LIBDEVICE = SimpleNamespace(
    double_as_longlong=lambda x: np.float64(x).view(np.int64),
    longlong_as_double=lambda pattern: np.uint64(pattern).view(np.float64),
)
CUDA = SimpleNamespace(fma=lambda *numbers: bits._fma_f64(*map(np.float64, numbers)), libdevice=LIBDEVICE)
ROWS = {
    1: [(x,) for x in (-2.5, -0.75, 0.0, 0.3, 0.9, 1.0, 3.7, 11.0, 52.0, math.inf, math.nan)],
    2: [(0.5, 0.2), (2.0, 3.5), (7.0, 0.75), (1.0, math.nan), (3.0, 0.0)],
    3: [(0.5, 2.0, 0.3), (7.0, 3.0, 0.9), (1.0, 1.0, 0.0)],
}


@pytest.fixture(scope="module")
def functions():
    table = device_functions(SimulatedMath, SimulatedMath, lambda function: function)
    return special_functions(table, CUDA, lambda function: function)


@pytest.mark.parametrize("name", NAMES)
def test_ported_source_computes_the_same(functions, name):
    vector, ported = getattr(vecmath, f"{name}_f64"), functions[f"{name}_f64"]
    for row in ROWS[vector.py_func.__code__.co_argcount]:
        arguments = [np.float64(x) for x in row]
        with np.errstate(all="ignore"):
            actual, expected = ported(*arguments), vector(*arguments)
        np.testing.assert_allclose(actual, expected, rtol=2e-15, atol=2e-15, err_msg=f"{name}{row}")


def test_single_precision_is_rounded_once(functions):
    value = functions["bessel_j0_f32"](np.float32(0.75))
    assert type(value) is np.float32 and value == np.float32(functions["bessel_j0_f64"](0.75))
