"""Products of matrices and vectors."""

from nbflow.dtypes import NUMERIC, require
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument


@export("linalg.matmul", "matmul")
def matmul(a, b, transpose_a=False, transpose_b=False, adjoint_a=False, adjoint_b=False, name=None):
    """The matrix product a b over the last two axes; leading axes are batches that broadcast (tf.linalg.matmul).

    Args:
        a: a tensor of shape [..., m, k], or [..., k, m] with transpose_a.
        b: a tensor of shape [..., k, n], or [..., n, k] with transpose_b.
        transpose_a, transpose_b, adjoint_a, adjoint_b: whether the operand is transposed first; for real numbers the
            adjoint is the transpose.

    Returns:
        A tensor of shape [..., m, n].

    Raises:
        InvalidArgumentError: shapes or dtypes do not fit.
    """
    if (transpose_a and adjoint_a) or (transpose_b and adjoint_b):
        raise ValueError("matmul: only one of transpose and adjoint can be True for an operand")
    hint = next((v.dtype for v in (a, b) if isinstance(v, TensorProtocol)), None)
    a = argument("matmul", "a", a, hint)
    b = argument("matmul", "b", b, hint or a.dtype)
    require("matmul", "a", a.dtype, NUMERIC)
    return TABLE["matmul"](a, b, transpose_a=bool(transpose_a or adjoint_a), transpose_b=bool(transpose_b or adjoint_b))


@export("linalg.matvec")
def matvec(a, b, transpose_a=False, adjoint_a=False, name=None):
    """The product of matrices [..., m, n] and vectors [..., n] (tf.linalg.matvec).

    Returns:
        A tensor of shape [..., m].
    """
    b = argument("matvec", "b", b, a.dtype if isinstance(a, TensorProtocol) else None)
    column = TABLE["reshape"](b, shape=(*b.nbflow_shape, 1))
    product = matmul(a, column, transpose_a=transpose_a, adjoint_a=adjoint_a)
    return TABLE["reshape"](product, shape=product.nbflow_shape[:-1])
