"""nf.keras.models: Model, Sequential, and what is done with whole models."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.models import cloning, functional, model, plotting, sequential

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...


__all__ = ["cloning", "functional", "model", "plotting", "sequential"]
