"""clone_model and model_from_json: new models like others, with weights of their own."""

import json

import optree

from nbflow.keras.layers.input_layer import Input, InputLayer
from nbflow.keras.layers.layer import Layer
from nbflow.keras.models.functional import Functional
from nbflow.keras.models.sequential import Sequential
from nbflow.keras.symbolic import KerasTensor, step_of
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.public import export


@export("keras.models.clone_model")
def clone_model(model, input_tensors=None, clone_function=None, call_function=None, recursive=False, **kwargs):
    """A model of new layers like those of another, with first weights of their own (tf.keras.models.clone_model).

    Args:
        model: the model; of a subclass of Model its configuration is used.
        input_tensors: KerasTensors for the new model to begin with, in the structure of model.input.
        clone_function: a function of a layer that gives the one for its place; by default one of the same
            configuration. Shared layers stay shared.
        call_function: a function of (layer, *args, **kwargs) that calls a new layer, in functional models.
        recursive: whether clone_function is for the layers of inner models, and not for these models themselves.

    Raises:
        ValueError: an argument does not go with the kind of model.

    Example:
        >>> import nbflow as nf
        >>> model = nf.keras.Sequential([nf.keras.Input((3,)), nf.keras.layers.Dense(2)])
        >>> twin = nf.keras.models.clone_model(model)
        >>> twin.set_weights(model.get_weights())
    """
    cache = kwargs.pop("cache", {})
    if kwargs:
        raise ValueError(f"Unexpected keyword argument(s): {tuple(kwargs)}")
    if not isinstance(model, (Sequential, Functional)):
        given = {"input_tensors": input_tensors, "clone_function": clone_function, "call_function": call_function}
        if any(value is not None for value in given.values()):
            raise ValueError(
                f"Arguments `clone_function`, `call_function` and `input_tensors` are only supported for Sequential "
                f"models or Functional models. Received model of type '{type(model).__name__}', with {given}"
            )
        return deserialize_keras_object(serialize_keras_object(model), {type(model).__name__: type(model)})
    if clone_function is not None and not callable(clone_function):
        raise ValueError(f"Expected `clone_function` argument to be a callable. Received: {clone_function!r:.200}")
    if call_function is not None and isinstance(model, Sequential):
        raise ValueError(
            "`call_function` argument is not supported with Sequential models, whose layers are merely listed. Use it "
            "with functional models only."
        )

    def clone(layer: Layer):
        if id(layer) not in cache:
            if recursive and isinstance(layer, (Sequential, Functional)):
                inner_call = None if isinstance(layer, Sequential) else call_function
                cache[id(layer)] = clone_model(layer, None, clone_function, inner_call, True, cache=cache)
            elif clone_function is not None:
                cache[id(layer)] = clone_function(layer)
            else:
                cache[id(layer)] = type(layer).from_config(layer.get_config())
        return cache[id(layer)]

    if isinstance(model, Sequential):
        new = _sequential(model, clone, input_tensors)
    else:
        new = _functional(model, clone, input_tensors, call_function)
    compiled = model.get_compile_config()
    if compiled is not None:
        new.compile_from_config(compiled)
    return new


def _sequential(model: Sequential, clone, input_tensors) -> Sequential:
    layers = [clone(layer) for layer in model.layers]
    first = model._layers[0] if model._layers else None
    if isinstance(input_tensors, (list, tuple)):
        if len(input_tensors) != 1:
            raise ValueError("Argument `input_tensors` must contain a single tensor.")
        (input_tensors,) = input_tensors
    if input_tensors is not None:
        if not isinstance(input_tensors, KerasTensor):
            raise ValueError(f"Argument `input_tensors` must be a KerasTensor. Received: {input_tensors!r:.200}")
        layers.insert(0, Input(tensor=input_tensors, name=first.name if isinstance(first, InputLayer) else None))
    elif isinstance(first, InputLayer):
        layers.insert(0, _input_like(first.output))
    return Sequential(layers, name=model.name, trainable=model.trainable)


def _functional(model: Functional, clone, input_tensors, call_function) -> Functional:
    if input_tensors is None:
        inputs = optree.tree_map(_input_like, model.input, none_is_leaf=True)
    else:
        inputs = input_tensors
        if not all(isinstance(t, KerasTensor) for t in optree.tree_leaves(inputs, none_is_leaf=True)):
            raise ValueError(f"All entries in `input_tensors` must be KerasTensors. Received: {inputs!r:.200}")
        if isinstance(inputs, (list, tuple)) and len(inputs) == 1 and isinstance(model.input, KerasTensor):
            (inputs,) = inputs
        if optree.tree_structure(inputs) != optree.tree_structure(model.input):
            raise ValueError(
                f"`input_tensors` must have the same structure as model.input, {model.input!r:.200}. Received: "
                f"{inputs!r:.200}"
            )

    def call(layer, args: tuple, kwargs: dict):
        new = clone(layer)
        return new(*args, **kwargs) if call_function is None else call_function(new, *args, **kwargs)

    results = iter(model._network.run(optree.tree_leaves(inputs, none_is_leaf=True), call))
    outputs = optree.tree_map(lambda _: next(results), model._outputs_struct, none_is_leaf=True)
    plain = type(model).__init__ is Functional.__init__
    return (type(model) if plain else Functional)(inputs, outputs, name=model.name)


def _input_like(tensor: KerasTensor) -> KerasTensor:
    layer = step_of(tensor).operation
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=layer.name, optional=tensor.optional)


@export("keras.models.model_from_json")
def model_from_json(json_string, custom_objects=None):
    """The model of a configuration that model.to_json() wrote (tf.keras.models.model_from_json).

    Args:
        json_string: the configuration.
        custom_objects: {name: class or function} for those that are not registered.

    Raises:
        ValueError: it is no JSON, or names something unknown.
    """
    try:
        config = json.loads(json_string)
    except json.JSONDecodeError as error:
        raise ValueError(f"model_from_json: the text is no JSON: {error}") from None
    return deserialize_keras_object(config, custom_objects=custom_objects)
