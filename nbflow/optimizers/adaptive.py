"""Steps over the root of squared gradients, of all so far or of the last ones: Adagrad, Adadelta, RMSprop."""

from nbflow.math.elementwise import cast, sqrt, square
from nbflow.optimizers.optimizer import Optimizer, beside, summed_over_rows
from nbflow.public import export
from nbflow.tensor.indexed_slices import on_rows
from nbflow.tensor.tensor import to_tensor


@export("keras.optimizers.Adagrad")
class Adagrad(Optimizer):
    """A rate for each parameter, smaller the more it was updated (Duchi et al., 2011; tf.keras.optimizers.Adagrad).

    a ← a + g², w ← w - η g / √(a + ε).

    Args:
        learning_rate: η.
        initial_accumulator_value: what a starts with.
        epsilon: ε.
        shared: see Optimizer.
    """

    settings = ("initial_accumulator_value", "epsilon")

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, **shared):
        super().__init__(learning_rate, **shared)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def slots(self):
        """The sum of squares."""
        return [{"accumulator": self.initial_accumulator_value}]

    def update_step(self, gradient, variable, learning_rate) -> None:
        """One step for one Variable; of IndexedSlices only their rows are touched."""
        rate, (total,) = cast(learning_rate, variable.dtype), self.state_of(variable)
        gradient = cast(gradient, variable.dtype)
        self.assign_add(total, on_rows(square, gradient))
        under = sqrt(beside(total, gradient) + self.epsilon)
        self.assign_sub(variable, on_rows(lambda g: rate * g / under, gradient))


@export("keras.optimizers.Adadelta")
class Adadelta(Optimizer):
    """Steps in proportion to past steps over past gradients (Zeiler, 2012; tf.keras.optimizers.Adadelta).

    a ← ρ a + (1 - ρ) g², Δ = -√(d + ε) / √(a + ε) · g, d ← ρ d + (1 - ρ) Δ², w ← w + η Δ.

    Args:
        learning_rate: η.
        rho: ρ, how much of the past stays.
        epsilon: ε.
        shared: see Optimizer.
    """

    settings = ("rho", "epsilon")

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, **shared):
        super().__init__(learning_rate, **shared)
        self.rho, self.epsilon = rho, epsilon

    def slots(self):
        """a and d."""
        return [{"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}]

    def update_step(self, gradient, variable, learning_rate) -> None:
        """One step for one Variable."""
        rho, (squares, deltas) = self.rho, self.state_of(variable)
        gradient = cast(gradient, variable.dtype)
        squares.assign(rho * squares + summed_over_rows(lambda g: (1 - rho) * square(g), gradient))
        over, under = (sqrt(beside(x, gradient) + self.epsilon) for x in (deltas, squares))
        delta = on_rows(lambda g: -(over * g / under), gradient)
        deltas.assign(rho * deltas + summed_over_rows(lambda d: (1 - rho) * square(d), delta))
        rate = cast(learning_rate, variable.dtype)
        self.assign_add(variable, on_rows(lambda d: rate * d, delta))


@export("keras.optimizers.RMSprop")
class RMSprop(Optimizer):
    """Steps over the root of a mean of squared gradients (Hinton, 2012; tf.keras.optimizers.RMSprop).

    v ← ρ v + (1 - ρ) g², s = η g / √(v + ε), w ← w - s; with momentum μ: m ← μ m + s, w ← w - m.

    Args:
        learning_rate: η.
        rho: ρ, how much of the past stays.
        momentum: μ.
        epsilon: ε.
        centered: whether the square of the mean gradient, a ← ρ a + (1 - ρ) g, is subtracted from v: its variance.
        shared: see Optimizer.
    """

    settings = ("rho", "momentum", "epsilon", "centered")

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, **shared):
        super().__init__(learning_rate, **shared)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def slots(self):
        """v, m and a, those of them that are there."""
        there = {"velocity": True, "momentum": self.momentum > 0, "average_gradient": self.centered}
        return [{name: 0.0} for name, used in there.items() if used]

    def update_step(self, gradient, variable, learning_rate) -> None:
        """One step for one Variable."""
        rho, (velocity, *more) = self.rho, self.state_of(variable)
        gradient = cast(gradient, variable.dtype)
        velocity.assign(rho * velocity + summed_over_rows(lambda g: (1 - rho) * square(g), gradient))
        squares = to_tensor(velocity)
        if self.centered:
            average = more[-1]
            average.assign(rho * average + summed_over_rows(lambda g: (1 - rho) * g, gradient))
            squares = squares - square(average)
        rate, under = cast(learning_rate, variable.dtype), sqrt(beside(squares + self.epsilon, gradient))
        step = on_rows(lambda g: rate * g / under, gradient)
        if self.momentum > 0:
            more[0].assign(self.momentum * more[0] + to_tensor(step))
            step = more[0]
        self.assign_sub(variable, step)
