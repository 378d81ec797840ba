"""nf.keras.ops.image: images."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
