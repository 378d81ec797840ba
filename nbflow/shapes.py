"""Shapes: TensorShape, symbolic dimensions, broadcasting, axes."""

import itertools
import math
import operator

from nbflow.errors import InvalidArgumentError

_numbers = itertools.count()


class Dim:
    """A dimension that is not known while tracing: a named size, or arithmetic on such sizes.

    Two Dims are equal where their formulas are; `bind` gives the number once the sizes are known.
    """

    __slots__ = ("left", "name", "op", "right")
    _OPS = {
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "//": operator.floordiv,
        "%": operator.mod,
    }

    def __init__(self, name: str, op: str = "", left=None, right=None):
        self.name, self.op, self.left, self.right = name, op, left, right

    @classmethod
    def _make(cls, op: str, left, right):
        if (op in "+-" and right == 0) or (op in ("*", "//") and right == 1):
            return left
        if (op == "+" and left == 0) or (op == "*" and left == 1):
            return right
        if op == "*" and (left == 0 or right == 0):
            return 0
        if op in "-//" and isinstance(left, Dim) and left.op == {"-": "+", "//": "*"}[op]:
            for kept, gone in ((left.left, left.right), (left.right, left.left)):
                if gone == right:
                    return kept
        if op == "-" and left == right:
            return 0
        if op == "//" and left == right:
            return 1
        return cls(f"({left}{op}{right})", op, left, right)

    @classmethod
    def fresh(cls, what: str) -> "Dim":
        """A size that no other Dim has: one that only values decide."""
        return cls(f"{what}_{next(_numbers)}")

    def bind(self, sizes: dict):
        """The number that this dimension is for the sizes given by name; a Dim where they do not say."""
        if not self.op:
            return sizes.get(self.name, self)
        return self._OPS[self.op](bind_dim(self.left, sizes), bind_dim(self.right, sizes))

    def __add__(self, other):
        return Dim._make("+", self, other)

    def __radd__(self, other):
        return Dim._make("+", other, self)

    def __sub__(self, other):
        return Dim._make("-", self, other)

    def __rsub__(self, other):
        return Dim._make("-", other, self)

    def __mul__(self, other):
        return Dim._make("*", self, other)

    def __rmul__(self, other):
        return Dim._make("*", other, self)

    def __floordiv__(self, other):
        return Dim._make("//", self, other)

    def __rfloordiv__(self, other):
        return Dim._make("//", other, self)

    def __mod__(self, other):
        return Dim._make("%", self, other)

    def __rmod__(self, other):
        return Dim._make("%", other, self)

    def __neg__(self):
        return Dim._make("-", 0, self)

    def __eq__(self, other):
        return isinstance(other, Dim) and self.name == other.name

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return self.name


class AnyShape(Dim):
    """Stands alone for all of a shape whose rank is not known either."""

    __slots__ = ()


def bind_dim(dim, sizes: dict[str, int]):
    """dim as a number, where it is a Dim; anything else as it is."""
    return dim.bind(sizes) if isinstance(dim, Dim) else dim


def dim_min(left, right):
    """The lesser of two sizes."""
    return _chosen("min", min, left, right)


def dim_max(left, right):
    """The greater of two sizes."""
    return _chosen("max", max, left, right)


def dim_call(function, left, right):
    """function(left, right) as a size, or as what another such call takes; function depends on nothing else."""
    if not isinstance(left, Dim) and not isinstance(right, Dim):
        return function(left, right)
    name = f"{function.__module__}.{function.__qualname__}"
    Dim._OPS.setdefault(name, function)
    return Dim(f"{function.__name__}({left}, {right})", name, left, right)


def _chosen(name: str, function, left, right):
    if left == right:
        return left
    if not isinstance(left, Dim) and not isinstance(right, Dim):
        return function(left, right)
    return Dim(f"{name}({left}, {right})", name, left, right)


