"""Functional models to configurations and back, in Keras 3's format."""

from typing import Any

import optree

from nbflow.dtypes import DType, as_dtype
from nbflow.keras.layers.layer import Layer
from nbflow.keras.symbolic import BATCH, CONSTRUCTION, KerasTensor, Operation, OpStep, Step
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.ops.table import TABLE
from nbflow.shapes import Dim

_OP_MODULE = "nbflow.ops"
# Keras' classes of operations between KerasTensors, as files name them -> the table op
_KERAS_OPS = {
    "Add": "add", "Subtract": "subtract", "Multiply": "multiply", "TrueDivide": "divide", "Divide": "divide",
    "Negative": "negative", "Matmul": "matmul", "Absolute": "abs", "Exp": "exp", "Log": "log", "Sqrt": "sqrt",
    "Square": "square", "Tanh": "tanh", "Sin": "sin", "Cos": "cos", "Power": "pow", "Maximum": "maximum",
    "Minimum": "minimum", "Relu": "relu", "Sigmoid": "sigmoid", "Softmax": "softmax",
}  # fmt: skip
_KERAS_NAMES = {
    "add": "Add",
    "subtract": "Subtract",
    "multiply": "Multiply",
    "divide": "TrueDivide",
    "negative": "Negative",
}


def config_of(model) -> dict:
    """The configuration of a functional model."""
    network = model._network
    used = set(network.steps)
    numbers: dict[
        tuple[Operation, int], int
    ] = {}  # uses outside of this model are not written: those in it, renumbered
    for operation in network.operations:
        kept = 0
        for k, step in enumerate(operation._inbound_nodes):
            if step in used or step.is_input:
                numbers[operation, k] = kept
                kept += 1

    def history(tensor: KerasTensor) -> list:
        operation, node, place = tensor._keras_history
        return [operation.name, numbers[operation, node], place]

    def leaf_config(leaf):
        if isinstance(leaf, KerasTensor) and leaf.source is None:
            config = {"shape": list(leaf.shape), "dtype": leaf.dtype.name, "keras_history": history(leaf)}
            return {"class_name": "__keras_tensor__", "config": config}
        return serialize_keras_object(leaf.source if isinstance(leaf, KerasTensor) else leaf)

    layers = []
    for operation in network.operations:
        written = _operation_config(operation)
        written["name"] = operation.name
        written["inbound_nodes"] = [
            {"args": args, "kwargs": kwargs}
            for step in operation._inbound_nodes
            if step in used
            for args, kwargs in [_arguments_config(step, leaf_config)]
        ]
        layers.append(written)
    return {
        "name": model.name,
        "trainable": model._trainable,
        "layers": layers,
        "input_layers": optree.tree_map(history, model._inputs_struct),
        "output_layers": optree.tree_map(history, model._outputs_struct),
    }


def _arguments_config(step: Step, leaf_config) -> tuple[list, dict]:
    args, kwargs = optree.tree_map(leaf_config, step.arguments, none_is_leaf=True)
    return list(args), kwargs


def _operation_config(operation: Operation) -> dict:
    if isinstance(operation, Layer):
        return serialize_keras_object(operation)
    assert isinstance(operation, OpStep)
    name = operation.op.name
    if name in _KERAS_NAMES and not operation.attrs:
        config: dict[str, Any] = {"name": operation.name}
        return {"module": "keras.src.ops.numpy", "class_name": _KERAS_NAMES[name], "config": config,
                "registered_name": _KERAS_NAMES[name]}  # fmt: skip
    attrs = {key: _attribute_config(value, operation) for key, value in operation.attrs.items()}
    config = {"name": operation.name, "op": name, "attrs": attrs}
    return {"module": _OP_MODULE, "class_name": "Op", "config": config, "registered_name": None}


def _attribute_config(value, operation: OpStep):
    if isinstance(value, Dim):
        if value.op:
            parts = [_attribute_config(part, operation) for part in (value.left, value.right)]
            return {"class_name": "__size__", "config": {"op": value.op, "parts": parts}}
        if value == BATCH:
            return {"class_name": "__size__", "config": {"op": "", "parts": ["batch"]}}
        raise NotImplementedError(
            f"The step '{operation.name}' of the model works with the size {value}, which cannot be written to a "
            f"configuration. Put the computation into a layer of your own"
        )
    if isinstance(value, DType):
        return {"class_name": "__dtype__", "config": {"name": value.name}}
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "config": {"value": [_attribute_config(v, operation) for v in value]}}
    return serialize_keras_object(value)


