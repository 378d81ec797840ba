"""Distributions that are sampled by rejection, from Philox streams, by TensorFlow's algorithms.

Sample number `output` of a call owns the blocks from 256 · output on, whatever the samples before it needed, so that
samples can be made in any order. A block gives four numbers of 32 bits or two of 64, which are taken last to first, as
TensorFlow does.

    gamma(alpha, output, lo, hi, key)                  Marsaglia and Tsang, ACM TOMS 26, 2000
    poisson(rate, output, lo, hi, key)                 Knuth's product below 10, else Hörmann, IME 12, 1993
    binomial(count, prob, output, lo, hi, key)         geometric inversion or Hörmann, J. Stat. Comput. Simul. 46,
                                                       1993: their product decides, in the parameters' dtype
    category(sums, n, lo, hi, key)                     the category of uniform number n; `cumulate` makes the sums
    gamma_gradient_<dtype>(alpha, sample)              ∂ sample / ∂ alpha: Figurnov et al., NeurIPS 2018
    bounded_normals_<dtype>(…)                         the normals between two bounds of one set of parameters
    index_shuffle(index, k0, k1, k2, last, rounds)     the Simon cipher, walked until it stays in [0, last]

Logarithms, exponentials and powers are the C library's, as in TensorFlow, so that their last bit and with it every
decision is the same. `bounded_normals_float16` computes in float32 and rounds after each operation.

Source: TensorFlow's StatelessRandomGammaFunctor, PoissonFunctor, RandomBinomialFunctor,
MultinomialFunctor, TruncatedNormalFunctorV2 and index_shuffle, and Eigen's igamma_generic_impl.
"""

import math
from functools import cache

import numpy as np

from nbflow.runtime.intrinsics import round_f16
from nbflow.runtime.libm import (
    exp_32,
    exp_64,
    lgamma_64,
    log1p_64,
    log2_64,
    log_32,
    log_64,
    pow_64,
)
from nbflow.runtime.philox import (
    inline,
    internal,
    jit,
    normal_float32,
    normal_float64,
    uniform_float16,
    uniform_float32,
    uniform_float64,
)

_ONE = np.uint64(1)
_BLOCKS = np.uint64(256)  # that a sample owns
_INVERSION_BLOCKS = np.uint64(42)  # the same for a binomial sample by inversion


@cache
def python_callable(function):
    """A function that jitted code calls as one that Python calls, for references and tests."""
    return jit(lambda *x: function(*x))


# --- float16, in float32 ----------------------------------------------------------------------------------------------


@inline
def _same(x):
    return x


@inline
def normal_float16(index, counter_lo, counter_hi, key):
    """Four normals of a block, rounded to float16."""
    a, b, c, d = normal_float32(index, counter_lo, counter_hi, key)
    return round_f16(a), round_f16(b), round_f16(c), round_f16(d)


# --- gamma, Poisson, binomial: parameters and samples are float64 -----------------------------------------------------

_NOTHING = (0.0, 0.0)


@internal
def gamma(alpha, output, lo, hi, key):
    """A sample of the gamma distribution of a shape alpha, of scale 1."""
    block = output * _BLOCKS
    if alpha == 1.0:
        return -log1p_64(-uniform_float64(block, lo, hi, key)[1])
    d = alpha + (2.0 / 3 if alpha < 1.0 else -1.0 / 3)
    c = 1.0 / 3 / math.sqrt(d) if d > 0.0 else np.nan
    normal, normal_left = _NOTHING, 0
    uniform, uniform_left = _NOTHING, 0
    while True:
        if normal_left == 0:
            normal, normal_left = normal_float64(block, lo, hi, key), 2
            block += _ONE
        normal_left -= 1
        x = normal[normal_left]
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        if uniform_left == 0:
            uniform, uniform_left = uniform_float64(block, lo, hi, key), 2
            block += _ONE
        uniform_left -= 1
        u = uniform[uniform_left]
        if u < 1.0 - 0.0331 * (x * x) * (x * x) or log_64(u) < 0.5 * x * x + d * (1.0 - v + log_64(v)):
            if alpha >= 1.0:
                return d * v
            if uniform_left == 0:
                uniform, uniform_left = uniform_float64(block, lo, hi, key), 2
            return d * v * pow_64(uniform[uniform_left - 1], 1.0 / alpha)


@internal
def _poisson_product(rate, block, lo, hi, key):
    limit, product, count = exp_64(-rate), 1.0, 0.0
    while True:
        values = uniform_float64(block, lo, hi, key)
        block += _ONE
        for k in (1, 0):
            product *= values[k]
            if product <= limit:
                return count
            count += 1.0


