"""Sizes that note what is computed of them, so that it can be computed again for others.

While a program is made for *numbers* instead of ints (see derive), arithmetic on them gives further numbers and adds
steps to their Formulas. A comparison answers for the sizes at hand and is a step that must answer the same in every
repetition. What wants to know the exact number, such as `range`, text or NumPy, gets it, and the number must then
always be that. So the steps hold all that the outcome depends on, whatever code the numbers went through.
"""

import math
import operator
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import numpy as np


class Number:
    """A number that depends on sizes.

    Attributes:
        value: for the sizes at hand.
    """

    __slots__ = ("formulas", "slot", "value")
    __array_ufunc__ = None  # NumPy's numbers leave arithmetic to this class

    def __init__(self, formulas: "Formulas", slot: int, value: Any):
        self.formulas, self.slot, self.value = formulas, slot, value

    def of(self, function: Callable, other=None) -> "Number":
        """function(this, other), which depends on nothing else."""
        return self.formulas.compute(function, self, other)

    def __add__(self, other):
        return self if type(other) is int and other == 0 else self.of(operator.add, other)

    def __mul__(self, other):
        return self if type(other) is int and other == 1 else self.of(operator.mul, other)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self.of(operator.mul, -1)

    def __floor__(self):
        return self.of(_floor)

    def __hash__(self):
        return self.formulas.hash(self)

    def __eq__(self, other):
        return self is other or self.formulas.decide(operator.eq, self, other)

    def __ne__(self, other):
        return not self == other

    def __bool__(self):
        return self.formulas.decide(operator.ne, self, 0)

    def __index__(self):
        return self.formulas.exactly(self)

    def __int__(self):
        return int(self.formulas.exactly(self))

    def __float__(self):
        return float(self.formulas.exactly(self))

    def __repr__(self):
        return repr(self.formulas.exactly(self))

    def __format__(self, how):
        return format(self.formulas.exactly(self), how)


def _floor(x, _):
    return math.floor(x)


def apply(function: Callable, x, *others, **options):
    """function(x, *others, **options), a Number where x or one of the others is one; it depends on nothing else."""
    number = next((n for n in (x, *others) if isinstance(n, Number)), None)
    if number is None:
        return function(x, *others, **options)
    if others:
        return number.formulas.compute(lambda x, y: function(x, y, **options), x, *others)
    return number.formulas.compute(lambda x, _: function(x, **options), x, None)


def _add_operators() -> None:
    def arithmetic(function):
        def method(self, other):
            return self.formulas.compute(function, self, other)

        def reflected(self, other):
            return self.formulas.compute(function, other, self)

        return method, reflected

    def comparison(function):
        return lambda self, other: self.formulas.decide(function, self, other)

    for name in ("sub", "floordiv", "truediv", "mod", "pow", "lshift", "rshift"):
        method, reflected = arithmetic(getattr(operator, name))
        setattr(Number, f"__{name}__", method)
        setattr(Number, f"__r{name}__", reflected)
    for name in ("lt", "le", "gt", "ge"):
        setattr(Number, f"__{name}__", comparison(getattr(operator, name)))


_add_operators()


class Formulas:
    """The steps by which numbers follow from sizes.

    Attributes:
        avals: the Avals with numbers in them (see graph.aval).
        exact: whether a number must always have one value.
    """

    def __init__(self):
        self.avals: dict = {}
        self.exact = False
        self._values: list = [None]  # by slot: inputs and constants; what steps compute replaces None
        self._inputs: dict[str, int] = {}
        self._known: dict[tuple, Any] = {}
        self._steps: list[tuple] = []  # (function, slot, slot, slot of the result or 0, the answer that is wanted)
        self._hashed: dict[int, Hashable] = {}  # slot -> its value while this was noted
        self._others: frozenset = frozenset()

    def input(self, name: str, value) -> Number:
        """A number that is given anew each time."""
        self._inputs[name] = slot = self._new(None)
        return Number(self, slot, value)

    def compute(self, function: Callable, x, y) -> Number:
        """function(x, y), where one or both are numbers."""
        key = (function, self.slot(x), self.slot(y))
        found = self._known.get(key)
        if found is None:
            value = function(_value(x), _value(y))
            found = self._known[key] = Number(self, self._new(None), value)
            self._steps.append((*key, found.slot, None))
        return found

    def decide(self, function: Callable, x, y) -> bool:
        """Whether function(x, y): the way that is taken now is the way that these formulas are for."""
        key = (function, self.slot(x), self.slot(y))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = bool(function(_value(x), _value(y)))
            self._steps.append((*key, 0, found))
        return found

    def exactly(self, number: Number):
        """The value of a number, which it must then have each time."""
        known = len(self._steps)
        self.decide(operator.eq, number, number.value)
        self.exact = self.exact or len(self._steps) > known
        return number.value

    def hash(self, number: Number) -> int:
        """A number as a key: which keys are equal depends on the sizes as well, see `finish`."""
        self._hashed[number.slot] = number.value
        return hash((id(self), number.value))

    def finish(self, keys: Iterable) -> None:
        """Ends it. Says which keys there were beside the numbers: a number that is one of them is another case."""
        self._others = frozenset(keys)
        self._known, self.avals = {}, {}

    def slot(self, x) -> int:
        """Where `evaluate` puts a number, or holds a constant."""
        if isinstance(x, Number):
            assert x.formulas is self
            return x.slot
        key = (int, x) if type(x) is int else (id, id(x))
        if key not in self._known:
            self._known[key] = self._new(x)  # which keeps x, so that its id remains its own
        return self._known[key]

    def _new(self, value) -> int:
        self._values.append(value)
        return len(self._values) - 1

    def evaluate(self, inputs: dict[str, Any]) -> list | None:
        """The values by slot for other sizes; None where the way from them to a program is another."""
        values = self._values.copy()
        for name, slot in self._inputs.items():
            values[slot] = inputs[name]
        try:
            with np.errstate(all="ignore"):  # as where constants are folded
                for function, x, y, slot, wanted in self._steps:
                    found = function(values[x], values[y])
                    if slot:
                        values[slot] = found
                    elif found != wanted:
                        return None
        except Exception:  # what is wrong with these sizes is for the passes to say
            return None
        cases: dict = dict.fromkeys(self._others)
        for slot, case in self._hashed.items():
            if cases.setdefault(values[slot], case) != case:
                return None
        return values


def _value(x):
    return x.value if isinstance(x, Number) else x
