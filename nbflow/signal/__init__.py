"""nf.signal: Fourier and cosine transforms, frames, windows and spectrograms, with TensorFlow's names and arguments."""

from typing import TYPE_CHECKING, Any

from nbflow.signal import cosine, fourier, framing, mel, spectrograms, windows

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
