"""A step along the gradient, or along its sign: SGD and Lion."""

from nbflow.math.elementwise import cast, sign
from nbflow.optimizers.optimizer import Optimizer, summed_over_rows
from nbflow.public import export
from nbflow.tensor.indexed_slices import on_rows
from nbflow.tensor.tensor import to_tensor


@export("keras.optimizers.SGD")
class SGD(Optimizer):
    """Gradient descent, with momentum if asked for (tf.keras.optimizers.SGD).

    w ← w - η g; with momentum μ: v ← μ v - η g, then w ← w + v, or with nesterov w ← w + μ v - η g.

    Args:
        learning_rate: η.
        momentum: μ in [0, 1].
        nesterov: whether to look ahead (Sutskever et al., 2013).
        shared: see Optimizer.

    Example:
        >>> import nbflow as nf
        >>> w = nf.Variable(1.0)
        >>> _ = nf.optimizers.SGD(0.1).minimize(lambda: w * w, [w])
        >>> w.numpy()
        np.float32(0.8)
    """

    settings = ("momentum", "nesterov")

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **shared):
        super().__init__(learning_rate, **shared)
        if not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be a float between [0, 1]. Received: momentum={momentum}")
        self.momentum, self.nesterov = momentum, nesterov

    def slots(self):
        """Momentum, if there is any."""
        return [{"momentum": 0.0}] if self.momentum else []

    def update_step(self, gradient, variable, learning_rate) -> None:
        """One step for one Variable."""
        rate, gradient = cast(learning_rate, variable.dtype), cast(gradient, variable.dtype)
        if not self.momentum:
            self.assign_sub(variable, on_rows(lambda g: g * rate, gradient))
            return
        (m,), step = self.state_of(variable), summed_over_rows(lambda g: g * rate, gradient)
        m.assign(m * self.momentum - step)
        variable.assign_add(m * self.momentum - step if self.nesterov else m)


@export("keras.optimizers.Lion")
class Lion(Optimizer):
    """Steps of one size, along the sign of a mean of gradients (Chen et al., 2023; tf.keras.optimizers.Lion).

    w ← w - η sign(β₁ m + (1 - β₁) g), m ← β₂ m + (1 - β₂) g.

    Args:
        learning_rate: η.
        beta_1: β₁ in (0, 1].
        beta_2: β₂.
        shared: see Optimizer.
    """

    settings = ("beta_1", "beta_2")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, **shared):
        super().__init__(learning_rate, **shared)
        if not 0 < beta_1 <= 1:
            raise ValueError(
                "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer degenerates to SignSGD. "
                f"Received: beta_1={beta_1}."
            )
        self.beta_1, self.beta_2 = beta_1, beta_2

    def slots(self):
        """The mean of gradients."""
        return [{"momentum": 0.0}]

    def update_step(self, gradient, variable, learning_rate) -> None:
        """One step for one Variable."""
        dtype, (m,) = variable.dtype, self.state_of(variable)
        gradient, beta_1, beta_2 = (cast(v, dtype) for v in (to_tensor(gradient), self.beta_1, self.beta_2))
        variable.assign_sub(cast(learning_rate, dtype) * sign(m * beta_1 + gradient * (1 - beta_1)))
        m.assign(m * beta_2 + gradient * (1 - beta_2))
