"""nf.keras.callbacks: what training calls at the beginning and the end of epochs and batches."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.callbacks import history, progbar_logger
from nbflow.keras.callbacks.callback_list import CallbackList, plain_logs

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...


__all__ = ["CallbackList", "history", "plain_logs", "progbar_logger"]
