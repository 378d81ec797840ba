"""Complex numbers and their parts."""

from nbflow.dtypes import FULL
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.tensor.tensor import argument


@export("complex", "dtypes.complex")
def complex(real, imag, name=None):
    """real + i · imag, for each element; shapes broadcast (tf.complex).

    Args:
        real, imag: tensors of float32 or of float64.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of complex64 or complex128.

    Raises:
        TypeError: dtypes differ or are others.

    Example:
        >>> import nbflow as nf
        >>> nf.complex([1.0, 2.0], [0.0, -1.0])
        nf.Tensor([1.+0.j 2.-1.j], shape=(2,), dtype=complex64)
    """
    real, imag = argument("complex", "real", real), argument("complex", "imag", imag)
    if real.dtype is not imag.dtype or real.dtype not in FULL:
        raise TypeError(
            f"complex: real and imag have incorrect types: {real.dtype.name} {imag.dtype.name}. They must be "
            f"consistent, and one of float32 and float64. Use nf.cast."
        )
    return TABLE["complex"](real, imag)


@export("math.real")
def real(input, name=None):
    """The real part of each element; real numbers themselves (tf.math.real).

    Args:
        input: a numeric tensor.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of input: float32 for complex64, float64 for complex128.

    Raises:
        TypeError: input is bool.
    """
    input = argument("real", "input", input)
    if input.dtype.is_bool:
        raise TypeError("real: input is bool; it has to be numeric. Use nf.cast.")
    return TABLE["real"](input) if input.dtype.is_complex else input


@export("math.imag")
def imag(input, name=None):
    """The imaginary part of each element; 0 for real numbers (tf.math.imag).

    Args:
        input: a tensor.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of input: float32 for complex64, float64 for complex128.
    """
    input = argument("imag", "input", input)
    return TABLE["imag"](input) if input.dtype.is_complex else TABLE["zeros_like"](input)


@export("math.angle")
def angle(input, name=None):
    """The angle of each element in [-π, π]; for real numbers π below 0 and else 0 (tf.math.angle).

    Args:
        input: a tensor, floating point or complex.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of input: float32 for complex64, float64 for complex128.

    Raises:
        TypeError: input is of integers.
    """
    input = argument("angle", "input", input)
    if input.dtype.is_complex:
        return TABLE["angle"](input)
    pi = argument("angle", "π", 3.141592653589793, input.dtype)
    if not input.dtype.is_floating:
        raise TypeError(f"angle: input is {input.dtype.name}, which cannot hold π. Use nf.cast.")
    return TABLE["select"](input < 0, pi, TABLE["zeros_like"](input))


@export("math.conj")
def conj(x, name=None):
    """The complex conjugate of each element; real numbers themselves (tf.math.conj).

    Args:
        x: a numeric tensor.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape and dtype of x.

    Raises:
        TypeError: x is bool.
    """
    x = argument("conj", "x", x)
    if x.dtype.is_bool:
        raise TypeError("conj: x is bool; it has to be numeric. Use nf.cast.")
    return TABLE["conj"](x) if x.dtype.is_complex else x
