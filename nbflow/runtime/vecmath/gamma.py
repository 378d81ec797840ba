"""The gamma function's family: digamma, polygamma, Hurwitz' zeta, and the incomplete gamma and beta functions.

digamma is a polynomial below 4 and its asymptotic series beyond; zeta is a sum and the Euler-Maclaurin formula for the
rest; the incomplete functions are power series or continued fractions behind a factor that is computed without taking
differences of large logarithms. The polynomials interpolate the function named beside them at Chebyshev points, in
50-digit arithmetic. The functions branch and loop, so they do not vectorise.

What is called _short loses some digits of float64 and is for float32; the float64 versions are in gamma_pairs.py.
"""

import numpy as np

from nbflow.runtime.vecmath.bits import (
    f64,
    fabs,
    floor,
    fma,
    polynomial,
    rint,
    rounded,
    scalar_function,
    sqrt,
    two_sum,
)
from nbflow.runtime.vecmath.exponential import exp_f64, expm1_f64
from nbflow.runtime.vecmath.gamma_pairs import digamma_reflected, factorial
from nbflow.runtime.vecmath.logarithm import log1p_f64, log_f64
from nbflow.runtime.vecmath.power import pow_f64
from nbflow.runtime.vecmath.special import LGAMMA, STIRLING, lgamma_f64
from nbflow.runtime.vecmath.trigonometric import cosine_f64, sine_f64

# digamma(x) / (x - root) in 2 x - 3 on 1 <= x <= 2
DIGAMMA_ROOT = polynomial(f64, (
    0.9510558760318328, -0.2118137106407303, 0.060135621060196744, -0.018550615381735115, 0.005936795278305649,
    -0.0019350666648590097, 0.0006368880303257201, -0.00021074841140458636, 6.995018873950506e-05,
    -2.325824239445257e-05, 7.741232223504057e-06, -2.57809436305308e-06, 8.589127353033379e-07,
    -2.86315275846934e-07, 9.542050972688906e-08, -3.163020268955334e-08, 1.0542687624027994e-08,
    -3.7075072647122386e-09, 1.2358072433984831e-09, -2.7619635330317715e-10, 9.206434499177992e-11,
    -8.498137230186096e-11, 2.832706668021759e-11,
))  # fmt: skip
# digamma(x) in x - 3 on 2 <= x <= 4
DIGAMMA_MIDDLE = polynomial(f64, (
    0.9227843350984671, 0.39493406684822646, -0.07705690315959429, 0.019823233711134862, -0.005677755143368817,
    0.0017180619845354134, -0.0005367773819515793, 0.00017110619691420163, -5.526782573889967e-05,
    1.8012634635133646e-05, -5.9073563913857425e-06, 1.9459008352596906e-06, -6.430259226267795e-07,
    2.1304958946184967e-07, -7.06817711097889e-08, 2.3351638439175582e-08, -7.763545025251715e-09,
    2.7242742307479803e-09, -9.068336793645203e-10, 2.0269507176299237e-10, -6.749345689248068e-11,
    6.218811526831498e-11, -2.0722454724131336e-11,
))  # fmt: skip
# (log(x) - 1 / (2 x) - digamma(x)) x**2 in 1 / x**2 on x >= 4
DIGAMMA_LARGE = polynomial(f64, (
    0.08333333333333333, -0.008333333333331309, 0.00396825396669174, -0.004166666189390399, 0.00757568128718997,
    -0.021085480231143226, 0.08287780760807265, -0.4238843454039485, 2.4691541279502918, -13.426103331601523,
    53.456525338561356, -107.61230023246503,
))  # fmt: skip
# (log(1 + m) - m) / m**2 in (m - 0.05) / 0.35 on -0.3 <= m <= 0.4
LOG1PMX = polynomial(f64, (
    -0.4839343322271988, 0.10841398451411617, -0.02723572628710837, 0.00728653176610035, -0.00202875789166141,
    0.0005806609400729946, -0.0001695906354541544, 5.0304025434372515e-05, -1.5104726390997705e-05,
    4.580609771243875e-06, -1.4005100127124683e-06, 4.3115998240581184e-07, -1.3353571021871703e-07,
    4.15617341936132e-08, -1.2958013669837677e-08, 4.0663523747473195e-09, -1.3222174356083674e-09,
    4.1783066330868826e-10, -1.0127901751701029e-10, 3.207818936840862e-11, -2.3287156817216234e-11,
    7.441778792452798e-12,
))  # fmt: skip

