"""Adafactor."""

import math

from nbflow.arrays.shaping import expand_dims
from nbflow.math.elementwise import cast, maximum, minimum, pow, sqrt, square
from nbflow.math.reductions import reduce_mean, reduce_sum
from nbflow.optimizers.optimizer import Optimizer, beside, summed_over_rows
from nbflow.public import export
from nbflow.tensor.indexed_slices import IndexedSlices, on_rows


@export("keras.optimizers.Adafactor")
class Adafactor(Optimizer):
    """Adam's squares in little memory: means of rows and of columns (Shazeer and Stern, 2018; tf.keras's Adafactor).

    r and c are moving means of g² + ε₁ over the last axis and the one before it, with β₂ = 1 - t^beta_2_decay;
    v = r / mean(r) · c, and of vectors v is itself a moving mean. Then u = g / √v and
    w ← w - max(ε₂, rms(w)) · min(η, 1/√t) · u / max(1, rms(u) / clip_threshold).

    Args:
        learning_rate: η.
        beta_2_decay: the power of t, below 0.
        epsilon_1: ε₁, added to squares.
        epsilon_2: ε₂, the least scale of a Variable.
        clip_threshold: the greatest root mean square of u.
        relative_step: accepted as Keras'; the rate is at most 1/√t in any case.
        shared: see Optimizer.
    """

    settings = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")

    def __init__(
        self,
        learning_rate=0.001,
        beta_2_decay=-0.8,
        epsilon_1=1e-30,
        epsilon_2=1e-3,
        clip_threshold=1.0,
        relative_step=True,
        **shared,
    ):
        super().__init__(learning_rate, **shared)
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def build(self, variables) -> None:
        """Makes r, c and v of each Variable; of vectors r and c are numbers that nothing uses."""
        if self.built:
            return
        super().build(variables)
        for variable, own in zip(variables, self._slots, strict=True):
            shape, name = tuple(variable.shape), variable.name
            if len(shape) < 2:
                own += [self.add_variable((), 0, "int32", name=name) for _ in range(2)]
            else:
                own += [
                    self.add_variable(s, 0.0, variable.dtype, name=name) for s in (shape[:-1], shape[:-2] + shape[-1:])
                ]
            own.append(self.add_variable_from_reference(variable, "velocity", 0.0))

    def update_step(self, gradient, variable, learning_rate) -> None:
        """One step for one Variable."""
        dtype, (r, c, v) = variable.dtype, self.state_of(variable)
        gradient, step = cast(gradient, dtype), cast(self.iterations + 1, dtype)
        squares = summed_over_rows(square, gradient) + self.epsilon_1
        decay = 1 - pow(step, self.beta_2_decay)
        if len(variable.shape) >= 2:
            r.assign(decay * r + (1 - decay) * reduce_mean(squares, axis=-1))
            c.assign(decay * c + (1 - decay) * reduce_mean(squares, axis=-2))
            v.assign(expand_dims(r / reduce_mean(r, axis=-1, keepdims=True), -1) * expand_dims(c, -2))
        else:
            v.assign(decay * v + (1 - decay) * squares)
        under = sqrt(beside(v, gradient))
        unit = on_rows(lambda g: g / under, gradient)
        if isinstance(unit, IndexedSlices):
            mean = reduce_sum(square(unit.values)) / math.prod(variable.shape)  # rows that it does not name count too
        else:
            mean = reduce_mean(square(unit))
        scale = maximum(cast(self.epsilon_2, dtype), sqrt(reduce_mean(square(variable))))
        rate = scale * minimum(cast(learning_rate, dtype), 1 / sqrt(step))
        clip = maximum(1.0, sqrt(mean) / self.clip_threshold)
        self.assign_sub(variable, on_rows(lambda u: rate * (u / clip), unit))
