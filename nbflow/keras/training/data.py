"""Batches from whatever fit is given: arrays, datasets, generators, PyDatasets."""

import itertools
import math
from collections.abc import Iterable, Iterator
from operator import length_hint

import numpy as np
import optree

from nbflow.keras.settings import floatx
from nbflow.keras.utils.py_dataset import PyDataset
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.string_tensor import StringTensor, holds_text, string_tensor
from nbflow.tensor.tensor import Tensor, from_numpy, to_tensor

EMPTY = "The data are empty: not a single batch came. A generator must yield at least one batch"


class Batches:
    """Where batches come from, epoch by epoch.

    Attributes:
        steps: the number of batches of an epoch, None if not known before its end.
        samples: the number of examples of an epoch, None if not known.
    """

    steps: int | None = None
    samples: int | None = None

    @property
    def exhausted(self) -> bool:
        """Whether there will be no more batches, in no epoch, as from a generator that has ended."""
        return False

    def epoch(self) -> Iterator[tuple]:
        """The batches of one epoch: tuples of (x,), (x, y) or (x, y, sample_weight)."""
        raise NotImplementedError

    def restart(self) -> None:
        """Lets the next epoch begin with the first batch, where an epoch is only a part of the data."""

    def first(self) -> tuple:
        """A batch like the first, which none of the epochs lacks for it."""
        raise NotImplementedError

    def whole(self) -> tuple | None:
        """All examples as NumPy arrays, None where they come bit by bit."""
        return None


class Single(Batches):
    """One batch."""

    def __init__(self, batch: tuple):
        self._batch = batch

    def first(self) -> tuple:
        """The batch."""
        return self._batch


