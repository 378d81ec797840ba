"""Elementwise ops: one row each, the scalar expression and the gradient rules beside it."""

import math

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import SLAB
from nbflow.compiler.op import Op
from nbflow.compiler.passes.simplify import scalar_constant
from nbflow.dtypes import (
    ALL,
    COMPLEX,
    FLOATING,
    FULL,
    INEXACT,
    NUMERIC,
    REAL,
    SIGNED,
    SIGNED_REAL,
    DType,
    bool_,
    complex64,
    complex128,
    float32,
    float64,
    int32,
    int64,
    string,
)
from nbflow.errors import InvalidDTypeError
from nbflow.ops.table import TABLE, check_dtypes, elementwise, register, simplifying
from nbflow.shapes import broadcast

T = TABLE  # rules look ops up when they run, so that rows may come in any order


def cast(x, dtype: DType):
    """x converted to dtype, for rules."""
    return x if x.dtype is dtype else T["cast"](x, dtype=dtype)


def where(condition, x, y):
    """x where condition holds, else y, for rules."""
    return T["select"](condition, x, y)


def zeros_like(x):
    """Zeros with the shape and dtype of x, for rules."""
    return T["zeros_like"](x)


def conj(x):
    """The complex conjugate, for rules; a real tensor itself. Gradients are conjugates as TensorFlow has them."""
    return T["conj"](x) if x.dtype.is_complex else x


def _unless_zero(g, gradient):
    return where(T["equal"](g, 0), zeros_like(gradient), gradient)


def _drop_one(position: int):
    """x · 1 = x: the other argument where argument `position` is the constant 1 and has no say in the shape."""

    def rule(x, y):
        constant, other = (x, y) if position == 0 else (y, x)
        if scalar_constant(constant.value) == 1 and broadcast("", x.shape, y.shape) == other.shape:
            return other
        return None

    return rule


def _simplify_multiply(x, y):
    return _drop_one(1)(x, y) or _drop_one(0)(x, y)


def _simplify_pow(x, y):
    if x.dtype.is_integer:
        return _checked("pow", "< 0", "integers to negative integer powers are not allowed")(x, y)
    exponent = scalar_constant(y.value)
    if exponent is None or x.dtype.is_complex or broadcast("", x.shape, y.shape) != x.shape:
        return None
    return {1: lambda: x, 2: lambda: T["square"](x), 0.5: lambda: T["sqrt"](x)}.get(float(exponent), lambda: None)()


# arithmetic
add = elementwise("add", "x y", "x + y", lambda g, z, x, y: g, lambda g, z, x, y: g, dtypes=NUMERIC, reference=np.add)
subtract = elementwise(
    "subtract",
    "x y",
    "x - y",
    lambda g, z, x, y: g,
    lambda g, z, x, y: -g,
    dtypes=NUMERIC,
    reference=np.subtract,
)
multiply = elementwise(
    "multiply", "x y", "x * y", lambda g, z, x, y: g * conj(y), lambda g, z, x, y: g * conj(x),
    dtypes=NUMERIC, reference=np.multiply, simplify=simplifying(_simplify_multiply),
)  # fmt: skip
divide = elementwise(
    "divide", "x y", lambda dtypes, result: "complex_divide(x, y)" if result.is_complex else "x / y",
    lambda g, z, x, y: g / conj(y), lambda g, z, x, y: -g * conj(z) / conj(y),
    dtypes=INEXACT, reference=np.divide, simplify=simplifying(_drop_one(1)),
)  # fmt: skip


# Integers cannot be divided by 0, nor raised to negative powers: the second argument passes through a check, unless it
# is a constant that is fine.
_CHECK = """def {{name}}(p, begin, end):
    \"\"\"copies integers and reports those that are {bad}\"\"\"
    y, checked, failed = word(p, 0), word(p, 1), word(p, 2)
    found = False
    for i in range(begin, end):
        value = load({code}, y, i, 0)
        found |= value {bad}
        store({code}, checked, i, value, 1)
    if found:
        set_word(failed, 0, 1)
"""


def _lower_check(node, lowering):
    (value,), result, code = node.inputs, node.output, node.output.dtype.code
    address, touch = lowering.dense(lowering.place(value), value.shape)
    cell, touch_cell = lowering.failure(node, lambda bad: node.attrs["message"])
    words = [address, lowering.address(result), cell]
    touches = [touch, lowering.writes(result, SLAB, result.dtype.size), touch_cell]
    source = _CHECK.format(code=code, bad=node.attrs["bad"])
    lowering.call("check", source, words, result.aval.size, touches, cost=20 + 0.1 * result.aval.size)


CHECK = Op("check", ("y",), infer=lambda avals, attrs: aval(avals[0].dtype, avals[0].shape), lower=_lower_check)


