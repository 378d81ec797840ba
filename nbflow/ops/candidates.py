"""Candidate samplers as ops: classes to compare the true ones with, and how often each is expected.

    candidate_sampler(words, true_classes, weights; kind, samples, unique, count)
        -> classes int64[samples], expected counts of the true classes float32, of the drawn ones float32[samples],
           and the weights afterwards

`weights` are float32[count]: of FIXED the weights of the classes; of LEARNED how often each class was a true one, plus
one, which every call adds to; empty for the other kinds. The sampling itself is nbflow.runtime.candidates.
"""

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.dtypes import float32, int64
from nbflow.ops.table import register
from nbflow.runtime import candidates
from nbflow.runtime.candidates import FIXED, LEARNED
from nbflow.runtime.samplers import python_callable

_SOURCE = '''def {name}(p, begin, end):
    """candidate_sampler"""
    words = carray(pointer(u64, word(p, 0)), 3)
    true = carray(pointer(i64, word(p, 1)), word(p, 8))
    before, after = carray(pointer(f32, word(p, 2)), word(p, 9)), carray(pointer(f32, word(p, 6)), word(p, 9))
    sampled = carray(pointer(i64, word(p, 3)), word(p, 10))
    true_counts = carray(pointer(f32, word(p, 4)), word(p, 8))
    counts = carray(pointer(f32, word(p, 5)), word(p, 10))
    bad = sample_candidates(
        KIND, UNIQUE, word(p, 11), true, before, sampled, true_counts, counts, after, words[0], words[1], words[2]
    )
    if bad >= 0:
        set_word(word(p, 7), 0, 1)
        set_word(word(p, 7), 1, true[bad])
'''


def _infer(avals, attrs):
    _, true, weights = avals
    drawn = (attrs["samples"],)
    return aval(int64, drawn), aval(float32, true.shape), aval(float32, drawn), aval(float32, weights.shape)


def _lower(node, lowering):
    kind, count = node.attrs["kind"], node.attrs["count"]
    inputs = [lowering.dense(lowering.place(v), v.shape) for v in node.inputs]
    cell, touch = lowering.failure(
        node, lambda bad: f"candidate_sampler: true_classes holds {bad}; classes are 0 to {count - 1}"
    )
    source = _SOURCE.replace("KIND", str(kind)).replace("UNIQUE", str(node.attrs["unique"]))
    words = [*(address for address, _ in inputs), *map(lowering.address, node.outputs), cell]
    words += [node.inputs[1].aval.size, node.inputs[2].aval.size, node.attrs["samples"], count]
    touches = [*(t for _, t in inputs), *map(lowering.writes, node.outputs), touch]
    cost = 100 + 60 * node.attrs["samples"] + (20 * count if kind in (FIXED, LEARNED) else 0)
    lowering.call(node.op.name, source, words, 1, touches, cost)


def _reference(words, true_classes, weights, kind, samples, unique, count):
    sampled, counts = np.empty(samples, np.int64), np.empty(samples, np.float32)
    true, true_counts = true_classes.reshape(-1), np.empty(true_classes.size, np.float32)
    before = weights.astype(np.float32)
    after = np.empty_like(before)
    run = python_callable(candidates.sample_candidates)
    run(kind, unique, count, true, before, sampled, true_counts, counts, after, *words.view(np.uint64))
    return sampled, true_counts.reshape(true_classes.shape), counts, after


register(
    Op(
        "candidate_sampler", ("words", "true_classes", "weights"), _infer, dtypes=(float32,),
        lower=_lower, reference=_reference,
    )
)  # fmt: skip
