"""Trigonometric and hyperbolic functions of nf.math, and their inverses."""

from nbflow.ops.table import TABLE
from nbflow.public import export, pair, unary

sin = unary("sin", "The sine of x in radians", "math.sin", "sin")
cos = unary("cos", "The cosine of x in radians", "math.cos", "cos")
tan = unary("tan", "The tangent of x in radians", "math.tan", "tan")
asin = unary("asin", "The angle in [-π/2, π/2] whose sine is x, NaN beyond [-1, 1]", "math.asin", "asin")
acos = unary("acos", "The angle in [0, π] whose cosine is x, NaN beyond [-1, 1]", "math.acos", "acos")
atan = unary("atan", "The angle in [-π/2, π/2] whose tangent is x", "math.atan", "atan")
sinh = unary("sinh", "The hyperbolic sine of x", "math.sinh", "sinh")
cosh = unary("cosh", "The hyperbolic cosine of x", "math.cosh", "cosh")
tanh = unary("tanh", "The hyperbolic tangent of x", "math.tanh", "tanh", "nn.tanh")
asinh = unary("asinh", "The number whose hyperbolic sine is x", "math.asinh", "asinh")
acosh = unary("acosh", "The number ≥ 0 whose hyperbolic cosine is x, NaN below 1", "math.acosh", "acosh")
atanh = unary("atanh", "The number whose hyperbolic tangent is x, NaN beyond [-1, 1]", "math.atanh", "atanh")
_atan2 = TABLE["atan2"]


@export("math.atan2", "atan2")
def atan2(y, x, name=None):
    """The angle of the point (x, y) in [-π, π], for each element; shapes broadcast (tf.math.atan2).

    Args:
        y, x: tensors of one dtype, floating point.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        InvalidArgumentError: dtypes differ or are not floating point, or shapes do not broadcast.

    Example:
        >>> import nbflow as nf
        >>> nf.atan2([1.0, -1.0], [-1.0, -1.0]) / 3.141592653589793
        nf.Tensor([ 0.75 -0.75], shape=(2,), dtype=float32)
    """
    return _atan2(*pair("atan2", y, x, ("y", "x")))
