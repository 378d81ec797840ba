"""nf.image: images as tensors of shape [height, width, channels], or batches of them, with TensorFlow's names."""

from typing import TYPE_CHECKING, Any

from nbflow.image import adjusting, boxes, colours, comparing, framing, patches, randomly, resizing

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
