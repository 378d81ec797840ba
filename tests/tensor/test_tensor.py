"""Operators, immutability, presentation and Python's protocols of tensors."""

import copy
import math
import operator
import pickle

import numpy as np
import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError

OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
X, Y = np.array([1.5, 2.0, 4.0], np.float32), np.array([2.0, 2.0, 3.0], np.float32)


@pytest.mark.parametrize("sign", OPERATORS)
@pytest.mark.parametrize(
    "other", [Y, Y.astype(np.float64), np.float32(2), np.float64(2), 2, 2.0, [2.0, 2.0, 3.0], (2, 2, 3)], ids=repr
)
def test_operators_with_anything_on_either_side(sign, other):
    function = OPERATORS[sign]
    plain = np.asarray(other, np.float32)
    for tensor in (nf.constant(X), nf.Variable(X)):
        for result, wanted in (
            (function(tensor, other), function(X, plain)),
            (function(other, tensor), function(plain, X)),
        ):
            assert type(result) is nf.Tensor
            assert result.dtype == wanted.dtype
            np.testing.assert_allclose(result.numpy(), wanted, rtol=1e-6)


@pytest.mark.parametrize(
    "other", [np.eye(2), np.eye(2, dtype=np.float32), [[1, 0], [0, 1]], nf.Variable(np.eye(2, dtype="f4"))]
)
def test_matmul_with_anything_on_either_side(other):
    a = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    for product in (nf.constant(a) @ other, other @ nf.constant(a), nf.Variable(a) @ other, other @ nf.Variable(a)):
        assert type(product) is nf.Tensor and product.dtype == nf.float32
        np.testing.assert_array_equal(product, a)


