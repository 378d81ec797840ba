"""Tensor, and how one op runs at once: look up how it runs on these dtypes and layouts, run it, note it on tapes."""

import functools
import operator
from collections.abc import Sequence

import numpy as np

import nbflow.ops  # noqa: F401  (fills the table)
from nbflow.compiler.graph import Aval, Graph, aval
from nbflow.compiler.op import Op
from nbflow.compiler.program import Program
from nbflow.dtypes import ALL, DType, as_dtype, as_dtype_or_none, bool_, complex128, float32, float64, int32, int64
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.runtime import threads
from nbflow.runtime.buffers import SMALL, allocate
from nbflow.shapes import could_be_equal
from nbflow.tensor import indexing, stages
from nbflow.tensor.protocol import TensorProtocol, describe, on_own_line
from nbflow.tensor.stages import Block, Stages
from nbflow.tensor.state import busy, state


class Tensor(TensorProtocol, Block):
    """An immutable array of numbers (tf.Tensor).

    Made by nf.constant, nf.convert_to_tensor and by ops; never by calling the class.

    Attributes:
        shape: a TensorShape.
        dtype: a DType such as nf.float32.

    Example:
        >>> import nbflow as nf
        >>> nf.constant([1.0, 2.0]) * 2
        <nf.Tensor: shape=(2,), dtype=float32, numpy=array([2., 4.], dtype=float32)>
    """

    __slots__ = ("__weakref__", "_keras_logits", "_keras_mask")

    def numpy(self):
        """The value as a NumPy array of its own, or a NumPy scalar."""
        array = self._view().copy()
        return array if array.ndim else array[()]

    def nbflow_apply(self, op: Op, inputs, attrs: dict):
        """Applies an op, this tensor being among the inputs."""
        return apply(op, inputs, attrs)

    def nbflow_tensor(self) -> "Tensor":
        """The tensor to compute with: this one."""
        return self

    def __repr__(self) -> str:
        return f"<nf.Tensor: shape={self.shape}, dtype={self.dtype.name}, numpy={describe(self._view())}>"

    def __str__(self) -> str:
        return f"nf.Tensor({on_own_line(str(self._view()))}, shape={self.shape}, dtype={self.dtype.name})"

    def __reduce__(self):
        return _from_pickle, (self.numpy(),)


def _from_pickle(array):
    return from_numpy(np.asarray(array))


class Deferred(Exception):
    """Raised by tensors that stand for the inputs and outputs of a model's layers: what applies ops is theirs.

    Attributes:
        tensor: one that the op is to be applied by.
    """

    def __init__(self, tensor: Tensor):
        super().__init__()
        self.tensor = tensor


_new = Tensor.__new__


def make(buffer: np.ndarray, address: int, a: Aval) -> Tensor:
    """The Tensor of an Aval at an address within a buffer."""
    tensor = _new(Tensor)
    tensor._buf, tensor._ptr, tensor._aval = buffer, address, a
    return tensor


def from_numpy(array: np.ndarray, dtype: DType | None = None, copy: bool = True) -> Tensor:
    """A Tensor with the values of an array.

    Args:
        copy: False shares the array's memory where its layout allows; the caller promises not to write to it.
    """
    wanted = (dtype or as_dtype(array.dtype)).np
    dense = np.array(array, wanted, order="C", copy=True if copy else None)
    if not dense.flags.c_contiguous or not dense.flags.aligned:
        dense = np.ascontiguousarray(dense).copy()
    flat = dense.reshape(-1).view(np.uint8)
    return make(flat, dense.ctypes.data, aval(dtype or as_dtype(array.dtype), dense.shape))


def dense(tensor: Tensor) -> Tensor:
    """The tensor laid out row-major without gaps."""
    return tensor if tensor._aval.strides is None else from_numpy(tensor._view(), tensor._aval.dtype)


# --- conversion ---------------------------------------------------------------------------------------------------

_PYTHON_DTYPES = {bool: bool_, int: int32, float: float32, complex: complex128}
_LARGEST = float(np.finfo(np.float32).max)


def _fits(wanted: DType, given: DType) -> bool:
    """Whether TensorFlow converts a Python value of kind `given` to `wanted` by itself: never to a lesser kind."""
    if wanted is given or given.is_bool:
        return True
    rank = [given.is_integer, given.is_floating, given.is_complex].index(True)
    return [wanted.is_integer, wanted.is_floating, wanted.is_complex][rank:].count(True) > 0


