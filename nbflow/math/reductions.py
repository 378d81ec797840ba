"""Reductions of nf.math: sums, means, extremes and where they are."""

from nbflow.dtypes import as_dtype, bool_, int16, int32, int64, require, uint8, uint16
from nbflow.ops.table import TABLE
from nbflow.public import axes_of, cast, export, reduction
from nbflow.shapes import normalize_axis
from nbflow.tensor.tensor import argument

reduce_sum = reduction("reduce_sum", "The sum")
reduce_mean = reduction("reduce_mean", "The mean, for integers truncated")
reduce_prod = reduction("reduce_prod", "The product")
reduce_max = reduction("reduce_max", "The maximum, NaN if any element is")
reduce_min = reduction("reduce_min", "The minimum, NaN if any element is")
reduce_any = reduction("reduce_any", "Whether any element is true")
reduce_all = reduction("reduce_all", "Whether all elements are true")


def _arg(op_name: str, what: str, output_types: tuple):
    op = TABLE[op_name]

    def function(input, axis=None, output_type=int64, name=None):
        x, output_type = argument(op_name, "input", input), as_dtype(output_type)
        require(op_name, "output_type", output_type, output_types)
        if x.dtype is bool_:
            x = cast(x, uint8)
        return op(
            x,
            axis=normalize_axis(op_name, 0 if axis is None else axes_of(axis), x.ndim),
            output_type=output_type,
        )

    function.__name__ = function.__qualname__ = op_name
    export(f"math.{op_name}", op_name)(function)
    function.__doc__ = f"""The index of the {what} along an axis, the first of equal ones (tf.math.{op_name}).

    Args:
        input: a tensor.
        axis: the axis, 0 by default.
        output_type: one of {", ".join(d.name for d in output_types)}.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of output_type without that axis.

    Raises:
        InvalidArgumentError: the axis is out of range or empty.
    """
    return function


argmax = _arg("argmax", "greatest element", (int16, uint16, int32, int64))
argmin = _arg("argmin", "least element", (int32, int64))
