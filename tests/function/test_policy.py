"""When functions are traced anew, for which sizes, and what users hear of it."""

import gc
import logging
import re
import weakref

import pytest

import nbflow as nf
from nbflow.errors import InvalidArgumentError

LINE = re.escape(__file__) + r":\d+"


def vector(n):
    return nf.ones([n])


def reasons(f):
    return [trace.reason for trace in f.explain().traces]


@pytest.mark.parametrize(
    ("options", "sizes", "traces"),
    [
        ({}, [2, 3, 4, 5, 6, 2, 4], 3),
        ({"reduce_retracing": True}, [2, 3, 4, 5, 2], 2),
        ({"experimental_relax_shapes": True}, [2, 3, 4, 5, 2], 2),
        ({}, [2, 3, 2, 3, 2, 3], 2),
        ({}, [2, 3, 4, 1, 0, 5, 1], 5),  # 0 and 1 have traces of their own
    ],
    ids=repr,
)
def test_sizes_that_change_are_left_open(options, sizes, traces):
    f = nf.function(lambda x: x + 1.0, **options)
    for n in sizes:
        assert f(vector(n)).numpy().tolist() == [2.0] * n
    assert f.experimental_get_tracing_count() == traces


def test_sizes_that_were_always_equal_are_one():
    f = nf.function(lambda x, y: x + y, reduce_retracing=True)
    for n in (2, 3, 4):
        f(vector(n), vector(n))
    assert f.experimental_get_tracing_count() == 2 and "[d0_0]" in f.graph() and "d1_0" not in f.graph()
    assert f(vector(5), vector(1)).shape == [5]
    with pytest.raises(InvalidArgumentError, match=rf"shapes \(5,\) and \(6,\) do not broadcast.*{LINE}"):
        f(vector(5), vector(6))


def test_only_the_axis_that_changes_is_open():
    f = nf.function(lambda x: nf.shape(x)[0] + x.shape[1])
    assert [int(f(nf.ones([n, 7]))) for n in (2, 3, 4, 5, 6)] == [9, 10, 11, 12, 13]
    assert f.experimental_get_tracing_count() == 3
    assert int(f(nf.ones([2, 8]))) == 10


@pytest.mark.parametrize(
    ("use", "why"),
    [
        (lambda x: x * 2.0 if x.shape[0] == 3 else x, f"{LINE} reads one"),
        (lambda x: x * float(x.shape.as_list()[0] or 1), f"{LINE} reads one"),
        (lambda x: x if x.shape == [2] else x + 1.0, f"{LINE} reads one"),
        (lambda x: x if x.get_shape().is_fully_defined() else x + 1.0, f"{LINE} reads one"),
        (lambda x: x * float(len(x)), r"len\(\) of a tensor"),
    ],
)
def test_a_function_that_reads_a_size_is_traced_for_each(use, why):
    f = nf.function(lambda x: use(x), autograph=False)
    for n in (2, 3, 4, 5):
        x = vector(n)
        assert f(x).numpy().tolist() == use(x).numpy().tolist()
    assert f.experimental_get_tracing_count() == 4
    assert re.search(f"its sizes cannot be left open: {why}", reasons(f)[2])


def test_ranks_and_printing_read_no_size(capsys):
    def body(x):
        print(x.shape)
        return x + float(x.shape.rank + len(x.shape)) + float(x.shape[1:].num_elements())

    f = nf.function(body)
    for n in (2, 3, 4, 5):
        assert f(nf.ones([n, 3])).numpy().max() == 1 + 4 + 3
    assert f.experimental_get_tracing_count() == 3 and capsys.readouterr().out.endswith("(None, 3)\n")


