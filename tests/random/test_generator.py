"""nf.random.Generator against TensorFlow's, bit for bit."""

import copy

import numpy as np
import pytest

import nbflow as nf
from tests.random.golden import GOLDEN, assert_bits, needs_glibc

pytestmark = needs_glibc

Generator = nf.random.Generator


@pytest.mark.parametrize("name", ["seed", "wrap_low", "wrap_word", "wrap_all"])
def test_sequence(name):
    def check(actual, part):
        assert_bits(actual, f"generator/{name}/{part}")

    g = Generator.from_state(GOLDEN[f"generator/{name}/start"], "philox")
    check(g.normal([2, 3]), "normal")
    check(g.state, "state1")
    check(g.uniform([5]), "uniform")
    check(g.truncated_normal([5], dtype=nf.float64), "truncated_normal")
    check(g.normal([]), "scalar")
    check(g.uniform([5], -4, 9, nf.int64), "int")
    assert g.uniform_full_int([3]).numpy().tobytes() == GOLDEN[f"generator/{name}/full"].tobytes()
    check(g.make_seeds(4), "seeds")
    check(np.stack([child.state.numpy() for child in g.split(3)]), "split")
    check(g.state, "state2")
    before = g.skip(2**33 + 1)
    check(before, "state2")
    check(g.state, "state3")
    g.skip(2**56 - 1)
    check(g.state, "state4")
    check(g.key, "key")
    assert g.algorithm == 1


def test_states_from_seeds():
    names = [name for name in GOLDEN.files if name.startswith("rng_state")]
    for name in names:
        kind, *parts = name.split("/")
        seed = [int(part) for part in parts]
        seed = seed if kind == "rng_state_sequence" else seed[0]
        assert_bits(nf.random.create_rng_state(seed, "philox"), name)
        assert_bits(Generator.from_seed(seed).state, name)


def test_means_and_bounds_as_tensors():
    mean, stddev = nf.constant([[0.1], [1e7]]), nf.constant([1.7, 3.3, 0.9])
    g = Generator.from_seed(5)
    assert_bits(g.normal([2, 3], mean, stddev), "affine/generator")
    assert_bits(g.uniform([2, 3], mean, mean + stddev), "affine/generator_uniform")


def test_reset_and_constructors():
    g = Generator.from_seed(1234, alg="philox")
    first = g.normal([4]).numpy()
    g.reset_from_seed(1234)
    assert np.array_equal(g.normal([4]), first)
    g.reset([1234, 0, 0])
    assert np.array_equal(g.normal([4]), first)
    g.reset_from_key_counter(0, [1234, 0])
    assert np.array_equal(g.normal([4]), first)
    counter = nf.constant([1234, 0])
    g = Generator.from_key_counter(0, counter, nf.random.Algorithm.PHILOX)
    assert np.array_equal(g.normal([4]), first)
    assert np.array_equal(Generator.from_state(np.array([1234, 0, 0], np.uint64), 1).normal([4]), first)
    g.reset(nf.constant([1, 2, 3], nf.int64))
    assert g.state.numpy().tolist() == [1, 2, 3]
    copied = Generator(copy_from=g)
    deep = copy.deepcopy(g)
    drawn = g.uniform([3]).numpy()
    assert np.array_equal(copied.uniform([3]), drawn)
    assert np.array_equal(deep.uniform([3]), drawn)


def test_a_variable_is_shared():
    state = nf.Variable(np.array([5, 0, 0]), trainable=False)
    a, b = (Generator.from_state(state, "philox") for _ in range(2))
    first, second = a.normal([1]).numpy(), b.normal([1]).numpy()
    g = Generator.from_state([5, 0, 0], "philox")
    assert np.array_equal([first, second], [g.normal([1]).numpy() for _ in range(2)])


def test_global_generator():
    first = nf.random.get_global_generator()
    assert nf.random.get_global_generator() is first
    mine = Generator.from_seed(1)
    try:
        nf.random.set_global_generator(mine)
        assert nf.random.get_global_generator() is mine
    finally:
        nf.random.set_global_generator(first)
    states = [Generator.from_non_deterministic_state().state.numpy().tobytes() for _ in range(3)]
    assert len(set(states)) == 3


def test_set_seed_does_not_touch_generators():
    g = Generator.from_seed(1)
    nf.random.set_seed(1)
    g.normal([2])
    state = g.state.numpy()
    nf.random.set_seed(1)
    assert np.array_equal(g.state, state)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Generator.from_seed(1, alg="mersenne"), "mersenne"),
        (lambda: Generator.from_seed(1).uniform([2], 0, 9, nf.uint32), "dtype is uint32"),
        (lambda: Generator.from_state([1, 2], "philox"), r"state has shape \(2,\)"),
        (lambda: Generator.from_state(nf.Variable([1, 2, 3]), "philox"), "Variable of int32"),
        (lambda: Generator(), "give state and alg"),
        (lambda: Generator.from_seed(1).reset([1]), r"random.Generator.reset: state has shape \(1,\)"),
        (lambda: Generator.from_seed(1).uniform([2], dtype=nf.int32), "minval is 0 and maxval is None"),
        (lambda: Generator.from_seed(1).uniform([2], 3, 3, nf.int32), "got 3 >= 3"),
        (lambda: Generator.from_seed(1).uniform_full_int([2], nf.float32), "dtype is float32"),
        (
            lambda: Generator.from_seed(1).normal([2], 0, 1, dtype=nf.int32),
            "random.Generator.normal: dtype is int32",
        ),
        (lambda: Generator.from_seed(1, "auto_select").binomial([2], 9.0, 0.5), "draws by Philox only"),
    ],
)
def test_invalid_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
