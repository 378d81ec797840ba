"""The losses and metrics of compile(): matched with the outputs of a model, and computed together."""

import warnings
from typing import Any

import optree

from nbflow.arrays.shaping import shape
from nbflow.keras import losses, metrics
from nbflow.keras.losses.loss import Loss, LossFunctionWrapper
from nbflow.keras.metrics.means import Mean, MeanMetricWrapper
from nbflow.keras.metrics.metric import Metric
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import to_tensor

_ACCURACIES = {
    "accuracy": ("BinaryAccuracy", "SparseCategoricalAccuracy", "CategoricalAccuracy"),
    "crossentropy": ("BinaryCrossentropy", "SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
}
_SHORT = {"acc": "accuracy", "accuracy": "accuracy", "ce": "crossentropy", "crossentropy": "crossentropy"}


def _is_leaf(value) -> bool:
    return value is None or isinstance(value, (TensorProtocol, str, Loss, Metric)) or callable(value)


class Outputs:
    """The outputs of a model as a flat list with names.

    Args:
        y_pred: what the model gave: a tensor, a list or a dict.
        names: the names of the output layers, if the model knows them.
    """

    def __init__(self, y_pred, names: list[str] | None):
        self.single = isinstance(y_pred, TensorProtocol)
        if isinstance(y_pred, dict):
            self.names: list = list(y_pred)
            self.values = list(y_pred.values())
        else:
            self.values = optree.tree_leaves(y_pred)
            self.names = list(names) if names and len(names) == len(self.values) else [None] * len(self.values)
        self.keyed = isinstance(y_pred, dict)

    def matched(self, given, what: str) -> list:
        """One item of something given for each output: a list or dict in their order, or one for all.

        Raises:
            ValueError: there are more or fewer, or names are unknown.
        """
        if given is None:
            return [None] * len(self.values)
        if isinstance(given, dict):
            unknown = [name for name in given if name not in self.names]
            if unknown:
                raise ValueError(
                    f"In the dict argument `{what}`, key '{unknown[0]}' does not correspond to any model output. "
                    f"Received: {what}={given!r:.300}; the outputs are {self.names}"
                )
            return [given.get(name) for name in self.names]
        if len(self.values) == 1:
            only = not isinstance(given, (list, tuple)) or len(given) != 1
            return [given if only else given[0]]
        if not isinstance(given, (list, tuple)) or len(given) != len(self.values):
            raise ValueError(
                f"For a model with multiple outputs, when providing the `{what}` argument as a list, it should have as "
                f"many entries as the model has outputs. Received: {what}={given!r:.300}, and the model has "
                f"{len(self.values)} outputs"
            )
        return list(given)

    def targets(self, y, losses=None) -> list:
        """The targets, one for each output; those of outputs without loss may be left out."""
        if isinstance(y, dict):
            if self.keyed or any(name in y for name in self.names):
                return [y.get(name) for name in self.names]
            y = list(y.values())
        leaves = optree.tree_leaves(y, none_is_leaf=True) if y is not None else [None] * len(self.values)
        if len(leaves) != len(self.values):
            several = isinstance(losses, (list, tuple)) and len(losses) == len(self.values)
            if several and len(leaves) == sum(loss is not None for loss in losses):
                given = iter(leaves)
                return [None if loss is None else next(given) for loss in losses]
            raise ValueError(
                f"The model has {len(self.values)} outputs and {len(leaves)} targets. Give a target for each output, "
                f"or None for outputs without loss"
            )
        return leaves


class CompiledLoss:
    """The losses of compile(), as one number.

    Args:
        loss: a loss, or a list or dict of them, one for each output.
        loss_weights: their weights, in the same form.
        output_names: the names of the model's outputs, if it knows them.
    """

    def __init__(self, loss, loss_weights, output_names):
        self._given, self._weights, self.names = loss, loss_weights, output_names
        if loss_weights is not None and not isinstance(loss_weights, (list, tuple, dict, float, int)):
            raise ValueError(f"compile: loss_weights is {loss_weights!r:.200}; it takes a list or dict of numbers")
        for item in optree.tree_leaves(loss, is_leaf=_is_leaf):  # unknown names are told at once
            if not (isinstance(item, str) and _SHORT.get(item.lower()) == "crossentropy"):
                losses.get(item)
        self._losses: list[Any] | None = None
        self.trackers: list[Mean] = []

    def by_output(self, outputs: Outputs) -> list:
        """What was given for each output."""
        if isinstance(self._given, (list, tuple, dict)) or len(outputs.values) == 1:
            return outputs.matched(self._given, "loss")
        return [self._given] * len(outputs.values)

    def build(self, outputs: Outputs, targets: list) -> None:
        """Matches losses and outputs."""
        self._losses = [
            None if item is None else _as_loss(item, target, value)
            for item, target, value in zip(self.by_output(outputs), targets, outputs.values, strict=True)
        ]
        weights = self._weights
        if isinstance(weights, (float, int)):
            weights = [weights] * len(outputs.values)
        self._loss_weights = outputs.matched(weights, "loss_weights")
        if len([item for item in self._losses if item is not None]) > 1:
            names = [name or f"output_{k}" for k, name in enumerate(outputs.names)]
            self.trackers = [
                Mean(name=f"{name}_loss") for name, item in zip(names, self._losses, strict=True) if item is not None
            ]

    def __call__(self, y, y_pred, sample_weight=None):
        """The weighted sum of all losses; None where there is none."""
        outputs = Outputs(y_pred, self.names)
        targets = outputs.targets(y, self._given)
        if self._losses is None:
            self.build(outputs, targets)
        assert self._losses is not None
        single = isinstance(sample_weight, TensorProtocol) or sample_weight is None
        weights = [sample_weight] * len(targets) if single else outputs.targets(sample_weight)
        total, trackers = None, iter(self.trackers)
        for item, factor, target, value, weight in zip(
            self._losses, self._loss_weights, targets, outputs.values, weights, strict=True
        ):
            if item is None:
                continue
            if target is None:
                raise ValueError(f"The loss '{item.name}' needs a target (y), and there is none for its output")
            _warn_of_broadcasting(item, target, value)
            part = item(target, value, weight)
            if self.trackers:
                next(trackers).update_state(part, sample_weight=_batch_size(value))
            if factor is not None:
                part = part * factor
            total = part if total is None else total + part
        return total


def _batch_size(value):
    size = value.shape[0] if value.ndim else 1
    return shape(value)[0] if size is None else size


def _warn_of_broadcasting(loss: Loss, target, value) -> None:
    """Targets of one column for several outputs, or the other way round, give a number, but seldom the one meant."""
    elementwise = getattr(getattr(loss, "fn", None), "__module__", None) == losses.mean_squared_error.__module__
    shapes = [tuple(t.shape[1:]) for t in (target, value) if isinstance(t, TensorProtocol)]
    if (
        elementwise
        and len({len(shape) for shape in shapes}) == 1
        and any((a == 1) != (b == 1) for a, b in zip(*shapes))
    ):
        warnings.warn(
            f"The loss '{loss.name}' broadcasts targets of shape {(None, *shapes[0])} against outputs of shape "
            f"{(None, *shapes[1])}. If that is not what you want, give the last layer as many units as a target "
            f"has numbers",
            stacklevel=2,
        )


def _as_loss(item, target, value) -> Loss:
    if isinstance(item, str) and _SHORT.get(item.lower()) == "crossentropy":
        binary, sparse = _kind(target, value)
        kind = "binary" if binary else "sparse_categorical" if sparse else "categorical"
        return LossFunctionWrapper(getattr(losses, f"{kind}_crossentropy"), name=item)
    found = losses.get(item)
    if isinstance(found, Loss):
        return found
    name = item if isinstance(item, str) else getattr(found, "__name__", type(found).__name__)
    return LossFunctionWrapper(found, name=name)


def _kind(y_true, y_pred) -> tuple[bool, bool]:
    """Whether targets and outputs are of two classes, and whether targets are numbers of classes."""
    y_true = to_tensor(y_true)
    binary = tuple(y_pred.shape[-1:]) == (1,)
    return binary, not binary and (y_true.ndim < y_pred.ndim or tuple(y_true.shape[-1:]) == (1,))


class CompiledMetrics(Metric):
    """The metrics of compile(), by output; results are a dict.

    Args:
        given, weighted: metrics, in lists or dicts by output; those of `weighted` take sample weights.
        output_names: the names of the model's outputs, if it knows them.
    """

    def __init__(self, given, weighted, output_names):
        super().__init__(name="compile_metrics")
        for what, value in (("metrics", given), ("weighted_metrics", weighted)):
            if value is not None and not isinstance(value, (list, tuple, dict)):
                raise ValueError(
                    f"Expected `{what}` argument to be a list, tuple, or dict. Received instead: {what}={value!r:.200} "
                    f"of type {type(value)}"
                )
            for item in optree.tree_leaves(value, is_leaf=_is_leaf):
                if not (isinstance(item, str) and item.lower() in _SHORT):
                    metrics.get(item)  # unknown names are told at once
        self._given, self._weighted, self._names = given, weighted, output_names
        self._built: list[tuple[int, Metric, bool, str]] | None = None  # output, metric, weighted, name

    @property
    def metrics(self) -> list[Metric]:
        """The metrics of all outputs."""
        return [metric for _, metric, _, _ in self._built or ()]

    @property
    def variables(self) -> list:
        """The state of all."""
        return [v for metric in self.metrics for v in metric.variables]

    def build(self, y, y_pred) -> None:
        """Matches metrics and outputs; "accuracy" becomes the one for the shapes of y and y_pred."""
        outputs = Outputs(y_pred, self._names)
        targets = outputs.targets(y)
        built = []
        for given, weighted in ((self._given, False), (self._weighted, True)):
            if given is None:
                continue
            flat = not isinstance(given, dict) and not any(isinstance(item, (list, tuple)) for item in given)
            if flat and (len(outputs.values) == 1 or len(given) != len(outputs.values)):
                if len(outputs.values) > 1:
                    outputs.matched(given, "metrics")  # raises
                found = [given]
            else:
                found = outputs.matched(given, "metrics")
            for k, items in enumerate(found):
                for item in items if isinstance(items, (list, tuple)) else [items]:
                    if item is None:
                        continue
                    metric = _as_metric(item, targets[k], outputs.values[k])
                    prefix = outputs.names[k] if len(outputs.values) > 1 and outputs.names[k] else ""
                    built.append((k, metric, weighted, f"{prefix}_{metric.name}" if prefix else metric.name))
        self._built = built

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Updates all metrics."""
        if self._built is None:
            self.build(y_true, y_pred)
        outputs = Outputs(y_pred, self._names)
        targets = outputs.targets(y_true)
        single = isinstance(sample_weight, TensorProtocol) or sample_weight is None
        weights = [sample_weight] * len(targets) if single else outputs.targets(sample_weight)
        for k, metric, weighted, _ in self._built or ():
            target, value = targets[k], outputs.values[k]
            if weighted:
                metric.update_state(target, value, sample_weight=weights[k])
            else:
                metric.update_state(target, value)

    def result(self) -> dict:
        """{name: result}."""
        results: dict[str, Any] = {}
        for _, metric, weighted, name in self._built or ():
            value = metric.result()
            if isinstance(value, dict):
                results |= value
                continue
            if name in results and weighted:
                prefix = name.removesuffix(metric.name)
                name = f"{prefix}weighted_{metric.name}"
            unique, number = name, 1
            while unique in results:
                unique, number = f"{name}_{number}", number + 1
            results[unique] = value
        return results

    def reset_state(self) -> None:
        """Resets all metrics."""
        for metric in self.metrics:
            metric.reset_state()


def _as_metric(item, y_true, y_pred) -> Metric:
    if isinstance(item, str) and item.lower() in _SHORT and y_true is not None:
        names = _ACCURACIES[_SHORT[item.lower()]]
        binary, sparse = _kind(y_true, y_pred)
        return getattr(metrics, names[0 if binary else 1 if sparse else 2])(name=item)
    found = metrics.get(item)
    if not isinstance(found, Metric):
        found = MeanMetricWrapper(found, name=getattr(found, "name", getattr(found, "__name__", type(found).__name__)))
    if isinstance(item, str):
        found.name = item  # as histories show it
    return found
