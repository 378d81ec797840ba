"""Metric: a number that is gathered over batches."""

from nbflow.arrays.creation import zeros
from nbflow.function.trace import init_scope
from nbflow.keras import initializers
from nbflow.keras.dtype_policies import policy_of
from nbflow.keras.settings import floatx, name_for
from nbflow.keras.variable import Variable
from nbflow.public import export
from nbflow.tensor.variable import Variable as PlainVariable


@export("keras.metrics.Metric", "keras.Metric")
class Metric:
    """Base class of metrics (tf.keras.metrics.Metric).

    A subclass makes its Variables with add_variable, adds batches to them in `update_state`, and says in `result` what
    they give. Both may be traced: an update is then a part of the compiled step.

    Args:
        dtype: what it computes in, a dtype or a policy; floatx() by default.
        name: its name; by default that of the class.

    Example:
        >>> import nbflow as nf
        >>> class Positives(nf.keras.metrics.Metric):
        ...     def __init__(self, name="positives"):
        ...         super().__init__(name=name)
        ...         self.total = self.add_variable((), "zeros", name="total")
        ...
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.total.assign_add(nf.reduce_sum(nf.cast(nf.convert_to_tensor(y_pred) > 0, "float32")))
        ...
        ...     def result(self):
        ...         return self.total
        >>> metric = Positives()
        >>> float(metric([0, 1, 1], [0.5, -1.0, 2.0]))
        2.0
    """

    _direction: str | None = None  # "up" or "down": where it gets better

    def __init__(self, dtype=None, name=None):
        self._variables: list[PlainVariable] = []
        self.name = name or name_for(type(self))
        self._dtype = policy_of(dtype or floatx()).compute_dtype

    @property
    def dtype(self) -> str:
        """The dtype that it computes in."""
        return self._dtype

    @property
    def variables(self) -> list[PlainVariable]:
        """Its Variables, and those of metrics that it has as attributes."""
        nested = [metric for value in vars(self).values() for metric in _metrics_in(value)]
        return [*self._variables, *(v for metric in nested for v in metric.variables)]

    def add_variable(self, shape, initializer, dtype=None, aggregation="sum", name=None) -> Variable:
        """A Variable of the metric's own.

        Args:
            shape: its shape.
            initializer: its first value, see nf.keras.initializers.get; zeros where it is None.
            dtype: its dtype, floatx() by default.
            aggregation: accepted as Keras'; it has no effect.
            name: its name.
        """
        self._check_super_called()
        make = initializers.get(initializer or "zeros")
        with init_scope():
            variable = Variable(make, tuple(shape), dtype or floatx(), trainable=False, autocast=False, name=name)
        self._variables.append(variable)
        return variable

    def add_weight(self, shape=(), initializer=None, dtype=None, name=None) -> Variable:
        """A Variable of the metric's own, see add_variable."""
        return self.add_variable(shape, initializer, dtype, name=name)

    def save_own_variables(self, store) -> None:
        """Puts the values of its Variables into a dict-like store, by number."""
        for k, variable in enumerate(self.variables):
            store[str(k)] = variable.numpy()

    def load_own_variables(self, store) -> None:
        """Sets its Variables from such a store."""
        for k, variable in enumerate(self.variables):
            variable.assign(store[str(k)])

    def reset_state(self) -> None:
        """Sets all Variables to 0."""
        for variable in self.variables:
            variable.assign(zeros(variable.shape, variable.dtype))

    def update_state(self, *args, **kwargs):
        """Adds a batch: (y_true, y_pred, sample_weight=None) for most metrics."""
        raise NotImplementedError

    def result(self):
        """The value over all batches since reset_state."""
        raise NotImplementedError

    def __call__(self, *args, **kwargs):
        """Adds a batch, and gives the value over all batches so far."""
        self._check_super_called()
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict:
        """The arguments that make a metric like this one."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict):
        """A metric of these arguments."""
        return cls(**config)

    def __setattr__(self, name, value):
        if isinstance(value, PlainVariable):
            self._check_super_called()
            if not any(known is value for known in self._variables):
                self._variables.append(value)
        super().__setattr__(name, value)

    def _check_super_called(self) -> None:
        if "_variables" not in vars(self):
            raise RuntimeError("You forgot to call `super().__init__()` in the `__init__()` method. Go add it!")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _metrics_in(value) -> list[Metric]:
    """The metrics that an attribute holds."""
    values = value if isinstance(value, (list, tuple)) else value.values() if isinstance(value, dict) else (value,)
    return [v for v in values if isinstance(v, Metric)]