@internal
def poisson(rate, output, lo, hi, key):
    """A sample of the Poisson distribution; 0 below rate 0, the rate itself where it is infinite or NaN."""
    block = output * _BLOCKS
    if rate < 10.0:
        return _poisson_product(rate, block, lo, hi, key)
    if not rate < np.inf:
        return rate
    log_rate = log_64(rate)
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_acceptance = 1.1239 + 1.1328 / (b - 3.4)
    while True:
        values = uniform_float64(block, lo, hi, key)
        block += _ONE
        u, v = values[1] - 0.5, values[0]
        rest = 0.5 - abs(u)
        count = float(math.floor((2.0 * a / rest + b) * u + rate + 0.43))
        if rest >= 0.07 and v <= 0.9277 - 3.6224 / (b - 2.0):
            return count
        if count < 0.0 or (rest < 0.013 and v > rest):
            continue
        s = log_64(v * inverse_acceptance / (a / (rest * rest) + b))
        if s <= -rate + count * log_rate - lgamma_64(count + 1.0):
            return count


_TAILS = (
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
    0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287,
)  # fmt: skip


@internal
def _stirling_tail(k):
    """log(k!) less Stirling's formula."""
    if k <= 9:
        return _TAILS[int(k)]
    square = (k + 1.0) * (k + 1.0)
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1.0)


@internal
def _binomial_inversion(count, prob, block, lo, hi, key):
    total, successes = 0.0, 0.0
    scale = log1p_64(-prob)
    while True:
        values = uniform_float64(block, lo, hi, key)
        block += _ONE
        for k in (1, 0):
            total += math.ceil(log_64(values[k]) / scale)
            if total > count:
                return successes
            successes += 1.0


@internal
def _binomial_rejection(count, prob, block, lo, hi, key):
    deviation = math.sqrt(count * prob * (1.0 - prob))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * prob
    c = count * prob + 0.5
    v_r = 0.92 - 4.2 / b
    r = prob / (1.0 - prob)
    alpha = (2.83 + 5.1 / b) * deviation
    m = float(math.floor((count + 1.0) * prob))
    while True:
        values = uniform_float64(block, lo, hi, key)
        block += _ONE
        u, v = values[1] - 0.5, values[0]
        rest = 0.5 - abs(u)
        k = float(math.floor((2.0 * a / rest + b) * u + c))
        if rest >= 0.07 and v <= v_r:
            return k
        if k < 0.0 or k > count:
            continue
        v = log_64(v * alpha / (a / (rest * rest) + b))
        bound = (
            (m + 0.5) * log_64((m + 1.0) / (r * (count - m + 1.0)))
            + (count + 1.0) * log_64((count - m + 1.0) / (count - k + 1.0))
            + (k + 0.5) * log_64(r * (count - k + 1.0) / (k + 1.0))
            + _stirling_tail(m)
            + _stirling_tail(count - m)
            - _stirling_tail(k)
            - _stirling_tail(count - k)
        )
        if v <= bound:
            return k


@internal
def _binomial(count, prob, mean, output, lo, hi, key):
    if mean >= 10:
        return _binomial_rejection(count, prob, output * _BLOCKS, lo, hi, key)
    return _binomial_inversion(count, prob, output * _INVERSION_BLOCKS, lo, hi, key)


def _binomial_of(rounded):
    @internal
    def binomial(count, prob, output, lo, hi, key):
        one, half = prob * 0 + 1, prob * 0 + 0.5
        if count <= 0 or prob <= 0:
            return 0.0
        if prob >= one:
            return np.float64(count)
        if not math.isfinite(count):  # no sample would ever be taken
            return np.nan
        if prob <= half:
            return _binomial(np.float64(count), np.float64(prob), rounded(count * prob), output, lo, hi, key)
        if prob > half:
            rest, mean = one - prob, rounded(count * (one - prob))
            return np.float64(count) - _binomial(np.float64(count), np.float64(rest), mean, output, lo, hi, key)
        return np.nan

    return binomial


binomial, binomial_float16 = _binomial_of(_same), _binomial_of(round_f16)


# --- categories -------------------------------------------------------------------------------------------------------


@internal
def cumulate(logits):
    """Turns a row of float64 logits into running sums of their exponentials, and gives the last sum."""
    highest = -np.inf
    for k in range(logits.size):
        if math.isfinite(logits[k]):
            highest = max(highest, logits[k])
    total = 0.0
    for k in range(logits.size):
        if math.isfinite(logits[k]):
            total += exp_64(logits[k] - highest)
        logits[k] = total
    return total


