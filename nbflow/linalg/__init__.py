"""nf.linalg: products of matrices, factorizations, systems of equations, functions of matrices, norms."""

from typing import TYPE_CHECKING, Any

from nbflow.linalg import bands, diagonals, experimental, factorizations, functions, iterative, norms, products, solvers

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
