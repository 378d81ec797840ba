"""nf.random.experimental: what TensorFlow has there, most of it also in nf.random."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
