"""SwapEMAWeights: evaluates with the averages of weights."""

from nbflow.keras.callbacks.callback import Callback
from nbflow.public import export
from nbflow.tensor.tensor import to_tensor


@export("keras.callbacks.SwapEMAWeights")
class SwapEMAWeights(Callback):
    """Puts the optimizer's averages of the weights in their place for evaluation (tf.keras.callbacks.SwapEMAWeights).

    The optimizer must keep averages, use_ema=True.

    Args:
        swap_on_epoch: whether they stay there from the end of an epoch to the beginning of the next, so that callbacks
            after this one, such as ModelCheckpoint, see them.
    """

    def __init__(self, swap_on_epoch=False):
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def _pairs(self) -> list[tuple]:
        """(weight, its average).

        Raises:
            ValueError: the optimizer keeps no averages.
        """
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if not optimizer.use_ema:
            raise ValueError(
                f"SwapEMAWeights must be used when `use_ema=True` is set on the optimizer. Received: "
                f"use_ema={optimizer.use_ema}"
            )
        return list(zip(optimizer._trainable_variables, optimizer._averages, strict=True))

    def _swap(self, to: bool) -> None:
        if self._swapped is to:
            return
        for weight, average in self._pairs():
            held = weight.numpy()
            weight.assign(to_tensor(average))
            average.assign(held)
        self._swapped = to

    def on_epoch_begin(self, epoch, logs=None) -> None:
        """Puts the weights back."""
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch, logs=None) -> None:
        """Puts the averages in place."""
        if self.swap_on_epoch:
            self._swap(True)
            if epoch == (self.params or {}).get("epochs", 0) - 1:  # the end of fit sets the weights to the averages
                for weight, average in self._pairs():
                    average.assign(to_tensor(weight))

    def on_test_begin(self, logs=None) -> None:
        """Puts the averages in place."""
        self._swap(True)

    def on_test_end(self, logs=None) -> None:
        """Puts the weights back."""
        self._swap(False)

    def on_predict_begin(self, logs=None) -> None:
        """Puts the averages in place."""
        self._swap(True)

    def on_predict_end(self, logs=None) -> None:
        """Puts the weights back."""
        self._swap(False)
