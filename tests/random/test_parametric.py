"""Distributions with parameters, candidate samplers and half precision against TensorFlow's, bit for bit."""

import numpy as np
import pytest

import nbflow as nf
from nbflow.ops.sampling import rows_together
from tests.random.golden import CALLS, PARAMETRIC, STATELESS_SEEDS, assert_bits, needs_glibc

pytestmark = needs_glibc

RATES = [0.05, 0.5, 1.0, 1.5, 9.5, 10.0, 40.0, 1e4]
COUNTS, PROBS = [[1.0], [15.0], [300.0]], [0.01, 0.3, 0.5, 0.6, 0.97, 1.0]
BOUNDS = [(0, 1, -2, 2), (1, 2, 3, 4), (0, 1, 0.1, 0.2), (0, 1, -np.inf, -2), (5, 0.5, -1, 1), (0, 1, 2, np.inf)]
LOGITS = [[0.0, 1.0, -1.0, 2.0], [0.0, -np.inf, 0.0, 0.0], [np.inf, 3.0, 3.0, -3.0]]
COMPUTED = ["float16", "float32", "float64"]
random = nf.random


def constant(value, dtype):
    return nf.cast(nf.constant(value, nf.float64), dtype)


# --- half precision ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves(dtype):
    assert_bits(random.stateless_uniform([101], [3, 4], dtype=dtype), f"half/uniform/{dtype}/3/4")
    assert_bits(random.stateless_normal([101], [3, 4], dtype=dtype), f"half/normal/{dtype}/3/4")
    assert_bits(random.stateless_truncated_normal([101], [3, 4], dtype=dtype), f"half/truncated_normal/{dtype}/3/4")
    assert_bits(random.stateless_normal([101], [3, 4], 0.3, 1.7, dtype), f"half/affine/{dtype}/3/4")
    random.set_seed(5)
    for name in ["uniform", "normal", "truncated_normal"]:
        calls = [getattr(random, name)([n], dtype=dtype, seed=2) for n in CALLS]
        assert_bits(nf.concat(calls, 0), f"half/{name}/{dtype}/eager")
    assert_bits(random.uniform([50], -0.3, 1.7, dtype, seed=2), f"half/bounds/{dtype}/eager")


def test_halves_of_a_generator():
    generator = random.Generator.from_seed(3)
    for dtype in ["float16", "bfloat16"]:
        for name in ["uniform", "normal", "truncated_normal"]:
            assert_bits(getattr(generator, name)([7], dtype=dtype), f"half/{name}/{dtype}/generator")


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "uint64"])
def test_integers_of_the_whole_range(dtype):
    assert_bits(random.Generator.from_seed(3).uniform_full_int([7], dtype), f"generator_full/{dtype}")
    assert_bits(random.fold_in([1, 2], nf.constant(3, dtype)), f"fold_in/{dtype}")
    full = random.stateless_uniform([9], [1, 2], None, None, dtype)
    assert_bits(full, f"stateless/full/{dtype}/1/2")


def test_whole_integers_by_default():
    assert random.Generator.from_seed(1).uniform_full_int([2]).dtype is nf.uint64


# --- distributions with parameters ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", COMPUTED)
@pytest.mark.parametrize("seed", STATELESS_SEEDS[:3:2])
def test_stateless(seed, dtype):
    part = f"{dtype}/{seed[0]}/{seed[1]}"
    assert_bits(random.stateless_gamma([12, 8], seed, np.array(RATES, dtype), [2.0] * 8, dtype), f"gamma/{part}")
    gamma = random.stateless_gamma([2, 3, 8], nf.constant(seed), np.array(RATES, dtype), dtype=dtype)
    assert_bits(gamma, f"gamma_only/{part}")
    rates, counts, probs = constant(RATES, dtype), constant(COUNTS, dtype), constant(PROBS, dtype)
    for result in [*COMPUTED, "int32", "int64"] if dtype == "float32" else [dtype]:
        assert_bits(random.stateless_poisson([6, 8], seed, rates, result), f"poisson/{result}/{part}")
        binomial = random.stateless_binomial([4, 3, 6], seed, counts, probs, result)
        assert_bits(binomial, f"binomial/{result}/{part}")
    for k, bounds in enumerate(BOUNDS):
        parameters = [constant(x, dtype) for x in bounds]
        value = random.stateless_parameterized_truncated_normal([9], seed, *parameters)
        assert_bits(value, f"bounded/{k}/{part}")
    mean = constant([[0.0], [1.0]], dtype)
    value = random.stateless_parameterized_truncated_normal(
        [5, 2, 3], seed, mean, constant([1.0, 2.0, 0.5], dtype), constant(-1.0, dtype), mean + 2
    )
    assert_bits(value, f"bounded_many/{part}")


