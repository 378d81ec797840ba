"""Calling layers: building, what `training` and masks are, losses that calls add, and calls on KerasTensors."""

import functools
import inspect
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import optree

from nbflow.autograph.conversion import converted
from nbflow.compiler.graph import aval
from nbflow.dtypes import as_dtype
from nbflow.function.context import name_scope
from nbflow.function.trace import init_scope
from nbflow.keras.dtype_policies import DTypePolicy
from nbflow.keras.layers import input_spec
from nbflow.keras.symbolic import KerasTensor, Operation, Step, has_symbolic, symbolic, traced_call, with_dims
from nbflow.keras.variable import autocast_scope
from nbflow.ops.table import TABLE
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state
from nbflow.tensor.string_tensor import text_or_numbers


class _Calls(threading.local):
    """The calls of layers that are open on a thread: the outermost layer, and whether it trains."""

    entry: "Called | None" = None
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


class Called(Operation):
    """What a layer does when it is called: the part of Layer that knows nothing of weights and configurations."""

    if TYPE_CHECKING:  # what Layer has

        @property
        def compute_dtype(self) -> str: ...
        @property
        def trainable_weights(self) -> list: ...

    _convert_inputs = True  # arrays and floats among the arguments become tensors of the layer's dtype
    _takes_values = False  # arguments by position that are no tensors are allowed

    name: str
    built: bool
    autocast: bool
    supports_masking: bool
    input_spec: Any
    input_dtype: str
    variable_dtype: str
    dtype_policy: DTypePolicy
    activity_regularizer: Callable | None
    call: Callable
    build: Callable
    _flatten_layers: Callable[[], list]
    _losses: list
    _build_shapes: dict[str, Any] | None

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
            value = text_or_numbers(value)
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


def is_shape(value) -> bool:
    """Whether a value is one shape rather than a structure of shapes."""
    return isinstance(value, (tuple, list)) and all(n is None or isinstance(n, (int, np.integer)) for n in value)


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
