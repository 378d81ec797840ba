"""Adam and its relatives: steps along a mean of gradients, over the root of a mean of their squares."""

from nbflow.arrays.joining import where
from nbflow.math.elementwise import abs as absolute
from nbflow.math.elementwise import cast, maximum, pow, sqrt, square
from nbflow.math.reductions import reduce_sum
from nbflow.optimizers.optimizer import Optimizer, summed_over_rows
from nbflow.public import export
from nbflow.tensor.tensor import to_tensor


class Moments(Optimizer):
    """What the relatives of Adam share.

    m ← m + (g - m)(1 - β₁), v ← v + (g² - v)(1 - β₂).

    Args:
        learning_rate: η.
        beta_1, beta_2: β₁ and β₂ in [0, 1).
        epsilon: ε, which keeps quotients finite.
        shared: see Optimizer.
    """

    settings: tuple[str, ...] = ("beta_1", "beta_2", "epsilon")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **shared):
        super().__init__(learning_rate, **shared)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def slots(self):
        """m and v."""
        return [{"momentum": 0.0, "velocity": 0.0}]

    def moments(self, gradient, variable, beta_1=None, beta_2=None) -> list:
        """The state of a Variable after its moments took in a gradient.

        Args:
            beta_1, beta_2: β₁ and β₂ as tensors, where 1 - β is to have their precision.
        """
        m, v, *more = self.state_of(variable)
        gradient = cast(gradient, variable.dtype)
        m.assign_add((to_tensor(gradient) - m) * (1 - (self.beta_1 if beta_1 is None else beta_1)))
        squares = summed_over_rows(square, gradient)
        v.assign_add((squares - v) * (1 - (self.beta_2 if beta_2 is None else beta_2)))
        return [m, v, *more]

    def power(self, beta: float, dtype, ahead: int = 1):
        """βᵗ, or the power of a later step."""
        return pow(cast(beta, dtype), cast(self.iterations + ahead, dtype))


@export("keras.optimizers.Adam")
class Adam(Moments):
    """Adaptive moments (Kingma and Ba, 2014; tf.keras.optimizers.Adam).

    m ← m + (g - m)(1 - β₁), v ← v + (g² - v)(1 - β₂), w ← w - η √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m / (√v + ε).

    Args:
        learning_rate: η.
        beta_1, beta_2: β₁ and β₂ in [0, 1).
        epsilon: ε.
        amsgrad: whether to divide by the greatest v so far (Reddi et al., 2018).
        shared: see Optimizer.

    Example:
        >>> import nbflow as nf
        >>> w = nf.Variable(1.0)
        >>> _ = nf.optimizers.Adam(0.1).minimize(lambda: w * w, [w])
        >>> round(float(w), 3)
        0.9
    """

    settings = (*Moments.settings, "amsgrad")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, **shared):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **shared)
        self.amsgrad = amsgrad

    def slots(self):
        """m, v and the greatest v."""
        return [*super().slots(), *([{"velocity_hat": 0.0}] if self.amsgrad else [])]

    def update_step(self, gradient, variable, learning_rate) -> None:
        """One step for one Variable."""
        dtype = variable.dtype
        rate = cast(learning_rate, dtype) * sqrt(1 - self.power(self.beta_2, dtype))
        rate = rate / (1 - self.power(self.beta_1, dtype))
        m, v, *greatest = self.moments(gradient, variable)
        for hat in greatest:
            hat.assign(maximum(hat, v))
            v = hat
        variable.assign_sub(m * rate / (sqrt(v) + self.epsilon))


@export("keras.optimizers.AdamW")
class AdamW(Adam):
    """Adam with weight decay (Loshchilov and Hutter, 2019; tf.keras.optimizers.AdamW).

    w ← w - weight_decay · η · w, and then Adam's step.

    Args:
        learning_rate, beta_1, beta_2, epsilon, amsgrad: see Adam.
        weight_decay: a number; see Optimizer.
        shared: see Optimizer.
    """

    def __init__(
        self, learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, **shared
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **shared)
        if weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None")


