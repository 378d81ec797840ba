"""Decoding: the labels that a network's outputs at each frame stand for, by connectionist temporal classification.

    ctc_best_path(inputs, sequence_length)      of each frame the greatest input, repetitions merged and blanks dropped
    ctc_beam_search(inputs, sequence_length)    the most probable labels, summed over alignments, found by beam search

inputs are [frames, batch, classes]. Labels come as the parts of a sparse tensor [batch, most labels].
"""

from heapq import heappop, heappush

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.op import Op
from nbflow.dtypes import FULL, int32, int64
from nbflow.errors import FailedPreconditionError, InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import check_dtypes, register, shape_text
from nbflow.shapes import Dim, could_be_equal


def _check(name: str, avals) -> None:
    inputs, length = avals
    check_dtypes(name, ("inputs",), [inputs], FULL)
    if length.dtype is not int32:
        raise InvalidDTypeError(f"{name}: sequence_length has dtype {length.dtype.name}; it takes int32")
    if len(inputs.shape) != 3 or not could_be_equal(length.shape, inputs.shape[1:2]):
        raise FailedPreconditionError(
            f"{name}: inputs has shape {shape_text(inputs)} and sequence_length {shape_text(length)}; they must be "
            f"[frames, batch, classes] and [batch]"
        )


def _check_lengths(name: str, length, frames: int) -> None:
    if (length > frames).any():
        raise FailedPreconditionError(f"{name}: sequence_length has {length.max()}; there are {frames} frames")


def _sparse_avals():
    count = Dim.fresh("decoded")
    return aval(int64, (count, 2)), aval(int64, (count,)), aval(int64, (2,))


def _sparse(rows: list) -> tuple:
    """Indices, values and shape of a list of lists of labels."""
    lengths = [len(row) for row in rows]
    places = [(b, k) for b, count in enumerate(lengths) for k in range(count)]
    values = [label for row in rows for label in row]
    shape = np.array([len(rows), max(lengths, default=0)], np.int64)
    return np.array(places, np.int64).reshape(-1, 2), np.array(values, np.int64), shape


# --- the best path ----------------------------------------------------------------------------------------------------


def _infer_best_path(avals, attrs):
    _check("ctc_greedy_decoder", avals)
    return *_sparse_avals(), aval(avals[0].dtype, (avals[0].shape[1], 1))


def _best_path(inputs, length, merge_repeated, blank):
    _check_lengths("ctc_greedy_decoder", length, len(inputs))
    best = inputs.argmax(2) if inputs.size else np.zeros(inputs.shape[:2], np.int64)
    kept = best != blank
    if merge_repeated:
        kept[1:] &= best[1:] != best[:-1]
    there = np.arange(len(inputs))[:, None] < length
    kept &= there
    rows = [best[kept[:, b], b].tolist() for b in range(best.shape[1])]
    greatest = inputs.max(2, initial=-np.inf) if inputs.size else np.zeros(inputs.shape[:2], inputs.dtype)
    return *_sparse(rows), -np.where(there, greatest, 0).sum(0, dtype=inputs.dtype)[:, None]


def _best_path_reference(inputs, length, merge_repeated, blank):
    rows, sums = [], []
    for b, frames in enumerate(length):
        path = [max(range(inputs.shape[2]), key=lambda k, frame=frame: frame[k]) for frame in inputs[:frames, b]]
        before = [None, *path][: len(path)] if merge_repeated else [None] * len(path)
        rows.append([k for k, last in zip(path, before, strict=True) if k not in (blank, last)])
        sums.append([-inputs[:frames, b].max(1).sum()])
    return *_sparse(rows), np.array(sums).reshape(-1, 1)


register(
    Op(
        "ctc_best_path",
        ("inputs", "sequence_length"),
        _infer_best_path,
        host=_best_path,
        dtypes=FULL,
        reference=_best_path_reference,
    )
)


# --- beam search ------------------------------------------------------------------------------------------------------


