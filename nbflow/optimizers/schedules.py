"""Learning rates that change with the steps taken (tf.keras.optimizers.schedules).

Arguments that schedules share:
    initial_learning_rate: η₀, the rate of step 0.
    decay_steps: T, above 0.
    name: accepted as Keras'; configurations hold it.
"""

import math

from nbflow.arrays.joining import where
from nbflow.math.elementwise import cast, ceil, divide, floor, log, minimum, pow
from nbflow.math.trigonometric import cos
from nbflow.objects.lookup import Family
from nbflow.public import export
from nbflow.tensor.tensor import to_tensor


@export("keras.optimizers.schedules.LearningRateSchedule")
class LearningRateSchedule:
    """Base of schedules (tf.keras.optimizers.schedules.LearningRateSchedule).

    An optimizer calls it with the count of its updates so far, an int64 scalar, inside the compiled update.

    Example:
        >>> import nbflow as nf
        >>> class Halving(nf.keras.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.5 ** nf.cast(step, nf.float32)
        >>> optimizer, w = nf.keras.optimizers.SGD(Halving()), nf.Variable(0.0)
        >>> for _ in range(3):
        ...     _ = optimizer.apply_gradients([(nf.constant(-1.0), w)])
        >>> float(w), float(optimizer.learning_rate)
        (1.75, 0.125)
    """

    settings: tuple[str, ...] = ()  # the arguments, which configurations hold

    def __call__(self, step):
        """The rate of a step, a scalar."""
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )

    def get_config(self) -> dict:
        """The arguments that make a schedule like this one."""
        if not self.settings:
            raise NotImplementedError(
                f"Learning rate schedule '{type(self).__name__}' must override `get_config()` in order to be "
                "serializable."
            )
        return {key: getattr(self, key) for key in self.settings}

    @classmethod
    def from_config(cls, config: dict):
        """A schedule of a configuration that get_config gave."""
        return cls(**config)

    def _start(self, initial_learning_rate, decay_steps, name: str, argument: str = "decay_steps") -> None:
        """Keeps what all schedules have."""
        if decay_steps <= 0:
            raise ValueError(f"Argument `{argument}` must be > 0. Received: {argument}={decay_steps}")
        self.initial_learning_rate, self.name = initial_learning_rate, name
        setattr(self, argument, decay_steps)

    def _numbers(self, step, *more) -> list:
        """The initial rate, the step and other numbers as tensors of one dtype, float32 for Python's numbers."""
        start = to_tensor(self.initial_learning_rate)
        dtype = start.dtype if start.dtype.is_floating else "float32"
        return [cast(v, dtype) for v in (start, step, *more)]


class _Decay(LearningRateSchedule):
    """A schedule of a rate and a number of steps, all of them or in stairs."""

    settings = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")
    decay_steps: float

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name=None):
        self._start(initial_learning_rate, decay_steps, name or type(self).__name__)
        self.decay_rate, self.staircase = decay_rate, staircase

    def _parts(self, step) -> tuple:
        """η₀, the decay rate, and step / T."""
        start, step, steps, rate = self._numbers(step, self.decay_steps, self.decay_rate)
        fraction = step / steps
        return start, rate, floor(fraction) if self.staircase else fraction


@export("keras.optimizers.schedules.ExponentialDecay")
class ExponentialDecay(_Decay):
    """η₀ · decay_rate^(step / T) (tf.keras.optimizers.schedules.ExponentialDecay).

    Args:
        initial_learning_rate, decay_steps, name: see the module.
        decay_rate: what the rate is multiplied by every T steps.
        staircase: whether step / T is rounded down, so that the rate changes every T steps only.

    Example:
        >>> import nbflow as nf
        >>> rate = nf.keras.optimizers.schedules.ExponentialDecay(0.5, decay_steps=10, decay_rate=0.5, staircase=True)
        >>> [float(rate(step)) for step in (0, 9, 10, 25)]
        [0.5, 0.5, 0.25, 0.125]
    """

    def __call__(self, step):
        """The rate of a step."""
        start, rate, fraction = self._parts(step)
        return start * pow(rate, fraction)


@export("keras.optimizers.schedules.InverseTimeDecay")
class InverseTimeDecay(_Decay):
    """η₀ / (1 + decay_rate · step / T) (tf.keras.optimizers.schedules.InverseTimeDecay).

    Args:
        initial_learning_rate, decay_steps, name: see the module.
        decay_rate: a number.
        staircase: whether step / T is rounded down.
    """

    def __call__(self, step):
        """The rate of a step."""
        start, rate, fraction = self._parts(step)
        return start / (1 + rate * fraction)


@export("keras.optimizers.schedules.PiecewiseConstantDecay")
class PiecewiseConstantDecay(LearningRateSchedule):
    """values[k] from the step after boundaries[k - 1] to boundaries[k] (tf.keras's PiecewiseConstantDecay).

    Args:
        boundaries: increasing numbers of steps.
        values: one rate more than there are boundaries.
        name: see the module.

    Raises:
        ValueError: there are not.
    """

    settings = ("boundaries", "values", "name")

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of length {len(values)}."
            )
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step):
        """The rate of a step."""
        step = to_tensor(step)
        rate = to_tensor(self.values[-1])
        rate = rate if rate.dtype.is_floating else cast(rate, "float32")
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1]), strict=True):
            rate = where(step <= cast(boundary, step.dtype), cast(value, rate.dtype), rate)
        return rate


