"""Variable: a named tensor that can be assigned to."""

import sys

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.dtypes import DType, as_dtype
from nbflow.errors import InvalidArgumentError, OutOfRangeError
from nbflow.ops.table import TABLE
from nbflow.runtime.buffers import allocate
from nbflow.shapes import TensorShape
from nbflow.tensor import indexing
from nbflow.tensor.protocol import TensorProtocol, describe
from nbflow.tensor.scatter import Scatter
from nbflow.tensor.state import busy, state
from nbflow.tensor.tensor import Tensor, from_numpy, get_item, make, to_tensor


class Variable(TensorProtocol, Scatter):
    """A tensor that can be assigned to, which tapes watch and functions capture (tf.Variable).

    Args:
        initial_value: a tensor-like, or a callable that gives one.
        trainable: whether tapes watch it by themselves; they do by default.
        name: shown in its repr.
        dtype: of the value; by default that of initial_value.
        constraint: a function of the new value, which optimizers put it through, such as one that clips it.
        validate_shape, caching_device, variable_def, import_scope, synchronization, aggregation,
        experimental_enable_variable_lifting: accepted as TensorFlow's; they have no effect.
        shape: what later values may look like, for example nf.TensorShape((None, 5)); by default initial_value's shape.

    Raises:
        ValueError: the initial value does not fit dtype or shape.

    Example:
        >>> import nbflow as nf
        >>> v = nf.Variable([1.0, 2.0])
        >>> v[1].assign(10.0)
        <nf.Variable 'Variable:0' shape=(2,) dtype=float32, numpy=array([ 1., 10.], dtype=float32)>
    """

    __slots__ = ("__weakref__", "_constraint", "_name", "_shape", "_tensor", "_trainable")

    def __init__(
        self,
        initial_value=None,
        trainable=None,
        validate_shape=True,
        caching_device=None,
        name=None,
        variable_def=None,
        dtype=None,
        import_scope=None,
        constraint=None,
        synchronization=None,
        aggregation=None,
        shape=None,
        experimental_enable_variable_lifting=True,
    ):
        if constraint is not None and not callable(constraint):
            raise ValueError(f"Variable: constraint is {constraint!r:.100}; it takes a function of the new value")
        if initial_value is None:
            raise ValueError("Variable: initial_value is missing; give a tensor, an array, a number or a callable")
        trace = state.trace
        if trace is not None:
            trace.check_new_variable()
        if callable(initial_value) and not isinstance(initial_value, TensorProtocol):
            initial_value = initial_value()
        tensor = to_tensor(initial_value, None if dtype is None else as_dtype(dtype))
        if trace is not None:
            tensor = trace.value_of(tensor)
            trace.created.append(self)
        self._shape = tensor.shape if shape is None else TensorShape(shape)
        if not self._shape.is_compatible_with(tensor.shape):
            raise ValueError(
                f"Variable: initial_value has shape {tensor.shape}, which is not compatible with {self._shape}"
            )
        self._name = "Variable" if name is None else str(name)
        self._trainable = trainable is None or bool(trainable)
        self._constraint = constraint
        self._tensor = _own(tensor)

    # --- the value ----------------------------------------------------------------------------------------------

    @property
    def _aval(self):
        if busy.count and state.trace is not None:
            return state.trace.read(self)._aval
        return self._tensor._aval

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._tensor._aval.dtype

    @property
    def shape(self) -> TensorShape:
        """What its values look like: None for a size that may change."""
        return self._shape

    @property
    def name(self) -> str:
        """Its name, with ":0" as TensorFlow writes it."""
        return f"{self._name}:0"

    @property
    def trainable(self) -> bool:
        """Whether tapes watch it by themselves."""
        return self._trainable

    @property
    def constraint(self):
        """The function that Keras' optimizers put a new value through, or None."""
        return self._constraint

    def nbflow_tensor(self):
        """The current value as a tensor, noted as a read on tapes and traces."""
        if busy.count:
            if state.trace is not None:
                tensor = state.trace.read(self)
            else:
                tensor = self._tensor
            for tape in state.tapes:
                tape.watch_read(self, tensor)
            return tensor
        return self._tensor

    def nbflow_current(self):
        """The current value, without a note that it was read."""
        return state.trace.read(self) if busy.count and state.trace is not None else self._tensor

    def value(self):
        """The current value as a tensor."""
        return self.nbflow_tensor()

    read_value = value

    def is_initialized(self, name=None):
        """Whether it has a value, which it always has, as a tensor."""
        return to_tensor(True)

    def count_up_to(self, limit):
        """Adds 1 to a scalar of integers that is below limit, and returns the value before.

        Raises:
            OutOfRangeError: it has reached limit.
            InvalidArgumentError: the Variable is no scalar of integers.
        """
        before = self.nbflow_tensor()
        if not self.dtype.is_integer or before.ndim:
            raise InvalidArgumentError(
                f"count_up_to: the Variable '{self.name}' is {self.dtype.name} {before.shape}; it takes an int scalar"
            )
        if state.trace is None and before.numpy() >= limit:
            raise OutOfRangeError(f"count_up_to: the Variable '{self.name}' has reached {limit}")
        self.assign_add(TABLE["cast"](before < limit, dtype=self.dtype))
        return before

    def nbflow_apply(self, op: Op, inputs, attrs: dict):
        """Applies an op to the current value."""
        return to_tensor(self).nbflow_apply(op, inputs, attrs)

    def numpy(self):
        """The current value as a NumPy array of its own."""
        return self.nbflow_tensor().numpy()

    # --- assignment ---------------------------------------------------------------------------------------------

    def assign(self, value, use_locking=False, name=None, read_value=True):
        """Replaces the value.

        Args:
            value: a tensor-like of the Variable's dtype and shape.
            use_locking, name: accepted as TensorFlow's; they have no effect.
            read_value: whether to return the Variable; False gives None.

        Raises:
            ValueError, TypeError: value has another dtype, or a shape that the Variable does not take.
        """
        self._set(self._converted(value, "assign", "value"), "assign")
        return self if read_value else None

    def assign_add(self, delta, use_locking=False, name=None, read_value=True):
        """Adds delta, which has the Variable's dtype and shape, to the value. Arguments as of assign."""
        return self._update(TABLE["add"], delta, "assign_add", read_value)

    def assign_sub(self, delta, use_locking=False, name=None, read_value=True):
        """Subtracts delta, which has the Variable's dtype and shape, from the value. Arguments as of assign."""
        return self._update(TABLE["subtract"], delta, "assign_sub", read_value)

    def _update(self, op: Op, delta, what: str, read_value: bool):
        delta = self._converted(delta, what, "delta")
        current = self.nbflow_current()
        if not TensorShape(delta.nbflow_shape).is_compatible_with(TensorShape(current.nbflow_shape)):
            raise InvalidArgumentError(
                f"{what}: Variable '{self.name}' has shape {current.shape} and delta {delta.shape}; they must be equal"
            )
        self._set(op(current, delta), what)
        return self if read_value else None

    def _converted(self, value, what: str, argument: str):
        tensor = to_tensor(value, hint=self.dtype)
        if tensor.dtype is not self.dtype:
            raise (ValueError if isinstance(value, TensorProtocol) else TypeError)(
                f"{what}: the Variable '{self.name}' is {self.dtype.name} and {argument} is {tensor.dtype.name}; "
                f"use nf.cast"
            )
        return tensor

    def _set(self, tensor, what: str) -> None:
        if not self._shape.is_compatible_with(tensor.shape):
            raise ValueError(
                f"{what}: cannot assign value of shape {tensor.shape} to Variable '{self.name}' of shape {self._shape}"
            )
        if busy.count and state.trace is not None:
            state.trace.assign(self, tensor)
        else:
            self._tensor = _own(tensor)

    def _no_augmented(self, sign: str, method: str):
        raise RuntimeError(
            f"variable {sign}= value is not supported: use variable.{method}(value) to change the Variable, or "
            f"out = variable {sign} value for a new tensor"
        )

    def __iadd__(self, other):
        self._no_augmented("+", "assign_add")

    def __isub__(self, other):
        self._no_augmented("-", "assign_sub")

    def __imul__(self, other):
        self._no_augmented("*", "assign")

    def __itruediv__(self, other):
        self._no_augmented("/", "assign")

    def __ipow__(self, other):
        self._no_augmented("**", "assign")

    def __getitem__(self, key):
        return VariableSlice(self, key)

    def __iter__(self):
        return iter(self.nbflow_tensor())

    def nbflow_writable(self) -> Tensor:
        """The value in memory that only this Variable uses, for a program that updates it in place."""
        tensor = self._tensor
        if sys.getrefcount(tensor) > 3 or sys.getrefcount(tensor._buf) > 2 or tensor._aval.strides is not None:
            source = tensor._view()
            buffer = allocate(tensor._aval.nbytes)
            address = buffer.__array_interface__["data"][0]
            self._tensor = make(buffer, address, aval(tensor._aval.dtype, tensor._aval.shape))
            self._tensor._view()[...] = source
        return self._tensor

    # --- presentation -------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        value = "" if state.trace is not None else f", numpy={describe(self._tensor._view())}"
        return f"<nf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}{value}>"

    def __format__(self, spec: str) -> str:
        return super().__format__(spec) if spec else repr(self)

    def __deepcopy__(self, memo):
        copied = Variable(self._tensor, trainable=self.trainable, name=self._name, shape=self._shape)
        memo[id(self)] = copied
        return copied

    def __reduce__(self):
        return _rebuild, (np.asarray(self.numpy()), self.trainable, self._name, self._shape)


