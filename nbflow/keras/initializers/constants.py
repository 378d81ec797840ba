"""Initializers without chance."""

from nbflow.arrays.creation import eye
from nbflow.dtypes import as_dtype
from nbflow.keras.initializers.initializer import Initializer
from nbflow.keras.settings import floatx
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, shape_argument
from nbflow.tensor.tensor import to_tensor


def _filled(value, shape, dtype):
    tensor = cast(to_tensor(value), dtype or floatx())
    return TABLE["broadcast_to"](tensor, shape=shape_argument("initializer", shape))


@export("keras.initializers.Zeros", "keras.initializers.zeros")
class Zeros(Initializer):
    """Zeros (tf.keras.initializers.Zeros)."""

    def __call__(self, shape, dtype=None):
        return _filled(0, shape, dtype)


@export("keras.initializers.Ones", "keras.initializers.ones")
class Ones(Initializer):
    """Ones (tf.keras.initializers.Ones)."""

    def __call__(self, shape, dtype=None):
        return _filled(1, shape, dtype)


@export("keras.initializers.Constant", "keras.initializers.constant")
class Constant(Initializer):
    """One value everywhere (tf.keras.initializers.Constant).

    Args:
        value: a number, or an array that broadcasts to the shape.
    """

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        return _filled(self.value, shape, dtype)

    def get_config(self) -> dict:
        return {"value": serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict):
        return cls(deserialize_keras_object(config.get("value", 0.0)))


@export("keras.initializers.Identity", "keras.initializers.identity", "keras.initializers.IdentityInitializer")
class Identity(Initializer):
    """The identity matrix times `gain` (tf.keras.initializers.Identity).

    Raises:
        ValueError: the shape is no matrix's.
    """

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) != 2:
            raise ValueError(
                f"Identity matrix initializer can only be used for 2D matrices. Received: shape={shape} of rank "
                f"{len(shape)}."
            )
        return eye(*shape, dtype=as_dtype(dtype or floatx())) * self.gain

    def get_config(self) -> dict:
        return {} if self.gain == 1 else {"gain": self.gain}  # Keras' is always empty
