"""Layers that scale their inputs by means and norms.

What most of them share:

Args:
    axis: the axis of the channels, or the axes.
    epsilon: a small number that keeps quotients finite.
    center, scale: whether there are weights "beta", which is added, and "gamma", which multiplies.
    <weight>_initializer, <weight>_regularizer, <weight>_constraint, kwargs: see nbflow/keras/layers/configured.py.

Halves are computed in float32.
"""

from typing import Any

from nbflow.dtypes import float32
from nbflow.keras import initializers
from nbflow.keras.layers.activation_layers import zero
from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.input_spec import InputSpec
from nbflow.keras.layers.wrapper import Wrapper
from nbflow.keras.settings import epsilon as default_epsilon
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.shapes import normalize_axes


def _mean(x, axes: tuple):
    return TABLE["reduce_mean"](x, axis=axes, keepdims=True)


def _moments(x, axes: tuple):
    """Mean and variance over axes, which stay with size 1."""
    mean = _mean(x, axes)
    return mean, _mean(TABLE["squared_difference"](x, TABLE["stop_gradient"](mean)), axes)


def _wide(x):
    """x, integers and halves as float32."""
    return x if x.dtype.is_floating and x.dtype.np.itemsize >= 4 else cast(x, float32)


def _scaled(x, mean, variance, epsilon, gamma, beta):
    """gamma (x - mean) / √(variance + epsilon) + beta, with one product and one sum an element."""
    factor = TABLE["rsqrt"](variance + epsilon)
    factor = factor if gamma is None else factor * gamma
    return x * factor + (-mean * factor if beta is None else beta - mean * factor)


def unit_vectors(x, axes: tuple[int, ...], epsilon: float | None = None):
    """x divided by its norm over axes, which counts as epsilon at least."""
    total = TABLE["reduce_sum"](TABLE["square"](x), axis=axes, keepdims=True)
    return x * TABLE["minimum"](TABLE["rsqrt"](total), 1.0 / (epsilon or default_epsilon()))


class Affine(Configured):
    """Base of layers with a factor gamma and a summand beta for each channel."""

    axis: Any
    groups: int

    def _make(self, shape: tuple, **kwargs) -> None:
        self.gamma = self._weight("gamma", shape, autocast=False, **kwargs) if self.scale else None
        self.beta = self._weight("beta", shape, autocast=False, **kwargs) if self.center else None

    def _as(self, x, shape: tuple, *weights) -> list:
        """Weights, and None, in x's dtype and a shape that broadcasts with x."""
        return [None if w is None else TABLE["reshape"](cast(w.nbflow_tensor(), x.dtype), shape=shape) for w in weights]


