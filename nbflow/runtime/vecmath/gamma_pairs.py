"""The gamma function's family in float64, computed with pairs: what float64 alone would get wrong in the last digits.

The incomplete gamma and beta functions are a factor such as x**a e**-x / Gamma(a + 1), whose logarithm is a difference
of large numbers, times a power series or a continued fraction; all of it is computed with pairs, so a complement
1 - P loses nothing either. Gamma comes from Stirling's series at 20 and beyond, and the recurrence below.
digamma left of 0 is right even next to its zeros.
"""

import numpy as np

from nbflow.runtime.vecmath.bits import f64, fabs, polynomial, rint, scalar_function, two_sum
from nbflow.runtime.vecmath.pairs import (
    HALF_LOG_TWO_PI,
    ONE,
    PI,
    TWO_PI,
    add,
    add_number,
    divide,
    exponential,
    exponential_less_one,
    logarithm,
    multiply,
    multiply_number,
    negative,
    pair,
    scaled,
    sine_cosine,
    square_root,
    subtract,
)

INF, NAN = f64("inf"), f64("nan")
EPSILON = f64(1e-21)  # of series and continued fractions
STEPS = 20_000  # of them; they take about 6 sqrt(a)
ZERO = (f64(0.0), f64(0.0))
TWELFTH = (f64(0.08333333333333333), f64(4.625929269271486e-18))
# B(2 k) / (2 k (2 k - 1)), then B(2 k) / (2 k), for k = 2, 3 ...
STIRLING_REST = polynomial(f64, (
    -0.002777777777777778, 0.0007936507936507937, -0.0005952380952380953, 0.0008417508417508417,
    -0.0019175269175269176, 0.00641025641025641, -0.029550653594771242, 0.17964437236883057, -1.3924322169059011,
))  # fmt: skip
DIGAMMA_REST = polynomial(f64, (
    -0.008333333333333333, 0.003968253968253968, -0.004166666666666667, 0.007575757575757576,
    -0.021092796092796094, 0.08333333333333333, -0.4432598039215686, 3.0539543302701198, -26.456212121212122,
))  # fmt: skip
# log(Gamma(1 + a)) in a: minus Euler's constant, then (-1)**k zeta(k) / k
LOG_GAMMA_SERIES = np.array((
    (-0.5772156649015329, 4.942915152430645e-18), (0.8224670334241132, 1.520336175199238e-17),
    (-0.40068563438653143, 2.250747042487504e-18), (0.27058080842778454, 1.1871280107138412e-17),
    (-0.20738555102867398, -4.099767328621813e-18), (0.1695571769974082, 2.2393851330167238e-18),
    (-0.1440498967688461, -9.623140085232555e-18), (0.12550966952474304, -2.5214685384672305e-18),
    (-0.11133426586956469, -4.643990572582924e-18), (0.1000994575127818, 2.6102404859583283e-18),
))  # fmt: skip


@scalar_function
def sum_pair(x, y):
    """x + y of two float64 as a pair."""
    return two_sum(x, y)


@scalar_function
def stirling_pair(a):
    """log(Gamma(a)) - (a - 1/2) log(a) + a - log(2 pi) / 2 for a pair a >= 20."""
    w = 1.0 / (a[0] * a[0])
    return add_number(divide(TWELFTH, a), w / a[0] * STIRLING_REST(w))


@scalar_function
def log_gamma_far(a):
    """log(Gamma(a)) for a pair a >= 20."""
    half = multiply(add_number(a, f64(-0.5)), logarithm(a))
    return add(add(subtract(half, a), HALF_LOG_TWO_PI), stirling_pair(a))


@scalar_function
def shifted(a):
    """(b, product) with b = a + n >= 20, a pair, and the product of a, a + 1 ... b - 1."""
    product = ONE
    while a[0] < 20.0:
        product = multiply(product, a)
        a = add_number(a, f64(1.0))
    return a, product


@scalar_function
def log_gamma_one_more(a):
    """log(Gamma(a + 1)) for a >= 0, with a small relative error where a is small."""
    if a < 1e-3:
        total = ZERO
        for k in range(9, -1, -1):
            total = add(multiply_number(total, a), (LOG_GAMMA_SERIES[k, 0], LOG_GAMMA_SERIES[k, 1]))
        return multiply_number(total, a)
    b, product = shifted(sum_pair(a, f64(1.0)))
    value = log_gamma_far(b)
    return subtract(value, logarithm(product)) if a < 19.0 else value


