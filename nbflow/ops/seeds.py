"""Where random streams start: TensorFlow 2's seeds, made into the words that ``nbflow.runtime.philox`` reads.

A stream is ``(counter_lo, counter_hi, key)``, three Python ints in [0, 2**64): "words" below. The kernels
take them as ``np.uint64``. Everything here is plain Python, exact, and needs no compiled code.

API.

    combine_seeds(global_seed, op_seed)    (seed, seed2) of an op, as ``tf.compat.v1.get_seed``
    op_words(seed, seed2)                  words at which a stateful op starts
    skip(words, blocks)                    words further along the same stream
    output_blocks(count)                   blocks that an op or a Generator reserves for its outputs
    shuffle_blocks(rows, elements)         blocks that ``shuffle`` reserves
    EagerSeeds                             the state behind ``set_seed`` and the eager ops; one per process
    GraphSeeds                             the seeds of the random ops of one traced function
    stateless_words(seed)                  words of a ``stateless_*`` op, from its two seeds
    create_rng_state(seed, alg)            state of ``Generator.from_seed``, ``reset_from_seed``
    nondeterministic_rng_state(alg)        state of ``Generator.from_non_deterministic_state``
    state_size(alg)                        how many words that is
    state_words(state), words_state(words) a Generator's int64 state as words, and back
    read_and_skip(state, count)            ``Generator.skip``: the state from before and the one after
    split_states(keys)                     states of ``Generator.split``
    algorithm_id(alg)                      the number of an algorithm's name

Eager op (``normal``, ``uniform``, ``truncated_normal``, ``shuffle``, each with ``seed=None`` or an int):

    words = seeds.reserve(("RandomStandardNormal", "float32", "int32"), output_blocks(size), op_seed)
    fill_normal_float32(out, 0, *map(np.uint64, words))

The kernel's name is what TensorFlow's eager kernel cache tells ops apart by: the op, its dtypes (of the
result, and of the shape: a shape given as int64 tensor has a stream of its own; a list or tuple is int32) and
its device. Shapes and values do not count. An op with a ``seed`` argument goes on with its stream from call
to call until ``set_seed``; an op without one gets a new seed, and so a new stream, at every call.

Traced op: at trace time ``GraphSeeds(global_seed).next_seeds(op_seed)`` gives the pair of each op, in the
order of the trace. Every op of every compiled function has its own state, which starts at ``op_words(*pair)``
and moves on by its reservation at each run. ``set_seed`` sends these states back to their start, with the
seeds of the trace: a function traced under ``set_seed(1)`` repeats the numbers of seed 1 after
``set_seed(2)``. ``EagerSeeds.epoch`` changes at each ``set_seed``, so that a compiled function can see that
it must start again. A function traced inside another has its own ``GraphSeeds``, with the global seed of the
outer one.

Generator: a Variable of int64[3], ``state = [counter_lo, counter_hi, key]``, ``key = state[2]``. Each drawing
of ``count`` outputs reads the state as words, fills from them, and leaves ``skip(words,
output_blocks(count))``: ``normal``, ``uniform``, ``truncated_normal``, ``uniform_full_int`` and
``skip(count)`` alike; a scalar counts one. ``make_seeds(n)`` is ``[keys, zeros]`` and ``split(n)`` is
``split_states(keys)``, with ``keys = uniform_full_int([n], int64)``.

Stateless: ``stateless_normal(shape, seed)`` fills from ``stateless_words(seed)``, and ``stateless_shuffle``
permutes with them; ``tf.random.split(seed, n)`` is the full-range integers of shape [n, 2] in the seed's
dtype, and ``fold_in(seed, data)`` is ``[one of them, data]`` in the dtype of data.

Source: ``tensorflow/python/framework/random_seed.py``, ``python/eager/context.py``, ``GuardedPhiloxRandom``,
``StatelessRandomGetKeyCounter``, ``python/ops/stateful_random_ops.py``.
"""

import operator
import os
import random
import threading

DEFAULT_GLOBAL_SEED = 87654321
MAX_SEED = 2**31 - 1

# Algorithm numbers of tf.random.Algorithm. Auto selection means Philox on CPU and GPU.
PHILOX, THREEFRY, AUTO_SELECT = 1, 2, 3
_ALGORITHMS = {"philox": PHILOX, "threefry": THREEFRY, "autoselect": AUTO_SELECT}

_MASK_32 = 2**32 - 1
_MASK_64 = 2**64 - 1
_STATE_SIZES = {PHILOX: 3, THREEFRY: 2, AUTO_SELECT: 3}
# The key under which the seeds of stateless ops are scrambled.
_SCRAMBLE_KEY = 0x02461E293EC8F720


