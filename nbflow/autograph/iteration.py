"""What a `for` loop in a graph goes over: tensors, ranges of tensors, zip, enumerate and map of them."""

from collections.abc import Callable, Sequence
from typing import Any

from nbflow.function.control import TracedRange
from nbflow.function.trace import SymbolicTensor
from nbflow.public import NAMES
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state


class Elements:
    """Something to go over in a graph.

    Args:
        parts: a tensor, a tuple of tensors of the same first size, or a TracedRange.
        element: what the loop's variable is, given slices of the parts.
    """

    def __init__(self, parts, element: Callable = lambda parts: parts):
        self.parts, self.element = parts, element

    def __iter__(self):
        raise TypeError(
            "the number of elements is a tensor, which is known when the graph runs: go over them in a `for` "
            "statement, or use nf.range and nf.map_fn"
        )

    def number(self) -> Any:
        """How many elements there are: an int, a size or a scalar."""
        parts = self.parts
        if isinstance(parts, TracedRange):
            return NAMES["maximum"]((parts.limit - parts.start + parts.delta - 1) // parts.delta, 0)
        return (parts[0] if isinstance(parts, tuple) else parts).nbflow_shape[0]

    def example(self) -> Any:
        """Slices such as a round gets, for a round that is traced only to look at it."""
        parts = self.parts
        if isinstance(parts, TracedRange):
            return NAMES["identity"](NAMES["convert_to_tensor"](parts.limit))
        return tuple(map(_first, parts)) if isinstance(parts, tuple) else _first(parts)

    def tensors(self) -> list:
        """The parts as a list of tensors."""
        parts = self.parts
        if isinstance(parts, TracedRange):
            return [NAMES["range"](parts.start, parts.limit, parts.delta)]
        return list(parts) if isinstance(parts, tuple) else [parts]

    def element_of(self, slices: Sequence):
        """The loop's variable, given slices of `tensors`."""
        return self.element(tuple(slices) if isinstance(self.parts, tuple) else slices[0])


def _first(tensor):
    """A slice, of a tensor that may have none."""
    if tensor.nbflow_shape[0] != 0:
        return tensor[0]
    return NAMES["identity"](NAMES["zeros"](tensor.nbflow_shape[1:], tensor.dtype))


def elements_of(value) -> Elements | None:
    """What a loop of the graph goes over; None for what a loop of Python does."""
    if isinstance(value, Elements):
        return value
    if hasattr(type(value), "elements") and state.trace is not None:  # a list that a loop appended to
        return value.elements()
    if state.trace is not None and isinstance(value, TensorProtocol):
        tensor = value.nbflow_tensor()
        if not tensor.ndim:
            raise TypeError("Cannot iterate over a scalar tensor.")
        return _counted(tensor) or Elements(tensor)
    return None


def _counted(tensor) -> Elements | None:
    """nf.range of tensors as a loop that counts: its numbers need no memory, and nothing outside the graph its size."""
    node = getattr(getattr(tensor, "value", None), "node", None)
    if node is None or node.op.name != "range" or not tensor.dtype.is_integer:
        return None
    sized = (n for n in reversed(tensor.trace.graph.nodes) if n.op.name == "counting")
    source = next((n for n in sized if n.output.shape == tensor.nbflow_shape), None)
    if source is None:
        return None
    count = SymbolicTensor(tensor.trace, source.inputs[0])
    start, delta = (NAMES["cast"](SymbolicTensor(tensor.trace, v), count.dtype) for v in node.inputs)
    numbers = TracedRange(start, start + count * delta, delta)
    return Elements(numbers, lambda number: NAMES["cast"](number, tensor.dtype))


def size_of(elements: Elements) -> Any:
    """How many elements there are, as a scalar of the graph."""
    number = elements.number()
    return number if isinstance(number, TensorProtocol) else _size(elements.tensors()[0])


def range_(*limits):
    """range, of tensors too."""
    if state.trace is None or not any(isinstance(x, TensorProtocol) for x in limits):
        return range(*limits)
    tensors = [x.nbflow_tensor() if isinstance(x, TensorProtocol) else x for x in limits]
    for x in tensors:
        if isinstance(x, TensorProtocol) and (x.ndim or not x.dtype.is_integer):
            raise TypeError(f"range() takes integers, got a tensor of shape {x.shape} and dtype {x.dtype.name}")
    start, limit = (0, tensors[0]) if len(tensors) == 1 else tensors[:2]
    return Elements(TracedRange(start, limit, *tensors[2:]))


def zip_(*values, strict: bool = False):
    """zip, of tensors too: as long as the shortest."""
    staged = [elements_of(v) for v in values]
    found = [s for s in staged if s is not None]
    if not found:
        return zip(*values, strict=strict)
    if len(found) < len(staged):  # with Python values: unrolled, where tensors have a known length
        return zip(*values, strict=strict)
    groups = [s.tensors() for s in found]
    tensors = _as_long([t for group in groups for t in group])

    def element(slices):
        rest = iter(slices)
        return tuple(s.element_of([next(rest) for _ in g]) for s, g in zip(found, groups, strict=True))

    return Elements(tuple(tensors), element)


def _as_long(tensors: list) -> list:
    """Tensors cut to the length of the shortest."""
    sizes = [t.nbflow_shape[0] for t in tensors]
    if all(size == sizes[0] for size in sizes):
        return tensors
    if all(isinstance(size, int) for size in sizes):
        shortest = min(sizes)
    else:
        shortest = min_([_size(t) for t in tensors])
    return [t[:shortest] for t in tensors]


def _size(tensor) -> Any:
    """The number of elements along the first axis: an int, or a scalar of the graph."""
    size = tensor.nbflow_shape[0]
    return size if isinstance(size, int) else NAMES["shape"](tensor)[0]


def min_(sizes: Sequence) -> Any:
    """The least of some numbers and scalars."""
    least = sizes[0]
    for size in sizes[1:]:
        least = NAMES["minimum"](least, size)
    return least


def enumerate_(iterable, start=0):
    """enumerate, of tensors too."""
    staged = elements_of(iterable)
    if staged is None:
        return enumerate(iterable, start)
    return zip_(NAMES["range"](start, start + _size(staged.tensors()[0])), staged)


def reversed_(sequence):
    """reversed, of tensors too."""
    staged = elements_of(sequence)
    if staged is None:
        return reversed(sequence)
    return Elements(tuple(NAMES["reverse"](t, [0]) for t in staged.tensors()), staged.element_of)


def map_(function: Callable, *iterables):
    """map, over tensors too.

    Args:
        function: as it is to be called, converted.
    """
    staged = zip_(*iterables) if any(elements_of(v) is not None for v in iterables) else None
    if isinstance(staged, Elements):
        return Elements(staged.parts, lambda slices: function(*staged.element(slices)))
    return map(function, *iterables)
