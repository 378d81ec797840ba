"""Random functions with a state behind them: what they give depends on the global seed and on the calls before.

An eager call takes its stream from the process's EagerSeeds. In a trace each op has a hidden Variable of int64[3] that
it reads and moves on, so that every run of the compiled function draws new numbers; its start follows from the
global seed at the trace and the op's number in it. `set_seed` sends all of them back to their start.
"""

import functools
import itertools
import operator
import threading
import weakref

import numpy as np

from nbflow.dtypes import float32
from nbflow.function.trace import init_scope
from nbflow.ops.random import SEEDS, WORDS
from nbflow.ops.seeds import EagerSeeds, op_words, words_state
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.random import distributions, parametric
from nbflow.tensor.state import busy, state
from nbflow.tensor.tensor import make
from nbflow.tensor.variable import Variable

# The states of the traced ops that are alive: (number, function that gives the start) -> Variable.
_states: weakref.WeakValueDictionary = weakref.WeakValueDictionary()
_numbers = itertools.count()


class _EagerWords(threading.local):
    """The words tensor of a thread's eager calls: an op has read it by the time that its call returns."""

    def __init__(self):
        self.array = np.zeros(3, np.uint64)
        self.tensor = make(self.array, self.array.ctypes.data, WORDS)


_eager = _EagerWords()


def _start(seeds: tuple[int, int]) -> np.ndarray:
    return np.array(words_state(op_words(*seeds)), np.int64)


def stream(function: str, seed):
    """The stream of one op: (kernel, blocks) -> words.

    Raises:
        TypeError: seed is neither None nor an integer.
    """
    if seed is not None:
        try:
            seed = operator.index(seed)
        except TypeError:
            raise TypeError(f"{function}: seed must be an integer or None, got {seed!r}") from None

    def take(kernel: tuple, blocks):
        if busy.count and state.trace is not None:
            return _traced_words(seed, blocks)
        _eager.array[:] = SEEDS.reserve(kernel, blocks, seed)
        return _eager.tensor

    return take


def traced_state(start, name: str) -> Variable:
    """A state of the trace under way, which set_seed sends back to what start() gives."""
    with init_scope():
        variable = Variable(start(), trainable=False, name=name)
    _states[next(_numbers), start] = variable
    return variable


def _traced_words(seed: int | None, blocks):
    """The words of an op of the trace under way, from a state of its own that each run moves on."""
    variable = traced_state(functools.partial(_start, state.trace.seeds.next_seeds(seed)), "random_state")
    words = variable.nbflow_tensor()
    variable.assign(TABLE["philox_skip"](words, blocks=blocks))
    return words


@export("random.set_seed")
def set_seed(seed) -> None:
    """Sets the global seed; all random functions start again from it (tf.random.set_seed).

    Functions compiled before keep the seed of their trace and start again too. While a function is traced, the seed is
    that of the random ops that follow in it. Generators have states of their own and are not touched.

    Args:
        seed: an integer, or None: functions without a seed of their own draw one from the system again.

    Raises:
        TypeError: seed is neither.

    Example:
        >>> import nbflow as nf
        >>> nf.random.set_seed(1)
        >>> nf.random.normal([1])
        <nf.Tensor: shape=(1,), dtype=float32, numpy=array([-1.1012203], dtype=float32)>
    """
    if state.trace is not None:
        checked = EagerSeeds()
        checked.set_seed(seed)
        state.trace.seeds.global_seed = checked.global_seed
        return
    SEEDS.set_seed(seed)
    for (_, start), variable in list(_states.items()):
        variable.assign(start())


@export("random.normal")
def normal(shape, mean=0.0, stddev=1.0, dtype=float32, seed=None, name=None):
    """Normal numbers (tf.random.normal).

    Args:
        shape: of the result: sizes, or an integer tensor.
        mean, stddev: numbers or tensors of dtype that broadcast with shape; gradients flow to them.
        dtype: float16, bfloat16, float32 or float64.
        seed: an integer: calls with it go on with a stream of their own until set_seed.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of dtype.

    Raises:
        InvalidArgumentError: dtype is not floating point, or a size is negative.
        TypeError: seed is no integer.

    Example:
        >>> import nbflow as nf
        >>> nf.random.set_seed(5)
        >>> nf.random.normal([2, 2], 0, 1, nf.float32, seed=1)
        <nf.Tensor: shape=(2, 2), dtype=float32, numpy=
        array([[-1.3768897 , -0.01258316],
               [-0.169515  ,  1.0824056 ]], dtype=float32)>
    """
    return distributions.normal("random.normal", stream("random.normal", seed), shape, mean, stddev, dtype)