@export("keras.layers.BatchNormalization")
class BatchNormalization(Affine):
    """gamma (x - m) / √(v + epsilon) + beta (tf.keras.layers.BatchNormalization).

    In training m and v are mean and variance of the batch, over all axes but `axis`, and the weights "moving_mean" and
    "moving_variance" move towards them: moving ← momentum · moving + (1 - momentum) · batch's. In inference, and where
    trainable is False, m and v are these weights. The weights in order: gamma, beta, moving_mean, moving_variance.

    Ioffe, S. and Szegedy, C. (2015). Batch normalization: accelerating deep network training.

    Args:
        momentum: how slowly the moving statistics follow.
        renorm: whether training corrects the batch's statistics by the weights "renorm_mean" and "renorm_stddev", which
            follow with renorm_momentum: r = σ / σ_renorm and d = (m - m_renorm) / σ_renorm, x̂ r + d (Ioffe, 2017).
        renorm_clipping: bounds of these, a dict with some of "rmin", "rmax" and "dmax".
        synchronized: accepted as Keras'; there is one replica.

    Call arguments:
        mask: booleans of the shape of inputs without the last axis: statistics are those of the steps where it is True.

    Example:
        >>> import nbflow as nf
        >>> layer = nf.keras.layers.BatchNormalization(momentum=0.5)
        >>> layer(nf.constant([[1.0], [3.0]]), training=True).numpy().round(2).tolist()
        [[-1.0], [1.0]]
        >>> layer.moving_mean.numpy()
        array([1.], dtype=float32)
    """

    def __init__(
        self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
        gamma_initializer="ones", moving_mean_initializer="zeros", moving_variance_initializer="ones",
        beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, renorm=False,
        renorm_clipping=None, renorm_momentum=0.99, synchronized=False, **kwargs
    ):  # fmt: skip
        super().__init__(**kwargs)
        axis, momentum, epsilon = int(axis), float(momentum), float(epsilon)
        renorm_clipping = _limits(renorm_clipping) if renorm else renorm_clipping
        self._keep(locals())

    def build(self, input_shape) -> None:
        """Makes the weights."""
        shape = (input_shape[self.axis],)
        self._make(shape)
        kept = {"trainable": False, "autocast": False}
        self.moving_mean = self._weight("moving_mean", shape, **kept)
        self.moving_variance = self._weight("moving_variance", shape, **kept)
        if self.renorm:

            def root(shape, dtype=None):
                return TABLE["sqrt"](self.moving_variance_initializer(shape, dtype=dtype))

            self.moving_stddev = self._weight("moving_stddev", shape, initializer=root, **kept)
            mean = self.moving_mean_initializer
            self.renorm_mean = self._weight("renorm_mean", shape, initializer=mean, **kept)
            self.renorm_stddev = self._weight("renorm_stddev", shape, initializer=root, **kept)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: shape[0]})

    def call(self, inputs, training=None, mask=None):
        """The normalized inputs."""
        if mask is not None and mask.ndim != inputs.ndim - 1:
            raise ValueError(
                f"The mask provided should be one dimension less than the inputs. Received: mask.shape="
                f"{tuple(mask.shape)}, inputs.shape={tuple(inputs.shape)}"
            )
        x, axis = _wide(inputs), self.axis % inputs.ndim
        shape = tuple(n if k == axis else 1 for k, n in enumerate(x.nbflow_shape))
        gamma, beta = self._as(x, shape, self.gamma, self.beta)
        if training and self.trainable:
            over = tuple(k for k in range(x.ndim) if k != axis)
            mean, variance = _moments(x, over) if mask is None else _masked_moments(x, over, mask)
            if self.renorm:
                gamma, beta = self._corrected(x, shape, mean, variance, gamma, beta)
            else:
                self._follow(self.momentum, (self.moving_mean, mean), (self.moving_variance, variance))
        else:
            mean, variance = self._as(x, shape, self.moving_mean, self.moving_variance)
        return cast(_scaled(x, mean, variance, self.epsilon, gamma, beta), self.compute_dtype)

    def _follow(self, momentum: float, *pairs) -> None:
        """Moves weights towards values."""
        for weight, value in pairs:
            value = TABLE["reshape"](value, shape=tuple(weight.shape))
            moved = cast(weight.nbflow_tensor(), value.dtype) * momentum + value * (1.0 - momentum)
            weight.assign(cast(moved, weight.dtype))

    def _corrected(self, x, shape, mean, variance, gamma, beta) -> tuple:
        """gamma and beta that bring the batch's statistics to those of training so far, which move on."""
        stddev = TABLE["sqrt"](variance + self.epsilon)
        past_mean, past = self._as(x, shape, self.renorm_mean, self.renorm_stddev)
        past = TABLE["maximum"](past, self.epsilon**0.5)
        rmin, rmax, dmax = (self.renorm_clipping.get(name) for name in ("rmin", "rmax", "dmax"))
        r, d = stddev / past, (mean - past_mean) / past
        r = r if rmin is None else TABLE["maximum"](r, rmin)
        r = r if rmax is None else TABLE["minimum"](r, rmax)
        d = d if dmax is None else TABLE["minimum"](TABLE["maximum"](d, -dmax), dmax)
        r, d = TABLE["stop_gradient"](r), TABLE["stop_gradient"](d)
        self._follow(self.renorm_momentum, (self.renorm_mean, mean), (self.renorm_stddev, stddev))
        self._follow(self.momentum, (self.moving_mean, mean), (self.moving_stddev, stddev))
        moving = self.moving_stddev.nbflow_tensor()
        self.moving_variance.assign(TABLE["relu"](moving * moving - self.epsilon))
        shift = d if gamma is None else d * gamma
        return r if gamma is None else r * gamma, shift if beta is None else shift + beta


def _limits(clipping: dict | None) -> dict:
    """A renorm_clipping argument.

    Raises:
        ValueError: it holds other names, or bounds that no number keeps.
    """
    limits = clipping or {}
    low, high = limits.get("rmin"), limits.get("rmax")
    crossed = low is not None and high is not None and high < low
    if set(limits) - {"rmax", "rmin", "dmax"} or crossed or (limits.get("dmax") or 0) < 0:
        raise ValueError(
            f"BatchNormalization: `renorm_clipping` takes numbers for rmax, rmin up to it, and dmax, 0 or more. "
            f"Received: renorm_clipping={clipping}"
        )
    return limits


