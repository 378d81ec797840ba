"""Adam."""

from nbflow.math.elementwise import cast, maximum, sqrt
from nbflow.optimizers.optimizer import Optimizer, square
from nbflow.tensor.tensor import to_tensor


class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba, 2014; tf.keras.optimizers.Adam).

    m ← m + (g - m)(1 - β₁), v ← v + (g² - v)(1 - β₂), w ← w - η √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m / (√v + ε).

    Args:
        learning_rate: η.
        beta_1, beta_2: β₁, β₂ in [0, 1).
        epsilon: ε.
        amsgrad: whether to divide by the greatest v so far (Reddi et al., 2018).
        name: shown in messages.

    Example:
        >>> import nbflow as nf
        >>> w = nf.Variable(1.0)
        >>> _ = nf.optimizers.Adam(0.1).minimize(lambda: w * w, [w])
        >>> round(float(w), 3)
        0.9
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, name="adam"):
        super().__init__(learning_rate, name)
        for argument, beta in (("beta_1", beta_1), ("beta_2", beta_2)):
            if not 0 <= beta < 1:
                raise ValueError(f"Adam: {argument} is {beta}; it takes a number in [0, 1)")
        self.beta_1, self.beta_2 = float(beta_1), float(beta_2)
        self.epsilon, self.amsgrad = float(epsilon), bool(amsgrad)
        self.slots = ("momentum", "velocity", "velocity_hat") if amsgrad else ("momentum", "velocity")

    def prepare(self) -> dict:
        """The step size α = η √(1 - β₂ᵗ) / (1 - β₁ᵗ)."""
        step = super().prepare()
        count = cast(self.iterations + 1, "float32")
        correction = sqrt(1 - self.beta_2**count) / (1 - self.beta_1**count)
        return {**step, "alpha": step["learning_rate"] * correction}

    def update_step(self, gradient, variable, slots, step) -> None:
        """One step for one Variable."""
        m, v = slots["momentum"], slots["velocity"]
        m.assign_add((to_tensor(gradient) - m) * (1 - self.beta_1))
        v.assign_add((square(gradient) - v) * (1 - self.beta_2))
        scale = v
        if self.amsgrad:
            slots["velocity_hat"].assign(maximum(slots["velocity_hat"], v))
            scale = slots["velocity_hat"]
        variable.assign_sub(m * cast(step["alpha"], variable.dtype) / (sqrt(scale) + self.epsilon))

    def get_config(self) -> dict:
        """The arguments that make an optimizer like this one."""
        config = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon, "amsgrad": self.amsgrad}
        return {**super().get_config(), **config}
