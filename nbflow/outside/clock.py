"""nf.timestamp."""

import time

from nbflow.dtypes import float64
from nbflow.ops.outside import TIMESTAMP
from nbflow.public import export
from nbflow.tensor.state import state
from nbflow.tensor.tensor import apply_free, to_tensor


@export("timestamp")
def timestamp(name=None):
    """The time in seconds since 1970, as a float64 scalar (tf.timestamp).

    In a compiled function it is read when the program comes there: after the effects before it, before those after it.

    Args:
        name: accepted as TensorFlow's; it has no effect.

    Example:
        >>> import nbflow as nf
        >>> start = nf.timestamp()
        >>> bool(nf.timestamp() >= start)
        True
    """
    return to_tensor(time.time(), float64) if state.trace is None else apply_free(TIMESTAMP, {})
