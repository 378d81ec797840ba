"""nf.keras.random: numbers from integers or from a SeedGenerator, equal to Keras' on TensorFlow."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.random import draws, seeds

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