@scalar_function
def digamma_pair(x):
    """digamma(x) for a pair x > 0."""
    total = ZERO
    while x[0] < 20.0:
        total = subtract(total, divide(ONE, x))
        x = add_number(x, f64(1.0))
    inverse = divide(ONE, x)
    square = multiply(inverse, inverse)
    total = add(total, subtract(logarithm(x), multiply_number(inverse, f64(0.5))))
    w = square[0]
    return add_number(subtract(total, multiply(square, TWELFTH)), -w * w * DIGAMMA_REST(w))


@scalar_function
def digamma_reflected(x):
    """digamma(x) for x < 0 that is not whole: digamma(1 - x) - pi / tan(pi x)."""
    rest = x - rint(x)
    value = digamma_pair(sum_pair(f64(1.0), -x))
    if fabs(rest) <= 0.25:
        s, c = sine_cosine(multiply_number(PI, rest))
        slope = divide(c, s)
    else:
        s, c = sine_cosine(multiply_number(PI, 0.5 - fabs(rest)))
        slope = divide(s, c)
        if rest < 0.0:
            slope = negative(slope)
    return subtract(value, multiply(PI, slope))[0]


@scalar_function
def factorial(n):
    """n! for n = 0, 1 ... 170."""
    product = ONE
    for k in range(2, int(n) + 1):
        product = multiply_number(product, f64(k))
    return product[0]


# --- incomplete gamma functions ---------------------------------------------------------------------------------------


@scalar_function
def gamma_factor_pair(a, x):
    """(y, k) with x**a e**-x / Gamma(a + 1) = y 2**k."""
    if a < 20.0:
        b, product = shifted(sum_pair(a, f64(1.0)))
        exponent = subtract(add_number(multiply_number(logarithm(pair(x)), a), -x), log_gamma_far(b))
        value, k = exponential(exponent)
        return multiply(value, product), k
    ratio = divide(pair(x), pair(a))
    exponent = add(multiply_number(logarithm(ratio), a), sum_pair(a, -x))
    value, k = exponential(subtract(exponent, stirling_pair(pair(a))))
    return divide(value, square_root(multiply_number(TWO_PI, a))), k


@scalar_function
def gamma_series_pair(a, x):
    """The sum of x**n / ((a + 1) ... (a + n))."""
    term, total = ONE, ONE
    for n in range(1, STEPS):
        term = divide(multiply_number(term, x), sum_pair(a, f64(n)))
        total = add(total, term)
        if term[0] <= EPSILON * total[0]:
            break
    return total


@scalar_function
def gamma_series_slope(a, x):
    """That sum and its derivative by a."""
    term, total, slope, slopes = ONE, ONE, ZERO, ZERO
    for n in range(1, STEPS):
        below = sum_pair(a, f64(n))
        ratio = divide(pair(x), below)
        term = multiply(term, ratio)
        slope = subtract(multiply(slope, ratio), divide(term, below))
        total, slopes = add(total, term), add(slopes, slope)
        if (term[0] <= EPSILON * total[0]) & (fabs(slope[0]) <= EPSILON * fabs(slopes[0])):
            break
    return total, slopes


@scalar_function
def gamma_fraction_pair(a, x):
    """Legendre's continued fraction for Gamma(a, x) / (x**a e**-x), by Lentz' method."""
    b = add_number(sum_pair(x, -a), f64(1.0))
    d = divide(ONE, b)
    c, value = (f64(1e300), f64(0.0)), d
    for n in range(1, STEPS):
        numerator = multiply_number(sum_pair(a, f64(-n)), f64(n))
        b = add_number(b, f64(2.0))
        d = divide(ONE, add(multiply(numerator, d), b))
        c = add(b, divide(numerator, c))
        change = multiply(c, d)
        value = multiply(value, change)
        if fabs((change[0] - 1.0) + change[1]) <= EPSILON:
            break
    return value