INF, NAN = f64("inf"), f64("nan")
PI, TWO_PI = f64(3.141592653589793), f64(6.283185307179586)
EPSILON = f64(1.1102230246251565e-16)
DIGAMMA_ZERO, DIGAMMA_ZERO_LOW = f64(1.4616321449683622), f64(9.549995429965697e-17)
# B(2 k) / (2 k)!, the coefficients of the Euler-Maclaurin formula
EULER_MACLAURIN = np.array(
    (
        0.08333333333333333,
        -0.001388888888888889,
        3.306878306878307e-05,
        -8.267195767195768e-07,
        2.08767569878681e-08,
        -5.284190138687493e-10,
        1.3382536530684679e-11,
        -3.3896802963225827e-13,
        8.586062056277845e-15,
        -2.174868698558062e-16,
        5.509002828360229e-18,
        -1.3954464685812522e-19,
    )
)
STEPS = 20_000  # of a series or continued fraction; they take about 6 sqrt(a)


@scalar_function
def digamma_positive(x):
    """digamma(x) for x > 0."""
    if x < 1.0:
        return (x - (DIGAMMA_ZERO - 1.0) - DIGAMMA_ZERO_LOW) * DIGAMMA_ROOT(2.0 * x - 1.0) - 1.0 / x
    if x < 2.0:
        return ((x - DIGAMMA_ZERO) - DIGAMMA_ZERO_LOW) * DIGAMMA_ROOT(2.0 * x - 3.0)
    if x < 4.0:
        return DIGAMMA_MIDDLE(x - 3.0)
    w = 1.0 / x / x
    return (log_f64(x) - 0.5 / x) - w * DIGAMMA_LARGE(w)


@scalar_function
def digamma_f64(x):
    """The derivative of lgamma.

    Error below 4 ulp. nan at 0, -1, -2 ... and -inf, as in TensorFlow.
    """
    if x > 0.0:
        return digamma_positive(x)
    return NAN if floor(x) == x else digamma_reflected(x)


@scalar_function
def digamma_short(x):
    """digamma, next to the zeros left of 0 with a small absolute error only."""
    if (x > 0.0) | (floor(x) == x):
        return digamma_f64(x)
    rest = x - rint(x)
    if fabs(rest) == 0.5:
        return digamma_positive(1.0 - x)
    cotangent = cosine_f64(PI * rest, f64(0.0)) / sine_f64(PI * rest, f64(0.0))
    if fabs(rest) > 0.25:
        other = 0.5 - fabs(rest)
        cotangent = sine_f64(PI * other, f64(0.0)) / cosine_f64(PI * other, f64(0.0))
        cotangent = cotangent if rest > 0.0 else -cotangent
    return digamma_positive(1.0 - x) - PI * cotangent


@scalar_function
def zeta_term(a, a_low, x):
    """(a + a_low)**-x for a small a_low."""
    y = pow_f64(a, -x)
    return fma(-x * (a_low / a), y, y) if a_low != 0.0 else y


@scalar_function
def zeta_f64(x, q):
    """Hurwitz' zeta function, the sum of (q + k)**-x over k = 0, 1, 2 ...

    Error below 4 ulp. For q < 0 in ulp of the largest term. inf for x = 1, nan for x < 1; at q = 0, -1, -2 ... inf for
    even x and nan for others; nan for other q < 0 unless x is whole.
    """
    if x == 1.0:
        return INF
    if not (x > 1.0) or q != q:
        return NAN
    if q <= 0.0:
        if floor(q) == q:
            return INF if floor(0.5 * x) == 0.5 * x else NAN
        if floor(x) != x:
            return NAN
    if q == INF:
        return f64(0.0)
    total, rest = pow_f64(q, -x), f64(0.0)
    if (x == INF) | (total == INF):
        return total
    far = x + 10.0
    a, k = q, f64(0.0)
    a_low = f64(0.0)
    while a < far:
        k += 1.0
        a, a_low = two_sum(q, k)
        term = zeta_term(a, a_low, x)
        total, lost = two_sum(total, term)
        rest += lost
        if (a > 0.0) & (term <= EPSILON * 0.01 * fabs(total)):
            return total + rest
    # the rest from a on, half of whose first term is one too many in the total
    term = zeta_term(a, a_low, x)
    tail = -0.5 * term
    factor = x
    power = term / a
    for n in range(12):
        step = factor * EULER_MACLAURIN[n] * power
        tail += step
        if fabs(step) <= EPSILON * fabs(total):
            break
        factor *= (x + (2.0 * n + 1.0)) * (x + (2.0 * n + 2.0))
        power = power / a / a
    total, lost = two_sum(total, term * (a / (x - 1.0)))
    return total + (rest + lost + tail)


