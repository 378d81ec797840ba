"""Seeds, streams and Generator states against TensorFlow's (tests/golden/make_random.py), bit for bit."""

import doctest
import pathlib
import platform
import threading

import numpy as np
import pytest

from nbflow.ops import seeds
from nbflow.ops.seeds import EagerSeeds, GraphSeeds, output_blocks, shuffle_blocks
from nbflow.runtime import philox

GOLDEN = np.load(pathlib.Path(__file__).parents[1] / "golden" / "random.npz")
STATELESS_SEEDS = [(1, 2), (0, 0), (-5, 7), (2**40, -(2**63))]
FILLS = {"normal": "RandomStandardNormal", "uniform": "RandomUniform", "truncated_normal": "TruncatedNormal"}

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="golden normals were made with glibc")


def fill(name, words, size, dtype="float32", *parameters):
    out = np.empty(size, dtype)
    target = out.view(f"uint{dtype[-2:]}") if "full" in name else out
    getattr(philox, name)(target, 0, *map(np.uint64, words), *parameters)
    return out


def draw(context, name, size, dtype="float32", seed=None, index="int32"):
    """One eager op of the context."""
    words = context.reserve((FILLS[name], dtype, index), output_blocks(size), seed)
    return fill(f"fill_{name}_{dtype}", words, size, dtype)


def assert_bits(actual, expected):
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    assert actual.tobytes() == expected.tobytes()


@pytest.fixture
def context():
    return EagerSeeds()


def test_two_normals_after_seed_one(context):
    context.set_seed(1)
    values = [draw(context, "normal", 1)[0] for _ in range(2)]
    assert values == [np.float32(-1.1012203), np.float32(0.40308788)]


@pytest.mark.parametrize("seed", [0, 1, 42, -7, 2**31 - 1, 2**40 + 3])
def test_global_seed(context, seed):
    for value in [seed, np.int64(seed), np.array(seed)]:
        context.set_seed(value)
        actual = np.concatenate([draw(context, "normal", 1) for _ in range(5)])
        assert_bits(actual, GOLDEN[f"eager/{seed}/normal"])


def test_mixed_eager_calls(context):
    context.set_seed(1)
    calls = [
        draw(context, "normal", 3),
        draw(context, "uniform", 4),
        draw(context, "normal", 2, seed=5),
        draw(context, "normal", 2, seed=5),
        draw(context, "normal", 1, seed=5),
        draw(context, "normal", 2, seed=5, index="int64"),
        draw(context, "normal", 2, "float64", seed=5),
        draw(context, "uniform", 2, seed=5),
        draw(context, "normal", 2, seed=-5),
        draw(context, "normal", 2, seed=2**31 - 1),
        draw(context, "truncated_normal", 5),
        draw(context, "normal", 4, seed=5),
    ]
    assert_bits(np.concatenate(calls).astype(np.float64), GOLDEN["eager_mixed"])
    words = context.reserve(("RandomUniformInt", "int32", "int32"), output_blocks(5))
    integers = fill("fill_uniform_int32", words, 5, "int32", np.int64(-3), np.uint64(1003))
    assert_bits(integers, GOLDEN["eager_mixed_int"])
    words = context.reserve(("RandomShuffle", "int32"), shuffle_blocks(10, 10))
    permutation = np.empty(10, np.int32)
    philox.fill_permutation(permutation, *map(np.uint64, words))
    assert_bits(permutation, GOLDEN["eager_mixed_shuffle"])
    normal = draw(context, "normal", 100, seed=8) * np.float32(1.7) + np.float32(0.3)
    assert_bits(normal, GOLDEN["eager_affine_normal"])
    minval, maxval = np.float32(-0.3), np.float32(1.7)
    uniform = draw(context, "uniform", 100, seed=8) * (maxval - minval) + minval
    assert_bits(uniform, GOLDEN["eager_affine_uniform"])


def test_seeds_zero_and_zero_are_deterministic(context):
    context.set_seed(0)
    assert context.next_seeds(0) == (0, 2**31 - 1)
    assert_bits(draw(context, "normal", 2, seed=0), GOLDEN["eager_zero_zero"])


def test_op_seed_alone_uses_the_default_global_seed(context):
    actual = np.stack([draw(context, "normal", 2, seed=3) for _ in range(2)])
    assert_bits(actual, GOLDEN["eager_no_global"])


