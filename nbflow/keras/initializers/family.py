"""Initializers by name, configuration or value."""

import numpy as np

from nbflow.keras.initializers import constants, draws
from nbflow.keras.initializers.initializer import Initializer
from nbflow.keras.settings import floatx
from nbflow.objects.lookup import Family, by_names
from nbflow.public import cast, export
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import to_tensor

_CLASSES = (
    Initializer,
    constants.Zeros,
    constants.Ones,
    constants.Constant,
    constants.Identity,
    constants.STFT,
    draws.RandomNormal,
    draws.RandomUniform,
    draws.TruncatedNormal,
    draws.VarianceScaling,
    draws.GlorotNormal,
    draws.GlorotUniform,
    draws.HeNormal,
    draws.HeUniform,
    draws.LecunNormal,
    draws.LecunUniform,
    draws.Orthogonal,
)
_ALIASES = {
    "zero": constants.Zeros,
    "one": constants.Ones,
    "IdentityInitializer": constants.Identity,
    "STFTInitializer": constants.STFT,
    "normal": draws.RandomNormal,
    "uniform": draws.RandomUniform,
    "OrthogonalInitializer": draws.Orthogonal,
}
_FAMILY = Family("initializer", "keras.initializers", by_names(_CLASSES, _ALIASES))

serialize = export("keras.initializers.serialize")(_FAMILY.serialize)
deserialize = export("keras.initializers.deserialize")(_FAMILY.deserialize)


@export("keras.initializers.get")
def get(identifier):
    """An initializer (tf.keras.initializers.get).

    Args:
        identifier: None, a name such as "he_normal", a configuration, a class, a function of shape and dtype, or a
            tensor or array: the values themselves.

    Raises:
        ValueError: there is no such initializer.
    """
    if not isinstance(identifier, (TensorProtocol, np.ndarray, np.generic)):
        return _FAMILY.get(identifier)

    def values(shape, dtype=None):
        if tuple(shape) != tuple(identifier.shape):
            raise ValueError(
                f"Expected `shape` to be {tuple(identifier.shape)} for direct tensor as initializer. "
                f"Received shape={shape}"
            )
        return cast(to_tensor(identifier), dtype or floatx())

    return values
