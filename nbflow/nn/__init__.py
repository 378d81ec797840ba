"""nf.nn: activations, losses from logits and what networks are made of."""

from typing import TYPE_CHECKING, Any

from nbflow.nn import (
    activations,
    convolutions,
    ctc,
    dropouts,
    embedding,
    experimental,
    fractional,
    kernels,
    losses,
    morphology,
    normalization,
    pooling,
    regression,
    sampled,
    spatial,
)

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
