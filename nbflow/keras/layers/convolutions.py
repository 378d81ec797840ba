"""Convolutions: Conv1D to Conv3D, their transposes, and those that keep channels apart.

Arguments that they share, beside those of nbflow/keras/layers/windows.py and configured.py:
    filters: how many channels the result has.
    use_bias: whether a bias, one number for each channel of the result, is added.
    activation: what is applied to the result.

Weights: "kernel" and, with use_bias, "bias".
"""

from nbflow.keras.layers.input_spec import InputSpec
from nbflow.keras.layers.windows import Windowed, for_ranks, numbers
from nbflow.nn.windows import over_batch
from nbflow.ops.table import TABLE
from nbflow.public import export


class Convolution(Windowed):
    """What convolutions share."""

    _always = ("activity_regularizer",)

    def _keep(self, arguments, masking=False):
        super()._keep(arguments, masking)
        self.padding = self.padding.lower()
        self.input_spec = InputSpec(min_ndim=self.rank + 2)

    def _checked(self, input_shape) -> None:
        """Raises ValueError where windows do not fit into the input."""
        spatial = input_shape[2:] if self._first else input_shape[-self.rank - 1 : -1]
        reach = [(k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True)]
        if self.padding == "valid" and any(n is not None and n < k for n, k in zip(spatial, reach, strict=True)):
            raise ValueError(
                f"{type(self).__name__}: computed output size would be negative: windows of {tuple(reach)} in an input "
                f"of shape {tuple(input_shape)}"
            )

    def _not_both(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: "
                f"strides={self.strides} and dilation_rate={self.dilation_rate}"
            )

    def _convolved(self, x, kernel):
        """x, [batch, *spatial, channels], convolved with a kernel as strides, padding and dilations say."""
        padding = self.padding.upper()
        if padding == "CAUSAL":
            padding = (((self.kernel_size[0] - 1) * self.dilation_rate[0], 0),)
        return TABLE["convolution"](x, kernel, strides=self.strides, padding=padding, dilations=self.dilation_rate)

    def _computed(self, x):
        """The result without the bias, for channels at the end."""
        return self._convolved(x, self.kernel.nbflow_tensor())

    def call(self, inputs):
        """The convolution of the inputs, with bias and activation."""

        def result(x):
            y = self._computed(x)
            return y if self.bias is None else y + self.bias

        return self.activation(over_batch(inputs, self.rank, self._first, result))