def to_tensor(value, dtype: DType | None = None, hint: DType | None = None):
    """value as a Tensor; Variables give their value, traced tensors stay.

    Args:
        dtype: the result must have it.
        hint: the result should have it if value converts to it without loss of kind.

    Raises:
        TypeError, ValueError: value is no tensor-like, or has no such dtype.
    """
    kind = type(value)
    if kind is Tensor:
        return value if dtype is None else _checked(value, dtype)
    if kind in _PYTHON_DTYPES:
        return _from_number(value, dtype, hint)
    if isinstance(value, TensorProtocol):
        tensor = value.nbflow_tensor()
        return tensor if dtype is None else _checked(tensor, dtype)
    if hasattr(kind, "nbflow_tensor"):  # what is a tensor once converted, such as IndexedSlices
        return to_tensor(value.nbflow_tensor(), dtype)
    if isinstance(value, (list, tuple)) and _holds_tensor(value):
        parts = [to_tensor(v, dtype, hint) for v in value]
        first = next((p.dtype for v, p in zip(value, parts, strict=True) if isinstance(v, TensorProtocol)), None)
        return stack([to_tensor(v, dtype, hint=first or hint) for v in value])
    return _from_array(value, dtype, hint)


def argument(op: str, name: str, value, hint: DType | None = None):
    """An argument of an op as a tensor, as to_tensor makes it; errors name the op and the argument."""
    if type(value) is Tensor:
        return value
    try:
        return to_tensor(value, hint=hint)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{op}: {name}: {error}") from None


def _holds_tensor(value) -> bool:
    return any(isinstance(v, TensorProtocol) or (isinstance(v, (list, tuple)) and _holds_tensor(v)) for v in value)


def stack(parts: list):
    """Tensors of one shape joined along a new first axis."""
    for k, part in enumerate(parts):
        if part.dtype is not parts[0].dtype or part.nbflow_shape != parts[0].nbflow_shape:
            raise InvalidArgumentError(
                f"a list of tensors becomes one tensor only where dtypes and shapes are equal: [0] is "
                f"{parts[0].dtype.name} {parts[0].shape}, [{k}] is {part.dtype.name} {part.shape}"
            )
    rows = [TABLE["reshape"](p, shape=(1, *p.nbflow_shape)) for p in parts]
    return TABLE["concat"](*rows, axis=0)


def _checked(tensor, dtype: DType):
    if tensor.dtype is not dtype:
        raise ValueError(
            f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype {tensor.dtype.name}: {tensor!r}. "
            f"Use nf.cast to convert it."
        )
    return tensor


def _from_number(value, dtype: DType | None, hint: DType | None) -> Tensor:
    natural = _PYTHON_DTYPES[type(value)]
    if dtype is not None and not _fits(dtype, natural):
        raise TypeError(f"Cannot convert {value!r} to a tensor of dtype {dtype.name}")
    wanted = dtype or (hint if hint is not None and _fits(hint, natural) else natural)
    if wanted.is_integer and not int(wanted.min) <= value <= int(wanted.max):
        if wanted is not natural or dtype is not None or not -(2**63) <= value < 2**63:
            raise ValueError(f"{value!r} does not fit into {wanted.name} [{wanted.min}, {wanted.max}]")
        wanted = int64
    unasked = wanted not in (dtype, hint)
    if wanted is float32 and unasked and (value > _LARGEST or value < -_LARGEST) and abs(value) != float("inf"):
        raise ValueError(f"{value!r} is out of range for float32; use dtype=nf.float64")
    with np.errstate(over="ignore"):
        return from_numpy(np.asarray(value, wanted.np), wanted, copy=False)


def _first_leaf(value):
    """The innermost first element of nested lists."""
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return value


