"""Losses over many classes of which few are looked at: the true ones and a sample of the others."""

from nbflow.dtypes import float32, int32, int64
from nbflow.errors import InvalidArgumentError
from nbflow.nn.embedding import embedding_lookup
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.random.candidates import log_uniform_candidate_sampler
from nbflow.tensor.tensor import argument


def _without_hits(logits, labels, sampled):
    """logits [batch, sampled], as low as can be where a sampled class is a true one of its row."""
    batch, true = labels.nbflow_shape
    count = sampled.nbflow_shape[0]
    same = TABLE["equal"](
        TABLE["reshape"](labels, shape=(batch, true, 1)), TABLE["reshape"](sampled, shape=(1, 1, count))
    )
    hit = TABLE["reduce_any"](same, axis=(1,), keepdims=False)
    return logits + TABLE["select"](
        hit,
        TABLE["fill_like"](logits, shape=(), value=float(logits.dtype.min)),
        TABLE["fill_like"](logits, shape=(), value=0),
    )


@export("nn.compute_accidental_hits")
def compute_accidental_hits(true_classes, sampled_candidates, num_true, seed=None, name=None):
    """Where sampled classes are true ones (tf.nn.compute_accidental_hits).

    Args:
        true_classes: int64 [batch, num_true].
        sampled_candidates: int64 [num_sampled], the classes that a candidate sampler gave.
        num_true: true classes of each row.
        seed: accepted as TensorFlow's; it has no effect.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (indices, ids, weights), an element for each hit: int32, its row; int64, its place among the sampled classes;
        and float32, the least number, to be added to its logit.

    Raises:
        InvalidArgumentError: true_classes has another shape.
    """
    op = "compute_accidental_hits"
    true = argument(op, "true_classes", true_classes, int64)
    sampled = argument(op, "sampled_candidates", sampled_candidates, int64)
    if true.ndim != 2 or true.nbflow_shape[1] != num_true or sampled.ndim != 1:
        raise InvalidArgumentError(
            f"{op}: true_classes has shape {true.shape} and sampled_candidates {sampled.shape}; they must be "
            f"[batch, {num_true}] and [num_sampled]"
        )
    count = sampled.nbflow_shape[0]
    columns = TABLE["reshape"](sampled, shape=(count, 1))
    places = TABLE["range"](*(argument(op, "", n, int64) for n in (0, 1)), size=count)
    again = TABLE["equal"](columns, sampled) & (TABLE["reshape"](places, shape=(count, 1)) < places)
    last = ~TABLE["reduce_any"](
        again, axis=(1,), keepdims=False
    )  # a class that was drawn twice is hit where it is last
    hits = TABLE["equal"](TABLE["reshape"](true, shape=(*true.nbflow_shape, 1)), sampled) & last
    found = TABLE["where_true"](hits)
    rows, ids = found[:, 0], found[:, 2]
    return (
        cast(rows, int32),
        ids,
        TABLE["fill_like"](cast(ids, float32), shape=ids.nbflow_shape, value=float(float32.min)),
    )


