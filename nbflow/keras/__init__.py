"""nf.keras: layers, models and what trains them, under the names that Keras gives them."""

from nbflow import datasets, optimizers
from nbflow.keras import (
    activations,
    backend,
    config,
    constraints,
    initializers,
    random,
    regularizers,
    saving,
    utils,
)

__all__ = [
    "activations",
    "backend",
    "config",
    "constraints",
    "datasets",
    "initializers",
    "optimizers",
    "random",
    "regularizers",
    "saving",
    "utils",
]
