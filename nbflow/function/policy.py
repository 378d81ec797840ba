"""When a function is traced anew, for which sizes, and what its user is told about it."""

import logging
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nbflow.compiler.graph import Aval, aval
from nbflow.function.concrete import ConcreteFunction, Form
from nbflow.function.signature import ByIdentity
from nbflow.shapes import Dim

LOGGER = logging.getLogger("nbflow")
CHANGES = 2  # a dimension that has changed so often becomes symbolic
MANY = 5  # a function that was retraced so often is warned about

recorded: list[tuple["History", ConcreteFunction]] | None = None  # where all traces go, while `nbflow inspect` runs

Sizes = tuple[tuple[int, ...], ...]  # of the tensors among a call's arguments


class Pattern:
    """A trace for all sizes of some dimensions.

    Attributes:
        avals: what was traced: a Dim in place of each open size. Sizes that always were equal are one Dim.
        concrete: the trace.
    """

    def __init__(self, avals: Sequence[Aval], concrete: ConcreteFunction):
        self.avals, self.concrete = avals, concrete

    def fits(self, sizes: Sizes) -> bool:
        """Whether it serves these sizes. 0 and 1 are never open: they may mean another program, as for broadcasting."""
        found: dict[str, int] = {}
        for a, shape in zip(self.avals, sizes, strict=True):
            for wanted, size in zip(a.shape, shape, strict=True):
                if isinstance(wanted, Dim):
                    if size < 2 or found.setdefault(wanted.name, size) != size:
                        return False
                elif wanted != size:
                    return False
        return True


@dataclass
class Family:
    """Calls that differ in the sizes of tensors alone.

    Attributes:
        calls: the sizes of the calls that found no trace.
        patterns: the traces for any size.
        refusals: for sets of (tensor, axis) that could not be left open, why not.
    """

    calls: list[Sizes] = field(default_factory=list)
    patterns: list[Pattern] = field(default_factory=list)
    refusals: dict[frozenset, str] = field(default_factory=dict)

    def pattern(self, sizes: Sizes) -> Pattern | None:
        """The trace for any size that serves a call."""
        return next((p for p in self.patterns if p.fits(sizes)), None)

    def open_avals(self, avals: Sequence[Aval], changes: int) -> tuple[list[Aval], frozenset] | None:
        """The avals of a call with those sizes open that have changed so often; None where there are none.

        The call is among `calls` already.

        Returns:
            (avals, the set of (tensor, axis) that are open), or None.
        """
        histories: dict[tuple[int, int], tuple[int, ...]] = {}
        for k, a in enumerate(avals):
            for axis, size in enumerate(a.shape):
                history = tuple(call[k][axis] for call in self.calls)
                if isinstance(size, int) and size > 1 and len(set(history)) > changes:
                    histories[k, axis] = history
        places = frozenset(histories)
        if not places or places in self.refusals:
            return None
        names = {history: f"d{k}_{axis}" for (k, axis), history in reversed(list(histories.items()))}
        opened = []
        for k, a in enumerate(avals):
            shape = tuple(
                Dim(names[histories[k, axis]]) if (k, axis) in histories else n for axis, n in enumerate(a.shape)
            )
            opened.append(aval(a.dtype, shape))
        return opened, places


@dataclass(frozen=True)
class Difference:
    """One thing in which a call differs from an earlier one.

    Attributes:
        argument: its name, as "options['k']".
        before, after: what it was and what it is.
        kind: "sizes", "rank", "dtype", "value", "object" or "structure".
    """

    argument: str
    before: str
    after: str
    kind: str

    def __str__(self) -> str:
        return f"{self.argument} changed from {self.before} to {self.after}"


@dataclass
class Traced:
    """What is remembered of one trace.

    Attributes:
        number: counted from 1.
        form: of its arguments.
        differences: from the trace that it was most like; empty for the first.
        note: what else there is to say, such as why a size could not be left open.
        concrete: a weak reference to the trace.
        asked: whether it was asked for by get_concrete_function, not by a call.
        seconds: that it took.
    """

    number: int
    form: Form
    differences: list[Difference]
    note: str
    concrete: Any
    asked: bool
    seconds: float

    @property
    def reason(self) -> str:
        """Why it was traced, on one line."""
        text = "; ".join(map(str, self.differences)) or ("the first call" if self.number == 1 else "another call")
        return f"{text} ({self.note})" if self.note else text


