"""Candidate samplers: a few classes to compare the true ones with, instead of all."""

from collections import namedtuple

import numpy as np

from nbflow.dtypes import int64
from nbflow.errors import InvalidArgumentError, NotFoundError
from nbflow.ops.random import SEEDS
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.random.stateful import stream, traced_state
from nbflow.runtime.candidates import ALL, FIXED, LEARNED, LOG_UNIFORM, UNIFORM
from nbflow.tensor.state import busy, state
from nbflow.tensor.tensor import apply, from_numpy, to_tensor

BLOCKS = 512  # of 128 bits that a call reserves for each candidate

CandidateSampler = namedtuple(
    "CandidateSampler", ("sampled_candidates", "true_expected_count", "sampled_expected_count")
)

# What eager calls of learned_unigram_candidate_sampler have learned since set_seed: kernel and seed -> weights.
_learned: dict = {}
_epoch = 0


def _whole(function: str, **sizes) -> list:
    """Sizes as integers, 1 or more."""
    for name, size in sizes.items():
        if size < 1:
            raise InvalidArgumentError(f"{function}: {name} is {size}; it must be 1 or more")
    return [int(size) for size in sizes.values()]


def _sample(kind: int, function: str, true_classes, num_true, num_sampled, unique, count, seed, weights=()):
    """Candidates of a kind.

    Args:
        count: how many classes there are.
        weights: of the classes, for the kinds that have them.
    """
    num_true, num_sampled, count = _whole(function, num_true=num_true, num_sampled=num_sampled, range_max=count)
    true = to_tensor(true_classes, int64)
    shape = true.nbflow_shape
    if len(shape) != 2 or shape[1] != num_true:
        raise InvalidArgumentError(
            f"{function}: true_classes has shape {true.shape}; it takes [batch_size, {num_true}], of num_true columns"
        )
    if unique and num_sampled > count:
        raise InvalidArgumentError(f"{function}: there are no {num_sampled} unique classes among {count}")
    weights = np.asarray(weights, np.float32)
    kernel = (function, num_true, num_sampled, bool(unique), count, weights.tobytes())
    words = stream(function, seed)(kernel, BLOCKS * num_sampled)
    attrs = {"kind": kind, "samples": num_sampled, "unique": bool(unique), "count": count}
    if kind == LEARNED:
        return _learning(kernel, seed, words, true, attrs)
    return CandidateSampler(*apply(TABLE["candidate_sampler"], (words, true, from_numpy(weights)), attrs)[:3])


def _learning(kernel: tuple, seed, words, true, attrs: dict):
    """Candidates by weights that the call adds to."""
    global _epoch
    count = attrs["count"]
    if busy.count and state.trace is not None:
        variable = traced_state(lambda: np.ones(count, np.float32), "unigrams")
        *results, weights = apply(TABLE["candidate_sampler"], (words, true, variable.nbflow_tensor()), attrs)
        variable.assign(weights)
        return CandidateSampler(*results)
    if SEEDS.epoch != _epoch:
        _learned.clear()
        _epoch = SEEDS.epoch
    before = _learned.get((kernel, seed))
    if before is None:
        before = from_numpy(np.ones(count, np.float32))
    *results, weights = apply(TABLE["candidate_sampler"], (words, true, before), attrs)
    if seed is not None or SEEDS.global_seed is None:  # else the next call has a seed, and so weights, of its own
        _learned[kernel, seed] = weights
    return CandidateSampler(*results)


def _sampler(kind: int, name: str, distribution: str, *aliases: str):
    """Makes and publishes the public function of a kind whose only parameter is range_max."""
    function = f"random.{name}"

    def sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
        return _sample(kind, function, true_classes, num_true, num_sampled, unique, range_max, seed)

    sampler.__name__ = sampler.__qualname__ = name
    sampler.__doc__ = f"""Classes from 0 to range_max - 1, {distribution} (tf.{function}).

    Args:
        true_classes: int64 [batch_size, num_true]: the true classes, whose expected counts are wanted.
        num_true: how many each example has.
        num_sampled: how many classes to draw.
        unique: whether no class is drawn twice.
        range_max: how many classes there are.
        seed: an integer: calls with it go on with a stream of their own until set_seed.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (sampled_candidates, true_expected_count, sampled_expected_count): the classes, int64 [num_sampled], and how
        often the true and the drawn ones are expected in such a sample, float32 of the shape of each.

    Raises:
        InvalidArgumentError: true_classes has another shape or holds no class, a size is below 1, or there are fewer
            classes than unique ones are wanted.
        TypeError: seed is no integer.
    """
    return export(function, *aliases)(sampler)


