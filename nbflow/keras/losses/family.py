"""Losses by name or configuration."""

from nbflow.keras.losses import loss, margins, probabilistic, regions, regression  # noqa: F401  (what they publish)
from nbflow.objects.lookup import Family
from nbflow.public import NAMES, export

_PLACE = "keras.losses."
_MEMBERS = {name.removeprefix(_PLACE): thing for name, thing in NAMES.items() if name.startswith(_PLACE)}
_FAMILY = Family("loss function", "keras.losses", _MEMBERS)

get = export("keras.losses.get")(_FAMILY.get)
serialize = export("keras.losses.serialize")(_FAMILY.serialize)
deserialize = export("keras.losses.deserialize")(_FAMILY.deserialize)
