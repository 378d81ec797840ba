"""Scalar functions that custom ops may call, written as custom ops are: their derivatives come by themselves."""

import math


def square(x):
    """x²."""
    return x * x


def cube(x):
    """x³."""
    return x * x * x


def reciprocal(x):
    """1 / x."""
    return 1 / x


def sign(x):
    """-1, 0 or 1 as x is below, at or above zero; NaN for NaN."""
    if x != x:
        return x
    return 1 if x > 0 else -1 if x < 0 else 0


def relu(x):
    """x where it is positive, else 0."""
    return 0 if x <= 0 else x


def hypot(x, y):
    """√(x² + y²) without overflow on the way."""
    large = max(abs(x), abs(y))
    small = min(abs(x), abs(y))
    if large == 0:
        return 0
    ratio = small / large
    return large * math.sqrt(1 + ratio * ratio)


def logaddexp(x, y):
    """log(eˣ + eʸ) without overflow on the way."""
    return max(x, y) + math.log1p(math.exp(-abs(x - y)))


def _psi_positive(x):
    """The derivative of log Γ for x > 0: recurrence up to 10, then the asymptotic series."""
    shift = 0.0
    for _ in range(10):
        if x < 10:
            shift -= 1 / x
            x += 1
    t = 1 / (x * x)
    series = t * (1 / 12 - t * (1 / 120 - t * (1 / 252 - t * (1 / 240 - t * (1 / 132 - t * (691 / 32760 - t / 12))))))
    return shift + math.log(x) - 0.5 / x - series


def psi(x):
    """The derivative of log |Γ(x)|; by reflection for x < 0."""
    if x > 0:
        return _psi_positive(x)
    return _psi_positive(1 - x) - math.pi / math.tan(math.pi * (x - math.floor(x)))
