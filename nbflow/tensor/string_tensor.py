"""StringTensor: arrays of byte strings. They exist eagerly only; what is compiled computes with numbers."""

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.dtypes import string
from nbflow.errors import InvalidDTypeError
from nbflow.tensor.protocol import TensorProtocol, describe, on_own_line
from nbflow.tensor.tensor import Deferred, Tensor, from_numpy, to_tensor

# table ops that only move elements, whose NumPy references do so with objects too
_MOVING = {
    "reshape",
    "concat",
    "gather",
    "gather_nd",
    "select",
    "transpose",
    "strided_slice",
    "broadcast_to",
    "reverse",
}
_COMPARING = {"equal": np.equal, "not_equal": np.not_equal}


class StringTensor(TensorProtocol):
    """An immutable array of byte strings (a tf.Tensor of dtype string); made by nf.constant and nf.strings.

    In nf.function it counts as a Python value: a function is traced anew for each one, and computes with it while it is
    being traced. Use nf.py_function for strings that change.

    Attributes:
        shape: a TensorShape.
        dtype: nf.string.

    Example:
        >>> import nbflow as nf
        >>> nf.constant(["a", "b"]) + "c"
        <nf.Tensor: shape=(2,), dtype=string, numpy=array([b'ac', b'bc'], dtype=object)>
    """

    __slots__ = ("__weakref__", "_array", "_aval", "_keras_mask")

    def __init__(self, array: np.ndarray):
        self._array, self._aval = array, aval(string, array.shape)

    def numpy(self):
        """The value as a NumPy array of bytes objects, or as bytes."""
        return self._array.copy() if self._array.ndim else self._array[()]

    def nbflow_tensor(self) -> "StringTensor":
        """This tensor."""
        return self

    def nbflow_operand(self):
        """Leaves it to nbflow_apply how an op is applied."""
        raise Deferred(self)

    def nbflow_apply(self, op: Op, inputs, attrs: dict):
        """Applies an op that moves or compares elements, or +.

        Raises:
            InvalidDTypeError: it is an op for numbers, or one of the other inputs holds numbers.
        """
        if op.name == "identity":
            return self
        if op.static is not None:
            return from_numpy(np.asarray(op.static([self._aval], attrs)))
        if op.name in _COMPARING:
            found = _COMPARING[op.name](*(string_tensor(x)._array for x in inputs))
            return from_numpy(np.asarray(found, bool))
        if op.name == "add":
            return StringTensor(np.asarray(np.add(*(string_tensor(x)._array for x in inputs)), object))
        if op.name in _MOVING and op.reference is not None:
            arrays = [x._array if isinstance(x, StringTensor) else np.asarray(x) for x in inputs]
            return StringTensor(np.asarray(op.reference(*arrays, **attrs), object))
        raise InvalidDTypeError(
            f"{op.name}: an input is a tensor of strings, {self!r:.200}; it takes numbers. "
            f"nf.strings has functions of strings"
        )

    def _no_memory(self):
        raise InvalidDTypeError(f"a tensor of strings, {self!r:.200}, is no tensor of numbers")

    _buf = _ptr = property(_no_memory)

    def __getitem__(self, key):
        parts = key if isinstance(key, tuple) else (key,)
        found = self._array[tuple(p.numpy() if isinstance(p, TensorProtocol) else p for p in parts)]
        return StringTensor(found if isinstance(found, np.ndarray) else _scalar_array(found))

    def __eq__(self, other):
        return self._compared("equal", other)

    def __ne__(self, other):
        return self._compared("not_equal", other)

    def _compared(self, name: str, other):
        if not holds_text(other):
            return NotImplemented
        found = _COMPARING[name](self._array, string_tensor(other)._array)
        return from_numpy(np.asarray(found, bool))

    __hash__ = TensorProtocol.__hash__

    def __array__(self, dtype=None, copy=None):
        return self._array.astype(object if dtype is None else dtype)

    def __add__(self, other):
        return StringTensor(np.asarray(np.add(self._array, string_tensor(other)._array), object))

    def __radd__(self, other):
        return string_tensor(other) + self

    def __repr__(self) -> str:
        return f"<nf.Tensor: shape={self.shape}, dtype=string, numpy={describe(self._array)}>"

    def __str__(self) -> str:
        return f"nf.Tensor({on_own_line(str(self._array))}, shape={self.shape}, dtype=string)"

    def __reduce__(self):
        return StringTensor, (self._array,)


def holds_text(value) -> bool:
    """Whether a value is a string, or an array or nested list whose first element is one."""
    if isinstance(value, TensorProtocol):
        return isinstance(value, StringTensor)
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    if isinstance(value, np.ndarray):
        kind = value.dtype.kind
        return kind in "US" or (kind == "O" and value.size > 0 and holds_text(value.flat[0]))
    return isinstance(value, (str, bytes, StringTensor))


def string_tensor(value) -> StringTensor:
    """A StringTensor of strings, bytes, nested lists or arrays of them; str becomes UTF-8.

    Raises:
        TypeError: there is something else among them.
        ValueError: lists are not rectangular.
    """
    if isinstance(value, StringTensor):
        return value
    if isinstance(value, (str, bytes)):
        return StringTensor(_scalar_array(value))
    if isinstance(value, (list, tuple)):
        parts = [string_tensor(v)._array for v in value]
        if len({p.shape for p in parts}) > 1:
            raise ValueError(f"Can't convert non-rectangular Python sequence to Tensor: {value!r:.200}")
        return StringTensor(np.stack(parts) if parts else np.empty((0,), object))
    if isinstance(value, np.ndarray) and value.dtype.kind in "USO":
        array = np.empty(value.shape, object)
        array.reshape(-1)[:] = [_bytes(v) for v in value.reshape(-1).tolist()]
        return StringTensor(array)
    raise _no_text(value)


def text_or_numbers(value):
    """A value as a tensor: of strings if it holds strings, else of numbers."""
    return string_tensor(value) if holds_text(value) else to_tensor(value)


def _scalar_array(value) -> np.ndarray:
    array = np.empty((), object)
    array[()] = _bytes(value)
    return array


def _bytes(value) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if not isinstance(value, bytes):
        raise _no_text(value)
    return bytes(value)


def _no_text(value) -> TypeError:
    held = f"Tensor of dtype {value.dtype.name}" if isinstance(value, Tensor) else f"{value!r:.200}"
    return TypeError(f"Cannot convert {held} to a tensor of dtype string; use nf.strings.as_string for numbers")
