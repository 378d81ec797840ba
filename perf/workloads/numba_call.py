"""Call a compiled value and gradient, the squared error of 3 numbers, from a loop in Numba's code.

What is measured is the cost of a call between native functions: sizes, the program's start, the result's array. Beside
it stands the same function written by hand in Numba (`numpy`), gradient and all.
"""

import time

import numpy as np

W, X = np.ones(3, np.float32), np.array([1, 2, 3], np.float32)
CALLS_INSIDE = 20_000
SELF_TIMED = True


def _timed(value_and_gradient):
    """A step that takes the time of many calls from native code."""
    import numba

    @numba.njit
    def many(w, x, count):
        total = np.float32(0)
        for _ in range(count):
            value, gradient = value_and_gradient(w, x)
            total += value + gradient[0]
        return total

    def step():
        start = time.perf_counter()
        many(W, X, CALLS_INSIDE)
        return (time.perf_counter() - start) / CALLS_INSIDE

    return step


def nbflow():
    import nbflow as nf

    loss = nf.function(lambda w, x: nf.reduce_sum(nf.square(w - x)))
    return _timed(loss.njit("(float32[:], float32[:])", gradient=0))


def numpy():
    import numba

    @numba.njit
    def value_and_gradient(w, x):
        errors = w - x
        return np.sum(errors * errors), 2 * errors

    return _timed(value_and_gradient)
