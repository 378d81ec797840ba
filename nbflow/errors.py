"""Exceptions, named as TensorFlow names them (tf.errors). An invalid argument is also a ValueError."""


class OpError(Exception):
    """Base of the errors that an op raises.

    Attributes:
        message: what was wrong, and what would work.
    """

    @property
    def message(self) -> str:
        """What was wrong, and what would work."""
        return str(self.args[0]) if self.args else ""


class InvalidArgumentError(OpError, ValueError):
    """An argument has a value, shape or dtype that the op cannot take (tf.errors.InvalidArgumentError)."""


class InvalidDTypeError(InvalidArgumentError, TypeError):
    """An argument has a dtype that the op cannot take, or dtypes are mixed.

    TensorFlow raises InvalidArgumentError for it in eager code and TypeError inside a tf.function: this is both.
    """


class FailedPreconditionError(OpError, RuntimeError):
    """The operation was called in a state that does not allow it (tf.errors.FailedPreconditionError)."""


class NotFoundError(OpError, LookupError):
    """A file, device or name that was asked for does not exist (tf.errors.NotFoundError)."""


class OutOfRangeError(OpError, IndexError):
    """An iteration or an index ran past the end (tf.errors.OutOfRangeError)."""


class UnimplementedError(OpError, NotImplementedError):
    """The op has no kernel for these dtypes or this device (tf.errors.UnimplementedError)."""


class InternalError(OpError, RuntimeError):
    """nbflow broke one of its own rules; please report it with the program that shows it."""


class DataLossError(OpError, ValueError):
    """A file is truncated or corrupt (tf.errors.DataLossError)."""


class ResourceExhaustedError(OpError, MemoryError):
    """There is not enough memory for a result (tf.errors.ResourceExhaustedError)."""
