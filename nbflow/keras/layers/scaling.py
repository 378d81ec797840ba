"""Layers that shift and scale numbers: Normalization and Rescaling."""

import math

import numpy as np

from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.layer import Layer
from nbflow.keras.settings import data_format_of, epsilon
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import to_tensor


@export("keras.layers.Rescaling")
class Rescaling(Configured):
    """inputs · scale + offset (tf.keras.layers.Rescaling), such as of 0 … 255 to 0 … 1 with a scale of 1/255.

    Args:
        scale, offset: numbers, or a list of one for each channel.
        kwargs: those of Layer.

    Example:
        >>> import nbflow as nf
        >>> nf.keras.layers.Rescaling(1 / 127.5, offset=-1)(nf.constant([0.0, 255.0])).numpy()
        array([-1.,  1.], dtype=float32)
    """

    _takes_values = True

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self._keep(locals())

    def call(self, inputs):
        """The scaled inputs, in the dtype that the layer computes in."""
        dtype = self.compute_dtype
        scale, offset = (cast(to_tensor(v), dtype) for v in (self.scale, self.offset))
        if scale.ndim and data_format_of(None) == "channels_first":
            scale = TABLE["reshape"](scale, shape=(*scale.shape, *(1,) * (3 - scale.ndim)))
        return cast(to_tensor(inputs), dtype) * scale + offset

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        return super().get_config() | {k: serialize_keras_object(getattr(self, k)) for k in ("scale", "offset")}

    @classmethod
    def from_config(cls, config: dict):
        """The layer of a configuration."""
        return cls(**config | {k: deserialize_keras_object(config[k]) for k in ("scale", "offset") if k in config})


