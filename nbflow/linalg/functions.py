"""Functions of square matrices."""

from nbflow.ops.table import TABLE as T
from nbflow.public import export
from nbflow.tensor.tensor import argument


@export("linalg.expm")
def expm(input, name=None):
    """The exponentials Σ aⁿ / n! of square matrices a (tf.linalg.expm).

    Args:
        input: a tensor [..., n, n] of float32, float64 or a complex dtype.

    Returns:
        A tensor of the shape of input; all of it is NaN where any number of input is NaN or infinite.

    Raises:
        InvalidArgumentError: matrices are not square, or have another dtype.

    Example:
        >>> import nbflow as nf
        >>> nf.linalg.expm(nf.zeros([2, 2])).numpy().tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    return T["matrix_exponential"](argument("expm", "input", input), depth=0)


@export("linalg.sqrtm", "matrix_square_root")
def sqrtm(input, name=None):
    """The square matrices r with r r = input and eigenvalues right of the imaginary axis (tf.linalg.sqrtm).

    Args:
        input: a tensor [..., n, n] of float32, float64 or a complex dtype, without zero among its eigenvalues.

    Returns:
        A tensor of the shape of input; NaN where real matrices have no real root of that kind.

    Raises:
        InvalidArgumentError: matrices are not square, or have another dtype.
    """
    return T["matrix_square_root"](argument("sqrtm", "input", input))


@export("linalg.logm")
def logm(input, name=None):
    """The principal logarithms of complex square matrices, whose exponentials they are (tf.linalg.logm).

    Args:
        input: a tensor [..., n, n] of complex64 or complex128, without zero among its eigenvalues.

    Returns:
        A tensor of the shape of input.

    Raises:
        InvalidArgumentError: matrices are not square, or not complex.
    """
    return T["matrix_logarithm"](argument("logm", "input", input))
