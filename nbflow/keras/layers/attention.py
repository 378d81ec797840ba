"""Attention on vectors as they are: Attention and AdditiveAttention."""

from nbflow.keras.layers.activation_layers import zero
from nbflow.keras.layers.configured import Configured
from nbflow.keras.random import draws
from nbflow.keras.random.seeds import SeedGenerator
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.tensor.tensor import to_tensor


def causal_mask(rows, columns):
    """True for keys up to the query's own place, [1, rows, columns]."""
    below, right = places(rows, columns)
    return below >= right


def places(rows, columns) -> tuple:
    """The number of each row, [1, rows, 1], and of each column, [1, 1, columns]."""
    return tuple(
        TABLE["reshape"](TABLE["range"](to_tensor(0), to_tensor(1), size=n), shape=shape)
        for n, shape in ((rows, (1, rows, 1)), (columns, (1, 1, columns)))
    )


def _between(x, axis: int):
    """x with an axis of size 1 more, counted from the end."""
    sizes = list(x.nbflow_shape)
    sizes.insert(len(sizes) + 1 + axis, 1)
    return TABLE["reshape"](x, shape=tuple(sizes))


@export("keras.layers.Attention")
class Attention(Configured):
    """softmax(scores) V, the scores being q · k for each query and key (tf.keras.layers.Attention).

    Args:
        use_scale: whether there is a weight "scale" that the scores are multiplied by.
        score_mode: "dot", or "concat": Σ tanh(q + k), times the weight "concat_score_weight".
        dropout: the share of weights that training drops.
        seed: an int for dropout.
        kwargs: those of Layer.

    Call arguments:
        inputs: [query, value] or [query, value, key], of shapes [batch, queries, size] and [batch, keys, size]; key is
            value by default.
        mask: [query mask, value mask], booleans [batch, queries] and [batch, keys], each may be None: masked values do
            not count, and results of masked queries are 0.
        return_attention_scores: whether the softmax [batch, queries, keys] is a second result.
        use_causal_mask: whether a query sees only keys up to its own place.

    Raises:
        ValueError: score_mode is none of these, or inputs is no list of two or three.

    Example:
        >>> import nbflow as nf
        >>> query, value = nf.ones((1, 2, 4)), nf.constant([[[1.0, 0, 0, 0], [3, 0, 0, 0]]])
        >>> mask = [None, nf.constant([[True, False]])]
        >>> nf.keras.layers.Attention()([query, value], mask=mask)[0, :, 0].numpy()
        array([1., 1.], dtype=float32)
    """

    def __init__(self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        self._keep(locals())
        if dropout > 0:
            self.seed_generator = SeedGenerator(seed)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                f"Invalid value for argument score_mode. Expected one of {{'dot', 'concat'}}. "
                f"Received: score_mode={score_mode}"
            )

    def build(self, input_shape) -> None:
        """Makes the weights."""
        self._check(input_shape)
        self.scale = self.add_weight((), "ones", name="scale") if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def _check(self, inputs, mask=None) -> None:
        """Raises ValueError where inputs or masks are no list of two or three."""
        for what, given in (("", inputs), (" mask", mask)):
            if what and given is None:
                continue
            if not isinstance(given, list) or not 2 <= len(given) <= 3:
                raise ValueError(
                    f"{type(self).__name__} layer{what} must be a list of two or three, namely [query, value] or "
                    f"[query, value, key]. Received:{what} {given!r:.200}"
                )

    def _scores(self, query, key):
        if self.score_mode == "dot":
            last = tuple(range(key.ndim))
            scores = query @ TABLE["transpose"](key, perm=(*last[:-2], last[-1], last[-2]))
            return scores if self.scale is None else scores * self.scale
        pairs = _between(query, -2) + _between(key, -3)
        return self.concat_score_weight * self._sum(TABLE["tanh"](pairs if self.scale is None else self.scale * pairs))

    def _sum(self, x):
        return TABLE["reduce_sum"](x, axis=(x.ndim - 1,), keepdims=False)

    def call(self, inputs, mask=None, training=False, return_attention_scores=False, use_causal_mask=False):
        """The weighted means of the values."""
        self._check(inputs, mask)
        query, value, *rest = inputs
        scores = self._scores(query, rest[0] if rest else value)
        query_mask, seen = (mask[0], mask[1]) if mask else (None, None)
        if seen is not None and (use_causal_mask or seen.ndim == 2):
            seen = _between(seen, -2)
        if use_causal_mask:
            causal = causal_mask(*scores.nbflow_shape[-2:])
            seen = causal if seen is None else TABLE["logical_and"](seen, causal)
        if seen is not None:
            far = 65504.0 if scores.dtype.name == "float16" else 1e9
            scores = TABLE["select"](seen, scores, scores - far)
        weights = TABLE["softmax"](scores, axis=scores.ndim - 1)
        if training and self.dropout > 0:
            weights = draws.dropout(weights, self.dropout, seed=self.seed_generator)
        output = weights @ value
        if query_mask is not None:
            output = TABLE["select"](_between(query_mask, -1), output, zero(output))
        return (output, weights) if return_attention_scores else output

    def compute_mask(self, inputs, mask=None):
        """The mask of the queries."""
        self._check(inputs, mask)
        return None if mask is None or mask[0] is None else to_tensor(mask[0])


@export("keras.layers.AdditiveAttention")
class AdditiveAttention(Attention):
    """softmax(scores) V, the scores being Σ scale · tanh(q + k) (tf.keras.layers.AdditiveAttention).

    Bahdanau, D., Cho, K. and Bengio, Y. (2015). Neural machine translation by jointly learning to align and translate.

    Args:
        use_scale: whether there is a weight "scale", of the size of a vector.
        Others: as of keras.layers.Attention, the arguments of the call too.
    """

    def __init__(self, use_scale=True, dropout=0.0, **kwargs):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape) -> None:
        """Makes scale."""
        self._check(input_shape)
        size = input_shape[0][-1]
        self.scale = self.add_weight((size,), "glorot_uniform", name="scale") if self.use_scale else None

    def _scores(self, query, key):
        sums = TABLE["tanh"](_between(query, -2) + _between(key, -3))
        return self._sum(sums if self.scale is None else self.scale * sums)

    def get_config(self) -> dict:
        """The arguments that make a layer like this one."""
        return {name: value for name, value in super().get_config().items() if name != "score_mode"}
