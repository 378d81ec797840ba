"""Arguments and results of functions taken apart: lists, tuples, dicts, named tuples, dataclasses, attrs classes.

The leaves of a structure are what is no such container; None is part of the structure. Classes that have a form of
their own say it as TensorFlow's do, with `__tf_flatten__` and `__tf_unflatten__`.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import optree

from nbflow.tensor.indexed_slices import IndexedSlices

NAMESPACE = "nbflow"  # of the classes that are registered here
_MISSING = object()
_registered: set[type] = set()


def flatten(value) -> tuple[list, Any]:
    """(leaves, structure) of a nested value."""
    while True:
        leaves, structure = optree.tree_flatten(value, namespace=NAMESPACE)
        new = {type(leaf) for leaf in leaves if type(leaf) not in _registered and _is_container(type(leaf))}
        if not new:
            return leaves, structure
        for kind in new:
            _register(kind)


def unflatten(structure, leaves: Sequence) -> Any:
    """The value with these leaves."""
    return optree.tree_unflatten(structure, leaves)


def paths(structure) -> list[tuple]:
    """For each leaf the positions and names that lead to it."""
    return [tuple(path) for path in structure.paths()]


def _is_container(kind: type) -> bool:
    if kind.__module__.partition(".")[0] == "nbflow":
        return False
    fields = hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__attrs_attrs__")
    return fields or (hasattr(kind, "__tf_flatten__") and hasattr(kind, "__tf_unflatten__"))


def _register(kind: type) -> None:
    if hasattr(kind, "__tf_flatten__"):
        take_apart, put_together = _own_form(kind)
    else:
        take_apart, put_together = _fields_form(kind)
    optree.register_pytree_node(kind, take_apart, put_together, namespace=NAMESPACE)
    _registered.add(kind)


def _fields_form(kind: type):
    """A class made of fields: instances are put together field by field, without its constructor."""
    names: list[str]
    if hasattr(kind, "__dataclass_fields__"):
        names = [field.name for field in dataclasses.fields(kind)]
    else:
        names = [attribute.name for attribute in kind.__attrs_attrs__]  # type: ignore[attr-defined]

    def take_apart(instance):
        present = tuple(n for n in names if getattr(instance, n, _MISSING) is not _MISSING)
        return [getattr(instance, n) for n in present], present, present

    def put_together(present, values):
        instance = object.__new__(kind)
        for name, value in zip(present, values, strict=True):
            object.__setattr__(instance, name, value)  # frozen ones too
        return instance

    return take_apart, put_together


def _own_form(kind: Any):
    def take_apart(instance):
        metadata, components = instance.__tf_flatten__()
        return list(components), metadata, None

    def put_together(metadata, components):
        return kind.__tf_unflatten__(metadata, tuple(components))

    return take_apart, put_together


def _take_slices_apart(slices: IndexedSlices):
    shape = slices._dense_shape
    if isinstance(shape, tuple) and all(isinstance(size, int) for size in shape):
        return [slices.values, slices.indices], shape, ("values", "indices")
    return [slices.values, slices.indices, slices.dense_shape], None, ("values", "indices", "dense_shape")


def _put_slices_together(shape, parts):
    return IndexedSlices(*parts) if shape is None else IndexedSlices(*parts, shape)


optree.register_pytree_node(IndexedSlices, _take_slices_apart, _put_slices_together, namespace=NAMESPACE)
_registered.add(IndexedSlices)
