"""Connectionist temporal classification: losses of sequences whose alignment is not known, and their decoding."""

import operator

from nbflow.dtypes import float32, int32, int64
from nbflow.errors import InvalidArgumentError
from nbflow.ops.indexed import IGNORE
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, size_of
from nbflow.shapes import Dim
from nbflow.sparse import SparseTensor
from nbflow.tensor.tensor import Tensor, argument, stack

# --- the loss ---------------------------------------------------------------------------------------------------------


@export("nn.ctc_loss")
def ctc_loss(
    labels, logits, label_length, logit_length, logits_time_major=True, unique=None, blank_index=None, name=None
):
    """-log of the probability of labels, summed over all ways to align them with frames (tf.nn.ctc_loss).

    At each frame a class or the blank is seen, with the probabilities softmax(logits); the labels are what is left when
    repetitions are merged and blanks dropped.

    Args:
        labels: int [batch, most labels], padded with 0, or a SparseTensor of that shape.
        logits: [frames, batch, classes], floating point.
        label_length: int [batch], how many labels there are; not used for a SparseTensor.
        logit_length: int [batch], how many frames there are.
        logits_time_major: whether logits are not [batch, frames, classes] instead.
        unique: what ctc_unique_labels gave; it has no effect.
        blank_index: the class of the blank; 0 by default, negative ones count from the end.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        [batch], the losses. Labels that need more frames than there are have a loss of some hundreds, or ∞ where they
        are given by a SparseTensor.

    Raises:
        ValueError: labels is a SparseTensor, and blank_index is not given.
        InvalidArgumentError: shapes do not fit; or labels is a SparseTensor, and there are fewer frames than labels.
        LookupError: when its second derivative is asked for.
    """
    op = "ctc_loss"
    strict = isinstance(labels, SparseTensor)
    if strict and blank_index is None:
        raise ValueError(f"{op}: blank_index must be provided when labels is a SparseTensor")
    logits = argument(op, "logits", logits)
    if logits.ndim != 3:
        raise InvalidArgumentError(f"{op}: logits has shape {logits.shape}; it must be 3-dimensional")
    if logits_time_major:
        logits = TABLE["transpose"](logits, perm=(1, 0, 2))
    batch, _, classes = logits.nbflow_shape
    logit_length = _integers(op, "logit_length", logit_length)
    if strict:
        labels, label_length = _dense_labels(op, labels, batch)
        _check_labels(op, labels, label_length, logit_length, logits.nbflow_shape[1])
    else:
        labels, label_length = _integers(op, "labels", labels), _integers(op, "label_length", label_length)
    blank = operator.index(0 if blank_index is None else blank_index)
    blank = blank + classes if blank < 0 else blank
    if blank:
        logits = _blank_first(logits, blank)
        labels = TABLE["select"](labels < blank, labels + 1, labels)
    return TABLE["ctc_loss"](logits, labels, label_length, logit_length, strict=strict)


def _integers(op: str, name: str, value):
    tensor = argument(op, name, value)
    if not tensor.dtype.is_integer:
        raise TypeError(f"{op}: {name} has dtype {tensor.dtype.name}; it must be integer")
    return tensor if tensor.dtype in (int32, int64) else cast(tensor, int64)


def _dense_labels(op: str, sparse: SparseTensor, batch) -> tuple:
    """Labels [batch, most] of a sparse tensor, the elements of a row one after another, and how many there are."""
    values = _integers(op, "labels", sparse.values)
    rows = sparse.indices[:, 0]
    count = rows.nbflow_shape[0]
    lengths = TABLE["unsorted_segment_sum"](TABLE["ones_like"](rows), rows, num_segments=batch)
    first = TABLE["cumsum"](lengths, axis=0, exclusive=True, reverse=False)
    place = TABLE["range"](*(argument(op, "", n, int64) for n in (0, 1)), size=count)
    place = place - TABLE["gather"](first, rows, axis=0, policy=IGNORE)
    indices = stack([rows, place])
    shape = (batch, size_of(op, "labels", sparse.dense_shape[1]))
    labels = TABLE["scatter_nd"](TABLE["transpose"](indices, perm=(1, 0)), values, shape=shape, batch_dims=0)
    return labels, lengths


