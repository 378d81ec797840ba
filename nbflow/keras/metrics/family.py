"""Metrics by name or configuration."""

from nbflow.keras.metrics import (  # noqa: F401  (what they publish)
    accuracy,
    auc,
    confusion,
    f_score,
    iou,
    means,
    metric,
    of_losses,
    regression,
)
from nbflow.objects.lookup import Family, by_names
from nbflow.public import NAMES, export

_PLACE = "keras.metrics."
_CLASSES = {
    name.removeprefix(_PLACE): thing
    for name, thing in NAMES.items()
    if name.startswith(_PLACE) and isinstance(thing, type)
}
_SHORT = {
    "bce": "BinaryCrossentropy",
    "mse": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "msle": "MeanSquaredLogarithmicError",
}
_ALIASES = {alias: _CLASSES[name] for short, name in _SHORT.items() for alias in (short, short.upper())}
_FAMILY = Family("metric", "keras.metrics", by_names(_CLASSES.values(), _ALIASES))

get = export("keras.metrics.get")(_FAMILY.get)
serialize = export("keras.metrics.serialize")(_FAMILY.serialize)
deserialize = export("keras.metrics.deserialize")(_FAMILY.deserialize)
