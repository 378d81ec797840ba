"""What test_vecmath measures the special functions against: mpmath's values, where to look, and how errors count."""

import math

import mpmath
import numpy as np

MP = mpmath.MPContext()
MP.prec = 200
INF, NAN = math.inf, math.nan


def dawsn(x):
    if abs(x) < 100:
        return MP.sqrt(MP.pi) / 2 * MP.exp(-x * x) * MP.erfi(x)
    return sum(MP.fac2(2 * k - 1) / (2**k * x ** (2 * k)) for k in range(12)) / (2 * x)


def spence(x):
    return MP.re(MP.polylog(2, 1 - x)) if x <= 2 else -(MP.log(x) ** 2) / 2 - MP.re(MP.polylog(2, 1 - 1 / x))


def zeta(x, q):
    """The Euler-Maclaurin formula after 150 terms; mpmath's zeta is wrong for large q."""
    a = q + 150
    total = sum((q + k) ** -x for k in range(150)) + a ** (1 - x) / (x - 1) + a**-x / 2
    for k in range(1, 20):
        total += MP.bernoulli(2 * k) / MP.factorial(2 * k) * MP.rf(x, 2 * k - 1) * a ** (-x - 2 * k + 1)
    return total


def polygamma(n, x):
    return MP.digamma(x) if n == 0 else (-1) ** (int(n) + 1) * MP.factorial(n) * zeta(n + 1, x)


def ndtri(p):
    if p > 0.2:
        return MP.sqrt(2) * MP.erfinv(2 * p - 1)
    u = MP.sqrt(-2 * MP.log(p))
    start = MP.log(u * MP.sqrt(2 * MP.pi)) / u - u
    return MP.findroot(lambda x: MP.log(MP.erfc(-x / MP.sqrt(2)) / 2) - MP.log(p), start)


def igamma_grad_a(a, x):
    with MP.workprec(300):
        h = a * MP.mpf(2) ** -80
        if x > a:
            return (MP.gammainc(a - h, x, MP.inf, True) - MP.gammainc(a + h, x, MP.inf, True)) / (2 * h)
        return (MP.gammainc(a + h, 0, x, True) - MP.gammainc(a - h, 0, x, True)) / (2 * h)


def _bessel(function, order, grow=0):
    return lambda x: function(order, x) * (MP.exp(grow * abs(x)) if grow else 1)


REFERENCES = {
    **{f"bessel_i{n}": _bessel(MP.besseli, n) for n in (0, 1)},
    **{f"bessel_i{n}e": _bessel(MP.besseli, n, -1) for n in (0, 1)},
    **{f"bessel_k{n}": _bessel(MP.besselk, n) for n in (0, 1)},
    **{f"bessel_k{n}e": _bessel(MP.besselk, n, 1) for n in (0, 1)},
    **{f"bessel_j{n}": _bessel(MP.besselj, n) for n in (0, 1)},
    **{f"bessel_y{n}": _bessel(MP.bessely, n) for n in (0, 1)},
    "dawsn": dawsn,
    "expint": MP.ei,
    "fresnel_cos": MP.fresnelc,
    "fresnel_sin": MP.fresnels,
    "spence": spence,
    "erfinv": MP.erfinv,
    "ndtri": ndtri,
    "digamma": MP.digamma,
    "zeta": zeta,
    "polygamma": polygamma,
    "igamma": lambda a, x: MP.gammainc(a, 0, x, True),
    "igammac": lambda a, x: MP.gammainc(a, x, MP.inf, True),
    "igamma_grad_a": igamma_grad_a,
    "betainc": lambda a, b, x: MP.betainc(a, b, 0, x, True),
}


def waves(x):
    return MP.sqrt(2 / (MP.pi * abs(x)))


# vecmath.ABSOLUTE as functions
SCALES = {
    "lgamma": lambda x: max(1, MP.loggamma(-x)) if x < 0 else 0,
    "bessel_j0": lambda x: min(1, waves(x)) if x else 1,
    "bessel_j1": lambda x: min(abs(x), waves(x)) if x else 0,
    "bessel_y0": lambda x: min(1, waves(x)),
    "bessel_y1": lambda x: min(1, waves(x)),
    "digamma": lambda x: MP.mpf(2) ** -20 if x < 0 else 0,
    "zeta": lambda x, q: abs(q - MP.nint(q)) ** -x if q < 0 else 0,
    "polygamma": lambda n, x: MP.factorial(n) * abs(x - MP.nint(x)) ** (-n - 1) if x < 0 else 0,
}

_rng = np.random.default_rng(0)
_positive = np.concatenate(
    [_rng.uniform(0, 1, 15), _rng.uniform(0, 12, 40), _rng.uniform(0, 60, 8), np.exp(_rng.uniform(-40, 6.5, 12))]
    + [[1e-300, 0.25, 0.5, 1, 2, 4, 5, 8]]
)
_odd = np.concatenate([_positive, -_positive])
_unit = np.concatenate([_rng.uniform(0, 1, 30), np.exp(_rng.uniform(-80, 0, 20)), 1 - np.exp(_rng.uniform(-36, 0, 25))])


def _grid(*axes):
    return tuple(np.array(column) for column in zip(*np.stack(np.meshgrid(*axes), -1).reshape(-1, len(axes)).tolist()))


