"""Variables in traced functions: reads and assignments in order, creation on the first call, sizes that change."""

import numpy as np
import pytest

import nbflow as nf


def values(*tensors):
    return [np.asarray(t).tolist() for t in tensors]


def test_reads_and_assignments_keep_their_order():
    v = nf.Variable(1.0)

    @nf.function
    def f(x):
        before = v + 0.0
        v.assign(x)
        between = v + 0.0
        v.assign_add(1.0)
        return before, between, v.read_value(), v

    assert values(*f(nf.constant(5.0))) == [1, 5, 6, 6]
    assert values(*f(nf.constant(7.0)), v) == [6, 7, 8, 8, 8]


@pytest.mark.parametrize("size", [2, 50_000])
def test_swap(size):
    v, w = nf.Variable(nf.zeros([size])), nf.Variable(nf.ones([size]))

    @nf.function
    def swap():
        old = v.read_value()
        v.assign(w)
        w.assign(old)

    for turn in (1, 0, 1):
        swap()
        assert set(v.numpy()) == {turn} and set(w.numpy()) == {1 - turn}


@pytest.mark.parametrize("size", [3, 50_000])
@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.assign(v[::-1]),
        lambda v: v.assign(nf.concat([v[1:], v[:1]], 0)),
        lambda v: v.assign(v + v[::-1]),
        lambda v: v[1:].assign(v[:-1]),
        lambda v: v.assign(nf.reshape(nf.reshape(v, [-1, 1]), [-1]) * 2.0),
        lambda v: v.assign(nf.gather(v, nf.range(nf.size(v)) // 2)),
        lambda v: v.assign(v - nf.reduce_mean(v)),
    ],
)
def test_a_variable_assigned_from_itself(change, size):
    eager, traced = nf.Variable(nf.range(float(size))), nf.Variable(nf.range(float(size)))
    f = nf.function(lambda: (traced.read_value(), change(traced), traced[:2])[::2])
    for _ in range(3):
        old = eager.numpy()
        change(eager)
        before, after = f()
        np.testing.assert_array_equal(before, old)
        np.testing.assert_allclose(traced.numpy(), eager.numpy(), rtol=1e-5, atol=1e-2)
        np.testing.assert_array_equal(after, traced.numpy()[:2])


def test_a_matrix_and_its_transpose():
    v = nf.Variable([[0.0, 1.0], [2.0, 3.0]])

    @nf.function
    def f():
        v.assign(nf.transpose(v))
        v.assign(v + nf.transpose(v))
        return v

    assert values(f(), f()) == [[[0, 3], [3, 6]], [[0, 6], [6, 12]]]


def test_several_variables():
    v, w = nf.Variable([1.0, 2.0]), nf.Variable([3.0, 4.0])

    @nf.function
    def f():
        v.assign(w * 2.0)
        w.assign(v + 1.0)
        v.assign_add(w)
        return v * 1.0, w * 1.0

    assert values(*f(), v, w) == [[13, 17], [7, 9]] * 2


def test_results_and_arguments_stay_what_they_are():
    v = nf.Variable([1.0, 2.0])
    put = nf.function(lambda x: v.assign(x))
    x = nf.constant([5.0, 6.0])
    result = put(x)
    v.assign_add([1.0, 1.0])
    nf.function(lambda: v.assign(v * 10.0))()
    assert values(result, x, v) == [[5, 6], [5, 6], [60, 70]]
    add = nf.function(lambda x: (v.assign_add(x), x)[1])
    mine = v.value()
    assert values(add(mine), add(mine), mine, v) == [[60, 70]] * 3 + [[180, 210]]


def test_nested_functions_assign_in_order():
    v = nf.Variable(0.0)

    @nf.function
    def inner(x):
        v.assign_add(x)
        return v + 0.0

    outer = nf.function(lambda x: (inner(x), inner(x)))
    assert values(*outer(nf.constant(1.0)), v) == [1, 2, 2]


