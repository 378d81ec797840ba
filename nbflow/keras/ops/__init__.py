"""nf.keras.ops: what Keras 3's layers are written with, as names for nf's functions.

Numbers and arrays are converted, dtypes that differ meet as in Keras: integers and floats in the floats, booleans and
integers in the integers. Submodules that Keras has (`ops.nn`, `ops.numpy`, `ops.linalg`, `ops.core`) are this one.
"""

import sys
from typing import TYPE_CHECKING, Any

from nbflow.keras.ops import control, image, legacy, network, numeric, promotion, table

nn = numpy = core = linalg = math = sys.modules[__name__]

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
