"""Connectionist temporal classification: the probability of a sequence of labels, summed over all its alignments.

    ctc_loss(logits, labels, label_length, logit_length)        -log of that probability, one a sequence
    ctc_gradient(…)                                             its gradient for logits: how probable each class is at
                                                                each frame, less how probable it is given the labels

logits are [batch, frames, classes], of which class 0 is the blank; labels are [batch, most labels].

A sequence has 2 (most + 1) states: 0, where it starts, label j in state j, and the blank after label j in state
most + 1 + j. Both recursions are normalised at every frame, as TensorFlow does it. TensorFlow has two rules for labels
that have no alignment: with `strict` the loss is infinite, or it is an error if there are fewer frames than labels;
otherwise the probability of ending elsewhere than at the last label is 1e-307, so that the loss is finite.
"""

import math
from textwrap import indent

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import SLAB, Grain, Scratch
from nbflow.compiler.op import Op
from nbflow.dtypes import FLOATING, int32, int64
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE, check_dtypes, register, shape_text
from nbflow.shapes import could_be_equal

T = TABLE
LOG_ZERO = math.log(1e-307)
EXTRA_ROWS = 2  # of scratch memory: `seen` and `new`

_KERNEL = '''def {{name}}(p, begin, end):
    """{name} {code}: sequences [begin, end)"""
    frames, classes, most, rows, grain = word(p, 6), word(p, 7), word(p, 8), word(p, 9), word(p, 11)
    states, low, stop = 2 * (most + 1), {code}(-inf), {code}({stop})
    scratch = word(p, 10) + (begin // grain) * rows * states * {size}
    seen = carray(pointer({code}, scratch), states)
    new = carray(pointer({code}, scratch + states * {size}), states)
    going = carray(pointer({code}, scratch + 2 * states * {size}), (rows - 2) * states)
    for sequence in range(begin, end):
        label = carray(pointer({index}, word(p, 1) + sequence * most * {index_size}), most)
        length, last = i64(load({length}, word(p, 2), sequence, 0)), i64(load({last}, word(p, 3), sequence, 0))
        if {strict} and length > last:
            set_word(word(p, 5), 0, 1)
            set_word(word(p, 5), 1, sequence)
'''
# the log probability of what each state sees at frame t
_SEE = """frame = carray(pointer({code}, word(p, 0) + (sequence * frames + t) * classes * {size}), classes)
top, z, seen[0] = low, {code}(0), low
for k in range(classes):
    top = max(top, frame[k])
for k in range(classes):
    z += exp_{code}(frame[k] - top)
z = top + log_{code}(z)
for s in range(1, most + 1):
    k = i64(label[s - 1])
    seen[s] = frame[k] - z if 0 <= k and k < classes else {code}(0)
for s in range(most + 1, states):
    seen[s] = frame[0] - z
"""
_LOG_SUM = """top = max(a, b, c)
new[s] = top if top == low else top + log_{code}(exp_{code}(a - top) + exp_{code}(b - top) + exp_{code}(c - top))
best = max(best, new[s])
"""
_NORM = """norm = {code}(0)
for s in range(states):
    norm += exp_{code}(new[s] - best)
norm = best if best == low else best + log_{code}(norm)
shift = {code}(0) if norm == low else norm
"""
# going[at + s]: the log probability of all that follows from state s after frame t; frame t - 1 has it at `before`
_BACKWARD = """until = max(0, min(last, frames))
total, at = {code}(0), {first}
for s in range(states):
    going[at + s] = {code}(0) if s == length or s == most + 1 + length else stop
for r in range(until):
    t = until - 1 - r
    before = {before}
{see}    for s in range(states):
        seen[s] += going[at + s]
    best = low
    for s in range(states):
        a, b, c = seen[s], low, low
        if s <= most:
            b = seen[most + 1 + s]
        elif s < states - 1:
            b = seen[s - most]
        if s < most and (s == 0 or label[s - 1] != label[s]):
            c = seen[s + 1]
{log_sum}{norm}    total += norm
    for s in range(states):
        going[before + s] = new[s] - shift
    at = before
"""
_LOSS = """store({code}, word(p, 4), sequence, -(going[at] + total), 1)
"""
# from here on going[s] is the log probability of being in state s
_FORWARD = """for s in range(states):
    going[s] = {code}(0) if s == 0 else stop
for t in range(until, frames):
    out = word(p, 4) + (sequence * frames + t) * classes * {size}
    for k in range(classes):
        store({code}, out, k, {code}(0), 1)
for t in range(until):
    out = word(p, 4) + (sequence * frames + t) * classes * {size}
{see}    for k in range(classes):
        store({code}, out, k, exp_{code}(frame[k] - z), 1)
    best = low
    for s in range(states):
        a, b, c = going[s], low, low
        if s > most:
            b = going[s - most - 1]
        elif s > 0:
            b = going[most + s]
            if s == 1 or label[s - 2] != label[s - 1]:
                c = going[s - 1]
{log_sum}    best = low
    for s in range(states):
        new[s] += seen[s]
        best = max(best, new[s])
{norm}    best = low
    for s in range(states):
        going[s] = new[s] - shift
        new[s] = going[s] + going[(t + 1) * states + s]
        best = max(best, new[s])
{norm}    for s in range(1, states):
        k = i64(label[s - 1]) if s <= most else 0
        if norm > low and (s > most or 0 < k and k < classes):
            store({code}, out, k, load({code}, out, k, 1) - exp_{code}(new[s] - norm), 1)
"""


