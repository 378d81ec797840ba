"""Layers from layers: Wrapper, the base of layers around a layer, and layers from configurations."""

from nbflow.keras.layers.layer import Layer
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.public import export


@export("keras.layers.Wrapper")
class Wrapper(Layer):
    """A layer around another (tf.keras.layers.Wrapper); subclasses call self.layer.

    Args:
        layer: the layer.
        kwargs: those of Layer.

    Raises:
        ValueError: layer is none.
    """

    def __init__(self, layer, **kwargs):
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Layer {layer!r:.200} supplied to Wrapper isn't a supported layer type. Please ensure wrapped layer "
                f"is a valid Keras layer."
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape=None) -> None:
        """Builds the layer."""
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        return {**super().get_config(), "layer": serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """The layer of a configuration."""
        config = dict(config)
        return cls(deserialize_keras_object(config.pop("layer"), custom_objects), **config)


@export("keras.layers.serialize")
def serialize(layer) -> dict:
    """The configuration of a layer, from which deserialize makes it again."""
    return serialize_keras_object(layer)


@export("keras.layers.deserialize")
def deserialize(config, custom_objects=None):
    """The layer of a configuration.

    Raises:
        ValueError: it is that of something else.
    """
    if isinstance(config, dict) and "module" not in config:
        config = {"module": "keras.layers", **config}
    made = deserialize_keras_object(config, custom_objects)
    if not isinstance(made, Layer):
        raise ValueError(
            f"keras.layers.deserialize: the configuration is not that of a layer. Received: {config!r:.200}"
        )
    return made
