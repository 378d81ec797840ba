"""Derivatives of scalar programs: in 40 digits, against mpmath's numerical differentiation of the same program."""

import ast
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbflow.custom import prelude
from nbflow.custom.derivative import derivative
from nbflow.custom.functions import FUNCTIONS
from nbflow.custom.language import parse
from nbflow.custom.scalar import Origin, Scalar, lookup

mpmath.mp.dps = 40
NAMES = {"log_sigmoid": lambda x: -mpmath.log1p(mpmath.exp(-x)), "maximum": max, "minimum": min, "rint": mpmath.nint}
NAMES |= {"sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "softplus": lambda x: mpmath.log1p(mpmath.exp(x))}
NAMES |= {"rsqrt": lambda x: 1 / mpmath.sqrt(x), "exp2": lambda x: mpmath.mpf(2) ** x, "pow": lambda x, y: x**y}
NAMES |= {"log2": lambda x: mpmath.log(x, 2), "trunc": lambda x: mpmath.sign(x) * mpmath.floor(abs(x))}
NAMES |= {"lgamma": lambda x: mpmath.log(abs(mpmath.gamma(x))), "fmod": lambda x, y: x - y * NAMES["trunc"](x / y)}
BESSEL = {"i": mpmath.besseli, "j": mpmath.besselj, "k": mpmath.besselk, "y": mpmath.bessely}
NAMES |= {f"bessel_{k}{n}": lambda x, f=f, n=n: f(n, x) for k, f in BESSEL.items() for n in (0, 1)}
NAMES |= {f"bessel_i{n}e": lambda x, n=n: mpmath.exp(-abs(x)) * mpmath.besseli(n, x) for n in (0, 1)}
NAMES |= {f"bessel_k{n}e": lambda x, n=n: mpmath.exp(x) * mpmath.besselk(n, x) for n in (0, 1)}
NAMES |= {"dawsn": lambda x: mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-x * x) * mpmath.erfi(x), "expint": mpmath.ei}
NAMES |= {"fresnel_cos": mpmath.fresnelc, "fresnel_sin": mpmath.fresnels, "spence": lambda x: mpmath.polylog(2, 1 - x)}
NAMES |= {"ndtri": lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1), "polygamma": mpmath.psi, "zeta": mpmath.zeta}
NAMES |= {"igamma": lambda a, x: mpmath.gammainc(a, 0, x, regularized=True)}
NAMES |= {"igammac": lambda a, x: mpmath.gammainc(a, x, regularized=True)}
NAMES |= {"igamma_grad_a": lambda a, x: mpmath.diff(lambda t: NAMES["igamma"](t, x), a)}
NAMES |= {"copysign": lambda x, y: abs(x) * (1 if y >= 0 else -1)}


def real(value):
    """Constants stand for the nearest short decimal: 0.1 is a tenth."""
    return mpmath.mpf(repr(value)) if isinstance(value, float) and not hasattr(value, "_mpf_") else mpmath.mpf(value)


def exact(scalar):
    """A program as a Python function of mpmath's numbers."""
    scope = {"f64": real, "vector_function": lambda f: f, "nan": mpmath.nan, "inf": mpmath.inf, "i64": int}
    scope |= {"abs": abs, "maximum": max, "minimum": min, "to_int": lambda dtype, x: int(x)}
    scope |= {f"{name}_f64": NAMES.get(name, getattr(mpmath, name, None)) for name in FUNCTIONS}
    done, todo = set(), [scalar]
    while todo:
        program = todo.pop()
        if program.name not in done:
            done.add(program.name)
            text, called = program.definition("f64", False)
            exec(text, scope)
            todo += [lookup(name) for name in called]
    return scope[f"{scalar.name}_f64"]


def compare(program, *arguments, order=1, tolerance=1e-12):
    """All partial derivatives up to an order are those of the program, found numerically."""
    numbers, function = [real(a) for a in arguments], exact(program)

    def visit(scalar, counts, depth):
        for k in range(len(numbers)):
            found = derivative(scalar, k)
            orders = tuple(n + (j == k) for j, n in enumerate(counts))
            expected = mpmath.diff(function, tuple(numbers), orders)
            actual = 0 if found is None else exact(found)(*numbers)
            assert abs(actual - expected) <= tolerance * (1 + abs(expected)), (found and found.name, actual, expected)
            if depth > 1 and found is not None:
                visit(found, orders, depth - 1)

    visit(program, (0,) * len(numbers), order)


def check(function, *arguments, fixed=(), **options):
    """The same of a Python function."""
    compare(parse(function).scalar(fixed), *arguments, **options)


# --- functions --------------------------------------------------------------------------------------------------------


def squareplus(x, b=4.0):
    return 0.5 * (x + math.sqrt(x * x + b))


def mish(x):
    return x * math.tanh(math.log1p(math.exp(x)))


def huber(x, delta):
    a = abs(x)
    if a <= delta:
        return 0.5 * x * x
    return delta * (a - 0.5 * delta)


def branches(x, y):
    if x > 0 and y > 0:
        result = x * y
    elif x < -1 or not y > -1:
        result = x / (y - 4) - y
    else:
        return math.sin(x) * math.cos(y)
    result *= x + 2 * y
    return result


def conditional(x, y):
    return math.exp(x) if x < y else (x * y if -1 < y <= 1 else math.sqrt(abs(x)) + y**3)


def horner(x, *, degree):
    total = 0
    for k in range(degree, 0, -1):
        total = total * x + 1.0 / k
    return total


def continued(x, y):
    value = y
    for k in range(1, 6):
        if k % 2 == 0:
            continue
        value = x / (k + value * k**2)
    return value