def _attribute(config):
    if isinstance(config, dict) and config.get("class_name") == "__size__":
        inner = config["config"]
        if not inner["op"]:
            return BATCH
        if inner["op"] not in ("+", "-", "*", "//", "%"):
            raise ValueError(f"A size in a configuration is computed by {inner['op']!r}, which is unknown")
        return Dim._make(inner["op"], *(_attribute(part) for part in inner["parts"]))
    if isinstance(config, dict) and config.get("class_name") == "__dtype__":
        return as_dtype(config["config"]["name"])
    if isinstance(config, dict) and config.get("class_name") == "__tuple__":
        return tuple(_attribute(v) for v in config["config"]["value"])
    return deserialize_keras_object(config)


def from_config(cls, config: dict, custom_objects=None):
    """The model of a configuration.

    Raises:
        ValueError: layers need each other in a circle, or tensors that are not there.
    """
    made: dict[str, Any] = {}
    waiting: list[tuple[str, list]] = []
    for written in config["layers"]:
        made[written["name"]] = _made(written, custom_objects)
        waiting.append((written["name"], list(written["inbound_nodes"])))
    while any(nodes for _, nodes in waiting):
        progress = False
        for name, nodes in waiting:
            while nodes:
                found = _filled(nodes[0], made)
                if found is None:
                    break
                _call(made[name], *found)
                nodes.pop(0)
                progress = True
        if not progress:
            raise ValueError(
                f"Could not load model '{config.get('name')}': the layers {[n for n, left in waiting if left]} need "
                f"tensors that no layer makes"
            )
    inputs = _tensors(config["input_layers"], made)
    outputs = _tensors(config["output_layers"], made)
    return cls(inputs, outputs, name=config.get("name"), trainable=config.get("trainable", True))


class _Named:
    """Calls a table op, and keeps the uses as a layer does."""

    def __init__(self, op: str, attrs: dict, name: str):
        self.op, self.attrs, self.name = op, attrs, name
        self._inbound_nodes: list[Step] = []

    def __call__(self, *args, **kwargs):
        with CONSTRUCTION.active():
            result = TABLE[self.op](*args, *kwargs.values(), **self.attrs)
        outputs = result if isinstance(result, tuple) else (result,)
        operation = outputs[0]._keras_history.operation
        operation.name = self.name
        self._inbound_nodes.append(operation._inbound_nodes[-1])


def _made(written: dict, custom_objects):
    module, name, config = str(written.get("module", "")), written["class_name"], written["config"]
    if module == _OP_MODULE:
        if config["op"] not in TABLE:
            raise ValueError(f"A configuration names the op {config['op']!r}, which is not in the op table")
        return _Named(config["op"], {key: _attribute(value) for key, value in config["attrs"].items()}, written["name"])
    if module.startswith("keras.src.ops"):
        if name not in _KERAS_OPS:
            raise ValueError(
                f"The operation {name!r} between KerasTensors of a file written by Keras is not supported; these are: "
                f"{', '.join(_KERAS_OPS)}"
            )
        return _Named(_KERAS_OPS[name], {}, written["name"])
    return deserialize_keras_object(written, custom_objects)


def _call(operation, args: list, kwargs: dict) -> None:
    operation(*args, **kwargs)


def _filled(node: dict, made: dict):
    """The arguments of a use, None where a tensor in them is not there yet."""
    ready = True

    def value(config):
        nonlocal ready
        if isinstance(config, dict) and config.get("class_name") == "__keras_tensor__":
            tensor = _tensor(config["config"]["keras_history"], made)
            ready = ready and tensor is not None
            return tensor
        if isinstance(config, dict) and "class_name" not in config:
            return {key: value(v) for key, v in config.items()}
        if isinstance(config, dict) and config["class_name"] == "__tuple__":
            return tuple(value(v) for v in config["config"]["value"])
        if isinstance(config, list):
            return [value(v) for v in config]
        return deserialize_keras_object(config)

    args, kwargs = [value(a) for a in node["args"]], {k: value(v) for k, v in node["kwargs"].items()}
    return (args, kwargs) if ready else None


def _tensor(history, made: dict):
    name, node, place = history
    if name not in made:
        raise ValueError(f"A configuration uses the output of layer {name!r}, which it does not have")
    steps = made[name]._inbound_nodes
    return steps[node].outputs[place] if node < len(steps) and place < len(steps[node].outputs) else None


def _tensors(structure, made: dict):
    """A structure of histories as one of tensors."""
    if isinstance(structure, dict):
        return {key: _tensors(value, made) for key, value in structure.items()}
    if len(structure) == 3 and isinstance(structure[0], str) and isinstance(structure[1], int):
        tensor = _tensor(structure, made)
        if tensor is None:
            raise ValueError(f"A configuration names the tensor {structure}, which no layer makes")
        return tensor
    return [_tensors(value, made) for value in structure]
