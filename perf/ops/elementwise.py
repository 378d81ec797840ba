"""Elementwise functions: the same on every element, or on pairs of elements."""

from typing import Any

import numpy as np

from perf.ops.case import bools, case, complexes, integers, normal, uniform

NORMAL, UNIT, SMALL, SHIFTS = normal(), uniform(), uniform(-0.9, 0.9), integers(0, 8)
LARGE = uniform(1.1, 9)

UNARY: dict[str, Any] = {  # name -> NumPy's way, or None, and where it is other than normal the input
    "math.abs": (np.abs,),
    "math.negative": (np.negative,),
    "math.sign": (np.sign,),
    "math.square": (np.square,),
    "math.sqrt": (np.sqrt, UNIT),
    "math.rsqrt": (lambda x: 1 / np.sqrt(x), UNIT),
    "math.reciprocal": (np.reciprocal, UNIT),
    "math.reciprocal_no_nan": (lambda x: np.divide(1, x, out=np.zeros_like(x), where=x != 0), UNIT),
    "math.exp": (np.exp,),
    "math.expm1": (np.expm1,),
    "math.log": (np.log, UNIT),
    "math.log1p": (np.log1p, UNIT),
    "math.floor": (np.floor,),
    "math.ceil": (np.ceil,),
    "math.rint": (np.rint,),
    "math.round": (np.round,),
    "math.is_nan": (np.isnan,),
    "math.is_inf": (np.isinf,),
    "math.is_finite": (np.isfinite,),
    "math.sin": (np.sin,),
    "math.cos": (np.cos,),
    "math.tan": (np.tan,),
    "math.asin": (np.arcsin, SMALL),
    "math.acos": (np.arccos, SMALL),
    "math.atan": (np.arctan,),
    "math.sinh": (np.sinh,),
    "math.cosh": (np.cosh,),
    "math.tanh": (np.tanh,),
    "math.asinh": (np.arcsinh,),
    "math.acosh": (np.arccosh, LARGE),
    "math.atanh": (np.arctanh, SMALL),
    "math.sigmoid": (lambda x: 1 / (1 + np.exp(-x)),),
    "math.log_sigmoid": (lambda x: -np.logaddexp(0, -x),),
    "math.softplus": (lambda x: np.logaddexp(0, x),),
    "nn.relu": (lambda x: np.maximum(x, 0),),
    "nn.relu6": (lambda x: np.clip(x, 0, 6),),
    "nn.elu": (lambda x: np.where(x > 0, x, np.expm1(x)),),
    "nn.selu": (lambda x: 1.0507009 * np.where(x > 0, x, 1.6732632 * np.expm1(x)),),
    "nn.leaky_relu": (lambda x: np.where(x > 0, x, 0.2 * x),),
    "nn.softsign": (lambda x: x / (1 + np.abs(x)),),
    "nn.silu": (lambda x: x / (1 + np.exp(-x)),),
    "nn.gelu": None,
    "nn.crelu": (lambda x: np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)]),),
    "math.erf": None,
    "math.erfc": None,
    "math.erfinv": (None, SMALL),
    "math.erfcinv": (None, UNIT),
    "math.ndtri": (None, UNIT),
    "math.lgamma": (None, LARGE),
    "math.digamma": (None, LARGE),
    "math.special.bessel_i0": (np.i0,),
    **{f"math.special.bessel_{name}": None for name in ("i0e", "i1", "i1e", "j0", "j1")},
    **{f"math.special.bessel_{name}": (None, LARGE) for name in ("k0", "k0e", "k1", "k1e", "y0", "y1")},
    "math.special.dawsn": None,
    "math.special.expint": (None, UNIT),
    "math.special.fresnel_cos": None,
    "math.special.fresnel_sin": None,
    "math.special.spence": (None, UNIT),
}
for _name, _row in UNARY.items():
    _theirs, *_input = _row or (None,)
    case(_name, _theirs, *(_input or [NORMAL]))

DOUBLE = ("abs", "sqrt", "exp", "log", "log1p", "sin", "cos", "tan", "atan", "tanh", "asinh", "floor", "round")
for _name in DOUBLE:
    _theirs, *_input = UNARY[f"math.{_name}"]
    case(f"math.{_name}", _theirs, uniform(dtype="float64") if _input else normal(dtype="float64"), what="float64")
for _name in ("abs", "negative", "sign", "square"):
    case(f"math.{_name}", UNARY[f"math.{_name}"][0], integers(-500), what="int32")
for _name in ("abs", "square", "sqrt", "exp", "log", "sin", "tanh"):
    case(f"math.{_name}", UNARY[f"math.{_name}"][0], complexes(), what="complex64")

