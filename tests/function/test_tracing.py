"""What is traced when, and what a call's arguments and results may be."""

import functools
import gc
import re
import weakref
from collections import namedtuple

import numpy as np
import pytest

import nbflow as nf


def counted(function=lambda *args, **kwargs: 0.0, **options):
    """A traced function, and the list that grows with each trace."""
    traces = []

    @nf.function(**options)
    def wrapped(*args, **kwargs):
        traces.append(1)
        return function(*args, **kwargs)

    return wrapped, traces


ONE, TWO, LONG = nf.constant([1.0, 2.0]), nf.constant([3.0, 4.0]), nf.constant([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("calls", "wanted"),
    [
        ([(ONE,), (TWO,), (ONE,)], 1),
        ([(ONE,), (LONG,)], 2),
        ([(ONE,), (nf.constant([1, 2]),)], 2),
        ([(ONE,), (nf.reshape(ONE, [1, 2]),)], 2),
        ([(1,), (1,), (2,), (1,)], 2),
        ([(1,), (1.0,), (True,), ("1",), (None,)], 5),
        ([(0.0,), (-0.0,), (float("nan"),), (float("nan"),)], 3),
        ([(np.array([1.0]),), (np.array([2.0]),), (np.array([2.0], np.float32),)], 2),
        ([(np.float32(1),), (np.float32(2),), (nf.constant(1.0),)], 1),
        ([(ONE, ONE), (ONE, TWO), (TWO, ONE)], 1),
        ([(nf.transpose(nf.ones([2, 3])),), (nf.ones([3, 2]),)], 1),
        ([([ONE, 2],), ([TWO, 2],), ([ONE, 3],), ((ONE, 2),)], 3),
        ([({"a": ONE, "b": TWO},), ({"b": TWO, "a": ONE},)], 1),
        ([(nf.float32,), (nf.float32,), (nf.float64,)], 2),
        ([(nf.TensorShape([2]),), (nf.TensorShape([2]),), (nf.TensorShape([3]),)], 2),
    ],
    ids=repr,
)
def test_one_trace_for_each_kind_of_arguments(calls, wanted):
    f, traces = counted()
    for _ in range(2):
        for arguments in calls:
            f(*arguments)
    assert len(traces) == wanted == f.experimental_get_tracing_count()


def test_objects_and_variables_count_by_identity():
    f, traces = counted(lambda v: v.assign_add(1.0) if isinstance(v, nf.Variable) else 0.0)
    v, w = nf.Variable(1.0), nf.Variable(5.0)
    assert [float(f(v)), float(f(w)), float(f(v))] == [2, 6, 3]
    a, b = object(), object()
    f(a), f(b), f(a)
    assert len(traces) == 4


def test_equal_calls_written_differently():
    traces = []

    @nf.function
    def f(x, k=2.0, *, flip=False):
        traces.append(1)
        return -x * k if flip else x * k

    results = [f(ONE), f(ONE, 2.0), f(ONE, k=2.0), f(x=ONE), f(k=2.0, x=ONE), f(ONE, flip=False)]
    assert all(r.numpy().tolist() == [2, 4] for r in results) and len(traces) == 1
    assert f(ONE, flip=True).numpy().tolist() == [-2, -4] and f(ONE, 3.0).numpy().tolist() == [3, 6]
    assert len(traces) == 3
    for wrong in (lambda: f(), lambda: f(ONE, 1, 2), lambda: f(y=1)):
        with pytest.raises(TypeError):
            wrong()


def test_kinds_of_callables():
    class Doubling:
        def __call__(self, x):
            return x * 2.0

    for f in (
        nf.function(lambda x: x * 2.0),
        nf.function(functools.partial(lambda x, k: x * k, k=2.0)),
        nf.function(Doubling()),
        nf.function()(lambda x, k=2.0: x * k),
        nf.function(autograph=False, jit_compile=True, reduce_retracing=True)(lambda x: x * 2.0),
    ):
        assert f(ONE).numpy().tolist() == [2, 4] and float(f(3.0)) == 6
    with pytest.raises(TypeError, match="3 is not a callable object"):
        nf.function(3)
    with pytest.raises(TypeError, match="unknown argument 'bogus'"):
        nf.function(bogus=True)


def test_names_and_documentation_are_kept():
    @nf.function
    def documented(x):
        "what it does"
        return x

    assert (documented.__name__, documented.__doc__) == ("documented", "what it does")
    assert float(documented.python_function(3.0)) == 3 and "0 traces" in repr(documented)


def test_results():
    pair = namedtuple("pair", "a b")

    @nf.function
    def f(x):
        return x, None, 3, 2.5, True, [x + 1, (x,)], {"k": x}, pair(np.ones(2), x), [], {}

    x, none, three, real, truth, nested, mapping, named, empty, nothing = f(nf.constant(1.0))
    assert none is None and empty == [] and nothing == {}
    assert (int(three), float(real), bool(truth), float(mapping["k"])) == (3, 2.5, True, 1)
    assert type(nested) is list and type(nested[1]) is tuple and float(nested[0]) == 2
    assert type(named) is pair and named.a.numpy().tolist() == [1, 1]
    assert nf.function(lambda: None)() is None
    assert type(nf.function(lambda: nf.Variable(0.0) if False else V)()) is nf.Tensor
    for bad in ("abc", object()):
        with pytest.raises(TypeError, match="a traced function returns tensors, numbers, None"):
            nf.function(lambda bad=bad: bad)()


V = nf.Variable(2.0)


def test_nested_arguments():
    @nf.function
    def f(a, *rest, **named):
        return a["x"] + rest[0] + rest[1][1]["z"] + sum(named.values())

    arguments = {"x": nf.constant(1.0)}, nf.constant(2.0), [None, {"z": np.float32(3.0)}]
    assert float(f(*arguments)) == 6 and float(f(*arguments, k=nf.constant(4.0), m=5.0)) == 15


def test_python_values_steer_the_trace():
    @nf.function
    def f(x, mode="a", training=False, times=1):
        for _ in range(times):
            x = x * 2.0
        x = x if mode == "a" else -x
        return x + 100.0 if training else x

    assert [float(f(nf.constant(1.0), *a)) for a in (("a",), ("b",), ("a", True), ("a", False, 3))] == [2, -2, 102, 8]


def test_methods():
    class Scale:
        def __init__(self, k):
            self.k = k

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 1

        @nf.function
        def __call__(self, x):
            return x * self.k

        @nf.function(input_signature=[nf.TensorSpec([None], nf.float32)])
        def any_length(self, x):
            return x * self.k

        @staticmethod
        @nf.function
        def double(x):
            return x * 2.0

    a, b = Scale(2.0), Scale(3.0)
    assert [float(s(nf.constant(1.0))) for s in (a, b, a)] == [2, 3, 2]
    assert float(Scale(5.0)(nf.constant(1.0))) == 5
    assert float(Scale.__call__(b, nf.constant(1.0))) == 3
    assert a.any_length([1.0, 2.0]).numpy().tolist() == [2, 4] and b.any_length([1.0]).numpy().tolist() == [3]
    assert a.any_length.experimental_get_tracing_count() == 1 and "multiply" in a.any_length.graph()
    assert float(Scale.double(1.0)) == float(a.double(1.0)) == 2
    a.k = 7.0
    assert float(a(nf.constant(1.0))) == 2  # the trace keeps what it saw, as in TensorFlow


@pytest.mark.parametrize("slots", [("k",), ("k", "__weakref__")])
def test_methods_of_classes_with_slots(slots):
    kind = type("Slotted", (), {"__slots__": slots, "f": nf.function(lambda self, x: x * self.k)})
    thing = kind()
    thing.k = 3.0
    assert float(thing.f(2.0)) == 6


def test_instances_are_not_kept_alive():
    class Holder:
        def __init__(self):
            self.v = nf.Variable(2.0)

        @nf.function
        def f(self, x):
            return x * self.v

    holder = Holder()
    with nf.GradientTape() as tape:
        y = holder.f(nf.constant(3.0))
    assert float(tape.gradient(y, holder.v)) == 3
    alive = weakref.ref(holder)
    del holder, tape
    gc.collect()
    assert alive() is None


def test_nested_functions_are_part_of_the_outer():
    inner, traces = counted(lambda x: x * 2.0)
    outer = nf.function(lambda x: inner(x) + inner(x * 3.0))
    assert float(outer(nf.constant(1.0))) == 8 and inner.experimental_get_tracing_count() == 0
    assert float(nf.function(lambda x: nf.function(lambda y: y + 1.0)(x))(nf.constant(1.0))) == 2

    @nf.function
    def power(n, x):
        return x if n == 0 else power(n - 1, x * 2.0)

    assert float(power(3, nf.constant(1.0))) == 8


LINE = re.escape(__file__) + r":\d+"


@pytest.mark.parametrize(
    ("use", "what"),
    [
        (lambda x: x if x > 0 else -x, "a Python bool"),
        (lambda x: x and x, "a Python bool"),
        (lambda x: float(x), "a Python number"),
        (lambda x: int(x), "a Python number"),
        (lambda x: [1, 2][nf.cast(x, nf.int32)], "a Python number"),
        (lambda x: x.numpy(), "a NumPy array"),
        (lambda x: np.sin(x), "a NumPy array"),
    ],
)
def test_values_while_tracing(use, what):
    with pytest.raises(TypeError, match=f"Using a symbolic nf.Tensor as {what} is not allowed.*{LINE}"):
        nf.function(lambda x: use(x), autograph=False)(nf.constant(3.0))


def test_what_static_shapes_allow():
    @nf.function
    def f(x):
        a, b = x
        return a * b + len(x) + sum(x) + nf.cast(nf.shape(x)[0], nf.float32) + [0.0, 5.0, 7.0][nf.rank(x)]

    assert float(f(nf.constant([3.0, 2.0]))) == 6 + 2 + 5 + 2 + 5


def test_tensors_that_leak():
    kept = []
    f = nf.function(lambda x: kept.append(x * 2.0))
    f(nf.constant(1.0))
    leaked = kept[0]
    assert "symbolic" in repr(leaked) and nf.is_symbolic_tensor(leaked)
    uses = [
        lambda: leaked + 1.0,
        lambda: nf.exp(leaked),
        lambda: nf.Variable(leaked),
        lambda: V.assign(leaked),
        lambda: nf.function(lambda x: x + leaked)(nf.constant(1.0)),
        lambda: nf.function(lambda x: x)(leaked),
    ]
    for use in uses:
        with pytest.raises(TypeError, match=f"out of scope.*{LINE}.*Return it from that function"):
            use()
    assert float(V) == 2


def test_errors_within_a_trace_leave_nothing_behind():
    @nf.function
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        f(nf.constant(1.0))
    shapes = nf.function(lambda x: x + nf.ones([3]))
    with pytest.raises(nf.errors.InvalidArgumentError, match=rf"add: shapes \(2,\) and \(3,\).*{LINE}"):
        shapes(ONE)
    assert shapes(LONG).numpy().tolist() == [2, 3, 4]
    assert type(ONE + 1.0) is nf.Tensor and (ONE + 1.0).numpy().tolist() == [2, 3]


def test_init_scope_is_eager():
    v = nf.Variable(0)

    @nf.function
    def f():
        with nf.init_scope():
            v.assign_add(1)
            assert float(nf.constant(1.0) + 1.0) == 2
        return v + 0

    assert [int(f()), int(f()), int(v)] == [1, 1, 1]


def test_concrete_functions():
    f = nf.function(lambda x, k: x * k)
    concrete = f.get_concrete_function(nf.TensorSpec([None], nf.float32), 3.0)
    assert concrete(ONE).numpy().tolist() == [3, 6] and concrete(LONG).numpy().tolist() == [3, 6, 9]
    assert f.get_concrete_function(nf.TensorSpec([None], nf.float32), 3.0) is concrete
    assert f.get_concrete_function(ONE, 3.0)(ONE, 3.0).numpy().tolist() == [3, 6]
    both = nf.function(lambda x, y: x - y).get_concrete_function(
        nf.TensorSpec([], nf.float32), nf.TensorSpec([], nf.float32)
    )
    assert float(both(y=nf.constant(1.0), x=nf.constant(5.0))) == 4
    for wrong in ((nf.constant([1, 2]),), (nf.ones([2, 2]),), (), (ONE, ONE)):
        with pytest.raises(TypeError, match="this trace takes"):
            concrete(*wrong)


def test_inspection():
    f = nf.function(lambda x: nf.reduce_sum(nf.sigmoid(x) * x))
    assert f.graph() == f.kernels() == ""
    f(ONE)
    graph, kernels = f.graph(), f.kernels()
    assert "sigmoid" in graph and "reduce_sum" in graph and re.search(rf"# {LINE}", graph)
    assert kernels.count("def ") == 1 and "sigmoid" in kernels
    compile(kernels, "kernels", "exec")


def test_concrete_functions_within_a_trace():
    v = nf.Variable(1.0)

    @nf.function
    def inner(x):
        v.assign_add(nf.reduce_sum(x))
        return x[1:] * v, nf.shape(x)

    concrete = inner.get_concrete_function(nf.TensorSpec([None], nf.float32))
    outer = nf.function(lambda x: concrete(x * 2.0))
    for x in (ONE, LONG):
        v.assign(1.0)
        wanted = [t.numpy().tolist() for t in concrete(x * 2.0)]
        v.assign(1.0)
        assert [t.numpy().tolist() for t in outer(x)] == wanted and float(v) == 1 + 2 * float(nf.reduce_sum(x))
    with nf.GradientTape() as tape:
        tape.watch(ONE)
        v.assign(1.0)
        y = outer(ONE)[0]
    assert tape.gradient(y, ONE).numpy().tolist() == [0, 14]
    sized = nf.function(lambda x: concrete(x)[0], input_signature=[nf.TensorSpec([None], nf.float32)])
    v.assign(0.0)
    assert sized([1.0, 2.0, 3.0]).numpy().tolist() == [12, 18]