@export("keras.optimizers.schedules.PolynomialDecay")
class PolynomialDecay(LearningRateSchedule):
    """(η₀ - η₁)(1 - step / T)^power + η₁, and η₁ after T steps (tf.keras.optimizers.schedules.PolynomialDecay).

    Args:
        initial_learning_rate, decay_steps, name: see the module.
        end_learning_rate: η₁.
        power: 1 for a straight line.
        cycle: whether after T steps, 2T, … T becomes the next multiple, so that the rate rises again.
    """

    settings = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")
    decay_steps: float

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        end_learning_rate=0.0001,
        power=1.0,
        cycle=False,
        name="PolynomialDecay",
    ):
        self._start(initial_learning_rate, decay_steps, name)
        self.end_learning_rate, self.power, self.cycle = end_learning_rate, power, cycle

    def __call__(self, step):
        """The rate of a step."""
        start, step, steps, end, power = self._numbers(step, self.decay_steps, self.end_learning_rate, self.power)
        if self.cycle:
            steps = steps * where(step == 0, cast(1.0, step.dtype), ceil(step / steps))
        else:
            step = minimum(step, steps)
        return (start - end) * pow(1 - step / steps, power) + end


@export("keras.optimizers.schedules.CosineDecay")
class CosineDecay(LearningRateSchedule):
    """Half a cosine, from η₀ down to α η₀, perhaps after a rise (tf.keras.optimizers.schedules.CosineDecay).

    η · ((1 - α) ½ (1 + cos(π step / T)) + α) with η = η₀. With warmup_target the rate first goes in a straight line
    from η₀ to it, within warmup_steps, and η = warmup_target and step count from there.

    Args:
        initial_learning_rate, decay_steps, name: see the module.
        alpha: α, the least rate as a fraction of η.
        warmup_target: the rate at the end of the rise; None for no rise.
        warmup_steps: how many steps the rise takes.

    Example:
        >>> import nbflow as nf
        >>> rate = nf.keras.optimizers.schedules.CosineDecay(0.0, 20, warmup_target=1.0, warmup_steps=10)
        >>> [round(float(rate(step)), 2) for step in (0, 5, 10, 20, 30)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    settings = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")
    decay_steps: float

    def __init__(
        self, initial_learning_rate, decay_steps, alpha=0.0, name="CosineDecay", warmup_target=None, warmup_steps=0
    ):
        self._start(initial_learning_rate, decay_steps, name)
        self.alpha, self.warmup_target, self.warmup_steps = alpha, warmup_target, warmup_steps

    def __call__(self, step):
        """The rate of a step."""
        start, step, steps = self._numbers(step, self.decay_steps)
        if self.warmup_target is None:
            return self._decayed(start, minimum(step, steps) / steps)
        _, _, target, rise = self._numbers(step, self.warmup_target, self.warmup_steps)
        step = minimum(step, steps + rise)
        risen = (target - start) * (step / rise) + start
        return where(step < rise, risen, self._decayed(target, (step - rise) / steps))

    def _decayed(self, rate, fraction):
        return rate * ((1 - self.alpha) * (0.5 * (1.0 + cos(math.pi * fraction))) + self.alpha)


@export("keras.optimizers.schedules.CosineDecayRestarts")
class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines one after the other (Loshchilov and Hutter, 2016; tf.keras's CosineDecayRestarts).

    Args:
        initial_learning_rate, name: see the module.
        first_decay_steps: the length of the first.
        t_mul: how much longer each is than the one before.
        m_mul: what each one's first rate is of that of the one before.
        alpha: the least rate as a fraction of the initial one.
    """

    settings = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")
    first_decay_steps: float

    def __init__(self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name="SGDRDecay"):
        self._start(initial_learning_rate, first_decay_steps, name, "first_decay_steps")
        self.t_mul, self.m_mul, self.alpha = t_mul, m_mul, alpha

    def __call__(self, step):
        """The rate of a step."""
        start, step, steps, longer, alpha = self._numbers(step, self.first_decay_steps, self.t_mul, self.alpha)
        fraction = divide(step, steps)
        if self.t_mul == 1.0:
            round_ = floor(fraction)
            fraction = fraction - round_
        else:
            round_ = floor(log(1.0 - fraction * (1.0 - longer)) / log(longer))
            before = (1.0 - pow(longer, round_)) / (1.0 - longer)
            fraction = (fraction - before) / pow(longer, round_)
        scale = pow(cast(self.m_mul, start.dtype), round_)
        return start * ((1 - alpha) * (0.5 * scale * (1.0 + cos(math.pi * fraction))) + alpha)


_family = Family(
    "learning rate schedule",
    "keras.optimizers.schedules",
    {
        cls.__name__: cls
        for cls in (
            *(ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay),
            *(PolynomialDecay, CosineDecay, CosineDecayRestarts),
        )
    },
)


@export("keras.optimizers.schedules.serialize")
def serialize(learning_rate_schedule) -> dict:
    """The configuration of a schedule, from which deserialize makes it again."""
    return _family.serialize(learning_rate_schedule)


@export("keras.optimizers.schedules.deserialize")
def deserialize(config, custom_objects=None) -> LearningRateSchedule:
    """A schedule from its configuration."""
    return _family.deserialize(config, custom_objects)
