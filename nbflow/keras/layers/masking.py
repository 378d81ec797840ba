"""Where masks come from: Masking, and Embedding with mask_zero."""

from nbflow.dtypes import int32, int64
from nbflow.keras.layers.activation_layers import zero
from nbflow.keras.layers.configured import Configured
from nbflow.objects.serialization import deserialize_keras_object
from nbflow.ops.table import TABLE
from nbflow.public import cast, export


@export("keras.layers.Masking")
class Masking(Configured):
    """Masks time steps that hold nothing but one value (tf.keras.layers.Masking).

    Args:
        mask_value: the value.
        kwargs: those of Layer.
    """

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        if isinstance(mask_value, dict):
            mask_value = deserialize_keras_object(mask_value)
        self._keep(locals())

    def compute_mask(self, inputs, mask=None):
        """False where all of a step is mask_value."""
        return TABLE["reduce_any"](inputs != self.mask_value, axis=(inputs.ndim - 1,), keepdims=False)

    def call(self, inputs):
        """inputs, zero where they are masked."""
        kept = TABLE["reshape"](self.compute_mask(inputs), shape=(*inputs.nbflow_shape[:-1], 1))
        return TABLE["select"](kept, inputs, zero(inputs))


@export("keras.layers.Embedding")
class Embedding(Configured):
    """The rows of a table that integers name (tf.keras.layers.Embedding).

    Args:
        input_dim: the number of rows; integers are in [0, input_dim).
        output_dim: the length of a row.
        mask_zero: whether 0 stands for no word, which the mask of the result says.
        weights: the table's first value.
        Others: see nbflow/keras/layers/configured.py; the weight is "embeddings" [input_dim, output_dim].

    Raises:
        ValueError: a dimension is no positive int.

    Example:
        >>> import nbflow as nf
        >>> layer = nf.keras.layers.Embedding(10, 4, mask_zero=True)
        >>> layer(nf.constant([[3, 1, 0]])).shape
        TensorShape([1, 3, 4])
    """

    _always = ("activity_regularizer",)

    def __init__(
        self, input_dim, output_dim, embeddings_initializer="uniform", embeddings_regularizer=None,
        embeddings_constraint=None, mask_zero=False, weights=None, lora_rank=None, lora_alpha=None,
        quantization_config=None, **kwargs
    ):  # fmt: skip
        for what, value in (("input_dim", input_dim), ("output_dim", output_dim)):
            if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
                raise ValueError(
                    f"`{what}` must be a positive integer. Received: {what}={value} (of type {type(value).__name__})."
                )
        kwargs.pop("input_length", None)
        super().__init__(**kwargs)
        own = locals()
        self._keep({k: own[k] for k in own if k not in ("weights", "what", "value")}, masking=mask_zero)
        self.autocast = False
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [weights])

    def build(self, input_shape=None) -> None:
        """Makes the table."""
        if not self.built:
            self.embeddings = self._weight("embeddings", (self.input_dim, self.output_dim))

    def call(self, inputs):
        """The rows, [*inputs.shape, output_dim]."""
        rows = inputs if inputs.dtype in (int32, int64) else cast(inputs, int32)
        return cast(TABLE["gather"](self.embeddings.nbflow_tensor(), rows, axis=0), self.compute_dtype)

    def compute_mask(self, inputs, mask=None):
        """False where inputs are 0, if mask_zero."""
        return inputs != 0 if self.mask_zero else None
