"""nf.keras.preprocessing.sequence: the functions of nf.keras.utils for sequences."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