def _checked(name: str, bad: str, message: str):
    """A simplification that has the integers y of an op reported where they are bad, such as "== 0"."""

    def rule(x, y):
        if not y.dtype.is_integer or (y.value.node is not None and y.value.node.op is CHECK):
            return None
        constant = scalar_constant(y.value)
        fine = constant is not None and (constant != 0 if bad == "== 0" else constant >= 0)
        if fine or 0 in broadcast("", x.shape, y.shape):
            return None
        return T[name](x, CHECK(y, bad=bad, message=f"{name}: {message}"))

    return rule


def _quotient(name: str, expr, *vjps, reference, rounding=None):
    checked = _checked(name, "== 0", "integer division by zero: y has an element that is 0")

    def rule(x, y):
        if rounding is not None and x.dtype.is_half:  # the quotient is rounded to a half first, as in TensorFlow
            return rounding(T["divide"](x, y))
        found = checked(x, y)
        if found is None and name == "truncate_div" and x.dtype.is_integer and x.dtype.size <= 4:
            # exact in float64, in which vectors divide
            return cast(T[name](cast(x, float64), cast(y, float64)), x.dtype)
        return found

    return elementwise(name, "x y", expr, *vjps, dtypes=REAL, reference=reference, simplify=simplifying(rule))


def _truncate_div_reference(x, y):
    if x.dtype.kind == "f":
        return np.trunc(x / y)
    quotient = x // y
    return quotient + ((quotient < 0) & (quotient * y != x)).astype(x.dtype)


def _floor_div(dtypes, result) -> str:
    """The quotient of halves is rounded before its floor is taken, as in TensorFlow."""
    if result.is_half:
        return f"floor(round_{result.code}(x / y))"
    return "floor(x / y)" if result.is_floating else "x // y"


floor_div = _quotient(
    "floor_div", _floor_div,
    None, None, reference=lambda x, y: np.floor(x / y) if x.dtype.kind == "f" else x // y,
    rounding=lambda q: T["floor"](q),
)  # fmt: skip
truncate_div = _quotient(
    "truncate_div",
    lambda dtypes, result: "trunc(x / y)" if result.is_floating
    else "x // y + (1 if (x // y * y != x) & ((x < 0) != (y < 0)) else 0)",
    None, None, reference=_truncate_div_reference,
    rounding=lambda q: where(q < 0, T["ceil"](q), T["floor"](q)),
)  # fmt: skip
floor_mod = _quotient(
    "floor_mod", "x % y", lambda g, z, x, y: g, lambda g, z, x, y: -g * T["floor_div"](x, y), reference=np.mod,
)  # fmt: skip
negative = elementwise("negative", "x", "-x", lambda g, z, x: -g, dtypes=SIGNED, reference=np.negative)


def _pow_slope(g, z, x, y):
    """The gradient by y: 0 where log(x) has no value."""
    x = conj(x)
    fine = T["not_equal"](x, 0) if x.dtype.is_complex else x > 0
    return g * conj(z) * where(fine, T["log"](where(fine, x, 1)), zeros_like(x))


pow_ = elementwise(
    "pow", "x y", lambda dtypes, result: "pow(x, y)" if result.is_differentiable else "x ** y",
    lambda g, z, x, y: g * conj(y) * T["pow"](conj(x), conj(y) - 1), _pow_slope,
    dtypes=SIGNED, reference=np.power, simplify=simplifying(_simplify_pow), tolerance=8,
)  # fmt: skip
maximum = elementwise(
    "maximum", "x y", "maximum(x, y)",
    lambda g, z, x, y: where(x >= y, g, zeros_like(g)), lambda g, z, x, y: where(x >= y, zeros_like(g), g),
    dtypes=REAL, reference=np.maximum,
)  # fmt: skip
minimum = elementwise(
    "minimum", "x y", "minimum(x, y)",
    lambda g, z, x, y: where(x <= y, g, zeros_like(g)), lambda g, z, x, y: where(x <= y, zeros_like(g), g),
    dtypes=REAL, reference=np.minimum,
)  # fmt: skip
squared_difference = elementwise(
    "squared_difference", "x y",
    lambda dtypes, result: "conjugate(x - y) * (x - y)" if result.is_complex else "(x - y) * (x - y)",
    lambda g, z, x, y: g * 2 * (x - y), lambda g, z, x, y: g * 2 * (y - x),
    dtypes=(*INEXACT, int32, int64), reference=lambda x, y: (x - y) * np.conj(x - y),
)  # fmt: skip


# one argument
def _abs_slope(g, z, x):
    if not x.dtype.is_complex:
        return g * T["sign"](x)
    zero = zeros_like(g)
    return T["divide_no_nan"](T["complex"](g, zero) * x, T["complex"](z, zero))


