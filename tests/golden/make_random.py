"""Makes random*.npz: the random numbers of TensorFlow's CPU kernels that nbflow's must equal bit for bit.

Run it with a Python that has TensorFlow 2.21 (CPU): ``python tests/golden/make_random.py``. The normals come
through the C library's logf, sinf, cosf, log, sin and cos; the committed file was made with glibc 2.36 on
x86-64.

A name in the file is the case, its parts joined by "/". Large results are stored as the SHA-256 of their
bytes, under a name that ends in "/sha256".
"""

import functools
import hashlib
import pathlib

import numpy as np
import tensorflow as tf

SEEDS = [(1, 0), (0, 7), (87654321, 2147483647), (-3, -(2**63)), (2**40 + 5, 2**62 + 11)]
STATELESS_SEEDS = [(1, 2), (0, 0), (-5, 7), (2**40, -(2**63))]
# Sizes of the calls of one kernel in a row: each shows what the ones before reserved.
CALLS = [0, 1, 3, 4, 5, 40]
LARGE_SIZE = 1_000_003
INT_RANGES = {
    "int32": [(0, 10), (-5, 6), (-(2**31), 2**31 - 1), (2**31 - 3, 2**31 - 1)],
    "int64": [(0, 10), (-(2**40), 2**41 + 7), (-(2**63), 2**63 - 1)],
}
FLOAT_OPS = {
    "uniform": (tf.raw_ops.RandomUniform, tf.random.stateless_uniform),
    "normal": (tf.raw_ops.RandomStandardNormal, tf.random.stateless_normal),
    "truncated_normal": (tf.raw_ops.TruncatedNormal, tf.random.stateless_truncated_normal),
}
FLOATS = ["float32", "float64"]
SHUFFLE_ROWS = [1, 2, 3, 5, 6, 100]

golden = {}


def store(name, value):
    name = "/".join(str(part) for part in name)
    value = np.asarray(value)
    if value.size > 1000:
        golden[f"{name}/sha256"] = np.frombuffer(hashlib.sha256(value.tobytes()).digest(), np.uint8)
    else:
        golden[name] = value


def reset():
    """Sends every eager kernel back to the start of its stream."""
    tf.random.set_seed(0)


def kernels():
    """Each stateful kernel from given seeds, called several times in a row."""
    for name, (op, _) in FLOAT_OPS.items():
        for dtype in FLOATS:
            for seed, seed2 in SEEDS:
                reset()
                calls = [op(shape=[size], dtype=dtype, seed=seed, seed2=seed2) for size in CALLS]
                store([name, dtype, seed, seed2], tf.concat(calls, 0))
            reset()
            store([name, dtype, 5, 9, "matrix"], op(shape=[10, 100], dtype=dtype, seed=5, seed2=9))
            reset()
            store([name, dtype, 5, 9, LARGE_SIZE], op(shape=[LARGE_SIZE], dtype=dtype, seed=5, seed2=9))
    for dtype, ranges in INT_RANGES.items():
        for minval, maxval in ranges:
            lo, hi = tf.constant(minval, dtype), tf.constant(maxval, dtype)
            for seed, seed2 in SEEDS:
                reset()
                op = functools.partial(tf.raw_ops.RandomUniformInt, minval=lo, maxval=hi, seed=seed, seed2=seed2)
                store(
                    ["uniform_int", dtype, minval, maxval, seed, seed2],
                    tf.concat([op(shape=[n]) for n in CALLS], 0),
                )
            reset()
            result = tf.raw_ops.RandomUniformInt(shape=[LARGE_SIZE], minval=lo, maxval=hi, seed=5, seed2=9)
            store(["uniform_int", dtype, minval, maxval, 5, 9, LARGE_SIZE], result)


def shuffles():
    for seed, seed2 in SEEDS:
        reset()
        calls = [tf.raw_ops.RandomShuffle(value=tf.range(rows), seed=seed, seed2=seed2) for rows in SHUFFLE_ROWS]
        store(["shuffle", seed, seed2], tf.concat(calls, 0))
    reset()
    matrix = tf.reshape(tf.range(21), [7, 3])
    store(["shuffle_matrix", 4, 2, "first"], tf.raw_ops.RandomShuffle(value=matrix, seed=4, seed2=2))
    tf.raw_ops.RandomShuffle(value=tf.zeros([5, 0], tf.int32), seed=4, seed2=2)
    store(["shuffle_matrix", 4, 2, "second"], tf.raw_ops.RandomShuffle(value=matrix, seed=4, seed2=2))


