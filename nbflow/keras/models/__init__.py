"""nf.keras.models: Model, Sequential, and what is done with whole models."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.models import functional, model, sequential

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...


__all__ = ["functional", "model", "sequential"]
