"""Generator: random numbers from an explicit state, which is a Variable."""

import enum
import operator
import threading

import numpy as np

from nbflow.arrays.creation import zeros_like
from nbflow.arrays.joining import stack
from nbflow.dtypes import float32, int32, int64, uint64
from nbflow.errors import InvalidArgumentError, UnimplementedError
from nbflow.function.trace import init_scope
from nbflow.ops import seeds
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, number
from nbflow.random import distributions, parametric
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import from_numpy, to_tensor
from nbflow.tensor.variable import Variable


@export("random.Algorithm", "random.experimental.Algorithm")
class Algorithm(enum.Enum):
    """Random number algorithms and their numbers (tf.random.Algorithm).

    ThreeFry has a state, but no CPU kernel draws from it, in TensorFlow neither. AUTO_SELECT is Philox.
    """

    PHILOX = 1
    THREEFRY = 2
    AUTO_SELECT = 3


_lock = threading.Lock()  # two threads that draw from one Generator must not read the same state


def _words(function: str, name: str, value, size: int):
    """Words of a state as an int64 vector; Python integers may lie anywhere in the ranges of int64 and uint64."""
    if isinstance(value, TensorProtocol):
        tensor = cast(value, int64)
    else:
        tensor = from_numpy(np.array(seeds.words_state([operator.index(word) for word in value]), np.int64))
    return distributions.vector_argument(function, name, tensor, size)


@export("random.create_rng_state", "random.experimental.create_rng_state")
def create_rng_state(seed, alg):
    """Makes the state of a Generator from a seed (tf.random.create_rng_state).

    Args:
        seed: an integer of any size, or as many as the state has words.
        alg: "philox", "threefry" or "auto_select", their numbers, or an Algorithm.

    Returns:
        A tensor of int64[3]: counter_lo, counter_hi, key; of ThreeFry int64[2]: counter, key.

    Raises:
        ValueError: alg is not supported.

    Example:
        >>> import nbflow as nf
        >>> nf.random.create_rng_state(1234, "philox")
        <nf.Tensor: shape=(3,), dtype=int64, numpy=array([1234,    0,    0])>
    """
    if isinstance(seed, TensorProtocol):
        seed = np.atleast_1d(seed.numpy())
    return from_numpy(np.array(seeds.create_rng_state(seed, seeds.algorithm_id(alg)), np.int64))