def test_no_seed_is_not_deterministic(context):
    kernel = ("RandomUniform", "float32", "int32")
    starts = {EagerSeeds().reserve(kernel, 256) for _ in range(5)}
    assert len(starts) == 5
    first = context.reserve(kernel, 256)
    assert context.reserve(kernel, 256) == seeds.skip(first, 256)
    context.set_seed(None)
    assert context.reserve(kernel, 256) != seeds.skip(first, 512)


def test_set_seed_starts_again(context):
    context.set_seed(9)
    epoch = context.epoch
    first = [draw(context, "normal", 3, seed=s) for s in (None, 4, 4)]
    context.set_seed(9)
    again = [draw(context, "normal", 3, seed=s) for s in (None, 4, 4)]
    assert context.epoch == epoch + 1
    assert np.array_equal(first, again)


@pytest.mark.parametrize("seed", ["a", 1.5, np.array([1, 2])])
def test_set_seed_refuses_other_types(context, seed):
    with pytest.raises(TypeError, match="set_seed: seed must be an integer or None"):
        context.set_seed(seed)


def test_threads_never_share_a_stream(context):
    context.set_seed(1)
    starts = []

    def work():
        for _ in range(500):
            starts.append(context.reserve("kernel", 4, op_seed=1))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {words[0] for words in starts} == set(range(0, 8000, 4))


def test_traced_function_numbers_its_ops_and_keeps_their_states():
    """TensorFlow's run: traced under seed 3, two calls, set_seed(4), two calls."""
    outer, inner = GraphSeeds(3), GraphSeeds(3)
    pairs = [outer.next_seeds(), outer.next_seeds(7), outer.next_seeds(), inner.next_seeds()]
    assert pairs == [(3, 0), (3, 7), (3, 1), (3, 0)]
    runs = []
    for _ in ["seed 3", "seed 4"]:
        states = [seeds.op_words(*pair) for pair in pairs]
        for _ in range(2):
            runs.append(np.concatenate([fill("fill_normal_float32", words, 1) for words in states]))
            states = [seeds.skip(words, output_blocks(1)) for words in states]
    assert_bits(np.stack(runs), GOLDEN["function/3"])


def test_traced_function_without_a_global_seed():
    graph = GraphSeeds(None)
    assert graph.next_seeds() == (0, 0)
    assert graph.next_seeds(5) == (seeds.DEFAULT_GLOBAL_SEED, 5)
    assert seeds.op_words(0, 0) != seeds.op_words(0, 0)


@pytest.mark.parametrize("seed", STATELESS_SEEDS)
def test_stateless_ops(seed):
    words = seeds.stateless_words(seed)
    suffix = f"{seed[0]}/{seed[1]}"
    assert_bits(np.array(words, np.uint64), GOLDEN[f"key_counter/{suffix}"])
    for name in FILLS:
        for dtype in ["float32", "float64"]:
            actual = fill(f"fill_{name}_{dtype}", words, 9, dtype)
            assert_bits(actual, GOLDEN[f"stateless/{name}/{dtype}/{suffix}"])
    for dtype in ["int32", "uint32", "int64", "uint64"]:
        actual = fill(f"fill_uniform_full_{dtype[-2:]}", words, 9, dtype)
        assert_bits(actual, GOLDEN[f"stateless/full/{dtype}/{suffix}"])
    ranges = [name for name in GOLDEN.files if name.startswith("stateless/int/") and name.endswith(suffix)]
    assert len(ranges) == 7
    for name in ranges:
        dtype, minval, maxval = name.split("/")[2:5]
        span = np.uint64(int(maxval) - int(minval))
        actual = fill(f"fill_uniform_{dtype}", words, 9, dtype, np.int64(int(minval)), span)
        assert_bits(actual, GOLDEN[name])


def test_stateless_shuffle():
    permutation = np.empty(50, np.int32)
    philox.fill_permutation(permutation, *map(np.uint64, seeds.stateless_words((1, 2))))
    assert_bits(permutation, GOLDEN["stateless_shuffle/1/2"])


