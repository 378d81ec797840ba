"""What becomes which tensor: dtypes and shapes as TensorFlow gives them."""

import numpy as np
import pytest

import nbflow as nf

INF = float("inf")


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        (1, "int32", ()),
        (1.5, "float32", ()),
        (True, "bool", ()),
        (2**31, "int64", ()),
        (-(2**63), "int64", ()),
        (INF, "float32", ()),
        ([1, 2], "int32", (2,)),
        ([1, 2.5], "float32", (2,)),
        ([1, True], "int32", (2,)),
        ([2**31, 1], "int64", (2,)),
        ((1, 2, 3), "int32", (3,)),
        ([[True], [False]], "bool", (2, 1)),
        (range(4), "int32", (4,)),
        ([], "float32", (0,)),
        ([[], []], "float32", (2, 0)),
        (np.float64(3), "float64", ()),
        (np.int64(3), "int64", ()),
        (np.arange(3), "int64", (3,)),
        (np.zeros((0, 3), np.float32), "float32", (0, 3)),
        (np.array([1.0], ">f4"), "float32", (1,)),
        (np.ma.array([1.0, 2.0]), "float64", (2,)),
        ([np.float64(1), 2.0], "float64", (2,)),
        ([2.0, np.float64(1)], "float32", (2,)),
        ([np.int64(2), 1.5], "float32", (2,)),
        ([np.int64(2), 1], "int32", (2,)),
        ([np.array([1.0, 2.0]), np.array([3.0, 4.0])], "float64", (2, 2)),
        ([np.bool_(True), False], "bool", (2,)),
    ],
)
def test_natural_dtype(value, dtype, shape):
    tensor = nf.constant(value)
    assert (tensor.dtype.name, tensor.shape) == (dtype, shape)
    np.testing.assert_array_equal(tensor.numpy(), np.asarray(value))


@pytest.mark.parametrize(
    ("value", "dtype", "wanted"),
    [
        (1, "float64", 1.0),
        (True, "float32", 1.0),
        (True, "int32", 1),
        ([True, False], "float32", [1.0, 0.0]),
        ([1, 2], "uint8", [1, 2]),
        ([[]], "int32", [[]]),
        (np.array([1.5, 2.5]), "int32", [1, 2]),
        (np.float64(1.5), "int32", 1),
        (np.array([1, 0]), "bool", [True, False]),
        (np.array([1e300]), "float32", [INF]),
        (1e300, "float32", INF),
        ([-1e300], "float32", [-INF]),
        (2**63, "float32", 2.0**63),
    ],
)
def test_asked_dtype(value, dtype, wanted):
    tensor = nf.constant(value, dtype)
    assert tensor.dtype.name == dtype
    np.testing.assert_array_equal(tensor.numpy(), np.array(wanted, dtype))


@pytest.mark.parametrize(
    ("value", "dtype", "error"),
    [
        (1.5, "int32", TypeError),
        ([1.5, 2], "int32", TypeError),
        (1, "bool", TypeError),
        (2**40, "int32", ValueError),
        ([1, 2**40], "int32", ValueError),
        (300, "uint8", ValueError),
        (-1, "uint8", ValueError),
        (2**63, None, ValueError),
        ([1, 2**70], None, ValueError),
        (1e300, None, ValueError),
        ([1e300], None, ValueError),
        ([True, 2.0], None, ValueError),
        ([[1, 2], [3]], None, ValueError),
        ([1, None], None, ValueError),
        (None, None, ValueError),
        ([1, "a"], None, ValueError),
        ({1: 2}, None, ValueError),
        (object(), None, ValueError),
        (1 + 2j, nf.float32, TypeError),
        (1, "floaty", TypeError),
    ],
)
def test_what_is_no_tensor(value, dtype, error):
    with pytest.raises(error):
        nf.constant(value, dtype)


def test_constant_with_a_shape():
    np.testing.assert_array_equal(nf.constant([1, 2, 3, 4], shape=(2, 2)), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(nf.constant(7, shape=(2, 2)), [[7, 7], [7, 7]])
    np.testing.assert_array_equal(nf.constant([7], shape=(2,)), [7, 7])
    with pytest.raises(TypeError, match="constant: value has 3 elements and shape .2, 2. takes 4"):
        nf.constant([1, 2, 3], shape=(2, 2))


def test_tensors_within_lists_are_joined():
    x = nf.constant(1.0)
    np.testing.assert_array_equal(nf.convert_to_tensor([[x, 2], [3, x]]), [[1, 2], [3, 1]])
    np.testing.assert_array_equal(nf.convert_to_tensor([nf.Variable(1.0), 2]), [1, 2])
    np.testing.assert_array_equal(nf.convert_to_tensor([nf.constant([1.0, 2.0]), [3, 4]]), [[1, 2], [3, 4]])
    for parts in ([nf.constant([1.0]), nf.constant([1.0, 2.0])], [x, nf.constant(1)]):
        with pytest.raises(nf.errors.InvalidArgumentError, match="dtypes and shapes are equal"):
            nf.convert_to_tensor(parts)


def test_hint_is_taken_where_it_fits():
    assert nf.convert_to_tensor(1, dtype_hint=nf.float64).dtype == nf.float64
    assert nf.convert_to_tensor(1.5, dtype_hint=nf.int32).dtype == nf.float32
    with pytest.raises(ValueError, match="requested dtype float64"):
        nf.convert_to_tensor(nf.constant(1.0), nf.float64)


def test_tensors_and_variables_convert_without_a_copy_of_their_own():
    x = nf.constant([1, 2])
    assert nf.constant(x) is x
    v = nf.Variable([1.0, 2.0])
    taken = nf.convert_to_tensor(v)
    v.assign([3.0, 4.0])
    np.testing.assert_array_equal(taken, [1, 2])


def test_arrays_are_copied():
    for make in (nf.constant, nf.Variable, nf.convert_to_tensor):
        array = np.array([1.0, 2.0])
        tensor = make(array)
        array[0] = 9
        np.testing.assert_array_equal(tensor.numpy(), [1, 2])


def test_arrays_of_any_layout():
    base = np.arange(24).reshape(2, 3, 4)
    for array in (base.T, base[:, ::-1], base[1, :, ::2], np.broadcast_to(base[0, 0], (5, 4)), np.asfortranarray(base)):
        np.testing.assert_array_equal(nf.constant(array).numpy(), array)


def test_equal_numbers_are_tensors_of_their_own():
    """A tape tells tensors apart by identity, so a cache of numbers must not be seen."""
    assert nf.constant(3.0) is not nf.constant(3.0)
    x = nf.constant(3.0)
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = x * 3.0
    assert float(tape.gradient(y, x)) == 3


def test_signed_zeros_and_nan_survive_the_cache_of_numbers():
    one = nf.constant(1.0)
    assert np.signbit((one * -0.0).numpy()) and not np.signbit((one * 0.0).numpy())
    assert np.isnan((one * float("nan")).numpy())


def test_is_tensor():
    assert nf.is_tensor(nf.constant(1)) and nf.is_tensor(nf.Variable(1))
    assert not nf.is_tensor(1) and not nf.is_tensor(np.zeros(2))
