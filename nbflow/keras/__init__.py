"""nf.keras: layers, models and what trains them, under the names that Keras gives them."""

from nbflow import datasets, optimizers
from nbflow.keras import backend, config, initializers, random, saving, utils

__all__ = ["backend", "config", "datasets", "initializers", "optimizers", "random", "saving", "utils"]
