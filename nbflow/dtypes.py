"""Element types: one interned DType a row of the table below, named as TensorFlow names them."""

from typing import Any

import ml_dtypes
import numpy as np

from nbflow.errors import InvalidDTypeError


class DType:
    """The type of a tensor's elements (tf.dtypes.DType).

    Compares equal to its NumPy dtype, its scalar type and its name, so `x.dtype == np.float32` works.

    Attributes:
        name: "float32".
        code: the short name used in kernel source, "f32".
        compute: the code that kernels compute in: "f32" for float16 and bfloat16, which only memory holds.
        size: bytes an element.
        min, max: the least and greatest finite value.
        is_floating, is_integer, is_bool, is_complex: what kind of numbers it has.
        is_half: whether it is float16 or bfloat16.
        is_differentiable: whether its values have gradients: floating point and complex ones.

    Example:
        >>> import nbflow as nf
        >>> nf.float32.size, nf.as_dtype("int64") is nf.int64
        (4, True)
    """

    __slots__ = (
        "as_numpy_dtype",
        "code",
        "compute",
        "is_bool",
        "is_complex",
        "is_differentiable",
        "is_floating",
        "is_half",
        "is_integer",
        "name",
        "np",
        "size",
    )

    def __init__(self, name: str, code: str, scalar: Any):
        self.name, self.code = name, code
        self.as_numpy_dtype = scalar
        self.np = np.dtype(scalar)
        self.size = self.np.itemsize
        kind = "f" if scalar is ml_dtypes.bfloat16 else self.np.kind  # NumPy does not know what bfloat16 is
        self.is_floating, self.is_complex, self.is_bool = kind == "f", kind == "c", kind == "b"
        self.is_integer = kind in "iu"
        self.is_differentiable = self.is_floating or self.is_complex
        self.is_half = self.is_floating and self.size == 2
        self.compute = "f32" if self.is_half else code

    @property
    def min(self):
        """The least number."""
        return self._limits[0]

    @property
    def max(self):
        """The greatest number."""
        return self._limits[1]

    @property
    def _limits(self):
        if self.is_bool:
            return False, True
        if self.is_complex or self is string:
            raise TypeError(f"{self.name} has no least and greatest number: its values have no order")
        info = ml_dtypes.finfo(self.np) if self.is_floating else np.iinfo(self.np)
        return info.min, info.max

    @property
    def real_dtype(self) -> "DType":
        """The dtype of the parts of a complex number; itself for other dtypes."""
        return {"complex64": float32, "complex128": float64}.get(self.name, self)

    @property
    def limits(self) -> tuple:
        """The least and the greatest number (tf.DType.limits)."""
        return self._limits

    @property
    def is_unsigned(self) -> bool:
        """Whether it is an integer without a sign."""
        return self.np.kind == "u"

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers: all but bool."""
        return not self.is_bool and self is not string

    @property
    def base_dtype(self) -> "DType":
        """The dtype itself; there are no reference dtypes."""
        return self

    def __eq__(self, other) -> bool:
        return self is other or as_dtype_or_none(other) is self

    def __hash__(self) -> int:
        return id(self) >> 4

    def __repr__(self) -> str:
        return f"nf.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: '{self.name}'>"

    def __reduce__(self):
        return as_dtype, (self.name,)


float16 = DType("float16", "f16", np.float16)
bfloat16 = DType("bfloat16", "bf16", ml_dtypes.bfloat16)
float32 = DType("float32", "f32", np.float32)
float64 = DType("float64", "f64", np.float64)
int8 = DType("int8", "i8", np.int8)
int16 = DType("int16", "i16", np.int16)
int32 = DType("int32", "i32", np.int32)
int64 = DType("int64", "i64", np.int64)
uint8 = DType("uint8", "u8", np.uint8)
uint16 = DType("uint16", "u16", np.uint16)
uint32 = DType("uint32", "u32", np.uint32)
uint64 = DType("uint64", "u64", np.uint64)
complex64 = DType("complex64", "c64", np.complex64)
complex128 = DType("complex128", "c128", np.complex128)
bool_ = DType("bool", "b1", np.bool_)
string = DType("string", "text", np.object_)  # of StringTensors alone: programs compute with numbers

FULL = (float32, float64)  # those that kernels compute in
HALF = (float16, bfloat16)  # those that only memory holds
FLOATING = FULL + HALF
INTEGER = (int32, int64, uint8, int8, int16, uint16, uint32, uint64)
REAL = FLOATING + INTEGER
COMPLEX = (complex64, complex128)
SIGNED_REAL = (*FLOATING, int32, int64, int8, int16)
SIGNED = SIGNED_REAL + COMPLEX
INEXACT = FLOATING + COMPLEX
NUMERIC = REAL + COMPLEX
ALL = (*NUMERIC, bool_)

_BY_KEY: dict = {float: float32, int: int32, bool: bool_, complex: complex128}
_BY_KEY |= {"string": string, str: string, bytes: string}
_BY_KEY |= {"float": float32, "double": float64, "int": int32, "half": float16}
for _dtype in ALL:
    for _key in (_dtype.name, _dtype.np, _dtype.as_numpy_dtype):
        _BY_KEY[_key] = _dtype


def as_dtype_or_none(value) -> DType | None:
    """The DType that value names, or None where it names none."""
    if type(value) is DType or value is None:  # NumPy takes None for float64
        return value
    try:
        found = _BY_KEY.get(value)
        return found if found is not None else _BY_KEY.get(np.dtype(value))
    except TypeError:
        return None


def as_dtype(value) -> DType:
    """Converts a name, NumPy dtype or Python type to a DType (tf.as_dtype).

    Raises:
        TypeError: value names no supported dtype.
    """
    found = as_dtype_or_none(value)
    if found is None:
        names = ", ".join(d.name for d in ALL)
        raise TypeError(f"cannot interpret {value!r} as an nbflow dtype; supported: {names}")
    return found


def require(op: str, argument: str, dtype: DType, allowed: tuple[DType, ...]) -> None:
    """Raises InvalidDTypeError unless dtype is one of allowed."""
    if dtype not in allowed:
        raise InvalidDTypeError(
            f"{op}: {argument} has dtype {dtype.name}; it takes {', '.join(d.name for d in allowed)}. "
            f"Use nf.cast to convert it."
        )
