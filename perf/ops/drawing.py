"""Random numbers, 1e6 of them."""

import numpy as np

from perf.ops.case import MATRIX, SIZE, VECTOR, case, integers, normal

RNG = np.random.default_rng(0)
SEED = (1, 2)

case("random.normal", lambda: RNG.standard_normal(SIZE, np.float32), shape=VECTOR)
case("random.normal", lambda: RNG.standard_normal(SIZE), what="float64", shape=VECTOR, dtype="float64")
case("random.truncated_normal", None, shape=VECTOR)
case("random.uniform", lambda: RNG.random(SIZE, np.float32), shape=VECTOR)
case("random.uniform", lambda: RNG.random(SIZE), what="float64", shape=VECTOR, dtype="float64")
case("random.uniform", lambda: RNG.integers(0, 1000, SIZE, np.int32), what="int32", shape=VECTOR, minval=0, maxval=1000,
     dtype="int32")  # fmt: skip
case("random.shuffle", RNG.permutation, normal())
case("random.shuffle", RNG.permutation, normal(MATRIX), what="rows")
case("random.gamma", lambda: RNG.gamma(2.0, size=SIZE), shape=VECTOR, alpha=2.0)
case("random.poisson", lambda: RNG.poisson(3.0, SIZE), shape=VECTOR, lam=3.0)
case("random.poisson", lambda: RNG.poisson(100.0, SIZE), what="of mean 100", shape=VECTOR, lam=100.0)
case("random.categorical", lambda x: np.argmax(x + RNG.gumbel(size=(1000, 1000)), 1), normal(MATRIX), num_samples=1)
case("random.stateless_normal", lambda: RNG.standard_normal(SIZE, np.float32), shape=VECTOR, seed=SEED)
case("random.stateless_uniform", lambda: RNG.random(SIZE, np.float32), shape=VECTOR, seed=SEED)
case("random.stateless_truncated_normal", None, shape=VECTOR, seed=SEED)
case("random.stateless_gamma", lambda: RNG.gamma(2.0, size=SIZE), shape=VECTOR, seed=SEED, alpha=2.0)
case("random.stateless_poisson", lambda: RNG.poisson(3.0, SIZE), shape=VECTOR, seed=SEED, lam=3.0)
case("random.stateless_binomial", lambda: RNG.binomial(20, 0.5, SIZE), shape=VECTOR, seed=SEED, counts=20.0, probs=0.5)
case("random.stateless_categorical", lambda x: np.argmax(x + RNG.gumbel(size=(1000, 1000)), 1), normal(MATRIX),
     num_samples=1, seed=SEED)  # fmt: skip
case("random.stateless_parameterized_truncated_normal", None, shape=VECTOR, seed=SEED)
case("random.experimental.stateless_shuffle", RNG.permutation, normal(), seed=SEED)
case("random.experimental.index_shuffle", None, integers(), max_index=999, seed=SEED)
case("nn.nce_loss", None, normal((10_000, 10)), normal((10_000,)), integers(0, 10_000, (10_000, 1), "int64"),
     normal((10_000, 10), seed=1), num_sampled=50, num_classes=10_000)  # fmt: skip
case("nn.sampled_softmax_loss", None, normal((10_000, 10)), normal((10_000,)), integers(0, 10_000, (10_000, 1),
     "int64"), normal((10_000, 10), seed=1), num_sampled=50, num_classes=10_000)  # fmt: skip
case("math.sobol_sample", None, dim=10, num_results=100_000)
