"""vecmath against higher precision: error bounds, special values, vectorisation, and plain Python's equality.

BOUNDS drives everything, so a function added there is tested here. float32 is measured against float64,
float64 against mpmath.
"""

import functools
import inspect
import itertools
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest
from numba import cfunc

from nbflow.compiler.kernels import namespace
from nbflow.runtime import native, vecmath
from tests.runtime import special_functions

pytestmark = pytest.mark.filterwarnings("error")

DTYPES = {"f32": np.float32, "f64": np.float64}
CASES = [(name, suffix) for name in vecmath.BOUNDS for suffix in DTYPES]
PREDICATES = {"isnan", "isinf", "isfinite"}
INF, NAN = math.inf, math.nan
MP = mpmath.MPContext()
MP.prec = 160


def scalar(name, suffix):
    return getattr(vecmath, f"{name}_{suffix}")


@functools.cache
def arity(name):
    return len(inspect.signature(scalar(name, "f64")).parameters)


@functools.cache
def loop(name, suffix):
    """The kernel out[i] = function(x[i], y[i] ...) in the form that elementwise ops have."""
    count = arity(name)
    arguments = ", ".join(f"load({suffix}, x{k}, i, 0)" for k in range(count))
    result = "b1" if name in PREDICATES else suffix
    lines = [
        "def kernel(p, begin, end):",
        *(f"    x{k} = word(p, {k})" for k in range(count + 1)),
        "    for i in range(begin, end):",
        f"        store({result}, x{count}, i, {name}_{suffix}({arguments}), 1)",
    ]
    scope = namespace()
    exec("\n".join(lines), scope)
    return cfunc(native.KERNEL_SIGNATURE, error_model="numpy")(scope["kernel"])


def compute(name, suffix, *args):
    arrays = [np.ascontiguousarray(x) for x in args]
    arrays.append(np.empty(args[0].size, np.bool_ if name in PREDICATES else args[0].dtype))
    words = np.array([x.ctypes.data for x in arrays])
    loop(name, suffix).ctypes(words.ctypes.data, 0, args[0].size)
    return arrays[-1]


# --- references
# -------------------------------------------------------------------------------------------------


def each(function):
    """Apply a function of Python floats to arrays; nan where it has no value, inf where it overflows."""

    def total(*args):
        try:
            return function(*args)
        except ValueError:
            return INF if args[0] <= 0 and function is math.lgamma else NAN
        except OverflowError:
            return INF

    return lambda *arrays: np.array([total(*map(float, args)) for args in zip(*arrays)])


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


IN_FLOAT64 = {
    "sigmoid": sigmoid,
    "softplus": softplus,
    "log_sigmoid": lambda x: -softplus(-x),
    "erf": each(math.erf),
    "erfc": each(math.erfc),
    "lgamma": each(math.lgamma),
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "pow": np.power,
}


def mp_lgamma(x):
    if x > 0:
        return MP.loggamma(x)
    # the reflection formula, with room for the cancellation next to a zero
    return MP.log(MP.pi / abs(x * MP.sinpi(x))) - MP.loggamma(-x)


def mp_log1p_exp(x):
    return max(x, 0) + MP.log1p(MP.exp(-abs(x)))


IN_MPMATH = {
    "exp2": lambda x: MP.mpf(2) ** x,
    "log2": lambda x: MP.log(x) / MP.log(2),
    "log10": lambda x: MP.log(x) / MP.log(10),
    "sigmoid": lambda x: 1 / (1 + MP.exp(-x)),
    "softplus": mp_log1p_exp,
    "log_sigmoid": lambda x: -mp_log1p_exp(-x),
    "cbrt": lambda x: MP.sign(x) * MP.cbrt(abs(x)),
    "rsqrt": lambda x: 1 / MP.sqrt(x),
    "pow": MP.power,
    "lgamma": mp_lgamma,
}
# tiny arguments cancel in mpmath's own formulas; their Taylor series do not
SERIES = {"sinh": 1, "asinh": -1, "atanh": 2, "tanh": -2}