@scalar_function
def gamma_fraction_slope(a, x):
    """That fraction, and its logarithm's derivative by a."""
    b = add_number(sum_pair(x, -a), f64(1.0))
    d = divide(ONE, b)
    c, dc, dd = (f64(1e300), f64(0.0)), ZERO, multiply(d, d)
    value, slope = d, d
    for n in range(1, STEPS):
        numerator = multiply_number(sum_pair(a, f64(-n)), f64(n))
        b = add_number(b, f64(2.0))
        dd = subtract(add_number(multiply_number(d, f64(-n)), f64(1.0)), multiply(numerator, dd))
        d = divide(ONE, add(multiply(numerator, d), b))
        dd = multiply(dd, multiply(d, d))
        inverse = divide(ONE, c)
        tail = multiply(numerator, inverse)
        dc = add_number(subtract(multiply_number(inverse, f64(n)), multiply(tail, multiply(dc, inverse))), f64(-1.0))
        c = add(b, tail)
        change, bend = multiply(c, d), add(divide(dd, d), divide(dc, c))
        value, slope = multiply(value, change), add(slope, bend)
        if (fabs((change[0] - 1.0) + change[1]) <= EPSILON) & (fabs(bend[0]) <= EPSILON * (1.0 + fabs(slope[0]))):
            break
    return value, slope


@scalar_function
def gamma_upper_tiny(a, x):
    """1 - igamma(a, x) for a < 1e-4 and x <= 2, where the difference would cancel."""
    term, total = ONE, ZERO
    for n in range(1, 200):
        term = divide(multiply_number(term, -x), pair(f64(n)))
        step = divide(term, sum_pair(a, f64(n)))
        total = add(total, step)
        if fabs(step[0]) <= EPSILON * fabs(total[0]):
            break
    small = subtract(multiply_number(logarithm(pair(x)), a), log_gamma_one_more(a))
    power = exponential_less_one(small)
    return negative(add(power, multiply(add_number(power, f64(1.0)), multiply_number(total, a))))[0]


@scalar_function
def gamma_upper_far(a, x):
    """(y, k) with igammac(a, x) = y 2**k, from the continued fraction, for x > a and x > 1."""
    factor, k = gamma_factor_pair(a, x)
    return multiply_number(multiply(gamma_fraction_pair(a, x), factor), a), k


@scalar_function
def less_from_one(y, k):
    """1 - y 2**k as a float64, for 0 <= y 2**k <= 1."""
    if k < -200:
        return f64(1.0)
    return add_number(negative((scaled(y, k), scaled((y[1], y[0]), k))), f64(1.0))[0]


@scalar_function
def igamma_f64(a, x):
    """The regularised lower incomplete gamma function P(a, x).

    Error below 1 ulp. nan for a <= 0 and for x < 0; igamma(a, 0) = 0, igamma(a, inf) = 1.
    """
    if x == 0.0:
        return f64(0.0)
    if not ((a > 0.0) & (x > 0.0)):
        return NAN
    if a == INF:
        return f64(0.0)
    if x == INF:
        return f64(1.0)
    if (x > 1.0) & (x > a):
        y, k = gamma_upper_far(a, x)
        return less_from_one(y, k)
    factor, k = gamma_factor_pair(a, x)
    return scaled(multiply(gamma_series_pair(a, x), factor), k)


@scalar_function
def igammac_f64(a, x):
    """The regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x).

    Error below 1 ulp. nan for a <= 0 and for x < 0; igammac(a, 0) = 1, igammac(a, inf) = 0.
    """
    if not ((a > 0.0) & (x >= 0.0)):
        return NAN
    if x == INF:
        return f64(0.0)
    if (x == 0.0) | (a == INF):
        return f64(1.0)
    if (x > 1.0) & (x > a):
        y, k = gamma_upper_far(a, x)
        return scaled(y, k)
    if a < 1e-4:
        return gamma_upper_tiny(a, x)
    factor, k = gamma_factor_pair(a, x)
    return less_from_one(multiply(gamma_series_pair(a, x), factor), k)


@scalar_function
def igamma_grad_a_f64(a, x):
    """The derivative of igamma(a, x) by a.

    Error below 1 ulp. nan for a <= 0 and for x < 0.
    """
    if x == 0.0:
        return f64(0.0)
    if not ((a > 0.0) & (x > 0.0)):
        return NAN
    if (a == INF) | (x == INF):
        return f64(0.0)
    factor, k = gamma_factor_pair(a, x)
    log = logarithm(pair(x))
    if (x > 1.0) & (x > a):
        value, slope = gamma_fraction_slope(a, x)
        slope = negative(add(slope, subtract(log, digamma_pair(pair(a)))))
        return scaled(multiply(multiply(slope, value), multiply_number(factor, a)), k)
    total, slopes = gamma_series_slope(a, x)
    slope = add(slopes, multiply(total, subtract(log, digamma_pair(sum_pair(a, f64(1.0))))))
    return scaled(multiply(slope, factor), k)


