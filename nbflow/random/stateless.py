"""Random functions without a state: equal seeds give equal numbers, whenever and wherever they are called."""

import numpy as np

from nbflow.arrays.joining import stack
from nbflow.dtypes import float32, int32, int64
from nbflow.errors import InvalidArgumentError
from nbflow.ops.seeds import AUTO_SELECT, THREEFRY, algorithm_id
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, size_of
from nbflow.random import distributions, parametric
from nbflow.tensor.tensor import argument, to_tensor

KEY_WORD = 498247692  # TensorFlow's first word of the key of index_shuffle


def _stream(function: str, seed, alg="auto_select"):
    """The stream of a seed: (kernel, blocks) -> words.

    Raises:
        InvalidArgumentError: seed is no pair of int32 or int64, or alg has no CPU kernel, in TensorFlow neither.
        ValueError: alg is unknown.
    """
    if algorithm_id(AUTO_SELECT if alg is None else alg) == THREEFRY:
        raise InvalidArgumentError(
            f"{function}: alg is {alg!r}, which has no CPU kernel; use 'philox' or 'auto_select'"
        )
    seed = to_tensor(seed)
    distributions.dtype_argument(f"{function} (seed)", seed.dtype, distributions.INTEGERS)
    words = TABLE["stateless_words"](cast(distributions.vector_argument(function, "seed", seed, 2), int64))
    return lambda kernel, blocks: words


@export("random.stateless_normal")
def stateless_normal(shape, seed, mean=0.0, stddev=1.0, dtype=float32, name=None, alg="auto_select"):
    """Normal numbers that follow from a seed (tf.random.stateless_normal).

    Args:
        shape: of the result: sizes, or an integer tensor.
        seed: two integers, as a list or a tensor of int32 or int64.
        mean, stddev: numbers or tensors of dtype that broadcast with shape; gradients flow to them.
        dtype: float16, bfloat16, float32 or float64.
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


@export("random.stateless_truncated_normal")
def stateless_truncated_normal(shape, seed, mean=0.0, stddev=1.0, dtype=float32, name=None, alg="auto_select"):
    """Truncated normal numbers that follow from a seed (tf.random.stateless_truncated_normal).

    Args, Returns and Raises are those of stateless_normal; numbers lie within two standard deviations of the mean.
    """
    function = "random.stateless_truncated_normal"
    return distributions.normal(function, _stream(function, seed, alg), shape, mean, stddev, dtype, truncated=True)


@export("random.stateless_uniform")
def stateless_uniform(shape, seed, minval=0, maxval=None, dtype=float32, name=None, alg="auto_select"):
    """Uniform numbers in [minval, maxval) that follow from a seed (tf.random.stateless_uniform).

    Args:
        shape: of the result: sizes, or an integer tensor.
        seed: two integers, as a list or a tensor of int32 or int64.
        minval, maxval: numbers or tensors of dtype; by default [0, 1) for floats. For integers scalars, or None for
            both: the whole range of the dtype.
        dtype: float16, bfloat16, float32, float64, int32 or int64; uint32 and uint64 without bounds.
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


@export("random.experimental.stateless_shuffle")
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
    return distributions.shuffle(_stream("random.experimental.stateless_shuffle", seed, alg), value)


@export("random.split", "random.experimental.stateless_split")
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
    stream = _stream("random.split", seed, alg)
    return distributions.full_integers("random.split", stream, [size_of("random.split", "num", num), 2], seed.dtype)


@export("random.fold_in", "random.experimental.stateless_fold_in")
def fold_in(seed, data, alg="auto_select"):
    """Makes a new seed of a seed and a number, for example of a worker (tf.random.fold_in).

    Args:
        seed: two integers, as a list or a tensor of int32 or int64.
        data: an integer scalar, int32, int64, uint32 or uint64.
        alg: "philox" or "auto_select", which is the same.

    Returns:
        A tensor of shape (2,) with the dtype of data.
    """
    data = to_tensor(data)
    first = distributions.full_integers("random.fold_in", _stream("random.fold_in", seed, alg), [], data.dtype)
    return stack([first, data])


@export("random.stateless_gamma")
def stateless_gamma(shape, seed, alpha, beta=None, dtype=float32, name=None):
    """Gamma numbers that follow from a seed (tf.random.stateless_gamma).

    Args:
        shape: of the result: sizes, or an integer tensor; it ends with the shape of the parameters.
        seed: two integers, as a list or a tensor of int32 or int64.
        alpha: numbers or a tensor of dtype: the shapes of the distributions.
        beta: the inverse scales, which broadcast with alpha; 1 by default.
        dtype: float16, float32 or float64.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of dtype. Gradients flow to alpha and beta.

    Raises:
        InvalidArgumentError: seed or dtype is not one of these, or shape does not end with that of the parameters.
    """
    function = "random.stateless_gamma"
    return parametric.gamma(function, _stream(function, seed), shape, alpha, beta, dtype, prepended=False)


@export("random.stateless_poisson")
def stateless_poisson(shape, seed, lam, dtype=int32, name=None):
    """Poisson numbers that follow from a seed (tf.random.stateless_poisson).

    Args:
        shape: of the result: sizes, or an integer tensor; it ends with the shape of lam.
        seed: two integers, as a list or a tensor of int32 or int64.
        lam: a tensor of float16, float32, float64, int32 or int64: the rates.
        dtype: of the result, one of these.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of dtype.

    Raises:
        InvalidArgumentError: seed or a dtype is not one of these, or shape does not end with that of lam.
    """
    function = "random.stateless_poisson"
    return parametric.poisson(function, _stream(function, seed), shape, lam, dtype, prepended=False)


