"""Bidirectional: a recurrent layer forwards and one backwards."""

from nbflow.arrays.joining import concat
from nbflow.arrays.repeating import reverse
from nbflow.keras.layers.layer import Layer
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.public import cast, export

_MERGES = {
    "concat": lambda y, back: concat([y, back], -1),
    "sum": lambda y, back: y + back,
    "ave": lambda y, back: (y + back) / 2,
    "mul": lambda y, back: y * back,
    None: lambda y, back: (y, back),
}


@export("keras.layers.Bidirectional")
class Bidirectional(Layer):
    """A recurrent layer over the sequence, and another over the reversed one (tf.keras.layers.Bidirectional).

    Args:
        layer: a recurrent layer; the forward and backward layers are made anew of its configuration.
        merge_mode: how outputs become one: "concat", "sum", "mul", "ave", or None for both of them.
        weights: accepted as Keras'; it has no effect.
        backward_layer: the layer for the other direction, with go_backwards=True.
        kwargs: those of Layer.

    The call takes what the layer takes; of `initial_state` the first half is the forward layer's.

    Raises:
        ValueError: layers are none, have the same direction, or return different things.

    Example:
        >>> import nbflow as nf
        >>> nf.keras.layers.Bidirectional(nf.keras.layers.LSTM(4))(nf.ones((2, 5, 3))).shape
        TensorShape([2, 8])
    """

    stateful: bool
    return_sequences: bool
    return_state: bool

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **kwargs):
        for name, value in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(value, Layer) and (value is not None or name == "layer"):
                raise ValueError(f"Bidirectional: `{name}` takes a `keras.layers.Layer`. Received: {value!r:.200}")
        if merge_mode not in _MERGES:
            raise ValueError(
                f"Invalid merge mode. Received: {merge_mode}. Merge mode should be one of "
                f'{{"sum", "mul", "ave", "concat", None}}'
            )
        super().__init__(**kwargs)
        self.forward_layer = _again(layer, "forward")
        self.backward_layer = backward_layer or _again(layer, "backward", go_backwards=True)
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                f"Forward layer and backward layer should have different `go_backwards` value. Received: "
                f"{forward.go_backwards} for both"
            )
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(forward, name) != getattr(backward, name):
                raise ValueError(
                    f'Forward layer and backward layer are expected to have the same value for attribute "{name}", got '
                    f'"{getattr(forward, name)}" for forward layer and "{getattr(backward, name)}" for backward layer'
                )
            setattr(self, name, getattr(layer, name))
        for each in (forward, backward):
            if getattr(each, "zero_output_for_mask", None) is not None:
                each.zero_output_for_mask = each.return_sequences  # what is masked counts for nothing in both
        self.merge_mode, self.input_spec, self.supports_masking = merge_mode, layer.input_spec, True

    def build(self, sequences_shape, initial_state_shape=None) -> None:
        """Builds both layers."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)

    def call(self, sequences, initial_state=None, mask=None, training=None):
        """The merged outputs, and the states of both layers if asked for."""
        half = len(initial_state) // 2 if initial_state is not None else 0
        starts = (None, None) if initial_state is None else (initial_state[:half], initial_state[half:])
        found = []
        for layer, start in zip((self.forward_layer, self.backward_layer), starts, strict=True):
            names = layer._call_signature.names
            given = {"mask": mask, "training": training, "initial_state": start}
            found.append(layer(sequences, **{k: v for k, v in given.items() if k in names and v is not None}))
        states: tuple = ()
        if self.return_state:
            states = tuple(state for result in found for state in result[1:])
            found = [result[0] for result in found]
        y, back = (cast(result, self.compute_dtype) for result in found)
        merged = _MERGES[self.merge_mode](y, reverse(back, [1]) if self.return_sequences else back)
        if not self.return_state:
            return merged
        return (*merged, *states) if self.merge_mode is None else (merged, *states)

    @property
    def states(self):
        """The states of both layers, None where they are not stateful."""
        pair = (self.forward_layer.states, self.backward_layer.states)
        return tuple(pair[0] + pair[1]) if all(pair) else None

    def reset_state(self) -> None:
        """Sets the states of both layers to zeros."""
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def compute_mask(self, inputs, previous_mask):
        """The mask of the outputs where there is one for each time; none for states."""
        mask = previous_mask[0] if isinstance(previous_mask, list) else previous_mask
        mask = mask if self.return_sequences else None
        outputs = (mask, mask) if self.merge_mode is None else (mask,)
        if self.return_state:
            return (*outputs, *(None for layer in (self.forward_layer, self.backward_layer) for _ in layer.state_size))
        return outputs if self.merge_mode is None else mask

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        layers = {"layer": self.forward_layer, "backward_layer": self.backward_layer}
        own = {"merge_mode": self.merge_mode, **{name: serialize_keras_object(v) for name, v in layers.items()}}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """The layer of a configuration."""
        config = dict(config)
        for name in ("layer", "backward_layer"):
            if config.get(name) is not None:
                config[name] = deserialize_keras_object(config[name], custom_objects)
        return cls(**config)


def _again(layer: Layer, prefix: str, **changes) -> Layer:
    """A layer made anew of another's configuration, under a name with a prefix."""
    config = serialize_keras_object(layer)
    name = f"{prefix}_{layer.name.removeprefix(f'{prefix}_')}"
    config["config"] = {**config["config"], "name": name, **changes}
    config.pop("build_config", None)
    return deserialize_keras_object(config)