def stateless():
    for seed in STATELESS_SEEDS:
        key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=tf.constant(seed, tf.int64))
        store(["key_counter", *seed], tf.concat([counter, key], 0))
        for name, (_, op) in FLOAT_OPS.items():
            for dtype in FLOATS:
                store(["stateless", name, dtype, *seed], op([9], tf.constant(seed, tf.int64), dtype=dtype))
        for dtype in ["int32", "uint32", "int64", "uint64"]:
            result = tf.random.stateless_uniform([9], tf.constant(seed, tf.int64), None, None, dtype)
            store(["stateless", "full", dtype, *seed], result)
        for dtype, ranges in INT_RANGES.items():
            for minval, maxval in ranges:
                result = tf.random.stateless_uniform([9], tf.constant(seed, tf.int64), minval, maxval, dtype)
                store(["stateless", "int", dtype, minval, maxval, *seed], result)
    store(["stateless32", "normal", -5, 7], tf.random.stateless_normal([9], tf.constant([-5, 7], tf.int32)))
    store(["split", 1, 2, 3], tf.random.split([1, 2], 3))
    store(["fold_in", 1, 2, 3], tf.random.fold_in([1, 2], 3))
    store(["stateless_shuffle", 1, 2], tf.random.experimental.stateless_shuffle(tf.range(50), [1, 2]))
    for dtype in ["float16", "bfloat16"]:
        for name in ["uniform", "normal"]:
            result = FLOAT_OPS[name][1]([101], [3, 4], dtype=dtype)
            store(["half", name, dtype, 3, 4], tf.bitcast(result, tf.uint16))


def eager():
    """Public ops in sequences: which stream each call takes."""
    for seed in [0, 1, 42, -7, 2**31 - 1, 2**40 + 3]:
        tf.random.set_seed(seed)
        store(["eager", seed, "normal"], tf.concat([tf.random.normal([1]) for _ in range(5)], 0))
    tf.random.set_seed(1)
    calls = [
        tf.random.normal([3]),
        tf.random.uniform([2, 2]),
        tf.random.normal([2], seed=5),
        tf.random.normal([2], seed=5),
        tf.random.normal([], seed=5),
        tf.random.normal(tf.constant([2], tf.int64), seed=5),
        tf.random.normal([2], seed=5, dtype=tf.float64),
        tf.random.uniform([2], seed=5),
        tf.random.normal([2], seed=-5),
        tf.random.normal([2], seed=2**31 - 1),
        tf.random.truncated_normal([5]),
        tf.random.normal([4], seed=5),
    ]
    store(["eager_mixed"], tf.concat([tf.reshape(tf.cast(c, tf.float64), [-1]) for c in calls], 0))
    store(["eager_mixed_int"], tf.random.uniform([5], -3, 1000, tf.int32))
    store(["eager_mixed_shuffle"], tf.random.shuffle(tf.range(10)))
    store(["eager_affine_normal"], tf.random.normal([100], 0.3, 1.7, seed=8))
    store(["eager_affine_uniform"], tf.random.uniform([100], -0.3, 1.7, seed=8))
    tf.random.set_seed(0)
    store(["eager_zero_zero"], tf.random.normal([2], seed=0))
    tf.random.set_seed(None)
    store(["eager_no_global"], tf.stack([tf.random.normal([2], seed=3) for _ in range(2)]))


def functions():
    """tf.function: the seeds of its ops, its state from run to run, and what set_seed does to it."""

    @tf.function
    def inner():
        return tf.random.normal([1])

    @tf.function
    def f():
        return tf.concat([tf.random.normal([1]), tf.random.normal([1], seed=7), tf.random.normal([1]), inner()], 0)

    tf.random.set_seed(3)
    runs = [f(), f()]
    tf.random.set_seed(4)
    runs += [f(), f()]
    store(["function", 3], tf.stack(runs))