class _Beam:
    """A sequence of labels: the logarithms of its probability, of those that end in a blank and in its last label."""

    __slots__ = ("blank", "children", "label", "label_end", "old_blank", "old_total", "parent", "total")

    def __init__(self, parent=None, label: int = -1):
        self.parent, self.label = parent, label
        self.children: dict[int, _Beam] = {}
        self.total = self.blank = self.label_end = self.old_total = self.old_blank = -np.inf

    def drop(self) -> None:
        """Takes it out of the search."""
        self.total = self.blank = self.label_end = -np.inf

    def labels(self) -> list:
        """The labels from the first on."""
        found, beam = [], self
        while beam.parent is not None:
            found.append(beam.label)
            beam = beam.parent
        return found[::-1]


class _Widest:
    """The beams of a frame, of which only the best `width` are kept."""

    def __init__(self, width: int):
        self.width, self.number = width, 0
        self.heap: list[tuple] = []

    def takes(self, total: float) -> bool:
        """Whether a beam of this probability would be kept."""
        return total > -np.inf and (len(self.heap) < self.width or total > self.heap[0][0])

    def add(self, beam: _Beam) -> None:
        """Adds one, and drops the worst if there are too many."""
        if len(self.heap) == self.width:
            heappop(self.heap)[2].drop()
        self.number += 1
        heappush(self.heap, (beam.total, -self.number, beam))

    def best(self) -> list[_Beam]:
        """All, the most probable first."""
        return [beam for _, _, beam in sorted(self.heap, key=lambda entry: (-entry[0], -entry[1]))]


def _step(beams: list[_Beam], frame: np.ndarray, width: int) -> list[_Beam]:
    """The beams after one more frame of log probabilities, whose last class is the blank."""
    *labels, blank = frame.tolist()
    for beam in beams:
        beam.old_total, beam.old_blank = beam.total, beam.blank
    widest = _Widest(width)
    for beam in beams:
        parent = beam.parent
        if parent is not None:
            if parent.total > -np.inf:
                before = parent.old_blank if beam.label == parent.label else parent.old_total
                beam.label_end = np.logaddexp(beam.label_end, before)
            beam.label_end += labels[beam.label]
        beam.blank = beam.old_total + blank
        beam.total = float(np.logaddexp(beam.blank, beam.label_end))
        widest.add(beam)
    for beam in beams:
        if not widest.takes(beam.old_total):
            continue
        for label, score in enumerate(labels):
            child = beam.children.setdefault(label, _Beam(beam, label))
            if child.total > -np.inf:
                continue
            total = score + (beam.old_blank if label == beam.label else beam.old_total)
            if widest.takes(total):
                child.total, child.label_end, child.blank = total, total, -np.inf
                widest.add(child)
            else:
                child.old_total = child.old_blank = -np.inf
    return widest.best()


def _infer_beam_search(avals, attrs):
    _check("ctc_beam_search_decoder", avals)
    paths = attrs["top_paths"]
    decoded = [part for _ in range(paths) for part in _sparse_avals()]
    return *decoded, aval(avals[0].dtype, (avals[0].shape[1], paths))


def _beam_search(inputs, length, beam_width, top_paths):
    name = "ctc_beam_search_decoder"
    _check_lengths(name, length, len(inputs))
    paths, scores = [], np.zeros((len(length), top_paths), inputs.dtype)
    top = inputs.max(2, keepdims=True, initial=-np.inf)
    log_probs = inputs - top - np.log(np.exp(inputs - top).sum(2, keepdims=True))
    for b, frames in enumerate(length):
        root = _Beam()
        root.total = root.blank = 0.0
        beams = [root]
        for t in range(frames):
            beams = _step(beams, log_probs[t, b], beam_width)
        if len(beams) < top_paths:
            raise InvalidArgumentError(f"{name}: there are less leaves in the beam search than {top_paths} top_paths")
        paths.append([beam.labels() for beam in beams[:top_paths]])
        scores[b] = [beam.total for beam in beams[:top_paths]]
    parts = [part for k in range(top_paths) for part in _sparse([found[k] for found in paths])]
    return *parts, scores


register(
    Op(
        "ctc_beam_search",
        ("inputs", "sequence_length"),
        _infer_beam_search,
        host=_beam_search,
        dtypes=FULL,
        reference=_beam_search,
        tolerance=64,
    )
)
