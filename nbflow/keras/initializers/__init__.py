"""nf.keras.initializers: the values that weights start with."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.initializers import constants, draws, family, initializer, plain

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