def _check_labels(op: str, labels, label_length, logit_length, frames) -> None:
    """Of tensors that are not traced."""
    if type(label_length) is Tensor and not label_length.numpy().all():
        raise InvalidArgumentError(f"{op}: labels has no label for sequence {label_length.numpy().argmin()}")
    if type(labels) is Tensor and labels.numpy().min(initial=0) < 0:
        raise InvalidArgumentError(f"{op}: labels has {labels.numpy().min()}; labels are 0 or more")
    known = type(logit_length) is Tensor and not isinstance(frames, Dim)
    if known and logit_length.numpy().max(initial=0) > frames:
        raise InvalidArgumentError(f"{op}: logit_length has {logit_length.numpy().max()}; there are {frames} frames")


def _blank_first(logits, blank: int):
    """Logits with the class of the blank moved to the front."""
    classes = logits.nbflow_shape[2]
    if blank >= classes:
        raise InvalidArgumentError(f"ctc_loss: blank_index is {blank}; there are {classes} classes")
    parts = [logits[:, :, blank : blank + 1], logits[:, :, :blank], logits[:, :, blank + 1 :]]
    return TABLE["concat"](*parts, axis=2)


# --- labels -----------------------------------------------------------------------------------------------------------


@export("nn.collapse_repeated")
def collapse_repeated(labels, seq_length, name=None):
    """Labels of which repetitions are merged (tf.nn.collapse_repeated).

    Args:
        labels: [batch, most labels].
        seq_length: int [batch], how many of them count.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (labels, lengths): [batch, most that are left], padded with 0, and of the dtype of seq_length how many are left.

    Example:
        >>> import nbflow as nf
        >>> [t.numpy().tolist() for t in nf.nn.collapse_repeated([[1, 1, 2, 2, 1], [1, 2, 3, 4, 5]], [5, 3])]
        [[[1, 2, 1], [1, 2, 3]], [3, 3]]
    """
    op = "collapse_repeated"
    labels, length = argument(op, "labels", labels), argument(op, "seq_length", seq_length)
    batch, most = labels.nbflow_shape
    new = TABLE["not_equal"](labels[:, 1:], labels[:, :-1])
    first = TABLE["ones_like"](TABLE["equal"](labels[:, :1], labels[:, :1]))
    places = TABLE["range"](*(argument(op, "", n, length.dtype) for n in (0, 1)), size=most)
    kept = TABLE["concat"](first, new, axis=1) & (places < TABLE["reshape"](length, shape=(batch, 1)))
    counts = cast(kept, int32)
    lengths = TABLE["reduce_sum"](counts, axis=(1,), keepdims=False)
    width = size_of(op, "labels", TABLE["reduce_max"](lengths, axis=(0,), keepdims=False))
    place = TABLE["cumsum"](counts, axis=1, exclusive=True, reverse=False)
    place = TABLE["select"](kept, place, TABLE["fill_like"](place, shape=(), value=-1))
    indices = TABLE["reshape"](place, shape=(batch, most, 1))
    collapsed = TABLE["scatter_nd"](indices, labels, shape=(batch, width), batch_dims=1, policy=IGNORE)
    return collapsed, cast(lengths, length.dtype)


