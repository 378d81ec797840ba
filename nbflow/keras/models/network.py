"""The steps between the inputs and the outputs of a model, in the order in which they run and are listed."""

from typing import Any

import optree

from nbflow.keras.layers.calls import mask_of
from nbflow.keras.layers.layer import Layer
from nbflow.keras.symbolic import KerasTensor, Operation, OpStep, Step, step_of
from nbflow.public import export
from nbflow.shapes import Dim
from nbflow.tensor.tensor import to_tensor


class Network:
    """What lies between KerasTensors.

    Args:
        inputs, outputs: nested structures of KerasTensors.

    Attributes:
        steps: all of them, those that others need first.
        operations: the layers and ops, in Keras' order, which is that of weights: by their distance from the outputs.
        depths: {step: the distance from the outputs}.

    Raises:
        ValueError: an output does not come from the inputs.
    """

    def __init__(self, inputs, outputs):
        self.inputs = optree.tree_leaves(inputs, none_is_leaf=True)
        self.outputs = optree.tree_leaves(outputs, none_is_leaf=True)
        order, indices = _found(self.inputs, self.outputs)
        depths: dict[Step, int] = {}
        by_operation: dict[Operation, int] = {}
        for step in reversed(order):
            depth = max(depths.setdefault(step, 0), by_operation.get(step.operation, 0))
            depths[step] = by_operation[step.operation] = depth
            if not _begins(step, self.inputs):
                for parent in step.parents:
                    depths[parent] = max(depth + 1, depths.get(parent, 0))
        for tensor in self.inputs:
            step = step_of(tensor)
            if step.operation not in by_operation:
                by_operation[step.operation], indices[step.operation], depths[step] = 0, -1, 0
        self.depths = depths
        self.steps = [step for step in order if not _begins(step, self.inputs)]
        self.operations = sorted(by_operation, key=lambda o: (-by_operation[o], indices[o]))

    def run(self, values: list, call=None) -> list:
        """The outputs for values of the inputs; layers are called, ops applied.

        Args:
            values: a tensor (or None, where that is allowed) for each input.
            call: a function of (layer, args, kwargs) to call in place of layers.
        """
        known: dict[int, Any] = {id(t): v for t, v in zip(self.inputs, values, strict=True)}
        sizes: dict[str, Any] = {}
        for tensor, value in zip(self.inputs, values, strict=True):
            _note_sizes(tensor, value, sizes)
        for step in self.steps:
            args, kwargs = step.filled(known)
            if isinstance(step.operation, OpStep):
                results = step.operation.run(step, args, kwargs, sizes)
            elif call is None:
                results = step.operation(*args, **kwargs)
            else:
                results = call(step.operation, args, kwargs)
            for tensor, result in zip(step.outputs, optree.tree_leaves(results, none_is_leaf=True), strict=False):
                known[id(tensor)] = result
                _note_sizes(tensor, result, sizes)
        return [known[id(t)] if t.source is None else to_tensor(t.source) for t in self.outputs]

    def masks(self, values: list) -> list:
        """The masks of the outputs."""
        return [mask_of(v) for v in self.run(values)]


def _note_sizes(tensor: KerasTensor, value, sizes: dict) -> None:
    """Notes what the open sizes of a tensor are in this call."""
    if tensor._aval.symbolic and value is not None:
        for size, actual in zip(tensor._aval.shape, value.nbflow_shape, strict=True):
            if isinstance(size, Dim) and not size.op:
                sizes.setdefault(size.name, actual)


def _begins(step: Step, inputs: list) -> bool:
    """Whether the results of a step are inputs of the model."""
    return step.is_input or any(t is i for t in step.outputs for i in inputs)


def _found(inputs: list, outputs: list) -> tuple[list[Step], dict[Operation, int]]:
    """The steps that outputs need, those needed first in front, and in which order their operations were met."""
    indices: dict[Operation, int] = {}
    order: dict[Step, None] = {}
    begun: set[Step] = set()
    stack: list[tuple[Step, bool]] = []
    for output in outputs:
        if output.source is None:
            stack.append((step_of(output), False))
        while stack:
            step, done = stack.pop()
            if done:
                order[step] = None
                continue
            if step in begun:
                continue
            begun.add(step)
            indices.setdefault(step.operation, len(indices))
            stack.append((step, True))
            if step.is_input and not any(t is i for t in step.outputs for i in inputs):
                raise ValueError(
                    f"`inputs` not connected to `outputs`: the outputs need '{step.operation.name}', which is not "
                    f"among the model's inputs {[t.name for t in inputs]}"
                )
            if not _begins(step, inputs):
                stack.extend((parent, False) for parent in reversed(step.parents))
    return list(order), indices


def layers_of(operations: list[Operation]) -> list[Layer]:
    """The layers among operations."""
    return [o for o in operations if isinstance(o, Layer)]


@export("keras.utils.get_source_inputs")
def get_source_inputs(tensor) -> list:
    """The inputs that a KerasTensor comes from (tf.keras.utils.get_source_inputs)."""
    found: dict[int, KerasTensor] = {}
    seen: set[Step] = set()
    stack = [tensor]
    while stack:
        made = stack.pop()
        if made.source is not None or made._keras_history is None:
            continue
        step = step_of(made)
        if step.is_input:
            found.setdefault(id(made), made)
        elif step not in seen:
            seen.add(step)
            stack.extend(reversed(step.inputs))
    return list(found.values())