def in_float64(name, *args):
    if name in special_functions.REFERENCES:
        return compute(name, "f64", *(x.astype(np.float64) for x in args))
    with np.errstate(all="ignore"):
        return IN_FLOAT64.get(name, getattr(np, name, None))(*(x.astype(np.float64) for x in args))


def in_mpmath(name, *args):
    if name in special_functions.REFERENCES:
        return special_functions.REFERENCES[name](*map(special_functions.MP.mpf, args))
    x = args[0]
    if not all(map(math.isfinite, args)):
        return None
    if name == "erf" and abs(x) > 8:
        return MP.sign(MP.mpf(x))
    if name == "erfc" and abs(x) > 40:
        return MP.mpf(0 if x > 0 else 2)
    if name in SERIES and abs(x) < 1e-20:
        return MP.mpf(x) + MP.mpf(x) ** 3 * SERIES[name] / 6
    if name in ("exp", "exp2", "expm1", "sinh", "cosh", "sigmoid", "softplus", "log_sigmoid", "tanh") and abs(x) > 4000:
        return None  # the special values
    try:
        value = IN_MPMATH.get(name, getattr(MP, name, None))(*map(MP.mpf, args))
    except (ValueError, ZeroDivisionError):
        return None
    return value if isinstance(value, MP.mpf) and MP.isfinite(value) else None


# --- samples
# ----------------------------------------------------------------------------------------------------

# where the functions change formula, overflow, underflow, or cross zero
THRESHOLDS = [
    2**-25,
    2**-24,
    2**-12,
    1e-17,
    1e-8,
    0.25,
    0.5,
    math.sqrt(0.5),
    1.0,
    math.sqrt(2),
    1.5,
    2.0,
    2.5,
    4.0,
    8.0,
    10.0,
    20.0,
    math.log(2) / 2,
    3 * math.log(2) / 2,
    math.tan(math.pi / 8),
    1 / math.tan(math.pi / 8),
    math.pi / 4,
    math.pi / 2,
    math.pi,
    3 * math.pi / 2,
    100 * math.pi,
    12345 * math.pi,
    17.33,
    19.0,
    36.05,
    40.0,
    87.33,
    88.72,
    89.4,
    103.97,
    126.0,
    128.0,
    149.0,
    150.0,
    9.19,
    10.05,
    26.54,
    27.22,
    708.39,
    709.78,
    710.47,
    744.44,
    745.13,
    1022.0,
    1024.0,
    1074.0,
    1075.0,
    1.4616321449683622,
    2.456,
    2.0**14,
    2.0**23,
    2.0**24,
    2.0**28,
    2.0**31,
    2.0**40,
    2.0**48,
    2.0**52,
    2.0**53,
    2.0**60,
    2.0**73,
    2.0**80,
    2.0**98,
    2.0**123,
]
NEAREST_TO_A_MULTIPLE_OF_HALF_PI = {"f32": 16367173.0 * 2.0**72, "f64": 6381956970095103.0 * 2.0**797}