class Conv(Convolution):
    """Base of Conv1D, Conv2D and Conv3D: Σ input[s·y + d·i, c] kernel[i, c, k] + bias[k].

    Args:
        groups: into how many groups channels fall; each has its share of the filters.

    Raises:
        ValueError: channels or filters do not fall into so many groups, or the input is smaller than the window.

    Example:
        >>> import nbflow as nf
        >>> layer = nf.keras.layers.Conv2D(2, 3, padding="same", activation="relu")
        >>> layer(nf.ones((1, 8, 8, 3))).shape
        TensorShape([1, 8, 8, 2])
    """

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, groups=1,
        activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._keep(locals())
        self._not_both()
        if filters is not None and filters % groups:
            raise ValueError(
                f"The number of filters must be evenly divisible by the number of groups. Received: groups={groups}, "
                f"filters={filters}."
            )

    def build(self, input_shape) -> None:
        """Makes kernel, [*kernel_size, channels / groups, filters], and bias."""
        channels = self._channels_of(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"The number of input channels must be evenly divisible by the number of groups. Received "
                f"groups={self.groups}, but the input has {channels} channels (full input shape is {input_shape})."
            )
        self._checked(input_shape)
        self.kernel = self._weight("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self.bias = self._weight("bias", (self.filters,)) if self.use_bias else None


@export("keras.layers.Conv1D", "keras.layers.Convolution1D")
class Conv1D(Conv):
    """The convolution of sequences, [batch, steps, channels] (tf.keras.layers.Conv1D).

    Args: as of Conv; padding may also be "causal": a result sees nothing later than itself.
    """

    rank = 1
    _paddings = ("valid", "same", "causal")


Conv2D, Conv3D = for_ranks(Conv, "The convolution of {}", "Conv", "Convolution", ranks=(2, 3))


# --- transposes -------------------------------------------------------------------------------------------------------


class ConvTranspose(Convolution):
    """Base of transposed convolutions: what the gradient of a convolution is for its input.

    A size n becomes n · stride, or with "valid" (n - 1) · stride + max(window, stride).

    Args:
        output_padding: how many elements are added at the end of each axis, below strides; by default as many as the
            sizes above say.
    """

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1,
        activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if output_padding is not None:
            output_padding = numbers(output_padding, self.rank, "output_padding", 0)
        self._keep(locals())
        self._not_both()
        if output_padding is not None and any(n >= s for n, s in zip(output_padding, self.strides, strict=True)):
            raise ValueError(
                f"`output_padding` must be strictly less than `strides` for all dimensions. Received: "
                f"output_padding={output_padding}, strides={self.strides}"
            )

    def build(self, input_shape) -> None:
        """Makes kernel, [*kernel_size, filters, channels], and bias."""
        self.kernel = self._weight("kernel", (*self.kernel_size, self.filters, self._channels_of(input_shape)))
        self.bias = self._weight("bias", (self.filters,)) if self.use_bias else None

    def _size(self, axis: int, n):
        """The size of the result along an axis along which the input has size n."""
        stride, reach = self.strides[axis], (self.kernel_size[axis] - 1) * self.dilation_rate[axis] + 1
        added = None if self.output_padding is None else self.output_padding[axis]
        if self.padding == "valid":
            return (n - 1) * stride + (max(reach, stride) if added is None else reach + added)
        return n * stride if added is None else (n - 1) * stride + reach % 2 + added

    def _computed(self, x):
        return TABLE["convolution_input_gradient"](
            self.kernel.nbflow_tensor(),
            x,
            size=(*(self._size(axis, n) for axis, n in enumerate(x.nbflow_shape[1:-1])), self.filters),
            strides=self.strides,
            padding=self.padding.upper(),
            dilations=self.dilation_rate,
        )


Conv1DTranspose, Conv2DTranspose, Conv3DTranspose = for_ranks(
    ConvTranspose, "The transpose of the convolution of {}", "Conv{}Transpose", "Convolution{}Transpose"
)


# --- each channel by itself -------------------------------------------------------------------------------------------


class PerChannel(Convolution):
    """Base of convolutions that keep channels apart.

    Args:
        depth_multiplier: how many results each channel has.
    """

    def _kernel(self, which: str, name: str, *shape):
        """A kernel with the options that begin with "depthwise" or "pointwise"."""
        kinds = ("initializer", "regularizer", "constraint")
        return self._weight(name, shape, **{kind: getattr(self, f"{which}_{kind}") for kind in kinds})

    def _apart(self, x, kernel):
        """Each channel convolved by itself: a convolution with a group for each."""
        *window, channels, multiplier = kernel.nbflow_shape
        return self._convolved(x, TABLE["reshape"](kernel, shape=(*window, 1, channels * multiplier)))


class DepthwiseConv(PerChannel):
    """Base of DepthwiseConv1D and DepthwiseConv2D."""

    def __init__(
        self, kernel_size, strides=1, padding="valid", depth_multiplier=1, data_format=None, dilation_rate=1,
        activation=None, use_bias=True, depthwise_initializer="glorot_uniform", bias_initializer="zeros",
        depthwise_regularizer=None, bias_regularizer=None, activity_regularizer=None, depthwise_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._keep(locals())

    def build(self, input_shape) -> None:
        """Makes kernel, [*kernel_size, channels, depth_multiplier], and bias."""
        channels = self._channels_of(input_shape)
        self._checked(input_shape)
        self.kernel = self._kernel("depthwise", "kernel", *self.kernel_size, channels, self.depth_multiplier)
        self.bias = self._weight("bias", (channels * self.depth_multiplier,)) if self.use_bias else None

    def _computed(self, x):
        return self._apart(x, self.kernel.nbflow_tensor())


DepthwiseConv1D, DepthwiseConv2D = for_ranks(
    DepthwiseConv, "A convolution of each channel by itself, of {}", "DepthwiseConv", ranks=(1, 2)
)


class SeparableConv(PerChannel):
    """Base of SeparableConv1D and SeparableConv2D: each channel by itself, then all channels of each position.

    Weights: "depthwise_kernel", "pointwise_kernel" and "bias".
    """

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, depth_multiplier=1,
        activation=None, use_bias=True, depthwise_initializer="glorot_uniform", pointwise_initializer="glorot_uniform",
        bias_initializer="zeros", depthwise_regularizer=None, pointwise_regularizer=None, bias_regularizer=None,
        activity_regularizer=None, depthwise_constraint=None, pointwise_constraint=None, bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._keep(locals())

    def build(self, input_shape) -> None:
        """Makes the depthwise kernel [*kernel_size, channels, depth_multiplier], the pointwise one, and bias."""
        channels, multiplier = self._channels_of(input_shape), self.depth_multiplier
        self._checked(input_shape)
        self.depthwise_kernel = self._kernel("depthwise", "depthwise_kernel", *self.kernel_size, channels, multiplier)
        ones = (1,) * self.rank
        self.pointwise_kernel = self._kernel(
            "pointwise", "pointwise_kernel", *ones, channels * multiplier, self.filters
        )
        self.bias = self._weight("bias", (self.filters,)) if self.use_bias else None

    def _computed(self, x):
        ones = (1,) * self.rank
        return TABLE["convolution"](
            self._apart(x, self.depthwise_kernel.nbflow_tensor()),
            self.pointwise_kernel.nbflow_tensor(),
            strides=ones, padding="VALID", dilations=ones,
        )  # fmt: skip


SeparableConv1D, SeparableConv2D = for_ranks(
    SeparableConv,
    "A convolution of each channel by itself, then a product at each position, of {}",
    "SeparableConv",
    "SeparableConvolution",
    ranks=(1, 2),
)
