"""TensorArray: a list of tensors of one dtype, which loops of a graph may read and write.

It has two forms. As *rows*, a Python list, it is what eager code and numbers known to Python work on. As a *stack*, one
tensor whose first axis counts the elements, it takes indices of a trace, and is what a loop or branch carries: `optree`
takes an array apart into that tensor and its size.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import optree

from nbflow.arrays.joining import concat, stack
from nbflow.arrays.slicing import split, unstack
from nbflow.dtypes import DType, as_dtype, int32
from nbflow.errors import InvalidArgumentError, InvalidDTypeError, OutOfRangeError
from nbflow.function.control import Undefined, is_traced, staged_if
from nbflow.function.structure import NAMESPACE
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, size_of
from nbflow.shapes import Dim, TensorShape
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state
from nbflow.tensor.tensor import to_tensor


class _Kind:
    """What two arrays must have in common to stand for one another.

    Attributes:
        dtype: of the elements.
        size: how many there are, an int or Dim; None where writing adds elements.
        declared: the shape that the elements were said to have.
        infer_shape, clear_after_read: see TensorArray.
    """

    __slots__ = ("clear_after_read", "declared", "dtype", "infer_shape", "size")

    def __init__(self, dtype: DType, size, declared: TensorShape, infer_shape: bool, clear_after_read: bool):
        self.dtype, self.size, self.declared = dtype, size, declared
        self.infer_shape, self.clear_after_read = infer_shape, clear_after_read

    def __eq__(self, other):
        return isinstance(other, _Kind) and (self.dtype, self.size) == (other.dtype, other.size)

    def __hash__(self):
        return hash((self.dtype, self.size))

    def __repr__(self) -> str:
        return f"{self.dtype.name}, {'any size' if self.size is None else f'size {self.size}'}"


@export("TensorArray")
class TensorArray:
    """A list of tensors of one dtype (tf.TensorArray), for loops that read or write one element after another.

    Use what `write`, `unstack`, `scatter` and `split` return: eagerly that is the array itself, in a function that is
    being traced a new one.

    Args:
        dtype: of the elements.
        size: how many there are.
        dynamic_size: whether writing beyond the end adds elements.
        clear_after_read: eagerly, whether an element can be read only once; the default is True.
        tensor_array_name: accepted as TensorFlow's; it has no effect.
        handle: must be None.
        flow: must be None.
        infer_shape: whether all elements must have one shape.
        element_shape: the shape of the elements, None for sizes that are not known.
        colocate_with_first_write_call: accepted as TensorFlow's; it has no effect.
        name: accepted as TensorFlow's; it has no effect.

    Attributes:
        dtype: of the elements.
        dynamic_size: whether writing adds elements.
        element_shape: what is known of the elements' shape.

    Raises:
        ValueError: size is missing, or handle or flow are given.

    Example:
        >>> import nbflow as nf
        >>> @nf.function
        ... def squares(n):
        ...     array = nf.TensorArray(nf.int32, size=0, dynamic_size=True)
        ...     return nf.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a.write(i, i * i)), (0, array))[1].stack()
        >>> squares(nf.constant(4)).numpy()
        array([0, 1, 4, 9], dtype=int32)
    """

    def __init__(
        self,
        dtype,
        size=None,
        dynamic_size=None,
        clear_after_read=None,
        tensor_array_name=None,
        handle=None,
        flow=None,
        infer_shape=True,
        element_shape=None,
        colocate_with_first_write_call=True,
        name=None,
    ):
        if handle is not None or flow is not None:
            raise ValueError("TensorArray: handles and flows are not supported; give size")
        if size is None:
            raise ValueError("TensorArray: argument `size` must be provided")
        count = size_of("TensorArray", "size", size)
        declared = TensorShape(element_shape)
        clear = True if clear_after_read is None else bool(clear_after_read)
        self._kind = _Kind(as_dtype(dtype), None if dynamic_size else count, declared, bool(infer_shape), clear)
        self._shape = declared
        self._read: set[int] = set()  # numbers of elements that were cleared
        self._rows: list | None = None
        self._stack: Any = None
        self._size: Any = count
        if isinstance(count, int):
            self._rows = [None] * count
        elif dynamic_size:
            self._size = cast(to_tensor(size), int32)

    # --- what it is ---------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> DType:
        """The dtype of the elements."""
        return self._kind.dtype

    @property
    def dynamic_size(self) -> bool:
        """Whether writing beyond the end adds elements."""
        return self._kind.size is None

    @property
    def element_shape(self) -> TensorShape:
        """What is known of the shape of the elements."""
        return self._shape

    @property
    def handle(self) -> None:
        """None; there for programs that pass it on."""
        return None

    @property
    def flow(self):
        """A scalar without meaning, there for programs that pass it on."""
        return to_tensor(0)

    def __repr__(self) -> str:
        return f"<nf.TensorArray: {self._kind!r}, element_shape={self.element_shape}>"

    def size(self, name=None):
        """How many elements there are, an int32 scalar (tf.TensorArray.size)."""
        if self._rows is not None:
            return to_tensor(len(self._rows))
        return self._size if self.dynamic_size else _as_scalar(self._size)

    def identity(self) -> "TensorArray":
        """The array (tf.TensorArray.identity)."""
        return self

    def grad(self, source, flow=None, name=None):
        """Raises NotImplementedError: gradients come from a GradientTape (tf.TensorArray.grad)."""
        raise NotImplementedError("TensorArray.grad is not supported; use nf.GradientTape")

    def close(self, name=None) -> None:
        """Lets go of the elements (tf.TensorArray.close)."""
        if self._rows is not None and state.trace is None:
            self._rows = []

    # --- reading ------------------------------------------------------------------------------------------------------

    def read(self, index, name=None):
        """An element (tf.TensorArray.read); one never written is zeros.

        Args:
            index: its number.
            name: accepted as TensorFlow's; it has no effect.

        Raises:
            OutOfRangeError: there is no such element; in a compiled function InvalidArgumentError.
            InvalidArgumentError: it was read before and clear_after_read holds.
            ValueError: it was never written, and the shape is not known.
        """
        number = _number(index)
        if self._as_rows(number) is None:
            return TABLE["gather"](self._stacked(), self._inside(_index(index)), axis=0)
        rows = self._rows
        assert rows is not None and number is not None
        if number < 0:
            raise OutOfRangeError(f"Reading from negative indices (index {number}) is not allowed.")
        if number >= len(rows):
            raise OutOfRangeError(f"Tried to read from index {number} but array size is: {len(rows)}")
        if number in self._read:
            raise InvalidArgumentError(
                f"Could not read index {number} twice because it was cleared after a previous read (perhaps try "
                f"setting clear_after_read = false?)"
            )
        found = self._row(number)
        if self._kind.clear_after_read and state.trace is None:
            rows[number] = None
            self._read.add(number)
        return found

    def stack(self, name=None):
        """All elements as one tensor, along a new first axis (tf.TensorArray.stack).

        Raises:
            ValueError: nothing was written, and the shape is not known; or shapes differ.
        """
        if self._as_rows(0) is None:
            found = self._stacked()
            return found[: self._size] if self.dynamic_size else found
        assert self._rows is not None
        if not self._rows:
            return self._empty()
        return stack([self._row(k) for k in range(len(self._rows))])

    def gather(self, indices, name=None):
        """Some elements as one tensor (tf.TensorArray.gather).

        Args:
            indices: a vector of their numbers.
            name: accepted as TensorFlow's; it has no effect.

        Raises:
            OutOfRangeError: there is no such element; in a compiled function InvalidArgumentError.
        """
        indices = to_tensor(indices, hint=int32)
        if is_traced(indices) or self._as_rows(0) is None:
            return TABLE["gather"](self._stacked(), self._inside(indices), axis=0)
        numbers = indices.numpy().tolist()
        assert self._rows is not None
        for k in numbers:
            if not 0 <= k < len(self._rows):
                raise OutOfRangeError(f"TensorArray.gather: index {k} is not in [0, {len(self._rows)})")
        rows = [self._row(k) for k in numbers]
        return (
            stack(rows) if rows else _zeros((0, *(self._shape if self._shape.is_fully_defined() else ())), self.dtype)
        )

    def concat(self, name=None):
        """The elements joined along their first axis (tf.TensorArray.concat).

        Raises:
            InvalidArgumentError: elements are scalars.
        """
        if self._as_rows(0) is None:
            found = self.stack()
            if found.ndim < 2:
                raise InvalidArgumentError("Concat saw a scalar shape but requires at least vectors.")
            first, second, *rest = found.nbflow_shape
            return TABLE["reshape"](found, shape=(first * second, *rest))
        assert self._rows is not None
        rows = [self._row(k) for k in range(len(self._rows))]
        for k, row in enumerate(rows):
            if not row.ndim:
                raise InvalidArgumentError(f"Concat saw a scalar shape at index {k} but requires at least vectors.")
        return concat(rows, 0)

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, index, value, name=None) -> "TensorArray":
        """The array with an element set (tf.TensorArray.write).

        Args:
            index: its number.
            value: a tensor of the array's dtype.
            name: accepted as TensorFlow's; it has no effect.

        Raises:
            OutOfRangeError: there is no such element; in a compiled function InvalidArgumentError.
            InvalidArgumentError: value has another dtype.
            ValueError: value has a shape that does not fit.
        """
        tensor, number = self._checked(value), _number(index)
        result = self._writable()
        result._note_shape(tensor)
        if result._as_rows(number) is None:
            result._write_at(_index(index), tensor)
            return result
        rows = result._rows
        assert rows is not None and number is not None
        if number < 0:
            raise OutOfRangeError(f"Writing to negative indices (index {number}) is not allowed.")
        if number >= len(rows):
            if not self.dynamic_size:
                raise OutOfRangeError(
                    f"Tried to write to index {number} but array is not resizeable and size is: {len(rows)}"
                )
            rows += [None] * (number - len(rows) + 1)
        rows[number] = tensor
        result._read.discard(number)
        return result

    def unstack(self, value, name=None) -> "TensorArray":
        """The array with the slices of a tensor as its elements (tf.TensorArray.unstack).

        Args:
            value: a tensor; its first axis counts the elements.
            name: accepted as TensorFlow's; it has no effect.

        Raises:
            ValueError: there are more slices than elements.
        """
        tensor = self._checked(value, slices=True)
        count, size = tensor.nbflow_shape[0], self._kind.size
        if isinstance(count, int) and isinstance(size, int) and count > size:
            raise ValueError(f"Cannot unstack {count} tensors into a TensorArray of static size {size}")
        result = self._writable()
        result._shape = self._merged(TensorShape(tensor.nbflow_shape[1:]))
        result._read = set()
        if state.trace is None:
            result._rows, result._stack = unstack(tensor), None
            return result
        result._rows, result._stack = None, tensor
        if self.dynamic_size:
            result._size = _as_scalar(count)
        else:
            result._kind = _Kind(self.dtype, count, self._kind.declared, self._kind.infer_shape, True)
            result._size = count
        return result

    def scatter(self, indices, value, name=None) -> "TensorArray":
        """The array with some elements set (tf.TensorArray.scatter).

        Args:
            indices: a vector of their numbers.
            value: a tensor whose slices are the elements.
            name: accepted as TensorFlow's; it has no effect.

        Raises:
            OutOfRangeError: there is no such element; in a compiled function InvalidArgumentError.
        """
        indices, tensor = to_tensor(indices, hint=int32), self._checked(value, slices=True)
        if not is_traced(indices) and isinstance(tensor.nbflow_shape[0], int) and self._as_rows(0) is not None:
            result = self
            for k, row in zip(indices.numpy().tolist(), unstack(tensor), strict=True):
                result = result.write(k, row)
            return result
        result = self._writable()
        result._shape = self._merged(TensorShape(tensor.nbflow_shape[1:]))
        result._become_stack(tensor.nbflow_shape[1:])
        if self.dynamic_size:
            result._grow(cast(TABLE["reduce_max"](indices, axis=(0,), keepdims=False), int32) + 1)
        points = TABLE["reshape"](indices, shape=(*indices.nbflow_shape, 1))
        result._stack = TABLE["tensor_scatter_nd_update"](result._stack, points, tensor)
        return result

    def split(self, value, lengths, name=None) -> "TensorArray":
        """The array with consecutive parts of a tensor as its elements (tf.TensorArray.split).

        Args:
            value: a tensor.
            lengths: a vector: how many slices along the first axis each element gets; known while tracing.
            name: accepted as TensorFlow's; it has no effect.

        Raises:
            InvalidArgumentError: lengths do not add up to the size of value, or their number is not that of the array.
            ValueError: lengths are a tensor of the trace.
        """
        tensor, lengths = self._checked(value), to_tensor(lengths, hint=int32)
        if is_traced(lengths):
            raise ValueError("TensorArray.split: lengths must be known while tracing; they say the elements' shapes")
        if lengths.ndim != 1:
            raise InvalidArgumentError(f"Expected lengths to be a vector, received shape: {lengths.shape}")
        if not tensor.ndim:
            raise InvalidArgumentError("Expected value to be at least a vector, but received a scalar")
        parts: list[int] = lengths.numpy().tolist()
        if sum(parts) != tensor.nbflow_shape[0]:
            raise InvalidArgumentError(
                f"Expected sum of lengths to be equal to values.shape[0], but sum of lengths is {sum(parts)} and "
                f"value's shape is: {tensor.shape}"
            )
        if not self.dynamic_size and len(parts) != self._kind.size:
            raise InvalidArgumentError(
                f"TensorArray's size is not equal to the size of lengths ({self._kind.size} vs. {len(parts)}), and the "
                f"TensorArray is not marked as dynamically resizeable."
            )
        result = self._writable()
        result._rows, result._stack, result._read = split(tensor, parts), None, set()
        return result

    # --- the two forms ------------------------------------------------------------------------------------------------

    def _as_rows(self, number) -> list | None:
        """The rows, if it has that form, or takes it, and an element's number is known; else None."""
        if number is not None and self._rows is None and state.trace is None and _is_known(self._stack, self._size):
            self._rows = unstack(self._stack[: self._size])  # what a function returned
            self._stack = None
        return None if number is None else self._rows

    def _row(self, number: int):
        """A row; zeros where there is none."""
        assert self._rows is not None
        if self._rows[number] is None:
            if not self._has_shape:
                raise ValueError(
                    f"TensorArray: element {number} was never written, and the shape of the elements, {self._shape}, "
                    f"is not known; give element_shape"
                )
            return _zeros(tuple(self._shape), self.dtype)
        return self._rows[number]

    def _empty(self):
        """A stack of no elements."""
        return _zeros((0, *(self._shape if self._has_shape else ())), self.dtype)

    @property
    def _has_shape(self) -> bool:
        return not self._shape.unknown_rank and self._shape.is_fully_defined()

    def _writable(self) -> "TensorArray":
        """What writing changes: the array itself, or in a trace a new one."""
        return self if state.trace is None else self._copy()

    def _copy(self) -> "TensorArray":
        copy = object.__new__(TensorArray)
        vars(copy).update(vars(self), _rows=None if self._rows is None else list(self._rows), _read=set(self._read))
        return copy

    def _checked(self, value, slices: bool = False):
        """What is written as a tensor."""
        tensor = to_tensor(value, hint=self.dtype)
        if tensor.dtype is not self.dtype:
            raise InvalidDTypeError(
                f"TensorArray dtype is {self.dtype.name} but Op is trying to write dtype {tensor.dtype.name}; "
                f"use nf.cast"
            )
        if slices and not tensor.ndim:
            raise ValueError("TensorArray: value is a scalar; its first axis counts the elements")
        return tensor

    def _note_shape(self, tensor) -> None:
        self._shape = self._merged(TensorShape(tensor.nbflow_shape))

    def _merged(self, shape: TensorShape) -> TensorShape:
        """The shape of the elements, once one has been written.

        Raises:
            ValueError: it does not fit.
        """
        if not self._shape.is_compatible_with(shape):
            raise ValueError(f"Incompatible shape for value ({shape}), expected ({self._shape})")
        return self._shape.merge_with(shape) if self._kind.infer_shape else self._shape

    def _stacked(self):
        """The elements as one tensor; a dynamic one may have more rows than there are elements."""
        if self._rows is None and self._stack is not None:
            return self._stack
        copy = self._copy()
        copy._become_stack(None)
        return copy._stack

    def _become_stack(self, row_shape: Sequence | None) -> None:
        """Takes the form of a stack.

        Args:
            row_shape: of what is about to be written; None if nothing is.

        Raises:
            ValueError: nothing tells the shape of the elements, or they have several.
        """
        if self._rows is None and self._stack is not None:
            return
        rows = self._rows or []
        shape = next((tuple(row.nbflow_shape) for row in rows if row is not None), None)
        if shape is None and self._has_shape:
            shape = tuple(self._shape)
        if shape is None and row_shape is not None:
            shape = tuple(row_shape)
        if shape is None:
            raise ValueError(
                "TensorArray: nothing was written, and the shape of the elements is not known; give element_shape"
            )
        for row in rows:
            if row is not None and tuple(row.nbflow_shape) != shape:
                raise ValueError(
                    f"TensorArray: elements have shapes {TensorShape(shape)} and {row.shape}; in a loop or branch of a "
                    f"graph, or where an index is not known, they must have one"
                )
        count = self._size if self._rows is None else len(rows)
        if any(row is not None for row in rows):
            self._stack = stack([_zeros(shape, self.dtype) if row is None else row for row in rows])
        elif isinstance(count, (int, Dim)):
            self._stack = _zeros((count, *shape), self.dtype)
        else:
            self._stack = _zeros((size_of("TensorArray", "size", count), *shape), self.dtype)
        if self._rows is not None:
            self._size, self._rows = to_tensor(len(rows)) if self.dynamic_size else len(rows), None

    def _write_at(self, index, tensor) -> None:
        """Sets an element of a number that the trace will know."""
        self._become_stack(tensor.nbflow_shape)
        if self.dynamic_size:
            self._grow(cast(index, int32) + 1)
        self._stack = _with_row(self._stack, index, tensor)

    def _grow(self, needed) -> None:
        """Makes room for so many elements: at least twice as much as before, so that it happens rarely."""
        there = self._stack
        capacity = _as_scalar(there.nbflow_shape[0])

        def more() -> list:
            extra = TABLE["maximum"](capacity, needed - capacity)
            size = size_of("TensorArray", "size", extra)
            return [TABLE["concat"](there, _zeros((size, *there.nbflow_shape[1:]), self.dtype), axis=0)]

        if is_traced(needed) or is_traced(capacity):
            (self._stack,) = staged_if(needed > capacity, (more, lambda: [there]), ["the TensorArray"])
        elif needed > capacity:
            (self._stack,) = more()
        self._size = TABLE["maximum"](to_tensor(self._size), needed)

    def _inside(self, indices):
        """Indices, with those beyond the last element of a dynamic array turned into bad ones."""
        if not self.dynamic_size or self._rows is not None:
            return indices
        size = cast(to_tensor(self._size), indices.dtype)
        return TABLE["select"](TABLE["less"](indices, size), indices, TABLE["zeros_like"](indices) - 1)


