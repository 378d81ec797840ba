"""History: what the metrics were, epoch by epoch."""

from nbflow.keras.callbacks.callback import Callback
from nbflow.public import export


@export("keras.callbacks.History")
class History(Callback):
    """Keeps the metrics of each epoch; fit returns it (tf.keras.callbacks.History).

    Attributes:
        epoch: the numbers of the epochs.
        history: {name: value of each epoch}.
    """

    def __init__(self):
        self.epoch: list[int] = []
        self.history: dict[str, list] = {}

    def on_train_begin(self, logs=None) -> None:
        """Forgets an earlier training."""
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None) -> None:
        """Notes the values."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
