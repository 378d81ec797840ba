"""Layer: weights, and a call that uses them."""

import functools
import inspect
import threading
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
import optree

from nbflow.autograph.conversion import converted
from nbflow.compiler.graph import aval
from nbflow.dtypes import as_dtype
from nbflow.function.context import name_scope
from nbflow.function.trace import init_scope
from nbflow.keras import constraints, dtype_policies, initializers, regularizers
from nbflow.keras.layers import input_spec
from nbflow.keras.metrics.metric import Metric
from nbflow.keras.random.seeds import SeedGenerator
from nbflow.keras.settings import name_for
from nbflow.keras.symbolic import KerasTensor, Operation, Step, has_symbolic, symbolic, traced_call, with_dims
from nbflow.keras.variable import Variable, autocast_scope
from nbflow.module import Holder, found, unique
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state
from nbflow.tensor.tensor import to_tensor
from nbflow.tensor.variable import Variable as PlainVariable


class _Calls(threading.local):
    """The calls of layers that are open on a thread: the outermost layer, and whether it trains."""

    entry: "Layer | None" = None
    training: bool | None = None


_calls = _Calls()


class _Signature:
    """What `call` takes: its parameters, and which of them a layer fills in by itself."""

    def __init__(self, call: Callable):
        self.signature = inspect.signature(call)
        parameters = self.signature.parameters
        self.names = list(parameters)
        self.takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        training = parameters.get("training")
        self.has_training = training is not None
        self.training = None if training is None or training.default is training.empty else training.default

    def bound(self, args: tuple, kwargs: dict) -> dict[str, Any]:
        """The arguments by name."""
        if not self.has_training and not self.takes_any and "training" in kwargs:  # for the layers inside
            kwargs = {name: value for name, value in kwargs.items() if name != "training"}
        bound = self.signature.bind(*args, **kwargs)
        return bound.arguments


