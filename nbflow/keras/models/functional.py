"""Functional models: made from their inputs and outputs."""

import optree

from nbflow.keras.layers.input_layer import InputLayer
from nbflow.keras.layers.layer import Layer
from nbflow.keras.models.functional_config import config_of, from_config
from nbflow.keras.models.model import Model
from nbflow.keras.models.network import Network, layers_of
from nbflow.keras.symbolic import KerasTensor, Operation, step_of
from nbflow.objects.registration import written_as
from nbflow.ops.table import TABLE
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.string_tensor import StringTensor, text_or_numbers


@written_as("keras.src.models.functional.Functional")
class Functional(Model):
    """A model from inputs to outputs (tf.keras.Model(inputs, outputs)).

    Args:
        inputs, outputs: KerasTensors in lists, tuples or dicts, nested as you like; calls take and give the same.
        name: a name.
        trainable: whether its weights are trained.

    Raises:
        ValueError: what is given are no KerasTensors, or the outputs do not come from the inputs.
    """

    layers_in_files = "first"

    def __init__(self, inputs, outputs, name=None, **kwargs):
        trainable = kwargs.pop("trainable", None)
        for what, structure in (("inputs", inputs), ("outputs", outputs)):
            for leaf in optree.tree_leaves(structure, none_is_leaf=True):
                if not isinstance(leaf, KerasTensor) or (leaf._keras_history is None and leaf.source is None):
                    raise ValueError(f"All `{what}` values must be KerasTensors. Received: {structure!r:.300}")
        super().__init__(name=name, **kwargs)
        leaves, form = optree.tree_flatten(inputs, none_is_leaf=True)
        if len({id(t) for t in leaves}) < len(leaves):
            raise ValueError(f"The same tensor occurs twice among the inputs of model '{self.name}': {inputs}")
        leaves = [t if isinstance(step_of(t).operation, InputLayer) else _fresh_input(t) for t in leaves]
        if any(a is not b for a, b in zip(leaves, optree.tree_leaves(inputs, none_is_leaf=True), strict=True)):
            outputs = _replayed(inputs, outputs, leaves)
            inputs = optree.tree_unflatten(form, leaves)
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self._network = Network(inputs, outputs)
        self._layers = layers_of(self._network.operations)
        self.input_names = [step_of(t).operation.name for t in self._network.inputs]
        self.output_names = [
            t._keras_history.operation.name if t.source is None else t.name for t in self._network.outputs
        ]
        self.built = True
        self.supports_masking = True
        self.input_spec = None
        if trainable is not None:
            self.trainable = trainable

    # --- what it is ---------------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> list:
        """The KerasTensors that it begins with."""
        return list(self._network.inputs)

    @property
    def outputs(self) -> list:
        """The KerasTensors that it ends with."""
        return list(self._network.outputs)

    @property
    def input(self):
        """The inputs as they were given."""
        return self._inputs_struct

    @property
    def output(self):
        """The outputs as they were given."""
        return self._outputs_struct

    @property
    def input_shape(self):
        """The shapes of the inputs; of a single one its shape."""
        inputs = self._network.inputs
        return inputs[0].shape if len(inputs) == 1 else optree.tree_map(lambda t: t.shape, self._inputs_struct)

    @property
    def output_shape(self):
        """The shapes of the outputs; of a single one its shape."""
        outputs = self._network.outputs
        return outputs[0].shape if len(outputs) == 1 else optree.tree_map(lambda t: t.shape, self._outputs_struct)

    @property
    def operations(self) -> list[Operation]:
        """Layers and ops, in the order in which they are listed."""
        return list(self._network.operations)

    def build(self, input_shape=None) -> None:
        """Does nothing: a functional model is built when it is made."""
        self.built = True

    def _children(self) -> list[Layer]:
        return list(dict.fromkeys([*self._layers, *super()._children()]))

    # --- calls --------------------------------------------------------------------------------------------------------

    def __call__(self, *args, **kwargs):
        """Calls the model: its inputs in the structure that it was made with, or as a list or dict by name."""
        if args:
            args = (self._standardized(args[0]), *args[1:])
        elif "inputs" in kwargs:
            kwargs["inputs"] = self._standardized(kwargs["inputs"])
        return super().__call__(*args, **kwargs)

    def call(self, inputs, training=None, mask=None):
        """Runs all layers."""
        values = self._flat(inputs)
        masks = optree.tree_leaves(mask, none_is_leaf=True) if mask is not None else []
        for value, its in zip(values, masks, strict=False):
            if its is not None and value is not None:
                value._keras_mask = its
        results = iter(self._network.run(values))
        outputs = optree.tree_map(lambda _: next(results), self._outputs_struct, none_is_leaf=True)
        return outputs[0] if isinstance(outputs, (list, tuple)) and len(outputs) == 1 else outputs

    def compute_mask(self, inputs, previous_mask):
        """The masks were attached by the layers inside."""
        return

    def _flat(self, inputs) -> list:
        """The inputs as a list in the order of the model's."""
        form = self._inputs_struct
        if isinstance(form, dict) and isinstance(inputs, dict):
            return [leaf for key in sorted(form) for leaf in optree.tree_leaves(inputs.get(key), none_is_leaf=True)]
        return optree.tree_leaves(inputs, none_is_leaf=True)

    def _standardized(self, inputs):
        """The inputs in the model's structure, dtypes and ranks.

        Raises:
            ValueError: there are more or fewer, or one has another shape.
        """
        form = self._inputs_struct
        if isinstance(inputs, dict) and not isinstance(form, dict):
            names = self.input_names
            missing = [name for name in names if name not in inputs]
            if missing:
                raise ValueError(
                    f'Missing data for input "{missing[0]}". You passed a data dictionary with keys {list(inputs)}. '
                    f"Expected the following keys: {names}"
                )
            inputs = [inputs[name] for name in names]
        elif isinstance(inputs, dict):
            missing = [key for key in form if key not in inputs and not form[key].optional]
            if missing:
                raise ValueError(
                    f'Missing data for input "{missing[0]}". You passed a data dictionary with keys {list(inputs)}. '
                    f"Expected the following keys: {list(form)}"
                )
            inputs = {key: inputs.get(key) for key in form}
        given = self._flat(inputs)
        if len(given) != len(self._network.inputs):
            if len(self._network.inputs) == 1 and _is_numbers(inputs):
                given = [inputs]
            else:
                raise ValueError(
                    f'Layer "{self.name}" expects {len(self._network.inputs)} input(s), but it received {len(given)} '
                    f"input tensors. Inputs received: {inputs!r:.300}"
                )
        ready = [self._fitted(value, tensor) for value, tensor in zip(given, self._network.inputs, strict=True)]
        return optree.tree_unflatten(optree.tree_structure(form, none_is_leaf=True), ready)

    def _fitted(self, value, tensor: KerasTensor):
        """A value for an input: a last axis of size 1 is added or dropped where that makes the ranks equal."""
        if value is None and tensor.optional:
            return None
        if value is None:
            raise ValueError(f"Model '{self.name}': the input '{tensor.name}' is None, and it is not optional")
        value = value if isinstance(value, TensorProtocol) else text_or_numbers(value)
        if isinstance(value, StringTensor) and tensor.dtype != "string":
            raise ValueError(
                f"Model '{self.name}': the input '{tensor.name}' takes numbers ({tensor.dtype.name}), and got text. "
                f"Use a StringLookup or TextVectorization layer, and an Input of dtype 'string'"
            )
        wanted, seen = tensor.shape, tuple(value.shape)
        if len(seen) == len(wanted) + 1 and seen[-1] == 1:
            value = TABLE["reshape"](value, shape=tuple(value.nbflow_shape[:-1]))
        elif len(seen) == len(wanted) - 1 and wanted[-1] == 1:
            value = TABLE["reshape"](value, shape=(*value.nbflow_shape, 1))
        seen = tuple(value.shape)
        if len(seen) != len(wanted) or any(
            a is not None and b is not None and a != b for a, b in zip(wanted[1:], seen[1:], strict=True)
        ):
            number = next(k for k, other in enumerate(self._network.inputs) if other is tensor)
            raise ValueError(
                f"Input {number} with name '{tensor.name}' of layer '{self.name}' is "
                f"incompatible with the layer: expected shape={wanted}, found shape={seen}"
            )
        if value.dtype is not tensor.dtype:
            mask = getattr(value, "_keras_mask", None)
            value = TABLE["cast"](value, dtype=tensor.dtype)
            if mask is not None:
                value._keras_mask = mask
        return value

    _convert_inputs = False

    # --- configuration ------------------------------------------------------------------------------------------------

    def get_config(self) -> dict:
        """The layers, and how each is used: Keras 3's format."""
        if type(self) is not Functional and type(self).__init__ is not Functional.__init__:
            return Layer.get_config(self)
        return config_of(self)

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """The model of a configuration."""
        if not {"layers", "input_layers", "output_layers"} <= set(config):
            return cls(**config)
        return from_config(cls, config, custom_objects)


Model.functional = Functional


def _is_numbers(inputs) -> bool:
    return not any(isinstance(leaf, TensorProtocol) for leaf in optree.tree_leaves(inputs))


def _fresh_input(tensor: KerasTensor) -> KerasTensor:
    """An Input like a tensor from within another model."""
    return InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=f"{tensor.name}").output


def _replayed(inputs, outputs, fresh: list):
    """The outputs of the same steps from fresh inputs."""
    network = Network(inputs, outputs)
    results = iter(network.run(fresh))
    return optree.tree_map(lambda _: next(results), outputs, none_is_leaf=True)
