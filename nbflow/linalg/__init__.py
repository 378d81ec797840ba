"""nf.linalg: products of matrices, factorizations, systems of equations."""

from typing import TYPE_CHECKING, Any

from nbflow.linalg import diagonals, factorizations, products, solvers

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
