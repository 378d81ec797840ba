"""How the dtypes of arguments meet, as in Keras."""

import numpy as np

from nbflow import arrays, bitwise, control, image, linalg, math, nn  # noqa: F401  # they publish what this room names
from nbflow.dtypes import as_dtype, bfloat16, float32
from nbflow.keras.settings import floatx
from nbflow.public import cast, export
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import to_tensor


def tensor(x, dtype=None):
    """x as a tensor, cast where a dtype is given."""
    made = x if isinstance(x, TensorProtocol) else to_tensor(x)
    return made if dtype is None else cast(made, as_dtype(dtype))


def floating(x):
    """x as a tensor of floats: integers and booleans in floatx."""
    x = tensor(x)
    return x if x.dtype.is_floating or x.dtype.is_complex else cast(x, as_dtype(floatx()))


def common(*values, floats: bool = False) -> list:
    """Tensors of one dtype: the widest of the widest kind. Python's numbers give way to tensors of their kind."""
    plain = [isinstance(v, (bool, int, float)) for v in values]
    tensors = [v if isinstance(v, TensorProtocol) else to_tensor(v) for v in values]
    dtypes = [t.dtype for t, is_plain in zip(tensors, plain, strict=True) if not is_plain] or [t.dtype for t in tensors]
    found = dtypes[0]
    for dtype in dtypes[1:]:
        found = _wider(found, dtype)
    for t in tensors:  # a float beside integers makes floats of them
        if _kind(t.dtype) > _kind(found):
            found = as_dtype(floatx()) if t.dtype.is_floating else t.dtype
    if floats and _kind(found) < 2:
        found = as_dtype(floatx())
    return [t if t.dtype is found else cast(t, found) for t in tensors]


def _kind(dtype) -> int:
    return 0 if dtype.is_bool else 1 if dtype.is_integer else 2 if dtype.is_floating else 3


def _wider(a, b):
    if a is b:
        return a
    if _kind(a) != _kind(b):
        return a if _kind(a) > _kind(b) else b
    if bfloat16 in (a, b):
        other = b if a is bfloat16 else a
        return other if other.size > 2 else float32
    wider = np.promote_types(a.np, b.np)
    return as_dtype(floatx()) if _kind(a) == 1 and wider.kind == "f" else as_dtype(wider.name)


def published(*others: str):
    """Publishes a function as keras.ops.<its name, without a _ at the end>, and under other names there."""

    def note(function):
        names = (function.__name__.rstrip("_"), *others)
        return export(*[f"keras.ops.{name}" for name in names])(function)

    return note
