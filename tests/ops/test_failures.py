"""Bad values that only kernels see: one error that names the op, eager and traced, and nothing left behind."""

import numpy as np
import pytest

import nbflow as nf

DIVISIONS = [nf.math.floordiv, nf.math.floormod, nf.truncatediv]
INTEGERS = [np.int32, np.int64, np.uint8]


def eager(function, *inputs):
    return function(*inputs)


def traced(function, *inputs):
    return nf.function(lambda *xs: function(*xs))(*inputs)


def constant_in_trace(function, *inputs):
    return nf.function(lambda: function(*inputs))()


@pytest.mark.parametrize("run", [eager, traced, constant_in_trace])
@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("division", DIVISIONS)
def test_integer_division_by_zero(division, dtype, run):
    x = nf.constant(np.array([7, 8, 9], dtype))
    for zero in (np.array([2, 0, 3], dtype), np.array(0, dtype)):
        with pytest.raises(nf.errors.InvalidArgumentError, match="integer division by zero"):
            run(division, x, nf.constant(zero))
    assert run(division, x, nf.constant(np.array([2, 1, 3], dtype))).shape == (3,)


def test_division_by_zero_names_the_op():
    with pytest.raises(nf.errors.InvalidArgumentError, match="floor_mod: integer division by zero"):
        nf.constant([1, 2]) % 0


@pytest.mark.parametrize("division", DIVISIONS)
def test_nothing_is_divided_where_the_result_is_empty(division):
    assert division(np.zeros((0, 3), np.int64), np.zeros(1, np.int64)).shape == (0, 3)


@pytest.mark.parametrize("division", DIVISIONS)
def test_least_integer_by_minus_one_wraps(division):
    least = np.array([-(2**31), -(2**31) + 1], np.int32)
    found = division(least, np.array([-1, -1], np.int32)).numpy()
    expected = [0, 0] if division is nf.math.floormod else [-(2**31), 2**31 - 1]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("run", [eager, traced, constant_in_trace])
def test_negative_power_of_an_integer(run):
    with pytest.raises(nf.errors.InvalidArgumentError, match="negative integer powers"):
        run(nf.pow, nf.constant([2, 3]), nf.constant([1, -1]))
    np.testing.assert_array_equal(run(nf.pow, nf.constant([2, 3]), nf.constant([0, 3])).numpy(), [1, 27])


def test_division_by_a_known_number_is_not_checked():
    halves = nf.function(lambda x: x // 2)
    np.testing.assert_array_equal(halves(nf.constant([3, -3])).numpy(), [1, -2])
    assert "check" not in halves.kernels()


def test_checked_division_fuses_with_its_surroundings():
    function = nf.function(lambda x, y: (x + 1) // y * 2)
    np.testing.assert_array_equal(function(nf.constant([3, 8]), nf.constant([2, -3])).numpy(), [4, -6])
    assert function.kernels().count("def ") == 2


@pytest.mark.parametrize("run", [eager, traced])
@pytest.mark.parametrize("bad", [5, -1])
def test_gather_out_of_range(run, bad):
    with pytest.raises(nf.errors.InvalidArgumentError, match=f"gather: indices has {bad}, which is out of range"):
        run(nf.gather, nf.constant([1.0, 2.0]), nf.constant([0, bad]))


def test_a_failed_call_does_not_spoil_the_next():
    divide = nf.function(lambda x, y: x // y)
    x = nf.constant([4, 6])
    for _ in range(2):
        with pytest.raises(nf.errors.InvalidArgumentError, match="division by zero"):
            divide(x, nf.constant([1, 0]))
        np.testing.assert_array_equal(divide(x, nf.constant([2, 3])).numpy(), [2, 2])


def test_assigning_a_value_of_unknown_size():
    """The sizes are compared when they are known, before anything is written."""
    variable = nf.Variable(nf.zeros([3]))
    assign = nf.function(lambda x: variable.assign(x), input_signature=[nf.TensorSpec([None], nf.float32)])
    for size in (1, 2, 5):
        with pytest.raises(nf.errors.InvalidArgumentError, match=r"\(3,\)"):
            assign(nf.ones([size]))
    np.testing.assert_array_equal(variable.numpy(), [0, 0, 0])
    assign(nf.ones([3]))
    np.testing.assert_array_equal(variable.numpy(), [1, 1, 1])
