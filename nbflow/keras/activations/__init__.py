"""nf.keras.activations: functions of each element, and along an axis."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.activations import family, functions

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
