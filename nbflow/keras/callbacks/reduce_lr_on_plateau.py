"""ReduceLROnPlateau: a learning rate that goes down when a metric stops getting better."""

from typing import Any

import numpy as np

from nbflow.keras.callbacks.learning_rate_scheduler import rate_of
from nbflow.keras.callbacks.monitor_callback import MonitorCallback
from nbflow.keras.settings import message
from nbflow.public import export


@export("keras.callbacks.ReduceLROnPlateau")
class ReduceLROnPlateau(MonitorCallback):
    """Lowers the learning rate when a metric stops getting better (tf.keras.callbacks.ReduceLROnPlateau).

    Args:
        monitor: the name of the metric, "val_loss" by default.
        factor: what the rate is multiplied by, less than 1.
        patience: how many epochs in a row may be no better.
        verbose: 1 to say what it sets.
        mode: "min", "max" or "auto", see MonitorCallback.
        min_delta: by how much a value must be better to count.
        cooldown: how many epochs after a change are not counted.
        min_lr: the least rate.

    Raises:
        ValueError: factor is 1 or more.
    """

    def __init__(
        self,
        monitor="val_loss",
        factor=0.1,
        patience=10,
        verbose=0,
        mode="auto",
        min_delta=1e-4,
        cooldown=0,
        min_lr=0.0,
        **kwargs: Any,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}")
        self.factor, self.min_lr, self.patience, self.verbose = factor, min_lr, patience, verbose
        self.cooldown, self.cooldown_counter, self.wait = cooldown, 0, 0

    def on_train_begin(self, logs=None) -> None:
        """Begins anew, so that it may be used for several trainings."""
        self.best, self.cooldown_counter, self.wait = None, 0, 0

    def in_cooldown(self) -> bool:
        """Whether the last change was a short while ago."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch, logs=None) -> None:
        """Adds the rate to the logs, and lowers it if the metric got no better for too long."""
        self._set_direction()
        logs = {} if logs is None else logs
        logs["learning_rate"] = rate_of(self.model)
        current = self._value(logs, "Learning rate reduction is conditioned on")
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best, self.wait = current, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        old = rate_of(self.model)
        if old <= np.float32(self.min_lr):
            return
        new = max(old * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = new
        if self.verbose:
            message(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
        self.cooldown_counter, self.wait = self.cooldown, 0
