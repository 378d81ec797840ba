"""Pooling: the greatest or the mean of windows, of all of space, or of a given number of parts of it.

Arguments that they share are those of nbflow/keras/layers/windows.py; strides are pool_size by default.
"""

from nbflow.arrays.joining import concat
from nbflow.dtypes import bool_
from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.input_spec import InputSpec
from nbflow.keras.layers.windows import Windowed, for_ranks, numbers
from nbflow.keras.settings import data_format_of
from nbflow.nn.windows import over_batch
from nbflow.ops.elementwise import where
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.tensor.tensor import to_tensor

_KINDS = {"max": ("reduce_max", "max_pool", {}), "mean": ("reduce_mean", "avg_pool", {"total": False})}


class Pooling(Windowed):
    """Base of pooling over windows."""

    _kind = "max"

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        strides = pool_size if strides is None else strides
        self._keep({key: value for key, value in locals().items() if key != "name"})
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs):
        """The greatest or the mean of each window."""
        _, op, attrs = _KINDS[self._kind]
        attrs = {"window": self.pool_size, "strides": self.strides, "padding": self.padding.upper(), **attrs}
        ones = (1,) * self.rank
        return over_batch(inputs, self.rank, self._first, lambda x: TABLE[op](x, dilations=ones, **attrs))


class MeanPooling(Pooling):
    """Base of means of windows; what lies outside the input does not count."""

    _kind = "mean"

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class GlobalPooling(Windowed):
    """Base of pooling over all of space.

    Args:
        keepdims: whether spatial axes stay, with size 1.
    """

    _kind = "max"

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self._keep(locals())
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(2, self.rank + 2) if self._first else range(1, self.rank + 1))

    def call(self, inputs):
        """The greatest or the mean over space."""
        return TABLE[_KINDS[self._kind][0]](inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalMeanPooling(GlobalPooling):
    """Base of means over all of space."""

    _kind = "mean"


class AdaptivePooling(Configured):
    """Base of pooling over a given number of parts: part i of n is from ⌊i size / n⌋ to ⌈(i + 1) size / n⌉.

    Args:
        output_size: how many parts, a number or one for each spatial axis.
        data_format: as of nbflow/keras/layers/windows.py.
    """

    rank = 0
    _kind = "max"

    def __init__(self, output_size, data_format=None, **kwargs):
        super().__init__(**kwargs)
        output_size, data_format = numbers(output_size, self.rank, "output_size"), data_format_of(data_format)
        self._keep(locals(), masking=False)

    def call(self, inputs):
        """The greatest or the mean of each part."""
        reduce = TABLE[_KINDS[self._kind][0]]
        for k, parts in enumerate(self.output_size):
            axis = k + (2 if self.data_format == "channels_first" else 1)
            size, before = inputs.shape[axis], (slice(None),) * axis
            if size is None:
                raise ValueError("Input spatial dimensions must be statically known for adaptive pooling")
            ends = [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]
            inputs = concat([reduce(inputs[(*before, slice(*e))], axis=(axis,), keepdims=True) for e in ends], axis)
        return inputs


class AdaptiveMeanPooling(AdaptivePooling):
    """Base of means of parts."""

    _kind = "mean"


MaxPooling1D, MaxPooling2D, MaxPooling3D = for_ranks(
    Pooling, "The greatest of each window, for {}", "MaxPooling", "MaxPool"
)
AveragePooling1D, AveragePooling2D, AveragePooling3D = for_ranks(
    MeanPooling, "The mean of each window, for {}", "AveragePooling", "AvgPool"
)
GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D = for_ranks(
    GlobalPooling, "The greatest of each channel, for {}", "GlobalMaxPooling", "GlobalMaxPool"
)
GlobalAveragePooling2D, GlobalAveragePooling3D = for_ranks(
    GlobalMeanPooling, "The mean of each channel, for {}", "GlobalAveragePooling", "GlobalAvgPool", ranks=(2, 3)
)
AdaptiveMaxPooling1D, AdaptiveMaxPooling2D, AdaptiveMaxPooling3D = for_ranks(
    AdaptivePooling, "The greatest of each part, for {}", "AdaptiveMaxPooling"
)
AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveAveragePooling3D = for_ranks(
    AdaptiveMeanPooling, "The mean of each part, for {}", "AdaptiveAveragePooling"
)


@export("keras.layers.GlobalAveragePooling1D", "keras.layers.GlobalAvgPool1D")
class GlobalAveragePooling1D(GlobalMeanPooling):
    """The mean over the steps of sequences, of those that a mask names (tf.keras.layers.GlobalAveragePooling1D).

    Args: as of GlobalPooling. The call takes `mask`, [batch, steps].
    """

    rank = 1

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        """The mean over the steps."""
        if mask is None:
            return super().call(inputs)
        kept = TABLE["reshape"](cast(to_tensor(mask), bool_), shape=self._with_channels(mask))
        counted = cast(kept, inputs.dtype)
        total, count = (
            TABLE["reduce_sum"](x, axis=self._axes, keepdims=self.keepdims)
            for x in (where(kept, inputs, TABLE["zeros_like"](inputs)), counted)
        )
        return total / count

    def _with_channels(self, mask) -> tuple:
        """The shape of a mask with an axis of size 1 for the channels."""
        batch, steps = mask.nbflow_shape
        return (batch, 1, steps) if self._first else (batch, steps, 1)

    def compute_mask(self, inputs, previous_mask):
        """None: there are no steps left."""
        return
