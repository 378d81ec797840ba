"""nf.keras.layers: one file a family."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.layers import (
    activation_layers,
    dense,
    dropout,
    input_layer,
    lambda_layer,
    masking,
    reshaping,
)

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