def _logits_and_labels(
    op: str, weights, biases, labels, inputs, sizes: tuple, sampled_values, subtract_log_q, remove_hits, seed
):
    """Logits [batch, true + sampled] and the labels that they should have: 1 / true, and 0."""
    num_sampled, num_classes, num_true = sizes
    x, labels = argument(op, "inputs", inputs), cast(argument(op, "labels", labels), int64)
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(labels, num_true, num_sampled, True, num_classes, seed)
    stop = TABLE["stop_gradient"]
    sampled, true_expected, sampled_expected = (stop(argument(op, "sampled_values", v)) for v in sampled_values)
    sampled = cast(sampled, int64)
    batch, dim = x.nbflow_shape
    flat = TABLE["reshape"](labels, shape=(batch * num_true,))
    ids = TABLE["concat"](flat, sampled, axis=0)
    rows, offsets = (cast(embedding_lookup(table, ids), x.dtype) for table in (weights, biases))
    count = sampled.nbflow_shape[0]

    def part(v, begin, size):
        rest = tuple(v.nbflow_shape[1:])
        start = (begin, *(0 for _ in rest))
        return TABLE["strided_slice"](v, begin=start, step=(1,) * (len(rest) + 1), shape=(size, *rest))

    true_rows = TABLE["reshape"](part(rows, 0, batch * num_true), shape=(batch, num_true, dim))
    products = TABLE["reshape"](x, shape=(batch, 1, dim)) * true_rows
    true_logits = TABLE["reduce_sum"](products, axis=(2,), keepdims=False)
    true_logits = true_logits + TABLE["reshape"](part(offsets, 0, batch * num_true), shape=(batch, num_true))
    sampled_rows = part(rows, batch * num_true, count)
    sampled_logits = TABLE["matmul"](x, sampled_rows, transpose_a=False, transpose_b=True)
    sampled_logits = sampled_logits + part(offsets, batch * num_true, count)
    if remove_hits:
        sampled_logits = _without_hits(sampled_logits, TABLE["reshape"](labels, shape=(batch, num_true)), sampled)
    if subtract_log_q:
        true_logits = true_logits - TABLE["log"](cast(true_expected, x.dtype))
        sampled_logits = sampled_logits - TABLE["log"](cast(sampled_expected, x.dtype))
    ones, zeros = TABLE["ones_like"](true_logits) / num_true, TABLE["zeros_like"](sampled_logits)
    return TABLE["concat"](true_logits, sampled_logits, axis=1), TABLE["concat"](ones, zeros, axis=1)


@export("nn.nce_loss")
def nce_loss(
    weights,
    biases,
    labels,
    inputs,
    num_sampled,
    num_classes,
    num_true=1,
    sampled_values=None,
    remove_accidental_hits=False,
    name="nce_loss",
):
    """The noise-contrastive estimate of a loss over many classes (tf.nn.nce_loss).

    Args:
        weights: [classes, dim], or a list of tensors that make it, one below the other.
        biases: [classes].
        labels: [batch, num_true], the true classes.
        inputs: [batch, dim].
        num_sampled: how many classes to sample for the whole batch.
        num_classes: how many there are.
        num_true: true classes of each row.
        sampled_values: what a candidate sampler gave; by default log_uniform_candidate_sampler is asked.
        remove_accidental_hits: whether sampled classes that are true do not count.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        [batch], the losses.
    """
    sizes = (num_sampled, num_classes, num_true)
    logits, targets = _logits_and_labels(
        "nce_loss", weights, biases, labels, inputs, sizes, sampled_values, True, remove_accidental_hits, None
    )
    losses = TABLE["sigmoid_cross_entropy_with_logits"](targets, logits)
    return TABLE["reduce_sum"](losses, axis=(1,), keepdims=False)


@export("nn.sampled_softmax_loss")
def sampled_softmax_loss(
    weights,
    biases,
    labels,
    inputs,
    num_sampled,
    num_classes,
    num_true=1,
    sampled_values=None,
    remove_accidental_hits=True,
    seed=None,
    name="sampled_softmax_loss",
):
    """The softmax cross-entropy over the true and some sampled classes, for training (tf.nn.sampled_softmax_loss).

    Args:
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values: as of nce_loss.
        remove_accidental_hits: whether sampled classes that are true do not count.
        seed: of the sampler.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        [batch], the losses.
    """
    sizes = (num_sampled, num_classes, num_true)
    op = "sampled_softmax_loss"
    logits, targets = _logits_and_labels(
        op, weights, biases, labels, inputs, sizes, sampled_values, True, remove_accidental_hits, seed
    )
    return TABLE["softmax_cross_entropy_with_logits"](TABLE["stop_gradient"](targets), logits)
