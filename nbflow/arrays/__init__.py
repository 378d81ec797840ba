"""The array functions of the top level: making tensors, shapes, joining, indexing."""

from nbflow.arrays import clipping, creation, joining, ordering, repeating, scattering, shaping, slicing
