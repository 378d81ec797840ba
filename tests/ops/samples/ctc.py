"""Samples for connectionist temporal classification."""

from collections.abc import Iterator

from nbflow.dtypes import DType, float32
from tests.ops.samples.common import *

LABELS = [[1, 2, 2, 0], [3, 1, 0, 0], [1, 0, 0, 0]]
FRAMES = [  # how many labels, how many frames, strict
    ([3, 2, 1], [6, 5, 6], False),
    ([3, 2, 0], [6, 4, 1], True),
    ([4, 2, 1], [3, 0, 9], False),
]


def sequences(dtype: DType) -> Iterator[Sample]:
    for labels, frames, strict in FRAMES:
        lengths = [np.array(labels), np.array(frames, np.int32)]
        yield Sample([numbers(dtype, (3, 6, 4)), np.array(LABELS), *lengths], {"strict": strict}, smooth=labels[0] == 3)
    if dtype is float32:
        none, lengths = numbers(dtype, (0, 6, 4)), np.zeros(0, np.int64)
        yield Sample([none, np.zeros((0, 2), np.int32), lengths, lengths], {"strict": False})
        no_labels = [numbers(dtype, (2, 3, 4)), np.zeros((2, 0), np.int32), np.zeros(2, np.int32), np.array([3, 2])]
        yield Sample(no_labels, {"strict": True})


def best_paths(dtype: DType) -> Iterator[Sample]:
    for merge in (True, False):
        for blank in (0, 3):
            attrs = {"merge_repeated": merge, "blank": blank}
            yield Sample([np.round(numbers(dtype, (9, 3, 4))), np.array([9, 5, 0], np.int32)], attrs)
    yield Sample([numbers(dtype, (3, 0, 2)), np.zeros(0, np.int32)], {"merge_repeated": True, "blank": 1})


def searches(dtype: DType) -> Iterator[Sample]:
    for width, paths in ((10, 2), (3, 3), (1, 1)):
        attrs = {"beam_width": width, "top_paths": paths}
        yield Sample([numbers(dtype, (5, 2, 4)), np.array([5, 3], np.int32)], attrs)


def of_gradient(inputs, attrs, expected):
    """Shares are exponentials of logarithms, which are some hundreds where there is no alignment."""
    return np.full(np.shape(expected), 8.0)


def of_loss(inputs, attrs, expected):
    """The log probability of every frame is added."""
    return np.abs(expected) + np.abs(inputs[0]).sum((1, 2))


RECIPES |= {
    "ctc_loss": sequences,
    "ctc_gradient": sequences,
    "ctc_best_path": best_paths,
    "ctc_beam_search": searches,
}
MAGNITUDES |= {"ctc_gradient": of_gradient, "ctc_loss": of_loss}
