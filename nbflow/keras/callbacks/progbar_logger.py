"""ProgbarLogger: the progress bar."""

import time

from nbflow.keras.callbacks.callback import Callback
from nbflow.keras.settings import message
from nbflow.keras.utils.progbar import Progbar
from nbflow.public import export
from nbflow.tensor.protocol import TensorProtocol


@export("keras.callbacks.ProgbarLogger")
class ProgbarLogger(Callback):
    """Draws the progress and the metrics of an epoch (tf.keras.callbacks.ProgbarLogger); verbose says how.

    Raises:
        ValueError: the number of steps does not become known.
    """

    takes_tensors = True  # reading a metric waits for the step: done only when the bar is drawn

    def __init__(self):
        self.bar: Progbar | None = None
        self.seen = 0
        self.called_in_fit = False
        self._drawn = 0.0

    def _begin(self) -> None:
        params = self.params or {}
        self.bar, self.seen = Progbar(params.get("steps"), verbose=params.get("verbose", 1), unit_name="step"), 0

    def on_train_begin(self, logs=None) -> None:
        """Evaluation during training draws no bar of its own."""
        self.called_in_fit = True

    def on_test_begin(self, logs=None) -> None:
        """A bar for evaluation."""
        if not self.called_in_fit:
            self._begin()

    def on_predict_begin(self, logs=None) -> None:
        """A bar for prediction."""
        self._begin()

    def on_epoch_begin(self, epoch, logs=None) -> None:
        """A bar for the epoch, below its number."""
        self._begin()
        epochs = (self.params or {}).get("epochs", 1)
        if (self.params or {}).get("verbose") and epochs > 1:
            message(f"Epoch {epoch + 1}/{epochs}")

    def _step(self, batch, logs) -> None:
        bar, self.seen = self.bar, batch + 1
        now = time.monotonic()
        if bar is not None and bar.verbose == 1 and now - self._drawn >= bar.interval:
            bar.update(self.seen, sorted(_values(logs)), finalize=False)
            self._drawn = now

    def on_train_batch_end(self, batch, logs=None) -> None:
        """Moves the bar on."""
        self._step(batch, logs)

    def on_test_batch_end(self, batch, logs=None) -> None:
        """Moves the bar on."""
        if not self.called_in_fit:
            self._step(batch, logs)

    def on_predict_batch_end(self, batch, logs=None) -> None:
        """Moves the bar on."""
        self._step(batch, None)

    def _finish(self, logs) -> None:
        bar = self.bar
        if bar is None:
            return
        if bar.target is None:
            bar.target = self.seen
        bar.update(bar.target, _values(logs), finalize=True)

    def interrupted(self) -> None:
        """Ends the line of a bar that is not complete."""
        if self.bar is not None:
            self.bar.close()

    def on_epoch_end(self, epoch, logs=None) -> None:
        """The line of the epoch, validation included."""
        self._finish(logs)

    def on_test_end(self, logs=None) -> None:
        """The last line."""
        if not self.called_in_fit:
            self._finish(logs)

    def on_predict_end(self, logs=None) -> None:
        """The last line."""
        self._finish(logs)


def _values(logs) -> list:
    """(name, number) pairs of logs."""
    return [
        (name, float(value.numpy()) if isinstance(value, TensorProtocol) else value)
        for name, value in (logs or {}).items()
        if not hasattr(value, "__len__") or getattr(value, "ndim", 1) == 0
    ]