@pytest.mark.parametrize("dtype", [*COMPUTED, "bfloat16"])
def test_stateless_categorical(dtype):
    for seed in STATELESS_SEEDS[:3:2]:
        for result in ["int32", "int64"] if dtype == "float32" else ["int64"]:
            drawn = random.stateless_categorical(constant(LOGITS, dtype), 11, seed, result)
            assert_bits(drawn, f"categorical/{dtype}/{result}/{seed[0]}/{seed[1]}")


def test_edges_of_stateless_functions():
    assert_bits(random.stateless_categorical([[-np.inf, np.nan]], 3, [1, 2]), "categorical/nothing")
    for rate in ["int32", "int64"]:
        drawn = random.stateless_poisson([9, 2], [1, 2], nf.constant([3, 40], rate))
        assert_bits(drawn, f"poisson/{rate}/1/2")
    assert random.stateless_poisson([2], [1, 2], [-1.0, np.inf], nf.float32).numpy().tolist() == [0, np.inf]
    assert np.isnan(random.stateless_gamma([1], [1, 2], -1.0))
    assert random.stateless_gamma([1], [1, 2], 0.0).numpy() == np.finfo(np.float32).tiny
    successes = random.stateless_binomial([4], [1, 2], [5.0, -1.0, 5.0, 5.0], [2.0, 0.5, -1.0, np.nan], nf.float32)
    assert successes.numpy().tolist()[:3] == [5, 0, 0]
    assert np.isnan(successes[3])
    assert random.stateless_parameterized_truncated_normal([], [1, 2]).shape == ()
    for empty in [
        random.stateless_gamma([0, 2], [1, 2], [1.0, 2.0]),
        random.gamma([2], nf.zeros([0])),
        random.stateless_poisson([2, 0], [1, 2], nf.zeros([0])),
        random.stateless_binomial([0], [1, 2], 5.0, 0.5),
        random.categorical([[1.0, 2.0]], 0),
        random.categorical(nf.zeros([0, 2]), 3),
        random.stateless_parameterized_truncated_normal([0], [1, 2]),
    ]:
        assert 0 in empty.shape


def calls(seed):
    return [
        random.gamma([3], RATES, seed=seed),
        random.gamma([2], [[1.0], [2.0]], [3.0, 0.5], nf.float64, seed=seed),
        random.poisson([3], RATES, seed=seed),
        random.poisson([2, 1], [3, 40], nf.int64, seed=seed),
        random.categorical(LOGITS, 5, seed=seed),
        random.categorical(LOGITS, 2, nf.int32, seed=seed),
    ]


@pytest.mark.parametrize("seed", [None, 7])
def test_calls_in_a_row(seed):
    random.set_seed(6)
    for run in range(3):
        for k, value in enumerate(calls(seed)):
            assert_bits(value, f"parametric_calls/{seed}/{run}/{k}")


@pytest.mark.parametrize("seed", [None, 7])
def test_calls_of_a_function(seed):
    random.set_seed(6)
    traced = nf.function(calls)
    for run in range(2):
        for k, value in enumerate(traced(seed)):
            if k == 1:  # TensorFlow's graph multiplies by the reciprocal of a constant beta
                np.testing.assert_allclose(value, PARAMETRIC[f"parametric_traced/{seed}/{run}/{k}"], rtol=1e-15)
            else:
                assert_bits(value, f"parametric_traced/{seed}/{run}/{k}")


