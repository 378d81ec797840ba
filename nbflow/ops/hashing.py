"""Hashes of strings: FarmHash's Fingerprint64, SipHash-2-4 and TensorFlow's older Hash64; ops that sort into buckets.

Strings of equal length are hashed together, as the columns of one array. Integers are hashed as their decimal digits.
The ops are not in the table: what they take besides integers no tensor holds.
"""

from collections.abc import Callable, Sequence

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.dtypes import INTEGER, int64

_MASK = 2**64 - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_M = 0xC6A4A7935BD1E995


def _fetch(rows: np.ndarray, at: int, size: int = 8) -> np.ndarray:
    """The little-endian number of `size` bytes that begins at a byte of each row."""
    padded = np.zeros((len(rows), 8), np.uint8)
    padded[:, :size] = rows[:, at : at + size]
    return padded.view("<u8")[:, 0]


def _rotate(x, by: int):
    """x with its bits moved round to the right."""
    return (x >> by) | (x << (64 - by))


def _mix(x):
    return x ^ (x >> 47)


def _joined(u, v, factor):
    a = _mix((u ^ v) * factor)
    return _mix((v ^ a) * factor) * factor


def _weak(rows, at: int, a, b) -> tuple:
    w, x, y, z = (_fetch(rows, at + 8 * k) for k in range(4))
    a = a + w
    b = _rotate(b + a + z, 21)
    c = a
    a = a + x + y
    return a + z, b + _rotate(a, 44) + c


def _farmhash(rows: np.ndarray) -> np.ndarray:
    """FarmHash's Fingerprint64 of each row."""
    n = rows.shape[1]
    factor = (_K2 + 2 * n) & _MASK
    if n > 64:
        return _farmhash_long(rows, n)
    if n > 32:
        return _farmhash_33(rows, n, factor)
    if n > 16:
        a, b = _fetch(rows, 0) * _K1, _fetch(rows, 8)
        c, d = _fetch(rows, n - 8) * factor, _fetch(rows, n - 16) * _K2
        return _joined(_rotate(a + b, 43) + _rotate(c, 30) + d, a + _rotate(b + _K2, 18) + c, factor)
    if n >= 8:
        a, b = _fetch(rows, 0) + _K2, _fetch(rows, n - 8)
        return _joined(_rotate(b, 37) * factor + a, (_rotate(a, 25) + b) * factor, factor)
    if n >= 4:
        return _joined((_fetch(rows, 0, 4) << 3) + n, _fetch(rows, n - 4, 4), factor)
    if n > 0:
        a, b, c = (_fetch(rows, k, 1) for k in (0, n >> 1, n - 1))
        return _mix((a + (b << 8)) * _K2 ^ ((c << 2) + n) * _K0) * _K2
    return np.full(len(rows), _K2, np.uint64)


def _farmhash_33(rows, n: int, factor: int):
    a, b = _fetch(rows, 0) * _K2, _fetch(rows, 8)
    c, d = _fetch(rows, n - 8) * factor, _fetch(rows, n - 16) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d
    z = _joined(y, a + _rotate(b + _K2, 18) + c, factor)
    e, f = _fetch(rows, 16) * factor, _fetch(rows, 24)
    g, h = (y + _fetch(rows, n - 32)) * factor, (z + _fetch(rows, n - 24)) * factor
    return _joined(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, factor)


