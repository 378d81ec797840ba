"""EinsumDense: a Dense layer whose product is any Einstein sum."""

import re

from nbflow.keras.initializers.draws import VarianceScaling
from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.input_spec import InputSpec
from nbflow.linalg.products import einsum
from nbflow.public import cast, export

_FORMAT = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


@export("keras.layers.EinsumDense")
class EinsumDense(Configured):
    """activation(einsum(equation, x, W) + b) (tf.keras.layers.EinsumDense).

    Args:
        equation: labels of x, of W and of the result, such as "abc,cd->abd" for a Dense layer on sequences, or
            "...x,xy->...y" for a Dense layer on anything.
        output_shape: the shape of the result without the batch axis, or without the axes under a leading ellipsis, None
            for sizes that are those of x.
        bias_axes: the labels of the result that b has an axis for; None for no b.
        gptq_unpacked_column_size: accepted as Keras'; it has no effect.
        Others: see nbflow/keras/layers/configured.py; the weights are "kernel", W, and "bias", b.

    Raises:
        ValueError: the equation is of another form, or does not fit the shapes.

    Example:
        >>> import nbflow as nf
        >>> layer = nf.keras.layers.EinsumDense("abc,cd->abd", output_shape=(None, 64), bias_axes="d")
        >>> layer(nf.ones((2, 32, 128))).shape
        TensorShape([2, 32, 64])
    """

    _always = ("activity_regularizer",)

    def __init__(
        self, equation, output_shape, activation=None, bias_axes=None, kernel_initializer="glorot_uniform",
        bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, kernel_constraint=None,
        bias_constraint=None, lora_rank=None, lora_alpha=None, gptq_unpacked_column_size=None, quantization_config=None,
        **kwargs
    ):  # fmt: skip
        super().__init__(**kwargs)
        output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self._keep({k: v for k, v in locals().items() if k != "gptq_unpacked_column_size"}, masking=False)

    @property
    def partial_output_shape(self) -> tuple:
        """The shape of the result without the batch axis."""
        return self._output_shape

    def build(self, input_shape) -> None:
        """Makes kernel and bias."""
        kernel, bias, (inputs, outputs) = _shapes(self.equation, self.bias_axes, input_shape, self._output_shape)
        initializer = self.kernel_initializer
        if isinstance(initializer, VarianceScaling) and None in (initializer.input_axes, initializer.output_axes):
            config = {"seed": initializer.seed, "input_axes": inputs, "output_axes": outputs}
            initializer = type(initializer).from_config({**initializer.get_config(), **config})
        self.kernel = self._weight("kernel", kernel, initializer=initializer)
        self.bias = None if bias is None else self._weight("bias", bias)
        self.input_spec = InputSpec(ndim=len(input_shape))

    def call(self, inputs, training=None):
        """activation(einsum(equation, inputs, W) + b)."""
        kernel = self.kernel.nbflow_tensor()
        x = einsum(self.equation, cast(inputs, kernel.dtype), kernel)
        return self.activation(x if self.bias is None else x + self.bias)


def _shapes(equation: str, bias_axes: str | None, input_shape: tuple, output_shape: tuple) -> tuple:
    """The shapes of W and b, and the axes of W that are x's and the result's."""
    match = _FORMAT.fullmatch(equation.replace(" ", ""))
    dots = match and (match[1], match[3])
    if not match or dots != (match[5], match[7]) or all(dots):
        raise ValueError(
            f"Invalid einsum equation '{equation}'. Equations must be in the form [X],[Y]->[Z], ...[X],[Y]->...[Z], or "
            f"[X]...,[Y]->[Z]...."
        )
    labels, kernel, result = match[2], match[4], match[6]
    hidden = len(input_shape) - len(labels)
    first = hidden if match[1] else 0
    known = dict(zip(labels, input_shape[first:], strict=False))
    full = (*input_shape[: max(first, 1)], *output_shape, *(input_shape[len(labels) :] if match[3] else ()))
    shown = len(full) - first - (hidden if match[3] else 0)
    if shown != len(result):
        raise ValueError(
            f"EinsumDense: output_shape {output_shape} gives {shown} sizes for the {len(result)} labels of the "
            f"result of '{equation}', with inputs of shape {input_shape}"
        )
    sizes = dict(zip(result, full[first:], strict=False))
    for label in labels:
        if sizes.get(label) not in (None, known[label]):
            raise ValueError(
                f"Input shape and output shape do not match at shared dimension '{label}'. Input shape is "
                f"{known[label]}, and output shape is {sizes[label]}."
            )
    for label in (*result, *kernel):
        if label not in {*labels, *result} or (label in result and label not in {*labels, *kernel}):
            raise ValueError(
                f"Dimension '{label}' of the einsum equation '{equation}' has no size: a label of the output must "
                f"occur in the input or the weight, and one of the weight in the input or the output"
            )
    shape = tuple(sizes.get(label, known.get(label)) for label in kernel)
    inputs = [k for k, label in enumerate(kernel) if label not in sizes]
    axes = inputs, [k for k, label in enumerate(kernel) if label in sizes]
    if bias_axes is None:
        return shape, None, axes
    if set(bias_axes) - set(result):
        raise ValueError(f"Bias dimension '{bias_axes}' was requested, but is not part of the output spec '{result}'")
    tail = result[min(result.find(label) for label in bias_axes) :]
    bias = (*(sizes[label] if label in bias_axes else 1 for label in tail), *(1,) * (0 if match[1] else hidden))
    return shape, bias, axes
