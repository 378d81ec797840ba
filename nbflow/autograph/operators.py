"""What converted code calls: it knows this module as `ag__`."""

import types
from collections.abc import Callable
from functools import partial
from typing import Any

import optree

from nbflow.autograph.conversion import converted_call
from nbflow.autograph.lists import append, extend, get_item
from nbflow.autograph.logic import and_, and_lazy, compare, if_exp, in_, not_, not_in, or_, or_lazy
from nbflow.autograph.py_builtins import REPLACED
from nbflow.autograph.statements import fails, for_, if_, while_

__all__ = [
    "and_", "and_lazy", "append", "compare", "extend", "fails", "for_", "get_item", "if_", "if_exp", "in_", "not_",
    "not_in", "of", "or_", "or_lazy", "while_",
]  # fmt: skip

# Functions of nbflow that call functions which they are given while a trace is under way.
_CALLING = frozenset(
    ("cond", "case", "switch_case", "while_loop", "scan", "foldl", "foldr", "map_fn", "vectorized_map")
    + ("custom_gradient", "recompute_grad", "map_structure")
)


def of(function: Any) -> Any:
    """What is called for a function in converted code: the function converted, itself if it is a library's."""
    if isinstance(function, (type, types.BuiltinFunctionType)):
        try:
            found = REPLACED.get(function)
        except TypeError:  # a class whose metaclass has no hash
            return function
        if function is map:
            return lambda called, *iterables: found(of(called), *iterables)  # type: ignore[misc]
        return function if found is None else found
    if isinstance(function, types.FunctionType) and (function.__module__ or "").startswith("nbflow."):
        return partial(_calling, function) if function.__name__ in _CALLING else converted_call(function)
    return converted_call(function)


def _calling(function: Callable, *args, **kwargs):
    """Calls a function with the functions among its arguments converted."""
    args, kwargs = optree.tree_map(
        lambda leaf: converted_call(leaf) if isinstance(leaf, _FUNCTIONS) else leaf, (args, kwargs), none_is_leaf=True
    )
    return function(*args, **kwargs)


_FUNCTIONS = (types.FunctionType, types.MethodType, partial)
