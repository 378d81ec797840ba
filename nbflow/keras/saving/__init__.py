"""nf.keras.saving: objects and models as files, and back."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.saving import archive, weights

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...


__all__ = ["archive", "weights"]
