"""Products and quotients in which a zero wins: divide_no_nan, multiply_no_nan, xlogy, xlog1py, xdivy.

0 · log 0 and 0 / 0 are 0 here, and so are their gradients: each rule is written in these ops again.
"""

import numpy as np

from nbflow.dtypes import INEXACT
from nbflow.ops.elementwise import cast, conj
from nbflow.ops.table import TABLE, elementwise

T = TABLE


def _nonzero(x):
    """1 where x is not 0, else 0."""
    return cast(T["not_equal"](x, 0), x.dtype)


def _quotient(result):
    return "complex_divide(x, y)" if result.is_complex else "x / y"


def _where_zero(which, zero, value):
    """A reference: zero where which is 0, else value."""
    return np.where(which == 0, zero, value)


divide_no_nan = elementwise(
    "divide_no_nan", "x y", lambda dtypes, result: f"0 if y == 0 else {_quotient(result)}",
    lambda g, z, x, y: T["divide_no_nan"](g, conj(y)),
    lambda g, z, x, y: g * T["divide_no_nan"](T["divide_no_nan"](-conj(x), conj(y)), conj(y)),
    dtypes=INEXACT, reference=lambda x, y: _where_zero(y, 0, x / y),
)  # fmt: skip
multiply_no_nan = elementwise(
    "multiply_no_nan", "x y", "0 if y == 0 else x * y",
    lambda g, z, x, y: T["multiply_no_nan"](g, y), lambda g, z, x, y: T["multiply_no_nan"](x, g),
    dtypes=INEXACT, reference=lambda x, y: _where_zero(y, 0, x * y),
)  # fmt: skip
xlogy = elementwise(
    "xlogy", "x y", "x if x == 0 else x * log(y)",
    lambda g, z, x, y: T["xlogy"](_nonzero(x), y) * g, lambda g, z, x, y: T["xdivy"](x, y) * g,
    dtypes=INEXACT, reference=lambda x, y: _where_zero(x, x, x * np.log(y)),
)  # fmt: skip
xlog1py = elementwise(
    "xlog1py", "x y", "x if x == 0 else x * log1p(y)",
    lambda g, z, x, y: T["xlog1py"](_nonzero(x), y) * g, lambda g, z, x, y: T["xdivy"](x, y + 1) * g,
    dtypes=INEXACT, reference=lambda x, y: _where_zero(x, x, x * np.log1p(y)),
)  # fmt: skip
xdivy = elementwise(
    "xdivy", "x y", lambda dtypes, result: f"x if x == 0 else {_quotient(result)}",
    lambda g, z, x, y: T["xdivy"](_nonzero(x), y) * g, lambda g, z, x, y: T["xdivy"](-x, T["square"](y)) * g,
    dtypes=INEXACT, reference=lambda x, y: _where_zero(x, x, x / y),
)  # fmt: skip