@scalar_function
def polygamma_f64(a, x):
    """The derivative of order a of digamma at x.

    Error below 4 ulp. For x < 0 in ulp of the largest term of the sum. nan unless a is 0, 1, 2 ...
    """
    if a == 0.0:
        return digamma_f64(x)
    if not (a > 0.0) or floor(a) != a:
        return NAN
    y = (factorial(a) if a <= 170.0 else INF) * zeta_f64(a + 1.0, x)
    return y if floor(0.5 * a) != 0.5 * a else -y


@scalar_function
def log1pmx(m, ratio):
    """log(1 + m) - m for ratio = 1 + m, accurate near m = 0."""
    if (m >= -0.3) & (m <= 0.4):
        return m * m * LOG1PMX((m - 0.05) / 0.35)
    return log_f64(ratio) - m


@scalar_function
def stirling(a):
    """log(Gamma(a)) - (a - 1/2) log(a) + a - log(2 pi) / 2 for a >= 8."""
    return STIRLING(1.0 / a / a) / a


@scalar_function
def gamma_factor(a, x):
    """x**a e**-x / Gamma(a + 1) for a > 0."""
    if a < 8.0:
        if x > 800.0:
            return f64(0.0)
        if a < 0.5:
            return pow_f64(x, a) * exp_f64(-x - (a * LGAMMA(a) - log1p_f64(a)))
        return pow_f64(x, a) * exp_f64(-x) / exp_f64(lgamma_f64(a + 1.0))
    return exp_f64(a * log1pmx((x - a) / a, x / a) - stirling(a)) / sqrt(TWO_PI * a)


@scalar_function
def gamma_series(a, x):
    """The sum of x**n / ((a + 1) ... (a + n)) and its derivative by a."""
    term, total, slope, slopes = f64(1.0), f64(1.0), f64(0.0), f64(0.0)
    for n in range(1, STEPS):
        term *= x / (a + n)
        slope = slope * (x / (a + n)) - term / (a + n)
        total += term
        slopes += slope
        if (term <= EPSILON * total) & (fabs(slope) <= EPSILON * fabs(slopes)):
            break
    return total, slopes


@scalar_function
def gamma_fraction(a, x):
    """Legendre's continued fraction for Gamma(a, x) / (x**a e**-x) by Lentz' method, and its logarithm's slope by a."""
    b = x + 1.0 - a
    c, d = f64(1e300), 1.0 / b
    dc, dd = f64(0.0), d * d
    value, slope = d, d
    for n in range(1, STEPS):
        numerator = n * (a - n)
        b += 2.0
        dd = 1.0 - n * d - numerator * dd
        d = 1.0 / (numerator * d + b)
        dd *= d * d
        dc = n / c - numerator / c * (dc / c) - 1.0
        c = b + numerator / c
        change, bend = c * d, dd / d + dc / c
        value *= change
        slope += bend
        if (fabs(change - 1.0) <= 2.0 * EPSILON) & (fabs(bend) <= 4.0 * EPSILON * (1.0 + fabs(slope))):
            break
    return value, slope


@scalar_function
def gamma_upper_small(a, x):
    """1 - igamma(a, x) for small x and a, where the difference would cancel."""
    term, total = f64(1.0), f64(0.0)
    for n in range(1, 200):
        term *= -x / n
        step = term / (a + n)
        total += step
        if fabs(step) <= EPSILON * fabs(total):
            break
    log_gamma = a * LGAMMA(a) - log1p_f64(a) if a < 0.5 else lgamma_f64(a + 1.0)
    log_factor = a * log_f64(x) - log_gamma
    return -expm1_f64(log_factor) - exp_f64(log_factor) * a * total


