"""Side effects that happen while a function is traced and never again are told, once."""

import logging

import pytest

import nbflow as nf
from nbflow.function.effects import effects_of

KEPT: list = []
TABLE: dict = {}
TOTAL = 0
ONE = nf.constant(1.0)


def one_of_each(x, kept=None, holder=None):
    global TOTAL
    print("x is", x)
    KEPT.append(x)
    TABLE["x"] = 1
    TOTAL += 1
    holder.last = x
    holder.log.extend([1])
    kept[0] = x
    for _ in range(2):
        KEPT.insert(0, 1)
    return x


class Holder:
    def __init__(self):
        self.log, self.v, self.calls, self._rate = [], None, 0, nf.Variable(1.0)

    rate = property(lambda self: self._rate, lambda self, value: self._rate.assign(value))


def harmless(x, holder, results=()):
    own, table = [], {}
    own.append(x)
    table["x"] = x
    if holder.v is None:
        holder.v = nf.Variable(1.0)
    if "x" not in TABLE:
        TABLE["x"] = 1
        print("once")
    with nf.init_scope():
        holder.calls += 1
    holder.rate = 2.0
    found = Holder()
    found.v = x
    holder._rate.assign_add(1.0)
    for value in (x, x):
        print(value)
    helper = lambda: KEPT.append(1)
    return own[0], helper


def test_what_counts():
    found = effects_of(one_of_each, (ONE, [0], Holder()), {})
    first = one_of_each.__code__.co_firstlineno
    assert [int(effect.where.rpartition(":")[2]) - first for effect in found] == [2, 3, 4, 5, 6, 7, 8, 10]
    assert found[0].text == "print('x is', x)" and "nf.print" in found[0].cure and "nf.TensorArray" in found[1].cure
    assert "nf.Variable" in found[3].cure and str(found[1]).endswith("nf.TensorArray)")
    assert effects_of(harmless, (ONE, Holder()), {}) == []


@pytest.mark.parametrize(
    "function",
    [lambda x: KEPT.append(x), len, one_of_each.__call__, eval("lambda: 0")],
    ids=["lambda", "builtin", "method", "no source"],
)
def test_functions_without_a_definition_are_left_alone(function):
    assert effects_of(function, (ONE,), {}) == []


def test_told_at_the_second_call(caplog, capsys):
    @nf.function
    def f(x):
        print("tracing")
        return x

    with caplog.at_level(logging.WARNING, "nbflow"):
        f(ONE)
        assert not caplog.records
        for _ in range(3):
            f(ONE)
    (record,) = caplog.records
    text = record.getMessage()
    assert "f (" in text and "do not happen in later calls:\n  " in text
    assert f"{__file__}:{f.python_function.__code__.co_firstlineno + 2}: print('tracing')  (nf.print" in text
    assert capsys.readouterr().out == "tracing\n"


def test_methods_are_told_about_once_for_all_instances(caplog):
    class Counting:
        def __init__(self):
            self.calls = 0

        @nf.function
        def __call__(self, x):
            self.calls += 1
            return x

    with caplog.at_level(logging.WARNING, "nbflow"):
        for thing in (Counting(), Counting()):
            for _ in range(3):
                thing(ONE)
    (record,) = caplog.records
    assert "self.calls += 1" in record.getMessage()
