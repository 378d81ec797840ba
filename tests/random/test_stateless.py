"""Stateless functions against TensorFlow's, bit for bit."""

import numpy as np
import pytest

import nbflow as nf
from tests.random.golden import GOLDEN, STATELESS_SEEDS, assert_bits, needs_glibc

pytestmark = needs_glibc

FLOATS = {
    "normal": nf.random.stateless_normal,
    "uniform": nf.random.stateless_uniform,
    "truncated_normal": nf.random.stateless_truncated_normal,
}


@pytest.mark.parametrize("seed", STATELESS_SEEDS)
def test_distributions(seed):
    given = [seed, nf.constant(seed, nf.int64), np.array(seed, np.int64)]
    for k, (name, function) in enumerate(FLOATS.items()):
        for dtype in ("float32", "float64"):
            assert_bits(function([9], given[k], dtype=dtype), f"stateless/{name}/{dtype}/{seed[0]}/{seed[1]}")
    for dtype in ("int32", "int64"):
        full = nf.random.stateless_uniform([9], seed, None, None, dtype)
        assert_bits(full, f"stateless/full/{dtype}/{seed[0]}/{seed[1]}")
    names = [n for n in GOLDEN.files if n.startswith("stateless/int/") and n.endswith(f"/{seed[0]}/{seed[1]}")]
    assert len(names) == 7
    for name in names:
        dtype, minval, maxval = name.split("/")[2:5]
        assert_bits(nf.random.stateless_uniform([9], seed, int(minval), int(maxval), dtype), name)


def test_seeds_of_int32_split_fold_in_and_shuffle():
    seed = nf.constant([-5, 7], nf.int32)
    assert_bits(nf.random.stateless_normal([9], seed), "stateless32/normal/-5/7")
    assert_bits(nf.random.split([1, 2], 3), "split/1/2/3")
    assert_bits(nf.random.fold_in([1, 2], 3), "fold_in/1/2/3")
    assert_bits(nf.random.experimental.stateless_shuffle(nf.range(50), [1, 2]), "stateless_shuffle/1/2")


def test_means_and_bounds_as_tensors():
    mean, stddev = nf.constant([[0.1], [1e7]]), nf.constant([1.7, 3.3, 0.9])
    assert_bits(nf.random.stateless_normal([2, 3], [1, 2], mean, stddev), "affine/stateless")
    assert_bits(nf.random.stateless_uniform([2, 3], [1, 2], mean, mean + stddev), "affine/stateless_uniform")


def test_the_global_seed_does_not_matter():
    nf.random.set_seed(1)
    first = nf.random.stateless_normal([3], [1, 2], alg="philox").numpy()
    nf.random.set_seed(2)
    assert np.array_equal(first, nf.random.stateless_normal([3], [1, 2]))


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: nf.random.stateless_normal([2], [1, 2, 3]),
            r"random.stateless_normal: seed has shape \(3,\)",
        ),
        (lambda: nf.random.stateless_normal([2], [1.0, 2.0]), r"stateless_normal \(seed\): dtype is float32"),
        (lambda: nf.random.stateless_normal([2], [1, 2], alg="threefry"), "threefry"),
        (
            lambda: nf.random.stateless_uniform([2], [1, 2], 0, 0, nf.int32),
            "need minval < maxval, got 0 >= 0",
        ),
        (
            lambda: nf.random.stateless_uniform([2], [1, 2], None, 3, nf.int32),
            "minval is None and maxval is 3",
        ),
        (lambda: nf.random.stateless_uniform([2], [1, 2], dtype=nf.int32), "minval is 0 and maxval is None"),
        (lambda: nf.random.stateless_uniform([2], [1, 2], 0, 3, nf.uint32), "dtype is uint32"),
        (lambda: nf.random.split([1, 2], -1), "num is -1"),
        (lambda: nf.random.split(nf.constant([1, 2], nf.uint32)), r"random.split \(seed\): dtype is uint32"),
        (lambda: nf.random.stateless_normal([2], [1, 2], alg="mersenne"), "mersenne"),
        (lambda: nf.random.stateless_truncated_normal([-1], [1, 2]), "size -1"),
    ],
)
def test_invalid_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