def _stretched(left, right):
    """What two sizes broadcast to, of which either may be 1."""
    if left == 1 or (isinstance(left, Dim) and isinstance(right, int) and right != 1):
        return right
    if right == 1 or not isinstance(left, Dim):
        return left
    return Dim._make("|", left, right)


Dim._OPS |= {"min": dim_min, "max": dim_max, "|": _stretched}


class TensorShape(tuple):
    """The shape of a tensor (tf.TensorShape): a tuple of sizes, None where one is unknown.

    `TensorShape(None)` is a shape of unknown rank.

    Example:
        >>> import nbflow as nf
        >>> nf.TensorShape([None, 5]).is_compatible_with([3, 5])
        True
    """

    unknown_rank = False

    def __new__(cls, dims=()):
        """A shape from sizes (None where one is unknown), from one size, or None for an unknown rank."""
        if dims is None:
            shape = super().__new__(cls)
            shape.unknown_rank = True
            return shape
        if isinstance(dims, TensorShape):
            return dims
        if isinstance(dims, (int, Dim)):
            dims = (dims,)
        checked = []
        for dim in dims:
            if dim is None or isinstance(dim, Dim):
                checked.append(None)
            else:
                size = operator.index(dim)
                if size < 0:
                    raise InvalidArgumentError(f"TensorShape: a dimension is {size}; sizes are 0 or more, or None")
                checked.append(size)
        return super().__new__(cls, checked)

    @property
    def rank(self) -> int | None:
        """The number of dimensions, None if unknown."""
        return None if self.unknown_rank else len(self)

    ndims = rank

    @property
    def dims(self) -> list | None:
        """The sizes as a list, None if the rank is unknown."""
        return None if self.unknown_rank else list(self)

    def as_list(self) -> list:
        """The sizes as a list.

        Raises:
            ValueError: the rank is unknown.
        """
        if self.unknown_rank:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self)

    def is_fully_defined(self) -> bool:
        """Whether every size is known."""
        return not self.unknown_rank and None not in self

    def num_elements(self) -> int | None:
        """The product of the sizes, None where one is unknown."""
        return math.prod(self) if self.is_fully_defined() else None

    def is_compatible_with(self, other) -> bool:
        """Whether one shape could be both this and other."""
        other = TensorShape(other)
        if self.unknown_rank or other.unknown_rank:
            return True
        return len(self) == len(other) and all(
            a is None or b is None or a == b for a, b in zip(self, other, strict=True)
        )

    def assert_is_compatible_with(self, other) -> None:
        """Raises ValueError unless the shapes are compatible."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {TensorShape(other)} are incompatible")

    def merge_with(self, other) -> "TensorShape":
        """The shape that holds what either of two compatible shapes knows."""
        other = TensorShape(other)
        self.assert_is_compatible_with(other)
        if self.unknown_rank:
            return other
        if other.unknown_rank:
            return self
        return TensorShape([b if a is None else a for a, b in zip(self, other, strict=True)])

    def with_rank(self, rank: int) -> "TensorShape":
        """This shape, checked to have a rank."""
        try:
            return self.merge_with([None] * rank)
        except ValueError:
            raise ValueError(f"Shape {self} must have rank {rank}") from None

    def assert_has_rank(self, rank: int) -> None:
        """Raises ValueError unless the shape could have a rank."""
        self.with_rank(rank)

    def with_rank_at_least(self, rank: int) -> "TensorShape":
        """This shape, checked to have a rank or more."""
        if not self.unknown_rank and len(self) < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def most_specific_compatible_shape(self, other) -> "TensorShape":
        """The shape that both are cases of: None where sizes differ, of unknown rank where ranks differ."""
        other = TensorShape(other)
        if self.rank != other.rank or self.unknown_rank:
            return TensorShape(None)
        return TensorShape([a if a == b else None for a, b in zip(self, other, strict=True)])

    def concatenate(self, other) -> "TensorShape":
        """This shape followed by other."""
        other = TensorShape(other)
        if self.unknown_rank or other.unknown_rank:
            return TensorShape(None)
        return TensorShape((*self, *other))

    def __add__(self, other):
        return self.concatenate(other)

    def __radd__(self, other):
        return TensorShape(other).concatenate(self)

    def __getitem__(self, key):
        if self.unknown_rank:
            return TensorShape(None) if isinstance(key, slice) else None
        found = super().__getitem__(key)
        return TensorShape(found) if isinstance(key, slice) else found

    def __eq__(self, other):
        if isinstance(other, TensorShape):
            return self.unknown_rank == other.unknown_rank and tuple.__eq__(self, other)
        return not self.unknown_rank and isinstance(other, (tuple, list)) and tuple.__eq__(self, tuple(other))

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return tuple.__hash__(self)

    def __bool__(self):
        return not self.unknown_rank

    def __repr__(self):
        return "TensorShape(None)" if self.unknown_rank else f"TensorShape({list(self)})"

    def __str__(self):
        if self.unknown_rank:
            return "<unknown>"
        return f"({self[0]},)" if len(self) == 1 else f"({', '.join(map(str, self))})"

    def __reduce__(self):
        return TensorShape, (None if self.unknown_rank else list(self),)


def could_be_equal(first: tuple, second: tuple) -> bool:
    """Whether two shapes are equal as far as their sizes are known."""
    return len(first) == len(second) and all(
        n == m or isinstance(n, Dim) or isinstance(m, Dim) for n, m in zip(first, second, strict=True)
    )


def contiguous_strides(shape: tuple) -> tuple:
    """Row-major strides in elements: how far one step along each axis goes."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step = step * size
    return tuple(reversed(strides))


