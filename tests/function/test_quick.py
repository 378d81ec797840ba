"""The third call with like arguments takes the shortest way, and gives what the first gave."""

import numpy as np
import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError
from nbflow.function.quick import quick_call

X = nf.constant(np.arange(4, dtype=np.float32))
FIXED = nf.constant(np.full(4, 10.0, np.float32))
V = nf.Variable(np.ones(4, np.float32))


def total(*tensors):
    return sum(tensors[1:], tensors[0])


@pytest.mark.parametrize(
    ("function", "arguments", "keywords"),
    [
        (lambda x: x + 1.0, (X,), {}),
        (total, (X,) * 3, {}),
        (total, (X,) * 10, {}),
        (lambda x, flip=False: -x if flip else x + 1.0, (X,), {"flip": True}),
        (lambda x, mode, k: x + k if mode == "a" else x, (X, "a", 2), {}),
        (lambda x: (x + 1.0, [x * 2.0]), (X,), {}),
        (lambda x: [x + 1.0], (X,), {}),
        (lambda x: x + FIXED, (X,), {}),
        (lambda x: x * V + FIXED, (X,), {}),
        (lambda x: (x * V, x + FIXED, 1), (X,), {}),
        (lambda x: nf.gather(x, [3, 1]), (X,), {}),
        (lambda: FIXED + 1.0, (), {}),
        (lambda x: None, (X,), {}),
        (lambda x: nf.sort(x), (X,), {}),
        (lambda x: x[::-1], (X,), {}),
    ],
)
def test_calls_agree(function, arguments, keywords):
    traced = nf.function(function)
    for k in range(4):
        V.assign([float(k)] * 4)
        wanted = nf.nest.map_structure(np.asarray, function(*arguments, **keywords))
        found = nf.nest.map_structure(np.asarray, traced(*arguments, **keywords))
        nf.nest.map_structure(np.testing.assert_array_equal, found, wanted)
    assert traced.experimental_get_tracing_count() == 1


def test_open_sizes():
    f = nf.function(lambda x, y: x * y + FIXED[0], reduce_retracing=True)
    for n in (2, 3, 4, 5, 4, 5, 4, 5):
        x = nf.constant(np.arange(n, dtype=np.float32))
        assert f(x, x).numpy().tolist() == [k * k + 10.0 for k in range(n)]
    assert f.experimental_get_tracing_count() == 2


def test_values_of_python_are_told_apart():
    f = nf.function(lambda x, k: x + float(k if k is not None else 7))
    for _ in range(3):
        assert [float(f(X, k)[0]) for k in (1, 0, True, False, None, 2)] == [1, 0, 1, 0, 7, 2]
    g = nf.function(lambda x="a", *, y="b": nf.constant(f"{x}{y}" == "ab"))
    for _ in range(3):
        assert [bool(g()), bool(g("y")), bool(g(y="b")), bool(g("a")), bool(g(y="a"))] == [
            True,
            False,
            True,
            True,
            False,
        ]


def test_tapes_see_the_quick_calls():
    f = nf.function(lambda x: x * x + FIXED)
    for _ in range(4):
        f(X)
        with nf.GradientTape() as tape:
            tape.watch(X)
            y = f(X)
        assert tape.gradient(y, X).numpy().tolist() == [0, 2, 4, 6]


def test_failures_are_raised_each_time():
    f = nf.function(lambda x, i: nf.gather(x, i))
    for _ in range(3):
        assert f(X, nf.constant([1])).numpy().tolist() == [1]
        with pytest.raises(InvalidArgumentError, match="indices has 9"):
            f(X, nf.constant([9]))


def test_what_needs_more_care_has_no_quick_way():
    update = nf.function(lambda x: V.assign_add(x))
    sort = nf.function(lambda x: nf.sort(x))
    for f in (update, sort):
        f(X)
        (concrete,) = f._concrete.values()
        assert concrete.compiled.quick([X]) is None
    assert quick_call(concrete.compiled.program([X._aval]), []) is None
