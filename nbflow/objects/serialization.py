"""Objects to JSON and back, in Keras 3's format. Only the library's own names and registered ones are made again."""

import types
from typing import Any

import numpy as np

from nbflow.dtypes import DType
from nbflow.objects.registration import CustomObjectScope, built_in, custom, get_registered_name, path_of
from nbflow.public import export
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import to_tensor

_PLAIN = (str, bool, int, float, types.NoneType)


@export("keras.saving.serialize_keras_object", "keras.utils.serialize_keras_object")
def serialize_keras_object(obj) -> Any:
    """The configuration of an object as what JSON can hold (tf.keras.saving.serialize_keras_object).

    Args:
        obj: an object with get_config, a function, a tensor, an array, a number, or lists and dicts of these.

    Raises:
        TypeError: an object has no get_config method.
    """
    if isinstance(obj, _PLAIN):
        return obj
    if isinstance(obj, (list, tuple)):
        return [serialize_keras_object(v) for v in obj]
    if isinstance(obj, dict):
        return {key: serialize_keras_object(v) for key, v in obj.items()}
    for kinds, write in _WRITERS:
        if isinstance(obj, kinds):
            return write(obj)
    if not hasattr(obj, "get_config"):
        raise TypeError(
            f"Cannot serialize object {obj!r:.200} of type {type(obj).__name__}. To be serializable, a class must have "
            f"a get_config() method"
        )
    path = path_of(type(obj))
    module, _, name = path.rpartition(".") if path else (type(obj).__module__, "", type(obj).__name__)
    written = {
        "module": module,
        "class_name": name,
        "config": {key: serialize_keras_object(v) for key, v in obj.get_config().items()},
        "registered_name": None if path else get_registered_name(type(obj)),
    }
    for key in ("build", "compile"):
        found = getattr(obj, f"get_{key}_config", lambda: None)()
        if found:
            written[f"{key}_config"] = {k: serialize_keras_object(v) for k, v in found.items()}
    return written


def _function(function) -> dict:
    name = get_registered_name(function)
    if name == "<lambda>":
        return {"class_name": "__lambda__", "config": {"value": None}}
    config = function.__name__ if path_of(function) else name
    return {"module": "builtins", "class_name": "function", "config": config, "registered_name": "function"}


_WRITERS: list[tuple[Any, Any]] = [
    (bytes, lambda v: {"class_name": "__bytes__", "config": {"value": v.decode()}}),
    (slice, lambda v: {"class_name": "__slice__", "config": {"start": v.start, "stop": v.stop, "step": v.step}}),
    (types.EllipsisType, lambda v: {"class_name": "__ellipsis__", "config": {}}),
    (np.generic, lambda v: v.item()),
    (np.ndarray, lambda v: {"class_name": "__numpy__", "config": {"value": v.tolist(), "dtype": v.dtype.name}}),
    (DType, lambda v: v.name),
    (
        TensorProtocol,
        lambda v: {"class_name": "__tensor__", "config": {"value": v.numpy().tolist(), "dtype": v.dtype.name}},
    ),
    ((types.FunctionType, types.BuiltinFunctionType, np.ufunc), _function),
]


@export("keras.saving.deserialize_keras_object", "keras.utils.deserialize_keras_object")
def deserialize_keras_object(config, custom_objects=None, safe_mode=True, **kwargs) -> Any:
    """Makes the object that serialize_keras_object wrote (tf.keras.saving.deserialize_keras_object).

    Args:
        config: what it wrote.
        custom_objects: {name: class or function} that names in it may stand for.
        safe_mode: accepted as Keras'; code in a configuration is never run.

    Raises:
        ValueError: the library has no such name, or the configuration holds code.
        TypeError: a name of the user's is not registered.
    """
    if custom_objects:
        with CustomObjectScope(custom_objects):
            return deserialize_keras_object(config)
    if isinstance(config, list):
        return [deserialize_keras_object(v) for v in config]
    if not isinstance(config, dict):
        return config
    name, inner = config.get("class_name"), config.get("config")
    if not isinstance(name, str) or "config" not in config:
        return {key: deserialize_keras_object(v) for key, v in config.items()}
    if name in _READERS:
        return _READERS[name](inner)
    if name == "function":
        return _found(config, inner)
    cls = _found(config, name)
    if not isinstance(cls, type) or not hasattr(cls, "from_config"):
        raise ValueError(f"{name!r} in a configuration stands for {cls!r}, which is no class with from_config")
    made: Any = cls.from_config(inner)
    build = config.get("build_config")
    if build and hasattr(made, "build_from_config"):
        made.build_from_config(deserialize_keras_object(build))
    compiled = config.get("compile_config")
    if compiled and hasattr(made, "compile_from_config"):
        made.compile_from_config(compiled)
    return made


def _found(config: dict, name):
    """The class or function that a configuration names."""
    registered, module = config.get("registered_name"), str(config.get("module", ""))
    for asked in (registered, name):
        if isinstance(asked, str) and asked != "function" and (found := custom(asked)) is not None:
            return found
    if isinstance(name, str):
        module = module.removeprefix("tf_keras.").replace("keras._legacy.", "keras.")
        places = _FUNCTIONS if config["class_name"] == "function" else (module,)
        for place in places:
            if place.split(".")[0] == "keras" and (found := built_in(f"{place}.{name}")) is not None:
                return found
    known = module.split(".")[0] == "keras"  # as Keras tells the library's names from users'
    raise (ValueError if known else TypeError)(
        f"Could not find {name!r} of {module or 'no module'} in the library or among registered objects. Register it "
        f"with nf.keras.saving.register_keras_serializable, or pass custom_objects={{{name!r}: …}}"
    )


_FUNCTIONS = ("keras.activations", "keras.losses", "keras.metrics", "keras.initializers", "keras.ops")


def _refuse_code(inner):
    raise ValueError(
        "A Python lambda in a configuration is code from a file, which is never run. Give the function a name, "
        "register it with nf.keras.saving.register_keras_serializable, and save again"
    )


_READERS = {
    "__tuple__": lambda inner: tuple(deserialize_keras_object(v) for v in inner["value"]),
    "__bytes__": lambda inner: inner["value"].encode(),
    "__slice__": lambda inner: slice(inner["start"], inner["stop"], inner["step"]),
    "__ellipsis__": lambda inner: ...,
    "__numpy__": lambda inner: np.array(inner["value"], inner["dtype"]),
    "__tensor__": lambda inner: to_tensor(np.array(inner["value"], inner["dtype"])),
    "__lambda__": _refuse_code,
}
