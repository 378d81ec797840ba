"""Layer: weights, and a call that uses them."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from nbflow.dtypes import as_dtype
from nbflow.function.context import name_scope
from nbflow.function.trace import init_scope
from nbflow.keras import constraints, dtype_policies, initializers, regularizers
from nbflow.keras.layers.calls import Called, is_shape
from nbflow.keras.metrics.metric import Metric
from nbflow.keras.random.seeds import SeedGenerator
from nbflow.keras.settings import name_for
from nbflow.keras.variable import Variable
from nbflow.module import Holder, found, unique
from nbflow.public import export
from nbflow.tensor.state import state
from nbflow.tensor.variable import Variable as PlainVariable


@export("keras.layers.Layer", "keras.Layer")
class Layer(Called, Holder):
    """A callable with weights (tf.keras.layers.Layer).

    A subclass makes its weights in `build(input_shape)` with `add_weight`, which runs before the first call, and
    computes in `call(inputs)`. `call` may take `training` and `mask`, which are passed on from the outer call and
    from what the layers before attach to their results. Variables, layers and metrics in attributes, lists and dicts
    are found.

    Args:
        trainable: whether its weights are trained.
        dtype: a dtype or DTypePolicy: what it computes in and keeps its weights in; see keras.config.dtype_policy.
        autocast: whether floating inputs are cast to the dtype that it computes in.
        activity_regularizer: a function of the output whose result adds to the loss.
        name: a name; by default that of the class, numbered.

    Example:
        >>> import nbflow as nf
        >>> class Scale(nf.keras.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> Scale()(nf.constant([[1.0, 2.0]])).numpy()
        array([[1., 2.]], dtype=float32)
    """

    built: bool
    supports_masking: bool
    activity_regularizer: Any
    _made: tuple[list[Variable], list[Variable]]  # by add_weight: those to be trained, and others
    _losses: list
    _init_arguments: tuple[tuple, dict[str, Any]]
    _build_shapes: dict[str, Any] | None

    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        self.__dict__.update(
            _made=([], []), _inbound_nodes=[], _losses=[], built=False, input_spec=None, _name=None, _trainable=True,
            _init_arguments=(args, kwargs), supports_masking=cls.compute_mask is not Layer.compute_mask,
            _build_shapes=None, activity_regularizer=None, autocast=True, dtype_policy=dtype_policies.dtype_policy(),
        )  # fmt: skip
        return self

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _noted_build(vars(cls)["build"])

    def __init__(self, *, activity_regularizer=None, trainable=True, dtype=None, autocast=True, name=None, **kwargs):
        shape = kwargs.pop("input_shape", None)
        dim, batch = kwargs.pop("input_dim", None), kwargs.pop("batch_size", None)
        if shape is None and dim is not None:
            shape = (dim,)
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}")
        if name is not None and not isinstance(name, str):
            raise ValueError(f"{type(self).__name__}: name is {name!r:.100}; it takes a string")
        self._name = name or name_for(type(self))
        self.dtype_policy = dtype_policies.policy_of(dtype)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable, self.autocast = bool(trainable), autocast
        if shape is not None:
            self._input_shape_arg = (batch, *shape)

    # --- what it is ---------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name."""
        return self._name

    @property
    def path(self) -> str:
        """The name, as weights show it."""
        return self._name

    @property
    def dtype(self) -> str:
        """The dtype of its weights."""
        return self.dtype_policy.variable_dtype

    variable_dtype = dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype that it computes in."""
        return self.dtype_policy.compute_dtype

    input_dtype = compute_dtype

    def build(self, input_shape) -> None:
        """Makes the weights for inputs of a shape; subclasses define it."""
        self.built = True

    def call(self, *args, **kwargs):
        """Computes the outputs; subclasses define it."""
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `call()` method implemented.")

    # --- weights ------------------------------------------------------------------------------------------------------

    def add_weight(
        self,
        shape=None,
        initializer=None,
        dtype=None,
        trainable=True,
        autocast=True,
        regularizer=None,
        constraint=None,
        aggregation="none",
        overwrite_with_gradient=False,
        name=None,
    ) -> Variable:
        """Makes a weight.

        Args:
            shape: its shape, () by default.
            initializer: what gives its first value: a name or a function of (shape, dtype); by default Glorot's.
            dtype: by default the layer's.
            trainable: whether training changes it.
            autocast: whether it reads in the dtype that the layer computes in.
            regularizer: a function of it whose result adds to the loss.
            constraint: a function that it is put through after each update.
            name: such as "kernel".
        """
        if isinstance(shape, str):  # add_weight("kernel", shape), as Keras 2 had it
            shape, name, initializer = initializer, shape, None
        shape = () if shape is None else tuple(shape)
        if None in shape:
            raise ValueError(
                f"Shapes used to initialize variables must be fully-defined (no `None` dimensions). Received: "
                f"shape={shape} for variable '{name}' of layer '{self.name}'; give its inputs a size there"
            )
        dtype = as_dtype(self.variable_dtype if dtype is None else dtype)
        if initializer is None:
            initializer = "glorot_uniform" if dtype.is_floating else "zeros"
        with init_scope():
            weight = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=trainable and self._trainable,
                autocast=autocast,
                name=name,
                constraint=constraints.get(constraint),
                regularizer=regularizers.get(regularizer),
            )
        weight.overwrite_with_gradient = overwrite_with_gradient
        self._made[0 if trainable else 1].append(weight)
        return weight

    def _own(self) -> list[PlainVariable]:
        """Its own weights: trainable ones first, those of add_weight before others."""
        others = list(found(_walked(self), PlainVariable))
        first, last = self._made
        return unique([*first, *(v for v in others if v.trainable and not _in(v, last)), *last, *others])

    def _children(self) -> list["Layer"]:
        """The layers that it holds."""
        return [
            c for c in unique(found([v for k, v in vars(self).items() if k not in _NOT_WALKED], Layer)) if c is not self
        ]

    def _flatten_layers(self) -> list["Layer"]:
        """Itself and all layers in it, outer ones first."""
        seen: dict[int, Layer] = {}

        def visit(layer):
            if id(layer) not in seen:
                seen[id(layer)] = layer
                for child in layer._children():
                    visit(child)

        visit(self)
        return list(seen.values())

    @property
    def weights(self) -> list:
        """All weights, its own first."""
        return unique(v for layer in self._flatten_layers() for v in layer._own())

    @property
    def variables(self) -> list:
        """All Variables: weights, and the state of random generators."""
        kept = []
        for layer in self._flatten_layers():
            kept += [*layer._own(), *(seed.state for seed in found(_walked(layer), SeedGenerator))]
        return unique(kept)

    @property
    def trainable_variables(self) -> list:
        """The weights that training changes."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list:
        """The Variables that training does not change."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trained]

    @property
    def trainable_weights(self) -> list:
        """The weights that training changes; none if it is not trainable."""
        return [v for v in self.weights if v.trainable] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list:
        """The weights that training does not change."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trained]

    @property
    def metrics(self) -> list:
        """The metrics that it and its layers hold."""
        return unique(found([_walked(layer) for layer in self._flatten_layers()], Metric))

    @property
    def metrics_variables(self) -> list:
        """The Variables of the metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether its weights are trained; setting it sets its layers', too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value) -> None:
        for layer in self._flatten_layers():
            layer._trainable = bool(value)
            for weight in layer._made[0]:
                weight.trainable = bool(value)

    def get_weights(self) -> list[np.ndarray]:
        """The weights' values as NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights) -> None:
        """Sets all weights.

        Raises:
            ValueError: there are more or fewer arrays than weights, or one has another shape.
        """
        own = self.weights
        if len(own) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length "
                f"{len(weights)}, but the layer was expecting {len(own)} weights."
            )
        for variable, value in zip(own, weights, strict=True):
            if tuple(variable.shape) != tuple(np.shape(value)):
                raise ValueError(
                    f"Layer {self.name} weight shape {tuple(variable.shape)} is not compatible with provided weight "
                    f"shape {tuple(np.shape(value))}."
                )
            variable.assign(np.asarray(value, variable.dtype.np))

    def count_params(self) -> int:
        """The number of elements of all weights.

        Raises:
            ValueError: the layer has no weights yet.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. You can build it "
                f"manually via: `{self.name}.build(input_shape)`."
            )
        return sum(int(np.prod(v.shape)) for v in self.weights)

    def save_own_variables(self, store) -> None:
        """Puts its own weights into a dict-like store, by number."""
        for k, v in enumerate(self._own()):
            store[str(k)] = v.numpy()

    def load_own_variables(self, store) -> None:
        """Sets its own weights from such a store.

        Raises:
            ValueError: it holds another number of weights.
        """
        own = self._own()
        if len(store.keys()) != len(own):
            never = "" if self.built else (
                " The layer was never built: its weights do not exist yet. Build it or call it on data first."
            )  # fmt: skip
            raise ValueError(
                f"Layer '{self.name}' expected {len(own)} variables, but received {len(store.keys())} variables during "
                f"loading.{never} Expected: {[v.name for v in own]}"
            )
        for k, v in enumerate(own):
            v.assign(np.asarray(store[str(k)]).astype(v.dtype.np))

    # --- configuration ------------------------------------------------------------------------------------------------

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        config = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
        }
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if type(self).get_config is Layer.get_config and type(self).__init__ is not Layer.__init__:
            config |= self._given_arguments()
        return config

    def _given_arguments(self) -> dict:
        """What the constructor of a class without get_config was given."""
        args, kwargs = self._init_arguments
        bound = inspect.signature(type(self).__init__).bind(self, *args, **kwargs)
        given = dict(list(bound.arguments.items())[1:])
        for name, parameter in bound.signature.parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                given |= given.pop(name, {})
        plain = (str, int, float, bool, type(None), list, tuple, dict)
        bad = {k: v for k, v in given.items() if not isinstance(v, plain)}
        if bad:
            raise NotImplementedError(
                f"Object {type(self).__name__} was created by passing non-serializable argument values in "
                f"`__init__()`, {bad!r:.300}, and therefore the object must override `get_config()` in order to be "
                f"serializable."
            )
        return given

    @classmethod
    def from_config(cls, config: dict):
        """The layer of a configuration."""
        try:
            return cls(**config)
        except TypeError as error:
            raise TypeError(f"Error when deserializing class '{cls.__name__}' using config={config}. {error}") from None

    def get_build_config(self) -> dict | None:
        """The shapes that it was built for."""
        return None if self._build_shapes is None else self._build_shapes

    def build_from_config(self, config: dict) -> None:
        """Builds it for the shapes of get_build_config."""
        if not config or self.built:
            return
        shapes = {name: _as_shapes(shape) for name, shape in config.items()}
        with name_scope(self.name):
            if list(shapes) == ["input_shape"]:
                self.build(shapes["input_shape"])
            elif "shapes_dict" in shapes:
                self.build(**shapes["shapes_dict"])
            else:
                self.build(**shapes)
        self.built = True

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


_NOT_WALKED = {"_made", "_inbound_nodes", "_losses", "_init_arguments"}


def _walked(layer: Layer) -> list:
    return [v for k, v in vars(layer).items() if k not in _NOT_WALKED]


def _in(thing, things) -> bool:
    return any(thing is other for other in things)


def _noted_build(build: Callable) -> Callable:
    """A build method that notes that it was called, and for what."""

    @functools.wraps(build)
    def wrapped(self, *args, **kwargs):
        names = list(inspect.signature(build).parameters)[1:]
        shapes = {**dict(zip(names, args, strict=False)), **kwargs}
        with init_scope():
            if state.scope.rpartition("/")[2] == self.name:
                build(self, *args, **kwargs)
            else:
                with name_scope(self.name):
                    build(self, *args, **kwargs)
        self.built = True
        self._note_shapes(shapes)

    return wrapped


def _as_shapes(value):
    """Shapes as they come from a file: lists become tuples."""
    if is_shape(value):
        return tuple(value)
    if isinstance(value, dict):
        return {k: _as_shapes(v) for k, v in value.items()}
    return [_as_shapes(v) for v in value] if isinstance(value, (list, tuple)) else value
