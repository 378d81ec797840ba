"""Cells: one step of a recurrent layer.

A cell computes in two parts: a product of the input with `kernel`, which RNN does for all times at once, and what
needs the state, which happens in a loop.

Arguments that cells share, beside those of nbflow/keras/layers/configured.py:
    units: the size of the output and of each state.
    activation: what makes the state, tanh by default.
    recurrent_activation: what makes the gates, sigmoid by default.
    use_bias: whether there is a bias.
    dropout: the share of the inputs that training drops, the same at all times.
    recurrent_dropout: that of the state.
    seed: an int; the dropout masks then are those of Keras.

Raises:
    ValueError: units is not positive.
"""

from typing import Any

from nbflow.arrays.creation import zeros
from nbflow.arrays.joining import concat
from nbflow.arrays.slicing import split
from nbflow.keras.initializers.constants import Ones
from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.dense import vectors_times
from nbflow.keras.random.draws import dropout as drop
from nbflow.keras.random.seeds import SeedGenerator
from nbflow.ops.table import TABLE
from nbflow.public import export


class Cell(Configured):
    """Base of the cells: weights for `gates` times `units` numbers, dropout masks, and the two parts of a step."""

    gates = 1
    state_count = 1
    masks_seeded_first = False  # whether Keras draws the seed of the masks before those of the initializers

    def _start(self, arguments: dict[str, Any]) -> None:
        """Keeps the constructor's arguments, its locals().

        A cell with recurrent dropout, or with implementation=1, has a mask for each gate.
        """
        options = arguments["kwargs"]
        several = options.pop("implementation", 2) == 1 if self.gates > 1 else False
        super().__init__(**options)
        for name in ("dropout", "recurrent_dropout"):
            arguments[name] = min(1.0, max(0.0, arguments[name]))
        generator = SeedGenerator(arguments["seed"]) if self.masks_seeded_first else None
        self._keep(arguments, masking=False)
        several = several or (self.gates > 1 and self.recurrent_dropout != 0)
        self.dropout_mask_count = self.gates if several else None
        self.seed_generator = generator or SeedGenerator(self.seed)
        self._dropout_mask: Any = None
        self._recurrent_dropout_mask: Any = None

    # --- dropout ------------------------------------------------------------------------------------------------------

    def _drawn(self, like, rate: float):
        ones = TABLE["ones_like"](like)
        if self.dropout_mask_count is None:
            return drop(ones, rate, seed=self.seed_generator)
        return [drop(ones, rate, seed=self.seed_generator) for _ in range(self.dropout_mask_count)]

    def get_dropout_mask(self, step_input):
        """What the inputs are multiplied with, the same until reset_dropout_mask is called; None without dropout."""
        if self._dropout_mask is None and self.dropout > 0:
            self._dropout_mask = self._drawn(step_input, self.dropout)
        return self._dropout_mask

    def get_recurrent_dropout_mask(self, step_input):
        """As get_dropout_mask, for the state."""
        if self._recurrent_dropout_mask is None and self.recurrent_dropout > 0:
            self._recurrent_dropout_mask = self._drawn(step_input, self.recurrent_dropout)
        return self._recurrent_dropout_mask

    def reset_dropout_mask(self) -> None:
        """Lets the next call draw a new mask."""
        self._dropout_mask = None

    def reset_recurrent_dropout_mask(self) -> None:
        """Lets the next call draw a new mask."""
        self._recurrent_dropout_mask = None

    def _acts(self, rate: float, training) -> bool:
        """Whether a share is dropped; where gates are, all of the inputs never are."""
        return bool(training) and rate > 0 and (rate < 1 or self.gates == 1)

    def _product(self, x, masks, kernel, times):
        """x, or x with each gate's mask, times a kernel."""
        if isinstance(masks, list):
            parts = split(kernel, len(masks), -1)
            return concat([times(x * mask, part) for mask, part in zip(masks, parts, strict=True)], self._axis)
        return times(x if masks is None else x * masks, kernel)

    def _recurrent(self, h, masks, kernel):
        """The product of a state with a kernel."""
        return self._product(h, masks, kernel, self._recurrent_times)

    _axis = -1  # where the gates lie in a product
    _times = _recurrent_times = staticmethod(vectors_times)

    # --- one step -----------------------------------------------------------------------------------------------------

    def build(self, input_shape) -> None:
        """Makes kernel [inputs, gates · units], recurrent_kernel [units, gates · units] and bias."""
        width = self.gates * self.units
        self.kernel = self._weight("kernel", (input_shape[-1], width))
        self.recurrent_kernel = self._recurrent_weight((self.units, width))
        self.bias = self._weight("bias", self._bias_shape(width)) if self.use_bias else None

    def _recurrent_weight(self, shape: tuple):
        kinds = ("initializer", "regularizer", "constraint")
        return self._weight("recurrent_kernel", shape, **{kind: getattr(self, f"recurrent_{kind}") for kind in kinds})

    def _bias_shape(self, width: int) -> tuple[int, ...]:
        return (width,)

    @property
    def output_size(self):
        """The size of the output."""
        return self.units

    @property
    def state_size(self):
        """The size of the state, a list where there are several."""
        return self.units if self.state_count == 1 else [self.units] * self.state_count

    def get_initial_state(self, batch_size=None) -> list:
        """States of zeros."""
        return [zeros((batch_size, self.units), self.compute_dtype) for _ in range(self.state_count)]

    def projected(self, x, training):
        """The part of a step that no state is needed for, of inputs [..., batch, inputs]."""
        masks = self.get_dropout_mask(x) if self._acts(self.dropout, training) else None
        y = self._product(x, masks, self.kernel.nbflow_tensor(), self._times)
        return y if self.bias is None else y + self._input_bias()

    def _input_bias(self):
        return self.bias.nbflow_tensor()

    def advancing(self, state, training):
        """(projected input, states) -> (output, next states), for states of the shape of `state`."""
        masks = self.get_recurrent_dropout_mask(state) if self._acts(self.recurrent_dropout, training) else None
        return self._advancing(self.recurrent_kernel.nbflow_tensor(), masks)

    def _advancing(self, kernel, masks):
        raise NotImplementedError

    def call(self, inputs, states, training=False):
        """(output, next states) for inputs [batch, inputs]."""
        listed = isinstance(states, (list, tuple))
        states = list(states) if listed else [states]
        inputs = self.projected(inputs, training)  # draws its masks first
        output, following = self.advancing(states[0], training)(inputs, states)
        return output, (following if listed else following[0])