def differences(before: Form, after: Form) -> list[Difference]:
    """In what two calls differ."""
    if before.structure != after.structure:
        old, new = dict(zip(before.names, before.parts, strict=True)), dict(zip(after.names, after.parts, strict=True))
        gone, come = [n for n in before.names if n not in new], [n for n in after.names if n not in old]
        name = (come or gone or ["the arguments"])[0].partition("[")[0]
        return [Difference(name, _leaves_text(before, name), _leaves_text(after, name), "structure")]
    found = []
    for name, old, new, was, now in zip(
        before.names, before.parts, after.parts, before.leaves, after.leaves, strict=True
    ):
        if old is new or old == new:
            continue
        kind = _kind(old, new)
        first, second = part_text(old, was), part_text(new, now)
        if first == second:
            first, second = "one", f"another {second}"
        found.append(Difference(name, first, second, kind))
    return found


def _kind(old, new) -> str:
    if isinstance(old, Aval) and isinstance(new, Aval):
        if old.dtype is not new.dtype:
            return "dtype"
        return "sizes" if len(old.shape) == len(new.shape) else "rank"
    return "object" if isinstance(new, ByIdentity) else "value"


def part_text(part, leaf) -> str:
    """What an argument was, as users read it."""
    if isinstance(part, Aval):
        return repr(part)
    if isinstance(part, ByIdentity):
        target = part.target
        return f"{type(target).__name__} object" if target is not None else "an object that is gone"
    return f"{leaf!r:.80}"


def _leaves_text(form: Form, name: str) -> str:
    rows = zip(form.names, form.parts, form.leaves, strict=True)
    found = [f"{n}: {part_text(part, leaf)}" for n, part, leaf in rows if n.partition("[")[0] == name]
    return f"{{{', '.join(found)}}}" if found else "nothing"


CURES = {
    "sizes": "Give sizes that vary as None in an input_signature, or pad to a few sizes",
    "rank": "Reshape it to one rank before the call",
    "dtype": "Cast it to one dtype before the call",
    "value": "Pass numbers that vary as tensors, nf.constant(value); Python values are part of the program",
    "object": "Make the object once and pass the same one, or give its class __eq__ and __hash__",
    "structure": "Pass the same structure every time, with a value such as a tensor of zeros for what is absent",
}


class History:
    """All traces of one function.

    Attributes:
        traces: in order.
        limit: more traces than this raise an AssertionError; None for no limit.
    """

    def __init__(self, name: str, where: str):
        self.name, self.where = name, where
        self.traces: list[Traced] = []
        self.limit: int | None = None
        self._warned = False

    def explained(self, form: Form) -> list[Difference]:
        """In what a call differs from the trace that it is most like."""
        choices = [differences(old.form, form) for old in reversed(self.traces)]
        return min(choices, key=lambda found: (_weight(found), len(found)), default=[])

    def check_limit(self, form: Form) -> None:
        """Raises AssertionError where one more trace is too many."""
        if self.limit is not None and len(self.traces) >= self.limit:
            why = "; ".join(map(str, self.explained(form))) or "it is the first call"
            raise AssertionError(
                f"{self.name} ({self.where}) was to be traced at most {self.limit} times, and this call needs one "
                f"trace more: {why}"
            )

    def add(self, form: Form, concrete: ConcreteFunction, note: str = "", asked: bool = False) -> None:
        """Notes a trace; warns once where there are many."""
        found = self.explained(form)
        number = len(self.traces) + 1
        self.traces.append(Traced(number, form, found, note, weakref.ref(concrete), asked, concrete.seconds))
        if recorded is not None:
            recorded.append((self, concrete))
        retraces = [t for t in self.traces[1:] if not t.asked]
        if len(retraces) >= MANY and not self._warned and found:
            self._warned = True
            cures = dict.fromkeys(CURES[d.kind] for d in found)
            LOGGER.warning(
                "%s (%s) has been traced %d times, which makes calls slow; the last time because %s%s. %s. "
                "fn.explain() tells about each trace.",
                self.name,
                self.where,
                number,
                "; ".join(map(str, found)),
                f" ({note})" if note else "",
                ". ".join(cures),
            )


def _weight(found: list[Difference]) -> int:
    """How far two calls are apart: what is the nearest call is the one that a user had in mind."""
    return sum({"sizes": 1, "value": 2, "object": 2, "dtype": 3, "rank": 3, "structure": 9}[d.kind] for d in found)