_shape = [1e-3, 0.1, 0.5, 1, 1.5, 3, 7.9, 8.1, 20, 50, 200]
_gammas = _grid(_shape, [1e-3, 0.1, 0.4, 0.6, 1, 1.05, 1.2, 2, 5, 9, 20, 60, 180, 230])
ARGUMENTS = {
    **dict.fromkeys(("bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e", "bessel_j0", "bessel_j1"), (_odd,)),
    **dict.fromkeys(("dawsn", "fresnel_cos", "fresnel_sin"), (_odd,)),
    **dict.fromkeys(("bessel_k0", "bessel_k0e", "bessel_k1", "bessel_k1e", "bessel_y0", "bessel_y1"), (_positive,)),
    "expint": (np.concatenate([_positive, _rng.uniform(0.2, 0.55, 30), [700, 709, 712]]),),
    "spence": (_positive,),
    "erfinv": (np.concatenate([_unit, -_unit]),),
    "ndtri": (np.append(_unit, [1e-310, 5e-324]),),
    "digamma": (_odd[(_odd > -50) & (np.round(_odd) != _odd) | (_odd > 0)],),
    "zeta": _grid([1.001, 1.5, 2, 3, 5.5, 10, 30.5, 100], [1e-10, 0.1, 0.5, 1, 1.5, 3, 9.7, 20, 300, 1e5]),
    "polygamma": _grid([0, 1, 2, 3, 5, 9, 20], [0.01, 0.3, 1, 1.4, 3, 8, 30, 1e3, 1e6]),
    "igamma": _gammas,
    "igammac": _gammas,
    "igamma_grad_a": _gammas,
    "betainc": _grid([1e-3, 0.1, 0.5, 1, 2.5, 7, 9, 30, 200], [0.3, 1, 3, 8.5, 40], [1e-8, 0.01, 0.3, 0.5, 0.9, 0.99]),
}
ARGUMENTS["zeta"] = tuple(map(np.append, ARGUMENTS["zeta"], ([2, 3, 10], [-2.3, -0.7, -5.2])))


_edges = [(NAN, NAN), (INF, NAN)]
SPECIAL = {
    "bessel_i0": [(0.0, 1.0), *_edges],
    "bessel_i0e": [(0.0, 1.0), (INF, 0.0), (-INF, 0.0), (NAN, NAN)],
    "bessel_i1": [(0.0, 0.0), (-0.0, -0.0), *_edges],
    "bessel_i1e": [(0.0, 0.0), (INF, 0.0), (-INF, -0.0), (NAN, NAN)],
    **{f"bessel_{name}": [(0.0, INF), (-2.0, INF), (INF, 0.0), (NAN, NAN)] for name in ("k0", "k0e", "k1", "k1e")},
    "bessel_j0": [(0.0, 1.0), *_edges],
    "bessel_j1": [(0.0, 0.0), (-0.0, -0.0), *_edges],
    **{name: [(0.0, -INF), (-2.0, -INF), *_edges] for name in ("bessel_y0", "bessel_y1")},
    "dawsn": [(0.0, 0.0), (-0.0, -0.0), (INF, 0.0), (-INF, -0.0), (NAN, NAN)],
    "expint": [(0.0, -INF), (-0.0, -INF), (-1.0, NAN), *_edges],
    **{name: [(0, 0), (-0.0, -0.0), (INF, 0.5), (-INF, -0.5), (NAN, NAN)] for name in ("fresnel_cos", "fresnel_sin")},
    "spence": [(0.0, math.pi**2 / 6), (1.0, 0.0), (-1.0, NAN), *_edges],
    "erfinv": [(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.5, NAN), *_edges],
    "ndtri": [(0.0, -INF), (0.5, 0.0), (1.0, INF), (-0.5, NAN), (1.5, NAN), *_edges],
    "digamma": [(0.0, NAN), (-1.0, NAN), (INF, INF), (-INF, NAN), (NAN, NAN)],
    "zeta": [
        *((1.0, 2.0, INF), (0.5, 2.0, NAN), (2.0, 0.0, INF), (3.0, -1.0, NAN), (2.5, -0.5, NAN)),
        *((2.0, INF, 0.0), (INF, 1.0, 1.0), (INF, 2.0, 0.0), (INF, 0.5, INF), (NAN, 1.0, NAN), (2.0, NAN, NAN)),
    ],
    "polygamma": [
        (1.5, 2.0, NAN),
        (-1.0, 2.0, NAN),
        (1.0, 0.0, INF),
        (2.0, 0.0, NAN),
        (1.0, INF, 0.0),
        (NAN, 1.0, NAN),
    ],
    "igamma": [
        *((2.0, 0.0, 0.0), (NAN, 0.0, 0.0), (2.0, INF, 1.0), (INF, 2.0, 0.0), (0.0, 1.0, NAN), (-1.0, 1.0, NAN)),
        *((1.0, -1.0, NAN), (NAN, 1.0, NAN), (1.0, NAN, NAN)),
    ],
    "igammac": [
        *((2.0, 0.0, 1.0), (NAN, 0.0, NAN), (2.0, INF, 0.0), (INF, 2.0, 1.0), (0.0, 1.0, NAN), (-1.0, 1.0, NAN)),
        *((1.0, -1.0, NAN), (NAN, 1.0, NAN), (1.0, NAN, NAN)),
    ],
    "igamma_grad_a": [(2.0, 0.0, 0.0), (2.0, INF, 0.0), (INF, 2.0, 0.0), (0.0, 1.0, NAN), (1.0, -1.0, NAN)],
    "betainc": [
        *((1.0, 2.0, 0.0, 0.0), (1.0, 2.0, 1.0, 1.0), (0.0, 1.0, 0.5, NAN), (1.0, -1.0, 0.5, NAN)),
        *(
            (1.0, 1.0, -0.5, NAN),
            (1.0, 1.0, 1.5, NAN),
            (1.0, 1.0, NAN, NAN),
            (NAN, 1.0, 0.5, NAN),
            (NAN, 1.0, 1.0, 1.0),
        ),
    ],
}
