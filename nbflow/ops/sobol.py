"""Points of the Sobol sequence, with the direction numbers of Kuo and Joe.

The file sobol.npz, which tools/make_sobol.py makes, holds for each dimension a primitive polynomial and as many odd
numbers as its degree; the other direction numbers follow from these. They are those of new-joe-kuo-6.21201, under this
license:

Copyright (c) 2008, Frances Y. Kuo and Stephen Joe. All rights reserved.

Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
following conditions are met: Redistributions of source code must retain the above copyright notice, this list of
conditions and the following disclaimer. Redistributions in binary form must reproduce the above copyright notice, this
list of conditions and the following disclaimer in the documentation and/or other materials provided with the
distribution. Neither the names of the copyright holders nor the names of the University of New South Wales and the
University of Waikato and its contributors may be used to endorse or promote products derived from this software without
specific prior written permission.

This software is provided by the copyright holders "as is" and any express or implied warranties, including, but not
limited to, the implied warranties of merchantability and fitness for a particular purpose are disclaimed. In no event
shall the copyright holders be liable for any direct, indirect, incidental, special, exemplary, or consequential damages
(including, but not limited to, procurement of substitute goods or services; loss of use, data, or profits; or business
interruption) however caused and on any theory of liability, whether in contract, strict liability, or tort (including
negligence or otherwise) arising in any way out of the use of this software, even if advised of the possibility of such
damage.
"""

from functools import cache
from pathlib import Path

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.dtypes import int64
from nbflow.ops.table import register

DIMENSIONS, DIGITS = 21200, 31
TABLE_FILE = Path(__file__).with_name("sobol.npz")


@cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    """The polynomials as bits, and the direction numbers [DIGITS, DIMENSIONS] as far as the file says them."""
    with np.load(TABLE_FILE) as data:
        polynomials = np.cumsum(data["polynomial_steps"], dtype=np.int64)
        bits = np.unpackbits(data["initial_bits"])
    degree = np.frexp(polynomials)[1] - 1
    numbers = np.zeros((DIGITS, DIMENSIONS), np.int64)
    start = 0
    for i in range(int(degree.max())):  # the i-th number of a dimension has i bits and a last one that is set
        known = degree > i
        count = int(known.sum())
        end = start + count * i
        odd = bits[start:end].reshape(count, i) @ (1 << np.arange(1, i + 1)) + 1
        numbers[i, known] = odd << (DIGITS - 1 - i)
        start = end
    return polynomials, numbers


@cache
def direction_numbers(dim: int) -> np.ndarray:
    """[DIGITS, dim], in units of 2^-31."""
    polynomials, numbers = _table()
    polynomials, v = polynomials[:dim], numbers[:, :dim].copy()
    degree = np.frexp(polynomials)[1] - 1
    v[:, 0] = 1 << np.arange(DIGITS - 1, -1, -1)
    for s in range(1, int(degree[-1]) + 1):
        those = slice(*np.searchsorted(degree, (s, s + 1)))  # polynomials are in ascending order
        for i in range(s, DIGITS):
            v[i, those] = v[i - s, those] ^ (v[i - s, those] >> s)
            for k in range(1, s):
                v[i, those] ^= v[i - k, those] * (polynomials[those] >> (s - k) & 1)
    return v


def _sobol_points(number, dim, dtype):
    v = direction_numbers(dim)
    gray = number ^ (number >> 1)
    points = np.zeros((number.size, dim), np.int64)
    for k in range(int(gray.max(initial=0)).bit_length()):
        points ^= (gray >> k & 1)[:, None] * v[k]
    return points.astype(dtype.np) / dtype.np.type(2**DIGITS)


# the points of these numbers, which are below 2^31: [n] -> [n, dim]
sobol_points = register(
    Op(
        "sobol_points",
        ("number",),
        lambda avals, attrs: aval(attrs["dtype"], (avals[0].shape[0], attrs["dim"])),
        dtypes=(int64,),
        host=_sobol_points,
        reference=_sobol_points,
        tolerance=0,
    )
)
