"""Tensors meet NumPy and other libraries: __array__, __array_priority__, DLPack."""

import math

import numpy as np
import pytest

import nbflow as nf

VALUES = [3.0, [1.0, 2.0], [[1, 2], [3, 4]], [True, False], np.zeros((2, 0)), np.arange(3)]


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("make", [nf.constant, nf.Variable])
def test_array(make, value):
    tensor = make(value)
    array = np.asarray(tensor)
    assert type(array) is np.ndarray and array.dtype == tensor.dtype.np
    np.testing.assert_array_equal(array, value)
    assert np.array(tensor, dtype=np.float64).dtype == np.float64
    assert np.asarray(tensor.numpy()).shape == tensor.shape
    with pytest.raises(ValueError, match="does not share its memory"):
        np.asarray(tensor, copy=False)


def test_arrays_are_the_callers_own():
    for tensor in (nf.constant([1.0, 2.0]), nf.Variable([1.0, 2.0])):
        for array in (np.asarray(tensor), tensor.numpy(), np.from_dlpack(nf.identity(tensor)).copy()):
            array[0] = 9
        np.testing.assert_array_equal(tensor.numpy(), [1, 2])


def test_numpy_functions_take_tensors():
    x = nf.constant([1.0, 4.0])
    assert np.sum(x) == 5 and np.float32(nf.constant(2.0)) == 2
    np.testing.assert_array_equal(np.sqrt(x), [1, 2])
    np.testing.assert_array_equal(np.concatenate([x, nf.Variable([5.0])]), [1, 4, 5])
    np.testing.assert_array_equal(np.stack([x, x]), [[1, 4], [1, 4]])
    np.testing.assert_array_equal(np.array([nf.constant(1.0), nf.constant(2.0)]), [1, 2])
    np.testing.assert_array_equal(np.dot(np.eye(2), x), [1, 4])
    assert np.allclose(x, [1, 4]) and np.mean(nf.constant([[1.0, 3.0]]), axis=1) == [2]


def test_tensors_go_into_arrays():
    array = np.zeros(3)
    array[0] = nf.constant(5.0)
    array[1:] = nf.constant([1.0, 2.0])
    np.testing.assert_array_equal(array, [5, 1, 2])
    total = array
    total += nf.constant([1.0, 1.0, 1.0], nf.float64)
    assert type(total) is nf.Tensor  # as in TensorFlow: the array leaves the sum to the tensor
    np.testing.assert_array_equal(array, [5, 1, 2])
    np.testing.assert_array_equal(total, [6, 2, 3])
    assert np.arange(5)[nf.constant(2) : nf.constant(4)].tolist() == [2, 3]


class OnlyDLPack:
    """What another library's tensor looks like."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "uint8", "bool"])
def test_dlpack_both_ways(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    tensor = nf.convert_to_tensor(OnlyDLPack(array.copy()))
    assert tensor.dtype.name == dtype
    np.testing.assert_array_equal(tensor.numpy(), array)
    for source in (
        tensor,
        nf.transpose(tensor),
        nf.Variable(tensor),
        nf.constant(1, dtype if dtype != "bool" else None),
    ):
        back = np.from_dlpack(source)
        assert back.dtype == source.dtype.np
        np.testing.assert_array_equal(back, source.numpy())
    assert tensor.__dlpack_device__() == (1, 0)


def test_dlpack_memory_is_not_shared():
    array = np.ones(3, np.float32)
    tensor = nf.convert_to_tensor(OnlyDLPack(array))
    array[0] = 9
    np.testing.assert_array_equal(tensor.numpy(), [1, 1, 1])
    exported = np.from_dlpack(tensor)
    assert exported.ctypes.data != tensor._ptr
    with pytest.raises(NotImplementedError, match=r"device \(2, 0\)"):
        tensor.__dlpack__(dl_device=(2, 0))


def test_symbolic_tensors_have_no_array():
    for use in (np.sin, np.asarray, lambda x: x.numpy(), math.sqrt):
        with pytest.raises(TypeError, match=r"test_protocols.py:\d+"):
            nf.function(lambda x, use=use: use(x))(nf.constant(1.0))
