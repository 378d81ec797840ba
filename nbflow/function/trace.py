"""A trace: runs a Python function on symbolic tensors and keeps the ops that it applies as a graph."""

import math
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np

from nbflow.compiler.graph import CONSTANT, Aval, Graph, Value, aval, bind, set_shape
from nbflow.compiler.op import Op
from nbflow.compiler.passes.simplify import drop_unused
from nbflow.errors import InvalidArgumentError, OperatorNotAllowedInGraphError
from nbflow.function.rewriting import rewritten
from nbflow.function.sizes import shape_for
from nbflow.ops.random import SEEDS
from nbflow.ops.seeds import GraphSeeds
from nbflow.ops.table import TABLE
from nbflow.shapes import Dim, TensorShape
from nbflow.tensor.stages import Stages, compiled
from nbflow.tensor.state import busy, state
from nbflow.tensor.tensor import Tensor, dense, run_program, run_stages
from nbflow.tensor.variable import Variable

_PACKAGE = str(Path(__file__).parents[1])


class SymbolicTensor(Tensor):
    """A tensor of a trace: it has a dtype and a shape, and no value yet.

    Attributes:
        value: the graph's Value that it stands for.
        trace: the trace that it belongs to.
    """

    __slots__ = ("trace", "value")

    def __init__(self, trace: "Trace", value: Value):
        self.trace, self.value, self._aval = trace, value, value.aval

    def _out_of_scope(self):
        raise TypeError(
            f"{self!r} is out of scope: it was made while a function was traced and has no value here "
            f"({_user_line()}). Return it from that function instead of keeping it in an outer variable."
        )

    _buf = _ptr = property(_out_of_scope)  # what eager ops ask for

    @property
    def shape(self) -> TensorShape:
        """The size of each axis; None where it is not known while tracing."""
        if self._aval.unranked:
            return TensorShape(None)
        if self.trace.sizes_read is not None and self._aval.symbolic:
            return shape_for(sys._getframe(1), self._aval.shape, self.trace.sizes_read)
        return TensorShape(self._aval.shape)

    def get_shape(self) -> TensorShape:
        """The shape (a method, as in TensorFlow)."""
        if self._aval.unranked:
            return TensorShape(None)
        if self.trace.sizes_read is not None and self._aval.symbolic:
            return shape_for(sys._getframe(1), self._aval.shape, self.trace.sizes_read)
        return TensorShape(self._aval.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        self.nbflow_ranked("ndim")
        return len(self._aval.shape)

    def nbflow_ranked(self, what: str) -> None:
        """Raises ValueError if not even the rank is known, which `what` needs."""
        if self._aval.unranked:
            node = self.value.node
            assert node is not None
            raise ValueError(
                f"{what}: the tensor's shape is unknown: it is what a Python function returned ({node.where}). "
                f"Say it with tensor.set_shape([...]), with nf.ensure_shape, or with Tout=nf.TensorSpec([...], dtype); "
                f"None stands for sizes that are not known"
            )

    def set_shape(self, shape) -> None:
        """Says what is known of the shape, which then holds for the tensor from here on.

        Args:
            shape: a size for each axis, or None where it stays open.

        Raises:
            ValueError: the shape cannot be that. Where only a run tells, the run raises InvalidArgumentError.
        """
        shape = TensorShape(shape)
        if not self.shape.is_compatible_with(shape):
            raise ValueError(f"Tensor's shape {self.shape} is not compatible with supplied shape {shape}.")
        if shape.unknown_rank:
            return
        if self._aval.unranked:
            set_shape(self.value, tuple(Dim.fresh("set") if n is None else n for n in shape))
            self._aval = self.value.aval
        elif any(isinstance(n, Dim) and m is not None for n, m in zip(self._aval.shape, shape, strict=True)):
            wanted = tuple(n if m is None else m for n, m in zip(self._aval.shape, shape, strict=True))
            checked = self.trace.add(TABLE["ensure_shape"], [self], {"shape": wanted})
            self.value, self._aval = checked.value, checked.value.aval

    @property
    def nbflow_static(self):
        """The value where it follows from shapes alone: a tuple for a vector, a size for a scalar; None elsewhere."""
        return _static(self.value)

    def _no_value(self, what: str, instead: str):
        raise OperatorNotAllowedInGraphError(
            f"Using a symbolic nf.Tensor as {what} is not allowed: while a function is traced, tensors have no value "
            f"yet ({self!r}, {_user_line()}). {instead}"
        )

    def __bool__(self):
        self._no_value("a Python bool", rewritten(self, _user_frame()))

    def __float__(self):
        self._no_value("a Python number", "Return it from the function and convert it there.")

    __int__ = __index__ = __complex__ = __float__

    def numpy(self):
        """Raises OperatorNotAllowedInGraphError: there is no value yet."""
        self._no_value("a NumPy array", "Return it from the function and call numpy() there.")

    def _view(self):
        self.numpy()

    def __array__(self, dtype=None, copy=None):
        self._no_value("a NumPy array", "Use nf functions on it, or return it from the function.")

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return f"<nf.Tensor (symbolic): shape={self.shape}, dtype={self.dtype.name}>"

    __str__ = __repr__

    def __reduce__(self):
        raise TypeError("a symbolic tensor cannot be pickled: it has no value")


def _part(parts, attrs):
    (begin,), (step,), (size,) = attrs["begin"], attrs["step"], attrs["shape"]
    return tuple(parts[0][begin + k * step] for k in range(size))


# op -> (rank of its result, (values of the inputs, attributes) -> the value): what sizes are computed with
_STATIC: dict[str, tuple[int, Callable]] = {
    "strided_slice": (1, _part),
    "concat": (1, lambda parts, attrs: tuple(size for part in parts for size in part)),
    "add": (0, lambda parts, attrs: parts[0] + parts[1]),
    "subtract": (0, lambda parts, attrs: parts[0] - parts[1]),
    "multiply": (0, lambda parts, attrs: parts[0] * parts[1]),
    "floor_div": (0, lambda parts, attrs: parts[0] // parts[1]),
}
_DEPTH = 50  # sizes are not computed by more steps than this; loops that count are


def _static(value: Value, known: dict | None = None, depth: int = 0):
    node, known = value.node, {} if known is None else known
    if node is None or depth > _DEPTH or len(value.shape) > 1:
        return None
    if value not in known:
        known[value] = _static_of(value, node, known, depth)
    return known[value]


def _static_of(value: Value, node, known: dict, depth: int):
    if node.op.static is not None and node.op.name.startswith("shape_"):
        return node.inputs[0].shape
    if node.op is CONSTANT:
        array = node.attrs["value"].array
        return array.item() if array.ndim == 0 and array.dtype.kind == "i" else None
    if node.op.name == "count" and value.dtype.is_integer:
        return math.prod(node.inputs[0].shape[axis] for axis in node.attrs["axis"])
    rule = _STATIC.get(node.op.name)
    known_rank = rule is not None and rule[0] == len(value.shape)
    if not known_rank and not (node.op.name == "reshape" and value.aval.size == 1):
        return None
    parts = [_static(v, known, depth + 1) for v in node.inputs]
    if not parts or any(p is None for p in parts):
        return None
    if rule is not None:
        return rule[1](parts, node.attrs)
    only = parts[0][0] if isinstance(parts[0], tuple) else parts[0]
    return only if value.shape == () else (only,)


def _user_frame() -> FrameType | None:
    """The innermost frame outside the library."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame


def _user_line() -> str:
    """ "file:line" of the innermost frame outside the library."""
    frame = _user_frame()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""


class Trace:
    """The graph of a function under construction.

    Attributes:
        graph: what was traced so far.
        captures: (eager Tensor or Variable, its graph input), in order of first use; they come after the arguments.
        may_create: whether Variables may be created, as on a function's first trace.
        created: Variables created during the trace.
        arguments: the eager Tensors that the first call was made with, while it is traced: initial values may need
            them.
        versions: {a Variable's input: its values after each assignment}: gradients of all belong to the Variable.
        regions: (first node, end, Call, inputs, outputs) of stretches of the graph with a gradient of their own.
        scalars: (eager Tensor, Value) of captured numbers, which became constants.
        seeds: the seeds of its random ops.
        sizes_read: where users' code read a size that is not known, if the trace notes it; else None.
    """

    def __init__(self, may_create: bool = False):
        self.graph = Graph()
        self.captures: list[tuple[Tensor | Variable, Value]] = []
        self.may_create = may_create
        self.created: list[Variable] = []
        self.arguments: Sequence[Tensor] = ()
        self.versions: dict[Value, list[Value]] = {}
        self.regions: list[tuple] = []
        self.scalars: list[tuple[Tensor, Value]] = []
        self.seeds = GraphSeeds(SEEDS.global_seed)
        self.sizes_read: list[str] | None = None
        self._captured: dict[int, SymbolicTensor] = {}
        self._kept: list[Tensor] = []  # tensors whose ids must stay taken while the trace lasts
        self._current: dict[int, SymbolicTensor] = {}  # id of a Variable -> its value at this point of the trace
        self._earlier: tuple[Trace, ...] = ()  # traces that this one goes on from: their tensors are its own

    def extended(self) -> "Trace":
        """A trace that goes on where this one ended, in a graph of its own; this one stays as it is."""
        return self._extend(Trace())

    def _extend(self, trace):
        trace.graph.inputs, trace.graph.nodes = list(self.graph.inputs), list(self.graph.nodes)
        trace.captures, trace.regions, trace.scalars = (
            list(self.captures),
            list(self.regions),
            list(self.scalars),
        )
        trace.versions = {source: list(values) for source, values in self.versions.items()}
        trace._captured, trace._current, trace._kept = (
            dict(self._captured),
            dict(self._current),
            list(self._kept),
        )
        trace._earlier = (*self._earlier, self)
        return trace

    @contextmanager
    def active(self):
        """A block whose ops go into this trace."""
        outer = state.trace, state.tapes
        state.trace, state.tapes = self, ()
        busy.count += 1
        try:
            yield self
        finally:
            busy.count -= 1
            state.trace, state.tapes = outer

    @contextmanager
    def inner_function(self):
        """A block that runs the body of another function as part of this one; its random ops are numbered anew."""
        outer = self.seeds
        self.seeds = GraphSeeds(outer.global_seed)
        try:
            yield
        finally:
            self.seeds = outer

    def argument(self, a: Aval) -> SymbolicTensor:
        """A new input that is an argument of the function; to be made before anything is captured."""
        return SymbolicTensor(self, self.graph.input(a))

    # --- called by the dispatcher -------------------------------------------------------------------------------

    def add(self, op: Op, tensors, attrs: dict):
        """Adds an op on tensors of this trace."""
        if not op.effect and "call" not in attrs:  # those take anything
            for tensor in tensors:
                tensor.nbflow_ranked(op.name)
        try:
            result = self.graph.add(op, [t.value for t in tensors], attrs, _user_line())
        except InvalidArgumentError as error:
            raise type(error)(f"{error} (in {_user_line()})") from None
        if isinstance(result, tuple):
            return tuple(SymbolicTensor(self, v) for v in result)
        return SymbolicTensor(self, result)

    def lift(self, tensor: Tensor) -> SymbolicTensor:
        """A tensor as one of this trace: numbers become constants, other eager tensors are captured."""
        if isinstance(tensor, SymbolicTensor):
            if tensor.trace is not self and tensor.trace not in self._earlier:
                tensor._out_of_scope()
            return tensor
        found = self._captured.get(id(tensor))
        if found is None:
            if tensor._aval.shape == ():
                value = self.graph.constant(np.asarray(tensor.numpy()), tensor.dtype)
                self.scalars.append((tensor, value))
                found = SymbolicTensor(self, value)
            else:
                found = self._capture(tensor, aval(tensor._aval.dtype, tensor._aval.shape))
            self._captured[id(tensor)] = found
            self._kept.append(tensor)
        return found

    def _capture(self, source: Tensor | Variable, a: Aval) -> SymbolicTensor:
        value = self.graph.input(a)
        self.captures.append((source, value))
        return SymbolicTensor(self, value)

    def read(self, variable: Variable) -> SymbolicTensor:
        """The value of a Variable at this point of the trace."""
        found = self._current.get(id(variable))
        if found is None:
            a = variable._tensor._aval
            if None in variable.shape:
                number = len(self.captures)
                sizes = tuple(Dim(f"v{number}_{axis}") if n is None else n for axis, n in enumerate(variable.shape))
                a = aval(a.dtype, sizes)
            found = self._current[id(variable)] = self._capture(variable, a)
        return found

    def assign(self, variable: Variable, tensor: Tensor) -> None:
        """A new value of a Variable, for what follows and for when the program has run."""
        self.read(variable)
        source = next(value for captured, value in self.captures if captured is variable)
        lifted = self.lift(tensor)
        self.graph.updates[source] = lifted.value
        self._note_version(variable, source, lifted)

    def pending(self) -> list[Variable]:
        """The Variables that were assigned to so far."""
        return [c for c, value in self.captures if isinstance(c, Variable) and value in self.graph.updates]

    def _note_version(self, variable: Variable, source: Value, lifted: SymbolicTensor) -> None:
        """From now on the Variable, which was `source` at the start, has this value."""
        version = self.add(TABLE["stop_gradient"], [lifted], {})
        if lifted._aval.symbolic and variable.shape.is_fully_defined():
            version = self.add(TABLE["broadcast_to"], [version], {"shape": tuple(variable.shape)})
        self._current[id(variable)] = version
        self.versions.setdefault(source, []).append(version.value)

    def add_region(self, start: int, call, inputs, outputs) -> None:
        """Gives the nodes since number `start` a gradient of their own, that of a call of inputs and outputs."""
        region = (
            start,
            len(self.graph.nodes),
            call,
            [self.lift(t).value for t in inputs],
            [self.lift(t).value for t in outputs],
        )
        self.regions.append(region)

    def check_new_variable(self) -> None:
        """Raises ValueError where the function may not create Variables any more."""
        if not self.may_create:
            raise ValueError(
                "nf.function only supports singleton nf.Variables created on the first call. Make sure the nf.Variable "
                "is only created once, guarded by `if self.v is None`, or created outside nf.function "
                f"({_user_line()})."
            )

    def value_of(self, tensor: Tensor) -> Tensor:
        """The value that a tensor of this trace has in the call under way: the initial value of a Variable."""
        if not isinstance(tensor, SymbolicTensor):
            return tensor
        graph = Graph()
        known: dict[Value, Tensor] = {}
        graph.nodes, graph.outputs = list(self.graph.nodes), [self.lift(tensor).value]
        drop_unused(graph, effects_from=len(graph.nodes))
        known.update((value, dense(t)) for value, t in zip(self.graph.inputs, self.arguments, strict=False))
        for source, value in self.captures:
            known[value] = dense(source._tensor if isinstance(source, Variable) else source)
        used = {id(v) for node in graph.nodes for v in node.inputs} | {id(graph.outputs[0])}
        graph.inputs = [v for v in self.graph.inputs if id(v) in used]
        if any(v not in known for v in graph.inputs):
            raise ValueError(
                "Variable: initial_value depends on an argument of the function that is being traced without values; "
                f"call the function, or make the Variable outside of it ({_user_line()})"
            )
        values = [known[v] for v in graph.inputs]
        sizes = {
            dim.name: size
            for v, t in zip(graph.inputs, values, strict=True)
            for dim, size in zip(v.shape, t._aval.shape, strict=True)
            if isinstance(dim, Dim)
        }
        program = compiled(bind(graph, sizes, [t._aval for t in values]) if sizes else graph)
        if isinstance(program, Stages):
            return run_stages(program, values)[0]
        return run_program(program, [t._ptr for t in values])[0]


@contextmanager
def init_scope():
    """A block that runs eagerly although a function is being traced (tf.init_scope)."""
    outer = state.trace, state.tapes
    state.trace, state.tapes = None, ()
    try:
        yield
    finally:
        state.trace, state.tapes = outer
