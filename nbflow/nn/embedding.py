"""Rows of tables, one by one or combined."""

import math

from nbflow.arrays.clipping import clip_by_norm
from nbflow.dtypes import float32
from nbflow.errors import InvalidArgumentError
from nbflow.math.segments import segment_sum
from nbflow.ops.indexed import DROP_NEGATIVE
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, sizes
from nbflow.shapes import could_be_equal
from nbflow.sparse import SparseTensor
from nbflow.tensor.tensor import argument


@export("nn.embedding_lookup")
def embedding_lookup(params, ids, max_norm=None, name=None):
    """The rows of a table that ids name (tf.nn.embedding_lookup).

    Args:
        params: a table [rows, ...], or a list of its parts one below the other ("div" in TensorFlow).
        ids: int32 or int64, of any shape.
        max_norm: rows of a greater norm are scaled down to it; None for none.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of shape ids.shape + params.shape[1:].

    Raises:
        InvalidArgumentError: an id is out of range.
        ValueError: there are no params.
    """
    op = "embedding_lookup"
    if params is None or (isinstance(params, (list, tuple)) and not params):
        raise ValueError(f"{op}: params must be given, one or more")
    if isinstance(params, (list, tuple)):
        parts = [argument(op, "params", part) for part in params]
        table = parts[0] if len(parts) == 1 else TABLE["concat"](*parts, axis=0)
    else:
        table = argument(op, "params", params)
    ids = argument(op, "ids", ids)
    rows = TABLE["gather"](table, ids, axis=0)
    return rows if max_norm is None else clip_by_norm(rows, max_norm, axes=list(range(ids.ndim, rows.ndim)))


# --- of sparse ids ----------------------------------------------------------------------------------------------------


def _sparse_arguments(op: str, ids, weights, combiner) -> str:
    """Which way to combine.

    Raises:
        TypeError: ids or weights are no SparseTensor.
        ValueError: combiner is unknown, or there is no weight for each id.
    """
    combiner = "mean" if combiner is None else combiner
    if combiner not in ("mean", "sqrtn", "sum"):
        raise ValueError(f"{op}: combiner must be one of 'mean', 'sqrtn' or 'sum', got {combiner!r}")
    for name, value in (("ids", ids), ("weights", weights)):
        if not isinstance(value, SparseTensor) and (name == "ids" or value is not None):
            raise TypeError(f"{op}: sparse {name} must be a SparseTensor, got {type(value).__name__}")
    if weights is not None and not could_be_equal(weights.values.nbflow_shape, ids.values.nbflow_shape):
        raise InvalidArgumentError(
            f"{op}: there are {ids.values.shape[0]} ids and {weights.values.shape[0]} weights; they must be as many"
        )
    return combiner


def _combined(rows, weights, combiner: str, total):
    """Rows times weights, combined; total gives the sum over segments. Halves are computed in float32."""
    wide = cast(rows, float32) if rows.dtype.is_half else rows
    if weights is None:
        weights = TABLE["fill_like"](wide, shape=wide.nbflow_shape[:1], value=1)
    weights = cast(weights, wide.dtype)
    weights = TABLE["reshape"](weights, shape=(*weights.nbflow_shape, *(1,) * (wide.ndim - 1)))
    found = total(wide * weights)
    if combiner != "sum":
        scale = total(weights) if combiner == "mean" else TABLE["sqrt"](total(TABLE["square"](weights)))
        found = TABLE["divide_no_nan"](found, scale)
    return cast(found, rows.dtype)


