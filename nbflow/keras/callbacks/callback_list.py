"""CallbackList: calls callbacks, and only those that have something to do there."""

from typing import Any

import optree

from nbflow.keras.callbacks.callback import Callback
from nbflow.keras.callbacks.history import History
from nbflow.keras.callbacks.progbar_logger import ProgbarLogger
from nbflow.public import export
from nbflow.tensor.protocol import TensorProtocol

_BATCH = [f"on_{kind}_batch_{when}" for kind in ("train", "test", "predict") for when in ("begin", "end")]
_EPOCH = ["on_epoch_begin", "on_epoch_end"]
_WHOLE = [f"on_{kind}_{when}" for kind in ("train", "test", "predict") for when in ("begin", "end")]
_EVENTS = (*_BATCH, *_EPOCH, *_WHOLE)
_GENERAL = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


def plain_logs(logs) -> dict[str, Any]:
    """Logs as Python numbers."""

    def plain(value):
        if isinstance(value, TensorProtocol):
            value = value.numpy()
        return float(value) if getattr(value, "ndim", 0) == 0 and hasattr(value, "__float__") else value

    return {name: optree.tree_map(plain, value) for name, value in (logs or {}).items()}


@export("keras.callbacks.CallbackList")
class CallbackList:
    """Several callbacks as one (tf.keras.callbacks.CallbackList).

    Args:
        callbacks: Callback objects, in a list or not.
        add_history, add_progbar: whether to add a History and a ProgbarLogger.
        model: the model.
        params: verbose, epochs, steps.

    Attributes:
        history: the History among them, None where there is none.
    """

    def __init__(self, callbacks=None, add_history=False, add_progbar=False, model=None, **params):
        self.callbacks = list(optree.tree_leaves(callbacks)) if callbacks is not None else []
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise ValueError(f"callbacks: {callback!r:.200} is no keras.callbacks.Callback")
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        if add_history and not any(isinstance(c, History) for c in self.callbacks):
            self.callbacks.append(History())
        self.history = next((c for c in self.callbacks if isinstance(c, History)), None)
        self._sort()
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def _sort(self) -> None:
        """Finds which callbacks each event concerns."""
        self._by_event = {event: self._concerned(event) for event in _EVENTS} if self.callbacks else {}

    def _concerned(self, event: str) -> list[Callback]:
        """The callbacks that override a method."""
        events = [event, _GENERAL[event]] if event in _GENERAL else [event]
        return [c for c in self.callbacks if any(getattr(type(c), e) is not getattr(Callback, e) for e in events)
                or any(e in vars(c) for e in events)]  # fmt: skip

    def interrupted(self) -> None:
        """Lets those that hold something let go of it: training ended by an exception."""
        for callback in self.callbacks:
            if hasattr(callback, "interrupted"):
                callback.interrupted()

    def append(self, callback: Callback) -> None:
        """Adds a callback."""
        self.callbacks.append(callback)
        self._sort()

    def set_params(self, params: dict[str, Any]) -> None:
        """Tells all of them the parameters."""
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model) -> None:
        """Tells all of them the model."""
        for callback in self.callbacks:
            callback.set_model(model)

    def _call(self, event: str, *args, logs=None) -> None:
        concerned = self._by_event.get(event)
        if not concerned:
            return
        numbers = None
        for callback in concerned:
            if getattr(callback, "takes_tensors", False):
                getattr(callback, event)(*args, logs=logs if numbers is None else numbers)
            else:
                if numbers is None:
                    numbers = plain_logs(logs) if not event.startswith("on_predict") else dict(logs or {})
                getattr(callback, event)(*args, logs=numbers)


def _add_events() -> None:
    """A method of CallbackList for each event."""

    def event_of_batch(event: str):
        def method(self, batch, logs=None):
            self._call(event, batch, logs=logs)

        return method

    def event_of_whole(event: str):
        def method(self, logs=None):
            self._call(event, logs=logs)

        return method

    for event in (*_BATCH, *_EPOCH):
        setattr(CallbackList, event, event_of_batch(event))
    for event in _WHOLE:
        setattr(CallbackList, event, event_of_whole(event))
    for when in ("begin", "end"):
        setattr(CallbackList, f"on_batch_{when}", event_of_batch(f"on_train_batch_{when}"))


_add_events()
