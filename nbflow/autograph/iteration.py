"""What a `for` loop goes over when it is part of a graph: tensors, ranges of tensors, zip, enumerate and map of them."""

from collections.abc import Callable
from typing import Any

from nbflow.function.control import TracedRange, is_traced
from nbflow.ops.table import TABLE
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state


class Elements:
    """Something to go over in a graph.

    Args:
        parts: a tensor, a structure of tensors of the same first size, or a TracedRange.
        element: what the loop's variable is, given slices of the parts.
    """

    def __init__(self, parts, element: Callable = lambda parts: parts):
        self.parts, self.element = parts, element

    def __iter__(self):
        raise TypeError(
            "the number of elements is a tensor, which is known when the graph runs: go over them in a `for` statement, "
            "or use nf.range and nf.map_fn"
        )


def elements_of(value) -> Elements | None:
    """What a loop of the graph goes over; None for what a loop of Python does."""
    if isinstance(value, Elements):
        return value
    if state.trace is not None and isinstance(value, TensorProtocol):
        tensor = value.nbflow_tensor()
        if not tensor.ndim:
            raise TypeError("Cannot iterate over a scalar tensor.")
        return Elements(tensor)
    return None


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


def _size(tensor) -> Any:
    """The number of elements along the first axis: an int, or a scalar of the graph."""
    size = tensor.nbflow_shape[0]
    return size if isinstance(size, int) else TABLE["shape_int32"](tensor)[0]


def _counted(first, size):
    """first, first + 1, … as a tensor."""
    from nbflow.arrays.creation import range as numbers

    return numbers(first, first + size)


def _tensors(value: Elements) -> list:
    """The parts as a list of tensors."""
    parts = value.parts
    if isinstance(parts, TracedRange):
        from nbflow.arrays.creation import range as numbers

        return [numbers(parts.start, parts.limit, parts.delta)]
    return list(parts) if isinstance(parts, tuple) else [parts]


def _element(value: Elements, slices: list):
    return value.element(tuple(slices) if isinstance(value.parts, tuple) else slices[0])


def zip_(*values, strict: bool = False):
    """zip, of tensors too: as long as the shortest."""
    staged = [elements_of(v) for v in values]
    if not any(s is not None for s in staged):
        return zip(*values, strict=strict)
    if any(s is None for s in staged):
        return zip(*(_listed(v) for v in values), strict=strict)
    groups = [_tensors(s) for s in staged if s is not None]
    tensors = [t for group in groups for t in group]
    sizes = [_size(t) for t in tensors]
    if any(size is not sizes[0] and size != sizes[0] if isinstance(size, int) else True for size in sizes):
        shortest = sizes[0]
        for size in sizes[1:]:
            plain = isinstance(size, int) and isinstance(shortest, int)
            shortest = min(shortest, size) if plain else NAMES_minimum(shortest, size)
        tensors = [t[:shortest] for t in tensors]

    def element(slices):
        rest = iter(slices)
        return tuple(_element(s, [next(rest) for _ in g]) for s, g in zip(staged, groups, strict=True))

    return Elements(tuple(tensors), element)


def _listed(value):
    """A tensor of known length as its slices, beside Python values."""
    if not isinstance(value, Elements):
        return value
    raise TypeError("zip() of Python values and a range of tensors: make tensors of the Python values")


def enumerate_(iterable, start=0):
    """enumerate, of tensors too."""
    staged = elements_of(iterable)
    if staged is None:
        return enumerate(iterable, start)
    return zip_(_counted(start, _size(_tensors(staged)[0])), staged)


def reversed_(sequence):
    """reversed, of tensors too."""
    staged = elements_of(sequence)
    if staged is None:
        return reversed(sequence)
    tensors = [TABLE["reverse"](t, axis=(0,)) for t in _tensors(staged)]
    return Elements(tuple(tensors), lambda slices: _element(staged, list(slices)))


def map_(function, *iterables):
    """map, over tensors too."""
    from nbflow.autograph.operators import of

    function = of(function)
    staged = zip_(*iterables) if any(elements_of(v) is not None for v in iterables) else None
    if isinstance(staged, Elements):
        return Elements(staged.parts, lambda slices: function(*staged.element(slices)))
    return map(function, *iterables)


def is_scalar(value) -> bool:
    """Whether a value is a scalar of a trace."""
    return is_traced(value) and not value.ndim