def philox_block(words):
    """Makes the block at ``words``: four ints below 2**32.

    Source: Salmon et al., SC 2011, Philox 4x32-10. ``nbflow.runtime.philox`` has the compiled one.
    """
    counter_lo, counter_hi, key = words
    c0, c1 = counter_lo & _MASK_32, counter_lo >> 32
    c2, c3 = counter_hi & _MASK_32, counter_hi >> 32
    k0, k1 = key & _MASK_32, key >> 32
    for _ in range(10):
        a = c0 * 0xD2511F53
        b = c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (b >> 32) ^ c1 ^ k0, b & _MASK_32, (a >> 32) ^ c3 ^ k1, a & _MASK_32
        k0 = (k0 + 0x9E3779B9) & _MASK_32
        k1 = (k1 + 0xBB67AE85) & _MASK_32
    return c0, c1, c2, c3


def skip(words, blocks):
    """Moves along a stream.

    Args:
        words: (counter_lo, counter_hi, key).
        blocks: int, how many blocks of 128 bits; taken modulo 2**64, as ``PhiloxRandom::Skip`` does.

    Returns:
        The words there.
    """
    counter_lo, counter_hi, key = words
    blocks &= _MASK_64
    # The carry is found by halves of 32 bits, as in TensorFlow, where it is lost when the upper half of
    # ``blocks`` is all ones and the lower halves overflow.
    low = (counter_lo & _MASK_32) + (blocks & _MASK_32)
    increment = ((blocks >> 32) + (low >> 32)) & _MASK_32
    high = (counter_lo >> 32) + increment
    counter_hi = (counter_hi + (high >> 32)) & _MASK_64
    return (high & _MASK_32) << 32 | low & _MASK_32, counter_hi, key


def output_blocks(count):
    """Blocks reserved for ``count`` outputs of any distribution.

    Source: ``GuardedPhiloxRandom::ReserveRandomOutputs(count, 256)``.
    """
    return 256 * count


def shuffle_blocks(rows, elements):
    """Blocks reserved by a shuffle of ``rows`` rows with ``elements`` elements in all.

    Nothing is drawn when there is nothing to shuffle. Source: ``RandomShuffleOp``.
    """
    if rows <= 1 or elements <= 1:
        return 0
    return (rows + 2) // 4


def combine_seeds(global_seed, op_seed):
    """Combines the global seed and an op's seed.

    Args:
        global_seed: int or None.
        op_seed: int or None; under a global seed an int, if need be from ``EagerSeeds`` or ``GraphSeeds``.

    Returns:
        (seed, seed2), ints in [0, 2**31); (0, 0), "from the system", only for two None.

    Source: ``tf.compat.v1.get_seed``.
    """
    if global_seed is None:
        if op_seed is None:
            return 0, 0
        return DEFAULT_GLOBAL_SEED, operator.index(op_seed) % MAX_SEED
    seeds = global_seed % MAX_SEED, operator.index(op_seed) % MAX_SEED
    if seeds == (0, 0):
        return 0, MAX_SEED
    return seeds


def op_words(seed, seed2):
    """Words at which a stateful op starts: its seeds are the key and the upper half of the counter.

    Args:
        seed, seed2: ints in the range of int64. (0, 0) takes both from the system's entropy.

    Source: ``GuardedPhiloxRandom::Init``.
    """
    if seed == 0 and seed2 == 0:
        seed, seed2 = _entropy(), _entropy()
    return 0, seed2 & _MASK_64, seed & _MASK_64


def stateless_words(seed):
    """Words of a stateless op: its two seeds, scrambled by Philox, so that either may hold the information.

    Args:
        seed: two ints in the range of int64 (int32 seeds are their values).

    Source: ``StatelessRandomGetKeyCounter``.
    """
    seed0, seed1 = (operator.index(s) & _MASK_64 for s in seed)
    m0, m1, m2, m3 = philox_block((seed0, seed1, _SCRAMBLE_KEY))
    return 0, m3 << 32 | m2, m1 << 32 | m0