def _infer_abs(avals, attrs):
    check_dtypes("abs", ("x",), avals, SIGNED)
    return aval(avals[0].dtype.real_dtype, avals[0].shape)


abs_ = elementwise(
    "abs", "x", lambda dtypes, result: "modulus(x)" if dtypes[0].is_complex else "abs(x)", _abs_slope,
    infer=_infer_abs, dtypes=SIGNED, reference=np.abs,
)  # fmt: skip
sign = elementwise(
    "sign", "x", "x if x != x else (1 if x > 0 else (-1 if x < 0 else 0))", lambda g, z, x: zeros_like(x),
    dtypes=SIGNED_REAL, reference=np.sign,
)  # fmt: skip
square = elementwise("square", "x", "x * x", lambda g, z, x: g * 2 * conj(x), dtypes=NUMERIC, reference=np.square)


def _floating(name: str, expr: str, vjp, reference, **options):
    return elementwise(name, "x", expr, vjp, dtypes=FLOATING, reference=reference, **options)


def _inexact(name: str, expr, vjp, reference, **options):
    return elementwise(name, "x", expr, vjp, dtypes=INEXACT, reference=reference, **options)


def _reciprocal(dtypes, result):
    return "complex_divide(1, x)" if result.is_complex else "1 / x"


# a gradient of 0 stays 0 where the slope is infinite or NaN, as in TensorFlow: what nf.where masks out does no harm
sqrt = _inexact("sqrt", "sqrt(x)", lambda g, z, x: _unless_zero(g, g * 0.5 / conj(z)), np.sqrt)
rsqrt = _inexact(
    "rsqrt", "rsqrt(x)", lambda g, z, x: _unless_zero(g, g * -0.5 * conj(z) * T["square"](conj(z))),
    lambda x: 1 / np.sqrt(x),
)  # fmt: skip
reciprocal = _inexact(
    "reciprocal", _reciprocal, lambda g, z, x: _unless_zero(g, -g * T["square"](conj(z))), np.reciprocal
)
exp = _inexact("exp", "exp(x)", lambda g, z, x: g * conj(z), np.exp)
expm1 = _inexact("expm1", "expm1(x)", lambda g, z, x: g * T["exp"](conj(x)), np.expm1)
log = _inexact("log", "log(x)", lambda g, z, x: g / conj(x), np.log)
log1p = _inexact("log1p", "log1p(x)", lambda g, z, x: g / (1 + conj(x)), np.log1p)
tanh = _inexact("tanh", "tanh(x)", lambda g, z, x: g * (1 - T["square"](conj(z))), np.tanh)
sigmoid = _inexact("sigmoid", "sigmoid(x)", lambda g, z, x: g * conj(z) * (1 - conj(z)), lambda x: 1 / (1 + np.exp(-x)))
softplus = _floating("softplus", "softplus(x)", lambda g, z, x: g * T["sigmoid"](x), lambda x: np.logaddexp(0, x))
sin = _inexact("sin", "sin(x)", lambda g, z, x: g * T["cos"](conj(x)), np.sin)
cos = _inexact("cos", "cos(x)", lambda g, z, x: -g * T["sin"](conj(x)), np.cos)
erf = _floating(
    "erf",
    "erf(x)",
    lambda g, z, x: g * (2 / math.sqrt(math.pi)) * T["exp"](-x * x),
    np.vectorize(math.erf, [float]),
)
floor = _floating("floor", "floor(x)", None, np.floor)
ceil = _floating("ceil", "ceil(x)", None, np.ceil)
round_ = _floating("round", "rint(x)", None, np.rint)
relu = elementwise(
    "relu", "x", "0 if x < 0 else x", lambda g, z, x: T["gate"](g, x),
    dtypes=REAL, reference=lambda x: np.maximum(x, 0),
)  # fmt: skip
is_nan = elementwise("is_nan", "x", "x != x", dtypes=FLOATING, result=bool_, reference=np.isnan)
is_finite = elementwise("is_finite", "x", "x - x == 0", dtypes=FLOATING, result=bool_, reference=np.isfinite)
is_inf = elementwise("is_inf", "x", "abs(x) == inf", dtypes=FLOATING, result=bool_, reference=np.isinf)


# comparison and logic
def _comparison(name: str, sign: str, reference, **options):
    return elementwise(name, "x y", f"x {sign} y", result=bool_, reference=reference, **options)


