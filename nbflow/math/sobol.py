"""Points that fill a cube more evenly than random ones."""

from nbflow.dtypes import FULL, as_dtype, float32, int64
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.sobol import DIMENSIONS
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.shapes import Dim
from nbflow.signal.counting import amount, whole
from nbflow.tensor.tensor import to_tensor


@export("math.sobol_sample")
def sobol_sample(dim, num_results, skip=0, dtype=float32, name=None):
    """Points of the Sobol sequence (tf.math.sobol_sample).

    Args:
        dim: how many coordinates a point has, 1 to 21200.
        num_results: how many points, 1 or more.
        skip: how many points of the sequence to leave out.
        dtype: float32 or float64.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [num_results, dim] of numbers in [0, 1).

    Raises:
        InvalidArgumentError: dim or num_results is below 1, dim above 21200, or skip negative.
        InvalidDTypeError: one is no integer, or dtype another.

    Example:
        >>> import nbflow as nf
        >>> nf.math.sobol_sample(2, 3)
        <nf.Tensor: shape=(3, 2), dtype=float32, numpy=
        array([[0.5 , 0.5 ],
               [0.75, 0.25],
               [0.25, 0.75]], dtype=float32)>
    """
    op, dtype = "sobol_sample", as_dtype(dtype)
    if dtype not in FULL:
        raise InvalidDTypeError(f"{op}: dtype is {dtype.name}; it takes float32 or float64")
    given = {"dim": dim, "num_results": num_results, "skip": skip}
    dim, count, skipped = (whole(op, name, value) for name, value in given.items())
    if isinstance(dim, Dim) or not 1 <= dim <= DIMENSIONS:
        raise InvalidArgumentError(f"{op}: dim is {dim}; it takes 1 to {DIMENSIONS}, known while tracing")
    if not isinstance(count, Dim) and count < 1:
        raise InvalidArgumentError(f"{op}: num_results is {count}; it takes 1 or more")
    if not isinstance(skipped, Dim) and skipped < 0:
        raise InvalidArgumentError(f"{op}: skip is {skipped}; it takes 0 or more")
    start = amount(skipped, int64) + 1
    return TABLE["sobol_points"](TABLE["range"](start, to_tensor(1, int64), size=count), dim=dim, dtype=dtype)
