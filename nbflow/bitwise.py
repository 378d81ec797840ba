"""nf.bitwise: operations on the bits of integers; and nf.bitcast."""

from nbflow.dtypes import as_dtype
from nbflow.ops.table import TABLE
from nbflow.public import binary, export, unary
from nbflow.tensor.tensor import argument

bitwise_and = binary("bitwise_and", "The bits set in both x and y", "bitwise.bitwise_and")
bitwise_or = binary("bitwise_or", "The bits set in x or y", "bitwise.bitwise_or")
bitwise_xor = binary("bitwise_xor", "The bits set in exactly one of x and y", "bitwise.bitwise_xor")
invert = unary("invert", "The bits not set in x", "bitwise.invert")
left_shift = binary("left_shift", "x shifted to the left by y bits", "bitwise.left_shift")
right_shift = binary("right_shift", "x shifted to the right by y bits, keeping its sign", "bitwise.right_shift")


@export("bitcast")
def bitcast(input, type, name=None):
    """The bits of a tensor, read as numbers of another dtype (tf.bitcast).

    Args:
        input: a numeric tensor.
        type: a numeric dtype. If it is smaller, a new last axis holds the parts of an element; if it is larger, the
            last axis, which has to have that size, becomes one element.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of that dtype.

    Raises:
        InvalidArgumentError: a dtype is bool, or the last axis does not make one element.

    Example:
        >>> import nbflow as nf
        >>> nf.bitcast([1.0, -2.0], nf.uint32)
        nf.Tensor([1065353216 3221225472], shape=(2,), dtype=uint32)
    """
    return TABLE["bitcast"](argument("bitcast", "input", input), type=as_dtype(type))
