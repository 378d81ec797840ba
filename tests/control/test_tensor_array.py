"""TensorArray: reading, writing, and what it refuses, eagerly, in a trace, and where an index is a tensor."""

import numpy as np
import pytest

import nbflow as nf

MODES = pytest.mark.parametrize("mode", ["eager", "traced"])


def run(mode, function, *arguments):
    return nf.function(function)(*arguments) if mode == "traced" else function(*arguments)


def array(**options):
    return nf.TensorArray(nf.float32, **{"size": 3} | options)


def values(tensor, wanted):
    np.testing.assert_array_equal(tensor.numpy(), wanted)


@MODES
def test_what_is_written_is_read(mode):
    values(run(mode, lambda: array().write(0, 1.0).write(2, 3.0).stack()), [1, 0, 3])
    values(run(mode, lambda: array().write(0, [1.0, 2.0]).read(0)), [1, 2])
    values(run(mode, lambda: array().write(0, [1.0, 2.0]).read(1)), [0, 0])
    values(run(mode, lambda: array(element_shape=[2]).stack()), np.zeros([3, 2]))
    values(run(mode, lambda: array(size=0, element_shape=[2]).stack()), np.zeros([0, 2]))


@MODES
def test_numbers_that_are_tensors(mode):
    def program(k):
        a = array(clear_after_read=False).write(k, 5.0).write(k - 1, 4.0)
        return a.read(k) + a.read(k - 1), a.stack(), a.size()

    total, stacked, size = run(mode, program, nf.constant(2))
    assert total.numpy() == 9.0 and size.numpy() == 3 and size.dtype is nf.int32
    values(stacked, [0, 4, 5])


@MODES
def test_one_that_grows(mode):
    def program(k):
        a = array(size=0, dynamic_size=True)
        for number in range(3):
            a = a.write(k + number, nf.cast(k, nf.float32) * [1.0, 2.0])
        return a.stack(), a.size(), a.read(k)

    stacked, size, row = run(mode, program, nf.constant(1))
    values(stacked, [[0, 0], [1, 2], [1, 2], [1, 2]])
    values(row, [1, 2])
    assert size.numpy() == 4
    values(run(mode, lambda: array(dynamic_size=True).write(4, 1.0).stack()), [0, 0, 0, 0, 1])


@MODES
def test_unstack_gather_scatter_split_concat(mode):
    x = nf.constant([1.0, 2.0, 3.0])
    values(run(mode, lambda: array().unstack(x).gather([2, 0])), [3, 1])
    values(run(mode, lambda k: array().unstack(x).gather(k), nf.constant([1, 1])), [2, 2])
    values(run(mode, lambda: array().scatter([2, 0], [1.0, 2.0]).stack()), [2, 0, 1])
    values(run(mode, lambda k: array().scatter(k, [1.0, 2.0]).stack(), nf.constant([2, 0])), [2, 0, 1])
    values(run(mode, lambda k: array(dynamic_size=True).scatter(k, [1.0]).stack(), nf.constant([4])), [0, 0, 0, 0, 1])
    values(run(mode, lambda: array(size=2, infer_shape=False).split(x, [1, 2]).read(1)), [2, 3])
    values(run(mode, lambda: array(size=2, infer_shape=False).split(x, [1, 2]).concat()), [1, 2, 3])
    values(run(mode, lambda: array(size=2).unstack([[1.0, 2.0], [3.0, 4.0]]).concat()), [1, 2, 3, 4])
    values(run(mode, lambda: array().unstack(x).identity().stack()), [1, 2, 3])


def test_writing_changes_the_array_eagerly_and_not_in_a_trace():
    def program():
        a = array()
        a.write(0, 1.0)
        return a.write(1, 2.0).stack()

    values(program(), [1, 2, 0])
    values(nf.function(program)(), [0, 2, 0])


def test_reading_clears_eagerly():
    a = array().unstack([1.0, 2.0, 3.0])
    a.read(1)
    with pytest.raises(nf.errors.InvalidArgumentError, match="twice"):
        a.read(1)
    a.write(1, 7.0)
    assert a.read(1).numpy() == 7.0
    kept = array(clear_after_read=False).unstack([1.0, 2.0, 3.0])
    assert kept.read(1).numpy() == kept.read(1).numpy()


@MODES
@pytest.mark.parametrize(
    ("use", "error", "match"),
    [
        (lambda: array().write(5, 1.0), nf.errors.OutOfRangeError, "write to index 5.*size is: 3"),
        (lambda: array().write(-1, 1.0), nf.errors.OutOfRangeError, "negative"),
        (lambda: array().write(0, 1.0).read(5), nf.errors.OutOfRangeError, "read from index 5.*size is: 3"),
        (lambda: array().write(0, 1.0).read(-1), nf.errors.OutOfRangeError, "negative"),
        (lambda: array().read(0), ValueError, "never written"),
        (lambda: array().stack(), ValueError, "never written"),
        (lambda: array().write(0, nf.constant(1)), nf.errors.InvalidArgumentError, "float32.*int32"),
        (lambda: array().write(0, [1.0]).write(1, [1.0, 2.0]), ValueError, "Incompatible shape"),
        (lambda: array(element_shape=[2]).write(0, [1.0]), ValueError, "Incompatible shape"),
        (lambda: array().unstack([1.0] * 4), ValueError, "Cannot unstack 4"),
        (lambda: array().split([1.0, 2.0], [1, 2, 3]), nf.errors.InvalidArgumentError, "sum of lengths is 6"),
        (lambda: array().split([1.0, 2.0], [1, 1]), nf.errors.InvalidArgumentError, "not equal"),
        (lambda: array(size=1).write(0, 1.0).concat(), nf.errors.InvalidArgumentError, "scalar"),
        (lambda: nf.TensorArray(nf.float32), ValueError, "size"),
        (lambda: array(flow=nf.constant(1.0)), ValueError, "flow"),
        (lambda: array().grad("source"), NotImplementedError, "GradientTape"),
    ],
)
def test_what_it_refuses(mode, use, error, match):
    with pytest.raises(error, match=match):
        run(mode, lambda: use() and nf.constant(0))


@pytest.mark.parametrize("dynamic", [False, True])
def test_indices_out_of_range_that_only_a_run_tells(dynamic):
    read = nf.function(lambda k: array(dynamic_size=dynamic, element_shape=[]).write(0, 1.0).read(k))
    assert read(nf.constant(0)).numpy() == 1.0
    with pytest.raises(nf.errors.InvalidArgumentError):
        read(nf.constant(3))
    write = nf.function(lambda k: array(element_shape=[]).write(k, 1.0).stack())
    with pytest.raises(nf.errors.InvalidArgumentError):
        write(nf.constant(3))


def test_one_that_a_function_returns():
    found = nf.function(lambda k: array(dynamic_size=True).write(k, 1.0))(nf.constant(3))
    values(found.stack(), [0, 0, 0, 1])
    assert found.read(3).numpy() == 1.0 and found.size().numpy() == 4


def test_what_is_known_of_it():
    a = array(element_shape=[None, 2])
    assert (a.dtype, a.dynamic_size, a.element_shape, a.handle) == (nf.float32, False, (None, 2), None)
    assert a.write(0, nf.ones([3, 2])).element_shape == (3, 2)
    a.close()
    assert a.size().numpy() == 0


def test_a_structure_of_arrays_is_not_taken_apart():
    arrays = {"a": array().unstack([1.0, 2.0, 3.0])}
    assert nf.nest.flatten(arrays) == [arrays["a"]]
