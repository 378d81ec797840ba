"""Traces for any size: which sizes a program's own Python code reads although they are not known.

A trace whose dimensions became symbolic by themselves is only right where the function does not look at them: `if
x.shape[0] == 3` would silently go another way. Shapes that such a trace gives to users note who reads an unknown size;
the function is then traced for the exact shape instead.
"""

import os
import sys
from pathlib import Path

from nbflow.shapes import TensorShape

_PACKAGE = str(Path(__file__).parents[1]) + os.sep


class WatchedShape(TensorShape):
    """A shape that notes on its trace where an unknown size is read."""

    _noted: list

    def __new__(cls, dims, noted: list):
        """A shape from sizes, some of them Dims.

        Args:
            noted: gets a "file:line" for each read of an unknown size.
        """
        shape = tuple.__new__(cls, TensorShape(dims))
        shape._noted = noted
        return shape

    def _note(self) -> None:
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
            frame = frame.f_back  # type: ignore[assignment]
        self._noted.append(f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "")

    def __getitem__(self, key):
        found = tuple.__getitem__(self, key)
        if isinstance(key, slice):
            return WatchedShape(found, self._noted) if any(n is None for n in found) else TensorShape(found)
        if found is None:
            self._note()
        return found

    def __iter__(self):
        for size in tuple.__iter__(self):
            if size is None:
                self._note()
            yield size

    def __contains__(self, size):
        self._note()
        return tuple.__contains__(self, size)

    def __eq__(self, other):
        self._note()
        return _plain(self) == other

    def __hash__(self):
        return tuple.__hash__(self)

    def __repr__(self):
        return repr(_plain(self))

    def __str__(self):
        return str(_plain(self))


def _plain(shape: WatchedShape) -> TensorShape:
    return TensorShape(list(tuple.__iter__(shape)))


def shape_for(frame, shape: tuple, noted: list) -> TensorShape:
    """The shape of a tensor of a watched trace for the frame that asks: the library knows about unknown sizes."""
    if frame.f_code.co_filename.startswith(_PACKAGE):
        return TensorShape(shape)
    return WatchedShape(shape, noted)
