"""What optimizers have in common: learning rate, state for each Variable, one fused update over all of them."""

from collections.abc import Callable
from typing import Any

from nbflow.arrays.creation import zeros_like
from nbflow.function.function import Function
from nbflow.function.trace import init_scope
from nbflow.ops.table import TABLE
from nbflow.shapes import could_be_equal
from nbflow.tape.gradient_tape import GradientTape
from nbflow.tensor.indexed_slices import IndexedSlices
from nbflow.tensor.tensor import to_tensor
from nbflow.tensor.variable import Variable


class Optimizer:
    """Base of optimizers (tf.keras.optimizers.Optimizer).

    A subclass says what state a Variable has and how to update it.

    Args:
        learning_rate: a number, or a callable that gives one.
        name: shown in messages.

    Attributes:
        iterations: how many updates were made, an int64 Variable.
        learning_rate: the rate, a float32 Variable; assign a number to change it.
    """

    slots: tuple[str, ...] = ()

    def __init__(self, learning_rate: float | Callable, name: str):
        self.name = name
        self._schedule = learning_rate if callable(learning_rate) and not isinstance(learning_rate, Variable) else None
        start: Any = self._schedule() if self._schedule else learning_rate
        try:
            rate = float(start)
        except (TypeError, ValueError):
            rate = -1.0
        if not rate >= 0:
            raise ValueError(
                f"{name}: learning_rate is {start!r}; it takes a number of 0 or more, or a callable that gives one"
            )
        with init_scope():
            self._learning_rate = Variable(rate, dtype="float32", name="learning_rate", trainable=False)
            self.iterations = Variable(0, dtype="int64", name="iteration", trainable=False)
        self._state: dict[int, tuple[Variable, dict[str, Variable]]] = {}
        self._updates: dict[tuple, Function] = {}

    @property
    def learning_rate(self):
        """The learning rate."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        self._learning_rate.assign(value)

    lr = learning_rate

    @property
    def variables(self) -> list[Variable]:
        """The state: iterations, learning rate and the slots of each Variable."""
        slots = [slot for _, by_name in self._state.values() for slot in by_name.values()]
        return [self.iterations, self._learning_rate, *slots]

    def build(self, var_list) -> None:
        """Makes the state for Variables ahead of the first update."""
        for variable in var_list:
            self._slots_of(variable)

    def _slots_of(self, variable: Variable) -> dict[str, Variable]:
        if id(variable) not in self._state:
            with init_scope():
                made = {
                    slot: Variable(zeros_like(variable), trainable=False, name=f"{self.name}/{slot}")
                    for slot in self.slots
                }
            self._state[id(variable)] = (variable, made)
        return self._state[id(variable)][1]

    def apply_gradients(self, grads_and_vars, name=None) -> Variable:
        """Updates Variables by their gradients, all in one program.

        Args:
            grads_and_vars: pairs of a gradient, a tensor or IndexedSlices (None is skipped), and its Variable.

        Returns:
            iterations.

        Raises:
            ValueError: no gradient is given, or one has another shape than its Variable.
        """
        pairs = [(gradient, variable) for gradient, variable in grads_and_vars]
        given = [(_gradient(g, v), v) for g, v in pairs if g is not None]
        if not given:
            names = [getattr(v, "name", v) for _, v in pairs]
            raise ValueError(f"No gradients provided for any variable: {names}.")
        for gradient, variable in given:
            if not isinstance(variable, Variable):
                raise TypeError(f"{self.name}: apply_gradients takes (gradient, Variable) pairs, got {variable!r}")
            if not could_be_equal(gradient.nbflow_shape, variable.nbflow_shape) or gradient.dtype is not variable.dtype:
                raise ValueError(
                    f"{self.name}: the gradient of '{variable.name}' is {gradient.dtype.name} "
                    f"of shape {gradient.shape}; the Variable is {variable.dtype.name} of shape {variable.shape}"
                )
        if self._schedule:
            self._learning_rate.assign(self._schedule())
        key = tuple(id(v) for _, v in given)
        update = self._updates.get(key)
        if update is None:
            variables = [v for _, v in given]
            self.build(variables)
            update = self._updates[key] = Function(lambda *gradients: self._update(gradients, variables))
        update(*(g for g, _ in given))
        return self.iterations

    def _update(self, gradients, variables) -> None:
        """The update of all Variables, to be traced."""
        step = self.prepare()
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(gradient, variable, self._slots_of(variable), step)
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value()))
        self.iterations.assign_add(1)

    def prepare(self) -> dict:
        """Values that all Variables share in one update, by dtype as needed."""
        return {"learning_rate": self._learning_rate.value()}

    def update_step(self, gradient, variable: Variable, slots: dict[str, Variable], step: dict) -> None:
        """Updates one Variable and its slots; the gradient may be IndexedSlices. Subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} does not define update_step")

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

    def get_config(self) -> dict:
        """The arguments that make an optimizer like this one."""
        return {"name": self.name, "learning_rate": float(self._learning_rate.numpy())}


def _gradient(gradient, variable: Variable):
    """A gradient as a tensor, or as IndexedSlices of its Variable's shape."""
    if not isinstance(gradient, IndexedSlices):
        return to_tensor(gradient)
    shape = variable.nbflow_shape if gradient.dense_shape is None else gradient.nbflow_shape
    return IndexedSlices(to_tensor(gradient.values), to_tensor(gradient.indices), tuple(shape))


def square(gradient):
    """gradient², where slices of one row are squared before they add up, as Keras does."""
    if not isinstance(gradient, IndexedSlices):
        return gradient * gradient
    return to_tensor(IndexedSlices(square(gradient.values), gradient.indices, gradient.nbflow_shape))


def subtract(variable: Variable, gradient, rate) -> None:
    """variable ← variable - rate · gradient; of IndexedSlices only the rows that they name."""
    if not isinstance(gradient, IndexedSlices):
        variable.assign_sub(gradient * rate)
        return
    points = TABLE["reshape"](gradient.indices, shape=(*gradient.indices.nbflow_shape, 1))
    scatter = TABLE["tensor_scatter_nd_sub"]
    variable.assign(scatter(variable.nbflow_current(), points, gradient.values * rate))
