"""Every form of x[...] against NumPy, on tensors, Variables and in traced functions."""

import numpy as np
import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError

A = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
KEYS = [
    0, -1, (1, 2), (1, 2, 3), (slice(None), 1), (..., 1), (0, ..., 1), (slice(None), slice(None, None, -1)),
    (slice(None), slice(None), slice(1, 3)), (slice(None), slice(None), slice(-2, None)),
    (slice(None, None, -1), slice(None, None, 2), slice(None, None, -2)), (slice(None), None), None, (..., None),
    (None, 0, ..., None), slice(1, 1), slice(5, None), (slice(None), slice(10, 0, -1)), ..., (), np.int64(1),
    (slice(np.int32(0), np.int64(1)), -2), (None, None, slice(0, 2), None, -1), (0, slice(-100, 100)),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_as_numpy(key):
    wanted = A[key]
    compiled = nf.function(lambda x: x[key])
    for tensor in (nf.constant(A), nf.transpose(nf.constant(np.ascontiguousarray(A.T)))):
        for found in (tensor[key], compiled(tensor)):
            assert found.shape == wanted.shape
            np.testing.assert_array_equal(found.numpy(), wanted)
    np.testing.assert_array_equal(nf.Variable(A)[key].numpy(), wanted)


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_gradient(key):
    x = nf.Variable(A.astype(np.float32))
    with nf.GradientTape() as tape:
        y = nf.reduce_sum(nf.square(x[key]))
    wanted = np.zeros(A.shape, np.float32)
    wanted[key] = 2 * A[key]
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), wanted)


def test_chains_of_slices_are_views_of_views():
    x = nf.constant(A)
    np.testing.assert_array_equal(x[:, ::-1][1:, 1:][..., ::2][0], A[:, ::-1][1:, 1:][..., ::2][0])
    np.testing.assert_array_equal(nf.reshape(x[:, ::2], [-1])[3:7], A[:, ::2].reshape(-1)[3:7])


def test_indexed_by_tensors():
    x = nf.range(10)
    two = nf.constant(2)
    assert int(x[two]) == int(x[nf.Variable(2)]) == 2 and int(x[nf.constant(-1)]) == 9
    np.testing.assert_array_equal(x[two : nf.constant(5)], [2, 3, 4])
    np.testing.assert_array_equal(x[: nf.Variable(2)], [0, 1])


def test_traced_indices():
    x = nf.constant(A)
    pick = nf.function(lambda i, j: (x[i], x[i, j], x[:, j, 1:], x[i, ..., None], x[None, i], x[i][j]))
    for i, j in ((0, 1), (1, 2), (-1, -3)):
        wanted = A[i], A[i, j], A[:, j, 1:], A[i, ..., None], A[None, i], A[i][j]
        for found, w in zip(pick(nf.constant(i), nf.constant(j)), wanted, strict=True):
            np.testing.assert_array_equal(found.numpy(), w)
    assert pick.experimental_get_tracing_count() == 1
    with pytest.raises(InvalidArgumentError, match="indices has 2, which is out of range"):
        pick(nf.constant(2), nf.constant(0))


def test_gradient_of_a_traced_index():
    x = nf.Variable([1.0, 2.0, 3.0])

    @nf.function
    def f(i):
        with nf.GradientTape() as tape:
            y = x[i] ** 2
        return tape.gradient(y, x)

    np.testing.assert_array_equal(f(nf.constant(1)), [0, 4, 0])
    np.testing.assert_array_equal(f(nf.constant(-1)), [0, 0, 6])


@pytest.mark.parametrize(
    "key",
    [
        slice(None, 2), slice(-2, None), slice(1, None), slice(None, -1), slice(1, -1), slice(None, None, -1),
        slice(None, None, 2), slice(1, None, 2), slice(-3, -1), slice(2, 1), slice(None, 100), slice(-100, None),
        slice(-1, -3), slice(3, -3, 3), slice(1, 100, 3),
    ],
    ids=repr,
)  # fmt: skip
def test_slices_of_unknown_size(key):
    traces = []

    @nf.function(input_signature=[nf.TensorSpec([None], nf.float32)])
    def part(x):
        traces.append(1)
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = nf.reduce_sum(x[key] ** 2)
        return x[key], tape.gradient(y, x)

    for size in (0, 1, 2, 3, 4, 5, 9):
        x = np.arange(1, size + 1, dtype=np.float32)
        found, gradient = part(x)
        np.testing.assert_array_equal(found.numpy(), x[key])
        wanted = np.zeros(size, np.float32)
        wanted[key] = 2 * x[key]
        np.testing.assert_array_equal(gradient.numpy(), wanted)
    assert len(traces) == 1


