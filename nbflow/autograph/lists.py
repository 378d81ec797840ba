"""Lists in converted code: those that a loop of a graph appends to, and elements of number a tensor."""

from collections.abc import Iterable, Sequence
from typing import Any

import optree

from nbflow.autograph.iteration import Elements
from nbflow.dtypes import int32
from nbflow.function.body import BodyTrace
from nbflow.function.control import Undefined, is_traced
from nbflow.function.structure import NAMESPACE
from nbflow.public import NAMES
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state
from nbflow.tensor.tensor import to_tensor


class TracedList:
    """A list whose length the graph knows when it runs; appending gives a new one.

    A function that returns one returns a Python list.

    Args:
        arrays: TensorArrays, one for each tensor in an element, with room for the elements or growing.
        count: the number of elements, an int or a scalar.
        form: the structure of an element, as optree has it.

    Attributes:
        origin, steps: the list that this one was made of by so many appends, none of them in a branch or loop.
        kept: whether it is the state of a loop under way, which has made the room that it needs.
    """

    def __init__(self, arrays: Sequence, count, form):
        self.arrays, self.count, self.form = list(arrays), count, form
        self.origin, self.steps, self.kept = self, 0, False

    def appended(self, value) -> "TracedList":
        """The list with one element more.

        Raises:
            TypeError: the element has not the structure of the others.
        """
        leaves, form = optree.tree_flatten(value, namespace=NAMESPACE)
        if form != self.form:
            raise TypeError(
                f"the list holds elements of structure {self.form}, to which an element of structure {form} was "
                f"appended; in a loop on tensors they must have one structure"
            )
        roomy = self if self.kept or self.arrays[0].dynamic_size else self.with_room(1)
        written = [a.write(self.count, leaf) for a, leaf in zip(roomy.arrays, leaves, strict=True)]
        found = TracedList(written, self.count + 1, form)
        found.origin, found.steps, found.kept = self.origin, self.steps + 1, self.kept
        return found

    def with_room(self, extra) -> "TracedList":
        """The list with room for more elements; for any number if `extra` is None."""
        arrays = []
        for array in self.arrays:
            stacked = array.stack()
            size, *rest = stacked.nbflow_shape
            if extra is None:
                arrays.append(NAMES["TensorArray"](array.dtype, 0, True).unstack(stacked[: self.count]))
            else:
                stacked = NAMES["concat"]([stacked, NAMES["zeros"]([extra, *rest], array.dtype)], 0)
                arrays.append(NAMES["TensorArray"](array.dtype, stacked.nbflow_shape[0]).unstack(stacked))
        return TracedList(arrays, self.count, self.form)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return self._element([x[key] for x in self._stacks()])
        number = to_tensor(key, hint=int32)
        number = NAMES["where"](number < 0, number + self.count, number)
        number = NAMES["where"](number < self.count, number, -1)  # beyond the end there may be room
        return self._element([a.read(number) for a in self.arrays])

    def _element(self, leaves: list):
        return optree.tree_unflatten(self.form, leaves)

    def _stacks(self) -> list:
        found = [a.stack() for a in self.arrays]
        full = isinstance(self.count, int) and found[0].nbflow_shape[0] == self.count
        return found if full else [x[: self.count] for x in found]

    def __add__(self, other):
        found = self
        for value in other:
            found = found.appended(value)
        return found

    def __len__(self):
        if not isinstance(self.count, int):
            raise TypeError("the length of a list that a loop on tensors appended to is known when the graph runs")
        return self.count

    def elements(self) -> Elements:
        """What a `for` loop goes over."""
        return Elements(tuple(self._stacks()), lambda slices: self._element(list(slices)))

    def __iter__(self):
        if isinstance(self.count, int):
            return (self[k] for k in range(self.count))
        return iter(self.elements())

    def nbflow_tensor(self):
        """All elements, stacked."""
        return self.nbflow_stack(0)

    def nbflow_stack(self, axis: int):
        """All elements, stacked along a new axis.

        Raises:
            TypeError: they are no single tensors.
        """
        if self.form != optree.tree_structure(0, namespace=NAMESPACE):
            raise TypeError(f"the list holds elements of structure {self.form}, which are no single tensors")
        (stacked,) = self._stacks()
        if axis == 0:
            return stacked
        order = list(range(1, stacked.ndim))
        order.insert(axis if axis >= 0 else axis + stacked.ndim, 0)
        return NAMES["transpose"](stacked, order)

    def nbflow_concat(self, axis: int):
        """All elements, joined along their first axis.

        Raises:
            NotImplementedError: axis is another one.
        """
        if axis != 0:
            raise NotImplementedError("concat of a list that a loop on tensors appended to joins along axis 0 only")
        stacked = self.nbflow_stack(0)
        return NAMES["reshape"](stacked, [-1, *stacked.nbflow_shape[2:]])

    def __repr__(self) -> str:
        return f"<list of {self.arrays}>"


