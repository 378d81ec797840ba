"""Attention in heads: MultiHeadAttention and GroupQueryAttention.

What both share:

Args:
    dropout: the share of weights that training drops.
    use_bias: whether the projections have a bias.
    use_gate: whether the result is multiplied by sigmoid(query W + b) before the last projection.
    sliding_window: how far from its own place a query sees keys: less than this; None for any distance.
    flash_attention: accepted as Keras'; the program is fused anyway.
    seed: an int for dropout.
    Others: of the projections, see nbflow/keras/layers/configured.py.

Call arguments:
    query: [batch, queries, size].
    value, key: [batch, keys, size]; key is value by default.
    query_mask, value_mask, key_mask: booleans [batch, queries] and [batch, keys]; those that the tensors carry.
    attention_mask: booleans [batch, queries, keys]: which keys a query sees.
    return_attention_scores: whether the softmax [batch, heads, queries, keys] is a second result.
    use_causal_mask: whether a query sees only keys up to its own place.
"""

import functools
import math
import string
from typing import Any

from nbflow.dtypes import float32
from nbflow.keras import regularizers
from nbflow.keras.layers.activation_layers import Softmax
from nbflow.keras.layers.attention import causal_mask, places
from nbflow.keras.layers.calls import mask_of
from nbflow.keras.layers.configured import Configured
from nbflow.keras.layers.dropout import Dropout
from nbflow.keras.layers.einsum_dense import EinsumDense
from nbflow.linalg.products import einsum
from nbflow.ops.table import TABLE
from nbflow.public import cast, export

_PROJECTION = ("kernel_regularizer", "bias_regularizer", "kernel_constraint", "bias_constraint")


class Heads(Configured):
    """Base of attention in heads."""

    sliding_window: int | None
    attention_axes: Any = (1,)
    _prefix = ""  # of the attributes that hold the projections, which files of weights show

    def _keep(self, arguments, masking=True):
        super()._keep({k: v for k, v in arguments.items() if k not in ("flash_attention", "name", "value")}, masking)
        self._of_projections = regularizers.get(arguments["activity_regularizer"])
        window = self.sliding_window
        if window is not None and (not isinstance(window, int) or window <= 0):
            raise ValueError(
                f"`sliding_window` must be `None` or a positive integer. Received: sliding_window={window}"
            )

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        return {**super().get_config(), "activity_regularizer": regularizers.serialize(self._of_projections)}

    def _projection(self, name: str, shape: tuple, equation: str, output_shape: tuple, bias: str, activation=None):
        """A built EinsumDense, with initializers of its own: those without a seed draw one when they are made."""
        initializers = {}
        for what in ("kernel_initializer", "bias_initializer"):
            given = getattr(self, what)
            initializers[what] = type(given).from_config(given.get_config()) if hasattr(given, "get_config") else given
        layer = EinsumDense(
            equation,
            output_shape,
            activation,
            bias if self.use_bias else None,
            activity_regularizer=self._of_projections,
            dtype=self.dtype_policy,
            name=name,
            **initializers,
            **{what: getattr(self, what) for what in _PROJECTION},
        )
        layer.build(shape)
        return layer

    def call(
        self, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, attention_mask=None,
        return_attention_scores=False, training=None, use_causal_mask=False
    ):  # fmt: skip
        """The result, and the softmax if asked for."""
        key = value if key is None else key
        query_mask = self._query_mask(query, value, key, query_mask)
        masks = (attention_mask, query_mask, value_mask, key_mask)
        visible = self._visible(query.nbflow_shape[1], value.nbflow_shape[1], use_causal_mask, *masks)
        gate = self._gate_dense(_plain(query)) if self.use_gate else None
        dense = [getattr(self, f"{self._prefix}{name}_dense") for name in ("query", "key", "value", "output")]
        query, key, value = (layer(_plain(x)) for layer, x in zip(dense, (query, key, value), strict=False))
        exact = not (self.dropout > 0 or return_attention_scores or query.ndim != 4)
        output, weights = self._attended(query, key, value, visible, exact, training)
        output = dense[-1](output if gate is None else output * gate)
        return (output, weights) if return_attention_scores else output

    def _query_mask(self, query, value, key, given):
        return given

    def _attended(self, query, key, value, visible, exact: bool, training) -> tuple:
        raise NotImplementedError

    def _visible(self, rows, columns, use_causal_mask, attention_mask, query_mask, value_mask, key_mask):
        """Which keys each query sees, [batch, queries, keys]; None for all."""
        parts = [] if query_mask is None else [_with_axis(query_mask, -1)]
        parts += [_with_axis(mask, -2) for mask in (value_mask, key_mask) if mask is not None]
        if use_causal_mask:
            parts.append(causal_mask(rows, columns))
        if self.sliding_window is not None:
            below, right = places(rows, columns)
            parts.append(TABLE["abs"](below - right) < self.sliding_window)
        if attention_mask is not None:
            parts.append(cast(attention_mask, "bool"))
        return functools.reduce(TABLE["logical_and"], parts) if parts else None

    def _softmax_of(self, equation: str, query, key, size: int, visible, exact: bool, training) -> tuple:
        """The softmax of the scores of queries and keys, and what dropout leaves of it.

        Args:
            equation: of the scores from keys and queries, whose last axes are those of the keys.
            size: of a vector.
            visible: a mask with as many axes as attention has, or None.
            exact: whether halves are computed in float32; a query that sees no key then gets the mean of all values,
                where it gets 0 otherwise, as in Keras.
        """
        factor = 1.0 / math.sqrt(size)
        scores = einsum(equation, key, query if exact else query * factor)
        if visible is not None:
            at = visible.ndim - 2 * len(self.attention_axes)
            shape = list(visible.nbflow_shape)
            shape[at:at] = [1] * (scores.ndim - visible.ndim)
            visible = TABLE["reshape"](visible, shape=tuple(shape))
        if not exact:
            weights = self._softmax(scores, mask=visible)
            return weights, self._dropout_layer(weights, training=training) if self.dropout > 0 else weights
        wide = (cast(scores, float32) if scores.dtype.np.itemsize < 4 else scores) * factor
        if visible is not None:
            wide = TABLE["select"](visible, wide, TABLE["fill_like"](wide, shape=(), value=_FAR))
        weights = cast(TABLE["softmax"](wide, axis=wide.ndim - 1), scores.dtype)
        return weights, weights


