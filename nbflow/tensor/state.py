"""What each thread is doing besides computing: which tapes record, which trace is under way."""

import threading
from collections.abc import Callable


class _State(threading.local):
    """The state of one thread.

    Attributes:
        tapes: the GradientTapes that record on this thread, innermost last.
        trace: the trace that ops go to instead of running, or None.
        device: the name asked for with nf.device, or None.
        scope: the names of the nf.name_scope blocks that are open, as in "model/layer".
        kept: what stays alive until the compiled function that runs is done, or None.
        numerics: what looks at the result of each op, (op, result) -> None, or None.
    """

    def __init__(self):
        self.tapes: tuple = ()
        self.trace = None
        self.device = None
        self.scope = ""
        self.numerics: Callable | None = None
        self.kept: list | None = None


state = _State()


class Busy:
    """How many tapes, traces and checks are open in the whole process: while it is 0, ops skip looking at the state."""

    __slots__ = ("count",)

    def __init__(self):
        self.count = 0


busy = Busy()