def test_generator():
    generator = random.Generator.from_seed(9)
    assert_bits(generator.binomial([5, 3], [10.0, 20.0, 100.0], [0.5, 0.2, 0.7]), "generator_binomial/1")
    assert_bits(generator.binomial([2, 3, 2], COUNTS, [0.2, 0.8], nf.float64), "generator_binomial/2")
    assert_bits(generator.state, "generator_binomial/state")


@pytest.mark.parametrize("rate", [0.3, 1.0, 7.0])
def test_gradients_of_gamma(rate):
    alpha, beta = nf.Variable(rate), nf.Variable([1.0, 3.0])

    def gradients():
        with nf.GradientTape() as tape:
            value = random.stateless_gamma([5, 2], [1, 2], alpha, beta)
        return tape.gradient(value, [alpha, beta])

    for found in (gradients(), nf.function(gradients)()):
        for name, gradient in zip(["alpha", "beta"], found, strict=True):
            np.testing.assert_allclose(gradient, PARAMETRIC[f"gamma_gradient/{rate}/{name}"], rtol=2e-5)


@pytest.mark.parametrize("k", [k for k, bounds in enumerate(BOUNDS) if np.isfinite(bounds).all()])
def test_gradients_of_bounded_normals(k):
    parameters = [nf.Variable(float(x), dtype=nf.float64) for x in BOUNDS[k]]
    with nf.GradientTape() as tape:
        value = random.stateless_parameterized_truncated_normal([5], [1, 2], *parameters)
    np.testing.assert_allclose(tape.gradient(value, parameters), PARAMETRIC[f"bounded_gradient/{k}"], rtol=1e-9)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "uint64"])
def test_index_shuffle(dtype):
    shuffle = random.experimental.index_shuffle
    for last in [19, 100, 70000, 2**20, 2**30]:
        shuffled = shuffle(nf.cast(nf.range(20), dtype), [5, 9], nf.constant(last, dtype))
        assert_bits(shuffled, f"index_shuffle/{dtype}/{last}")
    assert shuffle(3, [1, 2], 9).shape == ()
    assert sorted(shuffle(nf.range(1000), [1, 2], 999).numpy()) == list(range(1000))


def test_index_shuffle_of_large_ranges_and_of_more_rounds():
    seed, index = np.array([-5, 2**40 + 9]), nf.cast(nf.range(20), nf.int64)
    for last in [2**31, 2**33 + 5, 2**50 + 1, 2**63 - 1]:
        shuffled = random.experimental.index_shuffle(index, seed, nf.constant(last, nf.int64))
        assert_bits(shuffled, f"index_shuffle/int64/{last}")
    for rounds in [4, 6, 12]:
        shuffled = nf.random_index_shuffle(nf.range(20), [1, 2, 3], 99, rounds)
        assert_bits(shuffled, f"index_shuffle_rounds/{rounds}")
    shuffled = nf.random_index_shuffle(3, [[1, 2, 3], [4, 5, 6]], [9, 70000])
    assert_bits(shuffled, "index_shuffle_rounds/keys")


# --- candidate samplers -----------------------------------------------------------------------------------------------

