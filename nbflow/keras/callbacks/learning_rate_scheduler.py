"""LearningRateScheduler: a learning rate by the number of the epoch."""

import numpy as np

from nbflow.keras.callbacks.callback import Callback
from nbflow.keras.settings import message
from nbflow.public import export
from nbflow.tensor.tensor import to_tensor


def rate_of(model) -> float:
    """The learning rate of a model's optimizer."""
    return float(to_tensor(model.optimizer.learning_rate).numpy())


@export("keras.callbacks.LearningRateScheduler")
class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch (tf.keras.callbacks.LearningRateScheduler).

    Args:
        schedule: a function of the number of the epoch, and of the rate if it takes two arguments, that gives the rate.
        verbose: 1 to say what it sets.

    Example:
        >>> import nbflow as nf
        >>> halving = nf.keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)
    """

    def __init__(self, schedule, verbose=0):
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch, logs=None) -> None:
        """Sets the rate.

        Raises:
            ValueError: schedule gives no float.
        """
        if not hasattr(self.model.optimizer, "learning_rate"):
            raise ValueError('Optimizer must have a "learning_rate" attribute.')
        try:
            rate = self.schedule(epoch, rate_of(self.model))
        except TypeError:  # one that takes the epoch alone
            rate = self.schedule(epoch)
        if not isinstance(rate, (float, np.float32, np.float64)):
            raise ValueError(f"The output of the `schedule` function should be a float. Got: {rate}")
        self.model.optimizer.learning_rate = rate
        if self.verbose:
            message(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch, logs=None) -> None:
        """Adds the rate to the logs."""
        if logs is not None:
            logs["learning_rate"] = rate_of(self.model)