uniform_candidate_sampler = _sampler(UNIFORM, "uniform_candidate_sampler", "all equally likely")
log_uniform_candidate_sampler = _sampler(
    LOG_UNIFORM, "log_uniform_candidate_sampler", "class k with a chance proportional to log((k + 2) / (k + 1))"
)
learned_unigram_candidate_sampler = _sampler(
    LEARNED, "learned_unigram_candidate_sampler",
    "each with a chance proportional to how often it was a true class in calls before, plus one",
    "nn.learned_unigram_candidate_sampler",
)  # fmt: skip


@export("random.all_candidate_sampler", "nn.all_candidate_sampler")
def all_candidate_sampler(true_classes, num_true, num_sampled, unique, seed=None, name=None):
    """All classes from 0 to num_sampled - 1, each expected once (tf.random.all_candidate_sampler).

    Args:
        true_classes: int64 [batch_size, num_true].
        num_true: how many true classes each example has.
        num_sampled: how many classes there are.
        unique, seed, name: accepted as TensorFlow's; they have no effect.

    Returns:
        (sampled_candidates, true_expected_count, sampled_expected_count), see uniform_candidate_sampler.

    Raises:
        InvalidArgumentError: true_classes has another shape or holds no class, or a size is below 1.
    """
    function = "random.all_candidate_sampler"
    return _sample(ALL, function, true_classes, num_true, num_sampled, unique, num_sampled, seed)


@export("random.fixed_unigram_candidate_sampler", "nn.fixed_unigram_candidate_sampler")
def fixed_unigram_candidate_sampler(
    true_classes, num_true, num_sampled, unique, range_max, vocab_file="", distortion=1.0, num_reserved_ids=0,
    num_shards=1, shard=0, unigrams=(), seed=None, name=None,
):  # fmt: skip
    """Classes from 0 to range_max - 1, each with a chance proportional to a given weight.

    Args:
        true_classes: int64 [batch_size, num_true]: the true classes, whose expected counts are wanted.
        num_true: how many each example has.
        num_sampled: how many classes to draw.
        unique: whether no class is drawn twice.
        range_max: how many classes there are.
        vocab_file: a file with a class in each line, of which what follows the last comma is the weight.
        distortion: the power that weights are raised to.
        num_reserved_ids: classes of weight 0 before those that have weights.
        num_shards, shard: of the classes only every num_shards-th is used, from number shard on.
        unigrams: the weights, instead of a file.
        seed: an integer: calls with it go on with a stream of their own until set_seed.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        (sampled_candidates, true_expected_count, sampled_expected_count), see uniform_candidate_sampler.

    Raises:
        InvalidArgumentError: true_classes has another shape or holds no class, a size is below 1, there are fewer
            classes than unique ones are wanted, or there are not range_max weights.
        NotFoundError: there is no vocab_file.
        TypeError: seed is no integer.
    """
    function = "random.fixed_unigram_candidate_sampler"
    given = [float(w) for w in unigrams]
    if bool(vocab_file) == bool(given):
        raise InvalidArgumentError(f"{function}: give either vocab_file or unigrams")
    if vocab_file:
        given = _weights_of_file(function, vocab_file)
    weights = np.asarray([0.0] * num_reserved_ids + given, np.float32)
    if distortion != 1:
        weights[num_reserved_ids:] **= np.float32(distortion)
    weights = weights[shard::num_shards]
    if len(weights) != range_max:
        raise InvalidArgumentError(f"{function}: range_max is {range_max}, and there are {len(weights)} weights")
    return _sample(FIXED, function, true_classes, num_true, num_sampled, unique, range_max, seed, weights)


def _weights_of_file(function: str, path) -> list[float]:
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        raise NotFoundError(f"{function}: there is no vocab_file {str(path)!r}") from None
    try:
        return [float(line.rpartition(",")[2]) for line in lines]
    except ValueError as error:
        raise InvalidArgumentError(f"{function}: vocab_file {str(path)!r}: {error}") from None