@export("keras.optimizers.Adamax")
class Adamax(Moments):
    """Adam with the greatest gradient, decaying, in place of the root of squares (tf.keras.optimizers.Adamax).

    m ← m + (g - m)(1 - β₁), u ← max(β₂ u, |g|), w ← w - η m / ((1 - β₁ᵗ)(u + ε)).

    Args:
        learning_rate, beta_1, beta_2, epsilon: see Adam.
        shared: see Optimizer.
    """

    def slots(self):
        """m and u."""
        return [{"momentum": 0.0, "norm": 0.0}]

    def update_step(self, gradient, variable, learning_rate) -> None:
        """One step for one Variable."""
        dtype, (m, u) = variable.dtype, self.state_of(variable)
        gradient = cast(gradient, dtype)
        m.assign_add((to_tensor(gradient) - m) * (1 - self.beta_1))
        u.assign(maximum(u * self.beta_2, summed_over_rows(absolute, gradient)))
        rate = cast(learning_rate, dtype)
        variable.assign_sub(rate * m / ((1 - self.power(self.beta_1, dtype)) * (u + self.epsilon)))


@export("keras.optimizers.Nadam")
class Nadam(Moments):
    """Adam with Nesterov's momentum (Dozat, 2015; tf.keras.optimizers.Nadam).

    With uₜ = β₁ (1 - ½ 0.96ᵗ) and Uₜ = u₁ u₂ … uₜ:
    w ← w - η (uₜ₊₁ m / (1 - Uₜ₊₁) + (1 - uₜ) g / (1 - Uₜ)) / (√(v / (1 - β₂ᵗ)) + ε), m and v as Adam's.

    Args:
        learning_rate, beta_1, beta_2, epsilon: see Adam.
        shared: see Optimizer.
    """

    def build(self, variables) -> None:
        """Makes the state, and U."""
        if not self.built:
            super().build(variables)
            self._product = self.add_variable((), 1.0, variables[0].dtype if variables else None, name="variable")

    def _update_all(self, gradients, variables, learning_rate) -> None:
        factor = 1.0 - 0.5 * self.power(0.96, self._product.dtype)
        self._product.assign(self._product * self.beta_1 * factor)
        super()._update_all(gradients, variables, learning_rate)

    def update_step(self, gradient, variable, learning_rate) -> None:
        """One step for one Variable."""
        dtype = variable.dtype
        beta_1, beta_2, gradient = (cast(v, dtype) for v in (self.beta_1, self.beta_2, gradient))
        now, ahead = (beta_1 * (1.0 - 0.5 * self.power(0.96, dtype, k)) for k in (1, 2))
        product = cast(self._product, dtype)
        m, v = self.moments(gradient, variable, beta_1, beta_2)
        mean = ahead * m / (1 - product * ahead) + (1 - now) * to_tensor(gradient) / (1 - product)
        root = sqrt(v / (1 - self.power(self.beta_2, dtype)))
        variable.assign_sub(mean * cast(learning_rate, dtype) / (root + self.epsilon))


@export("keras.optimizers.Lamb")
class Lamb(Moments):
    """Adam with steps in proportion to the norm of the Variable (You et al., 2019; tf.keras.optimizers.Lamb).

    s = m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + ε), w ← w - η s |w| / |s|, where both norms are above 0, else w - η s.

    Args:
        learning_rate, beta_1, beta_2, epsilon: see Adam.
        shared: see Optimizer.
    """

    def update_step(self, gradient, variable, learning_rate) -> None:
        """One step for one Variable."""
        dtype = variable.dtype
        m, v = self.moments(gradient, variable)
        root = sqrt(v / (1 - self.power(self.beta_2, dtype))) + self.epsilon
        step = m / (1 - self.power(self.beta_1, dtype)) / root
        own, norm = (sqrt(reduce_sum(square(t))) for t in (variable, step))
        ratio = where((own > 0) & (norm > 0), own / norm, cast(1.0, dtype))
        variable.assign_sub(ratio * cast(learning_rate, dtype) * step)