@export("random.Generator", "random.experimental.Generator")
class Generator:
    """A random number generator with a state of its own (tf.random.Generator).

    Works the same eagerly and inside nf.function. Each drawing moves the state on; equal states give equal numbers.

    Args:
        copy_from: a Generator whose state is copied.
        state: int64[3], counter_lo, counter_hi and key; a Variable is used as it is, and shared.
        alg: "philox", "threefry" or "auto_select", their numbers, or an Algorithm. From ThreeFry, whose state is
            int64[2], nothing can be drawn.

    Raises:
        ValueError: neither copy_from nor state and alg are given, alg is not supported, or state is no int64[3].

    Example:
        >>> import nbflow as nf
        >>> g = nf.random.Generator.from_seed(1234)
        >>> g.normal(shape=(2, 3))
        <nf.Tensor: shape=(2, 3), dtype=float32, numpy=
        array([[ 0.9356609 ,  1.0854305 , -0.93788373],
               [-0.5061547 ,  1.3169702 ,  0.7137579 ]], dtype=float32)>
    """

    def __init__(self, copy_from=None, state=None, alg=None):
        if copy_from is not None:
            state, alg = to_tensor(copy_from.state), copy_from.algorithm
        if state is None or alg is None:
            raise ValueError("random.Generator: give state and alg, or copy_from; or use Generator.from_seed")
        self._algorithm = seeds.algorithm_id(alg)
        size = seeds.state_size(self._algorithm)
        if isinstance(state, Variable):
            if state.dtype is not int64:
                raise ValueError(f"random.Generator: state is a Variable of {state.dtype.name}; it takes int64")
            self._state = distributions.vector_argument("random.Generator", "state", state, size)
        else:
            self._state = Variable(_words("random.Generator", "state", state, size), trainable=False, name="StateVar")

    @classmethod
    def from_seed(cls, seed, alg=None):
        """Makes a Generator from a seed.

        Args:
            seed: an integer of any size, or up to three of them.
            alg: "philox" (the default), "threefry" or "auto_select".
        """
        alg = Algorithm.PHILOX if alg is None else alg
        return cls(state=create_rng_state(seed, alg), alg=alg)

    @classmethod
    def from_state(cls, state, alg):
        """Makes a Generator from a state: int64[3], counter_lo, counter_hi and key, or a Variable of it."""
        return cls(state=state, alg=alg)

    @classmethod
    def from_key_counter(cls, key, counter, alg):
        """Makes a Generator from a key, an integer, and a counter, two of them."""
        return cls(state=_key_counter("random.Generator.from_key_counter", key, counter, alg), alg=alg)

    @classmethod
    def from_non_deterministic_state(cls, alg=None):
        """Makes a Generator whose state comes from the system's entropy."""
        alg = seeds.algorithm_id(Algorithm.PHILOX if alg is None else alg)
        return cls(state=seeds.nondeterministic_rng_state(alg), alg=alg)

    # --- the state ----------------------------------------------------------------------------------------------

    @property
    def state(self) -> Variable:
        """The state, a Variable of int64[3]: counter_lo, counter_hi and key."""
        return self._state

    @property
    def algorithm(self) -> int:
        """The number of the algorithm: 1 for Philox."""
        return self._algorithm

    @property
    def key(self):
        """The key, an int64 scalar: Generators with different keys have independent streams."""
        return to_tensor(self._state)[-1]

    @property
    def _size(self) -> int:
        return seeds.state_size(self._algorithm)

    def reset(self, state) -> None:
        """Replaces the state by another: int64[3].

        Raises:
            InvalidArgumentError: state has another shape.
        """
        self._state.assign(_words("random.Generator.reset", "state", state, self._size))

    def reset_from_seed(self, seed) -> None:
        """Replaces the state by that of from_seed(seed)."""
        self._state.assign(create_rng_state(seed, self._algorithm))

    def reset_from_key_counter(self, key, counter) -> None:
        """Replaces the state by a key, an integer, and a counter, two of them."""
        function = "random.Generator.reset_from_key_counter"
        self._state.assign(_key_counter(function, key, counter, self._algorithm))

    def skip(self, delta):
        """Moves the state on as drawing `delta` numbers does.

        Args:
            delta: an integer, also as a tensor.

        Returns:
            The state before, int64[3].
        """
        return self._stream("skip", seeds.output_blocks(operator.index(number(delta))))

    def _stream(self, kernel, blocks):
        """Words to draw from; the state moves on by so many blocks."""
        if self._algorithm == seeds.THREEFRY:
            raise UnimplementedError("random.Generator: there is no CPU kernel that draws by ThreeFry; use 'philox'")
        with _lock:
            words = to_tensor(self._state)
            self._state.assign(TABLE["philox_skip"](words, blocks=blocks))
            return words

    # --- drawing ------------------------------------------------------------------------------------------------

    def normal(self, shape, mean=0.0, stddev=1.0, dtype=float32, name=None):
        """Draws normal numbers.

        Args:
            shape: of the result: sizes, or an integer tensor.
            mean, stddev: numbers or tensors of dtype that broadcast with shape; gradients flow to them.
            dtype: float16, bfloat16, float32 or float64.
            name: accepted as TensorFlow's; it has no effect.

        Raises:
            InvalidArgumentError: dtype is not floating point, or a size is negative.
        """
        return distributions.normal("random.Generator.normal", self._stream, shape, mean, stddev, dtype)

    def truncated_normal(self, shape, mean=0.0, stddev=1.0, dtype=float32, name=None):
        """Draws normal numbers within two standard deviations of the mean; arguments as of normal."""
        function = "random.Generator.truncated_normal"
        return distributions.normal(function, self._stream, shape, mean, stddev, dtype, truncated=True)

    def uniform(self, shape, minval=0, maxval=None, dtype=float32, name=None):
        """Draws uniform numbers in [minval, maxval).

        Args:
            shape: of the result: sizes, or an integer tensor.
            minval, maxval: numbers or tensors of dtype; by default [0, 1) for floats. For integers scalars, or None for
                both: the whole range of the dtype.
            dtype: float16, bfloat16, float32, float64, int32 or int64; uint32 and uint64 without bounds.
            name: accepted as TensorFlow's; it has no effect.

        Raises:
            InvalidArgumentError: dtype is another, a size is negative, only one bound is None, or maxval is not above
                minval.
        """
        return distributions.uniform("random.Generator.uniform", self._stream, shape, minval, maxval, dtype)

    def uniform_full_int(self, shape, dtype=uint64, name=None):
        """Draws integers from the whole range of a dtype.

        Args:
            shape: of the result: sizes, or an integer tensor.
            dtype: uint64, uint32, int64 or int32.
            name: accepted as TensorFlow's; it has no effect.
        """
        return distributions.full_integers("random.Generator.uniform_full_int", self._stream, shape, dtype)

    def binomial(self, shape, counts, probs, dtype=int32, name=None):
        """Draws binomial numbers: successes among counts trials.

        Args:
            shape: of the result: sizes, or an integer tensor; it ends with the shape of the parameters.
            counts, probs: trials and the chance of success, tensors of float16, float32 or float64 that broadcast.
            dtype: float16, float32, float64, int32 or int64.
            name: accepted as TensorFlow's; it has no effect.

        Raises:
            InvalidArgumentError: a dtype is another, or shape does not end with that of the parameters.
        """
        function = "random.Generator.binomial"
        if self._algorithm != seeds.PHILOX:
            raise InvalidArgumentError(f"{function}: it draws by Philox only, in TensorFlow too; use alg='philox'")
        return parametric.binomial(function, self._stream, shape, counts, probs, dtype)

    def make_seeds(self, count=1):
        """Draws seeds for stateless functions: int64[2, count], one in each column."""
        keys = self.uniform_full_int([count], int64)
        return stack([keys, zeros_like(keys)])

    def split(self, count=1) -> "list[Generator]":
        """Makes independent Generators; not inside nf.function, as each has a new Variable."""
        keys = self.uniform_full_int([count], int64).numpy()
        return [Generator(state=state, alg=self._algorithm) for state in seeds.split_states(keys)]