SECOND, DIVISOR = normal(seed=1), uniform(0.5, 2, seed=1)
BINARY: dict[str, Any] = {  # name -> NumPy's way, and where it is other than normal the second input
    "math.add": (np.add,),
    "math.subtract": (np.subtract,),
    "math.multiply": (np.multiply,),
    "math.divide": (np.divide, DIVISOR),
    "realdiv": (np.divide, DIVISOR),
    "math.floordiv": (np.floor_divide, DIVISOR),
    "math.floormod": (np.mod, DIVISOR),
    "truncatemod": (np.fmod, DIVISOR),
    "math.maximum": (np.maximum,),
    "math.minimum": (np.minimum,),
    "math.squared_difference": (lambda x, y: np.square(x - y),),
    "math.atan2": (np.arctan2,),
    "math.nextafter": (np.nextafter,),
    "math.equal": (np.equal,),
    "math.not_equal": (np.not_equal,),
    "math.less": (np.less,),
    "math.less_equal": (np.less_equal,),
    "math.greater": (np.greater,),
    "math.greater_equal": (np.greater_equal,),
    "math.divide_no_nan": (lambda x, y: np.divide(x, y, out=np.zeros_like(x), where=y != 0), DIVISOR),
    "math.multiply_no_nan": (lambda x, y: np.multiply(x, y, out=np.zeros_like(x), where=y != 0),),
    "math.xlogy": (lambda x, y: np.where(x == 0, 0, x * np.log(y)), DIVISOR),
    "math.xlog1py": (lambda x, y: np.where(x == 0, 0, x * np.log1p(y)), DIVISOR),
    "math.xdivy": (lambda x, y: np.where(x == 0, 0, x / y), DIVISOR),
}
for _name, (_theirs, *_input) in BINARY.items():
    case(_name, _theirs, NORMAL, *(_input or [SECOND]))
case("math.pow", np.power, UNIT, SECOND)
case("math.pow", np.power, uniform(dtype="float64"), normal(dtype="float64", seed=1), what="float64")
case("math.igamma", None, LARGE, uniform(1, 9, seed=1))
case("math.igammac", None, LARGE, uniform(1, 9, seed=1))
case("math.zeta", None, LARGE, UNIT)
case("math.polygamma", None, uniform(2, 2), LARGE)
case("math.betainc", None, LARGE, LARGE, UNIT)
case("math.lbeta", None, uniform(0.1, 0.9, (100_000, 10)))

for _name in ("add", "multiply", "maximum", "less"):
    case(f"math.{_name}", BINARY[f"math.{_name}"][0], integers(), integers(seed=1), what="int32")
    case(f"math.{_name}", BINARY[f"math.{_name}"][0], normal(dtype="float64"), normal(dtype="float64", seed=1),
         what="float64")  # fmt: skip
for _name in ("floordiv", "floormod"):
    case(f"math.{_name}", BINARY[f"math.{_name}"][0], integers(-500), integers(1, 9, seed=1), what="int32")
    case(f"math.{_name}", BINARY[f"math.{_name}"][0], integers(-500, dtype="int64"), integers(1, 9, seed=1,
         dtype="int64"), what="int64")  # fmt: skip
case("truncatediv", lambda x, y: np.trunc(x / y).astype(x.dtype), integers(-500), integers(1, 9, seed=1))
case("math.multiply", np.multiply, complexes(), complexes(seed=2), what="complex64")
case("math.divide", np.divide, complexes(), complexes(seed=2), what="complex64")
case("math.add", np.add, normal((1000, 1000)), normal((1000,), seed=1), what="row to each row")
case("math.add", np.add, normal((1000, 1000)), normal((1000, 1), seed=1), what="column to each column")


def _with_transpose(function, x):
    import nbflow as nf

    return function(x, nf.transpose(x))


case("math.add", lambda x: x + x.T, normal((1000, 1000)), what="and its transpose", call=_with_transpose)

for _name, _function in {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}.items():
    case(f"math.logical_{_name}", _function, bools(), bools(seed=1))
case("math.logical_not", np.logical_not, bools())
for _name, _theirs in {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}.items():
    case(f"bitwise.bitwise_{_name}", _theirs, integers(), integers(seed=1))
case("bitwise.invert", np.invert, integers())
case("bitwise.left_shift", np.left_shift, integers(), SHIFTS)
case("bitwise.right_shift", np.right_shift, integers(), SHIFTS)

case("complex", lambda x, y: x + 1j * y, NORMAL, SECOND)
case("math.real", lambda x: x.real.copy(), complexes())
case("math.imag", lambda x: x.imag.copy(), complexes())
case("math.conj", np.conj, complexes())
case("math.angle", np.angle, complexes())

for _from, _to in (("float32", "float64"), ("float64", "float32"), ("float32", "int32"), ("int32", "float32"),
                   ("uint8", "float32"), ("bool", "float32"), ("int64", "int32"), ("float32", "float16")):  # fmt: skip
    _source = integers(0, 2, dtype=_from) if _from in ("bool", "uint8") else normal(dtype=_from)
    case("cast", lambda x, _to=_to: x.astype(_to), _source, what=f"{_from} to {_to}", dtype=_to)
case("saturate_cast", lambda x: np.clip(x, 0, 255).astype(np.uint8), uniform(-100, 400), dtype="uint8")
case("clip_by_value", lambda x: np.clip(x, -1, 1), NORMAL, clip_value_min=-1, clip_value_max=1)
case("where", np.where, bools(), NORMAL, SECOND)
case("math.scalar_mul", lambda x: 3 * x, NORMAL, call=lambda f, x: f(3.0, x))
case("math.add_n", lambda x, y: x + y + x + y, NORMAL, SECOND, call=lambda f, x, y: f([x, y, x, y]))
case("math.accumulate_n", lambda x, y: x + y + x + y, NORMAL, SECOND, call=lambda f, x, y: f([x, y, x, y]))
case("math.polyval", lambda x: np.polyval([1.0, 2, 3, 4], x), NORMAL, call=lambda f, x: f([1.0, 2.0, 3.0, 4.0], x))
