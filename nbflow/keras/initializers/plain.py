"""TensorFlow's own initializers, such as tf.zeros_initializer. With an int as `seed` each call gives the same numbers.

Without a seed they draw from nf.random's stream, which nf.random.set_seed starts anew. dtype is float32 by default.
"""

from nbflow.arrays.creation import constant
from nbflow.dtypes import as_dtype
from nbflow.keras.initializers.constants import Ones, Zeros
from nbflow.keras.initializers.initializer import Initializer
from nbflow.public import export
from nbflow.random import stateful, stateless


@export("zeros_initializer")
class ZerosInitializer(Zeros):
    """Zeros (tf.zeros_initializer)."""

    def __call__(self, shape, dtype="float32", **kwargs):
        return super().__call__(shape, dtype)


@export("ones_initializer")
class OnesInitializer(Ones):
    """Ones (tf.ones_initializer)."""

    def __call__(self, shape, dtype="float32", **kwargs):
        return super().__call__(shape, dtype)


@export("constant_initializer")
class ConstantInitializer(Initializer):
    """One value, or as many as the shape takes (tf.constant_initializer)."""

    def __init__(self, value=0, support_partition=False):
        self.value = value

    def __call__(self, shape, dtype=None, **kwargs):
        return constant(self.value, dtype, shape)

    def get_config(self) -> dict:
        return {"value": self.value}


@export("random_uniform_initializer")
class RandomUniformInitializer(Initializer):
    """Numbers in [minval, maxval) (tf.random_uniform_initializer)."""

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape, dtype="float32", **kwargs):
        if self.seed is None:
            return stateful.uniform(shape, self.minval, self.maxval, dtype)
        return stateless.stateless_uniform(shape, (self.seed, 0), self.minval, self.maxval, dtype)

    def get_config(self) -> dict:
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


@export("random_normal_initializer")
class RandomNormalInitializer(Initializer):
    """Normal numbers of a mean and a standard deviation (tf.random_normal_initializer).

    Raises:
        ValueError: dtype is not floating point.

    Example:
        >>> import nbflow as nf
        >>> w = nf.Variable(nf.random_normal_initializer()(shape=(3, 2), dtype="float32"))
        >>> w.shape
        TensorShape([3, 2])
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape, dtype="float32", **kwargs):
        if not as_dtype(dtype).is_floating:
            raise ValueError(f"Argument `dtype` is expected to be floating point. Received: {as_dtype(dtype).name}.")
        if self.seed is None:
            return stateful.normal(shape, self.mean, self.stddev, dtype)
        return stateless.stateless_normal(shape, (self.seed, 0), self.mean, self.stddev, dtype)

    def get_config(self) -> dict:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}
