"""nf.debugging: assertions, in eager code and in compiled functions, and the search for NaNs."""

from typing import TYPE_CHECKING, Any

from nbflow.debugging import comparisons, numerics, ranks, types

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