@export("keras.layers.SimpleRNNCell")
class SimpleRNNCell(Cell):
    """h' = activation(x W + h U + b) (tf.keras.layers.SimpleRNNCell).

    Args: see nbflow/keras/layers/cells.py.
    """

    masks_seeded_first = True

    def __init__(
        self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
        bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs,
    ):  # fmt: skip
        _check_units(units)
        self._start(locals())

    def _advancing(self, kernel, masks):
        def advance(z, states):
            output = self.activation(z + self._recurrent(states[0], masks, kernel))
            return output, [output]

        return advance


def forgetful(cell, units: int):
    """The initializer of an LSTM's bias whose forget gate begins with 1."""

    def initializer(shape, dtype=None):
        parts = ((cell.bias_initializer, 1), (Ones(), 1), (cell.bias_initializer, 2))
        return concat([make((times * units,), dtype=dtype) for make, times in parts], 0)

    return initializer


class Gated(Cell):
    """Base of LSTM cells: i, f, c̃, o = gates; c' = f c + i c̃; h' = o activation(c')."""

    gates, state_count = 4, 2

    def _advancing(self, kernel, masks):
        def advance(z, states):
            h, c = states
            i, f, new, o = split(z + self._recurrent(h, masks, kernel), 4, self._axis)
            c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(new)
            h = self.recurrent_activation(o) * self.activation(c)
            return h, [h, c]

        return advance


@export("keras.layers.LSTMCell")
class LSTMCell(Gated):
    """A step of LSTM (tf.keras.layers.LSTMCell), with states h and c.

    z = x W + h U + b falls into i, f, c̃, o; c' = σ(f) c + σ(i) tanh(c̃); h' = σ(o) tanh(c').

    Args:
        unit_forget_bias: whether the bias of f begins with 1.
        Others: see nbflow/keras/layers/cells.py.
    """

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
        kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0,
        seed=None, **kwargs,
    ):  # fmt: skip
        _check_units(units)
        self._start(locals())

    def _weight(self, name, shape, **kwargs):
        if name == "bias" and self.unit_forget_bias:
            kwargs["initializer"] = forgetful(self, self.units)
        return super()._weight(name, shape, **kwargs)


@export("keras.layers.GRUCell")
class GRUCell(Cell):
    """A step of GRU (tf.keras.layers.GRUCell): h' = z h + (1 - z) tanh(x W + b + r (h U + b')), with gates z and r.

    Args:
        reset_after: whether r is applied to h U + b', as here, or to h before the product, with a single bias.
        Others: see nbflow/keras/layers/cells.py.
    """

    gates = 3

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None,
        recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, reset_after=True,
        seed=None, **kwargs,
    ):  # fmt: skip
        _check_units(units)
        self._start(locals())

    def _bias_shape(self, width):
        return (2, width) if self.reset_after else (width,)

    def _input_bias(self):
        bias = self.bias.nbflow_tensor()
        return bias[0] if self.reset_after else bias

    def _advancing(self, kernel, masks):
        units = self.units
        if self.reset_after:
            bias = None if self.bias is None else self.bias.nbflow_tensor()[1]

            def parts(h):
                y = self._recurrent(h, masks, kernel)
                return split(y if bias is None else y + bias, 3, -1)

        else:
            gates, candidate = kernel[:, : 2 * units], kernel[:, 2 * units :]
            first, last = (masks[:2], masks[2]) if masks else (None, None)

            def parts(h):
                return [*split(self._recurrent(h, first, gates), 2, -1), None]

        def advance(x, states):
            (h,) = states
            x_z, x_r, x_h = split(x, 3, -1)
            h_z, h_r, h_h = parts(h)
            z, r = self.recurrent_activation(x_z + h_z), self.recurrent_activation(x_r + h_r)
            inner = r * h_h if self.reset_after else self._recurrent(r * h, last, candidate)
            h = z * h + (1 - z) * self.activation(x_h + inner)
            return h, [h]

        return advance


def _check_units(units) -> None:
    if units <= 0:
        raise ValueError(f"Received an invalid value for argument `units`, expected a positive integer, got {units}.")
