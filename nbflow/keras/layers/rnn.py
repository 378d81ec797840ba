"""RNN, StackedRNNCells, and the layers that have a cell of their own: SimpleRNN, LSTM, GRU.

In a traced function all times together are one native loop, before which a single product with `kernel` computes what
needs no state.
"""

import inspect
from typing import Any

import optree

from nbflow.arrays.creation import zeros
from nbflow.dtypes import as_dtype
from nbflow.function.context import name_scope
from nbflow.keras.layers import cells, recurrence
from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.input_spec import InputSpec
from nbflow.keras.layers.layer import Layer
from nbflow.keras.variable import Variable
from nbflow.objects.lookup import snake_case
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.tensor.tensor import to_tensor


def _check_cell(cell, what: str) -> None:
    for attribute in ("call", "state_size"):
        if not hasattr(cell, attribute):
            raise ValueError(f"{what}: a cell should have `{attribute}`. Received: cell={cell}")


def _size_of_output(cell):
    size = getattr(cell, "output_size", None)
    return size if size is not None else optree.tree_leaves(cell.state_size)[0]


def _first_states(cell, batch_size, dtype) -> Any:
    """What a cell begins with: its get_initial_state, or zeros."""
    make = getattr(cell, "get_initial_state", None)
    if make is not None:
        return make(batch_size=batch_size)
    sizes = cell.state_size
    made = [zeros((batch_size, n), dtype) for n in ([sizes] if isinstance(sizes, int) else sizes)]
    return made[0] if isinstance(sizes, int) else made


def _takes_training(cell) -> bool:
    return isinstance(cell, Layer) and cell._call_signature.has_training


