"""Dropout."""

from numbers import Real

from nbflow.ops.random import SEEDS
from nbflow.ops.table import TABLE
from nbflow.public import export, sizes
from nbflow.random.stateful import uniform
from nbflow.random.stateless import stateless_uniform
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state
from nbflow.tensor.tensor import argument


def _noise_shape(x, shape) -> tuple:
    """The shape of the random numbers; None stands for the size of x."""
    if shape is None:
        return tuple(x.nbflow_shape)
    if isinstance(shape, (list, tuple)) and len(shape) == x.ndim:
        shape = [n if m is None else m for n, m in zip(x.nbflow_shape, shape, strict=True)]
    return sizes(shape)


def _dropout(op: str, x, rate, noise_shape, sampler, skip=lambda: None):
    """Drops where a uniform number is below rate.

    Args:
        sampler: (shape, dtype) -> uniform numbers in [0, 1).
        skip: moves the stream on as a call would, where rate is 0.
    """
    is_number = isinstance(rate, Real)
    if is_number and not 0 <= rate < 1:
        raise ValueError(f"{op}: rate must be a scalar tensor or a number in the range [0, 1), got {rate}")
    x = argument(op, "x", x)
    if not x.dtype.is_floating:
        raise ValueError(f"{op}: x has dtype {x.dtype.name}; it must be floating point, because it is scaled")
    if is_number and rate == 0:
        skip()
        return x
    if is_number:
        kept = x * (1 / (1 - rate))
    elif isinstance(rate, TensorProtocol) and not rate.ndim and rate.dtype is x.dtype:
        kept = x / (1 - rate)
    else:
        raise ValueError(f"{op}: rate must be a number or a scalar tensor of {x.dtype.name}, got {rate!r}")
    numbers = argument(op, "the random numbers", sampler(shape=_noise_shape(x, noise_shape), dtype=x.dtype), x.dtype)
    keep = numbers >= rate
    return TABLE["select"](keep, kept, TABLE["fill_like"](x, shape=(), value=0))


@export("nn.dropout")
def dropout(x, rate, noise_shape=None, seed=None, name=None):
    """Sets elements to 0 at random and scales the others by 1 / (1 - rate), which keeps the mean (tf.nn.dropout).

    Args:
        x: a floating point tensor.
        rate: the share that is dropped, a number in [0, 1) or a scalar tensor.
        noise_shape: of the random numbers, which broadcast with x: elements with the same number go together.
        seed: an integer, see random.set_seed.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the shape of x.

    Raises:
        ValueError: rate is out of range, or x is not floating point.

    Example:
        >>> import nbflow as nf
        >>> nf.random.set_seed(5)
        >>> nf.nn.dropout(nf.ones([5]), rate=0.5, seed=1).numpy().tolist()
        [0.0, 2.0, 2.0, 2.0, 2.0]
    """

    def skip():
        (SEEDS if state.trace is None else state.trace.seeds).next_seeds(seed)

    return _dropout("dropout", x, rate, noise_shape, lambda shape, dtype: uniform(shape, dtype=dtype, seed=seed), skip)


@export("nn.experimental.general_dropout")
def general_dropout(x, rate, uniform_sampler, noise_shape=None, name=None):
    """dropout with random numbers of one's own (tf.nn.experimental.general_dropout).

    Args:
        x: a floating point tensor.
        rate: the share that is dropped, a number in [0, 1) or a scalar tensor.
        uniform_sampler: a function of shape and dtype that gives uniform numbers in [0, 1).
        noise_shape: of the random numbers, which broadcast with x.
        name: accepted as TensorFlow's; it has no effect.
    """
    return _dropout("general_dropout", x, rate, noise_shape, uniform_sampler)


@export("nn.experimental.stateless_dropout")
def stateless_dropout(x, rate, seed, rng_alg=None, noise_shape=None, name=None):
    """dropout that follows from a seed (tf.nn.experimental.stateless_dropout).

    Args:
        x: a floating point tensor.
        rate: the share that is dropped, a number in [0, 1) or a scalar tensor.
        seed: two integers.
        rng_alg: "philox" or "auto_select", which is the same.
        noise_shape: of the random numbers, which broadcast with x.
        name: accepted as TensorFlow's; it has no effect.
    """

    def sampler(shape, dtype):
        return stateless_uniform(shape, seed, dtype=dtype, alg=rng_alg or "auto_select")

    return _dropout("stateless_dropout", x, rate, noise_shape, sampler)