def normalize_axis(op: str, axis: int, rank: int, argument: str = "axis") -> int:
    """axis counted from 0.

    Raises:
        InvalidArgumentError: axis is not in [-rank, rank).
    """
    try:
        number = operator.index(axis)
    except TypeError:
        raise InvalidArgumentError(f"{op}: {argument} must be an integer, got {axis!r}") from None
    if not -rank <= number < rank:
        allowed = f"[{-rank}, {rank})" if rank else "nothing: the tensor is a scalar"
        raise InvalidArgumentError(f"{op}: {argument} {number} is out of range for rank {rank}; it takes {allowed}")
    return number % rank


def normalize_axes(op: str, axis, rank: int) -> tuple[int, ...]:
    """Axes as a sorted tuple counted from 0; None means all of them."""
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    normal = sorted(normalize_axis(op, a, rank) for a in axes)
    if len(set(normal)) != len(normal):
        raise InvalidArgumentError(f"{op}: axis {axis} names the same axis twice for rank {rank}")
    return tuple(normal)


def broadcast(op: str, *shapes: tuple) -> tuple:
    """The shape that all shapes broadcast to: sizes match from the right, and 1 stretches.

    Raises:
        InvalidArgumentError: two sizes differ and neither is 1.
    """
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return first
    rank = max(map(len, shapes))
    result = []
    for axis in range(-rank, 0):
        size: int | Dim = 1
        for shape in shapes:
            if len(shape) < -axis or shape[axis] == 1 or shape[axis] == size:
                continue
            if isinstance(size, Dim) and isinstance(shape[axis], Dim):
                size = Dim._make("|", size, shape[axis])  # either may turn out to be 1
            elif size == 1 or isinstance(size, Dim):  # where a size is known, the symbolic one is that or 1
                size = shape[axis]
            elif not isinstance(shape[axis], Dim):
                listed = " and ".join(str(TensorShape(s)) for s in shapes)
                raise InvalidArgumentError(
                    f"{op}: shapes {listed} do not broadcast: sizes {size} and {shape[axis]} at axis {axis} "
                    f"differ and neither is 1"
                )
        result.append(size)
    return tuple(result)