def test_variables_are_traced_with_open_sizes():
    v = nf.Variable(0.0)

    @nf.function(reduce_retracing=True)
    def f(x):
        v.assign_add(nf.reduce_sum(x))
        return v + nf.reduce_sum(x)

    assert [float(f(vector(n))) for n in (2, 3, 4)] == [4, 8, 13] and float(v) == 9
    x = vector(5)
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert tape.gradient(y, x).numpy().tolist() == [1.0] * 5


@pytest.mark.parametrize(
    ("calls", "wanted"),
    [
        ([(1,), (2,)], "n changed from 1 to 2"),
        ([(vector(2),), (nf.ones([1, 2]),)], r"n changed from float32\[2\] to float32\[1, 2\]"),
        ([(vector(2),), (nf.ones([2], nf.int32),)], r"n changed from float32\[2\] to int32\[2\]"),
        ([(vector(2),), (None,)], r"n changed from \{n: float32\[2\]\} to nothing"),
        ([([1, 2],), ([1, 3],)], r"n\[1\] changed from 2 to 3"),
        ([({"k": 1},), ({"k": 1, "m": 2},)], r"n changed from \{n\['k'\]: 1\} to \{n\['k'\]: 1, n\['m'\]: 2\}"),
        ([(1, "a"), (2, "b"), (2, "a")], "mode changed from 'b' to 'a'"),
        (
            [(nf.Variable(1.0),), (nf.Variable(1.0),)],
            "n changed from an object that is gone to Variable object|another",
        ),
    ],
    ids=repr,
)
def test_why_a_function_was_traced(calls, wanted):
    f = nf.function(lambda n, mode="a": 0.0)
    for call in calls:
        f(*call)
    assert re.search(wanted, reasons(f)[-1]), reasons(f)


def test_many_traces_are_warned_about_once(caplog):
    f = nf.function(lambda n: nf.constant(0.0))
    with caplog.at_level(logging.WARNING, "nbflow"):
        for n in range(5):
            f(n)
        assert not caplog.records
        for n in range(5, 9):
            f(n)
    (record,) = caplog.records
    text = record.getMessage()
    assert re.search(rf"<lambda> \({LINE}\) has been traced 6 times.*because n changed from 4 to 5\.", text)
    assert "Pass numbers that vary as tensors, nf.constant(value)" in text and "explain()" in text


def test_traces_that_were_asked_for_are_not_warned_about(caplog):
    f = nf.function(lambda x: x)
    with caplog.at_level(logging.WARNING, "nbflow"):
        for n in range(9):
            f.get_concrete_function(nf.TensorSpec([n]))
    assert not caplog.records and f.experimental_get_tracing_count() == 9


def test_models_are_collected_with_what_was_traced_for_them():
    class Model:
        def __init__(self):
            self.w = nf.Variable(vector(3))

        @nf.function
        def call(self, x):
            return x * self.w

    f = nf.function(lambda model, x: x * model.w)
    model = Model()
    f(model, vector(3)), model.call(vector(3))
    alive = [weakref.ref(model), weakref.ref(model.w)]
    del model
    gc.collect()
    assert [reference() for reference in alive] == [None, None]
    assert "forgotten: an object among its arguments is gone" in str(f.explain())
    assert f(Model(), vector(3)).shape == [3] and f.experimental_get_tracing_count() == 2


def test_run_functions_eagerly():
    f = nf.function(lambda x: float(x.numpy()) + 1)
    assert not nf.config.functions_run_eagerly()
    nf.config.run_functions_eagerly(True)
    try:
        nf.config.run_functions_eagerly(True)
        assert nf.config.functions_run_eagerly() and f(nf.constant(2.0)) == 3.0
        v = nf.Variable(2.0)
        with nf.GradientTape() as tape:
            y = nf.function(lambda x: x * v)(nf.constant(3.0))
        assert float(tape.gradient(y, v)) == 3
    finally:
        nf.config.run_functions_eagerly(False)
    assert not nf.config.functions_run_eagerly()
    with pytest.raises(TypeError, match="symbolic"):
        f(nf.constant(2.0))