def _from_array(value, dtype: DType | None, hint: DType | None) -> Tensor:
    if hasattr(value, "__dlpack__") and not isinstance(value, np.ndarray) and not hasattr(value, "__array__"):
        value = np.from_dlpack(value)
    first = _first_leaf(value)
    # NumPy integers in a list count as Python's, as TensorFlow has it
    is_numpy = hasattr(first, "__array__") and (first is value or np.asarray(first).dtype.kind not in "iu")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"Can't convert non-rectangular Python sequence to Tensor: {value!r:.200} ({error})") from None
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    known = as_dtype_or_none(array.dtype)
    if known is None and (array.dtype.kind not in "fiub" or (dtype is None and is_numpy)):
        kind = array.dtype.kind
        raise (TypeError if kind in "fiub" else InvalidDTypeError if kind in "US" else ValueError)(
            f"Attempt to convert a value ({value!r:.200}) with an unsupported type ({type(value)}, {array.dtype}) to a "
            f"Tensor; tensors hold numbers of {', '.join(d.name for d in ALL)}"
        )
    if is_numpy:
        given = as_dtype_or_none(np.asarray(first).dtype)
        if given is None or (given is not known and given.np.kind != array.dtype.kind):
            given = known or int64
    else:
        if isinstance(first, bool) and array.dtype.kind != "b":
            raise ValueError(f"Can't convert Python sequence with mixed types to Tensor: {value!r:.200}")
        given = {"f": float32, "b": bool_, "c": complex128}.get(array.dtype.kind, int32)
        if not array.size:
            given = float32
        elif given is int32 and (array.min() < -(2**31) or array.max() >= 2**31):
            given = int64
    asked = dtype or hint
    if dtype is not None:
        if array.size and not is_numpy and not _fits(dtype, given):
            raise TypeError(f"Cannot convert {value!r:.200} to a tensor of dtype {dtype.name}: it holds {given.name}")
    elif hint is not None and ((first is value and is_numpy) or _fits(hint, given) or not array.size):
        dtype = hint  # NumPy arrays become whatever is asked for
    else:
        dtype = given
    if not is_numpy and array.size:
        _check_range(value, array, dtype, asked)
    with np.errstate(over="ignore", invalid="ignore"):
        return from_numpy(array, dtype)


def _check_range(value, array: np.ndarray, dtype: DType, asked: DType | None) -> None:
    """Raises ValueError where a Python number does not fit the dtype; of one asked for floats may be infinite."""
    if dtype.is_integer:
        fits = array.dtype.kind == "b" or (array.min() >= dtype.min and array.max() <= dtype.max)
    else:
        fits = (
            dtype is not float32
            or dtype is asked
            or array.dtype.kind != "f"
            or not (np.isfinite(array) & (abs(array) > _LARGEST)).any()
        )
    if not fits:
        raise ValueError(f"{value!r:.200} holds numbers out of range for {dtype.name}")


# --- one op ---------------------------------------------------------------------------------------------------------


PLANS = 4096  # an op keeps so many ways to run: x[i] for every i must not fill the memory


class Plan:
    """How one op runs on inputs of certain Avals.

    Attributes:
        kind: "view" (no computation), "launch" (a small program of up to three inputs and one result), "host" (a NumPy
            function) or "program".
        results: Avals of the results.
        address, nbytes: of a launch: the program's address and the size of the result.
        offset: of a view: bytes from the input's first element to the result's.
    """

    __slots__ = ("address", "kind", "nbytes", "offset", "program", "result", "results")

    def __init__(self, op: Op, avals: tuple[Aval, ...], attrs: dict):
        if op.view is not None:
            placed = op.view(avals[0], attrs)
            if placed is not None:
                out = op.infer(avals, attrs)
                self.kind, self.offset = "view", placed[0] * out.dtype.size
                self.result = aval(out.dtype, out.shape, placed[1])
                return
        if op.host is not None:
            found = op.infer(avals, attrs)
            self.kind, self.results = "host", found if isinstance(found, tuple) else (found,)
            return
        graph = Graph()
        values = [graph.input(a) for a in avals]
        results = graph.add(op, values, attrs)
        graph.outputs = list(results) if isinstance(results, tuple) else [results]
        self.program = stages.compiled(graph)
        if isinstance(self.program, Program) and self.program.launchable:
            self.result = self.program.output_avals[0]
            self.kind, self.address, self.nbytes = "launch", self.program.address, self.result.nbytes
        else:
            self.kind = "program"