@export("nn.embedding_lookup_sparse")
def embedding_lookup_sparse(
    params, sp_ids, sp_weights, combiner=None, max_norm=None, name=None, allow_fast_lookup=False
):
    """The rows of a table that each row of sparse ids names, combined (tf.nn.embedding_lookup_sparse).

    Args:
        params: a table [rows, ...], or a list of its parts one below the other.
        sp_ids: an integer SparseTensor [batch, most ids] in row-major order, with an id or more for each row.
        sp_weights: a floating point SparseTensor with a weight for each id, or None.
        combiner: "sum" of rows times weights; "mean", the default, divides it by the sum of the weights, and "sqrtn" by
            the root of the sum of their squares.
        max_norm: rows of a greater norm are scaled down to it; None for none.
        name: accepted as TensorFlow's; it has no effect.
        allow_fast_lookup: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [batch, ...].

    Raises:
        TypeError: sp_ids is no SparseTensor.
        ValueError: combiner is another, or there is no weight for each id.

    Example:
        >>> import nbflow as nf
        >>> ids = nf.SparseTensor([[0, 0], [0, 1], [1, 0]], [0, 1, 2], [2, 2])
        >>> nf.nn.embedding_lookup_sparse(nf.constant([[1.0], [3.0], [5.0]]), ids, None).numpy().tolist()
        [[2.0], [5.0]]
    """
    combiner = _sparse_arguments("embedding_lookup_sparse", sp_ids, sp_weights, combiner)
    rows = embedding_lookup(params, sp_ids.values, max_norm)
    segments = sp_ids.indices[:, 0]
    weights = None if sp_weights is None else sp_weights.values
    return _combined(rows, weights, combiner, lambda x: segment_sum(x, segments))


@export("nn.safe_embedding_lookup_sparse")
def safe_embedding_lookup_sparse(
    embedding_weights,
    sparse_ids,
    sparse_weights=None,
    combiner="mean",
    default_id=None,
    max_norm=None,
    name=None,
    allow_fast_lookup=False,
):
    """embedding_lookup_sparse that leaves out negative ids, and takes rows without any.

    See tf.nn.safe_embedding_lookup_sparse.

    Args:
        embedding_weights: a table [rows, ...], or a list of its parts one below the other.
        sparse_ids: an integer SparseTensor [..., most ids].
        sparse_weights: a floating point SparseTensor with a weight for each id, or None; unless combiner is "sum", ids
            whose weight is not above 0 are left out.
        combiner: "mean", "sqrtn" or "sum", as of embedding_lookup_sparse.
        default_id: what stands for the ids where there are none; None for zeros.
        max_norm: rows of a greater norm are scaled down to it; None for none.
        name: accepted as TensorFlow's; it has no effect.
        allow_fast_lookup: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of shape sparse_ids.shape[:-1] + the table's shape[1:].

    Raises:
        TypeError: sparse_ids is no SparseTensor.
        ValueError: there is no table, combiner is another, or there is no weight for each id.
    """
    combiner = _sparse_arguments("safe_embedding_lookup_sparse", sparse_ids, sparse_weights, combiner)
    ids, weights = sparse_ids.values, None if sparse_weights is None else sparse_weights.values
    kept = ids >= 0
    if weights is not None and combiner != "sum":
        kept = kept & (weights > 0)
    rows = embedding_lookup(embedding_weights, TABLE["select"](kept, ids, TABLE["zeros_like"](ids)), max_norm)
    shape = sizes(sparse_ids.dense_shape)[:-1]
    count = math.prod(shape)
    strides = TABLE["cumprod"](sparse_ids.dense_shape[:-1], axis=0, exclusive=True, reverse=True)
    segments = TABLE["reduce_sum"](sparse_ids.indices[:, :-1] * strides, axis=(1,), keepdims=False)
    segments = TABLE["select"](kept, segments, TABLE["fill_like"](segments, shape=(), value=-1))

    def total(x):
        return TABLE["unsorted_segment_sum"](x, segments, num_segments=count, policy=DROP_NEGATIVE)

    found = _combined(rows, weights, combiner, total)
    if default_id is not None:
        empty = TABLE["equal"](total(TABLE["ones_like"](segments)), 0)
        empty = TABLE["reshape"](empty, shape=(count, *(1,) * (rows.ndim - 1)))
        found = TABLE["select"](empty, embedding_lookup(embedding_weights, [default_id], max_norm), found)
    return TABLE["reshape"](found, shape=(*shape, *found.nbflow_shape[1:]))