@internal
def category(sums, n, lo, hi, key):
    """The category that uniform number n of a stream falls into; one too many where all chances are 0."""
    wanted = uniform_float64(n >> _ONE, lo, hi, key)[np.int64(n & _ONE)] * sums[sums.size - 1]
    first, last = 0, sums.size  # the first category whose running sum is above what is wanted
    while first < last:
        middle = (first + last) // 2
        if sums[middle] > wanted:
            last = middle
        else:
            first = middle + 1
    return first


# --- the gradient of a gamma sample -----------------------------------------------------------------------------------


@internal
def _digamma(x):
    """ψ(x) for x > 0."""
    result = 0.0
    while x < 10.0:
        result -= 1.0 / x
        x += 1.0
    z = 1.0 / (x * x)
    series = z * (
        1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * (691 / 32760 - z * (1 / 12))))))
    )
    return result + log_64(x) - 0.5 / x - series


@internal
def _by_series(a, x, steps, precision):
    r, c, total, d_c, d_total = a, 1.0, 1.0, 0.0, 0.0
    for _ in range(steps):
        r += 1.0
        term = x / r
        d_c = term * d_c - x / (r * r) * c
        d_total += d_c
        c *= term
        total += c
        if abs(d_c) <= precision * abs(d_total):
            break
    return -(d_total + total * (log_64(x) - _digamma(a + 1.0))) * x / a


@internal
def _by_fraction(a, x, steps, precision):
    c, y = 0.0, 1.0 - a
    z = x + y + 1.0
    p_2, q_2, p_1, q_1 = 1.0, x, x + 1.0, z * x
    d_p_2, d_q_2, d_p_1, d_q_1 = 0.0, 0.0, 0.0, -x
    value = p_1 / q_1
    d_value = (d_p_1 - value * d_q_1) / q_1
    for _ in range(steps):
        c += 1.0
        y += 1.0
        z += 2.0
        w = y * c
        p, q = p_1 * z - p_2 * w, q_1 * z - q_2 * w
        d_p = d_p_1 * z - p_1 - d_p_2 * w + p_2 * c
        d_q = d_q_1 * z - q_1 - d_q_2 * w + q_2 * c
        if q != 0.0:
            value = p / q
            before, d_value = d_value, (d_p - value * d_q) / q
            if abs(d_value - before) <= precision:
                break
        p_2, p_1, q_2, q_1 = p_1, p, q_1, q
        d_p_2, d_p_1, d_q_2, d_q_1 = d_p_1, d_p, d_q_1, d_q
        if abs(p) > 1e15:
            p_2, p_1, q_2, q_1 = p_2 * 1e-15, p_1 * 1e-15, q_2 * 1e-15, q_1 * 1e-15
            d_p_2, d_p_1, d_q_2, d_q_1 = d_p_2 * 1e-15, d_p_1 * 1e-15, d_q_2 * 1e-15, d_q_1 * 1e-15
    return (d_value + value * (log_64(x) - _digamma(a))) * x


def _gamma_gradient(number, steps, precision, least):
    @internal
    def gamma_gradient(alpha, sample):
        a, x = np.float64(alpha), np.float64(sample)
        if x == 0.0 or a * log_64(x) - x - lgamma_64(a) < least:
            return number(0)  # where the density vanishes, TensorFlow's gradient does
        if not (x > 0.0 and a > 0.0):
            return number(np.nan)
        if x > 1.0 and x > a:
            return number(_by_fraction(a, x, steps, precision))
        return number(_by_series(a, x, steps, precision))

    return gamma_gradient


gamma_gradient_f32 = _gamma_gradient(np.float32, 30, 2.0**-24, -88.7228391)
gamma_gradient_f64 = _gamma_gradient(np.float64, 50, 2.0**-53, -709.782712893384)


# --- normals between bounds -------------------------------------------------------------------------------------------


