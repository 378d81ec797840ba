"""The search for NaN and infinity: in a tensor, or in the result of every op."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import numpy as np

from nbflow.compiler.op import Op
from nbflow.debugging.report import array_of, in_program
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.outside import ASSERT
from nbflow.ops.table import TABLE
from nbflow.public import argument, export
from nbflow.tensor.state import busy, state

_PACKAGE = str(Path(__file__).parents[1])
# Ops that only move numbers about: where their results are not finite, something before them was not.
_MOVING = {"identity", "stop_gradient", "ensure_shape", "concat", "gather", "gather_nd", "select", "reverse", "copy"}


def _kinds(infinite: bool, nan: bool) -> str:
    return " and ".join(name for name, there in (("Inf", infinite), ("NaN", nan)) if there)


class NotFinite:
    """The message of a check in a compiled function, as an attribute of its node (see debugging.report.Report).

    Its node's values are whether there is an infinity, and whether there is a NaN.

    Attributes:
        beginning, end: what stands around "Inf", "NaN" or "Inf and NaN".
    """

    def __init__(self, beginning: str, end: str):
        self.beginning, self.end = beginning, end

    def shown(self, size: int) -> int:
        """How many elements of a value the message needs."""
        return size

    def text(self, arrays: Sequence[np.ndarray], shapes: Sequence[tuple]) -> str:
        """The message."""
        return f"{self.beginning}{_kinds(*(bool(a.any()) for a in arrays))}{self.end}"


def _parts(x) -> list:
    return [TABLE["real"](x), TABLE["imag"](x)] if x.dtype.is_complex else [x]


def _any(test: str, parts: list):
    found = [TABLE["reduce_any"](TABLE[test](p), axis=tuple(range(p.ndim)), keepdims=False) for p in parts]
    return found[0] if len(found) == 1 else TABLE["logical_or"](*found)


def _check_later(x, report: NotFinite) -> None:
    """Adds a check to the trace; ops that it is made of are not checked themselves."""
    checker, state.numerics = state.numerics, None
    try:
        infinite, nan = (_any(test, _parts(x)) for test in ("is_inf", "is_nan"))
        fine = TABLE["logical_not"](TABLE["logical_or"](infinite, nan))
        ASSERT(fine, infinite, nan, report=report)
    finally:
        state.numerics = checker


def _check(x, message: str) -> None:
    if in_program(x):
        _check_later(x, NotFinite(f"{message} : Tensor had ", " values"))
        return
    array = array_of(x)
    if not np.isfinite(array).all():
        kinds = _kinds(bool(np.isinf(array).any()), bool(np.isnan(array).any()))
        raise InvalidArgumentError(f"{message} : Tensor had {kinds} values")


def _checked_gradient(k, gradient, inputs, output, attrs):
    message = f"Not a number (NaN) or infinity (Inf) values detected in gradient. {attrs['message']}"
    return check_numerics(gradient, message)


# The tensor itself: what it is for is the check of its gradient.
CHECKED = Op(
    "check_numerics",
    ("tensor",),
    lambda avals, attrs: avals[0],
    vjp=_checked_gradient,
    expand=lambda emitter, values, attrs: values[0],
)


@export("debugging.check_numerics")
def check_numerics(tensor, message, name=None):
    """The tensor itself, which must hold neither NaN nor infinity (tf.debugging.check_numerics); its gradient as well.

    In a compiled function the check runs with the program; after a failure Variables are as they were before the call.

    Args:
        tensor: a tensor of floating point or complex numbers.
        message: stands at the beginning of the error.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        InvalidArgumentError: it holds one.

    Example:
        >>> import nbflow as nf
        >>> nf.debugging.check_numerics(nf.constant([1.0, float("nan")]), "x")
        Traceback (most recent call last):
        ...
        nbflow.errors.InvalidArgumentError: x : Tensor had NaN values
    """
    x = argument("check_numerics", "tensor", tensor)
    if not x.dtype.is_differentiable:
        raise InvalidDTypeError(
            f"check_numerics: tensor is {x.dtype.name}; it takes floating point and complex numbers"
        )
    _check(x.nbflow_tensor(), str(message))
    return CHECKED(x, message=str(message))


@export("debugging.assert_all_finite")
def assert_all_finite(x, message, name=None):
    """The tensor itself, which must hold neither NaN nor infinity (tf.debugging.assert_all_finite).

    Args:
        x: a tensor of floating point or complex numbers.
        message: stands at the beginning of the error.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        InvalidArgumentError: it holds one.
    """
    return check_numerics(x, message, name)


# --- every op ---------------------------------------------------------------------------------------------------------


def _user_place() -> str:
    """The line and function of the user's that runs an op."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}, in {frame.f_code.co_name}"


def _check_op(op: Op, result) -> None:
    """Checks the results of an op that has just run, or been traced."""
    if op.view is not None or op.name in _MOVING or op.control or op.effect:
        return
    results = result if isinstance(result, tuple) else (result,)
    for number, x in enumerate(results):
        if not x.dtype.is_differentiable or x._aval.unranked:
            continue
        if in_program(x):
            beginning, end = _description(op, number, len(results), x)
            _check_later(x, NotFinite(beginning, end))
            continue
        array = array_of(x)
        if not np.isfinite(array).all():
            beginning, end = _description(op, number, len(results), x)
            kinds = _kinds(bool(np.isinf(array).any()), bool(np.isnan(array).any()))
            raise InvalidArgumentError(f"{beginning}{kinds}{end}{_counts(array)}")


def _description(op: Op, number: int, count: int, x) -> tuple[str, str]:
    return (
        "!!! Detected ",
        f' in output {number} of op "{op.name}" (# of outputs: {count}) !!!\n  dtype: {x.dtype.name}\n  '
        f"shape: {x.shape}\n  made in {_user_place()}",
    )


def _counts(array: np.ndarray) -> str:
    """How many elements there are of each kind, as lines."""
    counts = {"+NaN": np.isnan(array)}
    if array.dtype.kind != "c":
        infinite = np.isinf(array)
        counts = {"-Inf": infinite & (array < 0), "+Inf": infinite & (array > 0), **counts}
    return "".join(f"\n  # of {name} elements: {found.sum()}" for name, found in counts.items() if found.any())


@export("debugging.enable_check_numerics")
def enable_check_numerics(stack_height_limit=30, path_length_limit=50) -> None:
    """From now on every op's result must be finite (tf.debugging.enable_check_numerics), in this thread.

    The error names the op that made the first NaN or infinity, and the user's line that it stands in. Functions are
    traced anew, with a check after each op; those traces are kept apart, so switching it off brings the fast ones back.

    Args:
        stack_height_limit, path_length_limit: accepted as TensorFlow's; the error shows one line, in full.

    Example:
        >>> import nbflow as nf
        >>> nf.debugging.enable_check_numerics()
        >>> nf.math.log(nf.constant([1.0, 0.0]))
        Traceback (most recent call last):
        ...
        nbflow.errors.InvalidArgumentError: !!! Detected Inf in output 0 of op "log" (# of outputs: 1) !!!
        ...
        >>> nf.debugging.disable_check_numerics()
    """
    if state.numerics is None:
        state.numerics = _check_op
        busy.count += 1


@export("debugging.disable_check_numerics")
def disable_check_numerics() -> None:
    """Ends what enable_check_numerics began, in this thread (tf.debugging.disable_check_numerics)."""
    if state.numerics is not None:
        state.numerics = None
        busy.count -= 1
