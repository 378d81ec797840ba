"""The array functions of the top level: making tensors, shapes, joining, indexing."""

from nbflow.arrays import creation, joining, shaping
