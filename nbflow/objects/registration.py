"""Which classes and functions may be made from a name in a file: the library's own, and those that users register."""

import threading
from collections.abc import Callable
from typing import Any

from nbflow.public import NAMES, export

_registered: dict[str, Any] = {}  # "Package>Name" -> the class or function
_names: dict[Any, str] = {}


class _Scopes(threading.local):
    def __init__(self):
        self.open: tuple[dict[str, Any], ...] = ()


_scopes = _Scopes()


@export("keras.saving.register_keras_serializable", "keras.utils.register_keras_serializable")
def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable:
    """Lets a class or function of yours be saved with models and found again on loading; used as a decorator.

    Args:
        package: a prefix that keeps names of different projects apart.
        name: the name; by default that of the class or function.

    Raises:
        ValueError: a class has no get_config method.

    Example:
        >>> import nbflow as nf
        >>> @nf.keras.saving.register_keras_serializable("docs")
        ... def scaled_relu(x):
        ...     return 2 * nf.nn.relu(x)
        >>> nf.keras.saving.get_registered_name(scaled_relu)
        'docs>scaled_relu'
    """

    def note(thing):
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(f"Cannot register a class that does not have a get_config() method: {thing.__name__}")
        registered = f"{package}>{name or thing.__name__}"
        _registered[registered], _names[thing] = thing, registered
        return thing

    return note


@export("keras.saving.get_registered_name", "keras.utils.get_registered_name")
def get_registered_name(obj) -> str:
    """The name that a class or function is registered under; its own name where it is not."""
    return _names.get(obj) or obj.__name__


@export("keras.saving.get_registered_object", "keras.utils.get_registered_object")
def get_registered_object(name: str, custom_objects=None, module_objects=None):
    """The class or function of a registered name, None where there is none.

    Args:
        custom_objects, module_objects: {name: thing}, looked at as well.
    """
    for known in (*reversed(_scopes.open), _registered, custom_objects or {}, module_objects or {}):
        if name in known:
            return known[name]
    return None


@export("keras.saving.get_custom_objects", "keras.utils.get_custom_objects")
def get_custom_objects() -> dict[str, Any]:
    """The registered classes and functions by name; what is added to this dict is registered."""
    return _registered


@export(
    "keras.saving.custom_object_scope",
    "keras.saving.CustomObjectScope",
    "keras.utils.custom_object_scope",
    "keras.utils.CustomObjectScope",
)
class CustomObjectScope:
    """A block in which names stand for classes and functions of yours.

    Args:
        custom_objects: {name: class or function}.
    """

    def __init__(self, custom_objects: dict[str, Any]):
        self.custom_objects = dict(custom_objects or {})

    def __enter__(self):
        _scopes.open = (*_scopes.open, self.custom_objects)
        return self

    def __exit__(self, *_) -> None:
        _scopes.open = _scopes.open[:-1]


def custom(name: str):
    """What a name stands for among users' objects, with or without its package; None where there is none."""
    for known in (*reversed(_scopes.open), _registered):
        latest_first = reversed(known.items())
        found = known.get(name) or next((v for k, v in latest_first if k.rpartition(">")[2] == name), None)
        if found is not None:
            return found
    return None


_inner: dict[str, Any] = {}  # names in files of classes that are not published


def written_as(path: str) -> Callable:
    """Gives one of the library's classes the name that files have for it though it is not published; a decorator."""

    def note(thing):
        _inner[path] = thing
        return thing

    return note


def built_in(path: str):
    """The library's class or function that is published as nf.<path> or written so, None where there is none."""
    return _inner.get(path) or NAMES.get(path)


_paths: dict[Any, str] = {}


def path_of(thing) -> str | None:
    """The first of the names "keras.…" that one of the library's classes or functions is published under."""
    if len(_paths) != len(NAMES):
        _paths.clear()
        for path, published in NAMES.items():
            if path.startswith("keras."):
                _paths.setdefault(published, path)
        _paths.update((thing, path) for path, thing in _inner.items())
        _paths["known"] = ""
    return _paths.get(thing)
