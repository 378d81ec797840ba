"""Batching rules against running example by example, for every op that has a rule of its own."""

import numpy as np
import pytest

import nbflow as nf
from nbflow.dtypes import float32
from nbflow.function import batching
from nbflow.ops.table import TABLE
from nbflow.tensor.tensor import to_tensor
from tests.ops.samples import Sample, samples
from tests.ops.samples.common import RECIPES

COUNT = 3
# Ops of a kind share one rule: some of each kind stand for all.
SOME = {"add", "select", "cast", "pow", "reduce_sum", "reduce_max", "reduce_any"}
NAMES = [
    name
    for name, op in TABLE.items()
    if name in RECIPES and (name in SOME or batching.RULES.get(name) or op.batch or op.kind == "composite")
]


def small_samples(name: str) -> list[Sample]:
    op = TABLE[name]
    dtype = float32 if float32 in op.dtypes else op.dtypes[0]
    found = [s for s in samples(name, dtype) if all(np.size(x) <= 60 for x in s.inputs)]
    return found[:2]


def patterns(count: int) -> list[tuple[bool, ...]]:
    """Which inputs are stacked: all of them, and each alone."""
    alone = [tuple(k == j for j in range(count)) for k in range(count)] if count > 1 else []
    return [(True,) * count, *alone]


def stacked(x, rng):
    """Three examples: x, its elements in another order, x."""
    x = np.asarray(x)
    return np.stack([x, rng.permutation(x.reshape(-1)).reshape(x.shape), x])


def parts(result) -> tuple:
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("name", NAMES)
def test_rule(name):
    op, rng = TABLE[name], np.random.default_rng(0)
    for sample in small_samples(name):
        for pattern in patterns(len(sample.inputs)):
            pairs = zip(sample.inputs, pattern, strict=True)
            tensors = [to_tensor(stacked(x, rng) if there else np.asarray(x)) for x, there in pairs]
            try:
                expected = batching.example_by_example(op, tensors, pattern, COUNT, sample.attrs)
            except nf.errors.InvalidArgumentError:  # elements in this order are no valid input
                continue
            found, there = batching.batch(op, tensors, pattern, COUNT, sample.attrs)
            for one, two in zip(parts(found), parts(expected), strict=True):
                one = batching.as_stack(one, there, COUNT)
                assert one.dtype is two.dtype
                np.testing.assert_allclose(one.numpy(), two.numpy(), rtol=1e-5, atol=1e-6)


def test_ops_without_a_rule_run_example_by_example():
    op = TABLE["invert_permutation"]
    assert batching.rule_of(op) is None
    rows = nf.constant([[1, 0, 2], [2, 1, 0]])
    found = nf.vectorized_map(op, rows)
    assert found.numpy().tolist() == [[1, 0, 2], [2, 1, 0]]
    assert nf.vectorized_map(op, rows[:0]).shape == [0, 3]
    with pytest.raises(ValueError, match="No pfor vectorization defined for invert_permutation"):
        nf.vectorized_map(op, rows, fallback_to_while_loop=False)
