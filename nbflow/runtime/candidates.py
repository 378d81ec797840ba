"""Candidate samplers: classes drawn from a distribution over [0, count), and how often each is expected to be drawn.

They read one stream word by word, as TensorFlow's SimplePhilox does; `n` is the number of the next word.

    sample_candidates(kind, unique, count, true, before, sampled, true_counts, counts, after, lo, hi, key)

Kinds: UNIFORM; LOG_UNIFORM; LEARNED draws from running sums of the whole numbers in `before`, its weights, and adds the
true classes to them in `after`; FIXED draws from an alias table of its weights. ALL takes every class.

Source: TensorFlow's RangeSampler and its kinds, WeightedPicker, DistributionSampler, ExactUniformInt.
"""

import numpy as np

from nbflow.runtime.libm import exp_64, expm1_32, log1p_32, log1p_64, log_64
from nbflow.runtime.philox import internal, philox_block

UNIFORM, LOG_UNIFORM, LEARNED, FIXED, ALL = range(5)

_ONE = np.uint64(1)
_LANE, _LANES = np.uint64(3), np.uint64(2)


@internal
def _word(n, lo, hi, key):
    words = philox_block(n >> _LANES, lo, hi, key)
    return words[np.int64(n & _LANE)]


@internal
def _double_word(n, lo, hi, key):
    return _word(n, lo, hi, key) | (_word(n + _ONE, lo, hi, key) << np.uint64(32))


@internal
def _unit(n, lo, hi, key):
    """A float64 in [0, 1) from two words."""
    high, low = _word(n, lo, hi, key) & np.uint64(0xFFFFF), _word(n + _ONE, lo, hi, key)
    return np.float64(np.int64((high << np.uint64(32)) | low)) * 2.0**-52


@internal
def _below(n, count, wide, lo, hi, key):
    """A whole number below count without bias, from words or pairs of them, and the number of the next word."""
    most = np.uint64(0xFFFFFFFFFFFFFFFF) if wide else np.uint64(0xFFFFFFFF)
    step = np.uint64(2) if wide else _ONE
    while True:
        drawn = _double_word(n, lo, hi, key) if wide else _word(n, lo, hi, key)
        n += step
        if count & (count - _ONE) == 0:
            return drawn & (count - _ONE), n
        if drawn >= most % count + _ONE:
            return drawn % count, n


@internal
def _draw(kind, n, count, table, alias, lo, hi, key):
    if kind == UNIFORM:
        value, n = _below(n, np.uint64(count), True, lo, hi, key)
        return np.int64(value), n
    if kind == LOG_UNIFORM:
        value = np.int64(exp_64(_unit(n, lo, hi, key) * log1p_64(np.float64(count)))) - 1
        return value % count, n + np.uint64(2)
    if kind == LEARNED:
        place, n = _below(n, np.uint64(table[count - 1]), False, lo, hi, key)
        first, last = 0, count - 1  # the first class whose running sum is above place
        while first < last:
            middle = (first + last) // 2
            if table[middle] > np.float64(place):
                last = middle
            else:
                first = middle + 1
        return np.int64(first), n
    chance = np.float64(np.int64(_word(n, lo, hi, key) & np.uint64(0x7FFFFF))) * 2.0**-23
    place, n = _below(n + _ONE, np.uint64(count), False, lo, hi, key)
    column = np.int64(place)
    return column if chance < table[column] else alias[column], n


@internal
def _candidates(kind, unique, sampled, count, table, alias, lo, hi, key):
    """Fills `sampled`, int64[n], and gives the number of draws that it took; unique: no class comes twice."""
    n, tries = np.uint64(0), 0
    if kind == ALL:
        for i in range(sampled.size):
            sampled[i] = i
        return sampled.size
    size = 2
    while size < 2 * sampled.size:
        size *= 2
    seen = np.full(size if unique else 1, -1, np.int64)  # a hash table of what was drawn
    done = 0
    while done < sampled.size:
        value, n = _draw(kind, n, count, table, alias, lo, hi, key)
        tries += 1
        if unique:
            place = value * 0x9E3779B1 & (size - 1)
            while seen[place] >= 0 and seen[place] != value:
                place = (place + 1) & (size - 1)
            if seen[place] == value:
                continue
            seen[place] = value
        sampled[done] = value
        done += 1
    return tries


@internal
def _probability(kind, value, count, weights, total):
    if kind == UNIFORM:
        return np.float32(1.0 / count)
    if kind == LOG_UNIFORM:
        return np.float32(log_64((value + 2.0) / (value + 1.0)) / log1p_64(np.float64(count)))
    return weights[value] / total


@internal
def _expected(kind, value, drawn, tries, count, weights, total):
    """How often a class is expected among `drawn` that took `tries`, float32."""
    if kind == ALL:
        return np.float32(1)
    p = _probability(kind, value, count, weights, total)
    if tries == drawn:
        return p * np.float32(drawn)
    return -expm1_32(np.float32(tries) * log1p_32(-p))


@internal
def _alias_table(weights, chance, alias):
    """Fills Walker's alias table of float32 weights: column i is i with chance[i], else alias[i]."""
    count = weights.size
    total = 0.0
    for i in range(count):
        total += np.float64(weights[i])
    high, low = np.empty(count, np.int64), np.empty(count, np.int64)
    highs = lows = 0
    exact = np.empty(count)
    for i in range(count):
        exact[i] = np.float64(weights[i] * np.float32(count)) / total
        alias[i] = -1
        if exact[i] < 1.0:
            low[lows] = i
            lows += 1
        else:
            high[highs] = i
            highs += 1
    while highs and lows:
        lows -= 1
        small, large = low[lows], high[highs - 1]
        alias[small] = large
        exact[large] -= 1.0 - exact[small]
        if exact[large] < 1.0:
            highs -= 1
            low[lows] = large
            lows += 1
    for i in range(count):
        chance[i] = np.float64(np.float32(exact[i]))
    # Rounding may leave columns in either list; they are full.
    for i in range(highs):
        chance[high[i]], alias[high[i]] = 1.0, high[i]
    for i in range(lows):
        chance[low[i]], alias[low[i]] = 1.0, low[i]


@internal
def sample_candidates(kind, unique, count, true, before, sampled, true_counts, counts, after, lo, hi, key):
    """Draws candidates and fills in all results.

    Args:
        kind, unique, count: constants; whether no class comes twice; how many classes there are.
        true: int64, the true classes.
        before: float32[count], weights; empty where a kind has none.
        sampled, true_counts, counts: int64[n], float32, float32[n], the results.
        after: float32[count], the weights after this call.

    Returns:
        The place of a true class that is none, or -1.
    """
    for i in range(true.size):
        if not 0 <= true[i] < count:
            return i
    table = np.empty(before.size)
    alias = np.empty(before.size if kind == FIXED else 0, np.int64)
    total = np.float32(0)
    if kind == LEARNED:
        running = 0.0
        for i in range(count):
            running += np.float64(before[i])
            table[i] = running
        total = np.float32(running)
    if kind == FIXED:
        for i in range(count):
            total += before[i]
        _alias_table(before, table, alias)
    tries = _candidates(kind, unique, sampled, count, table, alias, lo, hi, key)
    for i in range(sampled.size):
        counts[i] = _expected(kind, sampled[i], sampled.size, tries, count, before, total)
    for i in range(true.size):
        true_counts[i] = _expected(kind, true[i], sampled.size, tries, count, before, total)
    for i in range(before.size):
        after[i] = before[i]
    if kind == LEARNED:
        for i in range(true.size):
            after[true[i]] += np.float32(1)
    return -1
