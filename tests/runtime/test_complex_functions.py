"""vecmath's complex functions against mpmath, at infinity, and on both sides of their branch cuts."""

import cmath
import math

import mpmath
import numpy as np
import pytest

from nbflow.runtime import vecmath

MP = mpmath.MPContext()
MP.prec = 200
INF = math.inf
FORMULAS = {
    "sigmoid": lambda z: 1 / (1 + MP.exp(-z)),
    "rsqrt": lambda z: 1 / MP.sqrt(z),
    "log1p": lambda z: MP.log(1 + z),
    "pow": MP.power,
}
CASES = [(name, code) for name in vecmath.COMPLEX_BOUNDS for code in ("c64", "c128")]


def points() -> np.ndarray:
    """Numbers of all sizes, next to the unit circle and next to branch points, none on a cut."""
    rng = np.random.default_rng(1)
    z = (rng.normal(size=60) + 1j * rng.normal(size=60)) * np.exp(rng.uniform(-6, 2, 60))
    circle = np.exp(2j * np.pi * rng.uniform(0, 1, 20))
    return np.concatenate([z, circle, 1 + 1e-5 * z[:10], -1 + 1e-8 * z[10:20], 1j + 1e-6 * z[20:30]])


@pytest.mark.parametrize(("name", "code"), CASES)
def test_error_bound(name, code):
    dtype = np.complex64 if code == "c64" else np.complex128
    digits = 24 if code == "c64" else 53
    function, formula = getattr(vecmath, f"{name}_{code}"), FORMULAS.get(name) or getattr(MP, name)
    z = points().astype(dtype)
    rows = zip(z, np.roll(z, 7), strict=True) if name == "pow" else zip(z, strict=True)
    for row in rows:
        exact = formula(*(MP.mpc(complex(v)) for v in row))
        if not 1e-30 < abs(exact) < 1e30:
            continue
        error = abs(MP.mpc(complex(function(*row))) - exact) / MP.mpf(2) ** (MP.frexp(abs(exact))[1] - digits)
        assert error <= vecmath.COMPLEX_BOUNDS[name][code == "c128"], row


@pytest.mark.parametrize("name", ["log", "sqrt", "asin", "acos", "atan", "asinh", "acosh", "atanh"])
def test_the_sign_of_zero_chooses_the_side_of_a_cut(name):
    function = getattr(vecmath, f"{name}_c128")
    parts = (2.0, -2.0, 0.5, -0.5)
    for z in [complex(x, y) for x in parts for y in (0.0, -0.0)] + [complex(x, y) for x in (0.0, -0.0) for y in parts]:
        expected = getattr(cmath, name)(z)
        assert complex(function(np.complex128(z))) == pytest.approx(expected, rel=1e-14), z


def test_infinities():
    assert vecmath.modulus_c128(complex(INF, math.nan)) == INF
    assert vecmath.modulus_c128(complex(3e200, 4e200)) == pytest.approx(5e200, rel=1e-15)
    assert vecmath.exp_c128(complex(-INF, INF)) == 0
    assert vecmath.sqrt_c128(complex(-INF, 1.0)) == complex(0, INF)
    assert vecmath.tanh_c128(complex(INF, 1.0)) == 1
    assert vecmath.atan_c128(complex(INF, INF)).real == math.pi / 2
    assert vecmath.pow_c128(0j, complex(2, 1)) == 0
    assert cmath.isnan(vecmath.pow_c128(0j, 0j))
