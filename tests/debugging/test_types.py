"""Assertions on dtypes and kinds of values; their words are in test_comparisons."""

import numpy as np
import pytest

import nbflow as nf


@pytest.mark.parametrize("traced", [False, True])
def test_good(traced):
    d = nf.debugging

    def f(x, n):
        d.assert_type(x, nf.float32)
        d.assert_integer(n)
        d.assert_proper_iterable([x, n])
        return d.assert_same_float_dtype([x, None, x]).name

    run = nf.function(lambda x, n: (f(x, n), x)[1]) if traced else f
    assert run(nf.constant(1.0), nf.constant(1)) is not None


def test_same_float_dtype():
    same = nf.debugging.assert_same_float_dtype
    assert same() is nf.float32
    assert same(dtype=nf.float64) is nf.float64
    assert same([nf.constant(1.0, nf.float16)]) is nf.float16
    with pytest.raises(ValueError, match=r"type=nf.float64, must be of the same type \(nf.float32\)"):
        same([nf.constant(1.0), nf.constant(1.0, nf.float64)])
    with pytest.raises(ValueError, match="nf.float32, must be of the same type"):
        same([nf.constant(1.0)], nf.float64)


@pytest.mark.parametrize("values", [nf.constant([1]), np.array([1]), "text", b"bytes", 3])
def test_no_proper_iterable(values):
    with pytest.raises(TypeError, match="iterable"):
        nf.debugging.assert_proper_iterable(values)


def test_is_numeric_tensor():
    numeric = nf.debugging.is_numeric_tensor
    assert [numeric(x) for x in (nf.constant(1), nf.constant(1j), nf.Variable(1.0))] == [True] * 3
    assert [numeric(x) for x in (nf.constant(True), 1.0, np.array(1))] == [False] * 3
