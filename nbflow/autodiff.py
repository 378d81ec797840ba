"""nf.autodiff: tapes and forward accumulators, and what differentiates many elements at once."""

import nbflow.function.jacobian  # it gives GradientTape its Jacobians
import nbflow.tape.recompute  # it publishes recompute_grad and grad_pass_through
from nbflow.function.vectorize import vectorized_map as vectorized_map
from nbflow.tape.forward import ForwardAccumulator
from nbflow.tape.gradient_tape import GradientTape

__all__ = ["ForwardAccumulator", "GradientTape"]