def _bounded_normals(kind, number, normals, uniforms, rounded, log, exp):
    """A function that writes normals between two bounds: from normals, uniforms or exponentials, as suits them.

    It takes an array of the samples of one set of parameters, the parameters and the first block to use, and gives the
    block after the last, or 0 where a sample was rejected a thousand times.
    """
    zero, half, two, four = (number(x) for x in (0, 0.5, 2, 4))
    inside = number(kind(1.3))
    most = 1000

    @internal
    def bounded_normals(out, mean, deviation, low, high, block, lo, hi, key):
        if (math.isinf(low) and low < zero) or high < mean:
            low, high, deviation = high, low, -deviation
        low = rounded(rounded(low - mean) / deviation)
        high = rounded(rounded(high - mean) / deviation)
        root = rounded(number(math.sqrt(rounded(rounded(low * low) + four))))
        power = rounded(exp(rounded(half + rounded(rounded(low * rounded(low - root)) / four))))
        cutoff = rounded(rounded(two * power) / rounded(low + root))
        width = rounded(high - low)
        done, rejected = 0, 0
        if (low < -inside and high >= zero) or (high > inside and low <= zero):
            while done < out.size:
                values = normals(block, lo, hi, key)
                block += _ONE
                for k in range(len(values)):
                    z = values[k]
                    if low <= z <= high:
                        if done < out.size:
                            out[done] = rounded(rounded(z * deviation) + mean)
                        done += 1
                        rejected = 0
                    else:
                        rejected += 1
                        if rejected > most and done < out.size:
                            return np.uint64(0)
        elif width < cutoff:
            plus = zero if low < zero else rounded(low * low)
            while done < out.size:
                values = uniforms(block, lo, hi, key)
                chances = uniforms(block + _ONE, lo, hi, key)
                block += _ONE + _ONE
                for k in range(len(values)):
                    z = rounded(rounded(values[k] * width) + low)
                    g = rounded(rounded(plus - rounded(z * z)) / two)
                    if chances[k] <= rounded(exp(g)):
                        if done < out.size:
                            out[done] = rounded(rounded(z * deviation) + mean)
                        done += 1
                        rejected = 0
                    else:
                        rejected += 1
                        if rejected >= most and done < out.size:
                            return np.uint64(0)
        else:
            alpha = rounded(rounded(low + root) / two)
            while done < out.size:
                values = uniforms(block, lo, hi, key)
                block += _ONE
                for k in range(0, len(values), 2):
                    z = rounded(rounded(-rounded(log(values[k])) / alpha) + low)
                    x = rounded(alpha - z) if low < alpha else rounded(low - alpha)
                    g = rounded(exp(rounded(rounded(-x * x) / two)))
                    if values[k + 1] <= g and z < high:
                        if done < out.size:
                            out[done] = rounded(rounded(z * deviation) + mean)
                        done += 1
                        rejected = 0
                    else:
                        rejected += 1
                        if rejected >= most and done < out.size:
                            return np.uint64(0)
        return block

    return bounded_normals


bounded_normals_float16 = _bounded_normals(
    np.float16, np.float32, normal_float16, uniform_float16, round_f16, log_32, exp_32
)
bounded_normals_float32 = _bounded_normals(
    np.float32, np.float32, normal_float32, uniform_float32, _same, log_32, exp_32
)
bounded_normals_float64 = _bounded_normals(
    np.float64, np.float64, normal_float64, uniform_float64, _same, log_64, exp_64
)


# --- index_shuffle ----------------------------------------------------------------------------------------------------


@inline
def _rotated(x, left, width, mask):
    return ((x << left) | (x >> (width - left))) & mask


@inline
def _simon_f(x, width, mask):
    spread = _rotated(x, _ONE, width, mask) & _rotated(x, np.uint64(8), width, mask)
    return spread ^ _rotated(x, np.uint64(2), width, mask)


@internal
def index_shuffle(index, k0, k1, k2, last, rounds):
    """Where a permutation of [0, last] sends index; keys and numbers are uint64, rounds an even number from 4."""
    if last == np.uint64(0):
        return last
    size = np.int64(math.ceil(log2_64(np.float64(last))))
    width = np.uint64(max(size + size % 2, 16) // 2)
    mask = (_ONE << width) - _ONE
    keys = np.empty(rounds, np.uint64)
    keys[0], keys[1], keys[2] = k0 & mask, k1 & mask, k2 & mask
    sequence = np.uint64(0x7369F885192C0EF5) & mask
    for i in range(3, rounds):
        before = keys[i - 1]
        turned = _rotated(before, width - np.uint64(3), width, mask) ^ _rotated(
            before, width - np.uint64(4), width, mask
        )
        keys[i] = (np.uint64(0xFFFFFFFC) & mask) ^ (sequence & _ONE) ^ keys[i - 3] ^ turned
        sequence >>= _ONE
    while True:
        left, right = (index >> width) & mask, index & mask
        for i in range(0, rounds, 2):
            left ^= _simon_f(right, width, mask) ^ keys[i]
            right ^= _simon_f(left, width, mask) ^ keys[i + 1]
        index = (left << width) | right
        if index <= last:
            return index
