"""Activations by name or configuration."""

from nbflow.keras.activations import functions
from nbflow.objects.lookup import Family
from nbflow.objects.registration import path_of
from nbflow.public import NAMES, export

_PLACE = "keras.activations."
_FAMILY = Family(
    "activation function",
    "keras.activations",
    {name.removeprefix(_PLACE): thing for name, thing in NAMES.items() if name.startswith(_PLACE)},
)

deserialize = export("keras.activations.deserialize")(_FAMILY.deserialize)


@export("keras.activations.serialize")
def serialize(activation):
    """The name of a function of keras.activations, the configuration of other activations."""
    written = _FAMILY.serialize(activation)
    return written["config"] if (path_of(activation) or "").startswith(_PLACE) else written


@export("keras.activations.get")
def get(identifier):
    """An activation (tf.keras.activations.get).

    Args:
        identifier: a name such as "relu", a configuration, a callable, or None for linear.

    Raises:
        ValueError: there is no such activation.
    """
    return functions.linear if identifier is None else _FAMILY.get(identifier)
