"""Whether targets that are numbers of classes fit the outputs of a model, seen before they make losses NaN."""

from nbflow.errors import InvalidArgumentError
from nbflow.keras.losses.loss import LossFunctionWrapper
from nbflow.keras.losses.probabilistic import sparse_categorical_crossentropy
from nbflow.keras.training.compiled import CompiledLoss, Outputs
from nbflow.shapes import Dim
from nbflow.tensor.protocol import TensorProtocol


class Labels:
    """What numbers of classes the losses of compile() take.

    A compiled step cannot raise for a value: it would have changed weights by then. So labels are looked at here.

    Args:
        compiled: the losses.
        y_pred: the outputs of the model; tensors without values will do.
    """

    def __init__(self, compiled: CompiledLoss, y_pred):
        self._outputs = Outputs(y_pred, compiled.names)
        self._given = compiled.by_output(self._outputs)
        self._limits = [_limit(item, value) for item, value in zip(self._given, self._outputs.values, strict=True)]
        self.any = any(limit is not None for limit in self._limits)

    def check(self, data: tuple) -> None:
        """Raises for labels of a batch, or of all data, that are no number of a class.

        Raises:
            InvalidArgumentError: one is negative, or as large as the number of classes or larger.
        """
        if len(data) < 2 or data[1] is None:
            return
        targets = self._outputs.targets(data[1], self._given)
        for limit, labels, name in zip(self._limits, targets, self._outputs.names, strict=True):
            if limit is None or labels is None:
                continue
            classes, ignored = limit
            values = labels.numpy() if isinstance(labels, TensorProtocol) else labels
            if ignored is not None:
                values = values[values != ignored]
            if values.size and not (values.min() >= 0 and values.max() < classes):
                bad = values.min() if values.min() < 0 else values.max()
                of = f" of output '{name}'" if name and len(self._limits) > 1 else ""
                raise InvalidArgumentError(
                    f"Received a label value of {bad} which is outside the valid range of [0, {classes}): the "
                    f"targets{of} go from {values.min()} to {values.max()}, and the model has {classes} classes. Give "
                    f"its last layer as many units as there are classes, and number the classes from 0"
                )


def _limit(item, value) -> tuple | None:
    """(number of classes, ignored label) of a loss that takes numbers of classes."""
    if isinstance(item, LossFunctionWrapper):
        found, ignored = item.fn, item._fn_kwargs.get("ignore_class")
    else:
        found, ignored = item, None
    if not (found is sparse_categorical_crossentropy or found == "sparse_categorical_crossentropy"):
        return None
    classes = value.nbflow_shape[-1] if value.ndim else None
    return None if classes is None or isinstance(classes, Dim) else (classes, ignored)
