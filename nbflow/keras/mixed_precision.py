"""nf.keras.mixed_precision: layers that compute in halves and keep float32."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