# --- for loops and branches of a graph --------------------------------------------------------------------------------


def _take_apart(array: TensorArray):
    """(stack, size) of a dynamic array, the stack of another; Undefined where nothing says its shape yet."""
    copy = array._copy()
    known = array._stack is not None or array._has_shape
    if known or any(row is not None for row in array._rows or ()):
        copy._become_stack(None)
    elif copy._rows is not None:
        copy._size = to_tensor(len(copy._rows)) if array.dynamic_size else len(copy._rows)
    leaf = Undefined("an element of a TensorArray") if copy._stack is None else copy._stack
    return ([leaf, copy._size] if array.dynamic_size else [leaf]), array._kind, None


def _put_together(kind: _Kind, leaves: Sequence) -> TensorArray:
    array = object.__new__(TensorArray)
    array._kind, array._shape, array._read, array._rows = kind, kind.declared, set(), None
    array._stack = None if isinstance(leaves[0], Undefined) else leaves[0]
    array._size = leaves[1] if kind.size is None else kind.size
    if isinstance(array._stack, TensorProtocol) and array._stack.ndim and kind.infer_shape:
        array._shape = TensorShape(array._stack.nbflow_shape[1:])
    return array


optree.register_pytree_node(TensorArray, _take_apart, _put_together, namespace=NAMESPACE)


