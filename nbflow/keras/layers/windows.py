"""Arguments of layers with windows over space: sizes, strides, dilations, paddings, and where channels are.

Arguments that they share:
    kernel_size, pool_size: the size of the window: a number, or one for each spatial axis.
    strides: how far windows are apart: a number, or one for each spatial axis.
    dilation_rate: how far the taps of a window are apart; not above 1 together with strides.
    padding: "valid" for windows inside the input, "same" for as many windows as strides fit.
    data_format: "channels_last", [batch, *spatial, channels], or "channels_first", [batch, channels, *spatial]; by
        default keras.config.image_data_format().
"""

from typing import Any

from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.input_spec import InputSpec
from nbflow.keras.settings import data_format_of
from nbflow.public import export

_AT_LEAST_ONE = ("kernel_size", "pool_size", "strides", "dilation_rate", "size")


def numbers(value, count: int, name: str, least: int = 1) -> tuple[int, ...]:
    """An argument that is a number or one for each axis, as a tuple.

    Raises:
        ValueError: it has another length, or a number is below `least`.
    """
    try:
        found = (value,) * count if isinstance(value, int) else tuple(value)
        fits = len(found) == count and all(int(n) >= least for n in found)
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ValueError(
            f"The `{name}` argument must be a tuple of {count} integers, each {least} or more. Received {name}={value}"
        )
    return found


class Windowed(Configured):
    """Base of layers for inputs with spatial axes: keeps the arguments above as Keras does."""

    rank = 0  # how many spatial axes
    _paddings: tuple[str, ...] = ("valid", "same")

    def _keep(self, arguments: dict[str, Any], masking: bool = False) -> None:
        name = type(self).__name__
        for key in _AT_LEAST_ONE:
            if key in arguments:
                arguments[key] = numbers(arguments[key], self.rank, key)
        for key in ("filters", "depth_multiplier", "groups"):
            if arguments.get(key, 1) is not None and arguments.get(key, 1) <= 0:
                raise ValueError(f"{name}: `{key}` must be a positive integer. Received: {key}={arguments[key]}")
        if "padding" in arguments and str(arguments["padding"]).lower() not in self._paddings:
            allowed = ", ".join(map(repr, self._paddings))
            raise ValueError(f"{name}: `padding` must be one of {allowed}. Received: {arguments['padding']!r}")
        if "data_format" in arguments:
            arguments["data_format"] = data_format_of(arguments["data_format"])
        super()._keep(arguments, masking)

    @property
    def _first(self) -> bool:
        """Whether channels come before space."""
        return self.data_format == "channels_first"

    def _channels_of(self, input_shape) -> int:
        """The number of channels, which the input must then always have.

        Raises:
            ValueError: it is open.
        """
        axis = 1 if self._first else -1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"{type(self).__name__}: the channel dimension of the inputs must be defined. Received: "
                f"input_shape={tuple(input_shape)}"
            )
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})
        return channels


OF_RANK = {
    1: "sequences, [batch, steps, channels]",
    2: "images, [batch, height, width, channels]",
    3: "volumes, [batch, depth, height, width, channels]",
}


def for_ranks(base: type, what: str, name: str, *aliases: str, ranks=(1, 2, 3)) -> list[type]:
    """The layers of a base class for one to three spatial axes, published under names with "1D" to "3D".

    Args:
        name, aliases: the names, {} where "1D" stands; by default it stands at the end.
        what: the first words of their documentation, {} in it for what they take.
    """
    made = []
    for rank in ranks:
        names = [(each if "{}" in each else each + "{}").format(f"{rank}D") for each in (name, *aliases)]
        doc = f"{what.format(OF_RANK[rank])} (tf.keras.layers.{names[0]}); arguments as of {base.__name__}."
        cls = type(names[0], (base,), {"rank": rank, "__doc__": doc, "__module__": base.__module__})
        made.append(export(*(f"keras.layers.{each}" for each in names))(cls))
    return made
