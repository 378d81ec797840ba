"""Activations as layers."""

from nbflow.keras import activations
from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.input_spec import InputSpec
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.shapes import normalize_axes


@export("keras.layers.Activation")
class Activation(Configured):
    """A function of keras.activations, or any other, as a layer (tf.keras.layers.Activation).

    Args:
        activation: a function of a tensor, or its name.
        kwargs: those of Layer.
    """

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self._keep(locals())

    def call(self, inputs):
        """activation(inputs)."""
        return self.activation(inputs)


@export("keras.layers.ReLU")
class ReLU(Configured):
    """x above threshold, at most max_value; negative_slope · (x - threshold) below (tf.keras.layers.ReLU).

    Args:
        max_value: a number, None for no bound.
        negative_slope, threshold: numbers.
        kwargs: those of Layer.

    Raises:
        ValueError: one of them is negative.
    """

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0:
            raise ValueError(f"max_value of a ReLU layer cannot be a negative value. Received: max_value={max_value}")
        for name, value in (("negative_slope", negative_slope), ("threshold", threshold)):
            if value is None or value < 0:
                raise ValueError(f"{name} of a ReLU layer cannot be None or a negative value. Received: {name}={value}")
        self._keep({k: v for k, v in locals().items() if k not in ("name", "value")})

    def call(self, inputs):
        """relu(inputs)."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


@export("keras.layers.LeakyReLU")
class LeakyReLU(Configured):
    """x above 0, negative_slope · x below (tf.keras.layers.LeakyReLU).

    Args:
        negative_slope: a number.
        kwargs: those of Layer; alpha is an older name of negative_slope.

    Raises:
        ValueError: negative_slope is negative.
    """

    def __init__(self, negative_slope=0.3, **kwargs):
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(
                f"The negative_slope value of a Leaky ReLU layer cannot be None or negative value. Expected a float. "
                f"Received: negative_slope={negative_slope}"
            )
        self._keep(locals())

    def call(self, inputs):
        """leaky_relu(inputs)."""
        return activations.leaky_relu(inputs, self.negative_slope)


@export("keras.layers.PReLU")
class PReLU(Configured):
    """x above 0, α · x below, with a weight α of the shape of an example (tf.keras.layers.PReLU).

    Args:
        shared_axes: axes along which all elements have the same α, such as [1, 2] for images.
        Others: see nbflow/keras/layers/configured.py; the weight is "alpha".
    """

    def __init__(
        self, alpha_initializer="Zeros", alpha_regularizer=None, alpha_constraint=None, shared_axes=None, **kwargs
    ):
        super().__init__(**kwargs)
        if shared_axes is not None:
            shared_axes = list(shared_axes) if isinstance(shared_axes, (list, tuple)) else [shared_axes]
        self._keep(locals())

    def build(self, input_shape) -> None:
        """Makes alpha."""
        shared = self.shared_axes or ()
        if not set(shared) <= set(range(1, len(input_shape))):
            raise ValueError(
                f"PReLU: shared_axes is {shared}; it takes axes of inputs of shape {input_shape}, from 1 on"
            )
        self.alpha = self._weight("alpha", [1 if k in shared else n for k, n in enumerate(input_shape) if k])
        axes = {k: n for k, n in enumerate(input_shape) if shared and k and k not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)

    def call(self, inputs):
        """relu(inputs) - alpha relu(-inputs)."""
        return TABLE["relu"](inputs) - self.alpha * TABLE["relu"](-inputs)


@export("keras.layers.ELU")
class ELU(Configured):
    """x above 0, alpha (eˣ - 1) below (tf.keras.layers.ELU).

    Args:
        alpha: a number.
        kwargs: those of Layer.
    """

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self._keep(locals())

    def call(self, inputs):
        """elu(inputs)."""
        return activations.elu(inputs, self.alpha)


@export("keras.layers.ThresholdedReLU")
class ThresholdedReLU(Configured):
    """x above theta, 0 elsewhere (tf.keras.layers.ThresholdedReLU).

    Args:
        theta: a number, 0 or more.
        kwargs: those of Layer.

    Raises:
        ValueError: theta is negative.
    """

    def __init__(self, theta=1.0, **kwargs):
        super().__init__(**kwargs)
        if theta is None or theta < 0:
            raise ValueError(f"Theta of a Thresholded ReLU layer cannot be None, expecting a float. Received: {theta}")
        theta = float(theta)
        self._keep(locals())

    def call(self, inputs):
        """inputs where they are above theta."""
        return TABLE["select"](inputs > self.theta, inputs, zero(inputs))


@export("keras.layers.Softmax")
class Softmax(Configured):
    """eˣ / Σ eˣ along an axis, of what a mask leaves (tf.keras.layers.Softmax).

    Args:
        axis: an axis, or several.
        kwargs: those of Layer.

    Example:
        >>> import nbflow as nf
        >>> x, mask = nf.constant([[2.0, 2.0, 7.0]]), nf.constant([[True, True, False]])
        >>> nf.keras.layers.Softmax()(x, mask=mask).numpy()
        array([[0.5, 0.5, 0. ]], dtype=float32)
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self._keep(locals())

    def call(self, inputs, mask=None):
        """The shares of e^inputs.

        Args:
            mask: booleans that broadcast with inputs: the result is 0 where they are False.
        """
        if mask is None:
            return self._softmax(inputs)
        sizes = list(zip(reversed(mask.shape), reversed(inputs.shape), strict=False))
        if mask.ndim > inputs.ndim or any(m not in (1, None, n) and n is not None for m, n in sizes):
            raise ValueError(
                f"The `mask` must be broadcastable to `inputs`: each of its dimensions must be 1 or match that of "
                f"inputs, and it must not have more dimensions. Received: inputs.shape={tuple(inputs.shape)}, "
                f"mask.shape={tuple(mask.shape)}"
            )
        kept = mask if mask.dtype.name == "bool" else mask > 0.5
        return TABLE["select"](kept, self._softmax(TABLE["select"](kept, inputs, lowest(inputs))), zero(inputs))

    def _softmax(self, x):
        axes = self.axis if isinstance(self.axis, (list, tuple)) else [self.axis]
        if len(axes) == 1:
            return activations.softmax(x, axis=axes[0])
        axes = normalize_axes("Softmax", axes, x.ndim)
        return TABLE["exp"](x - TABLE["reduce_logsumexp"](x, axis=axes, keepdims=True))


def lowest(x):
    """A scalar of x's dtype that stands for -∞ in a softmax, as TensorFlow's."""
    return TABLE["fill_like"](x, shape=(), value=-3e4 if x.dtype.name == "float16" else -1e9)


def zero(x):
    """A scalar 0 of x's dtype."""
    return TABLE["fill_like"](x, shape=(), value=0)


@export("keras.layers.Identity")
class Identity(Configured):
    """The inputs as they are (tf.keras.layers.Identity)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._keep(locals())

    def call(self, inputs):
        """inputs."""
        return inputs
