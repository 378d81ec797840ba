"""The rows of the sweep over ops, one file a family; `case` says what a row is."""

from perf.ops import arrays, drawing, elementwise, images, linear_algebra, networks, reductions
from perf.ops.case import CASES
