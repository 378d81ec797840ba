"""The functions of vecmath that branch and loop, on GPUs: Bessel, gamma and error functions and their kind.

Nothing is written twice. Their Python source is compiled for the device with other globals: the device library's
functions in place of vecmath's exp and sin, the same constants and polynomials.
"""

import inspect
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from nbflow.runtime import vecmath
from nbflow.runtime.intrinsics import DTYPES
from nbflow.runtime.vecmath import bits
from nbflow.runtime.vecmath.trigonometric import cosine_f64, sine_f64

NAMES = sorted(vecmath.BRANCHING)
# those of vecmath.bits that the device library has; all of this is float64
LIBRARY = ("copysign", "floor", "rint", "sqrt")
HORNER = "def horner(x):\n    return {}\n"


def special_functions(table: dict[str, Callable], cuda: Any, device: Callable) -> dict[str, Callable]:
    """Device functions for NAMES, by name and dtype.

    Args:
        table: the device functions that there are.
        cuda: what has fma and the bit casts: the `cuda` module.
        device: makes a device function of a Python function.
    """
    f32, f64 = DTYPES["f32"], DTYPES["f64"]
    known = _known(table, cuda, device)

    def ported(value: Any) -> Any:
        """A global of vecmath's source as device code has it."""
        if isinstance(value, tuple):
            return tuple(map(ported, value))
        if isinstance(value, float):
            return float(value)
        if isinstance(value, (int, np.ndarray)):
            return value
        if value not in known:
            coefficients = _coefficients(value)
            python = _horner(coefficients, known[bits.fma]) if coefficients else _copy(value.py_func)
            known[value] = device(python)  # before its globals: it may be among them
            if not coefficients:
                python.__globals__.update((name, ported(v)) for name, v in _globals(value.py_func).items())
        return known[value]

    def narrowed(function: Callable, count: int) -> Callable:
        """The float32 version of a function of float64 arguments."""
        return device(
            (
                lambda x: f32(function(f64(x))),
                lambda x, y: f32(function(f64(x), f64(y))),
                lambda x, y, z: f32(function(f64(x), f64(y), f64(z))),
            )[count - 1]
        )

    found: dict[str, Callable] = {}
    for name in NAMES:
        wide = getattr(vecmath, f"{name}_f64")
        found[f"{name}_f64"] = ported(wide)
        found[f"{name}_f32"] = narrowed(found[f"{name}_f64"], len(inspect.signature(wide.py_func).parameters))
    return found


def _known(table: dict[str, Callable], cuda: Any, device: Callable) -> dict[Any, Any]:
    """What stands for the functions of vecmath that are not to be compiled from their source."""
    u64, libdevice = DTYPES["u64"], cuda.libdevice
    sin, cos = table["sin_f64"], table["cos_f64"]

    known: dict[Any, Any] = {
        np.float64: DTYPES["f64"],
        np.uint64: u64,
        bits.fabs: device(lambda x: abs(x)),
        bits.fma: device(lambda x, y, z: cuda.fma(x, y, z)),
        bits.select: device(lambda condition, x, y: x if condition else y),
        bits.bits: device(lambda x: u64(libdevice.double_as_longlong(x))),
        bits.from_bits: device(lambda pattern: libdevice.longlong_as_double(pattern)),
        sine_f64: device(lambda x, rest: sin(x) + rest * cos(x)),
        cosine_f64: device(lambda x, rest: cos(x) - rest * sin(x)),
    }
    known |= {getattr(bits, name): table[f"{name}_f64"] for name in LIBRARY}
    known |= {getattr(vecmath, name): function for name, function in table.items() if hasattr(vecmath, name)}
    module = types.ModuleType("bits")  # some source reads its functions from the module
    vars(module).update({name: known[getattr(bits, name)] for name in (*LIBRARY, "bits", "from_bits", "fma")})
    return known | {bits: module}


def _globals(function: types.FunctionType) -> dict[str, Any]:
    return dict(inspect.getclosurevars(function).globals)


def _copy(function: types.FunctionType) -> types.FunctionType:
    """The same code with no globals yet."""
    return types.FunctionType(function.__code__, {}, function.__name__)


def _coefficients(value: Any) -> tuple | None:
    """The coefficients of a vecmath.bits.polynomial, None for anything else."""
    definition = getattr(value, "_defn", None)  # of numba's intrinsics
    emit = inspect.getclosurevars(definition).nonlocals.get("emit") if definition else None
    return inspect.getclosurevars(emit).nonlocals.get("coefficients") if emit else None


def _horner(coefficients: tuple, fma: Callable) -> Callable:
    """A polynomial with its coefficients written out, by Horner's rule."""
    text = repr(float(coefficients[-1]))
    for c in coefficients[-2::-1]:
        text = f"fma({text}, x, {float(c)!r})"
    scope = {"fma": fma}
    exec(HORNER.format(text), scope)
    return scope["horner"]
