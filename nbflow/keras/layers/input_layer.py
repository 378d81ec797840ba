"""Input: where a model begins."""

from nbflow.compiler.graph import aval
from nbflow.dtypes import as_dtype
from nbflow.keras.layers.layer import Layer
from nbflow.keras.settings import floatx
from nbflow.keras.symbolic import KerasTensor, Step, symbolic, with_dims
from nbflow.public import export
from nbflow.tensor.protocol import TensorProtocol


@export("keras.layers.InputLayer")
class InputLayer(Layer):
    """Holds the place of an input (tf.keras.layers.InputLayer); keras.Input makes it.

    Args:
        shape: the shape without the batch axis, None for sizes that are open.
        batch_size: the size of the batch axis, None if open.
        dtype: by default floatx().
        batch_shape: the whole shape, in place of shape and batch_size.
        input_tensor: a KerasTensor that becomes the input.
        optional: whether a model may be called with None for it.
    """

    def __init__(
        self,
        shape=None,
        batch_size=None,
        dtype=None,
        sparse=None,
        ragged=None,
        batch_shape=None,
        input_tensor=None,
        optional=False,
        name=None,
        **kwargs,
    ):
        batch_shape, shape = kwargs.pop("batch_input_shape", batch_shape), kwargs.pop("input_shape", shape)
        super().__init__(name=name)
        if sparse or ragged:
            raise NotImplementedError("Input: sparse and ragged inputs are not supported; use dense ones, padded")
        if shape is None and batch_shape is None and input_tensor is None:
            raise ValueError("You must pass a `shape` argument.")
        if shape is not None and batch_shape is not None:
            raise ValueError("You cannot pass both `shape` and `batch_shape` at the same time.")
        if input_tensor is not None and not isinstance(input_tensor, KerasTensor):
            raise ValueError(
                f"Argument `input_tensor` must be a KerasTensor. Received: input_tensor={input_tensor!r:.200}"
            )
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        elif batch_shape is None:
            if isinstance(shape, TensorProtocol) or not hasattr(shape, "__iter__"):
                raise ValueError(f"Input: shape is {shape!r:.100}; it takes a tuple of sizes, such as (28, 28)")
            batch_shape = (batch_size, *shape)
        self.batch_shape, self._dtype, self.optional = tuple(batch_shape), as_dtype(dtype or floatx()), optional
        self.built = True
        output = symbolic(aval(self._dtype, with_dims(self.batch_shape)), self.name)
        output.optional = optional
        Step(self, (), {}, output)

    @property
    def dtype(self) -> str:
        """The dtype of the input."""
        return self._dtype.name

    def call(self):
        """Has no inputs of its own."""
        raise NotImplementedError("InputLayer: give the model a value for it")

    def get_config(self) -> dict:
        """The arguments that make it again."""
        return {
            "batch_shape": self.batch_shape, "dtype": self.dtype, "sparse": False, "ragged": False, "name": self.name,
            "optional": self.optional,
        }  # fmt: skip


@export("keras.Input", "keras.layers.Input")
def Input(
    shape=None,
    batch_size=None,
    dtype=None,
    sparse=None,
    ragged=None,
    batch_shape=None,
    name=None,
    tensor=None,
    optional=False,
):
    """A tensor that models begin with (tf.keras.Input).

    Args: as of keras.layers.InputLayer; `tensor` is its input_tensor.

    Returns:
        A KerasTensor of shape (None, *shape), to call layers on.

    Example:
        >>> import nbflow as nf
        >>> x = nf.keras.Input((4,))
        >>> nf.keras.Model(x, nf.keras.layers.Dense(2)(x)).output_shape
        (None, 2)
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name)
    return layer.output
