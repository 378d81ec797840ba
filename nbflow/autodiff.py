"""nf.autodiff: tapes and forward accumulators, and what differentiates many elements at once."""

from nbflow.function import jacobian as _jacobian  # noqa: F401  (it gives GradientTape its Jacobians)
from nbflow.function import vectorize as _vectorize  # noqa: F401  (they publish functions)
from nbflow.tape import recompute as _recompute  # noqa: F401
from nbflow.tape.forward import ForwardAccumulator
from nbflow.tape.gradient_tape import GradientTape

__all__ = ["ForwardAccumulator", "GradientTape"]