def _with_row(rows, index, row):
    """rows with one of them replaced."""
    points = TABLE["reshape"](index, shape=(1, 1))
    return TABLE["tensor_scatter_nd_update"](rows, points, TABLE["reshape"](row, shape=(1, *row.nbflow_shape)))


# --- numbers ----------------------------------------------------------------------------------------------------------


def _zeros(shape: tuple, dtype: DType):
    zero = to_tensor(np.zeros((), dtype.np), dtype)
    return TABLE["broadcast_to"](zero, shape=shape) if shape else zero


def _as_scalar(size):
    """A size, maybe one that is not known while tracing, as an int32 scalar."""
    if not isinstance(size, Dim):
        return to_tensor(size, int32) if isinstance(size, int) else size
    counted = TABLE["broadcast_to"](to_tensor(False), shape=(size,))
    return TABLE["reshape"](TABLE["shape_int32"](counted), shape=())


def _number(index) -> int | None:
    """An index as a Python number; None if only the trace will know it.

    Raises:
        TypeError: it is no integer.
    """
    known = getattr(index, "nbflow_static", None)
    if isinstance(known, int):
        return known
    if isinstance(index, TensorProtocol):
        tensor = index.nbflow_tensor()
        return None if is_traced(tensor) else int(tensor)
    return int(index.__index__())


def _index(index):
    """An index as a scalar tensor."""
    tensor = to_tensor(index, hint=int32)
    return tensor if not tensor.ndim else TABLE["reshape"](tensor, shape=())


def _is_known(rows, size) -> bool:
    """Whether a stack holds numbers rather than being a part of a trace."""
    return rows is not None and not is_traced(rows) and not is_traced(size)
