"""Models under construction: tensors without values, and which layer or op made each from which others.

A KerasTensor is a traced tensor whose trace is the one of all models under construction. What a layer makes of such
tensors is found by tracing a call of it on tensors of the same shapes and dtypes. Ops apply to them too: x + y, x[:, 0]
and nf.reduce_sum(x) are steps of the model as layers are.
"""

from typing import Any

import optree

from nbflow.compiler.graph import Aval, Value, aval, bound_attrs
from nbflow.compiler.op import Op
from nbflow.dtypes import as_dtype
from nbflow.errors import InvalidArgumentError
from nbflow.function.trace import SymbolicTensor, Trace
from nbflow.keras.settings import auto_name
from nbflow.public import export
from nbflow.shapes import Dim
from nbflow.tensor.state import state
from nbflow.tensor.tensor import Deferred, Tensor, apply
from nbflow.tensor.variable import Variable

BATCH = Dim("batch")  # the size of the first axis of all inputs whose batch size is open


@export("keras.KerasTensor")
class KerasTensor(SymbolicTensor):
    """A tensor of a model under construction (tf.keras.KerasTensor): keras.Input makes it, and layers and ops from it.

    Attributes:
        name: a name.
    """

    __slots__ = ("_keras_history", "name", "optional", "source")
    _keras_history: Any  # a History, None before a step has made the tensor
    name: str
    optional: bool
    source: Tensor | Variable | None

    def __new__(cls, shape=(), dtype="float32", name=None, **kwargs):
        """A tensor without a layer that made it."""
        return symbolic(aval(as_dtype(dtype), with_dims(tuple(shape))), name)

    def __init__(self, *args, **kwargs):
        pass

    @property
    def shape(self) -> tuple:  # type: ignore[override]  # Keras gives a tuple here
        """The size of each axis, None where it is open."""
        return tuple(None if isinstance(n, Dim) else n for n in self._aval.shape)

    def get_shape(self):
        """The shape."""
        return self.shape

    def nbflow_operand(self):
        """This tensor, where models are under construction; elsewhere ops leave it to nbflow_apply."""
        if state.trace is not CONSTRUCTION:
            raise Deferred(self)
        return self

    def nbflow_apply(self, op: Op, inputs, attrs: dict):
        """Adds an op to the model."""
        if state.trace is not CONSTRUCTION and state.trace is not None:
            self._out_of_scope()
        with CONSTRUCTION.active():
            return apply(op, inputs, attrs)

    def _no_value(self, what: str, instead: str):
        raise ValueError(
            f"A KerasTensor is symbolic: it's a placeholder for a shape an a dtype and has no value, so it cannot be "
            f"used as {what}. Make a model of it, or put the computation into a layer's call()"
        )

    def _out_of_scope(self):
        raise ValueError(
            f"A KerasTensor cannot be used as input of ops that run now: it is a place in a model ({self!r}). Call a "
            f"model or a layer on tensors with values"
        )

    _buf = _ptr = property(_out_of_scope)

    def __repr__(self) -> str:
        return (
            f"<KerasTensor shape={self.shape}, dtype={self.dtype.name}, sparse=False, ragged=False, name={self.name}>"
        )

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)


def with_dims(shape: tuple) -> tuple:
    """A shape with a Dim for each None: that of batches at the front, one of its own elsewhere."""
    return tuple(
        (BATCH if axis == 0 else Dim.fresh("size")) if size is None else size for axis, size in enumerate(shape)
    )


def symbolic(a: Aval, name: str | None = None, value: Value | None = None) -> KerasTensor:
    """A KerasTensor of a dtype and shape."""
    tensor = Tensor.__new__(KerasTensor)
    SymbolicTensor.__init__(tensor, CONSTRUCTION, Value(a) if value is None else value)
    tensor.name = name or auto_name("keras_tensor")
    tensor.source = tensor._keras_history = None
    tensor.optional = False
    return tensor


class Construction(Trace):
    """The trace of models under construction. It keeps nothing: a tensor knows how it was made."""

    def add(self, op: Op, tensors, attrs: dict):
        """A step of the model that applies an op."""
        try:
            node = self.graph.append(op, [t.value for t in tensors], attrs)
        except InvalidArgumentError as error:
            raise ValueError(str(error)) from None
        self.graph.nodes.clear()
        results = tuple(symbolic(v.aval, value=v) for v in node.outputs)
        outputs = results if len(results) != 1 else results[0]
        Step(OpStep(op, attrs), tuple(tensors), {}, outputs)
        return outputs

    def lift(self, tensor: Tensor):
        """A KerasTensor as it is; one that stands for a tensor with a value."""
        return tensor if isinstance(tensor, KerasTensor) else self._held(tensor, tensor._aval)

    def read(self, variable: Variable):
        """One that stands for a Variable's value, whenever the model is called."""
        return self._held(variable, variable._tensor._aval)

    def _held(self, source, a: Aval) -> KerasTensor:
        value = None
        if isinstance(source, Tensor) and a.shape == ():
            value = self.graph.constant(source.numpy(), a.dtype)
            self.graph.nodes.clear()
        held = symbolic(aval(a.dtype, a.shape), "constant", value)
        held.source = source
        return held


CONSTRUCTION = Construction()