def _put_together(form, parts: Sequence):
    """The list again; once its elements have values a Python list."""
    *arrays, count = parts
    found = TracedList(arrays, count, form)
    if state.trace is not None or is_traced(count) or not isinstance(count, TensorProtocol):
        return found
    columns = [NAMES["unstack"](a._stack[: int(count)]) for a in arrays]
    return [optree.tree_unflatten(form, row) for row in zip(*columns, strict=True)]


def _take_apart(made: TracedList):
    return [*made.arrays, made.count], made.form, None


optree.register_pytree_node(TracedList, _take_apart, _put_together, namespace=NAMESPACE)


class EmptyList(Undefined):
    """A list without elements, as yet: what they are is known after the first round of the loop that appends them."""

    def __init__(self, name: str, value: list):
        super().__init__(name, "; it is an empty list, which a loop on tensors appends to")
        self.__dict__.update(value=value)

    def __len__(self) -> int:
        return 0

    def __iter__(self):
        return iter(())


class Probe:
    """Stands for a list while a round is traced for nothing but to see what it appends.

    Attributes:
        appends: how many elements at most; None if that is not known.
        example: one of them.
        first: what the list holds before the loop.
    """

    def __init__(self, first: Any = ()):
        self.first: Any = first
        self.appends: int | None = 0
        self.example: Any = first[0] if type(first) is list and first else None

    def append(self, value, times: int | None = 1) -> None:
        """Notes an element that is appended, so many times."""
        self.example = value
        self.appends = None if self.appends is None or times is None else self.appends + times

    def __len__(self) -> int:
        return len(self.first)

    def __getitem__(self, key):
        if not len(self.first):
            raise IndexError("the list is empty before the loop")
        return self.first[0]


def as_traced_list(name: str, value, room=None) -> Any:
    """A Python list as one that a loop of the graph may append to.

    Args:
        name: of the variable.
        value: the list; anything else is given back.
        room: None, or (how many elements may come at most, one of them).
    """
    if isinstance(value, TracedList) and not value.kept and not value.arrays[0].dynamic_size:
        return value.with_room(None if room is None else room[0])
    if type(value) is not list:
        return value
    try:
        if room is not None:
            return _started(value, room[1], len(value) + room[0])
        return _started(value, value[0]) if value else EmptyList(name, value)
    except (TypeError, ValueError):  # no tensors, or of shapes that differ or are not known
        return value or EmptyList(name, value)


def _started(values: Sequence, example, room=None) -> TracedList:
    """A TracedList of some elements, with room for so many or growing."""
    leaves, form = optree.tree_flatten(example, namespace=NAMESPACE)
    tensors = [to_tensor(leaf) for leaf in leaves]
    size, grows = (0, True) if room is None else (room, False)
    arrays = [NAMES["TensorArray"](t.dtype, size, grows, element_shape=t.shape) for t in tensors]
    if not grows and not all(t.shape.is_fully_defined() for t in tensors):
        raise ValueError("the shape of the elements is not known")
    found = TracedList(arrays, 0, form)
    found.kept = True
    for value in values:
        found = found.appended(value)
    found.kept = False
    return found


def append(target, value):
    """The list after target.append(value)."""
    if isinstance(target, TracedList):
        return target.appended(value)
    if isinstance(target, EmptyList):
        return _started([value], value)
    if isinstance(target, Probe):
        target.append(value)
        return target
    if type(target) is list and isinstance(state.trace, BodyTrace):
        return [*target, value]  # the list itself is that of the code around the branch or the loop, too
    target.append(value)
    return target


def extend(target, values: Iterable):
    """The list after target.extend(values) or target += values."""
    if isinstance(target, (TracedList, EmptyList, Probe)):
        for value in values:
            target = append(target, value)
        return target
    if type(target) is list and isinstance(state.trace, BodyTrace):
        return [*target, *values]
    if type(target) is list:
        target.extend(values)
        return target
    target += values
    return target


def get_item(target, key):
    """target[key], where target may be a Python list of tensors and key a scalar of the trace."""
    if not is_traced(key) or not isinstance(target, (list, tuple)):
        return target[key]
    if key.ndim or not key.dtype.is_integer:
        raise TypeError(f"list indices are integers, got a tensor of shape {key.shape} and dtype {key.dtype.name}")
    number = NAMES["where"](key < 0, key + len(target), key)
    return NAMES["gather"](NAMES["stack"](list(target)), number)