def execute(op: Op, tensors, attrs: dict):
    """Runs an op on eager tensors."""
    avals = tuple([t._aval for t in tensors])
    key = (tuple(attrs.items()), avals) if attrs else avals
    plan = op.plans.get(key)
    if plan is None:
        if len(op.plans) >= PLANS:
            op.plans.clear()
        plan = op.plans[key] = Plan(op, avals, attrs)
    if plan.kind == "launch":
        result = allocate(plan.nbytes)
        addresses = [t._ptr for t in tensors]
        addresses += (0,) * (3 - len(addresses))
        return make(result, threads.launch()(plan.address, id(result), *addresses), plan.result)
    if plan.kind == "view":
        source = tensors[0]
        return make(source._buf, source._ptr + plan.offset, plan.result)
    if plan.kind == "host":
        results = [_tensor(block) for block in stages.call_host(op, plan.results, tensors, attrs)]
    elif isinstance(plan.program, Stages):
        results = run_stages(plan.program, tensors)
    else:
        results = run_program(plan.program, [t._ptr for t in tensors])
    return results[0] if len(results) == 1 else tuple(results)


def _tensor(block: Block) -> Tensor:
    return make(block._buf, block._ptr, block._aval)


def run_stages(program: Stages, inputs: Sequence[Block]) -> list[Tensor]:
    """Runs a graph with host ops on inputs of the layouts that it was made for; returns its results."""
    return [_tensor(block) for block in program.run(inputs)]


def run_program(program: Program, inputs: list[int]) -> list[Tensor]:
    """Runs a program on inputs at addresses; returns its results."""
    avals = program.output_avals
    buffers = [allocate(a.nbytes) for a in avals]
    addresses = program.run(buffers, inputs)
    return [make(buffer, address, a) for buffer, address, a in zip(buffers, addresses, avals, strict=False)]


_numbers: dict[tuple, Tensor] = {}  # Python numbers beside tensors, which programs use over and over

_number_ids: set[int] = set()


def is_number(tensor) -> bool:
    """Whether an eager tensor is a Python number beside a tensor, which no user holds."""
    return id(tensor) in _number_ids


def _operand(op: Op, value, hint: DType | None):
    """A number, array or Variable as a tensor beside tensors of dtype `hint`.

    Numbers come from a cache. A Tensor that users hold must never be in it: tapes tell tensors apart by identity.
    """
    if isinstance(value, TensorProtocol):
        return value.nbflow_operand()
    key = (type(value), value, hint) if type(value) in _PYTHON_DTYPES else None
    tensor = None if key is None else _numbers.get(key)
    if tensor is None:
        tensor = argument(op.name, "operand", value, hint)
        if hint is not None and tensor.dtype is not hint:
            raise InvalidDTypeError(
                f"{op.name}: cannot convert {value!r:.200} to {hint.name}, the dtype of the tensor beside it; "
                f"use nf.cast"
            )
        if key is not None and (value != 0 or type(value) is not float):  # 0.0 and -0.0 are equal keys
            if len(_numbers) > 4096:
                _numbers.clear()
                _number_ids.clear()
            _numbers[key] = tensor
            _number_ids.add(id(tensor))
    return tensor


def convert_inputs(op: Op, inputs) -> list:
    """Inputs as tensors: plain numbers and arrays take the dtype of the first tensor among them.

    Raises:
        TypeError: a number or array has no such dtype.
    """
    hint = None
    for x in inputs:
        if isinstance(x, TensorProtocol) and not (op.name == "select" and x is inputs[0]):
            hint = x.dtype
            break
    return [x if type(x) is Tensor else _operand(op, x, hint) for x in inputs]


def apply(op: Op, inputs, attrs: dict):
    """Applies an op: adds it to the trace under way, or runs it; open tapes take note."""
    try:
        tensors = convert_inputs(op, inputs)
    except Deferred as found:
        return found.tensor.nbflow_apply(op, inputs, attrs)
    if not busy.count:
        return execute(op, tensors, attrs)
    if state.trace is not None:
        tensors = [state.trace.lift(t) for t in tensors]
        result = state.trace.add(op, tensors, attrs)
    else:
        result = execute(op, tensors, attrs)
    for tape in state.tapes:
        tape.record(op, tensors, result, attrs)
    if state.numerics is not None:
        state.numerics(op, result)
    return result


def apply_free(op: Op, attrs: dict):
    """Applies an op without inputs (a random op, for example)."""
    return apply(op, (), attrs)


# --- the quick way for x + y and its like -----------------------------------------------------------------------------


