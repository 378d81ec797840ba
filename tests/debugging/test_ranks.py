"""Assertions on ranks and shapes; their words are in test_comparisons."""

import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError

UNKNOWN = [nf.TensorSpec([None]), nf.TensorSpec([None, None])]


@pytest.mark.parametrize("traced", [False, True])
def test_ranks(traced):
    d = nf.debugging

    def f(x):
        d.assert_rank(x, 2)
        d.assert_rank(x, nf.constant(2))
        d.assert_rank_at_least(x, 1)
        d.assert_rank_in(x, [0, 2])
        d.assert_scalar(x[0, 0])
        d.assert_shapes(
            [(x, ("N", 3)), (x, (2, "M")), (x, "NM"), (x, (None, ".")), (x, (..., 3)), (x[0, 0], ()), (1, None)]
        )

    (nf.function(f) if traced else f)(nf.zeros([2, 3]))


def test_sparse_tensors():
    sparse = nf.SparseTensor([[0, 1]], [5.0], [2, 3])
    nf.debugging.assert_rank(sparse, 2)
    nf.debugging.assert_shapes([(sparse, ("N", "M")), (nf.zeros([3]), ("M",))])
    nf.debugging.assert_type(sparse, nf.float32)
    with pytest.raises(ValueError, match="must have size 3"):
        nf.debugging.assert_shapes([(sparse, (3, "M"))])


def test_ranks_that_a_trace_does_not_know():
    f = nf.function(lambda x, rank: nf.debugging.assert_rank(x, rank, message="m"))
    f(nf.zeros([2]), nf.constant(1))
    with pytest.raises(InvalidArgumentError, match=r"must have rank\] \[2\] \[Received rank 1\]"):
        f(nf.zeros([2]), nf.constant(2))


def test_rank_arguments():
    with pytest.raises(ValueError, match=r"Rank must be a scalar"):
        nf.debugging.assert_rank_in(nf.zeros([2]), [[1]])
    with pytest.raises(TypeError, match=r"assert_rank: rank must be of type nf.int32; got nf.float32"):
        nf.debugging.assert_rank(nf.zeros([2]), nf.constant(1.0))


@pytest.mark.parametrize(
    ("shapes", "good", "bad"),
    [
        ((("N",), ("N", 2)), ([5], [5, 2]), ([5], [4, 2])),
        ((("N",), ("M", "N")), ([5], [1, 5]), ([5], [5, 4])),
        (((3,), (..., 2)), ([3], [9, 2]), ([3], [9, 3])),
    ],
)
def test_sizes_that_a_trace_does_not_know(shapes, good, bad):
    def f(x, y):
        nf.debugging.assert_shapes([(x, shapes[0]), (y, shapes[1])])

    traced = nf.function(f, input_signature=UNKNOWN)
    for run in (f, traced):
        run(*map(nf.zeros, good))
    with pytest.raises(ValueError, match="must have size"):
        f(*map(nf.zeros, bad))
    with pytest.raises(InvalidArgumentError, match=r"\[must have size\] \[\d\]"):
        traced(*map(nf.zeros, bad))


def test_own_data_for_sizes():
    def f(x):
        nf.debugging.assert_shapes([(x, (3,))], data=["length", nf.shape(x)])

    with pytest.raises(InvalidArgumentError, match=r"assertion failed: \[length\] \[4\]"):
        nf.function(f, input_signature=UNKNOWN[:1])(nf.zeros([4]))


def test_shapes_that_are_none():
    with pytest.raises(ValueError, match="Specified shape must be an iterable"):
        nf.debugging.assert_shapes([(nf.zeros([2]), 3)])
