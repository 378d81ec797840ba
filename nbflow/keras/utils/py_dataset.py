"""PyDataset: batches made by Python code."""

import itertools
from collections.abc import Iterator

from nbflow.public import export


@export("keras.utils.PyDataset", "keras.utils.Sequence")
class PyDataset:
    """Base class of datasets that make batch number `index` on demand (tf.keras.utils.PyDataset).

    Subclasses have `__getitem__(index)`, which returns (x,), (x, y) or (x, y, sample_weight), and `__len__`, the
    number of batches. Instead of `__len__` they may have the property `num_batches`, None for a dataset without end.

    Args:
        workers: how many threads or processes make batches while a model trains.
        use_multiprocessing: whether these are processes.
        max_queue_size: how many batches may wait.

    Example:
        >>> import nbflow as nf
        >>> class Squares(nf.keras.utils.PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         return index**2
        >>> list(Squares())
        [0, 1, 4]
    """

    # A subclass may leave out super().__init__().
    workers = 1
    use_multiprocessing = False
    max_queue_size = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __getitem__(self, index):
        """Batch number `index`."""
        raise NotImplementedError(f"{type(self).__name__} must implement __getitem__(index), which returns a batch")

    @property
    def num_batches(self) -> int | None:
        """The number of batches, None if there is no end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(f"{type(self).__name__} must implement __len__ or the property num_batches")

    def __iter__(self) -> Iterator:
        try:
            count = self.num_batches
        except NotImplementedError:
            count = None
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch, for example to shuffle."""