_FAR = -0.7 * 3.38953e38


def _with_axis(mask, axis: int):
    """A mask as booleans with an axis more."""
    sizes = tuple(mask.nbflow_shape)
    return TABLE["reshape"](cast(mask, "bool"), shape=(*sizes, 1) if axis == -1 else (*sizes[:-1], 1, sizes[-1]))


def _plain(x):
    """x without a mask, so that layers that know of none do not warn."""
    return x if mask_of(x) is None else TABLE["identity"](x)


def _check_positive(**sizes) -> None:
    for name, size in sizes.items():
        if not isinstance(size, int) or size <= 0:
            raise ValueError(
                f"Received an invalid value for argument `{name}`, expected a positive integer. Received: {name}={size}"
            )


@export("keras.layers.MultiHeadAttention")
class MultiHeadAttention(Heads):
    """Attention in heads: softmax(q kᵀ / √key_dim) v in each, with q, k, v projected from the inputs.

    (tf.keras.layers.MultiHeadAttention)

    The weights are those of the EinsumDense layers "query", "key", "gate" (if use_gate), "value", "attention_output".

    Vaswani, A. et al. (2017). Attention is all you need.

    Args:
        num_heads: how many heads.
        key_dim, value_dim: the sizes of a head's queries and keys, and of its values, by default key_dim.
        output_shape: the shape of a result; by default that of a query.
        attention_axes: the axes of the inputs that attention goes over; by default all but the first and last.
        Others: see the top of nbflow/keras/layers/multi_head.py, the arguments of the call too.

    Raises:
        ValueError: an argument is out of range, or value and key do not fit.

    Example:
        >>> import nbflow as nf
        >>> layer = nf.keras.layers.MultiHeadAttention(num_heads=2, key_dim=3)
        >>> x = nf.ones((1, 5, 8))
        >>> [t.shape for t in layer(x, x, use_causal_mask=True, return_attention_scores=True)]
        [TensorShape([1, 5, 8]), TensorShape([1, 2, 5, 5])]
    """

    def __init__(
        self, num_heads, key_dim, value_dim=None, dropout=0.0, use_bias=True, output_shape=None, attention_axes=None,
        sliding_window=None, flash_attention=None, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, use_gate=False, seed=None, **kwargs
    ):  # fmt: skip
        value_dim = key_dim if value_dim is None else value_dim
        _check_positive(num_heads=num_heads, key_dim=key_dim, value_dim=value_dim)
        super().__init__(**kwargs)
        if output_shape is not None:
            output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        if isinstance(attention_axes, int):
            attention_axes = (attention_axes,)
        elif attention_axes and not isinstance(attention_axes, (list, tuple)):
            raise ValueError(
                f"`attention_axes` must be an int, list, or tuple. Received: attention_axes={attention_axes}"
            )
        self._keep(locals())

    def build(self, query_shape, value_shape, key_shape=None) -> None:  # type: ignore[override]
        """Makes the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        if value_shape[1:-1] != key_shape[1:-1]:
            raise ValueError(
                f"All dimensions of `value` and `key`, except the last one, must be equal. Received: value_shape="
                f"{value_shape} and key_shape={key_shape}"
            )

        def heads(name, shape, size, activation=None):
            open_sizes = (None,) * (len(shape) - 2)
            equation, bias = _equation(len(shape) - 1, 1, 2)
            return self._projection(name, shape, equation, (*open_sizes, self.num_heads, size), bias, activation)

        self.query_dense = heads("query", query_shape, self.key_dim)
        self.key_dense = heads("key", key_shape, self.key_dim)
        if self.use_gate:
            self._gate_dense = heads("gate", query_shape, self.value_dim, "sigmoid")
        self.value_dense = heads("value", value_shape, self.value_dim)
        rank = len(value_shape) + 1
        axes = range(1, rank - 2) if self.attention_axes is None else self.attention_axes
        self.attention_axes = tuple(axis if axis >= 0 else rank - 1 + axis for axis in axes)
        self._scores, self._combine, ndim = _attention_equations(rank, self.attention_axes)
        self._softmax = Softmax(tuple(range(ndim - len(self.attention_axes), ndim)), dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)
        output_shape = self._output_shape or (query_shape[-1],)
        equation, bias = _equation(len(query_shape) - 1, 2, len(output_shape))
        shape = (*query_shape[:-1], self.num_heads, self.value_dim)
        output_shape = (*(None,) * (len(query_shape) - 2), *output_shape)
        self.output_dense = self._projection("attention_output", shape, equation, output_shape, bias)

    def _query_mask(self, query, value, key, given):
        mask = mask_of(query)
        if not self._inbound_nodes:
            for x in (query, value, key):  # as Keras does, but in functional models: what comes later sees no masks
                x._keras_mask = None
        return mask

    def _attended(self, query, key, value, visible, exact, training):
        weights, left = self._softmax_of(self._scores, query, key, self.key_dim, visible, exact, training)
        return einsum(self._combine, left, value), weights


def _equation(free: int, bound: int, out: int) -> tuple[str, str]:
    """The equation of a projection of the last `bound` axes to `out` ones, and the labels of the latter."""
    first, rest = string.ascii_lowercase[:free], string.ascii_lowercase[free:]
    summed, made = rest[:bound], rest[bound : bound + out]
    return f"{first}{summed},{summed}{made}->{first}{made}", made


def _attention_equations(rank: int, axes: tuple[int, ...]) -> tuple[str, str, int]:
    """The equations of scores from (keys, queries) and of results from (scores, values), and the rank of scores.

    Args:
        rank: of queries, keys and values, whose last axis is summed over for the scores.
        axes: those that attention goes over.
    """
    letters = string.ascii_lowercase
    queries = letters[:rank]
    fresh = iter(letters[rank:])
    keys = "".join(next(fresh) if k in axes else queries[k] for k in range(rank))
    batch = "".join(queries[k] for k in range(rank - 1) if k not in axes)
    scores = batch + "".join(queries[k] for k in axes) + "".join(keys[k] for k in axes)
    return f"{keys},{queries}->{scores}", f"{scores},{keys}->{queries}", len(scores)


@export("keras.layers.GroupQueryAttention")
class GroupedQueryAttention(Heads):
    """MultiHeadAttention whose heads share keys and values in groups (tf.keras.layers.GroupQueryAttention).

    The weights are those of the EinsumDense layers "query", "key", "gate" (if use_gate), "value", "attention_output".

    Ainslie, J. et al. (2023). GQA: training generalized multi-query transformer models from multi-head checkpoints.

    Args:
        head_dim: the size of a head's vectors.
        num_query_heads: how many heads.
        num_key_value_heads: how many of them have keys and values of their own; it divides num_query_heads.
        Others: see the top of nbflow/keras/layers/multi_head.py, the arguments of the call too.

    Raises:
        ValueError: num_key_value_heads does not divide num_query_heads.
    """

    _prefix = "_"

    def __init__(
        self, head_dim, num_query_heads, num_key_value_heads, dropout=0.0, use_bias=True, sliding_window=None,
        flash_attention=None, kernel_initializer="glorot_uniform", bias_initializer="zeros", kernel_regularizer=None,
        bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, bias_constraint=None, use_gate=False,
        seed=None, **kwargs
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if num_query_heads % num_key_value_heads != 0:
            raise ValueError("`num_query_heads` must be divisible by `num_key_value_heads`.")
        self._keep(locals())

    def build(self, query_shape, value_shape, key_shape=None) -> None:  # type: ignore[override]
        """Makes the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        size = query_shape[-1]
        queries = ("bqm,muh->bquh", (None, self.num_query_heads, self.head_dim), "uh")
        keys = ("bkm,mvh->bkvh", (None, self.num_key_value_heads, self.head_dim), "vh")
        self._query_dense = self._projection("query", query_shape, *queries)
        self._key_dense = self._projection("key", key_shape, *keys)
        if self.use_gate:
            self._gate_dense = self._projection("gate", query_shape, *queries, activation="sigmoid")
        self._value_dense = self._projection("value", value_shape, *keys)
        self._softmax = Softmax(dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)
        shape = (None, None, self.num_query_heads, self.head_dim)
        self._output_dense = self._projection("attention_output", shape, "bquh,uhm->bqm", (None, size), "m")

    def _attended(self, query, key, value, visible, exact, training):
        batch, length, heads, size = query.nbflow_shape
        shared = self.num_key_value_heads
        query = TABLE["reshape"](query, shape=(batch, length, shared, heads // shared, size))
        weights, left = self._softmax_of("bkvh,bqvrh->bvrqk", query, key, size, visible, exact, training)
        output = einsum("bvrqk,bkvh->bqvrh", left, value)
        output = TABLE["reshape"](output, shape=(batch, length, heads, size))
        return output, TABLE["reshape"](weights, shape=(batch, heads, *weights.nbflow_shape[-2:]))