@export("keras.layers.Layer", "keras.Layer")
class Layer(Operation, Holder):
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
    _convert_inputs = True  # arrays and floats among the arguments become tensors of the layer's dtype
    _takes_values = False  # arguments by position that are no tensors are allowed

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
        dtype = as_dtype(self.variable_dtype if dtype is None else dtype)
        if initializer is None:
            initializer = "glorot_uniform" if dtype.is_floating else "zeros"
        with init_scope():
            weight = Variable(
                initializers.get(initializer),
                shape=() if shape is None else tuple(shape),
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
        seeds = found([list(vars(layer).values()) for layer in self._flatten_layers()], SeedGenerator)
        return unique([*self.weights, *(seed.state for seed in seeds)])

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

    # --- losses -------------------------------------------------------------------------------------------------------

    def add_loss(self, loss) -> None:
        """Adds a scalar, or a list of them, to what training minimizes; to be called in `call`."""
        for part in loss if isinstance(loss, (list, tuple)) else [loss]:
            self._losses.append(part)

    @property
    def losses(self) -> list:
        """The scalars of add_loss, of activity regularizers and of weights' regularizers, since the last call began."""
        layers = self._flatten_layers()
        added = [loss for layer in layers for loss in layer._losses]
        weights = [v for v in self.trainable_weights if getattr(v, "regularizer", None) is not None]
        return added + [v.regularizer(v) for v in weights]

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    # --- calls --------------------------------------------------------------------------------------------------------

    @functools.cached_property
    def _call_signature(self) -> _Signature:
        return _Signature(self.call)

    def __call__(self, *args, **kwargs):
        """Calls the layer: on tensors, or on KerasTensors, which makes it a part of a model."""
        if self._convert_inputs:
            args, kwargs = optree.tree_map(self._converted, (args, kwargs), none_is_leaf=True)
        if not self._takes_values:
            for leaf in optree.tree_leaves(args):
                if not isinstance(leaf, TensorProtocol) and not hasattr(type(leaf), "nbflow_tensor"):
                    raise ValueError(
                        f"Only input tensors may be passed as positional arguments. The following argument value "
                        f"should be passed as a keyword argument: {leaf!r:.200} (of type {type(leaf)})"
                    )
        arguments = self._call_signature.bound(args, kwargs)
        first = next(iter(arguments.values()), None) if arguments else None
        if self._call_signature.names and self._call_signature.names[0] in arguments:
            first = arguments[self._call_signature.names[0]]
        input_spec.check(self.input_spec, first, self.name)
        self._build_for(arguments)
        if state.trace is None and has_symbolic((args, kwargs)):
            return self._symbolic_call(args, kwargs)
        return self._run(arguments, first, args, kwargs)

    def _converted(self, value):
        """An argument: arrays as tensors, floats in the dtype that the layer computes in."""
        if isinstance(value, KerasTensor):  # cast when the layer is called with its value
            return value
        if not isinstance(value, TensorProtocol):
            if not isinstance(value, (np.ndarray, np.generic)) and not (
                hasattr(value, "__array__") or hasattr(type(value), "nbflow_tensor")
            ):
                return value
            value = to_tensor(value)
        if self.autocast and value.dtype.is_floating and value.dtype.name != self.input_dtype:
            cast = TABLE["cast"](value, dtype=as_dtype(self.input_dtype))
            if (mask := mask_of(value)) is not None:
                cast._keras_mask = mask
            return cast
        return value

    def _build_for(self, arguments: dict[str, Any]) -> None:
        """Makes the weights, if that has not happened."""
        if self.built:
            return
        shapes = {}
        for name, value in arguments.items():
            leaves = optree.tree_leaves(value)
            if leaves and all(isinstance(leaf, TensorProtocol) for leaf in leaves):
                shapes[f"{name}_shape"] = optree.tree_map(lambda t: tuple(t.shape), value)
        with init_scope(), name_scope(self.name):
            names = list(inspect.signature(self.build).parameters)
            if len(names) == 1 or (names and f"{names[0]}" not in shapes and len(shapes) == 1):
                if shapes:
                    self.build(next(iter(shapes.values())))
            else:
                self.build(**{name: shape for name, shape in shapes.items() if name in names})
        self.built = True
        self._note_shapes(shapes)

    def _note_shapes(self, shapes: dict[str, Any]) -> None:
        """Notes what it was built for, as configurations say it."""
        if self._build_shapes is None:
            only = next(iter(shapes.values()), None)
            self._build_shapes = {"input_shape": only} if len(shapes) == 1 else {"shapes_dict": shapes}

    def _symbolic_call(self, args: tuple, kwargs: dict):
        """A use of the layer in a model under construction."""
        outputs = self._traced(args, kwargs)
        Step(self, args, kwargs, outputs)
        return outputs

    def _traced(self, args: tuple, kwargs: dict):
        kept = [(layer, list(layer._losses)) for layer in self._flatten_layers()]
        try:
            return traced_call(self.__call__, args, kwargs)
        finally:
            for layer in self._flatten_layers():
                layer._losses.clear()
            for layer, losses in kept:
                layer._losses.extend(losses)

    def _run(self, arguments: dict[str, Any], first, args: tuple, kwargs: dict):
        """The call itself, on tensors with values or of a trace."""
        signature = self._call_signature
        outer = _calls.entry, _calls.training
        training = kwargs.get("training") if "training" in kwargs else arguments.get("training")
        if training is None:
            training = _calls.training if _calls.entry is not None else None
        if training is None:
            training = signature.training
        if signature.has_training and arguments.get("training") is None:
            kwargs = {**kwargs, "training": training}
            if "training" in arguments:  # None by position
                args = args[: signature.names.index("training")]
        elif not signature.has_training and not signature.takes_any:
            kwargs.pop("training", None)
        mask = self._fill_masks(arguments, first, kwargs)
        if _calls.entry is None:
            self._clear_losses()
            _calls.entry = self
        _calls.training = training
        mixed = self.compute_dtype != self.variable_dtype and self.autocast
        try:
            call = self.call if state.trace is None else converted(self.call)
            with name_scope(self.name), autocast_scope(as_dtype(self.compute_dtype) if mixed else None):
                outputs = call(*args, **kwargs)
            if self.activity_regularizer is not None:
                for leaf in optree.tree_leaves(outputs):
                    if isinstance(leaf, TensorProtocol):
                        self.add_loss(_an_example(self.activity_regularizer(leaf), leaf))
        finally:
            _calls.entry, _calls.training = outer
        self._attach_mask(first, outputs, mask)
        return outputs

    def _fill_masks(self, arguments: dict[str, Any], first, kwargs: dict):
        """Puts masks of the inputs into the arguments for them; returns the mask of the first input."""
        names = self._call_signature.names
        tensors = [name for name, value in arguments.items() if _is_tensors(value)]
        if len(tensors) == 1 and "mask" in names and arguments.get("mask") is None:
            kwargs["mask"] = masks_of(arguments[tensors[0]])
        elif len(tensors) > 1:
            for name in tensors:
                if f"{name}_mask" in names and arguments.get(f"{name}_mask") is None:
                    kwargs[f"{name}_mask"] = masks_of(arguments[name])
        given = kwargs.get("mask", arguments.get("mask"))
        return masks_of(first) if given is None else given

    def _attach_mask(self, first, outputs, mask) -> None:
        """Hands the mask on with the outputs."""
        if self.supports_masking:
            leaves: list[Any] = [leaf for leaf in optree.tree_leaves(outputs) if isinstance(leaf, TensorProtocol)]
            if all(mask_of(leaf) is not None for leaf in leaves):
                return
            computed = self.compute_mask(first, mask)
            if computed is None:
                return
            for leaf, its in zip(leaves, optree.tree_leaves(computed, none_is_leaf=True), strict=False):
                if its is not None and mask_of(leaf) is None:
                    leaf._keras_mask = its
        elif any(m is not None for m in optree.tree_leaves(mask, none_is_leaf=True)):
            warnings.warn(
                f"Layer '{self.name}' (of type {type(self).__name__}) was passed an input with a mask attached to it. "
                f"However, this layer does not support masking and will therefore destroy the mask information. "
                f"Downstream layers will not see the mask.",
                stacklevel=5,
            )

    def compute_mask(self, inputs, previous_mask):
        """The mask of the outputs; by default that of the inputs."""
        return previous_mask

    def compute_output_spec(self, *args, **kwargs):
        """What a call gives for KerasTensors, without making it part of a model."""
        self._build_for(self._call_signature.bound(args, kwargs))
        return self._traced(args, kwargs)

    def compute_output_shape(self, *shapes, **named):
        """The shape of the outputs, None for sizes that are open.

        Args:
            shapes: the shape of each input, or a structure of shapes.
            named: such shapes by the names that `build` has for them, input_shape or query_shape.
        """

        def tensors(shape):
            dtype = as_dtype(self.compute_dtype)
            return optree.tree_map(lambda s: symbolic(aval(dtype, with_dims(tuple(s)))), shape, is_leaf=is_shape)

        if "input_shape" in named:
            shapes = (named.pop("input_shape"), *shapes)
        more = {name.removesuffix("_shape"): tensors(shape) for name, shape in named.items()}
        return optree.tree_map(lambda t: t.shape, self.compute_output_spec(*map(tensors, shapes), **more))

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


def mask_of(tensor):
    """The mask that a layer attached to a tensor, None where there is none."""
    return getattr(tensor, "_keras_mask", None)


def masks_of(structure):
    """The masks of a nested structure of tensors, in the same form; None for a single tensor without one."""
    return optree.tree_map(mask_of, structure)


def _an_example(loss, outputs):
    """The share of a loss that each example of the outputs has."""
    if not outputs.ndim:
        return loss
    return TABLE["divide_no_nan"](loss, TABLE["cast"](TABLE["count"](outputs, axis=(0,)), dtype=loss.dtype))


def _is_tensors(value) -> bool:
    leaves = optree.tree_leaves(value)
    return bool(leaves) and all(isinstance(leaf, TensorProtocol) for leaf in leaves)


def is_shape(value) -> bool:
    """Whether a value is one shape rather than a structure of shapes."""
    return isinstance(value, (tuple, list)) and all(n is None or isinstance(n, (int, np.integer)) for n in value)


def _as_shapes(value):
    """Shapes as they come from a file: lists become tuples."""
    if is_shape(value):
        return tuple(value)
    if isinstance(value, dict):
        return {k: _as_shapes(v) for k, v in value.items()}
    return [_as_shapes(v) for v in value] if isinstance(value, (list, tuple)) else value


@contextmanager
def training_scope(training: bool):
    """A block in which layers that are called from outside take `training` to be this."""
    outer = _calls.entry, _calls.training
    _calls.training = training
    try:
        yield
    finally:
        _calls.entry, _calls.training = outer
