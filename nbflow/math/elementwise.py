"""Elementwise functions of nf.math."""

from nbflow.dtypes import as_dtype
from nbflow.ops.table import TABLE
from nbflow.public import binary, export, pair, unary
from nbflow.tensor import tensor as tensors
from nbflow.tensor.indexed_slices import on_rows
from nbflow.tensor.tensor import argument

add = binary("add", "x + y", "math.add", "add")
subtract = binary("subtract", "x - y", "math.subtract", "subtract")
multiply = binary("multiply", "x · y", "math.multiply", "multiply")
maximum = binary("maximum", "The greater of x and y, NaN if either is", "math.maximum", "maximum")
minimum = binary("minimum", "The lesser of x and y, NaN if either is", "math.minimum", "minimum")
squared_difference = binary("squared_difference", "(x - y)²")
floordiv = binary("floor_div", "⌊x / y⌋", "math.floordiv")
floormod = mod = binary("floor_mod", "x - ⌊x / y⌋ y, with the sign of y", "math.floormod", "math.mod")
truncatediv = binary("truncate_div", "x / y rounded towards zero", "truncatediv")
truncatemod = binary("truncate_mod", "x - y truncatediv(x, y), with the sign of x", "truncatemod")
realdiv = binary("divide", "x / y of floating point or complex numbers", "realdiv")
pow = binary("pow", "x to the power of y", "math.pow", "pow")
equal = binary("equal", "x = y", "math.equal", "equal")
not_equal = binary("not_equal", "x ≠ y", "math.not_equal", "not_equal")
less = binary("less", "x < y", "math.less", "less")
less_equal = binary("less_equal", "x ≤ y", "math.less_equal", "less_equal")
greater = binary("greater", "x > y", "math.greater", "greater")
greater_equal = binary("greater_equal", "x ≥ y", "math.greater_equal", "greater_equal")
logical_and = binary("logical_and", "x and y", "math.logical_and", "logical_and")
logical_or = binary("logical_or", "x or y", "math.logical_or", "logical_or")
logical_xor = binary("logical_xor", "Exactly one of x and y")
logical_not = unary("logical_not", "Not x", "math.logical_not", "logical_not")
negative = unary("negative", "-x", "math.negative", "negative")
abs = unary("abs", "|x|", "math.abs", "abs")
square = unary("square", "x²", "math.square", "square")
sqrt = unary("sqrt", "√x", "math.sqrt", "sqrt")
rsqrt = unary("rsqrt", "1 / √x")
reciprocal = unary("reciprocal", "1 / x")
exp = unary("exp", "eˣ", "math.exp", "exp")
expm1 = unary("expm1", "eˣ - 1, accurate near 0")
log = unary("log", "The natural logarithm of x")
log1p = unary("log1p", "log(1 + x), accurate near 0")
sigmoid = unary("sigmoid", "1 / (1 + e⁻ˣ)", "math.sigmoid", "sigmoid", "nn.sigmoid")
softplus = unary("softplus", "log(1 + eˣ)", "math.softplus", "nn.softplus", argument_name="features")
log_sigmoid = unary("log_sigmoid", "-log(1 + e⁻ˣ), accurate for all x")
floor = unary("floor", "The greatest whole number not above x", "math.floor", "floor")
ceil = unary("ceil", "The least whole number not below x")
rint = unary("rint", "x rounded to the nearest whole number, half to even")
nextafter = binary("nextafter", "The number next to x1 in the direction of x2", arguments=("x1", "x2"))
xlogy = binary("xlogy", "x log(y), 0 where x = 0")
xlog1py = binary("xlog1py", "x log(1 + y), 0 where x = 0")
xdivy = binary("xdivy", "x / y, 0 where x = 0")
is_nan = unary("is_nan", "Whether x is not a number")
is_inf = unary("is_inf", "Whether x is infinite")
is_finite = unary("is_finite", "Whether x is neither infinite nor NaN")
_round, _sign = TABLE["round"], TABLE["sign"]


@export("math.sign", "sign")
def sign(x, name=None):
    """-1, 0 or 1 as x is below, at or above zero, NaN for NaN; x / |x| of complex numbers (tf.math.sign).

    Args:
        x: a numeric tensor.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape and dtype of x.
    """
    x = argument("sign", "x", x)
    return TABLE["divide_no_nan"](x, cast(TABLE["abs"](x), x.dtype)) if x.dtype.is_complex else _sign(x)


@export("math.round", "round")
def round(x, name=None):
    """x rounded to the nearest whole number, half to even (tf.math.round); integers stay as they are."""
    x = argument("round", "x", x)
    return _round(x) if x.dtype.is_floating else x


@export("math.divide", "divide", "math.truediv", "truediv")
def divide(x, y, name=None):
    """x / y, for each element; integers are converted to floating point first (tf.math.divide).

    Args:
        x, y: tensors of one dtype; int32 and int64 become float64, uint8 becomes float32.

    Returns:
        A tensor of the broadcast shape.
    """
    return tensors.divide(*pair("divide", x, y))


@export("cast", "dtypes.cast")
def cast(x, dtype, name=None):
    """x converted to another dtype (tf.cast). Floating point to integer truncates; to bool it is x ≠ 0.

    Args:
        x: a tensor, array or number.
        dtype: a DType, its name, or a NumPy dtype.

    Returns:
        A tensor of the shape of x.

    Example:
        >>> import nbflow as nf
        >>> nf.cast([1.8, -2.2], nf.int32)
        <nf.Tensor: shape=(2,), dtype=int32, numpy=array([ 1, -2], dtype=int32)>
    """
    dtype = as_dtype(dtype)

    def convert(x):
        x = argument("cast", "x", x)
        return x if x.dtype is dtype else TABLE["cast"](x, dtype=dtype)

    return on_rows(convert, x)