class EagerSeeds:
    """The global seed and the streams of the eager random ops. Calls from several threads are safe.

    Attributes:
        global_seed: int, or None when there is none.
        epoch: int, one more after each ``set_seed``.

    Example:
        >>> seeds = EagerSeeds()
        >>> seeds.set_seed(1)
        >>> seeds.reserve(("RandomStandardNormal", "float32", "int32"), output_blocks(1))
        (0, 577090037, 1)
    """

    def __init__(self):
        self._lock = threading.Lock()
        self.epoch = 0
        self.set_seed(None)

    def set_seed(self, seed):
        """Sets the global seed and sends every op back to the start of its stream.

        Args:
            seed: an integer, or None: ops without a seed of their own draw from the system again.

        Raises:
            TypeError: seed is neither.

        Source: ``tf.random.set_seed``.
        """
        if seed is not None:
            try:
                seed = operator.index(seed)
            except TypeError:
                raise TypeError(f"set_seed: seed must be an integer or None, got {seed!r}") from None
        with self._lock:
            self.global_seed = seed
            self.epoch += 1
            self._draws = random.Random(seed)
            self._words = {}

    def next_seeds(self, op_seed=None):
        """The (seed, seed2) of the next eager op; under a global seed, None draws a new one."""
        if op_seed is None and self.global_seed is not None:
            op_seed = self._draws.randint(0, MAX_SEED)
        return combine_seeds(self.global_seed, op_seed)

    def reserve(self, kernel, blocks, op_seed=None):
        """Takes the stream for one eager call and moves the kernel's state past it.

        Args:
            kernel: hashable, what tells kernels apart: (op, dtypes ..., device).
            blocks: int, ``output_blocks(...)`` or ``shuffle_blocks(...)``.
            op_seed: int or None, the op's ``seed`` argument.

        Returns:
            The words where the call starts.
        """
        with self._lock:
            seeds = self.next_seeds(op_seed)
            if op_seed is None and self.global_seed is not None:
                # A drawn seed does not come back, so its state is not kept. TensorFlow keeps it, which shows
                # only when a seed is drawn twice: two draws agree with a chance of 2**-31.
                return op_words(*seeds)
            state = (kernel, seeds)
            words = self._words.get(state)
            if words is None:
                words = op_words(*seeds)
            self._words[state] = skip(words, blocks)
            return words


class GraphSeeds:
    """The seeds of the random ops of one traced function: ops without a seed are numbered from 0.

    Args:
        global_seed: int or None, ``EagerSeeds.global_seed`` when the trace starts; the outer trace's in a
            nested one.

    Source: ``tf.compat.v1.get_seed`` inside a ``FuncGraph``.
    """

    def __init__(self, global_seed):
        self.global_seed = global_seed
        self._count = 0

    def next_seeds(self, op_seed=None):
        """The (seed, seed2) of the next op in the trace."""
        if op_seed is None and self.global_seed is not None:
            op_seed = self._count
            self._count += 1
        return combine_seeds(self.global_seed, op_seed)


def state_size(alg):
    """The words of a Generator's state: a counter and a key, by the number of the algorithm."""
    return _STATE_SIZES[alg]


def create_rng_state(seed, alg=PHILOX):
    """State of a Generator made from a seed.

    Args:
        seed: an int of any size and sign, cut into 64-bit pieces, lowest first; or a sequence of ints, padded
            with zeros on the left. Both keep as many as the state has: in Philox a small int is a counter, a single
            element a key.
        alg: the number of an algorithm.

    Returns:
        Ints in the range of int64: [counter_lo, counter_hi, key], of ThreeFry [counter, key].

    Source: ``tf.random.create_rng_state``.
    """
    size = _STATE_SIZES[alg]
    try:
        seed = operator.index(seed)
        pieces = [seed >> 64 * i for i in range(size)]
    except TypeError:
        pieces = [operator.index(piece) for piece in seed][:size]
    return words_state([0] * (size - len(pieces)) + pieces)


def nondeterministic_rng_state(alg=PHILOX):
    """State of a Generator from the system's entropy: ints in the range of int64."""
    return words_state([_entropy() for _ in range(_STATE_SIZES[alg])])


def state_words(state):
    """A Generator's state, three int64, as words."""
    return tuple(operator.index(word) & _MASK_64 for word in state)


def words_state(words):
    """Words as a Generator's state: a list of ints in the range of int64."""
    return [((word & _MASK_64) ^ 1 << 63) - (1 << 63) for word in words]


def read_and_skip(state, count):
    """Advances a Generator's state past ``count`` outputs.

    Args:
        state: three ints in the range of int64.
        count: int.

    Returns:
        (words, state): where the drawing starts, and the state after it.

    Source: ``RngReadAndSkip``.
    """
    words = state_words(state)
    return words, words_state(skip(words, output_blocks(count)))


def split_states(keys):
    """States of the Generators that ``split`` makes: a zero counter and a new key each.

    Args:
        keys: ints in the range of int64, ``uniform_full_int([count], int64)`` of the generator that is split.
    """
    return [[0, 0, operator.index(key)] for key in keys]


def algorithm_id(alg):
    """The number of a random number algorithm.

    Args:
        alg: "philox", "threefry" or "auto_select" (in any case, with or without "-" and "_"), their numbers 1 to 3, or
            an enum member with such a value.

    Raises:
        ValueError: another name or number.
        TypeError: neither.

    Source: ``tf.random.Algorithm``.
    """
    number = getattr(alg, "value", alg)
    if isinstance(number, str):
        number = _ALGORITHMS.get(number.strip().lower().replace("-", "").replace("_", ""))
    elif not isinstance(number, int):
        raise TypeError(f"random algorithm {alg!r} is neither a name nor a number")
    if number not in _ALGORITHMS.values():
        raise ValueError(
            f"random algorithm {alg!r} is not supported: use 'philox' (1), 'threefry' (2) or 'auto_select' (3)"
        )
    return number


def _entropy():
    return int.from_bytes(os.urandom(8), "little")
