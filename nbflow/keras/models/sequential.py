"""Sequential: layers one after another."""

from nbflow.compiler.graph import aval
from nbflow.dtypes import as_dtype
from nbflow.keras.layers.calls import is_shape
from nbflow.keras.layers.input_layer import InputLayer
from nbflow.keras.layers.lambda_layer import Lambda
from nbflow.keras.layers.layer import Layer
from nbflow.keras.models.functional import Functional
from nbflow.keras.models.model import Model
from nbflow.keras.symbolic import KerasTensor, symbolic, with_dims
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.public import export


@export("keras.Sequential", "keras.models.Sequential")
class Sequential(Model):
    """A model of layers, each of which takes what the one before gives (tf.keras.Sequential).

    It is built when its first layer is an Input (or says its input_shape), on its first call, or by build(input_shape).

    Args:
        layers: the layers; functions become Lambda layers.
        trainable: whether its weights are trained.
        name: a name.

    Example:
        >>> import nbflow as nf
        >>> model = nf.keras.Sequential([nf.keras.Input((3,)), nf.keras.layers.Dense(2)])
        >>> model.output_shape
        (None, 2)
    """

    layers_in_files = "first"

    def __init__(self, layers=None, trainable=True, name=None):
        super().__init__(trainable=trainable, name=name)
        self._layers: list[Layer] = []
        self._functional: Functional | None = None
        for layer in layers or []:
            self.add(layer, rebuild=False)
        self._rebuild()

    def add(self, layer, rebuild=True) -> None:
        """Appends a layer.

        Raises:
            ValueError: layer is no layer, an Input in the middle, or has a name that is there already.
        """
        if isinstance(layer, KerasTensor):
            layer = layer._keras_history.operation
        if not isinstance(layer, Layer):
            if not callable(layer):
                raise ValueError(
                    f"Only instances of `keras.Layer` can be added to a Sequential model. Received: {layer!r:.200} (of "
                    f"type {type(layer)})"
                )
            layer = Lambda(layer)
        if any(layer is other or layer.name == other.name for other in self._layers):
            raise ValueError(
                f"All layers added to a Sequential model should have unique names. Name '{layer.name}' is already the "
                f"name of a layer in this model. Update the `name` argument to pass a unique name."
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(
                f"Sequential model '{self.name}' has already been configured to use input shape or begins with another "
                f"layer. You cannot add a different Input layer to it."
            )
        if not self._layers and hasattr(layer, "_input_shape_arg"):
            self._layers.append(InputLayer(batch_shape=layer._input_shape_arg, dtype=layer.input_dtype))
        self._layers.append(layer)
        if rebuild:
            self._rebuild()

    def pop(self, rebuild=True) -> Layer:
        """Removes the last layer and returns it."""
        layer = self._layers.pop()
        self.built, self._functional = False, None
        if rebuild:
            self._rebuild()
        return layer

    def _rebuild(self) -> None:
        self.built, self._functional = False, None
        if len(self._layers) > 1 and isinstance(self._layers[0], InputLayer):
            self.build(self._layers[0].batch_shape)
        elif len(self._layers) == 1 and isinstance(self._layers[0], Functional):
            self.build(self._layers[0].input_shape)

    def build(self, input_shape=None) -> None:
        """Makes all weights for inputs of a shape, the batch axis included."""
        if not self._layers:
            raise ValueError(f"Sequential model {self.name} cannot be built because it has no layers. Call add(layer).")
        first = self._layers[0]
        if isinstance(first, InputLayer):
            x = inputs = first.output
        elif is_shape(input_shape):
            dtype = first.input_dtype
            self._layers.insert(0, InputLayer(batch_shape=tuple(input_shape), dtype=dtype))
            x = inputs = self._layers[0].output
        else:
            return  # structures of tensors are taken as they come
        for layer in self._layers:
            if not isinstance(layer, InputLayer):
                x = layer(x)
        self._functional = Functional(inputs, x, name=self.name)
        self.built = True

    @property
    def layers(self) -> list[Layer]:
        """The layers without the Input."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    def _children(self) -> list[Layer]:
        return list(self._layers)

    def __call__(self, *args, **kwargs):
        """Calls the layers one after another."""
        if self._functional is not None and args:
            args = (self._functional._standardized(args[0]), *args[1:])
        return super().__call__(*args, **kwargs)

    def call(self, inputs, training=None, mask=None):
        """Calls the layers one after another."""
        if self._functional is not None:
            return self._functional.call(inputs, training=training, mask=mask)
        x = inputs
        for layer in self.layers:
            x = layer(x)
        return x

    _convert_inputs = True

    @property
    def input_shape(self):
        """The shape of the input."""
        return self._defined("input_shape")

    @property
    def output_shape(self):
        """The shape of the output."""
        return self._defined("output_shape")

    @property
    def inputs(self) -> list:
        """The KerasTensor that it begins with, in a list."""
        return self._defined("inputs")

    @property
    def outputs(self) -> list:
        """The KerasTensor that it ends with, in a list."""
        return self._defined("outputs")

    @property
    def input(self):
        """The KerasTensor that it begins with."""
        return self._defined("input")

    @property
    def output(self):
        """The KerasTensor that it ends with."""
        return self._defined("output")

    @property
    def input_names(self) -> list[str]:
        """The name of the input, in a list."""
        return self._defined("input_names")

    def _defined(self, what: str):
        if self._functional is None:
            raise AttributeError(
                f"Sequential model '{self.name}' has no defined {what} yet: it is built on its first call, by "
                f"build(input_shape), or by an Input as its first layer."
            )
        return getattr(self._functional, what)

    def compute_output_shape(self, input_shape):
        """The shape of the outputs for inputs of a shape."""
        x = symbolic(aval(as_dtype(self.layers[0].input_dtype), with_dims(tuple(input_shape))))
        for layer in self.layers:
            x = layer.compute_output_spec(x)
        return x.shape

    def get_config(self) -> dict:
        """The layers' configurations."""
        config = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "layers": [serialize_keras_object(layer) for layer in self._layers],
        }
        if self._functional is not None:
            config["build_input_shape"] = self._functional.input_shape
        return config

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """The model of a configuration."""
        model = cls(name=config.get("name"))
        for layer in config["layers"]:
            model.add(deserialize_keras_object(layer, custom_objects), rebuild=False)
        model._rebuild()
        if model._functional is None and is_shape(config.get("build_input_shape")) and config["build_input_shape"]:
            model.build(tuple(config["build_input_shape"]))
        if not config.get("trainable", True):
            model.trainable = False
        return model
