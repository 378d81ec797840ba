"""SparseTensor: what it holds, errors, and as an argument and a result of functions."""

import numpy as np
import pytest

import nbflow as nf


def sparse(values=(5.0, 7.0)):
    return nf.SparseTensor([[0, 1], [1, 0]], list(values), [2, 3])


def test_parts():
    s = sparse()
    assert (s.dtype, s.indices.dtype, s.dense_shape.dtype) == (nf.float32, nf.int64, nf.int64)
    assert s.shape == s.get_shape() == (2, 3)
    assert repr(s).startswith("SparseTensor(indices=")
    assert s.with_values([1, 2]).dtype is nf.int32
    assert nf.sparse.SparseTensor is nf.SparseTensor


def test_through_functions():
    @nf.function
    def doubled(s):
        return s.with_values(2 * s.values), nf.sparse.to_dense(s)

    twice, dense = doubled(sparse())
    assert isinstance(twice, nf.SparseTensor)
    np.testing.assert_array_equal(twice.values, [10, 14])
    np.testing.assert_array_equal(dense, [[0, 5, 0], [7, 0, 0]])


def test_size_that_values_decide():
    back = nf.function(lambda x: nf.sparse.reorder(nf.sparse.from_dense(x)))(nf.constant([[0, 3], [4, 0]]))
    np.testing.assert_array_equal(back.indices, [[0, 1], [1, 0]])
    np.testing.assert_array_equal(back.values, [3, 4])
    np.testing.assert_array_equal(back.dense_shape, [2, 2])


def test_gradient_flows_to_values():
    values = nf.constant([5.0, 7.0])
    with nf.GradientTape() as tape:
        tape.watch(values)
        total = nf.reduce_sum(nf.sparse.to_dense(sparse().with_values(values)) * [[1.0, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(tape.gradient(total, values), [2, 4])


@pytest.mark.parametrize(
    ("indices", "values", "shape"),
    [([[0], [1]], [1, 2, 3], [5]), ([[0], [1]], [1, 2], [5, 5]), ([0, 1], [1, 2], [5]), ([[0.5]], [1], [5])],
)
def test_parts_that_do_not_fit(indices, values, shape):
    with pytest.raises((ValueError, TypeError), match="SparseTensor"):
        nf.SparseTensor(indices, values, shape)


@pytest.mark.parametrize(("indices", "why"), [([[0, 1], [0, 1]], "repeated"), ([[1, 0], [0, 1]], "out of order")])
def test_indices_that_are_not_in_order(indices, why):
    s = nf.SparseTensor(indices, [1, 2], [2, 3])
    with pytest.raises(nf.errors.InvalidArgumentError, match=why):
        nf.sparse.to_dense(s)
    nf.sparse.to_dense(s, validate_indices=False)


def test_index_out_of_range():
    with pytest.raises(nf.errors.InvalidArgumentError, match="out of bounds"):
        nf.sparse.to_dense(nf.SparseTensor([[2, 0]], [1], [2, 3]))
    with pytest.raises(TypeError, match="must be a SparseTensor"):
        nf.sparse.to_dense([1, 2])
