"""Keras' initializers: numbers, names and configurations."""

import numpy as np
import pytest

import nbflow as nf
from tests.keras import parts

initializers = nf.keras.initializers


@pytest.mark.parametrize("expression", parts.cases("VALUES", "keras.initializers.", "_initializer"))
def test_as_keras(expression):
    parts.assert_values(expression, rtol=1e-6, atol=2e-6 if "Orthogonal" in expression or "STFT" in expression else 0)


@pytest.mark.parametrize("expression", parts.cases("CONFIGS", "keras.initializers.", "_initializer"))
def test_configs(expression):
    parts.assert_config(expression)


@pytest.mark.parametrize("expression", parts.cases("ERRORS", "keras.initializers.", "_initializer"))
def test_errors(expression):
    parts.assert_error(expression)


NAMES = {
    "Zeros": ["zeros", "zero"],
    "Ones": ["ones", "one"],
    "Constant": ["constant"],
    "Identity": ["identity", "IdentityInitializer"],
    "RandomNormal": ["random_normal", "normal"],
    "RandomUniform": ["random_uniform", "uniform"],
    "TruncatedNormal": ["truncated_normal"],
    "VarianceScaling": ["variance_scaling"],
    "GlorotNormal": ["glorot_normal"],
    "GlorotUniform": ["glorot_uniform"],
    "HeNormal": ["he_normal"],
    "HeUniform": ["he_uniform"],
    "LecunNormal": ["lecun_normal"],
    "LecunUniform": ["lecun_uniform"],
    "Orthogonal": ["orthogonal", "OrthogonalInitializer"],
    "STFT": ["stft", "STFTInitializer"],
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    cls = getattr(initializers, name)
    assert cls.__name__ == name
    for known in (name, *NAMES[name], cls, cls(), {"class_name": name, "config": {}}):
        assert type(initializers.get(known)) is cls


def test_get_takes_functions():
    def halves(shape, dtype=None):
        return nf.fill(shape, 0.5)

    assert initializers.get(halves) is halves
    assert initializers.get(None) is None


def test_float_type():
    nf.keras.backend.set_floatx("float64")
    try:
        made = [initializers.get(name)((2, 2)).dtype for name in ("zeros", "identity", "he_normal", "orthogonal")]
    finally:
        nf.keras.backend.set_floatx("float32")
    assert made == ["float64"] * 4


def test_an_initializer_gives_the_same_numbers_again_and_its_clone_others():
    initializer = initializers.HeNormal()
    np.testing.assert_array_equal(initializer((3,)), initializer((3,)))
    assert (initializer((3,)).numpy() != initializer.clone()((3,)).numpy()).all()
    np.testing.assert_array_equal(initializers.HeNormal(4)((3,)), initializers.HeNormal(4).clone()((3,)))


def test_in_functions():
    draw = nf.function(lambda: [initializers.get(name)((2, 3)) for name in ("he_normal", "orthogonal", "identity")])
    nf.keras.utils.set_random_seed(1)
    traced = draw()
    nf.keras.utils.set_random_seed(1)
    for one, name in zip(traced, ("he_normal", "orthogonal", "identity"), strict=True):
        np.testing.assert_allclose(one, initializers.get(name)((2, 3)), rtol=1e-6)


def test_a_gain_is_kept():
    assert initializers.Identity(2.0).clone().gain == 2.0


@pytest.mark.parametrize(("periodic", "window"), [(False, [0, 0.75, 0.75, 0]), (True, [0, 0.5, 1, 0.5])])
def test_windows_by_name(periodic, window):
    named = initializers.STFT(window="hann", periodic=periodic)((4, 1, 3))
    np.testing.assert_allclose(named, initializers.STFT(window=window)((4, 1, 3)), atol=1e-7)
    with pytest.raises(ValueError, match="hann, hamming"):
        initializers.STFT(window="door")
