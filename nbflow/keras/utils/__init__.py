"""nf.keras.utils: what surrounds training: seeds, arrays, files, progress."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.utils import arrays, data, files, images, progbar, py_dataset

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