@functools.cache
def sample(suffix, count, seed=0):
    """Arguments over the whole range: every exponent, subnormals, thresholds with neighbours, random patterns."""
    dtype = DTYPES[suffix]
    rng = np.random.default_rng(seed)
    info = np.finfo(dtype)
    pattern = np.uint32 if dtype is np.float32 else np.uint64
    exponents = np.linspace(info.minexp - info.nmant, info.maxexp - 1, count)
    near = np.array([*THRESHOLDS, NEAREST_TO_A_MULTIPLE_OF_HALF_PI[suffix]], dtype)
    parts = [
        np.ldexp(rng.uniform(1, 2, count), exponents.astype(int)).astype(dtype),
        rng.integers(0, np.iinfo(pattern).max, count, pattern).view(dtype),
        rng.uniform(-2, 2, count).astype(dtype),
        rng.uniform(-20, 20, count).astype(dtype),
        rng.uniform(info.minexp - info.nmant, info.maxexp, count).astype(dtype),
        1 + np.ldexp(rng.uniform(-1, 1, count), rng.integers(-info.nmant, 0, count)).astype(dtype),
        near,
        np.nextafter(near, dtype(0)),
        np.nextafter(near, dtype(INF)),
        (rng.integers(0, 1000, count // 10) * info.smallest_subnormal).astype(dtype),
    ]
    x = np.concatenate(parts)
    x = np.concatenate([x, -x])
    return x[np.isfinite(x)]


def arguments(name, suffix, count):
    if name in special_functions.ARGUMENTS:
        return tuple(x.astype(DTYPES[suffix]) for x in special_functions.ARGUMENTS[name])
    x = sample(suffix, count)
    if arity(name) == 1:
        return (x,)
    # moderate exponents for pow among them, equal and opposite pairs for atan2
    rng = np.random.default_rng(1)
    y = rng.permutation(sample(suffix, count, 2))[: x.size]
    x = x[: y.size]
    half = rng.uniform(-30, 30, x.size).round(1).astype(x.dtype)
    positive = np.exp(rng.uniform(-5, 5, x.size)).astype(x.dtype)
    near_one = (1 + rng.uniform(-1e-3, 1e-3, x.size)).astype(x.dtype)
    steep = rng.uniform(-7e5, 7e5, x.size).astype(x.dtype)
    return np.concatenate([x, x, positive, near_one]), np.concatenate([y, half, half, steep])


def spacing(magnitude, dtype):
    """The distance of neighbouring numbers of the dtype at a float64 magnitude."""
    info = np.finfo(dtype)
    exponent = np.maximum(np.frexp(magnitude)[1] - 1, info.minexp)
    return np.ldexp(1.0, exponent - info.nmant)


def errors_f32(name, got, args):
    """|got - exact| in ulp; overflow counts as 2**128."""
    with np.errstate(all="ignore"):
        exact = np.clip(in_float64(name, *args), -(2.0**128), 2.0**128)
        got = np.clip(got.astype(np.float64), -(2.0**128), 2.0**128)
        error = np.abs(got - exact) / spacing(np.minimum(np.abs(exact), 2.0**127), np.float32)
    assert np.array_equal(np.isnan(got), np.isnan(exact)), worst(name, np.isnan(got) != np.isnan(exact), got, args)
    return np.nan_to_num(error)


def errors_f64(name, got, args):
    limit = MP.mpf(2) ** 1024
    errors = np.zeros(got.size)
    for i, (value, *at) in enumerate(zip(got.tolist(), *(x.tolist() for x in args))):
        exact = in_mpmath(name, *at)
        if exact is None:
            continue
        exact = max(min(exact, limit), -limit)
        value = math.copysign(1, value) * limit if math.isinf(value) else MP.mpf(value)
        scale = abs(exact)
        if name in special_functions.SCALES:
            scale = max(scale, special_functions.SCALES[name](*map(MP.mpf, at)))
        unit = MP.mpf(2) ** (max(MP.frexp(min(scale, limit / 2))[1] - 1, -1022) - 52) if scale else MP.mpf(2) ** -1074
        errors[i] = abs(value - exact) / unit if MP.isfinite(value) else INF
    return errors


def worst(name, errors, got, args):
    i = int(np.argmax(errors))
    return f"{name}({', '.join(repr(x[i]) for x in args)}) = {got[i]!r}: {errors[i]:.3f} ulp"


@pytest.mark.parametrize("name,suffix", [case for case in CASES if any(vecmath.BOUNDS[case[0]])])
def test_error_bound(name, suffix):
    args = arguments(name, suffix, 20_000 if suffix == "f32" and name != "lgamma" else 100)
    got = compute(name, suffix, *args)
    errors = (errors_f32 if suffix == "f32" else errors_f64)(name, got, args)
    assert errors.max() <= vecmath.BOUNDS[name][suffix == "f64"], worst(name, errors, got, args)


def same(a, b):
    """Equal with equal signs, or both nan."""
    return np.where(np.isnan(a) | np.isnan(b), np.isnan(a) & np.isnan(b), (a == b) & (np.signbit(a) == np.signbit(b)))


@pytest.mark.parametrize("name,suffix", [case for case in CASES if not any(vecmath.BOUNDS[case[0]])])
def test_exact(name, suffix):
    args = arguments(name, suffix, 1000)
    got = compute(name, suffix, *args)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(*args)
    assert np.all(got == expected) if name in PREDICATES else np.all(same(got, expected))


# --- special values
# ---------------------------------------------------------------------------------------------

ODD = [(0.0, 0.0), (-0.0, -0.0), (NAN, NAN)]
LOG = [(0.0, -INF), (-0.0, -INF), (1.0, 0.0), (INF, INF), (-1.0, NAN), (-INF, NAN), (-1e-40, NAN), (NAN, NAN)]
KEEP = [*ODD, (INF, INF), (-INF, -INF)]
SPECIAL = {
    "exp": [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (NAN, NAN), (1e30, INF), (-1e30, 0.0)],
    "exp2": [
        (0.0, 1.0),
        (-0.0, 1.0),
        (INF, INF),
        (-INF, 0.0),
        (NAN, NAN),
        (10.0, 1024.0),
        (-3.0, 0.125),
        (1e30, INF),
    ],
    "expm1": [*ODD, (INF, INF), (-INF, -1.0), (1e30, INF), (-1e30, -1.0)],
    "log": LOG,
    "log2": [*LOG, (8.0, 3.0), (0.25, -2.0)],
    "log10": [*LOG, (10.0, 1.0)],
    "log1p": [*ODD, (-1.0, -INF), (INF, INF), (-2.0, NAN), (-INF, NAN)],
    "tanh": [*ODD, (INF, 1.0), (-INF, -1.0), (1e30, 1.0)],
    "sigmoid": [(0.0, 0.5), (INF, 1.0), (-INF, 0.0), (NAN, NAN), (-1e30, 0.0)],
    "softplus": [(INF, INF), (-INF, 0.0), (NAN, NAN), (1e30, 1e30), (-1e30, 0.0)],
    "log_sigmoid": [(INF, -0.0), (-INF, -INF), (NAN, NAN), (-1e30, -1e30)],
    "erf": [*ODD, (INF, 1.0), (-INF, -1.0), (1e30, 1.0)],
    "erfc": [(0.0, 1.0), (-0.0, 1.0), (INF, 0.0), (-INF, 2.0), (NAN, NAN), (1e30, 0.0), (-1e30, 2.0)],
    "sin": [*ODD, (INF, NAN), (-INF, NAN)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (NAN, NAN)],
    "tan": [*ODD, (INF, NAN), (-INF, NAN)],
    "asin": [*ODD, (1.5, NAN), (-INF, NAN)],
    "acos": [(1.0, 0.0), (-1.5, NAN), (INF, NAN), (NAN, NAN)],
    "atan": ODD,
    "sinh": [*KEEP, (1e30, INF), (-1e30, -INF)],
    "cosh": [(0.0, 1.0), (INF, INF), (-INF, INF), (NAN, NAN), (1e30, INF)],
    "asinh": KEEP,
    "acosh": [(1.0, 0.0), (0.5, NAN), (-INF, NAN), (INF, INF), (-1e30, NAN), (NAN, NAN)],
    "atanh": [*ODD, (1.0, INF), (-1.0, -INF), (1.5, NAN), (INF, NAN)],
    "sqrt": [*ODD, (INF, INF), (-1.0, NAN), (-INF, NAN)],
    "rsqrt": [(0.0, INF), (-0.0, -INF), (INF, 0.0), (-1.0, NAN), (4.0, 0.5), (NAN, NAN)],
    "cbrt": [*KEEP, (27.0, 3.0), (-8.0, -2.0)],
    "lgamma": [
        (1.0, 0.0),
        (2.0, 0.0),
        (0.0, INF),
        (-0.0, INF),
        (-1.0, INF),
        (-1e30, INF),
        (INF, INF),
        (-INF, INF),
        (NAN, NAN),
    ],
    "floor": [*KEEP, (-0.5, -1.0)],
    "ceil": [*KEEP, (-0.5, -0.0)],
    "trunc": [*KEEP, (-0.5, -0.0)],
    "rint": [*KEEP, (-0.5, -0.0), (0.5, 0.0), (1.5, 2.0), (2.5, 2.0)],
    "isnan": [(NAN, True), (INF, False), (0.0, False)],
    "isinf": [(NAN, False), (-INF, True), (0.0, False)],
    "isfinite": [(NAN, False), (-INF, False), (0.0, True)],
}
SPECIAL |= special_functions.SPECIAL
EDGES = [0.0, 5e-324, 1e-45, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 1e-40, 1e-30, 1e30, 16777215.0, 16777216.0, INF, NAN]
EDGES += [-x for x in EDGES]


@pytest.mark.parametrize("name,suffix", [case for case in CASES if case[0] in SPECIAL])
def test_special_values(name, suffix):
    *x, expected = (np.array(column) for column in zip(*SPECIAL[name]))
    x = [column.astype(DTYPES[suffix]) for column in x]
    got = compute(name, suffix, *x)
    if expected.dtype == float:
        expected = expected.astype(DTYPES[suffix])
    ok = same(got.astype(float), expected.astype(float))
    assert ok.all(), [(*a, b, c) for a, b, c, d in zip(zip(*x), got, expected, ok) if not d]


@pytest.mark.parametrize("name,suffix", [case for case in CASES if arity(case[0]) > 1 and case[0] not in SPECIAL])
def test_special_pairs(name, suffix):
    """Every pair of edge values: the cases that C99 lists come out exactly, the others within the bound."""
    x, y = np.array(list(itertools.product(EDGES, EDGES)), DTYPES[suffix]).T.copy()
    got = compute(name, suffix, x, y)
    with np.errstate(all="ignore"):
        expected = (
            in_float64(name, x, y).astype(DTYPES[suffix]) if any(vecmath.BOUNDS[name]) else getattr(np, name)(x, y)
        )
        near = np.abs(got - expected) <= 4 * np.spacing(np.abs(expected))
    ok = same(got, expected) | (near & (np.signbit(got) == np.signbit(expected)) & (expected != 0))
    assert ok.all(), [(a, b, c, d) for a, b, c, d, e in zip(x, y, got, expected, ok) if not e]


def test_thresholds():
    assert vecmath.exp_f32(np.float32(89)) == INF
    assert vecmath.exp_f32(np.float32(-103.97)) > 0
    assert vecmath.exp_f64(-745.13) == 5e-324
    assert vecmath.sigmoid_f32(np.float32(-100)) == np.float32(3.8e-44)
    assert vecmath.softplus_f64(-740.0) == math.exp(-740.0)
    assert vecmath.log_f32(np.float32(1e-45)) == np.float32(math.log(2**-149))
    assert vecmath.pow_f64(-2.0, 3.0) == -8.0
    assert vecmath.sin_f64(1e22) == pytest.approx(-0.8522008497671888, rel=1e-15)


@pytest.mark.parametrize("name,suffix", CASES)
def test_docstring_states_the_bound(name, suffix):
    bound = vecmath.BOUNDS[name][suffix == "f64"]
    doc = inspect.getdoc(getattr(scalar(name, suffix), "py_func", scalar(name, suffix)))
    assert (f"Error below {bound} ulp." if bound else "Exact.") in doc


# --- how they compile
# -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name,suffix", [case for case in CASES if case[0] not in vecmath.NOT_VECTORISED])
def test_vectorises(name, suffix):
    dtype = DTYPES[suffix]
    compute(name, suffix, *[np.ones(1, dtype)] * arity(name))
    code = loop(name, suffix).inspect_llvm()
    # a value used only by its bit pattern has the integer type, and without a fast gather instruction the
    # arguments are loaded one by one to index a table; the arithmetic between is packed in any case
    number = "float|i32" if suffix == "f32" else "double|i64"
    assert re.search(rf"= (load|f\w+|fcmp \w+|(tail )?call) <\d+ x ({number})>", code)
    assert re.search(rf"store <\d+ x ({'i8' if name in PREDICATES else number})>", code)


def bounds_table():
    """The rows of docs/accuracy.md."""

    def shown(bound):
        return f"{bound:g}" if bound else "exact"

    rows = []
    for name, (narrow, wide) in sorted(vecmath.BOUNDS.items()):
        what, why = vecmath.ABSOLUTE.get(name, ("", ""))
        note = f" float64: in ulp of {what} where that is greater; {why}" if what else ""
        rows.append(f"| {name} | {shown(narrow)} | {shown(wide)} |{note} |")
    for name, (narrow, wide) in sorted(vecmath.COMPLEX_BOUNDS.items()):
        rows.append(f"| {name}, complex | {shown(narrow)} | {shown(wide)} | |")
    return rows


def test_documentation_states_the_bounds():
    text = (Path(__file__).parents[2] / "docs" / "accuracy.md").read_text()
    assert [line for line in text.splitlines() if line.startswith("| ")][1:] == bounds_table()
    assert set(vecmath.ABSOLUTE) == set(special_functions.SCALES)


def test_import_compiles_nothing():
    code = (
        "from nbflow.runtime import vecmath\n"
        "for name in vecmath.BOUNDS:\n"
        "    for suffix in ('_f32', '_f64'):\n"
        "        assert not getattr(vecmath, name + suffix).signatures"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


PLAIN = """
import json, sys
import numpy as np
from nbflow.runtime import vecmath
results = {}
for name, suffix, rows in json.load(sys.stdin):
    dtype, key = {"f32": np.float32, "f64": np.float64}[suffix], name + "_" + suffix
    results[key] = [float(getattr(vecmath, key)(*map(dtype, args))).hex() for args in rows]
print(json.dumps(results))
"""


def test_plain_python_gives_the_same_bits():
    values = [0.3, -0.7, 1.25, -2.5, 37.0, -91.3, 1e-42, -1e-9, 3e12, -1e37, 0.0, -0.0, INF, -INF, NAN]
    pairs = [*zip(values, values[3:] + values[:3]), (2.5, 3.5), (-3.0, 3.0), (0.7, -40.0)]
    rows = {1: [[x] for x in values], 2: pairs}
    few = {
        n: [row[:n] for row in [(0.3, 1.25, 0.5), (2.5, 3.5, 0.9), (1.0, 0.0, 0.0), (NAN, 1.0, NAN)]] for n in (2, 3)
    }
    loops = {name for name in vecmath.BRANCHING if arity(name) > 1}
    tasks = [(name, suffix, (few if name in loops else rows)[arity(name)]) for name, suffix in CASES]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PLAIN],
        input=json.dumps(tasks),
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    plain = json.loads(done.stdout)
    for name, suffix, arguments in tasks:
        columns = [np.array(column, DTYPES[suffix]) for column in zip(*arguments)]
        compiled = [float(value).hex() for value in compute(name, suffix, *columns)]
        assert plain[f"{name}_{suffix}"] == compiled, (name, suffix)