def _key_counter(function: str, key, counter, alg):
    """A state from a key and a counter."""
    size = seeds.state_size(seeds.algorithm_id(alg)) - 1
    for name, value, shape in (("key", key, ()), ("counter", counter, (size,))):
        if np.shape(value) != shape:
            raise InvalidArgumentError(f"{function}: {name} has shape {np.shape(value)}; it takes shape {shape}")
    parts = [_words(function, "counter", counter, size), _words(function, "key", _as_vector(key), 1)]
    return TABLE["concat"](*parts, axis=0)


def _as_vector(key):
    return TABLE["reshape"](to_tensor(key), shape=(1,)) if isinstance(key, TensorProtocol) else [key]


_global: Generator | None = None


@export("random.get_global_generator", "random.experimental.get_global_generator")
def get_global_generator() -> Generator:
    """The Generator of the process (tf.random.get_global_generator).

    It is made from the system's entropy at the first call.
    """
    global _global
    if _global is None:
        with init_scope():
            _global = Generator.from_non_deterministic_state()
    return _global


@export("random.set_global_generator", "random.experimental.set_global_generator")
def set_global_generator(generator: Generator) -> None:
    """Replaces the Generator of the process (tf.random.set_global_generator).

    Functions traced before keep the one that they were traced with.
    """
    global _global
    _global = generator