def test_variables_made_on_the_first_call():
    class Dense:
        def __init__(self, units):
            self.units, self.w = units, None

        @nf.function
        def __call__(self, x):
            if self.w is None:
                self.w = nf.Variable(nf.ones([x.shape[-1], self.units]) * 2.0, name="w")
                self.b = nf.Variable(lambda: nf.zeros([self.units]))
                self.b.assign_add(nf.ones([self.units]))  # only the creation of the first call lasts, as in TensorFlow
            return x @ self.w + self.b

    a, b = Dense(1), Dense(2)
    calls = (a, [[1.0, 2.0]]), (b, [[1.0, 2.0]]), (a, [[0.0, 1.0], [1.0, 0.0]])
    assert values(*(layer(nf.constant(x)) for layer, x in calls)) == [[[6]], [[6, 6]], [[2], [2]]]
    with nf.GradientTape() as tape:
        y = nf.reduce_sum(b(nf.ones([3, 2])))
    assert values(*tape.gradient(y, [b.w, b.b])) == [[[3, 3], [3, 3]], [3, 3]]


def test_an_initial_value_from_arguments_and_variables():
    made = []
    scale = nf.Variable(3.0)

    @nf.function
    def f(x):
        if not made:
            made.append(nf.Variable(x * 2.0))
            made.append(nf.Variable(made[0] * scale))
        return made[0] * x + made[1]

    assert values(f(nf.constant([1.0, 2.0])), f(nf.constant([5.0, 5.0])), *made) == [[8, 20], [16, 32], [2, 4], [6, 12]]
    with pytest.raises(ValueError, match="initial_value depends on an argument"):
        nf.function(lambda x: nf.Variable(x)).get_concrete_function(nf.TensorSpec([2]))


def test_variables_made_on_every_call():
    with pytest.raises(ValueError, match=r"singleton nf.Variables created on the first call.*test_state.py:\d+"):
        nf.function(lambda x: nf.Variable(1.0) + x)(1.0)
    f = nf.function(lambda x, new: nf.Variable(1.0) if new else x)
    f(nf.constant(1.0), False)
    with pytest.raises(ValueError, match="created on the first call"):
        f(nf.constant(1.0), True)


def test_sizes_that_change():
    v = nf.Variable(nf.zeros([2, 3]), shape=nf.TensorShape((None, 3)))
    total = nf.function(lambda: (nf.reduce_sum(v), v * 2.0, nf.shape(v)[0]))
    put = nf.function(lambda x: (v.assign(x), nf.reduce_mean(v))[1])
    grow = nf.function(lambda x: (v.assign(nf.concat([v, x], 0)), nf.shape(v))[1])
    for rows in (2, 4, 1):
        v.assign(nf.ones([rows, 3]))
        assert values(*total()) == [3 * rows, [[2] * 3] * rows, rows]
    for rows in (3, 1):
        assert float(put(nf.ones([rows, 3]) * rows)) == rows and v.numpy().shape == (rows, 3)
    assert values(grow(nf.zeros([1, 3])), grow(nf.zeros([2, 3])), nf.shape(v)) == [[2, 3], [4, 3], [4, 3]]

    @nf.function
    def step():
        with nf.GradientTape() as tape:
            y = nf.reduce_mean(v * v)
        v.assign_sub(tape.gradient(y, v))
        return y

    for rows in (1, 2):
        v.assign(nf.ones([rows, 3]))
        assert float(step()) == 1
        np.testing.assert_allclose(v.numpy(), np.full((rows, 3), 1 - 2 / (3 * rows)), rtol=1e-6)


def test_any_shape():
    v = nf.Variable([1.0], shape=nf.TensorShape(None))
    double = nf.function(lambda: v.assign(v * 2.0))
    double()
    assert values(v) == [[2]]


def test_captured_tensors_of_any_layout():
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    for captured in (nf.transpose(nf.constant(a)), nf.constant(a)[:, ::-1], nf.broadcast_to(nf.constant(2.0), [2, 2])):
        f = nf.function(lambda captured=captured: captured * 2.0)
        np.testing.assert_array_equal(f(), 2 * captured.numpy())