def _masked_moments(x, axes: tuple, mask):
    """Mean and variance over axes of the steps where the mask is True."""
    kept = TABLE["reshape"](cast(mask, "bool"), shape=(*mask.nbflow_shape, 1))
    kept = TABLE["broadcast_to"](kept, shape=tuple(x.nbflow_shape))

    def mean_of(y):
        return TABLE["reduce_sum"](TABLE["select"](kept, y, zero(y)), axis=axes, keepdims=True) / count

    count = TABLE["reduce_sum"](cast(kept, x.dtype), axis=axes, keepdims=True) + default_epsilon()
    mean = mean_of(x)
    return mean, mean_of(TABLE["square"](x - mean))


@export("keras.layers.LayerNormalization")
class LayerNormalization(Affine):
    """gamma (x - m) / √(v + epsilon) + beta, m and v being each example's over `axis`.

    (tf.keras.layers.LayerNormalization)

    Ba, J. L., Kiros, J. R. and Hinton, G. E. (2016). Layer normalization.

    Args:
        kwargs: rms_scaling=True leaves out m and beta, as Keras does though it is deprecated there; those of Layer.

    Example:
        >>> import nbflow as nf
        >>> nf.keras.layers.LayerNormalization()(nf.constant([[1.0, 3.0], [5.0, 5.0]])).numpy().round(2)
        array([[-1.,  1.],
               [ 0.,  0.]], dtype=float32)
    """

    def __init__(
        self, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros", gamma_initializer="ones",
        beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, **kwargs
    ):  # fmt: skip
        rms_scaling = kwargs.pop("rms_scaling", False)
        super().__init__(**kwargs)
        axis = _int_or_list(axis)
        self._keep(locals())
        self.autocast = False

    def build(self, input_shape) -> None:
        """Makes gamma and beta."""
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        shape = tuple(input_shape[axis] for axis in self.axis)
        self.gamma = self._weight("gamma", shape, autocast=False) if self.scale or self.rms_scaling else None
        self.beta = self._weight("beta", shape, autocast=False) if self.center and not self.rms_scaling else None

    def call(self, inputs):
        """The normalized inputs."""
        x = _wide(inputs)
        axes = tuple(axis % x.ndim for axis in self.axis)
        shape = tuple(n if k in axes else 1 for k, n in enumerate(x.nbflow_shape))
        gamma, beta = self._as(x, shape, self.gamma, self.beta)
        mean, variance = _moments(x, axes)
        if self.rms_scaling:
            x = x * TABLE["rsqrt"](variance + self.epsilon) * gamma
        else:
            x = _scaled(x, mean, variance, self.epsilon, gamma, beta)
        return cast(cast(x, inputs.dtype), self.compute_dtype)


def _int_or_list(axis):
    """An axis argument as an int or a list.

    Raises:
        TypeError: it is neither.
    """
    if not isinstance(axis, (int, list, tuple)):
        raise TypeError(f"Expected an int or a list/tuple of ints for the argument 'axis', but received: {axis!r}")
    return axis if isinstance(axis, int) else list(axis)


