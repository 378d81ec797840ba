"""Samples for random numbers by index or with parameters, candidates and shuffles; streams are inputs."""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from nbflow.dtypes import DType, float32, float64, int32, int64
from nbflow.runtime.candidates import FIXED, LEARNED, LOG_UNIFORM, UNIFORM
from tests.ops.samples.basic import WORDS
from tests.ops.samples.common import *

SAMPLED = [(5, 2), (2,), (0, 2), (67, 2)]  # shapes for parameters of shape (2,)


def by_index(dtype: DType) -> Iterator[Sample]:
    for words in WORDS:
        for index in (np.arange(7), np.array([[3], [0], [2**20]]), np.array(5), np.zeros((0, 2), np.int64)):
            yield Sample([index if words[0] == 0 else index % 9, *(np.asarray(word) for word in words)])


def parametric(*parameters: list, results: tuple = ()) -> Callable:
    """Samples for an op with parameters of shape (2,).

    Args:
        results: dtypes of the results; none: those of the parameters.
    """

    def samples(dtype: DType) -> Iterator[Sample]:
        for words, shape in product(WORDS, some(dtype, SAMPLED)):
            for result in results or (None,):
                attrs = {"shape": shape} if result is None else {"shape": shape, "dtype": result}
                yield Sample([words, *(np.asarray(values, dtype.np) for values in parameters)], attrs)

    return samples


def categorical(dtype: DType) -> Iterator[Sample]:
    for words, (rows, classes, samples) in product(WORDS, some(dtype, [(2, 3, 5), (1, 7, 1), (0, 3, 2), (2, 3, 0)])):
        for result in (int32, int64):
            logits = numbers(dtype, (rows, classes), 1)
            yield Sample([words, logits], {"samples": samples, "dtype": result})


def gamma_slopes(dtype: DType) -> Iterator[Sample]:
    alpha = np.repeat([0.3, 1.0, 2.5, 9.0], 4)
    sample = alpha * np.tile([0.01, 0.5, 1.0, 2.0], 4)
    yield Sample([alpha.astype(dtype.np), sample.astype(dtype.np)])
    yield Sample([np.asarray(2, dtype.np), np.asarray(1.5, dtype.np)])
    yield Sample([np.ones((2, 1), dtype.np), np.full((0,), 1.5, dtype.np)])


def index_shuffles(dtype: DType) -> Iterator[Sample]:
    for count, last, rows, rounds in [(20, 19, 1, 4), (3, 99, 3, 6), (0, 9, 1, 4), (5, 2**20, 5, 12)]:
        seed = np.random.default_rng(count).integers(0, 2**31 - 1, (rows, 3))
        inputs = [np.arange(count), seed, np.full(count, last)]
        yield Sample([x.astype(dtype.np) for x in inputs], {"rounds": rounds})


def candidates(dtype: DType) -> Iterator[Sample]:
    true = np.array([[1, 2], [0, 6], [3, 3]])
    weights = {FIXED: [0.5, 3.0, 1.0, 1.0, 0.0, 7.0, 2.0], LEARNED: [1.0, 2.0, 1.0, 1.0, 4.0, 1.0, 1.0]}
    for words, kind, unique in product(WORDS[:1], (UNIFORM, LOG_UNIFORM, LEARNED, FIXED), (False, True)):
        attrs = {"kind": kind, "samples": 5, "unique": unique, "count": 7}
        yield Sample([words, true, np.asarray(weights.get(kind, []), np.float32)], attrs)


NUMBERS = (float32, float64, int32, int64)
RECIPES |= {
    **dict.fromkeys([f"uniform_at_{name}" for name in ("float16", "bfloat16", "float32", "float64")], by_index),
    "random_gamma": parametric([0.5, 3.0]),
    "random_poisson": parametric([2.0, 30.0], results=NUMBERS),
    "random_binomial": parametric([7.0, 40.0], [0.25, 0.625], results=NUMBERS),
    "random_bounded_normal": parametric([0.0, 2.0], [1.0, 0.5], [-1.0, 2.5], [0.5, 9.0]),
    "random_categorical": categorical,
    "gamma_gradient": gamma_slopes,
    "index_shuffle": index_shuffles,
    "candidate_sampler": candidates,
}
