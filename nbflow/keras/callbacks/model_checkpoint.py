"""ModelCheckpoint: saves the model while it trains."""

import os
import warnings

import numpy as np

from nbflow.keras.callbacks.monitor_callback import MonitorCallback
from nbflow.keras.settings import message
from nbflow.public import export


class BatchCounter:
    """Says every how many batches something is due.

    Args:
        save_freq: "epoch", for which it is never due after a batch, or a number of batches.

    Raises:
        ValueError: save_freq is something else.
    """

    def __init__(self, save_freq):
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(f"Unrecognized save_freq: {save_freq}. Expected save_freq are 'epoch' or integer values")
        self.every, self.seen = save_freq, 0

    def is_due(self) -> bool:
        """Counts a batch."""
        if self.every == "epoch" or not self.every:
            return False
        self.seen += 1
        if self.seen < self.every:
            return False
        self.seen = 0
        return True


@export("keras.callbacks.ModelCheckpoint")
class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after epochs or batches (tf.keras.callbacks.ModelCheckpoint).

    A file is written beside its place and moved there when it is complete: a full disk leaves the last one as it was.

    Args:
        filepath: where to, ending in ".keras", or in ".weights.h5" (or ".safetensors") for weights alone. It may hold
            {epoch}, {batch} and names of metrics in str.format's form: "{epoch:02d}-{val_loss:.2f}.keras".
        monitor: the metric that says which model is best.
        verbose: 1 to say what it does.
        save_best_only: whether it saves only when the metric is better than before.
        save_weights_only: whether it saves the weights alone, the optimizer's state among them.
        mode: "min", "max" or "auto", see MonitorCallback.
        save_freq: "epoch", or after how many batches to save.
        initial_value_threshold: the value that the metric has to be better than at first.

    Raises:
        ValueError: filepath has another ending, or save_freq is something else.
    """

    def __init__(
        self,
        filepath,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        save_weights_only=False,
        mode="auto",
        save_freq="epoch",
        initial_value_threshold=None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath, self.verbose = os.fspath(filepath), verbose
        self.save_best_only, self.save_weights_only, self.save_freq = save_best_only, save_weights_only, save_freq
        self._counter, self._epoch = BatchCounter(save_freq), 0
        endings = (".weights.h5", ".safetensors") if save_weights_only else (".keras",)
        if not self.filepath.endswith(endings):
            what = "When using `save_weights_only=True` in `ModelCheckpoint`, the" if save_weights_only else "The"
            raise ValueError(f"{what} filepath provided must end in `{endings[0]}`. Received: filepath={self.filepath}")

    def on_epoch_begin(self, epoch, logs=None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None) -> None:
        """Saves if that is due."""
        if self._counter.is_due():
            self._save(self._epoch, logs or {}, batch=batch + 1)

    def on_epoch_end(self, epoch, logs=None) -> None:
        """Saves if that is due."""
        if self.save_best_only:
            self._set_direction()
        if self.save_freq == "epoch":
            self._save(epoch, logs or {})

    def _save(self, epoch: int, logs: dict, **more) -> None:
        try:
            path = self.filepath.format(**{"epoch": epoch + 1, **more, **logs})
        except KeyError as error:
            raise KeyError(f'Failed to format this callback filepath: "{self.filepath}". Reason: {error}') from None
        if not self._is_wanted(epoch, logs, path):
            return
        if os.path.isdir(path):
            raise OSError(
                f"Please specify a non-directory filepath for ModelCheckpoint. Filepath used is an existing directory: "
                f"{path}"
            )
        (self.model.save_weights if self.save_weights_only else self.model.save)(path, overwrite=True)
        self._tell(epoch, f"finished saving model to {path}")

    def _is_wanted(self, epoch: int, logs: dict, path: str) -> bool:
        """Whether to save; notes the best value."""
        if not self.save_best_only:
            self._tell(epoch, f"saving model to {path}")
            return True
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(f"Can save best model only with {self.monitor} available.", stacklevel=2)
            return True
        if np.ndim(current):
            warnings.warn(
                f"Can save best model only when `monitor` is a scalar value. Received: {current}. Falling back to "
                f"`save_best_only=False`.",
                stacklevel=2,
            )
            return True
        before = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(current, self.best):
            self._tell(epoch, f"{self.monitor} did not improve from {before}")
            return False
        self._tell(epoch, f"{self.monitor} improved from {before} to {current:.5f}, saving model to {path}")
        self.best = current
        return True

    def _tell(self, epoch: int, text: str) -> None:
        if self.verbose:
            message(f"\nEpoch {epoch + 1}: {text}")
