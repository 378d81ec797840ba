"""Operations on the bits of integers, and bitcast."""

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.dtypes import INTEGER, NUMERIC, DType, as_dtype
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import check_dtypes, elementwise, register


def _row(name: str, arguments: str, expr, reference):
    return elementwise(name, arguments, expr, dtypes=INTEGER, reference=reference)


def _shift(sign: str):
    """A shift by y bits, kept between 0 and all bits but one, as TensorFlow does where C leaves it open."""

    def expression(dtypes: tuple[DType, ...], result: DType) -> str:
        return f"x {sign} minimum(maximum(y, 0), {8 * result.size - 1})"

    return expression


def _clipped(shift):
    return lambda x, y: shift(x, np.clip(y, 0, 8 * y.dtype.itemsize - 1).astype(y.dtype))


bitwise_and = _row("bitwise_and", "x y", "x & y", np.bitwise_and)
bitwise_or = _row("bitwise_or", "x y", "x | y", np.bitwise_or)
bitwise_xor = _row("bitwise_xor", "x y", "x ^ y", np.bitwise_xor)
invert = _row("invert", "x", "~x", np.invert)
left_shift = _row("left_shift", "x y", _shift("<<"), _clipped(np.left_shift))
right_shift = _row("right_shift", "x y", _shift(">>"), _clipped(np.right_shift))


def _bitcast_shape(source: DType, target: DType, shape: tuple) -> tuple:
    """The shape after a bitcast: a new last axis holds the parts of an element, or an old one is joined.

    Raises:
        InvalidArgumentError: the last axis does not make one element.
    """
    if source.size >= target.size:
        return shape if source.size == target.size else (*shape, source.size // target.size)
    count = target.size // source.size
    if not shape or shape[-1] != count:
        raise InvalidArgumentError(
            f"bitcast: input has dtype {source.name} and shape {shape}; for {target.name} its last axis has to have "
            f"size {count}."
        )
    return shape[:-1]


def _infer_bitcast(avals, attrs):
    check_dtypes("bitcast", ("input",), avals, NUMERIC)
    target = attrs["type"]
    if target not in NUMERIC:
        raise InvalidArgumentError(
            f"bitcast: type is {target.name}; it takes {', '.join(d.name for d in NUMERIC)}. Use nf.cast to convert."
        )
    return aval(target, _bitcast_shape(avals[0].dtype, target, avals[0].shape))


def _bitcast(x: np.ndarray, type: DType) -> np.ndarray:
    shape = _bitcast_shape(as_dtype(x.dtype), type, x.shape)
    return np.ascontiguousarray(x).reshape(-1).view(type.np).reshape(shape)


bitcast = register(Op("bitcast", ("input",), _infer_bitcast, dtypes=NUMERIC, host=_bitcast, reference=_bitcast))
