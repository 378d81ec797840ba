"""What optimizers have in common: learning rate, state for each Variable, one fused update over all of them."""

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from nbflow.arrays.clipping import clip_by_norm, clip_by_value
from nbflow.arrays.creation import fill, zeros_like
from nbflow.arrays.joining import gather
from nbflow.autograph.conversion import converted
from nbflow.control.branches import cond
from nbflow.errors import InvalidArgumentError
from nbflow.function.function import Function
from nbflow.function.trace import init_scope
from nbflow.math.elementwise import cast, minimum, sqrt, square
from nbflow.math.reductions import reduce_sum
from nbflow.objects.lookup import snake_case
from nbflow.objects.registration import built_in
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.objects.settings import auto_name, process
from nbflow.optimizers.schedules import LearningRateSchedule
from nbflow.public import export
from nbflow.shapes import could_be_equal
from nbflow.tape.gradient_tape import GradientTape
from nbflow.tensor.indexed_slices import IndexedSlices, on_rows
from nbflow.tensor.state import state
from nbflow.tensor.tensor import to_tensor
from nbflow.tensor.variable import Variable


class OptimizerVariable(Variable):
    """A Variable of an optimizer's state, named as Keras names it.

    Attributes:
        path: the optimizer's name and its own, "adam/kernel_momentum".
    """

    __slots__ = ("path",)

    def __init__(self, value, dtype, name: str, path: str):
        with init_scope():
            super().__init__(value() if callable(value) else value, dtype=dtype, name=name, trainable=False)
        self.path = path

    @property
    def name(self) -> str:
        """Its name, "kernel_momentum"."""
        return self._name

    @property
    def value(self):
        """The current value as a tensor."""
        return self.nbflow_tensor()


_SHARED = (  # the arguments of all, in the order of configurations
    *("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum"),
    *("ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps"),
)


