"""More or fewer elements along spatial axes: UpSampling, ZeroPadding and Cropping.

data_format is that of nbflow/keras/layers/windows.py.
"""

from nbflow.arrays.repeating import repeat
from nbflow.image.resizing import resize
from nbflow.keras.layers.input_spec import InputSpec
from nbflow.keras.layers.windows import Windowed, for_ranks, numbers
from nbflow.nn.windows import over_batch
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.shapes import Dim
from nbflow.tensor.tensor import to_tensor


class UpSampling(Windowed):
    """Base of layers that repeat elements.

    Args:
        size: how often, a number or one for each spatial axis.
    """

    def __init__(self, size=2, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self._keep(locals())
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs):
        """inputs with each element repeated."""
        for axis, times in enumerate(self.size, 2 if self._first else 1):
            inputs = repeat(inputs, times, axis)
        return inputs


@export("keras.layers.UpSampling1D")
class UpSampling1D(UpSampling):
    """Each step of sequences, [batch, steps, channels], repeated `size` times (tf.keras.layers.UpSampling1D)."""

    rank = 1

    def __init__(self, size=2, **kwargs):
        if not isinstance(size, int) or isinstance(size, bool):
            raise TypeError(f"Expected an integer value for `size`, got {type(size)}.")
        super().__init__(size, "channels_last", **kwargs)
        self._options = ("size",)

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        return super().get_config() | {"size": self.size[0]}


@export("keras.layers.UpSampling2D")
class UpSampling2D(UpSampling):
    """Images, [batch, height, width, channels], made larger (tf.keras.layers.UpSampling2D).

    Args:
        size: how many times, a number or (rows, columns).
        interpolation: "nearest" repeats pixels; "bilinear", "bicubic", "lanczos3" and "lanczos5" as nf.image.resize.
    """

    rank = 2

    def __init__(self, size=(2, 2), data_format=None, interpolation="nearest", **kwargs):
        super().__init__(size, data_format, **kwargs)
        self.interpolation = interpolation.lower()
        self._options = (*self._options, "interpolation")

    def call(self, inputs):
        """The larger images."""
        if self.interpolation == "nearest":
            return super().call(inputs)
        if self.interpolation not in ("bilinear", "bicubic", "lanczos3", "lanczos5"):
            raise ValueError(f"UpSampling2D: there is no interpolation {self.interpolation!r}")

        def larger(x):
            shape = [n * times for n, times in zip(x.nbflow_shape[1:3], self.size, strict=True)]
            return cast(resize(x, shape, self.interpolation), x.dtype)

        return over_batch(inputs, 2, self._first, larger)


(UpSampling3D,) = for_ranks(UpSampling, "Each element repeated along each axis, for {}", "UpSampling", ranks=(3,))


class Borders(Windowed):
    """Base of layers that add or take away at both ends of axes."""

    def _pairs(self, value, name: str):
        """(before, after) for each axis; of one axis a single pair.

        Raises:
            ValueError: the argument is none of the forms that it may have.
        """
        if self.rank == 1:
            return numbers(value, 2, name, 0)
        sides = (value,) * self.rank if isinstance(value, int) else value
        if not hasattr(sides, "__len__") or len(sides) != self.rank:
            raise ValueError(
                f"`{name}` should be an int, a tuple of {self.rank} ints, or a tuple of {self.rank} tuples of 2 ints. "
                f"Received: {name}={value}"
            )
        return tuple(numbers(side, 2, f"entry of {name}", 0) for side in sides)

    def _everywhere(self, pairs) -> list[tuple[int, int]]:
        """A pair for each axis of the inputs."""
        space = [pairs] if self.rank == 1 else list(pairs)
        none = (0, 0)
        return [none, none, *space] if self._first else [none, *space, none]


class ZeroPadding(Borders):
    """Base of layers that add zeros around.

    Args:
        padding: how many at each end: a number, one for each axis, or a pair (before, after) for each.
    """

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self._keep({"data_format": data_format})
        self._options = ("padding", "data_format")
        self.padding = self._pairs(padding, "padding")
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs):
        """inputs with zeros around."""
        before, after = zip(*self._everywhere(self.padding), strict=True)
        return TABLE["pad"](inputs, to_tensor(0, inputs.dtype), before=before, after=after)


ZeroPadding1D, ZeroPadding2D, ZeroPadding3D = for_ranks(ZeroPadding, "Zeros at the ends of {}", "ZeroPadding")


class Cropping(Borders):
    """Base of layers that take away at the ends.

    Args:
        cropping: how much at each end, in the forms of ZeroPadding's padding.
    """

    def __init__(self, cropping=1, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self._keep({"data_format": data_format})
        self._options = ("cropping", "data_format")
        self.cropping = self._pairs(cropping, "cropping")
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs):
        """inputs without what is cropped."""
        pairs, shape = self._everywhere(self.cropping), inputs.nbflow_shape
        kept = tuple(n - sum(pair) for n, pair in zip(shape, pairs, strict=True))
        if any(not isinstance(n, Dim) and n <= 0 and sum(pair) for n, pair in zip(kept, pairs, strict=True)):
            raise ValueError(
                f"{type(self).__name__}: values in `cropping` must be smaller than the size of the axis. Received: "
                f"inputs.shape={inputs.shape}, cropping={self.cropping}"
            )
        begin = tuple(before for before, _ in pairs)
        return TABLE["strided_slice"](inputs, begin=begin, step=(1,) * len(begin), shape=kept)


(Cropping3D,) = for_ranks(Cropping, "The middle of {}", "Cropping", ranks=(3,))


@export("keras.layers.Cropping1D")
class Cropping1D(Cropping):
    """The middle of sequences, [batch, steps, channels] (tf.keras.layers.Cropping1D); arguments as of Cropping."""

    rank = 1

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__(cropping, "channels_last", **kwargs)
        self._options = ("cropping",)


@export("keras.layers.Cropping2D")
class Cropping2D(Cropping):
    """The middle of images (tf.keras.layers.Cropping2D); arguments as of Cropping, nothing is cropped by default."""

    rank = 2

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)
