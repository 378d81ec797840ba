"""LambdaCallback: a callback of functions."""

from nbflow.keras.callbacks.callback import Callback
from nbflow.public import export


@export("keras.callbacks.LambdaCallback")
class LambdaCallback(Callback):
    """Calls functions (tf.keras.callbacks.LambdaCallback).

    Args:
        on_epoch_begin, on_epoch_end, on_train_begin, on_train_end, on_train_batch_begin, on_train_batch_end: functions
            with the arguments of Callback's methods of these names.
        kwargs: other methods of Callback, or attributes.

    Example:
        >>> import nbflow as nf
        >>> shown = nf.keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, sorted(logs)))
        >>> shown.on_epoch_end(0, {"loss": 0.5})
        0 ['loss']
    """

    def __init__(
        self,
        on_epoch_begin=None,
        on_epoch_end=None,
        on_train_begin=None,
        on_train_end=None,
        on_train_batch_begin=None,
        on_train_batch_end=None,
        **kwargs,
    ):
        given = {
            "on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin,
            "on_train_end": on_train_end, "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }  # fmt: skip
        vars(self).update(kwargs)
        vars(self).update({name: function for name, function in given.items() if function is not None})