@scalar_function
def igamma_short(a, x):
    """The regularised lower incomplete gamma function P(a, x).

    nan for a <= 0 and for x < 0; igamma(a, 0) = 0, igamma(a, inf) = 1.
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
        return 1.0 - gamma_fraction(a, x)[0] * gamma_factor(a, x) * a
    return gamma_series(a, x)[0] * gamma_factor(a, x)


@scalar_function
def igammac_short(a, x):
    """The regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x).

    nan for a <= 0 and for x < 0; igammac(a, 0) = 1, igammac(a, inf) = 0.
    """
    if not ((a > 0.0) & (x >= 0.0)):
        return NAN
    if x == INF:
        return f64(0.0)
    if (x == 0.0) | (a == INF):
        return f64(1.0)
    if x <= 1.1:
        if (a < -0.4 / log_f64(x)) if x <= 0.5 else (a < 1.1 * x):
            return gamma_upper_small(a, x)
        return 1.0 - gamma_series(a, x)[0] * gamma_factor(a, x)
    if x <= a:
        return 1.0 - gamma_series(a, x)[0] * gamma_factor(a, x)
    return gamma_fraction(a, x)[0] * gamma_factor(a, x) * a


@scalar_function
def igamma_grad_a_short(a, x):
    """The derivative of igamma(a, x) by a.

    nan for a <= 0 and for x < 0.
    """
    if x == 0.0:
        return f64(0.0)
    if not ((a > 0.0) & (x > 0.0)):
        return NAN
    if (a == INF) | (x == INF):
        return f64(0.0)
    if (x > 1.0) & (x > a):
        value, slope = gamma_fraction(a, x)
        return -(slope + (log_f64(x) - digamma_f64(a))) * value * gamma_factor(a, x) * a
    total, slopes = gamma_series(a, x)
    return (slopes + total * (log_f64(x) - digamma_f64(a + 1.0))) * gamma_factor(a, x)


@scalar_function
def log_gamma_ratio(a, b):
    """log(Gamma(a + b) / Gamma(b)) for b >= 8."""
    s = a + b
    return (b - 0.5) * log1p_f64(a / b) + a * (log_f64(s) - 1.0) + (stirling(s) - stirling(b))


@scalar_function
def beta_factor(a, b, x):
    """x**a (1 - x)**b / B(a, b) for a, b > 0 and 0 < x < 1."""
    small, large = (a, b) if a < b else (b, a)
    if small >= 8.0:
        s = a + b
        near = (x * b - (1.0 - x) * a) if fabs(x) > 0.5 else (x * s - a)
        exponent = a * log1pmx(near / a, x * s / a) + b * log1pmx(-near / b, (1.0 - x) * s / b)
        exponent += stirling(s) - stirling(a) - stirling(b)
        return exp_f64(exponent) * sqrt(a / TWO_PI) * sqrt(b / s)
    log_power = a * log_f64(x) + b * log1p_f64(-x)
    if large >= 8.0:
        return exp_f64(log_power + log_gamma_ratio(small, large) - lgamma_f64(small))
    return exp_f64(log_power + (lgamma_f64(a + b) - lgamma_f64(a) - lgamma_f64(b)))


@scalar_function
def beta_series(a, b, x):
    """The power series of betainc behind its factor, for small b x."""
    term = x * (1.0 - b)
    total = term / (a + 1.0)
    for n in range(2, STEPS):
        term *= x * (n - b) / n
        step = term / (a + n)
        total += step
        if fabs(step) <= EPSILON * fabs(total):
            break
    return 1.0 + a * total


@scalar_function
def beta_fraction(a, b, x):
    """The continued fraction of betainc by Lentz' method, which converges quickly below the mean a / (a + b)."""
    c = f64(1.0)
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if d != 0.0 else 1e-300)
    value = d
    for m in range(1, STEPS):
        even = m * (b - m) * x / ((a + (2.0 * m - 1.0)) * (a + 2.0 * m))
        d = 1.0 + even * d
        c = 1.0 + even / c
        d = 1.0 / (d if d != 0.0 else 1e-300)
        c = c if c != 0.0 else f64(1e-300)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + (2.0 * m + 1.0)))
        d = 1.0 + odd * d
        c = 1.0 + odd / c
        d = 1.0 / (d if d != 0.0 else 1e-300)
        c = c if c != 0.0 else f64(1e-300)
        value *= d * c
        if fabs(d * c - 1.0) <= 2.0 * EPSILON:
            break
    return value


@scalar_function
def betainc_short(a, b, x):
    """The regularised incomplete beta function I_x(a, b).

    nan for a <= 0, b <= 0 and x outside [0, 1]; 0 at x = 0, 1 at x = 1.
    """
    if (a <= 0.0) | (b <= 0.0) | (x < 0.0) | (x > 1.0) | (x != x):
        return NAN
    if x == 0.0:
        return f64(0.0)
    if x == 1.0:
        return f64(1.0)
    if not ((a < INF) & (b < INF)):
        return NAN
    factor, y = beta_factor(a, b, x), 1.0 - x
    if (b * x <= 1.0) & (x <= (0.95 if b > 0.1 else 0.998)):
        return factor / pow_f64(y, b) * beta_series(a, b, x) / a
    if x <= (a + 1.0) / (a + b + 2.0):
        return factor * beta_fraction(a, b, x) / a
    if (a * y <= 1.0) & (y <= (0.95 if a > 0.1 else 0.998)):
        return 1.0 - factor / pow_f64(x, a) * beta_series(b, a, y) / b
    return 1.0 - factor * beta_fraction(b, a, y) / b


digamma_f32 = rounded(digamma_short)
zeta_f32 = rounded(zeta_f64)
polygamma_f32 = rounded(polygamma_f64)
igamma_f32 = rounded(igamma_short)
igammac_f32 = rounded(igammac_short)
igamma_grad_a_f32 = rounded(igamma_grad_a_short)
betainc_f32 = rounded(betainc_short)
