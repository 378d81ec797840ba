"""Isotonic regression."""

from nbflow.dtypes import float32, float64, int8, int16, int32
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.shapes import normalize_axis
from nbflow.tensor.tensor import argument


@export("nn.isotonic_regression")
def isotonic_regression(inputs, decreasing=True, axis=-1):
    """The non-increasing sequence that is nearest to a given one: it minimises Σ (x - y)² (tf.nn.isotonic_regression).

    Args:
        inputs: a tensor of real numbers; int8 and int16 become float32, other integers float64.
        decreasing: whether sequences are not to increase rather than not to decrease.
        axis: along which the sequences lie.

    Returns:
        (output, segments): the sequences, of the shape of inputs; and int32, which elements have one value: the number
        of their segment, from 0 on.

    Raises:
        InvalidArgumentError: axis is out of range.

    Example:
        >>> import nbflow as nf
        >>> [t.numpy().tolist() for t in nf.nn.isotonic_regression([3.0, 1.0, 2.0])]
        [[3.0, 1.5, 1.5], [0, 1, 1]]
    """
    op = "isotonic_regression"
    x = argument(op, "inputs", inputs)
    if not x.dtype.is_floating:
        x = cast(x, float32 if x.dtype in (int8, int16) else float64)
    if not x.ndim:
        return x, TABLE["fill_like"](cast(x, int32), shape=(), value=0)
    at = normalize_axis(op, axis, x.ndim)
    order = (*(k for k in range(x.ndim) if k != at), at)
    back = (*range(at), x.ndim - 1, *range(at, x.ndim - 1))
    moved = TABLE["transpose"](x if decreasing else -x, perm=order)
    shape = tuple(moved.nbflow_shape)
    rows, n = 1, shape[-1]
    for size in shape[:-1]:
        rows = rows * size
    matrix = TABLE["reshape"](moved, shape=(rows, n))
    segments = TABLE["isotonic_segments"](matrix)
    first = TABLE["range"](*(argument(op, "", k, int32) for k in (0, 1)), size=rows) * TABLE["shape_int32"](matrix)[1]
    ids = TABLE["reshape"](segments + TABLE["reshape"](first, shape=(rows, 1)), shape=(rows * n,))
    total, count = (
        TABLE["gather"](TABLE["unsorted_segment_sum"](v, ids, num_segments=rows * n), ids, axis=0)
        for v in (TABLE["reshape"](matrix, shape=(rows * n,)), TABLE["fill_like"](matrix, shape=(rows * n,), value=1))
    )
    output = total / count
    found = (output if decreasing else -output, segments)
    return tuple(TABLE["transpose"](TABLE["reshape"](t, shape=shape), perm=back) for t in found)