@export("random.truncated_normal")
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=float32, seed=None, name=None):
    """Normal numbers within two standard deviations of the mean; others are drawn again (tf.random.truncated_normal).

    Args:
        shape: of the result: sizes, or an integer tensor.
        mean, stddev: numbers or tensors of dtype, the latter before truncation; gradients flow to them.
        dtype: float16, bfloat16, float32 or float64.
        seed: an integer: calls with it go on with a stream of their own until set_seed.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of dtype.

    Raises:
        InvalidArgumentError: dtype is not floating point, or a size is negative.
        TypeError: seed is no integer.
    """
    function = "random.truncated_normal"
    return distributions.normal(function, stream(function, seed), shape, mean, stddev, dtype, truncated=True)


@export("random.uniform")
def uniform(shape, minval=0, maxval=None, dtype=float32, seed=None, name=None):
    """Uniform numbers in [minval, maxval) (tf.random.uniform).

    Args:
        shape: of the result: sizes, or an integer tensor.
        minval, maxval: numbers or tensors of dtype; by default [0, 1) for floats. For integers scalars, and maxval must
            be given; their distribution is slightly uneven where maxval - minval is no power of two.
        dtype: float16, bfloat16, float32, float64, int32 or int64.
        seed: an integer: calls with it go on with a stream of their own until set_seed.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of dtype.

    Raises:
        InvalidArgumentError: dtype is another, a size is negative, or for integers maxval is missing or not above
            minval.
        TypeError: seed is no integer.

    Example:
        >>> import nbflow as nf
        >>> nf.random.set_seed(5)
        >>> [int(nf.random.uniform([], maxval=3, dtype=nf.int32, seed=10)) for _ in range(2)]
        [2, 0]
    """
    words = stream("random.uniform", seed)
    return distributions.uniform("random.uniform", words, shape, minval, maxval, dtype, full_range=False)


@export("random.shuffle")
def shuffle(value, seed=None, name=None):
    """A tensor with its rows (slices along axis 0) in random order (tf.random.shuffle).

    Args:
        value: a tensor of fewer than 2³¹ rows.
        seed: an integer: calls with it go on with a stream of their own until set_seed.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor like value. No gradient flows back through it.

    Raises:
        TypeError: seed is no integer.
    """
    return distributions.shuffle(stream("random.shuffle", seed), value)


@export("random.gamma")
def gamma(shape, alpha, beta=None, dtype=float32, seed=None, name=None):
    """Gamma numbers, of density proportional to x^(alpha - 1) exp(-beta x) (tf.random.gamma).

    Args:
        shape: how many samples of each distribution: sizes, or an integer tensor.
        alpha: numbers or a tensor of dtype: the shapes of the distributions.
        beta: the inverse scales, which broadcast with alpha; 1 by default.
        dtype: float16, float32 or float64.
        seed: an integer: calls with it go on with a stream of their own until set_seed.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of shape (*shape, *broadcast of alpha and beta). Gradients flow to alpha and beta.

    Raises:
        InvalidArgumentError: dtype is another, a size is negative, or alpha and beta do not broadcast.
        TypeError: seed is no integer.

    Example:
        >>> import nbflow as nf
        >>> nf.random.gamma([10], [0.5, 1.5]).shape
        TensorShape([10, 2])
    """
    words = stream("random.gamma", seed)
    return parametric.gamma("random.gamma", words, shape, alpha, beta, dtype, prepended=True)


@export("random.poisson")
def poisson(shape, lam, dtype=float32, seed=None, name=None):
    """Poisson numbers: of events at the rate lam (tf.random.poisson).

    Args:
        shape: how many samples of each distribution: sizes, or an integer tensor.
        lam: a tensor of float16, float32, float64, int32 or int64: the rates.
        dtype: of the result, one of these.
        seed: an integer: calls with it go on with a stream of their own until set_seed.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor of shape (*shape, *shape of lam).

    Raises:
        InvalidArgumentError: a dtype is another, or a size is negative.
        TypeError: seed is no integer.
    """
    words = stream("random.poisson", seed)
    return parametric.poisson("random.poisson", words, shape, lam, dtype, prepended=True)


@export("random.categorical")
def categorical(logits, num_samples, dtype=None, seed=None, name=None):
    """Categories, drawn with the chances softmax(logits) (tf.random.categorical).

    Args:
        logits: a floating-point tensor [batch_size, num_classes]; a class of logit -inf is never drawn.
        num_samples: how many to draw for each row.
        dtype: int64 (the default) or int32.
        seed: an integer: calls with it go on with a stream of their own until set_seed.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor [batch_size, num_samples] of numbers below num_classes.

    Raises:
        InvalidArgumentError: logits has another rank or no classes, dtype is another, or num_samples is negative.
        TypeError: seed is no integer.
    """
    words = stream("random.categorical", seed)
    return parametric.categorical("random.categorical", words, logits, num_samples, dtype)
