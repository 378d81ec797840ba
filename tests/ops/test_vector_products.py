"""Products of a vector and a small matrix, whose kernel is written for the number of columns."""

import numpy as np
import pytest

import nbflow as nf

rng = np.random.default_rng(0)


def integers(*shape):
    return rng.integers(-4, 5, size=shape)  # sums are exact in any order


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("columns", [4, 7, 8, 9, 15, 16, 31, 33, 40, 63, 64, 65])
def test_columns(columns, dtype):
    for inner in (2, 5, 20):
        a, b = integers(1, inner).astype(dtype), integers(inner, columns).astype(dtype)
        np.testing.assert_array_equal(nf.matmul(a, b), a @ b)
        np.testing.assert_array_equal(nf.linalg.matvec(b, a[0], transpose_a=True), b.T @ a[0])


def test_stacks():
    a, b = integers(2, 3, 5, 12).astype(np.float32), integers(2, 3, 5).astype(np.float32)
    np.testing.assert_array_equal(nf.linalg.matvec(a, b, transpose_a=True), np.einsum("...ij,...i", a, b))


def test_operands_with_gaps():
    a, b = nf.constant(integers(9, 30).astype(np.float32)), nf.constant(integers(9, 6).astype(np.float32))
    for x in (a[:, 3:17], a[:, ::2], a[1:, 1:25]):
        y = b[: x.shape[0], 2]
        np.testing.assert_array_equal(nf.linalg.matvec(x, y, transpose_a=True), x.numpy().T @ y.numpy())


def test_a_loop_has_its_matrix_by_columns():
    """A matrix that only meets vectors is turned before the loop; one that has other readers is not."""
    w, x = nf.constant(integers(8, 8).astype(np.float32) / 16), nf.constant(integers(4, 8).astype(np.float32))

    @nf.function
    def f(w, x, both):
        h, g = x[0], x[1]
        for row in x:
            h = nf.linalg.matvec(w, h) + row
            g = nf.matmul(g[None], w, transpose_b=True)[0] - (row + w[1] if both else row)
        return h, g

    for both in (False, True):
        h, g = x.numpy()[:2]
        for row in x.numpy():
            h, g = w.numpy() @ h + row, w.numpy() @ g - (row + w.numpy()[1] if both else row)
        for found, wanted in zip(f(w, x, both), (h, g), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-6)
