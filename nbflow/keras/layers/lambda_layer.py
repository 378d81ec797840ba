"""Lambda: a function as a layer."""

import inspect

import optree

from nbflow.keras.layers.calls import is_shape
from nbflow.keras.layers.configured import Configured
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.public import export


@export("keras.layers.Lambda")
class Lambda(Configured):
    """A function of tensors as a layer (tf.keras.layers.Lambda).

    Args:
        function: a function of the inputs, and of `mask` and `training` if it has arguments of these names.
        output_shape: the result's shape without the batch axis, or a function of the input's shape.
        mask: the mask of the result, or a function of (inputs, mask) that gives it.
        arguments: further keyword arguments for function.
        kwargs: those of Layer.

    A lambda cannot be loaded from a file, as code from files is never run: save a function with a name, registered with
    keras.saving.register_keras_serializable.

    Example:
        >>> import nbflow as nf
        >>> nf.keras.layers.Lambda(lambda x: x**2)(nf.constant([[1.0, 3.0]])).numpy()
        array([[1., 9.]], dtype=float32)
    """

    def __init__(self, function, output_shape=None, mask=None, arguments=None, **kwargs):
        super().__init__(**kwargs)
        self.function, self.mask, self.arguments = function, mask, arguments or {}
        self._output_shape = output_shape
        self.supports_masking = mask is not None
        takes = inspect.getfullargspec(function).args
        self._passed = [name for name in ("mask", "training") if name in takes]

    def call(self, inputs, mask=None, training=None):
        """function(inputs)."""
        own = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{name: own[name] for name in self._passed})

    def compute_mask(self, inputs, mask=None):
        """The mask of the result."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape):
        """The shape that was given, or that tracing the function finds."""
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        batch = optree.tree_leaves(input_shape, none_is_leaf=True)[0]
        return optree.tree_map(lambda shape: (batch, *shape), self._output_shape, is_leaf=is_shape)

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        config = {**super().get_config(), "function": serialize_keras_object(self.function)}
        for name, value in (("output_shape", self._output_shape), ("mask", self.mask)):
            if value is not None:
                config[name] = serialize_keras_object(value) if callable(value) or name == "mask" else value
        return {**config, "arguments": serialize_keras_object(self.arguments)}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None, safe_mode=None):
        """The layer of a configuration.

        Raises:
            ValueError: it holds a lambda.
        """
        config = {
            name: deserialize_keras_object(value, custom_objects)
            if name in ("function", "output_shape", "mask", "arguments")
            else value
            for name, value in config.items()
        }
        if isinstance(config.get("output_shape"), list):
            config["output_shape"] = tuple(config["output_shape"])
        return cls(**config)
