"""Rows of tables."""

from nbflow.arrays.clipping import clip_by_norm
from nbflow.ops.table import TABLE
from nbflow.public import export
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
