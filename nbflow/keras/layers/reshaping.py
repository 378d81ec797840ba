"""Layers that move elements about."""

import math

from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.input_spec import InputSpec
from nbflow.keras.settings import data_format_of
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.shapes import Dim


@export("keras.layers.Flatten")
class Flatten(Configured):
    """All axes after the first as one, [b, m, n] -> [b, m · n] (tf.keras.layers.Flatten).

    Args:
        data_format: "channels_last" or "channels_first", whose channels become the innermost.
        kwargs: those of Layer.
    """

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        data_format = data_format_of(data_format)
        self._keep(locals(), masking=False)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs):
        """inputs with two axes."""
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = TABLE["transpose"](inputs, perm=(0, *range(2, inputs.ndim), 1))
        batch, *sizes = inputs.nbflow_shape
        return TABLE["reshape"](inputs, shape=(batch, math.prod(sizes)))


@export("keras.layers.Reshape")
class Reshape(Configured):
    """Each example in another shape (tf.keras.layers.Reshape).

    Args:
        target_shape: the shape without the batch axis; one size may be -1, which follows from the others.
        kwargs: those of Layer.

    Raises:
        ValueError: the inputs have another number of elements.
    """

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        target_shape = tuple(target_shape)
        if any(not isinstance(n, int) or n < -1 for n in target_shape) or target_shape.count(-1) > 1:
            raise ValueError(
                f"Reshape: `target_shape` takes sizes, of which one may be -1. Received: target_shape={target_shape}"
            )
        self._keep(locals(), masking=False)
        self.built = True

    def call(self, inputs):
        """inputs of shape [batch, *target_shape]."""
        batch, *sizes = inputs.nbflow_shape
        size, wanted = math.prod(sizes), self.target_shape
        known = math.prod(n for n in wanted if n != -1)
        if not isinstance(size, Dim) and (size % max(known, 1) if -1 in wanted else size != known):
            raise ValueError(
                f"The total size of the tensor must be unchanged. Received: input_shape={tuple(sizes)}, "
                f"target_shape={wanted}"
            )
        return TABLE["reshape"](inputs, shape=(batch, *(size // known if n == -1 else n for n in wanted)))


@export("keras.layers.Permute")
class Permute(Configured):
    """The axes of each example in another order (tf.keras.layers.Permute).

    Args:
        dims: the axes, counted from 1, such as (2, 1) for the transpose.
        kwargs: those of Layer.

    Raises:
        ValueError: dims does not name each axis once.
    """

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        dims = tuple(dims)
        if sorted(dims) != list(range(1, len(dims) + 1)):
            raise ValueError(
                f"Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must be "
                f"consecutive and start from 1. Received dims={dims}"
            )
        self._keep(locals(), masking=False)
        self.input_spec = InputSpec(ndim=len(dims) + 1)

    def call(self, inputs):
        """The transposed inputs."""
        return TABLE["transpose"](inputs, perm=(0, *self.dims))


@export("keras.layers.RepeatVector")
class RepeatVector(Configured):
    """Each vector n times, [b, m] -> [b, n, m] (tf.keras.layers.RepeatVector).

    Args:
        n: how often.
        kwargs: those of Layer.

    Raises:
        TypeError: n is no int.
        ValueError: n is not positive.
    """

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(n, int) or isinstance(n, bool):
            raise TypeError(f"Expected an integer value for `n`, got {type(n)}.")
        if n <= 0:
            raise ValueError(f"Argument `n` should be a positive integer. Received: n={n}")
        self._keep(locals(), masking=False)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs):
        """inputs, repeated."""
        batch, size = inputs.nbflow_shape
        once = TABLE["reshape"](inputs, shape=(batch, 1, size))
        return TABLE["broadcast_to"](once, shape=(batch, self.n, size))