def _source(name: str, keep: bool, **names) -> str:
    """A kernel's source; `keep` says whether the backward recursion of all frames is kept, for the gradient."""
    see, log_sum, norm = (part.format(**names) for part in (_SEE, _LOG_SUM, _NORM))
    parts = {"see": indent(see, " " * 4), "log_sum": indent(log_sum, " " * 8), "norm": indent(norm, " " * 4)}
    places = {"first": "until * states", "before": "t * states"} if keep else {"first": "0", "before": "0"}
    body = _BACKWARD.format(**names, **parts, **places)
    body += _FORWARD.format(**names, **parts) if keep else _LOSS.format(**names)
    return _KERNEL.format(name=name, **names) + indent(body, " " * 8)


def _lower(node, lowering):
    logits, labels, label_length, logit_length = node.inputs
    batch, frames, classes = logits.shape
    most, dtype, keep = labels.shape[1], logits.dtype, node.op.name == "ctc_gradient"
    inputs = [lowering.dense(lowering.place(v), v.shape) for v in node.inputs]
    cell, touch = lowering.failure(
        node,
        lambda bad: (
            f"ctc_loss: not enough time for target transition sequence: too few frames for the labels of sequence {bad}"
        ),
    )
    rows, states = EXTRA_ROWS + (frames + 1 if keep else 1), 2 * (most + 1)
    strict = node.attrs["strict"]
    source = _source(
        node.op.name, keep, code=dtype.code, size=dtype.size, index=labels.dtype.code, index_size=labels.dtype.size,
        length=label_length.dtype.code, last=logit_length.dtype.code, strict=strict,
        stop="-inf" if strict else LOG_ZERO,
    )  # fmt: skip
    words = [*(address for address, _ in inputs), lowering.address(node.output), cell, frames, classes, most, rows]
    words += [Scratch(rows * states * dtype.size), Grain()]
    slab = lowering.writes(node.output, SLAB, node.output.aval.nbytes // max(batch, 1))
    cost = 100 + batch * frames * states * (60 if keep else 25)
    lowering.call(node.op.name, source, words, batch, [*(t for _, t in inputs), slab, touch], cost)


def _infer(name: str):
    def infer(avals, attrs):
        logits, labels, *lengths = avals
        check_dtypes(name, ("logits",), [logits], FLOATING)
        for argument, a in zip(("labels", "label_length", "logit_length"), avals[1:], strict=True):
            if a.dtype not in (int32, int64):
                raise InvalidDTypeError(f"{name}: {argument} has dtype {a.dtype.name}; it takes int32 or int64")
        batch = logits.shape[:1]
        shapes = len(logits.shape) == 3 and len(labels.shape) == 2 and could_be_equal(labels.shape[:1], batch)
        if not shapes or not all(could_be_equal(a.shape, batch) for a in lengths):
            raise InvalidArgumentError(
                f"{name}: logits (batch first) has shape {shape_text(logits)}, labels {shape_text(labels)}, "
                f"label_length {shape_text(lengths[0])} and logit_length {shape_text(lengths[1])}; they must be "
                f"[batch, frames, classes], [batch, labels], [batch] and [batch]"
            )
        return aval(logits.dtype, logits.shape if name == "ctc_gradient" else batch)

    return infer


def _recursions(logits, label, length, last, strict):
    """One sequence: (the log probability of its labels, the gradient)."""
    (frames, classes), most = logits.shape, len(label)
    log_probs = logits - np.logaddexp.reduce(logits, 1, keepdims=True)
    stop = -np.inf if strict else LOG_ZERO
    moves = np.eye(2 * most + 2, dtype=bool)  # [from, to]
    for j in range(most + 1):
        moves[j, most + 1 + j] = True
        if j < most:
            moves[most + 1 + j, j + 1] = True
            moves[j, j + 1] = j == 0 or label[j - 1] != label[j]
    known = (label >= 0) & (label < classes)
    labels = np.where(known, log_probs[:, np.where(known, label, 0)], 0)
    seen = np.concatenate([np.full((frames, 1), -np.inf), labels, np.repeat(log_probs[:, :1], most + 1, 1)], 1)
    until = int(np.clip(last, 0, frames))
    after = np.full((until + 1, 2 * most + 2), stop)
    after[until, [length, most + 1 + length]] = 0
    total, going = 0.0, np.where(np.arange(2 * most + 2) == 0, 0, stop)
    for t in reversed(range(until)):
        after[t] = np.logaddexp.reduce(np.where(moves, seen[t] + after[t + 1], -np.inf), 1)
        norm = np.logaddexp.reduce(after[t])
        total, after[t] = total + norm, after[t] - norm
    found = np.zeros(logits.shape)
    for t in range(until):
        going = np.logaddexp.reduce(np.where(moves, going[:, None], -np.inf), 0) + seen[t]
        going = going - np.logaddexp.reduce(going)
        both = going + after[t + 1]
        share = np.exp(both - np.logaddexp.reduce(both))
        found[t] = np.exp(log_probs[t])
        np.subtract.at(found[t], label[known], np.where(label > 0, share[1 : most + 1], 0)[known])
        found[t, 0] -= share[most + 1 :].sum()
    return after[0, 0] + total, found


def _reference(name: str):
    def reference(logits, labels, label_length, logit_length, strict):
        rows = [_recursions(*row, strict) for row in zip(logits, labels, label_length, logit_length, strict=True)]
        if name == "ctc_gradient":
            return np.array([found for _, found in rows]).reshape(logits.shape)
        return -np.array([total for total, _ in rows]).reshape(len(logits))

    return reference


def _vjp_loss(k, g, inputs, output, attrs):
    return T["reshape"](g, shape=(*g.nbflow_shape, 1, 1)) * T["ctc_gradient"](*inputs, **attrs)


def _no_second_order(k, g, inputs, output, attrs):
    raise LookupError("ctc_loss: there is no second derivative of ctc_loss")


ARGUMENTS = ("logits", "labels", "label_length", "logit_length")
for _name, _vjp in (("ctc_loss", _vjp_loss), ("ctc_gradient", _no_second_order)):
    register(
        Op(
            _name,
            ARGUMENTS,
            _infer(_name),
            lower=_lower,
            vjp=_vjp,
            blocked=(1, 2, 3),
            dtypes=FLOATING,
            wide=True,
            reference=_reference(_name),
            tolerance=64,
        )
    )
