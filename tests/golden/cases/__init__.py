"""Calls of public functions, written once for TensorFlow and nbflow; make_ops.py records what the first answers.

A module of this package is a family of functions: cases() gives calls with answers, errors() such that raise. A case
is a name, a function of (tf, *tensors) and NumPy inputs; tf is either library. Where gradients are wanted they are
those of the sum of the floating results, weighted 1, 2, 3 … so that no two elements count the same.
"""

import importlib
import pkgutil

from .common import answer

FAMILIES = {
    module.name: importlib.import_module(f"{__name__}.{module.name}")
    for module in pkgutil.iter_modules(__path__)
    if module.name != "common"
}
