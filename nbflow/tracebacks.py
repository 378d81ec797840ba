"""Tracebacks of errors that leave the engine: the user's frames, not the engine's own."""

import os
import types
from pathlib import Path

_PACKAGE = str(Path(__file__).parent) + os.sep
_filtering = True


def set_filtering(on: bool) -> None:
    """Whether tracebacks are filtered."""
    global _filtering
    _filtering = on


def is_filtering() -> bool:
    """Whether tracebacks are filtered."""
    return _filtering


def filter_traceback(error: BaseException) -> None:
    """Takes the frames of this package out of the tracebacks of an error and of its causes, unless that is disabled.

    For the `except` of a public call, before it raises the error again: a plain `raise` adds no frame of its own.
    """
    seen: set[int] = set()
    link: BaseException | None = error if _filtering else None
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        link.__traceback__ = _without_engine(link.__traceback__)
        link = link.__cause__ or link.__context__


def _without_engine(traceback: types.TracebackType | None) -> types.TracebackType | None:
    frames: list[types.TracebackType] = []
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(_PACKAGE):
            frames.append(traceback)
        traceback = traceback.tb_next
    kept = None
    for entry in reversed(frames):
        kept = types.TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return kept
