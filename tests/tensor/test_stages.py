"""Host ops: NumPy functions eager, between native programs in traces, with sizes that only values decide."""

import numpy as np
import pytest

import nbflow as nf
from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.errors import InvalidArgumentError
from nbflow.shapes import Dim
from nbflow.tensor.tensor import apply


def _positive(x, least=0):
    if np.isnan(x).any():
        raise InvalidArgumentError("positive: x has a NaN")
    return x[x > least]


SORT = Op("host sort", ("x",), infer=lambda avals, attrs: aval(avals[0].dtype, avals[0].shape), host=np.sort)
POSITIVE = Op(
    "host positive",
    ("x",),
    infer=lambda avals, attrs: aval(avals[0].dtype, (Dim.fresh("positive"),)),
    host=_positive,
    vjp=lambda k, g, inputs, output, attrs: nf.cast(inputs[0] > 0, nf.float32) * nf.reduce_sum(g),
)


def sort(x):
    return apply(SORT, (x,), {})


def positive(x, **attrs):
    return apply(POSITIVE, (x,), attrs)


X = nf.constant([3.0, -1.0, 2.0, -5.0])


def test_between_native_programs():
    def f(x):
        y = sort(x * 2) + 1
        return sort(-y) * x, y, x

    for found, expected in zip(nf.function(f)(X), f(X), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert f(X)[1].numpy().tolist() == [-9, -1, 5, 7]


def test_results_that_are_host_results_constants_or_arguments():
    one, two, three = nf.function(lambda x: (sort(x), nf.constant([1.0]), x))(X)
    assert (one.numpy().tolist(), two.numpy().tolist(), three.numpy().tolist()) == ([-5, -1, 2, 3], [1], [3, -1, 2, -5])


def test_unknown_sizes():
    @nf.function
    def f(x):
        found = positive(x * 2)
        assert found.shape.as_list() == [None]
        doubled = nf.reshape(found, [-1, 1]) * nf.ones([1, 3])
        return found, nf.concat([found, found], 0), nf.reduce_sum(doubled), nf.shape(found)

    for x in (X, -X, nf.zeros([4]), X):
        kept = x.numpy()[x.numpy() > 0] * 2
        a, b, c, d = f(x)
        assert a.numpy().tolist() == kept.tolist()
        assert b.numpy().tolist() == [*kept, *kept]
        assert c.numpy() == kept.sum() * 3
        assert d.numpy().tolist() == [kept.size]
    assert f.experimental_get_tracing_count() == 1


def test_two_unknown_sizes_of_one_op_stay_apart():
    inner = nf.function(lambda x: positive(x) * 2)
    f = nf.function(lambda x: nf.concat([inner(x), inner(-x), positive(x, least=1)], 0))
    assert f(X).numpy().tolist() == [6, 4, 2, 10, 3, 2]


def test_variables_are_updated_last():
    v = nf.Variable([3.0, 1.0, 2.0])

    @nf.function
    def f():
        before = sort(v * 1)
        v.assign_add(sort(v.read_value()))
        return before, sort(v * 1)

    before, after = f()
    assert before.numpy().tolist() == [1, 2, 3]
    assert v.numpy().tolist() == [4, 3, 5]
    assert after.numpy().tolist() == [3, 4, 5]


def test_gradient():
    def f(x):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = nf.reduce_sum(positive(x) ** 2)
        return tape.gradient(y, x)

    np.testing.assert_array_equal(f(X), [10, 0, 10, 0])
    np.testing.assert_array_equal(nf.function(f)(X), [10, 0, 10, 0])


def test_errors_name_the_line():
    with pytest.raises(InvalidArgumentError, match=r"x has a NaN \(in .*test_stages.py"):
        nf.function(lambda x: positive(x) + 1)(X * float("nan"))
    with pytest.raises(InvalidArgumentError, match="x has a NaN"):
        positive(X * float("nan"))


def test_composite_that_expands_to_a_host_op():
    from nbflow.ops.table import _composite

    both = Op("both", ("x",), infer=SORT.infer, expand=_composite(lambda x: SORT(x * 2) + 1))
    expected = [-9, -1, 5, 7]
    assert apply(both, (X,), {}).numpy().tolist() == expected
    assert nf.function(lambda x: apply(both, (x,), {}))(X).numpy().tolist() == expected
