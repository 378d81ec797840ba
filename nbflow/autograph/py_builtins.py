"""Python's built-in functions in converted code: as ever for Python values, ops for tensors of a trace."""

import builtins
import sys
from collections.abc import Callable

from nbflow.autograph.iteration import enumerate_, map_, range_, reversed_, zip_
from nbflow.autograph.lists import TracedList
from nbflow.autograph.logic import and_, is_staged, or_, truth
from nbflow.dtypes import float32, int32
from nbflow.function.body import BodyTrace
from nbflow.function.control import is_traced
from nbflow.ops.table import TABLE
from nbflow.public import NAMES
from nbflow.tensor.state import state


def len_(value):
    """len: a Python int where the size is known."""
    if isinstance(value, TracedList):
        return value.count
    if is_staged(value) and value.ndim and not isinstance(value.nbflow_shape[0], int):
        return NAMES["shape"](value)[0]
    return len(value)


def print_(*values, sep=" ", end="\n", file=None, flush=False):
    """print: when a branch or a round of a loop runs, if it prints tensors of it; else while the function is traced."""
    if isinstance(state.trace, BodyTrace) and any(map(is_traced, values)):
        stream = sys.stdout if file is None else file
        NAMES["print"](*values, output_stream=stream, sep=" " if sep is None else sep, end="\n" if end is None else end)
    else:
        builtins.print(*values, sep=sep, end=end, file=file, flush=flush)


def _scalar(value):
    """A tensor of one element as a scalar, as int(tensor) takes it."""
    return TABLE["reshape"](value, shape=()) if value.ndim else value


def int_(value=0, *base):
    """int: towards 0."""
    if is_staged(value) and not base:
        found = _scalar(value.nbflow_tensor())
        return found if found.dtype.is_integer else TABLE["cast"](found, dtype=int32)
    return int(value, *base)


def float_(value=0.0):
    """float."""
    if is_staged(value):
        found = _scalar(value.nbflow_tensor())
        return found if found.dtype.is_floating else TABLE["cast"](found, dtype=float32)
    return float(value)


def bool_(value=False):
    """bool."""
    return truth(value)


def any_(values):
    """any: of a tensor, or of values with tensors among them."""
    if is_staged(values):
        return NAMES["reduce_any"](_bools(values))
    values = iter(values)
    for value in values:
        if is_staged(value):
            return or_(truth(value), *((lambda v=v: truth(v)) for v in values))
        if value:
            return True
    return False


def all_(values):
    """all: of a tensor, or of values with tensors among them."""
    if is_staged(values):
        return NAMES["reduce_all"](_bools(values))
    values = iter(values)
    for value in values:
        if is_staged(value):
            return and_(truth(value), *((lambda v=v: truth(v)) for v in values))
        if not value:
            return False
    return True


def _bools(values):
    tensor = values.nbflow_tensor()
    return tensor if tensor.dtype.is_bool else TABLE["not_equal"](tensor, 0)


def sum_(values, *start, **named):
    """sum: of a tensor along its first axis."""
    if is_staged(values) and values.ndim:
        total = NAMES["reduce_sum"](values.nbflow_tensor(), axis=0)
        first = [*start, *named.values()]
        return total + first[0] if first else total
    return sum(values, *start, **named)


def _extremum(python: Callable, pair: str, over: str) -> Callable:
    def extremum(*values, **options):
        if not options and len(values) == 1 and is_staged(values[0]) and values[0].ndim:
            if values[0].ndim > 1:
                raise ValueError(f"{python.__name__} takes a vector, got a tensor of shape {values[0].shape}")
            return NAMES[over](values[0].nbflow_tensor())
        given = list(values[0]) if len(values) == 1 else values
        if options or not any(map(is_staged, given)):
            return python(given, **options) if len(values) == 1 else python(*values, **options)
        found = given[0]
        for value in given[1:]:
            found = NAMES[pair](found, value)
        return found

    extremum.__doc__ = f"{python.__name__}: of a tensor's elements, or of numbers with scalar tensors among them."
    return extremum


max_ = _extremum(max, "maximum", "reduce_max")
min_ = _extremum(min, "minimum", "reduce_min")


def sorted_(values, *, key=None, reverse=False):
    """sorted: of a vector."""
    if is_staged(values):
        if key is not None or values.ndim != 1:
            raise TypeError(f"sorted() of a traced tensor takes a vector and no key, got shape {values.shape}")
        return NAMES["sort"](values.nbflow_tensor(), direction="DESCENDING" if reverse else "ASCENDING")
    return sorted(values, key=key, reverse=reverse)


REPLACED: dict[object, Callable] = {
    print: print_, len: len_, int: int_, float: float_, bool: bool_, any: any_, all: all_, sum: sum_, max: max_,
    min: min_, sorted: sorted_, range: range_, zip: zip_, enumerate: enumerate_, reversed: reversed_, map: map_,
}  # fmt: skip