TRUE = np.array([[1, 2], [0, 6], [3, 3]])
WEIGHTS = [0.5, 3.0, 1.0, 1.0, 0.0, 7.0, 2.0]
SAMPLERS = {
    "uniform": lambda *a, **k: random.uniform_candidate_sampler(*a, 7, **k),
    "log_uniform": lambda *a, **k: random.log_uniform_candidate_sampler(*a, 7, **k),
    "learned_unigram": lambda *a, **k: random.learned_unigram_candidate_sampler(*a, 7, **k),
    "fixed_unigram": lambda *a, **k: nf.nn.fixed_unigram_candidate_sampler(
        *a, 7, distortion=0.75, unigrams=WEIGHTS, **k
    ),
    "wide": lambda *a, **k: random.uniform_candidate_sampler(*a, 2**40 + 3, **k),
    "reserved": lambda *a, **k: random.fixed_unigram_candidate_sampler(
        *a, 7, num_reserved_ids=1, num_shards=2, shard=0, unigrams=[float(i) for i in range(1, 13)], **k
    ),
}


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize("name", SAMPLERS)
def test_candidates(name, unique, seed):
    sample = SAMPLERS[name]
    random.set_seed(8)
    runs = [sample(TRUE, 2, 5, unique, seed=seed) for _ in range(3)]
    traced = nf.function(lambda: sample(TRUE, 2, 5, unique, seed=seed))
    random.set_seed(8)
    runs += [traced() for _ in range(2)]
    for k, results in enumerate(runs):
        for part, value in zip(["sampled", "true", "expected"], results, strict=True):
            assert_bits(value, f"candidates/{name}/{unique}/{seed}/{k}/{part}")


def test_all_candidates_and_weights_of_a_file(tmp_path):
    sampled, true, expected = random.all_candidate_sampler([[1]], 1, 3, True)
    assert (sampled.numpy().tolist(), true.numpy().tolist(), expected.numpy().tolist()) == ([0, 1, 2], [[1]], [1] * 3)
    file = tmp_path / "words.csv"
    file.write_text("".join(f"word {k},{weight}\n" for k, weight in enumerate(WEIGHTS)))
    random.set_seed(8)
    from_file = random.fixed_unigram_candidate_sampler(TRUE, 2, 5, True, 7, str(file), 0.75, seed=3)
    for part, value in zip(["sampled", "true", "expected"], from_file, strict=True):
        assert_bits(value, f"candidates/fixed_unigram/True/3/0/{part}")


