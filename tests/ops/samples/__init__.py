"""Inputs for every op of the table, built for any dtype that it takes: what values and gradients are tested on."""

import importlib
import pkgutil

from tests.ops.samples.common import MAGNITUDES, RECIPES, Sample, cases, numbers, samples

for _module in pkgutil.iter_modules(__path__):  # each enters its recipes
    importlib.import_module(f"{__name__}.{_module.name}")