class Arrays(Batches):
    """Arrays of equal first size, cut into batches.

    Args:
        arrays: a tuple of nested structures of arrays.
        batch_size: the examples of a batch.
        shuffle: whether each epoch has an order of its own; "batch" shuffles batches only.
    """

    def __init__(self, arrays: tuple, batch_size: int, shuffle=False):
        self._leaves, self._form = optree.tree_flatten(arrays)
        self._leaves = [_array(leaf) for leaf in self._leaves]
        if any(leaf.ndim == 0 for leaf in self._leaves):
            raise ValueError(
                "Unrecognized data type: there are plain numbers where arrays are expected. Lists hold the arrays of "
                "several inputs; make an array of a list of numbers: numpy.array(x)"
            )
        sizes = {leaf.shape[0] for leaf in self._leaves}
        if len(sizes) != 1:
            shapes = [tuple(leaf.shape) for leaf in self._leaves]
            raise ValueError(
                f"Data cardinality is ambiguous. Make sure all arrays contain the same number of samples. "
                f"Their shapes are {shapes}"
            )
        self.samples: int = sizes.pop()
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"batch_size is {batch_size!r}; it takes an integer of 1 or more")
        self.batch_size, self.shuffle = int(batch_size), shuffle
        self.steps = math.ceil(self.samples / self.batch_size)

    def epoch(self) -> Iterator[tuple]:
        """Contiguous batches are views of the arrays; shuffled ones are gathered."""
        order = None
        starts = np.arange(0, self.samples, self.batch_size)
        if self.shuffle == "batch":
            full = starts[: self.samples // self.batch_size].copy()
            shuffler().shuffle(full)
            starts = np.concatenate([full, starts[len(full) :]])
        elif self.shuffle:
            order = shuffler().permutation(self.samples)
        for start in starts:
            stop = min(start + self.batch_size, self.samples)
            if order is None:
                parts = [_tensor(leaf[start:stop]) for leaf in self._leaves]
            else:
                rows = order[start:stop]
                parts = [_tensor(leaf[rows]) for leaf in self._leaves]
            yield optree.tree_unflatten(self._form, parts)

    def first(self) -> tuple:
        """The first examples."""
        return optree.tree_unflatten(self._form, [_tensor(leaf[: self.batch_size].copy()) for leaf in self._leaves])

    def whole(self) -> tuple:
        """All examples as NumPy arrays."""
        return optree.tree_unflatten(self._form, self._leaves)


def _tensor(array: np.ndarray):
    """A tensor that shares the memory of an array."""
    return StringTensor(array) if array.dtype == object else from_numpy(array, copy=False)


def _array(value) -> np.ndarray:
    """Data as a NumPy array that tensors may share, in the dtype that models take: float64 becomes floatx."""
    if isinstance(value, TensorProtocol):
        tensor = value.nbflow_tensor()
        return np.asarray(tensor._view()) if type(tensor) is Tensor else value.numpy()
    if hasattr(value, "to_numpy"):  # a pandas or polars frame
        value = value.to_numpy()
    array = np.asarray(value)
    if array.dtype == np.float64 or (array.dtype.kind == "f" and array.dtype.itemsize != np.dtype(floatx()).itemsize):
        return array.astype(floatx())
    if holds_text(array):
        return string_tensor(array)._array
    if array.dtype.kind in "OUS":
        try:
            return array.astype(floatx())
        except (TypeError, ValueError):
            raise ValueError(
                f"Data of dtype {array.dtype} cannot be used for training: it takes numbers or strings. For ragged "
                f"lists, pad them: keras.utils.pad_sequences"
            ) from None
    return array


class Stream(Batches):
    """Batches of an iterable: a generator (once), a dataset or a list of batches (again each epoch)."""

    def __init__(self, source: Iterable):
        self._source = source
        self._once: Iterator | None = iter(source)
        self._waiting: list = []  # the next batch of a generator, if it was looked at
        if self._once is not source:
            self._once = None
            cardinality = getattr(source, "cardinality", None)
            size = int(cardinality()) if cardinality is not None else length_hint(source, -1)
            self.steps = None if size < 0 else size

    def epoch(self) -> Iterator[tuple]:
        """The batches; of a generator those that are left."""
        if self._once is None:
            yield from map(_tuple, self._source)
        while self._once is not None and (batch := self._next()) is not None:
            self._waiting.clear()
            yield _tuple(batch)

    @property
    def exhausted(self) -> bool:
        """Whether a generator has ended."""
        return self._once is not None and self._next() is None

    def _next(self):
        """The next batch, which comes again; None where there is none."""
        if self._once is None:
            return next(iter(self._source), None)
        if not self._waiting:
            self._waiting += itertools.islice(self._once, 1)
        return self._waiting[0] if self._waiting else None

    def first(self) -> tuple:
        """The next batch, which comes again."""
        batch = self._next()
        if batch is None:
            raise ValueError(EMPTY)
        return _tuple(batch)


class Sequences(Batches):
    """Batches of a PyDataset, by number."""

    def __init__(self, source: PyDataset, shuffle: bool):
        self._source, self._shuffle = source, shuffle
        self.steps = source.num_batches

    def epoch(self) -> Iterator[tuple]:
        """All batches, in an order of its own where they are to be shuffled."""
        self._source.on_epoch_begin()
        if self.steps is None:
            order: Iterable = itertools.count()
        else:
            order = shuffler().permutation(self.steps) if self._shuffle else range(self.steps)
        for k in order:
            yield _tuple(self._source[int(k)])
        self._source.on_epoch_end()

    def first(self) -> tuple:
        """The first batch."""
        return _tuple(self._source[0])


def _tuple(batch) -> tuple:
    """A batch as a tuple of tensors: (x,), (x, y) or (x, y, sample_weight)."""
    parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
    if len(parts) > 3:
        raise ValueError(f"A batch has {len(parts)} parts; it takes x, (x, y) or (x, y, sample_weight)")
    return optree.tree_map(tensor_of, parts)


def tensor_of(value):
    """A part of a batch as a tensor."""
    if type(value) is np.ndarray and value.dtype == floatx():  # the usual case, and the one that has to be quick
        return from_numpy(value)
    return value if isinstance(value, TensorProtocol) else _tensor(_array(value).copy())


def shuffler() -> np.random.RandomState:
    """What shuffles: NumPy's global generator, which keras.utils.set_random_seed starts."""
    return np.random.mtrand._rand


def batches(x, y=None, sample_weight=None, batch_size=None, steps=None, shuffle=False, class_weight=None) -> Batches:
    """The batches of x, which may be arrays (with y and sample_weight), a dataset, a generator or a PyDataset.

    Raises:
        ValueError: y or sample_weight is given although x brings its own.
    """
    if _is_arrays(x):
        weights = sample_weight
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError(
                    "You cannot `class_weight` and `sample_weight` at the same time. Fold one into the other."
                )
            weights = class_weights(y, class_weight)
        parts = (x, y, weights) if weights is not None else (x, y) if y is not None else (x,)
        found = Arrays(parts, 32 if batch_size is None else batch_size, shuffle)
        return found if steps is None else Limited(found, steps)
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"When passing `x` as a {type(x).__name__}, the `{name}` argument should not be passed: batches bring "
                f"it"
            )
    if isinstance(x, PyDataset):
        source: Batches = Sequences(x, shuffle)
    elif hasattr(x, "__iter__") and not isinstance(x, (str, dict)):
        source = Stream(x)
    else:
        raise ValueError(f"Unrecognized data type: x={x!r:.200} (of type {type(x)})")
    if class_weight is not None:
        source = Weighted(source, class_weight)
    return source if steps is None else Limited(source, steps)


