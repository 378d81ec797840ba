"""Exceptions, named as TensorFlow names them (tf.errors). An invalid argument is also a ValueError."""

OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED = range(8)
RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = range(8, 15)
DATA_LOSS, UNAUTHENTICATED = 15, 16


class OpError(Exception):
    """Base of the errors that an op raises: OpError(message), or as in TensorFlow OpError(node_def, op, message).

    Attributes:
        message: what was wrong, and what would work.
        error_code: TensorFlow's number for this kind of error, such as nf.errors.INVALID_ARGUMENT.
    """

    error_code = UNKNOWN

    def __init__(self, *arguments):
        self.node_def, self.op, message = arguments if len(arguments) == 3 else (None, None, *(arguments[:1] or ("",)))
        super().__init__(message)

    @property
    def message(self) -> str:
        """What was wrong, and what would work."""
        return str(self.args[0])


class InvalidArgumentError(OpError, ValueError):
    """An argument has a value, shape or dtype that the op cannot take (tf.errors.InvalidArgumentError)."""

    error_code = INVALID_ARGUMENT


class InvalidDTypeError(InvalidArgumentError, TypeError):
    """An argument has a dtype that the op cannot take, or dtypes are mixed.

    TensorFlow raises InvalidArgumentError for it in eager code and TypeError inside a tf.function: this is both.
    """


class FailedPreconditionError(OpError, RuntimeError):
    """The operation was called in a state that does not allow it (tf.errors.FailedPreconditionError)."""

    error_code = FAILED_PRECONDITION


class NotFoundError(OpError, LookupError):
    """A file, device or name that was asked for does not exist (tf.errors.NotFoundError)."""

    error_code = NOT_FOUND


class OutOfRangeError(OpError, IndexError):
    """An iteration or an index ran past the end (tf.errors.OutOfRangeError)."""

    error_code = OUT_OF_RANGE


class UnimplementedError(OpError, NotImplementedError):
    """The op has no kernel for these dtypes or this device (tf.errors.UnimplementedError)."""

    error_code = UNIMPLEMENTED


class InternalError(OpError, RuntimeError):
    """nbflow broke one of its own rules; please report it with the program that shows it."""

    error_code = INTERNAL


class DataLossError(OpError, ValueError):
    """A file is truncated or corrupt (tf.errors.DataLossError)."""

    error_code = DATA_LOSS


class ResourceExhaustedError(OpError, MemoryError):
    """There is not enough memory for a result (tf.errors.ResourceExhaustedError)."""

    error_code = RESOURCE_EXHAUSTED


class AlreadyExistsError(OpError, FileExistsError):
    """A file or a name that was to be made is there already (tf.errors.AlreadyExistsError)."""

    error_code = ALREADY_EXISTS


class PermissionDeniedError(OpError, PermissionError):
    """A file may not be read or written (tf.errors.PermissionDeniedError)."""

    error_code = PERMISSION_DENIED


class CancelledError(OpError):
    """The operation was cancelled before it ended (tf.errors.CancelledError)."""

    error_code = CANCELLED


class DeadlineExceededError(OpError, TimeoutError):
    """The operation did not end in time (tf.errors.DeadlineExceededError)."""

    error_code = DEADLINE_EXCEEDED


class AbortedError(OpError):
    """The operation was given up, because of another one at the same time (tf.errors.AbortedError)."""

    error_code = ABORTED


class UnavailableError(OpError, ConnectionError):
    """A machine cannot be reached now (tf.errors.UnavailableError)."""

    error_code = UNAVAILABLE


class UnauthenticatedError(OpError):
    """The caller did not show who he is (tf.errors.UnauthenticatedError)."""

    error_code = UNAUTHENTICATED


class UnknownError(OpError):
    """An error of no other kind (tf.errors.UnknownError)."""


class OperatorNotAllowedInGraphError(TypeError):
    """A traced tensor was used where Python needs its value (tf.errors.OperatorNotAllowedInGraphError)."""