def newton(x):
    """√x as a loop finds it."""
    guess = x
    while abs(guess * guess - x) > 1e-30:
        guess = 0.5 * (guess + x / guess)
    return guess


def swaps(x, y):
    for _ in range(3):
        x, y = y * 0.5, x + squareplus(y, b=x * x)
    return x * y


def nested(x, y):
    total = 0.0
    for i in range(3):
        part = x
        for j in range(i + 1):
            if j == 2:
                break
            part = part * y + i
        total += part
    return total


def powers(x, y):
    return x**2 + (x + y) ** 3 - (x * y + 5) ** 1.5 + (x + 3) ** y + 2**y + (x + 5) ** -1 + (y + 4) ** 0.5


def many(x, y):
    return max(x, y, 0.5 * x * y) - min(x, 2 * y) + math.hypot(x, y) + math.atan2(y, x) + math.copysign(x * y, y)


def remainders(x, y):
    return x % (y + 4) + math.fmod(x * y, 3) + x // 1 + (x - math.floor(x)) * y + int(x * 3) * y + round(y) * x


def truths(x, y):
    above = x > y
    return (x > 0) * x * y + above * x**2 + (y if above and not y > 3 else -y) + np.where(x > 1, x, y * y)


def counters(x, y):
    total = 0.0
    for i in range(3):
        total += i * x
        i = i * y
        total += i
    for x in range(2):
        total += x * y
    return total * x + i


def reassigned(x, y):
    x = x * y
    y += x
    x = y = x + math.sin(y)
    return x * y


FIXED = {horner: (5,)}
ALL = [squareplus, mish, huber, branches, conditional, horner, continued, swaps, nested, powers, many]
ALL += [remainders, truths, counters, reassigned]


@pytest.mark.parametrize("function", ALL, ids=lambda f: f.__name__)
@given(st.floats(-3, 3), st.floats(-3, 3))
@settings(max_examples=12, deadline=None, derandomize=True)
def test_first_derivatives(function, x, y):
    arguments = (round(x, 3) + 0.00017, round(y, 3) + 0.00029)  # off the edges
    if function in (huber, squareplus):
        arguments = arguments[0], abs(arguments[1]) + 0.1
    check(function, *arguments[: len(parse(function).free)], fixed=FIXED.get(function, ()))


@pytest.mark.parametrize("function", ALL, ids=lambda f: f.__name__)
@pytest.mark.parametrize("x, y", [(1.2, 0.7), (-1.6, 0.4), (0.3, 2.1)])
def test_second_derivatives(function, x, y):
    check(function, *(x, y)[: len(parse(function).free)], order=2, fixed=FIXED.get(function, ()))


@pytest.mark.parametrize("function", [mish, squareplus, newton, conditional], ids=lambda f: f.__name__)
def test_third_derivatives(function):
    check(function, *(1.3, 0.8)[: len(parse(function).free)], order=3, tolerance=1e-8)


ONE = [n for n, f in FUNCTIONS.items() if len(f.rules) == 1 and n not in ("float", "int", "round")]


@pytest.mark.parametrize("name", [n for n in ONE if not n.startswith("is")])
def test_rules(name):
    """The rule of every scalar function, to second order."""
    scope = {"f64": real, **{f"{n}_f64": NAMES.get(n, getattr(mpmath, n, None)) for n in FUNCTIONS}}
    program = program_of(f"{name}(x)", "x")
    x = real(1.7 if name == "acosh" else 0.3)
    first, second = derivative(program, 0), None
    assert exact(program)(x) == (abs(x) if name == "abs" else scope[f"{name}_f64"](x))
    expected = [mpmath.diff(exact(program), x, n) for n in (1, 2)]
    if first is not None:
        second = derivative(first, 0)
    actual = [0 if d is None else exact(d)(x) for d in (first, second)]
    bound = 1e-12 if name == "lgamma" else 1e-14
    assert all(abs(a - e) < bound * (1 + abs(e)) for a, e in zip(actual, expected, strict=True))


def program_of(text, *parameters):
    return Scalar(Origin("program", "?", 1, ("",)), parameters, ast.parse(f"return {text}").body, 10)


def test_rules_of_two_arguments():
    program = program_of("exp(igamma(a, b)) * zeta(2.5, b) + polygamma(2.0, b) - igammac(a, b)", "a", "b")
    compare(program, 1.3, 0.8)
    with pytest.raises(SyntaxError, match="igamma_grad_a.* has no known derivative"):
        derivative(derivative(program, 0), 0)


@pytest.mark.parametrize("x", [0.01, 0.4, 2.5, 11.0, -0.3, -7.6])
def test_psi(x):
    program = parse(prelude.psi).scalar(())
    for order in range(3):
        assert abs(exact(program)(real(x)) / mpmath.psi(order, real(x)) - 1) < 1e-11, order
        program = derivative(program, 0)


def test_what_does_not_depend_has_no_derivative():
    def flat(x, y):
        return math.floor(x) + int(y) + (x > y)

    scalar = parse(flat).scalar(())
    assert derivative(scalar, 0) is None and derivative(scalar, 1) is None


def test_derivatives_are_made_once_and_hold_only_what_they_need():
    scalar = parse(squareplus).scalar(())
    first = derivative(scalar, 1)
    assert derivative(scalar, 1) is first
    assert first.definition("f32", False)[0].splitlines() == [
        "@vector_function",
        "def squareplus_db_f32(x, b):",
        "    t = x * x + b",
        "    t_2 = sqrt_f32(t)",
        "    return f32(0.5) * (f32(0.5) / t_2)",
    ]
