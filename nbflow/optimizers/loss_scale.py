"""Loss scaling for float16."""

from nbflow.arrays.joining import where
from nbflow.control.branches import cond
from nbflow.dtypes import float32
from nbflow.math.elementwise import cast, is_finite
from nbflow.math.reductions import reduce_all
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.optimizers.optimizer import Optimizer
from nbflow.public import export
from nbflow.tensor.indexed_slices import IndexedSlices, on_rows
from nbflow.tensor.tensor import to_tensor


@export("keras.optimizers.LossScaleOptimizer", "keras.mixed_precision.LossScaleOptimizer")
class LossScaleOptimizer(Optimizer):
    """An optimizer around another, which multiplies the loss by a scale (tf.keras.optimizers.LossScaleOptimizer).

    Gradients of float16 values that would be 0 for being small are not when the loss is large; they are divided by the
    scale before the update. Where a gradient is not finite, the update is left out and the scale halved; after
    dynamic_growth_steps updates in a row it is doubled.

    Args:
        inner_optimizer: the optimizer that updates.
        initial_scale: the scale at first.
        dynamic_growth_steps: how many updates double it.
        name: see Optimizer; its other arguments are to be given to inner_optimizer.

    Raises:
        ValueError: another argument is given.
    """

    def __init__(self, inner_optimizer, initial_scale=2.0**15, dynamic_growth_steps=2000, name=None, **kwargs):
        super().__init__(0.0, name=name)
        for key, value in kwargs.items():  # configurations of older versions have all of them, without effect
            if value != getattr(Optimizer, key, True if key == "dynamic" else kwargs):
                raise ValueError(
                    f"LossScaleOptimizer does not support `{key}`. Instead, set `{key}` on the `inner_optimizer`."
                )
        self.inner_optimizer = inner_optimizer
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None  # gradients would be scaled twice

    def build(self, variables) -> None:
        """Makes the state: a counter, the scale, and the inner optimizer's."""
        if not self.built:
            self.step_counter = self.add_variable((), 0, "int64", name="step_counter")
            self.dynamic_scale = self.add_variable((), self.initial_scale, float32, name="dynamic_scale")
            self.inner_optimizer.build(variables)
            super().build(variables)

    @property
    def variables(self) -> list:
        """The state, and then that of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def iterations(self):
        """How many updates the inner optimizer made."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self):
        """The inner optimizer's rate."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        self.inner_optimizer.learning_rate = value

    lr = learning_rate

    def _called_rate(self):
        return self.inner_optimizer._called_rate()

    def _update(self, gradients, variables, rate) -> None:
        scale, count = to_tensor(self.dynamic_scale), to_tensor(self.step_counter)
        finite = [reduce_all(is_finite(g.values if isinstance(g, IndexedSlices) else g)) for g in gradients]
        unscaled = [on_rows(lambda g: _wide(g) / cast(scale, _wide(g).dtype), g) for g in gradients]

        def update():
            self.inner_optimizer._update(unscaled, variables, rate)
            grown = count == self.dynamic_growth_steps - 1
            self.step_counter.assign(where(grown, cast(0, "int64"), count + 1))
            self.dynamic_scale.assign(where(grown, scale * 2.0, scale))

        def skip():
            self.step_counter.assign(cast(0, "int64"))
            self.dynamic_scale.assign(scale * 0.5)

        cond(reduce_all(finite), update, skip)

    def scale_loss(self, loss):
        """The loss times the scale."""
        return _wide(loss) * (to_tensor(self.dynamic_scale) if self.built else self.initial_scale)

    def finalize_variable_values(self, var_list) -> None:
        """Does what the inner optimizer does with moving averages."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict:
        """The arguments that make an optimizer like this one."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """An optimizer of a configuration that get_config gave."""
        config = dict(config)
        return cls(deserialize_keras_object(config.pop("inner_optimizer"), custom_objects), **config)


def _wide(x):
    """A tensor in float32 at least."""
    x = to_tensor(x)
    return cast(x, float32) if x.dtype.is_half else x
