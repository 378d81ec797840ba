"""nf.keras.optimizers: the optimizers of nf.optimizers under the names that Keras gives them."""

from typing import TYPE_CHECKING, Any

from nbflow import optimizers as _optimizers
from nbflow.keras.optimizers import schedules

__all__ = ["schedules"]

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
