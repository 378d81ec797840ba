"""Complex numbers by their parts: what Numba's own operators leave out or get wrong."""

from nbflow.runtime.vecmath.bits import vector_function


@vector_function
def real(z):
    """The real part."""
    return z.real


@vector_function
def imag(z):
    """The imaginary part."""
    return z.imag


@vector_function
def conjugate(z):
    """The complex conjugate."""
    return z.conjugate()


@vector_function
def complex_divide(x, y):
    """x / y by Smith's method, without overflow; division by 0 gives infinities and NaNs where Numba's would raise."""
    a, b, c, d = x.real, x.imag, y.real, y.imag
    if ((c - c != 0) | (d - d != 0)) & (c == c) & (d == d) & (a - a == 0) & (b - b == 0):
        return complex(a * 0, b * 0)  # finite by infinite
    if abs(c) >= abs(d):
        if c == 0 and d == 0:
            return complex(a / abs(c), b / abs(c))
        ratio = d / c
        scale = c + d * ratio
        return complex((a + b * ratio) / scale, (b - a * ratio) / scale)
    ratio = c / d
    scale = c * ratio + d
    return complex((a * ratio + b) / scale, (b * ratio - a) / scale)