def _rebuild(array, trainable, name, shape):
    return Variable(array, trainable=trainable, name=name, shape=shape)


def _own(tensor: Tensor) -> Tensor:
    """A dense Tensor object of the Variable's own; the memory may be shared, as nobody writes to shared memory."""
    a = tensor._aval
    if a.strides is not None:
        tensor = from_numpy(tensor._view(), a.dtype)
    return make(tensor._buf, tensor._ptr, tensor._aval)


class VariableSlice(Tensor):
    """A part of a Variable, as v[1] gives it: a tensor to read, with assign to write (tf's strided_slice.assign)."""

    __slots__ = ("_key", "_value", "_variable")

    def __init__(self, variable: Variable, key):
        self._variable, self._key = variable, key
        self._value = value = get_item(variable.nbflow_tensor(), key)
        self._aval = value._aval
        if type(value) is Tensor:
            self._buf, self._ptr = value._buf, value._ptr

    def nbflow_tensor(self):
        """The part as a tensor."""
        return self._value

    def nbflow_apply(self, op: Op, inputs, attrs: dict):
        """Applies an op to the part."""
        return self._value.nbflow_apply(op, inputs, attrs)

    def numpy(self):
        """The part as a NumPy array of its own."""
        return self._value.numpy()

    def assign(self, value, use_locking=False, name=None, read_value=True):
        """Replaces the part by value, broadcast to its shape; returns the Variable, with read_value=False None.

        Raises:
            ValueError, TypeError: value has another dtype, or does not broadcast.
        """
        variable = self._variable
        current = variable.nbflow_current()
        begin, step, size, result, gathered = indexing.normalize(
            self._key, tuple(current.nbflow_shape), lambda v: isinstance(v, TensorProtocol)
        )
        if gathered:
            raise InvalidArgumentError("assign to a slice: indices must be Python integers, not traced tensors")
        tensor = variable._converted(value, "assign to a slice", "value")
        try:
            stretched = TABLE["broadcast_to"](tensor, shape=result)
        except InvalidArgumentError:
            raise InvalidArgumentError(
                f"assign to a slice: value of shape {tensor.shape} does not broadcast to the slice's shape "
                f"{TensorShape(result)}"
            ) from None
        part = TABLE["reshape"](stretched, shape=size)
        variable._set(TABLE["slice_update"](current, part, begin=begin, step=step), "assign to a slice")
        return variable if read_value else None

    def assign_add(self, delta, use_locking=False, name=None, read_value=True):
        """Adds delta to the part; returns as assign."""
        return self.assign(self._value + delta, read_value=read_value)

    def assign_sub(self, delta, use_locking=False, name=None, read_value=True):
        """Subtracts delta from the part; returns as assign."""
        return self.assign(self._value - delta, read_value=read_value)

    def __repr__(self) -> str:
        return repr(self._value)

    def __str__(self) -> str:
        return str(self._value)