@pytest.mark.parametrize(
    ("result", "dtype", "wanted"),
    [
        (lambda: nf.constant([1, 2]) / 2, "float64", [0.5, 1]),
        (lambda: 3 / nf.constant([1, 2]), "float64", [3, 1.5]),
        (lambda: nf.constant([1, 2]) / nf.constant([2, 4]), "float64", [0.5, 0.5]),
        (lambda: nf.constant([1, 2], nf.uint8) / 2, "float32", [0.5, 1]),
        (lambda: nf.Variable(3) / 2, "float64", 1.5),
        (lambda: nf.constant([7, -7]) // 2, "int32", [3, -4]),
        (lambda: nf.constant([7, -7]) % 3, "int32", [1, 2]),
        (lambda: nf.constant([2, 3]) ** 2, "int32", [4, 9]),
        (lambda: nf.constant([1, 2], nf.uint8) - 3, "uint8", [254, 255]),
        (lambda: nf.constant([1, 2], nf.int64) + 2**40, "int64", [2**40 + 1, 2**40 + 2]),
        (lambda: nf.constant([1.0, 2.0]) + True, "float32", [2, 3]),
        (lambda: nf.constant([1, 2]) + np.array([1.5, 2]), "int32", [2, 4]),  # arrays become what is beside them
        (lambda: nf.constant([1, 2]) * np.float64(2.5), "int32", [2, 4]),
        (lambda: nf.constant([1, 2]) == [1, 2, 3], "bool", False),
        (lambda: nf.constant([1, 2]) != [1, 2, 3], "bool", True),
        (lambda: nf.constant([True, False]) & True, "bool", [True, False]),
        (lambda: np.array([True, True]) | nf.constant([True, False]), "bool", [True, True]),
        (lambda: True ^ nf.constant([True, False]), "bool", [False, True]),
        (lambda: ~nf.constant([True, False]), "bool", [False, True]),
        (lambda: -nf.constant([1, -2]), "int32", [-1, 2]),
        (lambda: abs(nf.constant([1, -2])), "int32", [1, 2]),
        (lambda: sum(nf.constant([1.0, 2.0])), "float32", 3),
    ],
)
def test_result_types(result, dtype, wanted):
    tensor = result()
    assert tensor.dtype.name == dtype
    np.testing.assert_array_equal(tensor.numpy(), wanted)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nf.constant(1.0) + nf.constant(1), InvalidArgumentError, "add: x is float32 and y is int32"),
        (lambda: nf.constant(1.0) + nf.constant(1.0, nf.float64), InvalidArgumentError, "nf.cast"),
        (lambda: nf.constant([1, 2]) + 1.5, TypeError, "add: cannot convert 1.5 to int32"),
        (lambda: 1.5 + nf.constant([1, 2]), TypeError, "add: cannot convert 1.5 to int32"),
        (lambda: nf.constant([1, 2]) == 1.5, TypeError, "equal: cannot convert 1.5 to int32"),
        (lambda: nf.constant([True]) + nf.constant([True]), InvalidArgumentError, "add: x has dtype bool"),
        (lambda: nf.constant([1.0, 2.0]) + [1, 2, 3], InvalidArgumentError, "add: shapes .2,. and .3,."),
        (lambda: nf.constant([1, 2], nf.uint8) + 300, ValueError, "300 does not fit into uint8"),
        (lambda: nf.constant(1.0) + "a", TypeError, "unsupported operand"),
        (lambda: nf.constant(1.0) + None, TypeError, "unsupported operand"),
        (lambda: None * nf.constant(1.0), (TypeError, ValueError), "None"),
        (lambda: nf.constant(1.0) < None, TypeError, "not supported"),
        (lambda: nf.constant([1.0, 2.0]) @ nf.constant([1.0, 2.0]), InvalidArgumentError, "matmul: a has shape"),
    ],
)
def test_operators_that_cannot_be(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_comparison_with_none():
    x = nf.constant([1.0, 2.0])
    assert (x == None) is False and (x != None) is True  # noqa: E711


def test_tensors_are_immutable():
    x = nf.constant([1, 2])
    with pytest.raises(TypeError):
        x[0] = 3
    with pytest.raises(TypeError):
        del x[0]
    with pytest.raises(AttributeError):
        x.shape = (2, 1)
    x.numpy()[0] = 5
    np.asarray(x)[0] = 5
    view = x[:1].numpy()
    view[0] = 5
    np.testing.assert_array_equal(x.numpy(), [1, 2])
    before = x
    x += 1
    np.testing.assert_array_equal(before.numpy(), [1, 2])
    np.testing.assert_array_equal(x.numpy(), [2, 3])


def test_hash_and_reference():
    x = nf.constant(1)
    with pytest.raises(TypeError, match=r"Tensor is unhashable. Instead, use tensor.ref\(\) as the key."):
        hash(x)
    names = {x.ref(): "x"}
    assert names[x.ref()] == "x" and x.ref().deref() is x
    assert x.ref() == x.ref() and x.ref() != nf.constant(1).ref() and x.ref() != x


@pytest.mark.parametrize(
    ("tensor", "wanted"),
    [
        (lambda: nf.constant(1.5), "<nf.Tensor: shape=(), dtype=float32, numpy=1.5>"),
        (lambda: nf.constant(True), "<nf.Tensor: shape=(), dtype=bool, numpy=True>"),
        (lambda: nf.constant([1, 2]), "<nf.Tensor: shape=(2,), dtype=int32, numpy=array([1, 2], dtype=int32)>"),
        (
            lambda: nf.constant([[1.0], [3.0]]),
            "<nf.Tensor: shape=(2, 1), dtype=float32, numpy=\narray([[1.],\n       [3.]], dtype=float32)>",
        ),
        (
            lambda: nf.zeros([2, 0]),
            "<nf.Tensor: shape=(2, 0), dtype=float32, numpy=array([], shape=(2, 0), dtype=float32)>",
        ),
        (lambda: nf.Variable(1.5, name="w"), "<nf.Variable 'w:0' shape=() dtype=float32, numpy=1.5>"),
        (
            lambda: nf.Variable([[1], [2]]),
            "<nf.Variable 'Variable:0' shape=(2, 1) dtype=int32, numpy=\narray([[1],\n       [2]], dtype=int32)>",
        ),
    ],
)
def test_repr_is_tensorflows(tensor, wanted):
    assert repr(tensor()) == wanted


def test_str_and_format():
    assert str(nf.constant(1.5)) == "nf.Tensor(1.5, shape=(), dtype=float32)"
    assert str(nf.constant([1, 2])) == "nf.Tensor([1 2], shape=(2,), dtype=int32)"
    assert str(nf.constant([[1], [2]])) == "nf.Tensor(\n[[1]\n [2]], shape=(2, 1), dtype=int32)"
    assert f"{nf.constant(1.5)}" == "1.5" and f"{nf.constant(1.5):.3f}" == "1.500"
    assert f"{nf.constant([1, 2])}" == "[1 2]"
    old_style = "%.2f %d"
    assert old_style % (nf.constant(2.5), nf.constant(2)) == "2.50 2"
    v = nf.Variable(1.5)
    assert f"{v}" == str(v) == repr(v) and f"{v:.1f}" == "1.5"
    with pytest.raises(TypeError):
        f"{nf.constant([1.5, 2]):.2f}"


def test_python_numbers():
    for make in (nf.constant, nf.Variable):
        assert bool(make(1)) is True and bool(make([0.0])) is False and not make(0)
        assert float(make(2)) == 2.0 and int(make(-2.7)) == -2 and complex(make(1.0)) == 1
        assert make(1.0).numpy().item() == 1.0
        assert [10, 20, 30][make(1)] == 20 and list(range(make(3))) == [0, 1, 2]
        assert math.sqrt(make(4.0)) == 2
    with pytest.raises(ValueError, match=r"bool\(\) takes a tensor with one element, got shape \(2,\)"):
        bool(nf.constant([1, 2]))
    for convert in (float, int):
        with pytest.raises(TypeError, match="one element"):
            convert(nf.constant([1.0, 2.0]))
    for value in (3.0, [3], True):
        with pytest.raises(TypeError, match="only scalar integer tensors"):
            operator.index(nf.constant(value))


def test_length_and_iteration():
    x = nf.constant([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    assert [row.numpy().tolist() for row in x] == [[1, 2], [3, 4]]
    a, b = x[0]
    assert (float(a), float(b)) == (1, 2)
    assert all(type(row) is nf.Tensor for row in nf.Variable(x))
    assert {k: float(v) for k, v in zip("ab", x[1])} == {"a": 3, "b": 4}
    assert float(max(x[0])) == 2 and [float(v) for v in sorted(x[1], key=lambda t: -float(t))] == [4, 3]
    with pytest.raises(TypeError, match="Cannot iterate over a scalar tensor"):
        iter(nf.constant(1))
    with pytest.raises(TypeError, match=r"no `len\(\)`"):
        len(nf.constant(1))


def test_copies_and_pickles():
    x = nf.constant([[1.0, 2.0], [3.0, 4.0]])
    for twin in (
        copy.copy(x),
        copy.deepcopy(x),
        pickle.loads(pickle.dumps(x)),
        pickle.loads(pickle.dumps(x[:, ::-1][:, ::-1])),
    ):
        assert twin.dtype == x.dtype
        np.testing.assert_array_equal(twin.numpy(), x.numpy())


def test_properties():
    x = nf.zeros([2, 3])
    assert x.shape == [2, 3] == x.get_shape() and x.ndim == x.shape.rank == 2 and x.shape[-1:] == [3]
    assert x.dtype == nf.float32 and x.dtype == np.float32 and x.dtype == "float32"
    assert x.device == "/job:localhost/replica:0/task:0/device:CPU:0"
    for name in ("T", "reshape", "astype", "no_such_thing"):
        assert not hasattr(x, name)
    with pytest.raises(TypeError):
        nf.Tensor([1, 2])
