"""nf.keras.optimizers.schedules: learning rates that change with the steps taken."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