@export("keras.optimizers.Optimizer", "keras.Optimizer")
class Optimizer:
    """Base of optimizers (tf.keras.optimizers.Optimizer).

    A subclass says what state a Variable has, `slots`, and how a gradient changes it and the Variable, `update_step`:
    or, as in Keras, it overrides `build` and calls add_variable_from_reference there. All Variables are updated by one
    compiled program, or become part of the function that is being traced.

    Args:
        learning_rate: a number, a LearningRateSchedule, or a function without arguments that gives a number.
        weight_decay: w ← w - weight_decay · learning_rate · w comes before each update; not where it is None.
        clipnorm: the greatest norm of each Variable's gradient.
        clipvalue: the greatest absolute value of a gradient's elements.
        global_clipnorm: the greatest norm of all gradients together. Only one of the three can be given.
        use_ema: whether to keep an exponential moving average of each Variable.
        ema_momentum: average ← ema_momentum · average + (1 - ema_momentum) · w after each update.
        ema_overwrite_frequency: every so many updates the averages replace the Variables; None leaves that to
            finalize_variable_values, which fit calls in the end.
        loss_scale_factor: scale_loss multiplies losses by it, and gradients are divided by it.
        gradient_accumulation_steps: gradients of so many steps, at least 2, make one update with their mean.
        name: the prefix of its Variables' paths, "adam" by default for Adam.

    Attributes:
        variables: the state: iterations, learning_rate, averages, accumulated gradients, and then the slots.

    Raises:
        ValueError: an argument is unknown or out of its range.

    Example:
        >>> import nbflow as nf
        >>> class Signs(nf.keras.optimizers.Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         variable.assign_sub(learning_rate * nf.sign(gradient))
        >>> w = nf.Variable([1.0, 2.0])
        >>> _ = Signs(0.5).apply_gradients([(nf.constant([3.0, -4.0]), w)])
        >>> w.numpy()
        array([0.5, 2.5], dtype=float32)
    """

    settings: tuple[str, ...] = ()  # the arguments of a subclass, which configurations hold after those of all
    weight_decay: float | None = None
    clipnorm: float | None = None
    clipvalue: float | None = None
    global_clipnorm: float | None = None
    use_ema = False
    ema_momentum = 0.99
    ema_overwrite_frequency: int | None = None
    loss_scale_factor: float | None = None
    gradient_accumulation_steps: int | None = None

    def __init__(self, learning_rate, *, name=None, **shared):
        if shared.pop("decay", None) is not None:
            warnings.warn("Argument `decay` is no longer supported and will be ignored.", stacklevel=3)
        unknown = {key: value for key, value in shared.items() if key not in _SHARED}
        if unknown:
            raise ValueError(f"{type(self).__name__}: Argument(s) not recognized: {unknown}")
        self.name = auto_name(snake_case(type(self).__name__)) if name is None else name
        self.__dict__.update(shared)
        self._check()
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._indices: dict[int, int] = {}  # id of a Variable -> its place among those
        self._slots: list[list[Variable]] = []
        self._averages: list[Variable] = []
        self._accumulators: list[Variable] = []
        self._excluded: tuple[set[int], re.Pattern | None] = set(), None
        self._updates: dict[tuple, Function] = {}
        self._iterations = self.add_variable((), 0, "int64", name="iteration")
        self._learning_rate: Any = learning_rate
        if not callable(learning_rate) or isinstance(learning_rate, Variable):
            self._learning_rate = self.add_variable((), self._rate(learning_rate), name="learning_rate")

    def _check(self) -> None:
        clips = {key: getattr(self, key) for key in ("clipnorm", "clipvalue", "global_clipnorm")}
        frequency: Any = self.ema_overwrite_frequency
        for key, right, what in (
            ("gradient_accumulation_steps", (self.gradient_accumulation_steps or 2) >= 2, "an integer >= 2"),
            ("ema_momentum", not self.use_ema or 0 <= self.ema_momentum <= 1, "in the range [0, 1]"),
            (
                "ema_overwrite_frequency",
                not (self.use_ema and frequency) or (isinstance(frequency, int) and frequency > 0),
                "an integer >= 1 or None",
            ),
        ):
            if not right:
                raise ValueError(f"`{key}` must be {what}. Received: {key}={getattr(self, key)}")
        if sum(v is not None for v in clips.values()) > 1:
            raise ValueError(f"Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: {clips}")

    def _rate(self, value) -> float:
        try:
            return float("" if isinstance(value, str) else value)
        except (TypeError, ValueError):
            raise ValueError(
                f"{self.name}: Argument `learning_rate` should be float, or an instance of LearningRateSchedule, or a "
                f"callable that gives a float. Received instead: learning_rate={value!r}"
            ) from None

    def __setattr__(self, name, value):
        if state.trace is None and (name in _SHARED or self.__dict__.get(name, value) is not value):
            self.__dict__.get("_updates", {}).clear()  # they have the old value in them
        object.__setattr__(self, name, value)

    # --- state ----------------------------------------------------------------------------------------------------

    @property
    def iterations(self):
        """How many updates were made, an int64 Variable; with accumulation of gradients, a tensor."""
        steps = self.gradient_accumulation_steps
        return self._iterations // steps if steps else self._iterations

    @property
    def learning_rate(self):
        """The rate: a float32 Variable, what the schedule says for now, or what the function gives."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            return rate
        rate = rate if state.trace is None else converted(rate)
        return rate(self._iterations) if isinstance(self._learning_rate, LearningRateSchedule) else rate()

    @learning_rate.setter
    def learning_rate(self, value):
        """Sets the rate: to a number, where it was made with one, a schedule or a function.

        Raises:
            TypeError: the rate follows a schedule or a function, and value is a number.
        """
        if callable(value) and not isinstance(value, Variable):
            self._variables = [v for v in self._variables if v is not self._learning_rate]
            self._learning_rate = value
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(cast(value, self._learning_rate.dtype))
        else:
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object or a function as its `learning_rate`, "
                "hence its learning rate is not settable. Set another schedule, or make the optimizer with a float"
            )

    lr = learning_rate

    @property
    def variables(self) -> list[Variable]:
        """The state: iterations, learning rate and what each Variable has."""
        return list(self._variables)

    def slots(self) -> list[dict[str, float]]:
        """The state of a Variable, {name: initial number}: what one dict holds lies together in `variables`."""
        return []

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the state for the Variables that are to be trained; the first update does it by itself."""
        if self.built:
            return
        self._trainable_variables = list(variables)
        self._indices = {id(v): k for k, v in enumerate(self._trainable_variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulators = self.add_optimizer_variables(variables, "gradient_accumulator")
        self._slots = [[] for _ in self._trainable_variables]
        for group in self.slots():
            made = self.add_optimizer_variables(variables, list(group), list(group.values()))
            for own, *new in zip(self._slots, *made, strict=True):
                own += new
        self.built = True

    def state_of(self, variable: Variable) -> list[Variable]:
        """The slots of a Variable, in the order of `slots`."""
        return self._slots[self._get_variable_index(variable)]

    def _get_variable_index(self, variable: Variable) -> int:
        return self._indices[id(variable)]

    def add_variable(self, shape, initializer="zeros", dtype=None, aggregation="none", layout=None, name=None):
        """Makes a Variable that belongs to the state.

        Args:
            shape: its shape.
            initializer: a number, a function of (shape, dtype=…), or the name of an initializer.
            dtype: float32 by default.
            aggregation, layout: accepted as Keras'; they have no effect.
            name: its name.
        """
        shape, dtype, name = tuple(shape), dtype or process.floatx, name or "variable"
        if isinstance(initializer, str):
            find: Any = built_in("keras.initializers.get")  # of a room above
            initializer = find(initializer)
        if callable(initializer):
            made = lambda: initializer(shape, dtype=dtype)
        else:
            made = lambda: fill(shape, cast(initializer, dtype))
        variable = OptimizerVariable(made, dtype, name, f"{self.name}/{name}")
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(self, reference_variable, name=None, initializer="zeros"):
        """Makes a Variable of the state with the shape and dtype of another; see add_variable."""
        path = getattr(reference_variable, "path", None) or reference_variable.name
        name = f"{re.sub('[/:]', '_', path)}_{name or 'var'}"
        return self.add_variable(reference_variable.shape, initializer, reference_variable.dtype, name=name)

    def add_optimizer_variables(self, trainable_variables, name, initializer="zeros"):
        """Makes Variables of the state like each of several, under one name, or a list of names.

        Returns:
            A list with one for each Variable; for a list of names a tuple of such lists.
        """
        names = [name] if isinstance(name, str) else list(name)
        initializers = initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        if len(names) != len(initializers):
            raise ValueError(f"There must be as many names as initializers. Received: {name!r}, {initializer!r}")
        made = tuple([] for _ in names)
        for variable in trainable_variables:
            for found, own, start in zip(made, names, initializers, strict=True):
                found.append(self.add_variable_from_reference(variable, own, start))
        return made[0] if isinstance(name, str) else made

    # --- updates --------------------------------------------------------------------------------------------------

    def apply_gradients(self, grads_and_vars, name=None) -> Variable:
        """Updates Variables by their gradients.

        Args:
            grads_and_vars: pairs of a gradient, a tensor or IndexedSlices (None is skipped), and its Variable.

        Returns:
            The count of updates; see apply for errors.
        """
        pairs = list(grads_and_vars)
        if not pairs:
            raise ValueError("No gradients provided for any variable.")
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def apply(self, grads: Iterable, trainable_variables=None) -> None:
        """Updates Variables by their gradients, all in one program.

        Args:
            grads: a tensor, IndexedSlices or None, which is skipped with a warning, for each Variable.
            trainable_variables: the Variables; by default those that the optimizer was built with.

        Raises:
            ValueError: the Variables are not those that the optimizer was built with, or all gradients are None.
            InvalidArgumentError: a gradient has another shape than its Variable.
        """
        grads = list(grads)
        if not grads:
            return
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        self._check_variables(len(grads), variables, trainable_variables is None)
        pairs = [(_gradient(g, v), v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if len(pairs) < len(grads):
            missing = [_name(v) for g, v in zip(grads, variables, strict=True) if g is None]
            if not pairs:
                raise ValueError(f"No gradients provided for any variable: {missing}.")
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss. If using "
                "`model.compile()`, did you forget to provide a `loss` argument?",
                stacklevel=2,
            )
        key = tuple(id(v) for _, v in pairs)
        update = self._updates.get(key)
        if update is None:
            given = [v for _, v in pairs]
            update = Function(lambda rate, *gradients: self._update(gradients, given, rate))
            self._updates[key] = update
        update(self._called_rate(), *(g for g, _ in pairs))

    def _check_variables(self, count: int, variables: list, own: bool) -> None:
        """Whether they are those that the optimizer was built with, or is to be built with now."""
        if own and not self.built:
            raise ValueError(
                "When passing `grads` without `variables`, the optimizer must already be built on a list of variables. "
                "Call `optimizer.build(trainable_variables)` first"
            )
        if own and count != len(variables):
            raise ValueError(
                f"Received a list of {count} gradients, but the optimizer is tracking {len(variables)} trainable "
                "variables; without `variables` there must be one for each"
            )
        if not self.built:
            for variable in variables:
                if not isinstance(variable, Variable):
                    raise TypeError(f"{self.name}: gradients come with Variables, got {variable!r:.200}")
            self.build(variables)
            self.built = True
        for variable in variables:
            if id(variable) not in self._indices:
                raise ValueError(
                    f"Unknown variable: {variable!r:.200}. This optimizer can only be called for the variables it was "
                    "originally built with; make another optimizer for others"
                )

    def _called_rate(self):
        """The rate of a function, which is called once for each update; None where the rate is something else."""
        rate = self._learning_rate
        called = not isinstance(rate, (Variable, LearningRateSchedule))
        return cast(to_tensor(rate()), process.floatx) if called else None

    def _update(self, gradients: Sequence, variables: Sequence[Variable], rate) -> None:
        """The update of Variables, to be traced."""
        if rate is None:
            rate = to_tensor(self.learning_rate)
        if self.loss_scale_factor is not None:
            factor = self.loss_scale_factor
            gradients = [on_rows(lambda g: g / factor, g) for g in gradients]
        if self.gradient_accumulation_steps:
            self._accumulate(gradients, variables, rate)
        else:
            self._step(gradients, variables, rate)
        if self.use_ema:
            self._update_averages()
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(to_tensor(variable)))
        self._iterations.assign_add(1)

    def _accumulate(self, gradients, variables, rate) -> None:
        steps, sums = (
            self.gradient_accumulation_steps,
            [self._accumulators[self._get_variable_index(v)] for v in variables],
        )
        totals = [cast(to_tensor(g), s.dtype) + s for g, s in zip(gradients, sums, strict=True)]

        def update():
            self._step([total / steps for total in totals], variables, rate)
            for accumulator in self._accumulators:
                accumulator.assign(zeros_like(accumulator))

        def add():
            for accumulator, total in zip(sums, totals, strict=True):
                accumulator.assign(total)

        cond((self._iterations + 1) % steps == 0, update, add)

    def _step(self, gradients, variables, rate) -> None:
        gradients = self._clipped(gradients)
        self._apply_weight_decay(variables, rate)
        self._update_all(gradients, variables, rate)

    def _update_all(self, gradients, variables, learning_rate) -> None:
        update_step = converted(self.update_step)  # which may be a user's
        for gradient, variable in zip(gradients, variables, strict=True):
            update_step(gradient, variable, learning_rate)

    def update_step(self, gradient, variable: Variable, learning_rate) -> None:
        """Updates one Variable and its state. Subclasses define it.

        Args:
            gradient: a tensor or IndexedSlices.
            variable: what it is the gradient of.
            learning_rate: a float32 scalar.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define update_step")

    def assign(self, variable, value) -> None:
        """Replaces the value of a Variable, or with IndexedSlices those rows; in the Variable's dtype."""
        _assign(variable, value, "assign", "scatter_update")

    def assign_add(self, variable, value) -> None:
        """Adds a tensor or IndexedSlices to a Variable."""
        _assign(variable, value, "assign_add", "scatter_add")

    def assign_sub(self, variable, value) -> None:
        """Subtracts a tensor or IndexedSlices from a Variable."""
        _assign(variable, value, "assign_sub", "scatter_sub")

    def _clipped(self, gradients) -> Sequence:
        if self.clipnorm and self.clipnorm > 0:
            return [clip_by_norm(g, self.clipnorm) for g in gradients]
        if self.clipvalue and self.clipvalue > 0:
            return [clip_by_value(g, -self.clipvalue, self.clipvalue) for g in gradients]
        if not (self.global_clipnorm and self.global_clipnorm > 0):
            return gradients
        limit = self.global_clipnorm
        parts = [reduce_sum(square(g.values if isinstance(g, IndexedSlices) else g)) for g in gradients]
        norm = sqrt(sum(parts[1:], parts[0]))
        scale = limit * minimum(1.0 / norm, 1.0 / limit) + (norm - norm)  # NaN where the norm is not finite
        return [to_tensor(g) * cast(scale, g.dtype) for g in gradients]

    def exclude_from_weight_decay(self, var_list=None, var_names=None) -> None:
        """Leaves Variables out of weight decay.

        Args:
            var_list: those Variables.
            var_names: regular expressions; Variables whose name holds a match are left out.
        """
        pattern = re.compile("|".join(set(var_names))) if var_names else None
        self._excluded = {id(v) for v in var_list or ()}, pattern

    def _decays(self, variable: Variable) -> bool:
        excluded, pattern = self._excluded
        return id(variable) not in excluded and (pattern is None or not pattern.search(variable.name))

    def _apply_weight_decay(self, variables, rate) -> None:
        for variable in variables:
            if self.weight_decay is not None and self._decays(variable):
                variable.assign_sub(variable * cast(self.weight_decay, variable.dtype) * cast(rate, variable.dtype))

    def minimize(self, loss, var_list, tape: GradientTape | None = None, name=None) -> Variable:
        """Computes the gradients of a loss and applies them.

        Args:
            loss: a callable that gives the loss, or with `tape` the loss itself.
            var_list: Variables, or a callable that gives them.
            tape: the tape that recorded loss.
        """
        if callable(loss):
            tape = GradientTape()
            with tape:
                loss = loss()
        elif tape is None:
            raise ValueError("minimize: `tape` is required when a Tensor loss is passed; or pass a callable loss")
        variables = list(var_list() if callable(var_list) else var_list)
        return self.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    def scale_loss(self, loss):
        """The loss times loss_scale_factor, whose gradients apply divides by it."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    # --- averages -------------------------------------------------------------------------------------------------

    def _update_averages(self) -> None:
        iterations = self.iterations
        for variable, average in zip(self._trainable_variables, self._averages, strict=True):
            momentum = cast(iterations != 0, variable.dtype) * self.ema_momentum
            average.assign(momentum * average + (1 - momentum) * variable)
        if self.ema_overwrite_frequency:
            due = (iterations + 1) % self.ema_overwrite_frequency == 0
            cond(due, lambda: self.finalize_variable_values(self._trainable_variables), lambda: None)

    def finalize_variable_values(self, var_list) -> None:
        """Replaces Variables by their moving averages, where use_ema is set; fit calls it in the end."""
        if not self.use_ema:
            return
        if len(var_list) != len(self._averages):
            raise ValueError(
                f"The length of model variables ({len(var_list)}) does not match the length of the optimizer's "
                f"averages ({len(self._averages)}); was it built with the variables of this model?"
            )
        for variable, average in zip(var_list, self._averages, strict=True):
            variable.assign(to_tensor(average))

    # --- saving ---------------------------------------------------------------------------------------------------

    def save_own_variables(self, store) -> None:
        """Writes the state into a dict: store["0"], store["1"] … in the order of `variables`."""
        for k, variable in enumerate(self.variables):
            store[str(k)] = variable.numpy()

    def load_own_variables(self, store) -> None:
        """Reads the state that save_own_variables wrote; warns and reads nothing where the number differs."""
        variables = self.variables
        if len(store.keys()) == len(variables):
            for k, variable in enumerate(variables):
                variable.assign(cast(np.asarray(store[str(k)]), variable.dtype))
            return
        warnings.warn(
            f"Skipping variable loading for optimizer '{self.name}', because it has {len(variables)} variables whereas "
            f"the saved optimizer has {len(store.keys())} variables. ",
            stacklevel=2,
        )

    def get_config(self) -> dict:
        """The arguments that make an optimizer like this one."""
        rate = self._learning_rate
        return {
            "name": self.name,
            "learning_rate": float(rate.numpy()) if isinstance(rate, Variable) else serialize_keras_object(rate),
            **{key: getattr(self, key) for key in (*_SHARED, *self.settings)},
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """An optimizer of a configuration that get_config gave."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = deserialize_keras_object(config["learning_rate"], custom_objects)
        return cls(**config)


def _name(variable) -> str:
    return getattr(variable, "path", variable.name)


def _gradient(gradient, variable: Variable):
    """A gradient as a tensor, or as IndexedSlices of its Variable's shape.

    Raises:
        InvalidArgumentError: it has another shape.
    """
    if isinstance(gradient, IndexedSlices):
        shape = tuple(variable.nbflow_shape)  # that of the slices may be a tensor of a trace
        gradient = IndexedSlices(to_tensor(gradient.values), to_tensor(gradient.indices), shape)
    else:
        gradient = to_tensor(gradient)
    if not could_be_equal(gradient.nbflow_shape, variable.nbflow_shape):
        raise InvalidArgumentError(
            f"the gradient of '{_name(variable)}' is {gradient.dtype.name} of shape {gradient.shape}; the Variable is "
            f"{variable.dtype.name} of shape {variable.shape}"
        )
    return gradient


def _assign(variable: Variable, value, dense: str, sparse: str) -> None:
    value = cast(value, variable.dtype)
    getattr(variable, sparse if isinstance(value, IndexedSlices) else dense)(value)


def summed_over_rows(function: Callable, gradient):
    """A function of each element of a gradient: of IndexedSlices, of each row, and rows of one place add up after it.

    That is what Keras does with rows that IndexedSlices name several times: their squares add up, not they themselves.
    """
    return to_tensor(on_rows(function, gradient))


def beside(x, gradient):
    """A tensor as what goes with a gradient element by element: of IndexedSlices, the rows that they name."""
    return gather(x, gradient.indices) if isinstance(gradient, IndexedSlices) else to_tensor(x)
