"""Running sums and products."""

from nbflow.ops.table import TABLE
from nbflow.public import export, number
from nbflow.shapes import normalize_axis
from nbflow.tensor.tensor import argument


def _scan(op_name: str, what: str, *names: str):
    op = TABLE[op_name]

    def function(x, axis=0, exclusive=False, reverse=False, name=None):
        x = argument(op_name, "x", x)
        axis = normalize_axis(op_name, number(axis), x.ndim)
        return op(x, axis=axis, exclusive=bool(exclusive), reverse=bool(reverse))

    function.__name__ = function.__qualname__ = op_name
    function.__doc__ = f"""{what} of all elements up to each one along an axis (tf.{names[0]}).

    Args:
        x: a tensor of {", ".join(d.name for d in op.dtypes)}.
        axis: the axis, 0 by default; a negative one counts from the end.
        exclusive: whether an element itself is left out.
        reverse: whether to go from the end.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape and dtype of x.

    Raises:
        InvalidArgumentError: the axis is out of range.
    """
    return export(*names)(function)


cumsum = _scan("cumsum", "The sum", "math.cumsum", "cumsum")
cumprod = _scan("cumprod", "The product", "math.cumprod")
cumulative_logsumexp = _scan("cumulative_logsumexp", "log(Σ exp)", "math.cumulative_logsumexp")
