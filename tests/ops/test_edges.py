"""Conversions and quotients at the edges, with the values of TensorFlow's CPU kernels."""

import numpy as np
import pytest

import nbflow as nf

INF, NAN = float("inf"), float("nan")


def test_floats_out_of_range_as_uint64():
    x = nf.constant([1.5e19, 3e19, INF, NAN, -5.0, -3e30, 9.3e18], nf.float64)
    half = 2**63
    expected = [15 * 10**18, half, half, half, 2**64 - 5, half, 93 * 10**17]
    assert nf.cast(x, nf.uint64).numpy().tolist() == expected


def test_floats_out_of_range_as_signed_integers():
    x = nf.constant([3e9, -3e9, INF, -INF, NAN, 2.7, -2.7])
    assert nf.cast(x, nf.int32).numpy().tolist() == [-(2**31)] * 5 + [2, -2]


@pytest.mark.parametrize("source", [nf.bfloat16, nf.float32, nf.float64])
def test_saturate_cast_of_floats(source):
    x = nf.cast(nf.constant([1.0, 1e30, -1e30, 0.5]), source)
    assert nf.saturate_cast(x, nf.uint64).numpy().tolist() == [1, 2**63, 0, 0]  # 2⁶⁴ is out of range
    assert nf.saturate_cast(x, nf.int8).numpy().tolist() == [1, 127, -128, 0]


def test_saturate_cast_of_integers_to_halves():
    x = nf.constant([100_000, -100_000, 7])
    assert nf.saturate_cast(x, nf.float16).numpy().tolist() == [65504, -65504, 7]


def test_saturate_cast_keeps_complex_numbers_that_fit():
    assert nf.saturate_cast(nf.constant([INF + 1j]), nf.complex128).numpy()[0] == INF + 1j


@pytest.mark.parametrize("dtype", [nf.float16, nf.bfloat16])
def test_quotients_of_halves_are_rounded_before_their_integer_part(dtype):
    x, y = (nf.cast(nf.constant(v), dtype) for v in ([1.0, -1.0, 7.0, -7.5], 0.1))
    quotient = np.array([10, -10, 70, -75])
    assert nf.floor(x / y).numpy().astype(float).tolist() == (x // y).numpy().astype(float).tolist()
    assert np.abs(nf.truncatediv(x, y).numpy().astype(float) - quotient).max() <= 0.5
