"""nf.keras.layers: one file a family."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.layers import (
    activation_layers,
    attention,
    bidirectional,
    borders,
    conv_lstm,
    convolutions,
    dense,
    dropout,
    einsum_dense,
    encoding,
    images,
    input_layer,
    lambda_layer,
    lookup,
    masking,
    merging,
    multi_head,
    normalization,
    pooling,
    reshaping,
    rnn,
    scaling,
    text_vectorization,
    time_distributed,
    wrapper,
)

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
