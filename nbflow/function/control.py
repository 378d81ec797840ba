"""Branches and loops on traced tensors, for Python values of any structure."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree

from nbflow.compiler.control import AFTER, BRANCH, VARYING
from nbflow.compiler.graph import Aval, aval
from nbflow.dtypes import bool_, int32, int64
from nbflow.function.body import BodyTrace
from nbflow.function.control_nodes import add_cond, add_loop
from nbflow.function.structure import NAMESPACE
from nbflow.function.trace import SymbolicTensor
from nbflow.ops.table import TABLE
from nbflow.shapes import Dim, TensorShape
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state
from nbflow.tensor.tensor import to_tensor


def is_traced(value) -> bool:
    """Whether a value is a tensor of a trace under way, which has no value yet."""
    return isinstance(value, SymbolicTensor)


class Undefined:
    """Stands for a variable that has no value; using it raises UnboundLocalError.

    Args:
        name: of the variable.
        why: what the message adds.
    """

    def __init__(self, name: str, why: str = ""):
        self.__dict__.update(name=name, why=why)

    def _raise(self, *_, **__):
        raise UnboundLocalError(f"cannot access local variable '{self.name}': it has no value here{self.why}")

    __array__ = __bool__ = __call__ = __iter__ = __len__ = __getitem__ = __setitem__ = __contains__ = _raise
    __int__ = __float__ = __index__ = __enter__ = __exit__ = __setattr__ = _raise
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __neg__ = _raise
    __lt__ = __le__ = __gt__ = __ge__ = __matmul__ = __rmatmul__ = __pow__ = __rpow__ = __mod__ = __floordiv__ = _raise

    def __getattr__(self, attribute):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        self._raise()

    def __repr__(self) -> str:
        return f"<undefined {self.name}>"


class TracedRange:
    """range(start, limit, delta) of which one is a traced tensor."""

    __slots__ = ("delta", "limit", "start")

    def __init__(self, start, limit, delta=1):
        self.start, self.limit, self.delta = start, limit, delta


# --- values -----------------------------------------------------------------------------------------------------------

_NUMBERS = (bool, int, float, complex, np.ndarray, np.generic)


def _is_value(leaf) -> bool:
    """Whether a leaf can be a tensor."""
    return isinstance(leaf, (TensorProtocol, *_NUMBERS)) or hasattr(type(leaf), "nbflow_tensor")


def _taken_apart(value) -> tuple[list, Any]:
    """(leaves, structure) of a value; None is a leaf."""
    return optree.tree_flatten(value, none_is_leaf=True, namespace=NAMESPACE)


def _flatten(values: Sequence) -> tuple[list, list, list]:
    """(leaves, structures, for each leaf the number of its value)."""
    leaves: list = []
    forms, owners = [], []
    for k, value in enumerate(values):
        parts, form = _taken_apart(value)
        leaves += parts
        owners += [k] * len(parts)
        forms.append(form)
    return leaves, forms, owners


def _rebuilt(forms: Sequence, leaves: Sequence) -> list:
    """Values of these structures."""
    rest = iter(leaves)
    return [optree.tree_unflatten(form, [next(rest) for _ in range(form.num_leaves)]) for form in forms]


def _same(one, other) -> bool:
    """Whether two Python values are as good as one."""
    if one is other:
        return True
    if isinstance(one, (TensorProtocol, np.ndarray)) or type(one) is not type(other):
        return False
    try:
        return bool(one == other)
    except Exception:  # a type of the user's, whose comparison may do anything
        return False


# --- if ---------------------------------------------------------------------------------------------------------------


def staged_if(pred, branches: Sequence[Callable[[], Sequence]], names: Sequence[str]) -> list:
    """The values of one of two branches, chosen when the trace runs.

    Args:
        pred: bool scalar of a trace.
        branches: (true, false): functions that give a value for each name.
        names: of the values, for messages.

    Returns:
        For each name the Python object that both give, or a tensor (or structure of tensors).

    Raises:
        TypeError: what branches give for a name cannot be one tensor.
    """
    index = TABLE["cast"](to_tensor(pred), dtype=int32)
    return staged_switch(index, (branches[1], branches[0]), names, ("else", "if"))


def staged_switch(
    index, branches: Sequence[Callable[[], Sequence]], names: Sequence[str], titles: Sequence[str]
) -> list:
    """As staged_if for any number of branches: the one of number index, or the last."""
    outer = state.trace
    assert outer is not None
    traces: list[BodyTrace] = []
    found: list[list] = []
    forms: list[list] = []
    for branch in branches:
        trace = BodyTrace(outer)
        with trace.active():  # what is taken apart may add nodes: a TensorArray is stacked
            leaves, form, _ = _flatten(list(branch()))
        traces.append(trace)
        found.append(leaves)
        forms.append(form)
    for k, name in enumerate(names):
        _unify_structures(k, name, found, forms, titles)
    owners = [k for k, form in enumerate(forms[0]) for _ in range(form.num_leaves)]
    kept: list = []
    columns: list[int] = []
    for position, column in enumerate(zip(*found, strict=True)):
        there = [leaf for leaf in column if not isinstance(leaf, Undefined)]
        if not there or (len(there) == len(column) and all(_same(leaf, there[0]) for leaf in there)):
            kept.append(column[0])
        elif len(there) < len(column) and not all(map(_is_value, there)):
            kept.append(Undefined(names[owners[position]], " (only one branch of an `if` on a tensor gives it one)"))
        else:
            kept.append(None)
            columns.append(position)
    results = _branch_tensors(traces, found, columns, [names[owners[p]] for p in columns], titles)
    for position, tensor in zip(columns, add_cond(index, traces, results), strict=True):
        kept[position] = tensor
    return _rebuilt(forms[0], kept)


def _unify_structures(k: int, name: str, found: list[list], forms: list[list], titles: Sequence[str]) -> None:
    """Makes the k-th value of every branch have one structure: an undefined one takes that of the others."""
    whole = [_rebuilt(form, leaves)[k] for form, leaves in zip(forms, found, strict=True)]
    there = next((form[k] for form, value in zip(forms, whole, strict=True) if not isinstance(value, Undefined)), None)
    if there is None:
        return
    for number, value in enumerate(whole):
        if forms[number][k] == there:
            continue
        if not isinstance(value, Undefined):
            raise TypeError(
                f"'{name}' has the structure {forms[number][k]} in the `{titles[number]}` branch and {there} in "
                f"another; where a tensor decides between branches, both must give values of one structure"
            )
        values = _rebuilt(forms[number], found[number])
        values[k] = optree.tree_unflatten(there, [value] * there.num_leaves)
        found[number] = _flatten(values)[0]
        forms[number][k] = there


def _branch_tensors(traces, found, columns, names, titles) -> list[list]:
    """The values of each branch as tensors of its trace, of one dtype; zeros where a branch gives none."""
    results: list[list] = [[] for _ in traces]
    for position, name in zip(columns, names, strict=True):
        column = [leaves[position] for leaves in found]
        for leaf, title in zip(column, titles, strict=False):
            if not isinstance(leaf, Undefined) and not _is_value(leaf):
                others = ", ".join(f"{other!r:.60}" for other in column if other is not leaf)
                raise TypeError(
                    f"'{name}' is {leaf!r:.60} in the `{title}` branch and {others} in another; where a tensor decides "
                    f"between branches, both must give tensors, or the same Python value"
                )
        hint = next((leaf.dtype for leaf in column if isinstance(leaf, TensorProtocol)), None)
        if hint is None and any(isinstance(leaf, float) for leaf in column):
            hint = to_tensor(0.0).dtype
        tensors: list = []
        for trace, leaf in zip(traces, column, strict=True):
            with trace.active():
                tensors.append(None if isinstance(leaf, Undefined) else trace.lift(to_tensor(leaf, hint=hint)))
        first = next(t for t in tensors if t is not None)
        for number, (trace, tensor) in enumerate(zip(traces, tensors, strict=True)):
            if tensor is None:
                with trace.active():
                    tensors[number] = trace.lift(_zeros(first._aval))
            elif tensor.dtype is not first.dtype or tensor.ndim != first.ndim:
                raise TypeError(
                    f"'{name}' is {first.dtype.name} {first.shape} in one branch and {tensor.dtype.name} "
                    f"{tensor.shape} in the `{titles[number]}` branch; dtype and rank must be the same (nf.cast, "
                    f"nf.reshape)"
                )
        for result, tensor in zip(results, tensors, strict=True):
            result.append(tensor)
    return results


def _zeros(a: Aval):
    """Zeros of a dtype and a shape; a size that is not known becomes 0."""
    shape = tuple(n if isinstance(n, int) or not n.name.startswith((VARYING, AFTER, BRANCH)) else 0 for n in a.shape)
    zero = to_tensor(np.zeros((), a.dtype.np), a.dtype)
    return TABLE["broadcast_to"](zero, shape=shape) if shape else zero


# --- loops ------------------------------------------------------------------------------------------------------------


def staged_while(
    test: Callable, body: Callable, values: Sequence, names: Sequence[str], maximum_iterations=None, invariants=None
) -> list:
    """Repeats body while test holds, when the trace runs.

    Args:
        test: (*values) -> bool scalar.
        body: (*values) -> the next values, as a sequence.
        values: the first ones. Python numbers become tensors; what is Undefined is known after the first round.
        names: of the values, for messages.
        maximum_iterations: after so many rounds it ends anyway.
        invariants: for each value a TensorShape of what it may become, or None.

    Returns:
        The values after the last round.
    """
    trips, count = _limit(maximum_iterations)
    return _Loop(names, body, test).run(values, [], trips, count, invariants=invariants)


def staged_for(elements, test: Callable | None, body: Callable, values: Sequence, names: Sequence[str]) -> list:
    """Runs body for each element of a tensor's first axis, or of a TracedRange, when the trace runs.

    Args:
        elements: a tensor or structure of tensors of the same first size, or a TracedRange.
        test: (*values) -> whether to go on, or None.
        body: (element, *values) -> the next values.
        values, names: as of staged_while.
    """
    if isinstance(elements, TracedRange):
        parts = [to_tensor(v) for v in (elements.start, elements.limit, elements.delta)]
        hint = next((p.dtype for p in parts if is_traced(p)), parts[0].dtype)
        start, limit, delta = (to_tensor(v, hint=hint) for v in (elements.start, elements.limit, elements.delta))
        count = TABLE["cast"](-((start - limit) // delta), dtype=int64)

        def counting(element, *rest):
            return [element + delta, *body(element, *rest)]

        inner = None if test is None else lambda _, *rest: test(*rest)
        loop = _Loop(["the range", *names], counting, inner)
        return loop.run([start, *values], [], None, count)[1:]
    leaves, form = optree.tree_flatten(elements)
    tensors = [to_tensor(x) for x in leaves]
    for t in tensors:
        if not t.ndim:
            raise TypeError("Cannot iterate over a scalar tensor")
    loop = _Loop(names, lambda slices, *rest: body(optree.tree_unflatten(form, slices), *rest), test, True)
    return loop.run(values, tensors, tensors[0].nbflow_shape[0], None)


def staged_scan(
    body: Callable, values: Sequence, elements: Sequence, length, reverse: bool, names: Sequence[str]
) -> tuple[list, list]:
    """Runs body for each slice of some tensors and stacks what it gives.

    Args:
        body: (slices, *values) -> (the next values, results to stack): both sequences.
        values: the first ones.
        elements: tensors with one first size.
        length: that size, for when there are no elements; an int or int64 scalar.
        reverse: whether to go from the last to the first.

    Returns:
        (the values after the last round, the stacked results).
    """
    trips, count = (elements[0].nbflow_shape[0], None) if elements else _limit(length)
    loop = _Loop(names, body, None, True)
    loop.stacking = True
    found = loop.run(values, [to_tensor(x) for x in elements], trips, count, reverse)
    return found, loop.stacks


def _limit(number) -> tuple[Any, Any]:
    """A number of rounds as (what shapes or Python know, what a tensor says)."""
    if number is None or isinstance(number, (int, np.integer)):
        return (None if number is None else max(0, int(number))), None
    tensor = to_tensor(number)
    if isinstance(tensor, SymbolicTensor):
        known = tensor.nbflow_static
        if known is not None and not isinstance(known, tuple):
            return known, None
        return None, TABLE["cast"](tensor, dtype=int64)
    return max(0, int(tensor.numpy())), None


class _Loop:
    """A loop on its way into a trace.

    Attributes:
        stacks: what its rounds gave to stack, as a structure of tensors, if it is `stacking`.
    """

    def __init__(self, names: Sequence[str], body: Callable, test: Callable | None, sliced: bool = False):
        self.names, self.body, self.test, self.sliced = names, body, test, sliced
        self.stacking = False
        self.stacks: list = []
        self.avals: list[Aval] = []  # of the carries in a round, as general as attempts have shown need be

    def run(self, values: Sequence, elements: list, trips, count, reverse: bool = False, invariants=None) -> list:
        """Adds the loop to the trace under way; returns the values after it."""
        outer = state.trace
        assert outer is not None
        self.elements = [outer.lift(x) for x in elements]
        values = list(values)
        for _ in range(20):  # each time something more general
            found = self._attempt(values, invariants)
            if found is not None:
                break
            values = self.values
        else:
            raise TypeError(f"a loop over {', '.join(self.names)} does not come to values of fixed dtypes and shapes")
        trace, results, stack_form = found
        carries = list(self.carries)
        if self.test is not None:
            flag = self.test(*_rebuilt(self.forms, self.leaves))
            carries.insert(0, outer.lift(to_tensor(flag)))
        made = add_loop(
            trace,
            [outer.lift(c) for c in carries],
            self.elements,
            results,
            trips=trips,
            count=None if count is None else outer.lift(count),
            tested=self.test is not None,
            reverse=reverse,
        )
        first = int(self.test is not None)
        carried = made[first : len(carries)]
        if stack_form is not None:
            self.stacks = optree.tree_unflatten(stack_form, made[len(carries) :])
        replaced = dict(zip(self.places, carried, strict=True))
        return _rebuilt(self.forms, [replaced.get(k, leaf) for k, leaf in enumerate(self.leaves)])

    def _attempt(self, values: list, invariants):
        """Traces a round. None where the values must be more general than thought, with self.values set anew."""
        outer = state.trace
        self.values = values
        self.leaves, self.forms, owners = _flatten(values)
        self.places = [k for k, leaf in enumerate(self.leaves) if _is_value(leaf)]
        self.carries = [outer.lift(to_tensor(self.leaves[k])) for k in self.places]
        owner_names = [self.names[k] for k in owners]
        self._invariants = [None if invariants is None else invariants[k] for k in owners]
        avals = self.avals
        if len(avals) != len(self.carries) or not self._fits(avals):
            avals = [_general(c._aval, self._invariants[k]) for c, k in zip(self.carries, self.places, strict=True)]
        self.avals = avals
        slices = [aval(x._aval.dtype, x._aval.shape[1:]) for x in self.elements]
        seeds = vars(outer.seeds).copy()
        trace = BodyTrace(outer)
        with trace.active():
            symbols = [trace.argument(a) for a in avals]
            parts = [trace.argument(a) for a in slices]
            inside = dict(zip(self.places, symbols, strict=True))
            given = _rebuilt(self.forms, [inside.get(k, leaf) for k, leaf in enumerate(self.leaves)])
            found = self.body(parts, *given) if self.sliced else self.body(*given)
            stack_form, stacked = None, []
            if self.stacking:
                found, stacks = found
                stacked, stack_form = optree.tree_flatten(list(stacks))
            following = list(found)
            retry = self._compare(trace, following, symbols, owner_names)
            if retry is None:
                results = self._next
                if self.test is not None:
                    replaced = dict(zip(self.places, results, strict=True))
                    after = _rebuilt(self.forms, [replaced.get(k, leaf) for k, leaf in enumerate(self.leaves)])
                    results = [trace.lift(_flag(self.test(*after))), *results]
                    _prepend_flag(trace)
                results = [*results, *(trace.lift(to_tensor(s)) for s in stacked)]
                return trace, results, stack_form
        vars(outer.seeds).update(seeds)
        self.values = retry
        return None

    @staticmethod
    def _start(trace: BodyTrace, value) -> Any:
        """What a variable without a value starts as, for its value after a round."""
        known = trace.lift(to_tensor(value))._aval
        with trace.outer.active():
            return _zeros(known)

    def _fits(self, avals) -> bool:
        return all(a.dtype is c._aval.dtype and len(a.shape) == len(c._aval.shape) for a, c in zip(avals, self.carries))

    def _compare(self, trace: BodyTrace, following: list, symbols: list, names: list[str]):
        """Sets self._next to the next values of the carries; or gives more general first values for another attempt."""
        if len(following) != len(self.values):
            raise ValueError(
                f"the loop's body returned {len(following)} values for {len(self.values)}: {', '.join(self.names)}"
            )
        for k, (value, new) in enumerate(zip(self.values, following, strict=True)):
            if isinstance(value, Undefined) and not isinstance(new, Undefined):
                leaves, form = _taken_apart(new)
                if not all(map(_is_value, leaves)):
                    following[k] = value  # a Python object that the body makes anew: not known before the first round
                    continue
                filled = [self._start(trace, leaf) for leaf in leaves]
                return [*self.values[:k], optree.tree_unflatten(form, filled), *self.values[k + 1 :]]
        leaves, forms, owners = _flatten(following)
        for k, (before, after) in enumerate(zip(self.forms, forms, strict=True)):
            if before != after:
                raise TypeError(
                    f"'{self.names[k]}' has the structure {before} before the loop and {after} after a round; in a "
                    f"loop on tensors it must stay the same"
                )
        known = [
            self._start(trace, new) if isinstance(old, Undefined) and _is_value(new) else old
            for old, new in zip(self.leaves, leaves, strict=True)
        ]
        if any(one is not old for one, old in zip(known, self.leaves, strict=True)):
            return _rebuilt(self.forms, known)
        for k, (old, new) in enumerate(zip(self.leaves, leaves, strict=True)):
            if k not in self.places and not _same(old, new) and not isinstance(old, Undefined):
                raise TypeError(
                    f"'{names[k]}' is {old!r:.60} before the loop and {new!r:.60} after a round; in a loop on tensors "
                    f"it must be a tensor of one dtype and rank, or stay the same: start it like its later values"
                )
        self._next = []
        avals = list(self.avals)
        for n, (k, symbol) in enumerate(zip(self.places, symbols, strict=True)):
            new = leaves[k]
            if not _is_value(new):
                raise TypeError(
                    f"'{names[k]}' is a tensor before the loop and {new!r:.60} after a round; it must stay a tensor"
                )
            tensor = trace.lift(to_tensor(new, hint=symbol.dtype))
            if tensor.dtype is not symbol.dtype:
                if isinstance(self.leaves[k], _NUMBERS) and not isinstance(self.leaves[k], (np.ndarray, np.generic)):
                    changed = list(self.leaves)
                    changed[k] = to_tensor(self.leaves[k], tensor.dtype)
                    return _rebuilt(self.forms, changed)
                raise TypeError(
                    f"'{names[k]}' has dtype {symbol.dtype.name} before the loop, but dtype {tensor.dtype.name} after "
                    f"a round; use nf.cast"
                )
            if tensor.ndim != symbol.ndim:
                raise ValueError(
                    f"'{names[k]}' has shape {symbol.shape} before the loop, but shape {tensor.shape} after a round; "
                    f"the number of dimensions must stay the same"
                )
            avals[n] = _joined(self.avals[n], tensor._aval)
            if avals[n] is not self.avals[n] and self._invariants[k] is not None:
                raise ValueError(
                    f"'{names[k]}' has shape {symbol.shape} in a round, but shape {tensor.shape} after it, which its "
                    f"shape invariant does not allow; write None for the sizes that change, or leave out the invariants"
                )
            self._next.append(tensor)
        if avals != self.avals:
            self.avals = avals
            return self.values
        return None


def _flag(value):
    tensor = to_tensor(value)
    if tensor.dtype is not bool_ or tensor.ndim:
        raise TypeError(f"the condition of a loop must be a bool scalar, got {tensor!r}")
    return tensor


def _prepend_flag(trace: BodyTrace) -> None:
    """Gives a round the loop's condition as its first argument, which the body does not look at."""
    flag = trace.graph.input(aval(bool_, ()))
    trace.graph.inputs.insert(0, trace.graph.inputs.pop())
    assert trace.graph.inputs[0] is flag


def _general(a: Aval, invariant) -> Aval:
    """The Aval of a value in a round: sizes that an invariant leaves open may change."""
    if invariant is None:
        return a
    if not isinstance(invariant, TensorShape):
        invariant = TensorShape(invariant)
    if invariant.unknown_rank:
        sizes = tuple(Dim.fresh(VARYING) for _ in a.shape)
    else:
        if not invariant.is_compatible_with([None if isinstance(n, Dim) else n for n in a.shape]):
            raise ValueError(f"a shape invariant is {invariant} for a value of shape {TensorShape(a.shape)}")
        sizes = tuple(Dim.fresh(VARYING) if n is None else size for n, size in zip(invariant, a.shape, strict=True))
    return aval(a.dtype, sizes)


def _joined(before: Aval, after: Aval) -> Aval:
    """The Aval of a value in a round, given what it is after one."""
    return aval(
        before.dtype,
        tuple(
            at if at == new or (isinstance(at, Dim) and at.name.startswith(VARYING)) else Dim.fresh(VARYING)
            for at, new in zip(before.shape, after.shape, strict=True)
        ),
    )
