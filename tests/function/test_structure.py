"""Arguments and results of any structure."""

import collections
import dataclasses
import functools
from typing import Any

import numpy as np
import pytest

import nbflow as nf
from nbflow.function.structure import flatten, paths, unflatten


@dataclasses.dataclass(frozen=True)
class Point:
    x: Any
    scale: float = 2.0
    name: str | None = "p"


@dataclasses.dataclass(slots=True)
class Pair:
    left: Any
    right: Any = dataclasses.field(default=None, init=False)


class Attrs:
    """What a class made by attrs looks like."""

    __attrs_attrs__ = (collections.namedtuple("Attribute", "name")("value"),)

    def __init__(self, value):
        self.value = value
        self.constructed = True


class Own:
    def __init__(self, parts, label):
        self.parts, self.label = parts, label

    def __tf_flatten__(self):
        return (self.label,), tuple(self.parts)

    @classmethod
    def __tf_unflatten__(cls, metadata, components):
        return cls(list(components), *metadata)


ONE = nf.constant(1.0)


def test_flatten_and_back():
    value = {"a": [Point(1, 2.0), (None, Attrs(3))], "b": Own([4, 5], "l")}
    leaves, structure = flatten(value)
    assert leaves == [1, 2.0, "p", 3, 4, 5]
    assert paths(structure)[:2] == [("a", 0, "x"), ("a", 0, "scale")]
    again = unflatten(structure, [leaf if leaf == "p" else leaf * 10 for leaf in leaves])
    assert again["a"][0] == Point(10, 20.0) and again["a"][1][0] is None and again["a"][1][1].value == 30
    assert again["b"].parts == [40, 50] and again["b"].label == "l"
    assert flatten(value)[1] == structure and flatten({"a": 1})[1] != structure
    pair = Pair(1)
    assert flatten(pair)[0] == [1] and unflatten(flatten(pair)[1], [2]).left == 2


@pytest.mark.parametrize(
    ("argument", "function", "wanted"),
    [
        (Point(ONE, 3.0), lambda p: dataclasses.replace(p, x=p.x * p.scale, name=None), Point(3.0, 3.0, None)),
        (Pair(ONE), lambda p: Pair(p.left + 1.0), Pair(2.0)),
        (Attrs(ONE), lambda a: (a.value + 1.0, hasattr(a, "constructed")), (2.0, False)),
        (Own([ONE, ONE], "l"), lambda o: [part + 1.0 for part in o.parts] if o.label == "l" else None, [2.0, 2.0]),
        ({"b": [ONE, {"c": (ONE,)}]}, lambda d: {"z": d["b"][1]["c"][0] + d["b"][0]}, {"z": 2.0}),
    ],
    ids=["dataclass", "slots", "attrs", "own", "nested"],
)
def test_arguments_and_results(argument, function, wanted):
    traced = nf.function(function)
    for _ in range(2):
        leaves, structure = flatten(traced(argument))
        assert structure == flatten(wanted)[1]
        assert [float(leaf) for leaf in leaves] == [float(leaf) for leaf in flatten(wanted)[0]]
    assert traced.experimental_get_tracing_count() == 1


def test_what_dataclasses_hold_counts():
    f = nf.function(lambda p: p.x * p.scale)
    calls = [Point(ONE), Point(nf.constant(2.0)), Point(ONE, 3.0), Point(ONE, 3.0, "q"), Point(ONE)]
    assert [float(f(p)) for p in calls] == [2, 4, 3, 3, 2]
    assert f.experimental_get_tracing_count() == 3


def test_sparse_gradients_stay_sparse():
    table = nf.Variable(np.ones((5, 2), np.float32))

    @nf.function
    def gradient(indices):
        with nf.GradientTape() as tape:
            loss = nf.reduce_sum(nf.gather(table, indices))
        return tape.gradient(loss, table)

    found = gradient(nf.constant([1, 3]))
    assert isinstance(found, nf.IndexedSlices) and found.indices.numpy().tolist() == [1, 3]
    assert nf.convert_to_tensor(found).numpy().sum() == 4
    doubled = nf.function(lambda s: nf.convert_to_tensor(s) * 2.0)
    assert doubled(found).numpy().sum() == 8


def test_kinds_of_functions():
    class Scaled:
        k = 3.0

        @nf.function
        @staticmethod
        def static(x):
            return x * 2.0

        @nf.function
        @classmethod
        def of_class(cls, x):
            return x * cls.k

        @classmethod
        @nf.function
        def class_of(cls, x):
            return x * cls.k

        @property
        @nf.function
        def five(self):
            return ONE * 5.0

    s = Scaled()
    assert [float(f(ONE)) for f in (s.static, Scaled.static, s.of_class, Scaled.class_of)] == [2, 2, 3, 3]
    assert float(s.five) == 5
    part = nf.function(functools.partial(lambda x, y, *, k: x * k + y, k=2.0))
    assert float(part(ONE, 3.0)) == 5 and float(part(ONE, 3.0, k=4.0)) == 7 and float(part(y=3.0, x=ONE)) == 5
    assert part.experimental_get_tracing_count() == 2
