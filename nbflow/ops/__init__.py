"""The op table: the meaning of every op. Importing the package fills the table."""

from nbflow.ops import activation, array, boxes, elementwise, image, indexed, linalg, nn, ordering, random, reduction, scan, segment, statistics
from nbflow.ops import convolution, patches, pooling
from nbflow.ops import banded, eigen, einsum, factorization, matrices, solve
from nbflow.ops import bitwise, guarded, rounding, special, trigonometric
from nbflow.ops import candidates, sampling
from nbflow.ops import diagonals, padding