@export("keras.layers.Normalization")
class Normalization(Layer):
    """(inputs - mean) / sqrt(variance) (tf.keras.layers.Normalization).

    Args:
        axis: the axes whose elements have a mean each, None for one mean of everything.
        mean, variance: both, or by default what adapt finds; scalars, or of the sizes of those axes.
        invert: whether inputs · sqrt(variance) + mean is computed instead.
        kwargs: those of Layer.

    Raises:
        ValueError: only one of mean and variance is given, or they do not fit axis.

    Example:
        >>> import nbflow as nf
        >>> layer = nf.keras.layers.Normalization()
        >>> layer.adapt(nf.constant([[0.0], [2.0], [4.0]]))
        >>> layer(nf.constant([[2.0]])).numpy()
        array([[0.]], dtype=float32)
    """

    _takes_values = True

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean, self.input_variance, self.invert = mean, variance, invert
        self.supports_masking = True
        if (mean is not None) != (variance is not None):
            raise ValueError(
                f"When setting values directly, both `mean` and `variance` must be set. Received: mean={mean} and "
                f"variance={variance}"
            )
        if mean is not None and np.shape(mean) != np.shape(variance):
            raise ValueError(
                f"When setting values directly, `mean` and `variance` must have the same shape. Received: mean shape "
                f"{np.shape(mean)} and variance shape {np.shape(variance)}"
            )
        if mean is not None and np.ndim(mean) > len(self.axis):
            raise ValueError(
                f"The rank of `mean` must be less than or equal to the number of axes ({len(self.axis)}). Received: "
                f"mean shape {np.shape(mean)} for axis {self.axis}"
            )

    def build(self, input_shape) -> None:
        """Makes mean, variance and count, unless the first two were given."""
        ndim = len(input_shape)
        if any(a < -ndim or a >= ndim for a in self.axis):
            raise ValueError(
                f"All `axis` values must be in the range [-ndim, ndim). Received inputs with ndim={ndim}, while "
                f"axis={self.axis}"
            )
        self._kept = tuple(sorted(a % ndim for a in self.axis))
        for axis in self._kept:
            if input_shape[axis] is None:
                raise ValueError(
                    f"All `axis` values to be kept must have a known shape. Received axis={self.axis}, "
                    f"inputs.shape={input_shape}, with unknown axis at index {axis}"
                )
        self._reduced = tuple(d for d in range(ndim) if d not in self._kept)
        self._broadcast_shape = tuple(input_shape[d] if d in self._kept else 1 for d in range(ndim))
        if self.input_mean is None:
            shape = tuple(input_shape[d] for d in self._kept)
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", "int32", trainable=False, name="count")

    @property
    def mean(self):
        """The mean, which broadcasts with the inputs; None before the layer is built."""
        return self._value("mean")

    @property
    def variance(self):
        """The variance, which broadcasts with the inputs; None before the layer is built."""
        return self._value("variance")

    def _value(self, name: str):
        if not self.built:
            return None
        given = getattr(self, f"input_{name}")
        if given is None:
            value = TABLE["reshape"](getattr(self, f"adapt_{name}").nbflow_tensor(), shape=self._broadcast_shape)
            return cast(value, self.compute_dtype)
        array = np.asarray(given, np.float32)
        shape = [1] * len(self._broadcast_shape)
        for k, size in enumerate(reversed(array.shape), 1):
            shape[self._kept[-k]] = size
        return cast(to_tensor(np.broadcast_to(array.reshape(shape), self._broadcast_shape)), self.compute_dtype)

    def adapt(self, data) -> None:
        """Sets mean and variance to those of data.

        Args:
            data: an array or tensor, or an iterable of batches, of which tuples count with their first element.

        Raises:
            ValueError: there are no batches, or they do not have the shape that the layer was built for.
            TypeError: data is something else.
        """
        if isinstance(data, (np.ndarray, TensorProtocol)):
            stream = iter([data])
        elif hasattr(data, "__iter__"):
            stream = iter(data)
        else:
            raise TypeError(
                f"Unsupported data type: {type(data)}. `adapt` supports arrays, tensors, PyDatasets and iterables of "
                f"batches (e.g. list, generator)."
            )
        mean, variance, total = np.zeros(()), np.zeros(()), 0
        for batch in stream:
            batch = batch[0] if isinstance(batch, tuple) else batch
            if not hasattr(batch, "shape"):
                raise TypeError(
                    f"adapt() expects an iterable that yields arrays or tensors with a `.shape` attribute. Got an "
                    f"element of type {type(batch).__name__}."
                )
            self._check(tuple(batch.shape))
            array = np.asarray(batch, np.float64)
            count = math.prod(array.shape[d] for d in self._reduced)
            total += count
            share = count / total
            its_mean, its_variance = array.mean(self._reduced), array.var(self._reduced)
            both = mean * (1 - share) + its_mean * share
            variance = (variance + (mean - both) ** 2) * (1 - share) + (its_variance + (its_mean - both) ** 2) * share
            mean = both
        if not total:
            raise ValueError(
                "adapt() received an empty iterable (no batches). Expected at least one batch. Pass a non-empty "
                "iterable of arrays or tensors, e.g. layer.adapt([x]) or layer.adapt(list_of_batches)."
            )
        self.adapt_mean.assign(mean.astype(np.float32))
        self.adapt_variance.assign(variance.astype(np.float32))

    def _check(self, shape: tuple) -> None:
        if not self.built:
            self.build(shape)
        if any(shape[d] != self._broadcast_shape[d] for d in self._kept):
            raise ValueError(
                f"The layer was built with input_shape={self._build_shapes}, but adapt() is being called with data "
                f"with an incompatible shape, data.shape={shape}"
            )

    def call(self, inputs):
        """The normalized inputs."""
        x = cast(to_tensor(inputs), self.compute_dtype)
        deviation = TABLE["maximum"](TABLE["sqrt"](self.variance), epsilon())
        return self.mean + x * deviation if self.invert else (x - self.mean) / deviation

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        values = {k: np.array(getattr(self, f"input_{k}")).tolist() for k in ("mean", "variance")}
        return super().get_config() | {"axis": self.axis, "invert": self.invert} | values