def traced():
    """What compiled functions draw: each distribution, nested functions, Generators, set_seed inside."""

    @tf.function
    def distributions(rows):
        return [
            tf.random.uniform([5]),
            tf.random.uniform([5], -4, 1000, tf.int64),
            tf.random.truncated_normal([5], 2.0, 0.3),
            tf.random.shuffle(rows),
            tf.random.normal([5], dtype=tf.float64, seed=-2),
        ]

    tf.random.set_seed(11)
    for run in range(3):
        for k, result in enumerate(distributions(tf.range(10))):
            store(["traced", 11, run, k], result)

    @tf.function
    def inner():
        return tf.random.normal([1])

    @tf.function
    def outer():
        return tf.concat([inner(), tf.random.normal([1]), inner(), tf.random.normal([1])], 0)

    @tf.function
    def reseeded():
        tf.random.set_seed(9)
        return tf.random.normal([4])

    tf.random.set_seed(3)
    store(["traced_nested", 3], tf.stack([outer(), outer()]))
    store(["traced_reseeded", 3], tf.stack([reseeded(), reseeded()]))
    store(["traced_reseeded_eager", 3], tf.random.normal([4]))

    generator = tf.random.Generator.from_seed(77)

    @tf.function
    def drawing():
        first = generator.normal([3], 1.0, 0.5)
        generator.skip(4)
        return tf.concat([first, generator.uniform([2]), generator.truncated_normal([2])], 0)

    store(["traced_generator", 77], tf.stack([drawing(), drawing()]))
    store(["traced_generator", 77, "state"], generator.state)


def affine():
    """Bounds, means and deviations as tensors: each operation is rounded."""
    mean, stddev = tf.constant([[0.1], [1e7]]), tf.constant([1.7, 3.3, 0.9])
    tf.random.set_seed(21)
    store(["affine", "normal"], tf.random.normal([2, 3], mean, stddev))
    store(["affine", "truncated_normal"], tf.random.truncated_normal([2, 3], mean, stddev))
    store(["affine", "uniform"], tf.random.uniform([2, 3], mean, mean + stddev))
    store(["affine", "uniform_zero"], tf.random.uniform([50], 0, 0.7))
    store(["affine", "float64"], tf.random.uniform([50], -0.1, 0.7, tf.float64))
    store(["affine", "stateless"], tf.random.stateless_normal([2, 3], [1, 2], mean, stddev))
    store(["affine", "stateless_uniform"], tf.random.stateless_uniform([2, 3], [1, 2], mean, mean + stddev))
    generator = tf.random.Generator.from_seed(5)
    store(["affine", "generator"], generator.normal([2, 3], mean, stddev))
    store(["affine", "generator_uniform"], generator.uniform([2, 3], mean, mean + stddev))


def generators():
    for seed in [0, 1234, -1, 2**64 + 9, 2**200 + 2**130 + 1]:
        store(["rng_state", seed], tf.random.create_rng_state(seed, "philox"))
    for seed in [(5,), (1, 2), (1, 2, 3), (1, 2, 3, 4)]:
        store(["rng_state_sequence", *seed], tf.random.create_rng_state(seed, "philox"))
    states = {
        "seed": [1234, 0, 0],
        "wrap_low": [2**32 - 300, 0, 5],
        "wrap_word": [-300, 2**32 - 1, -5],
        "wrap_all": [-300, -1, 2**63 - 1],
    }
    for name, state in states.items():
        g = tf.random.Generator.from_state(state, "philox")
        store(["generator", name, "start"], np.array(state, np.int64))
        store(["generator", name, "normal"], g.normal([2, 3]))
        store(["generator", name, "state1"], g.state)
        store(["generator", name, "uniform"], g.uniform([5]))
        store(["generator", name, "truncated_normal"], g.truncated_normal([5], dtype=tf.float64))
        store(["generator", name, "scalar"], g.normal([]))
        store(["generator", name, "int"], g.uniform([5], -4, 9, tf.int64))
        store(["generator", name, "full"], g.uniform_full_int([3]))
        store(["generator", name, "seeds"], g.make_seeds(4))
        store(["generator", name, "split"], tf.stack([child.state for child in g.split(3)]))
        store(["generator", name, "state2"], g.state)
        g.skip(2**33 + 1)
        store(["generator", name, "state3"], g.state)
        # The lower halves overflow while the upper half is all ones: TensorFlow loses that carry.
        g.skip(2**56 - 1)
        store(["generator", name, "state4"], g.state)
        store(["generator", name, "key"], g.key)


RATES = [0.05, 0.5, 1.0, 1.5, 9.5, 10.0, 40.0, 1e4]
COUNTS, PROBS = [[1.0], [15.0], [300.0]], [0.01, 0.3, 0.5, 0.6, 0.97, 1.0]
BOUNDS = [(0, 1, -2, 2), (1, 2, 3, 4), (0, 1, 0.1, 0.2), (0, 1, -np.inf, -2), (5, 0.5, -1, 1), (0, 1, 2, np.inf)]
LOGITS = [[0.0, 1.0, -1.0, 2.0], [0.0, -np.inf, 0.0, 0.0], [np.inf, 3.0, 3.0, -3.0]]
HALVES = ["float16", "bfloat16"]
COMPUTED = ["float16", "float32", "float64"]


