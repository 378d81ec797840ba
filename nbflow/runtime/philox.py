"""Random numbers of TensorFlow's CPU kernels, bit for bit: Philox 4x32-10 and its distributions.

The generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) maps a 64-bit key and a
128-bit counter to a *block* of four 32-bit words. Block ``i`` of a stream is the hash of ``counter + i``, so
any part of a stream can be made without the rest of it. All functions are plain ``@njit`` functions, compiled
at their first call; with ``NUMBA_DISABLE_JIT=1`` the same source runs as Python.

Words. A stream is ``(counter_lo, counter_hi, key)``, three ``np.uint64``: the same words, in the same order,
as the state of ``tf.random.Generator``. ``nbflow.ops.seeds`` makes them from seeds, as Python ints. Pass them
as ``np.uint64``: a Python int would compile a second variant.

API. ``out`` is a contiguous one-dimensional array (or a ``numba.carray`` view); every ``fill`` writes the
elements ``[begin, begin + out.size)`` of the stream, whatever ``begin`` is, so chunks may be cut anywhere and
made in any order.

    fill_uniform_float32(out, begin, counter_lo, counter_hi, key)            [0, 1)
    fill_uniform_float64(out, begin, counter_lo, counter_hi, key)
    fill_uniform_float16(out, begin, counter_lo, counter_hi, key)            float32 numbers that float16 holds
    fill_uniform_bfloat16(out, begin, counter_lo, counter_hi, key)           the same for bfloat16
    uniform_<code>_i64(index, counter_lo, counter_hi, key)                   one element; for jitted code only
    fill_uniform_int32(out, begin, counter_lo, counter_hi, key, minval, span)
    fill_uniform_int64(out, begin, counter_lo, counter_hi, key, minval, span)
    fill_uniform_full_32(out, begin, counter_lo, counter_hi, key)            all of uint32
    fill_uniform_full_64(out, begin, counter_lo, counter_hi, key)            all of uint64
    fill_normal_float32(out, begin, counter_lo, counter_hi, key)             mean 0, standard deviation 1
    fill_normal_float64(out, begin, counter_lo, counter_hi, key)
    fill_truncated_normal_float32(out, begin, counter_lo, counter_hi, key)   within (-2, 2)
    fill_truncated_normal_float64(out, begin, counter_lo, counter_hi, key)
    fill_permutation(out, counter_lo, counter_hi, key)                       int32 or int64, as a whole
    reserve(state, local, blocks)                                            moves a uint64[3] state on
    philox_block(index, counter_lo, counter_hi, key)                         words of ``counter + index``; for
                                                                             jitted code only

``minval`` is an ``np.int64`` and ``span`` the ``np.uint64`` of ``maxval - minval``, not 0: results lie in
``[minval, maxval)``. For full-range int32 and int64 pass ``out.view`` of the unsigned type.

Minimum and maximum of a float uniform, mean and standard deviation are applied afterwards in the dtype of the
result, as TensorFlow does: ``u * (maxval - minval) + minval``, ``n * stddev + mean``, each operation rounded
(no fused multiply-add). ``tf.random.shuffle(x)`` is ``x[permutation]`` over the first axis. A float16 or
bfloat16 normal is the float32 one, rounded.

Reservation. Each run of a stateful op takes its stream from a state and moves the state on by a fixed number
of blocks: ``256 * number of outputs`` for every distribution (TensorFlow's ``ReserveRandomOutputs(size,
256)``; the same for ``Generator``), ``(n + 2) // 4`` for a shuffle of ``n >= 2`` rows (``ReserveSamples32(n -
1)``) and none for a shuffle that has at most one row or one element. Only the truncated normal needs more
than one block per four words: each group of four float32 (two float64) values owns 256 (128) blocks and draws
from their start until it is full.

An eager call takes the words from ``nbflow.ops.seeds.EagerSeeds.reserve`` and calls ``fill`` once per chunk
with ``begin`` at the start of the chunk. A traced program keeps ``uint64[3]`` per op in memory: one
instruction of extent 1 runs ``reserve(state, local, blocks)``, then the chunks of the fill read ``local``.

Equality. Integers and uniforms are exact everywhere. Normals take ``logf``, ``sinf``, ``cosf``, ``log``,
``sin`` and ``cos`` from the C library of the process, as TensorFlow does, so both give the same bits on the
same machine (measured with glibc 2.36); another C library may round the last bit differently, there as here.
Threads and shards never change a value: each group of outputs starts at its own block.

Source: TensorFlow's ``PhiloxRandom``, ``UniformDistribution``, ``NormalDistribution``,
``TruncatedNormalDistribution``, ``FillPhiloxRandom`` and ``RandomShuffleOp``.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from nbflow.runtime.libm import cos_32, cos_64, log_32, log_64, sin_32, sin_64

# Words are held in uint64 and masked: products and sums of 32-bit words cannot overflow, so the same lines
# are right in Python (where NumPy scalars warn of overflow) and in compiled code (where LLVM sees 32-bit
# multiplies).
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_THREE = np.uint64(3)
_MULTIPLIER_A = np.uint64(0xD2511F53)
_MULTIPLIER_B = np.uint64(0xCD9E8D57)
_WEYL_A = np.uint64(0x9E3779B9)
_WEYL_B = np.uint64(0xBB67AE85)
_ROUNDS = 10

_MANTISSA_32 = np.uint64(0x7FFFFF)
_MANTISSA_64_HIGH = np.uint64(0xFFFFF)
_ULP_32 = np.float32(2.0**-23)
_ULP_64 = 2.0**-52
_EPSILON_32 = np.float32(1.0e-7)
_EPSILON_64 = 1.0e-7
_MINUS_TWO_32 = np.float32(-2.0)
_TWO_32 = np.float32(2.0)
_TWO_PI = 2.0 * math.pi

# Blocks of words that wait for the C library: 4 KiB, in the first-level cache.
_TILE = 256

# Blocks owned by a group of truncated normals: 256 words for each of its outputs.
_TRUNCATED_BLOCKS_32 = np.uint64(256)
_TRUNCATED_BLOCKS_64 = np.uint64(128)

jit = njit(error_model="numpy")
# Functions that only jitted code calls need no wrappers, and compile faster without.
_BARE: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
internal = njit(**_BARE)
# LLVM judges Philox too big to inline, and a loop that holds a call does not vectorise: a million uniform
# float32 take 0.5 ms this way, 4.0 ms without.
inline = njit(forceinline=True, **_BARE)


@inline
def philox_block(index, counter_lo, counter_hi, key):
    """Makes block ``counter + index`` of a stream.

    Args:
        index: np.uint64, added to the 128-bit counter.
        counter_lo, counter_hi: np.uint64, the counter's halves.
        key: np.uint64.

    Returns:
        Four np.uint64, each below 2**32.

    Source: ``PhiloxRandom::operator()``.
    """
    c0 = (counter_lo & _LOW) + (index & _LOW)
    c1 = (counter_lo >> _HALF) + (index >> _HALF) + (c0 >> _HALF)
    c2 = (counter_hi & _LOW) + (c1 >> _HALF)
    c3 = (counter_hi >> _HALF) + (c2 >> _HALF)
    c0 &= _LOW
    c1 &= _LOW
    c2 &= _LOW
    c3 &= _LOW
    k0 = key & _LOW
    k1 = key >> _HALF
    for _ in range(_ROUNDS):
        a = c0 * _MULTIPLIER_A
        b = c2 * _MULTIPLIER_B
        c0 = (b >> _HALF) ^ c1 ^ k0
        c1 = b & _LOW
        c2 = (a >> _HALF) ^ c3 ^ k1
        c3 = a & _LOW
        k0 = (k0 + _WEYL_A) & _LOW
        k1 = (k1 + _WEYL_B) & _LOW
    return c0, c1, c2, c3


@jit
def reserve(state, local, blocks):
    """Takes the stream at ``state`` for one run of an op and moves the state past it.

    Args:
        state: uint64[3], (counter_lo, counter_hi, key), advanced in place.
        local: uint64[3], receives the words from before.
        blocks: np.uint64 below 2**63, the number of 128-bit blocks to reserve.

    Source: ``GuardedPhiloxRandom::ReserveSamples128``, ``PhiloxRandom::Skip``.
    """
    lo = state[0]
    hi = state[1]
    local[0] = lo
    local[1] = hi
    local[2] = state[2]
    low = (lo & _LOW) + (blocks & _LOW)
    high = (lo >> _HALF) + (blocks >> _HALF) + (low >> _HALF)
    state[0] = ((high & _LOW) << _HALF) | (low & _LOW)
    if high >> _HALF:
        low = (hi & _LOW) + _ONE
        high = (hi >> _HALF) + (low >> _HALF)
        state[1] = ((high & _LOW) << _HALF) | (low & _LOW)


@inline
def _unit_float32(x):
    # TensorFlow sets the mantissa of a float in [1, 2) and subtracts 1: that is exact, and so is this.
    return np.float32(np.int32(x & _MANTISSA_32)) * _ULP_32


@inline
def _unit_float64(x0, x1):
    return np.float64(np.int64(((x0 & _MANTISSA_64_HIGH) << _HALF) | x1)) * _ULP_64


@internal
def _box_muller_float32(x0, x1):
    u = max(_unit_float32(x0), _EPSILON_32)
    # The angle is a product in float64, rounded to float32 once.
    angle = np.float32(_TWO_PI * np.float64(_unit_float32(x1)))
    radius = np.float32(math.sqrt(_MINUS_TWO_32 * log_32(u)))
    return sin_32(angle) * radius, cos_32(angle) * radius


@internal
def _box_muller_float64(x0, x1, x2, x3):
    u = max(_unit_float64(x0, x1), _EPSILON_64)
    angle = _TWO_PI * _unit_float64(x2, x3)
    radius = math.sqrt(-2.0 * log_64(u))
    return sin_64(angle) * radius, cos_64(angle) * radius


@inline
def uniform_float32(index, counter_lo, counter_hi, key):
    """Four numbers in [0, 1) of a block."""
    x0, x1, x2, x3 = philox_block(index, counter_lo, counter_hi, key)
    return _unit_float32(x0), _unit_float32(x1), _unit_float32(x2), _unit_float32(x3)


@inline
def uniform_float64(index, counter_lo, counter_hi, key):
    """Two numbers in [0, 1) of a block."""
    x0, x1, x2, x3 = philox_block(index, counter_lo, counter_hi, key)
    return _unit_float64(x0, x1), _unit_float64(x2, x3)


def _unit_half(bits):
    """From a word to a float32 in [0, 1) with so many bits, which a half holds."""
    mask, ulp = np.uint64((1 << bits) - 1), np.float32(2.0**-bits)

    @inline
    def unit(x):
        return np.float32(np.int32(x & mask)) * ulp

    return unit


def _uniform_half(unit):
    @inline
    def uniform(index, counter_lo, counter_hi, key):
        x0, x1, x2, x3 = philox_block(index, counter_lo, counter_hi, key)
        return unit(x0), unit(x1), unit(x2), unit(x3)

    return uniform


_unit_float16, _unit_bfloat16 = _unit_half(10), _unit_half(7)
uniform_float16, uniform_bfloat16 = _uniform_half(_unit_float16), _uniform_half(_unit_bfloat16)


def _uniform_at(unit):
    """A function of the number of an element: its own block and one word of it."""

    @inline
    def uniform(index, counter_lo, counter_hi, key):
        n = np.uint64(index)
        x0, x1, x2, x3 = philox_block(n >> _TWO, np.uint64(counter_lo), np.uint64(counter_hi), np.uint64(key))
        odd = n & _ONE != 0
        low, high = x1 if odd else x0, x3 if odd else x2
        return unit(high if n & _TWO != 0 else low)

    return uniform


@inline
def uniform_f64_i64(index, counter_lo, counter_hi, key):
    """Element `index` of a stream in [0, 1), float64; arguments int64."""
    n = np.uint64(index)
    x0, x1, x2, x3 = philox_block(n >> _ONE, np.uint64(counter_lo), np.uint64(counter_hi), np.uint64(key))
    odd = n & _ONE != 0
    return _unit_float64(x2 if odd else x0, x3 if odd else x1)


uniform_f32_i64 = _uniform_at(_unit_float32)
uniform_f16_i64, uniform_bf16_i64 = _uniform_at(_unit_float16), _uniform_at(_unit_bfloat16)


@inline
def _offset_int32(x, minval, span):
    return np.int32(minval + np.int64(np.uint32(x) % np.uint32(span)))


@inline
def _uniform_int32(index, counter_lo, counter_hi, key, minval, span):
    x0, x1, x2, x3 = philox_block(index, counter_lo, counter_hi, key)
    return (
        _offset_int32(x0, minval, span),
        _offset_int32(x1, minval, span),
        _offset_int32(x2, minval, span),
        _offset_int32(x3, minval, span),
    )


@inline
def _offset_int64(x0, x1, minval, span):
    # The offset may exceed the largest int64 while the sum does not: it is added in two halves.
    offset = (x0 | (x1 << _HALF)) % span
    half = offset >> _ONE
    return minval + np.int64(half) + np.int64(offset - half)


@inline
def _uniform_int64(index, counter_lo, counter_hi, key, minval, span):
    x0, x1, x2, x3 = philox_block(index, counter_lo, counter_hi, key)
    return _offset_int64(x0, x1, minval, span), _offset_int64(x2, x3, minval, span)


@inline
def _full_32(index, counter_lo, counter_hi, key):
    x0, x1, x2, x3 = philox_block(index, counter_lo, counter_hi, key)
    return np.uint32(x0), np.uint32(x1), np.uint32(x2), np.uint32(x3)


@inline
def _full_64(index, counter_lo, counter_hi, key):
    x0, x1, x2, x3 = philox_block(index, counter_lo, counter_hi, key)
    return x0 | (x1 << _HALF), x2 | (x3 << _HALF)


@internal
def normal_float32(index, counter_lo, counter_hi, key):
    """Four normals of a block."""
    x0, x1, x2, x3 = philox_block(index, counter_lo, counter_hi, key)
    f0, f1 = _box_muller_float32(x0, x1)
    f2, f3 = _box_muller_float32(x2, x3)
    return f0, f1, f2, f3


@internal
def normal_float64(index, counter_lo, counter_hi, key):
    """Two normals of a block."""
    x0, x1, x2, x3 = philox_block(index, counter_lo, counter_hi, key)
    return _box_muller_float64(x0, x1, x2, x3)


@internal
def _truncated_normal_float32(index, counter_lo, counter_hi, key):
    block = index * _TRUNCATED_BLOCKS_32
    f0 = f1 = f2 = f3 = np.float32(0.0)
    count = 0
    while True:
        # Accepted values are shifted in from the right: after four of them they stand in order.
        for value in normal_float32(block, counter_lo, counter_hi, key):
            if abs(value) < _TWO_32:
                f0, f1, f2, f3 = f1, f2, f3, value
                count += 1
                if count == 4:
                    return f0, f1, f2, f3
        block += _ONE


@internal
def _truncated_normal_float64(index, counter_lo, counter_hi, key):
    block = index * _TRUNCATED_BLOCKS_64
    f0 = f1 = 0.0
    count = 0
    while True:
        for value in normal_float64(block, counter_lo, counter_hi, key):
            if abs(value) < 2.0:
                f0, f1 = f1, value
                count += 1
                if count == 2:
                    return f0, f1
        block += _ONE


@inline
def _store_4(out, at, values):
    # An unsigned index: Numba would wrap a negative one around, and with that test no loop vectorises.
    at = np.uint64(at)
    out[at], out[at + _ONE], out[at + _TWO], out[at + _THREE] = values


@inline
def _store_2(out, at, values):
    at = np.uint64(at)
    out[at], out[at + _ONE] = values


def _writer(group, width, store):
    """Makes a function that writes ``count`` groups at ``out[at]``, the first of them ``index``.

    Args:
        group: jitted function (index, counter_lo, counter_hi, key, *parameters) -> ``width`` outputs.
        width: outputs per group.
        store: jitted function (out, at, values) that writes the outputs of one group.
    """

    @internal
    def write(out, at, index, count, counter_lo, counter_hi, key, *parameters):
        for i in range(count):
            store(out, at + width * i, group(np.uint64(index + i), counter_lo, counter_hi, key, *parameters))

    return write


_write_words = _writer(_full_32, 4, _store_4)


# Normals are made in two steps, a tile at a time: words, which vectorise, then the calls of the C library,
# which do not.
@internal
def _write_normals_float32(out, at, index, count, counter_lo, counter_hi, key):
    words = np.empty(4 * _TILE, np.uint32)
    for start in range(0, count, _TILE):
        size = min(_TILE, count - start)
        _write_words(words, 0, index + start, size, counter_lo, counter_hi, key)
        for i in range(2 * size):
            w = np.uint64(2 * i)
            values = _box_muller_float32(np.uint64(words[w]), np.uint64(words[w + _ONE]))
            _store_2(out, at + 4 * start + 2 * i, values)


@internal
def _write_normals_float64(out, at, index, count, counter_lo, counter_hi, key):
    words = np.empty(4 * _TILE, np.uint32)
    for start in range(0, count, _TILE):
        size = min(_TILE, count - start)
        _write_words(words, 0, index + start, size, counter_lo, counter_hi, key)
        for i in range(size):
            w = np.uint64(4 * i)
            values = _box_muller_float64(
                np.uint64(words[w]),
                np.uint64(words[w + _ONE]),
                np.uint64(words[w + _TWO]),
                np.uint64(words[w + _THREE]),
            )
            _store_2(out, at + 2 * (start + i), values)


def _filler(group, width, write):
    """Makes the fill function of a distribution.

    Args:
        group: jitted function (index, counter_lo, counter_hi, key, *parameters) -> ``width`` outputs.
        width: outputs per group.
        write: jitted function (out, at, index, count, counter_lo, counter_hi, key, *parameters).
    """

    @jit
    def fill(out, begin, counter_lo, counter_hi, key, *parameters):
        index = begin // width
        # Where the first group would start in ``out``: at or before its start.
        at = index * width - begin
        count = (out.size - at + width - 1) // width
        # Only the first and the last group may stick out of the chunk, or be the same one.
        for i in range(0, count, max(count - 1, 1)):
            values = group(np.uint64(index + i), counter_lo, counter_hi, key, *parameters)
            for j in range(width):
                if 0 <= at + width * i + j < out.size:
                    out[at + width * i + j] = values[j]
        if count > 2:
            write(out, at + width, index + 1, count - 2, counter_lo, counter_hi, key, *parameters)

    return fill


fill_uniform_float32 = _filler(uniform_float32, 4, _writer(uniform_float32, 4, _store_4))
fill_uniform_float16 = _filler(uniform_float16, 4, _writer(uniform_float16, 4, _store_4))
fill_uniform_bfloat16 = _filler(uniform_bfloat16, 4, _writer(uniform_bfloat16, 4, _store_4))
fill_uniform_float64 = _filler(uniform_float64, 2, _writer(uniform_float64, 2, _store_2))
fill_uniform_int32 = _filler(_uniform_int32, 4, _writer(_uniform_int32, 4, _store_4))
fill_uniform_int64 = _filler(_uniform_int64, 2, _writer(_uniform_int64, 2, _store_2))
fill_uniform_full_32 = _filler(_full_32, 4, _write_words)
fill_uniform_full_64 = _filler(_full_64, 2, _writer(_full_64, 2, _store_2))
fill_normal_float32 = _filler(normal_float32, 4, _write_normals_float32)
fill_normal_float64 = _filler(normal_float64, 2, _write_normals_float64)
fill_truncated_normal_float32 = _filler(_truncated_normal_float32, 4, _writer(_truncated_normal_float32, 4, _store_4))
fill_truncated_normal_float64 = _filler(_truncated_normal_float64, 2, _writer(_truncated_normal_float64, 2, _store_2))


@jit
def fill_permutation(out, counter_lo, counter_hi, key):
    """Writes the permutation with which TensorFlow shuffles ``out.size`` rows: result[i] = rows[out[i]].

    A Fisher-Yates shuffle from the front: step ``i`` swaps rows ``i`` and ``i + word % (n - i)``, with one
    32-bit word each.

    Args:
        out: int32 or int64 [n], n below 2**31.
        counter_lo, counter_hi, key: np.uint64, the stream.

    Source: ``RandomShuffleOp``.
    """
    size = out.size
    for i in range(size):
        out[i] = i
    for first in range(0, size - 1, 4):
        words = philox_block(np.uint64(first // 4), counter_lo, counter_hi, key)
        for i in range(first, min(first + 4, size - 1)):
            other = i + np.int64(words[i - first] % np.uint64(size - i))
            out[i], out[other] = out[other], out[i]
