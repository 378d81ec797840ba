"""TerminateOnNaN: ends training whose loss is no number any more."""

import numpy as np

from nbflow.keras.callbacks.callback import Callback
from nbflow.keras.settings import message
from nbflow.public import export


@export("keras.callbacks.TerminateOnNaN")
class TerminateOnNaN(Callback):
    """Ends training when the loss is NaN or infinite (tf.keras.callbacks.TerminateOnNaN).

    It reads the loss after each batch.

    Args:
        raise_error: whether it raises a RuntimeError instead, for which callbacks' on_train_end is not called.
    """

    def __init__(self, raise_error: bool = False):
        self.raise_error = raise_error

    def on_batch_end(self, batch, logs=None) -> None:
        """Looks at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or np.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. Terminating training immediately."
            )
        message(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
