"""The weights of a model as a tree of named groups, as Keras lays them out in files.

Each thing that has `save_own_variables` (layers, optimizers, metrics, seed generators) is a group, named after the
attribute that holds it; those in lists are named after their classes. Its weights are "vars/0", "vars/1" …
"""

from collections.abc import Callable, Iterator
from typing import Any

from nbflow.keras.layers.layer import Layer
from nbflow.objects.lookup import snake_case

# attributes of the base classes, which hold nothing of their own or what is reached in another way
_SKIPPED = {*vars(Layer()), "_functional", "_network", "_layers", "_functions", "_compiled_loss", "_compiled_metrics",
            "_loss_tracker", "_compile_arguments", "history", "loss", "_inputs_struct", "_outputs_struct",
            "_call_signature", "_init_arguments"}  # fmt: skip


def _is_saveable(thing) -> bool:
    return hasattr(thing, "save_own_variables") and not isinstance(thing, type)


def _children(thing) -> Iterator[tuple[str, Any]]:
    """(name, child or container) in Keras' order: private attributes last."""
    place = getattr(thing, "layers_in_files", None)
    if place == "first":
        yield "layers", thing.layers
    attributes = {name: value for name, value in vars(thing).items() if name not in _SKIPPED}
    if place == "among attributes":
        attributes["layers"] = thing.layers
    for name in sorted(attributes, key=lambda n: f"~{n}" if n.startswith("_") else n):
        yield name, attributes[name]


def visit(thing, action: Callable[[Any, str], None], path: str = "", seen: set[int] | None = None) -> None:
    """Calls action(thing, path of its group) for a model and everything in it, each once."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    action(thing, path)
    seen.add(id(thing))
    for name, child in _children(thing):
        inner = f"{path}/{name}" if path else name
        if _is_saveable(child):
            visit(child, action, inner, seen)
        elif isinstance(child, (list, tuple, set, dict)):
            used: dict[str, int] = {}
            for item in child.values() if isinstance(child, dict) else child:
                if _is_saveable(item):
                    name = snake_case(type(item).__name__)
                    used[name] = used.get(name, -1) + 1
                    visit(item, action, f"{inner}/{name}_{used[name]}" if used[name] else f"{inner}/{name}", seen)


def own_variables(thing) -> dict[str, Any]:
    """The arrays of save_own_variables, by number."""
    store: dict[str, Any] = {}
    thing.save_own_variables(store)
    return store
