"""Signals cut into frames, and frames joined into signals."""

from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.public import alike, export
from nbflow.shapes import Dim, dim_max, normalize_axis
from nbflow.signal.counting import part, whole
from nbflow.tensor.tensor import argument


def step_of(op: str, frame_step, least: int | None = None):
    """The distance of one frame's begin from that of the next.

    Raises:
        InvalidArgumentError: it is 0, or less than `least`.
    """
    step = whole(op, "frame_step", frame_step)
    if not isinstance(step, Dim) and (step == 0 or (least is not None and step < least)):
        raise InvalidArgumentError(f"{op}: frame_step is {step}; it takes 1 or more")
    return step


def ceil_div(size, by):
    """size / by, rounded up."""
    return (size + (by - 1)) // by


@export("signal.frame")
def frame(signal, frame_length, frame_step, pad_end=False, pad_value=0, axis=-1, name=None):
    """Parts of a signal that begin at every frame_step-th element and may overlap (tf.signal.frame).

    Args:
        signal: a tensor of any dtype.
        frame_length: elements of a frame.
        frame_step: how far apart frames begin.
        pad_end: whether frames that reach beyond the end are filled up; otherwise they are left out.
        pad_value: what to fill them up with, a scalar of the dtype of signal.
        axis: the axis to cut up.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor in which [frames, frame_length] stand for the axis.

    Raises:
        InvalidArgumentError: signal is a scalar, or lengths are no integers, negative, or a step of 0.

    Example:
        >>> import nbflow as nf
        >>> nf.signal.frame([1, 2, 3, 4, 5], frame_length=3, frame_step=2)
        <nf.Tensor: shape=(2, 3), dtype=int32, numpy=
        array([[1, 2, 3],
               [3, 4, 5]], dtype=int32)>
    """
    x = argument("frame", "signal", signal)
    if not x.ndim:
        raise InvalidArgumentError("frame: signal is a scalar; it must have rank at least 1")
    length, step = whole("frame", "frame_length", frame_length), step_of("frame", frame_step)
    if not isinstance(length, Dim) and length < 0:
        raise InvalidArgumentError(f"frame: frame_length is {length}; it takes 0 or more")
    at = normalize_axis("frame", whole("frame", "axis", axis), x.ndim)
    order = [k for k in range(x.ndim) if k != at]
    x = TABLE["transpose"](x, perm=(*order, at))
    samples = x.nbflow_shape[-1]
    if pad_end:
        count = dim_max(ceil_div(samples, step), 0)
        x = _padded(x, dim_max(length + step * (count - 1) - samples, 0), pad_value)
    else:
        count = dim_max(1 + (samples - length) // step, 0)
    frames = TABLE["frame"](x, length=length, step=step, count=count)
    first = tuple(range(at))
    return TABLE["transpose"](frames, perm=(*first, x.ndim - 1, x.ndim, *range(at, x.ndim - 1)))


def _padded(x, missing, pad_value):
    value = alike("frame", "pad_value", pad_value, x.dtype)
    if value.ndim:
        raise InvalidArgumentError(f"frame: pad_value has shape {value.shape}; it takes a scalar")
    before = (0,) * x.ndim
    return TABLE["pad"](x, value, before=before, after=(*before[1:], missing))


@export("signal.overlap_and_add")
def overlap_and_add(signal, frame_step, name=None):
    """The sum of frames, each frame_step elements after the one before (tf.signal.overlap_and_add).

    Args:
        signal: a tensor [..., frames, frame_length] of numbers.
        frame_step: how far apart frames begin, 1 or more.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [..., frame_length + frame_step * (frames - 1)].

    Raises:
        InvalidArgumentError: signal has fewer than two axes, or frame_step is no integer of 1 or more.
    """
    x = argument("overlap_and_add", "signal", signal)
    if x.ndim < 2:
        raise InvalidArgumentError(f"overlap_and_add: signal has shape {x.shape}; it must have rank at least 2")
    *outer, frames, length = x.nbflow_shape
    if whole("overlap_and_add", "frame_step", frame_step) == length:
        return TABLE["reshape"](x, shape=(*outer, frames * length))
    step = step_of("overlap_and_add", frame_step, 1)
    return TABLE["overlap_and_add"](x, step=step, size=dim_max(length + step * (frames - 1), 0))


def split_last(x, count: int) -> list:
    """The last axis in so many equal parts."""
    size = x.nbflow_shape[-1] // count
    return [part(x, -1, k * size, size) for k in range(count)]
