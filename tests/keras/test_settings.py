"""What holds for all of Keras."""

import numpy as np
import pytest

import nbflow as nf

NAMES = [
    (None, "float32"),
    ("bfloat16", "bfloat16"),
    (nf.float16, "float16"),
    (np.float64, "float64"),
    (np.dtype("int8"), "int8"),
    (bool, "bool"),
    (int, "int64"),
    (float, "float32"),
]


@pytest.mark.parametrize(("given", "name"), NAMES)
def test_names_of_dtypes(given, name):
    assert nf.keras.utils.standardize_dtype(given) == name


def test_no_such_dtype():
    with pytest.raises(ValueError, match="Invalid dtype: float128"):
        nf.keras.backend.standardize_dtype("float128")


def test_interactive_logging():
    assert nf.keras.utils.is_interactive_logging_enabled()
    nf.keras.utils.disable_interactive_logging()
    assert not nf.keras.config.is_interactive_logging_enabled()
    nf.keras.utils.enable_interactive_logging()
