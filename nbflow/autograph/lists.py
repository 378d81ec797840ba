"""Lists in converted code: those that a loop of a graph appends to, and elements of number a tensor."""

from collections.abc import Iterable, Sequence
from typing import Any

import optree

from nbflow.autograph.iteration import Elements
from nbflow.function.body import BodyTrace
from nbflow.function.control import Undefined, is_traced
from nbflow.function.structure import NAMESPACE
from nbflow.public import NAMES
from nbflow.tensor.state import state
from nbflow.tensor.tensor import to_tensor


class TracedList:
    """A list whose length the graph knows when it runs; appending gives a new one.

    A function that returns one returns a Python list.

    Args:
        arrays: TensorArrays, one for each tensor in an element.
        form: the structure of an element, as optree has it.
    """

    def __init__(self, arrays: Sequence, form):
        self.arrays, self.form = list(arrays), form

    def length(self):
        """The number of elements, a scalar."""
        return self.arrays[0].size()

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
        at = self.length()
        return TracedList([a.write(at, leaf) for a, leaf in zip(self.arrays, leaves, strict=True)], form)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return self._element([a.stack()[key] for a in self.arrays])
        number = key + self.length() if not is_traced(key) and key < 0 else key
        if is_traced(key):
            number = NAMES["where"](key < 0, key + self.length(), key)
        return self._element([a.read(number) for a in self.arrays])

    def _element(self, leaves: list):
        return optree.tree_unflatten(self.form, leaves)

    def __add__(self, other):
        found = self
        for value in other:
            found = found.appended(value)
        return found

    def __len__(self):
        raise TypeError("the length of a list that a loop on tensors appended to is known when the graph runs")

    def elements(self) -> Elements:
        """What a `for` loop goes over."""
        return Elements(tuple(a.stack() for a in self.arrays), lambda slices: self._element(list(slices)))

    def __iter__(self):
        return iter(self.elements())

    def nbflow_tensor(self):
        """All elements, stacked."""
        return self.nbflow_stack(0)

    def nbflow_stack(self, axis: int):
        """All elements, stacked along a new axis."""
        stacked = self._only().stack()
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
        return self._only().concat()

    def _only(self):
        if len(self.arrays) != 1 or self.form != optree.tree_structure(0, namespace=NAMESPACE):
            raise TypeError(f"the list holds elements of structure {self.form}, which are no single tensors")
        return self.arrays[0]

    def __repr__(self) -> str:
        return f"<list of {self.arrays}>"


def _put_together(form, arrays: Sequence):
    """The list again; once its elements have values a Python list."""
    found = TracedList(arrays, form)
    tensors = [getattr(a, "_stack", None) for a in arrays]
    if state.trace is not None or any(t is None or is_traced(t) or isinstance(t, Undefined) for t in tensors):
        return found
    columns = [NAMES["unstack"](a.stack()) for a in arrays]
    return [optree.tree_unflatten(form, row) for row in zip(*columns, strict=True)]


optree.register_pytree_node(TracedList, lambda l: (l.arrays, l.form, None), _put_together, namespace=NAMESPACE)


class EmptyList(Undefined):
    """A list without elements, as yet: what they are is known after the first round of the loop that appends them."""

    def __init__(self, name: str, value: list):
        super().__init__(name, "; it is an empty list, which a loop on tensors appends to")
        self.__dict__.update(value=value)

    def __len__(self) -> int:
        return 0

    def __iter__(self):
        return iter(())


def as_traced_list(name: str, value) -> Any:
    """A Python list as one that a loop of the graph may append to."""
    if type(value) is not list:
        return value
    if not value:
        return EmptyList(name, value)
    try:
        return _started(value)
    except (TypeError, ValueError):  # no tensors, or of several shapes
        return value


def _started(values: Sequence) -> TracedList:
    """A TracedList of some elements."""
    leaves, form = optree.tree_flatten(values[0], namespace=NAMESPACE)
    tensors = [to_tensor(leaf) for leaf in leaves]
    arrays = [NAMES["TensorArray"](t.dtype, 0, True, element_shape=t.shape) for t in tensors]
    found = TracedList(arrays, form)
    for value in values:
        found = found.appended(value)
    return found


def append(target, value):
    """The list after target.append(value)."""
    if isinstance(target, TracedList):
        return target.appended(value)
    if isinstance(target, EmptyList):
        return _started([value])
    if type(target) is list and isinstance(state.trace, BodyTrace):
        return [*target, value]  # the list itself is that of the code around the branch or the loop, too
    target.append(value)
    return target


def extend(target, values: Iterable):
    """The list after target.extend(values) or target += values."""
    if isinstance(target, (TracedList, EmptyList)):
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
