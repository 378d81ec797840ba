"""Model: a layer that can be trained, evaluated, saved and summarized."""

import json

import optree

from nbflow.keras.layers.calls import is_shape
from nbflow.keras.layers.layer import Layer
from nbflow.keras.models.summary import summary_text
from nbflow.keras.saving.archive import load_weights, pickled, save_model
from nbflow.keras.saving.weights import save_weights
from nbflow.keras.settings import message
from nbflow.keras.symbolic import KerasTensor, has_symbolic
from nbflow.keras.training.trainer import Trainer
from nbflow.objects.serialization import serialize_keras_object
from nbflow.public import export
from nbflow.tensor.protocol import TensorProtocol


@export("keras.Model", "keras.models.Model")
class Model(Trainer):
    """A layer that can be trained (tf.keras.Model).

    Made in one of three ways: `Model(inputs, outputs)` from KerasTensors; `Sequential([…])`; or a subclass that makes
    layers in `__init__` and uses them in `call(inputs)`.

    Example:
        >>> import nbflow as nf
        >>> class Double(nf.keras.Model):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.dense = nf.keras.layers.Dense(2, kernel_initializer="ones")
        ...     def call(self, inputs):
        ...         return 2 * self.dense(inputs)
        >>> Double()(nf.ones([1, 3])).numpy()
        array([[6., 6.]], dtype=float32)
    """

    layers_in_files = "among attributes"  # where saving.state finds the layers
    functional: type["Model"]  # the class of models from inputs to outputs, which sets itself

    def __new__(cls, *args, **kwargs):
        if cls is Model and _of_tensors(args, kwargs):
            return super().__new__(Model.functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args, **kwargs):
        functional = Model.functional
        if _of_tensors(args, kwargs) and not isinstance(self, functional):  # a subclass that passes inputs and outputs
            self.__class__ = type(type(self).__name__, (type(self), functional), {"__module__": type(self).__module__})
            functional.__init__(self, *args, **kwargs)
            return
        super().__init__(*args, **kwargs)

    @property
    def layers(self) -> list[Layer]:
        """The layers, outermost ones only."""
        return self._children()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of a name or a position.

        Raises:
            ValueError: there is none.
        """
        if (name is None) == (index is None):
            raise ValueError("Provide either a layer name or layer index at `get_layer`.")
        layers = self.layers
        if index is not None:
            if index >= len(layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(layers)} layers."
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in layers]}.")

    def summary(
        self,
        line_length=None,
        positions=None,
        print_fn=None,
        expand_nested=False,
        show_trainable=False,
        layer_range=None,
    ) -> None:
        """Prints the layers, the shapes of their outputs and the numbers of their weights.

        Args:
            line_length: the width of the table.
            positions: accepted as Keras'; columns take the width that they need.
            print_fn: what gets the text in place of the terminal.
            expand_nested: whether the layers of inner models are listed.
            show_trainable: whether a column says what is trained.
            layer_range: the names of the first and the last layer to list.
        """
        (print_fn or message)(summary_text(self, line_length, expand_nested, show_trainable, layer_range))

    def build(self, input_shape=None) -> None:
        """Makes the weights of all layers for inputs of a shape, the batch axis included, by tracing a call.

        Args:
            input_shape: the shape, or a structure of shapes.

        Raises:
            ValueError: the call does not work for such inputs.
        """
        try:
            self._traced((optree.tree_map(KerasTensor, input_shape, is_leaf=is_shape),), {})
        except TypeError as error:
            raise ValueError(f"Model '{self.name}' cannot be built for {input_shape}: {error}") from error

    def _build_for(self, arguments: dict) -> None:
        """Its layers build themselves when `call` calls them, where it has no `build` of its own."""
        if type(self).build is not Model.build:
            super()._build_for(arguments)
        elif not self.built:
            self.built = True
            tensors = {name: value for name, value in arguments.items() if _is_tensors(value)}
            self._note_shapes({f"{k}_shape": optree.tree_map(lambda t: tuple(t.shape), v) for k, v in tensors.items()})

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """The model of a configuration, which for keras.Model is one of a functional model."""
        if cls is Model and {"layers", "input_layers", "output_layers"} <= set(config):
            return Model.functional.from_config(config, custom_objects)
        return super().from_config(config)

    def build_from_config(self, config: dict) -> None:
        """Builds it for the shapes of get_build_config; without `build` and with several inputs, a call does."""
        if type(self).build is not Model.build:
            super().build_from_config(config)
        elif not self.built and config.get("input_shape") is not None:
            self.build(config["input_shape"])

    def save(self, filepath, overwrite=True, zipped=None, **kwargs) -> None:
        """Saves the model: its configuration, weights and optimizer, in Keras' format (see keras.saving.save_model)."""
        save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def __reduce__(self):
        return pickled(self)

    def save_weights(self, filepath, overwrite=True, **kwargs) -> None:
        """Saves the weights as a .weights.h5 or .safetensors file."""
        save_weights(self, filepath, overwrite)

    def load_weights(self, filepath, skip_mismatch=False, **kwargs) -> None:
        """Loads weights of the same layers from such a file, or from a .keras file."""
        load_weights(self, filepath, skip_mismatch)

    def export(self, filepath, format="tf_saved_model", **kwargs) -> None:
        """Saved graphs, for programs without this library, are not written yet.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            f"model.export: saved graphs ({format!r}) are not supported yet. model.save('model.keras') keeps the whole "
            f"model, for this library and for Keras"
        )

    def to_json(self, **kwargs) -> str:
        """The configuration as JSON; keras.models.model_from_json makes the model again."""
        return json.dumps(serialize_keras_object(self), **kwargs)


def _is_tensors(value) -> bool:
    leaves = optree.tree_leaves(value)
    return bool(leaves) and all(isinstance(leaf, TensorProtocol) for leaf in leaves)


def _of_tensors(args: tuple, kwargs: dict) -> bool:
    """Whether arguments of Model are those of a functional model."""
    structures = [*args[:2], *(kwargs[k] for k in ("inputs", "outputs") if k in kwargs)]
    return len(structures) == 2 and all(has_symbolic(s) for s in structures)
