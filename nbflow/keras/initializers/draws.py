"""Random initializers. What they share:

Args:
    seed: an int or None, with which an initializer gives the same numbers at each call; or a
        keras.random.SeedGenerator, with which it gives new ones.

For equal seeds the numbers are Keras' on TensorFlow, and for None too after keras.utils.set_random_seed.
"""

import math

from nbflow.keras.initializers.initializer import Initializer
from nbflow.keras.random import draws
from nbflow.keras.random.seeds import SeedGenerator, make_default_seed
from nbflow.linalg.factorizations import qr
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.ops.table import TABLE
from nbflow.public import export

_TRUNCATED = 0.87962566103423978  # the standard deviation of a standard normal within [-2, 2]


class RandomInitializer(Initializer):
    """An initializer with a seed."""

    _arguments: tuple[str, ...] = ()
    seed: int | SeedGenerator

    def __init__(self, seed=None):
        self._init_seed = seed
        if isinstance(seed, dict):
            seed = deserialize_keras_object(seed)
        elif seed is not None and not isinstance(seed, (int, SeedGenerator)):
            raise ValueError(
                f"`seed` argument should be an instance of `keras.random.SeedGenerator()` or an integer. "
                f"Received: seed={seed!r}"
            )
        self.seed = make_default_seed() if seed is None else seed

    def get_config(self) -> dict:
        return {"seed": serialize_keras_object(self._init_seed)} | {
            name: getattr(self, name) for name in self._arguments
        }


@export("keras.initializers.RandomNormal", "keras.initializers.random_normal")
class RandomNormal(RandomInitializer):
    """Normal numbers of a mean and a standard deviation (tf.keras.initializers.RandomNormal)."""

    _arguments = ("mean", "stddev")

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        return draws.normal(shape, self.mean, self.stddev, dtype, self.seed)


@export("keras.initializers.TruncatedNormal", "keras.initializers.truncated_normal")
class TruncatedNormal(RandomNormal):
    """Normal numbers within two standard deviations of the mean (tf.keras.initializers.TruncatedNormal)."""

    def __call__(self, shape, dtype=None):
        return draws.truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)


@export("keras.initializers.RandomUniform", "keras.initializers.random_uniform")
class RandomUniform(RandomInitializer):
    """Numbers in [minval, maxval) (tf.keras.initializers.RandomUniform)."""

    _arguments = ("minval", "maxval")

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        return draws.uniform(shape, self.minval, self.maxval, dtype, self.seed)


_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("uniform", "truncated_normal", "untruncated_normal")


@export("keras.initializers.VarianceScaling", "keras.initializers.variance_scaling")
class VarianceScaling(RandomInitializer):
    """Numbers of mean 0 and variance scale / n (tf.keras.initializers.VarianceScaling).

    Args:
        scale: a positive number.
        mode: what n is: the number of inputs, "fan_in", of outputs, "fan_out", or their mean, "fan_avg".
        distribution: "truncated_normal", which "normal" is too, "untruncated_normal" or "uniform": in ±√(3 scale / n).
        input_axes, output_axes: whose sizes multiply to the numbers of inputs and outputs, where they are not the last
            two axes, times all sizes before those.

    Raises:
        ValueError: an argument is none of these.
    """

    _arguments: tuple[str, ...] = ("scale", "mode", "distribution", "input_axes", "output_axes")

    def __init__(
        self,
        scale=1.0,
        mode="fan_in",
        distribution="truncated_normal",
        seed=None,
        input_axes=None,
        output_axes=None,
    ):
        distribution = distribution.lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if scale <= 0:
            raise ValueError(f"Argument `scale` must be positive float. Received: scale={scale}")
        for name, value, known in (("mode", mode, _MODES), ("distribution", distribution, _DISTRIBUTIONS)):
            if value not in known:
                raise ValueError(f"Invalid `{name}` argument: {value}. Please use one of {known}")
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return draws.uniform(shape, -limit, limit, dtype, self.seed)
        if self.distribution == "truncated_normal":
            return draws.truncated_normal(shape, 0.0, math.sqrt(variance) / _TRUNCATED, dtype, self.seed)
        return draws.normal(shape, 0.0, math.sqrt(variance), dtype, self.seed)


