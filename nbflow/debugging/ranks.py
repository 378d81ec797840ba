"""Assertions on ranks and shapes: most are decided where they stand, while a function is traced too."""

from collections.abc import Callable, Iterable
from typing import Any

from nbflow.debugging.report import array_of, assert_later, in_program, prefix, shape_and_dtype
from nbflow.dtypes import int32
from nbflow.ops.table import TABLE
from nbflow.public import argument, export, fixed
from nbflow.shapes import Dim
from nbflow.sparse import SparseTensor
from nbflow.tensor.tensor import to_tensor


def _tensor(op: str, name: str, value):
    return value if isinstance(value, SparseTensor) else argument(op, name, value).nbflow_tensor()


def _rank_of(x) -> int:
    return len(x.shape) if isinstance(x, SparseTensor) else x.ndim


def _scalar(op: str, rank):
    """A rank as a tensor."""
    tensor = fixed(op, "rank", rank, int32).nbflow_tensor()
    if tensor.dtype is not int32:
        raise TypeError(f"{op}: rank must be of type nf.int32; got {tensor.dtype!r}")
    if tensor.ndim:
        raise ValueError("Rank must be a scalar.")
    return tensor


def _assert_rank(op: str, x, ranks: list, holds: Callable, text: Callable, how: str, message) -> None:
    """Fails unless holds(rank of x, ranks); the error says text(ranks)."""
    rank = _rank_of(x)
    if not in_program(*ranks):
        numbers = [int(array_of(r)) for r in ranks]
        if not holds(rank, numbers):
            raise ValueError(
                f"{prefix(message)}Tensor {_name(x)}must have rank {text(numbers)}.  Received rank {rank}, "
                f"shape {x.shape}"
            )
        return
    known = to_tensor(rank, int32)
    found = None
    for r in ranks:
        one = TABLE[how](known, r)
        found = one if found is None else TABLE["logical_or"](found, one)
    assert_later(found, [prefix(message), f"Tensor {_name(x)}must have rank", *ranks, f"Received rank {rank}"], None)


def _name(x) -> str:
    return f"({shape_and_dtype(x)}) " if in_program(x) else " "


@export("debugging.assert_rank", "assert_rank")
def assert_rank(x, rank, message=None, name=None) -> None:
    """Fails unless a tensor has a rank (tf.debugging.assert_rank).

    Args:
        x: a tensor or SparseTensor.
        rank: an int scalar.
        message: stands at the beginning of the error.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        ValueError: it has another rank, or rank is no scalar. While a function is traced too.

    Example:
        >>> import nbflow as nf
        >>> nf.debugging.assert_rank(nf.zeros([2, 3]), 2)
    """
    x, ranks = _tensor("assert_rank", "x", x), [_scalar("assert_rank", rank)]
    _assert_rank("assert_rank", x, ranks, lambda n, r: n == r[0], lambda r: f"{r[0]}", "equal", message)


@export("debugging.assert_rank_at_least")
def assert_rank_at_least(x, rank, message=None, name=None) -> None:
    """Fails unless a tensor has a rank or more (tf.debugging.assert_rank_at_least). Arguments as of assert_rank."""
    op = "assert_rank_at_least"
    x, ranks = _tensor(op, "x", x), [_scalar(op, rank)]
    _assert_rank(op, x, ranks, lambda n, r: n >= r[0], lambda r: f"at least {r[0]}", "greater_equal", message)


@export("debugging.assert_rank_in")
def assert_rank_in(x, ranks, message=None, name=None) -> None:
    """Fails unless a tensor has one of several ranks (tf.debugging.assert_rank_in).

    Args:
        x: a tensor or SparseTensor.
        ranks: an iterable of int scalars.
        message: stands at the beginning of the error.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        ValueError: it has another rank.
    """
    op = "assert_rank_in"
    x, listed = _tensor(op, "x", x), [_scalar(op, rank) for rank in ranks]
    _assert_rank(op, x, listed, lambda n, r: n in r, lambda r: f"in {tuple(r)}", "equal", message)


@export("debugging.assert_scalar")
def assert_scalar(tensor, message=None, name=None) -> None:
    """Fails unless a tensor is a scalar (tf.debugging.assert_scalar).

    Args:
        tensor: a tensor.
        message: stands at the beginning of the error.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        ValueError: it has axes.
    """
    x = argument("assert_scalar", "tensor", tensor).nbflow_tensor()
    if x.ndim:
        raise ValueError(f"{prefix(message)}Expected scalar shape, saw shape: {x.shape}.")


# --- shapes that belong together --------------------------------------------------------------------------------------


