"""nf.keras.callbacks: what training calls at the beginning and the end of epochs and batches."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.callbacks import (
    backup_and_restore,
    csv_logger,
    early_stopping,
    history,
    lambda_callback,
    learning_rate_scheduler,
    model_checkpoint,
    progbar_logger,
    reduce_lr_on_plateau,
    swap_ema_weights,
    terminate_on_nan,
)
from nbflow.keras.callbacks.callback_list import CallbackList, plain_logs

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...


__all__ = [
    "CallbackList",
    "backup_and_restore",
    "csv_logger",
    "early_stopping",
    "history",
    "lambda_callback",
    "learning_rate_scheduler",
    "model_checkpoint",
    "plain_logs",
    "progbar_logger",
    "reduce_lr_on_plateau",
    "swap_ema_weights",
    "terminate_on_nan",
]
