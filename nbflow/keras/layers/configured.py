"""What layers with options share: the constructor's arguments become attributes, and the configuration.

Arguments that many layers have:
    <weight>_initializer: what gives the weight's first value, see keras.initializers.
    <weight>_regularizer: a function of the weight whose result adds to the loss, see keras.regularizers.
    <weight>_constraint: a function that the weight is put through after each update, see keras.constraints.
    activation: a function of the result, or its name, see keras.activations; None for none.
    activity_regularizer: a function of the output whose result adds to the loss.
    kwargs: name, dtype, trainable and the others of Layer.
"""

from typing import TYPE_CHECKING, Any

from nbflow.keras import activations, constraints, initializers, regularizers
from nbflow.keras.layers.layer import Layer
from nbflow.keras.variable import Variable

_FAMILIES = {
    "activation": activations,
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}
_NOT_OFFERED = ("lora_rank", "lora_alpha", "quantization_config")
_NOT_KEPT = ("self", "kwargs", "__class__", "activity_regularizer", "lora_rank", "lora_alpha")


def _family(name: str) -> Any:
    """The family that an argument such as "kernel_initializer" is of, None for others."""
    return _FAMILIES.get(name.rpartition("_")[2])


def _place(name: str) -> str:
    """The attribute that keeps an argument."""
    return "_output_shape" if name == "output_shape" else name


class Configured(Layer):
    """A layer that keeps its constructor's arguments as attributes, from which get_config makes its configuration."""

    if TYPE_CHECKING:  # the arguments that were kept

        def __getattr__(self, name: str) -> Any: ...

    _options: tuple[str, ...] = ()
    _always: tuple[str, ...] = ()  # what configurations say even where it is None, though Layer keeps it

    def _keep(self, arguments: dict[str, Any], masking: bool = True) -> None:
        """Keeps the constructor's arguments; names and configurations become initializers, activations and so on.

        Args:
            arguments: `locals()`, first thing after the base's constructor was called.
            masking: whether a mask of the inputs is handed on.

        Raises:
            NotImplementedError: low-rank adaptation or quantization is asked for.
        """
        names = [name for name in arguments if name not in _NOT_KEPT]
        asked = [name for name in _NOT_OFFERED if arguments.get(name) is not None]
        if asked:
            raise NotImplementedError(f"{type(self).__name__}: {asked[0]} is not supported; leave it None")
        self._options = (*self._options, *names)
        for name in names:
            family = _family(name)
            setattr(self, _place(name), arguments[name] if family is None else family.get(arguments[name]))
        self.supports_masking |= masking
        self.built = masking and type(self).build is Layer.build  # without weights there is nothing to build

    def _weight(self, name: str, shape, **kwargs) -> Variable:
        """A weight whose initializer, regularizer and constraint are the arguments that begin with its name."""
        for what in ("initializer", "regularizer", "constraint"):
            kwargs.setdefault(what, getattr(self, f"{name}_{what}", None))
        return self.add_weight(shape=shape, name=name, **kwargs)

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        config = dict.fromkeys(self._always) | super().get_config()
        for name in self._options:
            family, value = _family(name), getattr(self, _place(name))
            config[name] = value if family is None or value is None else family.serialize(value)
        return config
