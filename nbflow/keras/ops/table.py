"""Names of keras.ops for functions of nf that take the same arguments.

A row is `name` where nf has the name too, else `name=nf's name`.
"""

from nbflow.keras.ops.promotion import common, floating, tensor
from nbflow.public import NAMES, export

_AS_IS = """
    abs absolute=abs negative square sign isnan=math.is_nan isinf=math.is_inf isfinite=math.is_finite real=math.real
    imag=math.imag conj=math.conj conjugate=math.conj angle=math.angle squeeze tile repeat broadcast_to
    copy=identity erfinv=math.erfinv cholesky=linalg.cholesky det=linalg.det inv=linalg.inv eigh=linalg.eigh
    pinv=linalg.pinv bitwise_invert=bitwise.invert bitwise_not=bitwise.invert
    trace=linalg.trace diagonal=linalg.diag_part diagflat=linalg.diag
    logdet=linalg.logdet slogdet=linalg.slogdet depth_to_space=nn.depth_to_space space_to_depth=nn.space_to_depth
"""
_FLOATS = """
    exp expm1=math.expm1 log=math.log log1p=math.log1p sqrt rsqrt=math.rsqrt sin cos tan sinh cosh arcsin=asin
    arccos=acos arctan=atan arcsinh=asinh arccosh=acosh arctanh=atanh erf=math.erf erfc=math.erfc floor ceil=math.ceil
    reciprocal=math.reciprocal i0=math.bessel_i0
"""
_PAIRS = """
    add subtract multiply maximum minimum equal not_equal less less_equal greater greater_equal power=pow
    mod=math.floormod fmod=truncatemod floor_divide=math.floordiv squared_difference=math.squared_difference
    bitwise_and=bitwise.bitwise_and bitwise_or=bitwise.bitwise_or bitwise_xor=bitwise.bitwise_xor
    bitwise_left_shift=bitwise.left_shift
    left_shift=bitwise.left_shift bitwise_right_shift=bitwise.right_shift right_shift=bitwise.right_shift
"""
_FLOAT_PAIRS = """
    divide true_divide=divide arctan2=atan2 divide_no_nan=math.divide_no_nan nextafter=math.nextafter solve=linalg.solve
    cross=linalg.cross lstsq=linalg.lstsq
"""
_BOOLEANS = "logical_and logical_or logical_xor=math.logical_xor"
_ACTIVATIONS = """
    relu relu6 leaky_relu elu celu selu gelu silu swish=silu sigmoid hard_sigmoid hard_silu hard_swish=hard_silu
    hard_tanh hard_shrink soft_shrink tanh tanh_shrink softmax log_softmax softplus softsign squareplus sparse_plus
    sparse_sigmoid sparsemax log_sigmoid threshold glu
"""


def _rows(text: str, prefix: str = "") -> list[tuple[str, str]]:
    return [(name, prefix + (there or name)) for name, _, there in (row.partition("=") for row in text.split())]


def _named(op, function):
    op.__name__ = op.__qualname__ = function.__name__
    op.__doc__ = function.__doc__
    return op


def _of_one(convert, function):
    return _named(lambda x, *args, **kwargs: function(convert(x), *args, **kwargs), function)


def _of_two(convert, function):
    return _named(lambda x1, x2: function(*convert(x1, x2)), function)


def _boolean(x):
    return tensor(x, "bool")


def _booleans(x1, x2):
    return _boolean(x1), _boolean(x2)


def _floats(x1, x2):
    return common(x1, x2, floats=True)


for _text, _prefix, _kind, _convert in (
    (_AS_IS, "", _of_one, tensor),
    (_FLOATS, "", _of_one, floating),
    (_ACTIVATIONS, "keras.activations.", _of_one, floating),
    ("logical_not", "", _of_one, _boolean),
    (_PAIRS, "", _of_two, common),
    (_FLOAT_PAIRS, "", _of_two, _floats),
    (_BOOLEANS, "", _of_two, _booleans),
):
    for _name, _there in _rows(_text, _prefix):
        export(f"keras.ops.{_name}")(_kind(_convert, NAMES[_there]))
