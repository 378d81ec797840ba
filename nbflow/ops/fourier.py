"""Discrete Fourier transforms, by NumPy's library.

fft and ifft keep the shape; rfft gives the half of the spectrum of real numbers that says everything, irfft makes real
numbers of such a half. All are linear, so that the gradient is the adjoint map. That of a transform is the inverse but
for factors: `adjoint=True` makes of each op the adjoint of its inverse.
"""

import math

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.dtypes import COMPLEX, FULL
from nbflow.ops.table import TABLE, check_dtypes, register
from nbflow.runtime.pool import shared

T = TABLE


def _norm(adjoint: bool) -> str:
    """NumPy's word for where the factor 1 / n is: adjoints have it where their inverses have none."""
    return "forward" if adjoint else "backward"


def _work(x: np.ndarray, axis: tuple) -> float:
    """Multiplications for each item of a stack, roughly."""
    points = math.prod(x.shape[a] for a in axis)
    return 5 * points * math.log2(points + 1)


def _transformed(x: np.ndarray, axis: tuple, transform) -> np.ndarray:
    """transform(x, axis), where the axes are the last ones shared among threads."""
    rank = len(axis)
    if axis != tuple(range(x.ndim - rank, x.ndim)) or rank == x.ndim:
        return transform(x, axis)
    return shared(lambda part: transform(part, tuple(range(-rank, 0))), x, rank=rank, work=_work(x, axis))


def _inner(rank: int, axis: int, length: int) -> tuple:
    """An index of those bins of half a spectrum that stand for two of the whole."""
    return (slice(None),) * (axis % rank) + (slice(1, (length + 1) // 2),)


def _complex_transform(function):
    def host(x, axis, adjoint):
        if not x.size or not axis:
            return x.copy()
        return _transformed(x, axis, lambda part, axes: function(part, axes=axes, norm=_norm(adjoint)))

    return host


def _rfft(x, axis, adjoint):
    def transform(part, axes):
        y = np.fft.rfftn(part, axes=axes, norm=_norm(adjoint))
        if adjoint:
            y[_inner(y.ndim, axes[-1], part.shape[axes[-1]])] *= 2
        return y

    if not x.size:
        return np.zeros(_half_shape(x.shape, axis), np.result_type(x, np.complex64))
    return _transformed(x, axis, transform)


def _irfft(x, axis, length, adjoint):
    def transform(part, axes):
        if adjoint:
            part = part.copy()
            part[_inner(part.ndim, axes[-1], length)] *= 0.5
        sizes = [part.shape[a] for a in axes[:-1]]
        return np.fft.irfftn(part, (*sizes, length), axes, norm=_norm(adjoint))

    if not x.size or not length:
        return np.zeros(_whole_shape(x.shape, axis, length), x.real.dtype)
    return _transformed(x, axis, transform)


def _half_shape(shape: tuple, axis: tuple) -> tuple:
    n = shape[axis[-1]]
    return (*shape[: axis[-1]], n // 2 + 1 if n != 0 else 0, *shape[axis[-1] + 1 :])


def _whole_shape(shape: tuple, axis: tuple, length) -> tuple:
    return (*shape[: axis[-1]], length, *shape[axis[-1] + 1 :])


def _infer_complex(name: str):
    def infer(avals, attrs):
        check_dtypes(name, ("input",), avals, COMPLEX)
        return aval(avals[0].dtype, avals[0].shape)

    return infer


def _infer_rfft(avals, attrs):
    check_dtypes("rfft", ("input",), avals, FULL)
    (a,) = avals
    return aval(COMPLEX[FULL.index(a.dtype)], _half_shape(a.shape, attrs["axis"]))


def _infer_irfft(avals, attrs):
    check_dtypes("irfft", ("input",), avals, COMPLEX)
    (a,) = avals
    return aval(a.dtype.real_dtype, _whole_shape(a.shape, attrs["axis"], attrs["length"]))


def _vjp(inverse: str):
    """The gradient rule of an op by the name of its inverse."""

    def rule(k, g, inputs, output, attrs):
        axis = attrs["axis"]
        more = {"length": inputs[0].nbflow_shape[axis[-1]]} if inverse == "irfft" else {}
        return T[inverse](g, axis=axis, adjoint=not attrs["adjoint"], **more)

    return rule


_ROWS = [  # name, inverse, shape rule, dtypes, host function
    ("fft", "ifft", _infer_complex("fft"), COMPLEX, _complex_transform(np.fft.fftn)),
    ("ifft", "fft", _infer_complex("ifft"), COMPLEX, _complex_transform(np.fft.ifftn)),
    ("rfft", "irfft", _infer_rfft, FULL, _rfft),
    ("irfft", "rfft", _infer_irfft, COMPLEX, _irfft),
]
for _name, _inverse, _infer, _dtypes, _host in _ROWS:
    register(
        Op(
            _name,
            ("input",),
            _infer,
            dtypes=_dtypes,
            host=_host,
            vjp=_vjp(_inverse),
            reference=_host,
            tolerance=64,
        )
    )