def test_set_seed_forgets_what_was_learned():
    def sample():
        return random.learned_unigram_candidate_sampler(TRUE, 2, 5, False, 7, seed=1).sampled_candidates.numpy()

    traced = nf.function(lambda: random.learned_unigram_candidate_sampler(TRUE, 2, 5, False, 7, seed=1)[0])
    for draw in (sample, lambda: traced().numpy()):
        random.set_seed(1)
        first = [draw() for _ in range(3)]
        random.set_seed(1)
        assert np.array_equal(first, [draw() for _ in range(3)])


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: random.gamma([2], 1.0, dtype=nf.bfloat16), "random.gamma: dtype is bfloat16"),
        (lambda: random.gamma([2], [1.0, 2.0], [1.0, 2.0, 3.0]), r"random.gamma.*\(2,\).*\(3,\)"),
        (lambda: random.gamma([-2], 1.0), "size -2"),
        (lambda: random.stateless_gamma([3], [1, 2], [1.0, 2.0]), r"stateless_gamma: shape is \(3,\)"),
        (lambda: random.stateless_gamma([], [1, 2], [1.0]), r"the parameters have shape \(1,\)"),
        (lambda: random.poisson([2], 1.0, nf.uint8), "random.poisson: dtype is uint8"),
        (lambda: random.poisson([2], nf.constant(1, nf.uint8)), r"random.poisson \(lam\): dtype is uint8"),
        (lambda: random.stateless_poisson([2, 3], [1, 2], [1.0, 2.0]), "shape must end with it"),
        (lambda: random.stateless_binomial([2], [1, 2], nf.constant(5.0, nf.float64), 0.5), "counts has dtype float64"),
        (lambda: random.stateless_binomial([3], [1, 2], [5.0, 6.0], 0.5), "shape must end with it"),
        (lambda: random.stateless_binomial([2], [1, 2, 3], 5.0, 0.5), r"seed has shape \(3,\)"),
        (lambda: random.categorical([1.0, 2.0], 3), r"random.categorical: logits has shape \(2,\)"),
        (lambda: random.categorical(nf.zeros([2, 0]), 3), "num_classes > 0"),
        (lambda: random.categorical([[1.0]], -1), "num_samples is -1"),
        (lambda: random.categorical([[1.0]], 2, nf.uint8), "random.categorical: dtype is uint8"),
        (lambda: random.categorical([[1]], 2), r"random.categorical \(logits\): dtype is int32"),
        (lambda: random.stateless_parameterized_truncated_normal([2], [1, 2], 0.0, -1.0), "distribution 0 are invalid"),
        (lambda: random.stateless_parameterized_truncated_normal([2], [1, 2], np.nan), "distribution 0 are invalid"),
        (
            lambda: random.stateless_parameterized_truncated_normal([2], [1, 2], 0.0, 1.0, [-9.0, 2.0], 1.0),
            "distribution 1 are invalid: it needs stddevs > 0, minvals < maxvals",
        ),
        (
            lambda: random.stateless_parameterized_truncated_normal([2], [1, 2], nf.constant(0.0, nf.float64)),
            "means has dtype float64 and stddevs float32",
        ),
        (lambda: random.experimental.index_shuffle(5, [1, 2], 3), "index 5 is above max_index"),
        (lambda: random.experimental.index_shuffle(0, [1, 2, 3], 3), r"the key has shape \(4,\)"),
        (lambda: random.experimental.index_shuffle([[0]], [1, 2], 3), r"index has shape \(1, 1\)"),
        (lambda: random.experimental.index_shuffle(0, 1, 3), r"seed has shape \(\)"),
        (lambda: random.experimental.index_shuffle(0.0, [1, 2], 3.0), r"\(index\): dtype is float32"),
        (lambda: nf.random_index_shuffle(0, [1, 2, 3], 3, 5), "rounds is 5"),
        (lambda: random.uniform_candidate_sampler(TRUE, 2, 8, True, 7), "no 8 unique classes among 7"),
        (lambda: random.uniform_candidate_sampler(TRUE, 1, 3, True, 7), r"true_classes has shape \(3, 2\)"),
        (lambda: random.uniform_candidate_sampler(TRUE, 2, 0, True, 7), "num_sampled is 0"),
        (
            lambda: random.log_uniform_candidate_sampler(TRUE, 2, 3, False, 5),
            "true_classes holds 6; classes are 0 to 4",
        ),
        (lambda: random.fixed_unigram_candidate_sampler(TRUE, 2, 3, True, 7), "give either vocab_file or unigrams"),
        (
            lambda: random.fixed_unigram_candidate_sampler(TRUE, 2, 3, True, 7, unigrams=[1.0]),
            "range_max is 7, and there are 1 weights",
        ),
    ],
)
def test_invalid_arguments(call, message):
    with pytest.raises(nf.errors.InvalidArgumentError, match=message):
        call()


def test_other_errors():
    with pytest.raises(nf.errors.NotFoundError, match="no vocab_file"):
        random.fixed_unigram_candidate_sampler(TRUE, 2, 3, True, 7, vocab_file="/nowhere/words")
    with pytest.raises(TypeError, match="seed must be an integer"):
        random.gamma([2], 1.0, seed="a")
    threefry = random.Generator.from_seed(1234, "threefry")
    assert threefry.state.numpy().tolist() == [1234, 0]
    for draw in (lambda: threefry.normal([2]), lambda: threefry.skip(1), lambda: threefry.split(2)):
        with pytest.raises(nf.errors.UnimplementedError, match="no CPU kernel that draws by ThreeFry"):
            draw()


@pytest.mark.parametrize("rows", [1, 7, 1000, 12345])
def test_rows_together_are_all_rows_where_one_thread_does_them(rows):
    assert rows_together(rows, 200_000 // rows) == rows
    assert 1 <= rows_together(rows, 10**7) <= rows


@pytest.mark.parametrize("count", [np.nan, np.inf])
def test_binomial_of_no_finite_count_ends(count):
    probs = [0.3, 0.9, np.nan]
    found = nf.random.stateless_binomial([3], [1, 2], np.float64(count), np.float64(probs), output_dtype=nf.float64)
    assert np.isnan(found.numpy()).all()
