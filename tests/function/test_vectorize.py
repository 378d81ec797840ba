"""vectorized_map: structures, captures, gradients, state; and Jacobians, which are made with it."""

import numpy as np
import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE

WAYS = {"eager": lambda f: f, "traced": nf.function}
X = np.arange(6, dtype=np.float32).reshape(3, 2)


@pytest.mark.parametrize("way", WAYS)
def test_structures_and_what_is_the_same_for_all(way):
    def example(a):
        x, y = a["xy"]
        return {"product": x * y, "rest": (nf.shape(x), 1.0, nf.zeros_like(y), None)}

    found = WAYS[way](lambda x: nf.vectorized_map(example, {"xy": (x, nf.ones([1, 2]) * 2.0)}))(nf.constant(X))
    np.testing.assert_array_equal(found["product"], X * 2)
    shape, one, zeros, none = found["rest"]
    assert shape.numpy().tolist() == [[2]] * 3 and one.numpy().tolist() == [1, 1, 1] and none is None
    np.testing.assert_array_equal(zeros, np.zeros((3, 2)))


@pytest.mark.parametrize("way", WAYS)
def test_gradients_within_and_through(way):
    w = nf.Variable([[1.0], [2.0]])

    def loss_gradient(row):
        with nf.GradientTape() as tape:
            loss = nf.reduce_sum(nf.square(nf.matmul(row[None], w)))
        return tape.gradient(loss, w)

    def run(x):
        with nf.GradientTape() as tape:
            rows = nf.vectorized_map(loss_gradient, x)
        return rows, tape.gradient(rows, w)

    rows, second = WAYS[way](run)(nf.constant(X))
    products = X @ [[1], [2]]
    np.testing.assert_allclose(rows[..., 0], 2 * products * X, rtol=1e-6)
    np.testing.assert_allclose(second[:, 0], 2 * (X.sum(1, keepdims=True) * X).sum(0), rtol=1e-6)


def test_variables():
    total = nf.Variable(1.0)

    def example(row):
        total.assign_add(1.0)
        return row * total

    np.testing.assert_array_equal(nf.vectorized_map(example, nf.constant(X)), X * 2)
    assert float(total) == 2
    with pytest.raises(ValueError, match="assigns another value to Variable"):
        nf.vectorized_map(lambda row: total.assign(row[0]), nf.constant(X))


def test_sizes_that_values_decide():
    rows = nf.constant([[1.0, 1.0, 2.0], [4.0, 3.0, 4.0]])
    found = nf.vectorized_map(lambda row: TABLE["unique"](row)[0], rows)
    assert found.numpy().tolist() == [[1, 2], [4, 3]]


def test_inside_itself_and_without_examples():
    found = nf.vectorized_map(lambda row: nf.vectorized_map(lambda a: a * row, row), nf.constant(X))
    np.testing.assert_array_equal(found, X[:, :, None] * X[:, None, :])
    assert nf.vectorized_map(lambda row: nf.reduce_sum(row * 2.0), nf.zeros([0, 2])).shape == [0]


@pytest.mark.parametrize(
    ("elements", "error"),
    [(1.0, IndexError), ([], IndexError), ((X, np.ones((2, 2), np.float32)), InvalidArgumentError)],
)
def test_misuse(elements, error):
    with pytest.raises(error, match="vectorized_map: elems"):
        nf.vectorized_map(lambda a: a, elements)


def test_an_open_batch_size():
    f = nf.function(
        lambda x: nf.vectorized_map(lambda row: nf.reduce_sum(row * row), x),
        input_signature=[nf.TensorSpec([None, 2], nf.float32)],
    )
    for count in (3, 1, 0):
        np.testing.assert_array_equal(f(X[:count]), (X[:count] ** 2).sum(1))


# --- Jacobians --------------------------------------------------------------------------------------------------------


def by_rows(function, x) -> np.ndarray:
    """The Jacobian from the gradients of single elements."""
    with nf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = function(x)
        elements = [y[index] for index in np.ndindex(*y.shape)]
    rows = [tape.gradient(e, x, unconnected_gradients="zero") for e in elements]
    return np.reshape([nf.convert_to_tensor(r).numpy() for r in rows], (*y.shape, *x.shape))


FUNCTIONS = {
    "products": lambda x: nf.matmul(x, x, transpose_b=True) * x[:, :1],
    "softmax": lambda x: nf.nn.softmax(x * 3.0),
    "reductions": lambda x: nf.reduce_max(x, 0) * nf.reduce_mean(x) + nf.reduce_prod(x + 1.0, 0),
    "moves": lambda x: nf.concat([nf.transpose(x)[::-1], nf.reshape(x, [2, 3])], 0)[1:, ::2] ** 2,
    "gather": lambda x: nf.gather(x, [0, 2, 0]) * nf.gather(x, [1, 1, 0], axis=1)[:, :2],
    "where": lambda x: nf.where(x > 2.0, x * x, nf.exp(-x)),
    "compiled": nf.function(lambda x: nf.sin(x) * nf.reduce_sum(x, 1, keepdims=True)),
    "one": lambda x: nf.reduce_sum(x**3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobian_and_hessian(name):
    function, x = FUNCTIONS[name], nf.constant(X * 0.5 + 0.25)

    def jacobian(x, persistent=False, **options):
        with nf.GradientTape(persistent) as tape:
            tape.watch(x)
            y = function(x)
        return tape.jacobian(y, x, **options)

    expected = by_rows(function, x)
    np.testing.assert_allclose(jacobian(x), expected, rtol=1e-5, atol=1e-6)
    looped = jacobian(x, persistent=True, experimental_use_pfor=False)
    np.testing.assert_allclose(looped, expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(RuntimeError, match="persistent=True"):
        jacobian(x, experimental_use_pfor=False)
    np.testing.assert_allclose(nf.function(jacobian)(x), expected, rtol=1e-5, atol=1e-6)

    def gradient(x):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = nf.reduce_sum(function(x))
        return nf.convert_to_tensor(tape.gradient(y, x))

    with nf.GradientTape() as outer:
        outer.watch(x)
        g = gradient(x)
    np.testing.assert_allclose(outer.jacobian(g, x), by_rows(gradient, x), rtol=1e-5, atol=1e-5)


def test_random_numbers_differ_between_examples():
    def example(row):
        return nf.random.normal([2]) + row, nf.random.stateless_uniform([3], [1, 2])

    nf.random.set_seed(3)
    draw = nf.function(lambda x: nf.vectorized_map(example, x))
    (first, same), (second, _) = draw(nf.zeros([4, 2])), draw(nf.zeros([4, 2]))
    assert len(np.unique(np.concatenate([first, second]))) == 16
    assert (same.numpy() == same.numpy()[0]).all()
    assert len(np.unique(nf.vectorized_map(example, nf.zeros([4, 2]))[0])) == 8
