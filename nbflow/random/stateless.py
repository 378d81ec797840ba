"""Random functions without a state: equal seeds give equal numbers, whenever and wherever they are called."""

from nbflow.arrays.joining import stack
from nbflow.dtypes import float32, int64
from nbflow.ops.seeds import algorithm_id
from nbflow.ops.table import TABLE
from nbflow.public import cast
from nbflow.random import distributions
from nbflow.tensor.tensor import to_tensor


def _stream(function: str, seed, alg="auto_select"):
    """The stream of a seed: (kernel, blocks) -> words.

    Raises:
        InvalidArgumentError: seed is no pair of int32 or int64.
        ValueError: alg is not supported.
    """
    algorithm_id(alg)
    seed = to_tensor(seed)
    distributions.dtype_argument(f"{function} (seed)", seed.dtype, distributions.INTEGERS)
    words = TABLE["stateless_words"](cast(distributions.vector_argument(function, "seed", seed, 2), int64))
    return lambda kernel, blocks: words


def stateless_normal(shape, seed, mean=0.0, stddev=1.0, dtype=float32, name=None, alg="auto_select"):
    """Normal numbers that follow from a seed (tf.random.stateless_normal).

    Args:
        shape: of the result: sizes, or an integer tensor.
        seed: two integers, as a list or a tensor of int32 or int64.
        mean, stddev: numbers or tensors of dtype that broadcast with shape; gradients flow to them.
        dtype: float32 or float64.
        name: accepted as TensorFlow's; it has no effect.
        alg: "philox" or "auto_select", which is the same.

    Returns:
        A tensor of dtype.

    Raises:
        InvalidArgumentError: seed or dtype is not one of these, or a size is negative.
        ValueError: alg is another.

    Example:
        >>> import nbflow as nf
        >>> bool(nf.reduce_all(nf.random.stateless_normal([3], [1, 2]) == nf.random.stateless_normal([3], [1, 2])))
        True
    """
    function = "random.stateless_normal"
    return distributions.normal(function, _stream(function, seed, alg), shape, mean, stddev, dtype)


def stateless_truncated_normal(shape, seed, mean=0.0, stddev=1.0, dtype=float32, name=None, alg="auto_select"):
    """Truncated normal numbers that follow from a seed (tf.random.stateless_truncated_normal).

    Args, Returns and Raises are those of stateless_normal; numbers lie within two standard deviations of the mean.
    """
    function = "random.stateless_truncated_normal"
    return distributions.normal(function, _stream(function, seed, alg), shape, mean, stddev, dtype, truncated=True)


def stateless_uniform(shape, seed, minval=0, maxval=None, dtype=float32, name=None, alg="auto_select"):
    """Uniform numbers in [minval, maxval) that follow from a seed (tf.random.stateless_uniform).

    Args:
        shape: of the result: sizes, or an integer tensor.
        seed: two integers, as a list or a tensor of int32 or int64.
        minval, maxval: numbers or tensors of dtype; by default [0, 1) for floats. For integers scalars, or None for
            both: the whole range of the dtype.
        dtype: float32, float64, int32 or int64.
        name: accepted as TensorFlow's; it has no effect.
        alg: "philox" or "auto_select", which is the same.

    Returns:
        A tensor of dtype.

    Raises:
        InvalidArgumentError: seed or dtype is not one of these, a size is negative, only one bound is None, or maxval
            is not above minval.
        ValueError: alg is another.
    """
    function = "random.stateless_uniform"
    return distributions.uniform(function, _stream(function, seed, alg), shape, minval, maxval, dtype)


def stateless_shuffle(value, seed, alg="auto_select", name=None):
    """A tensor with its rows in an order that follows from a seed (tf.random.experimental.stateless_shuffle).

    Args:
        value: a tensor of fewer than 2³¹ rows.
        seed: two integers, as a list or a tensor of int32 or int64.
        alg: "philox" or "auto_select", which is the same.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor like value. No gradient flows back through it.
    """
    return distributions.shuffle(_stream("random.stateless_shuffle", seed, alg), value)


def split(seed, num=2, alg="auto_select"):
    """Makes several independent seeds of one (tf.random.split).

    Args:
        seed: two integers, as a list or a tensor of int32 or int64.
        num: how many seeds.
        alg: "philox" or "auto_select", which is the same.

    Returns:
        A tensor of shape (num, 2) with the dtype of seed.

    Example:
        >>> import nbflow as nf
        >>> nf.random.split([1, 2], 3).shape
        TensorShape([3, 2])
    """
    seed = to_tensor(seed)
    return distributions.full_integers("random.split", _stream("random.split", seed, alg), [num, 2], seed.dtype)


def fold_in(seed, data, alg="auto_select"):
    """Makes a new seed of a seed and a number, for example of a worker (tf.random.fold_in).

    Args:
        seed: two integers, as a list or a tensor of int32 or int64.
        data: an integer scalar, int32 or int64.
        alg: "philox" or "auto_select", which is the same.

    Returns:
        A tensor of shape (2,) with the dtype of data.
    """
    data = to_tensor(data)
    first = distributions.full_integers("random.fold_in", _stream("random.fold_in", seed, alg), [], data.dtype)
    return stack([first, data])