class Limited(Batches):
    """Epochs of so many batches, each of which goes on where the last one ended; a source that is through begins anew.

    An epoch in which the source ends is shorter.
    """

    def __init__(self, source: Batches, steps: int):
        if not isinstance(steps, (int, np.integer)) or steps < 1:
            raise ValueError(f"The number of steps is {steps!r}; it takes an integer of 1 or more")
        self._source, self.samples, self.steps = source, source.samples, int(steps)
        self._open: Iterator | None = None
        self._seen = 0

    def epoch(self) -> Iterator[tuple]:
        """The next batches."""
        for _ in range(self.steps or 0):
            if self._open is None:
                self._open, self._seen = self._source.epoch(), 0
            batch = next(self._open, None)
            if batch is None:
                self._open = None
                return
            self._seen += 1
            yield batch
        if self._seen == self._source.steps and self._open is not None:
            next(self._open, None)  # what comes after its last batch, such as PyDataset.on_epoch_end
            self._open = None

    def restart(self) -> None:
        """Lets the next epoch begin with the first batch; a generator goes on."""
        self._open = None

    @property
    def exhausted(self) -> bool:
        """Whether the source has ended for good."""
        return self._source.exhausted

    def first(self) -> tuple:
        """A batch like the first."""
        return self._source.first()

    def whole(self) -> tuple | None:
        """All examples of the source."""
        return self._source.whole()


class Weighted(Batches):
    """Batches with a weight for each example by its class."""

    def __init__(self, source: Batches, class_weight: dict):
        self._source, self.class_weight, self.steps, self.samples = source, class_weight, source.steps, source.samples

    def epoch(self) -> Iterator[tuple]:
        """(x, y, weights of y's classes)."""
        for batch in self._source.epoch():
            if len(batch) != 2:
                raise ValueError("`class_weight` takes batches of (x, y), without sample weights of their own")
            x, y = batch
            yield x, y, to_tensor(class_weights(y.numpy(), self.class_weight))

    @property
    def exhausted(self) -> bool:
        """Whether the source has ended for good."""
        return self._source.exhausted

    def first(self) -> tuple:
        """A batch like the first."""
        return self._source.first()


def class_weights(y, class_weight: dict) -> np.ndarray:
    """The weight of each example by its class.

    Args:
        y: classes, or one-hot rows.
        class_weight: {class: weight}; 1 for classes that it does not hold.
    """
    if isinstance(y, (dict, list, tuple)):
        raise ValueError("`class_weight` is only supported for models with a single output.")
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] > 1 else labels[..., 0]
    labels = labels.astype(np.int64)
    table = np.ones(max(int(labels.max(initial=0)), *class_weight) + 1, np.float32)
    for label, weight in class_weight.items():
        table[int(label)] = weight
    return table[labels]


def _is_arrays(x) -> bool:
    """Whether x is arrays, or a structure of them, rather than something that gives batches."""
    leaves = optree.tree_leaves(x)
    return bool(leaves) and all(
        isinstance(leaf, (np.ndarray, TensorProtocol, int, float))
        or (hasattr(leaf, "__array__") and hasattr(leaf, "shape"))
        for leaf in leaves
    )


def train_validation_split(arrays: tuple, validation_split: float) -> tuple[tuple, tuple]:
    """The arrays without their last part, and that part.

    Raises:
        ValueError: either would be empty, or the arrays cannot be cut.
    """
    leaves = optree.tree_leaves(arrays)
    if not leaves or not all(hasattr(leaf, "shape") and hasattr(leaf, "__getitem__") for leaf in leaves):
        raise ValueError(
            "Argument `validation_split` is only supported for tensors or NumPy arrays. Pass `validation_data` instead."
        )
    size = int(leaves[0].shape[0])
    at = math.floor(size * (1.0 - validation_split))
    if at == 0 or at == size:
        raise ValueError(
            f"Training data contains {size} samples, which is not sufficient to split it into a validation and "
            f"training set as specified by `validation_split={validation_split}`."
        )

    def part(cut):
        return optree.tree_map(lambda leaf: (leaf.iloc if hasattr(leaf, "iloc") else leaf)[cut], arrays)

    return part(slice(None, at)), part(slice(at, None))
