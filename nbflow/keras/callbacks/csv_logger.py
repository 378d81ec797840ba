"""CSVLogger: the metrics of each epoch as a line of a file."""

import csv
import os
from typing import Any, TextIO

import numpy as np

from nbflow.keras.callbacks.callback import Callback
from nbflow.public import export


@export("keras.callbacks.CSVLogger")
class CSVLogger(Callback):
    """Writes the metrics of each epoch to a CSV file (tf.keras.callbacks.CSVLogger).

    Args:
        filename: the file.
        separator: what separates values.
        append: whether lines are added to a file that is there.
    """

    def __init__(self, filename, separator=",", append=False):
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self._file: TextIO | None = None
        self._writer: Any = None

    def on_train_begin(self, logs=None) -> None:
        """Opens the file."""
        self.interrupted()
        kept = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115  # open while training runs
        self._writer, self._has_header = None, kept

    def on_epoch_end(self, epoch, logs=None) -> None:
        """Writes a line; the first one says which columns there are."""
        logs = logs or {}
        assert self._file is not None
        if self._writer is None:
            keys = sorted(logs)
            if keys and not any(key.startswith("val_") for key in keys):
                keys += [f"val_{key}" for key in keys]  # there may be validation in later epochs
            self._writer = csv.DictWriter(
                self._file, ["epoch", *keys], "NA", "ignore", delimiter=self.sep, lineterminator="\n"
            )
            if not self._has_header:
                self._writer.writeheader()
        self._writer.writerow({"epoch": epoch, **{key: _cell(value) for key, value in logs.items()}})
        self._file.flush()

    def on_train_end(self, logs=None) -> None:
        """Closes the file."""
        self.interrupted()

    def interrupted(self) -> None:
        """Closes the file; its lines are written already."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _cell(value):
    """A value; several as a list in quotes."""
    if isinstance(value, str) or not np.ndim(value):
        return value
    return f'"[{", ".join(map(str, value))}]"'
