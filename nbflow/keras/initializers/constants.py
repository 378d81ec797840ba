"""Initializers without chance."""

import numpy as np

from nbflow.arrays.creation import eye
from nbflow.dtypes import as_dtype
from nbflow.keras.initializers.initializer import Initializer
from nbflow.keras.settings import floatx
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, shape_argument
from nbflow.tensor.tensor import to_tensor


def _filled(value, shape, dtype):
    tensor = cast(to_tensor(value), dtype or floatx())
    return TABLE["broadcast_to"](tensor, shape=shape_argument("initializer", shape))


@export("keras.initializers.Zeros", "keras.initializers.zeros")
class Zeros(Initializer):
    """Zeros (tf.keras.initializers.Zeros)."""

    def __call__(self, shape, dtype=None):
        return _filled(0, shape, dtype)


@export("keras.initializers.Ones", "keras.initializers.ones")
class Ones(Initializer):
    """Ones (tf.keras.initializers.Ones)."""

    def __call__(self, shape, dtype=None):
        return _filled(1, shape, dtype)


@export("keras.initializers.Constant", "keras.initializers.constant")
class Constant(Initializer):
    """One value everywhere (tf.keras.initializers.Constant).

    Args:
        value: a number, or an array that broadcasts to the shape.
    """

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        return _filled(self.value, shape, dtype)

    def get_config(self) -> dict:
        return {"value": serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict):
        return cls(deserialize_keras_object(config.get("value", 0.0)))


@export("keras.initializers.Identity", "keras.initializers.identity", "keras.initializers.IdentityInitializer")
class Identity(Initializer):
    """The identity matrix times `gain` (tf.keras.initializers.Identity).

    Raises:
        ValueError: the shape is no matrix's.
    """

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) != 2:
            raise ValueError(
                f"Identity matrix initializer can only be used for 2D matrices. Received: shape={shape} of rank "
                f"{len(shape)}."
            )
        return eye(*shape, dtype=as_dtype(dtype or floatx())) * self.gain

    def get_config(self) -> dict:
        return {} if self.gain == 1 else {"gain": self.gain}  # Keras' is always empty


_WINDOWS = {
    "hann": np.hanning,
    "hamming": np.hamming,
    "blackman": np.blackman,
    "bartlett": np.bartlett,
    "boxcar": np.ones,
}


@export("keras.initializers.STFT", "keras.initializers.stft", "keras.initializers.STFTInitializer")
class STFT(Initializer):
    """Kernels of a convolution that makes short-time Fourier transforms (tf.keras.initializers.STFT).

    For the shape (frame, 1, frequencies): w[t] cos(-2π t f / n) / scale, or the sine, n being 2 (frequencies - 1).

    Args:
        side: "real" for the cosine, "imag" for the sine.
        window: w: "hann", "hamming", "blackman", "bartlett", "boxcar", an array of the size of a frame, or None for 1.
        scaling: "density" for √Σ w², "spectrum" for Σ |w|, None for 1.
        periodic: whether the window is that of a frame longer by 1, without its last value.

    Raises:
        ValueError: an argument is none of these.
    """

    def __init__(self, side="real", window="hann", scaling="density", periodic=False):
        if side not in ("real", "imag"):
            raise ValueError(f"side should be 'real' or 'imag', not {side}")
        if isinstance(window, str) and window not in _WINDOWS:
            raise ValueError(f"STFT: window is {window!r}; it takes an array, None, or one of {', '.join(_WINDOWS)}")
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(
                f"Scaling is invalid, it must be `None`, 'density' or 'spectrum'. Received scaling={scaling}"
            )
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def __call__(self, shape, dtype=None):
        frame, _, frequencies = shape
        angles = -2 * np.pi * np.arange(frame)[:, None, None] * np.arange(frequencies) / (2 * (frequencies - 1))
        kernel = np.cos(angles) if self.side == "real" else np.sin(angles)
        window = self.window
        if isinstance(window, str):
            window = _WINDOWS[window](frame + self.periodic)[:frame]
        if window is not None:
            window = np.asarray(window, np.float64)
            if window.shape != (frame,):
                raise ValueError(f"The shape of `window` must be equal to [frame_length]. Received: {window.shape}")
            scales = {None: 1.0, "density": np.sqrt(np.sum(window**2)), "spectrum": np.sum(np.abs(window))}
            kernel = kernel * window[:, None, None] / scales[self.scaling]
        return cast(to_tensor(kernel), dtype or floatx())

    def get_config(self) -> dict:
        return {"side": self.side, "window": self.window, "periodic": self.periodic, "scaling": self.scaling}
