"""What of nf.debugging is about functions: how often they are traced, and what tracebacks show."""

from nbflow import tracebacks
from nbflow.function.function import Function
from nbflow.public import export


@export("debugging.assert_max_traces")
class assert_max_traces:
    """Checks that a function has been traced at most so many times in all; in a `with` block, at every call in it.

    Args:
        fn: a function that nf.function made.
        n: how many traces there may be. `fn.experimental_get_tracing_count()` allows no new one.

    Raises:
        AssertionError: there are more: the message says which argument changed. In a `with` block the call that needs
            one trace too many raises it, before it traces.
        TypeError: fn is no such function.

    Example:
        >>> import nbflow as nf
        >>> f = nf.function(lambda x: x + 1)
        >>> with nf.debugging.assert_max_traces(f, 1):
        ...     for value in (1.0, 2.0):
        ...         y = f(nf.constant(value))
    """

    def __init__(self, fn, n: int):
        fn = getattr(fn, "__func__", fn)  # of a method
        if not isinstance(fn, Function):
            raise TypeError(f"assert_max_traces: fn is {fn!r:.100}; it takes a function made by nf.function")
        self._history, self._limit = fn._history, n
        traces = self._history.traces
        if len(traces) > n:
            reasons = "".join(f"\n  {trace.number}: {trace.reason}" for trace in traces)
            raise AssertionError(
                f"{self._history.name} ({self._history.where}) has been traced {len(traces)} times, "
                f"more than {n}:{reasons}"
            )

    def __enter__(self) -> None:
        self._before, self._history.limit = self._history.limit, self._limit

    def __exit__(self, *_) -> None:
        self._history.limit = self._before


@export("debugging.enable_traceback_filtering")
def enable_traceback_filtering() -> None:
    """Leaves the engine's own frames out of tracebacks, which is so by default (tf.debugging)."""
    tracebacks.set_filtering(True)


@export("debugging.disable_traceback_filtering")
def disable_traceback_filtering() -> None:
    """Shows the engine's own frames in tracebacks too (tf.debugging.disable_traceback_filtering)."""
    tracebacks.set_filtering(False)


@export("debugging.is_traceback_filtering_enabled")
def is_traceback_filtering_enabled() -> bool:
    """Whether tracebacks leave out the engine's own frames (tf.debugging.is_traceback_filtering_enabled)."""
    return tracebacks.is_filtering()
