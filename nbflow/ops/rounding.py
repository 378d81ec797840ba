"""rint, the remainder that goes with truncate_div, the neighbouring float, and log_sigmoid."""

import numpy as np

from nbflow.dtypes import FLOATING, FULL, int32, int64
from nbflow.ops.elementwise import _checked, zeros_like
from nbflow.ops.table import TABLE, elementwise, simplifying

T = TABLE

rint = elementwise("rint", "x", "rint(x)", None, dtypes=FULL, reference=np.rint)
truncate_mod = elementwise(
    "truncate_mod", "x y",
    lambda dtypes, result: "fmod(x, y)" if result.is_floating
    else "x % y - (y if (x % y != 0) & ((x < 0) != (y < 0)) else 0)",
    dtypes=(*FULL, int32, int64), reference=np.fmod,
    simplify=simplifying(_checked("truncate_mod", "== 0", "integer division by zero: y has an element that is 0")),
)  # fmt: skip
nextafter = elementwise(
    "nextafter", "x1 x2", "nextafter(x1, x2)", lambda g, z, x1, x2: g, lambda g, z, x1, x2: zeros_like(g),
    dtypes=FULL, reference=np.nextafter,
)  # fmt: skip
log_sigmoid = elementwise(
    "log_sigmoid", "x", "log_sigmoid(x)", lambda g, z, x: g * T["sigmoid"](-x),
    dtypes=FLOATING, reference=lambda x: -np.logaddexp(0, -x),
)  # fmt: skip
