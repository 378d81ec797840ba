"""Follow the regularized leader."""

from nbflow.arrays.clipping import clip_by_value
from nbflow.math.elementwise import cast, pow, square
from nbflow.optimizers.optimizer import Optimizer, summed_over_rows
from nbflow.public import export
from nbflow.tensor.tensor import to_tensor


@export("keras.optimizers.Ftrl")
class Ftrl(Optimizer):
    """Follow the regularized leader, which makes weights exactly 0 (McMahan et al., 2013; tf.keras.optimizers.Ftrl).

    With p = -learning_rate_power and σ = ((n + g²)ᵖ - nᵖ) / η:
    z ← z + g + 2 λₛ w - σ w, n ← n + g², w ← (clip(z, -λ₁, λ₁) - z) / (nᵖ / η + 2 λ₂ + β / η).

    Args:
        learning_rate: η.
        learning_rate_power: at most 0; 0 keeps the rate fixed.
        initial_accumulator_value: what n starts with, at least 0.
        l1_regularization_strength: λ₁, at least 0.
        l2_regularization_strength: λ₂, at least 0.
        l2_shrinkage_regularization_strength: λₛ, at least 0, which unlike λ₂ acts on the gradient alone.
        beta: β.
        shared: see Optimizer.

    Raises:
        ValueError: an argument has the wrong sign.
    """

    settings = (
        "learning_rate_power",
        "initial_accumulator_value",
        "l1_regularization_strength",
        "l2_regularization_strength",
        "l2_shrinkage_regularization_strength",
        "beta",
    )

    def __init__(
        self,
        learning_rate=0.001,
        learning_rate_power=-0.5,
        initial_accumulator_value=0.1,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        l2_shrinkage_regularization_strength=0.0,
        beta=0.0,
        **shared,
    ):
        super().__init__(learning_rate, **shared)
        self.learning_rate_power, self.beta = learning_rate_power, beta
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        for name in self.settings[:-1]:
            value, sign = getattr(self, name), -1 if name == "learning_rate_power" else 1
            if value * sign < 0:
                side = "negative" if sign < 0 else "positive"
                raise ValueError(f"`{name}` needs to be {side} or zero. Received: {name}={value}.")

    def slots(self):
        """n and z."""
        return [{"accumulator": self.initial_accumulator_value, "linear": 0.0}]

    def update_step(self, gradient, variable, learning_rate) -> None:
        """One step for one Variable."""
        rate, (total, linear) = cast(learning_rate, variable.dtype), self.state_of(variable)
        gradient, power = cast(gradient, variable.dtype), -self.learning_rate_power
        strength = self.l2_regularization_strength + self.beta / (2.0 * rate)
        shrunk = to_tensor(gradient) + 2 * self.l2_shrinkage_regularization_strength * variable
        after = total + summed_over_rows(square, gradient)
        linear.assign_add(shrunk - (pow(after, power) - pow(total, power)) / rate * variable)
        quadratic = pow(after, power) / rate + 2 * strength
        bound = self.l1_regularization_strength
        variable.assign((clip_by_value(linear, -bound, bound) - linear) / quadratic)
        total.assign(after)