@export("random.stateless_binomial")
def stateless_binomial(shape, seed, counts, probs, output_dtype=int32, name=None):
    """Binomial numbers that follow from a seed: successes among counts trials (tf.random.stateless_binomial).

    Args:
        shape: of the result: sizes, or an integer tensor; it ends with the shape of the parameters.
        seed: two integers, as a list or a tensor of int32 or int64.
        counts, probs: trials and the chance of success, tensors of float16, float32 or float64 that broadcast.
        output_dtype: float16, float32, float64, int32 or int64.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of output_dtype.

    Raises:
        InvalidArgumentError: seed or a dtype is not one of these, or shape does not end with that of the parameters.

    Example:
        >>> import nbflow as nf
        >>> nf.random.stateless_binomial([5, 2], [1, 2], counts=[10.0, 20.0], probs=0.8).shape
        TensorShape([5, 2])
    """
    function = "random.stateless_binomial"
    return parametric.binomial(function, _stream(function, seed), shape, counts, probs, output_dtype)


@export("random.stateless_categorical")
def stateless_categorical(logits, num_samples, seed, dtype=int64, name=None):
    """Categories that follow from a seed, drawn with the chances softmax(logits) (tf.random.stateless_categorical).

    Args:
        logits: a floating-point tensor [batch_size, num_classes]; a class of logit -inf is never drawn.
        num_samples: how many to draw for each row.
        seed: two integers, as a list or a tensor of int32 or int64.
        dtype: int64 or int32.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [batch_size, num_samples] of numbers below num_classes.

    Raises:
        InvalidArgumentError: seed or dtype is not one of these, logits has another rank or no classes, or num_samples
            is negative.
    """
    function = "random.stateless_categorical"
    return parametric.categorical(function, _stream(function, seed), logits, num_samples, dtype)


@export("random.stateless_parameterized_truncated_normal")
def stateless_parameterized_truncated_normal(shape, seed, means=0.0, stddevs=1.0, minvals=-2.0, maxvals=2.0, name=None):
    """Normal numbers between two bounds, which follow from a seed (tf.random.stateless_parameterized_truncated_normal).

    Args:
        shape: of the result: sizes, or an integer tensor; it ends with the shape of the parameters.
        seed: two integers, as a list or a tensor of int32 or int64.
        means, stddevs: of the distributions before they are cut.
        minvals, maxvals: the bounds, one of which may be infinite; all four broadcast, and have one dtype among
            float16, float32 and float64.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the dtype of means. Gradients flow to the parameters.

    Raises:
        InvalidArgumentError: seed or dtypes are not these, shape does not end with that of the parameters, stddevs are
            not positive, minvals not below maxvals, or both bounds infinite.
    """
    function = "random.stateless_parameterized_truncated_normal"
    return parametric.bounded_normal(function, _stream(function, seed), shape, means, stddevs, minvals, maxvals)


@export("random.experimental.index_shuffle")
def index_shuffle(index, seed, max_index):
    """Where a random permutation of 0 … max_index sends an index (tf.random.experimental.index_shuffle).

    The permutation is never made as a whole, so that max_index may be as large as its dtype allows.

    Args:
        index: a scalar or vector of int32, int64, uint32 or uint64.
        seed: two integers of these dtypes, which choose the permutation.
        max_index: the greatest index, of the shape of index or a scalar.

    Returns:
        A tensor of the shape and dtype of index.

    Raises:
        InvalidArgumentError: an argument has another shape or dtype, or index is above max_index.

    Example:
        >>> import nbflow as nf
        >>> nf.random.experimental.index_shuffle(nf.range(4), [5, 9], 3).numpy().tolist()
        [2, 0, 1, 3]
    """
    function = "random.experimental.index_shuffle"
    seed = argument(function, "seed", seed)
    if seed.ndim not in (1, 2):
        raise InvalidArgumentError(f"{function}: seed has shape {seed.shape}; it takes shape (2,)")
    filler = to_tensor(np.full((1, *seed.nbflow_shape[1:]), KEY_WORD).astype(seed.dtype.np), seed.dtype)
    return parametric.index_shuffle(function, index, TABLE["concat"](filler, seed, axis=0), max_index, rounds=4)


@export("random_index_shuffle")
def random_index_shuffle(index, seed, max_index, rounds=4, name=None):
    """Where a random permutation of 0 … max_index sends an index (tf.random_index_shuffle).

    Args:
        index: a scalar or vector of int32, int64, uint32 or uint64.
        seed: three integers of these dtypes, or as many for each index, [n, 3].
        max_index: the greatest index, of the shape of index or a scalar.
        rounds: of the cipher that permutes: an even number, 4 or more.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of the dtype of index: a scalar if all are, else as many numbers as the longest of them has.

    Raises:
        InvalidArgumentError: an argument has another shape or dtype, rounds is odd or below 4, or index is above
            max_index.
    """
    function = "random_index_shuffle"
    if rounds < 4 or rounds % 2:
        raise InvalidArgumentError(f"{function}: rounds is {rounds}; it takes an even number, 4 or more")
    return parametric.index_shuffle(function, index, argument(function, "seed", seed), max_index, rounds)
