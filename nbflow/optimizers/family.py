"""Optimizers by name and by configuration."""

from nbflow.objects.lookup import Family
from nbflow.optimizers.adafactor import Adafactor
from nbflow.optimizers.adam import Adam, Adamax, AdamW, Lamb, Nadam
from nbflow.optimizers.adaptive import Adadelta, Adagrad, RMSprop
from nbflow.optimizers.ftrl import Ftrl
from nbflow.optimizers.loss_scale import LossScaleOptimizer
from nbflow.optimizers.optimizer import Optimizer
from nbflow.optimizers.sgd import SGD, Lion
from nbflow.public import export

_CLASSES = (
    *(SGD, Lion, Adam, AdamW, Adamax, Nadam, Lamb, Adagrad, Adadelta, RMSprop, Ftrl, Adafactor),
    *(LossScaleOptimizer, Optimizer),
)
_family = Family("optimizer", "keras.optimizers", {cls.__name__.lower(): cls for cls in _CLASSES})


@export("keras.optimizers.get")
def get(identifier):
    """An optimizer (tf.keras.optimizers.get).

    Args:
        identifier: a name such as "adam", in capitals or not, a configuration, an optimizer, or None.

    Raises:
        ValueError: it is nothing of that kind.

    Example:
        >>> import nbflow as nf
        >>> nf.keras.optimizers.get("SGD").get_config()["momentum"]
        0.0
    """
    found = identifier if isinstance(identifier, type) else _family.get(identifier)
    if found is not None and not isinstance(found, Optimizer):
        raise ValueError(f"Could not interpret optimizer identifier: {identifier!r:.200}")
    return found


@export("keras.optimizers.serialize")
def serialize(optimizer) -> dict:
    """The configuration of an optimizer, from which deserialize makes it again."""
    return _family.serialize(optimizer)


@export("keras.optimizers.deserialize")
def deserialize(config, custom_objects=None) -> Optimizer:
    """An optimizer from its configuration."""
    return _family.deserialize(config, custom_objects)