def test_stateless_int32_seed_split_and_fold_in():
    seed = np.array([-5, 7], np.int32)
    assert_bits(fill("fill_normal_float32", seeds.stateless_words(seed), 9), GOLDEN["stateless32/normal/-5/7"])
    split = fill("fill_uniform_full_32", seeds.stateless_words((1, 2)), 6, "int32").reshape(3, 2)
    assert_bits(split, GOLDEN["split/1/2/3"])
    folded = [fill("fill_uniform_full_32", seeds.stateless_words((1, 2)), 1, "int32")[0], 3]
    assert_bits(np.array(folded, np.int32), GOLDEN["fold_in/1/2/3"])


def test_rng_state_from_seed():
    names = [name for name in GOLDEN.files if name.startswith("rng_state")]
    assert len(names) == 9
    for name in names:
        kind, *parts = name.split("/")
        seed = [int(part) for part in parts]
        state = seeds.create_rng_state(seed if kind == "rng_state_sequence" else seed[0])
        assert_bits(np.array(state, np.int64), GOLDEN[name])


class PlainGenerator:
    """What a Generator does with its state."""

    def __init__(self, state):
        self.state = list(state)

    def draw(self, name, size, dtype="float32", *parameters):
        words, self.state = seeds.read_and_skip(self.state, size)
        return fill(name, words, size, dtype, *parameters)


@pytest.mark.parametrize("name", ["seed", "wrap_low", "wrap_word", "wrap_all"])
def test_generator_sequence(name):
    expected = {key.split("/")[2]: GOLDEN[key] for key in GOLDEN.files if key.startswith(f"generator/{name}/")}
    g = PlainGenerator(expected["start"])
    assert_bits(g.draw("fill_normal_float32", 6).reshape(2, 3), expected["normal"])
    assert_bits(np.array(g.state), expected["state1"])
    assert_bits(g.draw("fill_uniform_float32", 5), expected["uniform"])
    assert_bits(g.draw("fill_truncated_normal_float64", 5, "float64"), expected["truncated_normal"])
    assert_bits(g.draw("fill_normal_float32", 1).reshape(()), expected["scalar"])
    assert_bits(g.draw("fill_uniform_int64", 5, "int64", np.int64(-4), np.uint64(13)), expected["int"])
    assert_bits(g.draw("fill_uniform_full_64", 3, "uint64"), expected["full"])
    keys = g.draw("fill_uniform_full_64", 4, "int64")
    assert_bits(np.stack([keys, np.zeros_like(keys)]), expected["seeds"])
    keys = g.draw("fill_uniform_full_64", 3, "int64")
    assert_bits(np.array(seeds.split_states(keys)), expected["split"])
    assert_bits(np.array(g.state), expected["state2"])
    _, g.state = seeds.read_and_skip(g.state, 2**33 + 1)
    assert_bits(np.array(g.state), expected["state3"])
    _, g.state = seeds.read_and_skip(g.state, 2**56 - 1)
    assert_bits(np.array(g.state), expected["state4"])
    assert g.state[2] == expected["key"]


def test_nondeterministic_rng_states_differ():
    states = [seeds.nondeterministic_rng_state() for _ in range(3)]
    assert all(-(2**63) <= word < 2**63 for state in states for word in state)
    assert len({tuple(state) for state in states}) == 3


@pytest.mark.parametrize("alg", ["philox", "Philox", 1])
def test_philox_is_one(alg):
    assert seeds.algorithm_id(alg) == 1


@pytest.mark.parametrize("alg", ["auto_select", "AUTO-SELECT", 3])
def test_auto_select_is_three(alg):
    assert seeds.algorithm_id(alg) == 3


@pytest.mark.parametrize("alg", ["threefry", "ThreeFry", 2])
def test_threefry_is_two(alg):
    assert seeds.algorithm_id(alg) == 2
    assert seeds.create_rng_state([12, 34], 2) == [12, 34]
    assert seeds.create_rng_state(2**64 + 7, 2) == [7, 1]
    assert len(seeds.nondeterministic_rng_state(2)) == 2


@pytest.mark.parametrize("alg", ["mt19937", 0, 4])
def test_other_algorithms_are_refused(alg):
    with pytest.raises(ValueError, match="is not supported: use 'philox'"):
        seeds.algorithm_id(alg)


@pytest.mark.parametrize("alg", [None, 1.5])
def test_what_is_no_algorithm(alg):
    with pytest.raises(TypeError, match="neither a name nor a number"):
        seeds.algorithm_id(alg)


def test_examples():
    assert doctest.testmod(seeds).failed == 0
