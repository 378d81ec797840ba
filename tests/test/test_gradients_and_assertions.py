"""nf.test: compute_gradient and the assertions of TestCase."""

import numpy as np
import pytest

import nbflow as nf


def test_jacobians_by_rules_and_by_differences():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3)), rng.normal(size=(3, 1))
    theoretical, numerical = nf.test.compute_gradient(nf.matmul, [a, b])
    assert [j.shape for j in theoretical] == [(2, 6), (2, 3)] and theoretical[0].dtype == np.float64
    for one, two in zip(theoretical, numerical, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(theoretical[1], a)


def test_complex_numbers_are_two_reals_each():
    z = np.array([1 + 1j], np.complex64)
    theoretical, numerical = nf.test.compute_gradient(lambda z: z * nf.constant(1 + 2j, nf.complex64), [z])
    np.testing.assert_allclose(theoretical[0], [[1, -2], [2, 1]])
    np.testing.assert_allclose(numerical[0], [[1, -2], [2, 1]], atol=1e-3)


def test_sparse_missing_and_empty_gradients():
    rows, _ = nf.test.compute_gradient(lambda x: nf.gather(x, [0, 0]), [[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(rows[0], [[1, 0, 0], [1, 0, 0]])
    stopped, moving = nf.test.compute_gradient(nf.stop_gradient, [[1.0, 2.0]])
    np.testing.assert_array_equal(stopped[0], np.zeros((2, 2)))
    np.testing.assert_allclose(moving[0], np.eye(2))
    assert nf.test.compute_gradient(nf.square, [np.zeros((0,), np.float32)])[1][0].shape == (0, 0)


def test_misuse():
    with pytest.raises(ValueError, match="it takes a list or tuple"):
        nf.test.compute_gradient(nf.sin, 1.0)
    with pytest.raises(AssertionError, match="unsupported type int32 of argument 0"):
        nf.test.compute_gradient(nf.square, [1])


class Example(nf.test.TestCase):
    def runTest(self):
        """unittest asks for a method of this name."""


NAN = float("nan")
HOLDS = [
    ("assertAllClose", nf.constant([1.0, NAN]), [1.0 + 1e-7, NAN]),
    ("assertAllClose", {"a": [nf.constant(1.0), np.ones(2)]}, {"a": (1.0, [1.0, 1.0])}),
    ("assertAllCloseAccordingToType", nf.constant(1.0, nf.float16), 1.0009),
    ("assertNotAllClose", [1.0], [1.1]),
    ("assertAllEqual", nf.constant([[1, 2]]), [[1, 2]]),
    ("assertAllEqual", [NAN], [NAN]),
    ("assertNotAllEqual", [1, 2], [1, 3]),
    ("assertAllGreater", nf.constant([2, 3]), 1),
    ("assertAllLess", [2, 3], 4),
    ("assertAllGreaterEqual", [2, 3], 2),
    ("assertAllLessEqual", [2, 3], 3),
    ("assertAllInRange", [0.0, 1.0], 0, 1),
    ("assertAllInSet", [1, 2, 1], {1, 2}),
    ("assertNear", 1.0, 1.05, 0.1),
    ("assertArrayNear", [1.0], [1.05], 0.1),
    ("assertNDArrayNear", np.ones(2), np.ones(2), 0.1),
    ("assertShapeEqual", np.ones((2, 3)), nf.zeros([2, 3])),
    ("assertDTypeEqual", nf.constant([1.0]), np.float32),
]
FAILS = [
    ("assertAllClose", [1.0], [1.1]),
    ("assertAllClose", [1.0], [1.0, 1.0]),
    ("assertNotAllClose", [1.0], [1.0]),
    ("assertAllEqual", [1], [2]),
    ("assertNotAllEqual", [1], [1]),
    ("assertAllGreater", [2, 3], 2),
    ("assertAllInRange", [0.0, NAN], 0, 1),
    ("assertAllInRange", [0.0], 0, 1, True),
    ("assertAllInRange", [True], 0, 1),
    ("assertAllInSet", [1, 3], {1, 2}),
    ("assertNear", 1.0, 1.2, 0.1),
    ("assertShapeEqual", np.ones(2), np.ones(3)),
]


@pytest.mark.parametrize("case", HOLDS, ids=lambda case: case[0])
def test_assertions_that_hold(case):
    name, *arguments = case
    getattr(Example(), name)(*arguments)


@pytest.mark.parametrize("case", FAILS, ids=lambda case: case[0])
def test_assertions_that_fail(case):
    name, *arguments = case
    with pytest.raises(AssertionError):
        getattr(Example(), name)(*arguments)


def test_structures_that_differ():
    with pytest.raises(ValueError, match="dict to non-dict"):
        Example().assertAllClose({"a": 1.0}, [1.0])
    assert Example().evaluate({"a": [nf.constant(1.0)]}) == {"a": [1.0]}