def halves():
    """Half precision: what NumPy has no name for is stored as its bits."""

    def keep(name, value):
        store(["half", *name], tf.bitcast(value, tf.uint16))

    generator = tf.random.Generator.from_seed(3)
    for dtype in HALVES:
        keep(["truncated_normal", dtype, 3, 4], tf.random.stateless_truncated_normal([101], [3, 4], dtype=dtype))
        keep(["affine", dtype, 3, 4], tf.random.stateless_normal([101], [3, 4], 0.3, 1.7, dtype))
        tf.random.set_seed(5)
        for name in ["uniform", "normal", "truncated_normal"]:
            function = getattr(tf.random, name)
            keep([name, dtype, "eager"], tf.concat([function([n], dtype=dtype, seed=2) for n in CALLS], 0))
            keep([name, dtype, "generator"], getattr(generator, name)([7], dtype=dtype))
        keep(["bounds", dtype, "eager"], tf.random.uniform([50], -0.3, 1.7, dtype, seed=2))
    for dtype in ["int32", "int64", "uint32", "uint64"]:
        store(["generator_full", dtype], tf.random.Generator.from_seed(3).uniform_full_int([7], dtype))
        store(["fold_in", dtype], tf.random.fold_in([1, 2], tf.constant(3, dtype)))


def parametric():
    """Stateless distributions with parameters."""
    for seed in STATELESS_SEEDS[::2]:
        for dtype in COMPUTED:
            part = [dtype, *seed]
            rates = tf.constant(RATES, dtype)
            store(["gamma", *part], tf.random.stateless_gamma([12, 8], seed, RATES, [2.0] * 8, dtype))
            store(["gamma_only", *part], tf.random.stateless_gamma([2, 3, 8], seed, RATES, dtype=dtype))
            for result in [*COMPUTED, "int32", "int64"]:
                store(["poisson", result, *part], tf.random.stateless_poisson([6, 8], seed, rates, result))
                store(
                    ["binomial", result, *part],
                    tf.random.stateless_binomial(
                        [4, 3, 6], seed, tf.constant(COUNTS, dtype), tf.constant(PROBS, dtype), result
                    ),
                )
            for k, bounds in enumerate(BOUNDS):
                parameters = [tf.constant(x, dtype) for x in bounds]
                value = tf.random.stateless_parameterized_truncated_normal([9], seed, *parameters)
                store(["bounded", k, *part], value)
            mean = tf.constant([[0.0], [1.0]], dtype)
            store(
                ["bounded_many", *part],
                tf.random.stateless_parameterized_truncated_normal(
                    [5, 2, 3], seed, mean, tf.constant([1.0, 2.0, 0.5], dtype), tf.constant(-1.0, dtype), mean + 2
                ),
            )
        for rate in ["int32", "int64"]:
            store(["poisson", rate, *seed], tf.random.stateless_poisson([9, 2], seed, tf.constant([3, 40], rate)))
        for dtype in [*COMPUTED, "bfloat16"]:
            for result in ["int32", "int64"]:
                logits = tf.constant(LOGITS, dtype)
                store(["categorical", dtype, result, *seed], tf.random.stateless_categorical(logits, 11, seed, result))
    store(["categorical", "nothing"], tf.random.stateless_categorical([[-np.inf, np.nan]], 3, [1, 2]))