equal = _comparison("equal", "==", np.equal)
not_equal = _comparison("not_equal", "!=", np.not_equal)
less = _comparison("less", "<", np.less, dtypes=REAL)
less_equal = _comparison("less_equal", "<=", np.less_equal, dtypes=REAL)
greater = _comparison("greater", ">", np.greater, dtypes=REAL)
greater_equal = _comparison("greater_equal", ">=", np.greater_equal, dtypes=REAL)
logical_and = elementwise("logical_and", "x y", "x & y", dtypes=(bool_,), reference=np.logical_and)
logical_or = elementwise("logical_or", "x y", "x | y", dtypes=(bool_,), reference=np.logical_or)
logical_xor = elementwise("logical_xor", "x y", "x ^ y", dtypes=(bool_,), reference=np.logical_xor)
logical_not = elementwise("logical_not", "x", "not x", dtypes=(bool_,), reference=np.logical_not)


# complex numbers
def _infer_part(name: str):
    def infer(avals, attrs):
        check_dtypes(name, ("input",), avals, COMPLEX)
        return aval(avals[0].dtype.real_dtype, avals[0].shape)

    return infer


def _infer_complex(avals, attrs):
    check_dtypes("complex", ("real", "imag"), avals, FULL)
    shape = broadcast("complex", *(a.shape for a in avals))
    return aval({float32: complex64, float64: complex128}[avals[0].dtype], shape)


def _complex_reference(x, y):
    made = np.empty(np.broadcast_shapes(x.shape, y.shape), np.result_type(x, y, np.complex64))
    made.real, made.imag = x, y  # x + 1j * y would make both NaN where one is
    return made


def _angle_slope(g, z, x):
    return -T["complex"](g, zeros_like(g)) / T["complex"](T["imag"](x), T["real"](x))


angle = elementwise(
    "angle", "input", "angle(input)", _angle_slope,
    infer=_infer_part("angle"), dtypes=COMPLEX, reference=np.angle,
)  # fmt: skip
conj_op = elementwise("conj", "x", "conjugate(x)", lambda g, z, x: conj(g), dtypes=COMPLEX, reference=np.conj)
real = elementwise(
    "real", "input", "real(input)", lambda g, z, x: T["complex"](g, zeros_like(g)),
    infer=_infer_part("real"), dtypes=COMPLEX, reference=np.real,
)  # fmt: skip
imag = elementwise(
    "imag", "input", "imag(input)", lambda g, z, x: T["complex"](zeros_like(g), g),
    infer=_infer_part("imag"), dtypes=COMPLEX, reference=np.imag,
)  # fmt: skip
complex_ = elementwise(
    "complex", "real imag", "complex(real, imag)",
    lambda g, z, x, y: T["real"](g), lambda g, z, x, y: T["imag"](g),
    infer=_infer_complex, dtypes=FULL, reference=_complex_reference,
)  # fmt: skip


# select, cast
def _infer_select(avals, attrs):
    condition, x, y = avals
    if condition.dtype is not bool_:
        from_ = condition.dtype.name
        raise InvalidDTypeError(
            f"where: condition has dtype {from_}; it takes bool. Compare, or use nf.cast(condition, nf.bool)."
        )
    check_dtypes("where", ("x", "y"), (x, y), ALL)
    return aval(x.dtype, broadcast("where", condition.shape, x.shape, y.shape))


select = elementwise(
    "select", "condition x y", "x if condition else y", None,
    lambda g, z, c, x, y: where(c, g, zeros_like(g)), lambda g, z, c, x, y: where(c, zeros_like(g), g),
    infer=_infer_select, reference=np.where,
)  # fmt: skip


def _cast_expression(dtypes, result):
    (source,) = dtypes
    if result.is_bool:
        return "x" if source.is_bool else "x != 0"
    x = "real(x)" if source.is_complex and not result.is_complex else "x"
    return f"to_int(dtype, {x})" if result.is_integer and source.is_differentiable else f"dtype({x})"


def _infer_cast(avals, attrs):
    if attrs["dtype"] is string:
        raise InvalidDTypeError(f"cast: {avals[0].dtype.name} is no string; use nf.strings.as_string")
    return aval(attrs["dtype"], avals[0].shape)


def _simplify_cast(x, dtype):
    return x if x.dtype is dtype else None


cast_op = elementwise(
    "cast", "x", _cast_expression, lambda g, z, x: cast(g, x.dtype),
    infer=_infer_cast,
    simplify=simplifying(_simplify_cast),
    reference=lambda x, dtype: (x if dtype.is_complex or dtype.is_bool else np.real(x)).astype(dtype.np),
)  # fmt: skip

# identities that matter to the tape only
for _name, _vjp in (("identity", lambda k, g, inputs, output, attrs: g), ("stop_gradient", None)):
    register(
        Op(
            _name,
            ("x",),
            infer=lambda avals, attrs: aval(avals[0].dtype, avals[0].shape),
            view=lambda a, attrs: (0, a.layout),
            simplify=simplifying(lambda x: x),
            vjp=_vjp,
            reference=lambda x: x,
        )
    )