def _quick_binary(name: str, otherwise=None):
    op = TABLE[name]
    plans = op.plans

    def method(self, other):
        if type(other) in (float, int):  # found in the cache, or left as it is
            other = _numbers.get((type(other), other, self._aval.dtype), other)
        if type(other) is Tensor and not busy.count:
            plan = plans.get((self._aval, other._aval))
            if plan is not None and plan.kind == "launch":
                size = plan.nbytes
                result = empty(size, uint8) if size < SMALL else allocate(size)
                return make(result, launch(plan.address, id(result), self._ptr, other._ptr, 0), plan.result)
        elif other is None or isinstance(other, str):
            return NotImplemented
        return apply(op, (self, other), {}) if otherwise is None else otherwise(self, other)

    return method


empty, uint8 = np.empty, np.uint8


def launch(*arguments):  # noqa: F811  (it takes its own place)
    """Loads the native entry point on first use, and takes its place."""
    global launch
    launch = threads.launch()
    return launch(*arguments)


for _name, _op in (
    ("add", "add"), ("sub", "subtract"), ("mul", "multiply"),
    ("lt", "less"), ("le", "less_equal"), ("gt", "greater"), ("ge", "greater_equal"),
):  # fmt: skip
    setattr(Tensor, f"__{_name}__", _quick_binary(_op))


# --- operators whose arguments are converted first ------------------------------------------------------------------


def divide(x, y):
    """x / y as the operator means it: integers become floating point (of 8 and 16 bits float32, others float64)."""
    op = TABLE["divide"]
    try:
        x, y = convert_inputs(op, (x, y))
    except Deferred as found:
        x, y = (to_tensor(v, hint=found.tensor.dtype) for v in (x, y))
    if x.dtype.is_integer and x.dtype is y.dtype:
        wide = float32 if x.dtype.size < 4 else float64
        x, y = TABLE["cast"](x, dtype=wide), TABLE["cast"](y, dtype=wide)
    return op(x, y)


def _matmul(x, y):
    return TABLE["matmul"](x, y, transpose_a=False, transpose_b=False)


for _name, _function in (("truediv", divide), ("matmul", _matmul)):
    setattr(TensorProtocol, f"__{_name}__", lambda self, other, _function=_function: _function(self, other))
    setattr(TensorProtocol, f"__r{_name}__", lambda self, other, _function=_function: _function(other, self))
Tensor.__truediv__ = _quick_binary("divide", divide)


# --- tensor[key] ------------------------------------------------------------------------------------------------------


def get_item(tensor, key):
    """tensor[key], where key may be a bool tensor too."""
    if isinstance(key, (TensorProtocol, np.ndarray)) and as_dtype_or_none(key.dtype) is bool_:
        return boolean_mask(tensor, key)
    return indexing.get_item(tensor, key, _is_tensor)


def _is_tensor(value) -> bool:
    return isinstance(value, TensorProtocol)


def boolean_mask(tensor, mask, axis: int = 0):
    """The parts of tensor along axes [axis, axis + rank of mask) at which mask holds, in a row.

    Raises:
        ValueError: mask is a scalar or its shape is not that of the tensor's axes.
    """
    tensor, mask = to_tensor(tensor), to_tensor(mask)
    shape, count = tensor.nbflow_shape, mask.ndim
    if not count:
        raise ValueError("boolean_mask: mask is a scalar; it takes one or more axes")
    if not could_be_equal(tuple(shape[axis : axis + count]), tuple(mask.nbflow_shape)):
        raise ValueError(
            f"boolean_mask: mask has shape {mask.shape}, which is not that of the tensor's axes from {axis} on: "
            f"{tensor.shape}"
        )
    size = functools.reduce(operator.mul, mask.nbflow_shape)
    found = TABLE["where_true"](TABLE["reshape"](mask, shape=(size,)))
    flat = TABLE["reshape"](tensor, shape=(*shape[:axis], size, *shape[axis + count :]))
    return TABLE["gather"](flat, TABLE["reshape"](found, shape=found.nbflow_shape[:1]), axis=axis)


TensorProtocol.__getitem__ = get_item


# --- == and != --------------------------------------------------------------------------------------------------------


def _comparison(name: str, unlike: bool):
    op = TABLE[name]

    def method(self, other):
        if other is None:
            return unlike
        try:
            return apply(op, (self, other), {})
        except InvalidDTypeError:
            raise
        except InvalidArgumentError:  # of shapes that do not broadcast
            return from_numpy(np.asarray(unlike))

    return method


for _name, _function in (("eq", _comparison("equal", False)), ("ne", _comparison("not_equal", True))):
    setattr(TensorProtocol, f"__{_name}__", _function)