class _Wanted:
    """A tensor and what its shape should be like.

    Attributes:
        symbols: of the axes: a size, or a name for one, or None for any.
        innermost: whether they are of the last axes only.
    """

    def __init__(self, x, shape, message):
        if not hasattr(shape, "__iter__") and not hasattr(shape, "__getitem__"):
            raise ValueError(
                f"{prefix(message)}Tensor {shape_and_dtype(x)}.  Specified shape must be an iterable.  An iterable has "
                f"the attribute `__iter__` or `__getitem__`.  Received specified shape: {shape}"
            )
        symbols = tuple(shape)
        for axis, symbol in enumerate(symbols[1:], 1):
            if _leaves_open(symbol):
                raise ValueError(
                    f"{prefix(message)}Tensor {shape_and_dtype(x)} specified shape index {axis}.  Symbol `...` or `*` "
                    f"for a variable number of unspecified dimensions is only allowed as the first entry"
                )
        self.x, self.innermost = x, bool(symbols) and _leaves_open(symbols[0])
        self.symbols = (symbols[1:] if self.innermost else symbols) or (1,)  # a scalar counts as one of size 1

    def check_rank(self, message) -> None:
        """Raises ValueError unless the tensor has the rank."""
        count = len(self.symbols)
        if self.innermost:
            if count > 1:
                assert_rank_at_least(self.x, count, message)
        elif count == 1:
            assert_rank_in(self.x, [0, 1], message)
        else:
            assert_rank(self.x, count, message)

    def axes(self) -> Iterable[tuple[int, Any, Any]]:
        """(axis, its symbol, its size) of each axis that is spoken of, but for those of any size."""
        shape = tuple(self.x.shape) if isinstance(self.x, SparseTensor) else tuple(self.x.nbflow_shape) or (1,)
        for k, symbol in enumerate(self.symbols):
            axis = k - len(self.symbols) if self.innermost else k
            if symbol is not None and symbol != ".":
                yield axis, symbol, shape[axis]


def _leaves_open(symbol) -> bool:
    return symbol is Ellipsis or (isinstance(symbol, str) and symbol == "*")


def _explicit(symbol) -> int | None:
    """The size that a symbol is, None where it is a name."""
    try:
        return int(symbol)
    except (TypeError, ValueError):
        return None


@export("debugging.assert_shapes")
def assert_shapes(shapes, data=None, summarize=None, message=None, name=None) -> None:
    """Fails unless the shapes of several tensors fit together (tf.debugging.assert_shapes).

    Sizes that a trace does not know are checked when the compiled function runs.

    Args:
        shapes: a list of (tensor, shape), or a dict. A shape is an iterable with a size or a name for each axis; the
            same name stands for the same size everywhere, and None or "." for any. `...` or "*" in front stands for any
            number of further axes. A scalar counts as one axis of size 1.
        data: texts and tensors for the error of a run, in place of those that say what was wrong.
        summarize: how many elements of a tensor it shows, 3 by default, -1 for all.
        message: stands at the beginning of the error.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        ValueError: a shape does not fit.

    Example:
        >>> import nbflow as nf
        >>> x, y = nf.zeros([10, 3]), nf.zeros([10, 7])
        >>> nf.debugging.assert_shapes([(x, ("N", "Q")), (y, ("N", "D")), (1.0, ())])
    """
    pairs = shapes.items() if isinstance(shapes, dict) else shapes
    listed = [_Wanted(_tensor("assert_shapes", "shapes", x), shape, message) for x, shape in pairs if shape is not None]
    for wanted in listed:
        wanted.check_rank(message)
    known: dict = {}
    for wanted in listed:
        for axis, symbol, size in wanted.axes():
            expected = _explicit(symbol)
            why, other = "Specified explicitly", None
            if expected is None:
                if symbol not in known:
                    known[symbol] = size, wanted.x, axis
                    continue
                expected, other, place = known[symbol]
                why = f"Specified by tensor {shape_and_dtype(other)} dimension {place}"
            if size == expected:
                continue
            if not isinstance(size, Dim) and not isinstance(expected, Dim):
                raise ValueError(
                    f"{prefix(message)}{why}.  Tensor {shape_and_dtype(wanted.x)} dimension {axis} must have size "
                    f"{expected}.  Received size {size}, shape {wanted.x.shape}"
                )
            found = _size(wanted.x, axis)
            wanted_size = _size(other, place) if isinstance(expected, Dim) else to_tensor(expected, int32)
            texts = [prefix(message), why, f"Tensor {shape_and_dtype(wanted.x)} dimension", str(axis), "must have size"]
            texts += [wanted_size, "Received shape: ", TABLE["shape_int32"](wanted.x)]
            assert_later(TABLE["equal"](found, wanted_size), texts if data is None else data, summarize)


def _size(x, axis: int):
    """A size of a tensor as a tensor."""
    return TABLE["shape_int32"](x)[axis] if x.ndim else to_tensor(1, int32)
