"""nf.keras.preprocessing: images, sequences and folders of files, under older names."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.preprocessing import image, sequence

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
