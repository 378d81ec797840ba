"""nf.nest: nested structures of lists, tuples, dicts, named tuples and dataclasses, taken apart and put together.

What is no such container is a leaf, None too. Dicts go in the order of their sorted keys, as TensorFlow's do; an
OrderedDict in its own, which TensorFlow sorts as well.
"""

from collections.abc import Callable
from typing import Any

import optree

from nbflow.public import export


@export("nest.is_nested")
def is_nested(structure) -> bool:
    """Whether a value is a container rather than a leaf (tf.nest.is_nested)."""
    return not optree.tree_is_leaf(structure, none_is_leaf=True)


@export("nest.flatten")
def flatten(structure, expand_composites=False) -> list:
    """The leaves of a nested structure (tf.nest.flatten).

    Args:
        structure: nested containers, or one leaf.
        expand_composites: accepted as TensorFlow's; tensors have no parts.

    Returns:
        A list of the leaves, in order.

    Example:
        >>> import nbflow as nf
        >>> nf.nest.flatten({"b": [1, 2], "a": 3})
        [3, 1, 2]
    """
    return optree.tree_leaves(structure, none_is_leaf=True)


@export("nest.pack_sequence_as")
def pack_sequence_as(structure, flat_sequence, expand_composites=False) -> Any:
    """Leaves put together in the form of a structure (tf.nest.pack_sequence_as).

    Args:
        structure: what gives the form.
        flat_sequence: as many leaves as it has.
        expand_composites: accepted as TensorFlow's; tensors have no parts.

    Returns:
        A structure of the same form with these leaves.

    Raises:
        TypeError: flat_sequence is no sequence.
        ValueError: it has another number of leaves.
    """
    if not is_nested(flat_sequence):
        raise TypeError(
            f"nest.pack_sequence_as: flat_sequence is a {type(flat_sequence).__name__}; it takes a sequence"
        )
    form, leaves = optree.tree_structure(structure, none_is_leaf=True), list(flat_sequence)
    if form.num_leaves != len(leaves):
        raise ValueError(
            f"nest.pack_sequence_as: flat_sequence has {len(leaves)} elements and the structure {form.num_leaves} "
            f"leaves: {structure!r:.200}"
        )
    return optree.tree_unflatten(form, leaves)


@export("nest.map_structure")
def map_structure(func: Callable, *structure, check_types=True, expand_composites=False) -> Any:
    """Applies a function to the leaves of structures of one form (tf.nest.map_structure).

    Args:
        func: takes one leaf of each structure.
        *structure: one or more structures.
        check_types: whether the containers have to be of the same types as well.
        expand_composites: accepted as TensorFlow's; tensors have no parts.

    Returns:
        The results, in the form of the first structure.

    Raises:
        TypeError: func cannot be called, or containers of different types meet.
        ValueError: the structures have different forms, or there is none.

    Example:
        >>> import nbflow as nf
        >>> nf.nest.map_structure(lambda a, b: a + b, {"x": (1, 2)}, {"x": (10, 20)})
        {'x': (11, 22)}
    """
    if not callable(func):
        raise TypeError(f"nest.map_structure: func, {func!r:.100}, cannot be called")
    if not structure:
        raise ValueError("nest.map_structure: it takes at least one structure")
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types)
    results = [func(*leaves) for leaves in zip(*map(flatten, structure), strict=True)]
    return pack_sequence_as(structure[0], results)


@export("nest.assert_same_structure")
def assert_same_structure(nest1, nest2, check_types=True, expand_composites=False) -> None:
    """Checks that two structures have one form (tf.nest.assert_same_structure).

    Args:
        nest1: a structure.
        nest2: another.
        check_types: whether the containers have to be of the same types as well.
        expand_composites: accepted as TensorFlow's; tensors have no parts.

    Raises:
        TypeError: containers of different types meet.
        ValueError: the forms differ.
    """
    if is_nested(nest1) != is_nested(nest2):
        raise ValueError(f"the structures differ: {nest1!r:.200} and {nest2!r:.200}; only one of them is a container")
    if not is_nested(nest1):
        return
    if check_types and type(nest1) is not type(nest2) and not (isinstance(nest1, dict) and isinstance(nest2, dict)):
        raise TypeError(
            f"the structures differ: {nest1!r:.200} is a {type(nest1).__name__} and {nest2!r:.200} a "
            f"{type(nest2).__name__}"
        )
    if isinstance(nest1, dict) and isinstance(nest2, dict) and set(nest1) != set(nest2):
        raise ValueError(f"the structures differ: keys {sorted(map(str, nest1))} and {sorted(map(str, nest2))}")
    parts, others = (optree.tree_flatten_one_level(n, none_is_leaf=True)[0] for n in (nest1, nest2))
    if len(parts) != len(others):
        raise ValueError(
            f"the structures differ: {nest1!r:.200} has {len(parts)} elements, {nest2!r:.200} {len(others)}"
        )
    for one, two in zip(parts, others, strict=True):
        assert_same_structure(one, two, check_types)