@export("keras.layers.StackedRNNCells")
class StackedRNNCells(Layer):
    """Cells on top of each other as one (tf.keras.layers.StackedRNNCells): each gets the output of the one before.

    Args:
        cells: a list of cells.
        kwargs: those of Layer.

    Raises:
        ValueError: one has no `call` or no `state_size`.
    """

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        for cell in cells:
            _check_cell(cell, "StackedRNNCells")
        self.cells = list(cells)

    @property
    def state_size(self) -> list:
        """The state sizes of the cells."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self):
        """The size of the last cell's output."""
        return _size_of_output(self.cells[-1])

    def get_initial_state(self, batch_size=None) -> list:
        """The first states of the cells."""
        return [_first_states(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def build(self, input_shape) -> None:
        """Builds the cells."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
                cell.built = True
            input_shape = (input_shape[0], _size_of_output(cell))

    def call(self, inputs, states, training=False, **kwargs):
        """(output of the last cell, next states of all)."""
        following = []
        for cell, own in zip(self.cells, states, strict=True):
            listed = isinstance(own, (list, tuple))
            extra = {**kwargs, "training": training} if _takes_training(cell) else kwargs
            inputs, new = (cell if callable(cell) else cell.call)(inputs, list(own) if listed else [own], **extra)
            following.append(new if listed or not isinstance(new, (list, tuple)) else new[0])
        return inputs, following

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        return {**super().get_config(), "cells": [serialize_keras_object(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """The layer of a configuration."""
        config = dict(config)
        return cls([deserialize_keras_object(cell, custom_objects) for cell in config.pop("cells")], **config)


class _Kept:
    """The states of a stateful layer, which are no weights of it."""

    def __init__(self, states):
        self.states = states


@export("keras.layers.RNN")
class RNN(Configured):
    """A cell applied to one time after another (tf.keras.layers.RNN).

    Args:
        cell: something with `call(inputs, states) -> (output, next states)`, `state_size` and perhaps `output_size` and
            `get_initial_state(batch_size)`; or a list of such cells, which are stacked.
        return_sequences: whether to return the outputs of all times, [batch, time, output], or the last one.
        return_state: whether to return the last states, too.
        go_backwards: whether to begin at the end; outputs then come in that order.
        stateful: whether a call begins with the states that the one before ended with.
        unroll: whether compiled programs have the steps one after another rather than a loop.
        zero_output_for_mask: whether outputs are zeros where the mask is False, rather than what they were before.
        kwargs: those of Layer.

    The call takes `initial_state`, a list of tensors, `mask`, bool [batch, time], and `training`.

    Raises:
        ValueError: the cell has no `call` or no `state_size`; a stateful layer meets another batch size.

    Example:
        >>> import nbflow as nf
        >>> layer = nf.keras.layers.RNN(nf.keras.layers.GRUCell(4), return_sequences=True)
        >>> layer(nf.ones((2, 5, 3))).shape
        TensorShape([2, 5, 4])
    """

    def __init__(
        self,
        cell,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        zero_output_for_mask=False,
        **kwargs,
    ):
        cell = StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else cell
        _check_cell(cell, type(self).__name__)
        super().__init__(**kwargs)
        self._keep(locals())
        self._kept = _Kept(None)
        self.built = False

    @property
    def states(self):
        """The states of a stateful layer, a list of Variables; None before it is built."""
        return self._kept.states

    @property
    def state_size(self) -> list:
        """The sizes of the states."""
        size = self.cell.state_size
        return [size] if isinstance(size, int) else list(size)

    def build(self, sequences_shape, initial_state_shape=None) -> None:
        """Builds the cell; a stateful layer gets its states."""
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((sequences_shape[0], *sequences_shape[2:]))
            self.cell.built = True
        if not self.stateful:
            return
        if sequences_shape[0] is None:
            raise ValueError(
                f"When using `stateful=True` in a RNN, the batch size must be static. Found dynamic batch size: "
                f"sequence.shape={sequences_shape}"
            )
        with name_scope(self.name):
            self._kept.states = optree.tree_map(
                lambda value: Variable(value, trainable=False, dtype=self.variable_dtype, name="rnn_state"),
                self.get_initial_state(sequences_shape[0]),
            )

    def get_initial_state(self, batch_size) -> list:
        """The states that a call begins with, if it is not given others."""
        states = _first_states(self.cell, batch_size, getattr(self.cell, "compute_dtype", self.compute_dtype))
        return list(states) if isinstance(states, (list, tuple)) else [states]

    def reset_state(self) -> None:
        """Sets the states of a stateful layer to zeros."""
        for variable in optree.tree_leaves(self.states):
            variable.assign(TABLE["zeros_like"](variable.nbflow_tensor()))

    reset_states = reset_state

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """The last output or all outputs, and the states if asked for."""
        if self.unroll and sequences.shape[1] is None:
            raise ValueError(
                "Cannot unroll a RNN if the time dimension is undefined. Give `Input` a shape that says how many times "
                "there are"
            )
        states = self._first(sequences, initial_state)
        mask = optree.tree_leaves(mask)[0] if isinstance(mask, (list, tuple)) else mask
        try:
            outputs, states = self._ran(sequences, states, mask, training)
        finally:
            self._reset_masks(self.cell)
        outputs = cast(outputs, self.compute_dtype)
        if self.stateful:
            for variable, value in zip(optree.tree_leaves(self.states), optree.tree_leaves(states), strict=True):
                variable.assign(cast(value, variable.dtype))
        if not self.return_state:
            return outputs
        return outputs, *optree.tree_map(lambda x: cast(x, self.compute_dtype), states)

    def _first(self, sequences, given) -> list:
        """The states that a call begins with.

        Raises:
            ValueError: a stateful layer meets another batch size.
        """
        batch = sequences.shape[0]
        if self.stateful:
            expected = optree.tree_leaves(self.states)[0].shape[0]
            if batch is not None and batch != expected:
                raise ValueError(
                    f"If an RNN is stateful, the batch size of the input sequences must be the same as the batch size "
                    f"of the initial state. \n- Expected batch size: {expected}\n- Received batch size: {batch}"
                )
        if given is None:
            given = self.states if self.stateful else self.get_initial_state(sequences.nbflow_shape[0])
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        dtype = as_dtype(getattr(self.cell, "compute_dtype", self.compute_dtype))
        return optree.tree_map(lambda x: cast(to_tensor(x), dtype), given)

    def _ran(self, sequences, states: list, mask, training):
        cell, inputs = self.cell, recurrence.swapped(sequences)
        whole = isinstance(cell, cells.Cell) and type(cell).call is cells.Cell.call
        self._draw_masks(cell, inputs, states)
        if whole and cell.compute_dtype == self.compute_dtype:
            inputs, step = cell.projected(inputs, training), cell.advancing(states[0], training)
        else:
            whole, step = False, self._step(training)
        return recurrence.run(
            step, inputs, states, mask=mask, go_backwards=self.go_backwards, unroll=self.unroll,
            every=self.return_sequences, zero_output=self.zero_output_for_mask, output_is_state=whole,
        )  # fmt: skip

    def _step(self, training):
        """A step that calls the cell as a layer."""
        kwargs = {"training": training} if _takes_training(self.cell) else {}

        def step(inputs, states):
            output, following = self.cell(inputs, states, **kwargs)
            return output, following if isinstance(following, (list, tuple)) else [following]

        return step

    def _draw_masks(self, cell, inputs, states) -> None:
        """Draws the dropout masks of cells before the loop, as they are the same at all times."""
        if isinstance(cell, StackedRNNCells):
            for part, own in zip(cell.cells, states, strict=True):
                own = own if isinstance(own, (list, tuple)) else [own]
                self._draw_masks(part, inputs, own)
                batch, size = own[0].nbflow_shape[0], _size_of_output(part)
                inputs = zeros((1, batch, size), own[0].dtype)
        elif isinstance(cell, cells.Cell) and (cell.dropout or cell.recurrent_dropout):
            cell.get_dropout_mask(inputs[0])
            cell.get_recurrent_dropout_mask(states[0])

    def _reset_masks(self, cell) -> None:
        for part in cell.cells if isinstance(cell, StackedRNNCells) else [cell]:
            if isinstance(part, cells.Cell):
                part.reset_dropout_mask()
                part.reset_recurrent_dropout_mask()

    def compute_mask(self, inputs, previous_mask):
        """The mask of the outputs where there is one for each time; none for states."""
        leaves = optree.tree_leaves(previous_mask)
        mask = leaves[0] if leaves and self.return_sequences else None
        return [mask, *(None for _ in self.state_size)] if self.return_state else mask

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        return {**super().get_config(), "cell": serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """The layer of a configuration."""
        config = dict(config)
        return cls(deserialize_keras_object(config.pop("cell"), custom_objects), **config)


# --- layers with a cell of their own ----------------------------------------------------------------------------------


class WithCell(RNN):
    """Base of layers that make their cell: their arguments are the cell's, then those of RNN."""

    _cell_class: type[cells.Cell]
    _cell_name = ""
    _always = ("activity_regularizer",)
    _axes = 3

    def __init_subclass__(cls, cell: type[cells.Cell] | None = None, late: tuple = (), extra: tuple = (), **kwargs):
        """Gives the class a constructor.

        Args:
            cell: the class of the cell.
            late: which arguments of the cell come after those of RNN.
            extra: (name, default) of more arguments.
        """
        super().__init_subclass__(**kwargs)
        if cell is not None:
            cls._cell_class = cell
            cls.__init__ = _constructor(cell, late, extra)  # type: ignore[method-assign]

    def _make(self, given: dict[str, Any], own: tuple[str, ...]) -> None:
        """Makes the cell and the layer of a constructor's arguments."""
        rest = given.pop("kwargs", {})
        options = {name: given.pop(name) for name in own}
        use_cudnn = options.pop("use_cudnn", "auto")
        if use_cudnn not in ("auto", True, False):
            raise ValueError(f"`use_cudnn` takes 'auto', True or False. Received: use_cudnn={use_cudnn}")
        for name in ("implementation",) if "implementation" in rest else ():
            given[name] = rest.pop(name)
        common = {"dtype": rest.get("dtype"), "trainable": rest.get("trainable", True)}
        cell = self._cell_class(**given, **common, name=self._cell_name or snake_case(self._cell_class.__name__))
        RNN.__init__(self, cell, **options, **rest)
        self.use_cudnn, self.input_spec = use_cudnn, InputSpec(ndim=self._axes)

    def __getattr__(self, name: str):
        cell = self.__dict__.get("cell")
        if cell is not None and name in cell._options:
            return getattr(cell, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """The last output or all outputs, and the states if asked for."""
        if self.use_cudnn is True:
            raise ValueError("use_cudnn=True was specified, but there is no cuDNN here. Pass use_cudnn='auto'")
        return super().call(sequences, initial_state, mask, training)

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        config, of_cell = super().get_config(), self.cell.get_config()
        del config["cell"]
        return {**config, **{name: of_cell[name] for name in self.cell._options}}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """The layer of a configuration."""
        return cls(**config)


_OPTIONS = ("return_sequences", "return_state", "go_backwards", "stateful")


def _constructor(cell: type, late: tuple[str, ...], extra: tuple[tuple[str, Any], ...]):
    """The constructor of a layer with a cell, whose signature names all arguments."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    owner, *first, rest = inspect.signature(cell.__init__).parameters.values()  # type: ignore[misc]
    at = next(k for k, p in enumerate(first) if p.name == "bias_regularizer") + 1
    first.insert(at, inspect.Parameter("activity_regularizer", kind, default=None))
    own = [
        inspect.Parameter(name, kind, default=default) for name, default in (*((o, False) for o in _OPTIONS), *extra)
    ]
    moved = [p for p in first if p.name in late]
    last = [p for p in own if p.name == "use_cudnn"]
    middle = [p for p in own if p.name != "use_cudnn"]
    signature = inspect.Signature([owner, *(p for p in first if p.name not in late), *middle, *moved, *last, rest])
    names = ("activity_regularizer", *(p.name for p in own))

    def __init__(self, *args, **kwargs):
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        given = dict(bound.arguments)
        del given[owner.name]
        self._make(given, names)

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    return __init__


@export("keras.layers.SimpleRNN")
class SimpleRNN(WithCell, cell=cells.SimpleRNNCell, late=("seed",), extra=(("unroll", False),)):
    """h' = activation(x W + h U + b) over time (tf.keras.layers.SimpleRNN).

    Args: those of SimpleRNNCell, then those of RNN.
    """

    def get_config(self) -> dict:
        """The arguments that make a layer like this one; Keras leaves out the seed."""
        return {name: value for name, value in super().get_config().items() if name != "seed"}


@export("keras.layers.LSTM")
class LSTM(WithCell, cell=cells.LSTMCell, extra=(("unroll", False), ("use_cudnn", "auto"))):
    """Long short-term memory: LSTMCell over time (tf.keras.layers.LSTM).

    Args: those of LSTMCell, then those of RNN; use_cudnn is accepted as Keras' and may not be True.

    Example:
        >>> import nbflow as nf
        >>> outputs, h, c = nf.keras.layers.LSTM(4, return_sequences=True, return_state=True)(nf.ones((2, 5, 3)))
        >>> outputs.shape, h.shape, c.shape
        (TensorShape([2, 5, 4]), TensorShape([2, 4]), TensorShape([2, 4]))
    """


@export("keras.layers.GRU")
class GRU(WithCell, cell=cells.GRUCell, late=("reset_after",), extra=(("unroll", False), ("use_cudnn", "auto"))):
    """Gated recurrent units: GRUCell over time (tf.keras.layers.GRU).

    Args: those of GRUCell, then those of RNN; use_cudnn is accepted as Keras' and may not be True.
    """
