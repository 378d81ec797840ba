"""nf.linalg: products of matrices and vectors."""

from typing import TYPE_CHECKING, Any

from nbflow.linalg import products

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