# --- the incomplete beta function -------------------------------------------------------------------------------------


@scalar_function
def beta_factor_pair(a, b, x, y):
    """(z, k) with x**a y**b / B(a, b) = z 2**k for pairs x and y = 1 - x."""
    exponent = add(multiply_number(logarithm(x), a), multiply_number(logarithm(y), b))
    # Gamma(s + 1) / (Gamma(a + 1) Gamma(b + 1)) with s = a + b
    s = sum_pair(a, b)
    near, below = shifted(add_number(s, f64(1.0)))
    exponent = add(exponent, log_gamma_far(near))
    exponent = subtract(subtract(exponent, log_gamma_one_more(a)), log_gamma_one_more(b))
    z, k = exponential(exponent)
    return divide(multiply_number(multiply_number(z, a), b), multiply(s, below)), k


@scalar_function
def beta_series_pair(a, b, x):
    """The power series of betainc behind its factor, for small b x."""
    term = multiply(x, sum_pair(f64(1.0), -b))
    total = divide(term, sum_pair(a, f64(1.0)))
    for n in range(2, STEPS):
        term = divide(multiply(term, multiply(x, sum_pair(f64(n), -b))), pair(f64(n)))
        step = divide(term, sum_pair(a, f64(n)))
        total = add(total, step)
        if fabs(step[0]) <= EPSILON * (fabs(total[0]) + 1.0 / a):
            break
    return add_number(multiply_number(total, a), f64(1.0))


@scalar_function
def beta_fraction_pair(a, b, x):
    """The continued fraction of betainc by Lentz' method, which converges quickly below the mean a / (a + b)."""
    s = sum_pair(a, b)
    c, d = ONE, add_number(negative(divide(multiply(s, x), sum_pair(a, f64(1.0)))), f64(1.0))
    d = divide(ONE, d)
    value = d
    for m in range(1, STEPS):
        lower, middle, upper = (sum_pair(a, f64(2 * m - 1)), sum_pair(a, f64(2 * m)), sum_pair(a, f64(2 * m + 1)))
        even = divide(multiply(multiply_number(sum_pair(b, f64(-m)), f64(m)), x), multiply(lower, middle))
        odd = multiply(multiply(sum_pair(a, f64(m)), add_number(s, f64(m))), x)
        odd = negative(divide(odd, multiply(middle, upper)))
        d = divide(ONE, add_number(multiply(even, d), f64(1.0)))
        c = add_number(divide(even, c), f64(1.0))
        value = multiply(value, multiply(d, c))
        d = divide(ONE, add_number(multiply(odd, d), f64(1.0)))
        c = add_number(divide(odd, c), f64(1.0))
        change = multiply(d, c)
        value = multiply(value, change)
        if fabs((change[0] - 1.0) + change[1]) <= EPSILON:
            break
    return value


@scalar_function
def beta_part(a, b, x, y):
    """(z, k) with betainc(a, b, x) = z 2**k, for x up to about the mean and y = 1 - x."""
    factor, k = beta_factor_pair(a, b, x, y)
    if (b * x[0] <= 1.0) & (x[0] <= 0.9):
        # (1 - x)**b is no part of the power series
        power, down = exponential(negative(multiply_number(logarithm(y), b)))
        factor, k = multiply(factor, power), k + down
        return divide(multiply(factor, beta_series_pair(a, b, x)), pair(a)), k
    return divide(multiply(factor, beta_fraction_pair(a, b, x)), pair(a)), k


@scalar_function
def betainc_f64(a, b, x):
    """The regularised incomplete beta function I_x(a, b).

    Error below 1 ulp. nan for a <= 0, b <= 0 and x outside [0, 1]; 0 at x = 0, 1 at x = 1.
    """
    if (a <= 0.0) | (b <= 0.0) | (x < 0.0) | (x > 1.0) | (x != x):
        return NAN
    if x == 0.0:
        return f64(0.0)
    if x == 1.0:
        return f64(1.0)
    if not ((a < INF) & (b < INF)):
        return NAN
    y = sum_pair(f64(1.0), -x)
    if (x <= (a + 1.0) / (a + b + 2.0)) | ((b * x <= 1.0) & (x <= 0.9)):
        z, k = beta_part(a, b, pair(x), y)
        return scaled(z, k)
    z, k = beta_part(b, a, y, pair(x))
    return less_from_one(z, k)
