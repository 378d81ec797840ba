"""Noise that acts in training only, and ActivityRegularization.

What the layers of noise share:

Args:
    rate: the share of elements that is dropped, from 0 to 1.
    seed: an int; the masks then are those of Keras.
    kwargs: those of Layer.

Raises:
    ValueError: rate is not from 0 to 1.
"""

import math

from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.input_spec import InputSpec
from nbflow.keras.random import draws
from nbflow.keras.random.seeds import SeedGenerator
from nbflow.keras.regularizers import L1L2
from nbflow.keras.settings import data_format_of
from nbflow.public import cast, export


class Noise(Configured):
    """Base of layers that change their inputs at random when they train."""

    def _keep(self, arguments, masking=True):
        super()._keep(arguments, masking)
        (name,) = self._options[:1]
        amount = getattr(self, name)
        if not 0 <= amount <= 1:
            raise ValueError(
                f"Invalid value received for argument `{name}`. Expected a float value between 0 and 1. "
                f"Received: {name}={amount}"
            )
        self._amount = amount
        if amount > 0:
            self.seed_generator = SeedGenerator(self.seed)

    def call(self, inputs, training=False):
        """inputs with noise if training, as they are if not."""
        return self._noisy(inputs) if training and self._amount > 0 else inputs

    def _noisy(self, x):
        raise NotImplementedError

    def _normal(self, x, mean: float, stddev: float):
        return draws.normal(tuple(x.nbflow_shape), mean, stddev, self.compute_dtype, self.seed_generator)


@export("keras.layers.Dropout")
class Dropout(Noise):
    """Sets a share of the elements to 0 and scales the others by 1 / (1 - rate) (tf.keras.layers.Dropout).

    Args:
        noise_shape: of the mask, which broadcasts with inputs; None in it stands for the size of inputs.

    Example:
        >>> import nbflow as nf
        >>> nf.keras.layers.Dropout(0.5, seed=1)(nf.ones((1, 6)), training=True).numpy()
        array([[2., 0., 2., 0., 0., 0.]], dtype=float32)
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        noise_shape = _noise_shape(noise_shape)
        self._keep(locals())

    def _noisy(self, x):
        return draws.dropout(x, self.rate, self._noise_shape(x), self.seed_generator)

    def _noise_shape(self, x):
        return self.noise_shape


def _noise_shape(shape):
    """A noise_shape argument as a tuple."""
    if shape is None:
        return None
    sizes = tuple(shape) if hasattr(shape, "__iter__") else (0,)
    if any(n is not None and (not isinstance(n, int) or n <= 0) for n in sizes):
        raise ValueError(
            f"Invalid value received for argument `noise_shape`. Expected a tuple or list of positive integers "
            f"or None. Received: noise_shape={shape}"
        )
    return sizes


class SpatialDropout(Dropout):
    """Base of dropouts of whole channels."""

    _ndim = 3

    def __init__(self, rate, data_format=None, seed=None, name=None, dtype=None):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=self._ndim)

    def _noise_shape(self, x):
        channels = 1 if self.data_format == "channels_first" else self._ndim - 1
        return tuple(n if axis in (0, channels) else 1 for axis, n in enumerate(x.nbflow_shape))

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        names = ("rate", "seed", "name", "dtype") + (("data_format",) if self._ndim > 3 else ())
        return {name: getattr(self, name) for name in names}


@export("keras.layers.SpatialDropout1D")
class SpatialDropout1D(SpatialDropout):
    """Dropout of whole channels of [batch, steps, channels] (tf.keras.layers.SpatialDropout1D)."""

    def __init__(self, rate, seed=None, name=None, dtype=None):
        super().__init__(rate, "channels_last", seed, name, dtype)


@export("keras.layers.SpatialDropout2D")
class SpatialDropout2D(SpatialDropout):
    """Dropout of whole channels of images (tf.keras.layers.SpatialDropout2D).

    Args:
        data_format: "channels_last", the default, or "channels_first".
    """

    _ndim = 4


@export("keras.layers.SpatialDropout3D")
class SpatialDropout3D(SpatialDropout):
    """Dropout of whole channels of volumes (tf.keras.layers.SpatialDropout3D).

    Args:
        data_format: "channels_last", the default, or "channels_first".
    """

    _ndim = 5


@export("keras.layers.GaussianDropout")
class GaussianDropout(Noise):
    """Multiplies by normal numbers of mean 1 and variance rate / (1 - rate) (tf.keras.layers.GaussianDropout)."""

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        self._keep(locals())

    def _noisy(self, x):
        return x * self._normal(x, 1.0, math.sqrt(self.rate / (1.0 - self.rate)))


_ALPHA = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946  # where selu ends on the left


@export("keras.layers.AlphaDropout")
class AlphaDropout(Noise):
    """Dropout that keeps mean and variance behind selu (tf.keras.layers.AlphaDropout).

    Dropped elements become α' = -1.7581, where selu ends; all are then scaled and moved by
    a = ((1 - rate) (1 + rate α'²))^-½ and -a α' rate.

    Args:
        noise_shape: as of Dropout.
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self._keep(locals())

    def _noisy(self, x):
        rate, sizes = self.rate, tuple(x.nbflow_shape)
        if self.noise_shape is not None:
            sizes = tuple(n if m is None else m for n, m in zip(sizes, self.noise_shape, strict=True))
        kept = cast(draws.uniform(sizes, seed=self.seed_generator) >= rate, x.dtype)
        a = ((1 - rate) * (1 + rate * _ALPHA**2)) ** -0.5
        return a * (x * kept + _ALPHA * (1 - kept)) + -a * _ALPHA * rate


@export("keras.layers.GaussianNoise")
class GaussianNoise(Noise):
    """Adds normal numbers of mean 0 (tf.keras.layers.GaussianNoise).

    Args:
        stddev: their standard deviation, from 0 to 1.
    """

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(**kwargs)
        self._keep(locals())

    def _noisy(self, x):
        return x + self._normal(x, 0.0, self.stddev)


@export("keras.layers.ActivityRegularization")
class ActivityRegularization(Configured):
    """The inputs as they are; l1 Σ|x| + l2 Σx² adds to the loss (tf.keras.layers.ActivityRegularization).

    Args:
        l1, l2: factors.
        kwargs: those of Layer.
    """

    def __init__(self, l1=0.0, l2=0.0, **kwargs):
        super().__init__(activity_regularizer=L1L2(l1=l1, l2=l2), **kwargs)
        self._keep(locals())

    def call(self, inputs):
        """inputs."""
        return inputs

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        return {name: value for name, value in super().get_config().items() if name != "activity_regularizer"}
