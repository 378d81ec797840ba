"""EarlyStopping: ends training that gets no better."""

from nbflow.keras.callbacks.monitor_callback import MonitorCallback
from nbflow.keras.settings import message
from nbflow.public import export


@export("keras.callbacks.EarlyStopping")
class EarlyStopping(MonitorCallback):
    """Ends training when a metric has not got better for some epochs (tf.keras.callbacks.EarlyStopping).

    Args:
        monitor: the name of the metric, "val_loss" by default.
        min_delta: by how much a value must be better to count.
        patience: how many epochs in a row may be no better.
        verbose: 1 to say so when it ends training.
        mode: "min", "max" or "auto", see MonitorCallback.
        baseline: a value that the metric has to be better than; epochs until then count as no better.
        restore_best_weights: whether the model gets the weights of the best epoch in the end.
        start_from_epoch: the number of the epoch to begin to watch with.

    Example:
        >>> import nbflow as nf
        >>> model = nf.keras.Sequential([nf.keras.Input((1,)), nf.keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> stop = nf.keras.callbacks.EarlyStopping("loss", patience=2, min_delta=1e9)
        >>> len(model.fit(nf.ones([4, 1]), nf.ones([4, 1]), epochs=9, verbose=0, callbacks=[stop]).epoch)
        3
    """

    def __init__(
        self,
        monitor="val_loss",
        min_delta=0,
        patience=0,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best_weights = None

    def on_train_begin(self, logs=None) -> None:
        """Begins anew, so that it may be used for several trainings."""
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = self.best_weights = None

    def on_epoch_end(self, epoch, logs=None) -> None:
        """Compares the value with the best, and ends training if it was no better for too long."""
        self._set_direction()
        current = self._value(logs, "Early stopping conditioned on")
        if current is None or epoch < self.start_from_epoch:
            return
        better = self._is_improvement(current, self.best)
        if self.restore_best_weights and (better or self.best_weights is None):
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if better:
            self.best, self.best_epoch = current, epoch
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None) -> None:
        """Puts the best weights back, if that is wanted."""
        if self.stopped_epoch > 0 and self.verbose:
            message(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                message(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)
