"""Stochastic gradient descent."""

from nbflow.optimizers.optimizer import Optimizer, subtract
from nbflow.public import cast
from nbflow.tensor.tensor import to_tensor


class SGD(Optimizer):
    """Gradient descent, with momentum if asked for (tf.keras.optimizers.SGD).

    w ← w - η g; with momentum μ: v ← μ v - η g, then w ← w + v, or with nesterov w ← w + μ v - η g.

    Args:
        learning_rate: η.
        momentum: μ in [0, 1].
        nesterov: whether to look ahead (Sutskever et al., 2013).
        name: shown in messages.

    Example:
        >>> import nbflow as nf
        >>> w = nf.Variable(1.0)
        >>> _ = nf.optimizers.SGD(0.1).minimize(lambda: w * w, [w])
        >>> w.numpy()
        np.float32(0.8)
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, name="SGD"):
        super().__init__(learning_rate, name)
        if not 0 <= momentum <= 1:
            raise ValueError(f"SGD: momentum is {momentum}; it takes a number in [0, 1]")
        self.momentum, self.nesterov = float(momentum), bool(nesterov)
        self.slots = ("momentum",) if momentum else ()

    def update_step(self, gradient, variable, slots, step) -> None:
        """One step for one Variable."""
        rate = cast(step["learning_rate"], variable.dtype)
        if not self.momentum:
            subtract(variable, gradient, rate)
            return
        gradient = to_tensor(gradient)
        velocity = slots["momentum"] * self.momentum - gradient * rate
        slots["momentum"].assign(velocity)
        variable.assign_add(velocity * self.momentum - gradient * rate if self.nesterov else velocity)

    def get_config(self) -> dict:
        """The arguments that make an optimizer like this one."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