@export("keras.layers.GroupNormalization")
class GroupNormalization(Affine):
    """LayerNormalization of groups of channels (tf.keras.layers.GroupNormalization).

    Wu, Y. and He, K. (2018). Group normalization.

    Args:
        groups: their number, which divides that of the channels; -1 for a group a channel.

    Raises:
        ValueError: groups is not positive, or does not divide the number of channels.
    """

    def __init__(
        self, groups=32, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
        gamma_initializer="ones", beta_regularizer=None, gamma_regularizer=None, beta_constraint=None,
        gamma_constraint=None, **kwargs
    ):  # fmt: skip
        if not isinstance(groups, int) or (groups <= 0 and groups != -1):
            raise ValueError(
                f"Received an invalid value for argument `groups`, expected a positive integer (or `-1` for instance "
                f"normalization). Received: groups={groups}"
            )
        super().__init__(**kwargs)
        self._keep(locals())
        self.autocast = False

    def build(self, input_shape) -> None:
        """Makes gamma and beta."""
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(
                f"Axis {self.axis} of input tensor should have a defined dimension but the layer received an input "
                f"with shape {input_shape}."
            )
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ValueError(f"Number of groups ({self.groups}) must divide the number of channels ({channels}).")
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self._make((channels,))

    def call(self, inputs):
        """The normalized inputs."""
        axis, sizes = self.axis % inputs.ndim, tuple(inputs.nbflow_shape)
        parts = (self.groups, sizes[axis] // self.groups)
        x = TABLE["reshape"](_wide(inputs), shape=(*sizes[:axis], *parts, *sizes[axis + 1 :]))
        shape = (*(1,) * axis, *parts, *(1,) * (len(sizes) - axis - 1))
        gamma, beta = self._as(x, shape, self.gamma, self.beta)
        mean, variance = _moments(x, tuple(k for k in range(1, x.ndim) if k != axis))
        x = _scaled(x, mean, variance, self.epsilon, gamma, beta)
        return cast(cast(TABLE["reshape"](x, shape=sizes), inputs.dtype), self.compute_dtype)


@export("keras.layers.RMSNormalization")
class RMSNormalization(Configured):
    """scale x / √(mean of x² + epsilon), the mean being over `axis` (tf.keras.layers.RMSNormalization).

    The weight is "scale".

    Zhang, B. and Sennrich, R. (2019). Root mean square layer normalization.
    """

    axis: Any

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self._keep(locals(), masking=False)

    def build(self, input_shape) -> None:
        """Makes scale."""
        self.axis = sorted(self.axis) if isinstance(self.axis, (list, tuple)) else [self.axis]
        self.scale = self.add_weight(tuple(input_shape[axis] for axis in self.axis), "ones", name="scale")

    def call(self, x):
        """The normalized inputs."""
        y = _wide(x)
        axes = tuple(axis % x.ndim for axis in self.axis)
        shape = tuple(n if k in axes else 1 for k, n in enumerate(x.nbflow_shape))
        factor = TABLE["rsqrt"](_mean(TABLE["square"](y), axes) + self.epsilon)
        scale = TABLE["reshape"](cast(self.scale.nbflow_tensor(), y.dtype), shape=shape)
        return cast(y * factor * scale, x.dtype)


@export("keras.layers.UnitNormalization")
class UnitNormalization(Configured):
    """x divided by its norm over `axis` (tf.keras.layers.UnitNormalization).

    Example:
        >>> import nbflow as nf
        >>> nf.keras.layers.UnitNormalization()(nf.constant([[3.0, 4.0]])).numpy()
        array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        axis = _int_or_list(axis)
        self._keep(locals())

    def call(self, inputs):
        """The unit vectors."""
        return unit_vectors(inputs, normalize_axes("UnitNormalization", self.axis, inputs.ndim), 1e-12)


@export("keras.layers.SpectralNormalization")
class SpectralNormalization(Wrapper):
    """A layer whose kernel is divided by its greatest singular value at each training call.

    (tf.keras.layers.SpectralNormalization)

    The value is estimated by the power method, which goes on from call to call with the weight "vector_u".

    Miyato, T. et al. (2018). Spectral normalization for generative adversarial networks.

    Args:
        layer: a layer with a weight "kernel" or "embeddings".
        power_iterations: how many steps of the method a call makes.
        kwargs: those of Layer.

    Raises:
        ValueError: power_iterations is not positive, or the layer has no such weight.
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                f"`power_iterations` should be greater than zero. Received: `power_iterations={power_iterations}`"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape=None) -> None:
        """Builds the layer and makes vector_u."""
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        kernel = getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))
        if kernel is None:
            raise ValueError(f"{type(self.layer).__name__} object has no attribute 'kernel' nor 'embeddings'")
        self.kernel = kernel
        self.vector_u = self.add_weight(
            (1, kernel.shape[-1]),
            initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            name="vector_u",
            dtype=kernel.dtype,
        )

    def call(self, inputs, training=False):
        """The layer's result."""
        if training:
            self._normalize()
        output = self.layer(inputs)
        return cast(output, inputs.dtype) if inputs.dtype.is_floating else output

    def _normalize(self) -> None:
        """Divides the kernel by its norm, unless it is zero."""
        kernel, first = self.kernel.nbflow_tensor(), self.vector_u.nbflow_tensor()
        columns = self.kernel.shape[-1]
        weights = TABLE["reshape"](kernel, shape=(self.kernel.shape.num_elements() // columns, columns))
        turned, u = TABLE["transpose"](weights, perm=(1, 0)), first
        for _ in range(self.power_iterations):
            v = unit_vectors(u @ turned, (0, 1))
            u = unit_vectors(v @ weights, (0, 1))
        sigma = v @ weights @ TABLE["transpose"](u, perm=(1, 0))
        is_zero = TABLE["reduce_all"](kernel == 0, axis=tuple(range(kernel.ndim)), keepdims=False)
        self.vector_u.assign(cast(TABLE["select"](is_zero, first, u), self.vector_u.dtype))
        divided = kernel / TABLE["reshape"](sigma, shape=())
        self.kernel.assign(cast(TABLE["select"](is_zero, kernel, divided), self.kernel.dtype))

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        return {**super().get_config(), "power_iterations": self.power_iterations}
