"""Programs of TensorFlow's guides, each with what TensorFlow 2.21 makes of it: notes of what happened, in order."""

import contextlib
import os
import sys
import tempfile

import numpy as np


class Notes(list):
    """What a program noted: values as plain Python, errors as the names of their classes."""

    def __call__(self, *values):
        """Notes a value, or several as a list."""
        self.append(plain(values[0] if len(values) == 1 else list(values)))

    def error(self, function, *args, **kwargs):
        """Notes what a call raises: "ok" or the name of the class."""
        try:
            function(*args, **kwargs)
        except Exception as error:
            self.append(type(error).__name__)
            return str(error)
        self.append("ok")
        return ""


def plain(value):
    """A value without tensors; floats rounded to what float32 is sure of."""
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    value = value.numpy() if hasattr(value, "numpy") else value
    if isinstance(value, bytes):
        return value.decode()
    value = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
    if isinstance(value, list):
        return plain(value)
    return round(value, 4) if isinstance(value, float) else value


@contextlib.contextmanager
def printed():
    """What is printed to the standard error stream meanwhile, from Python and from below: a list of lines."""
    lines: list = []
    with tempfile.TemporaryFile("w+") as file:
        before, stream = os.dup(2), sys.stderr
        sys.stderr = file
        os.dup2(file.fileno(), 2)
        try:
            yield lines
        finally:
            file.flush()
            os.dup2(before, 2)
            os.close(before)
            sys.stderr = stream
            file.seek(0)
            lines += file.read().splitlines()


def programs(table: list):
    """A decorator that puts a program and what it must note into a table.

    A program is a function of Notes. Where nbflow differs, `tensorflow` is what TensorFlow notes, or the error that it
    raises, and `why` says what is better.
    """

    def program(expected, tensorflow=None, why=""):
        def note(function):
            table.append((function, expected, tensorflow, why))
            return function

        return note

    return program
