"""What tests of Keras share: each begins with names that count from 0, as a program does."""

import pytest

import nbflow as nf


@pytest.fixture(autouse=True)
def _session():
    nf.keras.utils.clear_session()