def parametric_calls():
    """Stateful distributions with parameters: eager calls in a row, functions, Generators."""

    def calls(seed):
        return [
            tf.random.gamma([3], RATES, seed=seed),
            tf.random.gamma([2], [[1.0], [2.0]], [3.0, 0.5], tf.float64, seed=seed),
            tf.random.poisson([3], RATES, seed=seed),
            tf.random.poisson([2, 1], [3, 40], tf.int64, seed=seed),
            tf.random.categorical(LOGITS, 5, seed=seed),
            tf.random.categorical(LOGITS, 2, tf.int32, seed=seed),
        ]

    for seed in [None, 7]:
        tf.random.set_seed(6)
        for run in range(3):
            for k, value in enumerate(calls(seed)):
                store(["parametric_calls", seed, run, k], value)
        traced = tf.function(calls)
        tf.random.set_seed(6)
        for run in range(2):
            for k, value in enumerate(traced(seed)):
                store(["parametric_traced", seed, run, k], value)
    generator = tf.random.Generator.from_seed(9)
    store(["generator_binomial", 1], generator.binomial([5, 3], [10.0, 20.0, 100.0], [0.5, 0.2, 0.7]))
    store(["generator_binomial", 2], generator.binomial([2, 3, 2], COUNTS, [0.2, 0.8], tf.float64))
    store(["generator_binomial", "state"], generator.state.numpy())
    for rate in [0.3, 1.0, 7.0]:
        alpha, beta = tf.Variable(rate), tf.Variable([1.0, 3.0])
        with tf.GradientTape() as tape:
            value = tf.random.stateless_gamma([5, 2], [1, 2], alpha, beta)
        for name, gradient in zip(["alpha", "beta"], tape.gradient(value, [alpha, beta]), strict=True):
            store(["gamma_gradient", rate, name], gradient)
    for k, bounds in enumerate(BOUNDS):
        if np.isfinite(bounds).all():
            parameters = [tf.Variable(x, dtype=tf.float64) for x in bounds]
            with tf.GradientTape() as tape:
                value = tf.random.stateless_parameterized_truncated_normal([5], [1, 2], *parameters)
            store(["bounded_gradient", k], tf.stack(tape.gradient(value, parameters)))


def index_shuffles():
    for dtype in ["int32", "int64", "uint32", "uint64"]:
        index = tf.cast(tf.range(20), dtype)
        for last in [19, 100, 70000, 2**20, 2**30]:
            result = tf.random.experimental.index_shuffle(index, [5, 9], tf.constant(last, dtype))
            store(["index_shuffle", dtype, last], result)
    for last in [2**31, 2**33 + 5, 2**50 + 1, 2**63 - 1]:
        args = tf.range(20, dtype=tf.int64), tf.constant([-5, 2**40 + 9], tf.int64), tf.constant(last, tf.int64)
        store(["index_shuffle", "int64", last], tf.random.experimental.index_shuffle(*args))
    for rounds in [4, 6, 12]:
        store(["index_shuffle_rounds", rounds], tf.random_index_shuffle(tf.range(20), [1, 2, 3], 99, rounds))
    keys = [[1, 2, 3], [4, 5, 6]]
    store(["index_shuffle_rounds", "keys"], tf.random_index_shuffle(3, keys, [9, 70000]))


def candidates():
    true = tf.constant([[1, 2], [0, 6], [3, 3]], tf.int64)
    weights = [0.5, 3.0, 1.0, 1.0, 0.0, 7.0, 2.0]
    samplers = {
        "uniform": lambda *a, **k: tf.random.uniform_candidate_sampler(*a, 7, **k),
        "log_uniform": lambda *a, **k: tf.random.log_uniform_candidate_sampler(*a, 7, **k),
        "learned_unigram": lambda *a, **k: tf.random.learned_unigram_candidate_sampler(*a, 7, **k),
        "fixed_unigram": lambda *a, **k: tf.random.fixed_unigram_candidate_sampler(
            *a, 7, distortion=0.75, unigrams=weights, **k
        ),
        "wide": lambda *a, **k: tf.random.uniform_candidate_sampler(*a, 2**40 + 3, **k),
        "reserved": lambda *a, **k: tf.random.fixed_unigram_candidate_sampler(
            *a, 7, num_reserved_ids=1, num_shards=2, shard=0, unigrams=[float(i) for i in range(1, 13)], **k
        ),
    }
    for name, sampler in samplers.items():
        for unique in [False, True]:
            for seed in [None, 3]:
                tf.random.set_seed(8)
                runs = [sampler(true, 2, 5, unique, seed=seed) for _ in range(3)]
                traced = tf.function(functools.partial(sampler, true, 2, 5, unique, seed=seed))
                tf.random.set_seed(8)
                runs += [traced() for _ in range(2)]
                for k, results in enumerate(runs):
                    for part, value in zip(["sampled", "true", "expected"], results, strict=True):
                        store(["candidates", name, unique, seed, k, part], value)


FILES = {
    "random": [kernels, shuffles, stateless, eager, functions, traced, affine, generators],
    "random_parametric": [halves, parametric, parametric_calls, index_shuffles, candidates],
}

if __name__ == "__main__":
    for stem, sections in FILES.items():
        golden.clear()
        for section in sections:
            section()
        path = pathlib.Path(__file__).with_name(f"{stem}.npz")
        np.savez_compressed(path, **golden)
        print(f"{path.name}: {len(golden)} arrays, {path.stat().st_size} bytes")
