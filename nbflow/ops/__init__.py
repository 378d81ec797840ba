"""The op table: the meaning of every op. Importing the package fills the table."""

from nbflow.ops import activation, array, elementwise, linalg, nn, random, reduction
from nbflow.ops import indexed, scan, statistics
