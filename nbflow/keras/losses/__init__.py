"""nf.keras.losses: what training makes small."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.losses import family, loss, margins, probabilistic, regions, regression

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
