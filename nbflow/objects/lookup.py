"""Families of objects that are asked for by name, configuration or as they are: losses, activations, optimizers …"""

import re
from typing import Any

from nbflow.objects.registration import custom
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object


class Family:
    """What one kind of object goes by.

    Args:
        what: what error messages call it, such as "loss function".
        namespace: "keras.losses": where the configurations of its members say that they are.
        members: {name: class or function}; `get("name")` gives a function as it is and makes an object of a class.
    """

    def __init__(self, what: str, namespace: str, members: dict[str, Any]):
        self.what, self.namespace, self.members = what, namespace, members

    def get(self, identifier):
        """An object of the family.

        Args:
            identifier: None, a name, a configuration, a class or an object.

        Raises:
            ValueError: there is no such name, or identifier is nothing of that kind.
        """
        if identifier is None:
            return None
        if isinstance(identifier, dict):
            found = self.deserialize(identifier)
        elif isinstance(identifier, str):
            found = self.named(identifier)
        else:
            found = identifier
        if isinstance(found, type):
            found = found()
        if not callable(found) and not hasattr(found, "get_config"):
            raise ValueError(f"Could not interpret {self.what} identifier: {identifier!r:.200}")
        return found

    def named(self, name: str):
        """The class or function of a name.

        Raises:
            ValueError: there is none; the message names those that are alike.
        """
        found = custom(name) or self.members.get(name) or self.members.get(name.lower())
        if found is None:
            alike = [known for known in self.members if known.lower().replace("_", "") == name.lower().replace("_", "")]
            known = ", ".join(alike or sorted({n for n in self.members if n.islower()}))
            raise ValueError(
                f"Could not interpret {self.what} identifier: {name!r}. Known names: {known}. Things of your own are "
                f"found once they are registered with nf.keras.saving.register_keras_serializable"
            )
        return found

    def serialize(self, thing):
        """The configuration of a member, from which deserialize makes it again."""
        return serialize_keras_object(thing)

    def deserialize(self, config, custom_objects=None):
        """A member from its configuration or name."""
        if isinstance(config, str):
            return self.named(config)
        if isinstance(config, dict) and "module" not in config and isinstance(config.get("class_name"), str):
            found = self.named(config["class_name"])  # as older versions of Keras wrote it
            return found.from_config(config.get("config", {})) if isinstance(found, type) else found
        return deserialize_keras_object(config, custom_objects)


def by_names(things, extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """{name: thing} under their own names, those in snake case, and extra ones."""
    named = {}
    for thing in things:
        named[thing.__name__] = thing
        named[snake_case(thing.__name__)] = thing
    return {**named, **(extra or {})}


def snake_case(name: str) -> str:
    """ "MeanSquaredError" as "mean_squared_error", the way that Keras names layers: "Conv2D" is "conv2d"."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