class Operation:
    """What makes tensors from tensors in a model: a layer or an op. Each use is a Step."""

    name: str
    _inbound_nodes: list["Step"]

    @property
    def input(self):
        """The input of its only use in a model."""
        return self._only_step().input_structure

    @property
    def output(self):
        """The output of its only use in a model."""
        return self._only_step().output_structure

    def _only_step(self) -> "Step":
        steps = self._inbound_nodes
        if not steps:
            raise AttributeError(
                f"The layer {self.name} has never been called and thus has no defined input or output."
            )
        return steps[0]


class OpStep(Operation):
    """An op of the op table as a step of a model."""

    def __init__(self, op: Op, attrs: dict, name: str | None = None):
        self.op, self.attrs = op, attrs
        self.name = name or auto_name(op.name)
        self._inbound_nodes = []

    def run(self, step: "Step", args: tuple, kwargs: dict, sizes: dict):
        """Applies the op to the tensors of a call."""
        if not any(hasattr(type(x), "nbflow_apply") for x in args):
            return apply(self.op, args, bound_attrs(self.attrs, sizes))
        return self.op(*args, **bound_attrs(self.attrs, sizes))


class Step:
    """One use of a layer or op: its arguments and results.

    Attributes:
        operation: the layer or op.
        inputs, outputs: KerasTensors.
    """

    def __init__(self, operation: Operation, args: tuple, kwargs: dict, outputs: Any):
        self.operation = operation
        leaves, self._form = optree.tree_flatten((args, kwargs), none_is_leaf=True)
        self._leaves = leaves
        self.inputs = [leaf for leaf in leaves if isinstance(leaf, KerasTensor) and leaf.source is None]
        self.output_structure = outputs
        self.outputs = [t for t in optree.tree_leaves(outputs, none_is_leaf=True) if isinstance(t, KerasTensor)]
        number = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for k, tensor in enumerate(self.outputs):
            tensor._keras_history = History(operation, number, k)

    @property
    def arguments(self) -> tuple[tuple, dict]:
        """(args, kwargs) of the call."""
        return optree.tree_unflatten(self._form, self._leaves)

    @property
    def input_structure(self):
        """The first argument."""
        args, kwargs = self.arguments
        return args[0] if args else next(iter(kwargs.values()), self.output_structure)

    @property
    def is_input(self) -> bool:
        """Whether it is where a model begins."""
        return not self.inputs and not self._leaves

    @property
    def parents(self) -> list["Step"]:
        """The steps that made its inputs."""
        return [step_of(t) for t in self.inputs]

    def filled(self, values: dict[int, Any]) -> tuple[tuple, dict]:
        """The arguments with values in place of KerasTensors.

        Args:
            values: {id of a KerasTensor: its value}.
        """

        def value(leaf):
            if not isinstance(leaf, KerasTensor):
                return leaf
            return values[id(leaf)] if leaf.source is None else leaf.source

        return optree.tree_unflatten(self._form, [value(leaf) for leaf in self._leaves])


class History(tuple):
    """(operation, number of its use, number of the result): how a KerasTensor was made."""

    def __new__(cls, operation, node_index: int, tensor_index: int):
        return super().__new__(cls, (operation, node_index, tensor_index))

    operation = property(lambda self: self[0])
    node_index = property(lambda self: self[1])
    tensor_index = property(lambda self: self[2])


def step_of(tensor: KerasTensor) -> Step:
    """The step that made a tensor."""
    operation, number, _ = tensor._keras_history
    return operation._inbound_nodes[number]


def has_symbolic(structure) -> bool:
    """Whether a nested structure holds a KerasTensor."""
    return any(isinstance(leaf, KerasTensor) for leaf in optree.tree_leaves(structure, none_is_leaf=True))


def traced_call(call, args: tuple, kwargs: dict):
    """What a call gives for KerasTensors: KerasTensors of the shapes and dtypes that tracing it finds.

    Args:
        call: a function of (*args, **kwargs) in which KerasTensors stand for tensors.
    """
    leaves, form = optree.tree_flatten((args, kwargs), none_is_leaf=True)
    trace = Trace()
    known: dict[int, Tensor] = {}

    def argument(leaf):
        if not isinstance(leaf, KerasTensor):
            return leaf
        if id(leaf) not in known:
            known[id(leaf)] = trace.argument(aval(leaf._aval.dtype, leaf._aval.shape))
        return known[id(leaf)]

    arguments = [argument(leaf) for leaf in leaves]
    masks = [
        (tensor, argument(mask))
        for leaf, tensor in zip(leaves, arguments, strict=True)
        if isinstance(leaf, KerasTensor) and (mask := getattr(leaf, "_keras_mask", None)) is not None
    ]
    for tensor, mask in masks:
        tensor._keras_mask = mask
    with trace.active():
        args, kwargs = optree.tree_unflatten(form, arguments)
        results = call(*args, **kwargs)
    back = {id(tensor): leaf for leaf, tensor in zip(leaves, arguments, strict=True) if isinstance(leaf, KerasTensor)}

    def result(leaf):
        if not isinstance(leaf, (Tensor, Variable)):
            return leaf
        made = symbolic(aval(leaf._aval.dtype, leaf._aval.shape))
        mask = getattr(leaf, "_keras_mask", None)
        if mask is not None:
            made._keras_mask = back.get(id(mask)) or symbolic(aval(mask._aval.dtype, mask._aval.shape), "mask")
        return made

    return optree.tree_map(result, results, none_is_leaf=True)


@export("keras.utils.is_keras_tensor", "keras.backend.is_keras_tensor")
def is_keras_tensor(x) -> bool:
    """Whether x is a tensor of a model under construction."""
    return isinstance(x, KerasTensor)
