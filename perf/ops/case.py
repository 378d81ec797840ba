"""A row of the sweep: one public function, the arrays it is called with, and what one writes in NumPy instead."""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

SIZE = 1_000_000
VECTOR, MATRIX, TALL, WIDE, CUBE = (SIZE,), (1000, 1000), (100_000, 10), (10, 100_000), (100, 100, 100)

Maker = Callable[[], np.ndarray]


@dataclass(frozen=True)
class Case:
    """One row.

    Attributes:
        function: the public name, without `nf.`.
        what: tells the function's rows apart: a dtype, an axis.
        inputs: makers of the arrays.
        theirs: NumPy's way, a function of the arrays; None where there is none of one or a few calls.
        call: (function, *tensors) -> result, where the arguments are not the tensors alone.
        attributes: more arguments of the function.
        note: why a ratio above 1 is as it should be.
    """

    function: str
    what: str
    inputs: tuple[Maker, ...]
    theirs: Callable | None
    call: Callable | None = None
    attributes: dict = field(default_factory=dict)
    note: str = ""

    @property
    def key(self) -> str:
        """The function's name and what tells the row apart."""
        return f"{self.function} {self.what}".rstrip()

    def ours(self, nf) -> Callable[[], object]:
        """The step with nbflow."""
        function = operator.attrgetter(self.function)(nf)
        tensors = [nf.constant(make()) for make in self.inputs]
        return partial(self.call or function, *([function] if self.call else []), *tensors, **self.attributes)

    def numpy(self) -> Callable[[], object]:
        """The step with NumPy.

        Raises:
            LookupError: there is none.
        """
        if self.theirs is None:
            raise LookupError(f"NumPy has nothing of one or a few calls like {self.function}")
        return partial(self.theirs, *(make() for make in self.inputs))


CASES: dict[str, Case] = {}  # by key


def case(function: str, theirs: Callable | None, *inputs: Maker, what: str = "", call=None, note="", **attributes):
    """Adds a row; see Case."""
    row = Case(function, what, inputs, theirs, call, attributes, note)
    if row.key in CASES:
        raise ValueError(f"the sweep has a row {row.key!r} already")
    CASES[row.key] = row


# --- arrays, the same in every process --------------------------------------------------------------------------------


def normal(shape: tuple = VECTOR, dtype="float32", seed: int = 0) -> Maker:
    """Standard normal numbers."""
    return lambda: np.random.default_rng(seed).standard_normal(shape, np.float32).astype(dtype)


def uniform(low: float = 0.1, high: float = 0.9, shape: tuple = VECTOR, dtype="float32", seed: int = 0) -> Maker:
    """Numbers in [low, high)."""
    return lambda: (low + (high - low) * np.random.default_rng(seed).random(shape, np.float32)).astype(dtype)


def integers(low: int = 0, high: int = 1000, shape: tuple = VECTOR, dtype="int32", seed: int = 0) -> Maker:
    """Integers in [low, high)."""
    return lambda: np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def bools(shape: tuple = VECTOR, seed: int = 0) -> Maker:
    """Bools, half of them true."""
    return lambda: np.random.default_rng(seed).random(shape, np.float32) < 0.5


def complexes(shape: tuple = VECTOR, dtype="complex64", seed: int = 0) -> Maker:
    """Complex numbers whose parts are normal."""
    return lambda: (normal(shape, seed=seed)() + 1j * normal(shape, seed=seed + 1)()).astype(dtype)


def ordered(shape: tuple = VECTOR, dtype="float32") -> Maker:
    """Uniform numbers, sorted along the last axis."""
    return lambda: np.sort(uniform(0, 1, shape, dtype)(), axis=-1)


def positive_definite(shape: tuple, dtype="float32") -> Maker:
    """Symmetric matrices with positive eigenvalues."""

    def make():
        x = normal(shape, dtype)()
        return x @ x.swapaxes(-1, -2) / shape[-1] + np.eye(shape[-1], dtype=dtype)

    return make
