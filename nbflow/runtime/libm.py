"""The C library's functions, by dtype, for jitted code; with NUMBA_DISABLE_JIT=1 the same functions through ctypes.

Random numbers equal TensorFlow's only if their logarithms do. Numba compiles `math.log` on a float32 to a call of
logf, on a float64 of log, as TensorFlow's compiler does. In Python, math works in float64 and NumPy's functions are its
own, so there the C library is asked itself.
"""

import ctypes
import math

import numpy as np
from numba import config


def _function(name: str, number: type, ctype):
    function = getattr(ctypes.CDLL(None), name)
    function.restype = ctype
    return lambda *x: number(function(*map(ctype, x)))


def _both(name: str):
    """The float32 and the float64 function of a name."""
    if config.DISABLE_JIT:
        return _function(f"{name}f", np.float32, ctypes.c_float), _function(name, np.float64, ctypes.c_double)
    return (getattr(math, name),) * 2


log_32, log_64 = _both("log")
log1p_32, log1p_64 = _both("log1p")
log2_32, log2_64 = _both("log2")
exp_32, exp_64 = _both("exp")
expm1_32, expm1_64 = _both("expm1")
pow_32, pow_64 = _both("pow")
sin_32, sin_64 = _both("sin")
cos_32, cos_64 = _both("cos")
lgamma_32, lgamma_64 = _both("lgamma")