def compute_fans(shape, input_axes=None, output_axes=None) -> tuple[int, int]:
    """The numbers of inputs and outputs of one unit of a weight: a kernel's are those of all its positions together."""
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    positions = math.prod(shape[:-2])
    return shape[-2] * positions, shape[-1] * positions


class _Scaled(VarianceScaling):
    """VarianceScaling of one scale, mode and distribution."""

    _arguments = ("input_axes", "output_axes")
    _fixed: tuple[float, str, str]

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(*self._fixed, seed=seed, input_axes=input_axes, output_axes=output_axes)


@export("keras.initializers.GlorotUniform", "keras.initializers.glorot_uniform")
class GlorotUniform(_Scaled):
    """Numbers within ±√(6 / (fan_in + fan_out)), also called Xavier's (tf.keras.initializers.GlorotUniform).

    Glorot, X. and Bengio, Y. (2010). Understanding the difficulty of training deep feedforward neural networks.

    Example:
        >>> import nbflow as nf
        >>> nf.keras.initializers.GlorotUniform(seed=1)([2, 3]).shape
        TensorShape([2, 3])
    """

    _fixed = (1.0, "fan_avg", "uniform")


@export("keras.initializers.GlorotNormal", "keras.initializers.glorot_normal")
class GlorotNormal(_Scaled):
    """Truncated normal numbers of variance 2 / (fan_in + fan_out) (tf.keras.initializers.GlorotNormal)."""

    _fixed = (1.0, "fan_avg", "truncated_normal")


@export("keras.initializers.LecunUniform", "keras.initializers.lecun_uniform")
class LecunUniform(_Scaled):
    """Numbers within ±√(3 / fan_in) (tf.keras.initializers.LecunUniform)."""

    _fixed = (1.0, "fan_in", "uniform")


@export("keras.initializers.LecunNormal", "keras.initializers.lecun_normal")
class LecunNormal(_Scaled):
    """Truncated normal numbers of variance 1 / fan_in (tf.keras.initializers.LecunNormal)."""

    _fixed = (1.0, "fan_in", "truncated_normal")


@export("keras.initializers.HeUniform", "keras.initializers.he_uniform")
class HeUniform(_Scaled):
    """Numbers within ±√(6 / fan_in), for layers with relu (tf.keras.initializers.HeUniform)."""

    _fixed = (2.0, "fan_in", "uniform")


@export("keras.initializers.HeNormal", "keras.initializers.he_normal")
class HeNormal(_Scaled):
    """Truncated normal numbers of variance 2 / fan_in, for layers with relu (tf.keras.initializers.HeNormal)."""

    _fixed = (2.0, "fan_in", "truncated_normal")


@export("keras.initializers.Orthogonal", "keras.initializers.orthogonal", "keras.initializers.OrthogonalInitializer")
class Orthogonal(RandomInitializer):
    """A matrix of orthonormal columns or rows times `gain` (tf.keras.initializers.Orthogonal).

    It is the factor q, with the signs of r's diagonal, of a matrix of normal numbers. All axes but the last count as
    one.

    Raises:
        ValueError: the shape has fewer than two axes.
    """

    _arguments = ("gain",)

    def __init__(self, gain=1.0, seed=None):
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        if len(shape) < 2:
            raise ValueError(
                f"The tensor to initialize must be at least two-dimensional. Received: shape={shape} of rank "
                f"{len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = qr(draws.normal((max(rows, columns), min(rows, columns)), dtype=dtype, seed=self.seed))
        q = q * TABLE["sign"](TABLE["diagonal"](r, k=0))
        if rows < columns:
            q = TABLE["transpose"](q, perm=(1, 0))
        return TABLE["reshape"](q, shape=tuple(shape)) * self.gain
