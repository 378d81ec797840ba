"""Makes nbflow/ops/sobol.npz: what the Sobol sequence of TensorFlow is made from, read off its points.

Run it with a Python that has TensorFlow 2.21: ``python tools/make_sobol.py``. The numbers are those of Frances Kuo and
Stephen Joe, new-joe-kuo-6.21201 (https://web.maths.unsw.edu.au/~fkuo/sobol/), which a dimension needs its primitive
polynomial and as many odd numbers m[i] < 2^(i + 1) as the degree of that for; see nbflow/ops/sobol.py.
"""

import pathlib

import numpy as np
import tensorflow as tf

DIMENSIONS, DIGITS = 21200, 31


def point(number: int) -> np.ndarray:
    """A point of the sequence, in units of 2^-31."""
    found = tf.math.sobol_sample(DIMENSIONS, 1, number - 1, tf.float64).numpy()[0]
    return (found * 2**DIGITS).astype(np.int64)


def degrees() -> np.ndarray:
    """The degree of each dimension's polynomial: all primitive ones of one degree come before those of the next."""
    found, degree = [0], 1
    while len(found) < DIMENSIONS:
        order = 2**degree - 1
        totient, rest = order, order
        for p in range(2, order + 1):
            if rest % p == 0:
                totient -= totient // p
                while rest % p == 0:
                    rest //= p
        found += [degree] * (totient // degree)
        degree += 1
    return np.array(found[:DIMENSIONS])


def main() -> None:
    """Writes the file and says how large it is."""
    direction = [point(1)]
    for k in range(1, DIGITS):
        direction.append(point(2**k) ^ direction[-1])  # point 2^k of the Gray code differs by these two
    v, degree = np.array(direction), degrees()
    polynomial = np.ones(DIMENSIONS, np.int64)
    for j in range(1, DIMENSIONS):
        s = degree[j]
        rest = v[s, j] ^ v[0, j] ^ (v[0, j] >> s)
        coefficients = 1
        for k in range(1, s):
            bit = rest >> (DIGITS - 1 - s + k) & 1  # the last one of v[s - k]
            rest ^= bit * v[s - k, j]
            coefficients = 2 * coefficients + bit
        assert rest == 0
        polynomial[j] = 2 * coefficients + 1
    bits = []
    for i in range(degree.max()):
        m = v[i, degree > i] >> (DIGITS - 1 - i)
        bits.append((m[:, None] >> np.arange(1, i + 1) & 1).reshape(-1))
    packed = np.packbits(np.concatenate(bits).astype(np.uint8))
    path = pathlib.Path(__file__).parents[1] / "nbflow" / "ops" / "sobol.npz"
    steps = np.diff(polynomial, prepend=0).astype(np.int32)
    np.savez_compressed(path, polynomial_steps=steps, initial_bits=packed)
    print(f"{path.name}: {path.stat().st_size} bytes")


main()
