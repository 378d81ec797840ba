"""nf.autodiff: tapes and forward accumulators, and what differentiates many elements at once."""

import nbflow.function.jacobian  # noqa: F401  (gives GradientTape its jacobian)
from nbflow.function.vectorize import vectorized_map as vectorized_map
from nbflow.tape.forward import ForwardAccumulator
from nbflow.tape.gradient_tape import GradientTape

__all__ = ["ForwardAccumulator", "GradientTape"]
