"""What holds for all of Keras: default dtype, epsilon, image layout, and the names that layers get by themselves."""

import sys

from nbflow.dtypes import as_dtype
from nbflow.objects.lookup import snake_case
from nbflow.objects.settings import auto_name as auto_name
from nbflow.objects.settings import process
from nbflow.public import export

_PYTHON_DTYPES = {int: "int64", "int": "int64", float: "float32"}
_FLOATS = ("float16", "bfloat16", "float32", "float64")


@export("keras.backend.floatx", "keras.config.floatx")
def floatx() -> str:
    """The dtype that layers and weights have by default, "float32"."""
    return process.floatx


@export("keras.backend.set_floatx", "keras.config.set_floatx")
def set_floatx(value) -> None:
    """Sets the dtype that layers and weights have by default: "float16", "bfloat16", "float32" or "float64"."""
    name = as_dtype(value).name
    if name not in _FLOATS:
        raise ValueError(f"Unknown `floatx` value: {value}. Expected one of {', '.join(_FLOATS)}")
    process.floatx = name


@export("keras.backend.standardize_dtype", "keras.utils.standardize_dtype")
def standardize_dtype(dtype) -> str:
    """The name of a dtype; floatx() for None.

    Raises:
        ValueError: there is no such dtype.
    """
    if dtype is None:
        return floatx()
    try:
        return as_dtype(_PYTHON_DTYPES.get(dtype, dtype)).name
    except TypeError:
        raise ValueError(f"Invalid dtype: {dtype}") from None


@export("keras.backend.epsilon", "keras.config.epsilon")
def epsilon() -> float:
    """The small number that keeps logarithms and quotients finite, 1e-7."""
    return process.epsilon


@export("keras.backend.set_epsilon", "keras.config.set_epsilon")
def set_epsilon(value: float) -> None:
    """Sets the number that epsilon() gives."""
    process.epsilon = float(value)


@export("keras.backend.image_data_format", "keras.config.image_data_format")
def image_data_format() -> str:
    """Where images have their channels, "channels_last" or "channels_first"."""
    return process.image_data_format


@export("keras.backend.set_image_data_format", "keras.config.set_image_data_format")
def set_image_data_format(data_format: str) -> None:
    """Sets where images have their channels."""
    process.image_data_format = data_format_of(data_format)


def data_format_of(data_format: str | None) -> str:
    """A data_format argument; the setting where it is None.

    Raises:
        ValueError: it is neither "channels_last" nor "channels_first".
    """
    if data_format is None:
        return process.image_data_format
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            f"The `data_format` argument must be one of 'channels_first', 'channels_last'. Received: {data_format}"
        )
    return data_format


@export("keras.config.backend", "keras.backend.backend")
def backend() -> str:
    """The name of what computes, "tensorflow": programs that ask take TensorFlow's way, which runs here."""
    return "tensorflow"


@export("keras.config.is_interactive_logging_enabled", "keras.utils.is_interactive_logging_enabled")
def is_interactive_logging_enabled() -> bool:
    """Whether progress is drawn as a bar that changes in place rather than as lines."""
    return process.interactive_logging


@export("keras.config.enable_interactive_logging", "keras.utils.enable_interactive_logging")
def enable_interactive_logging() -> None:
    """Draws progress as a bar."""
    process.interactive_logging = True


@export("keras.config.disable_interactive_logging", "keras.utils.disable_interactive_logging")
def disable_interactive_logging() -> None:
    """Writes progress as lines, as logs take them."""
    process.interactive_logging = False


def message(text: str, line_break: bool = True) -> None:
    """Writes to standard output, as Keras' progress does; with other characters where its encoding has too few."""
    text += "\n" if line_break else ""
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding
        sys.stdout.write(text.replace("━", "=").encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def name_for(cls: type) -> str:
    """The next name of a class of layers or metrics."""
    return auto_name(snake_case(cls.__name__))


@export("keras.backend.clear_session", "keras.utils.clear_session")
def clear_session(free_memory: bool = True) -> None:
    """Starts the numbering of layers' names anew (tf.keras.backend.clear_session)."""
    process.names.clear()
    process.seed_generator = None


@export("keras.backend.get_uid")
def get_uid(prefix: str = "") -> int:
    """How often a prefix has been asked for, this time included."""
    process.names[prefix] += 1
    return process.names[prefix]
