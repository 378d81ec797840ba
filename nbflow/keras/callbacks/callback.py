"""Callback: the base of what training calls."""

from typing import Any

from nbflow.public import export


@export("keras.callbacks.Callback")
class Callback:
    """What fit, evaluate and predict call as they go (tf.keras.callbacks.Callback); subclasses override methods.

    Attributes:
        model: the model that is trained; set `model.stop_training = True` to end training.
        params: {"verbose", "epochs", "steps"} of the call.

    Example:
        >>> import nbflow as nf
        >>> class Shout(nf.keras.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print("epoch", epoch, "is over:", sorted(logs))
    """

    params: dict[str, Any] | None = None
    _model: Any = None

    @property
    def model(self):
        """The model that is trained."""
        return self._model

    def set_params(self, params: dict[str, Any]) -> None:
        """Notes the parameters of the call."""
        self.params = params

    def set_model(self, model) -> None:
        """Notes the model."""
        self._model = model

    def on_epoch_begin(self, epoch, logs=None) -> None:
        """An epoch of training begins."""

    def on_epoch_end(self, epoch, logs=None) -> None:
        """An epoch of training is over; logs are {name: value} of the metrics, "val_…" those of validation."""

    def on_train_batch_begin(self, batch, logs=None) -> None:
        """A batch of training begins."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch, logs=None) -> None:
        """A batch of training is over."""
        self.on_batch_end(batch, logs=logs)

    def on_batch_begin(self, batch, logs=None) -> None:
        """As on_train_batch_begin."""

    def on_batch_end(self, batch, logs=None) -> None:
        """As on_train_batch_end."""

    def on_test_batch_begin(self, batch, logs=None) -> None:
        """A batch of evaluation begins."""

    def on_test_batch_end(self, batch, logs=None) -> None:
        """A batch of evaluation is over."""

    def on_predict_batch_begin(self, batch, logs=None) -> None:
        """A batch of prediction begins."""

    def on_predict_batch_end(self, batch, logs=None) -> None:
        """A batch of prediction is over."""

    def on_train_begin(self, logs=None) -> None:
        """Training begins."""

    def on_train_end(self, logs=None) -> None:
        """Training is over; logs are those of the last epoch."""

    def on_test_begin(self, logs=None) -> None:
        """Evaluation or validation begins."""

    def on_test_end(self, logs=None) -> None:
        """Evaluation or validation is over."""

    def on_predict_begin(self, logs=None) -> None:
        """Prediction begins."""

    def on_predict_end(self, logs=None) -> None:
        """Prediction is over."""
