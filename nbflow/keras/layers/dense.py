"""Dense."""

import math

from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.input_spec import InputSpec
from nbflow.ops.table import TABLE
from nbflow.public import cast, export


@export("keras.layers.Dense")
class Dense(Configured):
    """activation(x W + b), for vectors along the last axis (tf.keras.layers.Dense).

    Args:
        units: the size of the result's last axis.
        use_bias: whether there is a b.
        Others: see nbflow/keras/layers/configured.py; the weights are "kernel", W [inputs, units], and
            "bias", b [units].

    Raises:
        ValueError: units is no positive int.

    Example:
        >>> import nbflow as nf
        >>> layer = nf.keras.layers.Dense(3, activation="relu", kernel_initializer="ones")
        >>> layer(nf.constant([[1.0, 2.0], [-3.0, 0.0]])).numpy().tolist()
        [[3.0, 3.0, 3.0], [0.0, 0.0, 0.0]]
    """

    def __init__(
        self, units, activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, lora_rank=None, lora_alpha=None, quantization_config=None, **kwargs
    ):  # fmt: skip
        if not isinstance(units, int) or units <= 0:
            raise ValueError(
                f"Received an invalid value for `units`, expected a positive integer. Received: units={units}"
            )
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._keep(locals())
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape) -> None:
        """Makes kernel and bias."""
        self.kernel = self._weight("kernel", (input_shape[-1], self.units))
        self.bias = self._weight("bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_shape[-1]})

    def call(self, inputs, training=None):
        """activation(inputs W + b)."""
        x = vectors_times(inputs, self.kernel.nbflow_tensor())
        return self.activation(x if self.bias is None else x + self.bias)


def vectors_times(x, matrix):
    """The product of the vectors along x's last axis with a matrix: one product of two matrices."""
    x = cast(x, matrix.dtype)
    if x.ndim == 2:
        return x @ matrix
    shape = x.nbflow_shape
    rows = TABLE["reshape"](x, shape=(math.prod(shape[:-1]), shape[-1]))
    return TABLE["reshape"](rows @ matrix, shape=(*shape[:-1], matrix.nbflow_shape[-1]))
