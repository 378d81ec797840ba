"""The rows of the sweep over ops, one file a family; `case` says what a row is, `reasons` what may be slower."""

from perf.ops import arrays, drawing, elementwise, images, linear_algebra, networks, reductions, signals
from perf.ops.case import CASES
from perf.ops.reasons import BY_FUNCTION
