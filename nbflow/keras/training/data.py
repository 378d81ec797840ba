"""Batches from whatever fit is given: arrays, datasets, generators, PyDatasets."""

import math
from collections.abc import Iterable, Iterator

import numpy as np
import optree

from nbflow.keras.settings import floatx
from nbflow.keras.utils.py_dataset import PyDataset
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import Tensor, from_numpy, to_tensor


class Batches:
    """Where batches come from, epoch by epoch.

    Attributes:
        steps: the number of batches of an epoch, None if not known before its end.
        samples: the number of examples of an epoch, None if not known.
    """

    steps: int | None = None
    samples: int | None = None

    def epoch(self) -> Iterator[tuple]:
        """The batches of one epoch: tuples of (x,), (x, y) or (x, y, sample_weight)."""
        raise NotImplementedError


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
        sizes = {leaf.shape[0] for leaf in self._leaves if leaf.ndim}
        if len(sizes) != 1 or any(leaf.ndim == 0 for leaf in self._leaves):
            shapes = [tuple(leaf.shape) for leaf in self._leaves]
            raise ValueError(
                f"Data cardinality is ambiguous. Make sure all arrays contain the same number of samples. "
                f"Their shapes are {shapes}"
            )
        self.samples = sizes.pop()
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
                parts = [from_numpy(leaf[start:stop], copy=False) for leaf in self._leaves]
            else:
                rows = order[start:stop]
                parts = [from_numpy(leaf[rows], copy=False) for leaf in self._leaves]
            yield optree.tree_unflatten(self._form, parts)


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
    if array.dtype.kind in "OUS":
        try:
            return array.astype(floatx())
        except (TypeError, ValueError):
            raise ValueError(
                f"Data of dtype {array.dtype} cannot be used for training: it takes numbers. For ragged lists, pad "
                f"them: keras.utils.pad_sequences; for strings, use a StringLookup or TextVectorization layer first"
            ) from None
    return array


class Stream(Batches):
    """Batches of an iterable: a generator (once), a dataset or a list of batches (again each epoch).

    Args:
        source: the iterable.
        steps: the number of batches to an epoch; a generator goes on where the last epoch ended.
    """

    def __init__(self, source: Iterable, steps: int | None = None):
        self._source = source
        self._once = iter(source) is source
        self._given = steps
        self._open: Iterator | None = None
        size = None
        if not self._once:
            cardinality = getattr(source, "cardinality", None)
            size = (
                int(cardinality()) if cardinality is not None else len(source) if hasattr(source, "__len__") else None
            )
            size = None if size is not None and size < 0 else size
        self.steps = steps if steps is not None else size

    def epoch(self) -> Iterator[tuple]:
        """The next batches."""
        if self._given is None:
            for batch in self._source if not self._once else self._iterator():
                yield _tuple(batch)
            return
        for _ in range(self._given):
            try:
                batch = next(self._iterator())
            except StopIteration:
                if self._once:
                    return
                self._open = None
                try:
                    batch = next(self._iterator())
                except StopIteration:
                    return
            yield _tuple(batch)

    def _iterator(self) -> Iterator:
        if self._open is None:
            self._open = iter(self._source)
        return self._open


class Sequences(Batches):
    """Batches of a PyDataset, by number."""

    def __init__(self, source: PyDataset, shuffle: bool, steps: int | None = None):
        self._source, self._shuffle = source, shuffle
        self.steps = source.num_batches if steps is None else steps

    def epoch(self) -> Iterator[tuple]:
        """All batches, in an order of its own where they are to be shuffled."""
        self._source.on_epoch_begin()
        order = np.arange(self.steps)
        if self._shuffle:
            shuffler().shuffle(order)
        for k in order:
            yield _tuple(self._source[int(k)])
        self._source.on_epoch_end()


def _tuple(batch) -> tuple:
    """A batch as a tuple of tensors: (x,), (x, y) or (x, y, sample_weight)."""
    parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
    if len(parts) > 3:
        raise ValueError(f"A batch has {len(parts)} parts; it takes x, (x, y) or (x, y, sample_weight)")
    return optree.tree_map(tensor_of, parts)


def tensor_of(value):
    """A part of a batch as a tensor."""
    return value if isinstance(value, TensorProtocol) else from_numpy(_array(value))


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
        return Limited(Arrays(parts, 32 if batch_size is None else batch_size, shuffle), steps)
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"When passing `x` as a {type(x).__name__}, the `{name}` argument should not be passed: batches bring "
                f"it"
            )
    if isinstance(x, PyDataset):
        source: Batches = Sequences(x, shuffle, steps)
    elif hasattr(x, "__iter__"):
        source = Stream(x, steps)
    else:
        raise ValueError(f"Unrecognized data type: x={x!r:.200} (of type {type(x)})")
    return source if class_weight is None else Weighted(source, class_weight)


class Limited(Batches):
    """At most so many batches an epoch; the next epoch begins anew."""

    def __init__(self, source: Arrays, steps: int | None):
        self._source, self.samples, self.batch_size = source, source.samples, source.batch_size
        self.steps = source.steps if steps is None else min(int(steps), source.steps)

    def epoch(self) -> Iterator[tuple]:
        """The first batches of the source."""
        for _, batch in zip(range(self.steps), self._source.epoch(), strict=False):
            yield batch


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