def _farmhash_long(rows, n: int):
    start = (81 * _K1 + 113) & _MASK
    z = np.full(len(rows), start, np.uint64) * _K2 + 113
    z = _mix(z) * _K2
    y = np.full(len(rows), start, np.uint64)
    v = w = (np.zeros(len(rows), np.uint64),) * 2
    x = _fetch(rows, 0) + ((81 * _K2) & _MASK)
    for at in range(0, (n - 1) // 64 * 64, 64):
        v, w, x, y, z = _block(rows, at, v, w, x, y, z, _K1, 1)
    factor = ((z & 0xFF) << 1) + _K1
    w = (w[0] + ((n - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    v, w, x, y, z = _block(rows, n - 64, v, w, x, y, z, factor, 9)
    return _joined(_joined(v[0], w[0], factor) + _mix(y) * _K0 + z, _joined(v[1], w[1], factor) + x, factor)


def _block(rows, at: int, v, w, x, y, z, factor, weight: int) -> tuple:
    """One step over 64 bytes; the last has another factor, and weights some of its terms."""
    x = _rotate(x + y + v[0] + _fetch(rows, at + 8), 37) * factor
    y = _rotate(y + v[1] + _fetch(rows, at + 48), 42) * factor
    x = x ^ (w[1] * weight)
    y = y + v[0] * weight + _fetch(rows, at + 40)
    z = _rotate(z + w[0], 33) * factor
    v = _weak(rows, at, v[1] * factor, x + w[0])
    w = _weak(rows, at + 32, z + w[1], y + _fetch(rows, at + 16))
    return v, w, z, y, x


def _hash64(rows: np.ndarray) -> np.ndarray:
    """TensorFlow's Hash64, a MurmurHash, of each row."""
    n = rows.shape[1]
    h = np.full(len(rows), (0xDECAFCAFFE ^ (n * _M)) & _MASK, np.uint64)
    for at in range(0, n // 8 * 8, 8):
        h = (h ^ (_mix(_fetch(rows, at) * _M) * _M)) * _M
    if n % 8:
        h = (h ^ _fetch(rows, n // 8 * 8, n % 8)) * _M
    return _mix(_mix(h) * _M)


def _siphash(key: tuple[int, int]) -> Callable[[np.ndarray], np.ndarray]:
    """SipHash-2-4 of each row."""

    def rounds(v, count: int):
        a, b, c, d = v
        for _ in range(count):
            a, c = a + b, c + d
            b, d = _rotate(b, 51) ^ a, _rotate(d, 48) ^ c
            a = _rotate(a, 32)
            c, a = c + b, a + d
            b, d = _rotate(b, 47) ^ c, _rotate(d, 43) ^ a
            c = _rotate(c, 32)
        return [a, b, c, d]

    def hashed(rows: np.ndarray) -> np.ndarray:
        n = rows.shape[1]
        constants = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
        v: list[np.ndarray] = [np.full(len(rows), (c ^ key[k % 2]) & _MASK, np.uint64) for k, c in enumerate(constants)]
        blocks = [_fetch(rows, at) for at in range(0, n // 8 * 8, 8)]
        for block in [*blocks, _fetch(rows, n // 8 * 8, n % 8) | ((n & 255) << 56)]:
            v[3] = v[3] ^ block
            v = rounds(v, 2)
            v[0] = v[0] ^ block
        v[2] = v[2] ^ 0xFF
        v = rounds(v, 4)
        return v[0] ^ v[1] ^ v[2] ^ v[3]

    return hashed


def hashes(texts: Sequence[bytes], how: str, key: tuple[int, int] = (0, 0)) -> np.ndarray:
    """The hash of each string as uint64.

    Args:
        how: "fast" for FarmHash, "strong" for SipHash with a key, "old" for Hash64.
    """
    function = {"fast": _farmhash, "old": _hash64}.get(how) or _siphash(key)
    lengths = np.array([len(t) for t in texts], np.int64)
    result = np.empty(len(texts), np.uint64)
    for n in np.unique(lengths):
        at = np.flatnonzero(lengths == n)
        rows = np.frombuffer(b"".join([texts[k] for k in at.tolist()]), np.uint8).reshape(len(at), n)
        result[at] = function(rows)
    return result


def buckets_of(texts: Sequence[bytes], shape: tuple, how: str, buckets: int, key: tuple[int, int] = (0, 0)):
    """hashes modulo a number of buckets, as int64 in a shape."""
    return (hashes(texts, how, key) % buckets).astype(np.int64).reshape(shape)


def _digits(x: np.ndarray) -> list[bytes]:
    return x.reshape(-1).astype("S").tolist()


def crossed(columns: Sequence, buckets: int) -> np.ndarray:
    """For each row the bucket of a combination of features: integers, and strings' fingerprints."""
    h = np.full(len(columns[0]), 0xDECAFCAFFE, np.uint64)
    for column in columns:
        text = len(column) and isinstance(column[0], bytes)
        feature = hashes(column, "fast") if text else np.asarray(column, np.int64).view(np.uint64)
        h = (h ^ _M) ^ (_mix(feature * _M) * _M)
        h = _mix(_mix(h * _M) * _M)
    return (h % buckets).astype(np.int64)


def _same_shape(avals, attrs):
    return aval(int64, avals[0].shape)


def _bucket(x, how, buckets, key):
    return buckets_of(_digits(x), x.shape, how, buckets, key)


def _cross(*inputs, buckets):
    return crossed([x.reshape(-1) for x in inputs], buckets).reshape(inputs[0].shape)


# integers -> buckets; attrs: how and key as of `hashes`, buckets
BUCKET = Op("to_hash_bucket", ("x",), _same_shape, dtypes=INTEGER, host=_bucket)
# integers of one shape -> buckets of their combinations; attrs: buckets
CROSS = Op("cross_hashed", ("*inputs",), _same_shape, dtypes=INTEGER, host=_cross)
