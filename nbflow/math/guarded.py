"""Functions of nf.math that keep NaN out, scale, sum and compare: divide_no_nan, polyval, saturate_cast and others."""

import numpy as np

from nbflow.arrays.shaping import reshape
from nbflow.dtypes import as_dtype
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.tensor.indexed_slices import on_rows
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument


def _same(op: str, x, y, hint=None):
    """x and y as tensors of one dtype, that of x.

    Raises:
        TypeError: y has another.
    """
    x = argument(op, "x", x, hint)
    y = argument(op, "y", y, x.dtype)
    if x.dtype is not y.dtype:
        raise TypeError(f"{op}: x and y must have the same dtype, got {x.dtype.name} and {y.dtype.name}; use nf.cast.")
    return x, y


@export("math.divide_no_nan")
def divide_no_nan(x, y, name=None):
    """x / y, 0 where y = 0, for each element; shapes broadcast (tf.math.divide_no_nan).

    Args:
        x, y: tensors of one dtype; integers become floating point, as in nf.divide.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        TypeError: dtypes differ, or are bool.
    """
    x, y = _same("divide_no_nan", x, y, y.dtype if isinstance(y, TensorProtocol) else None)
    if x.dtype.is_bool:
        raise TypeError("divide_no_nan: x and y are bool; they have to be numbers. Use nf.cast.")
    if x.dtype.is_integer:
        wide = "float32" if x.dtype.size < 4 else "float64"
        x, y = cast(x, wide), cast(y, wide)
    return TABLE["divide_no_nan"](x, y)


@export("math.multiply_no_nan")
def multiply_no_nan(x, y, name=None):
    """x · y, 0 where y = 0 even if x is infinite or NaN, for each element; shapes broadcast (tf.math.multiply_no_nan).

    Args:
        x, y: tensors of one dtype, floating point or complex.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: dtypes differ, or are not floating point or complex.
    """
    x = argument("multiply_no_nan", "x", x)
    return TABLE["multiply_no_nan"](x, argument("multiply_no_nan", "y", y, x.dtype))


@export("math.reciprocal_no_nan")
def reciprocal_no_nan(x, name=None):
    """1 / x, 0 where x = 0, for each element (tf.math.reciprocal_no_nan).

    Args:
        x: a tensor, floating point or complex.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of x.

    Raises:
        InvalidArgumentError: x has another dtype.
    """
    x = argument("reciprocal_no_nan", "x", x)
    return TABLE["divide_no_nan"](argument("reciprocal_no_nan", "one", 1, x.dtype), x)


@export("math.scalar_mul", "scalar_mul")
def scalar_mul(scalar, x, name=None):
    """scalar · x, for a number and a tensor (tf.math.scalar_mul).

    Args:
        scalar: a number or a tensor without axes; it takes the dtype of x.
        x: a tensor.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of x.

    Raises:
        ValueError: scalar has axes.
    """

    def scaled(x):
        x = argument("scalar_mul", "x", x)
        factor = argument("scalar_mul", "scalar", scalar, x.dtype)
        if factor.ndim:
            raise ValueError(f"scalar_mul: scalar has shape {factor.shape}; it has to be a scalar. Use nf.multiply.")
        return factor * x

    return on_rows(scaled, x)


@export("math.polyval")
def polyval(coeffs, x, name=None):
    """The polynomial c₀ xⁿ⁻¹ + … + cₙ₋₁, by Horner's rule, for each element (tf.math.polyval).

    Args:
        coeffs: a list of numbers or tensors, highest power first.
        x: a tensor.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of x and the coefficients, broadcast; zeros where there are none.

    Raises:
        ValueError: coeffs is no list.

    Example:
        >>> import nbflow as nf
        >>> nf.math.polyval([1.0, 0.0, -2.0], [0.0, 3.0])
        nf.Tensor([-2.  7.], shape=(2,), dtype=float32)
    """
    if not isinstance(coeffs, list):
        raise ValueError(f"polyval: coeffs has to be a list, got {type(coeffs).__name__}")
    x = argument("polyval", "x", x)
    if not coeffs:
        return TABLE["zeros_like"](x)
    first, *rest = (argument("polyval", f"coeffs[{k}]", c) for k, c in enumerate(coeffs))
    for c in rest:
        first = c + first * x
    return first


def _neighbours(name: str, op: str, x):
    x = argument(name, "x", x)
    if x.dtype.is_bool:
        raise TypeError(f"{name}: x is bool; it has to be numeric.")
    x = reshape(x, [-1])
    return TABLE["reduce_all"](TABLE[op](x[1:], x[:-1]), axis=(0,), keepdims=False)


@export("math.is_non_decreasing")
def is_non_decreasing(x, name=None):
    """Whether no element of x is less than the one before it, in row-major order (tf.math.is_non_decreasing).

    Args:
        x: a numeric tensor.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A bool scalar, True for fewer than two elements.

    Raises:
        TypeError: x is bool.
    """
    return _neighbours("is_non_decreasing", "greater_equal", x)


@export("math.is_strictly_increasing")
def is_strictly_increasing(x, name=None):
    """Whether each element of x is greater than the one before it, in row-major order (tf.math.is_strictly_increasing).

    Args:
        x: a numeric tensor.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A bool scalar, True for fewer than two elements.

    Raises:
        TypeError: x is bool.
    """
    return _neighbours("is_strictly_increasing", "greater", x)


def _limits(source, target) -> tuple:
    """The least and greatest number of dtype `source` that `target` can hold."""
    if not source.is_floating:
        return max(source.min, int(target.min)), min(source.max, int(target.max))
    kind = source.as_numpy_dtype
    low = kind(max(float(source.min), float(target.min)))
    high = kind(min(float(source.max), float(target.max)))
    if float(low) < float(target.min):
        low = np.nextafter(low, kind(0))
    if float(high) > float(target.max):
        high = np.nextafter(high, kind(0))
    return low, high


@export("saturate_cast", "dtypes.saturate_cast")
def saturate_cast(value, dtype, name=None):
    """value in another dtype, numbers out of its range replaced by its least or greatest (tf.saturate_cast).

    Args:
        value: a numeric tensor.
        dtype: a numeric dtype.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of value.

    Raises:
        TypeError: a dtype is bool.

    Example:
        >>> import nbflow as nf
        >>> nf.saturate_cast([-1.0, 17.5, 300.0], nf.uint8)
        nf.Tensor([  0  17 255], shape=(3,), dtype=uint8)
    """
    value, dtype = argument("saturate_cast", "value", value), as_dtype(dtype)
    if value.dtype.is_bool or dtype.is_bool:
        raise TypeError("saturate_cast: bool has no least and greatest number; value and dtype have to be numeric.")
    if value.dtype.is_complex and dtype.is_complex:
        if value.dtype.size <= dtype.size:
            return cast(value, dtype)
        parts = (saturate_cast(TABLE[part](value), dtype.real_dtype) for part in ("real", "imag"))
        return TABLE["complex"](*parts)
    if value.dtype.is_complex:
        value = TABLE["real"](value)
    low, high = (
        argument("saturate_cast", "limit", v) for v in _typed(value.dtype, *_limits(value.dtype, dtype.real_dtype))
    )
    return cast(TABLE["minimum"](TABLE["maximum"](value, low), high), dtype)


def _typed(dtype, *numbers):
    return (np.asarray(v, dtype.np) for v in numbers)
