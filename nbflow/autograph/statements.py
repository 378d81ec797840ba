"""Statements of converted code: as Python runs them, or, where a tensor of a trace decides, as ops of its graph."""

import dis
import types
from collections.abc import Callable, Iterable, Sequence, Sized
from functools import partial

import optree

from nbflow.autograph.iteration import elements_of, size_of
from nbflow.autograph.lists import EmptyList, Probe, TracedList, as_traced_list
from nbflow.autograph.logic import is_staged, not_, truth
from nbflow.autograph.variables import Variables
from nbflow.function.body import BodyTrace
from nbflow.function.control import Undefined, staged_for, staged_if, staged_while
from nbflow.ops.table import TABLE
from nbflow.public import NAMES
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state
from nbflow.tensor.tensor import to_tensor


def if_(test, then: Callable, orelse: Callable | None, names: Sequence[str], dead=(), sure=(), places=()) -> None:
    """if test: then() else: orelse().

    Args:
        names: the variables that the branches may change and that are read afterwards.
        dead: those that they may change and read, but nobody afterwards.
        sure: those of `names` that are surely read afterwards.
        places: attributes and elements that they assign, see Variables.
    """
    if not is_staged(test):
        if test:
            then()
        elif orelse is not None:
            orelse()
        return
    functions = (then, orelse)
    _staged_if(truth(test), functions, Variables(functions, names, places), Variables(functions, dead), sure)


def _staged_if(
    test,
    functions: Sequence[Callable | None],
    variables: Variables,
    dead: Variables | None = None,
    sure: Sequence[str] = (),
) -> None:
    before, before_dead = [_growing(v) for v in variables.get()], dead.get() if dead else []
    ends: dict[int, list] = {}

    def values(branch: int) -> list:
        variables.set(before)
        if dead:
            dead.set(before_dead)
        function = functions[branch]
        if function is not None:
            function()
        ends[branch] = variables.get()
        return ends[branch]

    try:
        results = staged_if(test, (partial(values, 0), partial(values, 1)), variables.names)
    except Exception as error:
        variables.set(before)
        if dead:
            dead.set(before_dead)
        raising = [_raised_by(error, f) for f in functions]
        if not any(raising):
            raise
        holds = not_(test) if raising[0] else test
        NAMES["debugging.Assert"](holds, [f"{type(error).__name__}: {error}"])
        other = functions[1] if raising[0] else functions[0]
        if other is not None:
            other()
        return
    for name, then, orelse in zip(variables.names, ends[0], ends[1], strict=True):
        if name in sure and isinstance(then, Undefined) != isinstance(orelse, Undefined):
            holds = test if isinstance(orelse, Undefined) else not_(test)
            NAMES["debugging.Assert"](holds, [f"'{name}' has no value: only the other branch of the `if` gives it one"])
    variables.set(_as_before(before, results))


def _growing(value):
    """A list to which one branch may append and another not."""
    fixed = isinstance(value, TracedList) and not value.kept and not value.arrays[0].dynamic_size
    return value.with_room(None) if fixed else value


