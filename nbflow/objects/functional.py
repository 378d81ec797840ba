"""Classes made of functions: losses and metrics that are a function with its further arguments."""

import inspect
from collections.abc import Callable
from typing import Any

from nbflow.public import export


def as_class(base: type, path: str, arguments: str, name: str | None = None, keys: str | None = None, **members):
    """Publishes, beside a function of (y_true, y_pred, …), a class of objects that call it; used as a decorator.

    Args:
        base: the class to derive from; its constructor takes the function and all that `arguments` names.
        path: the public name, "keras.losses.Huber".
        arguments: names of the constructor's arguments in order; defaults are those of the function or the base.
        name: the default of the argument `name`; by default the function's.
        keys: names of arguments that configurations hold; by default those of the function.
        **members: attributes of the class.
    """

    def make(function: Callable) -> Callable:
        known = {**inspect.signature(base).parameters, **inspect.signature(function).parameters}
        defaults = {key: known[key].default for key in arguments.split()} | {"name": name or function.__name__}
        listed = ", ".join(f"{key}={value!r}" for key, value in defaults.items())
        passed = ", ".join(f"{key}={key}" for key in defaults)
        scope: dict[str, Any] = {"base": base, "function": function, "__name__": function.__module__}
        # Written out rather than *args, so that help, editors and errors know the arguments.
        text = f"def __init__(self, {listed}):\n    base.__init__(self, function, {passed})"
        exec(compile(text, __file__, "exec"), scope)
        own = [key for key in defaults if key not in inspect.signature(base).parameters]
        namespace, _, title = path.rpartition(".")
        scope["__init__"].__qualname__ = f"{title}.__init__"
        body = {"__init__": scope["__init__"], "keys": tuple(own if keys is None else keys.split()), **members}
        body |= {"__doc__": f"{function.__name__} as an object (tf.{path}).", "__module__": f"nbflow.{namespace}"}
        export(path)(type(title, (base,), body))
        return function

    return make