@export("nn.ctc_unique_labels")
def ctc_unique_labels(labels, name=None):
    """The different labels of each row (tf.nn.ctc_unique_labels).

    Args:
        labels: [batch, most labels].
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (unique, indices): int64, the labels of a row in the order of their first appearance, padded with 0; and int32,
        which of them each label is. Both are of the shape of labels.

    Example:
        >>> import nbflow as nf
        >>> [t.numpy().tolist() for t in nf.nn.ctc_unique_labels([[3, 4, 4, 3]])]
        [[[3, 4, 0, 0]], [[0, 1, 1, 0]]]
    """
    op = "ctc_unique_labels"
    labels = argument(op, "labels", labels)
    batch, most = labels.nbflow_shape
    rows, columns = (TABLE["reshape"](labels, shape=shape) for shape in ((batch, most, 1), (batch, 1, most)))
    first = TABLE["argmax"](cast(TABLE["equal"](rows, columns), int32), axis=2, output_type=int64)
    is_first = TABLE["equal"](first, TABLE["range"](*(argument(op, "", n, int64) for n in (0, 1)), size=most))
    rank = TABLE["cumsum"](cast(is_first, int64), axis=1, exclusive=True, reverse=False)
    place = TABLE["select"](is_first, rank, TABLE["fill_like"](rank, shape=(), value=-1))
    unique = TABLE["scatter_nd"](
        TABLE["reshape"](place, shape=(batch, most, 1)),
        cast(labels, int64),
        shape=(batch, most),
        batch_dims=1,
        policy=IGNORE,
    )
    return unique, cast(TABLE["gather"](rank, first, axis=1, batch_dims=1), int32)


# --- decoding ---------------------------------------------------------------------------------------------------------


def _frames(op: str, inputs, sequence_length) -> tuple:
    return argument(op, "inputs", inputs, float32), argument(op, "sequence_length", sequence_length, int32)


@export("nn.ctc_greedy_decoder")
def ctc_greedy_decoder(inputs, sequence_length, merge_repeated=True, blank_index=None):
    """The labels of the most probable path (tf.nn.ctc_greedy_decoder): of each frame the class of the greatest input.

    Args:
        inputs: logits [frames, batch, classes], float32 or float64.
        sequence_length: int32 [batch], how many frames there are.
        merge_repeated: whether a class that follows itself counts once.
        blank_index: the class of the blank, which is dropped; the last one by default, negative ones count from
            the end.

    Returns:
        ([labels], score): an int64 SparseTensor [batch, most labels], and the negative sum of the greatest inputs,
        [batch, 1].

    Raises:
        InvalidArgumentError: blank_index is out of range.
        FailedPreconditionError: a length is greater than the number of frames.
    """
    op = "ctc_greedy_decoder"
    inputs, length = _frames(op, inputs, sequence_length)
    classes = inputs.nbflow_shape[2] if inputs.ndim == 3 else 0
    blank = operator.index(-1 if blank_index is None else blank_index)
    if inputs.ndim == 3 and not -classes <= blank < classes:
        raise InvalidArgumentError(f"{op}: blank_index is {blank}; it takes {-classes} to {classes - 1}")
    blank = blank + classes if blank < 0 else blank
    *parts, score = TABLE["ctc_best_path"](inputs, length, merge_repeated=bool(merge_repeated), blank=blank)
    return [SparseTensor(*parts)], score


@export("nn.ctc_beam_search_decoder")
def ctc_beam_search_decoder(inputs, sequence_length, beam_width=100, top_paths=1):
    """The most probable labels, summed over alignments, by beam search (tf.nn.ctc_beam_search_decoder).

    Args:
        inputs: logits [frames, batch, classes], float32 or float64; the blank is the last class.
        sequence_length: int32 [batch], how many frames there are.
        beam_width: how many sequences of labels are followed.
        top_paths: how many of them are wanted.

    Returns:
        (labels, log_probabilities): a list of int64 SparseTensors [batch, most labels], the most probable first, and
        the logarithms of their probabilities, [batch, top_paths].

    Raises:
        InvalidArgumentError: fewer sequences were found than are wanted.
        FailedPreconditionError: a length is greater than the number of frames.
    """
    op = "ctc_beam_search_decoder"
    inputs, length = _frames(op, inputs, sequence_length)
    width, count = operator.index(beam_width), operator.index(top_paths)
    if not 1 <= count <= width:
        raise InvalidArgumentError(f"{op}: top_paths is {count} and beam_width {width}; it takes 1 to beam_width")
    *parts, scores = TABLE["ctc_beam_search"](inputs, length, beam_width=width, top_paths=count)
    return [SparseTensor(*parts[3 * k : 3 * k + 3]) for k in range(count)], scores
