"""nf.math: elementwise functions and reductions, with TensorFlow's names and arguments."""

from typing import TYPE_CHECKING, Any

from nbflow.math import (
    complex_numbers,
    elementwise,
    gammas,
    guarded,
    ranking,
    reductions,
    scans,
    segments,
    sobol,
    special,
    statistics,
    trigonometric,
)

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
