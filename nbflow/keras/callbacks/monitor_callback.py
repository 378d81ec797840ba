"""MonitorCallback: the base of callbacks that watch one metric."""

import warnings

import numpy as np

from nbflow.keras.callbacks.callback import Callback
from nbflow.keras.metrics.metric import Metric


class MonitorCallback(Callback):
    """Watches a metric, and says whether it got better.

    Args:
        monitor: its name in the logs, such as "val_loss" or "accuracy".
        mode: "min" if less is better, "max" if more is, "auto" to go by the name and the metrics of compile.
        baseline: the value to beat at first; None for no such value.
        min_delta: by how much a value has to be better than the best so far.

    Attributes:
        best: the best value so far, None before there is one.
    """

    def __init__(self, monitor="val_loss", mode="auto", baseline=None, min_delta=0):
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{type(self).__name__} mode '{mode}' is unknown, fallback to auto mode.", stacklevel=3)
            mode = "auto"
        self.monitor, self.mode, self.best, self.min_delta = monitor, mode, baseline, abs(min_delta)
        self._sign: int | None = None  # 1 if more is better, -1 if less is

    def _direction(self) -> int:
        """1 if more is better, -1 if less is; to be found when the metrics are there, after a first epoch.

        Raises:
            ValueError: the mode is "auto", and the metric does not say.
        """
        if self.mode != "auto":
            return 1 if self.mode == "max" else -1
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return -1
        for metric in _all_metrics(self.model.metrics):
            if metric.name == name and metric._direction is not None:
                return 1 if metric._direction == "up" else -1
        raise ValueError(
            f"{type(self).__name__} callback received monitor={self.monitor}, but Keras isn't able to automatically "
            f"determine whether that metric should be maximized or minimized. Pass `mode='max'` in order to monitor "
            f"based on the highest metric value, or pass `mode='min'` in order to use the lowest value."
        )

    def _set_direction(self) -> None:
        if self._sign is None:
            self._sign = self._direction()

    def _is_improvement(self, value, reference) -> bool:
        """Whether a value is better than another by more than min_delta; better than None it always is."""
        if reference is None:
            return True
        self._set_direction()
        return bool(self._sign * (np.subtract(value, reference)) > self.min_delta)

    def _value(self, logs, purpose: str):
        """The metric's value in logs; None, with a warning, where they do not hold it."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{purpose} metric `{self.monitor}` which is not available. Available metrics are: "
                f"{','.join(logs or ())}",
                stacklevel=3,
            )
        return value


def _all_metrics(metrics) -> list[Metric]:
    """Metrics and those that they gather."""
    return [found for metric in metrics for found in [metric, *getattr(metric, "metrics", ())]]
