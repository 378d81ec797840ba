"""DTypes: names, limits, equality, and what names one."""

import copy
import pickle

import ml_dtypes
import numpy as np
import pytest

import nbflow as nf
from nbflow.dtypes import ALL, FLOATING, INTEGER, NUMERIC, REAL, as_dtype_or_none, require
from nbflow.errors import InvalidArgumentError


@pytest.mark.parametrize("dtype", ALL, ids=str)
def test_one_dtype(dtype):
    plain = np.dtype(dtype.name)
    assert dtype is getattr(nf, dtype.name) is nf.as_dtype(dtype.name) is nf.as_dtype(plain) is nf.as_dtype(plain.type)
    assert dtype.as_numpy_dtype is plain.type and dtype.size == plain.itemsize and dtype.base_dtype is dtype
    assert repr(dtype) == f"nf.{dtype.name}" and str(dtype) == f"<dtype: '{dtype.name}'>"
    assert pickle.loads(pickle.dumps(dtype)) is dtype is copy.deepcopy(dtype)
    assert dtype == dtype.name and dtype == plain and dtype == plain.type and plain.name == dtype
    assert {dtype: 1}[nf.as_dtype(plain)] == 1
    assert (dtype in FLOATING, dtype in INTEGER) == (dtype.is_floating, dtype.is_integer) and dtype.is_bool == (
        dtype is nf.bool
    )
    assert dtype.is_numeric == (dtype in NUMERIC) and dtype.is_unsigned == (plain.kind == "u")
    assert nf.zeros([2], dtype).dtype is dtype is nf.Variable(nf.zeros([2], dtype)).dtype


def test_limits():
    for dtype in REAL:
        info = np.iinfo(dtype.np) if dtype.is_integer else ml_dtypes.finfo(dtype.np)
        assert (dtype.min, dtype.max) == (info.min, info.max)
    assert (nf.bool.min, nf.bool.max) == (False, True)
    with pytest.raises(TypeError, match="no order"):
        _ = nf.complex64.max


def test_unequal():
    assert nf.float32 != nf.float64 and nf.float32 != "float64" and nf.float32 != np.int32
    assert nf.float32 != None and nf.float32 != "nonsense" and nf.float32 != 3  # noqa: E711


def test_python_types():
    assert [nf.as_dtype(t) for t in (float, int, bool, "float", "double", "int")] == [
        nf.float32, nf.int32, nf.bool, nf.float32, nf.float64, nf.int32,
    ]  # fmt: skip


@pytest.mark.parametrize("value", [None, "floaty", object, 3, "number", np.longdouble, "uint3", [1]], ids=repr)
def test_what_names_none(value):
    assert as_dtype_or_none(value) is None
    with pytest.raises(TypeError, match="as an nbflow dtype; supported: float32"):
        nf.as_dtype(value)


def test_require():
    require("op", "x", nf.float32, FLOATING)
    with pytest.raises(InvalidArgumentError, match="op: x has dtype int32; it takes float32, float64, .* Use nf.cast"):
        require("op", "x", nf.int32, FLOATING)