def _raised_by(error: BaseException, function: Callable | None) -> bool:
    """Whether an exception comes from a raise statement of a branch, rather than from something in it that failed."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    function = function.func if isinstance(function, partial) else function
    if trace is None or not isinstance(function, types.FunctionType) or trace.tb_frame.f_code is not function.__code__:
        return False
    return function.__code__.co_code[trace.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def fails(test, message: Callable | None = None) -> bool:
    """Whether an assert statement raises here. On a tensor of a trace it never does: it becomes an op that may."""
    if not is_staged(test):
        return not test
    NAMES["debugging.Assert"](truth(test), ["assertion failed" if message is None else message()])
    return False


def while_(
    test: Callable, body: Callable, names: Sequence[str], lists=(), places=(), options=None, tested: bool = False
) -> None:
    """while test(): body().

    The loop runs in Python until the test is a tensor of a trace; from there on it is a loop of the graph.

    Args:
        names: the variables that a round may change and that later rounds, or others afterwards, read.
        lists: those of them that the body appends to.
        places: as of if_.
        options: what set_loop_options says.
        tested: whether the test changes variables too.
    """
    trace = state.trace
    while True:
        before = 0 if trace is None else len(trace.graph.nodes)
        going = test()
        if is_staged(going):
            break
        if not going:
            return
        body()
    variables = Variables((body, test), names, places)
    start = _with_lists(variables, lists)
    tested = tested or any(node.op.effect or node.op is _ASSIGNED for node in trace.graph.nodes[before:])

    def holds(*values):
        variables.set(values)
        return truth(test())

    def following(*values):
        variables.set(_kept_lists(values))
        body()
        return variables.get()

    def held(flag, *_):
        return flag

    def next_and_flag(_, *values):
        following(*values)
        return [truth(test()), *variables.get()]

    with _kept(variables, start):
        options = _options(options, variables)
        if tested:  # as often as in Python, and its variables are those of the last time
            names = ["the condition of the loop", *variables.names]
            found = staged_while(held, next_and_flag, [truth(going), *start], names, **options)[1:]
        else:
            found = staged_while(holds, following, start, variables.names, **options)
    _check_ran(lambda: truth(going), variables.names, start, found)
    variables.set(_as_before(start, _without_empty(found)))


_ASSIGNED = TABLE["stop_gradient"]  # what a trace adds where a Variable is assigned to


def for_(
    elements: Iterable, body: Callable, names: Sequence[str], test=None, lists=(), places=(), options=None
) -> None:
    """for element in elements: body(element), as long as test() holds.

    Args:
        test: None, or asks the flags that break and return set.
        names, lists, places, options: as of while_.
    """
    staged = elements_of(elements)
    if staged is not None:
        _staged_for(staged, body, Variables((body, test), names, places), test, lists, options)
    elif test is None:
        for element in elements:
            body(element)
    else:
        _python_for(elements, body, Variables((body, test), names, places), test)


_ROUNDS = 200  # of a loop over who knows how many values, once a tensor decides whether it goes on


def _python_for(elements: Iterable, body: Callable, variables: Variables, test: Callable) -> None:
    iterator = iter(elements)
    going = True
    conditional = 0
    while is_staged(going) or going:
        try:
            element = next(iterator)
        except StopIteration:
            return
        if is_staged(going):  # each of the rounds that are left runs if the loop was not ended before
            conditional += 1
            if conditional > _ROUNDS and not isinstance(elements, Sized):
                raise NotImplementedError(
                    f"a tensor decides whether to leave a `for` loop over Python values, and there are more than "
                    f"{_ROUNDS} of them: loop over a tensor or range(tensor), or use `while`"
                )
            _staged_if(truth(going), (partial(body, element), None), variables)
        else:
            body(element)
        going = test()


def _staged_for(staged, body: Callable, variables: Variables, test: Callable | None, lists, options) -> None:
    trips = staged.number()
    rooms = _rooms(staged, body, variables, lists, trips) if lists else {}
    start = _with_lists(variables, lists, rooms)
    every: dict[int, int] = {}  # by number of the variable: how many elements each round appends

    def holds(*values):
        variables.set(values)
        return truth(test())

    def following(element, *values):
        variables.set(_kept_lists(values))
        body(staged.element(element))
        found = variables.get()
        for k, (old, new) in enumerate(zip(values, found, strict=True)):
            if isinstance(old, TracedList):
                every[k] = new.steps if isinstance(new, TracedList) and new.origin is old.origin else -1
        return found

    with _kept(variables, start):
        _options(options, variables)
        found = staged_for(staged.parts, None if test is None else holds, following, start, variables.names)
    if isinstance(trips, int) and not trips:
        found = [old if isinstance(old, Undefined) else new for old, new in zip(start, found, strict=True)]
    elif not isinstance(trips, int):
        _check_ran(partial(size_of, staged), variables.names, start, found)
    if test is None:  # all rounds run: how long lists are is known
        for k, steps in every.items():
            if steps >= 0 and isinstance(trips, int) and isinstance(start[k], TracedList):
                found[k] = TracedList(found[k].arrays, start[k].count + trips * steps, found[k].form)
    variables.set(_as_before(start, _without_empty(found)))


def _check_ran(rounds: Callable, names: Sequence[str], before: Sequence, after: Sequence) -> None:
    """Sees to it that variables that have values only after a round are had by a loop that runs.

    Args:
        rounds: gives a scalar, 0 or False if it does not run.
    """
    for name, old, new in zip(names, before, after, strict=True):
        made = type(old) is Undefined and not isinstance(new, Undefined)
        if made and name.isidentifier():  # others, such as "the return value", are flagged by the conversion
            NAMES["debugging.Assert"](
                NAMES["cast"](rounds(), "bool"), [f"'{name}' has no value: the loop that gives it one had no rounds"]
            )


def _rooms(staged, body: Callable, variables: Variables, lists: Sequence[str], trips) -> dict[str, tuple]:
    """How many elements a loop appends to lists at most, and one of them: found by tracing a round for nothing else."""
    outer, values = state.trace, variables.get()
    assert outer is not None
    outside = {  # a Probe where a loop around this one looks what it appends
        name: value
        for name, value in zip(variables.names, values, strict=True)
        if name in lists and (isinstance(value, (list, Probe)) or (isinstance(value, TracedList) and not value.kept))
    }
    own = {name: Probe(p.first if isinstance(p, Probe) else p) for name, p in outside.items()}
    seeds = vars(outer.seeds).copy()
    try:
        with BodyTrace(outer).active() as trace:
            made = [own[n] if n in own else _symbolic(trace, v) for n, v in zip(variables.names, values, strict=True)]
            variables.set(made)
            body(staged.element(staged.example()))
    except Exception:  # the loop itself will say what is wrong, or get on without
        return {}
    finally:
        variables.set(values)
        vars(outer.seeds).update(seeds)
    rooms = {}
    for name, probe in own.items():
        looking = outside[name]
        if isinstance(looking, Probe):
            times = probe.appends * trips if isinstance(trips, int) and probe.appends is not None else None
            looking.append(probe.example, times)
        elif probe.appends and trips is not None:
            rooms[name] = probe.appends * trips, probe.example
    return rooms


def _symbolic(trace, value):
    """A value as tensors that have no value yet, where it is numbers."""

    def leaf(x):
        plain = isinstance(x, (bool, int, float, TensorProtocol))
        return TABLE["identity"](trace.lift(to_tensor(x))) if plain else x

    return value if isinstance(value, Undefined) else optree.tree_map(leaf, value, none_is_leaf=True)


class _kept:
    """A block that leaves variables with the values that they had, if it raises."""

    def __init__(self, variables: Variables, values: Sequence):
        self.variables, self.values = variables, values

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.variables.set(self.values)


def _with_lists(variables: Variables, lists: Sequence[str], rooms: dict[str, tuple] | None = None) -> list:
    """The variables' values; lists that the loop appends to as lists of the graph."""
    return [
        as_traced_list(name, value, (rooms or {}).get(name)) if name in lists else value
        for name, value in zip(variables.names, variables.get(), strict=True)
    ]


def _kept_lists(values: Sequence) -> Sequence:
    """Values of a round: the loop has made room for what the lists among them become."""
    for value in values:
        if isinstance(value, TracedList):
            value.kept = True
    return values


def _as_before(before: Sequence, after: Sequence) -> Sequence:
    """Values after a branch or an inner loop: lists that a loop keeps it still keeps."""
    for old, new in zip(before, after, strict=True):
        if isinstance(old, TracedList) and isinstance(new, TracedList):
            new.kept = old.kept
    return after


def _without_empty(values: Sequence) -> list:
    """Values after a loop: lists that it did not append to are what they were."""
    return [value.value if isinstance(value, EmptyList) else value for value in values]


def _options(options: dict | None, variables: Variables) -> dict:
    """What set_loop_options says, as arguments of staged_while."""
    if not options:
        return {}
    found = {"maximum_iterations": options.get("maximum_iterations")}
    shapes = dict(options.get("shape_invariants") or ())
    if shapes:
        found["invariants"] = [shapes.get(name) for name in variables.names]
    return found