def test_index_of_unknown_size():
    ends = nf.function(lambda x: (x[0], x[-1], x[3]), input_signature=[nf.TensorSpec([None], nf.int32)])
    assert [int(t) for t in ends([1, 2, 3, 4])] == [1, 4, 4]
    for values in ([], [1], [1, 2, 3]):
        with pytest.raises(InvalidArgumentError, match="out of bounds"):
            ends(np.array(values, np.int32))


def test_sizes_of_tensors_as_bounds():
    halves = nf.function(
        lambda x: (x[: nf.shape(x)[0] // 2], x[nf.shape(x)[0] // 2 :], x[nf.size(x) - 1]),
        input_signature=[nf.TensorSpec([None], nf.int32)],
    )
    for size in (1, 2, 5):
        x = np.arange(size, dtype=np.int32)
        for found, wanted in zip(halves(x), (x[: size // 2], x[size // 2 :], x[-1]), strict=True):
            np.testing.assert_array_equal(found.numpy(), wanted)


def test_masks():
    x = nf.Variable([[1.0, 2.0], [3.0, 4.0]])
    with nf.GradientTape() as tape:
        y = nf.reduce_sum(x[x > 1.5] ** 2)
    np.testing.assert_array_equal(tape.gradient(y, x), [[0, 4], [6, 8]])
    np.testing.assert_array_equal(x[nf.constant([True, False])], [[1, 2]])
    np.testing.assert_array_equal(x[np.array([False, True])], [[3, 4]])
    np.testing.assert_array_equal(nf.boolean_mask(x, [True, False], axis=1), [[1], [3]])
    assert nf.boolean_mask([1, 2], [False, False]).shape == [0]
    with pytest.raises(ValueError, match=r"boolean_mask: mask has shape \(3,\)"):
        x[nf.constant([True, False, True])]
    np.testing.assert_array_equal(nf.function(lambda t: t[t > 0] * 2)(nf.constant([1.0, -1.0, 3.0])), [2, 6])


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        (10, InvalidArgumentError, "slice index 10 of axis 0 is out of bounds for size 10"),
        (-11, InvalidArgumentError, "slice index -11 of axis 0 is out of bounds for size 10"),
        ((1, 2), InvalidArgumentError, r"2 indices for a tensor of shape \(10,\)"),
        ((..., ...), InvalidArgumentError, "more than one Ellipsis"),
        (slice(None, None, 0), InvalidArgumentError, "the step of axis 0 is 0"),
        (1.0, TypeError, "1.0 is a float"),
        ("a", TypeError, "'a' is a str"),
        ([[1]], TypeError, "is a list"),
        (True, TypeError, "a bool is no index"),
        (slice(1.5, 3), TypeError, "the bound 1.5 of axis 0 is a float"),
        (np.array([1, 2]), TypeError, "ndarray"),
    ],
    ids=repr,
)
def test_bad_keys(key, error, message):
    for tensor in (nf.range(10), nf.Variable(nf.range(10))):
        with pytest.raises(error, match=message):
            tensor[key]
    with pytest.raises(error, match=message):
        nf.function(lambda x: x[key])(nf.range(10))


@pytest.mark.parametrize("start", [-12, -3, 0, 2, 10, 12])
def test_bounds_that_are_traced(start):
    x = nf.range(10)
    for size in (10, None):
        signature = [nf.TensorSpec([size], nf.int32), nf.TensorSpec([], nf.int32)]
        parts = nf.function(lambda x, i: (x[i:], x[:i], x[3:i]), input_signature=signature)(x, nf.constant(start))
        for part, wanted in zip(parts, (x[start:], x[:start], x[3:start]), strict=True):
            np.testing.assert_array_equal(part, wanted)


@pytest.mark.parametrize("size", [0, 1, 2, 5])
@pytest.mark.parametrize("key", [slice(*ends, step) for step in (-1, -2) for ends in [(None, None), (-1, None), (3, 0),
    (None, -3), (-2, 0), (8, 1), (None, 9)]], ids=repr)  # fmt: skip
def test_backwards_along_an_axis_of_unknown_size(key, size):
    x = nf.range(size)
    found = nf.function(lambda x: x[key], input_signature=[nf.TensorSpec([None], nf.int32)])(x)
    np.testing.assert_array_equal(found, x.numpy()[key])


def test_bad_tensor_keys():
    x = nf.range(10)
    for key in (nf.constant([1, 2]), nf.constant(1.0)):
        with pytest.raises(TypeError, match="is no index; indices are integers"):
            x[key]
    with pytest.raises(InvalidArgumentError, match="the step of axis 0 is a tensor of the trace"):
        nf.function(lambda i: x[::i])(nf.constant(1))
    with pytest.raises(InvalidArgumentError, match=r"1 indices for a tensor of shape \(\)"):
        nf.constant(1)[0]
