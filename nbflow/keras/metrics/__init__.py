"""nf.keras.metrics: numbers that are gathered over batches."""

from typing import TYPE_CHECKING, Any

from nbflow.keras.metrics import accuracy, auc, confusion, f_score, family, iou, means, metric, of_losses, regression

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
